/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: a guest that sees several nodes: its vCPUs' affinities, and its memory by
 * address. Which nodes these are is the plan's.
 */
#include "hook/services.h"
#include "xen/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnodes/vnodes.h"

#define PAGE 4096u

/* --- begin and end -------------------------------------------------------- */

void xlnuma__vnuma_free(struct vnuma *vnuma)
{
    if (vnuma)
        free(vnuma->tables);
    free(vnuma);
}

void xlnuma__vnuma_give_up(struct build *build, const char *why)
{
    char message[XLNUMA_MESSAGE_SIZE];

    snprintf(build->vnodes_reason, sizeof(build->vnodes_reason), "%s", why);
    xlnuma__vnuma_free(build->vnuma);
    build->vnuma = NULL;
    if (build->source !=
        MEMORY_HELPERS) /* of which it is said when it is built */
        xlnuma__build_say(build, XTL_WARN,
                          "numa_guest_nodes: %s: the guest sees one node", why);
    if (xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, build->plan,
                      xlnuma__build_sets_vcpus(build), NULL, message))
        xlnuma__build_say(build, XTL_WARN, "%s", message);
}

void xlnuma__vnuma_begin(struct build *build, const struct xlnuma_host *host)
{
    snprintf(build->vnodes_reason, sizeof(build->vnodes_reason), "%s",
             build->plan->vnodes_reason);
    if (!build->plan->nr_guest_nodes)
        return;
    build->vnuma = calloc(1, sizeof(*build->vnuma));
    if (!build->vnuma) {
        xlnuma__vnuma_give_up(build, "out of memory");
        return;
    }
    for (unsigned n = 0; n < build->plan->nr_guest_nodes; n++)
        build->vnuma->node[n] = build->plan->guest_node[n].node;
    if (build->request.kept_nodes)
        build->vnuma->layout = *build->request.kept_nodes;
    xlnuma__vnuma_affinities(build, host);
}

/*
 * Each vCPU's soft affinity is the CPUs of its node, and those lent to it. A dedicated
 * CPU is on its vCPU's node already.
 */
void xlnuma__vnuma_affinities(struct build *build,
                              const struct xlnuma_host *host)
{
    const struct xlnuma_plan *plan = build->plan;
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset cpus;

    if (!build->vnuma || !xlnuma__build_sets_vcpus(build))
        return;
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++) {
        xlnuma__vnodes_cpus(host, plan, n, &plan->soft_cpus, &cpus);
        for (unsigned v = 0; v < build->nr_vcpus; v++)
            if (xlnuma__vnode_has_vcpu(&plan->guest_node[n], v) &&
                xlnuma__apply_vcpu(build->ctx, build->domid, v, &cpus,
                                   message)) {
                xlnuma__build_say(build, XTL_WARN,
                                  "%s: the vCPUs of its nodes from "
                                  "%u on run on all of the plan's CPUs",
                                  message, n);
                return;
            }
    }
}

void xlnuma__vnuma_built(struct build *build)
{
    if (build->vnuma && !build->request.kept_nodes && !build->vnuma->tables)
        xlnuma__vnuma_give_up(build,
                              "libxl made no ACPI tables as they are known");
}

/* --- memory by address ---------------------------------------------------- */

static const struct xlnuma__vrange *range_of(const struct vnuma *vnuma,
                                             xen_pfn_t page)
{
    return xlnuma__layout_find(&vnuma->layout, (uint64_t)page * PAGE);
}

int xlnuma__vnuma_next(const struct build *build, unsigned order,
                       const xen_pfn_t *extent, unsigned long *nr_r)
{
    const struct vnuma *vnuma = build->vnuma;
    const struct xlnuma__vrange *range;
    unsigned long run = 1;
    unsigned node;

    if (!vnuma || !vnuma->layout.nr_ranges)
        return VNUMA_ANY;
    range = range_of(vnuma, *extent);
    while (run < *nr_r && range_of(vnuma, extent[run]) == range)
        run++;
    *nr_r = run;
    if (!range)
        return VNUMA_ANY;
    /* The last one may end in another range. */
    while (run &&
           ((uint64_t)extent[run - 1] + (1ul << order)) * PAGE > range->end)
        run--;
    if (!run)
        return -1;
    *nr_r = run;
    node = vnuma->node[range->vnode];
    if (order < build->extents.failed_order[node])
        return (int)node;
    return order ? -1 : VNUMA_ANY; /* it has no page any more */
}

void xlnuma__vnuma_done(struct build *build, xen_pfn_t first, unsigned node,
                        uint64_t kb)
{
    struct vnuma *vnuma = build->vnuma;
    const struct xlnuma__vrange *range = vnuma ? range_of(vnuma, first) : NULL;

    if (!range)
        return;
    if (vnuma->node[range->vnode] == node)
        vnuma->done_kb[range->vnode] += kb;
    else
        vnuma->elsewhere_kb[range->vnode] += kb;
}

uint64_t xlnuma__vnuma_stray_kb(const struct build *build)
{
    uint64_t kb = 0;

    for (unsigned n = 0; build->vnuma && n < XLNUMA_GUEST_NODES_MAX; n++)
        kb += build->vnuma->elsewhere_kb[n];
    return kb;
}

/* --- the report ----------------------------------------------------------- */

void xlnuma__vnuma_report(const struct build *build,
                          struct xlnuma__report *report)
{
    const struct vnuma *vnuma = build->vnuma;

    memcpy(report->vnodes_reason, build->vnodes_reason,
           sizeof(report->vnodes_reason));
    report->nr_vnodes = vnuma ? vnuma->layout.nr : 0;
    for (unsigned n = 0; n < report->nr_vnodes; n++) {
        struct xlnuma__vnode_report *vnode = &report->vnode[n];

        vnode->node = vnuma->node[n];
        vnode->planned_kb = xlnuma__layout_kb(&vnuma->layout, n);
        vnode->actual_kb = vnuma->done_kb[n];
        vnode->elsewhere_kb = vnuma->elsewhere_kb[n];
        xlnuma__layout_format(&vnuma->layout, n, &vnode->text);
    }
}

void xlnuma__vnuma_take_over(struct build *build,
                             const struct xlnuma__report *report)
{
    struct vnuma *vnuma = build->vnuma;
    uint64_t kb = 0;

    for (unsigned n = 0; vnuma && n < report->nr_vnodes; n++) {
        vnuma->done_kb[n] = report->vnode[n].actual_kb;
        vnuma->elsewhere_kb[n] = report->vnode[n].elsewhere_kb;
        kb += vnuma->done_kb[n] + vnuma->elsewhere_kb[n];
    }
    if (vnuma && !kb)
        xlnuma__vnuma_give_up(build,
                              "libxl-save-helper did not place it by address");
}

const char *xlnuma__vnuma_resume(struct build *build,
                                 const struct xlnuma__report *report)
{
    struct vnuma *vnuma;
    const char *why = NULL;

    if (!report->nr_vnodes)
        return NULL;
    vnuma = build->vnuma = calloc(1, sizeof(*vnuma));
    if (!vnuma)
        return "out of memory";
    for (unsigned n = 0; !why && n < report->nr_vnodes; n++) {
        const struct xlnuma__vnode_report *vnode = &report->vnode[n];

        why =
            vnode->node < XLNUMA_NODES_MAX
                ? xlnuma__layout_add(&vnuma->layout, vnode->text.vcpus,
                                     vnode->text.ranges, vnode->text.distances)
                : "there is no such node";
        vnuma->node[n] = vnode->node;
    }
    if (!why)
        why = xlnuma__layout_check(&vnuma->layout);
    if (why) {
        xlnuma__vnuma_free(vnuma);
        build->vnuma = NULL;
    }
    return why;
}
