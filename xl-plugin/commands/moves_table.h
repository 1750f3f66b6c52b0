/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan of moves as lines of text and as JSON. */
#ifndef XLNUMA_MOVES_TABLE_H
#define XLNUMA_MOVES_TABLE_H

#include <stdio.h>

#include "balance/moves.h"
#include "model/guests.h"

/* What is shown; all is borrowed. */
struct moves_view {
    const struct xlnuma__guests *guests;
    const char *const *why_not; /* of each; NULL: it may be moved */
    const struct xlnuma__moves *moves;
    double gain, limit; /* what was asked for */
    bool is_limited;    /* without the limit something would be moved */
    bool is_dry;
};

/* Returns 0, XLNUMA_ERR_NOMEM. */
int moves_table_print(const struct moves_view *view, FILE *file, char *message);

/* Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_IO. */
int moves_table_json(const struct moves_view *view, FILE *file, char *message);

#endif /* XLNUMA_MOVES_TABLE_H */
