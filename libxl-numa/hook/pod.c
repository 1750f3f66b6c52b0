/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moment: Xen sets memory aside for a guest that is populated on demand
 * (memory < maxmem). Xen takes it itself, and all that we have is the domain's
 * node affinity: so we let it take one node's share after the other, with that
 * node alone in the affinity.
 *
 * For a 2 MiB extent Xen prefers clean memory of another node to dirty memory
 * of the right one (page_alloc.c, get_free_buddy()); pages it takes from the
 * right one either way. The node's free memory tells what happened; once it has
 * no clean 2 MiB extents left we ask for pages.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SUPERPAGE_PAGES 512
#define STEP_PAGES (16 * SUPERPAGE_PAGES) /* at risk when a node runs dry */

struct pod {
    struct build *build;
    const struct xlnuma__next *next;
    xc_interface *xch;
    uint64_t done_pages;
    uint64_t free_kb[XLNUMA_NODES_MAX]; /* before the first step */
};

/* Zero when Xen does not say: then the node seems to give nothing. */
static uint64_t node_free_kb(const struct pod *pod, unsigned node)
{
    uint64_t bytes;

    return xc_availheap(pod->xch, 0, 0, (int)node, &bytes) ? 0 : bytes / 1024;
}

static xlnuma_nodeset all_nodes(const struct build *build)
{
    xlnuma_nodeset nodes = build->extents.planned;

    for (unsigned i = 0; i < build->extents.nr_ranked; i++)
        nodes |= (xlnuma_nodeset)1 << build->extents.rank[i];
    return nodes;
}

/* Until so many pages are set aside, from one node. Returns what Xen returns. */
static int fill(struct pod *pod, unsigned node, uint64_t upto_pages)
{
    uint64_t step = SUPERPAGE_PAGES;
    bool has_superpages = true;

    while (pod->done_pages < upto_pages) {
        uint64_t before_kb = node_free_kb(pod, node);
        int r;

        if (step > upto_pages - pod->done_pages)
            step = upto_pages - pod->done_pages;
        r = pod->next->set_pod_target(pod->xch, pod->build->domid,
                                      pod->done_pages + step, NULL, NULL, NULL);
        if (r)
            return r;
        pod->done_pages += step;
        xlnuma__reservation_taken(&pod->build->reservation, node,
                                  step * PAGE_KB);
        if (has_superpages &&
            node_free_kb(pod, node) + step * PAGE_KB / 2 > before_kb)
            has_superpages = false;
        if (!has_superpages)
            step = SUPERPAGE_PAGES - 1;
        else if (step < STEP_PAGES)
            step *= 2;
    }
    return 0;
}

/* "node 2 gave 400 MiB, node 3 400 MiB", as far as free memory tells. */
static void format_given(const struct pod *pod, char *buf, size_t size)
{
    size_t used = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, all_nodes(pod->build)) {
        uint64_t free_kb = node_free_kb(pod, i);
        uint64_t given_kb =
            pod->free_kb[i] > free_kb ? pod->free_kb[i] - free_kb : 0;

        if (given_kb >= 1024 && used < size)
            used += (size_t)snprintf(
                buf + used, size - used, "%s node %u%s %" PRIu64 " MiB",
                used ? "," : "", i, used ? "" : " gave", given_kb / 1024);
    }
}

/* One node after the other, each its share; Xen may be left with some of it. */
static void fill_nodes(struct pod *pod, uint64_t target_pages)
{
    struct build *build = pod->build;
    uint64_t share_kb = 0, share_pages;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, build->extents.planned) {
        share_kb += build->extents.planned_kb[i];
        share_pages = (uint64_t)((xlnuma__u128)target_pages * share_kb /
                                 build->extents.total_kb);
        errno = 0;
        if (!xlnuma__apply_nodes(build->ctx, build->domid,
                                 (xlnuma_nodeset)1 << i) &&
            !fill(pod, i, share_pages / SUPERPAGE_PAGES * SUPERPAGE_PAGES))
            continue;
        xlnuma__build_say(build, XTL_WARN,
                          "memory of node %u%s%s: the rest of its "
                          "memory is left to Xen",
                          i, errno ? ": " : "", errno ? strerror(errno) : "");
        return;
    }
}

/* It would have one node for good, so this is tried twice. Returns 0 or not. */
static int give_affinity_back(const struct build *build)
{
    int r = 1;

    for (int i = 0; i < 2 && r; i++)
        r = xlnuma__apply_nodes(build->ctx, build->domid,
                                build->plan->memory_nodes);
    return r;
}

void xlnuma__on_pod(struct build *build, const struct xlnuma__next *next,
                    xc_interface *xch, uint64_t target_pages)
{
    struct pod pod = { .build = build, .next = next, .xch = xch };
    char given[256] = "";
    unsigned i;

    if (build->phase != PHASE_STEERED || !build->plan)
        return;
    build->source = MEMORY_UNSEEN;
    XLNUMA_FOR_EACH_NODE(i, all_nodes(build))
        pod.free_kb[i] = node_free_kb(&pod, i);
    fill_nodes(&pod, target_pages);
    if (give_affinity_back(build))
        xlnuma__build_say(build, XTL_WARN,
                          "its node affinity could not be set to "
                          "its planned nodes: look at \"xl list -n\"");
    format_given(&pod, given, sizeof(given));
    snprintf(build->outcome.reason, sizeof(build->outcome.reason),
             "populated on demand: planned, not enforced%s%s",
             *given ? "; by free memory" : "", given);
}
