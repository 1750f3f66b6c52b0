/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A search for how many cells of each class are in the nearest set, as
 * counts.c, which searches, and bound.c, which bounds, share it. The names are
 * those of docs/planner.md.
 */
#ifndef XLNUMA_COUNTS_H
#define XLNUMA_COUNTS_H

#include "core/classes.h"

/* How many cells of some classes are in the set, and how many are to join. */
struct xlnuma__partial {
    uint64_t decided; /* classes */
    unsigned nr_left;
    double nr_cpus;
    double quad; /* what the pairs in it cost */
    double centre;
    uint8_t count[XLNUMA_NODES_MAX];
    double column
        [XLNUMA_NODES_MAX]; /* of one more cell of a class, by the set's CPUs */
    double
        pairs[XLNUMA_NODES_MAX]; /* what one more cell costs with the set's */
};

/* That some number of a class's cells is in the set. */
struct xlnuma__option {
    double base;      /* what they cost if shares are even, less theta */
    double from, to;  /* what they have beyond even shares */
    double near, far; /* between these is their column */
    double value;     /* at least what all this costs, for one centre */
    double excess;    /* memory beyond even shares that has that value */
};

/* A bound as a function of the centre, at one centre. */
struct xlnuma__tangent {
    double centre, value, slope;
    uint8_t count[XLNUMA_NODES_MAX]; /* that have the value */
};

struct xlnuma__counting {
    const struct xlnuma__table *table;
    const struct xlnuma__need *need;
    struct xlnuma__classes *classes;
    struct xlnuma__found *found;
    bool is_spread, is_over;
    bool is_flat; /* all cells have as much memory */
    unsigned work_left, nr_improved;
    uint64_t offered; /* the last set */
    double near[XLNUMA_NODES_MAX]
               [XLNUMA_NODES_MAX + 1]; /* [t][n]: the n cheapest for class t */
    /* by size: of all its sets the bound, and what it is best with */
    double least[XLNUMA_NODES_MAX + 1]; /* of E - 10 */
    double part[XLNUMA_NODES_MAX + 1], centre[XLNUMA_NODES_MAX + 1];
    double last_part, last_centre; /* that were good; the centre per cell */
    /* for the size that is searched */
    unsigned size;
    double scale, theta, share; /* memory in the bounds' unit */
    double even;                /* part[size] of the share */
    double room[XLNUMA_NODES_MAX], room_up[XLNUMA_NODES_MAX];
    /* for the partial set that is bounded */
    double most; /* no cell of any completion has more memory than that */
    unsigned cap[2 * XLNUMA_NODES_MAX];
    struct xlnuma__option option[2 * XLNUMA_NODES_MAX];
    double sum[2 * XLNUMA_NODES_MAX]
              [XLNUMA_NODES_MAX + 1]; /* the least, by number of cells */
    struct xlnuma__partial partial[XLNUMA_NODES_MAX + 1];
};

/* Count work that is done; is_over when it was too much. */
void xlnuma__bound_work(struct xlnuma__counting *counting, unsigned work);

/* Set size, scale, theta and what else is in its unit. */
void xlnuma__bound_set_unit(struct xlnuma__counting *counting, unsigned size);

/*
 * All that the bound of a partial set takes but the centre. Returns false when
 * it has no completion that is worth looking at.
 */
bool xlnuma__bound_prepare(struct xlnuma__counting *counting,
                           const struct xlnuma__partial *partial);

/*
 * After that: at least the excess over theta of all completions, from the
 * partial set's centre on in up to `nr` steps to a better centre.
 */
void xlnuma__bound_climb(struct xlnuma__counting *counting,
                         const struct xlnuma__partial *partial, unsigned nr,
                         struct xlnuma__tangent *best_r);

/*
 * The same for sets of which all counts are known, that have at most as much
 * room as one of them and at least as much as another. Sets `most`.
 */
double xlnuma__bound_choice(struct xlnuma__counting *counting,
                            const struct xlnuma__partial *partial,
                            uint64_t roomiest, uint64_t tightest);

static inline bool xlnuma__is_decided(const struct xlnuma__partial *partial,
                                      unsigned t)
{
    return (partial->decided >> t) & 1;
}

/* The `nr` roomiest or least roomy of a class. */
uint64_t xlnuma__some_of(const struct xlnuma__class *class, unsigned nr,
                         bool is_roomy);

/* Does a set have the memory? */
bool xlnuma__has_room(const struct xlnuma__counting *counting, uint64_t set);

#endif /* XLNUMA_COUNTS_H */
