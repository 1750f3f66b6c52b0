/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What xenstore has of a guest's placement, and the steering that
 * libxl-save-helper does by it. Xenstore is in the input: lines "KEY VALUE", and
 * those of node/N/... make the directory "node". The functions of libxenstore
 * that are called are the ones here.
 */
#include "fuzz.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "planner/extent.h"
#include "xen/report.h"

#define PREFIX "/libxl/1/numa-placement/"
#define NR_EXTENTS_MAX 4096

static const char *store, *store_end;

/* The line after `line`, NULL at the end. */
static const char *next_line(const char *line)
{
    const char *end = memchr(line, '\n', (size_t)(store_end - line));

    return end && end + 1 < store_end ? end + 1 : NULL;
}

static size_t line_length(const char *line)
{
    const char *end = memchr(line, '\n', (size_t)(store_end - line));

    return (size_t)((end ? end : store_end) - line);
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned *length_r)
{
    const char *key = path + strlen(PREFIX);
    size_t key_length = strlen(key);

    (void)xs;
    (void)t;
    FUZZ_CHECK(!strncmp(path, PREFIX, strlen(PREFIX)));
    for (const char *line = store; line; line = next_line(line)) {
        size_t length = line_length(line);

        if (length > key_length && !memcmp(line, key, key_length) &&
            line[key_length] == ' ') {
            *length_r = (unsigned)(length - key_length - 1);
            return strndup(line + key_length + 1, *length_r);
        }
    }
    errno = ENOENT;
    return NULL;
}

/* As the real one: names and pointers to them in one piece. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path,
                    unsigned *nr_r)
{
    const char *folder = path + strlen(PREFIX);
    size_t folder_length = strlen(folder);
    size_t size = (size_t)(store_end - store) + 1, nr = 0;
    char **names, *text;

    (void)xs;
    (void)t;
    FUZZ_CHECK(!strcmp(path, PREFIX "node") || !strcmp(path, PREFIX "extents"));
    names = calloc(size, sizeof(*names) + 1);
    FUZZ_CHECK(names);
    text = (char *)(names + size);
    for (const char *line = store; line; line = next_line(line)) {
        size_t length = line_length(line);

        if (length <= folder_length || memcmp(line, folder, folder_length) ||
            line[folder_length] != '/')
            continue;
        line += folder_length + 1;
        names[nr] = text;
        length = strcspn(line, "/\n");
        memcpy(text, line, length);
        text += length + 1;
        nr++;
    }
    *nr_r = (unsigned)nr;
    return names;
}

/* A domain's memory by that plan; every third extent is refused. */
static void check_steering(const struct xlnuma__report *report)
{
    struct xlnuma__extents extents;
    unsigned order = XLNUMA__ORDERS - 1;

    xlnuma__extents_resume(&extents, report->nodes, report->planned_kb,
                           report->other, report->nr_others);
    for (unsigned i = 0; i < NR_EXTENTS_MAX; i++) {
        unsigned long nr = 1000;
        int node = xlnuma__extents_next(&extents, order, &nr);

        if (node < 0) {
            if (!order--)
                return;
            continue;
        }
        FUZZ_CHECK(node < XLNUMA_NODES_MAX && nr && nr <= 1000);
        if (i % 3)
            xlnuma__extents_done(&extents, (unsigned)node, order, nr);
        else
            xlnuma__extents_failed(&extents, (unsigned)node, order);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[XLNUMA_MESSAGE_SIZE], *copy = malloc(size + 1);
    struct xlnuma__report report;
    bool is_found;
    int rc;

    FUZZ_CHECK(copy);
    memcpy(copy, data, size);
    copy[size] = '\0';
    store = copy;
    store_end = copy + size;
    rc = xlnuma__report_read(NULL, 1, &report, &is_found, message);
    fuzz_check_message(rc, message);
    if (!rc) {
        FUZZ_CHECK(isfinite(report.expected_distance));
        check_steering(&report);
    }
    free(copy);
    return 0;
}
