/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rules.h describes. Every set that the originals look at is looked at
 * here, with less work for each than theirs.
 */
#include "rules.h"

#include <string.h>

#define SEARCHED_MAX 16 /* nodes; both rules stop there */

/* What a rule sees of a node; bit i of a mask is entry i. */
struct view {
    const struct xlnuma_host *host;
    unsigned nr;
    unsigned id[XLNUMA_NODES_MAX];
    unsigned nr_cpus[XLNUMA_NODES_MAX];
    uint64_t free_kb[XLNUMA_NODES_MAX];
};

static void view_nodes(struct view *view, const struct xlnuma_host *host,
                       bool only_with_cpus)
{
    unsigned i;

    view->host = host;
    view->nr = 0;
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        unsigned nr_cpus = xlnuma_cpuset_count(&host->node[i].cpus);

        if (only_with_cpus && !nr_cpus)
            continue;
        view->id[view->nr] = i;
        view->nr_cpus[view->nr] = nr_cpus;
        view->free_kb[view->nr++] = host->node[i].free_kb / 4 * 4;
    }
}

static xlnuma_nodeset nodes_of(const struct view *view, uint64_t mask)
{
    xlnuma_nodeset nodes = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, mask)
        nodes |= (xlnuma_nodeset)1 << view->id[i];
    return nodes;
}

/* --- where the memory comes to lie ---------------------------------------- */

/*
 * Shares in whole pages, in proportion to CPUs as ours are, or even where no node
 * has any: in rounds, a full node drops out.
 */
static uint64_t take_turns(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                           uint64_t needed_kb, uint64_t share_kb[])
{
    uint64_t weight[XLNUMA_NODES_MAX], all_cpus = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        all_cpus += weight[i] = xlnuma_cpuset_count(&host->node[i].cpus);
    while (needed_kb && nodes) {
        uint64_t sum = 0, turn_kb = needed_kb;

        XLNUMA_FOR_EACH_NODE(i, nodes)
            sum += all_cpus ? weight[i] : 1;
        XLNUMA_FOR_EACH_NODE(i, nodes) {
            uint64_t room = host->node[i].free_kb / 4 * 4 - share_kb[i];
            uint64_t take = turn_kb * (all_cpus ? weight[i] : 1) / sum / 4 * 4;

            if (!take)
                take = 4; /* the last few pages */

            if (take > needed_kb)
                take = needed_kb;
            if (take >= room) {
                take = room;
                nodes &= ~((xlnuma_nodeset)1 << i);
            }
            share_kb[i] += take;
            needed_kb -= take;
        }
    }
    return needed_kb;
}

static bool place(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                  uint64_t needed_kb, struct rules_placement *placement_r)
{
    xlnuma_nodeset with_cpus = 0;
    unsigned i;

    memset(placement_r->share_kb, 0, sizeof(placement_r->share_kb));
    placement_r->nodes = nodes;
    XLNUMA_FOR_EACH_NODE(i, nodes)
        if (xlnuma_cpuset_count(&host->node[i].cpus))
            with_cpus |= (xlnuma_nodeset)1 << i;
    needed_kb = take_turns(host, with_cpus, needed_kb, placement_r->share_kb);
    needed_kb =
        take_turns(host, nodes & ~with_cpus, needed_kb, placement_r->share_kb);
    XLNUMA_FOR_EACH_NODE(i, host->nodes & ~nodes)
        needed_kb = take_turns(host, (xlnuma_nodeset)1 << i, needed_kb,
                               placement_r->share_kb);
    return !needed_kb;
}

bool rules_none(const struct xlnuma_host *host,
                const struct xlnuma_request *request,
                struct rules_placement *placement_r)
{
    struct view view;

    view_nodes(&view, host, true);
    placement_r->is_placed = false;
    return place(host, nodes_of(&view, XLNUMA_NODES_ALL >> (64 - view.nr)),
                 request->memory_kb, placement_r);
}

/* --- libxl ---------------------------------------------------------------- */

struct libxl_set {
    uint64_t mask;
    unsigned nr_cpus;
    uint64_t load_mvcpu;
    uint64_t free_kb;
};

static bool is_better_libxl(const struct libxl_set *a,
                            const struct libxl_set *b)
{
    if (!b->mask)
        return true;
    if (a->load_mvcpu != b->load_mvcpu)
        return a->load_mvcpu < b->load_mvcpu;
    return a->free_kb > b->free_kb;
}

/* Every set that has the nodes of `set` and nr_more, from node `first` on. */
static void search_libxl(const struct view *view,
                         const struct xlnuma_request *request,
                         const struct libxl_set *set, unsigned first,
                         unsigned nr_more, struct libxl_set *best)
{
    for (unsigned i = first; i + nr_more <= view->nr; i++) {
        struct libxl_set more = *set;

        more.mask |= (uint64_t)1 << i;
        more.nr_cpus += view->nr_cpus[i];
        more.load_mvcpu += view->host->node[view->id[i]].load_mvcpu;
        more.free_kb += view->free_kb[i];
        if (nr_more > 1)
            search_libxl(view, request, &more, i + 1, nr_more - 1, best);
        else if (more.free_kb >= request->memory_kb &&
                 more.nr_cpus >= request->nr_vcpus &&
                 is_better_libxl(&more, best))
            *best = more;
    }
}

static unsigned fewest_for_cpus(const struct view *view, unsigned nr_nodes,
                                unsigned nr_vcpus)
{
    unsigned nr_cpus = 0, a_node, fewest;

    for (unsigned i = 0; i < view->nr; i++)
        nr_cpus += view->nr_cpus[i];
    a_node = nr_cpus / nr_nodes;
    fewest = a_node ? (nr_vcpus + a_node - 1) / a_node : 1;
    return fewest < view->nr ? fewest : view->nr;
}

bool rules_libxl(const struct xlnuma_host *host,
                 const struct xlnuma_request *request,
                 struct rules_placement *placement_r)
{
    unsigned nr_nodes = xlnuma_nodeset_count(host->nodes);
    struct libxl_set none = { 0 }, best = { 0 };
    struct view view;

    if (nr_nodes < 2 || nr_nodes > SEARCHED_MAX)
        return rules_none(host, request, placement_r);
    view_nodes(&view, host, true);
    for (unsigned nr = fewest_for_cpus(&view, nr_nodes, request->nr_vcpus);
         nr <= view.nr && !best.mask; nr++)
        search_libxl(&view, request, &none, 0, nr, &best);
    if (!best.mask)
        return rules_none(host, request, placement_r);
    placement_r->is_placed = true;
    return place(host, nodes_of(&view, best.mask), request->memory_kb,
                 placement_r);
}

/* --- libxl, step by step --------------------------------------------------- */

void rules_topology_fill(struct rules_topology *topology_r,
                         const struct xlnuma_host *host)
{
    unsigned i;

    memset(topology_r, 0, sizeof(*topology_r));
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++) {
            if (!xlnuma_cpuset_has(&host->node[i].cpus, cpu))
                continue;
            topology_r->node_of[cpu] = (uint8_t)i;
            topology_r->is_there[cpu] = true;
            if (cpu >= topology_r->nr_cpus)
                topology_r->nr_cpus = cpu + 1;
        }
    }
}

/* The nodes that have CPUs, CPU by CPU. */
static xlnuma_nodeset suitable_nodes(const struct rules_topology *topology)
{
    xlnuma_nodeset nodes = 0;

    for (unsigned cpu = 0; cpu < topology->nr_cpus; cpu++)
        if (topology->is_there[cpu])
            nodes |= (xlnuma_nodeset)1 << topology->node_of[cpu];
    return nodes;
}

/* And back: as many words as the host's CPUs take. */
static void fill_affinity(const struct rules_topology *topology,
                          struct rules_affinity *affinity)
{
    memset(&affinity->cpus, 0, (topology->nr_cpus + 63) / 64 * 8);
    for (unsigned cpu = 0; cpu < topology->nr_cpus; cpu++)
        if (topology->is_there[cpu] &&
            xlnuma_nodeset_has(affinity->nodes, topology->node_of[cpu]))
            xlnuma_cpuset_add(&affinity->cpus, cpu);
}

/* CPU by CPU, for every set. */
static unsigned cpus_on(const struct rules_topology *topology,
                        xlnuma_nodeset nodes)
{
    unsigned nr = 0;

    for (unsigned cpu = 0; cpu < topology->nr_cpus; cpu++)
        nr +=
            topology->is_there[cpu] && ((nodes >> topology->node_of[cpu]) & 1);
    return nr;
}

/* The fewest nodes to begin with, if all have as many CPUs; else one. */
static unsigned fewest_if_even(const struct rules_topology *topology,
                               const struct xlnuma_host *host,
                               unsigned nr_vcpus)
{
    unsigned each = 0, nr, i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        nr = cpus_on(topology, (xlnuma_nodeset)1 << i);
        if (each && nr != each)
            return 1;
        each = nr;
        if (!each)
            return 1;
    }
    return (nr_vcpus + each - 1) / each;
}

/* The next set of as many members, in the order of their numbers. */
static bool next_members(unsigned member[], unsigned nr, unsigned nr_nodes)
{
    unsigned at = nr;

    while (at && member[at - 1] == nr_nodes - nr + at - 1)
        at--;
    if (!at)
        return false;
    member[at - 1]++;
    for (; at < nr; at++)
        member[at] = member[at - 1] + 1;
    return true;
}

/* One set: added up node by node, and kept if it is better. */
static void try_members(const struct rules_topology *topology,
                        const struct xlnuma_host *host,
                        const struct xlnuma_request *request,
                        const unsigned id[], const unsigned member[],
                        unsigned nr, struct libxl_set *best)
{
    struct libxl_set set = { 0 };
    unsigned i;

    for (unsigned n = 0; n < nr; n++)
        set.mask |= (uint64_t)1 << id[member[n]];
    XLNUMA_FOR_EACH_NODE(i, set.mask)
        set.free_kb += host->node[i].free_kb / 4 * 4;
    if (set.free_kb < request->memory_kb)
        return;
    set.nr_cpus = cpus_on(topology, set.mask);
    if (set.nr_cpus < request->nr_vcpus)
        return;
    XLNUMA_FOR_EACH_NODE(i, set.mask)
        set.load_mvcpu += host->node[i].load_mvcpu;
    if (is_better_libxl(&set, best))
        *best = set;
}

void rules_libxl_steps(const struct rules_topology *topology,
                       const struct xlnuma_host *host,
                       const struct xlnuma_request *request,
                       struct rules_affinity *affinity_r)
{
    unsigned id[XLNUMA_NODES_MAX], member[XLNUMA_NODES_MAX];
    unsigned nr_nodes = xlnuma_nodeset_count(host->nodes), nr = 0, i;
    struct libxl_set best = { 0 };

    affinity_r->nodes = 0;
    if (nr_nodes < 2 || nr_nodes > SEARCHED_MAX)
        return;
    nr_nodes = 0;
    XLNUMA_FOR_EACH_NODE(i, suitable_nodes(topology))
        id[nr_nodes++] = i;
    nr = fewest_if_even(topology, host, request->nr_vcpus);
    for (nr = nr < nr_nodes ? nr : nr_nodes; nr <= nr_nodes && !best.mask;
         nr++) {
        for (i = 0; i < nr; i++)
            member[i] = i;
        do
            try_members(topology, host, request, id, member, nr, &best);
        while (next_members(member, nr, nr_nodes));
    }
    affinity_r->nodes = best.mask;
    if (best.mask)
        fill_affinity(topology, affinity_r);
}

/* --- xapi ----------------------------------------------------------------- */

struct xapi_set {
    uint64_t mask;
    unsigned nr, nr_cpus;
    unsigned max_distance, sum_distance; /* the sum over nr * nr pairs */
    uint64_t free_kb;
};

static bool is_better_xapi(const struct xapi_set *a, const struct xapi_set *b)
{
    unsigned mean_a = a->sum_distance * b->nr * b->nr;
    unsigned mean_b = b->sum_distance * a->nr * a->nr;

    if (!b->mask)
        return true;
    if (a->max_distance != b->max_distance)
        return a->max_distance < b->max_distance;
    if (mean_a != mean_b)
        return mean_a < mean_b;
    return a->free_kb > b->free_kb;
}

/* The set with one more node; unreachable ones never come this far. */
static struct xapi_set with_node(const struct view *view,
                                 const struct xapi_set *set, unsigned node)
{
    const struct xlnuma_host *host = view->host;
    struct xapi_set more = *set;
    unsigned a = view->id[node], i;

    more.mask |= (uint64_t)1 << node;
    more.nr++;
    more.nr_cpus += view->nr_cpus[node];
    more.free_kb += view->free_kb[node];
    XLNUMA_FOR_EACH_NODE(i, more.mask) {
        unsigned b = view->id[i];
        unsigned to = host->distance[a][b], from = host->distance[b][a];

        more.sum_distance += a == b ? to : to + from;
        if (to > more.max_distance)
            more.max_distance = to;
        if (from > more.max_distance)
            more.max_distance = from;
    }
    return more;
}

/* Every set that has the nodes of `set` and more, from node `first` on. */
static void search_xapi(const struct view *view,
                        const struct xlnuma_request *request,
                        const struct xapi_set *set, unsigned first,
                        unsigned max_nodes, struct xapi_set *best)
{
    for (unsigned i = first; i < view->nr; i++) {
        struct xapi_set more = with_node(view, set, i);

        if (more.free_kb >= request->memory_kb &&
            more.nr_cpus >= request->nr_vcpus && is_better_xapi(&more, best))
            *best = more;
        if (more.nr < max_nodes)
            search_xapi(view, request, &more, i + 1, max_nodes, best);
    }
}

static bool is_all_reachable(const struct xlnuma_host *host)
{
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            if (host->distance[i][j] == XLNUMA_DISTANCE_UNREACHABLE)
                return false;
    return true;
}

bool rules_xapi(const struct xlnuma_host *host,
                const struct xlnuma_request *request,
                struct rules_placement *placement_r)
{
    struct xapi_set none = { 0 }, best = { 0 };
    struct view view;

    view_nodes(&view, host, false);
    if (is_all_reachable(host))
        search_xapi(&view, request, &none, 0,
                    view.nr > SEARCHED_MAX ? 1 : view.nr, &best);
    if (!best.mask)
        return rules_none(host, request, placement_r);
    placement_r->is_placed = true;
    return place(host, nodes_of(&view, best.mask), request->memory_kb,
                 placement_r);
}
