/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan's affinities put on a domain. Writes only; memory is the hook's. */
#include "core/core.h"
#include "xen/xen.h"

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

static int set_soft_affinity(libxl_ctx *ctx, uint32_t domid, unsigned nr_vcpus,
                             const xlnuma_cpuset *cpus)
{
    libxl_bitmap map;
    int r;

    libxl_bitmap_init(&map);
    r = libxl_cpu_bitmap_alloc(ctx, &map, 0);
    if (!r) {
        for (unsigned i = 0; i < XLNUMA_CPUS_MAX && i < map.size * 8; i++)
            if (xlnuma_cpuset_has(cpus, i))
                libxl_bitmap_set(&map, (int)i);
        r = libxl_set_vcpuaffinity_all(ctx, domid, nr_vcpus, NULL, &map);
    }
    libxl_bitmap_dispose(&map);
    return r;
}

int xlnuma__apply(libxl_ctx *ctx, uint32_t domid, unsigned nr_vcpus,
                  const struct xlnuma_plan *plan, bool with_soft_affinity,
                  char *message)
{
    static const xlnuma_cpuset all_cpus = { { [0 ... XLNUMA_CPUS_MAX / 64 - 1] =
                                                  ~(uint64_t)0 } };

    *message = '\0';
    if (xlnuma__apply_nodes(ctx, domid, plan->nodes))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "setting the node affinity of domain %u failed",
                            domid);
    if (with_soft_affinity &&
        set_soft_affinity(ctx, domid, nr_vcpus, &plan->soft_cpus)) {
        /* Some vCPUs may have it already: back to what a new domain has. */
        if (set_soft_affinity(ctx, domid, nr_vcpus, &all_cpus) ||
            xlnuma__apply_nodes(ctx, domid, XLNUMA_NODES_ALL))
            return xlnuma__fail(message, XLNUMA_ERR_XEN,
                                "setting the soft affinity of domain %u "
                                "failed, and so did taking it back: look at "
                                "\"xl vcpu-list %u\"",
                                domid, domid);
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "setting the soft affinity of domain %u failed",
                            domid);
    }
    return 0;
}
