/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How wide a guest's hard affinity should be: what its build gave, or also CPUs
 * farther away while those are busy. A pure function of measured loads.
 */
#ifndef XLNUMA_BALANCE_H
#define XLNUMA_BALANCE_H

#include "model/host.h"

#define XLNUMA__BALANCE_ROUNDS 3 /* in a row that agree on a move, as a rule */
#define XLNUMA__BALANCE_PAUSE_NS ((uint64_t)30 * 1000000000) /* after a move */

enum xlnuma__balance_step {
    XLNUMA__BALANCE_STAY,
    XLNUMA__BALANCE_WIDEN,
    XLNUMA__BALANCE_NARROW,
};

/*
 * A guest. Its levels are sets of CPUs, each within the next: `built`, then
 * further nodes of `usable`, the nearest to the guest's memory first. CPUs from
 * which some of the memory cannot be reached are in no level but `built`.
 */
struct xlnuma__balance_guest {
    uint64_t memory_kb[XLNUMA_NODES_MAX];
    xlnuma_cpuset built;  /* the hard affinity from its build */
    xlnuma_cpuset usable; /* the CPUs that it may use at all */
    xlnuma_cpuset hard;   /* its hard affinity now */
    unsigned gain;        /* percent that a wider one has to be better */

    /* Of the rounds before: all zero at first. */
    unsigned nr_short, nr_roomy;
    bool has_moved;
    uint64_t moved_ns;

    /* Measured in this round, in CPUs. */
    bool is_measured;
    double wanted;                        /* vCPUs that were not idle */
    double had, had_on[XLNUMA_NODES_MAX]; /* what they ran, and where */

    /* The answer, of a guest that was measured. */
    double distance; /* from where it ran, or would, to its memory */
    double score;    /* share of what it wanted x 10 / distance */
    enum xlnuma__balance_step step;
    xlnuma_cpuset better;
    double better_score; /* with those CPUs; `score` when it is to stay */
};

/* Of each CPU below nr_cpus, the share of the time that it was idle, 0 to 1. */
struct xlnuma__balance_load {
    unsigned nr_cpus;
    const double *idle; /* borrowed */
};

/*
 * Is measuring this guest of use? Where its CPUs have room and its affinity is
 * its build's there is nothing to change.
 */
bool xlnuma__balance_wants_look(const struct xlnuma__balance_load *load,
                                const struct xlnuma__balance_guest *guest);

/* Fill in the answer for a guest that was measured, by this round alone. */
void xlnuma__balance_judge(const struct xlnuma_host *host,
                           const struct xlnuma__balance_load *load,
                           struct xlnuma__balance_guest *guest);

/*
 * Judge all guests that were measured, and choose one to move to its `better`:
 * the one that gains most of those for which so many rounds in a row agree, and
 * that did not move within the last 30 s. Returns its index, or -1.
 */
int xlnuma__balance_round(const struct xlnuma_host *host,
                          const struct xlnuma__balance_load *load,
                          struct xlnuma__balance_guest *const guest[],
                          unsigned nr, unsigned rounds, uint64_t now_ns);

/* A guest's hard affinity has become `hard`, or could not be changed. */
void xlnuma__balance_moved(struct xlnuma__balance_guest *guest,
                           const xlnuma_cpuset *hard, uint64_t now_ns);

#endif /* XLNUMA_BALANCE_H */
