/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guests of a moment of scripts/bench day, rebalanced. */
#include "day_moves.h"

#include <stdlib.h>
#include <string.h>

#include "balance/moves.h"

static void fill_guest(const struct xlnuma_host *host,
                       const struct day_guest *from,
                       struct xlnuma__moves_guest *guest_r)
{
    xlnuma_cpuset cpus = { { 0 } };
    unsigned i;

    memset(guest_r, 0, sizeof(*guest_r));
    guest_r->request = *from->request;
    guest_r->way = XLNUMA__MOVE_LIVE;
    guest_r->is_asked_for = true;
    memcpy(guest_r->spot.memory_kb, from->placement->share_kb,
           sizeof(guest_r->spot.memory_kb));
    XLNUMA_FOR_EACH_NODE(i, from->placement->nodes)
        xlnuma_cpuset_or(&cpus, &host->node[i].cpus);
    xlnuma__spot_run_on(&guest_r->spot, host, &cpus);
}

double day_rebalance(const struct xlnuma_host *host,
                     const struct day_guest guest[], unsigned nr,
                     enum day_moves moves, double *moved_kb_r)
{
    const struct xlnuma__moves_options options = {
        .gain = 3, /* the command's default */
        .limit = 100,
        .others = moves != DAY_LIVE,
        .by_file = moves == DAY_BY_FILE,
    };
    struct xlnuma__moves_guest *list = calloc(nr + 1u, sizeof(*list));
    char message[XLNUMA_MESSAGE_SIZE] = "out of memory";
    struct xlnuma__moves made;
    double distance;

    if (!list)
        abort();
    for (unsigned n = 0; n < nr; n++)
        fill_guest(host, &guest[n], &list[n]);
    if (xlnuma__moves_plan(host, list, nr, &options, &made, message)) {
        fprintf(stderr, "day: %s\n", message);
        exit(2);
    }
    distance = made.distance_after * (double)made.memory_kb;
    *moved_kb_r += (double)made.moved_kb;
    xlnuma__moves_dispose(&made);
    free(list);
    return distance;
}
