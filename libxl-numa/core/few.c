/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The best node set on a host of few nodes: all sets are gone through, each made
 * of one with a node less, and most are ruled out before they are judged
 * (docs/planner.md). Larger hosts are search.c's business.
 */
#include "core/core.h"

#include <math.h> /* HUGE_VAL; no function of it */
#include <string.h>

#define FEW XLNUMA__FEW_NODES

/*
 * Bounds in doubles are off by less than this part; what is not clearly farther
 * is judged, exactly.
 */
#define ROUNDING 1e-12

/* A set, and what it costs its CPUs to reach each cell. */
struct made {
    uint64_t set;
    uint64_t mates; /* cells on its sockets */
    xlnuma_nodeset nodes;
    uint64_t usable_kb, high_kb, load_mvcpu;
    unsigned nr, nr_cpus, nr_cores, nr_sockets;
    uint32_t column[FEW]; /* sum of cpus(i) * (distance(i, j) - least) */
};

struct few {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    struct xlnuma__found *found;
    double excess; /* the best distance so far, less the table's least */
    /* What all cells before i have: the most that may still join. */
    uint64_t usable_before_kb[FEW + 1];
    unsigned cpus_before[FEW + 1], cores_before[FEW + 1];
    unsigned fewest_before[FEW + 1]; /* CPUs of one of them */
    uint32_t step; /* the least of cost(i, j) / cpus(i), i other than j */
    uint32_t cost[FEW][FEW]; /* cpus(i) * (distance(i, j) - least) */
};

static void prepare(struct few *few, struct made *none)
{
    const struct xlnuma__table *table = few->table;

    memset(none, 0, sizeof(*none));
    few->usable_before_kb[0] = 0;
    few->cpus_before[0] = few->cores_before[0] = 0;
    few->fewest_before[0] = few->step = UINT32_MAX;
    for (unsigned i = 0; i < FEW; i++) {
        const struct xlnuma__cell *cell = &table->cell[i];

        memset(few->cost[i], 0, sizeof(few->cost[i]));
        if (i >= table->nr) {
            none->column[i] = UINT32_MAX / 2; /* never the cheapest */
            continue;
        }
        for (unsigned j = 0; j < table->nr; j++) {
            uint32_t step = xlnuma__distance(table, i, j) - table->least;

            few->cost[i][j] = cell->nr_cpus * step;
            if (i != j && step < few->step)
                few->step = step;
        }
        few->usable_before_kb[i + 1] =
            few->usable_before_kb[i] + cell->usable_kb;
        few->cpus_before[i + 1] = few->cpus_before[i] + cell->nr_cpus;
        few->cores_before[i + 1] = few->cores_before[i] + cell->nr_cores;
        few->fewest_before[i + 1] = cell->nr_cpus < few->fewest_before[i]
                                        ? cell->nr_cpus
                                        : few->fewest_before[i];
    }
}

/* It may be tiny beside the distance: subtracted before it is rounded. */
static void set_excess(struct few *few)
{
    const struct xlnuma__judged *best = &few->found->best;
    uint64_t needed_kb = few->need->memory_kb;
    xlnuma__u128 least = (xlnuma__u128)few->table->least * needed_kb;

    few->excess = (double)(best->distance_num - least * best->distance_den) /
                  best->distance_den / (double)needed_kb;
}

static void judge(struct few *few, uint64_t set)
{
    struct xlnuma__found *found = few->found;
    uint64_t needed_kb = few->need->memory_kb;
    struct xlnuma__judged judged;
    enum xlnuma_why_not why;

    xlnuma__cost_judge(few->table, set, needed_kb, few->need->memory, &judged);
    if (!xlnuma__holds(few->need, &judged) ||
        (found->is_found &&
         xlnuma__cost_compare(&judged, &found->best, &why) >= 0))
        return;
    found->is_found = true;
    found->best = judged;
    set_excess(few);
}

/* The memory of it, times its columns: at least. */
static double least_spread(const struct few *few, const struct made *made)
{
    double even_kb = (double)few->need->memory_kb / made->nr;
    double left_kb = (double)few->need->memory_kb, sum = 0;
    uint32_t cheapest = UINT32_MAX;
    unsigned i;

    /* Each cell has its even part, or all its room and others have more. */
    XLNUMA_FOR_EACH_NODE(i, made->set) {
        double high_kb = (double)few->table->cell[i].high_kb;
        double least_kb = high_kb < even_kb ? high_kb : even_kb;

        sum += least_kb * made->column[i];
        left_kb -= least_kb;
        if (made->column[i] < cheapest)
            cheapest = made->column[i];
    }
    return left_kb > 0 ? sum + left_kb * cheapest : sum;
}

static double least_packed(const struct few *few, const struct made *made)
{
    uint32_t cheapest = UINT32_MAX;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, made->set)
        if (made->column[i] < cheapest && few->table->cell[i].usable_kb)
            cheapest = made->column[i];
    return (double)few->need->memory_kb * cheapest;
}

/* Would it come before the best even if it were only as near? */
static bool is_better_tie(const struct few *few, const struct made *made)
{
    const struct xlnuma__judged *best = &few->found->best;
    uint64_t needed_kb = few->need->memory_kb;
    struct xlnuma__judged tie;
    enum xlnuma_why_not why;

    tie.distance_num = best->distance_num;
    tie.distance_den = best->distance_den;
    tie.nr_sockets = made->nr_sockets;
    tie.low_kb = needed_kb > made->high_kb ? needed_kb - made->high_kb : 0;
    tie.nr_cpus = made->nr_cpus;
    tie.overload =
        xlnuma__cost_overload(few->table, made->load_mvcpu, made->nr_cpus);
    tie.usable_kb = made->usable_kb;
    tie.nodes = made->nodes;
    return xlnuma__cost_compare(&tie, best, &why) < 0;
}

/* Judge a set, unless it lacks something or is clearly not the best. */
static void consider(struct few *few, const struct made *made)
{
    const struct xlnuma__need *need = few->need;
    double least, limit;

    if (made->usable_kb < need->memory_kb || made->nr_cpus < need->nr_cpus ||
        made->nr_cores < need->nr_cores || made->nr_sockets > need->max_sockets)
        return;
    if (few->found->is_found) {
        least = need->memory == XLNUMA_MEMORY_SPREAD ? least_spread(few, made)
                                                     : least_packed(few, made);
        limit = few->excess * made->nr_cpus * (double)need->memory_kb;
        if (least > limit * (1 + ROUNDING) ||
            (least >= limit * (1 - ROUNDING) && !is_better_tie(few, made)))
            return;
    }
    judge(few, made->set);
}

/*
 * May a set of this and of cells before `end`, at least one, be as near as the
 * best? Each of their CPUs adds a step to the column of every other cell. So
 * with so many more CPUs the cheapest column is at least this, and over all CPUs
 * that is least with the fewest or with the most.
 */
static bool is_near(const struct few *few, const struct made *made,
                    unsigned end)
{
    double step = few->step, cheapest = HUGE_VAL;
    double fewest = few->fewest_before[end], most = few->cpus_before[end];
    double limit = few->excess * (1 + ROUNDING);

    for (unsigned j = 0; j < few->table->nr; j++) {
        double column = made->column[j];

        if (!((made->set >> j) & 1))
            column -= step * few->table->cell[j].nr_cpus;
        cheapest = column < cheapest ? column : cheapest;
    }
    return cheapest + step * fewest <= limit * (made->nr_cpus + fewest) ||
           cheapest + step * most <= limit * (made->nr_cpus + most);
}

/* Could this and all cells before `end` hold what is needed? */
static bool has_enough(const struct few *few, const struct made *made,
                       unsigned end)
{
    const struct xlnuma__need *need = few->need;

    return made->usable_kb + few->usable_before_kb[end] >= need->memory_kb &&
           made->nr_cpus + few->cpus_before[end] >= need->nr_cpus &&
           made->nr_cores + few->cores_before[end] >= need->nr_cores;
}

static void add_cell(const struct few *few, const struct made *made, unsigned i,
                     struct made *more_r)
{
    const struct xlnuma__cell *cell = &few->table->cell[i];

    more_r->set = made->set | (uint64_t)1 << i;
    more_r->mates = made->mates | few->table->socket_mates[i];
    more_r->nodes = made->nodes | (xlnuma_nodeset)1 << cell->id;
    more_r->usable_kb = made->usable_kb + cell->usable_kb;
    more_r->high_kb = made->high_kb + cell->high_kb;
    more_r->load_mvcpu = made->load_mvcpu + cell->load_mvcpu;
    more_r->nr = made->nr + 1;
    more_r->nr_cpus = made->nr_cpus + cell->nr_cpus;
    more_r->nr_cores = made->nr_cores + cell->nr_cores;
    more_r->nr_sockets = made->nr_sockets + !((made->mates >> i) & 1);
    for (unsigned j = 0; j < FEW; j++)
        more_r->column[j] = made->column[j] + few->cost[i][j];
}

/* All sets with one of the cells before `end` more, and their like. */
static void extend(struct few *few, const struct made *made, unsigned end)
{
    struct made more;

    for (unsigned i = end; i-- > 0 && has_enough(few, made, i + 1);) {
        add_cell(few, made, i, &more);
        if (more.nr > 1)
            consider(few, &more);
        if (i && more.nr < few->need->max_nodes &&
            (!few->found->is_found || is_near(few, &more, i)))
            extend(few, &more, i);
    }
}

void xlnuma__few_search(const struct xlnuma__table *table,
                        const struct xlnuma__need *need,
                        struct xlnuma__found *found)
{
    struct few few = { .table = table, .need = need, .found = found };
    struct made none;

    few.excess = HUGE_VAL;
    if (found->is_found)
        set_excess(&few);
    prepare(&few, &none);
    extend(&few, &none, table->nr);
}
