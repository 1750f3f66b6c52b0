/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which CPUs are threads of one core. Chooses none. */
#include "model/cores.h"

#include <string.h>

unsigned xlnuma__host_core(const struct xlnuma_host *host, unsigned cpu)
{
    return host->core[cpu] ? host->core[cpu] - 1u : cpu;
}

void xlnuma__host_core_cpus(const struct xlnuma_host *host, unsigned cpu,
                            xlnuma_cpuset *cpus_r)
{
    unsigned core = xlnuma__host_core(host, cpu), node;

    memset(cpus_r, 0, sizeof(*cpus_r));
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        if (xlnuma_cpuset_has(&host->node[node].cpus, cpu))
            *cpus_r = host->node[node].cpus;
    for (unsigned i = 0; i < XLNUMA_CPUS_MAX; i++)
        if (xlnuma_cpuset_has(cpus_r, i) && xlnuma__host_core(host, i) != core)
            xlnuma_cpuset_drop(cpus_r, i);
}

void xlnuma__host_set_core(struct xlnuma_host *host, const xlnuma_cpuset *cpus)
{
    unsigned first = XLNUMA_CPUS_MAX;

    for (unsigned i = 0; i < XLNUMA_CPUS_MAX; i++)
        if (xlnuma_cpuset_has(cpus, i)) {
            first = i < first ? i : first;
            host->core[i] = (uint16_t)(first + 1);
        }
}

void xlnuma__host_guess_cores(struct xlnuma_host *host,
                              const struct xlnuma_node *node)
{
    unsigned nr = xlnuma_cpuset_count(&node->cpus), n = 0, first = 0;
    unsigned threads =
        node->nr_cores && nr % node->nr_cores == 0 ? nr / node->nr_cores : 1;

    for (unsigned i = 0; i < XLNUMA_CPUS_MAX; i++) {
        if (!xlnuma_cpuset_has(&node->cpus, i))
            continue;
        if (n++ % threads == 0)
            first = i;
        host->core[i] = (uint16_t)(first + 1);
    }
}
