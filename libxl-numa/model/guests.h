/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests of a host, and what is known of where each one's memory is: from the
 * running Xen, or a snapshot.
 */
#ifndef XLNUMA_GUESTS_H
#define XLNUMA_GUESTS_H

#include "model/layout.h"
#include "model/request.h"

/* What came of a guest's build: the status in its report. */
enum xlnuma__built {
    XLNUMA__BUILT_PLACED,
    XLNUMA__BUILT_PLANNED,  /* it is not known where its memory is */
    XLNUMA__BUILT_DEGRADED, /* some of it is not where it was planned */
    XLNUMA__BUILT_UNPLACED, /* nothing fits */
    XLNUMA__BUILT_OFF,    /* left to libxl by the user, or there is one node */
    XLNUMA__BUILT_FAILED, /* something went wrong before there was a plan */
    XLNUMA__BUILT_GROWN,  /* since then: by ballooning, say */
    XLNUMA__BUILT_SHRUNK,
    XLNUMA__BUILT_SHARED,  /* others may use its dedicated CPUs now */
    XLNUMA__BUILT_COUNTED, /* Domain-0, which Xen builds: `verify` counted it */
};
extern const char *const xlnuma__built_names[]; /* their names */

/* A node that the guest sees. */
struct xlnuma__vnode_report {
    unsigned node; /* of the host */
    struct xlnuma__layout_text text;
    uint64_t planned_kb, actual_kb;
    uint64_t elsewhere_kb; /* of its memory, what is on other nodes */
};

/*
 * What a guest's build reported (docs/xenstore.md); vnode[n] means something for n <
 * nr_vnodes. All else zero: nothing.
 */
struct xlnuma__report {
    char policy[32], memory[32], status[32];
    xlnuma_nodeset nodes; /* planned, or those that have the memory instead */
    uint64_t planned_kb[XLNUMA_NODES_MAX];
    bool has_actual; /* actual_kb is known */
    uint64_t actual_kb[XLNUMA_NODES_MAX];
    uint64_t nr_extents[XLNUMA__ORDERS]; /* by order, when has_actual */
    char soft_cpus[3072];     /* xenstore takes 4096 bytes with the path */
    char hard_cpus[3072];     /* "": none of ours */
    char user_cpus[3072];     /* hard affinity without us; "": all CPUs */
    bool no_balance;          /* not by `balance`, as numa_balance says */
    unsigned balance_gain;    /* numa_balance_gain; 0: nothing said */
    char cpus[3072];          /* dedicated, of each vCPU: "4,5"; "": none */
    char emulator_vcpus[256]; /* Domain-0's, for its device model; "": any */
    double expected_distance; /* 0 when not placed */
    unsigned nr_others;
    uint8_t other[XLNUMA_NODES_MAX]; /* nodes not planned, nearest first */
    char reason[XLNUMA_MESSAGE_SIZE];
    unsigned nr_vnodes;      /* 0: it sees one node */
    char vnodes_reason[160]; /* why, if it was to see more */
    /* The largest part, and few guests have any: what is not used is not touched. */
    struct xlnuma__vnode_report vnode[XLNUMA_GUEST_NODES_MAX];
};

enum xlnuma__vcpu_state {
    XLNUMA__VCPU_OFFLINE,
    XLNUMA__VCPU_RUNNING,
    XLNUMA__VCPU_WAITING,
    XLNUMA__VCPU_BLOCKED,
};
extern const char *const xlnuma__vcpu_states[]; /* their names, and NULL */

struct xlnuma__vcpu {
    enum xlnuma__vcpu_state state;
    uint32_t cpu;            /* where it is, or was last */
    int node;                /* of that CPU; -1: not known */
    char *hard, *soft;       /* affinity, CPUs that are online; owned */
    uint64_t time_ns;        /* that it ran so far */
    uint64_t ran_ns, off_ns; /* while it was looked at; of that off the nodes */
};

struct xlnuma__vcpus {
    struct xlnuma__vcpu *vcpu; /* owned */
    unsigned nr;               /* 0: nothing is known of them */
    unsigned nr_looks;
    uint64_t looked_ns; /* from the first look to the last */
};

struct xlnuma__guest {
    char name[XLNUMA_NAME_SIZE]; /* "" when not known; cut when longer */
    uint32_t domid;
    char uuid[40]; /* "" when not known; in no snapshot */
    uint64_t memory_kb;
    unsigned nr_vcpus;
    xlnuma_nodeset affinity; /* Xen's node affinity; empty: not known */
    xlnuma_cpuset pool_cpus; /* of the dedicated CPUs, those that its vCPUs may
                                run on; empty: it is not in their pool */
    xlnuma_cpuset dedicated; /* those that no other guest is to have */
    struct xlnuma__vcpus vcpus; /* in a snapshot, or where they are asked for */
    bool has_report;
    struct xlnuma__report report; /* last, as its end is not touched */
};

/*
 * In the order of their ids, as they come from Xen; Domain-0 is one of them, though it
 * is no guest. {0} is none.
 */
struct xlnuma__guests {
    struct xlnuma__guest *guest; /* owned */
    unsigned nr;
};

/* Where JSON has Domain-0: not among the guests. */
#define XLNUMA__DOM0_KEY "domain0"

static inline bool xlnuma__is_dom0(const struct xlnuma__guest *guest)
{
    return guest->domid == 0;
}

/* How many there are, Domain-0 aside. */
unsigned xlnuma__guests_count(const struct xlnuma__guests *guests);

/*
 * Is what the user calls a guest an id? As for xl a number is one; it may be a name
 * where no domain has that id.
 */
bool xlnuma__guest_id(const char *operand, uint32_t *domid_r);

/* Leave the guests alone. */
void xlnuma__guests_drop_dom0(struct xlnuma__guests *guests);

/* Safe twice. */
void xlnuma__guests_dispose(struct xlnuma__guests *guests);

void xlnuma__vcpus_dispose(struct xlnuma__vcpus *vcpus);

/*
 * A new guest at the end, all zero but the nodes that it sees; NULL when out of
 * memory.
 */
struct xlnuma__guest *xlnuma__guests_add(struct xlnuma__guests *guests);

/* Its memory on a node: as built, or else as planned; 0 where not known. */
uint64_t xlnuma__guest_node_kb(const struct xlnuma__guest *guest,
                               unsigned node);

/* The nodes that its memory is on by that; empty: not known. */
xlnuma_nodeset xlnuma__guest_nodes(const struct xlnuma__guest *guest);

/* The same; where that is not known, the nodes that Xen's affinity keeps it to. */
xlnuma_nodeset xlnuma__guest_is_on(const struct xlnuma__guest *guest,
                                   const struct xlnuma_host *host);

/*
 * What its build took from nodes where nothing was planned, of *total_kb_r.
 * Returns false when that is not known, or no
 * longer what the guest has.
 */
bool xlnuma__guest_off_plan_kb(const struct xlnuma__guest *guest,
                               uint64_t *off_kb_r, uint64_t *total_kb_r);

/*
 * Memory that a guest has more or less than it was built with, up to here, is none
 * that it took or gave back: Xen and device models take some of their own.
 */
#define XLNUMA__STRAY_KB ((uint64_t)4096 * PAGE_KB)

/* How much its build took, or was to take; 0: not known. */
uint64_t xlnuma__guest_built_kb(const struct xlnuma__guest *guest);

/*
 * Where the memory is of a guest that has grown or shrunk since it was built (by
 * ballooning) is not known: then its status is "grown" or "shrunk", the reason says
 * so, and there is no expected distance. `video_kb` is what a device model may
 * have taken besides.
 */
void xlnuma__guest_judge_size(struct xlnuma__guest *guest, uint64_t video_kb);
bool xlnuma__guest_is_resized(const struct xlnuma__guest *guest);

/*
 * A guest with dedicated CPUs that others may use too, or whose vCPUs may run
 * elsewhere, is "shared", and the reason says who is where; one that was resized
 * keeps that status. Of all guests of a host that runs.
 */
void xlnuma__guests_judge_shared(struct xlnuma__guests *guests);
bool xlnuma__guest_is_shared(const struct xlnuma__guest *guest);

/* Nothing was reported. */
void xlnuma__report_init(struct xlnuma__report *report);

/* The nodes that were planned or have memory of it. */
xlnuma_nodeset xlnuma__report_nodes(const struct xlnuma__report *report);

/* No guest has more on a node, nor more extents: sums stay below 2^63. */
#define XLNUMA__KB_MAX ((uint64_t)1 << 52)

#endif /* XLNUMA_GUESTS_H */
