/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan: which nodes, how much on each, which CPUs, and why not others. */
#ifndef XLNUMA_PLAN_H
#define XLNUMA_PLAN_H

#include "model/request.h"

enum xlnuma_status {
    XLNUMA_STATUS_PLACED,   /* nodes, memory and CPUs were chosen */
    XLNUMA_STATUS_UNPLACED, /* nothing fits; reason says what is missing */
    XLNUMA_STATUS_OFF,      /* the policy is none */
};
extern const char *const xlnuma__statuses[]; /* their names */

/* Why a set that is nearer than the plan's, or as near, is not the plan. */
enum xlnuma_why_not {
    XLNUMA_WHY_NOT_MEMORY,   /* short of memory, by short_kb */
    XLNUMA_WHY_NOT_CPUS,     /* fewer CPUs than vCPUs, by short_cpus */
    XLNUMA_WHY_NOT_CORES,    /* fewer cores than vCPUs, by short_cpus */
    XLNUMA_WHY_NOT_POLICY,   /* more nodes than the policy allows */
    XLNUMA_WHY_NOT_FARTHER,  /* holds the guest, but is farther apart */
    XLNUMA_WHY_NOT_DEVICES,  /* the same, but for its devices alone */
    XLNUMA_WHY_NOT_SOCKETS,  /* equally near, but on more sockets */
    XLNUMA_WHY_NOT_GROWTH,   /* as near, without room for what it may get */
    XLNUMA_WHY_NOT_LOW,      /* equally near, but takes more low memory */
    XLNUMA_WHY_NOT_LOAD,     /* equally near, but busier */
    XLNUMA_WHY_NOT_HOLES,    /* as near; this one leaves the better holes */
    XLNUMA_WHY_NOT_NODES,    /* numa_nodes excludes it */
    XLNUMA_WHY_NOT_AFFINITY, /* its CPUs are not the guest's */
};
extern const char *const xlnuma__why_nots[]; /* their names */

struct xlnuma_alternative {
    xlnuma_nodeset nodes;
    double expected_distance; /* as if it could hold the guest */
    enum xlnuma_why_not why;
    uint64_t short_kb;
    unsigned short_cpus;
};

#define XLNUMA_ALTERNATIVES_MAX 15

/* A node that the guest sees. */
struct xlnuma_guest_node {
    unsigned node; /* of the host */
    uint64_t memory_kb;
    uint64_t vcpus[XLNUMA_GUEST_VCPUS_MAX / 64]; /* bit n: vCPU n */
    uint8_t distance[XLNUMA_GUEST_NODES_MAX];    /* that the guest sees */
};

/*
 * alternative[i] means something for i < nr_alternatives, guest_node[i] for i <
 * nr_guest_nodes, cpu[i] for i < nr_dedicated. These two come last: they are not
 * cleared, as they are large.
 */
struct xlnuma_plan {
    char guest[XLNUMA_NAME_SIZE];
    uint64_t needed_kb;
    enum xlnuma_policy policy;
    enum xlnuma_memory memory;
    enum xlnuma_status status;
    xlnuma_nodeset nodes;                 /* empty unless placed */
    xlnuma_nodeset memory_nodes;          /* of these, those that may give it */
    uint64_t memory_kb[XLNUMA_NODES_MAX]; /* sums up to needed_kb */
    uint64_t low_kb[XLNUMA_NODES_MAX];    /* of it, below Xen's DMA width */
    double expected_distance;             /* 10 is all local; 0 if not placed */
    double least_distance; /* no set that holds the guest is nearer than this */
    xlnuma_nodeset device_nodes; /* where its devices are that count */
    double device_distance;      /* between these, CPUs and memory; 0: none */
    bool has_limits;             /* the guest may get more than it needs: */
    uint64_t limit_kb;           /* so much */
    unsigned limit_vcpus;        /* and so many */
    bool can_grow;               /* `nodes` have room for that */
    bool has_hard_cpus; /* hard_cpus is to be the hard affinity of all vCPUs */
    enum xlnuma_threads threads;      /* of dedicated CPUs */
    unsigned nr_dedicated;            /* vCPUs with a CPU of their own */
    unsigned nr_guest_nodes;          /* 0: the guest sees one node */
    char vnodes_reason[160];          /* why, if it was to see more */
    char reason[XLNUMA_MESSAGE_SIZE]; /* one line, in words */
    unsigned nr_alternatives;         /* nearest first */
    struct xlnuma_alternative alternative[XLNUMA_ALTERNATIVES_MAX];
    xlnuma_cpuset soft_cpus; /* for its vCPUs: usable by the guest on `nodes` */
    xlnuma_cpuset hard_cpus; /* usable by the guest; soft_cpus are among them */
    struct xlnuma_guest_node guest_node[XLNUMA_GUEST_NODES_MAX];
    uint16_t cpu[XLNUMA_CPUS_MAX]; /* of vCPU i < nr_dedicated */
};

/* Ownership: the caller's. Returns NULL when out of memory. */
struct xlnuma_plan *xlnuma_plan_new(void);
void xlnuma_plan_free(struct xlnuma_plan *plan); /* NULL is fine */

/* Has the guest this vCPU on this node? */
static inline bool xlnuma__vnode_has_vcpu(const struct xlnuma_guest_node *node,
                                          unsigned vcpu)
{
    return (node->vcpus[vcpu / 64] >> (vcpu % 64)) & 1;
}

/* "0-1,4": of a node that a guest sees; bit n is vCPU n. Returns buf. */
char *xlnuma__vcpus_format(const uint64_t vcpus[XLNUMA_GUEST_VCPUS_MAX / 64],
                           char *buf, size_t size);

#endif /* XLNUMA_PLAN_H */
