/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moment: libxenguest asks Xen for a domain's memory. Each extent comes from the node
 * that is furthest behind its share.
 */
#include "hook/moments.h"
#include "hook/services.h"

#include <errno.h>
#include <string.h>

#define PAGES_2M (1ul << ORDER_2M)

/* The policy is strict and the planned nodes do not have the memory. */
static int refuse(struct build *build)
{
    char nodes[XLNUMA__NODES_WORDS];

    xlnuma__build_progress_end(build);
    if (build->phase != PHASE_REFUSED)
        xlnuma__build_say_refused(
            build, "%s ran out of memory while it was built",
            xlnuma__nodes_in_words(build->extents.planned, nodes));
    build->phase = PHASE_REFUSED;
    errno = ENOMEM;
    return -1;
}

/* Xen answered with an error, rather than with fewer extents than asked. */
static void stop(struct build *build, unsigned node, int error)
{
    xlnuma__build_progress_end(build);
    build->phase = build->is_strict ? PHASE_REFUSED : PHASE_STOPPED;
    if (build->is_strict)
        xlnuma__build_say_refused(build, "memory of node %u: %s", node,
                                  strerror(error));
    else
        xlnuma__build_say(
            build, XTL_WARN,
            "memory of node %u: %s: the rest of its memory is left "
            "to libxl",
            node, strerror(error));
}

/*
 * As many of the extents as the plan's nodes have, in order; returns how many.
 * When Xen answers with an error, rather than with fewer extents than asked,
 * the rest of the build is stock libxl's, unless the policy is strict.
 */
static unsigned long steer(struct build *build, const struct xlnuma__next *next,
                           xc_interface *xch, unsigned long nr, unsigned order,
                           unsigned mem_flags, xen_pfn_t *extent)
{
    unsigned long done = 0;

    while (done < nr) {
        unsigned long run = nr - done;
        int node = xlnuma__vnuma_next(build, order, extent + done, &run);
        xen_pfn_t first = extent[done];
        uint64_t low_kb;
        int r;

        if (node == VNUMA_ANY)
            node = xlnuma__extents_next(&build->extents, order, &run);
        if (node < 0)
            break;
        if (order >= ORDER_1G &&
            !xlnuma__build_may_exceed(build, xch, (unsigned)node, order)) {
            xlnuma__extents_failed(&build->extents, (unsigned)node, order);
            continue;
        }
        low_kb = xlnuma__build_low_kb(build, xch, (unsigned)node, order);
        r = next->populate(xch, build->domid, run, order,
                           mem_flags | XENMEMF_exact_node((unsigned)node),
                           extent + done);
        if (r < 0) {
            stop(build, (unsigned)node, errno);
            break;
        }
        r -= (int)xlnuma__build_give_low_back(build, xch, (unsigned)node, order,
                                              low_kb, (unsigned long)r,
                                              extent + done);
        xlnuma__extents_done(&build->extents, (unsigned)node, order,
                             (unsigned long)r);
        xlnuma__reservation_taken(&build->reservation, (unsigned)node,
                                  ((uint64_t)r * PAGE_KB) << order);
        xlnuma__vnuma_done(build, first, (unsigned)node,
                           ((uint64_t)r * PAGE_KB) << order);
        if ((unsigned long)r < run)
            xlnuma__extents_failed(&build->extents, (unsigned)node, order);
        done += (unsigned long)r;
        xlnuma__build_progress(build);
    }
    return done;
}

/* Are the first pages of the list a whole, aligned 2 MiB? */
static bool is_whole_2m(const xen_pfn_t *page, unsigned long nr)
{
    if (nr < PAGES_2M || page[0] % PAGES_2M)
        return false;
    for (unsigned long i = 1; i < PAGES_2M; i++)
        if (page[i] != page[0] + i)
            return false;
    return true;
}

/* How many pages come before the next one that may begin 2 MiB? */
static unsigned long pages_before_2m(const xen_pfn_t *page, unsigned long nr)
{
    unsigned long i = 1;

    while (i < nr && page[i] % PAGES_2M)
        i++;
    return i;
}

/*
 * steer() for single pages, of a guest for which an extent is no more than its
 * first page's number: each whole 2 MiB among them is one extent if a planned
 * node has one. Xen gives exactly the pages that were asked for either way.
 */
static unsigned long steer_joined(struct build *build,
                                  const struct xlnuma__next *next,
                                  xc_interface *xch, unsigned long nr,
                                  unsigned mem_flags, xen_pfn_t *page)
{
    unsigned long done = 0, run, given;

    while (done < nr && build->phase == PHASE_STEERED) {
        bool is_whole = is_whole_2m(page + done, nr - done);

        if (is_whole &&
            steer(build, next, xch, 1, ORDER_2M, mem_flags, page + done)) {
            done += PAGES_2M;
            continue;
        }
        if (build->phase != PHASE_STEERED)
            break;
        run = is_whole ? PAGES_2M : pages_before_2m(page + done, nr - done);
        given = steer(build, next, xch, run, 0, mem_flags, page + done);
        done += given;
        if (given < run)
            break;
    }
    return done;
}

/*
 * What libxl asked for, as it asked; counts what is not steered. libxc's exact
 * call makes the other one, which comes by us again and is to pass.
 */
static int populate_stock(struct build *build, const struct xlnuma__next *next,
                          bool is_exact, xc_interface *xch, uint32_t domid,
                          unsigned long nr, unsigned order, unsigned mem_flags,
                          xen_pfn_t *extent)
{
    int r;

    if (build)
        build->calls_stock = true;
    r = is_exact
            ? next->populate_exact(xch, domid, nr, order, mem_flags, extent)
            : next->populate(xch, domid, nr, order, mem_flags, extent);
    if (!build)
        return r;
    build->calls_stock = false;
    if (r >= 0) {
        uint64_t kb = ((is_exact ? nr : (uint64_t)r) * PAGE_KB) << order;

        build->stock_kb += kb;
        xlnuma__build_reserved_taken(build, kb);
    }
    return r;
}

int xlnuma__on_memory(struct build *build, const struct xlnuma__next *next,
                      bool is_exact, xc_interface *xch, uint32_t domid,
                      unsigned long nr, unsigned order, unsigned mem_flags,
                      xen_pfn_t *extent)
{
    bool names_node = XENMEMF_get_node(mem_flags) != XENMEMF_get_node(0);
    unsigned long done;
    int r;

    if (build && build->calls_stock)
        build = NULL;
    /*
     * A populate-on-demand extent gets no memory now, and one with a node has
     * been placed by the user: neither is ours to move or to count.
     */
    if (build && (names_node || mem_flags & XENMEMF_populate_on_demand)) {
        build->source = MEMORY_UNSEEN;
        build = NULL;
    }
    if (build && build->phase == PHASE_REFUSED)
        return refuse(build);
    if (!build || build->phase != PHASE_STEERED || order >= XLNUMA__ORDERS)
        return populate_stock(build, next, is_exact, xch, domid, nr, order,
                              mem_flags, extent);
    done = !order && build->joins_pages
               ? steer_joined(build, next, xch, nr, mem_flags, extent)
               : steer(build, next, xch, nr, order, mem_flags, extent);
    if (done == nr)
        return is_exact ? 0 : (int)nr;
    /* A short count makes libxenguest ask for smaller extents. */
    if (!is_exact && (done || (order && build->phase == PHASE_STEERED)))
        return (int)done;
    /* So does a failure where it asks for one (restore, from Xen 4.21 on). */
    if (order && nr == 1 && build->phase == PHASE_STEERED) {
        errno = ENOMEM;
        return -1;
    }
    if (build->is_strict)
        return refuse(build);
    r = populate_stock(build, next, is_exact, xch, domid, nr - done, order,
                       mem_flags, extent + done);
    return r < 0 || is_exact ? r : (int)done + r;
}
