/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of core/ share with each other and with the layers above, and
 * the library's users do not see.
 */
#ifndef XLNUMA_CORE_H
#define XLNUMA_CORE_H

#include "xlnuma.h"

#include <string.h>

/* --- message.c ------------------------------------------------------------ */

/* Write one line into a caller's message buffer; returns `err`. */
int xlnuma__fail(char *message, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "2657 MiB": KiB in words, rounded down (what is there) to whole MiB. */
char *xlnuma__mib(uint64_t kb, char buf[32]);

/* --- request.c ------------------------------------------------------------ */

/* Rather no domain than one that is placed otherwise? */
static inline bool xlnuma__is_strict(enum xlnuma_policy policy)
{
    return policy == XLNUMA_POLICY_RESTRICTED ||
           policy == XLNUMA_POLICY_SINGLE_NODE;
}

/* --- host.c --------------------------------------------------------------- */

/*
 * A node's memory that a guest can have, and what of it is not low: the builds
 * in flight get that first, as Xen does it.
 */
static inline uint64_t xlnuma__usable_kb(const struct xlnuma_node *node)
{
    return node->free_kb - node->claimed_kb;
}

static inline uint64_t xlnuma__high_kb(const struct xlnuma_node *node)
{
    uint64_t high_kb = node->free_kb - node->low_free_kb;

    return high_kb > node->claimed_kb ? high_kb - node->claimed_kb : 0;
}

/* Set cpus_end by the nodes' CPUs. */
void xlnuma__host_find_end(struct xlnuma_host *host);

/*
 * Distances from a node by parts of a row, for vectors: nodes that are not there
 * are read too. This many parts have all that are.
 */
#define XLNUMA__PART 8
typedef int16_t xlnuma__part __attribute__((vector_size(2 * XLNUMA__PART)));

static inline unsigned xlnuma__nr_parts(const struct xlnuma_host *host)
{
    return (63 - (unsigned)__builtin_clzll(host->nodes)) / XLNUMA__PART + 1;
}

static inline xlnuma__part xlnuma__part_of(const struct xlnuma_host *host,
                                           unsigned id, unsigned n)
{
    xlnuma__part part;

    memcpy(&part, &host->distance[id][n * XLNUMA__PART], sizeof(part));
    return part;
}

/* --- set.c ---------------------------------------------------------------- */

/* Holds any formatted list of CPUs: at worst every second one, "16382,". */
#define XLNUMA__LIST_SIZE (XLNUMA_CPUS_MAX / 2 * 6 + 1)

/* The words that CPUs below `end` are in; 0: all there are. */
unsigned xlnuma__cpuset_words(unsigned end);

/* Without a call for it, which code for older processors has. */
static inline unsigned xlnuma__count_bits(uint64_t word)
{
    word -= (word >> 1) & 0x5555555555555555;
    word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)((word * 0x0101010101010101) >> 56);
}

/*
 * How many CPUs a set has in its first `words`, where all are, and how many of
 * them a filter (NULL: all) leaves.
 */
unsigned xlnuma__cpuset_count_all(const xlnuma_cpuset *set, unsigned words,
                                  const xlnuma_cpuset *filter,
                                  unsigned *nr_common_r);

static inline unsigned xlnuma__cpuset_count(const xlnuma_cpuset *set,
                                            unsigned words,
                                            const xlnuma_cpuset *filter,
                                            unsigned *nr_common_r)
{
    unsigned nr;

    if (words > 1)
        return xlnuma__cpuset_count_all(set, words, filter, nr_common_r);
    *nr_common_r = nr = xlnuma__count_bits(set->word[0]);
    if (filter)
        *nr_common_r = xlnuma__count_bits(set->word[0] & filter->word[0]);
    return nr;
}

/*
 * In digits, without a NUL; returns how many, 20 at most. (printf takes much of a
 * small plan's time.)
 */
size_t xlnuma__write_number(char *to, uint64_t number);

/* As "%.2f" does it, to the last digit; 1 to 2^53. Returns how many. */
size_t xlnuma__write_hundredths(char *to, double number);

/*
 * What a filter (NULL: all) leaves of the first `words` of a set, written to
 * those of *part_r where the set has any (the others stay), and added to *sum.
 */
void xlnuma__cpuset_take(const xlnuma_cpuset *from, unsigned words,
                         const xlnuma_cpuset *filter, xlnuma_cpuset *part_r,
                         xlnuma_cpuset *sum);

/* --- cost.c --------------------------------------------------------------- */

__extension__ typedef unsigned __int128 xlnuma__u128;

/*
 * What the search knows of each usable node: the request's filters applied to
 * the host once, so that judging a set touches only these few numbers.
 */
struct xlnuma__cell {
    unsigned id;
    unsigned socket;
    unsigned nr_cpus;
    unsigned nr_cores;
    uint64_t usable_kb;
    uint64_t high_kb; /* of usable_kb, what is not low memory */
    uint32_t load_mvcpu;
};

/*
 * The usable nodes. A set of them is a mask, bit i for cell[i]. For a guest with
 * devices `distance` is from cell i's CPUs to cell j's memory with the way by
 * them (device.c), in parts of `scale`; for others scale is 1, and there is none.
 */
struct xlnuma__table {
    const struct xlnuma_host *host;
    unsigned nr;
    unsigned scale;
    uint32_t least; /* of the distances */
    uint32_t distance[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    struct xlnuma__cell cell[XLNUMA_NODES_MAX]; /* ascending high_kb */
    uint64_t socket_mates[XLNUMA_NODES_MAX];    /* cells on i's socket */
    uint64_t unreachable[XLNUMA_NODES_MAX];     /* cells that i's CPUs lack */
    uint64_t most_usable_kb;                    /* of a cell */
    unsigned most_cpus;                         /* of a cell */
    unsigned nr_cpus;                           /* of all cells */
    uint64_t load_mvcpu;                        /* of all cells, without the */
    uint64_t guest_mvcpu;                       /* guest's own vCPUs */
};

static inline uint32_t xlnuma__distance(const struct xlnuma__table *table,
                                        unsigned i, unsigned j)
{
    return table->scale > 1
               ? table->distance[i][j]
               : table->host->distance[table->cell[i].id][table->cell[j].id];
}

/*
 * A node set judged. The distance is exact, in the table's scale: num / den /
 * needed_kb.
 */
struct xlnuma__judged {
    uint64_t cells;
    xlnuma_nodeset nodes;
    uint64_t usable_kb;
    uint64_t low_kb; /* of the guest's memory, what has to be low memory */
    unsigned nr_cpus, nr_cores, nr_sockets;
    uint64_t overload;         /* what is compared is this per CPU */
    xlnuma__u128 distance_num; /* sum of cpus(i) * memory(j) * distance(i,j) */
    unsigned distance_den;     /* sum of cpus(i), times what divides shares */
    bool is_reachable;         /* no CPU without a path to the memory */
};

/* What a set has to have. */
struct xlnuma__need {
    uint64_t memory_kb;
    enum xlnuma_memory memory;
    unsigned nr_cpus, nr_cores; /* at least; nr_cpus > 0 */
    unsigned max_nodes, max_sockets;
};

/*
 * Divide needed_kb, in whole pages, over a set that has the room: evenly (a cell
 * with less room gets what it has) or packed: the best cell is filled first,
 * then the nearest to it. Low memory is divided likewise, when all other memory
 * of the cells is taken. share_kb is by cell.
 */
void xlnuma__cost_shares(const struct xlnuma__table *table, uint64_t set,
                         uint64_t needed_kb, enum xlnuma_memory memory,
                         uint64_t share_kb[]);

/*
 * How far CPUs that run load_mvcpu and the guest are beyond what a host may be
 * uneven, times nr_cpus and what is the same for all sets; 0 when they are not.
 */
uint64_t xlnuma__cost_overload(const struct xlnuma__table *table,
                               uint64_t load_mvcpu, unsigned nr_cpus);

/*
 * Judge a set for a guest. Even shares are exactly even here, not in pages. A
 * set that lacks memory is judged as if each node had its even part.
 */
void xlnuma__cost_judge(const struct xlnuma__table *table, uint64_t set,
                        uint64_t needed_kb, enum xlnuma_memory memory,
                        struct xlnuma__judged *judged_r);

/* Expected distances compared exactly: < 0 when a is nearer, 0 equal. */
int xlnuma__cost_compare_distance(const struct xlnuma__judged *a,
                                  const struct xlnuma__judged *b);

/*
 * The order of sets that hold the guest: nearer, fewer sockets, less low
 * memory, less overloaded, better holes, lower node numbers. Returns < 0 when a is
 * better, never 0 for different sets. *why_r says what decided.
 */
int xlnuma__cost_compare(const struct xlnuma__judged *a,
                         const struct xlnuma__judged *b,
                         enum xlnuma_why_not *why_r);

/* The same for sets that are equally near. */
int xlnuma__cost_compare_equal(const struct xlnuma__judged *a,
                               const struct xlnuma__judged *b,
                               enum xlnuma_why_not *why_r);

/*
 * Of the cells that hold what is needed alone, the first in that order; the
 * table's number of cells if there is none. For a guest without devices, to
 * whom all of them are as near: much less work than judging each.
 */
unsigned xlnuma__cost_best_single(const struct xlnuma__table *table,
                                  const struct xlnuma__need *need);

/* In the table's scale. */
double xlnuma__cost_distance(const struct xlnuma__judged *judged,
                             uint64_t needed_kb);

/* Of memory alone, whatever the guest's devices weigh. */
double xlnuma__cost_memory_distance(const struct xlnuma__table *table,
                                    const struct xlnuma__judged *judged,
                                    uint64_t needed_kb,
                                    enum xlnuma_memory memory);

/* --- device.c ------------------------------------------------------------- */

/* Into the order that the model has. */
void xlnuma__host_sort_devices(struct xlnuma_host *host);

/* Is the device's node known? */
bool xlnuma__host_find_device(const struct xlnuma_host *host, xlnuma_bdf bdf,
                              unsigned *node_r);

/*
 * Set the table's scale and least, and if the request has devices that count its
 * distances. Returns the nodes of these devices.
 */
xlnuma_nodeset xlnuma__fill_distances(struct xlnuma__table *table,
                                      const struct xlnuma_request *request);

/*
 * The mean distance between the request's devices that count, the plan's CPUs
 * and memory_kb on its nodes; 0 when none counts.
 */
double xlnuma__device_distance(const struct xlnuma_host *host,
                               const struct xlnuma_request *request,
                               const struct xlnuma_plan *plan,
                               const uint64_t memory_kb[]);

/* --- search.c ------------------------------------------------------------- */

/* Only tests/bench/proof.c has a planner that may work so many times as long. */
#ifndef XLNUMA__WORK
#define XLNUMA__WORK 1
#endif

bool xlnuma__holds(const struct xlnuma__need *need,
                   const struct xlnuma__judged *set);

struct xlnuma__found {
    bool is_found;
    bool is_nearest;     /* proven: no set that holds the guest is nearer */
    bool is_best;        /* proven: nor is one that is as near before it */
    double least_excess; /* over 10, that no set is below, if not proven */
    struct xlnuma__judged best;
    unsigned nr_steps;
};

/* Judge a set: if it holds what is needed and is better, it is the best now. */
bool xlnuma__offer(const struct xlnuma__table *table,
                   const struct xlnuma__need *need, uint64_t set,
                   struct xlnuma__found *found);

/*
 * The best set of a table's cells that holds what is needed, in the order of
 * xlnuma__cost_compare() (docs/planner.md).
 */
void xlnuma__search(const struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    struct xlnuma__found *found_r);

/* --- exchange.c ----------------------------------------------------------- */

/*
 * Of the sets with a cell less than this one, one more, or another, that which
 * is likely to be the best, if it is likely to be better; else 0. cost[i][j] is
 * cpus(i) * (distance(i, j) - least).
 */
uint64_t xlnuma__exchange(const struct xlnuma__table *table,
                          const struct xlnuma__need *need,
                          float (*cost)[XLNUMA_NODES_MAX], uint64_t set);

/* --- few.c ---------------------------------------------------------------- */

/* Cells of the sets that can hold what is needed. */
struct xlnuma__candidates {
    uint64_t all;
    uint64_t forced;                     /* in each of these sets */
    uint64_t conflict[XLNUMA_NODES_MAX]; /* in no set together with i */
};

/*
 * The same, when sets of one cell are judged already: those of two. False when
 * some larger set may be better than what was found.
 */
bool xlnuma__pairs_search(const struct xlnuma__table *table,
                          const struct xlnuma__need *need,
                          const struct xlnuma__candidates *candidates,
                          struct xlnuma__found *found);

/* On hosts of so many nodes all sets can be gone through. */
#define XLNUMA__FEW_NODES 16

/* Those of three and more, when those of one and two are judged. */
void xlnuma__few_search(const struct xlnuma__table *table,
                        const struct xlnuma__need *need,
                        const struct xlnuma__candidates *candidates,
                        struct xlnuma__found *found);

/* --- explain.c ------------------------------------------------------------ */

/*
 * The plan's alternatives, up to `room` (10 or more): sets that are as near as the
 * chosen one or nearer but lack something, nearest first; then the next best that
 * hold what is needed.
 */
void xlnuma__explain(const struct xlnuma__table *table,
                     const struct xlnuma__need *need,
                     const struct xlnuma__judged *chosen, unsigned room,
                     struct xlnuma_plan *plan);

/* --- lack.c --------------------------------------------------------------- */

/*
 * Why no set of at most max_nodes (> 0) of the cells holds the guest: what it
 * needs, and what the sets of so many nodes and then each node lack, the least
 * first: in words, as the plan's reason, and as its alternatives.
 */
void xlnuma__say_lacking(const struct xlnuma__table *table,
                         const struct xlnuma_request *request,
                         unsigned max_nodes, struct xlnuma_plan *plan);

/* --- plan.c --------------------------------------------------------------- */

/*
 * Let a plan follow what really happened: its nodes, CPUs and expected distance
 * become those of the `nodes` that hold actual_kb; its CPUs stay when these have
 * none. memory_kb stays what was planned.
 */
void xlnuma__plan_follow(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, const uint64_t actual_kb[]);

/* --- affinity.c ----------------------------------------------------------- */

/* The scheduler that ignores soft affinity when it balances its run queues. */
#define XLNUMA__CREDIT2 "credit2"

/* Set the plan's hard CPUs, by its nodes and soft CPUs and what the request says. */
void xlnuma__plan_hard_cpus(struct xlnuma_plan *plan,
                            const struct xlnuma_host *host,
                            const struct xlnuma_request *request);

/* --- extent.c ------------------------------------------------------------- */

/* Xen's MAX_ORDER on x86 (CONFIG_PAGEALLOC_MAX_ORDER), and zero. */
#define XLNUMA__ORDERS 19

/*
 * Where the extents of one guest go while it is built: the plan's shares, what
 * each node got so far, and at which order each node failed.
 */
struct xlnuma__extents {
    xlnuma_nodeset planned;
    uint64_t planned_kb[XLNUMA_NODES_MAX];
    uint64_t total_kb;
    uint64_t high_kb[XLNUMA_NODES_MAX]; /* nor low nor claimed; or UINT64_MAX */
    uint64_t done_kb[XLNUMA_NODES_MAX];
    uint64_t nr[XLNUMA__ORDERS];            /* extents so far, by order */
    uint8_t failed_order[XLNUMA_NODES_MAX]; /* this order and above failed */
    uint8_t rank[XLNUMA_NODES_MAX]; /* node ids, nearest to the plan first */
    unsigned nr_ranked;
};

void xlnuma__extents_init(struct xlnuma__extents *extents,
                          const struct xlnuma_host *host,
                          const struct xlnuma_plan *plan);

/*
 * The same from what a report tells: the planned nodes with their KiB, and the
 * other nodes, nearest first.
 */
void xlnuma__extents_resume(struct xlnuma__extents *extents,
                            xlnuma_nodeset planned, const uint64_t planned_kb[],
                            const uint8_t other[], unsigned nr_others);

/*
 * The node for the next extents of 2^order pages, and in *nr_r (in: how many
 * are wanted, > 0; out: >= 1) how many of them it should get in one call.
 *
 * While a planned node has not failed at this order it is a planned node, the
 * one furthest behind its share, and none beyond it but by the last extent. Only
 * when every planned node has failed at order 0 it is another node, the nearest
 * to them.
 *
 * Returns the node, or -1 when none is left to try at this order.
 */
int xlnuma__extents_next(const struct xlnuma__extents *extents, unsigned order,
                         unsigned long *nr_r);

/* Xen put `nr` extents on the node. */
void xlnuma__extents_done(struct xlnuma__extents *extents, unsigned node,
                          unsigned order, unsigned long nr);

/* Xen could not serve an extent of this order from the node. */
void xlnuma__extents_failed(struct xlnuma__extents *extents, unsigned node,
                            unsigned order);

#endif /* XLNUMA_CORE_H */
