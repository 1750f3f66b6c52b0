/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moments of a soft reset: kexec or kdump in an HVM guest (a PVH guest ends at it).
 * libxl runs its build path again for a domain that keeps its memory: its own
 * placement would move the vCPUs away from it, and /libxl/DOMID is removed, with the
 * report. So affinities and report are read before it and put back after it. Plans
 * nothing.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/balance_state.h"
#include "xen/growth.h"
#include "xen/report.h"

#include <inttypes.h>
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>

struct reset {
    struct reset *next;
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    uint32_t domid;
    libxl_bitmap nodes;
    libxl_vcpuinfo *vcpu; /* owned */
    int nr_vcpus;
    bool has_report;
    struct xlnuma__report report;
    struct xlnuma__balance_state balance;
};

static struct reset *resets; /* under the lock of the builds */

bool xlnuma__reset_is_on(uint32_t domid)
{
    struct reset *reset;

    xlnuma__builds_lock();
    for (reset = resets; reset && reset->domid != domid;)
        reset = reset->next;
    xlnuma__builds_unlock();
    return reset;
}

static void add(struct reset *reset)
{
    xlnuma__builds_lock();
    reset->next = resets;
    resets = reset;
    xlnuma__builds_unlock();
}

/* Unlink the domain's reset; NULL when there is none. */
static struct reset *take(uint32_t domid)
{
    struct reset **link, *reset;

    xlnuma__builds_lock();
    for (link = &resets; *link && (*link)->domid != domid;)
        link = &(*link)->next;
    reset = *link;
    if (reset)
        *link = reset->next;
    xlnuma__builds_unlock();
    return reset;
}

static void dispose(struct reset *reset)
{
    if (!reset)
        return;
    libxl_bitmap_dispose(&reset->nodes);
    if (reset->vcpu)
        libxl_vcpuinfo_list_free(reset->vcpu, reset->nr_vcpus);
    free(reset);
}

/* Why the domain cannot be put back where it is, or NULL. */
static const char *read_affinities(struct reset *reset)
{
    int nr_cpus;

    libxl_bitmap_init(&reset->nodes);
    if (libxl_node_bitmap_alloc(reset->ctx, &reset->nodes, 0) ||
        libxl_domain_get_nodeaffinity(reset->ctx, reset->domid, &reset->nodes))
        return "its node affinity cannot be read";
    reset->vcpu =
        libxl_list_vcpu(reset->ctx, reset->domid, &reset->nr_vcpus, &nr_cpus);
    return reset->vcpu ? NULL : "its vCPUs' affinities cannot be read";
}

/* The nodes that a guest that grows has only meanwhile are not put back. */
static void leave_growth(struct reset *reset, struct xs_handle *xs)
{
    struct xlnuma__growth growth;
    unsigned node;

    if (!xlnuma__growth_read(xs, reset->domid, &growth))
        return;
    XLNUMA_FOR_EACH_NODE(node, growth.nodes & ~growth.before)
        libxl_bitmap_reset(&reset->nodes, (int)node);
}

/*
 * A report that cannot be read is lost, with a warning; what the balancer noted
 * is put back with it.
 */
static void read_report(struct reset *reset)
{
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    char ignored[XLNUMA_MESSAGE_SIZE]; /* the balancer leaves it alone then */
    struct xs_handle *xs = xs_open(0);

    if (xs && !xlnuma__report_read(xs, reset->domid, &reset->report,
                                   &reset->has_report, message))
        *message = '\0';
    if (xs) {
        leave_growth(reset, xs);
        (void)xlnuma__balance_state_read(xs, reset->domid, &reset->balance,
                                         ignored);
        xs_close(xs);
    }
    if (!*message)
        return;
    reset->has_report = false;
    xlnuma__say_of(reset->lg, reset->domid,
                   "soft reset: %s: \"xl numa-placement\" will not "
                   "know how it was built",
                   message);
}

void xlnuma__on_reset_begin(libxl_ctx *ctx, xentoollog_logger *lg,
                            uint32_t domid)
{
    struct reset *reset = calloc(1, sizeof(*reset));
    const char *why = "out of memory";

    dispose(take(domid)); /* an asynchronous one that failed */
    if (!lg)
        lg = xlnuma__build_logger();
    if (reset) {
        reset->ctx = ctx;
        reset->lg = lg;
        reset->domid = domid;
        why = read_affinities(reset);
    }
    if (why) {
        xlnuma__say_of(lg, domid,
                       "soft reset: %s: libxl may place its vCPUs "
                       "away from its memory",
                       why);
        dispose(reset);
        return;
    }
    read_report(reset);
    add(reset);
}

void xlnuma__on_reset_end(uint32_t domid)
{
    dispose(take(domid));
}

/* All that can be put back is. Returns false when something could not. */
static bool put_affinities_back(struct reset *reset)
{
    bool is_done =
        !libxl_domain_set_nodeaffinity(reset->ctx, reset->domid, &reset->nodes);

    for (int i = 0; i < reset->nr_vcpus; i++)
        if (libxl_set_vcpuaffinity(
                reset->ctx, reset->domid, reset->vcpu[i].vcpuid,
                &reset->vcpu[i].cpumap, &reset->vcpu[i].cpumap_soft))
            is_done = false;
    return is_done;
}

void xlnuma__on_reset_built(struct xs_handle *xs, uint32_t domid)
{
    struct reset *reset = take(domid);
    char message[XLNUMA_MESSAGE_SIZE];

    if (!reset)
        return;
    if (!put_affinities_back(reset))
        xlnuma__say_of(reset->lg, reset->domid,
                       "soft reset: its affinities could not all be "
                       "put back: look at \"xl vcpu-list %" PRIu32
                       "\" and \"xl list -n\"",
                       domid);
    if (reset->has_report &&
        (xlnuma__report_write(xs, domid, &reset->report, message) ||
         (!xlnuma__balance_state_is_empty(&reset->balance) &&
          xlnuma__balance_state_write(xs, domid, &reset->balance, message))))
        xlnuma__say_of(reset->lg, reset->domid,
                       "soft reset: %s: \"xl numa-placement\" will not "
                       "know how it was built",
                       message);
    dispose(reset);
}
