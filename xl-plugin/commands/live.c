/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens and closes the connection to the running Xen, and gets a host from it
 * or from a file. Asks Xen for nothing else.
 */
#include "commands/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xenctrl.h>

#include "formats/snapshot.h"
#include "xen/dedicated.h"
#include "xen/host.h"

int live_open(struct live *live_r, char *message)
{
    *message = '\0';
    memset(live_r, 0, sizeof(*live_r));
    live_r->logger =
        (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_WARN, 0);
    if (!live_r->logger)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    if (libxl_ctx_alloc(&live_r->ctx, LIBXL_VERSION, 0, live_r->logger)) {
        live_r->ctx = NULL;
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no connection to Xen: is this a Xen host, and "
                            "are you root?");
    }
    return 0;
}

void live_close(struct live *live)
{
    if (live->ctx)
        libxl_ctx_free(live->ctx);
    if (live->logger)
        xtl_logger_destroy(live->logger);
    memset(live, 0, sizeof(*live));
}

static int read_dedicated(struct xlnuma_host *host, libxl_ctx *ctx,
                          char *message)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    uint32_t poolid;
    int rc;

    if (!xch)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    rc = xlnuma__dedicated_read(host, ctx, xch, &poolid, message);
    xc_interface_close(xch);
    return rc;
}

int live_host(const struct live *live, struct xlnuma_host *host_r,
              char *message)
{
    int rc = xlnuma_host_from_xen(host_r, live->ctx, message);

    return rc ? rc : read_dedicated(host_r, live->ctx, message);
}

int live_or_file_host(const char *path, struct live *live_r,
                      struct xlnuma_host *host_r, char *message)
{
    int rc;

    memset(live_r, 0, sizeof(*live_r));
    if (path)
        return xlnuma_host_load(host_r, path, message);
    rc = live_open(live_r, message);
    return rc ? rc : live_host(live_r, host_r, message);
}
