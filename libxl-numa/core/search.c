/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The best node set for a guest: a branch and bound over the sets of each size,
 * exact however many nodes there are. docs/planner.md derives the bounds; the
 * names here are those used there. What a set costs is cost.c's business.
 *
 * Bounds are computed in doubles that hold whole numbers below 2^53, so they are
 * exact where the text says so; sets are compared by cost.c, as fractions.
 */
#include "core/classes.h"

#include <math.h> /* HUGE_VAL, HUGE_VALF; no function of it */
#include <stddef.h>
#include <string.h>

/*
 * How much work is done before the search is given up: counted, not timed, so
 * that the same question always has the same answer. Hosts of few nodes have not
 * so many partial sets.
 */
#define FEW_WORK 8000
#define NEAREST_WORK 30000
#define CORES_WORK 20000 /* the second search of a guest */
#define TIE_WORK 1500

/* With so many cells to choose from all sets are gone through at once. */
#define SOON 10

/* And on hosts of many nodes without structure, when there is a set, of many. */
#define MANY_NODES 32
#define LARGE_SET 4
#define IRREGULAR_WORK 700

/* On larger hosts sets are grown from so many cells. */
#define SEEDS 16

/* How often the best set is improved by a cell; and others, all together. */
#define MOVES 32
#define OTHER_MOVES 6

/* Twins are looked for when a search takes longer than that. */
#define TWINS_STEP 200

/* Rows are padded to this, for the compiler to use vectors. */
#define BLOCK 8

/* Every sum of the bounds stays below this: whole numbers in a double. */
#define EXACT 0x1p51

/* A partial set: its cells, and those that may still join, cheapest first. */
struct partial {
    uint64_t set;
    uint64_t mates; /* cells on the sockets of the set's */
    uint64_t done;  /* cells that joined before, and may not any more */
    uint64_t usable_kb, high_kb, load_mvcpu;
    unsigned nr_cpus, nr_cores, nr_sockets;
    unsigned nr_left; /* cells that are still to join */
    unsigned nr;
    double base;   /* what the set itself costs, at least, less theta */
    bool is_level; /* every completion has the same level, below their room */
    uint8_t order[XLNUMA_NODES_MAX];
    double column[XLNUMA_NODES_MAX]; /* of all cells, by the set's CPUs */
    double value[XLNUMA_NODES_MAX]; /* at least what it costs to let one join */
};

struct search {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    struct xlnuma__found *found;
    bool is_spread;
    bool is_tie;    /* the distance is known; now the order of equals */
    bool is_over;   /* out of work */
    bool has_equal; /* left out what may be as near as the best */
    bool has_twins;
    unsigned work_left;
    unsigned nr_improved;
    uint8_t by_usable[XLNUMA_NODES_MAX]; /* descending; and not cleared */
    uint8_t by_tight[XLNUMA_NODES_MAX];  /* ascending usable_kb */
    uint8_t by_high[XLNUMA_NODES_MAX];   /* descending */
    uint8_t by_cpus[XLNUMA_NODES_MAX];   /* descending */
    uint8_t by_cores[XLNUMA_NODES_MAX];  /* descending */
    uint8_t by_load[XLNUMA_NODES_MAX];   /* ascending */
    uint8_t by_id[XLNUMA_NODES_MAX];     /* ascending */
    struct xlnuma__candidates candidates;
    uint64_t twins[XLNUMA_NODES_MAX]; /* when has_twins */
    /* cost[i][j]: cpus(i) * (distance(i, j) - least), and transposed */
    float cost[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    float cost_to[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    /* near[n][j]: sum of the n smallest cost[i][j], i other than j */
    double near[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    double near_next[XLNUMA_NODES_MAX]; /* the last that was added */
    float near_left[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX]; /* not added yet */
    unsigned nr_near;
    /* for the size that is searched */
    unsigned size;
    double scale; /* the guest's memory in the bounds' unit */
    double theta; /* best excess so far, in that unit, rounded up */
    double room[XLNUMA_NODES_MAX];    /* high memory, rounded down */
    double room_up[XLNUMA_NODES_MAX]; /* high memory, rounded up */
    double usable_up[XLNUMA_NODES_MAX];
    struct partial partial[XLNUMA_NODES_MAX + 1];
};

bool xlnuma__holds(const struct xlnuma__need *need,
                   const struct xlnuma__judged *set)
{
    return set->usable_kb >= need->memory_kb && set->nr_cpus >= need->nr_cpus &&
           set->nr_cores >= need->nr_cores && set->is_reachable &&
           xlnuma_nodeset_count(set->nodes) <= need->max_nodes &&
           set->nr_sockets <= need->max_sockets;
}

/* --- sets judged ----------------------------------------------------------- */

bool xlnuma__offer(const struct xlnuma__table *table,
                   const struct xlnuma__need *need, uint64_t set,
                   struct xlnuma__found *found)
{
    struct xlnuma__judged judged;
    enum xlnuma_why_not why;

    xlnuma__cost_judge(table, set, need->memory_kb, need->memory, &judged);
    if (!xlnuma__holds(need, &judged) ||
        (found->is_found &&
         xlnuma__cost_compare(&judged, &found->best, &why) >= 0))
        return false;
    found->is_found = true;
    found->best = judged;
    return true;
}

static void offer(struct search *search, uint64_t set)
{
    search->nr_improved +=
        xlnuma__offer(search->table, search->need, set, search->found);
}

static void offer_singles(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    unsigned i = 0, end = table->nr;

    if (table->scale == 1) {
        i = xlnuma__cost_best_single(table, search->need);
        end = i < end ? i + 1 : end;
    }
    for (; i < end; i++)
        if (table->cell[i].usable_kb >= search->need->memory_kb)
            offer(search, (uint64_t)1 << i);
}

/*
 * Cells that no set holds both of: a CPU of one has no path to the other, which
 * has a share for certain. False if there are none.
 */
static bool find_conflicts(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    uint64_t any = 0;

    for (unsigned i = 0; i < table->nr; i++) {
        search->candidates.conflict[i] = 0;
        any |= table->unreachable[i];
    }
    if (!any || !search->is_spread)
        return false;
    for (unsigned i = 0; i < table->nr; i++) {
        unsigned j;

        XLNUMA_FOR_EACH_NODE(j, table->unreachable[i])
            if (table->cell[j].high_kb) {
                search->candidates.conflict[i] |= (uint64_t)1 << j;
                search->candidates.conflict[j] |= (uint64_t)1 << i;
            }
    }
    return true;
}

/*
 * The cells that are in every set of `all` that holds what is needed: without
 * them the others lack something. False if all together lack it.
 */
static bool find_forced(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    const struct xlnuma__need *need = search->need;
    uint64_t usable_kb = 0, nr_cpus = 0, nr_cores = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, search->candidates.all) {
        usable_kb += table->cell[i].usable_kb;
        nr_cpus += table->cell[i].nr_cpus;
        nr_cores += table->cell[i].nr_cores;
    }
    search->candidates.forced = 0;
    if (usable_kb < need->memory_kb || nr_cpus < need->nr_cpus ||
        nr_cores < need->nr_cores)
        return false;
    XLNUMA_FOR_EACH_NODE(i, search->candidates.all)
        if (usable_kb - table->cell[i].usable_kb < need->memory_kb ||
            nr_cpus - table->cell[i].nr_cpus < need->nr_cpus ||
            nr_cores - table->cell[i].nr_cores < need->nr_cores)
            search->candidates.forced |= (uint64_t)1 << i;
    return true;
}

/* Leave out what no set can have beside these, over and over. */
static bool find_candidates(struct search *search)
{
    bool has_conflicts = find_conflicts(search);
    uint64_t out;
    unsigned i;

    do {
        if (!find_forced(search))
            return false;
        out = 0;
        if (has_conflicts)
            XLNUMA_FOR_EACH_NODE(i, search->candidates.forced)
                out |= search->candidates.conflict[i];
        out &= search->candidates.all;
        search->candidates.all &= ~out;
    } while (out);
    return true;
}

/* --- first answers: sets grown from each cell ------------------------------ */

struct grown {
    uint64_t set;
    uint64_t usable_kb;
    unsigned nr, nr_cpus, nr_cores, nr_sockets;
    /* Cost to and from the set's cells; of those that may not join no end. */
    float sum[XLNUMA_NODES_MAX] __attribute__((aligned(16)));
    double pairs;
};

static bool has_all(const struct search *search, const struct grown *grown)
{
    return grown->usable_kb >= search->need->memory_kb &&
           grown->nr_cpus >= search->need->nr_cpus &&
           grown->nr_cores >= search->need->nr_cores;
}

static void join(const struct search *search, struct grown *grown, unsigned i)
{
    const struct xlnuma__table *table = search->table;
    const struct xlnuma__cell *cell = &table->cell[i];

    unsigned out;

    grown->nr_sockets += !(table->socket_mates[i] & grown->set);
    grown->pairs += grown->sum[i];
    grown->set |= (uint64_t)1 << i;
    grown->sum[i] = HUGE_VALF;
    XLNUMA_FOR_EACH_NODE(out, search->candidates.conflict[i])
        grown->sum[out] = HUGE_VALF;
    grown->nr++;
    grown->usable_kb += cell->usable_kb;
    grown->nr_cpus += cell->nr_cpus;
    grown->nr_cores += cell->nr_cores;
    for (unsigned j = 0; j < table->nr; j += BLOCK)
        for (unsigned n = 0; n < BLOCK; n++)
            grown->sum[j + n] +=
                search->cost[i][j + n] + search->cost_to[i][j + n];
}

/* The least of a row. */
static float least_sum(const float sum[], unsigned nr)
{
    typedef float floats __attribute__((vector_size(16)));
    typedef int32_t mask __attribute__((vector_size(16)));
    floats least, next;
    float first, second;

    memcpy(&least, sum, sizeof(least));
    for (unsigned i = 4; i < nr; i += 4) {
        mask is_less;

        memcpy(&next, &sum[i], sizeof(next));
        is_less = next < least;
        least = (floats)(((mask)next & is_less) | ((mask)least & ~is_less));
    }
    first = least[0] < least[1] ? least[0] : least[1];
    second = least[2] < least[3] ? least[2] : least[3];
    return first < second ? first : second;
}

/* The nearest cell that may join, of equals the roomiest; nr if none may. */
static unsigned next_to_join(const struct search *search, struct grown *grown)
{
    const struct xlnuma__table *table = search->table;
    unsigned i = table->nr;
    float least;

    if (grown->nr_sockets >= search->need->max_sockets)
        for (unsigned out = 0; out < table->nr; out++)
            if (!(table->socket_mates[out] & grown->set))
                grown->sum[out] = HUGE_VALF;
    least = least_sum(grown->sum, table->nr);
    if (least >= HUGE_VALF)
        return table->nr;
    while (grown->sum[--i] > least)
        ;
    return i;
}

/* How far the best set is beyond the least distance. */
static double excess_of_best(const struct search *search)
{
    if (!search->found->is_found)
        return HUGE_VAL;
    return xlnuma__cost_distance(&search->found->best,
                                 search->need->memory_kb) -
           search->table->least;
}

/* As it stands, and evenly spread: is it farther than that already? */
static bool is_hopeless(const struct grown *grown, double excess)
{
    return grown->nr_cpus && grown->pairs / grown->nr / grown->nr_cpus > excess;
}

/* 0 if that comes to nothing, or would be farther. */
static uint64_t grown_from(const struct search *search, unsigned seed,
                           double excess)
{
    struct grown grown = { 0 };
    unsigned next = seed;

    for (unsigned i = 0; i < (search->table->nr + 3) / 4 * 4; i++)
        if (!((search->candidates.all >> i) & 1))
            grown.sum[i] = HUGE_VALF;
    while (next < search->table->nr && grown.nr < search->need->max_nodes) {
        join(search, &grown, next);
        if (is_hopeless(&grown, excess))
            return 0;
        if (has_all(search, &grown))
            return grown.set;
        next = next_to_join(search, &grown);
    }
    return 0;
}

static void grow(struct search *search, unsigned seed)
{
    uint64_t set = grown_from(search, seed, excess_of_best(search));

    if (set)
        offer(search, set);
}

/* From some of these cells; if that finds none, from all. */
static void grow_from(struct search *search, const uint8_t seed[], unsigned nr)
{
    unsigned next = (nr + SEEDS - 1) / SEEDS;

    for (unsigned n = 0; n < nr; n += next)
        grow(search, seed[n]);
    for (unsigned n = 0; !search->found->is_found && n < nr; n++)
        grow(search, seed[n]);
}

/* Exchange cells of the best set, as long as that makes it better. */
static void improve(struct search *search)
{
    unsigned nr_improved;
    uint64_t set;

    for (unsigned n = 0; n < MOVES; n++) {
        nr_improved = search->nr_improved;
        set = xlnuma__exchange(search->table, search->need, search->cost,
                               search->found->best.cells);
        if (set)
            offer(search, set);
        if (search->nr_improved == nr_improved)
            return;
    }
}

/*
 * Nobody knows whether the best set is the nearest: exchange cells of sets grown
 * from elsewhere, until nothing is nearer to them.
 */
static void improve_others(struct search *search)
{
    unsigned nr = search->table->nr, nr_moves = 0;

    for (unsigned n = 0; n < nr; n += (nr + SEEDS - 1) / SEEDS) {
        uint64_t set = grown_from(search, search->by_usable[n], HUGE_VAL);

        while (set && nr_moves++ < OTHER_MOVES) {
            set = xlnuma__exchange(search->table, search->need, search->cost,
                                   set);
            if (set)
                offer(search, set);
        }
    }
}

/* --- what a partial set can still become ----------------------------------- */

/* The sum of a field over the first `nr` of `order` that are in `from`. */
#define SUM_OF(field)                                                          \
    static uint64_t sum_##field(const struct xlnuma__table *table,             \
                                uint64_t from, unsigned nr,                    \
                                const uint8_t order[])                         \
    {                                                                          \
        uint64_t sum = 0;                                                      \
                                                                               \
        for (unsigned n = 0; nr && n < table->nr; n++)                         \
            if ((from >> order[n]) & 1) {                                      \
                sum += table->cell[order[n]].field;                            \
                nr--;                                                          \
            }                                                                  \
        return sum;                                                            \
    }
SUM_OF(usable_kb)
SUM_OF(high_kb)
SUM_OF(nr_cpus)
SUM_OF(nr_cores)
SUM_OF(load_mvcpu)

static uint64_t mask_of(const struct partial *partial)
{
    uint64_t mask = 0;

    for (unsigned n = 0; n < partial->nr; n++)
        mask |= (uint64_t)1 << partial->order[n];
    return mask;
}

/* Can the set get all that is needed from `from`? */
static bool can_hold(const struct search *search, const struct partial *partial,
                     uint64_t from)
{
    const struct xlnuma__table *table = search->table;
    const struct xlnuma__need *need = search->need;
    unsigned nr = partial->nr_left;

    if (partial->usable_kb < need->memory_kb &&
        partial->usable_kb + sum_usable_kb(table, from, nr, search->by_usable) <
            need->memory_kb)
        return false;
    if (partial->nr_cpus < need->nr_cpus &&
        partial->nr_cpus + sum_nr_cpus(table, from, nr, search->by_cpus) <
            need->nr_cpus)
        return false;
    return partial->nr_cores >= need->nr_cores ||
           partial->nr_cores +
                   sum_nr_cores(table, from, nr, search->by_cores) >=
               need->nr_cores;
}

/* Rounded down; below 2^53 and not below 0. */
static double whole(double value)
{
    return (double)(uint64_t)value;
}

static double at_most(double a, double b)
{
    return a < b ? a : b;
}

/*
 * At least this much lies on each cell that has the room: the level of the
 * shares when the roomiest of `from` join.
 */
static double lowest_level(const struct search *search,
                           const struct partial *partial, uint64_t from)
{
    uint64_t set = partial->set;
    double left = search->scale;
    unsigned nr = search->size, n = partial->nr_left, i;

    for (i = search->table->nr; n && i-- > 0;)
        if ((from >> i) & 1) {
            set |= (uint64_t)1 << i;
            n--;
        }
    XLNUMA_FOR_EACH_NODE(i, set) {
        if (search->room_up[i] * nr > left)
            return left > 0 ? whole(left / nr) : 0;
        left -= search->room_up[i];
        nr--;
    }
    return HUGE_VAL;
}

/* The cheapest column that any completion can have. */
static double cheapest_column(const struct search *search,
                              const struct partial *partial)
{
    const double *near = search->near[partial->nr_left];
    const double *near_other = search->near[partial->nr_left - 1];
    double cheapest = HUGE_VAL;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, partial->set)
        if (search->usable_up[i] > 0)
            cheapest = at_most(cheapest, partial->column[i] + near[i]);
    for (unsigned n = 0; n < partial->nr; n++) {
        i = partial->order[n];
        if (search->usable_up[i] > 0)
            cheapest = at_most(cheapest, partial->column[i] + near_other[i]);
    }
    return cheapest;
}

/* The least that each cell can have: spread, the level or all its room. */
static void least_spread(const struct search *search, struct partial *partial,
                         uint64_t from, double least[])
{
    double level = lowest_level(search, partial, from);

    partial->is_level = true;
    for (unsigned n = 0; n < partial->nr; n++)
        if (search->room[partial->order[n]] < level * (1 + 1e-6) + 1024)
            partial->is_level = false; /* or too near to tell */
    for (unsigned i = 0; i < search->table->nr; i++)
        least[i] = at_most(search->room[i], level);
}

/* Packed: what is too much for all the others, were these the roomiest. */
static void least_packed(const struct search *search,
                         const struct partial *partial, uint64_t from,
                         double least[])
{
    uint64_t roomiest = partial->set;
    unsigned nr = partial->nr_left, i;
    double all = 0, last = 0;

    for (unsigned n = 0; nr && n < search->table->nr; n++)
        if ((from >> search->by_usable[n]) & 1) {
            roomiest |= (uint64_t)1 << search->by_usable[n];
            last = search->usable_up[search->by_usable[n]];
            nr--;
        }
    XLNUMA_FOR_EACH_NODE(i, roomiest)
        all += search->usable_up[i];
    for (i = 0; i < search->table->nr; i++) {
        bool is_in = (roomiest >> i) & 1;
        double others = all - (is_in ? search->usable_up[i] : last);

        least[i] = others < search->scale ? search->scale - others : 0;
    }
}

/*
 * Values of the cells that may join. Together with what the set itself costs
 * (base) the nr_left cheapest are a bound on the excess of every completion over
 * theta.
 */
static void value_cells(const struct search *search, struct partial *partial,
                        uint64_t from)
{
    const struct xlnuma__cell *cell = search->table->cell;
    const double *near = search->near[partial->nr_left - 1];
    double cheapest = cheapest_column(search, partial);
    double least[XLNUMA_NODES_MAX], reach[XLNUMA_NODES_MAX];
    unsigned i;

    if (search->is_spread)
        least_spread(search, partial, from, least);
    else
        least_packed(search, partial, from, least);
    memset(reach, 0, sizeof(reach));
    partial->base = search->scale * cheapest - search->theta * partial->nr_cpus;
    XLNUMA_FOR_EACH_NODE(i, partial->set) {
        partial->base += least[i] * (partial->column[i] - cheapest);
        for (unsigned j = 0; j < search->table->nr; j += BLOCK)
            for (unsigned n = 0; n < BLOCK; n++)
                reach[j + n] += least[i] * search->cost_to[i][j + n];
    }
    for (unsigned n = 0; n < partial->nr; n++) {
        i = partial->order[n];
        partial->value[i] =
            reach[i] + least[i] * (partial->column[i] + near[i] - cheapest) -
            search->theta * cell[i].nr_cpus;
    }
}

/* Memory goes where columns are cheapest: the least that it can cost. */
static double cheapest_fill(const struct search *search,
                            const struct partial *partial, uint64_t from)
{
    const double *near = search->near[partial->nr_left];
    const double *near_other = search->near[partial->nr_left - 1];
    double left = search->scale, sum = 0, column[XLNUMA_NODES_MAX];
    uint8_t order[XLNUMA_NODES_MAX];
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, partial->set | from) {
        unsigned at = nr++;

        column[i] = partial->column[i] +
                    ((partial->set >> i) & 1 ? near[i] : near_other[i]);
        for (; at && column[i] < column[order[at - 1]]; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
    for (unsigned n = 0; n < nr && left > 0; n++) {
        double share = at_most(search->usable_up[order[n]], left);

        sum += share * column[order[n]];
        left -= share;
    }
    return sum;
}

/* Does a bound on the excess over theta rule all completions out? */
static bool is_beyond(struct search *search, double bound)
{
    if (bound > 0)
        return true;
    if (bound < 0 || search->is_tie)
        return false;
    search->has_equal = true;
    return true;
}

/* The second bound for packed memory, by where it lies at best. */
static bool is_fill_beyond(struct search *search, const struct partial *partial,
                           uint64_t from)
{
    double cpus = partial->nr_cpus + (double)sum_nr_cpus(search->table, from,
                                                         partial->nr_left,
                                                         search->by_cpus);

    return is_beyond(search, cheapest_fill(search, partial, from) -
                                 search->theta * cpus);
}

/* Nearly sorted already, by the set that this one was made of. */
static void sort_by_value(struct partial *partial)
{
    for (unsigned n = 1; n < partial->nr; n++) {
        uint8_t i = partial->order[n];
        unsigned at = n;

        for (; at && partial->value[i] < partial->value[partial->order[at - 1]];
             at--)
            partial->order[at] = partial->order[at - 1];
        partial->order[at] = i;
    }
}

/* --- ties ------------------------------------------------------------------ */

/* At least so many sockets, when `nr` of `from` join. */
static unsigned fewest_sockets(const struct search *search,
                               const struct partial *partial, uint64_t from)
{
    unsigned seats = xlnuma_nodeset_count(partial->mates & from);
    unsigned nr = partial->nr_left, most = 1, i;

    if (nr <= seats)
        return partial->nr_sockets;
    XLNUMA_FOR_EACH_NODE(i, from) {
        unsigned mates =
            xlnuma_nodeset_count(search->table->socket_mates[i] & from);

        most = mates > most ? mates : most;
    }
    return partial->nr_sockets + (nr - seats + most - 1) / most;
}

static xlnuma_nodeset lowest_ids(const struct search *search,
                                 const struct partial *partial, uint64_t from)
{
    const struct xlnuma__table *table = search->table;
    xlnuma_nodeset nodes = 0;
    unsigned nr = partial->nr_left, i;

    XLNUMA_FOR_EACH_NODE(i, partial->set)
        nodes |= (xlnuma_nodeset)1 << table->cell[i].id;
    for (unsigned n = 0; nr && n < table->nr; n++)
        if ((from >> search->by_id[n]) & 1) {
            nodes |= (xlnuma_nodeset)1 << table->cell[search->by_id[n]].id;
            nr--;
        }
    return nodes;
}

/*
 * Were all completions as near as the best: would one be before it? Each part
 * of the order is taken at its least, and compared in the order's way.
 */
static bool is_behind(const struct search *search,
                      const struct partial *partial, uint64_t from)
{
    const struct xlnuma__table *table = search->table;
    const struct xlnuma__judged *best = &search->found->best;
    uint64_t needed_kb = search->need->memory_kb, high_kb;
    struct xlnuma__judged least;
    unsigned nr = partial->nr_left;
    enum xlnuma_why_not why;

    least.nr_sockets = fewest_sockets(search, partial, from);
    if (least.nr_sockets != best->nr_sockets)
        return least.nr_sockets > best->nr_sockets;
    high_kb = partial->high_kb + sum_high_kb(table, from, nr, search->by_high);
    least.low_kb = needed_kb > high_kb ? needed_kb - high_kb : 0;
    least.nr_cpus = partial->nr_cpus +
                    (unsigned)sum_nr_cpus(table, from, nr, search->by_cpus);
    least.overload = xlnuma__cost_overload(
        table,
        partial->load_mvcpu + sum_load_mvcpu(table, from, nr, search->by_load),
        least.nr_cpus);
    least.usable_kb =
        partial->usable_kb + sum_usable_kb(table, from, nr, search->by_tight);
    if (least.usable_kb < needed_kb)
        least.usable_kb = needed_kb;
    least.nodes = lowest_ids(search, partial, from);
    return xlnuma__cost_compare_equal(&least, best, &why) >= 0;
}

static void set_scale(struct search *search);

/* --- branch and bound ------------------------------------------------------ */

/* The bound when the nr_left cheapest from `at` on join. */
static double bound_from(const struct partial *partial, unsigned at)
{
    double bound = partial->base;

    for (unsigned n = 0; n < partial->nr_left; n++)
        bound += partial->value[partial->order[at + n]];
    return bound;
}

/* Leave out the cells that no completion worth finding has. */
static void drop_dear(struct search *search, struct partial *partial,
                      double bound)
{
    unsigned last = partial->nr_left - 1;

    bound -= partial->value[partial->order[last]];
    while (partial->nr > partial->nr_left &&
           is_beyond(search,
                     bound + partial->value[partial->order[partial->nr - 1]]))
        partial->nr--;
}

/* Can it be completed from `from`, and in the second pass to a better tie? */
static bool is_wanted(const struct search *search,
                      const struct partial *partial, uint64_t from)
{
    return partial->nr >= partial->nr_left && can_hold(search, partial, from) &&
           !(search->is_tie && is_behind(search, partial, from));
}

/*
 * Bound the completions of a partial set. Returns false when none of them can
 * be better than the best so far; else its cells are in order.
 */
static bool is_open(struct search *search, struct partial *partial)
{
    uint64_t from = mask_of(partial);
    unsigned nr = partial->nr;
    double bound;

    if (!search->is_spread && is_fill_beyond(search, partial, from))
        return false;
    value_cells(search, partial, from);
    sort_by_value(partial);
    bound = bound_from(partial, 0);
    if (is_beyond(search, bound))
        return false;
    drop_dear(search, partial, bound);
    return partial->nr == nr || can_hold(search, partial, mask_of(partial));
}

static void add_cell(const struct search *search, struct partial *partial,
                     unsigned i)
{
    const struct xlnuma__table *table = search->table;
    const struct xlnuma__cell *cell = &table->cell[i];

    partial->nr_sockets += !((partial->mates >> i) & 1);
    partial->mates |= table->socket_mates[i];
    partial->set |= (uint64_t)1 << i;
    partial->usable_kb += cell->usable_kb;
    partial->high_kb += cell->high_kb;
    partial->load_mvcpu += cell->load_mvcpu;
    partial->nr_cpus += cell->nr_cpus;
    partial->nr_cores += cell->nr_cores;
    partial->nr_left--;
}

/* The partial set with one more cell; those after it may still join. */
static struct partial *child_of(const struct search *search,
                                struct partial *parent, unsigned at)
{
    struct partial *child = parent + 1;
    unsigned i = parent->order[at];
    uint64_t out = search->candidates.conflict[i];

    memcpy(child, parent, offsetof(struct partial, order));
    add_cell(search, child, i);
    if (child->nr_sockets >= search->need->max_sockets)
        out |= ~child->mates;
    child->nr = 0;
    for (unsigned n = at + 1; n < parent->nr; n++)
        if (!((out >> parent->order[n]) & 1))
            child->order[child->nr++] = parent->order[n];
    return child;
}

/* The child's columns: only when what is cheaper has not ruled it out. */
static void add_columns(const struct search *search, struct partial *child,
                        unsigned i)
{
    const struct partial *parent = child - 1;

    for (unsigned j = 0; j < search->table->nr; j += BLOCK)
        for (unsigned n = 0; n < BLOCK; n++)
            child->column[j + n] =
                parent->column[j + n] + search->cost[i][j + n];
}

/* As far from and to all other cells, with as many CPUs. */
static bool is_twin(const struct search *search, unsigned a, unsigned b)
{
    if (search->table->cell[a].nr_cpus != search->table->cell[b].nr_cpus ||
        search->cost[a][a] != search->cost[b][b])
        return false;
    for (unsigned i = 0; i < search->table->nr; i++)
        if (i != a && i != b &&
            (search->cost[a][i] != search->cost[b][i] ||
             search->cost_to[a][i] != search->cost_to[b][i]))
            return false;
    return true;
}

static void find_twins(struct search *search)
{
    for (unsigned i = 0; i < search->table->nr; i++) {
        search->twins[i] = 0;
        for (unsigned j = 0; j < i; j++)
            if (is_twin(search, i, j)) {
                search->twins[i] |= (uint64_t)1 << j;
                search->twins[j] |= (uint64_t)1 << i;
            }
    }
    search->has_twins = true;
}

/* Work is counted, not timed: more for larger sets, as these take longer. */
static void step(struct search *search)
{
    unsigned work = (8 + search->size) * (search->is_spread ? 1 : 2);

    if (search->found->nr_steps++ == TWINS_STEP)
        find_twins(search);
    if (search->work_left >= work)
        search->work_left -= work;
    else
        search->is_over = true;
}

static void visit(struct search *search, struct partial *partial);

/* The set is complete with this cell. */
static void complete(struct search *search, const struct partial *partial,
                     unsigned i)
{
    const struct xlnuma__cell *cell = &search->table->cell[i];
    unsigned nr_improved = search->nr_improved;

    step(search);
    if (partial->usable_kb + cell->usable_kb < search->need->memory_kb ||
        partial->nr_cpus + cell->nr_cpus < search->need->nr_cpus)
        return;
    offer(search, partial->set | (uint64_t)1 << i);
    if (search->nr_improved != nr_improved)
        set_scale(search);
}

/*
 * Would every completion with this cell be as near with a twin of it instead,
 * which joined before and led to nothing nearer?
 */
static bool is_repeated(const struct search *search,
                        const struct partial *partial, unsigned i)
{
    const struct xlnuma__table *table = search->table;
    const struct xlnuma__cell *cell = &table->cell[i], *twin;
    unsigned n;

    if (search->is_tie || !search->has_twins)
        return false;
    XLNUMA_FOR_EACH_NODE(n, search->twins[i] & partial->done) {
        twin = &table->cell[n];
        if (twin->nr_cores < cell->nr_cores ||
            (search->need->max_sockets < XLNUMA_NODES_MAX &&
             twin->socket != cell->socket))
            continue;
        if (twin->usable_kb == cell->usable_kb &&
            twin->high_kb == cell->high_kb)
            return true;
        if (search->is_spread && partial->is_level &&
            twin->usable_kb >= cell->usable_kb &&
            twin->high_kb >= cell->high_kb)
            return true;
    }
    return false;
}

/* The completions with one more cell, and none of those before it. */
static void descend(struct search *search, struct partial *partial, unsigned at)
{
    unsigned i = partial->order[at];
    struct partial *child = child_of(search, partial, at);

    step(search);
    if (search->is_over || !is_wanted(search, child, mask_of(child)))
        return;
    add_columns(search, child, i);
    visit(search, child);
}

/* Let one cell join after the other, until the rest is ruled out. */
static void branch(struct search *search, struct partial *partial)
{
    unsigned nr_improved = search->nr_improved;

    for (unsigned at = 0; at + partial->nr_left <= partial->nr; at++) {
        if (search->nr_improved != nr_improved) {
            memmove(partial->order, partial->order + at, partial->nr - at);
            partial->nr -= at;
            at = 0;
            nr_improved = search->nr_improved;
            if (!is_wanted(search, partial, mask_of(partial)) ||
                !is_open(search, partial))
                return;
        }
        if (is_beyond(search, bound_from(partial, at)))
            return;
        if (is_repeated(search, partial, partial->order[at]))
            search->has_equal = true;
        else if (partial->nr_left == 1)
            complete(search, partial, partial->order[at]);
        else
            descend(search, partial, at);
        partial->done |= (uint64_t)1 << partial->order[at];
        if (search->is_over)
            return;
    }
}

static void visit(struct search *search, struct partial *partial)
{
    if (is_open(search, partial))
        branch(search, partial);
}

/* --- one size after the other ---------------------------------------------- */

/* near[nr] of all cells, from near[nr - 1]: the cheapest that is left is taken. */
static void extend_near(struct search *search)
{
    unsigned nr = ++search->nr_near;

    for (unsigned j = 0; j < search->table->nr; j++) {
        float cheapest = least_sum(search->near_left[j], search->table->nr);
        unsigned i = 0;

        search->near[nr][j] = search->near[nr - 1][j];
        if (cheapest >= HUGE_VALF)
            continue;
        while (search->near_left[j][i] > cheapest)
            i++;
        search->near_left[j][i] = HUGE_VALF;
        search->near_next[j] = cheapest;
        search->near[nr][j] += cheapest;
    }
}

/* The largest multiple by a power of two up to the limit. */
static double scale_up(double value, double limit)
{
    while (value * 2 <= limit)
        value *= 2;
    return value;
}

/*
 * The unit of memory for the bounds, and the best excess in it. Where the best's
 * distance does not depend on its shares, both are exact.
 */
static void set_unit(struct search *search, unsigned nr_cpus)
{
    const struct xlnuma__judged *best = &search->found->best;
    uint64_t needed_kb = search->need->memory_kb;
    double most = XLNUMA_DISTANCE_UNREACHABLE * search->table->scale;
    double limit = EXACT / (8.0 * (most + 1) * nr_cpus), per = search->size;
    xlnuma__u128 excess;
    bool is_exact;

    search->scale = scale_up(per, limit);
    search->theta = search->scale * most;
    if (!search->found->is_found)
        return;
    excess = best->distance_num - (xlnuma__u128)search->table->least *
                                      needed_kb * best->distance_den;
    is_exact = excess % needed_kb == 0 && per * best->distance_den <= limit;
    if (is_exact) {
        per *= best->distance_den;
        search->scale = scale_up(per, limit);
        search->theta = search->scale / best->distance_den *
                        (double)(uint64_t)(excess / needed_kb);
    } else {
        search->theta =
            1 + whole(search->scale * (double)excess / (double)needed_kb /
                      best->distance_den * (1 + 1e-12));
    }
}

static void set_scale(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    uint64_t needed_kb = search->need->memory_kb;
    unsigned nr_cpus = 0;
    double factor;

    for (unsigned i = 0; i < table->nr; i++)
        nr_cpus += table->cell[i].nr_cpus;
    set_unit(search, nr_cpus);
    factor = search->scale / (double)needed_kb;
    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__cell *cell = &table->cell[i];
        double high = (double)cell->high_kb * factor;
        double usable =
            at_most((double)cell->usable_kb * factor, search->scale);
        bool is_all = cell->high_kb >= needed_kb;

        search->usable_up[i] = usable > 0 ? 1 + whole(usable * (1 + 1e-14)) : 0;
        search->room[i] = is_all ? search->scale : whole(high * (1 - 1e-14));
        search->room_up[i] = is_all     ? search->scale
                             : high > 0 ? 1 + whole(high * (1 + 1e-14))
                                        : 0;
    }
}

/*
 * Is every set of this size or more ruled out by the cheapest column alone? A
 * further node then costs each column more than it can save.
 */
static bool is_last(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    unsigned most = table->cell[search->by_cpus[0]].nr_cpus;
    double cpus = (double)sum_nr_cpus(table, search->candidates.all,
                                      search->size, search->by_cpus);
    const double *near = search->near[search->size - 1];

    for (unsigned j = 0; j < table->nr; j++)
        if (search->usable_up[j] > 0 &&
            (!is_beyond(search,
                        search->scale * near[j] - search->theta * cpus) ||
             search->scale * search->near_next[j] < search->theta * most))
            return false;
    return true;
}

/* Below this no set of this size or more can be: by the cheapest column. */
static double least_excess(const struct search *search)
{
    const struct xlnuma__table *table = search->table;
    double cpus = (double)sum_nr_cpus(table, search->candidates.all,
                                      search->size, search->by_cpus);
    unsigned first = table->cell[search->by_cpus[0]].nr_cpus;
    double least = HUGE_VAL;

    for (unsigned j = 0; j < table->nr; j++)
        if (search->usable_up[j] > 0)
            least = at_most(least, search->near[search->size - 1][j] / cpus);
    /* Larger sets have dearer columns if all nodes have as many CPUs. */
    for (unsigned j = 0; j < table->nr; j++)
        if (table->cell[j].nr_cpus != first)
            least = 0;
    return least;
}

static unsigned fewest_nodes(const struct search *search)
{
    struct partial none = { .nr = XLNUMA_NODES_MAX };

    for (unsigned nr = 1; nr <= search->table->nr; nr++) {
        none.nr_left = nr;
        if (can_hold(search, &none, search->candidates.all))
            return nr;
    }
    return XLNUMA_NODES_MAX + 1;
}

static void start(struct search *search, struct partial *partial)
{
    unsigned i;

    memset(partial, 0, offsetof(struct partial, order));
    partial->nr_left = search->size;
    memset(partial->column, 0, sizeof(partial->column));
    XLNUMA_FOR_EACH_NODE(i, search->candidates.all)
        partial->order[partial->nr++] = (uint8_t)i;
}

static void search_sizes(struct search *search, unsigned fewest)
{
    unsigned most = search->table->nr;

    if (most > search->need->max_nodes)
        most = search->need->max_nodes;
    for (search->size = fewest; search->size <= most; search->size++) {
        while (search->nr_near < search->size)
            extend_near(search);
        set_scale(search);
        if (search->found->is_found && is_last(search))
            return;
        start(search, search->partial);
        if (is_wanted(search, search->partial, search->candidates.all))
            visit(search, search->partial);
        if (search->is_over)
            return;
    }
}

/* --- tables ---------------------------------------------------------------- */

static void sort_cells(const struct search *search, uint8_t order[],
                       bool (*is_before)(const struct xlnuma__cell *,
                                         const struct xlnuma__cell *))
{
    const struct xlnuma__table *table = search->table;

    for (unsigned n = 0; n < table->nr; n++) {
        unsigned at = n;

        for (; at && is_before(&table->cell[n], &table->cell[order[at - 1]]);
             at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)n;
    }
}

#define BEFORE(name, expression)                                               \
    static bool name(const struct xlnuma__cell *a,                             \
                     const struct xlnuma__cell *b)                             \
    {                                                                          \
        return expression;                                                     \
    }
BEFORE(has_more_usable, a->usable_kb > b->usable_kb)
BEFORE(has_less_usable, a->usable_kb < b->usable_kb)
BEFORE(has_more_high, a->high_kb > b->high_kb)
BEFORE(has_more_cpus, a->nr_cpus > b->nr_cpus)
BEFORE(has_more_cores, a->nr_cores > b->nr_cores)
BEFORE(has_less_load, a->load_mvcpu < b->load_mvcpu)
BEFORE(has_lower_id, a->id < b->id)

static void fill_costs(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    unsigned padded = (table->nr + BLOCK - 1) / BLOCK * BLOCK;

    for (unsigned i = 0; i < table->nr; i++)
        for (unsigned j = table->nr; j < padded; j++)
            search->cost[i][j] = search->cost_to[i][j] = 0;
    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__cell *cell = &table->cell[i];

        for (unsigned j = 0; j < table->nr; j++) {
            unsigned cost =
                cell->nr_cpus * (xlnuma__distance(table, i, j) - table->least);

            search->cost[i][j] = (float)cost;
            search->cost_to[j][i] = (float)cost;
        }
    }
}

static void prepare(struct search *search)
{
    unsigned nr = search->table->nr;

    sort_cells(search, search->by_usable, has_more_usable);
    sort_cells(search, search->by_cpus, has_more_cpus);
    sort_cells(search, search->by_cores, has_more_cores);
    fill_costs(search);
    search->nr_near = 0;
    for (unsigned j = 0; j < nr; j++) {
        search->near[0][j] = search->near_next[j] = 0;
        memcpy(search->near_left[j], search->cost_to[j],
               sizeof(search->near_left[j]));
        for (unsigned i = 0; i < (nr + 3) / 4 * 4; i++)
            if (i == j || !((search->candidates.all >> i) & 1))
                search->near_left[j][i] = HUGE_VALF;
    }
}

static void prepare_ties(struct search *search)
{
    search->is_tie = true;
    sort_cells(search, search->by_tight, has_less_usable);
    sort_cells(search, search->by_high, has_more_high);
    sort_cells(search, search->by_load, has_less_load);
    sort_cells(search, search->by_id, has_lower_id);
}

/* Are all other cells as far from and to a as they are from and to b? */
static bool is_beside(const struct xlnuma__table *table, unsigned a, unsigned b)
{
    for (unsigned i = 0; i < table->nr; i++)
        if (i != a && i != b &&
            (xlnuma__distance(table, a, i) != xlnuma__distance(table, b, i) ||
             xlnuma__distance(table, i, a) != xlnuma__distance(table, i, b)))
            return false;
    return true;
}

/*
 * Is some node beside another, as on machines? If not, proofs are out of reach,
 * and more work would find little that is nearer.
 */
static bool is_regular(const struct xlnuma__table *table)
{
    unsigned next = (table->nr + SEEDS - 1) / SEEDS;

    for (unsigned i = 0; i < table->nr; i += next)
        for (unsigned j = 0; j < table->nr; j++)
            if (j != i && is_beside(table, i, j))
                return true;
    return false;
}

/* The first pass on a host without structure. */
static void search_nearest(struct search *search, unsigned fewest)
{
    unsigned nr = search->table->nr;

    if (!search->found->is_found || nr > XLNUMA__FEW_NODES)
        grow_from(search, search->by_usable, nr);
    if (search->found->is_found && nr > XLNUMA__FEW_NODES) {
        improve(search);
        if (nr > MANY_NODES && fewest >= LARGE_SET &&
            !is_regular(search->table))
            search->work_left = IRREGULAR_WORK * XLNUMA__WORK;
    }
    search_sizes(search, fewest);
    search->found->is_nearest = !search->is_over;
    if (search->is_over)
        search->found->least_excess = least_excess(search);
}

/*
 * The same on a host with structure, if it has; else false. That search knows
 * no limit of sockets: false too if the nearest set without has more.
 */
static bool search_classes(struct search *search, unsigned fewest)
{
    struct xlnuma__classes classes; /* large: only what is used is written */
    struct xlnuma__found *found = search->found;
    struct xlnuma__need need = *search->need;
    uint8_t seed[XLNUMA_NODES_MAX];

    if (!xlnuma__classes_find(search->table, &need, &classes))
        return false;
    for (unsigned t = 0; t < classes.nr; t++)
        seed[t] = classes.class[t].cell[0];
    grow_from(search, seed, classes.nr);
    need.max_sockets = XLNUMA_NODES_MAX;
    search->has_equal = true; /* that order is not known there */
    xlnuma__counts_search(search->table, &need, &classes, fewest, found);
    if (found->is_found ? found->best.nr_sockets <= search->need->max_sockets
                        : found->is_nearest)
        return true;
    found->is_found = false;
    return false;
}

/* Sets of three and more, some of which may be better than what was found. */
static void search_large(struct search *search)
{
    struct xlnuma__found *found = search->found;
    bool is_few = search->table->nr <= XLNUMA__FEW_NODES;
    unsigned fewest;

    prepare(search);
    fewest = fewest_nodes(search);
    if (fewest < 3)
        fewest = 3;
    if (fewest > search->need->max_nodes)
        return;
    search->work_left = is_few                   ? FEW_WORK
                        : search->need->nr_cores ? CORES_WORK
                                                 : NEAREST_WORK;
    search->work_left *= XLNUMA__WORK;
    if (is_few || !search_classes(search, fewest))
        search_nearest(search, fewest);
    found->is_best = found->is_nearest;
    if (found->is_found && !found->is_nearest && !is_few)
        improve_others(search);
    if (!found->is_found || !found->is_nearest || !search->has_equal)
        return;
    prepare_ties(search);
    if (!is_few)
        improve(search);
    search->work_left = is_few ? FEW_WORK : TIE_WORK;
    search_sizes(search, fewest);
    found->is_best = !search->is_over;
}

static void start_search(struct search *search,
                         const struct xlnuma__table *table,
                         const struct xlnuma__need *need,
                         struct xlnuma__found *found)
{
    memset(found, 0, sizeof(*found));
    found->is_nearest = found->is_best = true;
    memset(search, 0, offsetof(struct search, by_usable));
    search->table = table;
    search->need = need;
    search->found = found;
    search->is_spread = need->memory == XLNUMA_MEMORY_SPREAD;
    search->candidates.all = table->nr == XLNUMA_NODES_MAX
                                 ? UINT64_MAX
                                 : ((uint64_t)1 << table->nr) - 1;
}

void xlnuma__search(const struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    struct xlnuma__found *found_r)
{
    struct search search; /* large: only what is used is written */
    const struct xlnuma__candidates *candidates = &search.candidates;
    bool is_few = table->nr <= XLNUMA__FEW_NODES;

    start_search(&search, table, need, found_r);
    offer_singles(&search);
    if (found_r->is_found && table->scale == 1)
        return; /* without devices nothing is as near as a single node */
    if (need->max_nodes < 2 || !find_candidates(&search))
        return;
    if (candidates->forced == candidates->all) {
        offer(&search, candidates->all);
        return;
    }
    if (xlnuma__pairs_search(table, need, candidates, found_r))
        return;
    if (!is_few ||
        xlnuma_nodeset_count(candidates->all & ~candidates->forced) > SOON)
        search_large(&search);
    else
        found_r->is_best = false;
    if (is_few && !found_r->is_best) {
        xlnuma__few_search(table, need, candidates, found_r);
        found_r->is_nearest = found_r->is_best = true;
    }
}
