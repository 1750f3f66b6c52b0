/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host model and its snapshot file (docs/snapshot-format.md). Knows nothing
 * of live hosts.
 */
#include "formats/fields.h"
#include "formats/json.h"
#include "formats/parts.h"
#include "formats/snapshot.h"
#include "model/cores.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include <yajl/yajl_tree.h>

#define FORMAT "xlnuma-host"
#define FORMAT_VERSION 2 /* before, reserved_kb was claimed_kb */

/* No real snapshot comes near: 64 nodes make about 22 KiB. */
#define FILE_SIZE_MAX (16 * 1024 * 1024)
#define DEPTH_MAX 64

/* --- reading -------------------------------------------------------------- */

static const struct field node_fields[] = {
#define NODE(kind, member, key, max)                                           \
    FIELD(kind, struct xlnuma_node, member, key, max)
    NODE(NUMBER, socket, "socket", INT32_MAX),
    NODE(CPUS, cpus, "cpus", 0),
    NODE(SOME_NUMBER, nr_cores, "cores", XLNUMA_CPUS_MAX),
    NODE(NUMBER, size_kb, "size_kb", INT64_MAX),
    NODE(NUMBER, free_kb, "free_kb", INT64_MAX),
    NODE(SOME_NUMBER, low_free_kb, "low_free_kb", INT64_MAX),
    NODE(SOME_NUMBER, reserved_kb, "reserved_kb", INT64_MAX),
    NODE(SOME_NUMBER, load_mvcpu, "load_mvcpu", UINT32_MAX),
    { NULL },
};

static const struct field node_fields_of_1[] = {
    NODE(SOME_NUMBER, reserved_kb, "claimed_kb", INT64_MAX),
#undef NODE
    { NULL },
};

struct cores {
    struct xlnuma_host *host;
    const struct xlnuma_node *node;
};

/* The CPUs of a core, as a list. */
static int read_core(const struct place *at, yajl_val element, size_t i,
                     void *to)
{
    const char *text = YAJL_GET_STRING(element);
    const struct cores *cores = to;
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset cpus;

    (void)i;
    if (!text || xlnuma_cpuset_parse(text, &cpus, message))
        return xlnuma__bad_key(at, "", " is not a list of CPUs");
    if (!xlnuma_cpuset_is_within(&cpus, &cores->node->cpus))
        return xlnuma__bad_key(at, "", " has CPUs of other nodes");
    xlnuma__host_set_core(cores->host, &cpus);
    return 0;
}

static int read_node(const struct place *root, yajl_val object, size_t index,
                     bool is_version_1, struct xlnuma_host *host,
                     unsigned *id_r)
{
    const struct place place = xlnuma__element(root, "nodes", index);
    struct cores cores;
    uint64_t id;
    int rc;

    if (!YAJL_IS_OBJECT(object))
        return xlnuma__bad_key(&place, "", " is not an object");
    rc = xlnuma__read_number(&place, xlnuma__get(object, "id"), "id",
                             XLNUMA_NODES_MAX - 1, &id);
    if (rc)
        return rc;
    if (xlnuma_nodeset_has(host->nodes, (unsigned)id))
        return xlnuma__bad_key(&place, "id",
                               ": node %" PRIu64 " is there twice", id);
    host->nodes |= (xlnuma_nodeset)1 << id;
    *id_r = (unsigned)id;
    rc = xlnuma__read_fields(&place, object, node_fields, &host->node[id]);
    if (!rc && is_version_1)
        rc = xlnuma__read_fields(&place, object, node_fields_of_1,
                                 &host->node[id]);
    if (rc)
        return rc;
    xlnuma__host_guess_cores(host, &host->node[id]);
    cores = (struct cores){ host, &host->node[id] };
    return xlnuma__read_array(&place, object, "core_cpus", SIZE_MAX, read_core,
                              &cores);
}

static int read_distances(const struct place *place, yajl_val rows, size_t nr,
                          const unsigned id[], struct xlnuma_host *host)
{
    if (!YAJL_IS_ARRAY(rows))
        return xlnuma__bad_key(place, "distances",
                               " is missing or not an array");
    if (YAJL_GET_ARRAY(rows)->len != nr)
        return xlnuma__bad_key(place, "distances",
                               " has %zu rows for %zu nodes",
                               YAJL_GET_ARRAY(rows)->len, nr);
    for (size_t i = 0; i < nr; i++) {
        yajl_val row = YAJL_GET_ARRAY(rows)->values[i];

        if (!YAJL_IS_ARRAY(row) || YAJL_GET_ARRAY(row)->len != nr)
            return xlnuma__bad_key(place, "distances",
                                   "[%zu] is not an array of %zu numbers", i,
                                   nr);
        for (size_t j = 0; j < nr; j++) {
            char path[64];
            uint64_t number;
            int rc;

            snprintf(path, sizeof(path), "distances[%zu][%zu]", i, j);
            rc =
                xlnuma__read_number(place, YAJL_GET_ARRAY(row)->values[j], path,
                                    XLNUMA_DISTANCE_UNREACHABLE, &number);
            if (rc)
                return rc;
            host->distance[id[i]][id[j]] = (uint16_t)number;
        }
    }
    return 0;
}

static const struct field device_fields[] = {
    FIELD(NUMBER, struct xlnuma_device, node, "node", XLNUMA_NODES_MAX - 1),
    { NULL },
};

static int read_device(const struct place *at, yajl_val object, size_t i,
                       void *to)
{
    struct xlnuma_host *host = to;
    struct xlnuma_device *device = &host->device[host->nr_devices++];
    const char *bdf = YAJL_GET_STRING(xlnuma__get(object, "bdf"));

    (void)i;
    if (YAJL_IS_OBJECT(object) &&
        (!bdf || !xlnuma_bdf_parse(bdf, &device->bdf)))
        return xlnuma__bad_key(at, "bdf",
                               " is missing or not an address such as "
                               "\"0000:3b:00.0\"");
    return xlnuma__read_fields(at, object, device_fields, device);
}

/* Not cut, as other texts are: it decides what a plan gives. */
static int check_scheduler(const struct place *place, yajl_val value)
{
    const char *text = YAJL_GET_STRING(value);

    if (!value || (text && *text && strlen(text) < XLNUMA_SCHEDULER_SIZE))
        return 0;
    return xlnuma__bad_key(place, "scheduler",
                           " is not a string of 1 to %d bytes such as "
                           "\"" XLNUMA__CREDIT2 "\"",
                           XLNUMA_SCHEDULER_SIZE - 1);
}

static const struct field host_fields[] = {
#define HOST(kind, member, key, max)                                           \
    FIELD(kind, struct xlnuma_host, member, key, max)
    HOST(SOME_TEXT, identity.name, "host_name", 0),
    HOST(SOME_TEXT, identity.xen, "xen", 0),
    HOST(SOME_TEXT, identity.date, "date", 0),
    HOST(SOME_NUMBER, claimed_kb, "claimed_kb", INT64_MAX),
    HOST(SOME_TEXT, scheduler, "scheduler", 0),
    HOST(SOME_CPUS, dedicated_cpus, "dedicated_cpus", 0),
    HOST(SOME_CPUS, dedicated_taken, "dedicated_taken", 0),
#undef HOST
    { NULL },
};

/* `guests` may be NULL: not wanted. */
static int read_root(const struct place *place, yajl_val root,
                     struct xlnuma_host *host, struct xlnuma__guests *guests)
{
    unsigned id[XLNUMA_NODES_MAX];
    char check_message[XLNUMA_MESSAGE_SIZE];
    const char *format;
    uint64_t version;
    yajl_val value;
    size_t nr;
    int rc;

    if (!YAJL_IS_OBJECT(root))
        return xlnuma__bad_key(place, "", "not a JSON object");
    format = YAJL_GET_STRING(xlnuma__get(root, "format"));
    if (!format || strcmp(format, FORMAT))
        return xlnuma__bad_key(place, "format",
                               " is missing or not \"" FORMAT "\"");
    rc = xlnuma__read_number(place, xlnuma__get(root, "version"), "version",
                             INT32_MAX, &version);
    if (rc)
        return rc;
    if (version < 1 || version > FORMAT_VERSION)
        return xlnuma__bad_key(place, "version",
                               " is %" PRIu64 ", this program reads 1 to %d",
                               version, FORMAT_VERSION);
    value = xlnuma__get(root, "nodes");
    if (!YAJL_IS_ARRAY(value))
        return xlnuma__bad_key(place, "nodes", " is missing or not an array");
    nr = YAJL_GET_ARRAY(value)->len;
    if (nr < 1 || nr > XLNUMA_NODES_MAX)
        return xlnuma__bad_key(place, "nodes", " has %zu elements, not 1 to %d",
                               nr, XLNUMA_NODES_MAX);
    for (size_t i = 0; i < nr; i++) {
        rc = read_node(place, YAJL_GET_ARRAY(value)->values[i], i, version == 1,
                       host, &id[i]);
        if (rc)
            return rc;
    }
    rc = read_distances(place, xlnuma__get(root, "distances"), nr, id, host);
    if (!rc)
        rc = check_scheduler(place, xlnuma__get(root, "scheduler"));
    if (!rc)
        rc = xlnuma__read_fields(place, root, host_fields, host);
    if (!rc)
        rc = xlnuma__read_array(place, root, "devices", XLNUMA_DEVICES_MAX,
                                read_device, host);
    if (rc)
        return rc;
    xlnuma__host_sort_devices(host);
    rc = xlnuma_host_check(host, check_message);
    if (rc)
        return xlnuma__bad_key(place, "", "%s", check_message);
    return guests ? xlnuma__guests_parse(guests, place, root) : 0;
}

/*
 * Is the text nested deeper than any snapshot is? yajl frees what it has parsed
 * by recursion, so a deep file would overflow the stack.
 */
static bool is_too_deep(const char *json, size_t length)
{
    bool is_in_string = false;
    unsigned depth = 0;

    for (size_t i = 0; i < length; i++) {
        if (is_in_string && json[i] == '\\')
            i++;
        else if (json[i] == '"')
            is_in_string = !is_in_string;
        else if (!is_in_string && (json[i] == '[' || json[i] == '{'))
            depth++;
        else if (!is_in_string && depth && (json[i] == ']' || json[i] == '}'))
            depth--;
        if (depth > DEPTH_MAX)
            return true;
    }
    return false;
}

/* Name line and column of what yajl could not parse. */
static int syntax_error(const struct place *place, const char *json,
                        size_t length)
{
    yajl_handle handle = yajl_alloc(NULL, NULL, NULL);
    unsigned line = 1, column = 1;
    unsigned char *text;
    size_t at = length; /* an end that comes too early */
    int rc;

    if (!handle)
        return xlnuma__fail(place->message, XLNUMA_ERR_NOMEM,
                            "%s: out of memory", place->name);
    if (yajl_parse(handle, (const unsigned char *)json, length) ==
        yajl_status_ok)
        yajl_complete_parse(handle);
    else
        at = yajl_get_bytes_consumed(handle);
    for (size_t i = 0; i < at && i < length; i++, column++)
        if (json[i] == '\n') {
            line++;
            column = 0;
        }
    text = yajl_get_error(handle, 0, (const unsigned char *)json, length);
    if (text)
        text[strcspn((char *)text, "\n")] = '\0';
    rc = xlnuma__bad_key(place, "", "line %u column %u: not JSON: %s", line,
                         column, text ? (char *)text : "syntax error");
    if (text)
        yajl_free_error(handle, text);
    yajl_free(handle);
    return rc;
}

int xlnuma__snapshot_parse(struct xlnuma_host *host_r,
                           struct xlnuma__guests *guests_r, const char *name,
                           const char *json, size_t length, char *message)
{
    struct place place = { .name = name, .message = message, .host = host_r };
    yajl_val root;
    char *text;
    int rc;

    *message = '\0';
    memset(host_r, 0, sizeof(*host_r));
    if (guests_r)
        memset(guests_r, 0, sizeof(*guests_r));
    if (memchr(json, '\0', length))
        return xlnuma__bad_key(&place, "", "not JSON: it contains a NUL byte");
    if (is_too_deep(json, length))
        return xlnuma__bad_key(&place, "", "nested deeper than %d levels",
                               DEPTH_MAX);
    text = strndup(json, length); /* yajl_tree wants a terminated string */
    if (!text)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "%s: out of memory",
                            name);
    root = yajl_tree_parse(text, NULL, 0);
    rc = root ? read_root(&place, root, host_r, guests_r)
              : syntax_error(&place, text, length);
    yajl_tree_free(root);
    free(text);
    return rc;
}

/* Ownership: *text_r is the caller's; after an error it is nothing. */
static int read_all(FILE *file, const char *name, char **text_r,
                    size_t *length_r, char *message)
{
    char *text = malloc(FILE_SIZE_MAX + 1); /* touched as far as it is filled */
    int rc = 0;

    if (!text)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "%s: out of memory",
                            name);
    *length_r = fread(text, 1, FILE_SIZE_MAX + 1, file);
    if (ferror(file))
        rc = xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s", name,
                          strerror(errno));
    else if (*length_r > FILE_SIZE_MAX)
        rc = xlnuma__fail(message, XLNUMA_ERR_INVALID,
                          "%s: larger than a snapshot can be (%d MiB)", name,
                          FILE_SIZE_MAX / 1024 / 1024);
    if (rc)
        free(text);
    else
        *text_r = text;
    return rc;
}

int xlnuma__snapshot_load(struct xlnuma_host *host_r,
                          struct xlnuma__guests *guests_r, const char *path,
                          char *message)
{
    bool is_stdin = !strcmp(path, "-");
    const char *name = is_stdin ? "standard input" : path;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    char *text = NULL;
    size_t length = 0;
    int rc;

    if (guests_r)
        memset(guests_r, 0, sizeof(*guests_r));
    if (!file)
        return xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s", path,
                            strerror(errno));
    rc = read_all(file, name, &text, &length, message);
    if (!is_stdin)
        fclose(file);
    if (rc)
        return rc;
    rc = xlnuma__snapshot_parse(host_r, guests_r, name, text, length, message);
    free(text);
    return rc;
}

int xlnuma_host_load(struct xlnuma_host *host_r, const char *path,
                     char *message)
{
    return xlnuma__snapshot_load(host_r, NULL, path, message);
}

/* --- writing -------------------------------------------------------------- */

/* Where some core has several threads: the CPUs of each, the lowest first. */
static void write_cores(yajl_gen gen, const struct xlnuma_host *host,
                        const struct xlnuma_node *node)
{
    char list[XLNUMA__LIST_SIZE];
    xlnuma_cpuset core;

    if (!node->nr_cores || node->nr_cores == xlnuma_cpuset_count(&node->cpus))
        return;
    xlnuma__json_key_array(gen, "core_cpus");
    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++) {
        if (!xlnuma_cpuset_has(&node->cpus, cpu) ||
            xlnuma__host_core(host, cpu) != cpu)
            continue;
        xlnuma__host_core_cpus(host, cpu, &core);
        xlnuma__json_string(gen,
                            xlnuma_cpuset_format(&core, list, sizeof(list)));
    }
    yajl_gen_array_close(gen);
}

static void write_node(yajl_gen gen, const struct xlnuma_host *host,
                       unsigned id)
{
    const struct xlnuma_node *node = &host->node[id];

    yajl_gen_map_open(gen);
    xlnuma__json_key_number(gen, "id", id);
    xlnuma__write_fields(gen, node_fields, node);
    write_cores(gen, host, node);
    yajl_gen_map_close(gen);
}

void xlnuma__distances_generate(const struct xlnuma_host *host, yajl_gen gen)
{
    unsigned i, j;

    yajl_gen_array_open(gen);
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        yajl_gen_array_open(gen);
        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            yajl_gen_integer(gen, host->distance[i][j]);
        yajl_gen_array_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void write_devices(yajl_gen gen, const struct xlnuma_host *host)
{
    char bdf[XLNUMA_BDF_SIZE];

    xlnuma__json_key_array(gen, "devices");
    for (unsigned n = 0; n < host->nr_devices; n++) {
        yajl_gen_map_open(gen);
        xlnuma__json_key_string(gen, "bdf",
                                xlnuma_bdf_format(host->device[n].bdf, bdf));
        xlnuma__json_key_number(gen, "node", host->device[n].node);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void write_root(yajl_gen gen, const struct xlnuma_host *host,
                       const struct xlnuma__guests *guests, const char *comment)
{
    unsigned i;

    if (comment)
        xlnuma__json_key_string(gen, "comment", comment);
    xlnuma__write_fields(gen, host_fields, host);
    xlnuma__json_key_array(gen, "nodes");
    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        write_node(gen, host, i);
    yajl_gen_array_close(gen);
    xlnuma__json_key(gen, "distances");
    xlnuma__distances_generate(host, gen);
    if (host->nr_devices)
        write_devices(gen, host);
    if (guests && guests->nr)
        xlnuma__guests_generate(guests, gen);
}

int xlnuma__snapshot_write(const struct xlnuma_host *host,
                           const struct xlnuma__guests *guests,
                           const char *comment, FILE *file, char *message)
{
    yajl_gen gen = xlnuma__json_begin(FORMAT, FORMAT_VERSION);

    if (gen)
        write_root(gen, host, guests, comment);
    return xlnuma__json_end(gen, file, message);
}
