/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of a guest's placement in xenstore (docs/xenstore.md): a subtree
 * of /libxl/DOMID, whose permissions it inherits (dom0 alone) and with which it
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

/* --- writing -------------------------------------------------------------- */

struct writer {
    struct xs_handle *xs;
    uint32_t domid;
    int err; /* errno of what failed; 0 so far */
};

static void put(struct writer *writer, const char *key, const char *value)
{
    char path[PATH_SIZE];

    if (!writer->err &&
        !xs_write(writer->xs, XBT_NULL, path_of(path, writer->domid, key),
                  value, (unsigned)strlen(value)))
        writer->err = errno;
}

static void put_node_kb(struct writer *writer, unsigned node, const char *what,
                        uint64_t kb)
{
    char key[64], value[32];

    snprintf(key, sizeof(key), "node/%u/%s", node, what);
    snprintf(value, sizeof(value), "%" PRIu64, kb);
    put(writer, key, value);
}

static void put_extents(struct writer *writer,
                        const struct xlnuma__report *report)
{
    for (unsigned order = 0; order < XLNUMA__ORDERS; order++) {
        char key[64], value[32];

        if (!report->nr_extents[order])
            continue;
        snprintf(key, sizeof(key), "extents/%u", order);
        snprintf(value, sizeof(value), "%" PRIu64, report->nr_extents[order]);
        put(writer, key, value);
    }
}

/* "0,1": in this order. */
static void put_others(struct writer *writer,
                       const struct xlnuma__report *report)
{
    char value[XLNUMA_NODES_MAX * 3 + 1] = "";

    for (unsigned i = 0, used = 0; i < report->nr_others; i++)
        used += (unsigned)snprintf(value + used, sizeof(value) - used, "%s%u",
                                   i ? "," : "", report->other[i]);
    put(writer, "other_nodes", value);
}

/* Below vnode/N, as below node/N. */
static void put_vnode(struct writer *writer, unsigned n,
                      const struct xlnuma__vnode_report *vnode)
{
    char key[64], value[32];

#define PUT(name, text)                                                        \
    (snprintf(key, sizeof(key), "vnode/%u/" name, n), put(writer, key, text))
    snprintf(value, sizeof(value), "%u", vnode->node);
    PUT("node", value);
    PUT("vcpus", vnode->vcpus);
    PUT("ranges", vnode->ranges);
    snprintf(value, sizeof(value), "%" PRIu64, vnode->planned_kb);
    PUT("planned_kb", value);
    snprintf(value, sizeof(value), "%" PRIu64, vnode->actual_kb);
    PUT("actual_kb", value);
#undef PUT
}

static void put_vnodes(struct writer *writer,
                       const struct xlnuma__report *report)
{
    char value[32];

    if (*report->vnodes_reason)
        put(writer, "guest_nodes_reason", report->vnodes_reason);
    if (!report->nr_vnodes && !*report->vnodes_reason)
        return;
    snprintf(value, sizeof(value), "%u", report->nr_vnodes);
    put(writer, "guest_nodes", report->nr_vnodes ? value : "off");
    for (unsigned n = 0; n < report->nr_vnodes; n++)
        put_vnode(writer, n, &report->vnode[n]);
}

static void put_all(struct writer *writer, const struct xlnuma__report *report)
{
    char value[XLNUMA_MESSAGE_SIZE];
    unsigned i;

    put(writer, "policy", report->policy);
    put(writer, "memory", report->memory);
    put(writer, "status", report->status);
    put(writer, "reason", report->reason);
    if (!report->expected_distance)
        return;
    put(writer, "nodes",
        xlnuma_nodeset_format(report->nodes, value, sizeof(value)));
    if (report->nr_others)
        put_others(writer, report);
    put(writer, "soft_cpus", report->soft_cpus);
    if (*report->hard_cpus)
        put(writer, "hard_cpus", report->hard_cpus);
    snprintf(value, sizeof(value), "%.2f", report->expected_distance);
    put(writer, "expected_distance", value);
    for (i = 0; i < XLNUMA_NODES_MAX; i++) {
        if (xlnuma_nodeset_has(report->nodes, i) || report->planned_kb[i])
            put_node_kb(writer, i, "planned_kb", report->planned_kb[i]);
        if (report->has_actual &&
            (xlnuma_nodeset_has(report->nodes, i) || report->actual_kb[i]))
            put_node_kb(writer, i, "actual_kb", report->actual_kb[i]);
    }
    put_vnodes(writer, report);
    if (report->has_actual)
        put_extents(writer, report);
}

static void put_actual(struct writer *writer,
                       const struct xlnuma__report *report)
{
    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (report->actual_kb[i])
            put_node_kb(writer, i, "actual_kb", report->actual_kb[i]);
    put_extents(writer, report);
}

/*
 * Write a report by `put_keys`, its version last: what has none is not read. A
 * transaction would be a third of the whole cost of placing a small guest.
 */
static int write_keys(struct xs_handle *xs, uint32_t domid,
                      void (*put_keys)(struct writer *writer,
                                       const struct xlnuma__report *report),
                      const struct xlnuma__report *report, char *message)
{
    struct writer writer = { .xs = xs, .domid = domid };
    char path[PATH_SIZE];

    *message = '\0';
    put_keys(&writer, report);
    put(&writer, "version", XLNUMA__REPORT_VERSION);
    if (!writer.err)
        return 0;
    xs_rm(xs, XBT_NULL, path_of(path, domid, ""));
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "writing /libxl/%u/numa-placement to xenstore: %s",
                        domid, strerror(writer.err));
}

int xlnuma__report_write(struct xs_handle *xs, uint32_t domid,
                         const struct xlnuma__report *report, char *message)
{
    return write_keys(xs, domid, put_all, report, message);
}

int xlnuma__report_write_actual(struct xs_handle *xs, uint32_t domid,
                                const struct xlnuma__report *report,
                                char *message)
{
    return write_keys(xs, domid, put_actual, report, message);
}

/* --- reading -------------------------------------------------------------- */

struct reader {
    struct xs_handle *xs;
    uint32_t domid;
    int err; /* errno of what failed; 0 so far */
};

/* What xenstore does not give is not there, unless it says that it failed. */
static void note_failure(struct reader *reader, const void *value)
{
    if (!value && errno != ENOENT)
        reader->err = errno;
}

/* A key's text into buf; empty when it is not there. */
static char *get_text(struct reader *reader, const char *key, char *buf,
                      size_t size)
{
    char path[PATH_SIZE];
    unsigned length;
    char *value = xs_read(reader->xs, XBT_NULL,
                          path_of(path, reader->domid, key), &length);

    note_failure(reader, value);
    snprintf(buf, size, "%s", value ? value : "");
    free(value);
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

/* The keys of a folder of the report that are numbers below 64, as a set. */
static uint64_t number_keys(struct reader *reader, const char *folder)
{
    char path[PATH_SIZE];
    unsigned nr;
    char **name = xs_directory(reader->xs, XBT_NULL,
                               path_of(path, reader->domid, folder), &nr);
    uint64_t numbers = 0;

    note_failure(reader, name);
    for (unsigned i = 0; name && i < nr; i++) {
        char *end;
        unsigned long number = strtoul(name[i], &end, 10);

        if (!*end && number < 64)
            numbers |= (uint64_t)1 << number;
    }
    free(name);
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

/* Those that are there: each key costs a round trip, and few orders are used. */
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
    GET("vcpus", vnode->vcpus);
    GET("ranges", vnode->ranges);
    vnode->planned_kb = strtoull(GET("planned_kb", value), NULL, 10);
    vnode->actual_kb = strtoull(GET("actual_kb", value), NULL, 10);
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
    GET(reason);
#undef GET
    get_text(reader, "expected_distance", value, sizeof(value));
    report_r->expected_distance = strtod(value, NULL);
    if (!(report_r->expected_distance >= 0 &&
          report_r->expected_distance <= XLNUMA_DISTANCE_UNREACHABLE))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement/expected_distance: "
                            "\"%.100s\" is no distance",
                            domid, value);
    get_text(reader, "nodes", value, sizeof(value));
    if (xlnuma_nodeset_parse(value, &report_r->nodes, list_message))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement/nodes: %s", domid,
                            list_message);
    get_text(reader, "other_nodes", value, sizeof(value));
    if (!parse_others(value, report_r))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "/libxl/%u/numa-placement/other_nodes: \"%s\" is "
                            "no list of nodes",
                            domid, value);
    read_nodes(reader, report_r);
    read_vnodes(reader, report_r);
    if (report_r->has_actual)
        read_extents(reader, report_r);
    return 0;
}

int xlnuma__report_read(struct xs_handle *xs, uint32_t domid,
                        struct xlnuma__report *report_r, bool *found_r,
                        char *message)
{
    struct reader reader = { .xs = xs, .domid = domid };
    char version[XLNUMA_MESSAGE_SIZE];
    int rc = 0;

    *message = '\0';
    memset(report_r, 0, sizeof(*report_r));
    *found_r = *get_text(&reader, "version", version, sizeof(version));
    if (*found_r && strcmp(version, XLNUMA__REPORT_VERSION))
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "/libxl/%u/numa-placement has version %s, this "
                          "program reads " XLNUMA__REPORT_VERSION,
                          domid, version);
    else if (*found_r)
        rc = read_keys(&reader, report_r, message);
    if (reader.err)
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "reading /libxl/%u/numa-placement from xenstore: %s",
                          domid, strerror(reader.err));
    return rc;
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
