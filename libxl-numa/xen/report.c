/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of a guest's placement in xenstore (docs/xenstore.md): below
 * /libxl/DOMID, whose permissions it inherits (dom0 alone) and with which it
 * goes. Does not decide what to report.
 */
#include "xen/report.h"
#include "model/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 128

static const char *path_of(char path[PATH_SIZE], uint32_t domid,
                           const char *key)
{
    snprintf(path, PATH_SIZE, "/libxl/%u/numa-placement%s%s", domid,
             *key ? "/" : "", key);
    return path;
}

/* --- the text in xenstore ------------------------------------------------- */

/*
 * Lines "key=value", in one value of xenstore: it takes one round trip to write and
 * one to read, and is there as a whole or not at all. What xenstore does not take at
 * once is in parts, each full but the last.
 */
#define PART_SIZE 3072 /* xenstore takes 4096 bytes with the path */
#define PARTS_MAX 16

static const char *part_of(char path[PATH_SIZE], uint32_t domid, size_t part)
{
    char key[24] = "";

    if (part)
        snprintf(key, sizeof(key), "%zu", part);
    return path_of(path, domid, key);
}

/* The first part last: without it there is no report. Returns 0 or an errno value. */
static int write_text(struct xs_handle *xs, uint32_t domid, const char *text,
                      size_t length)
{
    char path[PATH_SIZE];

    for (size_t nr = length / PART_SIZE + 1; nr; nr--) {
        size_t at = (nr - 1) * PART_SIZE, left = length - at;

        if (!xs_write(xs, XBT_NULL, part_of(path, domid, nr - 1), text + at,
                      (unsigned)(left < PART_SIZE ? left : PART_SIZE)))
            return errno;
    }
    return 0;
}

/* A report of version 0.1: a key of xenstore for each line, `version` last. */
static int read_folder(struct xs_handle *xs, uint32_t domid, const char *folder,
                       FILE *text)
{
    char path[PATH_SIZE], key[64];
    unsigned nr = 0, length;
    char **name = xs_directory(xs, XBT_NULL, path_of(path, domid, folder), &nr);
    int err = name || errno == ENOENT ? 0 : errno;

    for (unsigned i = 0; name && i < nr && !err; i++) {
        char *value;

        if ((size_t)snprintf(key, sizeof(key), "%s%s%s", folder,
                             *folder ? "/" : "", name[i]) >= sizeof(key))
            continue;
        value = xs_read(xs, XBT_NULL, path_of(path, domid, key), &length);
        if (value && length)
            fprintf(text, "%s=%s\n", key, value);
        else if (value)
            err = read_folder(xs, domid, key, text);
        else if (errno != ENOENT)
            err = errno;
        free(value);
    }
    free(name);
    return err;
}

/* Nothing is no failure. Returns 0 or an errno value. */
static int read_text(struct xs_handle *xs, uint32_t domid, FILE *text)
{
    char path[PATH_SIZE];
    unsigned length = PART_SIZE;

    for (size_t part = 0; part < PARTS_MAX && length == PART_SIZE; part++) {
        char *value =
            xs_read(xs, XBT_NULL, part_of(path, domid, part), &length);

        if (!value)
            return errno == ENOENT && !part ? 0 : errno;
        fwrite(value, 1, length, text);
        free(value);
        if (!part && !length)
            return read_folder(xs, domid, "", text);
    }
    return 0;
}

/* --- writing -------------------------------------------------------------- */

static void put(FILE *text, const char *key, const char *value)
{
    fprintf(text, "%s=%s\n", key, value);
}

static void put_node_kb(FILE *text, unsigned node, const char *what,
                        uint64_t kb)
{
    char key[64], value[32];

    snprintf(key, sizeof(key), "node/%u/%s", node, what);
    snprintf(value, sizeof(value), "%" PRIu64, kb);
    put(text, key, value);
}

static void put_extents(FILE *text, const struct xlnuma__report *report)
{
    for (unsigned order = 0; order < XLNUMA__ORDERS; order++) {
        char key[64], value[32];

        if (!report->nr_extents[order])
            continue;
        snprintf(key, sizeof(key), "extents/%u", order);
        snprintf(value, sizeof(value), "%" PRIu64, report->nr_extents[order]);
        put(text, key, value);
    }
}

/* "0,1": in this order. */
static void put_others(FILE *text, const struct xlnuma__report *report)
{
    char value[XLNUMA_NODES_MAX * 3 + 1] = "";

    for (unsigned i = 0, used = 0; i < report->nr_others; i++)
        used += (unsigned)snprintf(value + used, sizeof(value) - used, "%s%u",
                                   i ? "," : "", report->other[i]);
    put(text, "other_nodes", value);
}

/* Below vnode/N, as below node/N. */
static void put_vnode(FILE *text, unsigned n,
                      const struct xlnuma__vnode_report *vnode)
{
    char key[64], value[32];

#define PUT(name, what)                                                        \
    (snprintf(key, sizeof(key), "vnode/%u/" name, n), put(text, key, what))
    snprintf(value, sizeof(value), "%u", vnode->node);
    PUT("node", value);
    PUT("vcpus", vnode->text.vcpus);
    PUT("ranges", vnode->text.ranges);
    PUT("distances", vnode->text.distances);
    snprintf(value, sizeof(value), "%" PRIu64, vnode->planned_kb);
    PUT("planned_kb", value);
    snprintf(value, sizeof(value), "%" PRIu64, vnode->actual_kb);
    PUT("actual_kb", value);
    snprintf(value, sizeof(value), "%" PRIu64, vnode->elsewhere_kb);
    if (vnode->elsewhere_kb)
        PUT("elsewhere_kb", value);
#undef PUT
}

static void put_vnodes(FILE *text, const struct xlnuma__report *report)
{
    char value[32];

    if (*report->vnodes_reason)
        put(text, "guest_nodes_reason", report->vnodes_reason);
    if (!report->nr_vnodes && !*report->vnodes_reason)
        return;
    snprintf(value, sizeof(value), "%u", report->nr_vnodes);
    put(text, "guest_nodes", report->nr_vnodes ? value : "off");
    for (unsigned n = 0; n < report->nr_vnodes; n++)
        put_vnode(text, n, &report->vnode[n]);
}

/* And what the balancer may do with them. */
static void put_hard_cpus(FILE *text, const struct xlnuma__report *report)
{
    char value[16];

    put(text, "hard_cpus", report->hard_cpus);
    if (*report->user_cpus)
        put(text, "user_cpus", report->user_cpus);
    if (report->no_balance)
        put(text, "balance", "off");
    if (!report->balance_gain)
        return;
    snprintf(value, sizeof(value), "%u", report->balance_gain);
    put(text, "balance_gain", value);
}

static void put_all(FILE *text, const struct xlnuma__report *report)
{
    char value[XLNUMA_MESSAGE_SIZE];
    unsigned i;

    put(text, "policy", report->policy);
    put(text, "memory", report->memory);
    put(text, "status", report->status);
    put(text, "reason", report->reason);
    if (*report->emulator_vcpus)
        put(text, "emulator_vcpus", report->emulator_vcpus);
    if (!report->nodes)
        return;
    put(text, "nodes",
        xlnuma_nodeset_format(report->nodes, value, sizeof(value)));
    if (report->nr_others)
        put_others(text, report);
    put(text, "soft_cpus", report->soft_cpus);
    if (*report->hard_cpus)
        put_hard_cpus(text, report);
    if (*report->cpus)
        put(text, "cpus", report->cpus);
    snprintf(value, sizeof(value), "%.2f", report->expected_distance);
    put(text, "expected_distance", value);
    for (i = 0; i < XLNUMA_NODES_MAX; i++) {
        if (xlnuma_nodeset_has(report->nodes, i) || report->planned_kb[i])
            put_node_kb(text, i, "planned_kb", report->planned_kb[i]);
        if (report->has_actual &&
            (xlnuma_nodeset_has(report->nodes, i) || report->actual_kb[i]))
            put_node_kb(text, i, "actual_kb", report->actual_kb[i]);
    }
    put_vnodes(text, report);
    if (report->has_actual)
        put_extents(text, report);
}

int xlnuma__report_write(struct xs_handle *xs, uint32_t domid,
                         const struct xlnuma__report *report, char *message)
{
    char *text = NULL, path[PATH_SIZE];
    size_t length;
    FILE *file = report ? open_memstream(&text, &length) : NULL;
    int err = ENOMEM;

    *message = '\0';
    if (file) {
        put(file, "version", XLNUMA__REPORT_VERSION);
        put_all(file, report);
        if (!fclose(file))
            err = write_text(xs, domid, text, length);
        free(text);
    }
    if (!err)
        return 0;
    xs_rm(xs, XBT_NULL, path_of(path, domid, ""));
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "writing /libxl/%u/numa-placement to xenstore: %s",
                        domid, strerror(err));
}

/* --- reading -------------------------------------------------------------- */

struct reader {
    char *text; /* owned; lines, each with its end */
    uint32_t domid;
};

/* The line behind this one; NULL behind the last. */
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end && end[1] ? end + 1 : NULL;
}

/* A key's value into buf; empty when it is not there. */
static char *get_text(struct reader *reader, const char *key, char *buf,
                      size_t size)
{
    size_t length = strlen(key);

    *buf = '\0';
    for (const char *line = reader->text; line; line = next_line(line))
        if (!strncmp(line, key, length) && line[length] == '=') {
            line += length + 1;
            snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
            break;
        }
    return buf;
}

static bool get_node_kb(struct reader *reader, unsigned node, const char *what,
                        uint64_t *kb_r)
{
    char key[64], value[32];

    snprintf(key, sizeof(key), "node/%u/%s", node, what);
    get_text(reader, key, value, sizeof(value));
    *kb_r = strtoull(value, NULL, 10);
    return *value;
}

/* Of the keys FOLDER/NUMBER, the numbers below 64, as a set. */
static uint64_t number_keys(struct reader *reader, const char *folder)
{
    size_t length = strlen(folder);
    uint64_t numbers = 0;

    for (const char *line = reader->text; line; line = next_line(line)) {
        char *end;
        unsigned long number;

        if (strncmp(line, folder, length) || line[length] != '/')
            continue;
        number = strtoul(line + length + 1, &end, 10);
        if (strchr("/=", *end) && number < 64)
            numbers |= (uint64_t)1 << number;
    }
    return numbers;
}

/* The nodes that have a subtree: planned ones, and others that got memory. */
static void read_nodes(struct reader *reader, struct xlnuma__report *report)
{
    uint64_t nodes = number_keys(reader, "node");
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, nodes) {
        get_node_kb(reader, node, "planned_kb", &report->planned_kb[node]);
        if (get_node_kb(reader, node, "actual_kb", &report->actual_kb[node]))
            report->has_actual = true;
    }
}

static void read_extents(struct reader *reader, struct xlnuma__report *report)
{
    uint64_t orders = number_keys(reader, "extents");

    for (unsigned order = 0; order < XLNUMA__ORDERS; order++) {
        char key[64], value[32];

        if (!(orders >> order & 1))
            continue;
        snprintf(key, sizeof(key), "extents/%u", order);
        get_text(reader, key, value, sizeof(value));
        report->nr_extents[order] = strtoull(value, NULL, 10);
    }
}

static void read_vnode(struct reader *reader, unsigned n,
                       struct xlnuma__vnode_report *vnode)
{
    char key[64], value[32];

#define GET(name, buf)                                                         \
    (snprintf(key, sizeof(key), "vnode/%u/" name, n),                          \
     get_text(reader, key, buf, sizeof(buf)))
    vnode->node = (unsigned)strtoul(GET("node", value), NULL, 10);
    GET("vcpus", vnode->text.vcpus);
    GET("ranges", vnode->text.ranges);
    GET("distances", vnode->text.distances);
    vnode->planned_kb = strtoull(GET("planned_kb", value), NULL, 10);
    vnode->actual_kb = strtoull(GET("actual_kb", value), NULL, 10);
    vnode->elsewhere_kb = strtoull(GET("elsewhere_kb", value), NULL, 10);
#undef GET
}

/* "off" is no number: none. */
static void read_vnodes(struct reader *reader, struct xlnuma__report *report)
{
    char value[32];
    unsigned long nr = strtoul(
        get_text(reader, "guest_nodes", value, sizeof(value)), NULL, 10);

    get_text(reader, "guest_nodes_reason", report->vnodes_reason,
             sizeof(report->vnodes_reason));
    if (nr > XLNUMA_GUEST_NODES_MAX)
        return;
    report->nr_vnodes = (unsigned)nr;
    for (unsigned n = 0; n < nr; n++)
        read_vnode(reader, n, &report->vnode[n]);
}

/* What only a guest with a hard affinity of ours has use for. */
static void read_balance(struct reader *reader, struct xlnuma__report *report)
{
    char value[32];

    get_text(reader, "user_cpus", report->user_cpus, sizeof(report->user_cpus));
    get_text(reader, "balance", value, sizeof(value));
    report->no_balance = !strcmp(value, "off");
    get_text(reader, "balance_gain", value, sizeof(value));
    report->balance_gain = (unsigned)strtoul(value, NULL, 10);
}

/* A list in its own order; false if it is none of nodes. */
static bool parse_others(const char *text, struct xlnuma__report *report)
{
    while (*text) {
        char *end;
        unsigned long node = strtoul(text, &end, 10);

        if (end == text || node >= XLNUMA_NODES_MAX ||
            report->nr_others == XLNUMA_NODES_MAX || (*end && *end != ','))
            return false;
        report->other[report->nr_others++] = (uint8_t)node;
        text = *end ? end + 1 : end;
    }
    return true;
}

/* All but the version. Returns 0, XLNUMA_ERR_XEN. */
static int read_keys(struct reader *reader, struct xlnuma__report *report_r,
                     char *message)
{
    char value[XLNUMA_MESSAGE_SIZE], list_message[XLNUMA_MESSAGE_SIZE];
    uint32_t domid = reader->domid;

#define GET(key) get_text(reader, #key, report_r->key, sizeof(report_r->key))
    GET(policy);
    GET(memory);
    GET(status);
    GET(soft_cpus);
    GET(hard_cpus);
    GET(cpus);
    GET(emulator_vcpus);
    GET(reason);
#undef GET
    if (*report_r->hard_cpus)
        read_balance(reader, report_r);
    get_text(reader, "expected_distance", value, sizeof(value));
    report_r->expected_distance = strtod(value, NULL);
    if (!(report_r->expected_distance >= 0 &&
          report_r->expected_distance <= XLNUMA_DISTANCE_UNREACHABLE))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement: expected_distance: "
                            "\"%.100s\" is no distance",
                            domid, value);
    get_text(reader, "nodes", value, sizeof(value));
    if (xlnuma_nodeset_parse(value, &report_r->nodes, list_message))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement: nodes: %s", domid,
                            list_message);
    get_text(reader, "other_nodes", value, sizeof(value));
    if (!parse_others(value, report_r))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement: other_nodes: \"%s\" is "
                            "no list of nodes",
                            domid, value);
    read_nodes(reader, report_r);
    read_vnodes(reader, report_r);
    if (report_r->has_actual)
        read_extents(reader, report_r);
    return 0;
}

static int read_report(struct reader *reader, struct xlnuma__report *report_r,
                       bool *found_r, char *message)
{
    char version[32];

    *found_r = *get_text(reader, "version", version, sizeof(version));
    if (!*found_r)
        return 0;
    if (strcmp(version, XLNUMA__REPORT_VERSION) && strcmp(version, "1"))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement has version %s, this "
                            "program reads " XLNUMA__REPORT_VERSION " and 1",
                            reader->domid, version);
    return read_keys(reader, report_r, message);
}

int xlnuma__report_read(struct xs_handle *xs, uint32_t domid,
                        struct xlnuma__report *report_r, bool *found_r,
                        char *message)
{
    struct reader reader = { .domid = domid };
    size_t length;
    FILE *file = open_memstream(&reader.text, &length);
    int rc, err = file ? read_text(xs, domid, file) : ENOMEM;

    *message = '\0';
    xlnuma__report_init(report_r);
    *found_r = false;
    if (file && fclose(file) && !err)
        err = ENOMEM;
    if (err)
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "reading /libxl/%u/numa-placement from xenstore: %s",
                          domid, strerror(err));
    else
        rc = read_report(&reader, report_r, found_r, message);
    free(reader.text);
    return rc;
}

/* --- memory that another process populated --------------------------------- */

int xlnuma__report_write_actual(struct xs_handle *xs, uint32_t domid,
                                const struct xlnuma__report *actual,
                                char *message)
{
    struct xlnuma__report report;
    bool is_found;
    int rc = xlnuma__report_read(xs, domid, &report, &is_found, message);

    if (rc)
        return rc;
    if (!is_found)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement is gone from xenstore",
                            domid);
    report.has_actual = true;
    memcpy(report.actual_kb, actual->actual_kb, sizeof(report.actual_kb));
    memcpy(report.nr_extents, actual->nr_extents, sizeof(report.nr_extents));
    for (unsigned n = 0; n < actual->nr_vnodes; n++) {
        report.vnode[n].actual_kb = actual->vnode[n].actual_kb;
        report.vnode[n].elsewhere_kb = actual->vnode[n].elsewhere_kb;
    }
    return xlnuma__report_write(xs, domid, &report, message);
}

/* --- is it followed? ------------------------------------------------------ */

/* Beside the report, which goes when a part of it cannot be written. */
static const char *taken_path(char path[PATH_SIZE], uint32_t domid)
{
    snprintf(path, PATH_SIZE, "/libxl/%u/numa-placement-taken", domid);
    return path;
}

int xlnuma__report_take(struct xs_handle *xs, uint32_t domid, char *message)
{
    char path[PATH_SIZE];

    if (xs_write(xs, XBT_NULL, taken_path(path, domid), "1", 1))
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_XEN, "writing %s to xenstore: %s",
                        path, strerror(errno));
}

bool xlnuma__report_is_taken(struct xs_handle *xs, uint32_t domid,
                             char *message)
{
    char path[PATH_SIZE], *value;
    unsigned length;

    value = xs_read(xs, XBT_NULL, taken_path(path, domid), &length);
    if (value) {
        free(value);
        return true;
    }
    if (errno == ENOENT)
        xlnuma__fail(
            message, XLNUMA_ERR_XEN,
            "libxl-save-helper did not read where its memory is to be");
    else
        xlnuma__fail(message, XLNUMA_ERR_XEN, "reading %s from xenstore: %s",
                     path, strerror(errno));
    return false;
}

/* libxl's own note. Nobody has a GiB of it; libxl's "default" is no size. */
uint64_t xlnuma__video_kb(struct xs_handle *xs, uint32_t domid)
{
    char path[PATH_SIZE], *value;
    unsigned length;
    uint64_t kb;

    snprintf(path, sizeof(path), "/local/domain/%u/memory/videoram", domid);
    value = xs_read(xs, XBT_NULL, path, &length);
    kb = value ? strtoull(value, NULL, 10) : 0;
    free(value);
    return kb < 1024 * 1024 ? kb : 0;
}
