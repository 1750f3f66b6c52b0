/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The best set of two nodes, and on a host of few nodes of any number: what each
 * set can cost at least is found by adding up, and few are judged
 * (docs/planner.md). Large sets on larger hosts are search.c's business.
 */
#include "core/core.h"

#include <math.h> /* HUGE_VAL; no function of it */
#include <string.h>

/*
 * Bounds in doubles are off by less than this part; what is not clearly farther
 * is judged, exactly.
 */
#define ROUNDING 1e-12

#define FEW XLNUMA__FEW_NODES

struct few {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    const struct xlnuma__candidates *candidates;
    struct xlnuma__found *found;
    double excess; /* the best distance so far, less the table's least */
};

/* A set that has what is needed, and what a CPU of it pays at least. */
struct listed {
    double least;
    uint64_t set;
};

static double to_double(uint64_t kb) /* below 2^63 */
{
    return (double)(int64_t)kb;
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

static struct few start(const struct xlnuma__table *table,
                        const struct xlnuma__need *need,
                        const struct xlnuma__candidates *candidates,
                        struct xlnuma__found *found)
{
    struct few few = { table, need, candidates, found, HUGE_VAL };

    if (found->is_found)
        set_excess(&few);
    return few;
}

static void judge(struct few *few, uint64_t set)
{
    if (xlnuma__offer(few->table, few->need, set, few->found))
        set_excess(few);
}

/* Would it come before the best even if it were only as near? */
static bool is_better_tie(const struct few *few, uint64_t set)
{
    const struct xlnuma__table *table = few->table;
    uint64_t needed_kb = few->need->memory_kb, load_mvcpu = 0, high_kb = 0;
    struct xlnuma__judged tie; /* only what decides then */
    enum xlnuma_why_not why;
    unsigned i;

    tie.nr_sockets = tie.nr_cpus = 0;
    tie.usable_kb = tie.nodes = 0;
    XLNUMA_FOR_EACH_NODE(i, set) {
        const struct xlnuma__cell *cell = &table->cell[i];

        tie.nr_sockets +=
            !(table->socket_mates[i] & set & (((uint64_t)1 << i) - 1));
        tie.nr_cpus += cell->nr_cpus;
        tie.usable_kb += cell->usable_kb;
        tie.nodes |= (xlnuma_nodeset)1 << cell->id;
        high_kb += cell->high_kb;
        load_mvcpu += cell->load_mvcpu;
    }
    tie.low_kb = needed_kb > high_kb ? needed_kb - high_kb : 0;
    tie.overload = xlnuma__cost_overload(table, load_mvcpu, tie.nr_cpus);
    return xlnuma__cost_compare_equal(&tie, &few->found->best, &why) < 0;
}

/* Has each cell of the set room for an even part of the guest that is not low? */
static bool is_even(const struct few *few, uint64_t set)
{
    uint64_t even_kb = few->need->memory_kb / xlnuma_nodeset_count(set);
    unsigned i;

    if (few->need->memory != XLNUMA_MEMORY_SPREAD)
        return false;
    XLNUMA_FOR_EACH_NODE(i, set)
        if (few->table->cell[i].high_kb <= even_kb)
            return false;
    return true;
}

/*
 * Is a set that looks as near as the best so? Of memory in even parts the distance is
 * a whole number over nodes times CPUs, so two sets that are not level are apart by
 * 1 / (16 CPUs)^2 or more, and that is more than ROUNDING of 245 scale, the most.
 * Other sets may be apart by a page of the guest.
 */
static bool is_level(const struct few *few, uint64_t set)
{
    uint64_t nr_cpus = few->table->nr_cpus;

    return nr_cpus * nr_cpus * few->table->scale < 1u << 22 &&
           is_even(few, set) && is_even(few, few->found->best.cells);
}

/* The likeliest to be the nearest is the first: it rules most others out. */
static void add_to_list(struct listed list[], unsigned *nr, double least,
                        uint64_t set)
{
    struct listed new = { least, set };

    list[*nr] = new;
    if (least < list[0].least) {
        list[*nr] = list[0];
        list[0] = new;
    }
    ++*nr;
}

/* Judge those that are not clearly behind the best. */
static void judge_list(struct few *few, const struct listed list[], unsigned nr)
{
    double needed_kb = to_double(few->need->memory_kb);
    double limit = few->excess * needed_kb;

    for (unsigned n = 0; n < nr; n++) {
        if (list[n].least > limit * (1 + ROUNDING) ||
            (few->found->is_found && list[n].least >= limit * (1 - ROUNDING) &&
             is_level(few, list[n].set) && !is_better_tie(few, list[n].set)))
            continue;
        judge(few, list[n].set);
        limit = few->excess * needed_kb;
    }
}

/* --- sets of two ----------------------------------------------------------- */

/*
 * The memory of a pair, times its columns: at least. The rest is on the nearer,
 * if that has the room; spread, the farther has half if it has the room.
 */
static double least_of_pair(const struct few *few, unsigned i, unsigned j)
{
    const struct xlnuma__table *table = few->table;
    const struct xlnuma__need *need = few->need;
    const struct xlnuma__cell *near = &table->cell[i], *far = &table->cell[j];
    uint64_t needed_kb = need->memory_kb, beyond_kb = 0;
    uint64_t column_i =
        (uint64_t)far->nr_cpus * (xlnuma__distance(table, j, i) - table->least);
    uint64_t column_j = (uint64_t)near->nr_cpus *
                        (xlnuma__distance(table, i, j) - table->least);

    if (column_i == column_j)
        return to_double(needed_kb) * to_double(column_i);
    if (column_i > column_j) {
        near = far;
        far = &table->cell[i];
    }
    if (need->memory == XLNUMA_MEMORY_SPREAD)
        beyond_kb = far->high_kb < needed_kb / 2 ? far->high_kb : needed_kb / 2;
    if (near->usable_kb < needed_kb && needed_kb - near->usable_kb > beyond_kb)
        beyond_kb = needed_kb - near->usable_kb;
    if (column_i < column_j)
        return to_double(needed_kb - beyond_kb) * to_double(column_i) +
               to_double(beyond_kb) * to_double(column_j);
    return to_double(needed_kb - beyond_kb) * to_double(column_j) +
           to_double(beyond_kb) * to_double(column_i);
}

/* What a cell has to have for a set of two to have what is needed. */
struct lacking {
    uint64_t usable_kb;
    unsigned nr_cpus, nr_cores;
};

static struct lacking beside(const struct xlnuma__need *need,
                             const struct xlnuma__cell *cell)
{
    struct lacking lacking = { 0 };

    if (need->memory_kb > cell->usable_kb)
        lacking.usable_kb = need->memory_kb - cell->usable_kb;
    if (need->nr_cpus > cell->nr_cpus)
        lacking.nr_cpus = need->nr_cpus - cell->nr_cpus;
    if (need->nr_cores > cell->nr_cores)
        lacking.nr_cores = need->nr_cores - cell->nr_cores;
    return lacking;
}

/* The cells before this one that may be in a set of two with it. */
static uint64_t partners(const struct few *few, unsigned i)
{
    const struct xlnuma__candidates *candidates = few->candidates;
    uint64_t first = (uint64_t)1 << i, forced = candidates->forced & ~first;
    uint64_t others = candidates->all & (first - 1) & ~candidates->conflict[i];

    if (forced)
        others &= forced & (forced - 1) ? 0 : forced;
    if (few->need->max_sockets < 2)
        others &= few->table->socket_mates[i];
    return others;
}

static unsigned list_pairs(const struct few *few, struct listed list[])
{
    const struct xlnuma__cell *cell = few->table->cell;
    unsigned nr = 0, i, j;

    XLNUMA_FOR_EACH_NODE(i, few->candidates->all) {
        struct lacking lacking = beside(few->need, &cell[i]);

        XLNUMA_FOR_EACH_NODE(j, partners(few, i))
            if (cell[j].usable_kb >= lacking.usable_kb &&
                cell[j].nr_cpus >= lacking.nr_cpus &&
                cell[j].nr_cores >= lacking.nr_cores)
                add_to_list(list, &nr,
                            least_of_pair(few, i, j) /
                                (cell[i].nr_cpus + cell[j].nr_cpus),
                            (uint64_t)1 << i | (uint64_t)1 << j);
    }
    return nr;
}

static void search_pairs(struct few *few)
{
    struct listed list[XLNUMA_NODES_MAX * (XLNUMA_NODES_MAX - 1) / 2];

    judge_list(few, list, list_pairs(few, list));
}

static xlnuma__part least_part(xlnuma__part a, xlnuma__part b)
{
    xlnuma__part is_a = a < b;

    return (a & is_a) | (b & ~is_a);
}

static xlnuma__part most_part(xlnuma__part a, xlnuma__part b)
{
    xlnuma__part is_b = a < b;

    return (b & is_b) | (a & ~is_b);
}

/*
 * The two least distances to each node from the table's others, added up. Its
 * own, 10, is less than any other.
 */
static void add_two_least(const struct xlnuma__table *table,
                          xlnuma__part sum[XLNUMA_NODES_MAX / XLNUMA__PART])
{
    unsigned nr = xlnuma__nr_parts(table->host);

    for (unsigned n = 0; n < nr; n++) {
        xlnuma__part first = { 0 }, second, third;

        first += INT16_MAX / 2;
        second = third = first;
        for (unsigned i = 0; i < table->nr; i++) {
            xlnuma__part row =
                xlnuma__part_of(table->host, table->cell[i].id, n);

            third = least_part(third, most_part(second, row));
            second = least_part(second, most_part(first, row));
            first = least_part(first, row);
        }
        sum[n] = second + third;
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
    xlnuma__part sum[XLNUMA_NODES_MAX / XLNUMA__PART];
    int least = INT16_MAX;

    add_two_least(table, sum);
    for (unsigned j = 0; j < table->nr; j++) {
        unsigned id = table->cell[j].id;

        if (table->cell[j].nr_cpus != table->cell[0].nr_cpus)
            return false;
        if (table->cell[j].usable_kb &&
            sum[id / XLNUMA__PART][id % XLNUMA__PART] < least)
            least = sum[id / XLNUMA__PART][id % XLNUMA__PART];
    }
    return few->excess * 3 * (1 + ROUNDING) < least - 2 * (int)table->least;
}

bool xlnuma__pairs_search(const struct xlnuma__table *table,
                          const struct xlnuma__need *need,
                          const struct xlnuma__candidates *candidates,
                          struct xlnuma__found *found)
{
    struct few few = start(table, need, candidates, found);

    if (xlnuma_nodeset_count(candidates->forced) <= 2)
        search_pairs(&few);
    return table->nr == 2 || need->max_nodes == 2 ||
           (found->is_found && table->scale == 1 && is_pair_nearest(&few));
}

/* --- sets of three and more ------------------------------------------------ */

/*
 * The cells that are not in every set are halved, and the sums of all sets of
 * each half are known: every set is one of these and one of those.
 */
#define HALF (FEW / 2)
#define SETS (1u << HALF)
#define MOST_EQUAL 70 /* sets of a half with the same size: 8 over 4 */

/* What it costs a set's CPUs to reach each cell, added up by vectors. */
#define LANES 4
typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t signed_lanes __attribute__((vector_size(4 * LANES)));
union row {
    lanes part[FEW / LANES];
    uint32_t cell[FEW]; /* below 2^28 */
};
#define NEVER (1u << 29)

/* CPUs, cores and nodes in one number; below the guards, to compare at once. */
#define COUNTS(nr_cpus, nr_cores, nr)                                          \
    ((uint64_t)(nr_cpus) | (uint64_t)(nr_cores) << 24 | (uint64_t)(nr) << 48)
#define GUARDS COUNTS(1u << 23, 1u << 23, 0)

static unsigned cpus_of(uint64_t counts)
{
    return counts & ((1u << 23) - 1);
}

static unsigned nodes_of(uint64_t counts)
{
    return (unsigned)(counts >> 48);
}

/* Added up at once. */
typedef uint64_t two_sums __attribute__((vector_size(16)));
union sums {
    two_sums both;
    struct {
        uint64_t usable_kb, counts;
    };
};

/* Bit n of a set's index is the n-th of the half's cells. */
struct half {
    unsigned nr_cells, nr_sets;
    uint64_t set[SETS];
    union sums sum[SETS];
    union row column[SETS];
    uint64_t out[SETS];     /* cells that conflict with it; if there are any */
    uint64_t sockets[SETS]; /* the first cell of each; if they are limited */
};

struct sets {
    struct few *few;
    unsigned width;  /* parts of a row that the cells take */
    uint64_t needed; /* counts */
    double needed_kb;
    bool has_conflicts, has_limit;
    double high_kb[FEW];
    uint64_t lacking[FEW]; /* cells that have no path to it, if it is filled */
    uint8_t rank[FEW];     /* which of equally near cells is filled first */
    union row cost[FEW];   /* cpus(i) * (distance(i, j) - least) */
    /* Of so many cells of the low half: the cheapest, and the most that is. */
    union row cheapest[HALF + 1];
    unsigned most_cpus[HALF + 1];
    uint64_t most_kb[HALF + 1];
    struct half low, high;
};

/* Of packed memory: the roomier, then the lower node. */
static void rank_cells(struct sets *sets)
{
    const struct xlnuma__table *table = sets->few->table;

    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__cell *a = &table->cell[i];

        sets->rank[i] = 0;
        for (unsigned j = 0; j < table->nr; j++) {
            const struct xlnuma__cell *b = &table->cell[j];

            sets->rank[i] += b->usable_kb != a->usable_kb
                                 ? b->usable_kb > a->usable_kb
                                 : b->id < a->id;
        }
    }
}

static void find_lacking(struct sets *sets)
{
    const struct xlnuma__table *table = sets->few->table;
    unsigned j;

    memset(sets->lacking, 0, sizeof(sets->lacking));
    for (unsigned i = 0; i < table->nr; i++)
        if (table->cell[i].high_kb < table->cell[i].usable_kb)
            return; /* which cells are filled is another question then */
    for (unsigned i = 0; i < table->nr; i++)
        XLNUMA_FOR_EACH_NODE(j, table->unreachable[i])
            if (table->cell[j].usable_kb)
                sets->lacking[j] |= (uint64_t)1 << i;
}

static void fill_cells(struct sets *sets)
{
    const struct xlnuma__table *table = sets->few->table;

    sets->width = (table->nr + LANES - 1) / LANES;
    sets->has_conflicts = false;
    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__cell *cell = &table->cell[i];

        sets->high_kb[i] = cell->high_kb < sets->few->need->memory_kb
                               ? to_double(cell->high_kb)
                               : sets->needed_kb;
        sets->has_conflicts |= sets->few->candidates->conflict[i] != 0;
        memset(&sets->cost[i], 0, sizeof(sets->cost[i]));
        for (unsigned j = 0; j < table->nr; j++)
            sets->cost[i].cell[j] =
                cell->nr_cpus * (xlnuma__distance(table, i, j) - table->least);
    }
    if (sets->few->need->memory != XLNUMA_MEMORY_PACK)
        return;
    rank_cells(sets);
    find_lacking(sets);
}

/* So many cells of the low half have at most. */
static void fill_most(struct sets *sets, uint64_t low)
{
    const struct xlnuma__table *table = sets->few->table;
    unsigned nr = 0, i;

    sets->most_cpus[0] = 0;
    sets->most_kb[0] = 0;
    XLNUMA_FOR_EACH_NODE(i, low) {
        unsigned nr_cpus = table->cell[i].nr_cpus;
        uint64_t usable_kb = table->cell[i].usable_kb;

        /* One more: each number of them with this cell, or without. */
        nr++;
        sets->most_cpus[nr] = 0;
        sets->most_kb[nr] = 0;
        for (unsigned n = nr; n; n--) {
            if (sets->most_cpus[n - 1] + nr_cpus > sets->most_cpus[n])
                sets->most_cpus[n] = sets->most_cpus[n - 1] + nr_cpus;
            if (sets->most_kb[n - 1] + usable_kb > sets->most_kb[n])
                sets->most_kb[n] = sets->most_kb[n - 1] + usable_kb;
        }
    }
}

/* Into the first `nr` rows, in order in each column; the largest is behind. */
static void insert_row(signed_lanes row, signed_lanes sorted[], unsigned nr)
{
    for (unsigned n = 0; n < nr; n++) {
        signed_lanes before = sorted[n], is_less = row < before;

        sorted[n] = (row & is_less) | (before & ~is_less);
        row = (before & is_less) | (row & ~is_less);
    }
    sorted[nr] = row;
}

/* What a cell pays at least for so many cells of the low half. */
static void fill_cheapest(struct sets *sets, uint64_t low)
{
    const struct xlnuma__table *table = sets->few->table;
    signed_lanes sorted[HALF];
    unsigned i;

    for (unsigned j = 0; j < sets->width * LANES; j++)
        sets->cheapest[0].cell[j] =
            j < table->nr && table->cell[j].usable_kb ? 0 : NEVER;
    for (unsigned part = 0; part < sets->width; part++) {
        unsigned nr = 0;

        XLNUMA_FOR_EACH_NODE(i, low)
            insert_row((signed_lanes)sets->cost[i].part[part], sorted, nr++);
        for (unsigned n = 0; n < nr; n++)
            sets->cheapest[n + 1].part[part] =
                sets->cheapest[n].part[part] + (lanes)sorted[n];
    }
}

/* The sets with this cell, behind those without it. */
static void double_half(const struct sets *sets, unsigned i, struct half *half)
{
    const struct xlnuma__cell *cell = &sets->few->table->cell[i];
    uint64_t mates = sets->few->table->socket_mates[i];
    uint64_t out = sets->few->candidates->conflict[i], bit = (uint64_t)1 << i;
    const union sums sum = { { cell->usable_kb,
                               COUNTS(cell->nr_cpus, cell->nr_cores, 1) } };
    union row cost = sets->cost[i], *column = &half->column[half->nr_sets];
    union sums *sums = &half->sum[half->nr_sets];
    size_t nr = half->nr_sets;

    cost.cell[i] -= NEVER;
    half->nr_cells++;
    for (size_t n = 0; n < nr; n++) {
        half->set[nr + n] = half->set[n] | bit;
        sums[n].both = half->sum[n].both + sum.both;
    }
    for (unsigned part = 0; part < sets->width; part++) {
        const lanes more = cost.part[part];

        for (size_t n = 0; n < nr; n++)
            column[n].part[part] = half->column[n].part[part] + more;
    }
    for (size_t n = 0; sets->has_conflicts && n < nr; n++)
        half->out[nr + n] = half->out[n] | out;
    for (size_t n = 0; sets->has_limit && n < nr; n++)
        half->sockets[nr + n] = half->sockets[n] | (mates & -mates);
    half->nr_sets *= 2;
}

/* All sets of these cells, each with those that are in every set. */
static void fill_half(const struct sets *sets, uint64_t cells, uint64_t always,
                      struct half *half)
{
    const struct xlnuma__table *table = sets->few->table;
    unsigned i;

    half->nr_cells = 0;
    half->nr_sets = 1;
    half->set[0] = always;
    half->sum[0].usable_kb = half->sum[0].counts = 0;
    half->out[0] = half->sockets[0] = 0;
    memset(&half->column[0], 0, sizeof(half->column[0]));
    XLNUMA_FOR_EACH_NODE(i, cells)
        half->column[0].cell[i] = NEVER;
    XLNUMA_FOR_EACH_NODE(i, always) {
        const struct xlnuma__cell *cell = &table->cell[i];
        uint64_t mates = table->socket_mates[i];

        half->sum[0].usable_kb += cell->usable_kb;
        half->sum[0].counts += COUNTS(cell->nr_cpus, cell->nr_cores, 1);
        half->out[0] |= sets->few->candidates->conflict[i];
        half->sockets[0] |= mates & -mates;
        for (unsigned part = 0; part < sets->width; part++)
            half->column[0].part[part] += sets->cost[i].part[part];
    }
    XLNUMA_FOR_EACH_NODE(i, cells)
        double_half(sets, i, half);
}

/* The memory of a set, times its columns: at least. */
static double least_spread(const struct sets *sets, uint64_t set, unsigned nr,
                           const uint32_t column[])
{
    double left_kb = sets->needed_kb;
    double even_kb = left_kb / nr, sum = 0;
    uint32_t cheapest = UINT32_MAX;
    unsigned i;

    /* Each cell has its even part, or all its room and others have more. */
    XLNUMA_FOR_EACH_NODE(i, set) {
        double least_kb =
            sets->high_kb[i] < even_kb ? sets->high_kb[i] : even_kb;

        sum += least_kb * column[i];
        left_kb -= least_kb;
        cheapest = column[i] < cheapest ? column[i] : cheapest;
    }
    return left_kb > 0 ? sum + left_kb * cheapest : sum;
}

static unsigned cheapest_of(const struct sets *sets, uint64_t set,
                            const uint32_t column[])
{
    uint64_t first = UINT64_MAX;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set) {
        uint64_t key = (uint64_t)column[i] << 16 | sets->rank[i] << 8 | i;

        first = key < first ? key : first;
    }
    return first & 0xff;
}

/*
 * The same for packed memory, as cost.c fills the cells, and low memory like
 * other. Without end if it is more than the limit, or lies where a CPU of the
 * set has no path to.
 */
static double least_packed(const struct sets *sets, uint64_t set,
                           const uint32_t column[], double limit)
{
    uint64_t left_kb = sets->few->need->memory_kb, rest = set;
    double sum = 0;

    while (left_kb) {
        unsigned i = cheapest_of(sets, rest, column);
        uint64_t part_kb = sets->few->table->cell[i].usable_kb;

        if (sum + to_double(left_kb) * column[i] > limit ||
            (sets->lacking[i] & set))
            return HUGE_VAL;
        part_kb = part_kb < left_kb ? part_kb : left_kb;
        sum += to_double(part_kb) * column[i];
        left_kb -= part_kb;
        rest &= ~((uint64_t)1 << i);
    }
    return sum;
}

/* Of one set of the high half and one of the low. */
static double least_of(const struct sets *sets, unsigned h, unsigned l,
                       double limit)
{
    const struct half *high = &sets->high, *low = &sets->low;
    uint64_t set = high->set[h] | low->set[l];
    union row column;

    for (unsigned part = 0; part < sets->width; part++)
        column.part[part] =
            high->column[h].part[part] + low->column[l].part[part];
    if (sets->few->need->memory == XLNUMA_MEMORY_PACK)
        return least_packed(sets, set, column.cell, limit);
    return least_spread(sets, set,
                        nodes_of(high->sum[h].counts + low->sum[l].counts),
                        column.cell);
}

static bool holds(const struct sets *sets, unsigned h, unsigned l)
{
    union sums sum = { sets->high.sum[h].both + sets->low.sum[l].both };

    return sum.usable_kb >= sets->few->need->memory_kb &&
           (((sum.counts | GUARDS) - sets->needed) & GUARDS) == GUARDS;
}

/* Are its cells on no more sockets than they may be, and in no conflict? */
static bool is_allowed(const struct sets *sets, unsigned h, unsigned l)
{
    const struct half *high = &sets->high, *low = &sets->low;

    if (sets->has_conflicts && ((high->out[h] & (high->set[h] | low->set[l])) |
                                (low->out[l] & low->set[l])))
        return false;
    return !sets->has_limit ||
           xlnuma_nodeset_count(high->sockets[h] | low->sockets[l]) <=
               sets->few->need->max_sockets;
}

/* The least of all cells. */
static uint32_t least_of_row(const struct sets *sets, const union row *a,
                             const union row *b)
{
    signed_lanes least = (signed_lanes)(a->part[0] + b->part[0]);
    int32_t first, second;

    for (unsigned part = 1; part < sets->width; part++) {
        signed_lanes other = (signed_lanes)(a->part[part] + b->part[part]);
        signed_lanes is_less = other < least;

        least = (other & is_less) | (least & ~is_less);
    }
    first = least[0] < least[1] ? least[0] : least[1];
    second = least[2] < least[3] ? least[2] : least[3];
    return (uint32_t)(first < second ? first : second);
}

/*
 * May this set with so many cells of the low half have what is needed, and be as
 * near as the best? Its memory is at best all where the column is cheapest.
 */
static bool is_near(const struct sets *sets, unsigned h, unsigned nr_low)
{
    const struct xlnuma__need *need = sets->few->need;
    const union sums *sum = &sets->high.sum[h];
    unsigned nr = nodes_of(sum->counts) + nr_low;
    unsigned nr_cpus = cpus_of(sum->counts) + sets->most_cpus[nr_low];

    if (nr < 3 || nr > need->max_nodes || nr_cpus < need->nr_cpus ||
        sum->usable_kb + sets->most_kb[nr_low] < need->memory_kb)
        return false;
    return least_of_row(sets, &sets->high.column[h], &sets->cheapest[nr_low]) <=
           sets->few->excess * nr_cpus * (1 + ROUNDING);
}

/* The next number with as many bits. */
static unsigned next_equal(unsigned bits)
{
    unsigned lowest = bits & -bits, next = bits + lowest;

    return next | (((bits ^ next) >> 2) >> __builtin_ctz(lowest));
}

/* One set of the high half with these of the low, which have as many cells. */
static void search_equal(struct sets *sets, unsigned h, const uint8_t low[],
                         unsigned nr_low)
{
    struct few *few = sets->few;
    struct listed list[MOST_EQUAL];
    unsigned nr = 0;

    for (unsigned n = 0; n < nr_low; n++) {
        double nr_cpus =
            cpus_of(sets->high.sum[h].counts + sets->low.sum[low[n]].counts);
        double limit = few->excess * sets->needed_kb * nr_cpus * (1 + ROUNDING);
        double least = least_of(sets, h, low[n], limit);

        if (least < HUGE_VAL && least <= limit)
            add_to_list(list, &nr, least / nr_cpus,
                        sets->high.set[h] | sets->low.set[low[n]]);
    }
    judge_list(few, list, nr);
}

/* One set of the high half with all of the low. */
static void search_with(struct sets *sets, unsigned h)
{
    const struct half *low = &sets->low;
    uint8_t equal[MOST_EQUAL];

    if (!holds(sets, h, low->nr_sets - 1))
        return;
    if (is_near(sets, h, 0) && holds(sets, h, 0) && is_allowed(sets, h, 0)) {
        equal[0] = 0;
        search_equal(sets, h, equal, 1);
    }
    for (unsigned nr_low = 1; nr_low <= low->nr_cells; nr_low++) {
        unsigned nr = 0;

        if (!is_near(sets, h, nr_low))
            continue;
        for (unsigned l = (1u << nr_low) - 1; l < low->nr_sets;
             l = next_equal(l))
            if (holds(sets, h, l) && is_allowed(sets, h, l))
                equal[nr++] = (uint8_t)l;
        if (nr)
            search_equal(sets, h, equal, nr);
    }
}

void xlnuma__few_search(const struct xlnuma__table *table,
                        const struct xlnuma__need *need,
                        const struct xlnuma__candidates *candidates,
                        struct xlnuma__found *found)
{
    struct few few = start(table, need, candidates, found);
    uint64_t cells = candidates->all & ~candidates->forced, high = cells;
    struct sets sets; /* large: only what is used is written */

    for (unsigned n = 0; n < HALF; n++)
        high &= high - 1; /* 0 stays 0 */
    sets.few = &few;
    sets.needed = COUNTS(need->nr_cpus, need->nr_cores, 0);
    sets.needed_kb = to_double(need->memory_kb);
    sets.has_limit = need->max_sockets < table->nr;
    fill_cells(&sets);
    fill_most(&sets, cells & ~high);
    fill_cheapest(&sets, cells & ~high);
    fill_half(&sets, cells & ~high, 0, &sets.low);
    fill_half(&sets, high, candidates->forced, &sets.high);
    for (unsigned h = 0; h < sets.high.nr_sets; h++)
        search_with(&sets, h);
}
