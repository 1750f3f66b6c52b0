/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests of a host <-> a snapshot's key "guests" (docs/snapshot-format.md).
 * Knows nothing of live hosts.
 */
#include "core/guests.h"
#include "core/json.h"
#include "core/snapshot.h"

#include <stdlib.h>
#include <string.h>

/* Where in a file a guest is. */
struct guest_place {
    struct place place;
    unsigned index;
    const struct xlnuma_host *host;
};

/* "guests[3].memory_kb" */
static char *path_of(const struct guest_place *at, const char *key,
                     char path[64])
{
    snprintf(path, 64, "guests[%u]%s%s", at->index, *key ? "." : "", key);
    return path;
}

/* --- reading -------------------------------------------------------------- */

/* Text that may be missing or null: then empty. Cut to the size. */
static int read_text(const struct guest_place *at, yajl_val object,
                     const char *key, char *text, size_t size)
{
    yajl_val value = get(object, key);
    char path[64];

    *text = '\0';
    if (!value || YAJL_IS_NULL(value))
        return 0;
    if (!YAJL_IS_STRING(value))
        return bad(&at->place, "%s is neither a string nor null",
                   path_of(at, key, path));
    snprintf(text, size, "%s", YAJL_GET_STRING(value));
    return 0;
}

/* A list of nodes of the host; missing or null: empty. */
static int read_nodeset(const struct guest_place *at, yajl_val object,
                        const char *key, xlnuma_nodeset *nodes_r)
{
    char text[XLNUMA_MESSAGE_SIZE], path[64], message[XLNUMA_MESSAGE_SIZE];
    int rc = read_text(at, object, key, text, sizeof(text));

    *nodes_r = 0;
    if (rc)
        return rc;
    if (xlnuma_nodeset_parse(text, nodes_r, message))
        return bad(&at->place, "%s: %s", path_of(at, key, path), message);
    if (*nodes_r & ~at->host->nodes)
        return bad(&at->place, "%s: the host has no node %u",
                   path_of(at, key, path),
                   xlnuma_nodeset_first(*nodes_r & ~at->host->nodes));
    return 0;
}

static int read_number_of(const struct guest_place *at, yajl_val object,
                          const char *key, uint64_t max, uint64_t *number_r)
{
    char path[64];

    return read_number(&at->place, get(object, key), path_of(at, key, path),
                       max, number_r);
}

/* One of the guest's nodes; sizes that are not there are 0. */
static int read_guest_node(const struct guest_place *at, yajl_val object,
                           size_t index, struct xlnuma__report *report)
{
    char path[128];
    uint64_t node;
    int rc;

#define PATH(key)                                                              \
    (snprintf(path, sizeof(path), "guests[%u].nodes[%zu]" key, at->index,      \
              index),                                                          \
     path)
    if (!YAJL_IS_OBJECT(object))
        return bad(&at->place, "%s is not an object", PATH(""));
    rc = read_number(&at->place, get(object, "id"), PATH(".id"),
                     XLNUMA_NODES_MAX - 1, &node);
    if (rc)
        return rc;
    if (!xlnuma_nodeset_has(at->host->nodes, (unsigned)node))
        return bad(&at->place, "%s: the host has no node %" PRIu64, PATH(".id"),
                   node);
    rc = read_optional(&at->place, get(object, "planned_kb"),
                       PATH(".planned_kb"), XLNUMA__KB_MAX, 0,
                       &report->planned_kb[node]);
    if (rc)
        return rc;
    if (get(object, "actual_kb"))
        report->has_actual = true;
    return read_optional(&at->place, get(object, "actual_kb"),
                         PATH(".actual_kb"), XLNUMA__KB_MAX, 0,
                         &report->actual_kb[node]);
#undef PATH
}

static int read_guest_nodes(const struct guest_place *at, yajl_val object,
                            struct xlnuma__report *report)
{
    yajl_val array = get(object, "nodes");
    char path[64];
    int rc = 0;

    if (!array)
        return 0;
    if (!YAJL_IS_ARRAY(array))
        return bad(&at->place, "%s is not an array",
                   path_of(at, "nodes", path));
    for (size_t i = 0; !rc && i < YAJL_GET_ARRAY(array)->len; i++)
        rc = read_guest_node(at, YAJL_GET_ARRAY(array)->values[i], i, report);
    return rc;
}

static int read_extents(const struct guest_place *at, yajl_val object,
                        struct xlnuma__report *report)
{
    yajl_val extents = get(object, "extents");
    char path[64], key[16];
    int rc = 0;

    if (!extents || YAJL_IS_NULL(extents))
        return 0;
    if (!YAJL_IS_OBJECT(extents))
        return bad(&at->place, "%s is neither an object nor null",
                   path_of(at, "extents", path));
    for (unsigned order = 0; !rc && order < XLNUMA__ORDERS; order++) {
        snprintf(key, sizeof(key), "%u", order);
        rc = read_optional(&at->place, get(extents, key),
                           path_of(at, "extents", path), XLNUMA__KB_MAX, 0,
                           &report->nr_extents[order]);
    }
    return rc;
}

static int read_distance(const struct guest_place *at, yajl_val object,
                         double *distance_r)
{
    yajl_val value = get(object, "expected_distance");
    char path[64];

    *distance_r = 0;
    if (!value || YAJL_IS_NULL(value))
        return 0;
    if (!YAJL_IS_DOUBLE(value) ||
        !(YAJL_GET_DOUBLE(value) >= XLNUMA_DISTANCE_LOCAL &&
          YAJL_GET_DOUBLE(value) <= XLNUMA_DISTANCE_UNREACHABLE))
        return bad(&at->place, "%s is neither a number from 10 to 255 nor null",
                   path_of(at, "expected_distance", path));
    *distance_r = YAJL_GET_DOUBLE(value);
    return 0;
}

/* One of the nodes that it sees. */
static int read_vnode(const struct guest_place *at, yajl_val object, size_t n,
                      struct xlnuma__vnode_report *vnode)
{
    char path[128];
    uint64_t node;
    int rc;

#define PATH(key)                                                              \
    (snprintf(path, sizeof(path), "guests[%u].guest_nodes[%zu]" key,           \
              at->index, n),                                                   \
     path)
    if (!YAJL_IS_OBJECT(object))
        return bad(&at->place, "%s is not an object", PATH(""));
    rc = read_number(&at->place, get(object, "node"), PATH(".node"),
                     XLNUMA_NODES_MAX - 1, &node);
    if (!rc)
        rc = read_number(&at->place, get(object, "planned_kb"),
                         PATH(".planned_kb"), XLNUMA__KB_MAX,
                         &vnode->planned_kb);
    if (!rc)
        rc = read_number(&at->place, get(object, "actual_kb"),
                         PATH(".actual_kb"), XLNUMA__KB_MAX, &vnode->actual_kb);
    if (rc)
        return rc;
    if (!xlnuma_nodeset_has(at->host->nodes, (unsigned)node))
        return bad(&at->place, "%s: the host has no node %" PRIu64,
                   PATH(".node"), node);
    vnode->node = (unsigned)node;
    rc = read_text(at, object, "vcpus", vnode->vcpus, sizeof(vnode->vcpus));
    return rc ? rc
              : read_text(at, object, "ranges", vnode->ranges,
                          sizeof(vnode->ranges));
#undef PATH
}

static int read_vnodes(const struct guest_place *at, yajl_val object,
                       struct xlnuma__report *report)
{
    yajl_val array = get(object, "guest_nodes");
    char path[64];
    int rc = 0;

    if (!array || YAJL_IS_NULL(array))
        return 0;
    if (!YAJL_IS_ARRAY(array) ||
        YAJL_GET_ARRAY(array)->len > XLNUMA_GUEST_NODES_MAX)
        return bad(&at->place, "%s is neither an array of at most %d nor null",
                   path_of(at, "guest_nodes", path), XLNUMA_GUEST_NODES_MAX);
    report->nr_vnodes = (unsigned)YAJL_GET_ARRAY(array)->len;
    for (unsigned n = 0; !rc && n < report->nr_vnodes; n++)
        rc = read_vnode(at, YAJL_GET_ARRAY(array)->values[n], n,
                        &report->vnode[n]);
    return rc;
}

static int read_report(const struct guest_place *at, yajl_val object,
                       struct xlnuma__report *report)
{
    int rc = read_guest_nodes(at, object, report);

    if (!rc)
        rc = read_extents(at, object, report);
    if (!rc)
        rc = read_vnodes(at, object, report);
    if (!rc)
        rc = read_text(at, object, "guest_nodes_reason", report->vnodes_reason,
                       sizeof(report->vnodes_reason));
    if (!rc)
        rc = read_nodeset(at, object, "node_list", &report->nodes);
    if (!rc)
        rc = read_distance(at, object, &report->expected_distance);
#define TEXT(key)                                                              \
    if (!rc)                                                                   \
    rc = read_text(at, object, #key, report->key, sizeof(report->key))
    TEXT(policy);
    TEXT(memory);
    TEXT(status);
    TEXT(soft_cpus);
    TEXT(hard_cpus);
    TEXT(reason);
#undef TEXT
    return rc;
}

/* --- vCPUs */

/* Where in a file one of a guest's vCPUs is. */
struct vcpu_place {
    const struct guest_place *guest;
    yajl_val object;
    size_t index;
};

static char *path_of_vcpu(const struct vcpu_place *at, const char *key,
                          char path[128])
{
    snprintf(path, 128, "guests[%u].vcpu[%zu]%s%s", at->guest->index, at->index,
             *key ? "." : "", key);
    return path;
}

/* A list of CPUs, kept as we write one. Ownership: the caller's. */
static int read_cpus(const struct vcpu_place *at, const char *key,
                     char **list_r)
{
    const struct place *place = &at->guest->place;
    yajl_val value = get(at->object, key);
    char path[128], message[XLNUMA_MESSAGE_SIZE], list[XLNUMA__LIST_SIZE];
    xlnuma_cpuset cpus;

    if (!YAJL_IS_STRING(value))
        return bad(place, "%s is not a string", path_of_vcpu(at, key, path));
    if (xlnuma_cpuset_parse(YAJL_GET_STRING(value), &cpus, message))
        return bad(place, "%s: %s", path_of_vcpu(at, key, path), message);
    *list_r = strdup(xlnuma_cpuset_format(&cpus, list, sizeof(list)));
    return *list_r ? 0
                   : xlnuma__fail(place->message, XLNUMA_ERR_NOMEM,
                                  "%s: out of memory", place->name);
}

static int read_state(const struct vcpu_place *at, struct xlnuma__vcpu *vcpu)
{
    const char *state = YAJL_GET_STRING(get(at->object, "state"));
    char path[128];

    vcpu->is_running = state && !strcmp(state, "running");
    vcpu->is_blocked = state && !strcmp(state, "blocked");
    vcpu->is_online = vcpu->is_running || vcpu->is_blocked ||
                      (state && !strcmp(state, "waiting"));
    return vcpu->is_online || (state && !strcmp(state, "offline"))
               ? 0
               : bad(&at->guest->place,
                     "%s is none of \"running\", \"waiting\", \"blocked\" and "
                     "\"offline\"",
                     path_of_vcpu(at, "state", path));
}

/* The CPU of one that is online, and the node that this is on. */
static int read_cpu(const struct vcpu_place *at, struct xlnuma__vcpu *vcpu)
{
    const struct xlnuma_host *host = at->guest->host;
    char path[128];
    uint64_t cpu;
    unsigned node;
    int rc;

    vcpu->node = -1;
    if (!vcpu->is_online)
        return 0;
    rc = read_number(&at->guest->place, get(at->object, "cpu"),
                     path_of_vcpu(at, "cpu", path), XLNUMA_CPUS_MAX - 1, &cpu);
    vcpu->cpu = (uint32_t)cpu;
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        if (xlnuma_cpuset_has(&host->node[node].cpus, vcpu->cpu))
            vcpu->node = (int)node;
    return rc;
}

static int read_vcpu(const struct vcpu_place *at, struct xlnuma__vcpu *vcpu)
{
    const struct place *place = &at->guest->place;
    char path[128];
    uint64_t id;
    int rc;

    if (!YAJL_IS_OBJECT(at->object))
        return bad(place, "%s is not an object", path_of_vcpu(at, "", path));
    rc = read_number(place, get(at->object, "id"), path_of_vcpu(at, "id", path),
                     UINT16_MAX, &id);
    if (!rc && id != at->index)
        rc =
            bad(place, "%s is not %zu, its place in the list", path, at->index);
    if (!rc)
        rc = read_state(at, vcpu);
    if (!rc)
        rc = read_cpu(at, vcpu);
    if (!rc)
        rc = read_number(place, get(at->object, "time_ns"),
                         path_of_vcpu(at, "time_ns", path), INT64_MAX,
                         &vcpu->time_ns);
    if (!rc)
        rc = read_cpus(at, "hard_cpus", &vcpu->hard);
    if (!rc)
        rc = read_cpus(at, "soft_cpus", &vcpu->soft);
    return rc;
}

/* As one look at them found them. */
static int read_vcpus(const struct guest_place *at, yajl_val object,
                      struct xlnuma__vcpus *vcpus)
{
    struct vcpu_place vcpu = { .guest = at };
    yajl_val array = get(object, "vcpu");
    char path[64];
    int rc = 0;

    if (!array || YAJL_IS_NULL(array))
        return 0;
    if (!YAJL_IS_ARRAY(array))
        return bad(&at->place, "%s is neither an array nor null",
                   path_of(at, "vcpu", path));
    vcpus->nr = (unsigned)YAJL_GET_ARRAY(array)->len;
    vcpus->nr_looks = 1;
    vcpus->vcpu = calloc((size_t)vcpus->nr + 1, sizeof(*vcpus->vcpu));
    if (!vcpus->vcpu) {
        vcpus->nr = 0;
        return xlnuma__fail(at->place.message, XLNUMA_ERR_NOMEM,
                            "%s: out of memory", at->place.name);
    }
    for (; !rc && vcpu.index < vcpus->nr; vcpu.index++) {
        vcpu.object = YAJL_GET_ARRAY(array)->values[vcpu.index];
        rc = read_vcpu(&vcpu, &vcpus->vcpu[vcpu.index]);
    }
    return rc;
}

static int read_guest(const struct guest_place *at, yajl_val object,
                      struct xlnuma__guest *guest)
{
    char path[64];
    uint64_t number;
    int rc;

    if (!YAJL_IS_OBJECT(object))
        return bad(&at->place, "%s is not an object", path_of(at, "", path));
    rc = read_text(at, object, "name", guest->name, sizeof(guest->name));
    if (rc)
        return rc;
    rc = read_number_of(at, object, "id", UINT16_MAX, &number);
    if (rc)
        return rc;
    guest->domid = (uint32_t)number;
    rc = read_number_of(at, object, "memory_kb", XLNUMA__KB_MAX,
                        &guest->memory_kb);
    if (rc)
        return rc;
    rc = read_number_of(at, object, "vcpus", UINT16_MAX, &number);
    if (rc)
        return rc;
    guest->nr_vcpus = (unsigned)number;
    rc = read_nodeset(at, object, "node_affinity", &guest->affinity);
    if (!rc)
        rc = read_report(at, object, &guest->report);
    if (!rc)
        rc = read_vcpus(at, object, &guest->vcpus);
    guest->has_report = *guest->report.status;
    return rc;
}

int xlnuma__guests_parse(struct xlnuma__guests *guests_r, const char *name,
                         const struct xlnuma_host *host, yajl_val array,
                         char *message)
{
    struct guest_place at = { .place = { name, message }, .host = host };
    int rc = 0;

    memset(guests_r, 0, sizeof(*guests_r));
    if (!array)
        return 0;
    if (!YAJL_IS_ARRAY(array))
        return bad(&at.place, "guests is not an array");
    for (size_t i = 0; !rc && i < YAJL_GET_ARRAY(array)->len; i++) {
        struct xlnuma__guest *guest = xlnuma__guests_add(guests_r);

        at.index = (unsigned)i;
        rc = guest ? read_guest(&at, YAJL_GET_ARRAY(array)->values[i], guest)
                   : xlnuma__fail(message, XLNUMA_ERR_NOMEM,
                                  "%s: out of memory", name);
    }
    return rc;
}

/* --- writing -------------------------------------------------------------- */

void xlnuma__report_nodes_generate(const struct xlnuma__report *report,
                                   yajl_gen gen)
{
    unsigned node;

    yajl_gen_array_open(gen);
    XLNUMA_FOR_EACH_NODE(node, xlnuma__report_nodes(report)) {
        yajl_gen_map_open(gen);
        xlnuma__json_key_kb(gen, "id", node);
        xlnuma__json_key_kb(gen, "planned_kb", report->planned_kb[node]);
        if (report->has_actual)
            xlnuma__json_key_kb(gen, "actual_kb", report->actual_kb[node]);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

void xlnuma__report_vnodes_generate(const struct xlnuma__report *report,
                                    yajl_gen gen)
{
    yajl_gen_array_open(gen);
    for (unsigned n = 0; n < report->nr_vnodes; n++) {
        const struct xlnuma__vnode_report *vnode = &report->vnode[n];

        yajl_gen_map_open(gen);
        xlnuma__json_key_kb(gen, "id", n);
        xlnuma__json_key_kb(gen, "node", vnode->node);
        xlnuma__json_key_kb(gen, "planned_kb", vnode->planned_kb);
        xlnuma__json_key_kb(gen, "actual_kb", vnode->actual_kb);
        xlnuma__json_key_string(gen, "vcpus", vnode->vcpus);
        xlnuma__json_key_string(gen, "ranges", vnode->ranges);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void put_text(yajl_gen gen, const char *key, const char *text)
{
    if (*text)
        xlnuma__json_key_string(gen, key, text);
}

static void put_nodeset(yajl_gen gen, const char *key, xlnuma_nodeset nodes)
{
    char text[XLNUMA_NODES_MAX * 3 + 1];

    put_text(gen, key, xlnuma_nodeset_format(nodes, text, sizeof(text)));
}

static void put_extents(yajl_gen gen, const struct xlnuma__report *report)
{
    xlnuma__json_key(gen, "extents");
    yajl_gen_map_open(gen);
    for (unsigned order = 0; order < XLNUMA__ORDERS; order++) {
        char key[16];

        snprintf(key, sizeof(key), "%u", order);
        if (report->nr_extents[order])
            xlnuma__json_key_kb(gen, key, report->nr_extents[order]);
    }
    yajl_gen_map_close(gen);
}

static void put_report(yajl_gen gen, const struct xlnuma__report *report)
{
    xlnuma__json_key(gen, "nodes");
    xlnuma__report_nodes_generate(report, gen);
    put_nodeset(gen, "node_list", report->nodes);
    if (report->has_actual)
        put_extents(gen, report);
    if (report->expected_distance > 0)
        xlnuma__json_key_distance(gen, "expected_distance",
                                  report->expected_distance);
    put_text(gen, "policy", report->policy);
    put_text(gen, "memory", report->memory);
    put_text(gen, "status", report->status);
    put_text(gen, "soft_cpus", report->soft_cpus);
    put_text(gen, "hard_cpus", report->hard_cpus);
    put_text(gen, "reason", report->reason);
    put_text(gen, "guest_nodes_reason", report->vnodes_reason);
    if (!report->nr_vnodes)
        return;
    xlnuma__json_key(gen, "guest_nodes");
    xlnuma__report_vnodes_generate(report, gen);
}

static void put_vcpus(yajl_gen gen, const struct xlnuma__vcpus *vcpus)
{
    xlnuma__json_key(gen, "vcpu");
    yajl_gen_array_open(gen);
    for (unsigned i = 0; i < vcpus->nr; i++) {
        const struct xlnuma__vcpu *vcpu = &vcpus->vcpu[i];

        yajl_gen_map_open(gen);
        xlnuma__json_key_kb(gen, "id", i);
        xlnuma__json_key_string(gen, "state", xlnuma__vcpu_state(vcpu));
        if (vcpu->is_online)
            xlnuma__json_key_kb(gen, "cpu", vcpu->cpu);
        xlnuma__json_key_string(gen, "hard_cpus", vcpu->hard);
        xlnuma__json_key_string(gen, "soft_cpus", vcpu->soft);
        xlnuma__json_key_kb(gen, "time_ns", vcpu->time_ns);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

void xlnuma__guests_generate(const struct xlnuma__guests *guests, yajl_gen gen)
{
    yajl_gen_array_open(gen);
    for (unsigned i = 0; i < guests->nr; i++) {
        const struct xlnuma__guest *guest = &guests->guest[i];

        yajl_gen_map_open(gen);
        put_text(gen, "name", guest->name);
        xlnuma__json_key_kb(gen, "id", guest->domid);
        xlnuma__json_key_kb(gen, "memory_kb", guest->memory_kb);
        xlnuma__json_key_kb(gen, "vcpus", guest->nr_vcpus);
        put_nodeset(gen, "node_affinity", guest->affinity);
        if (guest->has_report)
            put_report(gen, &guest->report);
        if (guest->vcpus.nr)
            put_vcpus(gen, &guest->vcpus);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}
