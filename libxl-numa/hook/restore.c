/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a domain that is restored or migrated in: libxl-save-helper
 * populates it, a process that shares the environment with libxl's and no more.
 * The plan goes there, and what came of it comes back, in the domain's report.
 */
#include "hook/build.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Let the process that populates the domain know the plan, by the report. */
void xlnuma__build_hand_over(struct build *build)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xs_handle *xs = xs_open(0);

    xlnuma__build_report(build, &report);
    if (!xs)
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): no connection to xenstore: its memory is "
            "left to Xen",
            build->domid, build->request.name);
    else if (xlnuma__report_write(xs, build->domid, &report, message))
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): %s: its memory is left to Xen",
            build->domid, build->request.name, message);
    if (xs)
        xs_close(xs);
}

/* What the helper process wrote of the memory of a restored domain. */
void xlnuma__build_take_over(struct build *build, struct xs_handle *xs)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];
    bool is_found;

    if (!build->is_steering)
        return;
    if (xlnuma__report_read(xs, build->domid, &report, &is_found, message))
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, message);
    else if (is_found && report.has_actual)
        memcpy(build->extents.done_kb, report.actual_kb,
               sizeof(build->extents.done_kb));
}

/* --- in libxl-save-helper ------------------------------------------------- */

/* The plan that libxl's process made; without one the restore is stock. */
void xlnuma__build_restore_begin(uint32_t domid)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct build *build = calloc(1, sizeof(*build));
    struct xs_handle *xs;
    bool is_found;

    if (!build || !(build->lg = xlnuma__build_logger())) {
        free(build); /* so little memory that the restore fails anyway */
        return;
    }
    xs = xs_open(0);
    build->domid = domid;
    build->has_domid = true;
    if (xs && !xlnuma__report_read(xs, domid, &report, &is_found, message) &&
        is_found && report.expected_distance) {
        xlnuma__extents_resume(&build->extents, report.nodes, report.planned_kb,
                               report.other, report.nr_others);
        build->is_steering = true;
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
    bool knows_all;

    if (!build)
        return;
    knows_all = build->is_steering && !build->stock_kb && !build->has_unseen;
    xs = knows_all ? xs_open(0) : NULL;
    if (knows_all && (!xs || xlnuma__report_write_actual(
                                 xs, domid, build->extents.done_kb, message)))
        LOG(build, WARN,
            "domain %" PRIu32 ": %s: where its memory is will not "
            "be reported",
            domid, message);
    if (xs)
        xs_close(xs);
    xtl_logger_destroy(build->lg);
    xlnuma__build_free(build);
}
