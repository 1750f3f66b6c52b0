/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which nodes may be in a guest's set, what each has for the guest, and what any
 * set has to have. Does not judge sets.
 */
#include "planner/planner.h"

unsigned xlnuma__allowed_cpus(const struct xlnuma_node *node,
                              const struct xlnuma_request *request)
{
    return request->has_cpus
               ? xlnuma__cpuset_count_common(&node->cpus, &request->cpus)
               : xlnuma_cpuset_count(&node->cpus);
}

static void fill_candidate(const struct xlnuma_node *node,
                           const struct xlnuma_request *request,
                           struct xlnuma__candidate *candidate)
{
    unsigned nr_all = xlnuma_cpuset_count(&node->cpus), nr = nr_all;

    if (request->has_cpus && nr)
        nr = xlnuma__allowed_cpus(node, request);
    candidate->nr_cpus = nr;
    candidate->nr_cores = node->nr_cores && nr ? node->nr_cores : nr;
    if (node->nr_cores && nr < nr_all)
        /* A filter that leaves half of the CPUs leaves half of the cores. */
        candidate->nr_cores = (nr * node->nr_cores + nr_all - 1) / nr_all;
    candidate->load_mvcpu = nr ? node->load_mvcpu : 0;
    candidate->usable_kb = candidate->high_kb = 0;
    if (!candidate->is_named)
        return;
    candidate->usable_kb = xlnuma__usable_kb(node) / PAGE_KB * PAGE_KB;
    candidate->high_kb = xlnuma__high_kb(node) / PAGE_KB * PAGE_KB;
}

/* By memory a CPU, those without CPUs last; of equals the lowest node first. */
static bool is_before(const struct xlnuma__candidate *a,
                      const struct xlnuma__candidate *b)
{
    xlnuma__u128 x = (xlnuma__u128)a->high_kb * b->nr_cpus;
    xlnuma__u128 y = (xlnuma__u128)b->high_kb * a->nr_cpus;

    if (!a->nr_cpus || !b->nr_cpus)
        return a->nr_cpus || (!b->nr_cpus && a->high_kb < b->high_kb);
    return x < y || (x == y && a->usable_kb < b->usable_kb);
}

static void add_candidate(struct xlnuma__table *table,
                          const struct xlnuma__candidate *candidate)
{
    unsigned at = table->nr++;

    for (; at && is_before(candidate, &table->candidate[at - 1]); at--)
        table->candidate[at] = table->candidate[at - 1];
    table->candidate[at] = *candidate;
    table->nr_cpus += candidate->nr_cpus;
    table->nr_cores += candidate->nr_cores;
    table->load_mvcpu += candidate->load_mvcpu;
    if (candidate->nr_cpus > table->most_cpus)
        table->most_cpus = candidate->nr_cpus;
}

static void add_nodes(struct xlnuma__table *table,
                      const struct xlnuma_request *request,
                      xlnuma_nodeset nodes)
{
    struct xlnuma__candidate candidate;
    unsigned i;

    table->nr = table->nr_cpus = table->nr_cores = table->most_cpus = 0;
    table->load_mvcpu = 0;
    XLNUMA_FOR_EACH_NODE(i, nodes) {
        candidate.id = i;
        candidate.is_named = xlnuma_nodeset_has(request->nodes, i);
        fill_candidate(&table->host->node[i], request, &candidate);
        if (candidate.nr_cpus || candidate.usable_kb)
            add_candidate(table, &candidate);
    }
}

unsigned xlnuma__fewest(uint64_t value[], unsigned nr, uint64_t needed)
{
    uint64_t sum = 0;
    unsigned count = 0;

    while (sum < needed && count < nr) {
        unsigned largest = count;
        uint64_t swap;

        for (unsigned i = count + 1; i < nr; i++)
            if (value[i] > value[largest])
                largest = i;
        swap = value[largest];
        value[largest] = value[count];
        value[count++] = swap;
        sum += swap;
    }
    return count;
}

/* How many nodes a set may have under the request's policy. */
static unsigned max_nodes(const struct xlnuma__table *table,
                          const struct xlnuma_request *request,
                          unsigned nr_cpus)
{
    uint64_t size_kb[XLNUMA_NODES_MAX], cpus[XLNUMA_NODES_MAX];
    unsigned nr = 0, i, for_memory, for_cpus;

    if (request->policy == XLNUMA_POLICY_SINGLE_NODE)
        return 1;
    if (request->policy != XLNUMA_POLICY_RESTRICTED)
        return request->max_nodes ? request->max_nodes : XLNUMA_NODES_MAX;
    XLNUMA_FOR_EACH_NODE(i, table->host->nodes & request->nodes) {
        size_kb[nr] = table->host->node[i].size_kb;
        cpus[nr++] = xlnuma__allowed_cpus(&table->host->node[i], request);
    }
    for_memory = xlnuma__fewest(size_kb, nr, request->memory_kb);
    for (i = 0; i < nr && !cpus[i]; i++)
        ;
    for_cpus = i < nr ? xlnuma__fewest(cpus, nr, nr_cpus) : 0;
    return for_memory > for_cpus ? for_memory : for_cpus;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A guest wider than the host gets every CPU, unless it wants its own. */
static void fill_need(const struct xlnuma__table *table,
                      const struct xlnuma_request *request,
                      struct xlnuma__need *need)
{
    need->memory_kb = request->memory_kb;
    need->limit_kb = xlnuma__limit_kb(request);
    need->memory = request->memory;
    need->nr_vcpus = request->nr_vcpus;
    need->nr_cpus = (unsigned)least_of(table->nr_cpus, request->nr_vcpus);
    if (request->cpu_policy == XLNUMA_CPUS_DEDICATED)
        need->nr_cpus = request->nr_vcpus;
    need->limit_cpus =
        (unsigned)least_of(table->nr_cpus, xlnuma__limit_vcpus(request));
    need->max_nodes = max_nodes(table, request, need->nr_cpus);
    need->nr_cores = 0;
    need->max_sockets = XLNUMA_NODES_MAX;
}

/* The host's table, or the same with the way by the guest's devices. */
static xlnuma_nodeset fill_distances(struct xlnuma__table *table,
                                     const struct xlnuma_request *request)
{
    table->scale = 1;
    table->least = XLNUMA_DISTANCE_LOCAL;
    for (unsigned i = 0; i < table->nr; i++) {
        const uint16_t *row = table->host->distance[table->candidate[i].id];

        table->unreachable[i] = 0;
        for (unsigned j = 0; j < table->nr; j++) {
            uint16_t distance = row[table->candidate[j].id];

            table->distance[i][j] = distance;
            table->unreachable[i] |=
                (uint64_t)(distance == XLNUMA_DISTANCE_UNREACHABLE) << j;
        }
        if (!table->candidate[i].nr_cpus)
            table->unreachable[i] = 0;
    }
    return request->nr_devices ? xlnuma__add_devices(table, request) : 0;
}

static unsigned socket_of(const struct xlnuma__table *table, unsigned i)
{
    return table->host->node[table->candidate[i].id].socket;
}

static void relate_sockets(struct xlnuma__table *table)
{
    table->with_cpus = table->named = 0;
    for (unsigned i = 0; i < table->nr; i++) {
        table->socket_mates[i] = 0;
        for (unsigned j = 0; j < table->nr; j++)
            if (socket_of(table, j) == socket_of(table, i))
                table->socket_mates[i] |= (uint64_t)1 << j;
        if (table->candidate[i].nr_cpus)
            table->with_cpus |= (uint64_t)1 << i;
        if (table->candidate[i].is_named)
            table->named |= (uint64_t)1 << i;
    }
}

/* The roomiest first; of equals the lowest node. */
static void sort_by_room(struct xlnuma__table *table)
{
    uint8_t *by_room = table->by_room;

    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__candidate *x = &table->candidate[i];
        unsigned at = i;

        for (; at; at--) {
            const struct xlnuma__candidate *y =
                &table->candidate[by_room[at - 1]];

            if (y->usable_kb > x->usable_kb ||
                (y->usable_kb == x->usable_kb && y->id < x->id))
                break;
            by_room[at] = by_room[at - 1];
        }
        by_room[at] = (uint8_t)i;
    }
}

/* The nearest first; those that are as near stay in the order that they had. */
static void sort_by_distance(const struct xlnuma__table *table,
                             const uint32_t distance[], uint8_t nearest[])
{
    for (unsigned n = 0; n < table->nr; n++) {
        uint8_t i = table->by_room[n];
        unsigned at = n;

        for (; at && distance[i] < distance[nearest[at - 1]]; at--)
            nearest[at] = nearest[at - 1];
        nearest[at] = i;
    }
}

static void relate_distances(struct xlnuma__table *table)
{
    uint32_t back[XLNUMA_NODES_MAX];

    sort_by_room(table);
    for (unsigned i = 0; i < table->nr; i++) {
        for (unsigned j = 0; j < table->nr; j++)
            back[j] = table->distance[j][i];
        sort_by_distance(table, table->distance[i], table->nearest_memory[i]);
        sort_by_distance(table, back, table->nearest_cpus[i]);
    }
}

xlnuma_nodeset xlnuma__candidates_fill(struct xlnuma__table *table,
                                       const struct xlnuma_host *host,
                                       const struct xlnuma_request *request,
                                       struct xlnuma__need *need)
{
    xlnuma_nodeset device_nodes;

    table->host = host;
    add_nodes(table, request, host->nodes & request->nodes);
    if (!table->nr_cpus) /* numa_nodes names memory: CPUs come from elsewhere */
        add_nodes(table, request, host->nodes);
    fill_need(table, request, need);
    relate_sockets(table);
    device_nodes = fill_distances(table, request);
    relate_distances(table);
    return device_nodes;
}
