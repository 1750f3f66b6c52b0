/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages on stderr, one line each, and when an option's number is right. Decides
 * nothing else, exits never.
 */
#include "commands/command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/message.h"

static void print_line(const char *format, va_list args, const char *after)
{
    /* A message of the library's, with a file name before it. */
    char line[2 * XLNUMA_MESSAGE_SIZE];

    vsnprintf(line, sizeof(line), format, args);
    for (char *c = line; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    fprintf(stderr, "xl numa-placement: %s%s\n", line, after);
}

void complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(format, args, "");
    va_end(args);
}

int usage_error(const char *command, const char *format, ...)
{
    char hint[128];
    va_list args;

    snprintf(hint, sizeof(hint), "; see \"xl numa-placement%s%s --help\"",
             *command ? " " : "", command);
    va_start(args, format);
    print_line(format, args, hint);
    va_end(args);
    return STATUS_USAGE;
}

bool option_number(const char *text, double least, double most,
                   double *number_r)
{
    char *end;

    if (!text)
        return true;
    *number_r = strtod(text, &end);
    return end != text && !*end && *number_r >= least && *number_r <= most;
}
