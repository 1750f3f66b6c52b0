/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * 1 GiB extents that Xen took from a node's low memory, having no other whole
 * one: they go back, and smaller ones come from the node's other memory.
 */
#include "hook/services.h"
#include "xen/host.h"

/* Zero, too, where low memory does not matter. */
uint64_t xlnuma__build_low_kb(const struct build *build, xc_interface *xch,
                              unsigned node, unsigned order)
{
    if (order < ORDER_1G || !build->low_width)
        return 0;
    return xlnuma__low_free_kb(xch, build->low_width, node);
}

unsigned long xlnuma__build_give_low_back(const struct build *build,
                                          xc_interface *xch, unsigned node,
                                          unsigned order, uint64_t before_kb,
                                          unsigned long nr, xen_pfn_t *extent)
{
    uint64_t kb = (uint64_t)PAGE_KB << order, now_kb;
    unsigned long nr_left = nr;

    if (before_kb < kb)
        return 0;
    now_kb = xlnuma__build_low_kb(build, xch, node, order);
    /* Xen takes low memory last, so the last ones are low. */
    for (; nr_left && now_kb + kb <= before_kb; now_kb += kb, nr_left--)
        if (xc_domain_decrease_reservation_exact(xch, build->domid, 1, order,
                                                 &extent[nr_left - 1]))
            break; /* low memory is better than none */
    return nr - nr_left;
}
