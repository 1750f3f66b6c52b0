/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What moving guests within their host would bring: for scripts/bench day. */
#ifndef XLNUMA_BENCH_DAY_MOVES_H
#define XLNUMA_BENCH_DAY_MOVES_H

#include "rules.h"

/* Which moves are allowed. */
enum day_moves { DAY_LIVE, DAY_OTHERS, DAY_BY_FILE, NR_DAY_MOVES };

/* A guest that is there. */
struct day_guest {
    const struct xlnuma_request *request;
    const struct rules_placement *placement;
};

/*
 * The guests' distance x KiB after the moves. `host` is the one with these guests;
 * *moved_kb_r grows by what is moved.
 */
double day_rebalance(const struct xlnuma_host *host,
                     const struct day_guest guest[], unsigned nr,
                     enum day_moves moves, double *moved_kb_r);

#endif /* XLNUMA_BENCH_DAY_MOVES_H */
