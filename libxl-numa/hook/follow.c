/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: memory is not where it was planned, so affinities follow it, or are what
 * they would be without us.
 */
#include "hook/services.h"
#include "planner/plan.h"
#include "xen/apply.h"
#include "xen/host.h"

/* In place of the affinities that are set. */
static int apply_again(struct build *build, const struct xlnuma_plan *actual,
                       char *message)
{
    const xlnuma_cpuset *hard_before =
        build->request.has_own_affinity ? NULL : &build->hard_before;
    int rc =
        xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, actual,
                      xlnuma__build_sets_vcpus(build), hard_before, message);

    build->has_hard =
        !rc && xlnuma__build_sets_vcpus(build) && actual->has_hard_cpus;
    return rc;
}

int xlnuma__build_unpin(struct build *build, char *message)
{
    struct xlnuma_plan *actual;
    int rc;

    *message = '\0';
    if (!build->has_hard)
        return 0;
    actual = xlnuma_plan_new();
    if (!actual)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    *actual = *build->plan;
    actual->has_hard_cpus = false;
    rc = apply_again(build, actual, message);
    xlnuma_plan_free(actual);
    return rc;
}

/* On an own copy of the plan, which stays what was planned. */
static int follow(struct build *build, xlnuma_nodeset nodes,
                  struct xlnuma_host *host, struct xlnuma_plan *actual,
                  char *message)
{
    int rc = xlnuma_host_from_xen(host, build->ctx, message);

    if (rc)
        return rc;
    *actual = *build->plan;
    xlnuma__plan_follow(actual, host, &build->request, nodes,
                        build->extents.done_kb);
    rc = apply_again(build, actual, message);
    if (!rc)
        xlnuma__vnuma_affinities(build, host);
    return rc;
}

int xlnuma__build_follow(struct build *build, xlnuma_nodeset nodes,
                         char *message)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_plan *actual = xlnuma_plan_new();
    int rc = host && actual
                 ? follow(build, nodes, host, actual, message)
                 : xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");

    if (rc)
        xlnuma_plan_free(actual);
    else
        build->actual = actual;
    xlnuma_host_free(host);
    return rc;
}
