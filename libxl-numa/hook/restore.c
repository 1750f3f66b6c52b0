/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moment: back in libxl's process, a restored domain has its memory.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/report.h"

/*
 * With a strict policy, the process that populates the domain must have
 * confirmed that it has the plan; from then on that process refuses.
 */
int xlnuma__on_restored(const struct build *build)
{
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct xs_handle *xs;
    bool is_taken;

    if (build->source != MEMORY_HELPERS || !build->is_strict)
        return 0;
    xs = xs_open(0);
    is_taken = xs && xlnuma__report_is_taken(xs, build->domid, message);
    if (xs)
        xs_close(xs);
    if (is_taken)
        return 0;
    xlnuma__build_say_refused(build, "%s", message);
    return -1;
}
