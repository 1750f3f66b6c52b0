/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a node set costs a guest: expected distance, sockets, low memory, load,
 * holes, and the order of sets that follows. Does not search for sets (plan.c).
 */
#include "core/core.h"

#include <string.h>

#define PAGE_KB 4

/*
 * A set may be busier than the mean of all nodes by a part of this: chosen with
 * tests/bench/day.c (docs/planner.md has the figures).
 */
#define UNEVEN 10

/* Cells of a set, one after the other. */
struct order {
    unsigned nr;
    uint8_t cell[XLNUMA_NODES_MAX];
};

static uint64_t room_of(const struct xlnuma__cell *cell, bool is_low)
{
    return is_low ? cell->usable_kb - cell->high_kb : cell->high_kb;
}

/* The table's order: that of high_kb. */
static void list_cells(uint64_t set, struct order *order)
{
    unsigned i;

    order->nr = 0;
    XLNUMA_FOR_EACH_NODE(i, set)
        order->cell[order->nr++] = (uint8_t)i;
}

/* In ascending order of low memory; of equals the first one first. */
static void order_by_low(const struct xlnuma__table *table,
                         const struct order *list, struct order *order)
{
    order->nr = list->nr;
    for (unsigned n = 0; n < list->nr; n++) {
        const struct xlnuma__cell *cell = &table->cell[list->cell[n]];
        unsigned at = n;

        for (; at && room_of(cell, true) <
                         room_of(&table->cell[order->cell[at - 1]], true);
             at--)
            order->cell[at] = order->cell[at - 1];
        order->cell[at] = list->cell[n];
    }
}

/*
 * Add even shares in whole pages, by filling the smallest cells first: a cell
 * that has less room than the even share gives what it has, the others divide
 * what is left.
 */
static void share_evenly(const struct xlnuma__table *table,
                         const struct order *order, bool is_low,
                         uint64_t needed_kb, uint64_t share_kb[])
{
    uint64_t left_kb = needed_kb;

    for (unsigned n = 0; n < order->nr; n++) {
        unsigned i = order->cell[n], nr_left = order->nr - n;
        uint64_t room_kb = room_of(&table->cell[i], is_low);
        uint64_t share = left_kb / nr_left / PAGE_KB * PAGE_KB;

        if (share > room_kb)
            share = room_kb;
        if (nr_left == 1)
            share = left_kb;
        share_kb[i] += share;
        left_kb -= share;
    }
}

/* The shortest way for the set's CPUs, then most room, then the lowest node. */
static bool is_filled_before(const struct xlnuma__table *table,
                             const uint32_t column[], unsigned a, unsigned b)
{
    const struct xlnuma__cell *x = &table->cell[a], *y = &table->cell[b];

    if (column[a] != column[b])
        return column[a] < column[b];
    if (x->usable_kb != y->usable_kb)
        return x->usable_kb > y->usable_kb;
    return x->id < y->id;
}

/* The cells of a set as a packed guest fills them. */
static void order_by_reach(const struct xlnuma__table *table,
                           const struct order *list, const uint32_t column[],
                           struct order *order)
{
    order->nr = list->nr;
    for (unsigned n = 0; n < list->nr; n++) {
        unsigned i = list->cell[n], at = n;

        for (; at; at--) {
            if (is_filled_before(table, column, order->cell[at - 1], i))
                break;
            order->cell[at] = order->cell[at - 1];
        }
        order->cell[at] = (uint8_t)i;
    }
}

static void share_packed(const struct xlnuma__table *table,
                         const struct order *order, bool is_low,
                         uint64_t needed_kb, uint64_t share_kb[])
{
    uint64_t left_kb = needed_kb;

    for (unsigned n = 0; n < order->nr && left_kb; n++) {
        uint64_t room_kb = room_of(&table->cell[order->cell[n]], is_low);
        uint64_t share = room_kb < left_kb ? room_kb : left_kb;

        share_kb[order->cell[n]] += share;
        left_kb -= share;
    }
}

/* Sums of the model's distances stay below 2^22, whole numbers in a float. */
typedef int32_t whole_part __attribute__((vector_size(4 * XLNUMA__PART)));
typedef float sum_part __attribute__((vector_size(4 * XLNUMA__PART)));

/*
 * What the set's CPUs pay for memory on each of its cells, the devices apart:
 * column[j] = sum of cpus(i) * distance(i, j). Memory without any CPU (nr_cpus
 * is 0): as if one CPU were on each of its nodes.
 */
static void fill_memory_columns(const struct xlnuma__table *table,
                                const struct order *list, unsigned nr_cpus,
                                uint32_t column[])
{
    const struct xlnuma_host *host = table->host;
    unsigned nr = xlnuma__nr_parts(host);
    sum_part sum[XLNUMA_NODES_MAX / XLNUMA__PART];

    memset(sum, 0, nr * sizeof(sum[0]));
    for (unsigned m = 0; m < list->nr; m++) {
        const struct xlnuma__cell *cell = &table->cell[list->cell[m]];
        float cpus = nr_cpus ? (float)cell->nr_cpus : 1;

        for (unsigned n = 0; n < nr; n++) {
            whole_part part = __builtin_convertvector(
                xlnuma__part_of(host, cell->id, n), whole_part);

            sum[n] += cpus * __builtin_convertvector(part, sum_part);
        }
    }
    for (unsigned m = 0; m < list->nr; m++) {
        unsigned id = table->cell[list->cell[m]].id;

        column[list->cell[m]] =
            (uint32_t)sum[id / XLNUMA__PART][id % XLNUMA__PART];
    }
}

/* The same with the way by the guest's devices. */
static void fill_columns(const struct xlnuma__table *table,
                         const struct order *list, unsigned nr_cpus,
                         uint32_t column[])
{
    if (table->scale == 1) {
        fill_memory_columns(table, list, nr_cpus, column);
        return;
    }
    for (unsigned m = 0; m < list->nr; m++) {
        unsigned j = list->cell[m];

        column[j] = 0;
        for (unsigned n = 0; n < list->nr; n++) {
            unsigned i = list->cell[n];

            column[j] +=
                (nr_cpus ? table->cell[i].nr_cpus : 1) * table->distance[i][j];
        }
    }
}

void xlnuma__cost_shares(const struct xlnuma__table *table, uint64_t set,
                         uint64_t needed_kb, enum xlnuma_memory memory,
                         uint64_t share_kb[])
{
    uint64_t high_kb = 0, low_kb;
    uint32_t column[XLNUMA_NODES_MAX];
    struct order list, order;
    unsigned nr_cpus = 0;

    list_cells(set, &list);
    for (unsigned n = 0; n < list.nr; n++) {
        unsigned i = list.cell[n];

        share_kb[i] = 0;
        high_kb += table->cell[i].high_kb;
        nr_cpus += table->cell[i].nr_cpus;
    }
    low_kb = needed_kb > high_kb ? needed_kb - high_kb : 0;
    if (memory == XLNUMA_MEMORY_PACK) {
        fill_columns(table, &list, nr_cpus, column);
        order_by_reach(table, &list, column, &order);
        share_packed(table, &order, false, needed_kb - low_kb, share_kb);
        share_packed(table, &order, true, low_kb, share_kb);
        return;
    }
    share_evenly(table, &list, false, needed_kb - low_kb, share_kb);
    if (!low_kb)
        return;
    order_by_low(table, &list, &order);
    share_evenly(table, &order, true, low_kb, share_kb);
}

/* --- the expected distance, without rounding shares to pages --------------- */

/* Memory shares weighed with columns: num / den; and the cells that have any. */
struct weighed {
    xlnuma__u128 num;
    unsigned den;
    uint64_t cells;
};

/* Exactly even: what the cells without the room leave is divided by den. */
static struct weighed weigh_evenly(const struct xlnuma__table *table,
                                   const struct order *order, bool is_low,
                                   uint64_t needed_kb, const uint32_t column[])
{
    struct weighed weighed = { .den = 1 };
    uint64_t left_kb = needed_kb, columns = 0;
    unsigned n = 0;

    for (; n < order->nr; n++) {
        unsigned i = order->cell[n];
        uint64_t room_kb = room_of(&table->cell[i], is_low);

        if (room_kb > left_kb / (order->nr - n))
            break;
        weighed.num += (xlnuma__u128)room_kb * column[i];
        left_kb -= room_kb;
        if (room_kb)
            weighed.cells |= (uint64_t)1 << i;
    }
    if (!left_kb)
        return weighed;
    weighed.den = order->nr - n;
    for (; n < order->nr; n++) {
        columns += column[order->cell[n]];
        weighed.cells |= (uint64_t)1 << order->cell[n];
    }
    weighed.num = weighed.num * weighed.den + (xlnuma__u128)left_kb * columns;
    return weighed;
}

static struct weighed weigh_spread(const struct xlnuma__table *table,
                                   const struct order *list, uint64_t needed_kb,
                                   uint64_t low_kb, const uint32_t column[])
{
    struct order order;
    struct weighed high, low;

    high = weigh_evenly(table, list, false, needed_kb - low_kb, column);
    if (!low_kb)
        return high;
    order_by_low(table, list, &order);
    low = weigh_evenly(table, &order, true, low_kb, column);
    high.num = high.num * low.den + low.num * high.den;
    high.den *= low.den;
    high.cells |= low.cells;
    return high;
}

static struct weighed weigh_packed(const struct xlnuma__table *table,
                                   const struct order *list, uint64_t needed_kb,
                                   uint64_t low_kb, const uint32_t reach[],
                                   const uint32_t column[])
{
    struct weighed weighed = { .den = 1 };
    uint64_t share_kb[XLNUMA_NODES_MAX];
    struct order order;

    for (unsigned n = 0; n < list->nr; n++)
        share_kb[list->cell[n]] = 0;
    order_by_reach(table, list, reach, &order);
    share_packed(table, &order, false, needed_kb - low_kb, share_kb);
    share_packed(table, &order, true, low_kb, share_kb);
    for (unsigned n = 0; n < list->nr; n++) {
        unsigned i = list->cell[n];

        weighed.num += (xlnuma__u128)share_kb[i] * column[i];
        if (share_kb[i])
            weighed.cells |= (uint64_t)1 << i;
    }
    return weighed;
}

/* A set that lacks memory, to compare: as if every node had its even part. */
static struct weighed weigh_lacking(const struct order *list, uint64_t set,
                                    uint64_t needed_kb, const uint32_t column[])
{
    struct weighed weighed = { .den = list->nr, .cells = set };
    uint64_t columns = 0;

    for (unsigned n = 0; n < list->nr; n++)
        columns += column[list->cell[n]];
    weighed.num = (xlnuma__u128)needed_kb * columns;
    return weighed;
}

uint64_t xlnuma__cost_overload(const struct xlnuma__table *table,
                               uint64_t load_mvcpu, unsigned nr_cpus)
{
    uint64_t all_mvcpu = table->load_mvcpu + table->guest_mvcpu;
    uint64_t has = (load_mvcpu + table->guest_mvcpu) * table->nr_cpus * UNEVEN;
    uint64_t may_have = all_mvcpu * nr_cpus * (UNEVEN + 1);

    return has > may_have ? has - may_have : 0; /* both below 2^62 */
}

/* What is simply added up, and the cells that some CPU of the set lacks. */
static uint64_t sum_up(const struct xlnuma__table *table,
                       const struct order *list, uint64_t needed_kb,
                       struct xlnuma__judged *judged)
{
    uint64_t load_mvcpu = 0, high_kb = 0, unreachable = 0, before = 0;

    for (unsigned n = 0; n < list->nr; n++) {
        unsigned i = list->cell[n];
        const struct xlnuma__cell *cell = &table->cell[i];

        judged->nodes |= (xlnuma_nodeset)1 << cell->id;
        judged->usable_kb += cell->usable_kb;
        judged->nr_cpus += cell->nr_cpus;
        judged->nr_cores += cell->nr_cores;
        judged->nr_sockets += !(table->socket_mates[i] & before);
        load_mvcpu += cell->load_mvcpu;
        high_kb += cell->high_kb;
        unreachable |= table->unreachable[i];
        before |= (uint64_t)1 << i;
    }
    if (needed_kb > high_kb)
        judged->low_kb = needed_kb - high_kb;
    judged->overload =
        xlnuma__cost_overload(table, load_mvcpu, judged->nr_cpus);
    return unreachable;
}

/* Shares by the columns `reach`, weighed with `column`. */
static struct weighed weigh(const struct xlnuma__table *table,
                            const struct order *list, uint64_t needed_kb,
                            enum xlnuma_memory memory,
                            const struct xlnuma__judged *judged,
                            const uint32_t reach[], const uint32_t column[])
{
    if (judged->usable_kb < needed_kb)
        return weigh_lacking(list, judged->cells, needed_kb, column);
    if (memory == XLNUMA_MEMORY_PACK)
        return weigh_packed(table, list, needed_kb, judged->low_kb, reach,
                            column);
    return weigh_spread(table, list, needed_kb, judged->low_kb, column);
}

void xlnuma__cost_judge(const struct xlnuma__table *table, uint64_t set,
                        uint64_t needed_kb, enum xlnuma_memory memory,
                        struct xlnuma__judged *judged_r)
{
    uint32_t column[XLNUMA_NODES_MAX];
    struct weighed weighed;
    struct order list;
    uint64_t unreachable;

    memset(judged_r, 0, sizeof(*judged_r));
    judged_r->cells = set;
    list_cells(set, &list);
    unreachable = sum_up(table, &list, needed_kb, judged_r);
    fill_columns(table, &list, judged_r->nr_cpus, column);
    weighed = weigh(table, &list, needed_kb, memory, judged_r, column, column);
    judged_r->distance_num = weighed.num;
    judged_r->distance_den =
        weighed.den * (judged_r->nr_cpus ? judged_r->nr_cpus : list.nr);
    judged_r->is_reachable = !(unreachable & weighed.cells);
}

/* a/b against c/d without rounding: the products have up to 160 bits. */
static int compare_ratio(xlnuma__u128 a, unsigned b, xlnuma__u128 c, unsigned d)
{
    xlnuma__u128 low_left = (xlnuma__u128)(uint64_t)a * d;
    xlnuma__u128 low_right = (xlnuma__u128)(uint64_t)c * b;
    xlnuma__u128 left = low_left >> 64, right = low_right >> 64;

    if ((a | c) >> 64) { /* seldom: it takes a guest of many TiB */
        left += (a >> 64) * d;
        right += (c >> 64) * b;
    }
    if (left == right) {
        left = (uint64_t)low_left;
        right = (uint64_t)low_right;
    }
    return (left > right) - (left < right);
}

/* The same for what fits into 64 bits. */
static int compare_overload(uint64_t a, unsigned nr_cpus_a, uint64_t b,
                            unsigned nr_cpus_b)
{
    xlnuma__u128 left = (xlnuma__u128)a * nr_cpus_b;
    xlnuma__u128 right = (xlnuma__u128)b * nr_cpus_a;

    return (left > right) - (left < right);
}

int xlnuma__cost_compare_distance(const struct xlnuma__judged *a,
                                  const struct xlnuma__judged *b)
{
    return compare_ratio(a->distance_num, a->distance_den, b->distance_num,
                         b->distance_den);
}

int xlnuma__cost_compare(const struct xlnuma__judged *a,
                         const struct xlnuma__judged *b,
                         enum xlnuma_why_not *why_r)
{
    int order = xlnuma__cost_compare_distance(a, b);

    *why_r = XLNUMA_WHY_NOT_FARTHER;
    return order ? order : xlnuma__cost_compare_equal(a, b, why_r);
}

int xlnuma__cost_compare_equal(const struct xlnuma__judged *a,
                               const struct xlnuma__judged *b,
                               enum xlnuma_why_not *why_r)
{
    xlnuma_nodeset differ;
    int order;

    *why_r = XLNUMA_WHY_NOT_SOCKETS;
    if (a->nr_sockets != b->nr_sockets)
        return a->nr_sockets < b->nr_sockets ? -1 : 1;
    *why_r = XLNUMA_WHY_NOT_LOW;
    if (a->low_kb != b->low_kb)
        return a->low_kb < b->low_kb ? -1 : 1;
    *why_r = XLNUMA_WHY_NOT_LOAD;
    order = compare_overload(a->overload, a->nr_cpus, b->overload, b->nr_cpus);
    if (order)
        return order;
    /* Best fit: the less is left beside the guest, the more elsewhere. */
    *why_r = XLNUMA_WHY_NOT_HOLES;
    if (a->usable_kb != b->usable_kb)
        return a->usable_kb < b->usable_kb ? -1 : 1;
    if (a->nodes == b->nodes)
        return 0;
    differ = a->nodes ^ b->nodes;
    return (a->nodes & differ & -differ) ? -1 : 1;
}

/* A cell as a set: what of it can decide between equally near ones. */
struct single {
    const struct xlnuma__cell *cell;
    uint64_t low_kb, overload;
};

/* As xlnuma__cost_compare() has it. */
static bool is_first_single(const struct single *a, const struct single *b)
{
    int order;

    if (a->low_kb != b->low_kb)
        return a->low_kb < b->low_kb;
    order = compare_overload(a->overload, a->cell->nr_cpus, b->overload,
                             b->cell->nr_cpus);
    if (order)
        return order < 0;
    if (a->cell->usable_kb != b->cell->usable_kb)
        return a->cell->usable_kb < b->cell->usable_kb;
    return a->cell->id < b->cell->id;
}

unsigned xlnuma__cost_best_single(const struct xlnuma__table *table,
                                  const struct xlnuma__need *need)
{
    struct single single, best = { 0 };
    unsigned best_cell = table->nr, i;
    uint64_t holding = 0;

    if (need->memory_kb > table->most_usable_kb ||
        need->nr_cpus > table->most_cpus)
        return table->nr;
    for (unsigned n = 0; n < table->nr; n++) {
        const struct xlnuma__cell *cell = &table->cell[n];

        holding |= (uint64_t)((cell->usable_kb >= need->memory_kb) &
                              (cell->nr_cpus >= need->nr_cpus) &
                              (cell->nr_cores >= need->nr_cores))
                   << n;
    }
    XLNUMA_FOR_EACH_NODE(i, holding) {
        single.cell = &table->cell[i];
        single.low_kb = need->memory_kb > single.cell->high_kb
                            ? need->memory_kb - single.cell->high_kb
                            : 0;
        single.overload = xlnuma__cost_overload(table, single.cell->load_mvcpu,
                                                single.cell->nr_cpus);
        if (best_cell < table->nr && !is_first_single(&single, &best))
            continue;
        best = single;
        best_cell = i;
    }
    return best_cell;
}

double xlnuma__cost_distance(const struct xlnuma__judged *judged,
                             uint64_t needed_kb)
{
    return (double)judged->distance_num / judged->distance_den /
           (double)needed_kb;
}

double xlnuma__cost_memory_distance(const struct xlnuma__table *table,
                                    const struct xlnuma__judged *judged,
                                    uint64_t needed_kb,
                                    enum xlnuma_memory memory)
{
    uint32_t reach[XLNUMA_NODES_MAX], column[XLNUMA_NODES_MAX];
    struct weighed weighed;
    struct order list;

    if (table->scale == 1)
        return xlnuma__cost_distance(judged, needed_kb);
    list_cells(judged->cells, &list);
    fill_columns(table, &list, judged->nr_cpus, reach);
    fill_memory_columns(table, &list, judged->nr_cpus, column);
    weighed = weigh(table, &list, needed_kb, memory, judged, reach, column);
    return (double)weighed.num / weighed.den /
           (judged->nr_cpus ? judged->nr_cpus : list.nr) / (double)needed_kb;
}
