/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPUs that guests have alone, in Xen: a cpupool, and who has which of its CPUs. */
#ifndef XLNUMA_XEN_DEDICATED_H
#define XLNUMA_XEN_DEDICATED_H

#include <libxl.h>

#include "model/plan.h"

struct xc_interface_core; /* libxenctrl's xc_interface */

#define XLNUMA__NO_POOL UINT32_MAX

/*
 * All cpupools. Ownership: the caller's, libxl_cpupoolinfo_list_free(). Returns NULL
 * with a message when Xen does not list them.
 */
libxl_cpupoolinfo *xlnuma__pools_list(libxl_ctx *ctx, int *nr_r, char *message);

/*
 * A cpupool by its name, and its CPUs; XLNUMA__NO_POOL and none: it is not there.
 * Returns 0, XLNUMA_ERR_XEN.
 */
int xlnuma__pool_find(libxl_ctx *ctx, const char *name, uint32_t *poolid_r,
                      xlnuma_cpuset *cpus_r, char *message);

/* What a domain in the pool has of the host's dedicated CPUs. */
struct xlnuma__pins {
    xlnuma_cpuset taken;   /* that no other may have */
    xlnuma_cpuset runs_on; /* that its vCPUs may run on */
};

/* Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__pins_read(const struct xlnuma_host *host,
                      struct xc_interface_core *xch, uint32_t domid,
                      uint32_t max_vcpu_id, struct xlnuma__pins *pins_r,
                      char *message);

/*
 * Fill in the host's dedicated CPUs. *poolid_r is XLNUMA__NO_POOL where none are
 * reserved. Returns 0, XLNUMA_ERR_XEN.
 */
int xlnuma__dedicated_read(struct xlnuma_host *host, libxl_ctx *ctx,
                           struct xc_interface_core *xch, uint32_t *poolid_r,
                           char *message);

/*
 * Put a new domain into the pool, and each of its vCPUs on the CPU that the plan
 * gives it. With the turn in which the host was read. Returns 0, XLNUMA_ERR_XEN.
 */
int xlnuma__dedicated_give(libxl_ctx *ctx, uint32_t domid, uint32_t poolid,
                           const struct xlnuma_host *host,
                           const struct xlnuma_plan *plan, char *message);

/* --- pool.c ---------------------------------------------------------------- */

/*
 * Make the pool of these CPUs, or only say whether that can be done. *was_done_r: it
 * is there. Returns 0, XLNUMA_ERR_REFUSED, XLNUMA_ERR_XEN, XLNUMA_ERR_IO (the
 * turn); after an error all is as it was, unless the message says otherwise.
 */
int xlnuma__reserve(libxl_ctx *ctx, struct xc_interface_core *xch,
                    const xlnuma_cpuset *wanted, bool is_dry, bool *was_done_r,
                    char *message);

/*
 * Give its CPUs back to Pool-0, and those of `configured` that are in no pool.
 * *cpus_r: which. Returns as xlnuma__reserve().
 */
int xlnuma__release(libxl_ctx *ctx, struct xc_interface_core *xch,
                    const xlnuma_cpuset *configured, xlnuma_cpuset *cpus_r,
                    char *message);

#endif /* XLNUMA_XEN_DEDICATED_H */
