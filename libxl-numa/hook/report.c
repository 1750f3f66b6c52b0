/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done when a domain is built: affinities follow memory that is not
 * where it was planned; one line of log, and the report in xenstore.
 */
#include "xen/report.h"
#include "hook/build.h"
#include "vnodes/vnodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Below this a node does not count as holding guest memory: Xen's own
 * structures for a domain can be counted as its pages.
 */
#define STRAY_KB (4096 * PAGE_KB)

/* KiB that are not on the plan's nodes, as far as we put them there. */
static uint64_t off_plan_kb(const struct build *build)
{
    uint64_t kb = build->stock_kb;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (!xlnuma_nodeset_has(build->plan->nodes, i))
            kb += build->extents.done_kb[i];
    return kb;
}

/* Do we know where its memory is? Not if nobody told us of a restored one. */
static bool knows_memory(const struct build *build)
{
    uint64_t kb = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        kb += build->extents.done_kb[i];
    return kb && build->source != MEMORY_UNSEEN;
}

static const char *const status_names[] = {
    [BUILD_PLACED] = "placed",     [BUILD_PLANNED] = "planned",
    [BUILD_DEGRADED] = "degraded", [BUILD_UNPLACED] = "unplaced",
    [BUILD_OFF] = "off",           [BUILD_FAILED] = "failed",
};

void xlnuma__build_memory(const struct build *build,
                          struct xlnuma__report *report)
{
    memset(report, 0, sizeof(*report));
    report->has_actual = knows_memory(build);
    memcpy(report->actual_kb, build->extents.done_kb,
           sizeof(report->actual_kb));
    memcpy(report->nr_extents, build->extents.nr, sizeof(report->nr_extents));
}

static void report_vnodes(const struct build *build,
                          struct xlnuma__report *report)
{
    const struct xlnuma_plan *plan = build->plan;

    report->nr_vnodes = build->vnuma ? plan->nr_guest_nodes : 0;
    memcpy(report->vnodes_reason, build->vnodes_reason,
           sizeof(report->vnodes_reason));
    for (unsigned n = 0; n < report->nr_vnodes; n++) {
        struct xlnuma__vnode_report *vnode = &report->vnode[n];

        vnode->node = plan->guest_node[n].node;
        vnode->planned_kb = plan->guest_node[n].memory_kb;
        vnode->actual_kb = xlnuma__vnuma_actual_kb(build, n);
        xlnuma__vnode_format_vcpus(&plan->guest_node[n], vnode->vcpus,
                                   sizeof(vnode->vcpus));
        xlnuma__vnuma_format_ranges(build, n, vnode->ranges,
                                    sizeof(vnode->ranges));
    }
}

/* Where the domain is to be, or is instead. */
static void report_plan(const struct build *build,
                        struct xlnuma__report *report)
{
    const struct xlnuma_plan *plan =
        build->actual ? build->actual : build->plan;

    report->nodes = plan->nodes;
    report->expected_distance = plan->expected_distance;
    xlnuma_cpuset_format(&plan->soft_cpus, report->soft_cpus,
                         sizeof(report->soft_cpus));
    if (build->has_hard)
        xlnuma_cpuset_format(&plan->hard_cpus, report->hard_cpus,
                             sizeof(report->hard_cpus));
    memcpy(report->planned_kb, plan->memory_kb, sizeof(report->planned_kb));
    report_vnodes(build, report);
    if (build->source == MEMORY_HELPERS) { /* which has no host to rank */
        report->nr_others = build->extents.nr_ranked;
        memcpy(report->other, build->extents.rank, sizeof(report->other));
    }
}

void xlnuma__build_report(const struct build *build,
                          struct xlnuma__report *report)
{
    xlnuma__build_memory(build, report);
    snprintf(report->policy, sizeof(report->policy), "%s",
             xlnuma_policy_name(build->request.policy));
    snprintf(report->memory, sizeof(report->memory), "%s",
             xlnuma_memory_name(build->request.memory));
    snprintf(report->status, sizeof(report->status), "%s",
             status_names[build->outcome.status]);
    snprintf(report->reason, sizeof(report->reason), "%s",
             build->outcome.reason);
    if (build->plan)
        report_plan(build, report);
}

/* The nodes that hold memory of the domain, strays aside. */
static xlnuma_nodeset actual_nodes(const struct build *build)
{
    xlnuma_nodeset nodes = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (build->extents.done_kb[i] >= STRAY_KB)
            nodes |= (xlnuma_nodeset)1 << i;
    return nodes;
}

/*
 * Say in log and report that memory is not where it was planned. The affinities
 * follow it, where we know where that is.
 */
static void degrade(struct build *build)
{
    char planned[64], nodes[64], off[32], message[XLNUMA_MESSAGE_SIZE];
    xlnuma_nodeset actual = actual_nodes(build);
    bool has_followed = false;

    xlnuma_nodeset_format(build->plan->nodes, planned, sizeof(planned));
    xlnuma__mib(off_plan_kb(build), off);
    if (!build->stock_kb && actual) {
        has_followed = !xlnuma__build_follow(build, actual, message);
        if (!has_followed)
            LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
                build->request.name, message);
    }
    if (!has_followed && xlnuma__build_unpin(build, message))
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, message);
    snprintf(build->outcome.reason, sizeof(build->outcome.reason),
             "planned on nodes %s, but %s are elsewhere: Xen did not give "
             "them there%s%s",
             planned, off,
             has_followed ? "; the affinities follow to nodes " : "",
             has_followed ? xlnuma_nodeset_format(actual, nodes, sizeof(nodes))
                          : "");
    if (build->phase != PHASE_STOPPED)
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, build->outcome.reason);
}

/* Its memory is on the plan's nodes, but not where its address says. */
static void degrade_vnodes(struct build *build)
{
    char stray[32];

    snprintf(build->outcome.reason, sizeof(build->outcome.reason),
             "%s of the guest's nodes are not on the nodes that they were "
             "planned on: Xen did not give them there",
             xlnuma__mib(xlnuma__vnuma_stray_kb(build), stray));
    if (build->phase != PHASE_STOPPED)
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, build->outcome.reason);
}

/* "2150+2150": MiB on each node, or planned there. */
static char *format_memory(const struct build *build, char *buf, size_t size)
{
    const uint64_t *kb =
        knows_memory(build) ? build->extents.done_kb : build->plan->memory_kb;
    size_t used = 0;
    unsigned i;

    *buf = '\0';
    XLNUMA_FOR_EACH_NODE(i, build->plan->nodes) {
        int n = snprintf(buf + used, size - used, "%s%" PRIu64, used ? "+" : "",
                         kb[i] / 1024);

        if (n < 0 || (size_t)n >= size - used)
            break;
        used += (size_t)n;
    }
    return buf;
}

static void log_placed(const struct build *build)
{
    xlnuma_nodeset set = build->plan->nodes;
    char nodes[64], memory[256];

    if (xlnuma__build_is_quiet())
        return;
    LOG(build, INFO,
        "domain %" PRIu32 " (%s): node%s %s, %s MiB%s, expected "
        "distance %.2f",
        build->domid, build->request.name,
        xlnuma_nodeset_count(set) == 1 ? "" : "s",
        xlnuma_nodeset_format(set, nodes, sizeof(nodes)),
        format_memory(build, memory, sizeof(memory)),
        knows_memory(build) ? "" : " planned", build->plan->expected_distance);
}

static void make_report(struct build *build, struct xs_handle *xs)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];

    if (build->plan)
        xlnuma__vnuma_built(build);
    if (build->plan && off_plan_kb(build) >= STRAY_KB) {
        build->outcome.status = BUILD_DEGRADED;
        degrade(build);
    } else if (build->plan && xlnuma__vnuma_stray_kb(build) >= STRAY_KB) {
        build->outcome.status = BUILD_DEGRADED;
        degrade_vnodes(build);
    } else if (build->plan) {
        build->outcome.status =
            knows_memory(build) ? BUILD_PLACED : BUILD_PLANNED;
        log_placed(build);
    }
    xlnuma__build_report(build, &report);
    if (xlnuma__report_write(xs, build->domid, &report, message))
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): %s: the domain is built, "
            "but \"xl numa-placement\" does not know how",
            build->domid, build->request.name, message);
}

void xlnuma__build_built(struct xs_handle *xs, uint32_t domid)
{
    struct build *build = xlnuma__build_take(domid);

    if (!build) {
        xlnuma__reset_built(xs, domid);
        return;
    }
    xlnuma__build_progress_end(build);
    if (build->source == MEMORY_HELPERS)
        xlnuma__build_take_over(build, xs);
    if (build->phase != PHASE_BEGUN)
        make_report(build, xs);
    if (build->plan && build->stubdom_kb) {
        build->phase = PHASE_WAITING;
        xlnuma__build_add(build);
        return;
    }
    xlnuma__build_free(build);
}
