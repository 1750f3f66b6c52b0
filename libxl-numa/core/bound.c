/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How near any set can be that has so many cells of some classes and some
 * number of the others: the bounds of docs/planner.md for hosts with structure.
 * They are sums of whole numbers in doubles, exact where the text says so. Does
 * not choose which sets to bound (counts.c).
 */
#include "core/counts.h"

#include <math.h> /* HUGE_VAL; no function of it */
#include <string.h>

#define NODES XLNUMA_NODES_MAX

/* Every sum of the bounds stays below 16 times this: whole in a double. */
#define EXACT 0x1p46

/* What holds for the shares of every completion. */
struct limits {
    bool is_even;
    double least;   /* spread: cells that have the room have at least this */
    double surplus; /* packed: room that is too much, at most */
};

void xlnuma__bound_work(struct xlnuma__counting *counting, unsigned work)
{
    counting->found->nr_steps++;
    if (counting->work_left >= work)
        counting->work_left -= work;
    else
        counting->is_over = true;
}

static double at_most(double a, double b)
{
    return a < b ? a : b;
}

static double at_least(double a, double b)
{
    return a > b ? a : b;
}

/* Rounded down; below 2^53 and not below 0. */
static double whole(double value)
{
    return (double)(uint64_t)value;
}

static double whole_up(double value)
{
    return value > whole(value) ? whole(value) + 1 : whole(value);
}

/* --- units ---------------------------------------------------------------- */

/* The largest multiple by a power of two up to the limit. */
static double scale_up(double value, double limit)
{
    while (value * 2 <= limit)
        value *= 2;
    return value;
}

/* As in search.c: where the best's distance is a ratio, all is exact. */
static void set_theta(struct xlnuma__counting *counting)
{
    const struct xlnuma__judged *best = &counting->found->best;
    uint64_t needed_kb = counting->need->memory_kb;
    double limit = EXACT / (8.0 * 256 * counting->table->nr_cpus);
    double per = counting->size;
    xlnuma__u128 excess;

    counting->scale = scale_up(per, limit);
    counting->theta = counting->scale * XLNUMA_DISTANCE_UNREACHABLE;
    if (!counting->found->is_found)
        return;
    excess = best->distance_num - (xlnuma__u128)XLNUMA_DISTANCE_LOCAL *
                                      needed_kb * best->distance_den;
    if (excess % needed_kb == 0 && per * best->distance_den <= limit) {
        counting->scale = scale_up(per * best->distance_den, limit);
        counting->theta = counting->scale / best->distance_den *
                          (double)(uint64_t)(excess / needed_kb);
    } else {
        counting->theta =
            1 + whole(counting->scale * (double)excess / (double)needed_kb /
                      best->distance_den * (1 + 1e-12));
    }
}

void xlnuma__bound_set_unit(struct xlnuma__counting *counting, unsigned size)
{
    uint64_t needed_kb = counting->need->memory_kb;
    double factor;

    counting->size = size;
    set_theta(counting);
    factor = counting->scale / (double)needed_kb;
    for (unsigned i = 0; i < counting->table->nr; i++) {
        uint64_t usable_kb = counting->table->cell[i].usable_kb;
        double room = (double)usable_kb * factor;
        bool is_all = usable_kb >= needed_kb;

        counting->room[i] =
            is_all ? counting->scale : whole(room * (1 - 1e-14));
        counting->room_up[i] = is_all     ? counting->scale
                               : room > 0 ? 1 + whole(room * (1 + 1e-14))
                                          : 0;
    }
    counting->share = counting->scale / counting->size;
    counting->even = whole(counting->share * counting->part[counting->size]);
}

/* --- what a completion has ------------------------------------------------ */

/* The `nr` roomiest or least roomy of a class. */
uint64_t xlnuma__some_of(const struct xlnuma__class *class, unsigned nr,
                         bool is_roomy)
{
    uint64_t cells = 0;

    for (unsigned n = 0; n < nr; n++)
        cells |= (uint64_t)1 << class->cell[is_roomy ? n : class->nr - 1 - n];
    return cells;
}

/* The completion with most room, or with least. */
static uint64_t completion(const struct xlnuma__counting *counting,
                           const struct xlnuma__partial *partial, bool is_roomy)
{
    const struct xlnuma__class *class = counting->classes->class;
    unsigned nr = partial->nr_left, last = counting->table->nr - 1;
    uint64_t set = 0, from = 0;

    for (unsigned t = 0; t < counting->classes->nr; t++)
        if (xlnuma__is_decided(partial, t))
            set |= xlnuma__some_of(&class[t], partial -> count[t], is_roomy);
        else
            from |= class[t].cells;
    for (unsigned n = 0; nr && n <= last; n++) {
        unsigned i = is_roomy ? last - n : n;

        if ((from >> i) & 1) {
            set |= (uint64_t)1 << i;
            nr--;
        }
    }
    return set;
}

/* Where even shares end in this set; HUGE_VAL when it has not room enough. */
static double level_of(const struct xlnuma__counting *counting,
                       const double room[], uint64_t set)
{
    double left = counting->scale;
    unsigned nr = xlnuma_nodeset_count(set), i;

    XLNUMA_FOR_EACH_NODE(i, set) {
        if (room[i] * nr >= left)
            return left > 0 ? left / nr : 0;
        left -= room[i];
        nr--;
    }
    return HUGE_VAL;
}

/* Spread: the least and the most that cells with the room have. */
static void bound_level(const struct xlnuma__counting *counting,
                        uint64_t roomiest, uint64_t tightest, double *least_r,
                        double *most_r)
{
    *least_r = level_of(counting, counting->room_up, roomiest);
    if (*least_r < HUGE_VAL)
        *least_r = whole(*least_r);
    *most_r = level_of(counting, counting->room, tightest);
    if (*most_r < HUGE_VAL)
        *most_r = whole_up(*most_r);
}

/* Packed: what the roomiest completion has too much. */
static double surplus_of(const struct xlnuma__counting *counting,
                         uint64_t roomiest)
{
    double surplus = -counting->scale;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, roomiest)
        surplus += counting->room_up[i];
    return at_least(surplus, 0);
}

bool xlnuma__has_room(const struct xlnuma__counting *counting, uint64_t set)
{
    uint64_t usable_kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        usable_kb += counting->table->cell[i].usable_kb;
    return usable_kb >= counting->need->memory_kb;
}

/* --- options of a class --------------------------------------------------- */

/*
 * What n other cells that may join add to the column of a class, at least or at
 * most, for n = first to nr_left: sum[n - first].
 */
static void reach(const struct xlnuma__counting *counting,
                  const struct xlnuma__partial *partial, unsigned t,
                  bool is_far, unsigned first, double sum[])
{
    const struct xlnuma__classes *classes = counting->classes;
    unsigned others = classes->nr - 1, n = 0, last = partial->nr_left;
    double all = 0;

    for (unsigned m = 0; m < others && n < last; m++) {
        unsigned other = classes->class[t].nearest[is_far ? others - 1 - m : m];
        unsigned nr = classes->class[other].nr;
        double cost = classes->cost[other][t];

        if (xlnuma__is_decided(partial, other))
            continue;
        if (n + nr < first) {
            n += nr;
            all += nr * cost;
            continue;
        }
        for (; nr && n < last; nr--) {
            if (n >= first)
                sum[n - first] = all;
            n++;
            all += cost;
        }
    }
    for (; n <= last; n++)
        if (n >= first)
            sum[n - first] = all;
}

/* Between which sums of memory q cells of a class have, less even shares. */
static void bound_memory(const struct xlnuma__counting *counting,
                         const struct xlnuma__class *class,
                         const struct limits *limits, unsigned nr,
                         struct xlnuma__option option[])
{
    double most = counting->is_spread ? counting->most : HUGE_VAL;
    double from = 0, to = 0;

    for (unsigned q = 1; q <= nr; q++) {
        unsigned last = class->cell[class->nr - q];

        to += at_most(counting->room_up[class->cell[q - 1]], most) -
              counting->even;
        if (counting->is_spread)
            from +=
                at_most(counting->room[last], limits->least) - counting->even;
        else
            from = at_least(to - limits->surplus, -(counting->even * q));
        option[q].from = from;
        option[q].to = to;
    }
}

/* Their columns: by the set's CPUs, each other's, and those that may join. */
static void bound_columns(const struct xlnuma__counting *counting,
                          const struct xlnuma__partial *partial, unsigned t,
                          unsigned first, unsigned nr,
                          struct xlnuma__option option[])
{
    double near[NODES + 1], far[NODES + 1];
    bool is_in = xlnuma__is_decided(partial, t);
    unsigned left = partial->nr_left, at = is_in ? left : left - nr;

    reach(counting, partial, t, false, at, near);
    reach(counting, partial, t, true, at, far);
    for (unsigned q = first; q <= nr; q++) {
        unsigned others = is_in ? left : left - q;
        double own = partial->column[t];

        if (!is_in)
            own += (q - 1) * counting->classes->cost[t][t];
        option[q].near = own + near[others - at];
        option[q].far = own + far[others - at];
    }
}

/* So many cells have the level, or more room, whatever the set. */
static unsigned nr_level(const struct xlnuma__counting *counting,
                         const struct xlnuma__class *class)
{
    unsigned nr = 0;

    if (!counting->classes->is_bulky)
        return 0;
    while (nr < class->nr && counting->room[class->cell[nr]] >= counting->most)
        nr++;
    return nr;
}

/*
 * Is part of the class in the set, such that another class's part could be
 * exchanged for the rest of it?
 */
static bool is_part(const struct xlnuma__counting *counting,
                    const struct xlnuma__class *class, unsigned count)
{
    unsigned nr = nr_level(counting, class);

    if (!counting->is_spread)
        return counting->is_flat && nr && count && count < class->nr;
    return count < nr && count + nr > class->nr;
}

/* Of the classes that are decided, how many have such parts for certain? */
static unsigned count_parts(const struct xlnuma__counting *counting,
                            const struct xlnuma__partial *partial)
{
    unsigned nr = 0, nr_single = 0;

    for (unsigned t = 0; t < counting->classes->nr; t++) {
        unsigned count = partial->count[t];

        if (!xlnuma__is_decided(partial, t) ||
            !is_part(counting, &counting->classes->class[t], count))
            continue;
        /* Packed: one single cell may be the one that is not filled. */
        if (counting->is_spread || count > 1)
            nr++;
        else
            nr_single++;
    }
    return nr + (nr_single ? nr_single - 1 : 0);
}

/* How many cells of a class that is undecided may join: least to most. */
static void limit_count(const struct xlnuma__counting *counting,
                        const struct xlnuma__partial *partial, unsigned t,
                        unsigned *least_r, unsigned *most_r)
{
    unsigned most = counting->classes->class[t].nr, least = 0, n;

    if (most > partial->nr_left)
        most = partial->nr_left;
    XLNUMA_FOR_EACH_NODE(n, counting->classes->above[t] & partial->decided)
        if (partial->count[n] < most)
            most = partial->count[n];
    XLNUMA_FOR_EACH_NODE(n, counting->classes->below[t] & partial->decided)
        if (partial->count[n] > least)
            least = partial->count[n];
    *least_r = least;
    *most_r = most;
}

/* What 0, 1... cells of a class that is undecided cost with even shares. */
static void fill_options(struct xlnuma__counting *counting,
                         const struct xlnuma__partial *partial, unsigned t,
                         bool has_part)
{
    const struct xlnuma__class *class = &counting->classes->class[t];
    struct xlnuma__option *option = &counting->option[class->at];
    double own = counting->classes->cost[t][t];
    unsigned least, most;

    limit_count(counting, partial, t, &least, &most);
    counting->cap[t] = most;
    option[0].base = least ? HUGE_VAL : 0;
    for (unsigned q = 1; q <= most; q++) {
        bool is_out =
            q < least || (has_part && (counting->is_spread || q > 1) &&
                          is_part(counting, class, q));

        option[q].base =
            is_out ? HUGE_VAL
                   : counting->even * q * (partial->pairs[t] + (q - 1) * own) -
                         counting->theta * class->nr_cpus * q;
    }
}

/* --- bounds --------------------------------------------------------------- */

/* What a class's shares and columns may be. */
static void bound_class(struct xlnuma__counting *counting,
                        const struct xlnuma__partial *partial, unsigned t,
                        const struct limits *limits)
{
    const struct xlnuma__class *class = &counting->classes->class[t];
    struct xlnuma__option *option = &counting->option[class->at];
    bool is_in = xlnuma__is_decided(partial, t);
    unsigned nr = is_in ? partial->count[t] : counting->cap[t];

    option[0].from = option[0].to = option[0].near = option[0].far = 0;
    if (!nr)
        return;
    if (is_in)
        option[nr].base = 0;
    if (limits->is_even) {
        for (unsigned q = 1; q <= nr; q++)
            option[q].from = option[q].to = option[q].near = option[q].far = 0;
        return;
    }
    bound_memory(counting, class, limits, nr, option);
    bound_columns(counting, partial, t, is_in ? nr : 1, nr, option);
}

/* The limits of shares. Returns false when no completion has the room. */
static bool set_limits(struct xlnuma__counting *counting,
                       const struct xlnuma__partial *partial,
                       struct limits *limits)
{
    uint64_t roomiest = completion(counting, partial, true);

    limits->is_even = false;
    if (!xlnuma__has_room(counting, roomiest))
        return false;
    if (counting->is_spread) {
        bound_level(counting, roomiest, completion(counting, partial, false),
                    &limits->least, &counting->most);
        limits->is_even =
            limits->least == counting->even && counting->most == counting->even;
        return true;
    }
    limits->surplus = surplus_of(counting, roomiest);
    counting->most =
        limits->surplus < counting->room[0] ? counting->room[0] : HUGE_VAL;
    return true;
}

/*
 * All that the bound of a partial set takes but the centre. Returns false when
 * it has no completion that is worth looking at.
 */
bool xlnuma__bound_prepare(struct xlnuma__counting *counting,
                           const struct xlnuma__partial *partial)
{
    const struct xlnuma__classes *classes = counting->classes;
    struct limits limits = { 0 };
    unsigned nr_parts;

    xlnuma__bound_work(counting,
                       classes->nr * classes->nr + 8 * counting->table->nr);
    if (counting->is_over || !set_limits(counting, partial, &limits))
        return false;
    nr_parts = count_parts(counting, partial);
    if (nr_parts > 1)
        return false;
    for (unsigned t = 0; t < classes->nr; t++) {
        counting->cap[t] = 0;
        counting->option[classes->class[t].at].base = 0;
        if (!xlnuma__is_decided(partial, t))
            fill_options(counting, partial, t, nr_parts);
        bound_class(counting, partial, t, &limits);
    }
    return true;
}

/* The least of (memory - even) * (column - centre), each in its range. */
static void value_option(struct xlnuma__option *option, double centre)
{
    double near = option->near - centre, far = option->far - centre;
    double from = at_most(option->from * near, option->from * far);
    double to = at_most(option->to * near, option->to * far);

    option->value = option->base + at_most(from, to);
    option->excess = from < to ? option->from : option->to;
}

/* A class's part of the bound; of one that is decided, what it adds. */
static double value_class(struct xlnuma__counting *counting,
                          const struct xlnuma__partial *partial, unsigned t,
                          double centre)
{
    struct xlnuma__option *option =
        &counting->option[counting->classes->class[t].at];
    unsigned count = partial->count[t];

    counting->sum[t][0] = 0;
    if (xlnuma__is_decided(partial, t)) {
        value_option(&option[count], centre);
        return option[count].value;
    }
    for (unsigned q = 0; q <= counting->cap[t]; q++) {
        value_option(&option[q], centre);
        counting->sum[t][q] = option[q].value;
    }
    return 0;
}

static void add_up(struct xlnuma__counting *counting, unsigned m,
                   unsigned nr_left)
{
    const struct xlnuma__merge *merge = &counting->classes->merge[m];
    const double *left = counting->sum[merge->left];
    const double *right = counting->sum[merge->right];
    unsigned cap_left = counting->cap[merge->left];
    unsigned cap_right = counting->cap[merge->right];
    unsigned cap = cap_left + cap_right, to = counting->classes->nr + m;
    double *sum = counting->sum[to];

    if (cap > nr_left)
        cap = nr_left;
    counting->cap[to] = cap;
    for (unsigned n = 0; n <= cap; n++)
        sum[n] = HUGE_VAL;
    for (unsigned a = 0; a <= cap_left && a <= cap; a++) {
        const double *cross =
            &counting->classes->cross[merge->at] + a * (merge->nr_right + 1);
        unsigned most = cap - a < cap_right ? cap - a : cap_right;

        for (unsigned b = 0; b <= most; b++)
            sum[a + b] = at_most(
                sum[a + b], left[a] + (right[b] + counting->even * cross[b]));
    }
    xlnuma__bound_work(counting, (cap_left + 1) * (cap_right + 1));
}

/* Which counts of a group and its parts have the least sum. */
static void trace(const struct xlnuma__counting *counting, unsigned group,
                  unsigned nr, uint8_t count[])
{
    const struct xlnuma__merge *merge;
    const double *left, *right;

    if (group < counting->classes->nr) {
        count[group] = (uint8_t)nr;
        return;
    }
    merge = &counting->classes->merge[group - counting->classes->nr];
    left = counting->sum[merge->left];
    right = counting->sum[merge->right];
    for (unsigned a = 0; a <= counting->cap[merge->left] && a <= nr; a++) {
        const double *cross =
            &counting->classes->cross[merge->at] + a * (merge->nr_right + 1);
        unsigned b = nr - a;

        if (b <= counting->cap[merge->right] &&
            left[a] + (right[b] + counting->even * cross[b]) <=
                counting->sum[group][nr]) {
            trace(counting, merge->left, a, count);
            trace(counting, merge->right, b, count);
            return;
        }
    }
}

/*
 * At least the excess over theta of every completion, for one centre; of an
 * open one also how it changes with the centre, and the counts.
 */
static void touch(struct xlnuma__counting *counting,
                  const struct xlnuma__partial *partial, double centre,
                  struct xlnuma__tangent *tangent_r)
{
    const struct xlnuma__classes *classes = counting->classes;
    unsigned root = classes->nr + classes->nr_merges - 1;

    tangent_r->centre = centre;
    tangent_r->value =
        counting->even * partial->quad - counting->theta * partial->nr_cpus +
        centre * (counting->scale - counting->even * counting->size);
    for (unsigned t = 0; t < classes->nr; t++)
        tangent_r->value += value_class(counting, partial, t, centre);
    for (unsigned m = 0; m < classes->nr_merges; m++)
        add_up(counting, m, partial->nr_left);
    tangent_r->value += counting->cap[root] < partial->nr_left
                            ? HUGE_VAL
                            : counting->sum[root][partial->nr_left];
    if (tangent_r->value >= 0)
        return;
    memcpy(tangent_r->count, partial->count, sizeof(tangent_r->count));
    trace(counting, root, partial->nr_left, tangent_r->count);
    tangent_r->slope = counting->scale - counting->even * counting->size;
    for (unsigned t = 0; t < classes->nr; t++) {
        if (xlnuma__is_decided(partial, t))
            tangent_r->count[t] = partial->count[t];
        tangent_r->slope -=
            counting->option[classes->class[t].at + tangent_r->count[t]].excess;
    }
}

/*
 * The bound is concave in the centre: go where the tangents on both sides of
 * its top meet, at most nr times.
 */
void xlnuma__bound_climb(struct xlnuma__counting *counting,
                         const struct xlnuma__partial *partial, unsigned nr,
                         struct xlnuma__tangent *best)
{
    struct xlnuma__tangent low = { 0 }, high = { 0 }, now;
    bool has_low = false, has_high = false;
    double step = whole(partial->centre / 8) + 1, next;

    touch(counting, partial, partial->centre, best);
    now = *best;
    for (; nr && now.value < 0 && now.slope != 0; nr--) {
        if (now.slope > 0)
            low = now;
        else
            high = now;
        has_low |= now.slope > 0;
        has_high |= now.slope < 0;
        if (has_low && has_high)
            next = (high.value - low.value + low.slope * low.centre -
                    high.slope * high.centre) /
                   (low.slope - high.slope);
        else
            next = now.centre + (now.slope > 0 ? step : -step);
        step *= 2;
        next =
            whole(at_most(at_least(next, 0), 256.0 * counting->table->nr_cpus));
        if (next == now.centre || (has_low && next == low.centre) ||
            (has_high && next == high.centre))
            return;
        touch(counting, partial, next, &now);
        if (now.value > best->value)
            *best = now;
    }
}

/* The bound when only the shares are open: columns are known. */
double xlnuma__bound_choice(struct xlnuma__counting *counting,
                            const struct xlnuma__partial *partial,
                            uint64_t roomiest, uint64_t tightest)
{
    double bound =
        counting->share * partial->quad - counting->theta * partial->nr_cpus;
    double least;

    bound_level(counting, roomiest, tightest, &least, &counting->most);
    for (unsigned t = 0; t < counting->classes->nr; t++) {
        uint64_t cells = counting->classes->class[t].cells;
        double column = partial->column[t] - partial->centre, memory = 0;
        unsigned i;

        if (column > 0)
            XLNUMA_FOR_EACH_NODE(i, tightest & cells)
                memory += at_most(counting->room[i], least) - counting->share;
        else
            XLNUMA_FOR_EACH_NODE(i, roomiest & cells)
                memory += at_most(counting->room_up[i], counting->most) -
                          counting->share;
        bound += column * memory;
    }
    return bound;
}
