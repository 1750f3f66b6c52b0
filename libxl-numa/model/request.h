/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest needs and what its user asked for. */
#ifndef XLNUMA_REQUEST_H
#define XLNUMA_REQUEST_H

#include "model/host.h"

/* Which node sets are acceptable (key numa_policy). */
enum xlnuma_policy {
    XLNUMA_POLICY_BEST_EFFORT, /* any, the nearest first */
    XLNUMA_POLICY_STRICT,      /* the same, or none */
    XLNUMA_POLICY_RESTRICTED,  /* the fewest nodes that could ever hold it */
    XLNUMA_POLICY_SINGLE_NODE, /* one node, or none */
    XLNUMA_POLICY_NONE,        /* no placement: stock libxl */
};

/* How memory lies on the chosen set (key numa_memory). */
enum xlnuma_memory {
    XLNUMA_MEMORY_SPREAD, /* in proportion to CPUs over the set's nodes */
    XLNUMA_MEMORY_PACK,   /* one node first, the rest on the nearest to it */
};

/* What a set of nodes has to hold (key numa_hotplug). */
enum xlnuma_hotplug {
    XLNUMA_HOTPLUG_NOW,    /* what the guest has when it is built */
    XLNUMA_HOTPLUG_LIMITS, /* what it may get: maxmem and maxvcpus */
};

/* What keeps the vCPUs near the plan besides soft affinity (numa_affinity). */
enum xlnuma_affinity {
    XLNUMA_AFFINITY_DEFAULT, /* socket with credit2, soft with others */
    XLNUMA_AFFINITY_SOCKET,  /* hard affinity: the CPUs of the plan's sockets */
    XLNUMA_AFFINITY_SOFT,    /* soft affinity alone */
    XLNUMA_AFFINITY_HARD,    /* hard affinity: the plan's CPUs */
};

/* Does the guest share CPUs with others (key numa_cpus)? */
enum xlnuma_cpus {
    XLNUMA_CPUS_SHARED,
    XLNUMA_CPUS_DEDICATED, /* each vCPU gets a CPU that no other guest has */
};

/* How dedicated CPUs lie on cores of several threads (key numa_threads). */
enum xlnuma_threads {
    XLNUMA_THREADS_PREFER,  /* threads of one core first */
    XLNUMA_THREADS_ISOLATE, /* a core for each vCPU, its other threads empty */
    XLNUMA_THREADS_REQUIRE, /* whole cores, of which no other guest has a thread */
};

/* Where the guest's device model runs (key numa_emulator). */
enum xlnuma_emulator {
    XLNUMA_EMULATOR_ANY,  /* on every vCPU of Domain-0, or of a set of them */
    XLNUMA_EMULATOR_NEAR, /* on those that are pinned near the guest's nodes */
};

/* The names of these values in configuration files; NULL ends each list. */
extern const char *const xlnuma__policies[];
extern const char *const xlnuma__memories[];
extern const char *const xlnuma__affinities[];
extern const char *const xlnuma__hotplugs[];
extern const char *const xlnuma__cpu_policies[];
extern const char *const xlnuma__threads[];
extern const char *const xlnuma__emulators[];

/* Returns false, and leaves *value_r alone, when no value is called so. */
bool xlnuma__from_name(const char *const names[], const char *name,
                       unsigned *value_r);

#define XLNUMA_NAME_SIZE 128

/* PCI devices of a guest that count; and what they weigh, in percent. */
#define XLNUMA_GUEST_DEVICES_MAX 256
#define XLNUMA_DEVICE_WEIGHT 20

/* How much better a wider hard affinity has to be, in percent, by default. */
#define XLNUMA_BALANCE_GAIN 10

/*
 * The nodes that a guest sees (key numa_guest_nodes): one, one for each node of the
 * plan that has memory, or a fixed number from 2 on.
 */
#define XLNUMA_GUEST_NODES_OFF 0
#define XLNUMA_GUEST_NODES_AUTO 1
#define XLNUMA_GUEST_NODES_MAX 64
#define XLNUMA_GUEST_VCPUS_MAX 128 /* of a guest that sees several */

struct xlnuma__layout;

struct xlnuma_request {
    char name[XLNUMA_NAME_SIZE]; /* for messages and reports only */
    uint64_t memory_kb;          /* with the toolstack's overhead; > 0 */
    unsigned nr_vcpus;           /* > 0 */
    uint64_t max_memory_kb;      /* that it may grow to; 0 or less: memory_kb */
    unsigned max_vcpus;          /* the same for nr_vcpus */
    enum xlnuma_hotplug hotplug; /* which of them a set has to hold */
    bool has_cpus;               /* `cpus` says which CPUs it may run on */
    xlnuma_cpuset cpus;          /* cpupool and affinity, when has_cpus */
    xlnuma_nodeset nodes;        /* memory from these nodes only, and CPUs too
                                    unless it may use none of theirs */
    enum xlnuma_policy policy;
    enum xlnuma_memory memory;
    enum xlnuma_affinity affinity;
    enum xlnuma_cpus cpu_policy;
    enum xlnuma_threads threads; /* of dedicated CPUs */
    enum xlnuma_emulator emulator;
    bool has_own_affinity; /* the vCPUs' hard affinities are the user's */
    char scheduler[XLNUMA_SCHEDULER_SIZE]; /* of its cpupool; "": the host's */
    unsigned device_weight; /* percent (key numa_devices), 0 to 100 */
    unsigned nr_devices;
    xlnuma_bdf device[XLNUMA_GUEST_DEVICES_MAX]; /* assigned to the guest */
    bool wants_alternatives;    /* to a placed plan: longer to find than it */
    unsigned guest_nodes;       /* XLNUMA_GUEST_NODES_, or how many */
    const char *no_guest_nodes; /* static: why it can see one only, or NULL */
    uint64_t ram_kb;            /* its own memory: without any overhead */
    uint64_t low_ram_kb;        /* of it, below the hole under 4 GiB */
    unsigned max_nodes;         /* of its plan, besides the policy; 0: any */
    bool no_balance;            /* key numa_balance is off */
    bool no_move;               /* key numa_move is off */
    unsigned balance_gain;      /* percent (key numa_balance_gain) */
    const struct xlnuma__layout *kept_nodes; /* borrowed: those that a restored
                                                guest has, or NULL */
};

/*
 * Any CPU, any node, best-effort, spread, default affinity, devices weigh
 * XLNUMA_DEVICE_WEIGHT, alternatives wanted; memory and vCPUs zero, no devices.
 */
void xlnuma_request_init(struct xlnuma_request *request);

/* What the guest may get: what it has, or more. */
static inline uint64_t xlnuma__limit_kb(const struct xlnuma_request *request)
{
    return request->max_memory_kb > request->memory_kb ? request->max_memory_kb
                                                       : request->memory_kb;
}

static inline unsigned xlnuma__limit_vcpus(const struct xlnuma_request *request)
{
    return request->max_vcpus > request->nr_vcpus ? request->max_vcpus
                                                  : request->nr_vcpus;
}

/* Does the policy fail the build rather than deviate from the plan? */
static inline bool xlnuma__is_strict(enum xlnuma_policy policy)
{
    return policy == XLNUMA_POLICY_STRICT ||
           policy == XLNUMA_POLICY_RESTRICTED ||
           policy == XLNUMA_POLICY_SINGLE_NODE;
}

/* The scheduler that ignores soft affinity when it balances its run queues. */
#define XLNUMA__CREDIT2 "credit2"

#endif /* XLNUMA_REQUEST_H */
