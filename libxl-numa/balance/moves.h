/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which guests are to be moved to other nodes of their host, and in which order. A
 * pure function of the host, its guests and what is asked for.
 *
 * Xen moves no pages of a guest that runs. But a guest can be migrated to its own
 * host, and its copy gets a placement of its own. A live move needs room for the
 * copy while the guest is still there; a move by file needs it afterwards only.
 */
#ifndef XLNUMA_MOVES_H
#define XLNUMA_MOVES_H

#include "model/request.h"

/* Where a guest is; without memory: not known. */
struct xlnuma__spot {
    uint64_t memory_kb[XLNUMA_NODES_MAX];
    uint64_t low_kb[XLNUMA_NODES_MAX]; /* of it low memory; 0, too: not known */
    double runs_on[XLNUMA_NODES_MAX];  /* share of its vCPUs; sums up to 1 */
};

/*
 * The nodes that have it: at least a hundredth of its memory. Elsewhere are pages that
 * guests share with Xen, or strayed. Empty: it is not known where its memory is.
 */
xlnuma_nodeset xlnuma__spot_nodes(const struct xlnuma__spot *spot);

/* Its vCPUs may run on these CPUs, as much on each; none: on those of its memory. */
void xlnuma__spot_run_on(struct xlnuma__spot *spot,
                         const struct xlnuma_host *host,
                         const xlnuma_cpuset *cpus);

/* The mean from vCPUs to memory, as in a plan. */
double xlnuma__spot_distance(const struct xlnuma_host *host,
                             const struct xlnuma__spot *spot);

/* May a guest be moved, and how? */
enum xlnuma__move_way {
    XLNUMA__MOVE_NEVER,
    XLNUMA__MOVE_BY_FILE, /* that alone */
    XLNUMA__MOVE_LIVE,    /* or by file */
};

struct xlnuma__moves_guest {
    struct xlnuma_request request; /* what its copy will be built by */
    struct xlnuma__spot spot;
    enum xlnuma__move_way way;
    bool is_asked_for; /* for its own good; else only to make room for others */
};

struct xlnuma__moves_options {
    double gain;      /* > 0: the mean distance of a chain has to fall so far */
    double limit;     /* percent of the guests' memory that may be moved */
    bool others;      /* guests may be moved so that another can come */
    bool by_file;     /* guests may be saved and restored */
    uint64_t keep_kb; /* that has to stay free on the host beside a copy */
};

/*
 * One move. Those with the same chain belong together: all but the last make room
 * for it. The copy is not to be placed on nodes of `avoid`.
 */
struct xlnuma__move {
    unsigned guest; /* its index */
    unsigned chain; /* from 0, in order */
    bool is_last, is_by_file;
    xlnuma_nodeset avoid;
    struct xlnuma__spot from, to;
    double from_distance, to_distance;
};

struct xlnuma__moves {
    struct xlnuma__move *move; /* owned */
    unsigned nr;
    uint64_t moved_kb, memory_kb; /* of all guests whose memory is known */
    double distance_before, distance_after; /* mean of all their memory */
};

/* Safe twice. */
void xlnuma__moves_dispose(struct xlnuma__moves *moves);

/*
 * The moves in their order: of all chains the one that gains most for what it moves
 * comes first, then the best one after it, and so on. When a move's turn comes, its
 * copy fits. *moves_r has to be disposed of in any case.
 *
 * Returns 0, XLNUMA_ERR_NOMEM.
 */
int xlnuma__moves_plan(const struct xlnuma_host *host,
                       const struct xlnuma__moves_guest guest[], unsigned nr,
                       const struct xlnuma__moves_options *options,
                       struct xlnuma__moves *moves_r,
                       char *message) XLNUMA_MUST_CHECK;

/*
 * Is the move still of use on the host as it is now? Its guest has to fit, and if it
 * is the last of its chain, to gain by itself what the options want. Then move->from
 * and move->to are as they are now. The host is written to meanwhile, and then as
 * before. Returns NULL, or (static) why not.
 */
const char *xlnuma__move_renew(struct xlnuma_host *host,
                               const struct xlnuma__moves_guest *guest,
                               const struct xlnuma__moves_options *options,
                               struct xlnuma__move *move);

#endif /* XLNUMA_MOVES_H */
