/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests of a host <-> a snapshot's keys "guests" and "domain0"
 * (docs/snapshot-format.md).
 * Knows nothing of live hosts.
 */
#include "formats/fields.h"
#include "formats/json.h"
#include "formats/parts.h"
#include "formats/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading -------------------------------------------------------------- */

struct node_of_guest {
    unsigned id;
    uint64_t planned_kb, actual_kb;
};

static const struct field node_fields[] = {
#define NODE(kind, member, key, max)                                           \
    FIELD(kind, struct node_of_guest, member, key, max)
    NODE(NUMBER, id, "id", XLNUMA_NODES_MAX - 1),
    NODE(SOME_NUMBER, planned_kb, "planned_kb", XLNUMA__KB_MAX),
    NODE(SOME_NUMBER, actual_kb, "actual_kb", XLNUMA__KB_MAX),
#undef NODE
    { NULL },
};

static int read_guest_node(const struct place *at, yajl_val object, size_t i,
                           void *to)
{
    struct xlnuma__report *report = to;
    struct node_of_guest node;
    int rc = xlnuma__read_fields(at, object, node_fields, &node);

    (void)i;
    if (rc)
        return rc;
    if (!xlnuma_nodeset_has(at->host->nodes, node.id))
        return xlnuma__bad_key(at, "id", ": the host has no node %u", node.id);
    report->planned_kb[node.id] = node.planned_kb;
    report->actual_kb[node.id] = node.actual_kb;
    if (xlnuma__get(object, "actual_kb"))
        report->has_actual = true;
    return 0;
}

static int read_extents(const struct place *at, yajl_val object,
                        struct xlnuma__report *report)
{
    yajl_val extents = xlnuma__get(object, "extents");
    char key[16];
    int rc = 0;

    if (!extents || YAJL_IS_NULL(extents))
        return 0;
    if (!YAJL_IS_OBJECT(extents))
        return xlnuma__bad_key(at, "extents", " is neither an object nor null");
    for (unsigned order = 0; !rc && order < XLNUMA__ORDERS; order++) {
        yajl_val value;

        snprintf(key, sizeof(key), "%u", order);
        value = xlnuma__get(extents, key);
        if (value)
            rc = xlnuma__read_number(at, value, "extents", XLNUMA__KB_MAX,
                                     &report->nr_extents[order]);
    }
    return rc;
}

static int read_distance(const struct place *at, yajl_val object,
                         double *distance_r)
{
    yajl_val value = xlnuma__get(object, "expected_distance");

    *distance_r = 0;
    if (!value || YAJL_IS_NULL(value))
        return 0;
    if (!YAJL_IS_DOUBLE(value) ||
        !(YAJL_GET_DOUBLE(value) >= XLNUMA_DISTANCE_LOCAL &&
          YAJL_GET_DOUBLE(value) <= XLNUMA_DISTANCE_UNREACHABLE))
        return xlnuma__bad_key(at, "expected_distance",
                               " is neither a number from 10 to 255 nor null");
    *distance_r = YAJL_GET_DOUBLE(value);
    return 0;
}

/* --- the nodes that a guest sees */

static const struct field vnode_fields[] = {
#define VNODE(kind, member, key, max)                                          \
    FIELD(kind, struct xlnuma__vnode_report, member, key, max)
    VNODE(NUMBER, node, "node", XLNUMA_NODES_MAX - 1),
    VNODE(NUMBER, planned_kb, "planned_kb", XLNUMA__KB_MAX),
    VNODE(NUMBER, actual_kb, "actual_kb", XLNUMA__KB_MAX),
    VNODE(SOME_NUMBER, elsewhere_kb, "elsewhere_kb", XLNUMA__KB_MAX),
    VNODE(SOME_TEXT, text.vcpus, "vcpus", 0),
    VNODE(SOME_TEXT, text.ranges, "ranges", 0),
    VNODE(SOME_TEXT, text.distances, "distances", 0),
#undef VNODE
    { NULL },
};

static int read_vnode(const struct place *at, yajl_val object, size_t i,
                      void *to)
{
    struct xlnuma__report *report = to;
    struct xlnuma__vnode_report *vnode = &report->vnode[i];
    int rc = xlnuma__read_fields(at, object, vnode_fields, vnode);

    if (!rc && !xlnuma_nodeset_has(at->host->nodes, vnode->node))
        rc = xlnuma__bad_key(at, "node", ": the host has no node %u",
                             vnode->node);
    report->nr_vnodes = (unsigned)i + 1;
    return rc;
}

/* --- vCPUs */

/* A list of CPUs, kept as we write one. Ownership: the caller's. */
static int read_cpus(const struct place *at, yajl_val object, const char *key,
                     char **list_r)
{
    yajl_val value = xlnuma__get(object, key);
    char message[XLNUMA_MESSAGE_SIZE], list[XLNUMA__LIST_SIZE];
    xlnuma_cpuset cpus;

    if (!YAJL_IS_STRING(value))
        return xlnuma__bad_key(at, key, " is not a string");
    if (xlnuma_cpuset_parse(YAJL_GET_STRING(value), &cpus, message))
        return xlnuma__bad_key(at, key, ": %s", message);
    *list_r = strdup(xlnuma_cpuset_format(&cpus, list, sizeof(list)));
    return *list_r ? 0
                   : xlnuma__fail(at->message, XLNUMA_ERR_NOMEM,
                                  "%s: out of memory", at->name);
}

static int read_state(const struct place *at, yajl_val object,
                      struct xlnuma__vcpu *vcpu)
{
    const char *state = YAJL_GET_STRING(xlnuma__get(object, "state"));

    return state && xlnuma__from_name(xlnuma__vcpu_states, state, &vcpu->state)
               ? 0
               : xlnuma__bad_key(at, "state",
                                 " is none of \"running\", \"waiting\", "
                                 "\"blocked\" and \"offline\"");
}

/* The CPU of one that is online, and the node that this is on. */
static int read_cpu(const struct place *at, yajl_val object,
                    struct xlnuma__vcpu *vcpu)
{
    uint64_t cpu;
    unsigned node;
    int rc;

    vcpu->node = -1;
    if (vcpu->state == XLNUMA__VCPU_OFFLINE)
        return 0;
    rc = xlnuma__read_number(at, xlnuma__get(object, "cpu"), "cpu",
                             XLNUMA_CPUS_MAX - 1, &cpu);
    vcpu->cpu = (uint32_t)cpu;
    XLNUMA_FOR_EACH_NODE(node, at->host->nodes)
        if (xlnuma_cpuset_has(&at->host->node[node].cpus, vcpu->cpu))
            vcpu->node = (int)node;
    return rc;
}

static int read_vcpu(const struct place *at, yajl_val object, size_t i,
                     void *to)
{
    struct xlnuma__vcpu *vcpu = &((struct xlnuma__vcpus *)to)->vcpu[i];
    uint64_t id;
    int rc;

    if (!YAJL_IS_OBJECT(object))
        return xlnuma__bad_key(at, "", " is not an object");
    rc = xlnuma__read_number(at, xlnuma__get(object, "id"), "id", UINT16_MAX,
                             &id);
    if (!rc && id != i)
        rc = xlnuma__bad_key(at, "id", " is not %zu, its place in the list", i);
    if (!rc)
        rc = read_state(at, object, vcpu);
    if (!rc)
        rc = read_cpu(at, object, vcpu);
    if (!rc)
        rc = xlnuma__read_number(at, xlnuma__get(object, "time_ns"), "time_ns",
                                 INT64_MAX, &vcpu->time_ns);
    if (!rc)
        rc = read_cpus(at, object, "hard_cpus", &vcpu->hard);
    return rc ? rc : read_cpus(at, object, "soft_cpus", &vcpu->soft);
}

/* As one look at them found them. */
static int read_vcpus(const struct place *at, yajl_val object,
                      struct xlnuma__vcpus *vcpus)
{
    yajl_val array = xlnuma__get(object, "vcpu");

    if (YAJL_IS_ARRAY(array)) {
        size_t nr = YAJL_GET_ARRAY(array)->len;

        vcpus->vcpu = calloc(nr + 1, sizeof(*vcpus->vcpu));
        if (!vcpus->vcpu)
            return xlnuma__fail(at->message, XLNUMA_ERR_NOMEM,
                                "%s: out of memory", at->name);
        vcpus->nr = (unsigned)nr;
        vcpus->nr_looks = 1;
    }
    return xlnuma__read_array(at, object, "vcpu", SIZE_MAX, read_vcpu, vcpus);
}

/* --- guests */

#define GUEST(kind, member, key, max)                                          \
    FIELD(kind, struct xlnuma__guest, member, key, max)

static const struct field guest_fields[] = {
    GUEST(SOME_TEXT, name, "name", 0),
    GUEST(NUMBER, domid, "id", UINT16_MAX),
    GUEST(NUMBER, memory_kb, "memory_kb", XLNUMA__KB_MAX),
    GUEST(NUMBER, nr_vcpus, "vcpus", UINT16_MAX),
    GUEST(SOME_NODES, affinity, "node_affinity", 0),
    GUEST(SOME_CPUS, pool_cpus, "pool_cpus", 0),
    GUEST(SOME_CPUS, dedicated, "dedicated_cpus", 0),
    { NULL },
};

static const struct field report_fields[] = {
    GUEST(SOME_NODES, report.nodes, "node_list", 0),
    GUEST(SOME_TEXT, report.policy, "policy", 0),
    GUEST(SOME_TEXT, report.memory, "memory", 0),
    GUEST(SOME_TEXT, report.status, "status", 0),
    GUEST(SOME_TEXT, report.soft_cpus, "soft_cpus", 0),
    GUEST(SOME_TEXT, report.hard_cpus, "hard_cpus", 0),
    GUEST(SOME_TEXT, report.emulator_vcpus, "emulator_vcpus", 0),
    GUEST(SOME_TEXT, report.reason, "reason", 0),
    GUEST(SOME_TEXT, report.vnodes_reason, "guest_nodes_reason", 0),
    { NULL },
};

/* The CPU of a vCPU; the report has them as a list. */
static int read_own_cpu(const struct place *at, yajl_val value, size_t i,
                        void *to)
{
    struct xlnuma__report *report = to;
    size_t used = strlen(report->cpus);
    uint64_t cpu;
    int rc = xlnuma__read_number(at, value, "", XLNUMA_CPUS_MAX - 1, &cpu);

    if (used + 8 < sizeof(report->cpus))
        sprintf(report->cpus + used, "%s%" PRIu64, i ? "," : "", cpu);
    return rc;
}

static int read_guest(const struct place *at, yajl_val object, size_t i,
                      void *to)
{
    struct xlnuma__guest *guest = xlnuma__guests_add(to);
    int rc;

    (void)i;
    if (!guest)
        return xlnuma__fail(at->message, XLNUMA_ERR_NOMEM, "%s: out of memory",
                            at->name);
    rc = xlnuma__read_fields(at, object, guest_fields, guest);
    if (!rc)
        rc = xlnuma__read_fields(at, object, report_fields, guest);
    if (!rc)
        rc = xlnuma__read_array(at, object, "nodes", SIZE_MAX, read_guest_node,
                                &guest->report);
    if (!rc)
        rc = xlnuma__read_array(at, object, "cpus", XLNUMA_CPUS_MAX,
                                read_own_cpu, &guest->report);
    if (!rc)
        rc = read_extents(at, object, &guest->report);
    if (!rc)
        rc = xlnuma__read_array(at, object, "guest_nodes",
                                XLNUMA_GUEST_NODES_MAX, read_vnode,
                                &guest->report);
    if (!rc)
        rc = read_distance(at, object, &guest->report.expected_distance);
    if (!rc)
        rc = read_vcpus(at, object, &guest->vcpus);
    guest->has_report = *guest->report.status;
    return rc;
}

int xlnuma__guests_parse(struct xlnuma__guests *guests_r,
                         const struct place *place, yajl_val root)
{
    const struct place dom0_place = { place->name, place->message, place->host,
                                      XLNUMA__DOM0_KEY };
    yajl_val dom0 = xlnuma__get(root, XLNUMA__DOM0_KEY);
    int rc = 0;

    if (dom0 && !YAJL_IS_NULL(dom0))
        rc = read_guest(&dom0_place, dom0, 0, guests_r);
    if (!rc && guests_r->nr && !xlnuma__is_dom0(guests_r->guest))
        rc = xlnuma__bad_key(&dom0_place, "id", " is not 0");
    return rc ? rc
              : xlnuma__read_array(place, root, "guests", SIZE_MAX, read_guest,
                                   guests_r);
}

/* --- writing -------------------------------------------------------------- */

void xlnuma__report_nodes_generate(const struct xlnuma__report *report,
                                   yajl_gen gen)
{
    unsigned node;

    yajl_gen_array_open(gen);
    XLNUMA_FOR_EACH_NODE(node, xlnuma__report_nodes(report)) {
        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", node);
        xlnuma__json_key_number(gen, "planned_kb", report->planned_kb[node]);
        if (report->has_actual)
            xlnuma__json_key_number(gen, "actual_kb", report->actual_kb[node]);
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
        xlnuma__json_key_number(gen, "id", n);
        xlnuma__json_key_number(gen, "node", vnode->node);
        xlnuma__json_key_number(gen, "planned_kb", vnode->planned_kb);
        xlnuma__json_key_number(gen, "actual_kb", vnode->actual_kb);
        xlnuma__json_key_number(gen, "elsewhere_kb", vnode->elsewhere_kb);
        xlnuma__json_key_string(gen, "vcpus", vnode->text.vcpus);
        xlnuma__json_key_string(gen, "ranges", vnode->text.ranges);
        xlnuma__json_key_string(gen, "distances", vnode->text.distances);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void put_extents(yajl_gen gen, const struct xlnuma__report *report)
{
    xlnuma__json_key_map(gen, "extents");
    for (unsigned order = 0; order < XLNUMA__ORDERS; order++) {
        char key[16];

        snprintf(key, sizeof(key), "%u", order);
        if (report->nr_extents[order])
            xlnuma__json_key_number(gen, key, report->nr_extents[order]);
    }
    yajl_gen_map_close(gen);
}

void xlnuma__report_cpus_generate(const struct xlnuma__report *report,
                                  yajl_gen gen)
{
    const char *here = report->cpus;

    yajl_gen_array_open(gen);
    while (*here) {
        char *end;

        yajl_gen_integer(gen, (long long)strtoul(here, &end, 10));
        here = *end == ',' ? end + 1 : "";
    }
    yajl_gen_array_close(gen);
}

static void put_report(yajl_gen gen, const struct xlnuma__report *report)
{
    xlnuma__json_key(gen, "nodes");
    xlnuma__report_nodes_generate(report, gen);
    if (report->has_actual)
        put_extents(gen, report);
    if (report->expected_distance > 0)
        xlnuma__json_key_distance(gen, "expected_distance",
                                  report->expected_distance);
    if (*report->cpus) {
        xlnuma__json_key(gen, "cpus");
        xlnuma__report_cpus_generate(report, gen);
    }
    if (!report->nr_vnodes)
        return;
    xlnuma__json_key(gen, "guest_nodes");
    xlnuma__report_vnodes_generate(report, gen);
}

static void put_vcpus(yajl_gen gen, const struct xlnuma__vcpus *vcpus)
{
    xlnuma__json_key_array(gen, "vcpu");
    for (unsigned i = 0; i < vcpus->nr; i++) {
        const struct xlnuma__vcpu *vcpu = &vcpus->vcpu[i];

        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", i);
        xlnuma__json_key_string(gen, "state", xlnuma__vcpu_states[vcpu->state]);
        if (vcpu->state != XLNUMA__VCPU_OFFLINE)
            xlnuma__json_key_number(gen, "cpu", vcpu->cpu);
        xlnuma__json_key_string(gen, "hard_cpus", vcpu->hard);
        xlnuma__json_key_string(gen, "soft_cpus", vcpu->soft);
        xlnuma__json_key_number(gen, "time_ns", vcpu->time_ns);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void put_guest(yajl_gen gen, const struct xlnuma__guest *guest)
{
    yajl_gen_map_open(gen);
    xlnuma__write_fields(gen, guest_fields, guest);
    if (guest->has_report) {
        xlnuma__write_fields(gen, report_fields, guest);
        put_report(gen, &guest->report);
    }
    if (guest->vcpus.nr)
        put_vcpus(gen, &guest->vcpus);
    yajl_gen_map_close(gen);
}

void xlnuma__guests_generate(const struct xlnuma__guests *guests, yajl_gen gen)
{
    const struct xlnuma__guest *dom0 = NULL;

    xlnuma__json_key_array(gen, "guests");
    for (unsigned i = 0; i < guests->nr; i++)
        if (xlnuma__is_dom0(&guests->guest[i]))
            dom0 = &guests->guest[i];
        else
            put_guest(gen, &guests->guest[i]);
    yajl_gen_array_close(gen);
    if (!dom0)
        return;
    xlnuma__json_key(gen, XLNUMA__DOM0_KEY);
    put_guest(gen, dom0);
}
