/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host model from the running hypervisor. Reads only. */
#include "xen/host.h"
#include "xen/reservations.h"

#include <errno.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>

void xlnuma__cpuset_from_bitmap(xlnuma_cpuset *set_r, const libxl_bitmap *map)
{
    memset(set_r, 0, sizeof(*set_r));
    for (uint32_t byte = 0; byte < map->size; byte++)
        for (unsigned bit = 0; map->map[byte] >> bit; bit++)
            if ((map->map[byte] >> bit) & 1 && byte * 8 + bit < XLNUMA_CPUS_MAX)
                xlnuma_cpuset_add(set_r, byte * 8 + bit);
}

static int read_nodes(struct xlnuma_host *host, libxl_ctx *ctx, char *message)
{
    int nr_nodes;
    libxl_numainfo *info = libxl_get_numainfo(ctx, &nr_nodes);

    if (!info)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell its NUMA nodes "
                            "(libxl_get_numainfo failed)");
    for (int i = 0; i < nr_nodes && i < XLNUMA_NODES_MAX; i++) {
        struct xlnuma_node *node = &host->node[i];

        if (info[i].size == LIBXL_NUMAINFO_INVALID_ENTRY)
            continue;
        host->nodes |= (xlnuma_nodeset)1 << i;
        memset(node, 0, sizeof(*node));
        node->free_kb = info[i].free / 1024;
        node->size_kb = info[i].size / 1024;
        if (node->size_kb < node->free_kb)
            node->size_kb = node->free_kb;
        for (int j = 0; j < nr_nodes && j < XLNUMA_NODES_MAX; j++)
            host->distance[i][j] =
                info[i].dists[j] > XLNUMA_DISTANCE_UNREACHABLE
                    ? XLNUMA_DISTANCE_UNREACHABLE
                    : (uint16_t)info[i].dists[j];
    }
    libxl_numainfo_list_free(info, nr_nodes);
    return 0;
}

/* --- low memory ----------------------------------------------------------- */

/*
 * Xen keeps memory below an address width for DMA: a domain gets it only when
 * no node has other memory, or the one node that it may use has none. Xen does not
 * report how wide these addresses are, so the width is worked out by its rule
 * (end_boot_allocator(), arch_get_dma_bitsize()).
 */
#define WIDTH_MAX 32       /* of Xen's own choice */
#define WIDTH_UNLIMITED 52 /* all of memory: nothing is kept back */

/* What the command line says, the last one; 0 when it says nothing. */
static unsigned width_of_command_line(libxl_ctx *ctx)
{
    static const char key[] = "dma_bits=";
    const libxl_version_info *info = libxl_get_version_info(ctx);
    const char *word = info ? info->commandline : NULL;
    unsigned width = 0;

    for (; word && *word; word += strcspn(word, " ")) {
        word += strspn(word, " ");
        if (!strncmp(word, key, sizeof(key) - 1))
            width = (unsigned)strtol(word + sizeof(key) - 1, NULL, 0);
    }
    return width;
}

uint64_t xlnuma__low_free_kb(xc_interface *xch, unsigned width, unsigned node)
{
    uint64_t bytes;

    return xc_availheap(xch, 0, (int)width, (int)node, &bytes) ? 0
                                                               : bytes / 1024;
}

/* The least width whose addresses cover a quarter of a node's span. */
static unsigned width_of_span(uint64_t span_kb)
{
    uint64_t pages = span_kb / 4 / 4;
    unsigned width = 12;

    while (width < WIDTH_MAX && (uint64_t)1 << (width - 12) < pages)
        width++;
    return width;
}

/*
 * That of the first node with memory below 4 GiB, taken as the node where
 * addresses begin; on a host of one node none.
 */
static unsigned width_by_default(const struct xlnuma_host *host,
                                 xc_interface *xch)
{
    unsigned node;

    if (xlnuma_nodeset_count(host->nodes) > 1)
        XLNUMA_FOR_EACH_NODE(node, host->nodes)
            if (xlnuma__low_free_kb(xch, WIDTH_MAX, node))
                return width_of_span(host->node[node].size_kb);
    return 0;
}

/*
 * Of each node's free memory, what is low; the sizes are still spans. What
 * cannot be known counts as none. Returns the width; 0: none.
 */
static unsigned read_low_memory(struct xlnuma_host *host, libxl_ctx *ctx,
                                xc_interface *xch)
{
    unsigned node, width = width_of_command_line(ctx);

    if (!width)
        width = width_by_default(host, xch);
    if (width >= WIDTH_UNLIMITED)
        width = 0;
    if (width)
        XLNUMA_FOR_EACH_NODE(node, host->nodes) {
            uint64_t low_kb = xlnuma__low_free_kb(xch, width, node);

            /* Memory may have been freed since the node's was asked for. */
            if (low_kb > host->node[node].free_kb)
                low_kb = host->node[node].free_kb;
            host->node[node].low_free_kb = low_kb;
        }
    return width;
}

/* More entries than Xen keeps; it fails if they are not fewer. */
#define MAP_MAX 1025

/* Enough for most machines, in a buffer of a page, which costs libxenctrl least. */
#define MAP_FEW (4096 / sizeof(struct e820entry))

struct map {
    struct e820entry entry[MAP_MAX];
    struct xlnuma__ram ram[MAP_MAX];
};

static int read_map(xc_interface *xch, struct map *map)
{
    int nr = xc_get_machine_memory_map(xch, map->entry, MAP_FEW);

    return nr < 0 ? xc_get_machine_memory_map(xch, map->entry, MAP_MAX) : nr;
}

/*
 * Sizes are spans of addresses as yet. By the machine's map each node has its own
 * holes taken off, if the nodes' spans cover that map in order.
 */
static bool size_by_map(struct xlnuma_host *host, xc_interface *xch)
{
    struct map *map = malloc(sizeof(*map)); /* only what is used is written */
    int nr = map ? read_map(xch, map) : 0;
    unsigned nr_ram = 0;
    bool is_sized;

    for (int i = 0; i < nr; i++) {
        const struct e820entry *entry = &map->entry[i];

        if (entry->type == E820_RAM)
            map->ram[nr_ram++] = (struct xlnuma__ram){
                .start_page = (entry->addr + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE,
                .end_page = (entry->addr + entry->size) / XC_PAGE_SIZE,
            };
    }
    is_sized = nr_ram && xlnuma__host_size_by_map(host, map->ram, nr_ram);
    free(map);
    return is_sized;
}

/*
 * Without a map that fits: all holes are taken for the one below 4 GiB, on the
 * first node that can have it; the host's total tells how large it is.
 */
static void subtract_hole(struct xlnuma_host *host, libxl_ctx *ctx)
{
    uint64_t span_kb = 0, total_kb, hole_kb;
    libxl_physinfo info;
    unsigned i;

    libxl_physinfo_init(&info);
    if (!libxl_get_physinfo(ctx, &info)) {
        total_kb = info.total_pages * 4;
        XLNUMA_FOR_EACH_NODE(i, host->nodes)
            span_kb += host->node[i].size_kb;
        hole_kb = span_kb > total_kb ? span_kb - total_kb : 0;
        XLNUMA_FOR_EACH_NODE(i, host->nodes)
            if (host->node[i].size_kb > hole_kb &&
                host->node[i].size_kb - hole_kb >= host->node[i].free_kb) {
                host->node[i].size_kb -= hole_kb;
                break;
            }
    }
    libxl_physinfo_dispose(&info);
}

/* The first CPU of a CPU's core. Cores are told apart by socket and core number. */
static int first_of_core(const libxl_cputopology *cpu, int at)
{
    int i = 0;

    while (cpu[i].node != cpu[at].node || cpu[i].socket != cpu[at].socket ||
           cpu[i].core != cpu[at].core)
        i++;
    return i;
}

static int read_cpus(struct xlnuma_host *host, libxl_ctx *ctx, char *message)
{
    int nr_cpus;
    libxl_cputopology *cpu = libxl_get_cpu_topology(ctx, &nr_cpus);

    if (!cpu)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell its CPUs "
                            "(libxl_get_cpu_topology failed)");
    for (int i = 0; i < nr_cpus && i < XLNUMA_CPUS_MAX; i++) {
        struct xlnuma_node *node;

        if (cpu[i].node == LIBXL_CPUTOPOLOGY_INVALID_ENTRY ||
            !xlnuma_nodeset_has(host->nodes, cpu[i].node))
            continue;
        node = &host->node[cpu[i].node];
        host->core[i] = (uint16_t)(first_of_core(cpu, i) + 1);
        if (host->core[i] == i + 1)
            node->nr_cores++;
        if (!xlnuma_cpuset_count(&node->cpus))
            node->socket = cpu[i].socket;
        xlnuma_cpuset_add(&node->cpus, (unsigned)i);
    }
    libxl_cputopology_list_free(cpu, nr_cpus);
    return 0;
}

/* A node without CPUs is on the socket of the nearest node that has some. */
static void place_cpuless_nodes(struct xlnuma_host *host)
{
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        unsigned nearest = XLNUMA_NODES_MAX;

        if (xlnuma_cpuset_count(&host->node[i].cpus))
            continue;
        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            if (xlnuma_cpuset_count(&host->node[j].cpus) &&
                (nearest == XLNUMA_NODES_MAX ||
                 host->distance[j][i] < host->distance[nearest][i]))
                nearest = j;
        if (nearest < XLNUMA_NODES_MAX)
            host->node[i].socket = host->node[nearest].socket;
    }
}

/*
 * The devices that Xen knows the node of: dom0 told it, from the firmware's
 * _PXM. libxl takes the list of devices from sysfs.
 */
void xlnuma__host_add_devices(struct xlnuma_host *host, libxl_ctx *ctx)
{
    int nr = 0;
    libxl_pcitopology *device = libxl_get_pci_topology(ctx, &nr);

    host->nr_devices = 0;
    for (int i = 0; device && i < nr; i++)
        if (xlnuma_nodeset_has(host->nodes, device[i].node) &&
            host->nr_devices < XLNUMA_DEVICES_MAX)
            host->device[host->nr_devices++] = (struct xlnuma_device){
                .bdf = (uint32_t)device[i].seg << 16 |
                       (uint32_t)device[i].bus << 8 | device[i].devfn,
                .node = device[i].node,
            };
    if (device)
        libxl_pcitopology_list_free(device, nr);
    xlnuma__host_sort_devices(host);
}

void xlnuma__scheduler_name(char name_r[XLNUMA_SCHEDULER_SIZE], int scheduler)
{
    const char *name =
        scheduler > LIBXL_SCHEDULER_UNKNOWN
            ? libxl_scheduler_to_string((libxl_scheduler)scheduler)
            : NULL;

    snprintf(name_r, XLNUMA_SCHEDULER_SIZE, "%s", name ? name : "");
}

int xlnuma__host_from_xen(struct xlnuma_host *host_r, libxl_ctx *ctx,
                          xc_interface *xch, bool notes, unsigned *low_width_r,
                          char *message)
{
    int rc;

    *message = '\0';
    host_r->nodes = 0;
    host_r->nr_devices = 0;
    host_r->scheduler[0] = '\0';
    memset(&host_r->dedicated_cpus, 0, sizeof(host_r->dedicated_cpus));
    memset(&host_r->dedicated_taken, 0, sizeof(host_r->dedicated_taken));
    rc = read_nodes(host_r, ctx, message);
    if (!rc)
        rc = read_cpus(host_r, ctx, message);
    if (!rc)
        rc = xlnuma__load_read(host_r, xch,
                               notes && xlnuma_nodeset_count(host_r->nodes) > 1,
                               message);
    if (rc)
        return rc;
    *low_width_r = read_low_memory(host_r, ctx, xch);
    if (!size_by_map(host_r, xch))
        subtract_hole(host_r, ctx);
    place_cpuless_nodes(host_r);
    return xlnuma_host_check(host_r, message);
}

int xlnuma_host_from_xen(struct xlnuma_host *host_r, libxl_ctx *ctx,
                         char *message)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint64_t reserved_kb[XLNUMA_NODES_MAX];
    unsigned low_width;
    int rc;

    if (!xch)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    xlnuma__reservations_look(xch, reserved_kb);
    rc = xlnuma__host_from_xen(host_r, ctx, xch, false, &low_width, message);
    if (!rc)
        xlnuma__reservations_apply(host_r, reserved_kb);
    xc_interface_close(xch);
    if (!rc) {
        xlnuma__host_add_devices(host_r, ctx);
        xlnuma__scheduler_name(host_r->scheduler, libxl_get_scheduler(ctx));
    }
    return rc;
}
