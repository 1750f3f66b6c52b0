/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a subcommand's data go: standard output, or a file, all or nothing. */
#ifndef XLNUMA_OUTPUT_H
#define XLNUMA_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
    FILE *file; /* to write to */
    /* private */
    const char *path;  /* borrowed; NULL: standard output */
    char *real, *temp; /* owned: what is replaced, and by what; or NULL */
};

/*
 * Path NULL or "-" is standard output. Else a reader of the file sees what was
 * there before or all that is new, never a part: the new file (mode 0644) comes
 * in the old one's place by output_close(). What is no regular file, such as
 * /dev/stdout, is written to as it is.
 *
 * Returns 0, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM; after 0 call output_close().
 */
int output_open(struct output *output_r, const char *path, char *message);

/*
 * With is_good false the file stays what it was, and `message` is left alone.
 * Returns 0, XLNUMA_ERR_IO (also when is_good is not).
 */
int output_close(struct output *output, bool is_good, char *message);

#endif /* XLNUMA_OUTPUT_H */
