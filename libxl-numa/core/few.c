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
    struct xlnuma__judged tie = { .cells = set };
    enum xlnuma_why_not why;
    unsigned i;

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
    for (unsigned n = 0; n < nr; n++) {
        double limit = few->excess * to_double(few->need->memory_kb);

        if (list[n].least > limit * (1 + ROUNDING) ||
            (few->found->is_found && list[n].least >= limit * (1 - ROUNDING) &&
             !is_better_tie(few, list[n].set)))
            continue;
        judge(few, list[n].set);
    }
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

        part[i].most_kb = to_double(most_kb);
        part[i].least_kb = 0;
        if (is_spread)
            part[i].least_kb = cell->high_kb < needed_kb / 2
                                   ? to_double(cell->high_kb)
                                   : to_double(needed_kb) / 2;
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
    double needed_kb = to_double(few->need->memory_kb);
    bool is_i = column_i < column_j;
    double near = is_i ? column_i : column_j, far = is_i ? column_j : column_i;
    double beyond_kb = part[is_i ? j : i].least_kb;

    /* The rest is on the nearer, if that has the room. */
    if (needed_kb - part[is_i ? i : j].most_kb > beyond_kb)
        beyond_kb = needed_kb - part[is_i ? i : j].most_kb;
    return (needed_kb - beyond_kb) * near + beyond_kb * far;
}

static bool has_needed(const struct few *few, unsigned i, unsigned j)
{
    const struct xlnuma__need *need = few->need;
    const struct xlnuma__cell *a = &few->table->cell[i];
    const struct xlnuma__cell *b = &few->table->cell[j];

    return a->usable_kb + b->usable_kb >= need->memory_kb &&
           a->nr_cpus + b->nr_cpus >= need->nr_cpus &&
           a->nr_cores + b->nr_cores >= need->nr_cores &&
           (need->max_sockets > 1 || a->socket == b->socket);
}

static unsigned list_pairs(const struct few *few, struct listed list[])
{
    const struct xlnuma__candidates *candidates = few->candidates;
    const struct xlnuma__cell *cell = few->table->cell;
    struct part part[XLNUMA_NODES_MAX];
    unsigned nr = 0, i, j;

    fill_parts(few, part);
    XLNUMA_FOR_EACH_NODE(i, candidates->all) {
        uint64_t first = (uint64_t)1 << i;
        uint64_t forced = candidates->forced & ~first;
        uint64_t others =
            candidates->all & (first - 1) & ~candidates->conflict[i];

        if (forced)
            others &= forced & (forced - 1) ? 0 : forced;
        XLNUMA_FOR_EACH_NODE(j, others)
            if (has_needed(few, i, j))
                add_to_list(list, &nr,
                            least_of_pair(few, part, i, j) /
                                (cell[i].nr_cpus + cell[j].nr_cpus),
                            first | (uint64_t)1 << j);
    }
    return nr;
}

static void search_pairs(struct few *few)
{
    struct listed list[XLNUMA_NODES_MAX * (XLNUMA_NODES_MAX - 1) / 2];

    judge_list(few, list, list_pairs(few, list));
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
union row {
    lanes part[FEW / LANES];
    uint32_t cell[FEW]; /* below 2^28 */
};
#define NEVER (1u << 30)

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

struct half {
    unsigned nr_sets;
    uint64_t set[SETS];
    uint64_t usable_kb[SETS];
    uint64_t counts[SETS];
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
    /* Of so many cells of the low half: the cheapest, and the most CPUs. */
    union row cheapest[HALF + 1];
    unsigned most_cpus[HALF + 1];
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

/* Into the first `nr`, which are in order. */
static void insert(uint32_t value, uint32_t sorted[], unsigned nr)
{
    for (; nr && sorted[nr - 1] > value; nr--)
        sorted[nr] = sorted[nr - 1];
    sorted[nr] = value;
}

/* What a cell pays at least for so many cells of the low half. */
static void fill_cheapest(struct sets *sets, uint64_t low)
{
    const struct xlnuma__table *table = sets->few->table;
    uint32_t sorted[HALF];
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, low)
        insert(NEVER - table->cell[i].nr_cpus, sorted, nr++);
    sets->most_cpus[0] = 0;
    for (unsigned n = 0; n < nr; n++)
        sets->most_cpus[n + 1] = sets->most_cpus[n] + NEVER - sorted[n];
    for (unsigned j = 0; j < table->nr; j++) {
        nr = 0;
        XLNUMA_FOR_EACH_NODE(i, low)
            insert(sets->cost[i].cell[j], sorted, nr++);
        sets->cheapest[0].cell[j] = table->cell[j].usable_kb ? 0 : NEVER;
        for (unsigned n = 0; n < nr; n++)
            sets->cheapest[n + 1].cell[j] =
                sets->cheapest[n].cell[j] + sorted[n];
    }
}

/* The sets with this cell, behind those without it. */
static void double_half(const struct sets *sets, unsigned i, struct half *half)
{
    const struct xlnuma__cell *cell = &sets->few->table->cell[i];
    uint64_t mates = sets->few->table->socket_mates[i];
    uint64_t out = sets->few->candidates->conflict[i], bit = (uint64_t)1 << i;
    uint64_t counts = COUNTS(cell->nr_cpus, cell->nr_cores, 1);
    uint64_t usable_kb = cell->usable_kb;
    const union row cost = sets->cost[i];
    unsigned nr = half->nr_sets;

    for (unsigned n = 0; n < nr; n++) {
        half->set[nr + n] = half->set[n] | bit;
        half->usable_kb[nr + n] = half->usable_kb[n] + usable_kb;
        half->counts[nr + n] = half->counts[n] + counts;
        for (unsigned part = 0; part < sets->width; part++)
            half->column[nr + n].part[part] =
                half->column[n].part[part] + cost.part[part];
    }
    for (unsigned n = 0; sets->has_conflicts && n < nr; n++)
        half->out[nr + n] = half->out[n] | out;
    for (unsigned n = 0; sets->has_limit && n < nr; n++)
        half->sockets[nr + n] = half->sockets[n] | (mates & -mates);
    half->nr_sets *= 2;
}

/* All sets of these cells, each with those that are in every set. */
static void fill_half(const struct sets *sets, uint64_t cells, uint64_t always,
                      struct half *half)
{
    const struct xlnuma__table *table = sets->few->table;
    unsigned i;

    half->nr_sets = 1;
    half->set[0] = always;
    half->usable_kb[0] = half->counts[0] = 0;
    half->out[0] = half->sockets[0] = 0;
    memset(&half->column[0], 0, sizeof(half->column[0]));
    XLNUMA_FOR_EACH_NODE(i, always) {
        const struct xlnuma__cell *cell = &table->cell[i];
        uint64_t mates = table->socket_mates[i];

        half->usable_kb[0] += cell->usable_kb;
        half->counts[0] += COUNTS(cell->nr_cpus, cell->nr_cores, 1);
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
    return least_spread(sets, set, nodes_of(high->counts[h] + low->counts[l]),
                        column.cell);
}

static bool holds(const struct sets *sets, unsigned h, unsigned l)
{
    uint64_t counts = sets->high.counts[h] + sets->low.counts[l];

    return sets->high.usable_kb[h] + sets->low.usable_kb[l] >=
               sets->few->need->memory_kb &&
           (((counts | GUARDS) - sets->needed) & GUARDS) == GUARDS;
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

/*
 * May this set with so many cells of the low half be as near as the best? Its
 * memory is at best all where the column is cheapest.
 */
static bool is_near(const struct sets *sets, unsigned h, unsigned nr_low)
{
    unsigned nr = nodes_of(sets->high.counts[h]) + nr_low;
    unsigned nr_cpus = cpus_of(sets->high.counts[h]) + sets->most_cpus[nr_low];
    uint32_t cheapest = UINT32_MAX;

    if (nr < 3 || nr > sets->few->need->max_nodes)
        return false;
    for (unsigned j = 0; j < sets->few->table->nr; j++) {
        uint32_t column =
            sets->high.column[h].cell[j] + sets->cheapest[nr_low].cell[j];

        cheapest = column < cheapest ? column : cheapest;
    }
    return cheapest <= sets->few->excess * nr_cpus * (1 + ROUNDING);
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
            cpus_of(sets->high.counts[h] + sets->low.counts[low[n]]);
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
    uint8_t equal[HALF + 1][MOST_EQUAL];
    unsigned nr[HALF + 1] = { 0 };
    unsigned most = nodes_of(low->counts[low->nr_sets - 1]);

    if (!holds(sets, h, low->nr_sets - 1))
        return;
    for (unsigned l = 0; l < low->nr_sets; l++)
        if (holds(sets, h, l) && is_allowed(sets, h, l)) {
            unsigned n = nodes_of(low->counts[l]);

            equal[n][nr[n]++] = (uint8_t)l;
        }
    for (unsigned n = 0; n <= most; n++)
        if (nr[n] && is_near(sets, h, n))
            search_equal(sets, h, equal[n], nr[n]);
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
    fill_cheapest(&sets, cells & ~high);
    fill_half(&sets, cells & ~high, 0, &sets.low);
    fill_half(&sets, high, candidates->forced, &sets.high);
    for (unsigned h = 0; h < sets.high.nr_sets; h++)
        search_with(&sets, h);
}
