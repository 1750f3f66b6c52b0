/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it costs to ask Xen where guests' memory is. */
#ifndef XLNUMA_PLUGIN_WALK_H
#define XLNUMA_PLUGIN_WALK_H

#include <libxl.h>
#include <stdbool.h>

/*
 * Says what it costs, on stderr. Returns 0; XLNUMA_ERR_REFUSED: that is too much
 * unless the user is sure; XLNUMA_ERR_XEN.
 */
int walk_state_cost(libxl_ctx *ctx, bool is_sure, char *message);

#endif /* XLNUMA_PLUGIN_WALK_H */
