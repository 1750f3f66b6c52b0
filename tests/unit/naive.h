/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The planner's definition (docs/planner.md) once more, written to be read and
 * for nothing else: every set is judged. Shares no code with core/.
 */
#ifndef NAIVE_H
#define NAIVE_H

#include "xlnuma.h"

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

#endif /* NAIVE_H */
