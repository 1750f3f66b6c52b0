/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that the preloaded object stands before, and the library that
 * each is of, in the order of a build. For whoever defines STANDS_BEFORE, the
 * assembler too.
 */
STANDS_BEFORE(libxl_ctx_alloc, LIBXENLIGHT)
STANDS_BEFORE(libxl_ctx_free, LIBXENLIGHT)
STANDS_BEFORE(xlu_cfg_init, LIBXLUTIL)
STANDS_BEFORE(xlu_cfg_readdata, LIBXLUTIL)
STANDS_BEFORE(libxl_domain_create_new, LIBXENLIGHT)
STANDS_BEFORE(libxl_domain_create_restore, LIBXENLIGHT)
STANDS_BEFORE(libxl_domain_soft_reset, LIBXENLIGHT)
STANDS_BEFORE(xc_domain_create, LIBXENCTRL)
STANDS_BEFORE(xc_domain_max_vcpus, LIBXENCTRL)
STANDS_BEFORE(libxl_defbool_val, LIBXENLIGHT)
STANDS_BEFORE(libxl_set_vcpuaffinity, LIBXENLIGHT)
STANDS_BEFORE(xc_dom_parse_image, LIBXENGUEST)
STANDS_BEFORE(xc_domain_set_memory_map, LIBXENCTRL)
STANDS_BEFORE(xc_domain_populate_physmap, LIBXENCTRL)
STANDS_BEFORE(xc_domain_populate_physmap_exact, LIBXENCTRL)
STANDS_BEFORE(xc_domain_set_pod_target, LIBXENCTRL)
STANDS_BEFORE(xc_domain_restore, LIBXENGUEST)
STANDS_BEFORE(libxl_domain_sched_params_set, LIBXENLIGHT)
STANDS_BEFORE(xs_introduce_domain, LIBXENSTORE)
