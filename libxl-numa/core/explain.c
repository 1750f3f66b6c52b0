/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why not another set: the sets near the chosen one, and what each lacks or
 * where it falls behind. Which sets are looked at is in docs/planner.md; it is
 * a bounded number on any host.
 */
#include "core/core.h"

#include <string.h>

/*
 * Where there is not room for all: so many at least lack something; so many at
 * most could hold the guest, but are farther.
 */
#define LACKING_LEAST 9
#define FARTHER_MAX 3

/* Sets that lack something: of one node, two, and more. */
#define CLASSES 3

/* Nodes of the chosen set, and others, that are exchanged and paired. */
#define NEIGHBOURS 8

/* Up to so many nodes every set is looked at. */
#define SMALL 8

struct list {
    unsigned nr;
    struct xlnuma__judged set[XLNUMA_ALTERNATIVES_MAX];
};

struct explaining {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    const struct xlnuma__judged *chosen;
    uint64_t inner, outer; /* neighbours in the chosen set, and outside */
    struct list lacking[CLASSES], holding;
};

typedef bool before_fn(const struct xlnuma__judged *,
                       const struct xlnuma__judged *);

/* Nearer first; of equals the one that lacks least memory, the lowest nodes. */
static bool is_nearer(const struct xlnuma__judged *a,
                      const struct xlnuma__judged *b)
{
    int order = xlnuma__cost_compare_distance(a, b);
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

    return xlnuma__cost_compare(a, b, &why) < 0;
}

/* Keep the first sets in the order that `is_before` gives, each once. */
static void keep_first(struct list *list, const struct xlnuma__judged *set,
                       before_fn *is_before)
{
    unsigned at = list->nr;

    for (unsigned i = 0; i < list->nr; i++)
        if (list->set[i].cells == set->cells)
            return;
    while (at && is_before(set, &list->set[at - 1]))
        at--;
    if (at == XLNUMA_ALTERNATIVES_MAX)
        return;
    if (list->nr < XLNUMA_ALTERNATIVES_MAX)
        list->nr++;
    memmove(&list->set[at + 1], &list->set[at],
            (list->nr - 1 - at) * sizeof(list->set[0]));
    list->set[at] = *set;
}

static void look_at(struct explaining *explaining, uint64_t cells)
{
    unsigned class = xlnuma_nodeset_count(cells) - 1;
    struct xlnuma__judged set;

    if (!cells || cells == explaining->chosen->cells)
        return;
    xlnuma__cost_judge(explaining->table, cells, explaining->need->memory_kb,
                       explaining->need->memory, &set);
    if (!set.is_reachable)
        return;
    if (class >= CLASSES)
        class = CLASSES - 1;
    if (xlnuma__holds(explaining->need, &set))
        keep_first(&explaining->holding, &set, is_better);
    else if (xlnuma__cost_compare_distance(&set, explaining->chosen) <= 0)
        keep_first(&explaining->lacking[class], &set, is_nearer);
}

/* Sum of distances between a cell and the chosen set's, both ways. */
static unsigned distance_to_chosen(const struct explaining *explaining,
                                   unsigned cell)
{
    const struct xlnuma__table *table = explaining->table;
    unsigned sum = 0, i;

    XLNUMA_FOR_EACH_NODE(i, explaining->chosen->cells)
        sum +=
            xlnuma__distance(table, i, cell) + xlnuma__distance(table, cell, i);
    return sum;
}

/* Of `from` the cells nearest to the chosen set, or the farthest. */
static uint64_t pick(const struct explaining *explaining, uint64_t from,
                     bool is_farthest)
{
    unsigned order[NEIGHBOURS], sum[XLNUMA_NODES_MAX], nr = 0, i;
    uint64_t picked = 0;

    if (xlnuma_nodeset_count(from) <= NEIGHBOURS)
        return from;
    XLNUMA_FOR_EACH_NODE(i, from) {
        unsigned at = nr;

        sum[i] = distance_to_chosen(explaining, i);
        if (is_farthest)
            sum[i] = UINT32_MAX - sum[i];
        while (at && sum[i] < sum[order[at - 1]])
            at--;
        if (at == NEIGHBOURS)
            continue;
        if (nr < NEIGHBOURS)
            nr++;
        memmove(&order[at + 1], &order[at], (nr - 1 - at) * sizeof(*order));
        order[at] = i;
    }
    for (i = 0; i < nr; i++)
        picked |= (uint64_t)1 << order[i];
    return picked;
}

static void look_at_all(struct explaining *explaining)
{
    for (uint64_t set = 1; set < (uint64_t)1 << explaining->table->nr; set++)
        look_at(explaining, set);
}

static void look_at_pairs(struct explaining *explaining)
{
    uint64_t around = explaining->inner | explaining->outer;
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, around)
        XLNUMA_FOR_EACH_NODE(j, around & (((uint64_t)1 << i) - 1))
            look_at(explaining, (uint64_t)1 << i | (uint64_t)1 << j);
}

/* The chosen set with one node less, one more, and one exchanged. */
static void look_around(struct explaining *explaining)
{
    uint64_t chosen = explaining->chosen->cells;
    unsigned out, in;

    XLNUMA_FOR_EACH_NODE(out, explaining->inner) {
        uint64_t rest = chosen & ~((uint64_t)1 << out);

        look_at(explaining, rest);
        XLNUMA_FOR_EACH_NODE(in, explaining->outer)
            look_at(explaining, rest | (uint64_t)1 << in);
    }
    XLNUMA_FOR_EACH_NODE(in, explaining->outer)
        look_at(explaining, chosen | (uint64_t)1 << in);
}

static void look_at_near(struct explaining *explaining)
{
    uint64_t chosen = explaining->chosen->cells, others = 0;

    for (unsigned i = 0; i < explaining->table->nr; i++) {
        look_at(explaining, (uint64_t)1 << i);
        others |= (uint64_t)1 << i;
    }
    /* Beside a single node only other single nodes are as near. */
    if (xlnuma_nodeset_count(chosen) == 1 &&
        explaining->holding.nr >= FARTHER_MAX)
        return;
    explaining->inner = pick(explaining, chosen, true);
    explaining->outer = pick(explaining, others & ~chosen, false);
    look_at_pairs(explaining);
    look_around(explaining);
}

static void add_alternative(const struct explaining *explaining,
                            const struct xlnuma__judged *set,
                            struct xlnuma_plan *plan)
{
    const struct xlnuma__need *need = explaining->need;
    struct xlnuma_alternative *alternative =
        &plan->alternative[plan->nr_alternatives++];

    memset(alternative, 0, sizeof(*alternative));
    alternative->nodes = set->nodes;
    alternative->expected_distance = xlnuma__cost_memory_distance(
        explaining->table, set, need->memory_kb, need->memory);
    if (set->usable_kb < need->memory_kb) {
        alternative->why = XLNUMA_WHY_NOT_MEMORY;
        alternative->short_kb = need->memory_kb - set->usable_kb;
    } else if (set->nr_cpus < need->nr_cpus) {
        alternative->why = XLNUMA_WHY_NOT_CPUS;
        alternative->short_cpus = need->nr_cpus - set->nr_cpus;
    } else if (set->nr_cores < need->nr_cores) {
        alternative->why = XLNUMA_WHY_NOT_CORES;
        alternative->short_cpus = need->nr_cores - set->nr_cores;
    } else if (xlnuma_nodeset_count(set->nodes) > need->max_nodes) {
        alternative->why = XLNUMA_WHY_NOT_POLICY;
    } else if (xlnuma__cost_compare(explaining->chosen, set,
                                    &alternative->why) > 0) {
        /* Better but for the sockets that it takes for its cores. */
        alternative->why = XLNUMA_WHY_NOT_SOCKETS;
    }
    if (alternative->why == XLNUMA_WHY_NOT_FARTHER && plan->device_nodes &&
        alternative->expected_distance <= plan->expected_distance)
        alternative->why = XLNUMA_WHY_NOT_DEVICES;
}

/* The first of each class, then the second, as many as there is room for. */
static void add_lacking(const struct explaining *explaining, unsigned room,
                        struct xlnuma_plan *plan)
{
    struct xlnuma__judged first[XLNUMA_ALTERNATIVES_MAX];
    unsigned nr = 0;

    for (unsigned n = 0; n < room; n++)
        for (unsigned class = 0; class < CLASSES; class ++) {
            const struct list *list = &explaining->lacking[class];
            unsigned at = nr;

            if (n >= list->nr || nr == room)
                continue;
            while (at && is_nearer(&list->set[n], &first[at - 1]))
                at--;
            memmove(&first[at + 1], &first[at], (nr - at) * sizeof(*first));
            first[at] = list->set[n];
            nr++;
        }
    for (unsigned n = 0; n < nr; n++)
        add_alternative(explaining, &first[n], plan);
}

/* Of the sets that hold the guest, those as near and a few that are not. */
static unsigned count_holding(const struct explaining *explaining)
{
    const struct list *list = &explaining->holding;
    unsigned nr = 0;

    while (nr < list->nr &&
           (nr < FARTHER_MAX || xlnuma__cost_compare_distance(
                                    &list->set[nr], explaining->chosen) <= 0))
        nr++;
    return nr;
}

static void add_all(const struct explaining *explaining, unsigned room,
                    struct xlnuma_plan *plan)
{
    unsigned nr_holding = count_holding(explaining);
    unsigned for_lacking =
        room - LACKING_LEAST < nr_holding ? LACKING_LEAST : room - nr_holding;

    add_lacking(explaining, for_lacking, plan);
    for (unsigned n = 0; n < nr_holding && plan->nr_alternatives < room; n++)
        add_alternative(explaining, &explaining->holding.set[n], plan);
}

void xlnuma__explain(const struct xlnuma__table *table,
                     const struct xlnuma__need *need,
                     const struct xlnuma__judged *chosen, unsigned room,
                     struct xlnuma_plan *plan)
{
    struct explaining explaining; /* large: only what is used is written */

    explaining.table = table;
    explaining.need = need;
    explaining.chosen = chosen;
    explaining.holding.nr = 0;
    for (unsigned class = 0; class < CLASSES; class ++)
        explaining.lacking[class].nr = 0;
    if (table->nr <= SMALL)
        look_at_all(&explaining);
    else
        look_at_near(&explaining);
    add_all(&explaining, room, plan);
}
