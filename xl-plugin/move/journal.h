/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a move has to know of its guest if it is cut off: a file in the folder of
 * reservations, which is gone when the host boots again, as the guest is. And /vm/UUID
 * in xenstore, which libxl removes with either copy. Does not move or judge.
 */
#ifndef XLNUMA_MOVE_JOURNAL_H
#define XLNUMA_MOVE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

#include "model/message.h"
#include "move/repair.h"

/* All zero: none. */
struct move_journal {
    char *text; /* owned: strings, each with its NUL; the others are in it */
    size_t length;
    struct move_start start;
    const char *uuid, *name;
    const char *file; /* of a move by file; else "" */
    const char *vm;   /* path below /vm/UUID and value, in turns, to the end */
};

/*
 * Of a guest that is to be moved; by file, if `file` is not "". Into the file, too,
 * atomically. Returns 0, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM, XLNUMA_ERR_XEN.
 */
int move_journal_write(struct move_journal *journal_r, struct xs_handle *xs,
                       uint32_t domid, const char *uuid, const char *name,
                       const char *file, char *message);

/*
 * From the file; without one *journal_r is all zero. Returns 0, XLNUMA_ERR_IO,
 * XLNUMA_ERR_INVALID.
 */
int move_journal_read(struct move_journal *journal_r, char *message);

/* When nothing is left to do. Returns 0, XLNUMA_ERR_IO. */
int move_journal_remove(char *message);

/*
 * What is missing of /vm/UUID, readable for this domain, and when the guest started.
 * Returns 0, XLNUMA_ERR_XEN.
 */
int move_journal_put_back(const struct move_journal *journal,
                          struct xs_handle *xs, uint32_t domid, char *message);

/* Safe twice. */
void move_journal_dispose(struct move_journal *journal);

#endif /* XLNUMA_MOVE_JOURNAL_H */
