/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CPUs of the nodes that a guest sees; and if they are dedicated, which vCPU gets
 * which of them. Divides no vCPUs over nodes.
 */
#include "planner/dedicated.h"
#include "vnodes/vnodes.h"

#include <string.h>

/* Whose CPUs are a node's: its own, or those of the nearest of `nodes`. */
static unsigned home_of(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                        unsigned node)
{
    unsigned best = xlnuma_nodeset_first(nodes), i;

    if (xlnuma_nodeset_has(nodes, node))
        return node;
    XLNUMA_FOR_EACH_NODE(i, nodes)
        if (host->distance[node][i] < host->distance[node][best])
            best = i;
    return best;
}

void xlnuma__vnodes_cpus(const struct xlnuma_host *host,
                         const struct xlnuma_plan *plan, unsigned vnode,
                         const xlnuma_cpuset *usable, xlnuma_cpuset *cpus_r)
{
    xlnuma_nodeset nodes = 0;
    unsigned i;

    for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
        nodes |= (xlnuma_nodeset)1 << plan->guest_node[n].node;
    memset(cpus_r, 0, sizeof(*cpus_r));
    XLNUMA_FOR_EACH_NODE(i, plan->nodes)
        if (home_of(host, nodes, i) == plan->guest_node[vnode].node)
            xlnuma_cpuset_or(cpus_r, &host->node[i].cpus);
    xlnuma_cpuset_and(cpus_r, usable);
}

/* The vCPUs of all guest nodes that are on this node of the host; ascending. */
static unsigned vcpus_on(const struct xlnuma_plan *plan, unsigned node,
                         uint16_t vcpu_r[])
{
    unsigned nr = 0;

    for (unsigned v = 0; v < plan->nr_dedicated; v++)
        for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
            if (plan->guest_node[n].node == node &&
                xlnuma__vnode_has_vcpu(&plan->guest_node[n], v))
                vcpu_r[nr++] = (uint16_t)v;
    return nr;
}

bool xlnuma__vnodes_pin(const struct xlnuma_host *host,
                        const struct xlnuma_request *request,
                        struct xlnuma_plan *plan)
{
    uint16_t cpu[XLNUMA_GUEST_VCPUS_MAX], vcpu[XLNUMA_GUEST_VCPUS_MAX];
    uint16_t chosen[XLNUMA_GUEST_VCPUS_MAX];
    xlnuma_cpuset usable = plan->soft_cpus, cpus;
    unsigned node = XLNUMA_NODES_MAX, nr, nr_all = 0;

    if (!plan->nr_dedicated)
        return true;
    /* As many vCPUs of a restored guest are on a node as ever: any CPUs will do. */
    if (request->kept_nodes)
        xlnuma__dedicated_usable(host, request->threads, &usable);
    memcpy(cpu, plan->cpu, plan->nr_dedicated * sizeof(*cpu));
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++) {
        if (plan->guest_node[n].node == node)
            continue; /* with the one before */
        node = plan->guest_node[n].node;
        nr = vcpus_on(plan, node, vcpu);
        xlnuma__vnodes_cpus(host, plan, n, &usable, &cpus);
        if (nr > xlnuma_cpuset_count(&cpus))
            return false;
        xlnuma__dedicated_choose(host, &cpus, nr, chosen);
        for (unsigned i = 0; i < nr; i++)
            cpu[vcpu[i]] = chosen[i];
        nr_all += nr;
    }
    if (nr_all < plan->nr_dedicated)
        return false; /* one is on no node: its CPU may be another's now */
    memcpy(plan->cpu, cpu, plan->nr_dedicated * sizeof(*cpu));
    xlnuma__dedicated_set(cpu, plan->nr_dedicated, &plan->soft_cpus);
    return true;
}
