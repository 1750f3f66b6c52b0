/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the planner's files share: the candidates, what a set of them costs, the
 * search. Private to them; docs/planner.md has the definition.
 */
#ifndef XLNUMA_PLANNER_H
#define XLNUMA_PLANNER_H

#include "planner/plan.h"

/* --- candidates.c ----------------------------------------------------------- */

/*
 * A node that may be in the guest's set: the request's filters applied to the
 * host once, so that judging a set touches only these few numbers.
 */
struct xlnuma__candidate {
    unsigned id;
    bool is_named;      /* may give memory: numa_nodes has it */
    unsigned nr_cpus;   /* that the guest may use */
    unsigned nr_cores;  /* behind them */
    uint64_t usable_kb; /* in whole pages */
    uint64_t high_kb;   /* of usable_kb, what is not low memory */
    uint32_t load_mvcpu;
};

/*
 * All candidates, by free memory a CPU, those without CPUs last. A set of them is
 * a mask: bit i is candidate[i].
 */
struct xlnuma__table {
    const struct xlnuma_host *host;
    unsigned nr;
    unsigned nr_cpus, nr_cores, most_cpus; /* of all; of one */
    uint64_t load_mvcpu;                   /* of all */
    struct xlnuma__candidate candidate[XLNUMA_NODES_MAX];
    uint64_t with_cpus, named;
    uint64_t socket_mates[XLNUMA_NODES_MAX]; /* candidates on i's socket */
    uint64_t unreachable[XLNUMA_NODES_MAX];  /* candidates that i's CPUs lack */
    /*
     * From i's CPUs to j's memory. For a guest with devices the way by them is
     * added, and all is in parts of `scale`, which else is 1.
     */
    unsigned scale;
    uint32_t least; /* of the distances */
    uint32_t distance[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    uint8_t by_room[XLNUMA_NODES_MAX]; /* roomiest first, then lowest node */
    /* From i's CPUs to memory, from its memory to CPUs: nearest first. */
    uint8_t nearest_memory[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    uint8_t nearest_cpus[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
};

/* What a set has to have. */
struct xlnuma__need {
    uint64_t memory_kb;
    enum xlnuma_memory memory;
    unsigned nr_vcpus;
    unsigned nr_cpus, nr_cores; /* at least; nr_cpus > 0 */
    unsigned max_nodes, max_sockets;
    uint64_t limit_kb; /* what it may grow to: decides between equals */
    unsigned limit_cpus;
};

/*
 * Fill the table for a request, and what a set has to have: all but nr_cores and
 * max_sockets. Returns the nodes of the guest's devices that count.
 */
xlnuma_nodeset xlnuma__candidates_fill(struct xlnuma__table *table,
                                       const struct xlnuma_host *host,
                                       const struct xlnuma_request *request,
                                       struct xlnuma__need *need);

/* The fewest that reach `needed` when the largest come first; nr: they do not. */
unsigned xlnuma__fewest(uint64_t value[], unsigned nr, uint64_t needed);

/* The node's CPUs that the guest may use. */
unsigned xlnuma__allowed_cpus(const struct xlnuma_node *node,
                              const struct xlnuma_request *request);

/* --- cost.c ------------------------------------------------------------------ */

/* A set judged. Its distance is exact: num / den / memory_kb, in the scale. */
struct xlnuma__judged {
    uint64_t set, used; /* used: has a share, or CPUs for the vCPUs */
    uint64_t cpus_of;   /* the candidates whose CPUs the vCPUs use */
    xlnuma_nodeset nodes;
    uint64_t usable_kb;
    uint64_t low_kb; /* of the guest's memory, what has to be low memory */
    unsigned nr_cpus, nr_cores, nr_sockets;
    unsigned nr_named;     /* nodes, without those that give CPUs alone */
    unsigned nr_used_cpus; /* of cpus_of */
    uint64_t overload;     /* what is compared is this per CPU used */
    bool can_grow, is_reachable;
    xlnuma__u128 distance_num;
    uint64_t distance_den;
};

void xlnuma__judge(const struct xlnuma__table *table,
                   const struct xlnuma__need *need, uint64_t set,
                   struct xlnuma__judged *judged_r);

/* In whole pages, by candidate; the set holds the memory. */
void xlnuma__shares(const struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    const struct xlnuma__judged *set, uint64_t share_kb[]);

bool xlnuma__holds(const struct xlnuma__need *need,
                   const struct xlnuma__judged *set);

/* Expected distances compared exactly: < 0 when a is nearer, 0 equal. */
int xlnuma__compare_distance(const struct xlnuma__judged *a,
                             const struct xlnuma__judged *b);

/*
 * The order of sets that hold the guest. Returns < 0 when a comes first, never 0
 * for different sets. *why_r says what decided.
 */
int xlnuma__compare(const struct xlnuma__judged *a,
                    const struct xlnuma__judged *b, enum xlnuma_why_not *why_r);

/* In the table's scale. */
double xlnuma__distance_of(const struct xlnuma__judged *set,
                           const struct xlnuma__need *need);

/* Of memory alone, whatever the guest's devices weigh. */
double xlnuma__memory_distance(const struct xlnuma__table *table,
                               const struct xlnuma__need *need,
                               const struct xlnuma__judged *set);

/* --- devices.c --------------------------------------------------------------- */

/* Add the way by the request's devices. Returns the nodes of those that count. */
xlnuma_nodeset xlnuma__add_devices(struct xlnuma__table *table,
                                   const struct xlnuma_request *request);

/*
 * The mean distance between the request's devices that count, the plan's CPUs
 * and memory_kb on its nodes; 0 when none counts.
 */
double xlnuma__device_distance(const struct xlnuma_host *host,
                               const struct xlnuma_request *request,
                               const struct xlnuma_plan *plan,
                               const uint64_t memory_kb[]);

/* --- search.c ---------------------------------------------------------------- */

struct xlnuma__found {
    bool is_found;
    bool is_nearest;     /* proven: no set that holds the guest is nearer */
    double least_excess; /* over the least distance; if not proven */
    struct xlnuma__judged best;
};

void xlnuma__search(struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    struct xlnuma__found *found_r);

/* --- one plan in the making ---------------------------------------------------- */

struct xlnuma__planning {
    const struct xlnuma_request *request;
    struct xlnuma__table table;
    struct xlnuma__need need;
    struct xlnuma__found found;
    xlnuma_nodeset device_nodes;
};

/* --- affinity.c ------------------------------------------------------------- */

/* Set the plan's hard CPUs, by its nodes and soft CPUs and what the request says. */
void xlnuma__plan_hard_cpus(struct xlnuma_plan *plan,
                            const struct xlnuma_host *host,
                            const struct xlnuma_request *request);

/* --- explain.c --------------------------------------------------------------- */

/* Sets that are nearer but lack something, and the next that hold the guest. */
void xlnuma__explain(const struct xlnuma__planning *planning,
                     struct xlnuma_plan *plan);

/* Why nothing holds it: what each node has, as reason and as alternatives. */
void xlnuma__explain_lack(const struct xlnuma__planning *planning,
                          struct xlnuma_plan *plan);

/* --- plan.c ------------------------------------------------------------------ */

/* A plan of which nothing is known yet but the request. */
void xlnuma__plan_clear(const struct xlnuma_request *request,
                        struct xlnuma_plan *plan);

/* --- words.c ----------------------------------------------------------------- */

/* The reason of a plan that is placed. */
void xlnuma__say_placed(const struct xlnuma__planning *planning,
                        struct xlnuma_plan *plan);

/* Without the user's settings this set would do. */
void xlnuma__say_excluded(const struct xlnuma_alternative *excluded,
                          struct xlnuma_plan *plan);

#endif /* XLNUMA_PLANNER_H */
