/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a set of candidates costs a guest: shares of memory, CPUs, expected
 * distance, sockets, room to grow, low memory, load, holes; and the order of sets
 * that follows. Does not search for sets.
 */
#include "planner/planner.h"

#define PAGE_KB 4

/*
 * A set may be busier than the mean of all nodes by a part of this: chosen with
 * `scripts/bench day` (docs/planner.md has the figures).
 */
#define UNEVEN 13

/* The candidates of a set, one after the other. */
struct order {
    unsigned nr;
    uint8_t at[XLNUMA_NODES_MAX];
};

static uint64_t room_of(const struct xlnuma__table *table, unsigned i,
                        bool is_low)
{
    const struct xlnuma__candidate *candidate = &table->candidate[i];

    return is_low ? candidate->usable_kb - candidate->high_kb
                  : candidate->high_kb;
}

static struct order order_of(uint64_t set)
{
    struct order order = { .nr = 0 };
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        order.at[order.nr++] = (uint8_t)i;
    return order;
}

/* --- spread: in proportion to CPUs ------------------------------------------- */

/*
 * The CPUs that a candidate counts with: its own; in a set without any CPU, which
 * is judged to be shown, one each.
 */
static unsigned weight_of(const struct xlnuma__table *table,
                          const struct xlnuma__judged *set, unsigned i)
{
    return set->nr_cpus ? table->candidate[i].nr_cpus : 1;
}

/* Ascending room a CPU. That is the table's order for memory that is not low. */
static struct order order_by_room(const struct xlnuma__table *table,
                                  uint64_t cpus_of, bool is_low)
{
    struct order order = order_of(cpus_of);

    for (unsigned n = 1; is_low && n < order.nr; n++) {
        uint8_t i = order.at[n];
        unsigned at = n;

        for (; at && (xlnuma__u128)room_of(table, i, true) *
                             table->candidate[order.at[at - 1]].nr_cpus <
                         (xlnuma__u128)room_of(table, order.at[at - 1], true) *
                             table->candidate[i].nr_cpus;
             at--)
            order.at[at] = order.at[at - 1];
        order.at[at] = i;
    }
    return order;
}

/* What the set's CPUs pay for memory on each of its nodes. */
static void fill_columns(const struct xlnuma__table *table,
                         const struct xlnuma__judged *set, uint64_t column[])
{
    struct order order = order_of(set->set);

    for (unsigned m = 0; m < order.nr; m++) {
        unsigned j = order.at[m];

        column[j] = 0;
        for (unsigned n = 0; n < order.nr; n++)
            column[j] += (uint64_t)weight_of(table, set, order.at[n]) *
                         table->distance[order.at[n]][j];
    }
}

/* Nodes without CPUs: the shortest way, then most room, then the lowest node. */
static struct order order_by_reach(const struct xlnuma__table *table,
                                   uint64_t set, const uint64_t column[])
{
    struct order order = order_of(set);

    for (unsigned n = 1; n < order.nr; n++) {
        uint8_t i = order.at[n];
        const struct xlnuma__candidate *x = &table->candidate[i], *y;
        unsigned at = n;

        for (; at; at--) {
            unsigned other = order.at[at - 1];

            y = &table->candidate[other];
            if (column[other] != column[i]     ? column[other] < column[i]
                : y->usable_kb != x->usable_kb ? y->usable_kb > x->usable_kb
                                               : y->id < x->id)
                break;
            order.at[at] = (uint8_t)other;
        }
        order.at[at] = i;
    }
    return order;
}

/*
 * Memory weighed with columns is num / den. The shares are exact, not in pages:
 * candidates with less room than their part give all of it, the others divide
 * what is left by their CPUs.
 */
struct weighed {
    xlnuma__u128 num;
    uint64_t den;
    uint64_t used;
};

static struct weighed weigh_part(const struct xlnuma__table *table,
                                 const struct xlnuma__judged *set, bool is_low,
                                 uint64_t left_kb, const uint64_t reach[],
                                 const uint64_t column[])
{
    uint64_t with_cpus = set->set & table->with_cpus;
    struct order order = order_by_room(table, with_cpus, is_low);
    struct weighed weighed = { .den = 1 };
    uint64_t cpus = set->nr_cpus, columns = 0;
    unsigned n = 0;

    for (; n < order.nr && left_kb; n++) {
        unsigned i = order.at[n], nr_cpus = table->candidate[i].nr_cpus;
        uint64_t room_kb = room_of(table, i, is_low);

        if ((xlnuma__u128)room_kb * cpus > (xlnuma__u128)left_kb * nr_cpus)
            break;
        weighed.num += (xlnuma__u128)room_kb * column[i];
        weighed.used |= (uint64_t)(room_kb > 0) << i;
        left_kb -= room_kb;
        cpus -= nr_cpus;
    }
    if (!left_kb)
        return weighed;
    if (n < order.nr) {
        for (; n < order.nr; n++) {
            unsigned i = order.at[n];

            columns += column[i] * table->candidate[i].nr_cpus;
            weighed.used |= (uint64_t)1 << i;
        }
        weighed.den = cpus;
        weighed.num = weighed.num * cpus + (xlnuma__u128)left_kb * columns;
        return weighed;
    }
    order = order_by_reach(table, set->set & ~with_cpus, reach);
    for (n = 0; n < order.nr && left_kb; n++) {
        unsigned i = order.at[n];
        uint64_t room_kb = room_of(table, i, is_low);
        uint64_t share = room_kb < left_kb ? room_kb : left_kb;

        weighed.num += (xlnuma__u128)share * column[i];
        weighed.used |= (uint64_t)(share > 0) << i;
        left_kb -= share;
    }
    return weighed;
}

/* A set that lacks memory or CPUs, to be shown: as if every node had room. */
static struct weighed weigh_lacking(const struct xlnuma__table *table,
                                    const struct xlnuma__judged *set,
                                    uint64_t memory_kb, const uint64_t column[])
{
    struct weighed weighed = { .used = set->set };
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set->set) {
        weighed.num +=
            (xlnuma__u128)memory_kb * column[i] * weight_of(table, set, i);
        weighed.den += weight_of(table, set, i);
    }
    return weighed;
}

static struct weighed weigh_spread(const struct xlnuma__table *table,
                                   const struct xlnuma__judged *set,
                                   uint64_t memory_kb, const uint64_t reach[],
                                   const uint64_t column[])
{
    struct weighed high, low;

    if (set->usable_kb < memory_kb || !set->nr_cpus)
        return weigh_lacking(table, set, memory_kb, column);
    high =
        weigh_part(table, set, false, memory_kb - set->low_kb, reach, column);
    if (!set->low_kb)
        return high;
    low = weigh_part(table, set, true, set->low_kb, reach, column);
    high.num = high.num * low.den + low.num * high.den;
    high.den *= low.den;
    high.used |= low.used;
    return high;
}

static void judge_spread(const struct xlnuma__table *table,
                         const struct xlnuma__need *need,
                         struct xlnuma__judged *set)
{
    uint64_t column[XLNUMA_NODES_MAX];
    struct weighed weighed;
    unsigned i;

    fill_columns(table, set, column);
    weighed = weigh_spread(table, set, need->memory_kb, column, column);
    set->cpus_of = set->set & table->with_cpus;
    set->nr_used_cpus = set->nr_cpus;
    set->used = weighed.used | set->cpus_of;
    set->distance_num = weighed.num;
    set->distance_den =
        weighed.den *
        (set->nr_cpus ? set->nr_cpus : xlnuma_nodeset_count(set->set));
    set->is_reachable = true;
    XLNUMA_FOR_EACH_NODE(i, set->cpus_of)
        if (table->unreachable[i] & weighed.used)
            set->is_reachable = false;
}

/* Add shares in whole pages; the last candidate gets what is left. */
static void share_spread(const struct xlnuma__table *table,
                         const struct xlnuma__judged *set, bool is_low,
                         uint64_t left_kb, uint64_t share_kb[])
{
    uint64_t with_cpus = set->set & table->with_cpus;
    struct order order = order_by_room(table, with_cpus, is_low);
    uint64_t cpus = set->nr_cpus, column[XLNUMA_NODES_MAX];

    for (unsigned n = 0; cpus && n < order.nr; n++) {
        unsigned i = order.at[n], nr_cpus = table->candidate[i].nr_cpus;
        uint64_t room_kb = room_of(table, i, is_low);
        uint64_t share = (uint64_t)((xlnuma__u128)left_kb * nr_cpus / cpus) /
                         PAGE_KB * PAGE_KB;

        if (cpus == nr_cpus)
            share = left_kb;
        if (share > room_kb)
            share = room_kb;
        share_kb[i] += share;
        left_kb -= share;
        cpus -= nr_cpus;
    }
    fill_columns(table, set, column);
    order = order_by_reach(table, set->set & ~with_cpus, column);
    for (unsigned n = 0; n < order.nr; n++) {
        uint64_t room_kb = room_of(table, order.at[n], is_low);
        uint64_t share = room_kb < left_kb ? room_kb : left_kb;

        share_kb[order.at[n]] += share;
        left_kb -= share;
    }
}

/* --- pack: from one node to the next ------------------------------------------ */

/* A packed guest's memory and CPUs. */
struct packed {
    uint64_t used, cpus_of, unreachable;
    unsigned nr_cpus;
    xlnuma__u128 num;
    uint64_t share_kb[XLNUMA_NODES_MAX];
};

/* The start, and then the others of the set, the nearest first. */
static struct order order_from(const struct xlnuma__table *table, uint64_t set,
                               unsigned start)
{
    struct order order = { .nr = 1, .at = { (uint8_t)start } };
    unsigned nr = xlnuma_nodeset_count(set);

    for (unsigned n = 0; order.nr < nr; n++) {
        uint8_t i = table->nearest_memory[start][n];

        if (i != start && (set >> i) & 1)
            order.at[order.nr++] = i;
    }
    return order;
}

/*
 * It starts on a node with CPUs, on that from which the set's memory, all of it,
 * is nearest; of equals the roomiest, and then the lowest node.
 */
static unsigned start_of(const struct xlnuma__table *table, uint64_t set)
{
    unsigned best = xlnuma_nodeset_first(set & table->with_cpus), i, j;
    xlnuma__u128 best_sum = 0;

    XLNUMA_FOR_EACH_NODE(i, set & table->with_cpus) {
        const struct xlnuma__candidate *x = &table->candidate[i];
        const struct xlnuma__candidate *y = &table->candidate[best];
        xlnuma__u128 sum = 0;

        XLNUMA_FOR_EACH_NODE(j, set)
            sum += (xlnuma__u128)table->candidate[j].usable_kb *
                   table->distance[i][j];
        if (i != best &&
            (sum != best_sum                ? sum > best_sum
             : x->usable_kb != y->usable_kb ? x->usable_kb < y->usable_kb
                                            : x->id > y->id))
            continue;
        best = i;
        best_sum = sum;
    }
    return best;
}

static void pack(const struct xlnuma__table *table,
                 const struct xlnuma__need *need,
                 const struct xlnuma__judged *set, struct packed *packed)
{
    struct order order = order_from(table, set->set, start_of(table, set->set));
    uint64_t left_kb[2] = { need->memory_kb - set->low_kb, set->low_kb };
    bool by_cores = set->nr_cores >= need->nr_vcpus;
    unsigned has = 0;

    packed->used = packed->cpus_of = packed->unreachable = 0;
    packed->nr_cpus = 0;
    packed->num = 0;
    for (unsigned n = 0; n < order.nr; n++) {
        unsigned j = order.at[n];
        const struct xlnuma__candidate *candidate = &table->candidate[j];

        packed->share_kb[j] = 0;
        for (unsigned low = 0; low < 2; low++) {
            uint64_t room_kb = room_of(table, j, low);
            uint64_t share = room_kb < left_kb[low] ? room_kb : left_kb[low];

            packed->share_kb[j] += share;
            left_kb[low] -= share;
        }
        packed->used |= (uint64_t)(packed->share_kb[j] > 0) << j;
        if (has >= need->nr_vcpus || !candidate->nr_cpus)
            continue;
        packed->cpus_of |= (uint64_t)1 << j;
        packed->unreachable |= table->unreachable[j];
        packed->nr_cpus += candidate->nr_cpus;
        has += by_cores ? candidate->nr_cores : candidate->nr_cpus;
    }
    packed->unreachable &= packed->used;
    for (unsigned n = 0; n < order.nr; n++) {
        unsigned j = order.at[n], i;
        uint64_t column = 0;

        if (!packed->share_kb[j])
            continue;
        XLNUMA_FOR_EACH_NODE(i, packed->cpus_of)
            column +=
                (uint64_t)table->candidate[i].nr_cpus * table->distance[i][j];
        packed->num += (xlnuma__u128)packed->share_kb[j] * column;
    }
}

/* A set that lacks something is shown as if memory were spread. */
static bool is_packed(const struct xlnuma__need *need,
                      const struct xlnuma__judged *set)
{
    return need->memory == XLNUMA_MEMORY_PACK && set->nr_cpus &&
           set->usable_kb >= need->memory_kb;
}

static void judge_packed(const struct xlnuma__table *table,
                         const struct xlnuma__need *need,
                         struct xlnuma__judged *set)
{
    struct packed packed;

    pack(table, need, set, &packed);
    set->is_reachable = !packed.unreachable;
    set->cpus_of = packed.cpus_of;
    set->nr_used_cpus = packed.nr_cpus;
    set->used = packed.used | packed.cpus_of;
    set->distance_num = packed.num;
    set->distance_den = packed.nr_cpus;
}

/* --- a set ------------------------------------------------------------------ */

/*
 * How far CPUs that run load_mvcpu and the guest are beyond what a host may be
 * uneven, times nr_cpus and what is the same for all sets; 0 when they are not.
 */
static uint64_t overload_of(const struct xlnuma__table *table,
                            const struct xlnuma__need *need,
                            uint64_t load_mvcpu, unsigned nr_cpus)
{
    uint64_t guest_mvcpu = need->nr_vcpus * (uint64_t)1000;
    uint64_t all_mvcpu = table->load_mvcpu + guest_mvcpu;
    uint64_t has = (load_mvcpu + guest_mvcpu) * table->nr_cpus * UNEVEN;
    uint64_t may_have = all_mvcpu * nr_cpus * (UNEVEN + 1);

    return has > may_have ? has - may_have : 0; /* both below 2^62 */
}

static void sum_up(const struct xlnuma__table *table,
                   const struct xlnuma__need *need, struct xlnuma__judged *set)
{
    uint64_t high_kb = 0, mates = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set->set) {
        const struct xlnuma__candidate *candidate = &table->candidate[i];

        set->nodes |= (xlnuma_nodeset)1 << candidate->id;
        set->usable_kb += candidate->usable_kb;
        set->nr_cpus += candidate->nr_cpus;
        set->nr_cores += candidate->nr_cores;
        set->nr_named += candidate->is_named;
        set->nr_sockets += !((mates >> i) & 1);
        mates |= table->socket_mates[i];
        high_kb += candidate->high_kb;
    }
    if (need->memory_kb > high_kb)
        set->low_kb = need->memory_kb - high_kb;
    set->can_grow =
        set->usable_kb >= need->limit_kb && set->nr_cpus >= need->limit_cpus;
}

/* All of it on one node. */
static void judge_single(const struct xlnuma__table *table,
                         const struct xlnuma__need *need,
                         struct xlnuma__judged *set)
{
    unsigned i = xlnuma_nodeset_first(set->set);

    set->used = set->set;
    set->cpus_of = set->nr_cpus ? set->set : 0;
    set->nr_used_cpus = set->nr_cpus;
    set->distance_num = (xlnuma__u128)need->memory_kb * table->distance[i][i];
    set->distance_den = 1;
    set->is_reachable = true;
}

void xlnuma__judge(const struct xlnuma__table *table,
                   const struct xlnuma__need *need, uint64_t set,
                   struct xlnuma__judged *judged_r)
{
    uint64_t load_mvcpu = 0;
    unsigned i;

    *judged_r = (struct xlnuma__judged){ .set = set };
    sum_up(table, need, judged_r);
    if (!(set & (set - 1)))
        judge_single(table, need, judged_r);
    else if (is_packed(need, judged_r))
        judge_packed(table, need, judged_r);
    else
        judge_spread(table, need, judged_r);
    XLNUMA_FOR_EACH_NODE(i, judged_r->cpus_of)
        load_mvcpu += table->candidate[i].load_mvcpu;
    judged_r->overload =
        overload_of(table, need, load_mvcpu, judged_r->nr_used_cpus);
}

void xlnuma__shares(const struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    const struct xlnuma__judged *set, uint64_t share_kb[])
{
    struct packed packed;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set->set)
        share_kb[i] = 0;
    if (!(set->set & (set->set - 1))) {
        share_kb[xlnuma_nodeset_first(set->set)] = need->memory_kb;
    } else if (is_packed(need, set)) {
        pack(table, need, set, &packed);
        XLNUMA_FOR_EACH_NODE(i, set->set)
            share_kb[i] = packed.share_kb[i];
    } else {
        share_spread(table, set, false, need->memory_kb - set->low_kb,
                     share_kb);
        share_spread(table, set, true, set->low_kb, share_kb);
    }
}

bool xlnuma__holds(const struct xlnuma__need *need,
                   const struct xlnuma__judged *set)
{
    return set->usable_kb >= need->memory_kb && set->nr_cpus &&
           set->nr_cpus >= need->nr_cpus && set->nr_cores >= need->nr_cores &&
           set->is_reachable && set->nr_named <= need->max_nodes &&
           set->nr_sockets <= need->max_sockets && set->used == set->set;
}

/* --- the order of sets -------------------------------------------------------- */

/* a/b against c/d without rounding: the products have up to 170 bits. */
static int compare_ratio(xlnuma__u128 a, uint64_t b, xlnuma__u128 c, uint64_t d)
{
    xlnuma__u128 low_left = (xlnuma__u128)(uint64_t)a * d;
    xlnuma__u128 low_right = (xlnuma__u128)(uint64_t)c * b;
    xlnuma__u128 left = (low_left >> 64) + (a >> 64) * d;
    xlnuma__u128 right = (low_right >> 64) + (c >> 64) * b;

    if (left == right) {
        left = (uint64_t)low_left;
        right = (uint64_t)low_right;
    }
    return (left > right) - (left < right);
}

int xlnuma__compare_distance(const struct xlnuma__judged *a,
                             const struct xlnuma__judged *b)
{
    return compare_ratio(a->distance_num, a->distance_den, b->distance_num,
                         b->distance_den);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int xlnuma__compare(const struct xlnuma__judged *a,
                    const struct xlnuma__judged *b, enum xlnuma_why_not *why_r)
{
    xlnuma_nodeset differ = a->nodes ^ b->nodes;
    int order;

    *why_r = XLNUMA_WHY_NOT_FARTHER;
    if ((order = xlnuma__compare_distance(a, b)))
        return order;
    *why_r = XLNUMA_WHY_NOT_SOCKETS;
    if ((order = compare_numbers(a->nr_sockets, b->nr_sockets)))
        return order;
    *why_r = XLNUMA_WHY_NOT_GROWTH;
    if ((order = compare_numbers(b->can_grow, a->can_grow)))
        return order;
    *why_r = XLNUMA_WHY_NOT_LOW;
    if ((order = compare_numbers(a->low_kb, b->low_kb)))
        return order;
    *why_r = XLNUMA_WHY_NOT_LOAD;
    if ((order = compare_ratio(a->overload, a->nr_used_cpus, b->overload,
                               b->nr_used_cpus)))
        return order;
    /* Best fit: the less is left beside the guest, the more elsewhere. */
    *why_r = XLNUMA_WHY_NOT_HOLES;
    if ((order = compare_numbers(a->usable_kb, b->usable_kb)) || !differ)
        return order;
    return (a->nodes & differ & -differ) ? -1 : 1;
}

double xlnuma__distance_of(const struct xlnuma__judged *set,
                           const struct xlnuma__need *need)
{
    return (double)set->distance_num / (double)set->distance_den /
           (double)need->memory_kb;
}

double xlnuma__memory_distance(const struct xlnuma__table *table,
                               const struct xlnuma__need *need,
                               const struct xlnuma__judged *set)
{
    uint64_t reach[XLNUMA_NODES_MAX], column[XLNUMA_NODES_MAX];
    struct weighed weighed = { .den = 1 };
    struct packed packed;
    unsigned i, j;

    if (table->scale == 1)
        return xlnuma__distance_of(set, need);
    if (!(set->set & (set->set - 1)))
        return XLNUMA_DISTANCE_LOCAL;
    fill_columns(table, set, reach);
    XLNUMA_FOR_EACH_NODE(j, set->set) {
        column[j] = 0;
        XLNUMA_FOR_EACH_NODE(i, set->nr_cpus ? set->cpus_of : set->set)
            column[j] +=
                (uint64_t)weight_of(table, set, i) *
                table->host
                    ->distance[table->candidate[i].id][table->candidate[j].id];
    }
    if (is_packed(need, set)) {
        pack(table, need, set, &packed);
        XLNUMA_FOR_EACH_NODE(j, packed.used)
            weighed.num += (xlnuma__u128)packed.share_kb[j] * column[j];
    } else {
        weighed = weigh_spread(table, set, need->memory_kb, reach, column);
    }
    return (double)weighed.num / (double)weighed.den / (double)need->memory_kb /
           (set->nr_cpus ? set->nr_used_cpus : xlnuma_nodeset_count(set->set));
}
