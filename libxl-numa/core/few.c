/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The best set of two nodes, and on a host of few nodes of any number: all sets
 * are gone through, each made of one with a node less, and most are ruled out
 * before they are judged (docs/planner.md). Large sets on larger hosts are
 * search.c's business.
 */
#include "core/core.h"

#include <math.h> /* HUGE_VAL; no function of it */
#include <string.h>

#define FEW 8 /* nodes: so many sets are soon gone through */

/*
 * Bounds in doubles are off by less than this part; what is not clearly farther
 * is judged, exactly.
 */
#define ROUNDING 1e-12

/* A set, and what it costs its CPUs to reach each cell. */
struct made {
    uint64_t set;
    uint64_t mates; /* cells on its sockets */
    uint64_t out;   /* cells that may not join */
    xlnuma_nodeset nodes;
    uint64_t usable_kb, high_kb, load_mvcpu;
    unsigned nr, nr_cpus, nr_cores, nr_sockets;
    uint32_t column[FEW]; /* sum of cpus(i) * (distance(i, j) - least) */
};

struct few {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    const struct xlnuma__candidates *candidates;
    struct xlnuma__found *found;
    double excess; /* the best distance so far, less the table's least */
    unsigned nr;   /* cells that may join: not those that are in every set */
    uint8_t cell[FEW];
    /* What all of these before i have: the most that may still join. */
    uint64_t usable_before_kb[FEW + 1];
    unsigned cpus_before[FEW + 1], cores_before[FEW + 1];
    unsigned fewest_before[FEW + 1]; /* CPUs of one of them */
    uint32_t step; /* the least of cost(i, j) / cpus(i), i other than j */
    uint32_t cost[FEW][FEW]; /* cpus(i) * (distance(i, j) - least) */
};

static void fill_costs(struct few *few, struct made *none)
{
    const struct xlnuma__table *table = few->table;

    memset(none, 0, sizeof(*none));
    few->step = UINT32_MAX;
    for (unsigned i = 0; i < FEW; i++) {
        memset(few->cost[i], 0, sizeof(few->cost[i]));
        if (i >= table->nr) {
            none->column[i] = UINT32_MAX / 2; /* never the cheapest */
            continue;
        }
        for (unsigned j = 0; j < table->nr; j++) {
            uint32_t step = xlnuma__distance(table, i, j) - table->least;

            few->cost[i][j] = table->cell[i].nr_cpus * step;
            if (i != j && step < few->step)
                few->step = step;
        }
    }
}

static void list_cells(struct few *few)
{
    unsigned i;

    few->nr = 0;
    few->usable_before_kb[0] = 0;
    few->cpus_before[0] = few->cores_before[0] = 0;
    few->fewest_before[0] = UINT32_MAX;
    XLNUMA_FOR_EACH_NODE(i, few->candidates->all & ~few->candidates->forced) {
        const struct xlnuma__cell *cell = &few->table->cell[i];
        unsigned n = few->nr;

        few->cell[few->nr++] = (uint8_t)i;
        few->usable_before_kb[n + 1] =
            few->usable_before_kb[n] + cell->usable_kb;
        few->cpus_before[n + 1] = few->cpus_before[n] + cell->nr_cpus;
        few->cores_before[n + 1] = few->cores_before[n] + cell->nr_cores;
        few->fewest_before[n + 1] = cell->nr_cpus < few->fewest_before[n]
                                        ? cell->nr_cpus
                                        : few->fewest_before[n];
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
    more_r->out = made->out | few->candidates->conflict[i];
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

    for (unsigned n = end; n-- > 0 && has_enough(few, made, n + 1);) {
        if ((made->out >> few->cell[n]) & 1)
            continue;
        add_cell(few, made, few->cell[n], &more);
        if (more.nr > 2)
            consider(few, &more);
        if (n && more.nr < few->need->max_nodes &&
            (!few->found->is_found || is_near(few, &more, n)))
            extend(few, &more, n);
    }
}

/* Those of three and more. */
static void search_all(struct few *few)
{
    struct made made[2]; /* by turns: with a cell more each */
    unsigned nr = 0, i;

    fill_costs(few, &made[0]);
    list_cells(few);
    XLNUMA_FOR_EACH_NODE(i, few->candidates->forced) {
        add_cell(few, &made[nr % 2], i, &made[(nr + 1) % 2]);
        nr++;
    }
    if (nr > few->need->max_nodes)
        return;
    if (nr > 2)
        consider(few, &made[nr % 2]);
    if (nr < few->need->max_nodes)
        extend(few, &made[nr % 2], few->nr);
}

/* --- sets of two ----------------------------------------------------------- */

/* What a pair's cells have of the guest for certain, and at most. */
struct part {
    double least_kb, most_kb;
};

static void fill_parts(const struct few *few, struct part part[])
{
    const struct xlnuma__table *table = few->table;
    uint64_t needed_kb = few->need->memory_kb;
    bool is_spread = few->need->memory == XLNUMA_MEMORY_SPREAD;

    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__cell *cell = &table->cell[i];
        uint64_t most_kb =
            cell->usable_kb < needed_kb ? cell->usable_kb : needed_kb;

        part[i].most_kb = (double)(int64_t)most_kb;
        part[i].least_kb = 0;
        if (is_spread)
            part[i].least_kb = cell->high_kb < needed_kb / 2
                                   ? (double)(int64_t)cell->high_kb
                                   : (double)(int64_t)needed_kb / 2;
    }
}

/* The memory of it, times its columns: at least. */
static double least_of_pair(const struct few *few, const struct part part[],
                            unsigned i, unsigned j)
{
    const struct xlnuma__table *table = few->table;
    double column_i = table->cell[j].nr_cpus *
                      (double)(xlnuma__distance(table, j, i) - table->least);
    double column_j = table->cell[i].nr_cpus *
                      (double)(xlnuma__distance(table, i, j) - table->least);
    double needed_kb = (double)(int64_t)few->need->memory_kb;
    bool is_i = column_i < column_j;
    double near = is_i ? column_i : column_j, far = is_i ? column_j : column_i;
    double beyond_kb = part[is_i ? j : i].least_kb;

    /* The rest is on the nearer, if that has the room. */
    if (needed_kb - part[is_i ? i : j].most_kb > beyond_kb)
        beyond_kb = needed_kb - part[is_i ? i : j].most_kb;
    return (needed_kb - beyond_kb) * near + beyond_kb * far;
}

static bool is_better_pair(const struct few *few, unsigned i, unsigned j)
{
    const struct xlnuma__table *table = few->table;
    const struct xlnuma__cell *a = &table->cell[i], *b = &table->cell[j];
    struct made pair = {
        .nodes = (xlnuma_nodeset)1 << a->id | (xlnuma_nodeset)1 << b->id,
        .usable_kb = a->usable_kb + b->usable_kb,
        .high_kb = a->high_kb + b->high_kb,
        .load_mvcpu = (uint64_t)a->load_mvcpu + b->load_mvcpu,
        .nr_cpus = a->nr_cpus + b->nr_cpus,
        .nr_sockets = 2 - ((table->socket_mates[i] >> j) & 1),
    };

    return is_better_tie(few, &pair);
}

static void consider_pair(struct few *few, const struct part part[], unsigned i,
                          unsigned j)
{
    const struct xlnuma__need *need = few->need;
    const struct xlnuma__cell *a = &few->table->cell[i];
    const struct xlnuma__cell *b = &few->table->cell[j];
    double least, limit;

    if (a->usable_kb + b->usable_kb < need->memory_kb ||
        a->nr_cpus + b->nr_cpus < need->nr_cpus ||
        a->nr_cores + b->nr_cores < need->nr_cores ||
        (need->max_sockets < 2 && a->socket != b->socket))
        return;
    if (few->found->is_found) {
        least = least_of_pair(few, part, i, j);
        limit = few->excess * (a->nr_cpus + b->nr_cpus) *
                (double)(int64_t)need->memory_kb;
        if (least > limit * (1 + ROUNDING) ||
            (least >= limit * (1 - ROUNDING) && !is_better_pair(few, i, j)))
            return;
    }
    judge(few, (uint64_t)1 << i | (uint64_t)1 << j);
}

static void search_pairs(struct few *few)
{
    const struct xlnuma__candidates *candidates = few->candidates;
    struct part part[XLNUMA_NODES_MAX];
    unsigned j;

    fill_parts(few, part);
    for (unsigned i = few->table->nr; i-- > 1;) {
        uint64_t first = (uint64_t)1 << i;
        uint64_t others =
            candidates->all & (first - 1) & ~candidates->conflict[i];

        if (!(candidates->all & first))
            continue;
        XLNUMA_FOR_EACH_NODE(j, others)
            if (!(candidates->forced & ~first & ~((uint64_t)1 << j)))
                consider_pair(few, part, i, j);
    }
}

/*
 * Is every set of three or more farther than the best? The column of each of its
 * cells has two costs at least, of as many CPUs as all its others have each, and
 * further ones only make it dearer in the mean.
 */
static bool is_pair_nearest(const struct few *few)
{
    const struct xlnuma__table *table = few->table;
    uint32_t least = UINT32_MAX;

    for (unsigned j = 0; j < table->nr; j++) {
        uint32_t first = UINT32_MAX / 2, second = UINT32_MAX / 2;

        if (table->cell[j].nr_cpus != table->cell[0].nr_cpus)
            return false;
        for (unsigned i = 0; i < table->nr; i++) {
            uint32_t step = xlnuma__distance(table, i, j) - table->least;

            if (i == j || step >= second)
                continue;
            second = step < first ? first : step;
            first = step < first ? step : first;
        }
        if (table->cell[j].usable_kb && first + second < least)
            least = first + second;
    }
    return few->excess * 3 * (1 + ROUNDING) < least;
}

bool xlnuma__few_search(const struct xlnuma__table *table,
                        const struct xlnuma__need *need,
                        const struct xlnuma__candidates *candidates,
                        struct xlnuma__found *found)
{
    struct few few = {
        .table = table,
        .need = need,
        .candidates = candidates,
        .found = found,
    };

    few.excess = HUGE_VAL;
    if (found->is_found)
        set_excess(&few);
    if (xlnuma_nodeset_count(candidates->forced) <= 2)
        search_pairs(&few);
    if (table->nr == 2 || need->max_nodes == 2 ||
        (found->is_found && table->scale == 1 && is_pair_nearest(&few)))
        return true;
    if (table->nr > FEW)
        return false;
    search_all(&few);
    return true;
}
