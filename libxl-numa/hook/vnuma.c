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

/* The guest sees one node, and its vCPUs run on all of the plan's CPUs. */
void xlnuma__vnuma_give_up(struct build *build, const char *why)
{
    char message[XLNUMA_MESSAGE_SIZE];

    snprintf(build->vnodes_reason, sizeof(build->vnodes_reason), "%s", why);
    xlnuma__vnuma_free(build->vnuma);
    build->vnuma = NULL;
    xlnuma__build_say(build, XTL_WARN,
                      "numa_guest_nodes: %s: the guest sees one node", why);
    if (xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, build->plan,
                      build->owns_vcpus, NULL, message))
        xlnuma__build_say(build, XTL_WARN, "%s", message);
}

void xlnuma__vnuma_begin(struct build *build)
{
    snprintf(build->vnodes_reason, sizeof(build->vnodes_reason), "%s",
             build->plan->vnodes_reason);
    if (!build->plan->nr_guest_nodes)
        return;
    build->vnuma = calloc(1, sizeof(*build->vnuma));
    if (!build->vnuma)
        xlnuma__vnuma_give_up(build, "out of memory");
    else
        xlnuma__vnuma_affinities(build);
}

/* Each vCPU's soft affinity is the CPUs of its node, and those lent to it. */
void xlnuma__vnuma_affinities(struct build *build)
{
    const struct xlnuma_plan *plan = build->plan;
    char message[XLNUMA_MESSAGE_SIZE];

    for (unsigned n = 0; build->vnuma && n < plan->nr_guest_nodes; n++) {
        const struct xlnuma_guest_node *node = &plan->guest_node[n];

        for (unsigned v = 0; v < build->nr_vcpus; v++)
            if (xlnuma__vnode_has_vcpu(node, v) &&
                xlnuma__apply_vcpu(build->ctx, build->domid, v, &node->cpus,
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
    if (build->vnuma && !build->vnuma->tables)
        xlnuma__vnuma_give_up(build,
                              "libxl made no ACPI tables as they are known");
}

/* --- memory by address ---------------------------------------------------- */

static const struct xlnuma__vrange *range_of(const struct vnuma *vnuma,
                                             uint64_t address)
{
    for (unsigned i = 0; i < vnuma->nr_ranges; i++)
        if (address >= vnuma->range[i].start && address < vnuma->range[i].end)
            return &vnuma->range[i];
    return NULL;
}

int xlnuma__vnuma_next(const struct build *build, unsigned order,
                       const xen_pfn_t *extent, unsigned long *nr_r)
{
    const struct vnuma *vnuma = build->vnuma;
    const struct xlnuma__vrange *range;
    unsigned long run = 1;
    unsigned node;

    if (!vnuma || !vnuma->nr_ranges)
        return VNUMA_ANY;
    range = range_of(vnuma, (uint64_t)*extent * PAGE);
    while (run < *nr_r &&
           range_of(vnuma, (uint64_t)extent[run] * PAGE) == range)
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
    node = build->plan->guest_node[range->vnode].node;
    if (order < build->extents.failed_order[node])
        return (int)node;
    return order ? -1 : VNUMA_ANY; /* it has no page any more */
}

void xlnuma__vnuma_done(struct build *build, xen_pfn_t first, unsigned node,
                        uint64_t kb)
{
    struct vnuma *vnuma = build->vnuma;
    const struct xlnuma__vrange *range =
        vnuma ? range_of(vnuma, (uint64_t)first * PAGE) : NULL;

    if (range && build->plan->guest_node[range->vnode].node == node)
        vnuma->done_kb[range->vnode] += kb;
}

uint64_t xlnuma__vnuma_actual_kb(const struct build *build, unsigned vnode)
{
    return build->vnuma ? build->vnuma->done_kb[vnode] : 0;
}

/* The VGA's part of an HVM guest's first node is no memory. */
uint64_t xlnuma__vnuma_stray_kb(const struct build *build)
{
    uint64_t kb = 0;

    for (unsigned n = 0; build->vnuma && n < build->plan->nr_guest_nodes; n++)
        kb += build->plan->guest_node[n].memory_kb - build->vnuma->done_kb[n];
    return kb;
}

char *xlnuma__vnuma_format_ranges(const struct build *build, unsigned vnode,
                                  char *buf, size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (unsigned i = 0; build->vnuma && i < build->vnuma->nr_ranges; i++) {
        const struct xlnuma__vrange *range = &build->vnuma->range[i];

        if (range->vnode == vnode && used < size)
            used += (size_t)snprintf(buf + used, size - used,
                                     "%s0x%" PRIx64 "-0x%" PRIx64,
                                     used ? "," : "", range->start, range->end);
    }
    return buf;
}
