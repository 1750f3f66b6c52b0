/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moments: a domain is built, and libxl stores its configuration. Affinities follow
 * memory that is not where it was planned; one line of log, and the report in xenstore.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The nodes that hold memory of the domain, strays aside. */
static xlnuma_nodeset actual_nodes(const struct build *build)
{
    xlnuma_nodeset nodes = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (build->extents.done_kb[i] >= XLNUMA__STRAY_KB)
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
    xlnuma__mib(xlnuma__build_off_plan_kb(build), off);
    if (!build->stock_kb && actual) {
        has_followed = !xlnuma__build_follow(build, actual, message);
        if (!has_followed)
            xlnuma__build_say(build, XTL_WARN, "%s", message);
    }
    if (!has_followed && xlnuma__build_unpin(build, message))
        xlnuma__build_say(build, XTL_WARN, "%s", message);
    snprintf(build->outcome.reason, sizeof(build->outcome.reason),
             "planned on nodes %s, but %s are elsewhere: Xen did not give "
             "them there%s%s",
             planned, off,
             has_followed ? "; the affinities follow to nodes " : "",
             has_followed ? xlnuma_nodeset_format(actual, nodes, sizeof(nodes))
                          : "");
    if (build->phase != PHASE_STOPPED)
        xlnuma__build_say(build, XTL_WARN, "%s", build->outcome.reason);
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
        xlnuma__build_say(build, XTL_WARN, "%s", build->outcome.reason);
}

/* It keeps seeing nodes, which are not where they should be. */
static void degrade_kept(struct build *build)
{
    snprintf(build->outcome.reason, sizeof(build->outcome.reason),
             "the guest keeps the nodes that it was built with, but its memory "
             "is placed without regard to them: %s",
             build->vnodes_reason);
    xlnuma__build_say(build, XTL_WARN, "%s", build->outcome.reason);
}

/* "2150+2150": MiB on each node, or planned there. */
static char *format_memory(const struct build *build, char *buf, size_t size)
{
    const uint64_t *kb = xlnuma__build_knows_memory(build)
                             ? build->extents.done_kb
                             : build->plan->memory_kb;
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
    char nodes[XLNUMA__NODES_WORDS], memory[256];

    if (xlnuma__build_is_quiet())
        return;
    xlnuma__build_say(build, XTL_INFO, "%s, %s MiB%s, expected distance %.2f",
                      xlnuma__nodes_in_words(build->plan->nodes, nodes),
                      format_memory(build, memory, sizeof(memory)),
                      xlnuma__build_knows_memory(build) ? "" : " planned",
                      build->plan->expected_distance);
}

static void write_report(const struct build *build, struct xs_handle *xs)
{
    struct xlnuma__report *report = malloc(sizeof(*report));
    char message[XLNUMA_MESSAGE_SIZE];

    if (report)
        xlnuma__build_report(build, report);
    if (xlnuma__report_write(xs, build->domid, report, message))
        xlnuma__build_say(build, XTL_WARN,
                          "%s: the domain is built, "
                          "but \"xl numa-placement\" does not know how",
                          message);
    free(report);
}

static void make_report(struct build *build, struct xs_handle *xs)
{
    if (build->plan)
        xlnuma__vnuma_built(build);
    if (build->plan && xlnuma__build_off_plan_kb(build) >= XLNUMA__STRAY_KB) {
        build->outcome.status = XLNUMA__BUILT_DEGRADED;
        degrade(build);
    } else if (build->plan &&
               xlnuma__vnuma_stray_kb(build) >= XLNUMA__STRAY_KB) {
        build->outcome.status = XLNUMA__BUILT_DEGRADED;
        degrade_vnodes(build);
    } else if (build->plan && build->has_kept_nodes && !build->vnuma) {
        build->outcome.status = XLNUMA__BUILT_DEGRADED;
        degrade_kept(build);
    } else if (build->plan) {
        build->outcome.status = xlnuma__build_knows_memory(build)
                                    ? XLNUMA__BUILT_PLACED
                                    : XLNUMA__BUILT_PLANNED;
        log_placed(build);
    }
    xlnuma__build_choose_emulator(build);
    write_report(build, xs);
}

void xlnuma__on_built(struct build *build, struct xs_handle *xs)
{
    xlnuma__build_progress_end(build);
    if (build->source == MEMORY_HELPERS)
        xlnuma__build_take_over(build, xs);
    if (build->phase != PHASE_BEGUN)
        make_report(build, xs);
    xlnuma__keep_add(build);
    if (build->plan && build->stubdom_kb) {
        build->phase = PHASE_WAITING;
        xlnuma__build_add(build);
        return;
    }
    xlnuma__build_free(build);
}

void xlnuma__on_stored(libxl_domain_config *config)
{
    xlnuma__keep_put(config);
}
