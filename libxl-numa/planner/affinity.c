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

/* The plan's nodes, and those of its soft CPUs, which may be elsewhere. */
static xlnuma_nodeset nodes_of(const struct xlnuma_plan *plan,
                               const struct xlnuma_host *host)
{
    xlnuma_nodeset nodes = plan->nodes;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (xlnuma_cpuset_intersects(&host->node[i].cpus, &plan->soft_cpus))
            nodes |= (xlnuma_nodeset)1 << i;
    return nodes;
}

static bool shares_socket(const struct xlnuma_host *host, unsigned node,
                          xlnuma_nodeset nodes)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        if (host->node[i].socket == host->node[node].socket)
            return true;
    return false;
}

/* The guest's CPUs on these nodes' sockets. Returns false when all CPUs are. */
static bool take_sockets(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes)
{
    bool leaves_some = false;
    unsigned i;

    memset(&plan->hard_cpus, 0, sizeof(plan->hard_cpus));
    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (shares_socket(host, i, nodes))
            xlnuma_cpuset_or(&plan->hard_cpus, &host->node[i].cpus);
        else if (xlnuma_cpuset_count(&host->node[i].cpus))
            leaves_some = true;
    if (request->has_cpus)
        xlnuma_cpuset_and(&plan->hard_cpus, &request->cpus);
    return leaves_some;
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
    plan->has_hard_cpus =
        take_sockets(plan, host, request, nodes_of(plan, host));
}
