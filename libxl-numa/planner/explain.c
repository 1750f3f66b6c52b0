/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why not another set: three that are as near as the chosen one, or nearer, and
 * lack something, and the next three that hold the guest. And why none holds it:
 * what each node has. Which sets are looked at is in docs/planner.md.
 */
#include "planner/planner.h"

#include <string.h>

/* Up to so many nodes every set is looked at. */
#define SMALL 8

/* So many alternatives of each kind. */
#define EXPLAINED 3

/* So many nodes are named where nothing holds the guest. */
#define NAMED_MAX 8

struct list {
    unsigned nr;
    struct xlnuma__judged set[EXPLAINED];
};

struct explaining {
    const struct xlnuma__planning *planning;
    struct list lacking[EXPLAINED]; /* of one node, two, and more */
    struct list holding;
};

typedef bool before_fn(const struct xlnuma__judged *,
                       const struct xlnuma__judged *);

/* Nearer first; of equals the roomiest, and then the lowest nodes. */
static bool is_nearer(const struct xlnuma__judged *a,
                      const struct xlnuma__judged *b)
{
    int order = xlnuma__compare_distance(a, b);
    xlnuma_nodeset differ = a->nodes ^ b->nodes;

    if (order)
        return order < 0;
    if (a->usable_kb != b->usable_kb)
        return a->usable_kb > b->usable_kb;
    return a->nodes & differ & -differ;
}

static bool is_better(const struct xlnuma__judged *a,
                      const struct xlnuma__judged *b)
{
    enum xlnuma_why_not why;

    return xlnuma__compare(a, b, &why) < 0;
}

/* Keep the first sets in the order that `is_before` gives, each once. */
static void keep(struct list *list, const struct xlnuma__judged *set,
                 before_fn *is_before)
{
    unsigned at = list->nr;

    for (unsigned i = 0; i < list->nr; i++)
        if (list->set[i].set == set->set)
            return;
    while (at && is_before(set, &list->set[at - 1]))
        at--;
    if (at == EXPLAINED)
        return;
    if (list->nr < EXPLAINED)
        list->nr++;
    memmove(&list->set[at + 1], &list->set[at],
            (list->nr - 1 - at) * sizeof(list->set[0]));
    list->set[at] = *set;
}

static void look_at(struct explaining *explaining, uint64_t set)
{
    const struct xlnuma__planning *planning = explaining->planning;
    const struct xlnuma__judged *chosen = &planning->found.best;
    unsigned size = xlnuma_nodeset_count(set);
    struct xlnuma__judged judged;

    if (!set || set == chosen->set)
        return;
    xlnuma__judge(&planning->table, &planning->need, set, &judged);
    if (!judged.is_reachable || judged.used != set)
        return;
    if (size > EXPLAINED)
        size = EXPLAINED;
    if (xlnuma__holds(&planning->need, &judged))
        keep(&explaining->holding, &judged, is_better);
    else if (xlnuma__compare_distance(&judged, chosen) <= 0)
        keep(&explaining->lacking[size - 1], &judged, is_nearer);
}

/*
 * All sets; of many nodes single ones, pairs, and the chosen set with one or two
 * nodes changed.
 */
static void look_around(struct explaining *explaining)
{
    uint64_t chosen = explaining->planning->found.best.set;
    unsigned nr = explaining->planning->table.nr;

    if (nr <= SMALL) {
        for (uint64_t set = 1; !(set >> nr); set++)
            look_at(explaining, set);
        return;
    }
    for (unsigned i = 0; i < nr; i++)
        for (unsigned j = 0; j <= i; j++) {
            uint64_t both = (uint64_t)1 << i | (uint64_t)1 << j;

            look_at(explaining, both);
            look_at(explaining, chosen ^ both);
        }
}

/* Where no set is chosen each single node lacks something: it would be the plan. */
static void add_alternative(const struct xlnuma__planning *planning,
                            const struct xlnuma__judged *set,
                            struct xlnuma_plan *plan)
{
    const struct xlnuma__need *need = &planning->need;
    const struct xlnuma_node *node = planning->table.host->node;
    struct xlnuma_alternative *other =
        &plan->alternative[plan->nr_alternatives++];
    unsigned nr_all = 0, i;

    XLNUMA_FOR_EACH_NODE(i, set->nodes)
        nr_all += xlnuma_cpuset_count(&node[i].cpus);
    *other = (struct xlnuma_alternative){
        .nodes = set->nodes,
        .expected_distance =
            xlnuma__memory_distance(&planning->table, need, set),
    };
    if (!set->nr_named) {
        other->why = XLNUMA_WHY_NOT_NODES;
    } else if (set->usable_kb < need->memory_kb) {
        other->why = XLNUMA_WHY_NOT_MEMORY;
        other->short_kb = need->memory_kb - set->usable_kb;
    } else if (set->nr_cpus < need->nr_cpus && planning->request->has_cpus &&
               nr_all >= need->nr_cpus) {
        other->why = XLNUMA_WHY_NOT_AFFINITY;
    } else if (set->nr_cpus < need->nr_cpus) {
        other->why = XLNUMA_WHY_NOT_CPUS;
        other->short_cpus = need->nr_cpus - set->nr_cpus;
    } else if (set->nr_cores < need->nr_cores) {
        other->why = XLNUMA_WHY_NOT_CORES;
        other->short_cpus = need->nr_cores - set->nr_cores;
    } else if (set->nr_named > need->max_nodes) {
        other->why = XLNUMA_WHY_NOT_POLICY;
    } else if (xlnuma__compare(&planning->found.best, set, &other->why) > 0) {
        /* Better but for the sockets that it takes for its cores. */
        other->why = XLNUMA_WHY_NOT_SOCKETS;
    }
    if (other->why == XLNUMA_WHY_NOT_FARTHER && plan->device_nodes &&
        other->expected_distance <= plan->expected_distance)
        other->why = XLNUMA_WHY_NOT_DEVICES;
}

void xlnuma__explain(const struct xlnuma__planning *planning,
                     struct xlnuma_plan *plan)
{
    struct explaining explaining = { planning, .holding = { .nr = 0 } };
    struct list lacking = { .nr = 0 };

    look_around(&explaining);
    /* The first of each size, then the second: as many as are shown. */
    for (unsigned n = 0; n < EXPLAINED; n++)
        for (unsigned size = 0; size < EXPLAINED; size++) {
            const struct list *list = &explaining.lacking[size];

            if (n < list->nr && lacking.nr < EXPLAINED)
                keep(&lacking, &list->set[n], is_nearer);
        }
    for (unsigned n = 0; n < lacking.nr; n++)
        add_alternative(planning, &lacking.set[n], plan);
    for (unsigned n = 0; n < explaining.holding.nr; n++)
        add_alternative(planning, &explaining.holding.set[n], plan);
}

/* --- nothing holds it ----------------------------------------------------------- */

/* The roomiest but `n` of the nodes, judged alone. */
static struct xlnuma__judged judge_node(const struct xlnuma__planning *planning,
                                        unsigned n)
{
    struct xlnuma__judged set;

    xlnuma__judge(&planning->table, &planning->need,
                  (uint64_t)1 << planning->table.by_room[n], &set);
    return set;
}

/* "1747 MiB and a CPU" */
static void say_what(const struct xlnuma__planning *planning,
                     const struct xlnuma__judged *set, struct xlnuma_plan *plan)
{
    const struct xlnuma__need *need = &planning->need;
    bool lacks_kb = set->usable_kb < need->memory_kb;
    char text[32];

    if (lacks_kb)
        xlnuma__say(plan->reason, "%s",
                    xlnuma__mib(need->memory_kb - set->usable_kb + 1023, text));
    if (!set->nr_cpus)
        xlnuma__say(plan->reason, "%sa CPU%s", lacks_kb ? " and " : "",
                    planning->request->has_cpus ? " that it may use" : "");
    else if (!lacks_kb && set->nr_cpus < need->nr_cpus)
        xlnuma__say(plan->reason, "%u CPUs", need->nr_cpus - set->nr_cpus);
    else if (!lacks_kb)
        xlnuma__say(plan->reason, "a path from every CPU to all memory");
}

/* "; node 0 lacks 1747 MiB, node 3 2104 MiB", or ": node 0 has ...". */
static void say_nodes(const struct xlnuma__planning *planning, unsigned nr,
                      bool is_lack, struct xlnuma_plan *plan)
{
    char has[32];

    for (unsigned n = 0; n < nr && n < NAMED_MAX; n++) {
        struct xlnuma__judged set = judge_node(planning, n);

        xlnuma__say(plan->reason,
                    n         ? ", node %u "
                    : is_lack ? "; node %u lacks "
                              : ": node %u has ",
                    xlnuma_nodeset_first(set.nodes));
        if (is_lack)
            say_what(planning, &set, plan);
        else
            xlnuma__say(plan->reason, "%s", xlnuma__mib(set.usable_kb, has));
    }
    if (nr > NAMED_MAX)
        xlnuma__say(plan->reason, ", and %u more", nr - NAMED_MAX);
}

/* "; nodes 0,3 have 4957 MiB and lack 43 MiB", and if that is memory each of all. */
static void say_roomiest(const struct xlnuma__planning *planning, unsigned nr,
                         unsigned nr_all, struct xlnuma_plan *plan)
{
    char nodes[XLNUMA__NODES_WORDS], has[32];
    struct xlnuma__judged set;
    uint64_t roomiest = 0;

    for (unsigned n = 0; n < nr; n++)
        roomiest |= (uint64_t)1 << planning->table.by_room[n];
    xlnuma__judge(&planning->table, &planning->need, roomiest, &set);
    xlnuma__say(plan->reason,
                nr == 1 ? "; %s has %s and lacks " : "; %s have %s and lack ",
                xlnuma__nodes_in_words(set.nodes, nodes),
                xlnuma__mib(set.usable_kb, has));
    say_what(planning, &set, plan);
    if (set.usable_kb < planning->need.memory_kb && nr > 1)
        say_nodes(planning, nr_all, false, plan);
}

/* "needs 5000 MiB on 2 nodes" */
static void say_need(const struct xlnuma__planning *planning, unsigned nr_all,
                     struct xlnuma_plan *plan)
{
    const struct xlnuma_request *request = planning->request;
    const struct xlnuma__need *need = &planning->need;
    char needed[32];

    xlnuma__say(plan->reason, "needs %s%s",
                xlnuma__mib(need->memory_kb, needed),
                need->memory_kb > request->memory_kb ? " (maxmem)" : "");
    if (need->nr_vcpus > request->nr_vcpus)
        xlnuma__say(plan->reason, " and CPUs for %u vCPUs (maxvcpus)",
                    need->nr_vcpus);
    if (need->max_nodes == 1 && nr_all > 1)
        xlnuma__say(plan->reason, " on one node");
    else if (need->max_nodes < nr_all)
        xlnuma__say(plan->reason, " on %u nodes", need->max_nodes);
}

void xlnuma__explain_lack(const struct xlnuma__planning *planning,
                          struct xlnuma_plan *plan)
{
    unsigned max_nodes = planning->need.max_nodes;
    /* Others are there for CPUs alone, and last by room. */
    unsigned nr_all = xlnuma_nodeset_count(planning->table.named);
    unsigned nr = nr_all < max_nodes ? nr_all : max_nodes;

    say_need(planning, nr_all, plan);
    if (!nr_all)
        xlnuma__say(plan->reason, ", and no node that it may use has any free");
    else if (nr == 1 && nr_all > 1)
        say_nodes(planning, nr_all, true, plan);
    else
        say_roomiest(planning, nr, nr_all, plan);
    for (unsigned n = 0;
         n < nr_all && plan->nr_alternatives < XLNUMA_ALTERNATIVES_MAX - 1;
         n++) {
        struct xlnuma__judged set = judge_node(planning, n);

        add_alternative(planning, &set, plan);
    }
}
