/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hard affinity that keeps a placed guest's vCPUs near its memory. Does not
 * choose nodes or soft CPUs.
 */
#include "planner/planner.h"

#include <string.h>

/*
 * What the request asks for. Credit2 balances between sockets by hard affinity
 * alone; other schedulers keep busy vCPUs on their soft affinity. A scheduler
 * that is not known counts as one of these.
 */
static enum xlnuma_affinity wanted(const struct xlnuma_host *host,
                                   const struct xlnuma_request *request)
{
    const char *scheduler =
        *request->scheduler ? request->scheduler : host->scheduler;

    if (request->affinity != XLNUMA_AFFINITY_DEFAULT)
        return request->affinity;
    return strcmp(scheduler, XLNUMA__CREDIT2) ? XLNUMA_AFFINITY_SOFT
                                              : XLNUMA_AFFINITY_SOCKET;
}

/*
 * The guest's CPUs on the sockets of the plan's nodes, and of its soft CPUs, which
 * may be elsewhere. Returns false when all of the host's CPUs are there.
 */
static bool take_sockets(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request)
{
    xlnuma_nodeset nodes =
        plan->nodes | xlnuma__host_nodes_of(host, &plan->soft_cpus);
    xlnuma_cpuset others;

    nodes = xlnuma__host_sockets_of(host, nodes);
    xlnuma__host_cpus(host, nodes, &plan->hard_cpus);
    xlnuma__host_cpus(host, host->nodes & ~nodes, &others);
    if (request->has_cpus)
        xlnuma_cpuset_and(&plan->hard_cpus, &request->cpus);
    return xlnuma_cpuset_count(&others);
}

void xlnuma__plan_hard_cpus(struct xlnuma_plan *plan,
                            const struct xlnuma_host *host,
                            const struct xlnuma_request *request)
{
    enum xlnuma_affinity affinity = wanted(host, request);

    plan->has_hard_cpus = false;
    if (request->has_own_affinity || affinity == XLNUMA_AFFINITY_SOFT)
        return;
    if (affinity == XLNUMA_AFFINITY_HARD) {
        plan->hard_cpus = plan->soft_cpus;
        plan->has_hard_cpus = true;
        return;
    }
    plan->has_hard_cpus = take_sockets(plan, host, request);
}
