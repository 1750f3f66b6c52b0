/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a subcommand's host comes from: the running Xen or a snapshot file. */
#ifndef XLNUMA_LIVE_H
#define XLNUMA_LIVE_H

#include <libxl.h>

#include "model/host.h"

/* A connection to the running Xen; all NULL is none. */
struct live {
    xentoollog_logger *logger;
    libxl_ctx *ctx;
};

/*
 * Returns 0, XLNUMA_ERR_XEN. Logs: libxl's own warnings and errors go to
 * stderr. live_close() is safe after a failure and twice.
 */
int live_open(struct live *live_r, char *message);
void live_close(struct live *live);

/* The running host as it is now. Returns as xlnuma_host_from_xen(). */
int live_host(const struct live *live, struct xlnuma_host *host_r,
              char *message);

/*
 * The host in file `path`, or the running one when path is NULL; then the
 * connection that was made for it stays open in *live_r.
 * Returns as xlnuma_host_load() and xlnuma_host_from_xen().
 */
int live_or_file_host(const char *path, struct live *live_r,
                      struct xlnuma_host *host_r, char *message);

#endif /* XLNUMA_LIVE_H */
