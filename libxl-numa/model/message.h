/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors. A function that can fail returns 0 or a negative XLNUMA_ERR_ code and then
 * has filled `message`, an array of XLNUMA_MESSAGE_SIZE bytes of the caller's, with one
 * line (no newline) that names what was wrong and where; on success it is the empty
 * string.
 */
#ifndef XLNUMA_MESSAGE_H
#define XLNUMA_MESSAGE_H

#include <stdint.h>

#define XLNUMA_MESSAGE_SIZE 512

#define XLNUMA_MUST_CHECK __attribute__((warn_unused_result))

enum xlnuma_err {
    XLNUMA_ERR_INVALID = -1, /* a value is wrong, missing or contradictory */
    XLNUMA_ERR_IO = -2,      /* a file could not be opened, read or written */
    XLNUMA_ERR_NOMEM = -3,   /* out of memory in this process */
    XLNUMA_ERR_XEN = -4,     /* a call to Xen, libxl or xenstore failed */
    XLNUMA_ERR_NONUMA = -5,  /* the host has one node: nothing to choose */
    XLNUMA_ERR_REFUSED = -6, /* what was asked for would harm others */
};

/* Write one line into a caller's message buffer; returns `err`. */
int xlnuma__fail(char *message, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Append to a message, as far as there is room. */
void xlnuma__say(char *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The end of a noun that so many are counted with. */
static inline const char *xlnuma__plural(unsigned nr)
{
    return nr == 1 ? "" : "s";
}

/* "2657 MiB": KiB in words, rounded down (what is there) to whole MiB. */
char *xlnuma__mib(uint64_t kb, char buf[32]);

#endif /* XLNUMA_MESSAGE_H */
