/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the terminal and the locale. Changes neither's state. */
#include "screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned screen_columns(void)
{
    const char *wish = getenv("COLUMNS");
    long columns = wish ? strtol(wish, NULL, 10) : 0;
    struct winsize size;

    if (columns <= 0)
        columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
    if (columns <= 0)
        columns = SCREEN_COLUMNS;
    if (columns < SCREEN_COLUMNS_MIN)
        columns = SCREEN_COLUMNS_MIN;
    return columns > SCREEN_COLUMNS_MAX ? SCREEN_COLUMNS_MAX
                                        : (unsigned)columns;
}

bool screen_has_unicode(void)
{
    return setlocale(LC_CTYPE, "") &&
           !strcasecmp(nl_langinfo(CODESET), "UTF-8");
}
