/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl's placement itself: scripts/bench links the two objects that it is in,
 * libxl_numa.o and libxl_utils.o, as Debian's libxenlight.a has them. Here is
 * what they call: Xen's answers, from memory, and as little else as they let us.
 * No CPU time of ours is in it but calloc() and free() for bitmaps, which libxl
 * does, and the reading of answers that are there already.
 */
#include "rules.h"

#include <libxl.h>
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>

/* What libxl_internal.h declares, as far as these objects look at it. */
struct candidate {
    int nr_cpus, nr_nodes, nr_vcpus;
    uint64_t free_memkb;
    libxl_bitmap nodemap;
};
struct collector {
    int alloc_maxsize;
    void **alloc_ptrs;
    libxl_ctx *owner;
};
typedef int compare_fn(const struct candidate *, const struct candidate *);

int libxl__get_numa_candidate(struct collector *gc, uint64_t min_free_memkb,
                              int min_cpus, int min_nodes, int max_nodes,
                              const libxl_bitmap *suitable_cpumap,
                              compare_fn *compare, struct candidate *out,
                              int *found);

/* Xen's answers. */
static libxl_cputopology topology[XLNUMA_CPUS_MAX];
static libxl_numainfo numainfo[XLNUMA_NODES_MAX];
static int load[XLNUMA_NODES_MAX];
static int nr_cpus, nr_nodes;
static uint8_t pool_byte[XLNUMA_CPUS_MAX / 8], soft_byte[XLNUMA_CPUS_MAX / 8];
static libxl_bitmap pool = { .map = pool_byte }, soft = { .map = soft_byte };

/* Only addresses within it are taken; the objects read nothing else of it. */
static char context[1 << 16];
static struct collector collector = { 1, NULL, (libxl_ctx *)context };

/* What is collected at the end there is given at once here. */
static char arena[1 << 16];
static size_t arena_used;

/* scripts/bench lets all that is called for nothing else be this. */
void libxl_own_never(void);
void libxl_own_never(void)
{
    abort();
}

int xc_get_max_nodes(void *xch);
int xc_get_max_nodes(void *xch)
{
    (void)xch;
    return nr_nodes;
}

libxl_numainfo *libxl_get_numainfo(libxl_ctx *ctx, int *nr)
{
    (void)ctx;
    *nr = nr_nodes;
    return numainfo;
}

void libxl_numainfo_list_free(libxl_numainfo *list, int nr)
{
    (void)list;
    (void)nr;
}

libxl_cputopology *libxl_get_cpu_topology(libxl_ctx *ctx, int *nr)
{
    (void)ctx;
    *nr = nr_cpus;
    return topology;
}

void libxl_cputopology_list_free(libxl_cputopology *list, int nr)
{
    (void)list;
    (void)nr;
}

void libxl_cputopology_dispose(libxl_cputopology *one)
{
    (void)one;
}

/* No domains: how many vCPUs each node has is known, libxl__calloc(). */
libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nr)
{
    static libxl_dominfo none;

    (void)ctx;
    *nr = 0;
    return &none;
}

void libxl_dominfo_list_free(libxl_dominfo *list, int nr)
{
    (void)list;
    (void)nr;
}

/* It would format every message, whether anyone listens or not. */
void libxl__log(libxl_ctx *ctx, int level, int errnoval, const char *file,
                int line, const char *func, uint32_t domid, const char *format,
                ...);
void libxl__log(libxl_ctx *ctx, int level, int errnoval, const char *file,
                int line, const char *func, uint32_t domid, const char *format,
                ...)
{
    (void)ctx, (void)level, (void)errnoval, (void)file, (void)line;
    (void)func, (void)domid, (void)format;
}

void libxl__free_all(struct collector *gc);
void libxl__free_all(struct collector *gc)
{
    (void)gc;
}

/* In the place of free(), which the objects call for the topology too. */
void libxl_own_free(void *what);
void libxl_own_free(void *what)
{
    if (what != topology)
        free(what);
}

/* The first that is asked for are the vCPUs of each node. */
void *libxl__calloc(struct collector *gc, size_t nr, size_t size);
void *libxl__calloc(struct collector *gc, size_t nr, size_t size)
{
    void *new = arena + arena_used;

    if (gc != &collector)
        return calloc(nr, size);
    if (arena_used)
        memset(new, 0, nr * size);
    else
        memcpy(new, load, nr * size);
    arena_used += (nr * size + 15) / 16 * 16;
    return new;
}

/* The rule's, in libxl_dom.c: fewer vCPUs, then more free memory. */
static int compare(const struct candidate *a, const struct candidate *b)
{
    if (a->nr_vcpus != b->nr_vcpus)
        return a->nr_vcpus - b->nr_vcpus;
    return a->free_memkb < b->free_memkb   ? 1
           : a->free_memkb > b->free_memkb ? -1
                                           : 0;
}

void rules_libxl_own_fill(const struct xlnuma_host *host)
{
    struct rules_topology known;

    rules_topology_fill(&known, host);
    memset(pool_byte, 0, sizeof(pool_byte));
    nr_cpus = (int)known.nr_cpus;
    nr_nodes = 64 - __builtin_clzll(host->nodes);
    pool.size = soft.size = (known.nr_cpus + 7) / 8;
    for (unsigned cpu = 0; cpu < known.nr_cpus; cpu++) {
        topology[cpu].node = known.is_there[cpu]
                                 ? known.node_of[cpu]
                                 : LIBXL_CPUTOPOLOGY_INVALID_ENTRY;
        if (known.is_there[cpu])
            pool_byte[cpu / 8] |= (uint8_t)(1u << cpu % 8);
    }
    for (int i = 0; i < nr_nodes; i++) {
        bool is_there = xlnuma_nodeset_has(host->nodes, (unsigned)i);

        numainfo[i].free = is_there ? host->node[i].free_kb / 4 * 4 * 1024 : 0;
        load[i] = is_there ? (int)host->node[i].load_mvcpu : 0;
    }
}

void rules_libxl_own(const struct xlnuma_request *request,
                     struct rules_affinity *affinity_r)
{
    uint8_t all_byte[XLNUMA_NODES_MAX / 8];
    libxl_bitmap all = { .size = (uint32_t)(nr_nodes + 7) / 8,
                         .map = all_byte };
    struct candidate candidate = { 0 };
    int found = 0;

    arena_used = 0;
    memset(all_byte, 0xff, sizeof(all_byte));
    if (libxl__get_numa_candidate(&collector, request->memory_kb,
                                  (int)request->nr_vcpus, 0, 0, &pool, compare,
                                  &candidate, &found))
        abort();
    /* As libxl__build_pre() goes on: of all nodes, if none were found. */
    libxl_nodemap_to_cpumap((libxl_ctx *)context,
                            found ? &candidate.nodemap : &all, &soft);
    affinity_r->nodes = 0;
    for (unsigned i = 0; found && i < candidate.nodemap.size; i++)
        affinity_r->nodes |= (xlnuma_nodeset)candidate.nodemap.map[i] << 8 * i;
    libxl_bitmap_dispose(&candidate.nodemap);
}
