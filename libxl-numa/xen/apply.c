/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan's affinities put on a domain. Writes only; memory is the hook's. */
#include "xen/apply.h"

#include <libxl_utils.h>

int xlnuma__apply_nodes(libxl_ctx *ctx, uint32_t domid, xlnuma_nodeset nodes)
{
    libxl_bitmap map;
    unsigned i;
    int r;

    libxl_bitmap_init(&map);
    r = libxl_node_bitmap_alloc(ctx, &map, 0);
    if (!r) {
        for (i = 0; i < XLNUMA_NODES_MAX && i < map.size * 8; i++)
            if (xlnuma_nodeset_has(nodes, i))
                libxl_bitmap_set(&map, (int)i);
        r = libxl_domain_set_nodeaffinity(ctx, domid, &map);
    }
    libxl_bitmap_dispose(&map);
    return r;
}

static const xlnuma_cpuset all_cpus = { { [0 ... XLNUMA_CPUS_MAX / 64 - 1] =
                                              ~(uint64_t)0 } };

int xlnuma__cpuset_to_bitmap(libxl_ctx *ctx, const xlnuma_cpuset *cpus,
                             libxl_bitmap *map)
{
    int r = libxl_cpu_bitmap_alloc(ctx, map, 0);

    for (unsigned i = 0; !r && i < XLNUMA_CPUS_MAX && i < map->size * 8; i++)
        if (xlnuma_cpuset_has(cpus, i))
            libxl_bitmap_set(map, (int)i);
    return r;
}

int xlnuma__apply_vcpu(libxl_ctx *ctx, uint32_t domid, unsigned vcpu,
                       const xlnuma_cpuset *cpus, char *message)
{
    libxl_bitmap map;
    int r;

    *message = '\0';
    libxl_bitmap_init(&map);
    r = xlnuma__cpuset_to_bitmap(ctx, cpus, &map);
    if (!r)
        r = libxl_set_vcpuaffinity(ctx, domid, vcpu, NULL, &map);
    libxl_bitmap_dispose(&map);
    return r ? xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "setting the soft affinity of vCPU %u failed", vcpu)
             : 0;
}

/* Both in one call for each vCPU; no `hard`: that one stays. */
static int set_affinity(libxl_ctx *ctx, uint32_t domid, unsigned nr_vcpus,
                        const xlnuma_cpuset *hard, const xlnuma_cpuset *soft)
{
    libxl_bitmap hard_map, soft_map;
    int r;

    libxl_bitmap_init(&hard_map);
    libxl_bitmap_init(&soft_map);
    r = xlnuma__cpuset_to_bitmap(ctx, soft, &soft_map);
    if (!r && hard)
        r = xlnuma__cpuset_to_bitmap(ctx, hard, &hard_map);
    if (!r)
        r = libxl_set_vcpuaffinity_all(ctx, domid, nr_vcpus,
                                       hard ? &hard_map : NULL, &soft_map);
    libxl_bitmap_dispose(&hard_map);
    libxl_bitmap_dispose(&soft_map);
    return r;
}

int xlnuma__apply(libxl_ctx *ctx, uint32_t domid, unsigned nr_vcpus,
                  const struct xlnuma_plan *plan, bool with_vcpus,
                  const xlnuma_cpuset *hard_before, char *message)
{
    const xlnuma_cpuset *hard =
        plan->has_hard_cpus ? &plan->hard_cpus : hard_before;
    const char *what;

    *message = '\0';
    if (xlnuma__apply_nodes(ctx, domid, plan->memory_nodes))
        what = "node";
    else if (with_vcpus &&
             set_affinity(ctx, domid, nr_vcpus, hard, &plan->soft_cpus))
        what = "vCPU";
    else
        return 0;
    /* Some vCPUs may have it, or all have that of an earlier plan. */
    if (hard && !hard_before)
        hard_before = &all_cpus;
    if (with_vcpus &&
        (set_affinity(ctx, domid, nr_vcpus, hard_before, &all_cpus) ||
         xlnuma__apply_nodes(ctx, domid, XLNUMA_NODES_ALL)))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "setting the %s affinity of domain %u failed, and "
                            "so did restoring it: look at \"xl vcpu-list %u\"",
                            what, domid, domid);
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "setting the %s affinity of domain %u failed", what,
                        domid);
}
