/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of Domain-0's vCPUs a guest's device model gets: a pure function of the host,
 * where Domain-0's vCPUs may run and what the user asked for. Changes nothing.
 */
#include "planner/emulator.h"

#include <string.h>

static bool is_within(const xlnuma_cpuset *cpus, const xlnuma_cpuset *all)
{
    return xlnuma_cpuset_count(cpus) && xlnuma_cpuset_is_within(cpus, all);
}

/* Those of `set` that may run on `cpus` alone; NULL: wherever they may. */
static void choose(const struct xlnuma__dom0_vcpus *dom0,
                   const xlnuma_cpuset *set, const xlnuma_cpuset *cpus,
                   xlnuma_cpuset *vcpus_r)
{
    bool has_set = xlnuma_cpuset_count(set);

    memset(vcpus_r, 0, sizeof(*vcpus_r));
    for (unsigned i = 0; i < dom0->nr; i++)
        if ((!has_set || xlnuma_cpuset_has(set, dom0->vcpu[i].id)) &&
            (!cpus || is_within(&dom0->vcpu[i].cpus, cpus)))
            xlnuma_cpuset_add(vcpus_r, dom0->vcpu[i].id);
}

/* The same with the CPUs of these nodes. Returns false when there is none. */
static bool choose_near(const struct xlnuma_host *host,
                        const struct xlnuma__dom0_vcpus *dom0,
                        xlnuma_nodeset nodes, const xlnuma_cpuset *set,
                        xlnuma_cpuset *vcpus_r)
{
    xlnuma_cpuset cpus;

    xlnuma__host_cpus(host, nodes, &cpus);
    choose(dom0, set, &cpus, vcpus_r);
    return xlnuma_cpuset_count(vcpus_r);
}

void xlnuma__emulator_choose(const struct xlnuma_host *host,
                             const struct xlnuma__dom0_vcpus *dom0,
                             xlnuma_nodeset nodes,
                             enum xlnuma_emulator emulator,
                             const xlnuma_cpuset *set, xlnuma_cpuset *vcpus_r)
{
    nodes &= host->nodes;
    if (emulator == XLNUMA_EMULATOR_NEAR &&
        (choose_near(host, dom0, nodes, set, vcpus_r) ||
         choose_near(host, dom0, xlnuma__host_sockets_of(host, nodes), set,
                     vcpus_r)))
        return;
    memset(vcpus_r, 0, sizeof(*vcpus_r));
    if (xlnuma_cpuset_count(set))
        choose(dom0, set, NULL, vcpus_r);
}
