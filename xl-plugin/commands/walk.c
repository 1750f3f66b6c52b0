/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May Xen walk all memory in use? Does not have it do so. */
#include "commands/walk.h"

#include <inttypes.h>

#include "commands/command.h"
#include "model/host.h"

/*
 * What the walk costs: 3 to 10 ms a GiB in the lab, emulated and with others at
 * work. Up to this size it is over within the five seconds after which Xen's
 * watchdog, if it is on, takes a CPU for dead, even if all is one domain's and
 * takes four times as long.
 */
#define MS_PER_GIB 10
#define UNASKED_GIB 128

int walk_state_cost(libxl_ctx *ctx, bool is_sure, char *message)
{
    libxl_physinfo info;
    uint64_t gib;
    int failed;

    libxl_physinfo_init(&info);
    failed = libxl_get_physinfo(ctx, &info);
    gib = (info.total_pages - info.free_pages) * PAGE_KB / (1024 * 1024);
    libxl_physinfo_dispose(&info);
    if (failed)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell how much memory is in use "
                            "(libxl_get_physinfo failed)");
    if (gib > UNASKED_GIB && !is_sure)
        return xlnuma__fail(
            message, XLNUMA_ERR_REFUSED,
            "%" PRIu64 " GiB are in use on this host, more than "
            "%d: Xen would walk them page by page, each domain's "
            "memory locked meanwhile: say --yes if it may",
            gib, UNASKED_GIB);
    complain("Xen walks the %" PRIu64 " GiB in use page by page, each domain's "
             "memory locked meanwhile: about %" PRIu64 " ms",
             gib, (gib + 1) * MS_PER_GIB);
    return 0;
}
