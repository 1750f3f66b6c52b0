/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One-line messages for callers. Does not print or log them. */
#include "model/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int xlnuma__fail(char *message, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message, XLNUMA_MESSAGE_SIZE, format, args);
    va_end(args);
    return err;
}

void xlnuma__say(char *message, const char *format, ...)
{
    size_t used = strlen(message);
    va_list args;

    va_start(args, format);
    vsnprintf(message + used, XLNUMA_MESSAGE_SIZE - used, format, args);
    va_end(args);
}

char *xlnuma__mib(uint64_t kb, char buf[32])
{
    snprintf(buf, 32, "%" PRIu64 " MiB", kb / 1024);
    return buf;
}
