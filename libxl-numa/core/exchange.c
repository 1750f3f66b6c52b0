/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets that differ from a good one by a cell: the one that is likely to be the
 * best of them. Distances are estimates here, with the shares that cells have
 * now: whether a set is better indeed is cost.c's business.
 */
#include "core/core.h"

#include <math.h> /* HUGE_VAL; no function of it */

#define NODES XLNUMA_NODES_MAX
#define NONE NODES /* no cell leaves, or none joins */

/* Estimates that differ by less than this part are the same. */
#define ROUNDING 1e-12

#define PAGE_KB 4

/* What a set is compared by: estimates, in the order's order. */
struct rank {
    double excess;
    unsigned nr_sockets;
    uint64_t low_kb;
    double overload;
    uint64_t usable_kb;
};

/* The set that is to be improved. */
struct origin {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    float (*cost)[NODES]; /* cpus(i) * (distance(i, j) - least) */
    uint64_t set;
    unsigned nr_cpus, nr_cores, nr_sockets, nr;
    uint64_t usable_kb, high_kb, load_mvcpu;
    double memory, sum, level; /* the weights' sum; weighed columns' */
    double weight[NODES];      /* its cells' shares */
    double column[NODES];      /* of all cells, by its CPUs */
    double reach[NODES];       /* of all cells' CPUs to its memory */
};

static void add_cell(struct origin *origin, unsigned i)
{
    const struct xlnuma__table *table = origin->table;
    const struct xlnuma__cell *cell = &table->cell[i];
    double weight = origin->weight[i];

    origin->nr++;
    origin->nr_cpus += cell->nr_cpus;
    origin->nr_cores += cell->nr_cores;
    origin->usable_kb += cell->usable_kb;
    origin->high_kb += cell->high_kb;
    origin->load_mvcpu += cell->load_mvcpu;
    origin->nr_sockets += !(table->socket_mates[i] & origin->set);
    origin->set |= (uint64_t)1 << i;
    origin->memory += weight;
    for (unsigned j = 0; j < table->nr; j++)
        origin->column[j] += origin->cost[i][j];
    for (unsigned j = 0; weight > 0 && j < table->nr; j++)
        origin->reach[j] += weight * origin->cost[j][i];
}

static void fill_origin(struct origin *origin, uint64_t set)
{
    uint64_t share_kb[NODES], level_kb = 0;
    unsigned i;

    xlnuma__cost_shares(origin->table, set, origin->need->memory_kb,
                        origin->need->memory, share_kb);
    XLNUMA_FOR_EACH_NODE(i, set)
        if (share_kb[i] > level_kb)
            level_kb = share_kb[i];
    origin->level = (double)level_kb;
    XLNUMA_FOR_EACH_NODE(i, set) {
        /* Even ones are in whole pages: ties have to stay ties. */
        if (share_kb[i] + PAGE_KB >= level_kb)
            share_kb[i] = level_kb;
        origin->weight[i] = (double)share_kb[i];
        add_cell(origin, i);
    }
    XLNUMA_FOR_EACH_NODE(i, set)
        origin->sum += origin->weight[i] * origin->column[i];
}

/* What a cell that joins would get, in the place of one that leaves. */
static double weight_of(const struct origin *origin, unsigned in, unsigned out)
{
    double most = origin->level,
           room = (double)origin->table->cell[in].usable_kb;

    if (origin->need->memory == XLNUMA_MEMORY_PACK)
        most = out == NONE ? 0 : origin->weight[out];
    return room < most ? room : most;
}

/* The weighed columns of the set without a cell, or all of it. */
static double sum_without(const struct origin *origin, unsigned out)
{
    double weight;

    if (out == NONE)
        return origin->sum;
    weight = origin->weight[out];
    return origin->sum - (origin->reach[out] + weight * origin->column[out] -
                          weight * origin->cost[out][out]);
}

static double excess_of(const struct origin *origin, unsigned in, unsigned out,
                        unsigned nr_cpus)
{
    double sum = sum_without(origin, out), memory = origin->memory;

    if (out != NONE)
        memory -= origin->weight[out];
    if (in != NONE) {
        double weight = weight_of(origin, in, out);
        double column = origin->column[in] + origin->cost[in][in];

        sum += origin->reach[in];
        memory += weight;
        if (out != NONE) {
            sum -= origin->weight[out] * origin->cost[in][out];
            column -= origin->cost[out][in];
        }
        sum += weight * column;
    }
    return memory > 0 && nr_cpus ? sum / memory / nr_cpus : HUGE_VAL;
}

/* With a cell less, one more or both; false if that lacks something. */
static bool rank_of(const struct origin *origin, unsigned in, unsigned out,
                    struct rank *rank_r)
{
    static const struct xlnuma__cell nothing;
    const struct xlnuma__table *table = origin->table;
    const struct xlnuma__need *need = origin->need;
    const struct xlnuma__cell *more = in == NONE ? &nothing : &table->cell[in];
    const struct xlnuma__cell *less =
        out == NONE ? &nothing : &table->cell[out];
    uint64_t high_kb = origin->high_kb + more->high_kb - less->high_kb;
    uint64_t rest = origin->set;
    unsigned nr_cpus = origin->nr_cpus + more->nr_cpus - less->nr_cpus;

    rank_r->usable_kb = origin->usable_kb + more->usable_kb - less->usable_kb;
    rank_r->nr_sockets = origin->nr_sockets;
    if (out != NONE) {
        rest &= ~((uint64_t)1 << out);
        rank_r->nr_sockets -= !(table->socket_mates[out] & rest);
    }
    if (in != NONE)
        rank_r->nr_sockets += !(table->socket_mates[in] & rest);
    if (rank_r->usable_kb < need->memory_kb || nr_cpus < need->nr_cpus ||
        origin->nr_cores + more->nr_cores - less->nr_cores < need->nr_cores ||
        rank_r->nr_sockets > need->max_sockets)
        return false;
    rank_r->low_kb = need->memory_kb > high_kb ? need->memory_kb - high_kb : 0;
    rank_r->overload =
        (double)xlnuma__cost_overload(
            table, origin->load_mvcpu + more->load_mvcpu - less->load_mvcpu,
            nr_cpus) /
        nr_cpus;
    rank_r->excess = excess_of(origin, in, out, nr_cpus);
    return true;
}

static bool is_before(const struct rank *a, const struct rank *b)
{
    double less = b->excess * (1 - ROUNDING);

    if (a->excess < less || a->excess * (1 - ROUNDING) > b->excess)
        return a->excess < less;
    if (a->nr_sockets != b->nr_sockets)
        return a->nr_sockets < b->nr_sockets;
    if (a->low_kb != b->low_kb)
        return a->low_kb < b->low_kb;
    if (a->overload < b->overload || a->overload > b->overload)
        return a->overload < b->overload;
    return a->usable_kb < b->usable_kb;
}

/*
 * Those that may be as near as the best, with room for rounding: most of a set's
 * neighbours are not, and the rest of their rank does not matter.
 */
static uint64_t near_ones(const struct origin *origin, uint64_t others,
                          unsigned out, double excess)
{
    const struct xlnuma__cell *cell = origin->table->cell;
    double sum = sum_without(origin, out), memory = origin->memory, least = 0;
    unsigned nr_cpus = origin->nr_cpus, in;
    uint64_t near = 0;

    if (out != NONE) {
        least = origin->weight[out];
        memory -= least;
        nr_cpus -= cell[out].nr_cpus;
    }
    XLNUMA_FOR_EACH_NODE(in, others) {
        double weight = weight_of(origin, in, out);
        double column = origin->column[in] + origin->cost[in][in];
        double more = origin->reach[in];

        if (out != NONE) {
            more -= least * origin->cost[in][out];
            column -= origin->cost[out][in];
        }
        if (sum + more + weight * column <= excess * (1 + 1e-6) *
                                                (memory + weight) *
                                                (nr_cpus + cell[in].nr_cpus))
            near |= (uint64_t)1 << in;
    }
    return near;
}

/* With `out` less, or none: all that may join, or none. */
static void try_all(const struct origin *origin, unsigned out,
                    struct rank *best, uint64_t *set_r)
{
    uint64_t rest = origin->set,
             others = UINT64_MAX >> (NODES - origin->table->nr);
    struct rank rank;
    unsigned in;

    if (out != NONE)
        rest &= ~((uint64_t)1 << out);
    if (out != NONE && origin->nr > 1 && rank_of(origin, NONE, out, &rank) &&
        is_before(&rank, best)) {
        *best = rank;
        *set_r = rest;
    }
    if (out == NONE && origin->nr >= origin->need->max_nodes)
        return;
    XLNUMA_FOR_EACH_NODE(
        in, near_ones(origin, others & ~origin->set, out, best->excess))
        if (rank_of(origin, in, out, &rank) && is_before(&rank, best)) {
            *best = rank;
            *set_r = rest | (uint64_t)1 << in;
        }
}

uint64_t xlnuma__exchange(const struct xlnuma__table *table,
                          const struct xlnuma__need *need,
                          float (*cost)[XLNUMA_NODES_MAX], uint64_t set)
{
    struct origin origin = { .table = table, .need = need, .cost = cost };
    uint64_t better = 0;
    struct rank best;
    unsigned out;

    fill_origin(&origin, set);
    if (!rank_of(&origin, NONE, NONE, &best))
        return 0;
    try_all(&origin, NONE, &best, &better);
    XLNUMA_FOR_EACH_NODE(out, set)
        try_all(&origin, out, &best, &better);
    return better;
}
