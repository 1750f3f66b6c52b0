/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The placement rules of others, as comparators for benchmarks only: written
 * from descriptions, no code of theirs. Each gets the best that it could hope
 * for: sums do not wrap, and the memory lies exactly as the rule wants it.
 */
#ifndef XLNUMA_BENCH_RULES_H
#define XLNUMA_BENCH_RULES_H

#include "xlnuma.h"

struct rules_placement {
    bool is_placed;                      /* the rule found a node set */
    xlnuma_nodeset nodes;                /* it; else all nodes with CPUs */
    uint64_t share_kb[XLNUMA_NODES_MAX]; /* sums up to the guest's memory */
};

/*
 * A rule's answer for this guest on this host; of the request only memory and
 * number of vCPUs count. Without an answer of its own (is_placed is false) the
 * guest is placed as rules_none() does. False: the host has not the memory.
 */
typedef bool rules_rule(const struct xlnuma_host *host,
                        const struct xlnuma_request *request,
                        struct rules_placement *placement_r);

/*
 * libxl's: of the nodes that have CPUs, the fewest that have the memory and as
 * many CPUs as vCPUs; of these the set on which fewest vCPUs can run, then that
 * with most memory free, then the first in order. Counting begins at as many
 * nodes as the vCPUs need at the mean number of CPUs a node. Gives up on a host
 * of one node or of more than 16. load_mvcpu must be libxl's count: a vCPU that
 * may run on several nodes counts as a whole one on each.
 */
rules_rule rules_libxl;

/* What libxl asks Xen for before it begins: which node each CPU is on. */
struct rules_topology {
    unsigned nr_cpus;
    uint8_t node_of[XLNUMA_CPUS_MAX];
    bool is_there[XLNUMA_CPUS_MAX];
    xlnuma_nodeset suitable; /* nodes with CPUs */
};

void rules_topology_fill(struct rules_topology *topology_r,
                         const struct xlnuma_host *host);

/*
 * The same with the work that libxl does for it, less its allocations and its
 * logging: each set is put together and added up anew, and its CPUs are counted
 * by going over all CPUs of the host. To measure time; rules_libxl above does
 * as little as the rule needs. Where nodes have unequal numbers of CPUs counting
 * begins at one node, as libxl does.
 */
bool rules_libxl_steps(const struct rules_topology *topology,
                       const struct xlnuma_host *host,
                       const struct xlnuma_request *request,
                       struct rules_placement *placement_r);

/*
 * xapi's: the set with the smallest maximum distance, then mean distance (over
 * all ordered pairs of its nodes, a node with itself too), that has the memory
 * and as many CPUs as vCPUs; of equals the one with most memory free, then the
 * first in order. Above 16 nodes single nodes only. Gives up on a host with an
 * unreachable node. That xenopsd stripes a guest of several nodes over the
 * host is left out, in its favour.
 */
rules_rule rules_xapi;

/*
 * No placement: vCPUs may run everywhere. Xen then takes an extent from one
 * node after the other, of those that have CPUs, a full one left out, which
 * gives even shares; nodes without CPUs come last, the lowest number first.
 */
rules_rule rules_none;

#endif /* XLNUMA_BENCH_RULES_H */
