/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host whose memory is mostly Domain-0's, as without dom0_mem= on Xen's command
 * line: words for someone whose guest cannot be placed there. Reads only.
 */
#include "xen/host.h"

#include <stdio.h>
#include <xenctrl.h>

bool xlnuma__dom0_holds_most(libxl_ctx *ctx, xc_interface *xch,
                             char hint[XLNUMA_MESSAGE_SIZE])
{
    char dom0[32], all[32];
    xc_domaininfo_t info;
    libxl_physinfo host;
    bool holds_most = false;

    *hint = '\0';
    libxl_physinfo_init(&host);
    if (xc_domain_getinfolist(xch, 0, 1, &info) == 1 && !info.domain &&
        !libxl_get_physinfo(ctx, &host))
        holds_most = info.tot_pages > host.total_pages / 2;
    if (holds_most)
        snprintf(hint, XLNUMA_MESSAGE_SIZE,
                 "Domain-0 has %s of the host's %s: with dom0_mem= on Xen's "
                 "command line it has less, and guests can be placed; without, "
                 "xl takes memory from it for each guest (autoballoon), on "
                 "whatever nodes",
                 xlnuma__mib(info.tot_pages * 4, dom0),
                 xlnuma__mib(host.total_pages * 4, all));
    libxl_physinfo_dispose(&host);
    return holds_most;
}
