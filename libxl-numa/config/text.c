/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files in xl's syntax, read and parsed by libxlutil. Does not know what keys
 * mean.
 */
#include "config/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No guest's file and no xl-numa.conf comes near; a limit for endless files. */
#define SIZE_MAX_KB 1024

unsigned xlnuma__count_lines(const char *text, size_t length)
{
    unsigned nr = 0;

    for (size_t i = 0; i < length; i++)
        nr += text[i] == '\n';
    return nr;
}

static int out_of_memory(const struct xlnuma__text *text)
{
    return xlnuma__fail(text->message, XLNUMA_ERR_NOMEM, "%s: out of memory",
                        text->name);
}

static int copy(const struct xlnuma__text *text, FILE *from, FILE *to)
{
    char buf[4096];
    size_t n, all = 0;

    while ((n = fread(buf, 1, sizeof(buf), from)) > 0) {
        all += n;
        if (all > SIZE_MAX_KB * 1024)
            return xlnuma__fail(text->message, XLNUMA_ERR_INVALID,
                                "%s: larger than such a file can be (%d KiB)",
                                text->name, SIZE_MAX_KB);
        fwrite(buf, 1, n, to);
    }
    putc('\n', to); /* libxlutil wants one behind a comment */
    return ferror(from) ? xlnuma__fail(text->message, XLNUMA_ERR_IO, "%s: %s",
                                       text->name, strerror(errno))
                        : 0;
}

/* libxlutil would abort. */
static int check_nul(const struct xlnuma__text *text)
{
    const char *nul = memchr(text->text, '\0', text->length);

    return nul ? xlnuma__fail(text->message, XLNUMA_ERR_INVALID,
                              "%s:%u: a NUL byte", text->name,
                              1 + xlnuma__count_lines(
                                      text->text, (size_t)(nul - text->text)))
               : 0;
}

int xlnuma__text_read(struct xlnuma__text *text, FILE *from, unsigned nr,
                      char *const line[])
{
    FILE *to;
    int rc;

    if (!from)
        return xlnuma__fail(text->message, XLNUMA_ERR_IO, "%s: %s", text->name,
                            strerror(errno));
    to = open_memstream(&text->text, &text->length);
    if (!to)
        return out_of_memory(text);
    rc = copy(text, from, to);
    for (unsigned i = 0; i < nr; i++)
        fprintf(to, "%s\n", line[i]);
    if (fclose(to) && !rc)
        rc = out_of_memory(text);
    return rc ? rc : check_nul(text);
}

/* libxlutil goes on after an error; its first line is the one that helps. */
int xlnuma__text_parse(struct xlnuma__text *text)
{
    int r;

    text->report = open_memstream(&text->reported, &text->reported_length);
    text->config = text->report ? xlu_cfg_init(text->report, text->name) : NULL;
    if (!text->config)
        return out_of_memory(text);
    r = xlu_cfg_readdata(text->config, text->text, (int)text->length);
    if (fflush(text->report))
        return out_of_memory(text);
    if (!r)
        return 0;
    if (!text->reported_length)
        return xlnuma__fail(text->message, XLNUMA_ERR_INVALID, "%s: %s",
                            text->name, strerror(r));
    return xlnuma__fail(text->message, XLNUMA_ERR_INVALID, "%.*s",
                        (int)strcspn(text->reported, "\n"), text->reported);
}

void xlnuma__text_dispose(struct xlnuma__text *text)
{
    xlu_cfg_destroy(text->config);
    if (text->report)
        fclose(text->report);
    free(text->reported);
    free(text->text);
    memset(text, 0, sizeof(*text));
}
