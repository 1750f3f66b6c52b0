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

/* Cells of a set in ascending order of room; of equals the first one first. */
struct fill_order {
    unsigned nr;
    uint8_t cell[XLNUMA_NODES_MAX];
    uint64_t room_kb[XLNUMA_NODES_MAX]; /* by cell */
};

static uint64_t low_room(const struct xlnuma__cell *cell)
{
    return cell->usable_kb - cell->high_kb;
}

/* The table's order is that of high_kb: only low memory takes sorting. */
static void order_by_room(const struct xlnuma__table *table, uint64_t set,
                          bool is_low, struct fill_order *order)
{
    unsigned i;

    order->nr = 0;
    XLNUMA_FOR_EACH_NODE(i, set) {
        const struct xlnuma__cell *cell = &table->cell[i];
        unsigned at = order->nr++;

        order->room_kb[i] = is_low ? low_room(cell) : cell->high_kb;
        for (; at && order->room_kb[i] < order->room_kb[order->cell[at - 1]];
             at--)
            order->cell[at] = order->cell[at - 1];
        order->cell[at] = (uint8_t)i;
    }
}

/*
 * Add even shares in whole pages, by filling the smallest cells first: a cell
 * that has less room than the even share gives what it has, the others divide
 * what is left.
 */
static void share_evenly(const struct fill_order *order, uint64_t needed_kb,
                         uint64_t share_kb[])
{
    uint64_t left_kb = needed_kb;

    for (unsigned n = 0; n < order->nr; n++) {
        unsigned i = order->cell[n], nr_left = order->nr - n;
        uint64_t share = left_kb / nr_left / PAGE_KB * PAGE_KB;

        if (share > order->room_kb[i])
            share = order->room_kb[i];
        if (nr_left == 1)
            share = left_kb;
        share_kb[i] += share;
        left_kb -= share;
    }
}

/*
 * The cells of a set as a packed guest fills them: first the one that the
 * set's CPUs reach in the shortest way, then the one with most room.
 */
static void order_by_reach(const struct xlnuma__table *table, uint64_t set,
                           const uint32_t column[], struct fill_order *order)
{
    unsigned i;

    order->nr = 0;
    XLNUMA_FOR_EACH_NODE(i, set) {
        unsigned at = order->nr++;

        for (; at; at--) {
            unsigned before = order->cell[at - 1];

            if (column[before] < column[i] ||
                (column[before] == column[i] &&
                 table->cell[before].usable_kb >= table->cell[i].usable_kb))
                break;
            order->cell[at] = order->cell[at - 1];
        }
        order->cell[at] = (uint8_t)i;
    }
}

static void share_packed(const struct xlnuma__table *table,
                         const struct fill_order *order, bool is_low,
                         uint64_t needed_kb, uint64_t share_kb[])
{
    uint64_t left_kb = needed_kb;

    for (unsigned n = 0; n < order->nr && left_kb; n++) {
        const struct xlnuma__cell *cell = &table->cell[order->cell[n]];
        uint64_t room_kb = is_low ? low_room(cell) : cell->high_kb;
        uint64_t share = room_kb < left_kb ? room_kb : left_kb;

        share_kb[order->cell[n]] += share;
        left_kb -= share;
    }
}

/*
 * What the set's CPUs pay for memory on each of its cells: column[j] = sum of
 * cpus(i) * distance(i, j). Memory without any CPU: as if one CPU were on each
 * of its nodes. Returns the sum of cpus(i).
 */
static unsigned fill_columns(const struct xlnuma__table *table, uint64_t set,
                             uint32_t column[])
{
    unsigned nr_cpus = 0, i, j;

    XLNUMA_FOR_EACH_NODE(i, set) {
        column[i] = 0;
        nr_cpus += table->cell[i].nr_cpus;
    }
    XLNUMA_FOR_EACH_NODE(i, set) {
        const uint16_t *row = table->host->distance[table->cell[i].id];
        unsigned cpus = nr_cpus ? table->cell[i].nr_cpus : 1;

        if (cpus)
            XLNUMA_FOR_EACH_NODE(j, set)
                column[j] += cpus * row[table->cell[j].id];
    }
    return nr_cpus ? nr_cpus : xlnuma_nodeset_count(set);
}

static void sum_cells(const struct xlnuma__table *table, uint64_t set,
                      uint64_t *usable_kb, uint64_t *high_kb)
{
    unsigned i;

    *usable_kb = *high_kb = 0;
    XLNUMA_FOR_EACH_NODE(i, set) {
        *usable_kb += table->cell[i].usable_kb;
        *high_kb += table->cell[i].high_kb;
    }
}

void xlnuma__cost_shares(const struct xlnuma__table *table, uint64_t set,
                         uint64_t needed_kb, enum xlnuma_memory memory,
                         uint64_t share_kb[])
{
    uint64_t usable_kb, high_kb, low_kb;
    uint32_t column[XLNUMA_NODES_MAX];
    struct fill_order order;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        share_kb[i] = 0;
    sum_cells(table, set, &usable_kb, &high_kb);
    low_kb = needed_kb > high_kb ? needed_kb - high_kb : 0;
    if (memory == XLNUMA_MEMORY_PACK) {
        fill_columns(table, set, column);
        order_by_reach(table, set, column, &order);
        share_packed(table, &order, false, needed_kb - low_kb, share_kb);
        share_packed(table, &order, true, low_kb, share_kb);
        return;
    }
    order_by_room(table, set, false, &order);
    share_evenly(&order, needed_kb - low_kb, share_kb);
    if (!low_kb)
        return;
    order_by_room(table, set, true, &order);
    share_evenly(&order, low_kb, share_kb);
}

/* --- the expected distance, without rounding shares to pages --------------- */

/* Memory shares weighed with columns: num / den; and the cells that have any. */
struct weighed {
    xlnuma__u128 num;
    unsigned den;
    uint64_t cells;
};

/* Exactly even: what the cells without the room leave is divided by den. */
static struct weighed weigh_evenly(const struct fill_order *order,
                                   uint64_t needed_kb, const uint32_t column[])
{
    struct weighed weighed = { .den = 1 };
    uint64_t left_kb = needed_kb, columns = 0;
    unsigned n = 0;

    for (; n < order->nr; n++) {
        unsigned i = order->cell[n];

        if (order->room_kb[i] > left_kb / (order->nr - n))
            break;
        weighed.num += (xlnuma__u128)order->room_kb[i] * column[i];
        left_kb -= order->room_kb[i];
        if (order->room_kb[i])
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
                                   uint64_t set, uint64_t needed_kb,
                                   uint64_t low_kb, const uint32_t column[])
{
    struct fill_order order;
    struct weighed high, low;

    order_by_room(table, set, false, &order);
    high = weigh_evenly(&order, needed_kb - low_kb, column);
    if (!low_kb)
        return high;
    order_by_room(table, set, true, &order);
    low = weigh_evenly(&order, low_kb, column);
    high.num = high.num * low.den + low.num * high.den;
    high.den *= low.den;
    high.cells |= low.cells;
    return high;
}

static struct weighed weigh_packed(const struct xlnuma__table *table,
                                   uint64_t set, uint64_t needed_kb,
                                   uint64_t low_kb, const uint32_t column[])
{
    struct weighed weighed = { .den = 1 };
    uint64_t share_kb[XLNUMA_NODES_MAX];
    struct fill_order order;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        share_kb[i] = 0;
    order_by_reach(table, set, column, &order);
    share_packed(table, &order, false, needed_kb - low_kb, share_kb);
    share_packed(table, &order, true, low_kb, share_kb);
    XLNUMA_FOR_EACH_NODE(i, set) {
        weighed.num += (xlnuma__u128)share_kb[i] * column[i];
        if (share_kb[i])
            weighed.cells |= (uint64_t)1 << i;
    }
    return weighed;
}

/* A set that lacks memory, to compare: as if every node had its even part. */
static struct weighed weigh_lacking(uint64_t set, uint64_t needed_kb,
                                    const uint32_t column[])
{
    struct weighed weighed = { .den = xlnuma_nodeset_count(set), .cells = set };
    uint64_t columns = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        columns += column[i];
    weighed.num = (xlnuma__u128)needed_kb * columns;
    return weighed;
}

/* Has every CPU of the set a path to the memory on these cells of it? */
static bool is_reachable(const struct xlnuma__table *table, uint64_t set,
                         uint64_t cells)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        if (table->unreachable[i] & cells)
            return false;
    return true;
}

uint64_t xlnuma__cost_overload(const struct xlnuma__table *table,
                               uint64_t load_mvcpu, unsigned nr_cpus)
{
    uint64_t all_mvcpu = table->load_mvcpu + table->guest_mvcpu;
    uint64_t has = (load_mvcpu + table->guest_mvcpu) * table->nr_cpus * UNEVEN;
    uint64_t may_have = all_mvcpu * nr_cpus * (UNEVEN + 1);

    return has > may_have ? has - may_have : 0; /* both below 2^62 */
}

static void sum_up(const struct xlnuma__table *table, uint64_t set,
                   struct xlnuma__judged *judged)
{
    uint64_t load_mvcpu = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set) {
        const struct xlnuma__cell *cell = &table->cell[i];

        judged->nodes |= (xlnuma_nodeset)1 << cell->id;
        judged->nr_cpus += cell->nr_cpus;
        judged->nr_cores += cell->nr_cores;
        load_mvcpu += cell->load_mvcpu;
        judged->nr_sockets +=
            !(table->socket_mates[i] & set & (((uint64_t)1 << i) - 1));
    }
    judged->overload =
        xlnuma__cost_overload(table, load_mvcpu, judged->nr_cpus);
}

void xlnuma__cost_judge(const struct xlnuma__table *table, uint64_t set,
                        uint64_t needed_kb, enum xlnuma_memory memory,
                        struct xlnuma__judged *judged_r)
{
    uint32_t column[XLNUMA_NODES_MAX];
    struct weighed weighed;
    uint64_t high_kb;

    memset(judged_r, 0, sizeof(*judged_r));
    judged_r->cells = set;
    sum_up(table, set, judged_r);
    sum_cells(table, set, &judged_r->usable_kb, &high_kb);
    if (needed_kb > high_kb)
        judged_r->low_kb = needed_kb - high_kb;
    judged_r->distance_den = fill_columns(table, set, column);
    if (judged_r->usable_kb < needed_kb)
        weighed = weigh_lacking(set, needed_kb, column);
    else if (memory == XLNUMA_MEMORY_PACK)
        weighed = weigh_packed(table, set, needed_kb, judged_r->low_kb, column);
    else
        weighed = weigh_spread(table, set, needed_kb, judged_r->low_kb, column);
    judged_r->distance_num = weighed.num;
    judged_r->distance_den *= weighed.den;
    judged_r->is_reachable = is_reachable(table, set, weighed.cells);
}

/* a/b against c/d without rounding; the products stay below 2^128. */
static int compare_ratio(xlnuma__u128 a, unsigned b, xlnuma__u128 c, unsigned d)
{
    xlnuma__u128 left = a * d, right = c * b;

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
    xlnuma_nodeset differ;
    int order;

    *why_r = XLNUMA_WHY_NOT_FARTHER;
    order = xlnuma__cost_compare_distance(a, b);
    if (order)
        return order;
    *why_r = XLNUMA_WHY_NOT_SOCKETS;
    if (a->nr_sockets != b->nr_sockets)
        return a->nr_sockets < b->nr_sockets ? -1 : 1;
    *why_r = XLNUMA_WHY_NOT_LOW;
    if (a->low_kb != b->low_kb)
        return a->low_kb < b->low_kb ? -1 : 1;
    *why_r = XLNUMA_WHY_NOT_LOAD;
    order = compare_ratio(a->overload, a->nr_cpus, b->overload, b->nr_cpus);
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

double xlnuma__cost_distance(const struct xlnuma__judged *judged,
                             uint64_t needed_kb)
{
    return (double)judged->distance_num / judged->distance_den /
           (double)needed_kb;
}
