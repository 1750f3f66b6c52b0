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

/* All sets; of many nodes single ones, pairs, and the chosen set with a change. */
static void look_around(struct explaining *explaining)
{
    uint64_t chosen = explaining->planning->found.best.set;
    unsigned nr = explaining->planning->table.nr;

    for (uint64_t set = nr <= SMALL; set; set++) {
        if (set >> nr)
            return;
        look_at(explaining, set);
    }
    for (unsigned i = 0; i < nr; i++) {
        uint64_t one = (uint64_t)1 << i;

        for (unsigned j = 0; j <= i; j++) {
            uint64_t both = one | (uint64_t)1 << j;

            look_at(explaining, both);
            if (chosen & one ? !(chosen & both & ~one) : chosen & both)
                look_at(explaining, chosen ^ both);
        }
        look_at(explaining, chosen ^ one);
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

/* The first of each size, then the second: as many as are shown, nearest first. */
static struct list mix_lacking(const struct explaining *explaining)
{
    struct list mixed = { .nr = 0 };

    for (unsigned n = 0; n < EXPLAINED; n++)
        for (unsigned size = 0; size < EXPLAINED; size++) {
            const struct list *list = &explaining->lacking[size];

            if (n < list->nr && mixed.nr < EXPLAINED)
                keep(&mixed, &list->set[n], is_nearer);
        }
    return mixed;
}

void xlnuma__explain(const struct xlnuma__planning *planning,
                     struct xlnuma_plan *plan)
{
    struct explaining explaining = { planning, .holding = { .nr = 0 } };
    struct list lacking;

    look_around(&explaining);
    lacking = mix_lacking(&explaining);
    for (unsigned n = 0; n < lacking.nr; n++)
        add_alternative(planning, &lacking.set[n], plan);
    for (unsigned n = 0; n < explaining.holding.nr; n++)
        add_alternative(planning, &explaining.holding.set[n], plan);
}

/* --- nothing holds it ----------------------------------------------------------- */

/* Those that may give memory, the roomiest first. Returns how many they are. */
static unsigned find_named(const struct xlnuma__table *table, uint8_t order[])
{
    unsigned nr = 0;

    for (unsigned n = 0; n < table->nr; n++)
        if (table->candidate[table->by_room[n]].is_named)
            order[nr++] = table->by_room[n];
    return nr;
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

/*
 * "; nodes 0,3 have 4957 MiB and lack 43 MiB": of so many nodes the roomiest.
 * Returns whether that is memory.
 */
static bool say_roomiest(const struct xlnuma__planning *planning,
                         const uint8_t order[], unsigned nr,
                         struct xlnuma_plan *plan)
{
    bool is_one = nr == 1;
    struct xlnuma__judged set;
    uint64_t roomiest = 0;
    char nodes[XLNUMA__NODES_WORDS], has[32];

    for (unsigned n = 0; n < nr; n++)
        roomiest |= (uint64_t)1 << order[n];
    xlnuma__judge(&planning->table, &planning->need, roomiest, &set);
    xlnuma__say(plan->reason, "; %s %s %s and %s ",
                xlnuma__nodes_in_words(set.nodes, nodes),
                is_one ? "has" : "have", xlnuma__mib(set.usable_kb, has),
                is_one ? "lacks" : "lack");
    say_what(planning, &set, plan);
    return set.usable_kb < planning->need.memory_kb;
}

static void say_nodes(const struct xlnuma__planning *planning,
                      const uint8_t order[], unsigned nr, bool is_lack,
                      struct xlnuma_plan *plan)
{
    const struct xlnuma__table *table = &planning->table;

    for (unsigned n = 0; n < nr && n < NAMED_MAX; n++) {
        struct xlnuma__judged set;
        char has[32];

        xlnuma__judge(table, &planning->need, (uint64_t)1 << order[n], &set);
        xlnuma__say(plan->reason, "%s node %u %s",
                    n         ? ","
                    : is_lack ? ";"
                              : ":",
                    table->candidate[order[n]].id,
                    n         ? ""
                    : is_lack ? "lacks "
                              : "has ");
        if (is_lack)
            say_what(planning, &set, plan);
        else
            xlnuma__say(plan->reason, "%s", xlnuma__mib(set.usable_kb, has));
    }
    if (nr > NAMED_MAX)
        xlnuma__say(plan->reason, ", and %u more", nr - NAMED_MAX);
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
    const struct xlnuma__need *need = &planning->need;
    uint8_t order[XLNUMA_NODES_MAX];
    unsigned nr_all = find_named(&planning->table, order), nr = nr_all;

    if (nr > need->max_nodes)
        nr = need->max_nodes;
    say_need(planning, nr_all, plan);
    if (!nr_all)
        xlnuma__say(plan->reason, ", and no node that it may use has any free");
    else if ((nr == 1 && nr_all > 1) ||
             (say_roomiest(planning, order, nr, plan) && nr > 1))
        say_nodes(planning, order, nr_all, nr == 1, plan);
    for (unsigned n = 0;
         n < nr_all && plan->nr_alternatives < XLNUMA_ALTERNATIVES_MAX - 1;
         n++) {
        struct xlnuma__judged set;

        xlnuma__judge(&planning->table, need, (uint64_t)1 << order[n], &set);
        add_alternative(planning, &set, plan);
    }
}
