/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: the plan of a domain that another process populates goes there, and what
 * came of it comes back, in the domain's report in xenstore.
 */
#include "hook/services.h"
#include "xen/report.h"

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
        xlnuma__build_say(build, XTL_WARN,
                          "%s: where its memory is will not be "
                          "reported",
                          message);
    else if (is_found && report.has_actual) {
        memcpy(build->extents.done_kb, report.actual_kb,
               sizeof(build->extents.done_kb));
        memcpy(build->extents.nr, report.nr_extents, sizeof(build->extents.nr));
    }
    xlnuma__vnuma_take_over(build, &report);
}
