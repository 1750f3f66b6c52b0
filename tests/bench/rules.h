/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The placement rules of others, as comparators for benchmarks only: written
 * from descriptions, no code of theirs. Each gets the best that it could hope
 * for: sums do not wrap, and the memory lies exactly as the rule wants it.
 */
#ifndef XLNUMA_BENCH_RULES_H
#define XLNUMA_BENCH_RULES_H

#include "formats/snapshot.h"
#include "planner/plan.h"

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
};

void rules_topology_fill(struct rules_topology *topology_r,
                         const struct xlnuma_host *host);

/* What libxl has of a placement: shares are left to Xen. */
struct rules_affinity {
    xlnuma_nodeset nodes; /* empty: none found */
    xlnuma_cpuset cpus;   /* those of the nodes: the vCPUs' soft affinity */
};

/*
 * The same rule with the work that libxl does for it, in its order: the map of
 * CPUs becomes one of nodes; the CPUs of each node are counted, to begin at the
 * fewest nodes if all have as many, else at one; each set is put together and
 * added up anew, its CPUs counted by going over all CPUs of the host; and the
 * chosen nodes become a map of CPUs again. Left out, in its favour: calls of Xen
 * and xenstore, counting the vCPUs of each node, allocations, logging, the walk
 * over the bits of all nodes for each set, and the map of the pool's nodes that
 * it makes once more at the end. To measure time; rules_libxl above does as
 * little as the rule needs.
 */
void rules_libxl_steps(const struct rules_topology *topology,
                       const struct xlnuma_host *host,
                       const struct xlnuma_request *request,
                       struct rules_affinity *affinity_r);

/*
 * libxl's own code (libxl_own.c), if scripts/bench found libxenlight.a to link it
 * from: ask for the address first. It plans for the host that it was given last.
 */
void rules_libxl_own_fill(const struct xlnuma_host *host) __attribute__((weak));
void rules_libxl_own(const struct xlnuma_request *request,
                     struct rules_affinity *affinity_r) __attribute__((weak));

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
