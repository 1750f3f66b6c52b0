/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xlnuma.h: NUMA placement for Xen domain builds.
 *
 * The host is a model (struct xlnuma_host) that comes from the running
 * hypervisor or from a snapshot file; what a guest needs is a request
 * (struct xlnuma_request); the answer is a plan (struct xlnuma_plan). Making a
 * plan changes nothing anywhere and needs no Xen:
 *
 *     struct xlnuma_host *host = xlnuma_host_new();
 *     struct xlnuma_plan *plan = xlnuma_plan_new();
 *     struct xlnuma_request request;
 *     char message[XLNUMA_MESSAGE_SIZE];
 *
 *     xlnuma_request_init(&request);
 *     request.memory_kb = 4403200;
 *     request.nr_vcpus = 2;
 *     if (!host || !plan ||
 *         xlnuma_host_load(host, "host.json", message) ||
 *         xlnuma_plan_make(host, &request, plan, message))
 *         fprintf(stderr, "%s\n", message);
 *     else
 *         puts(plan->reason);
 *     xlnuma_plan_free(plan);
 *     xlnuma_host_free(host);
 *
 * Conventions. Memory is in KiB (_kb). Distances are SLIT values: 10 is local,
 * XLNUMA_DISTANCE_UNREACHABLE is no path. Functions return 0 or a negative
 * XLNUMA_ERR_ code and then have filled `message`, an array of
 * XLNUMA_MESSAGE_SIZE bytes of the caller's, with one line (no newline) that
 * names what was wrong and where; on success it is the empty string. The
 * library never exits, prints or aborts. Nothing here keeps global state:
 * calls on different objects may run in different threads.
 */
#ifndef XLNUMA_H
#define XLNUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Limits: Xen's own on x86 (MAX_NUMNODES; CONFIG_NR_CPUS at its largest). */
#define XLNUMA_NODES_MAX 64
#define XLNUMA_CPUS_MAX 16384

#define XLNUMA_DISTANCE_LOCAL 10
#define XLNUMA_DISTANCE_UNREACHABLE 255

#define XLNUMA_MESSAGE_SIZE 512

#define XLNUMA_MUST_CHECK __attribute__((warn_unused_result))

enum xlnuma_err {
    XLNUMA_ERR_INVALID = -1, /* a value is wrong, missing or contradictory */
    XLNUMA_ERR_IO = -2,      /* a file could not be opened, read or written */
    XLNUMA_ERR_NOMEM = -3,   /* out of memory in this process */
    XLNUMA_ERR_XEN = -4,     /* a call to Xen, libxl or xenstore failed */
    XLNUMA_ERR_NONUMA = -5,  /* the host has one node: nothing to choose */
};

/* --- Sets of CPUs and of nodes -------------------------------------------- */

/* A set of physical CPUs, by Xen's CPU number. All zero is the empty set. */
typedef struct {
    uint64_t word[XLNUMA_CPUS_MAX / 64];
} xlnuma_cpuset;

/* A set of nodes: bit i is node i. */
typedef uint64_t xlnuma_nodeset;

#define XLNUMA_NODES_ALL (~(xlnuma_nodeset)0)

static inline bool xlnuma_cpuset_has(const xlnuma_cpuset *set, unsigned cpu)
{
    return cpu < XLNUMA_CPUS_MAX && (set->word[cpu / 64] >> (cpu % 64)) & 1;
}

static inline void xlnuma_cpuset_add(xlnuma_cpuset *set, unsigned cpu)
{
    set->word[cpu / 64] |= (uint64_t)1 << (cpu % 64);
}

unsigned xlnuma_cpuset_count(const xlnuma_cpuset *set);
void xlnuma_cpuset_and(xlnuma_cpuset *set, const xlnuma_cpuset *other);
void xlnuma_cpuset_or(xlnuma_cpuset *set, const xlnuma_cpuset *other);
bool xlnuma_cpuset_intersects(const xlnuma_cpuset *a, const xlnuma_cpuset *b);

static inline bool xlnuma_nodeset_has(xlnuma_nodeset set, unsigned node)
{
    return node < XLNUMA_NODES_MAX && (set >> node) & 1;
}

static inline unsigned xlnuma_nodeset_count(xlnuma_nodeset set)
{
    return (unsigned)__builtin_popcountll(set);
}

/* Lowest node of a set that is not empty. */
static inline unsigned xlnuma_nodeset_first(xlnuma_nodeset set)
{
    return (unsigned)__builtin_ctzll(set);
}

/* Loop over a set, lowest node first; `node` is an unsigned variable. */
#define XLNUMA_FOR_EACH_NODE(node, set)                                        \
    for (xlnuma_nodeset left_##node = (set);                                   \
         left_##node && ((node) = xlnuma_nodeset_first(left_##node), 1);       \
         left_##node &= left_##node - 1)

/*
 * Lists as Xen, Linux and numactl write them: "0-3,8", "" is the empty set.
 *
 * _parse: text must be numbers and ranges in any order, nothing else; a number
 * from XLNUMA_CPUS_MAX or XLNUMA_NODES_MAX up is refused.
 * Returns 0, XLNUMA_ERR_INVALID (message says which part of the list).
 *
 * _format: writes at most `size` bytes with the final NUL (a list that does not
 * fit ends in "..."). Returns buf.
 */
int xlnuma_cpuset_parse(const char *text, xlnuma_cpuset *set_r,
                        char *message) XLNUMA_MUST_CHECK;
int xlnuma_nodeset_parse(const char *text, xlnuma_nodeset *set_r,
                         char *message) XLNUMA_MUST_CHECK;
char *xlnuma_cpuset_format(const xlnuma_cpuset *set, char *buf, size_t size);
char *xlnuma_nodeset_format(xlnuma_nodeset set, char *buf, size_t size);

/* --- Host ----------------------------------------------------------------- */

struct xlnuma_node {
    unsigned socket;      /* physical package that it is nearest to */
    xlnuma_cpuset cpus;   /* online CPUs; empty for a memory-only node */
    unsigned nr_cores;    /* physical cores behind them; 0 when not known */
    uint64_t size_kb;     /* 0 for a node without memory */
    uint64_t free_kb;     /* at most size_kb */
    uint64_t low_free_kb; /* of free_kb, what lies below Xen's DMA width */
    uint64_t claimed_kb;  /* of free_kb, what builds in flight will take */
    uint32_t load_mvcpu;  /* vCPUs expected to run here, in thousandths */
};

/*
 * A PCI device's address: segment << 16 | bus << 8 | device << 3 | function, as
 * text "0000:3b:00.0".
 *
 * _parse: the segment may be missing; four, two, two and one hexadecimal digits
 * at most. Returns false for anything else.
 * _format: returns buf.
 */
typedef uint32_t xlnuma_bdf;
#define XLNUMA_BDF_SIZE 16
bool xlnuma_bdf_parse(const char *text, xlnuma_bdf *bdf_r);
char *xlnuma_bdf_format(xlnuma_bdf bdf, char buf[XLNUMA_BDF_SIZE]);

/* A PCI device whose node is known. */
struct xlnuma_device {
    xlnuma_bdf bdf;
    unsigned node;
};

#define XLNUMA_DEVICES_MAX 8192

#define XLNUMA_SCHEDULER_SIZE 16

/*
 * About 220 KiB: allocate with xlnuma_host_new(), not on the stack.
 * node[i] and distance[i][j] mean something only for i, j in `nodes`, device[n]
 * for n < nr_devices.
 */
struct xlnuma_host {
    xlnuma_nodeset nodes;
    char scheduler[XLNUMA_SCHEDULER_SIZE]; /* "credit2"; "" when not known */
    struct xlnuma_node node[XLNUMA_NODES_MAX];
    uint16_t distance[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    unsigned nr_devices;
    struct xlnuma_device device[XLNUMA_DEVICES_MAX]; /* ascending bdf */
};

/* Ownership: the caller owns the result. Returns NULL when out of memory. */
struct xlnuma_host *xlnuma_host_new(void);
void xlnuma_host_free(struct xlnuma_host *host); /* NULL is fine */

/*
 * Verify the model's invariants: at least one node; no CPU in two nodes;
 * low_free_kb and claimed_kb <= free_kb <= size_kb; local distances 10, others 11 to 254 or
 * unreachable; some CPU and some memory; devices in ascending order on nodes that
 * are there. Called after every load and after every look at Xen.
 *
 * Returns 0, XLNUMA_ERR_INVALID.
 */
int xlnuma_host_check(const struct xlnuma_host *host,
                      char *message) XLNUMA_MUST_CHECK;

/*
 * Read a snapshot (docs/snapshot-format.md) from a file, "-" for stdin, or
 * from `length` bytes of JSON text that messages call `name`.
 *
 * Returns 0, XLNUMA_ERR_INVALID, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM; after an
 * error *host_r holds nothing of use.
 */
int xlnuma_host_load(struct xlnuma_host *host_r, const char *path,
                     char *message) XLNUMA_MUST_CHECK;
int xlnuma_host_parse(struct xlnuma_host *host_r, const char *name,
                      const char *json, size_t length,
                      char *message) XLNUMA_MUST_CHECK;

/*
 * Write a snapshot; `comment` may be NULL.
 * Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_IO (the stream has an error).
 */
int xlnuma_host_write(const struct xlnuma_host *host, const char *comment,
                      FILE *file, char *message) XLNUMA_MUST_CHECK;

/*
 * The running hypervisor's topology, free memory, load and PCI devices, through
 * libxl. Where Xen tells no device's node, there are no devices.
 * Needs a privileged context; changes nothing. `ctx` is borrowed for the call.
 *
 * Returns 0; XLNUMA_ERR_XEN; XLNUMA_ERR_INVALID when what it reports fails the checks.
 */
struct libxl__ctx;
int xlnuma_host_from_xen(struct xlnuma_host *host_r, struct libxl__ctx *ctx,
                         char *message) XLNUMA_MUST_CHECK;

/* --- Request -------------------------------------------------------------- */

/* Which node sets are acceptable (key numa_policy). */
enum xlnuma_policy {
    XLNUMA_POLICY_BEST_EFFORT, /* any, the nearest first */
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

/* Names as in configuration files; _from_name returns false when unknown. */
const char *xlnuma_policy_name(enum xlnuma_policy policy);
bool xlnuma_policy_from_name(const char *name, enum xlnuma_policy *policy_r);
const char *xlnuma_memory_name(enum xlnuma_memory memory);
bool xlnuma_memory_from_name(const char *name, enum xlnuma_memory *memory_r);
bool xlnuma_affinity_from_name(const char *name,
                               enum xlnuma_affinity *affinity_r);
const char *xlnuma_hotplug_name(enum xlnuma_hotplug hotplug);
bool xlnuma_hotplug_from_name(const char *name, enum xlnuma_hotplug *hotplug_r);

#define XLNUMA_NAME_SIZE 128

/* PCI devices of a guest that count; and what they weigh, in percent. */
#define XLNUMA_GUEST_DEVICES_MAX 256
#define XLNUMA_DEVICE_WEIGHT 20

/*
 * The nodes that a guest sees (key numa_guest_nodes): one, one for each node of the
 * plan that has memory, or a fixed number from 2 on.
 */
#define XLNUMA_GUEST_NODES_OFF 0
#define XLNUMA_GUEST_NODES_AUTO 1
#define XLNUMA_GUEST_NODES_MAX 64
#define XLNUMA_GUEST_VCPUS_MAX 128 /* of a guest that sees several */

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
};

/*
 * Any CPU, any node, best-effort, spread, default affinity, devices weigh
 * XLNUMA_DEVICE_WEIGHT, alternatives wanted; memory and vCPUs zero, no devices.
 */
void xlnuma_request_init(struct xlnuma_request *request);

/* --- Plan ----------------------------------------------------------------- */

enum xlnuma_status {
    XLNUMA_STATUS_PLACED,   /* nodes, memory and CPUs were chosen */
    XLNUMA_STATUS_UNPLACED, /* nothing fits; reason says what is missing */
    XLNUMA_STATUS_OFF,      /* the policy is none */
};
const char *xlnuma_status_name(enum xlnuma_status status);

/* Why a set that is nearer than the plan's, or as near, is not the plan. */
enum xlnuma_why_not {
    XLNUMA_WHY_NOT_MEMORY,   /* short of memory, by short_kb */
    XLNUMA_WHY_NOT_CPUS,     /* fewer CPUs than vCPUs, by short_cpus */
    XLNUMA_WHY_NOT_CORES,    /* fewer cores than vCPUs, by short_cpus */
    XLNUMA_WHY_NOT_POLICY,   /* more nodes than the policy allows */
    XLNUMA_WHY_NOT_PATH,     /* a CPU of it has no path to memory of it */
    XLNUMA_WHY_NOT_FARTHER,  /* holds the guest, but is farther apart */
    XLNUMA_WHY_NOT_DEVICES,  /* the same, but for its devices alone */
    XLNUMA_WHY_NOT_SOCKETS,  /* as near, but on more sockets */
    XLNUMA_WHY_NOT_GROWTH,   /* as near, without room for what it may get */
    XLNUMA_WHY_NOT_LOW,      /* as near, but takes more low memory */
    XLNUMA_WHY_NOT_LOAD,     /* as near, but busier */
    XLNUMA_WHY_NOT_HOLES,    /* as near; this one leaves the better holes */
    XLNUMA_WHY_NOT_NODES,    /* numa_nodes excludes it */
    XLNUMA_WHY_NOT_AFFINITY, /* its CPUs are not the guest's */
};
const char *xlnuma_why_not_name(enum xlnuma_why_not why);

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
    xlnuma_cpuset cpus;                          /* that its vCPUs run on */
    uint8_t distance[XLNUMA_GUEST_NODES_MAX];    /* that the guest sees */
};

/*
 * alternative[i] means something for i < nr_alternatives, guest_node[i] for i <
 * nr_guest_nodes.
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
    unsigned nr_guest_nodes;          /* 0: the guest sees one node */
    char vnodes_reason[160];          /* why, if it was to see more */
    char reason[XLNUMA_MESSAGE_SIZE]; /* one line, in words */
    unsigned nr_alternatives;         /* nearest first */
    struct xlnuma_alternative alternative[XLNUMA_ALTERNATIVES_MAX];
    xlnuma_cpuset soft_cpus; /* for its vCPUs: usable by the guest on `nodes` */
    xlnuma_cpuset hard_cpus; /* usable by the guest; soft_cpus are among them */
    struct xlnuma_guest_node guest_node[XLNUMA_GUEST_NODES_MAX];
};

/* Ownership: the caller's. Returns NULL when out of memory. */
struct xlnuma_plan *xlnuma_plan_new(void);
void xlnuma_plan_free(struct xlnuma_plan *plan); /* NULL is fine */

/*
 * The best node set for a request, by docs/design.md's expected distance and
 * that to its devices: a pure function of host and request. That nothing fits
 * is an answer (status XLNUMA_STATUS_UNPLACED), not an error.
 *
 * Returns 0, XLNUMA_ERR_INVALID (the request: no memory, no vCPUs, only CPUs or
 * nodes that the host has not).
 */
int xlnuma_plan_make(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     struct xlnuma_plan *plan_r,
                     char *message) XLNUMA_MUST_CHECK;

/*
 * Write a plan that was made for the host as JSON (docs/plan-format.md).
 * Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_IO (the stream has an error).
 */
int xlnuma_plan_write(const struct xlnuma_host *host,
                      const struct xlnuma_plan *plan, FILE *file,
                      char *message) XLNUMA_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* XLNUMA_H */
