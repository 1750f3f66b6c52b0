/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file in xl's syntax: a guest's, or xl-numa.conf. */
#ifndef XLNUMA_TEXT_H
#define XLNUMA_TEXT_H

#include <libxlutil.h>
#include <stdio.h>

#include "model/message.h"

/* The caller sets name and message; all else is 0 before it is read. */
struct xlnuma__text {
    const char *name; /* borrowed: of the file, for messages */
    char *message;    /* borrowed: where the functions below complain */
    char *text;       /* owned */
    size_t length;
    XLU_Config *config; /* owned */
    FILE *report;       /* owned: where libxlutil complains, into... */
    char *reported;     /* ...this, owned */
    size_t reported_length;
};

/*
 * Read all of a file (NULL: errno says why there is none), and behind it nr further
 * lines. Parse that, as xl does.
 * Both return 0, XLNUMA_ERR_INVALID, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM;
 * xlnuma__text_dispose() is needed after a failure too.
 */
int xlnuma__text_read(struct xlnuma__text *text, FILE *from, unsigned nr,
                      char *const line[]);
int xlnuma__text_parse(struct xlnuma__text *text);
void xlnuma__text_dispose(struct xlnuma__text *text);

/* How many lines end in these bytes. */
unsigned xlnuma__count_lines(const char *text, size_t length);

#endif /* XLNUMA_TEXT_H */
