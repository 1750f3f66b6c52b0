/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into xl-numa-placement by list.c: libxl's answers on a host of many
 * guests. xenstore is the real library's, asking list.c's store.
 */
#include "list.h"

#include <libxl.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define VISIBLE __attribute__((visibility("default")))

static struct xs_handle *store;

VISIBLE int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                            xentoollog_logger *logger)
{
    (void)version, (void)flags, (void)logger;
    store = xs_open(0);
    *pctx = (libxl_ctx *)&store; /* that it is something is all that counts */
    return store ? 0 : ERROR_FAIL;
}

VISIBLE int libxl_ctx_free(libxl_ctx *ctx)
{
    (void)ctx;
    xs_close(store);
    return 0;
}

/* Domain-0, and the guests. */
VISIBLE libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nr)
{
    libxl_dominfo *info = calloc(NR_GUESTS + 1, sizeof(*info));

    (void)ctx;
    for (uint32_t i = 0; info && i <= NR_GUESTS; i++) {
        libxl_dominfo_init(&info[i]);
        info[i].domid = i;
        info[i].current_memkb = GUEST_MIB * 1024;
        info[i].vcpu_online = NR_VCPUS;
    }
    *nr = NR_GUESTS + 1;
    return info;
}

/* No pool of dedicated CPUs. */
VISIBLE libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *nr)
{
    libxl_cpupoolinfo *pool = calloc(1, sizeof(*pool));

    (void)ctx;
    if (pool) {
        libxl_cpupoolinfo_init(pool);
        pool->pool_name = strdup("Pool-0");
    }
    *nr = 1;
    return pool;
}

VISIBLE char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    char path[64];
    unsigned length;

    (void)ctx;
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    return xs_read(store, XBT_NULL, path, &length);
}

VISIBLE int libxl_node_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max)
{
    (void)ctx, (void)max;
    map->size = NR_NODES / 8;
    map->map = calloc(1, map->size);
    return map->map ? 0 : ERROR_NOMEM;
}

VISIBLE int libxl_domain_get_nodeaffinity(libxl_ctx *ctx, uint32_t domid,
                                          libxl_bitmap *map)
{
    (void)ctx;
    libxl_bitmap_set(map, (int)(domid % (NR_NODES / 2) * 2));
    libxl_bitmap_set(map, (int)(domid % (NR_NODES / 2) * 2 + 1));
    return 0;
}
