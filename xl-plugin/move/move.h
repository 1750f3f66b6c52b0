/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moves running guests to their own host, one at a time, so that their build here
 * places them anew. Whatever fails or is killed on the way, one copy of the guest is
 * left, that which ran last: after the move itself, or when the next run begins.
 * Does not decide which guests move, nor where to.
 *
 *     struct guest_moves moves;
 *
 *     rc = guest_moves_begin(&moves, ctx, told, message);
 *     if (!rc)
 *         rc = guest_move(&moves, domid, NULL, 0, &moved, message);
 *     guest_moves_end(&moves);
 */
#ifndef XLNUMA_MOVE_MOVE_H
#define XLNUMA_MOVE_MOVE_H

#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "model/guests.h"
#include "model/message.h"

struct guest_moves {
    libxl_ctx *ctx; /* borrowed */
    xc_interface *xch;
    struct xs_handle *xs;
    int lock;
};

struct guest_moved {
    uint32_t domid; /* the guest's new number */
    double down_s;  /* for so long it did not run */
    struct xlnuma__report report;
};

/*
 * Until _end this process alone moves guests. Finishes what an earlier one left: told_r
 * (XLNUMA_MESSAGE_SIZE) says what came of it, "" if there was nothing. Returns 0,
 * XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM, XLNUMA_ERR_XEN. _end is safe after a failure.
 */
int guest_moves_begin(struct guest_moves *moves_r, libxl_ctx *ctx, char *told_r,
                      char *message);
void guest_moves_end(struct guest_moves *moves);

/*
 * Move a guest: live, or with `dir` by a file there, which is gone afterwards; not to
 * nodes of `avoid`. Signals that would end this process wait until it is done. Returns
 * 0 or as _begin; then the message says where the guest is now, and nothing else should
 * be moved.
 */
int guest_move(struct guest_moves *moves, uint32_t domid, const char *dir,
               xlnuma_nodeset avoid, struct guest_moved *moved_r,
               char *message);

#endif /* XLNUMA_MOVE_MOVE_H */
