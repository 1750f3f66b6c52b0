/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: from now on a build goes by its plan. Host, plan, affinities, and where its
 * extents go.
 */
#include "hook/services.h"
#include "xen/apply.h"

#include <stdio.h>

int xlnuma__build_steer(struct build *build, xc_interface *xch,
                        struct xlnuma__reservation *before, char *message)
{
    struct xlnuma_host *host = xlnuma_host_new();
    int rc;

    if (!host || !(build->plan = xlnuma_plan_new())) {
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        goto out;
    }
    rc = xlnuma__build_plan(build, xch, host, before, message);
    if (rc || build->plan->status != XLNUMA_STATUS_PLACED)
        goto out;
    rc = xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, build->plan,
                       xlnuma__build_sets_vcpus(build), NULL, message);
    if (rc)
        goto out;
    build->has_hard =
        xlnuma__build_sets_vcpus(build) && build->plan->has_hard_cpus;
    xlnuma__extents_init(&build->extents, host, build->plan);
    if (build->is_strict)
        build->extents.nr_ranked = 0; /* no other node will do */
    build->phase = PHASE_STEERED;
    build->outcome.status = XLNUMA__BUILT_PLANNED;
    snprintf(build->outcome.reason, sizeof(build->outcome.reason), "%s",
             build->plan->reason);
    xlnuma__vnuma_begin(build, host);
out:
    xlnuma_host_free(host);
    return rc;
}
