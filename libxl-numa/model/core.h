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

/* Addresses with memory, in pages of 4 KiB; _end is past the last. */
struct xlnuma__ram {
    uint64_t start_page, end_page;
};

/*
 * Make size_kb, which is the span of each node's addresses, what memory it has in
 * a map of the machine. The nodes are taken to follow each other from address 0
 * in the order of their numbers. Returns false, and changes nothing, if this
 * does not fit: memory outside all spans, or a node with less than is free.
 */
bool xlnuma__host_size_by_map(struct xlnuma_host *host,
                              const struct xlnuma__ram ram[], unsigned nr);

/* --- set.c ---------------------------------------------------------------- */

/* Holds any formatted list of CPUs: at worst every second one, "16382,". */
#define XLNUMA__LIST_SIZE (XLNUMA_CPUS_MAX / 2 * 6 + 1)

unsigned xlnuma__cpuset_count_common(const xlnuma_cpuset *a,
                                     const xlnuma_cpuset *b);

/* --- plan.c --------------------------------------------------------------- */

__extension__ typedef unsigned __int128 xlnuma__u128;

/*
 * Let a plan follow what really happened: its nodes, CPUs and expected distance
 * become those of the `nodes` that hold actual_kb; its CPUs stay when these have
 * none. memory_kb stays what was planned.
 */
void xlnuma__plan_follow(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, const uint64_t actual_kb[]);

/* --- device.c ------------------------------------------------------------- */

/* Into the order that the model has. */
void xlnuma__host_sort_devices(struct xlnuma_host *host);

/* Is the device's node known? */
bool xlnuma__host_find_device(const struct xlnuma_host *host, xlnuma_bdf bdf,
                              unsigned *node_r);

/*
 * The mean distance between the request's devices that count, the plan's CPUs
 * and memory_kb on its nodes; 0 when none counts.
 */
double xlnuma__device_distance(const struct xlnuma_host *host,
                               const struct xlnuma_request *request,
                               const struct xlnuma_plan *plan,
                               const uint64_t memory_kb[]);

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
    uint64_t far[XLNUMA_NODES_MAX];     /* from the guest's CPUs */
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
 * one furthest behind its share (of equals the nearest to the guest's CPUs), and
 * none beyond it but by the last extent. Only
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
