/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host: nodes with their CPUs, memory, distances and PCI devices, from the running
 * hypervisor or a snapshot. Memory is in KiB (_kb). Distances are SLIT values.
 */
#ifndef XLNUMA_HOST_H
#define XLNUMA_HOST_H

#include "model/set.h"

#define XLNUMA_DISTANCE_LOCAL 10
#define XLNUMA_DISTANCE_UNREACHABLE 255

/* Products of KiB. */
__extension__ typedef unsigned __int128 xlnuma__u128;

/* x86 has pages of 4 KiB; extents of large pages, as powers of two of them. */
#define PAGE_KB 4
#define ORDER_2M 9
#define ORDER_1G 18

/* Xen's MAX_ORDER on x86 (CONFIG_PAGEALLOC_MAX_ORDER), and zero. */
#define XLNUMA__ORDERS 19

struct xlnuma_node {
    unsigned socket;      /* physical package that it is nearest to */
    xlnuma_cpuset cpus;   /* online CPUs; empty for a memory-only node */
    unsigned nr_cores;    /* physical cores behind them; 0 when not known */
    uint64_t size_kb;     /* 0 for a node without memory */
    uint64_t free_kb;     /* at most size_kb */
    uint64_t low_free_kb; /* of free_kb, what lies below Xen's DMA width */
    uint64_t reserved_kb; /* of free_kb, what builds in flight will take */
    uint32_t load_mvcpu;  /* vCPUs expected to run here, in thousandths */
};

/*
 * A PCI device's address: segment << 16 | bus << 8 | device << 3 | function, as
 * text "0000:3b:00.0".
 *
 * _parse: the segment may be missing; four, two, two and one hexadecimal digits
 * at most. Returns false for anything else.
 * _format: returns buf.
 */
typedef uint32_t xlnuma_bdf;
#define XLNUMA_BDF_SIZE 16
bool xlnuma_bdf_parse(const char *text, xlnuma_bdf *bdf_r);
char *xlnuma_bdf_format(xlnuma_bdf bdf, char buf[XLNUMA_BDF_SIZE]);

/* A PCI device whose node is known. */
struct xlnuma_device {
    xlnuma_bdf bdf;
    unsigned node;
};

#define XLNUMA_DEVICES_MAX 8192

#define XLNUMA_SCHEDULER_SIZE 16

/* What a picture of it says first. "": not known. */
struct xlnuma_identity {
    char name[64], xen[32], date[32]; /* "host1", "4.17.7", in UTC */
};

/*
 * About 256 KiB: allocate with xlnuma_host_new(), not on the stack.
 * node[i] and distance[i][j] mean something only for i, j in `nodes`, core[i] for
 * their CPUs, device[n] for n < nr_devices.
 */
struct xlnuma_host {
    xlnuma_nodeset nodes;
    char scheduler[XLNUMA_SCHEDULER_SIZE]; /* "credit2"; "" when not known */
    struct xlnuma_identity identity;
    uint64_t claimed_kb;            /* by Xen's claims, which are on no node */
    uint16_t core[XLNUMA_CPUS_MAX]; /* 1 + the lowest CPU of each CPU's core; 0:
                                       not known, a core of its own */
    xlnuma_cpuset dedicated_cpus;   /* reserved for guests that ask for CPUs of
                                       their own; empty: none */
    xlnuma_cpuset dedicated_taken;  /* of these, the CPUs that a guest has */
    struct xlnuma_node node[XLNUMA_NODES_MAX];
    uint16_t distance[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    unsigned nr_devices;
    struct xlnuma_device device[XLNUMA_DEVICES_MAX]; /* ascending bdf */
};

/* Ownership: the caller owns the result. Returns NULL when out of memory. */
struct xlnuma_host *xlnuma_host_new(void);
void xlnuma_host_free(struct xlnuma_host *host); /* NULL is fine */

/*
 * Verify the model's invariants: at least one node; no CPU in two nodes;
 * low_free_kb and reserved_kb <= free_kb <= size_kb; dedicated CPUs are online, and
 * those that are taken are dedicated; local distances 10, others 11 to 254 or
 * unreachable; some CPU and some memory; devices in ascending order on nodes that
 * are there. Called after every load and after every look at Xen.
 *
 * Returns 0, XLNUMA_ERR_INVALID.
 */
int xlnuma_host_check(const struct xlnuma_host *host,
                      char *message) XLNUMA_MUST_CHECK;

/*
 * A node's memory that a guest can have, and what of it is not low: the builds
 * in flight get that first, as Xen does it.
 */
static inline uint64_t xlnuma__usable_kb(const struct xlnuma_node *node)
{
    return node->free_kb - node->reserved_kb;
}

static inline uint64_t xlnuma__high_kb(const struct xlnuma_node *node)
{
    uint64_t high_kb = node->free_kb - node->low_free_kb;

    return high_kb > node->reserved_kb ? high_kb - node->reserved_kb : 0;
}

/* The CPUs of these nodes. */
void xlnuma__host_cpus(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                       xlnuma_cpuset *cpus_r);

/* The nodes that have some of these CPUs. */
xlnuma_nodeset xlnuma__host_nodes_of(const struct xlnuma_host *host,
                                     const xlnuma_cpuset *cpus);

/* All nodes of the sockets that these nodes are on. */
xlnuma_nodeset xlnuma__host_sockets_of(const struct xlnuma_host *host,
                                       xlnuma_nodeset nodes);

/* Sum of the distances between a node and a set, both ways. */
unsigned xlnuma__host_distance(const struct xlnuma_host *host,
                               xlnuma_nodeset nodes, unsigned node);

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

/* Into the order that the model has. */
void xlnuma__host_sort_devices(struct xlnuma_host *host);

/* Is the device's node known? */
bool xlnuma__host_find_device(const struct xlnuma_host *host, xlnuma_bdf bdf,
                              unsigned *node_r);

#endif /* XLNUMA_HOST_H */
