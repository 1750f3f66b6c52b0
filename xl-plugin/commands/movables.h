/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guests of a host as a plan of moves wants them. */
#ifndef XLNUMA_PLUGIN_MOVABLES_H
#define XLNUMA_PLUGIN_MOVABLES_H

#include "balance/moves.h"
#include "commands/command.h"
#include "commands/live.h"
#include "model/guests.h"

/* In the order of the guests, and as many. */
struct movables {
    struct xlnuma__moves_guest *guest; /* owned */
    const char **why_not; /* owned, the texts static; NULL: it may be moved */
    uint64_t keep_kb;     /* that has to stay free, or Domain-0 shrinks */
};

/*
 * Those of the running Xen, or without a live->ctx of a snapshot. Xen is asked where
 * guests' memory is that no report has; it walks all memory then. Where that is too
 * much unless the options allow it, a line says so, and these guests are not moved.
 * Fills in the guests' vCPUs. *movables_r has to be disposed of in any case.
 *
 * Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_XEN, XLNUMA_ERR_IO, XLNUMA_ERR_INVALID.
 */
int movables_read(struct movables *movables_r, const struct live *live,
                  const struct xlnuma_host *host, struct xlnuma__guests *guests,
                  const struct options *options, char *message);
void movables_dispose(struct movables *movables); /* safe twice */

#endif /* XLNUMA_PLUGIN_MOVABLES_H */
