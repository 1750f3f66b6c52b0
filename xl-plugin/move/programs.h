/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The programs that a move runs: stock xl, and the launcher where a domain is built.
 * Each goes on when we are killed, and has a lock until it ends, so that nothing is
 * judged before. Does not know what they leave.
 */
#ifndef XLNUMA_MOVE_PROGRAMS_H
#define XLNUMA_MOVE_PROGRAMS_H

#include <stdint.h>

#include "model/message.h"

/* What they say, beside reservations. */
#define MOVE_LOG "move.log"

/*
 * One process moves guests, until it ends or closes *fd_r. Returns 0, XLNUMA_ERR_IO.
 */
int move_lock(int *fd_r, char *message);

/* Until no program of a move runs, so long at most. Returns 0, XLNUMA_ERR_IO. */
int move_programs_wait(unsigned seconds, char *message);

/* While a program runs, 100 times a second. */
typedef void move_look_fn(void *data);

/*
 * Each returns 0 when the program says that it is done, or XLNUMA_ERR_IO,
 * XLNUMA_ERR_XEN; its last words are in the message then.
 */
int move_program_migrate(uint32_t domid, move_look_fn *look, void *data,
                         char *message);
int move_program_save(uint32_t domid, const char *file, move_look_fn *look,
                      void *data, char *message);

/* The restored domain is paused. */
int move_program_restore(const char *file, move_look_fn *look, void *data,
                         char *message);

#endif /* XLNUMA_MOVE_PROGRAMS_H */
