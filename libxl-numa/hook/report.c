/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service: a build's report, and what of it is known. Reads and writes none. */
#include "hook/services.h"
#include "planner/dedicated.h"

#include <stdio.h>
#include <string.h>

/* KiB that are not on the plan's nodes, as far as we put them there. */
uint64_t xlnuma__build_off_plan_kb(const struct build *build)
{
    uint64_t kb = build->stock_kb;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (!xlnuma_nodeset_has(build->plan->nodes, i))
            kb += build->extents.done_kb[i];
    return kb;
}

/* Is it known where its memory is? Of a restored domain the helper has to report it. */
bool xlnuma__build_knows_memory(const struct build *build)
{
    uint64_t kb = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        kb += build->extents.done_kb[i];
    return kb && build->source != MEMORY_UNSEEN;
}

void xlnuma__build_memory(const struct build *build,
                          struct xlnuma__report *report)
{
    xlnuma__report_init(report);
    report->has_actual = xlnuma__build_knows_memory(build);
    memcpy(report->actual_kb, build->extents.done_kb,
           sizeof(report->actual_kb));
    memcpy(report->nr_extents, build->extents.nr, sizeof(report->nr_extents));
    xlnuma__vnuma_report(build, report);
}

/* And what the balancer may do with them. */
static void report_hard_cpus(const struct build *build,
                             const struct xlnuma_plan *plan,
                             struct xlnuma__report *report)
{
    const struct xlnuma_request *request = &build->request;

    xlnuma_cpuset_format(&plan->hard_cpus, report->hard_cpus,
                         sizeof(report->hard_cpus));
    if (build->nr_hard)
        xlnuma_cpuset_format(&build->hard_before, report->user_cpus,
                             sizeof(report->user_cpus));
    report->no_balance = request->no_balance;
    if (request->balance_gain != XLNUMA_BALANCE_GAIN)
        report->balance_gain = request->balance_gain;
}

/* Where the domain is to be, or is instead. */
static void report_plan(const struct build *build,
                        struct xlnuma__report *report)
{
    const struct xlnuma_plan *plan =
        build->actual ? build->actual : build->plan;

    report->nodes = plan->nodes;
    report->expected_distance = plan->expected_distance;
    xlnuma_cpuset_format(&plan->soft_cpus, report->soft_cpus,
                         sizeof(report->soft_cpus));
    if (build->has_hard)
        report_hard_cpus(build, plan, report);
    xlnuma__dedicated_format(plan, report->cpus, sizeof(report->cpus));
    memcpy(report->planned_kb, plan->memory_kb, sizeof(report->planned_kb));
    if (build->source == MEMORY_HELPERS) { /* which has no host to rank */
        report->nr_others = build->extents.nr_ranked;
        memcpy(report->other, build->extents.rank, sizeof(report->other));
    }
}

void xlnuma__build_report(const struct build *build,
                          struct xlnuma__report *report)
{
    xlnuma__build_memory(build, report);
    snprintf(report->policy, sizeof(report->policy), "%s",
             xlnuma__policies[build->request.policy]);
    snprintf(report->memory, sizeof(report->memory), "%s",
             xlnuma__memories[build->request.memory]);
    snprintf(report->status, sizeof(report->status), "%s",
             xlnuma__built_names[build->outcome.status]);
    snprintf(report->reason, sizeof(report->reason), "%s",
             build->outcome.reason);
    xlnuma_cpuset_format(&build->emulator_vcpus, report->emulator_vcpus,
                         sizeof(report->emulator_vcpus));
    if (build->plan)
        report_plan(build, report);
}
