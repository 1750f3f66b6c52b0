/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a domain that is restored or migrated in: libxl-save-helper
 * populates it, a process that shares the environment with libxl's and no more.
 * The plan goes there, and what came of it comes back, in the domain's report.
 */
#include "hook/build.h"
#include "xen/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Let the process that populates the domain know the plan, by the report. */
int xlnuma__build_hand_over(struct build *build, char *message)
{
    struct xlnuma__report report;
    struct xs_handle *xs = xs_open(0);
    int rc;

    if (!xs)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no connection to xenstore");
    xlnuma__build_report(build, &report);
    rc = xlnuma__report_write(xs, build->domid, &report, message);
    xs_close(xs);
    return rc;
}

/* What the helper process wrote of the memory of a restored domain. */
void xlnuma__build_take_over(struct build *build, struct xs_handle *xs)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];
    bool is_found;

    if (build->phase != PHASE_STEERED)
        return;
    if (xlnuma__report_read(xs, build->domid, &report, &is_found, message))
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): %s: where its memory is will not be "
            "reported",
            build->domid, build->request.name, message);
    else if (is_found && report.has_actual) {
        memcpy(build->extents.done_kb, report.actual_kb,
               sizeof(build->extents.done_kb));
        memcpy(build->extents.nr, report.nr_extents, sizeof(build->extents.nr));
    }
}

/*
 * Where a strict policy's memory is nobody knows, unless the process that
 * populates it has the plan, and says so; from there on that one refuses.
 */
static int check_restored(const struct build *build)
{
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct xs_handle *xs = xs_open(0);
    bool is_taken = xs && xlnuma__report_is_taken(xs, build->domid, message);

    if (xs)
        xs_close(xs);
    if (is_taken)
        return 0;
    LOG(build, ERROR,
        "domain %" PRIu32 " (%s): %s: not built, as numa_policy=\"%s\" demands",
        build->domid, build->request.name, message,
        xlnuma_policy_name(build->request.policy));
    return -1;
}

int xlnuma__build_restored(uint32_t domid)
{
    struct build *build = xlnuma__build_enter(domid);
    int r = build && build->source == MEMORY_HELPERS && build->is_strict
                ? check_restored(build)
                : 0;

    xlnuma__build_leave(build);
    return r;
}

/* --- in libxl-save-helper ------------------------------------------------- */

/* Tell that process that the plan is here; it will not go on without. */
static void take(struct build *build, struct xs_handle *xs)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (!xlnuma__report_take(xs, build->domid, message))
        return;
    LOG(build, ERROR,
        "domain %" PRIu32 ": %s: not built, as its numa_policy demands",
        build->domid, message);
    build->phase = PHASE_REFUSED;
}

/*
 * Before 4.21 libxenguest restores every guest in single pages. Those of an HVM or
 * PVH guest can be had as 2 MiB extents instead; a PV guest's are named one by one.
 */
static bool can_join_pages(const struct build *build, xc_interface *xch)
{
    xc_domaininfo_t info;

    errno = ENOENT;
    if (xc_domain_getinfolist(xch, build->domid, 1, &info) == 1 &&
        info.domain == build->domid)
        return info.flags & XEN_DOMINF_hvm_guest;
    LOG(build, WARN,
        "domain %" PRIu32 ": asking Xen for its type: %s: its memory is "
        "restored without large pages",
        build->domid, strerror(errno));
    return false;
}

/* The plan that libxl's process made; without one the restore is stock. */
void xlnuma__build_restore_begin(xc_interface *xch, uint32_t domid)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct build *build = xlnuma__build_new(NULL, NULL);
    struct xs_handle *xs;
    bool is_found;

    if (!build) {
        xtl_log(xlnuma__build_logger(), XTL_WARN, -1, "xl-numa",
                "domain %" PRIu32 ": out of memory: its memory is left to Xen",
                domid);
        return;
    }
    xs = xs_open(0);
    build->domid = domid;
    snprintf(build->request.name, sizeof(build->request.name), "restored");
    if (xs && !xlnuma__report_read(xs, domid, &report, &is_found, message) &&
        is_found && report.expected_distance) {
        xlnuma__extents_resume(&build->extents, report.nodes, report.planned_kb,
                               report.other, report.nr_others);
        build->phase = PHASE_STEERED;
        build->joins_pages = can_join_pages(build, xch);
        xlnuma__reservation_find(&build->reservation, domid);
        build->is_strict =
            xlnuma_policy_from_name(report.policy, &build->request.policy) &&
            xlnuma__is_strict(build->request.policy);
        if (build->is_strict)
            take(build, xs);
        xlnuma__build_progress_begin(build);
    }
    if (*message)
        LOG(build, WARN, "domain %" PRIu32 ": %s: its memory is left to Xen",
            domid, message);
    if (xs)
        xs_close(xs);
    xlnuma__build_add(build);
}

/* Says nothing of where memory is when it cannot say it of all. */
void xlnuma__build_restore_end(uint32_t domid)
{
    struct build *build = xlnuma__build_take(domid);
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct xs_handle *xs;
    struct xlnuma__report report;
    bool knows_all;

    if (!build)
        return;
    xlnuma__build_progress_end(build);
    knows_all = build->phase == PHASE_STEERED && !build->stock_kb &&
                build->source != MEMORY_UNSEEN;
    xs = knows_all ? xs_open(0) : NULL;
    xlnuma__build_memory(build, &report);
    if (knows_all &&
        (!xs || xlnuma__report_write_actual(xs, domid, &report, message)))
        LOG(build, WARN,
            "domain %" PRIu32 ": %s: where its memory is will not "
            "be reported",
            domid, message);
    if (xs)
        xs_close(xs);
    xlnuma__build_free(build);
}
