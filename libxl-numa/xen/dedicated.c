/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CPUs that the host has reserved, a cpupool, and who has which of them: Xen's
 * hard affinities are the ledger, so what a guest had is free when it is gone. Reads
 * only, but for giving a new domain its CPUs.
 */
#include "xen/dedicated.h"

#include "model/dedicated.h"
#include "xen/apply.h"
#include "xen/host.h"

#include <errno.h>
#include <libxl_utils.h>
#include <string.h>
#include <xenctrl.h>

/* --- the pool ------------------------------------------------------------- */

libxl_cpupoolinfo *xlnuma__pools_list(libxl_ctx *ctx, int *nr_r, char *message)
{
    libxl_cpupoolinfo *pool = libxl_list_cpupool(ctx, nr_r);

    if (!pool)
        (void)xlnuma__fail(message, XLNUMA_ERR_XEN,
                           "Xen does not list its cpupools "
                           "(libxl_list_cpupool failed)");
    return pool;
}

int xlnuma__pool_find(libxl_ctx *ctx, const char *name, uint32_t *poolid_r,
                      xlnuma_cpuset *cpus_r, char *message)
{
    int nr = 0;
    libxl_cpupoolinfo *pool = xlnuma__pools_list(ctx, &nr, message);

    memset(cpus_r, 0, sizeof(*cpus_r));
    if (!pool)
        return XLNUMA_ERR_XEN;
    *message = '\0';
    *poolid_r = XLNUMA__NO_POOL;
    for (int i = 0; i < nr; i++)
        if (pool[i].pool_name && !strcmp(pool[i].pool_name, name)) {
            *poolid_r = pool[i].poolid;
            xlnuma__cpuset_from_bitmap(cpus_r, &pool[i].cpumap);
        }
    libxl_cpupoolinfo_list_free(pool, nr);
    return 0;
}

/* --- who has what --------------------------------------------------------- */

/* Are all CPUs of the host in the set? */
static bool has_all(const struct xlnuma_host *host, const xlnuma_cpuset *set)
{
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        if (!xlnuma_cpuset_is_within(&host->node[node].cpus, set))
            return false;
    return true;
}

/*
 * A vCPU that may run anywhere is pinned to nothing. One that is pinned keeps others
 * from its soft affinity too: where a core is one guest's alone its CPUs are there.
 */
static void add_vcpu(const struct xlnuma_host *host, xlnuma_cpuset *hard,
                     xlnuma_cpuset *soft, struct xlnuma__pins *pins)
{
    const xlnuma_cpuset *pool = &host->dedicated_cpus;

    if (!has_all(host, hard)) {
        if (!has_all(host, soft))
            xlnuma_cpuset_or(&pins->taken, soft);
        xlnuma_cpuset_or(&pins->taken, hard);
        xlnuma_cpuset_and(&pins->taken, pool);
    }
    xlnuma_cpuset_and(hard, pool);
    xlnuma_cpuset_or(&pins->runs_on, hard);
}

/* A domain that is gone meanwhile has nothing. */
int xlnuma__pins_read(const struct xlnuma_host *host, xc_interface *xch,
                      uint32_t domid, uint32_t max_vcpu_id,
                      struct xlnuma__pins *pins_r, char *message)
{
    *message = '\0';
    memset(pins_r, 0, sizeof(*pins_r));
    if (max_vcpu_id == XEN_INVALID_MAX_VCPU_ID)
        return 0;
    for (uint32_t i = 0; i <= max_vcpu_id; i++) {
        xlnuma_cpuset hard = { { 0 } }, soft = { { 0 } };

        if (!xc_vcpu_getaffinity(xch, domid, (int)i, (xc_cpumap_t)hard.word,
                                 (xc_cpumap_t)soft.word,
                                 XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT))
            add_vcpu(host, &hard, &soft, pins_r);
        else if (errno != ESRCH)
            return xlnuma__fail(message, XLNUMA_ERR_XEN,
                                "Xen does not tell the affinity of vCPU %u of "
                                "domain %u: %s",
                                i, domid, strerror(errno));
    }
    return 0;
}

struct reading {
    struct xlnuma_host *host;
    xc_interface *xch;
    uint32_t poolid;
    int rc;
    char *message;
};

static void read_domain(const xc_domaininfo_t *domain, void *data)
{
    struct reading *reading = data;
    struct xlnuma__pins pins;

    if (reading->rc || domain->cpupool != reading->poolid)
        return;
    reading->rc =
        xlnuma__pins_read(reading->host, reading->xch, domain->domain,
                          domain->max_vcpu_id, &pins, reading->message);
    xlnuma_cpuset_or(&reading->host->dedicated_taken, &pins.taken);
}

int xlnuma__dedicated_read(struct xlnuma_host *host, libxl_ctx *ctx,
                           xc_interface *xch, uint32_t *poolid_r, char *message)
{
    struct reading reading = { .host = host, .xch = xch, .message = message };
    int rc = xlnuma__pool_find(ctx, XLNUMA__POOL, &reading.poolid,
                               &host->dedicated_cpus, message);

    memset(&host->dedicated_taken, 0, sizeof(host->dedicated_taken));
    *poolid_r = reading.poolid;
    if (rc || reading.poolid == XLNUMA__NO_POOL)
        return rc;
    if (xlnuma__for_each_domain(xch, read_domain, &reading))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not list its domains: %s",
                            strerror(errno));
    return reading.rc;
}

/* --- a new domain's ------------------------------------------------------- */

static int pin(libxl_ctx *ctx, uint32_t domid, const struct xlnuma_host *host,
               const struct xlnuma_plan *plan, unsigned vcpu)
{
    xlnuma_cpuset cpu = { { 0 } }, taken;
    libxl_bitmap hard, soft;
    int r;

    xlnuma_cpuset_add(&cpu, plan->cpu[vcpu]);
    xlnuma__dedicated_taken(host, plan->threads, plan->cpu[vcpu], &taken);
    libxl_bitmap_init(&hard);
    libxl_bitmap_init(&soft);
    r = xlnuma__cpuset_to_bitmap(ctx, &cpu, &hard);
    if (!r)
        r = xlnuma__cpuset_to_bitmap(ctx, &taken, &soft);
    if (!r)
        r = libxl_set_vcpuaffinity(ctx, domid, vcpu, &hard, &soft);
    libxl_bitmap_dispose(&hard);
    libxl_bitmap_dispose(&soft);
    return r;
}

int xlnuma__dedicated_give(libxl_ctx *ctx, uint32_t domid, uint32_t poolid,
                           const struct xlnuma_host *host,
                           const struct xlnuma_plan *plan, char *message)
{
    *message = '\0';
    if (libxl_cpupool_movedomain(ctx, poolid, domid))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "moving it to cpupool " XLNUMA__POOL " failed");
    for (unsigned i = 0; i < plan->nr_dedicated; i++)
        if (pin(ctx, domid, host, plan, i))
            return xlnuma__fail(message, XLNUMA_ERR_XEN,
                                "pinning its vCPU %u to CPU %u failed", i,
                                plan->cpu[i]);
    return 0;
}
