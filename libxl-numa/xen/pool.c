/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reserves CPUs for guests that ask for CPUs of their own: takes them out of Pool-0
 * into a cpupool, and back. What it cannot do as a whole it undoes.
 */
#include "model/dedicated.h"
#include "xen/apply.h"
#include "xen/dedicated.h"
#include "xen/host.h"
#include "xen/reservations.h"

#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>

#define POOL_0 0

/* --- may they be taken? --------------------------------------------------- */

struct check {
    libxl_ctx *ctx;
    xc_interface *xch;
    const xlnuma_cpuset *wanted;
    xlnuma_cpuset left; /* of Pool-0 */
    int rc;
    char *message;
};

/* The message names those of its CPUs that would go. */
static int refuse_vcpu(const struct check *check, uint32_t domid, uint32_t vcpu,
                       xlnuma_cpuset *hard)
{
    char *name = libxl_domid_to_name(check->ctx, domid);
    char cpus[64];

    xlnuma_cpuset_and(hard, check->wanted);
    xlnuma__fail(check->message, XLNUMA_ERR_REFUSED,
                 "CPUs %s are all that vCPU %" PRIu32 " of domain %" PRIu32
                 " (%s) may run on, and Xen would let it run anywhere: give it "
                 "others first (\"xl vcpu-pin %" PRIu32 " %" PRIu32 " CPUS\")",
                 xlnuma_cpuset_format(hard, cpus, sizeof(cpus)), vcpu, domid,
                 name ? name : "no name", domid, vcpu);
    free(name);
    return XLNUMA_ERR_REFUSED;
}

/* Xen lets a vCPU run anywhere when the last CPU that it may run on goes. */
static void check_domain(const xc_domaininfo_t *domain, void *data)
{
    struct check *check = data;

    if (check->rc || domain->cpupool != POOL_0 ||
        domain->max_vcpu_id == XEN_INVALID_MAX_VCPU_ID)
        return;
    for (uint32_t i = 0; !check->rc && i <= domain->max_vcpu_id; i++) {
        xlnuma_cpuset hard = { { 0 } };

        if (xc_vcpu_getaffinity(check->xch, domain->domain, (int)i,
                                (xc_cpumap_t)hard.word, NULL,
                                XEN_VCPUAFFINITY_HARD)) {
            if (errno != ESRCH)
                check->rc = xlnuma__fail(
                    check->message, XLNUMA_ERR_XEN,
                    "Xen does not tell the affinity of vCPU %u of domain %u: "
                    "%s",
                    i, domain->domain, strerror(errno));
            continue;
        }
        if (!xlnuma_cpuset_intersects(&hard, &check->left))
            check->rc = refuse_vcpu(check, domain->domain, i, &hard);
    }
}

static int check_domains(struct check *check)
{
    if (!xlnuma_cpuset_count(&check->left))
        return xlnuma__fail(check->message, XLNUMA_ERR_REFUSED,
                            "Pool-0, where Domain-0 is, would have no CPU "
                            "left");
    if (xlnuma__for_each_domain(check->xch, check_domain, check))
        return xlnuma__fail(check->message, XLNUMA_ERR_XEN,
                            "Xen does not list its domains: %s",
                            strerror(errno));
    return check->rc;
}

/* Our own pool with other CPUs, or another pool that has some of them. */
static int check_pool(const libxl_cpupoolinfo *pool, struct check *check,
                      bool *is_done)
{
    xlnuma_cpuset cpus, both;
    char list[64];

    xlnuma__cpuset_from_bitmap(&cpus, &pool->cpumap);
    if (pool->poolid == POOL_0) {
        check->left = cpus;
        xlnuma_cpuset_remove(&check->left, check->wanted);
        return 0;
    }
    if (!strcmp(pool->pool_name, XLNUMA__POOL)) {
        *is_done = !memcmp(&cpus, check->wanted, sizeof(cpus));
        return *is_done
                   ? 0
                   : xlnuma__fail(
                         check->message, XLNUMA_ERR_REFUSED,
                         "cpupool " XLNUMA__POOL " is there, with CPUs %s: run "
                         "\"xl numa-placement release\" first",
                         xlnuma_cpuset_format(&cpus, list, sizeof(list)));
    }
    both = cpus;
    xlnuma_cpuset_and(&both, check->wanted);
    if (!xlnuma_cpuset_count(&both))
        return 0;
    return xlnuma__fail(
        check->message, XLNUMA_ERR_REFUSED, "CPUs %s are cpupool %s's",
        xlnuma_cpuset_format(&both, list, sizeof(list)), pool->pool_name);
}

static int check_all(struct check *check, bool *is_done)
{
    int nr = 0, rc = 0;
    libxl_cpupoolinfo *pool =
        xlnuma__pools_list(check->ctx, &nr, check->message);

    if (!pool)
        return XLNUMA_ERR_XEN;
    for (int i = 0; !rc && i < nr; i++)
        rc = check_pool(&pool[i], check, is_done);
    libxl_cpupoolinfo_list_free(pool, nr);
    return rc || *is_done ? rc : check_domains(check);
}

/* --- taking --------------------------------------------------------------- */

/* As many as can be. Returns whether all are. */
static bool give_to_pool_0(libxl_ctx *ctx, const xlnuma_cpuset *cpus)
{
    bool is_done = true;

    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
        if (xlnuma_cpuset_has(cpus, cpu) &&
            libxl_cpupool_cpuadd(ctx, POOL_0, (int)cpu))
            is_done = false;
    return is_done;
}

/* Those that are in no pool. */
static int read_free(libxl_ctx *ctx, xlnuma_cpuset *cpus_r, char *message)
{
    libxl_bitmap map;

    libxl_bitmap_init(&map);
    memset(cpus_r, 0, sizeof(*cpus_r));
    if (libxl_get_freecpus(ctx, &map))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell which CPUs are in no cpupool "
                            "(libxl_get_freecpus failed)");
    xlnuma__cpuset_from_bitmap(cpus_r, &map);
    libxl_bitmap_dispose(&map);
    return 0;
}

static int create_pool(libxl_ctx *ctx, const xlnuma_cpuset *cpus)
{
    uint32_t poolid = LIBXL_CPUPOOL_POOLID_ANY;
    int scheduler = libxl_get_scheduler(ctx);
    libxl_bitmap map;
    libxl_uuid uuid;
    int r;

    libxl_bitmap_init(&map);
    libxl_uuid_generate(&uuid);
    r = scheduler < 0 || xlnuma__cpuset_to_bitmap(ctx, cpus, &map) ||
        libxl_cpupool_create(ctx, XLNUMA__POOL, (libxl_scheduler)scheduler, map,
                             &uuid, &poolid);
    libxl_bitmap_dispose(&map);
    return r;
}

static int undo(libxl_ctx *ctx, const xlnuma_cpuset *cpus, const char *what,
                char *message)
{
    char list[128];

    if (give_to_pool_0(ctx, cpus))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "%s: nothing was reserved, and Pool-0 has its CPUs "
                            "again",
                            what);
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "%s, and not all of CPUs %s could be given back to "
                        "Pool-0: \"xl numa-placement release\" tries again",
                        what, xlnuma_cpuset_format(cpus, list, sizeof(list)));
}

/* Those that are in no pool by now are there to be taken. */
static int take(libxl_ctx *ctx, const xlnuma_cpuset *wanted, char *message)
{
    xlnuma_cpuset out, taken = { { 0 } };
    char what[64];
    int rc = read_free(ctx, &out, message);

    if (rc)
        return rc;
    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++) {
        if (!xlnuma_cpuset_has(wanted, cpu) || xlnuma_cpuset_has(&out, cpu))
            continue;
        if (libxl_cpupool_cpuremove(ctx, POOL_0, (int)cpu)) {
            snprintf(what, sizeof(what), "taking CPU %u out of Pool-0 failed",
                     cpu);
            return undo(ctx, &taken, what, message);
        }
        xlnuma_cpuset_add(&taken, cpu);
    }
    return create_pool(ctx, wanted)
               ? undo(ctx, &taken, "making cpupool " XLNUMA__POOL " failed",
                      message)
               : 0;
}

int xlnuma__reserve(libxl_ctx *ctx, xc_interface *xch,
                    const xlnuma_cpuset *wanted, bool is_dry, bool *was_done_r,
                    char *message)
{
    struct check check = { ctx, xch, wanted, { { 0 } }, 0, message };
    int rc;

    *was_done_r = false;
    rc = xlnuma__reservations_begin(message);
    if (rc)
        return rc;
    rc = check_all(&check, was_done_r);
    if (!rc && !*was_done_r && !is_dry)
        rc = take(ctx, wanted, message);
    xlnuma__reservations_end();
    return rc;
}

/* --- giving back ---------------------------------------------------------- */

struct residents {
    libxl_ctx *ctx;
    uint32_t poolid;
    unsigned nr;
    size_t used;
    char *message;
};

static void name_resident(const xc_domaininfo_t *domain, void *data)
{
    struct residents *residents = data;
    char *name;

    if (domain->cpupool != residents->poolid ||
        residents->used >= XLNUMA_MESSAGE_SIZE)
        return;
    name = libxl_domid_to_name(residents->ctx, domain->domain);
    residents->used += (size_t)snprintf(
        residents->message + residents->used,
        XLNUMA_MESSAGE_SIZE - residents->used, "%s%s (%u)",
        residents->nr++ ? ", " : "", name ? name : "no name", domain->domain);
    free(name);
}

/* Returns 0, or XLNUMA_ERR_REFUSED when a domain is in it. */
static int check_empty(libxl_ctx *ctx, xc_interface *xch, uint32_t poolid,
                       char *message)
{
    char names[XLNUMA_MESSAGE_SIZE] = "";
    struct residents residents = { ctx, poolid, 0, 0, names };

    if (xlnuma__for_each_domain(xch, name_resident, &residents))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not list its domains: %s",
                            strerror(errno));
    return residents.nr
               ? xlnuma__fail(message, XLNUMA_ERR_REFUSED,
                              "cpupool " XLNUMA__POOL " has domains: %.400s",
                              names)
               : 0;
}

static int release(libxl_ctx *ctx, xc_interface *xch,
                   const xlnuma_cpuset *configured, xlnuma_cpuset *cpus_r,
                   char *message)
{
    xlnuma_cpuset loose;
    char list[128];
    uint32_t poolid;
    int rc = xlnuma__pool_find(ctx, XLNUMA__POOL, &poolid, cpus_r, message);

    if (!rc)
        rc = read_free(ctx, &loose, message);
    if (!rc && poolid != XLNUMA__NO_POOL)
        rc = check_empty(ctx, xch, poolid, message);
    if (rc)
        return rc;
    if (poolid != XLNUMA__NO_POOL && libxl_cpupool_destroy(ctx, poolid))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "removing cpupool " XLNUMA__POOL " failed: try "
                            "again");
    xlnuma_cpuset_and(&loose, configured);
    xlnuma_cpuset_or(cpus_r, &loose);
    if (give_to_pool_0(ctx, cpus_r))
        return 0;
    return xlnuma__fail(
        message, XLNUMA_ERR_XEN,
        "not all of CPUs %s could be given back to Pool-0 (\"xl "
        "cpupool-cpu-add Pool-0 CPU\")",
        xlnuma_cpuset_format(cpus_r, list, sizeof(list)));
}

int xlnuma__release(libxl_ctx *ctx, xc_interface *xch,
                    const xlnuma_cpuset *configured, xlnuma_cpuset *cpus_r,
                    char *message)
{
    int rc = xlnuma__reservations_begin(message);

    if (rc)
        return rc;
    rc = release(ctx, xch, configured, cpus_r, message);
    xlnuma__reservations_end();
    return rc;
}
