/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw.h"

#include <string.h>

static uint64_t state;

void draw_seed(uint64_t seed)
{
    state = seed;
}

unsigned draw(unsigned below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((state >> 33) % below);
}

static uint64_t draw_kb(uint64_t below_kb)
{
    return below_kb
               ? ((uint64_t)draw(1u << 30) << 30 | draw(1u << 30)) % below_kb
               : 0;
}

static unsigned hops(unsigned a, unsigned b, unsigned nr)
{
    unsigned there = (a + nr - b) % nr, back = (b + nr - a) % nr;

    return there < back ? there : back;
}

static unsigned draw_distance(const struct xlnuma_host *host, unsigned i,
                              unsigned j, enum draw_table table, unsigned step)
{
    unsigned a = host->node[i].socket, b = host->node[j].socket;

    switch (table) {
    case DRAW_FLAT:
        return 20;
    case DRAW_NOISE:
        return 11 + draw(step * 4);
    case DRAW_HOLES:
        return draw(4) ? 11 + draw(step * 4) : 255;
    case DRAW_RING:
        return 12 + 9 * hops(a, b, 8);
    default:
        return a == b ? 12 : (a ^ b) < 4 ? 21 : 21 + step;
    }
}

static void draw_node(struct xlnuma_host *host, unsigned i, unsigned *cpu,
                      unsigned nr_cpus, unsigned fill, bool is_odd)
{
    struct xlnuma_node *node = &host->node[i];
    uint64_t gib = 1048576;

    node->size_kb = 16 * gib;
    node->free_kb = fill == 0   ? node->size_kb - gib
                    : fill == 1 ? draw_kb(node->size_kb)
                                : (1 + draw(8)) * 2 * gib - gib;
    node->load_mvcpu = draw(3) ? draw(4) * 1000 : draw(10000);
    if (is_odd) {
        nr_cpus = !draw(4) ? 0 : draw(6) ? draw(4) + 1 : 24;
        if (!draw(5))
            node->size_kb = node->free_kb = 0;
        if (!draw(4))
            node->low_free_kb = draw_kb(node->free_kb + 1);
        if (!draw(4))
            node->reserved_kb = draw_kb(node->free_kb + 1);
    }
    for (unsigned n = 0; n < nr_cpus; n++)
        xlnuma_cpuset_add(&node->cpus, (*cpu)++);
    if (nr_cpus && draw(2))
        node->nr_cores = (nr_cpus + 1) / 2;
}

void draw_host(struct xlnuma_host *host, unsigned nr_nodes,
               enum draw_table table, bool is_odd)
{
    unsigned per_socket = 1 + draw(4), step = 1 + draw(12), cpu = 0;
    unsigned nr_cpus = 1 + draw(8), fill = draw(3);

    memset(host, 0, sizeof(*host));
    for (unsigned i = 0; i < nr_nodes; i++) {
        host->nodes |= (xlnuma_nodeset)1 << i;
        host->node[i].socket =
            table == DRAW_INTERLEAVED
                ? i % ((nr_nodes + per_socket - 1) / per_socket)
                : i / per_socket;
        draw_node(host, i, &cpu, nr_cpus, fill, is_odd);
    }
    if (!cpu)
        xlnuma_cpuset_add(&host->node[0].cpus, cpu);
    for (unsigned i = 0; i < nr_nodes; i++)
        for (unsigned j = 0; j < nr_nodes; j++)
            host->distance[i][j] =
                (uint16_t)(i == j ? 10
                                  : draw_distance(host, i, j, table, step));
}

void draw_devices(struct xlnuma_host *host, struct xlnuma_request *request)
{
    unsigned nr_nodes = xlnuma_nodeset_count(host->nodes);

    host->nr_devices = 1 + draw(4);
    request->nr_devices = 1 + draw(host->nr_devices + 1);
    for (unsigned n = 0; n < host->nr_devices; n++)
        host->device[n] = (struct xlnuma_device){ 8 * n, draw(nr_nodes) };
    for (unsigned n = 0; n < request->nr_devices; n++)
        request->device[n] = 8 * n; /* the last one is not known */
    if (draw(2))
        request->device_weight = draw(101);
}

void draw_request(const struct xlnuma_host *host,
                  struct xlnuma_request *request, bool is_odd)
{
    uint64_t free_kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        free_kb += host->node[i].free_kb;
    xlnuma_request_init(request);
    request->memory_kb = 4 + draw_kb(free_kb >> draw(6)) / 4 * 4;
    request->nr_vcpus = 1 + draw(draw(2) ? 4 : 40);
    request->memory = draw(3) ? XLNUMA_MEMORY_SPREAD : XLNUMA_MEMORY_PACK;
    if (!draw(5))
        request->policy = XLNUMA_POLICY_RESTRICTED;
    else if (!draw(10))
        request->policy = XLNUMA_POLICY_SINGLE_NODE;
    if (!is_odd)
        return;
    if (!draw(3)) {
        request->max_memory_kb =
            request->memory_kb + draw_kb(free_kb >> draw(6)) / 4 * 4;
        request->max_vcpus = request->nr_vcpus + draw(draw(2) ? 4 : 40);
        request->hotplug = (enum xlnuma_hotplug)draw(2);
    }
    if (!draw(8)) /* memory of nodes whose CPUs the guest may not use */
        request->nodes = 1ull << draw(8) | 1ull << draw(8);
    if (!draw(6))
        request->nodes &= ~(1ull << draw(8) | 1ull << draw(8));
    if (!draw(6)) {
        request->has_cpus = true;
        for (i = 0; i < 64; i++)
            if (draw(2))
                xlnuma_cpuset_add(&request->cpus, i);
    }
}
