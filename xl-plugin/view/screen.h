/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal: how wide it is, what it can show, and a whole screen of it. */
#ifndef XLNUMA_SCREEN_H
#define XLNUMA_SCREEN_H

#include <stdbool.h>

enum {
    SCREEN_COLUMNS = 80, /* where it is no terminal */
    SCREEN_COLUMNS_MIN = 60,
    SCREEN_COLUMNS_MAX = 500,
};

/* As COLUMNS in the environment says, else the terminal; within those bounds. */
unsigned screen_columns(void);

/* The same for lines of text, which may be of any length where there is neither. */
unsigned screen_line(void);

/* Can the locale's characters be all of Unicode? Reads the locale. */
bool screen_has_unicode(void);

/* --- a screen to itself ---------------------------------------------------- */

/*
 * Standard input and output have to be a terminal. Then what was on it comes back
 * with screen_leave(), and before a signal ends or stops the program, too. Keys
 * come at once and are not shown; long lines are cut. One screen at a time.
 * Returns 0, XLNUMA_ERR_IO.
 */
int screen_enter(char *message);
void screen_leave(void);

/* The terminal's own size, now. */
void screen_size(unsigned *rows_r, unsigned *columns_r);

enum screen_event {
    SCREEN_TIME, /* the time is over */
    SCREEN_KEY,  /* some key, or the end of standard input */
    SCREEN_DRAW, /* the size changed, or the program was stopped */
};
enum screen_event screen_wait(double seconds);

/*
 * Show the lines of a text from the top, at most nr_lines, and nothing else. Where
 * `last` is not empty it takes the place of the line number nr_lines.
 */
void screen_show(const char *text, unsigned nr_lines, const char *last);

#endif /* XLNUMA_SCREEN_H */
