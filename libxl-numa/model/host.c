/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host model: allocation and the checks that every host passes, whatever
 * it was read from. Does not read or write hosts.
 */
#include "model/host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct xlnuma_host *xlnuma_host_new(void)
{
    return calloc(1, sizeof(struct xlnuma_host));
}

void xlnuma_host_free(struct xlnuma_host *host)
{
    free(host);
}

static uint64_t pages_between(const struct xlnuma__ram ram[], unsigned nr,
                              uint64_t start, uint64_t end)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < nr; i++) {
        uint64_t from = ram[i].start_page > start ? ram[i].start_page : start;
        uint64_t to = ram[i].end_page < end ? ram[i].end_page : end;

        pages += from < to ? to - from : 0;
    }
    return pages;
}

bool xlnuma__host_size_by_map(struct xlnuma_host *host,
                              const struct xlnuma__ram ram[], unsigned nr)
{
    uint64_t size_kb[XLNUMA_NODES_MAX], start = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        uint64_t end = start + host->node[i].size_kb / PAGE_KB;

        size_kb[i] = pages_between(ram, nr, start, end) * PAGE_KB;
        if (size_kb[i] < host->node[i].free_kb)
            return false;
        start = end;
    }
    if (pages_between(ram, nr, start, UINT64_MAX))
        return false;
    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        host->node[i].size_kb = size_kb[i];
    return true;
}

static int check_cpus(const struct xlnuma_host *host, char *message)
{
    xlnuma_cpuset seen = { { 0 } };
    unsigned i, nr_cpus;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        const struct xlnuma_node *node = &host->node[i];

        for (unsigned word = 0; word < XLNUMA_CPUS_MAX / 64; word++) {
            uint64_t both = node->cpus.word[word] & seen.word[word];

            if (both)
                return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                    "node %u: CPU %u is in another node too", i,
                                    word * 64 +
                                        (unsigned)__builtin_ctzll(both));
        }
        xlnuma_cpuset_or(&seen, &node->cpus);
        nr_cpus = xlnuma_cpuset_count(&node->cpus);
        if (node->nr_cores > nr_cpus)
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "node %u: %u cores but only %u CPUs", i,
                                node->nr_cores, nr_cpus);
    }
    if (!xlnuma_cpuset_count(&seen))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID, "no node has CPUs");
    return 0;
}

static int check_dedicated(const struct xlnuma_host *host, char *message)
{
    xlnuma_cpuset dedicated = host->dedicated_cpus;
    xlnuma_cpuset taken = host->dedicated_taken, online;
    char cpus[64];

    xlnuma_cpuset_remove(&taken, &dedicated);
    xlnuma__host_cpus(host, host->nodes, &online);
    xlnuma_cpuset_remove(&dedicated, &online);
    if (xlnuma_cpuset_count(&dedicated))
        return xlnuma__fail(
            message, XLNUMA_ERR_INVALID, "dedicated CPUs %s are on no node",
            xlnuma_cpuset_format(&dedicated, cpus, sizeof(cpus)));
    if (xlnuma_cpuset_count(&taken))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "CPUs %s are taken, but not dedicated",
                            xlnuma_cpuset_format(&taken, cpus, sizeof(cpus)));
    return 0;
}

/* Of a node's memory: is `part` at most `all`? */
static int check_part(unsigned node, const char *part, uint64_t part_kb,
                      const char *all, uint64_t all_kb, char *message)
{
    if (part_kb <= all_kb)
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                        "node %u: %s %" PRIu64 " is more than %s %" PRIu64,
                        node, part, part_kb, all, all_kb);
}

static int check_memory(const struct xlnuma_host *host, char *message)
{
    uint64_t total_kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        const struct xlnuma_node *node = &host->node[i];

        if (check_part(i, "free_kb", node->free_kb, "size_kb", node->size_kb,
                       message) ||
            check_part(i, "low_free_kb", node->low_free_kb, "free_kb",
                       node->free_kb, message) ||
            check_part(i, "reserved_kb", node->reserved_kb, "free_kb",
                       node->free_kb, message))
            return XLNUMA_ERR_INVALID;
        if (node->size_kb > INT64_MAX - total_kb)
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "node %u: size_kb %" PRIu64
                                ": more memory in all than 2^63 KiB",
                                i, node->size_kb);
        total_kb += node->size_kb;
    }
    if (!total_kb)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID, "no node has memory");
    return 0;
}

static int check_distances(const struct xlnuma_host *host, char *message)
{
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        XLNUMA_FOR_EACH_NODE(j, host->nodes) {
            unsigned distance = host->distance[i][j];

            if (i == j && distance != XLNUMA_DISTANCE_LOCAL)
                return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                    "distance from node %u to itself is %u, "
                                    "not %d",
                                    i, distance, XLNUMA_DISTANCE_LOCAL);
            if (i != j && (distance <= XLNUMA_DISTANCE_LOCAL ||
                           distance > XLNUMA_DISTANCE_UNREACHABLE))
                return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                    "distance from node %u to node %u is %u, "
                                    "not 11 to 254, or 255 for no path",
                                    i, j, distance);
        }
    }
    return 0;
}

static int check_devices(const struct xlnuma_host *host, char *message)
{
    char bdf[XLNUMA_BDF_SIZE];

    if (host->nr_devices > XLNUMA_DEVICES_MAX)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "%u devices, more than %d", host->nr_devices,
                            XLNUMA_DEVICES_MAX);
    for (unsigned n = 0; n < host->nr_devices; n++) {
        const struct xlnuma_device *device = &host->device[n];

        xlnuma_bdf_format(device->bdf, bdf);
        if (!xlnuma_nodeset_has(host->nodes, device->node))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "device %s: there is no node %u", bdf,
                                device->node);
        if (n && device[-1].bdf >= device->bdf)
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "device %s is there twice, or out of order",
                                bdf);
    }
    return 0;
}

int xlnuma_host_check(const struct xlnuma_host *host, char *message)
{
    int rc;

    *message = '\0';
    if (!host->nodes)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID, "no nodes");
    rc = check_cpus(host, message);
    if (!rc)
        rc = check_dedicated(host, message);
    if (!rc)
        rc = check_memory(host, message);
    if (!rc)
        rc = check_distances(host, message);
    return rc ? rc : check_devices(host, message);
}

void xlnuma__host_cpus(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                       xlnuma_cpuset *cpus_r)
{
    unsigned i;

    memset(cpus_r, 0, sizeof(*cpus_r));
    XLNUMA_FOR_EACH_NODE(i, nodes)
        xlnuma_cpuset_or(cpus_r, &host->node[i].cpus);
}

xlnuma_nodeset xlnuma__host_nodes_of(const struct xlnuma_host *host,
                                     const xlnuma_cpuset *cpus)
{
    xlnuma_nodeset nodes = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (xlnuma_cpuset_intersects(&host->node[i].cpus, cpus))
            nodes |= (xlnuma_nodeset)1 << i;
    return nodes;
}

xlnuma_nodeset xlnuma__host_sockets_of(const struct xlnuma_host *host,
                                       xlnuma_nodeset nodes)
{
    xlnuma_nodeset mates = 0;
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            if (host->node[j].socket == host->node[i].socket)
                mates |= (xlnuma_nodeset)1 << j;
    return mates;
}

unsigned xlnuma__host_distance(const struct xlnuma_host *host,
                               xlnuma_nodeset nodes, unsigned node)
{
    unsigned sum = 0, i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        sum += host->distance[i][node] + host->distance[node][i];
    return sum;
}
