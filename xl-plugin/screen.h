/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to know of the terminal that standard output is. */
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

/* Can the locale's characters be all of Unicode? Reads the locale. */
bool screen_has_unicode(void);

#endif /* XLNUMA_SCREEN_H */
