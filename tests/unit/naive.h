/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The planner's definition (docs/planner.md) once more, written to be read and
 * for nothing else: every set is judged. Shares no code with planner/.
 */
#ifndef NAIVE_H
#define NAIVE_H

#include "model/request.h"

struct naive_answer {
    bool is_placed;
    xlnuma_nodeset nodes;
    double expected_distance;
};

/*
 * The best of all sets of at most as many nodes as the policy allows: 2^n of
 * them, or on a host of many nodes a policy that allows few.
 */
struct naive_answer naive_plan(const struct xlnuma_host *host,
                               const struct xlnuma_request *request);

/*
 * The same on a host whose nodes of one kind (kind[id], 0 to nr_kinds - 1)
 * differ in nothing but their number: of sets with as many nodes of each kind
 * only the one with the lowest numbers is judged, so 64 nodes are possible.
 */
struct naive_answer naive_plan_of_kinds(const struct xlnuma_host *host,
                                        const struct xlnuma_request *request,
                                        const uint8_t kind[],
                                        unsigned nr_kinds);

/* How a set of nodes holds the guest, for what it takes now. */
enum naive_hold {
    NAIVE_NOT,      /* it does not */
    NAIVE_FEW_CPUS, /* with fewer CPUs than vCPUs, though there are more */
    NAIVE_ALL_CPUS,
};
enum naive_hold naive_holds(const struct xlnuma_host *host,
                            const struct xlnuma_request *request,
                            xlnuma_nodeset nodes);

#endif /* NAIVE_H */
