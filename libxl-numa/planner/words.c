/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan's reason in words. Decides nothing. */
#include "planner/planner.h"

/* Could a single node hold it? Then another set is nearer to its devices. */
static bool holds_alone(const struct xlnuma__planning *planning)
{
    struct xlnuma__judged single;

    for (unsigned i = 0; i < planning->table.nr; i++) {
        xlnuma__judge(&planning->table, &planning->need, (uint64_t)1 << i,
                      &single);
        if (xlnuma__holds(&planning->need, &single))
            return true;
    }
    return false;
}

/* Memory and CPUs come from different nodes, as numa_nodes names memory. */
static void say_apart(const struct xlnuma_request *request,
                      struct xlnuma_plan *plan)
{
    xlnuma_nodeset named = plan->nodes & request->nodes;
    xlnuma_nodeset others = plan->nodes & ~request->nodes;
    char memory[XLNUMA__NODES_WORDS], cpus[XLNUMA__NODES_WORDS];

    xlnuma__say(
        plan->reason,
        "no node of numa_nodes has a CPU that it may use: memory on %s, "
        "vCPUs on %s, at expected distance %.2f",
        xlnuma__nodes_in_words(named, memory),
        xlnuma__nodes_in_words(others, cpus), plan->expected_distance);
}

/* Why the set has several nodes; returns what these do. */
static const char *say_why_several(const struct xlnuma__planning *planning,
                                   struct xlnuma_plan *plan)
{
    const struct xlnuma_request *request = planning->request;
    const struct xlnuma__need *need = &planning->need;
    const struct xlnuma__candidate *roomiest =
        &planning->table.candidate[planning->table.by_room[0]];
    const char *maxmem =
        need->memory_kb > request->memory_kb ? " (maxmem)" : "";
    char needed[32], most[32];

    xlnuma__mib(need->memory_kb, needed);
    if (roomiest->usable_kb < need->memory_kb) {
        xlnuma__say(plan->reason,
                    "no single node has %s%s free (node %u has most, %s)",
                    needed, maxmem, roomiest->id,
                    xlnuma__mib(roomiest->usable_kb, most));
        return "hold it";
    }
    if (planning->table.scale > 1 && holds_alone(planning)) {
        xlnuma__say(plan->reason,
                    "single nodes with %s%s free are farther from its PCI "
                    "devices",
                    needed, maxmem);
        return "hold it";
    }
    xlnuma__say(plan->reason,
                "no single node with %s%s free has %s for %u vCPUs%s", needed,
                maxmem,
                request->has_cpus ? "enough of the CPUs that it may use"
                                  : "CPUs or cores enough",
                need->nr_vcpus,
                need->nr_vcpus > request->nr_vcpus ? " (maxvcpus)" : "");
    return "come nearest,";
}

void xlnuma__say_placed(const struct xlnuma__planning *planning,
                        struct xlnuma_plan *plan)
{
    const struct xlnuma_request *request = planning->request;
    unsigned nr_sockets = planning->found.best.nr_sockets;
    const char *what;
    char text[XLNUMA__NODES_WORDS];

    if (plan->nodes & ~request->nodes) {
        say_apart(request, plan);
        return;
    }
    if (!(plan->nodes & (plan->nodes - 1))) {
        xlnuma__say(plan->reason, "node %u holds all of %s",
                    xlnuma_nodeset_first(plan->nodes),
                    xlnuma__mib(plan->needed_kb, text));
        return;
    }
    what = say_why_several(planning, plan);
    xlnuma__say(plan->reason,
                "; %s %s on %u socket%s at expected distance %.2f",
                xlnuma__nodes_in_words(plan->nodes, text), what, nr_sockets,
                xlnuma__plural(nr_sockets), plan->expected_distance);
}

void xlnuma__say_excluded(const struct xlnuma_alternative *excluded,
                          struct xlnuma_plan *plan)
{
    char nodes[XLNUMA__NODES_WORDS];

    xlnuma__say(plan->reason, "; %s would do, but for %s",
                xlnuma__nodes_in_words(excluded->nodes, nodes),
                excluded->why == XLNUMA_WHY_NOT_NODES ? "numa_nodes"
                                                      : "cpus or pool");
}
