/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the way by a guest's PCI devices adds to its distances (docs/planner.md).
 */
#include "planner/planner.h"

#include <string.h>

/* Products with a node's CPUs stay below this, so that fractions are exact. */
#define PRODUCT_MAX (1u << 24)

/* How many of a guest's devices each node has: those that count. */
struct near {
    xlnuma_nodeset nodes;
    unsigned nr_all;
    unsigned nr[XLNUMA_NODES_MAX];
};

/* A table with a hole around the node says nothing of its devices. */
static bool is_connected(const struct xlnuma_host *host, unsigned node)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (host->distance[i][node] == XLNUMA_DISTANCE_UNREACHABLE ||
            host->distance[node][i] == XLNUMA_DISTANCE_UNREACHABLE)
            return false;
    return true;
}

static void find_near(const struct xlnuma_host *host,
                      const struct xlnuma_request *request, struct near *near_r)
{
    unsigned node;

    memset(near_r, 0, sizeof(*near_r));
    if (!request->device_weight)
        return;
    for (unsigned n = 0; n < request->nr_devices; n++)
        if (xlnuma__host_find_device(host, request->device[n], &node) &&
            is_connected(host, node)) {
            near_r->nodes |= (xlnuma_nodeset)1 << node;
            near_r->nr[node]++;
            near_r->nr_all++;
        }
}

static unsigned common_divisor(unsigned a, unsigned b)
{
    return b ? common_divisor(b, a % b) : a;
}

/*
 * distance(i, j) counts `memory` times, distance(i, v) + distance(v, j) of a
 * device's node v near->nr[v] times: as a whole `scale` times.
 */
struct weights {
    unsigned memory, scale;
};

static struct weights weigh(const struct xlnuma_request *request,
                            struct near *near)
{
    unsigned percent = request->device_weight, node;
    unsigned memory = 2 * (100 - percent) * near->nr_all, divisor = memory;

    XLNUMA_FOR_EACH_NODE(node, near->nodes) {
        near->nr[node] *= percent;
        divisor = common_divisor(near->nr[node], divisor);
    }
    XLNUMA_FOR_EACH_NODE(node, near->nodes)
        near->nr[node] /= divisor;
    return (struct weights){ memory / divisor, 200 * near->nr_all / divisor };
}

/* With many devices and CPUs the exact scale would be too much. */
static unsigned most_scale(const struct xlnuma__table *table)
{
    return (PRODUCT_MAX - 1) / XLNUMA_DISTANCE_UNREACHABLE / table->most_cpus;
}

/* The way from each candidate to the devices, and from them to each. */
static void fill_ways(const struct xlnuma__table *table,
                      const struct near *near, uint32_t there[],
                      uint32_t back[])
{
    unsigned node;

    for (unsigned i = 0; i < table->nr; i++) {
        unsigned id = table->candidate[i].id;

        there[i] = back[i] = 0;
        XLNUMA_FOR_EACH_NODE(node, near->nodes) {
            there[i] += near->nr[node] * table->host->distance[id][node];
            back[i] += near->nr[node] * table->host->distance[node][id];
        }
    }
}

xlnuma_nodeset xlnuma__add_devices(struct xlnuma__table *table,
                                   const struct xlnuma_request *request)
{
    uint32_t there[XLNUMA_NODES_MAX], back[XLNUMA_NODES_MAX];
    struct weights weights;
    struct near near;
    unsigned most;

    find_near(table->host, request, &near);
    if (!near.nodes)
        return 0;
    most = most_scale(table);
    weights = weigh(request, &near);
    fill_ways(table, &near, there, back);
    table->scale = weights.scale < most ? weights.scale : most;
    table->least = UINT32_MAX;
    for (unsigned i = 0; i < table->nr; i++) {
        const uint16_t *row = table->host->distance[table->candidate[i].id];

        for (unsigned j = 0; j < table->nr; j++) {
            uint64_t way =
                (uint64_t)weights.memory * row[table->candidate[j].id] +
                there[i] + back[j];

            if (table->scale < weights.scale)
                way = (way * table->scale * 2 + weights.scale) /
                      (2 * (uint64_t)weights.scale);
            table->distance[i][j] = (uint32_t)way;
            if (way < table->least)
                table->least = (uint32_t)way;
        }
    }
    return near.nodes;
}

double xlnuma__device_distance(const struct xlnuma_host *host,
                               const struct xlnuma_request *request,
                               const struct xlnuma_plan *plan,
                               const uint64_t memory_kb[])
{
    double there = 0, back = 0, all_kb = 0;
    unsigned nr_cpus, i, node;
    struct near near;

    if (!request->nr_devices)
        return 0;
    find_near(host, request, &near);
    if (!near.nodes)
        return 0;
    nr_cpus = xlnuma_cpuset_count(&plan->soft_cpus);
    XLNUMA_FOR_EACH_NODE(i, plan->nodes)
        all_kb += (double)memory_kb[i];
    if (!nr_cpus || all_kb <= 0)
        return 0;
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        unsigned nr =
            xlnuma__cpuset_count_common(&host->node[i].cpus, &plan->soft_cpus);

        XLNUMA_FOR_EACH_NODE(node, near.nodes) {
            there += (double)near.nr[node] * nr * host->distance[i][node];
            if (xlnuma_nodeset_has(plan->nodes, i))
                back += (double)near.nr[node] * (double)memory_kb[i] *
                        host->distance[node][i];
        }
    }
    return (there / nr_cpus + back / all_kb) / 2 / near.nr_all;
}
