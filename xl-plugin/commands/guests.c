/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests of the running Xen with what their builds reported, or those of a
 * snapshot. Does not ask Xen where their memory really is: only its dump knows.
 */
#include "commands/guests.h"

#include <errno.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

#include "commands/command.h"
#include "formats/snapshot.h"
#include "model/dedicated.h"
#include "xen/dedicated.h"
#include "xen/host.h"
#include "xen/report.h"
#include "xen/vcpus.h"

static void read_affinity(libxl_ctx *ctx, struct xlnuma__guest *guest)
{
    libxl_bitmap map;
    int node;

    libxl_bitmap_init(&map);
    if (!libxl_node_bitmap_alloc(ctx, &map, 0) &&
        !libxl_domain_get_nodeaffinity(ctx, guest->domid, &map))
        libxl_for_each_set_bit(node, map)
            if (node < XLNUMA_NODES_MAX)
                guest->affinity |= (xlnuma_nodeset)1 << node;
    libxl_bitmap_dispose(&map);
}

/* The pool of dedicated CPUs, where there is one. */
struct pool {
    uint32_t id; /* XLNUMA__NO_POOL: none */
    xc_interface *xch;
    struct xlnuma_host *host; /* owned, unless it is the caller's */
};

/* Which dedicated CPUs a guest in the pool has. */
static int read_pins(const struct pool *pool, const libxl_dominfo *info,
                     struct xlnuma__guest *guest, char *message)
{
    struct xlnuma__pins pins;
    int rc;

    if (pool->id == XLNUMA__NO_POOL || info->cpupool != pool->id)
        return 0;
    rc = xlnuma__pins_read(pool->host, pool->xch, info->domid,
                           info->vcpu_max_id, &pins, message);
    guest->pool_cpus = pins.runs_on;
    guest->dedicated = pins.taken;
    xlnuma_cpuset_or(&pool->host->dedicated_taken, &pins.taken);
    return rc;
}

/* A report that cannot be read leaves the guest, and its CPUs, in the list. */
static int read_guest(libxl_ctx *ctx, struct xs_handle *xs,
                      const struct pool *pool, const libxl_dominfo *info,
                      struct xlnuma__guest *guest, char *message)
{
    char *name = libxl_domid_to_name(ctx, info->domid);
    char why[XLNUMA_MESSAGE_SIZE];
    uint64_t video_kb = 0;
    int rc;

    snprintf(guest->name, sizeof(guest->name), "%s", name ? name : "");
    free(name);
    guest->domid = info->domid;
    if (!libxl_uuid_is_nil(&info->uuid))
        snprintf(guest->uuid, sizeof(guest->uuid), LIBXL_UUID_FMT,
                 LIBXL_UUID_BYTES(info->uuid));
    guest->memory_kb = info->current_memkb + info->outstanding_memkb;
    guest->nr_vcpus = info->vcpu_online;
    read_affinity(ctx, guest);
    rc = read_pins(pool, info, guest, message);
    if (xlnuma__report_read(xs, info->domid, &guest->report, &guest->has_report,
                            why)) {
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN, "%s", why);
        xlnuma__report_init(&guest->report);
        guest->has_report = false;
    }
    /* Only one that seems to have grown is worth asking for more. */
    if (guest->memory_kb >= xlnuma__guest_built_kb(guest) + XLNUMA__STRAY_KB)
        video_kb = xlnuma__video_kb(xs, info->domid);
    xlnuma__guest_judge_size(guest, video_kb);
    return rc;
}

static int read_guests(libxl_ctx *ctx, struct xs_handle *xs,
                       const struct pool *pool, struct xlnuma__guests *guests,
                       char *message)
{
    char next[XLNUMA_MESSAGE_SIZE];
    int nr, rc = 0;
    libxl_dominfo *info = libxl_list_domain(ctx, &nr);

    if (!info)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not list its domains "
                            "(libxl_list_domain failed)");
    for (int i = 0; i < nr; i++) {
        struct xlnuma__guest *guest;

        guest = xlnuma__guests_add(guests);
        if (!guest) {
            rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
            break;
        }
        if (!read_guest(ctx, xs, pool, &info[i], guest, next))
            continue;
        if (rc)
            complain("%s", message);
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN, "%s", next);
    }
    libxl_dominfo_list_free(info, nr);
    return rc;
}

/* Where there is no pool nothing more is asked for. */
static int open_pool(struct pool *pool_r, libxl_ctx *ctx,
                     struct xlnuma_host *host, char *message)
{
    xlnuma_cpuset cpus;
    int rc = xlnuma__pool_find(ctx, XLNUMA__POOL, &pool_r->id, &cpus, message);

    if (rc || pool_r->id == XLNUMA__NO_POOL)
        return rc;
    pool_r->xch = xc_interface_open(NULL, NULL, 0);
    if (!pool_r->xch)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    pool_r->host = host ? host : xlnuma_host_new();
    if (!pool_r->host)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    if (!host)
        rc = xlnuma_host_from_xen(pool_r->host, ctx, message);
    pool_r->host->dedicated_cpus = cpus;
    return rc;
}

static void close_pool(struct pool *pool, const struct xlnuma_host *host)
{
    if (pool->xch)
        xc_interface_close(pool->xch);
    if (pool->host != host)
        xlnuma_host_free(pool->host);
}

/* What cannot be had is not known: it is only for people. */
static void identify(struct xlnuma_host *host, libxl_ctx *ctx)
{
    struct xlnuma_identity *identity = &host->identity;
    const libxl_version_info *version = libxl_get_version_info(ctx);
    time_t now = time(NULL);
    libxl_physinfo info;
    struct tm utc;

    if (gethostname(identity->name, sizeof(identity->name) - 1))
        *identity->name = '\0';
    if (version)
        snprintf(identity->xen, sizeof(identity->xen), "%d.%d%s",
                 version->xen_version_major, version->xen_version_minor,
                 version->xen_version_extra ? version->xen_version_extra : "");
    if (gmtime_r(&now, &utc))
        strftime(identity->date, sizeof(identity->date), "%F %R UTC", &utc);
    libxl_physinfo_init(&info);
    if (!libxl_get_physinfo(ctx, &info))
        host->claimed_kb = info.outstanding_pages * PAGE_KB;
    libxl_physinfo_dispose(&info);
}

static int read_live(struct live *live_r, struct xlnuma_host *host_r,
                     struct xlnuma__guests *guests_r, char *message)
{
    struct pool pool = { .id = XLNUMA__NO_POOL };
    struct xs_handle *xs;
    int rc = live_open(live_r, message);

    if (!rc && host_r)
        rc = xlnuma_host_from_xen(host_r, live_r->ctx, message);
    if (rc)
        return rc;
    if (host_r)
        identify(host_r, live_r->ctx);
    xs = xs_open(0);
    if (!xs)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no connection to xenstore");
    rc = open_pool(&pool, live_r->ctx, host_r, message);
    if (!rc)
        rc = read_guests(live_r->ctx, xs, &pool, guests_r, message);
    xlnuma__guests_judge_shared(guests_r);
    close_pool(&pool, host_r);
    xs_close(xs);
    return rc;
}

int live_or_file_guests(const char *path, struct live *live_r,
                        struct xlnuma_host *host_r,
                        struct xlnuma__guests *guests_r, char *message)
{
    struct xlnuma_host *host = host_r;
    int rc;

    memset(live_r, 0, sizeof(*live_r));
    memset(guests_r, 0, sizeof(*guests_r));
    if (!path)
        return read_live(live_r, host_r, guests_r, message);
    if (!host)
        host = xlnuma_host_new();
    rc = host ? xlnuma__snapshot_load(host, guests_r, path, message)
              : xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    if (rc) /* half a file is nothing to show */
        xlnuma__guests_dispose(guests_r);
    if (host != host_r)
        xlnuma_host_free(host);
    return rc;
}

bool guest_is_gone(libxl_ctx *ctx, const struct xlnuma__guest *guest)
{
    return libxl_domain_info(ctx, NULL, guest->domid) == ERROR_DOMAIN_NOTFOUND;
}

int guests_look_at_vcpus(libxl_ctx *ctx, struct xlnuma__guests *guests)
{
    char message[XLNUMA_MESSAGE_SIZE];
    int rc = 0;

    for (unsigned i = 0; i < guests->nr; i++) {
        struct xlnuma__guest *guest = &guests->guest[i];
        int failed = xlnuma__vcpus_from_xen(&guest->vcpus, ctx, guest->domid, 0,
                                            0, message);

        if (!failed)
            continue;
        xlnuma__vcpus_dispose(&guest->vcpus);
        if (guest_is_gone(ctx, guest))
            continue;
        complain("%s", message);
        rc = failed;
    }
    return rc;
}

/* A copy, to which the guest's vCPUs go over. */
static int add_chosen(struct xlnuma__guests *chosen,
                      struct xlnuma__guest *guest, char *message)
{
    struct xlnuma__guest *copy = xlnuma__guests_add(chosen);

    if (!copy)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    *copy = *guest;
    memset(&guest->vcpus, 0, sizeof(guest->vcpus));
    return 0;
}

static struct xlnuma__guest *find(const struct xlnuma__guests *guests,
                                  const char *operand)
{
    uint32_t id;
    bool is_id = xlnuma__guest_id(operand, &id);

    for (unsigned i = 0; is_id && i < guests->nr; i++)
        if (guests->guest[i].domid == id)
            return &guests->guest[i];
    for (unsigned i = 0; *operand && i < guests->nr; i++)
        if (!strcmp(guests->guest[i].name, operand))
            return &guests->guest[i];
    return NULL;
}

struct xlnuma__guest *guests_find(const struct xlnuma__guests *guests,
                                  const char *operand, char *message)
{
    struct xlnuma__guest *guest = find(guests, operand);

    if (!guest)
        (void)xlnuma__fail(message, XLNUMA_ERR_INVALID,
                           "no guest has the name or id \"%s\"", operand);
    return guest;
}

int guests_choose(struct xlnuma__guests *guests, int nr, char **operand,
                  char *message)
{
    struct xlnuma__guests chosen = { 0 };
    int rc = 0;

    for (int i = 0; !rc && i < nr; i++) {
        struct xlnuma__guest *guest = guests_find(guests, operand[i], message);

        if (!guest)
            rc = XLNUMA_ERR_INVALID;
        else if (!find(&chosen, operand[i]))
            rc = add_chosen(&chosen, guest, message);
    }
    if (rc || nr)
        xlnuma__guests_dispose(rc ? &chosen : guests);
    if (!rc && nr)
        *guests = chosen;
    return rc;
}
