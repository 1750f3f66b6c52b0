/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a guest's configuration, and its keys one by one. */
#ifndef XLNUMA_GUEST_TEXT_H
#define XLNUMA_GUEST_TEXT_H

#include <stdint.h>

#include "config/text.h"

struct guest_text {
    struct xlnuma__text file; /* the file, then a line for each KEY=VALUE */
    unsigned nr_assignments;
    char *const *assignment; /* borrowed */
};

/*
 * Read and parse. Returns 0, XLNUMA_ERR_INVALID, XLNUMA_ERR_IO,
 * XLNUMA_ERR_NOMEM; xlnuma__text_dispose(&text_r->file) is needed after a failure too.
 */
int guest_text_read(struct guest_text *text_r, const char *path, unsigned nr,
                    char *const assignment[], char *message);

/*
 * The key's value. One that is not given leaves *value_r as it is.
 * Returns 0, XLNUMA_ERR_INVALID (a list, not a number, out of range).
 */
int guest_text_string(struct guest_text *text, const char *key,
                      const char **value_r);
int guest_text_number(struct guest_text *text, const char *key, int64_t min,
                      int64_t max, int64_t *value_r);

/* Message "PLACE: what" with the key's place; returns XLNUMA_ERR_INVALID. */
int guest_text_bad(struct guest_text *text, const char *key, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

/* Where the key is set: "FILE:LINE", or its KEY=VALUE on the command line. */
void guest_text_place(const struct guest_text *text, const char *key,
                      char place[XLNUMA_MESSAGE_SIZE]);

/* In a message "FILE:LINE: what", name the KEY=VALUE if the line is one. */
void guest_text_name_assignment(const struct guest_text *text);

#endif /* XLNUMA_GUEST_TEXT_H */
