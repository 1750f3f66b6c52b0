/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a plan of moves on the running host. */
#ifndef XLNUMA_MOVES_DO_H
#define XLNUMA_MOVES_DO_H

#include "commands/live.h"
#include "commands/movables.h"
#include "model/guests.h"
#include "move/move.h"

/* All is borrowed. */
struct moves_do {
    struct guest_moves *guest_moves;
    struct live *live;
    struct xlnuma_host *host; /* read again before each move */
    const struct xlnuma__guests *guests;
    struct movables *movables; /* of a guest that is moved the new place */
    const struct xlnuma__moves_options *wanted;
    const char *by_file;         /* the folder; or NULL */
    struct xlnuma__moves *moves; /* the plan, then what was done of it */
    bool says_lines;             /* one for each move, on stdout */
};

/*
 * In the order of the plan. A guest that gains too little now, or has no room, stays, and
 * so do those after it in its chain, which a line says; a move that fails is the last one.
 * Returns 0, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM, XLNUMA_ERR_XEN.
 */
int moves_do(struct moves_do *doing, char *message);

#endif /* XLNUMA_MOVES_DO_H */
