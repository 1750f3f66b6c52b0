/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a set of candidates costs a guest: shares of memory, CPUs, expected
 * distance, sockets, room to grow, low memory, load, holes; and the order of sets
 * that follows. Does not search for sets.
 */
#include "planner/planner.h"

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

/* How a guest's memory and CPUs are on a set. */
struct shares {
    uint64_t cpus_of; /* the candidates whose CPUs the vCPUs use */
    unsigned nr_cpus; /* of these */
    uint64_t used;    /* the candidates with memory of it */
    uint64_t den;     /* kb[] is so many times the KiB: shares are exact */
    xlnuma__u128 kb[XLNUMA_NODES_MAX];
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

/*
 * The CPUs that a candidate counts with: its own; in a set without any CPU, which
 * is judged to be shown, one each.
 */
static unsigned weight_of(const struct xlnuma__table *table,
                          const struct xlnuma__judged *set, unsigned i)
{
    return set->nr_cpus ? table->candidate[i].nr_cpus : 1;
}

/* --- spread: in proportion to CPUs ------------------------------------------- */

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

/* Nodes without CPUs: the shortest way, then most room, then the lowest node. */
static struct order order_by_reach(const struct xlnuma__table *table,
                                   uint64_t cpus_of, uint64_t without_cpus)
{
    struct order order = order_of(without_cpus);
    uint64_t reach[XLNUMA_NODES_MAX];

    for (unsigned n = 0; n < order.nr; n++) {
        uint8_t i = order.at[n];
        const struct xlnuma__candidate *x = &table->candidate[i], *y;
        unsigned at = n, j;

        reach[i] = 0;
        XLNUMA_FOR_EACH_NODE(j, cpus_of)
            reach[i] +=
                (uint64_t)table->candidate[j].nr_cpus * table->distance[j][i];
        for (; at; at--) {
            unsigned other = order.at[at - 1];

            y = &table->candidate[other];
            if (reach[other] != reach[i]       ? reach[other] < reach[i]
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
 * Candidates with less room than their part give all of it, the others divide
 * what is left by their CPUs; what all of these lack those without CPUs give.
 */
static void divide(const struct xlnuma__table *table,
                   const struct xlnuma__judged *set, bool is_low,
                   uint64_t left_kb, struct shares *shares)
{
    struct order order = order_by_room(table, shares->cpus_of, is_low);
    uint64_t cpus = set->nr_cpus, full = 0;
    unsigned n = 0, i;

    for (; n < order.nr; n++) {
        uint64_t room_kb = room_of(table, order.at[n], is_low);
        unsigned nr_cpus = table->candidate[order.at[n]].nr_cpus;

        if ((xlnuma__u128)room_kb * cpus > (xlnuma__u128)left_kb * nr_cpus)
            break;
        full |= (uint64_t)1 << order.at[n];
        left_kb -= room_kb;
        cpus -= nr_cpus;
    }
    if (n < order.nr)
        shares->den = cpus;
    XLNUMA_FOR_EACH_NODE(i, full)
        shares->kb[i] = (xlnuma__u128)room_of(table, i, is_low) * shares->den;
    for (; n < order.nr; n++)
        shares->kb[order.at[n]] =
            (xlnuma__u128)left_kb * table->candidate[order.at[n]].nr_cpus;
    if (shares->den == 1 && left_kb && full == shares->cpus_of) {
        order = order_by_reach(table, full, set->set & ~full);
        for (n = 0; n < order.nr; n++) {
            uint64_t room_kb = room_of(table, order.at[n], is_low);

            shares->kb[order.at[n]] = room_kb < left_kb ? room_kb : left_kb;
            left_kb -= (uint64_t)shares->kb[order.at[n]];
        }
    }
}

static void spread(const struct xlnuma__table *table, uint64_t memory_kb,
                   const struct xlnuma__judged *set, struct shares *shares)
{
    bool is_low = set->low_kb;
    unsigned i;

    shares->cpus_of = set->set & table->with_cpus;
    shares->nr_cpus = set->nr_cpus;
    shares->den = 1;
    XLNUMA_FOR_EACH_NODE(i, set->set & ~shares->cpus_of)
        shares->kb[i] = 0;
    divide(table, set, is_low, is_low ? set->low_kb : memory_kb, shares);
    /* Low memory is taken when all other is: that is not divided. */
    XLNUMA_FOR_EACH_NODE(i, is_low ? set->set : 0)
        shares->kb[i] +=
            (xlnuma__u128)table->candidate[i].high_kb * shares->den;
}

/* A set that lacks memory or CPUs, to be shown: as if every node had room. */
static void spread_lacking(const struct xlnuma__table *table,
                           uint64_t memory_kb, const struct xlnuma__judged *set,
                           struct shares *shares)
{
    unsigned i;

    shares->cpus_of = set->set & table->with_cpus;
    shares->nr_cpus = set->nr_cpus;
    shares->den = 0;
    XLNUMA_FOR_EACH_NODE(i, set->set) {
        shares->kb[i] = (xlnuma__u128)memory_kb * weight_of(table, set, i);
        shares->den += weight_of(table, set, i);
    }
}

/* --- pack: from one node to the next ------------------------------------------ */

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
                 const struct xlnuma__judged *set, struct shares *shares)
{
    struct order order = order_from(table, set->set, start_of(table, set->set));
    uint64_t left_kb[2] = { need->memory_kb - set->low_kb, set->low_kb };
    bool by_cores = set->nr_cores >= need->nr_vcpus;
    unsigned has = 0;

    shares->cpus_of = 0;
    shares->nr_cpus = 0;
    shares->den = 1;
    for (unsigned n = 0; n < order.nr; n++) {
        unsigned j = order.at[n];
        const struct xlnuma__candidate *candidate = &table->candidate[j];

        shares->kb[j] = 0;
        for (unsigned low = 0; low < 2; low++) {
            uint64_t room_kb = room_of(table, j, low);
            uint64_t share = room_kb < left_kb[low] ? room_kb : left_kb[low];

            shares->kb[j] += share;
            left_kb[low] -= share;
        }
        if (has >= need->nr_vcpus || !candidate->nr_cpus)
            continue;
        shares->cpus_of |= (uint64_t)1 << j;
        shares->nr_cpus += candidate->nr_cpus;
        has += by_cores ? candidate->nr_cores : candidate->nr_cpus;
    }
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

static void share_out(const struct xlnuma__table *table,
                      const struct xlnuma__need *need,
                      const struct xlnuma__judged *set, struct shares *shares)
{
    bool is_lacking = set->usable_kb < need->memory_kb || !set->nr_cpus;
    unsigned i;

    if (is_lacking)
        spread_lacking(table, need->memory_kb, set, shares);
    else if (need->memory == XLNUMA_MEMORY_PACK)
        pack(table, need, set, shares);
    else
        spread(table, need->memory_kb, set, shares);
    shares->used = is_lacking ? set->set : 0;
    XLNUMA_FOR_EACH_NODE(i, set->set)
        shares->used |= (uint64_t)(shares->kb[i] > 0) << i;
}

/* The expected distance; of memory alone, or with the way by the devices. */
static void weigh(const struct xlnuma__table *table,
                  const struct xlnuma__judged *set, const struct shares *shares,
                  bool is_memory, xlnuma__u128 *num_r, uint64_t *den_r)
{
    struct order from = order_of(set->nr_cpus ? shares->cpus_of : set->set);
    unsigned j;

    *num_r = 0;
    XLNUMA_FOR_EACH_NODE(j, shares->used) {
        unsigned to = table->candidate[j].id;
        uint64_t column = 0;

        for (unsigned n = 0; n < from.nr; n++) {
            unsigned i = from.at[n];

            column +=
                (uint64_t)weight_of(table, set, i) *
                (is_memory ? table->host->distance[table->candidate[i].id][to]
                           : table->distance[i][j]);
        }
        *num_r += shares->kb[j] * column;
    }
    *den_r = shares->den * (set->nr_cpus ? shares->nr_cpus : from.nr);
}

void xlnuma__judge(const struct xlnuma__table *table,
                   const struct xlnuma__need *need, uint64_t set,
                   struct xlnuma__judged *judged_r)
{
    uint64_t load_mvcpu = 0, unreachable = 0;
    struct shares shares;
    unsigned i;

    *judged_r = (struct xlnuma__judged){ .set = set };
    sum_up(table, need, judged_r);
    share_out(table, need, judged_r, &shares);
    XLNUMA_FOR_EACH_NODE(i, shares.cpus_of) {
        load_mvcpu += table->candidate[i].load_mvcpu;
        unreachable |= table->unreachable[i];
    }
    judged_r->cpus_of = shares.cpus_of;
    judged_r->used = shares.used | shares.cpus_of;
    judged_r->nr_used_cpus = shares.nr_cpus;
    judged_r->is_reachable = !(unreachable & shares.used);
    judged_r->overload = overload_of(table, need, load_mvcpu, shares.nr_cpus);
    weigh(table, judged_r, &shares, false, &judged_r->distance_num,
          &judged_r->distance_den);
}

/* What exact shares sum up to is rounded, from one candidate to the next. */
void xlnuma__shares(const struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    const struct xlnuma__judged *set, uint64_t share_kb[])
{
    uint64_t done_kb = 0;
    xlnuma__u128 sum = 0;
    struct shares shares;
    unsigned i;

    share_out(table, need, set, &shares);
    XLNUMA_FOR_EACH_NODE(i, set->set) {
        uint64_t upto_kb;

        sum += shares.kb[i];
        upto_kb = (uint64_t)(sum / shares.den);
        if (upto_kb < need->memory_kb)
            upto_kb = upto_kb / PAGE_KB * PAGE_KB;
        share_kb[i] = upto_kb - done_kb;
        done_kb = upto_kb;
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
    struct xlnuma__judged by_memory = *set;
    struct shares shares;

    share_out(table, need, set, &shares);
    weigh(table, set, &shares, true, &by_memory.distance_num,
          &by_memory.distance_den);
    return xlnuma__distance_of(&by_memory, need);
}
