/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What xenstore has of a guest's placement, and the steering that
 * libxl-save-helper does by it. An input of lines "KEY VALUE" is a report of version
 * 1, with a key of xenstore for each; one that begins with "version=" is the text
 * of a later one. What can be read is written, and then is what was written. The
 * functions of libxenstore that are called are the ones here.
 */
#include "fuzz.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "planner/extent.h"
#include "xen/report.h"

#define FOLDER "/libxl/1/numa-placement"
#define NR_EXTENTS_MAX 4096
#define PARTS_MAX 16
#define PAYLOAD_MAX 4096 /* xenstore's */

static const char *store, *store_end;
static char *part[PARTS_MAX]; /* owned: what was written */

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

/* The path below the report's; "" for itself. */
static const char *key_of(const char *path)
{
    FUZZ_CHECK(!strncmp(path, FOLDER, strlen(FOLDER)));
    path += strlen(FOLDER);
    FUZZ_CHECK(!*path || *path == '/');
    return *path ? path + 1 : path;
}

static char *no_value(void)
{
    errno = ENOENT;
    return NULL;
}

/* A key of version 1; a folder has an empty value. */
static char *read_line(const char *key)
{
    size_t key_length = strlen(key);
    bool is_folder = !key_length;

    for (const char *line = store; line; line = next_line(line)) {
        size_t length = line_length(line);

        if (length <= key_length || memcmp(line, key, key_length))
            continue;
        if (line[key_length] == ' ')
            return strndup(line + key_length + 1, length - key_length - 1);
        is_folder |= line[key_length] == '/';
    }
    return is_folder ? strdup("") : no_value();
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned *length_r)
{
    const char *key = key_of(path);
    unsigned long nr = strtoul(key, NULL, 10);
    char *value;

    (void)xs;
    (void)t;
    if (part[0])
        value = nr < PARTS_MAX && part[nr] ? strdup(part[nr]) : no_value();
    else
        value = read_line(key);
    *length_r = value ? (unsigned)strlen(value) : 0;
    return value;
}

bool xs_write(struct xs_handle *xs, xs_transaction_t t, const char *path,
              const void *data, unsigned length)
{
    unsigned long nr = strtoul(key_of(path), NULL, 10);

    (void)xs;
    (void)t;
    FUZZ_CHECK(strlen(path) + 1 + length <= PAYLOAD_MAX);
    FUZZ_CHECK(nr < PARTS_MAX);
    free(part[nr]);
    part[nr] = strndup(data, length);
    return part[nr];
}

static bool has_name(char *const names[], size_t nr, const char *name)
{
    while (nr && strcmp(names[nr - 1], name))
        nr--;
    return nr;
}

/* As the real one: names and pointers to them in one piece. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path,
                    unsigned *nr_r)
{
    const char *folder = key_of(path);
    size_t folder_length = strlen(folder);
    size_t size = (size_t)(store_end - store) + 1, nr = 0;
    char **names, *text;

    (void)xs;
    (void)t;
    names = calloc(size, sizeof(*names) + 1);
    FUZZ_CHECK(names);
    text = (char *)(names + size);
    for (const char *line = store; line; line = next_line(line)) {
        size_t length = line_length(line);

        if (length <= folder_length || memcmp(line, folder, folder_length) ||
            (folder_length && line[folder_length++] != '/'))
            continue;
        names[nr] = text;
        length = strcspn(line + folder_length, "/ \n");
        memcpy(text, line + folder_length, length);
        text[length] = '\0';
        folder_length = strlen(folder);
        if (length && !has_name(names, nr, names[nr])) {
            text += length + 1;
            nr++;
        }
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

/* The input as version 2 and later have it, by the functions that write. */
static void store_text(void)
{
    size_t length = strlen(store);
    enum { SIZE = 3072 }; /* docs/xenstore.md */

    for (size_t nr = 0; nr < PARTS_MAX && nr <= length / SIZE; nr++)
        part[nr] = strndup(store + nr * SIZE, SIZE);
}

static void drop_parts(void)
{
    for (size_t nr = 0; nr < PARTS_MAX; nr++) {
        free(part[nr]);
        part[nr] = NULL;
    }
}

/* Numbers and lists are written as they are read. */
static void check_writing(const struct xlnuma__report *report)
{
    char message[XLNUMA_MESSAGE_SIZE];
    static struct xlnuma__report first, second;
    bool is_found;

    drop_parts();
    FUZZ_CHECK(!xlnuma__report_write(NULL, 1, report, message));
    FUZZ_CHECK(!xlnuma__report_read(NULL, 1, &first, &is_found, message));
    FUZZ_CHECK(is_found && !strcmp(first.reason, report->reason));
    drop_parts();
    FUZZ_CHECK(!xlnuma__report_write(NULL, 1, &first, message));
    FUZZ_CHECK(!xlnuma__report_read(NULL, 1, &second, &is_found, message));
    FUZZ_CHECK(is_found && !memcmp(&first, &second, sizeof(first)));
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
    if (!strncmp(store, "version=", strlen("version=")))
        store_text();
    rc = xlnuma__report_read(NULL, 1, &report, &is_found, message);
    fuzz_check_message(rc, message);
    if (!rc) {
        FUZZ_CHECK(isfinite(report.expected_distance));
        check_steering(&report);
        if (is_found)
            check_writing(&report);
    }
    drop_parts();
    free(copy);
    return 0;
}
