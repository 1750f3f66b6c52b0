/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that the preloaded object interposes, and the library that each is
 * of, in the order of a build. For files that define INTERPOSED, the assembler too.
 */
INTERPOSED(libxl_ctx_alloc, LIBXENLIGHT)
INTERPOSED(libxl_ctx_free, LIBXENLIGHT)
INTERPOSED(xlu_cfg_init, LIBXLUTIL)
INTERPOSED(xlu_cfg_readdata, LIBXLUTIL)
INTERPOSED(libxl_domain_create_new, LIBXENLIGHT)
INTERPOSED(libxl_domain_create_restore, LIBXENLIGHT)
INTERPOSED(libxl_domain_soft_reset, LIBXENLIGHT)
INTERPOSED(xc_domain_create, LIBXENCTRL)
INTERPOSED(xc_domain_max_vcpus, LIBXENCTRL)
INTERPOSED(libxl_defbool_val, LIBXENLIGHT)
INTERPOSED(libxl_set_vcpuaffinity, LIBXENLIGHT)
INTERPOSED(xc_dom_parse_image, LIBXENGUEST)
INTERPOSED(xc_domain_set_memory_map, LIBXENCTRL)
INTERPOSED(xc_domain_populate_physmap, LIBXENCTRL)
INTERPOSED(xc_domain_populate_physmap_exact, LIBXENCTRL)
INTERPOSED(xc_domain_set_pod_target, LIBXENCTRL)
INTERPOSED(xc_domain_restore, LIBXENGUEST)
INTERPOSED(libxl_domain_sched_params_set, LIBXENLIGHT)
INTERPOSED(xs_introduce_domain, LIBXENSTORE)
INTERPOSED(libxl_domain_config_to_json, LIBXENLIGHT)
