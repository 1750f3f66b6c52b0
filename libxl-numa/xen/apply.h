/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan's affinities, to Xen. */
#ifndef XLNUMA_XEN_APPLY_H
#define XLNUMA_XEN_APPLY_H

#include <libxl.h>

#include "model/plan.h"

/* A new bitmap of CPUs. Returns 0 or libxl's error. */
int xlnuma__cpuset_to_bitmap(libxl_ctx *ctx, const xlnuma_cpuset *cpus,
                             libxl_bitmap *map);

/* Set the domain's node affinity. Returns 0 or libxl's error. */
int xlnuma__apply_nodes(libxl_ctx *ctx, uint32_t domid, xlnuma_nodeset nodes);

/*
 * Set the domain's node affinity and, if wanted, every vCPU's soft and hard
 * affinity to the plan's. `hard_before` is the hard affinity without us, which a
 * plan without hard CPUs restores; NULL: a new domain's, which such a plan leaves.
 * All or nothing: when a call fails, of a domain whose vCPUs are ours node and soft
 * affinity are what they are for a new domain, and the hard affinity is as before.
 * Returns 0, XLNUMA_ERR_XEN. Logs: nothing of its own.
 */
int xlnuma__apply(libxl_ctx *ctx, uint32_t domid, unsigned nr_vcpus,
                  const struct xlnuma_plan *plan, bool with_vcpus,
                  const xlnuma_cpuset *hard_before, char *message);

/* Set one vCPU's soft affinity. Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__apply_vcpu(libxl_ctx *ctx, uint32_t domid, unsigned vcpu,
                       const xlnuma_cpuset *cpus, char *message);

#endif /* XLNUMA_XEN_APPLY_H */
