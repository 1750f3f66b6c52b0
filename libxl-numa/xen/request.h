/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request, from a domain's configuration. */
#ifndef XLNUMA_XEN_REQUEST_H
#define XLNUMA_XEN_REQUEST_H

#include <libxl.h>

#include "model/request.h"

struct xc_interface_core; /* libxenctrl's xc_interface */

/*
 * A guest's memory with what libxl takes besides, by the rule of
 * libxl__domain_need_memory_calculate() (tools/libs/light/libxl_mem.c). libxl's own
 * libxl_domain_need_memory() is not called: it writes defaults into the caller's
 * configuration, and it needs a context, which a plan from a snapshot has not.
 * tests/lab/dom0all.sh compares this with what xl, which calls it, frees for guests.
 * Memory values that are still LIBXL_MEMKB_DEFAULT get libxl's defaults, with
 * hardware-assisted paging for what is not PV. Returns KiB, whole 2 MiB.
 */
uint64_t xlnuma__need_memory_kb(const libxl_domain_config *config);

/*
 * Of that memory, what is populated: the guest's own and its stub domain's. The
 * rest Xen takes for itself, part of it before the domain has its vCPUs.
 */
uint64_t xlnuma__populated_kb(const libxl_domain_config *config);

/* What its stub domain takes of the host; 0: it has none. */
uint64_t xlnuma__stubdom_need_kb(const libxl_domain_config *config);

/*
 * A request from a domain's configuration: memory, vCPUs, the CPUs that its
 * hard affinity and a soft affinity of the user's leave, its PCI devices. `ctx`
 * may be NULL: then devices' names are not known.
 * numa_* settings are not here: xlnuma__settings_apply().
 */
void xlnuma__request_from_config(struct xlnuma_request *request_r,
                                 libxl_ctx *ctx,
                                 const libxl_domain_config *config);

/* Only the CPUs of the domain's cpupool, and its scheduler. Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__request_add_pool(struct xlnuma_request *request, libxl_ctx *ctx,
                             uint32_t poolid, char *message);

/* The same for builds: without libxl, which would ask xenstored for the pool's name. */
int xlnuma__request_add_pool_of_build(struct xlnuma_request *request,
                                      struct xc_interface_core *xch,
                                      uint32_t poolid, char *message);

/*
 * Does the configuration leave placement to us? If not, *why_r (static) says
 * what the user gave instead.
 */
bool xlnuma__config_wants_placement(const libxl_domain_config *config,
                                    const char **why_r);

/*
 * Why a guest that asks for dedicated CPUs cannot have them: the configuration has
 * another say in its CPUs. Static; NULL: nothing has.
 */
const char *xlnuma__dedicated_conflict(const libxl_domain_config *config,
                                       const struct xlnuma_request *request);

/* --- vnodes.c -------------------------------------------------------------- */

/* How the guest's memory will lie, and whether it can see several nodes. */
void xlnuma__request_add_vnodes(struct xlnuma_request *request,
                                const libxl_domain_config *config);

/*
 * The guest is restored, and sees these nodes (borrowed) already; `why` they cannot
 * be right, or NULL.
 */
void xlnuma__request_keep_vnodes(struct xlnuma_request *request,
                                 const libxl_domain_config *config,
                                 const struct xlnuma__layout *layout,
                                 const char *why);

#endif /* XLNUMA_XEN_REQUEST_H */
