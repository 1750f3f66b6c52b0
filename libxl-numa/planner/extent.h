/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which node the next extent of a guest comes from while it is built. */
#ifndef XLNUMA_EXTENT_H
#define XLNUMA_EXTENT_H

#include "model/plan.h"

/*
 * Where the extents of one guest go while it is built: the plan's shares, what
 * each node got so far, and at which order each node failed.
 */
struct xlnuma__extents {
    xlnuma_nodeset planned;
    uint64_t planned_kb[XLNUMA_NODES_MAX];
    uint64_t total_kb;
    uint64_t far[XLNUMA_NODES_MAX]; /* from the guest's CPUs */
    uint64_t
        high_kb[XLNUMA_NODES_MAX]; /* nor low nor reserved; or UINT64_MAX */
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
 * other nodes, nearest first. What else is free there is not known, and may be
 * reserved by other builds: no large extent goes beyond a node's share.
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

#endif /* XLNUMA_EXTENT_H */
