/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a subcommand's guests come from: the running Xen or a snapshot file. */
#ifndef XLNUMA_PLUGIN_GUESTS_H
#define XLNUMA_PLUGIN_GUESTS_H

#include "commands/live.h"
#include "model/guests.h"

/*
 * The host and its guests, and Domain-0, from file `path`, or the running ones
 * when path is NULL; then the connection stays open in *live_r. host_r may be
 * NULL: the guests of a live host are known on one without distances too.
 *
 * Returns as live_or_file_host(). A guest of the running Xen whose report cannot
 * be read is in *guests_r without it; then the result is XLNUMA_ERR_XEN, and what
 * is not in the message was complained of. After any other error *guests_r is
 * empty or of no use; it has to be disposed of in any case.
 */
int live_or_file_guests(const char *path, struct live *live_r,
                        struct xlnuma_host *host_r,
                        struct xlnuma__guests *guests_r, char *message);

/* All guests are there then, be it that one lacks its report. */
static inline bool guests_are_there(int rc, const struct xlnuma__guests *guests)
{
    return !rc || (rc == XLNUMA_ERR_XEN && guests->nr);
}

/* Has it been destroyed since the guests were listed? */
bool guest_is_gone(libxl_ctx *ctx, const struct xlnuma__guest *guest);

/*
 * One look at the vCPUs of each; a guest that is gone by now has none. Returns 0,
 * XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM, and has complained then.
 */
int guests_look_at_vcpus(libxl_ctx *ctx, struct xlnuma__guests *guests);

/* The guest that an operand names, by its id or its name; or NULL, and a message. */
struct xlnuma__guest *guests_find(const struct xlnuma__guests *guests,
                                  const char *operand, char *message);

/*
 * Leaves the guests that the nr operands name, each once, in their order; all if nr is
 * 0. Returns 0, XLNUMA_ERR_INVALID, XLNUMA_ERR_NOMEM.
 */
int guests_choose(struct xlnuma__guests *guests, int nr, char **operand,
                  char *message);

#endif /* XLNUMA_PLUGIN_GUESTS_H */
