/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a node set costs a guest: expected distance, sockets, low memory, load,
 * holes, and the order of sets that follows. Does not search for sets (plan.c).
 */
#include "core/core.h"

#define PAGE_KB 4

/* The cells in ascending order of room; of equals the first one first. */
static void sort_by_room(const uint64_t room_kb[], unsigned nr,
                         unsigned order_r[])
{
    for (unsigned i = 0; i < nr; i++) {
        unsigned at = i;

        for (; at && room_kb[i] < room_kb[order_r[at - 1]]; at--)
            order_r[at] = order_r[at - 1];
        order_r[at] = i;
    }
}

/*
 * Add even shares, by filling the smallest cells first: a cell that has less
 * room than the even share gives what it has, the others divide what is left.
 */
static void share_evenly(const uint64_t room_kb[], unsigned nr,
                         uint64_t needed_kb, uint64_t share_kb[])
{
    uint64_t left_kb = needed_kb;
    unsigned order[XLNUMA_NODES_MAX];

    sort_by_room(room_kb, nr, order);
    for (unsigned n = 0; n < nr; n++) {
        unsigned i = order[n];
        uint64_t share = left_kb / (nr - n) / PAGE_KB * PAGE_KB;

        if (share > room_kb[i])
            share = room_kb[i];
        if (n == nr - 1)
            share = left_kb;
        share_kb[i] += share;
        left_kb -= share;
    }
}

/*
 * The best cell for a packed guest: the one that the set's CPUs reach in the
 * shortest way, then the one with most room.
 */
static unsigned best_cell(const struct xlnuma_host *host,
                          const struct xlnuma__cell *const cell[], unsigned nr,
                          const bool is_taken[])
{
    unsigned best = nr;
    uint64_t best_sum = 0;

    for (unsigned j = 0; j < nr; j++) {
        uint64_t sum = 0;

        if (is_taken[j])
            continue;
        for (unsigned i = 0; i < nr; i++)
            sum += (uint64_t)cell[i]->nr_cpus *
                   host->distance[cell[i]->id][cell[j]->id];
        if (best == nr || sum < best_sum ||
            (sum == best_sum && cell[j]->usable_kb > cell[best]->usable_kb)) {
            best = j;
            best_sum = sum;
        }
    }
    return best;
}

static void share_packed(const struct xlnuma_host *host,
                         const struct xlnuma__cell *const cell[],
                         const uint64_t room_kb[], unsigned nr,
                         uint64_t needed_kb, uint64_t share_kb[])
{
    bool is_taken[XLNUMA_NODES_MAX] = { false };
    uint64_t left_kb = needed_kb;

    for (unsigned n = 0; n < nr; n++) {
        unsigned i = best_cell(host, cell, nr, is_taken);
        uint64_t share = room_kb[i] < left_kb ? room_kb[i] : left_kb;

        share_kb[i] += share;
        left_kb -= share;
        is_taken[i] = true;
    }
}

static void share_room(const struct xlnuma_host *host,
                       const struct xlnuma__cell *const cell[],
                       const uint64_t room_kb[], unsigned nr,
                       uint64_t needed_kb, enum xlnuma_memory memory,
                       uint64_t share_kb[])
{
    if (memory == XLNUMA_MEMORY_PACK)
        share_packed(host, cell, room_kb, nr, needed_kb, share_kb);
    else
        share_evenly(room_kb, nr, needed_kb, share_kb);
}

void xlnuma__cost_shares(const struct xlnuma_host *host,
                         const struct xlnuma__cell *const cell[], unsigned nr,
                         uint64_t needed_kb, enum xlnuma_memory memory,
                         uint64_t share_kb[])
{
    uint64_t room_kb[XLNUMA_NODES_MAX], usable_kb = 0, high_kb = 0, low_kb;

    for (unsigned i = 0; i < nr; i++) {
        usable_kb += cell[i]->usable_kb;
        high_kb += cell[i]->high_kb;
        share_kb[i] = 0;
    }
    if (usable_kb < needed_kb) {
        for (unsigned i = 0; i < nr; i++)
            room_kb[i] = UINT64_MAX;
        share_evenly(room_kb, nr, needed_kb, share_kb);
        return;
    }
    low_kb = needed_kb > high_kb ? needed_kb - high_kb : 0;
    for (unsigned i = 0; i < nr; i++)
        room_kb[i] = cell[i]->high_kb;
    share_room(host, cell, room_kb, nr, needed_kb - low_kb, memory, share_kb);
    if (!low_kb)
        return;
    for (unsigned i = 0; i < nr; i++)
        room_kb[i] = cell[i]->usable_kb - cell[i]->high_kb;
    share_room(host, cell, room_kb, nr, low_kb, memory, share_kb);
}

static unsigned count_sockets(const struct xlnuma__cell *const cell[],
                              unsigned nr)
{
    unsigned nr_sockets = 0;

    for (unsigned i = 0; i < nr; i++) {
        unsigned j = 0;

        while (j < i && cell[j]->socket != cell[i]->socket)
            j++;
        nr_sockets += j == i;
    }
    return nr_sockets;
}

void xlnuma__cost_judge(const struct xlnuma_host *host,
                        const struct xlnuma__cell *const cell[], unsigned nr,
                        uint64_t needed_kb, enum xlnuma_memory memory,
                        struct xlnuma__judged *judged_r)
{
    struct xlnuma__judged judged = { .is_reachable = true };
    uint64_t share_kb[XLNUMA_NODES_MAX], high_kb = 0;

    xlnuma__cost_shares(host, cell, nr, needed_kb, memory, share_kb);
    for (unsigned i = 0; i < nr; i++) {
        judged.nodes |= (xlnuma_nodeset)1 << cell[i]->id;
        judged.usable_kb += cell[i]->usable_kb;
        high_kb += cell[i]->high_kb;
        judged.nr_cpus += cell[i]->nr_cpus;
        judged.nr_cores += cell[i]->nr_cores;
        judged.load_mvcpu += cell[i]->load_mvcpu;
    }
    judged.low_kb = needed_kb > high_kb ? needed_kb - high_kb : 0;
    judged.nr_sockets = count_sockets(cell, nr);
    judged.distance_cpus = judged.nr_cpus ? judged.nr_cpus : 1;
    for (unsigned i = 0; i < nr; i++) {
        /* Memory without any CPU: as if one CPU were on each of its nodes. */
        unsigned cpus = judged.nr_cpus ? cell[i]->nr_cpus : 1;

        for (unsigned j = 0; cpus && j < nr; j++) {
            unsigned distance = host->distance[cell[i]->id][cell[j]->id];

            if (share_kb[j] && distance == XLNUMA_DISTANCE_UNREACHABLE)
                judged.is_reachable = false;
            judged.distance_num += (xlnuma__u128)cpus * distance * share_kb[j];
        }
    }
    if (!judged.nr_cpus)
        judged.distance_cpus = nr;
    *judged_r = judged;
}

/* a/b against c/d without rounding; the products stay below 2^128. */
static int compare_ratio(xlnuma__u128 a, unsigned b, xlnuma__u128 c, unsigned d)
{
    xlnuma__u128 left = a * d, right = c * b;

    return (left > right) - (left < right);
}

int xlnuma__cost_compare_distance(const struct xlnuma__judged *a,
                                  const struct xlnuma__judged *b)
{
    return compare_ratio(a->distance_num, a->distance_cpus, b->distance_num,
                         b->distance_cpus);
}

int xlnuma__cost_compare(const struct xlnuma__judged *a,
                         const struct xlnuma__judged *b,
                         enum xlnuma_why_not *why_r)
{
    xlnuma_nodeset differ;
    int order;

    *why_r = XLNUMA_WHY_NOT_FARTHER;
    order = xlnuma__cost_compare_distance(a, b);
    if (order)
        return order;
    *why_r = XLNUMA_WHY_NOT_SOCKETS;
    if (a->nr_sockets != b->nr_sockets)
        return a->nr_sockets < b->nr_sockets ? -1 : 1;
    *why_r = XLNUMA_WHY_NOT_LOW;
    if (a->low_kb != b->low_kb)
        return a->low_kb < b->low_kb ? -1 : 1;
    *why_r = XLNUMA_WHY_NOT_LOAD;
    order = compare_ratio(a->load_mvcpu, a->distance_cpus, b->load_mvcpu,
                          b->distance_cpus);
    if (order)
        return order;
    /* Best fit: the less is left beside the guest, the more elsewhere. */
    *why_r = XLNUMA_WHY_NOT_HOLES;
    if (a->usable_kb != b->usable_kb)
        return a->usable_kb < b->usable_kb ? -1 : 1;
    if (a->nodes == b->nodes)
        return 0;
    differ = a->nodes ^ b->nodes;
    return (a->nodes & differ & -differ) ? -1 : 1;
}

double xlnuma__cost_distance(const struct xlnuma__judged *judged,
                             uint64_t needed_kb)
{
    return (double)judged->distance_num / judged->distance_cpus /
           (double)needed_kb;
}
