/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dedicated CPUs of a guest that sees several nodes: those of its vCPUs are on their
 * nodes. Divides no vCPUs over nodes.
 */
#include "planner/dedicated.h"
#include "vnodes/vnodes.h"

#include <string.h>

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
                        struct xlnuma_plan *plan)
{
    uint16_t cpu[XLNUMA_GUEST_VCPUS_MAX], vcpu[XLNUMA_GUEST_VCPUS_MAX];
    uint16_t chosen[XLNUMA_GUEST_VCPUS_MAX];
    unsigned node = XLNUMA_NODES_MAX, nr, nr_all = 0;

    if (!plan->nr_dedicated)
        return true;
    memcpy(cpu, plan->cpu, plan->nr_dedicated * sizeof(*cpu));
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++) {
        if (plan->guest_node[n].node == node)
            continue; /* with the one before */
        node = plan->guest_node[n].node;
        nr = vcpus_on(plan, node, vcpu);
        if (nr > xlnuma_cpuset_count(&plan->guest_node[n].cpus))
            return false;
        xlnuma__dedicated_choose(host, &plan->guest_node[n].cpus, nr, chosen);
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
