/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a guest's configuration: file and command line joined, parsed by
 * libxlutil as xl does, and the place of each complaint. Does not know what
 * keys mean.
 */
#include "guest/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

/* No guest's file comes near. */
#define TEXT_SIZE_MAX (1024 * 1024)

static unsigned count_lines(const char *text, size_t length)
{
    unsigned nr = 0;

    for (size_t i = 0; i < length; i++)
        nr += text[i] == '\n';
    return nr;
}

/* The file, then each KEY=VALUE on a line of its own, into `to`. */
static int join(struct guest_text *text, FILE *from, FILE *to)
{
    char buf[4096];
    size_t n, all = 0;

    while ((n = fread(buf, 1, sizeof(buf), from)) > 0) {
        all += n;
        if (all > TEXT_SIZE_MAX)
            return xlnuma__fail(text->message, XLNUMA_ERR_INVALID,
                                "%s: larger than a guest's configuration can "
                                "be (%d KiB)",
                                text->name, TEXT_SIZE_MAX / 1024);
        fwrite(buf, 1, n, to);
        text->file_lines += count_lines(buf, n);
    }
    if (ferror(from))
        return xlnuma__fail(text->message, XLNUMA_ERR_IO, "%s: %s", text->name,
                            strerror(errno));
    text->file_lines++;
    putc('\n', to);
    for (unsigned i = 0; i < text->nr_assignments; i++)
        fprintf(to, "%s\n", text->assignment[i]);
    return 0;
}

static int read_text(struct guest_text *text, const char *path)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *from = is_stdin ? stdin : fopen(path, "re"), *to;
    int rc;

    if (!from)
        return xlnuma__fail(text->message, XLNUMA_ERR_IO, "%s: %s", text->name,
                            strerror(errno));
    to = open_memstream(&text->text, &text->length);
    rc = to ? join(text, from, to) : XLNUMA_ERR_NOMEM;
    if (to && fclose(to) && !rc)
        rc = XLNUMA_ERR_NOMEM;
    if (rc == XLNUMA_ERR_NOMEM)
        xlnuma__fail(text->message, rc, "%s: out of memory", text->name);
    if (!is_stdin)
        fclose(from);
    return rc;
}

/* libxlutil goes on after an error; its first line is the one that helps. */
static int parse_text(struct guest_text *text)
{
    const char *nul = memchr(text->text, '\0', text->length);
    int r;

    if (nul) /* libxlutil would abort */
        return xlnuma__fail(
            text->message, XLNUMA_ERR_INVALID, "%s:%u: a NUL byte", text->name,
            count_lines(text->text, (size_t)(nul - text->text)) + 1);
    text->report = open_memstream(&text->reported, &text->reported_length);
    text->config = text->report ? xlu_cfg_init(text->report, text->name) : NULL;
    if (!text->config)
        return xlnuma__fail(text->message, XLNUMA_ERR_NOMEM,
                            "%s: out of memory", text->name);
    r = xlu_cfg_readdata(text->config, text->text, (int)text->length);
    if (!r)
        return 0;
    fflush(text->report);
    if (!text->reported || !*text->reported)
        return xlnuma__fail(text->message, XLNUMA_ERR_INVALID, "%s: %s",
                            text->name, strerror(r));
    xlnuma__fail(text->message, XLNUMA_ERR_INVALID, "%.*s",
                 (int)strcspn(text->reported, "\n"), text->reported);
    guest_text_name_assignment(text);
    return XLNUMA_ERR_INVALID;
}

int guest_text_read(struct guest_text *text_r, const char *path, unsigned nr,
                    char *const assignment[], char *message)
{
    int rc;

    *message = '\0';
    memset(text_r, 0, sizeof(*text_r));
    text_r->name = path;
    if (!strcmp(path, "-"))
        text_r->name = "standard input";
    else if (!strcmp(path, "/dev/null"))
        text_r->name = "command line";
    text_r->nr_assignments = nr;
    text_r->assignment = assignment;
    text_r->message = message;
    rc = read_text(text_r, path);
    return rc ? rc : parse_text(text_r);
}

void guest_text_dispose(struct guest_text *text)
{
    xlu_cfg_destroy(text->config);
    if (text->report)
        fclose(text->report);
    free(text->reported);
    free(text->text);
    memset(text, 0, sizeof(*text));
}

/* The KEY=VALUE that holds a line of the joined text; NULL for the file's. */
static const char *assignment_at(const struct guest_text *text, unsigned line)
{
    unsigned last = text->file_lines;

    if (line <= last)
        return NULL;
    for (unsigned i = 0; i < text->nr_assignments; i++) {
        last +=
            1 + count_lines(text->assignment[i], strlen(text->assignment[i]));
        if (line <= last)
            return text->assignment[i];
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
        snprintf(place, XLNUMA_MESSAGE_SIZE, "%s:%u", text->name, line);
}

void guest_text_place(const struct guest_text *text, const char *key,
                      char place[XLNUMA_MESSAGE_SIZE])
{
    name_line(text, xlnuma__config_line(text->text, text->length, key), place);
}

void guest_text_name_assignment(const struct guest_text *text)
{
    char what[XLNUMA_MESSAGE_SIZE], place[XLNUMA_MESSAGE_SIZE], *end;
    size_t length = strlen(text->name);
    unsigned long line;

    if (strncmp(text->message, text->name, length) ||
        text->message[length] != ':')
        return;
    line = strtoul(text->message + length + 1, &end, 10);
    if (*end != ':')
        return;
    name_line(text, (unsigned)line, place);
    snprintf(what, sizeof(what), "%s", end);
    xlnuma__fail(text->message, XLNUMA_ERR_INVALID, "%s%s", place, what);
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
    return xlnuma__fail(text->message, XLNUMA_ERR_INVALID, "%s: %s", place,
                        what);
}

int guest_text_string(struct guest_text *text, const char *key,
                      const char **value_r)
{
    int r = xlu_cfg_get_string(text->config, key, value_r, 1);

    return !r || r == ESRCH
               ? 0
               : guest_text_bad(text, key, "%s is a list, not one value", key);
}

int guest_text_number(struct guest_text *text, const char *key, int64_t min,
                      int64_t max, int64_t *value_r)
{
    const char *value = NULL;
    long number;
    int r = xlu_cfg_get_bounded_long(text->config, key, min, max, &number, 1);

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
