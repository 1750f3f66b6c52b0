/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moments in libxl-save-helper, which populates a domain that is restored or migrated
 * in: before and after it does. That process shares the environment with libxl's and
 * no more: the plan comes, and what came of it goes back, in the domain's report.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Tell that process that the plan is here; it will not go on without. */
static void take(struct build *build, struct xs_handle *xs)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (!xlnuma__report_take(xs, build->domid, message))
        return;
    xlnuma__build_say_refused(build, "%s", message);
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
    xlnuma__build_say(build, XTL_WARN,
                      "asking Xen for its type: %s: its memory is "
                      "restored without large pages",
                      strerror(errno));
    return false;
}

/* The plan that libxl's process made; without one the restore is stock. */
void xlnuma__on_helper_begin(xc_interface *xch, uint32_t domid)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct build *build = xlnuma__build_new(NULL, NULL);
    struct xs_handle *xs;
    const char *why;
    bool is_found;

    if (!build) {
        xlnuma__say_of(xlnuma__build_logger(), domid,
                       "out of memory: its memory is left to Xen");
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
        why = xlnuma__vnuma_resume(build, &report);
        if (why)
            xlnuma__build_say(build, XTL_WARN,
                              "the nodes that it sees: %s: its memory is "
                              "placed without regard to them",
                              why);
        build->joins_pages = can_join_pages(build, xch);
        xlnuma__reservation_find(&build->reservation, domid);
        build->is_strict = xlnuma__from_name(xlnuma__policies, report.policy,
                                             &build->request.policy) &&
                           xlnuma__is_strict(build->request.policy);
        if (build->is_strict)
            take(build, xs);
        xlnuma__build_progress_begin(build);
    }
    if (*message)
        xlnuma__build_say(build, XTL_WARN, "%s: its memory is left to Xen",
                          message);
    if (xs)
        xs_close(xs);
    xlnuma__build_add(build);
}

/* Says nothing of where memory is when it cannot say it of all. */
void xlnuma__on_helper_end(uint32_t domid)
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
        xlnuma__build_say(build, XTL_WARN,
                          "%s: where its memory is will not "
                          "be reported",
                          message);
    if (xs)
        xs_close(xs);
    xlnuma__build_free(build);
}
