/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a guest's configuration, file and command line joined, and the place
 * of each complaint. Does not know what keys mean.
 */
#include "guest/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

int guest_text_read(struct guest_text *text_r, const char *path, unsigned nr,
                    char *const assignment[], char *message)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *from = is_stdin ? stdin : fopen(path, "re");
    int rc;

    *message = '\0';
    *text_r = (struct guest_text){
        .file = { .name = is_stdin                    ? "standard input"
                          : strcmp(path, "/dev/null") ? path
                                                      : "command line",
                  .message = message },
        .nr_assignments = nr,
        .assignment = assignment,
    };
    rc = xlnuma__text_read(&text_r->file, from, nr, assignment);
    if (from && !is_stdin)
        fclose(from);
    if (!rc)
        rc = xlnuma__text_parse(&text_r->file);
    if (rc)
        guest_text_name_assignment(text_r);
    return rc;
}

/* The KEY=VALUE that holds a line of the joined text; NULL for the file's. */
static const char *assignment_at(const struct guest_text *text, unsigned line)
{
    unsigned last = xlnuma__count_lines(text->file.text, text->file.length);

    for (unsigned i = text->nr_assignments; i; i--) {
        const char *assignment = text->assignment[i - 1];

        last -= 1 + xlnuma__count_lines(assignment, strlen(assignment));
        if (line > last)
            return assignment;
    }
    return NULL;
}

/* "FILE:LINE", or the KEY=VALUE of the command line that the line is. */
static void name_line(const struct guest_text *text, unsigned line,
                      char place[XLNUMA_MESSAGE_SIZE])
{
    const char *assignment = assignment_at(text, line);

    if (assignment)
        snprintf(place, XLNUMA_MESSAGE_SIZE, "command line (%s)", assignment);
    else
        snprintf(place, XLNUMA_MESSAGE_SIZE, "%s:%u", text->file.name, line);
}

void guest_text_place(const struct guest_text *text, const char *key,
                      char place[XLNUMA_MESSAGE_SIZE])
{
    name_line(text,
              xlnuma__config_line(text->file.text, text->file.length, key),
              place);
}

void guest_text_name_assignment(const struct guest_text *text)
{
    char what[XLNUMA_MESSAGE_SIZE], place[XLNUMA_MESSAGE_SIZE], *end;
    size_t length = strlen(text->file.name);
    unsigned long line;

    if (strncmp(text->file.message, text->file.name, length) ||
        text->file.message[length] != ':')
        return;
    line = strtoul(text->file.message + length + 1, &end, 10);
    if (*end != ':')
        return;
    name_line(text, (unsigned)line, place);
    snprintf(what, sizeof(what), "%s", end);
    xlnuma__fail(text->file.message, XLNUMA_ERR_INVALID, "%s%s", place, what);
}

int guest_text_bad(struct guest_text *text, const char *key, const char *format,
                   ...)
{
    char what[XLNUMA_MESSAGE_SIZE], place[XLNUMA_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    guest_text_place(text, key, place);
    return xlnuma__fail(text->file.message, XLNUMA_ERR_INVALID, "%s: %s", place,
                        what);
}

int guest_text_string(struct guest_text *text, const char *key,
                      const char **value_r)
{
    int r = xlu_cfg_get_string(text->file.config, key, value_r, 1);

    return !r || r == ESRCH
               ? 0
               : guest_text_bad(text, key, "%s is a list, not one value", key);
}

int guest_text_number(struct guest_text *text, const char *key, int64_t min,
                      int64_t max, int64_t *value_r)
{
    const char *value = NULL;
    long number;
    int r =
        xlu_cfg_get_bounded_long(text->file.config, key, min, max, &number, 1);

    if (r == ESRCH)
        return 0;
    if (!r) {
        *value_r = number;
        return 0;
    }
    r = guest_text_string(text, key, &value);
    return r ? r
             : guest_text_bad(text, key,
                              "%s is \"%s\", not a whole number from %" PRId64
                              " to %" PRId64,
                              key, value, min, max);
}
