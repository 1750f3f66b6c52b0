/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes of a guest that is restored: their memory and vCPUs are what its ACPI
 * tables say since it was built, and here each gets a node of this host, out of
 * those of a plan. Does not choose the plan's.
 */
#include "vnodes/vnodes.h"

#include <stdlib.h>
#include <string.h>

/* Neighbouring nodes of the guest that go to one node of the host. */
struct group {
    unsigned nth;
    unsigned first; /* node of the guest */
    uint64_t kb;
    int node; /* of the host; -1: none yet */
};

struct groups {
    const struct xlnuma_host *host;
    const struct xlnuma__layout *layout;
    unsigned nr;
    struct group group[XLNUMA_GUEST_NODES_MAX]; /* the largest first */
    struct group bin[XLNUMA_GUEST_NODES_MAX]; /* host's nodes and their room */
};

static int larger_first(const void *a, const void *b)
{
    const struct group *left = a, *right = b;

    if (left->kb != right->kb)
        return left->kb < right->kb ? 1 : -1;
    return left->nth < right->nth ? -1 : 1;
}

/* Have the nodes that are left room for the groups from this one on? */
static bool rest_fits(const struct groups *groups, unsigned from)
{
    unsigned bin = 0;

    for (unsigned i = from; i < groups->nr; i++, bin++) {
        while (bin < groups->nr && groups->bin[bin].node >= 0)
            bin++;
        if (bin == groups->nr || groups->bin[bin].kb < groups->group[i].kb)
            return false;
    }
    return true;
}

/* How much distances to the groups before this one differ from the guest's. */
static unsigned difference(const struct groups *groups, unsigned at,
                           unsigned node)
{
    unsigned sum = 0, first = groups->group[at].first;

    for (unsigned i = 0; i < at; i++) {
        const struct group *other = &groups->group[i];

        sum += (unsigned)abs(
            (int)groups->host->distance[node][other->node] -
            (int)groups->layout->node[first].distance[other->first]);
        sum += (unsigned)abs(
            (int)groups->host->distance[other->node][node] -
            (int)groups->layout->node[other->first].distance[first]);
    }
    return sum;
}

/*
 * What a node costs this group: first how much distances differ, then how far it is
 * from the group's place in the order of all; of equals the lower node.
 */
static unsigned cost(const struct groups *groups, unsigned at,
                     const struct group *bin)
{
    unsigned nth = groups->group[at].nth;
    unsigned moved = nth < bin->nth ? bin->nth - nth : nth - bin->nth;

    return (difference(groups, at, bin->first) * XLNUMA_NODES_MAX + moved) *
               XLNUMA_NODES_MAX +
           bin->nth;
}

/*
 * The node that costs this group least, of those that leave room for the others.
 * Returns false when none does.
 */
static bool choose_node(struct groups *groups, unsigned at)
{
    struct group *group = &groups->group[at], *best = NULL;

    for (unsigned i = 0; i < groups->nr; i++) {
        struct group *bin = &groups->bin[i];
        bool fits;

        if (bin->node >= 0 || bin->kb < group->kb)
            continue;
        bin->node = (int)bin->first;
        fits = rest_fits(groups, at + 1);
        bin->node = -1;
        if (fits && (!best || cost(groups, at, bin) < cost(groups, at, best)))
            best = bin;
    }
    if (best)
        group->node = best->node = (int)best->first;
    return best;
}

static void make_groups(struct groups *groups, const struct xlnuma_host *host,
                        const struct xlnuma_request *request,
                        xlnuma_nodeset nodes, uint64_t needed_kb)
{
    const struct xlnuma__layout *layout = request->kept_nodes;
    unsigned each, n = 0, i;

    memset(groups, 0, sizeof(*groups));
    groups->host = host;
    groups->layout = layout;
    groups->nr = xlnuma_nodeset_count(nodes);
    each = layout->nr / groups->nr;
    XLNUMA_FOR_EACH_NODE(i, nodes) {
        uint64_t room_kb =
            (uint64_t)((xlnuma__u128)xlnuma__usable_kb(&host->node[i]) *
                       request->ram_kb / needed_kb);

        groups->bin[n] = (struct group){ n, i, room_kb, -1 };
        groups->group[n] = (struct group){ n, n * each, 0, -1 };
        for (unsigned m = 0; m < each; m++)
            groups->group[n].kb += xlnuma__layout_kb(layout, n * each + m);
        n++;
    }
    qsort(groups->group, groups->nr, sizeof(struct group), larger_first);
    qsort(groups->bin, groups->nr, sizeof(struct group), larger_first);
}

bool xlnuma__kept_assign(const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, uint64_t needed_kb,
                         unsigned node_r[])
{
    const struct xlnuma__layout *layout = request->kept_nodes;
    struct groups groups;

    make_groups(&groups, host, request, nodes, needed_kb);
    for (unsigned i = 0; i < groups.nr; i++) {
        const struct group *group = &groups.group[i];

        if (!choose_node(&groups, i))
            return false;
        for (unsigned n = 0; n < layout->nr / groups.nr; n++)
            node_r[group->first + n] = (unsigned)group->node;
    }
    return true;
}
