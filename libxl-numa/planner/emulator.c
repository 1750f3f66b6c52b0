/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of Domain-0's vCPUs a guest's device model gets: a pure function of the host,
 * where Domain-0's vCPUs may run and what the user asked for. Changes nothing.
 */
#include "planner/emulator.h"

#include <string.h>

/* The CPUs of these nodes, or of all nodes of their sockets. */
static void cpus_near(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                      bool with_socket, xlnuma_cpuset *cpus_r)
{
    unsigned node, other;

    memset(cpus_r, 0, sizeof(*cpus_r));
    XLNUMA_FOR_EACH_NODE(node, nodes & host->nodes)
        XLNUMA_FOR_EACH_NODE(other, host->nodes)
            if (other == node || (with_socket && host->node[other].socket ==
                                                     host->node[node].socket))
                xlnuma_cpuset_or(cpus_r, &host->node[other].cpus);
}

static bool is_within(const xlnuma_cpuset *cpus, const xlnuma_cpuset *all)
{
    xlnuma_cpuset others = *cpus;

    xlnuma_cpuset_remove(&others, all);
    return xlnuma_cpuset_count(cpus) && !xlnuma_cpuset_count(&others);
}

/* Those that may run on `cpus` alone; NULL: wherever they may. */
static void add_vcpus(const struct xlnuma__dom0_vcpus *dom0,
                      const xlnuma_cpuset *set, const xlnuma_cpuset *cpus,
                      xlnuma_cpuset *vcpus)
{
    bool has_set = xlnuma_cpuset_count(set);

    for (unsigned i = 0; i < dom0->nr; i++)
        if ((!has_set || xlnuma_cpuset_has(set, dom0->vcpu[i].id)) &&
            (!cpus || is_within(&dom0->vcpu[i].cpus, cpus)))
            xlnuma_cpuset_add(vcpus, dom0->vcpu[i].id);
}

void xlnuma__emulator_choose(const struct xlnuma_host *host,
                             const struct xlnuma__dom0_vcpus *dom0,
                             xlnuma_nodeset nodes,
                             enum xlnuma_emulator emulator,
                             const xlnuma_cpuset *set, xlnuma_cpuset *vcpus_r)
{
    xlnuma_cpuset cpus;

    memset(vcpus_r, 0, sizeof(*vcpus_r));
    for (int with_socket = 0; emulator == XLNUMA_EMULATOR_NEAR &&
                              with_socket < 2 && !xlnuma_cpuset_count(vcpus_r);
         with_socket++) {
        cpus_near(host, nodes, with_socket, &cpus);
        add_vcpus(dom0, set, &cpus, vcpus_r);
    }
    if (!xlnuma_cpuset_count(vcpus_r) && xlnuma_cpuset_count(set))
        add_vcpus(dom0, set, NULL, vcpus_r);
}
