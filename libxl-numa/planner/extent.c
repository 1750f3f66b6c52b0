/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which node the next extents of a guest come from. Pure bookkeeping: makes
 * no hypercall.
 */
#include "planner/extent.h"
#include "planner/planner.h"

#include <string.h>

/* Above every order that Xen has: nothing failed yet. */
#define NOTHING_FAILED 255

/*
 * Extents that go to one node before it is another's turn: small enough that
 * neighbouring guest memory is spread, large enough that a call to Xen pays.
 * 16 MiB of 2 MiB extents, 2 MiB of pages.
 */
#define RUN_SUPERPAGES 8
#define RUN_PAGES 512

static uint64_t extent_kb(unsigned order)
{
    return (uint64_t)PAGE_KB << order;
}

/* Sum of distances from the plan's CPUs to a node. */
static uint64_t distance_from_cpus(const struct xlnuma_host *host,
                                   const struct xlnuma_plan *plan,
                                   unsigned node)
{
    uint64_t sum = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, plan->nodes)
        sum +=
            (uint64_t)host->distance[i][node] *
            xlnuma__cpuset_count_common(&host->node[i].cpus, &plan->soft_cpus);
    return sum;
}

void xlnuma__extents_resume(struct xlnuma__extents *extents,
                            xlnuma_nodeset planned, const uint64_t planned_kb[],
                            const uint8_t other[], unsigned nr_others)
{
    unsigned i;

    memset(extents, 0, sizeof(*extents));
    memset(extents->failed_order, NOTHING_FAILED,
           sizeof(extents->failed_order));
    XLNUMA_FOR_EACH_NODE(i, planned) {
        if (!planned_kb[i])
            continue;
        extents->planned |= (xlnuma_nodeset)1 << i;
        extents->planned_kb[i] = planned_kb[i];
        extents->high_kb[i] = planned_kb[i];
        extents->total_kb += planned_kb[i];
    }
    for (i = 0; i < nr_others; i++)
        extents->rank[i] = other[i];
    extents->nr_ranked = nr_others;
}

void xlnuma__extents_init(struct xlnuma__extents *extents,
                          const struct xlnuma_host *host,
                          const struct xlnuma_plan *plan)
{
    unsigned i;

    xlnuma__extents_resume(extents, plan->nodes, plan->memory_kb, NULL, 0);
    XLNUMA_FOR_EACH_NODE(i, extents->planned) {
        const struct xlnuma_node *node = &host->node[i];

        extents->far[i] = distance_from_cpus(host, plan, i);
        extents->high_kb[i] = node->low_free_kb || node->reserved_kb
                                  ? xlnuma__high_kb(node)
                                  : UINT64_MAX;
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes & ~extents->planned) {
        unsigned distance, at = extents->nr_ranked++;

        distance = xlnuma__host_distance(host, extents->planned, i);
        while (at && distance < xlnuma__host_distance(host, extents->planned,
                                                      extents->rank[at - 1])) {
            extents->rank[at] = extents->rank[at - 1];
            at--;
        }
        extents->rank[at] = (uint8_t)i;
    }
}

/*
 * Is it a's turn rather than b's? The one further behind its share, as shares may
 * differ as a fraction of it; of equals the one nearer to the guest's CPUs.
 */
static bool is_before(const struct xlnuma__extents *extents, unsigned a,
                      unsigned b)
{
    xlnuma__u128 left =
        (xlnuma__u128)extents->done_kb[a] * extents->planned_kb[b];
    xlnuma__u128 right =
        (xlnuma__u128)extents->done_kb[b] * extents->planned_kb[a];

    return left != right ? left < right : extents->far[a] < extents->far[b];
}

/*
 * How many extents of this order a planned node may still get. The last one may
 * go beyond the node's share: a large extent kept whole is worth more than
 * shares that are even to the last MiB. It is not worth low memory, though, nor
 * memory that another build has reserved, and where low memory is planned it
 * comes in 2 MiB extents: one of 1 GiB could take more than that.
 */
static uint64_t room(const struct xlnuma__extents *extents, unsigned node,
                     unsigned order)
{
    uint64_t share_kb = extents->planned_kb[node];
    uint64_t high_kb = extents->high_kb[node];
    uint64_t done_kb = extents->done_kb[node], kb = extent_kb(order);
    uint64_t nr = done_kb < share_kb ? (share_kb - done_kb + kb - 1) / kb : 0;
    uint64_t most = done_kb < high_kb ? (high_kb - done_kb) / kb : 0;

    if (order && (order >= ORDER_1G || high_kb >= share_kb) && nr > most)
        return most;
    return nr;
}

/* The planned node furthest behind among those that pass; -1 if none does. */
static int pick_planned(const struct xlnuma__extents *extents, unsigned order,
                        bool needs_room)
{
    int best = -1;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, extents->planned) {
        if (order >= extents->failed_order[i])
            continue;
        if (needs_room && !room(extents, i, order))
            continue;
        if (best < 0 || is_before(extents, i, (unsigned)best))
            best = (int)i;
    }
    return best;
}

/* How many extents in one go, so that the others keep up. */
static unsigned long run_length(const struct xlnuma__extents *extents, int node,
                                unsigned order, unsigned long wanted)
{
    uint64_t most = room(extents, (unsigned)node, order);
    unsigned long run = order >= ORDER_1G ? 1
                        : order           ? RUN_SUPERPAGES
                                          : RUN_PAGES;

    if (xlnuma_nodeset_count(extents->planned) == 1)
        run = wanted;
    if (run > wanted)
        run = wanted;
    if (most && run > most)
        run = (unsigned long)most;
    return run;
}

int xlnuma__extents_next(const struct xlnuma__extents *extents, unsigned order,
                         unsigned long *nr_r)
{
    int node = pick_planned(extents, order, true);

    /* Beyond the shares, when all have theirs or have no more to give. */
    if (node < 0 && pick_planned(extents, 0, true) < 0)
        node = pick_planned(extents, order, false);
    if (node >= 0) {
        *nr_r = run_length(extents, node, order, *nr_r);
        return node;
    }
    /* Smaller extents on the planned nodes come before any other node. */
    if (pick_planned(extents, 0, false) >= 0)
        return -1;
    for (unsigned i = 0; i < extents->nr_ranked; i++)
        if (order < extents->failed_order[extents->rank[i]])
            return extents->rank[i];
    return -1;
}

void xlnuma__extents_done(struct xlnuma__extents *extents, unsigned node,
                          unsigned order, unsigned long nr)
{
    extents->done_kb[node] += nr * extent_kb(order);
    extents->nr[order] += nr;
}

void xlnuma__extents_failed(struct xlnuma__extents *extents, unsigned node,
                            unsigned order)
{
    if (order < extents->failed_order[node])
        extents->failed_order[node] = (uint8_t)order;
}
