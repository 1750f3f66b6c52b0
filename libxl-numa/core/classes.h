/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structure of a host's distances: which cells are alike, and which are
 * near each other. classes.c finds it, bound.c and counts.c search with it;
 * docs/planner.md has the proofs.
 */
#ifndef XLNUMA_CLASSES_H
#define XLNUMA_CLASSES_H

#include "core/core.h"

/* Cells with as many CPUs and the same distances: twins. */
struct xlnuma__class {
    unsigned nr, nr_cpus;
    unsigned nr_cores; /* if they matter, else 0 */
    unsigned at;       /* number of cells and classes before it */
    uint64_t cells;
    uint8_t cell[XLNUMA_NODES_MAX];    /* the roomiest first */
    uint8_t nearest[XLNUMA_NODES_MAX]; /* other classes, by cost to this one */
};

/* Two groups of cells become one; a group is a class or an earlier merge. */
struct xlnuma__merge {
    unsigned left, right; /* below nr a class, else nr + number of a merge */
    unsigned nr_left, nr_right;
    unsigned at; /* in cross: of 0 cells of left and 0 of right */
};

struct xlnuma__classes {
    unsigned nr, nr_merges;
    struct xlnuma__class class[XLNUMA_NODES_MAX];
    /* cost[a][b]: cpus(a) * (distance(a, b) - 10); pair: both ways */
    double cost[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    double pair[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    struct xlnuma__merge merge[XLNUMA_NODES_MAX];
    /* at + a * (nr_right + 1) + b: what a cells of left and b of right cost */
    double cross[2 * XLNUMA_NODES_MAX * XLNUMA_NODES_MAX];
    /* classes that have as many cells in a set, or more; as many, or less */
    uint64_t above[XLNUMA_NODES_MAX], below[XLNUMA_NODES_MAX];
    bool is_bulky; /* all of one class and none of another is never farther */
};

/*
 * Find a table's classes, for guests with such a need. Returns false when there
 * are nearly as many as cells, or the need goes beyond what classes tell.
 */
bool xlnuma__classes_find(const struct xlnuma__table *table,
                          const struct xlnuma__need *need,
                          struct xlnuma__classes *classes_r);

/*
 * Find which classes could change places, with all others in some order: above
 * and below, which are empty before.
 */
void xlnuma__classes_compare(const struct xlnuma__table *table,
                             struct xlnuma__classes *classes);

/*
 * The nearest set of `fewest` cells or more on such a host (counts.c). found_r
 * is what was found before; is_best is not this search's business.
 */
void xlnuma__counts_search(const struct xlnuma__table *table,
                           const struct xlnuma__need *need,
                           struct xlnuma__classes *classes, unsigned fewest,
                           struct xlnuma__found *found_r);

#endif /* XLNUMA_CLASSES_H */
