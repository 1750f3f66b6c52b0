/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nearest node set on a host with structure: a branch and bound over how
 * many cells of each class a set has, and then over which ones. What a set
 * costs is cost.c's business, what it can cost at least bound.c's, and the order
 * of equally near ones search.c's.
 */
#include "core/counts.h"

#include <math.h> /* HUGE_VAL; no function of it */
#include <stddef.h>
#include <string.h>

#define NODES XLNUMA_NODES_MAX

/*
 * How much work is done before the search is given up: about as many additions,
 * counted and not timed, so that the same question has the same answer.
 */
#define ALL_WORK 1150000
#define CORES_WORK 600000 /* the second search of a guest */
#define JUDGE_WORK 600

/* How often a bound is improved at the root, and below it. */
#define ROOT_TOUCHES 6
#define TOUCHES 1

static double at_most(double a, double b)
{
    return a < b ? a : b;
}

/* Rounded down; below 2^53 and not below 0. */
static double whole(double value)
{
    return (double)(uint64_t)value;
}

/* --- sets judged */

static void offer(struct xlnuma__counting *counting, uint64_t set)
{
    if (set == counting->offered || !xlnuma__has_room(counting, set))
        return;
    counting->offered = set;
    xlnuma__bound_work(counting, JUDGE_WORK);
    if (!xlnuma__offer(counting->table, counting->need, set, counting->found))
        return;
    counting->nr_improved++;
    xlnuma__bound_set_unit(counting, counting->size);
}

/* The set with these counts that has most room. */
static uint64_t roomiest_of(const struct xlnuma__counting *counting,
                            const uint8_t count[])
{
    uint64_t set = 0;

    for (unsigned t = 0; t < counting->classes->nr; t++)
        set |= xlnuma__some_of(&counting->classes->class[t], count[t], true);
    return set;
}

/* --- which cells of the classes ------------------------------------------- */

/* Cells that are in the set, and those of which some are. */
struct choice {
    uint64_t in, open;
};

static uint64_t extreme(const struct xlnuma__counting *counting,
                        const uint8_t count[], const struct choice *choice,
                        bool is_roomy)
{
    uint64_t set = choice->in;

    for (unsigned t = 0; t < counting->classes->nr; t++) {
        const struct xlnuma__class *class = &counting->classes->class[t];
        unsigned nr =
            count[t] - xlnuma_nodeset_count(choice->in & class->cells);

        for (unsigned n = 0; nr && n < class->nr; n++) {
            unsigned i = class->cell[is_roomy ? n : class->nr - 1 - n];

            if ((choice->open >> i) & 1) {
                set |= (uint64_t)1 << i;
                nr--;
            }
        }
    }
    return set;
}

static void choose(struct xlnuma__counting *counting,
                   const struct xlnuma__partial *partial, struct choice choice);

/* The cells of one class: with the roomiest that is open, and without it. */
static void choose_of(struct xlnuma__counting *counting,
                      const struct xlnuma__partial *partial,
                      struct choice choice, unsigned t)
{
    const struct xlnuma__class *class = &counting->classes->class[t];
    const struct xlnuma__cell *cell = counting->table->cell;
    struct choice with = choice;
    double most = counting->most;
    unsigned n = 0, first;

    while (!((choice.open >> class->cell[n]) & 1))
        n++;
    first = class->cell[n];
    with.in |= (uint64_t)1 << first;
    with.open &= ~((uint64_t)1 << first);
    choose(counting, partial, with);
    /* Without it: nor one that would do as well. */
    for (; n < class->nr; n++)
        if (class->cell[n] == first || counting->room[class->cell[n]] >= most ||
            cell[class->cell[n]].usable_kb == cell[first].usable_kb)
            choice.open &= ~((uint64_t)1 << class->cell[n]);
    if (xlnuma_nodeset_count((choice.open | choice.in) & class->cells) >=
        partial->count[t])
        choose(counting, partial, choice);
}

static void choose(struct xlnuma__counting *counting,
                   const struct xlnuma__partial *partial, struct choice choice)
{
    uint64_t roomiest = extreme(counting, partial->count, &choice, true);
    uint64_t tightest = extreme(counting, partial->count, &choice, false);
    unsigned t = 0;

    xlnuma__bound_work(counting, 8 * counting->table->nr);
    if (counting->is_over || !xlnuma__has_room(counting, roomiest) ||
        xlnuma__bound_choice(counting, partial, roomiest, tightest) >= 0)
        return;
    if (roomiest == tightest) {
        offer(counting, roomiest);
        return;
    }
    while (!(counting->classes->class[t].cells & (roomiest ^ tightest)))
        t++;
    choose_of(counting, partial, choice, t);
}

/* All counts are known: of packed memory the roomiest cells are best. */
static void choose_cells(struct xlnuma__counting *counting,
                         const struct xlnuma__partial *partial)
{
    struct choice choice = { 0 };

    if (!counting->is_spread) {
        offer(counting, roomiest_of(counting, partial->count));
        return;
    }
    for (unsigned t = 0; t < counting->classes->nr; t++)
        if (partial->count[t] == counting->classes->class[t].nr)
            choice.in |= counting->classes->class[t].cells;
        else if (partial->count[t])
            choice.open |= counting->classes->class[t].cells;
    choose(counting, partial, choice);
}

/* --- branch and bound ----------------------------------------------------- */

static void decide(const struct xlnuma__counting *counting,
                   struct xlnuma__partial *partial, unsigned t, unsigned count)
{
    const struct xlnuma__classes *classes = counting->classes;
    const struct xlnuma__class *class = &classes->class[t];

    partial->decided |= (uint64_t)1 << t;
    partial->count[t] = (uint8_t)count;
    if (!count)
        return;
    partial->nr_left -= count;
    partial->nr_cpus += (double)count * class->nr_cpus;
    partial->quad +=
        count * (partial->pairs[t] + (count - 1) * classes->cost[t][t]);
    for (unsigned n = 0; n < classes->nr; n++) {
        unsigned others = n == t ? count - 1 : count;

        partial->column[n] += others * classes->cost[t][n];
        partial->pairs[n] += others * classes->pair[t][n];
    }
}

/* The class of which the bound has most cells, of equals the nearest. */
static unsigned next_class(const struct xlnuma__counting *counting,
                           const struct xlnuma__partial *partial,
                           const uint8_t count[])
{
    unsigned best = NODES, most = 0;

    for (unsigned t = 0; t < counting->classes->nr; t++) {
        unsigned nr_below = xlnuma_nodeset_count(counting->classes->below[t] &
                                                 ~partial->decided);

        if (xlnuma__is_decided(partial, t))
            continue;
        if (best == NODES || nr_below > most ||
            (nr_below == most &&
             (count[t] > count[best] ||
              (count[t] == count[best] &&
               partial->pairs[t] < partial->pairs[best])))) {
            best = t;
            most = nr_below;
        }
    }
    return best;
}

static void visit(struct xlnuma__counting *counting,
                  struct xlnuma__partial *partial);

/* Each number of cells of one class, the likeliest first. */
static void branch(struct xlnuma__counting *counting,
                   struct xlnuma__partial *partial, unsigned t, unsigned likely)
{
    unsigned most = counting->classes->class[t].nr;

    if (most > partial->nr_left)
        most = partial->nr_left;
    for (unsigned n = 0; n <= 2 * most + 1 && !counting->is_over; n++) {
        unsigned count = n % 2 ? likely - (n + 1) / 2 : likely + n / 2;

        if (count > most)
            continue; /* or below 0 */
        partial[1] = partial[0];
        decide(counting, partial + 1, t, count);
        visit(counting, partial + 1);
    }
}

static void visit(struct xlnuma__counting *counting,
                  struct xlnuma__partial *partial)
{
    bool is_root = !partial->decided;
    struct xlnuma__tangent best;
    unsigned nr_improved, t;

    if (!partial->nr_left) {
        choose_cells(counting, partial);
        return;
    }
    if (!xlnuma__bound_prepare(counting, partial))
        return;
    xlnuma__bound_climb(counting, partial, is_root ? ROOT_TOUCHES : TOUCHES,
                        &best);
    if (best.value >= 0 || counting->is_over)
        return;
    partial->centre = best.centre;
    nr_improved = counting->nr_improved;
    offer(counting, roomiest_of(counting, best.count));
    if (counting->nr_improved != nr_improved) {
        visit(counting, partial);
        return;
    }
    t = next_class(counting, partial, best.count);
    branch(counting, partial, t, best.count[t]);
}

/* --- one size after the other --------------------------------------------- */

static void start(struct xlnuma__counting *counting, unsigned size)
{
    struct xlnuma__partial *partial = counting->partial;

    xlnuma__bound_set_unit(counting, size);
    memset(partial, 0, sizeof(*partial));
    partial->nr_left = size;
    partial->centre = whole(counting->last_centre * size);
}

/* near[t]: of all cells, those of the class itself too. */
static void fill_near(struct xlnuma__counting *counting)
{
    const struct xlnuma__classes *classes = counting->classes;

    for (unsigned t = 0; t < classes->nr; t++) {
        double *near = counting->near[t], own = classes->cost[t][t];
        unsigned left = classes->class[t].nr - 1, n = 0;

        near[0] = 0;
        for (unsigned m = 0; m + 1 < classes->nr; m++) {
            unsigned other = classes->class[t].nearest[m];

            for (; left && own <= classes->cost[other][t]; left--, n++)
                near[n + 1] = near[n] + own;
            for (unsigned i = 0; i < classes->class[other].nr; i++, n++)
                near[n + 1] = near[n] + classes->cost[other][t];
        }
        for (; left; left--, n++)
            near[n + 1] = near[n] + own;
    }
}

static unsigned most_cpus(const struct xlnuma__counting *counting)
{
    unsigned most = 0;

    for (unsigned i = 0; i < counting->table->nr; i++)
        if (counting->table->cell[i].nr_cpus > most)
            most = counting->table->cell[i].nr_cpus;
    return most;
}

static unsigned fewest_cpus(const struct xlnuma__counting *counting)
{
    unsigned fewest = counting->table->cell[0].nr_cpus;

    for (unsigned i = 1; i < counting->table->nr; i++)
        if (counting->table->cell[i].nr_cpus < fewest)
            fewest = counting->table->cell[i].nr_cpus;
    return fewest;
}

/* Is every set of this size or more ruled out by the cheapest column alone? */
static bool is_last(const struct xlnuma__counting *counting)
{
    double most = counting->theta * most_cpus(counting);
    unsigned size = counting->size;

    if (!counting->found->is_found)
        return false;
    for (unsigned t = 0; t < counting->classes->nr; t++) {
        const double *near = counting->near[t];

        if (counting->scale * near[size - 1] < most * size ||
            counting->scale * (near[size - 1] - near[size - 2]) < most)
            return false;
    }
    return true;
}

/* What a bound on what is over theta says of the distance. */
static double least_of(const struct xlnuma__counting *counting, double value)
{
    double cpus = counting->size * fewest_cpus(counting);
    double least = (counting->theta + value / cpus) / counting->scale;

    return cpus > 0 && least > 0 ? least : 0;
}

/*
 * Bound all sets of the size, with one ell after the other until it is closed:
 * no set of it is nearer. If it stays open, what served best is kept.
 */
static bool is_closed(struct xlnuma__counting *counting)
{
    static const double parts[] = { 1, 0.75, 0.5, 0 };
    unsigned size = counting->size, nr = sizeof(parts) / sizeof(parts[0]);
    double good = counting->last_part;
    struct xlnuma__tangent best;

    counting->least[size] = 0;
    for (unsigned n = 0; n <= nr; n++) {
        double part = n ? parts[n - 1] : good, least;

        if (n && part == good)
            continue;
        counting->part[size] = part;
        start(counting, size);
        if (!xlnuma__bound_prepare(counting, counting->partial))
            return !counting->is_over;
        xlnuma__bound_climb(counting, counting->partial, ROOT_TOUCHES, &best);
        if (best.value >= 0)
            return true;
        least = least_of(counting, best.value);
        offer(counting, roomiest_of(counting, best.count));
        if (least > counting->least[size] || !n) {
            counting->least[size] = least;
            counting->last_part = part;
            counting->centre[size] = counting->last_centre = best.centre / size;
        }
    }
    counting->part[size] = counting->last_part;
    return false;
}

/* The sizes from `fewest` on that are open; good sets are found on the way. */
static uint64_t scan(struct xlnuma__counting *counting, unsigned fewest,
                     unsigned most)
{
    uint64_t open = 0;

    for (unsigned size = fewest; size <= most; size++) {
        counting->part[size] = counting->last_part;
        start(counting, size);
        if (is_last(counting))
            break;
        if (!is_closed(counting))
            open |= (uint64_t)1 << (size - 1);
    }
    return open;
}

/* The set without one cell of a class, and with one of another instead. */
static void exchange(struct xlnuma__counting *counting, uint64_t set,
                     unsigned from)
{
    const struct xlnuma__class *class = counting->classes->class;
    uint64_t leaves = set & class[from].cells;

    if (!leaves)
        return;
    set &= ~(leaves & -leaves);
    offer(counting, set);
    for (unsigned t = 0; t < counting->classes->nr; t++) {
        uint64_t joins = class[t].cells & ~set;
        unsigned n = 0;

        if (t == from || !joins)
            continue;
        while (!((joins >> class[t].cell[n]) & 1))
            n++;
        offer(counting, set | (uint64_t)1 << class[t].cell[n]);
    }
}

static void improve(struct xlnuma__counting *counting)
{
    unsigned nr_improved;

    do {
        uint64_t set = counting->found->best.cells;

        nr_improved = counting->nr_improved;
        for (unsigned t = 0; t < counting->classes->nr; t++)
            exchange(counting, set, t);
    } while (counting->nr_improved != nr_improved && !counting->is_over);
}

/* --- all sizes ------------------------------------------------------------ */

static void search_sizes(struct xlnuma__counting *counting, unsigned fewest)
{
    unsigned most = counting->table->nr, size;
    uint64_t open;

    if (most > counting->need->max_nodes)
        most = counting->need->max_nodes;
    counting->found->least_excess = HUGE_VAL;
    open = scan(counting, fewest, most);
    if (open && counting->found->is_found)
        improve(counting);
    if (open)
        xlnuma__classes_compare(counting->table, counting->classes);
    XLNUMA_FOR_EACH_NODE(size, open) {
        counting->last_centre = counting->centre[size + 1];
        start(counting, size + 1);
        visit(counting, counting->partial);
        if (counting->is_over)
            counting->found->least_excess = at_most(
                counting->found->least_excess, counting->least[size + 1]);
    }
}

void xlnuma__counts_search(const struct xlnuma__table *table,
                           const struct xlnuma__need *need,
                           struct xlnuma__classes *classes, unsigned fewest,
                           struct xlnuma__found *found_r)
{
    struct xlnuma__counting counting; /* large: only what is used is written */

    memset(&counting, 0, offsetof(struct xlnuma__counting, near));
    counting.table = table;
    counting.need = need;
    counting.classes = classes;
    counting.found = found_r;
    counting.is_spread = need->memory == XLNUMA_MEMORY_SPREAD;
    counting.is_flat =
        table->cell[0].usable_kb == table->cell[table->nr - 1].usable_kb;
    counting.work_left =
        (need->nr_cores ? CORES_WORK : ALL_WORK) * XLNUMA__WORK;
    counting.last_part = 1;
    counting.last_centre =
        found_r->is_found
            ? (xlnuma__cost_distance(&found_r->best, need->memory_kb) -
               XLNUMA_DISTANCE_LOCAL) *
                  table->nr_cpus / table->nr
            : XLNUMA_DISTANCE_LOCAL;
    fill_near(&counting);
    search_sizes(&counting, fewest);
    found_r->is_nearest = !counting.is_over;
}
