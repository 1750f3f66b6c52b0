/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One build in flight, and the list of all.
 */
#ifndef XLNUMA_BUILD_H
#define XLNUMA_BUILD_H

#include <xentoollog.h>

#include "config/settings.h"
#include "hook/vnuma.h"
#include "model/guests.h"
#include "planner/extent.h"
#include "xen/reservations.h"

/* How far a build is. */
enum phase {
    PHASE_BEGUN,   /* no plan yet */
    PHASE_LEFT,    /* placement is left to libxl */
    PHASE_STEERED, /* extents go where the plan says */
    PHASE_STOPPED, /* Xen failed: the rest of its memory is left to libxl */
    PHASE_REFUSED, /* the policy is strict: it gets no more memory */
    PHASE_WAITING, /* built, but its stub domain is not */
};

/* Which process asks Xen for its memory. */
enum memory_source {
    MEMORY_OURS,    /* this process, each extent by way of us */
    MEMORY_HELPERS, /* libxl-save-helper */
    MEMORY_UNSEEN,  /* Xen or libxenguest chose the nodes of some of it */
};

/* What came of the plan. */
struct outcome {
    enum xlnuma__built status;
    char reason[XLNUMA_MESSAGE_SIZE];
};

/*
 * `request`, `why_not`, `owns_vcpus`, `nr_hard`, `hard_before`, `least_kb` and
 * `stubdom_kb` are what we need of the caller's configuration, as it is when libxl
 * has filled in the defaults: a copy, as an asynchronous build may outlive its
 * configuration.
 */
struct build {
    struct build *next;
    uint64_t id;
    unsigned nr_users; /* threads that work on it: it stays */
    libxl_ctx *ctx;    /* libxl's, when it calls us for this build */
    xentoollog_logger *lg;
    libxl_uuid uuid;
    uint32_t domid; /* INVALID_DOMID until there is a domain */
    uint32_t poolid;
    unsigned nr_vcpus;
    enum phase phase;
    enum memory_source source;
    bool is_async;       /* its end is not reported */
    bool is_strict;      /* fail the build rather than misplace it */
    bool calls_stock;    /* a call of stock libxl's is under way */
    bool joins_pages;    /* pages that make up 2 MiB are one extent */
    bool owns_vcpus;     /* their affinities are ours to set */
    bool has_hard;       /* and they have a hard affinity of ours */
    bool is_hvm;         /* with a device model: hvmloader makes its tables */
    unsigned nr_hard;    /* of vCPUs, with a hard affinity of the user's */
    uint64_t least_kb;   /* that it needs, without what Xen takes for itself */
    uint64_t stubdom_kb; /* of the stub domain that it is to have; 0: none */
    const char *why_not; /* what the user gave instead of placement, static */
    const char *no_dedicated; /* why it cannot have dedicated CPUs, static */
    bool has_kept;            /* `settings` are from its first build */
    struct xlnuma__settings settings; /* of the guest's own file */
    xlnuma_nodeset conf_nodes;        /* what it may use by xl-numa.conf */
    xlnuma_cpuset emulator_set;       /* vCPUs of Domain-0, by it; empty: all */
    xlnuma_cpuset emulator_vcpus;     /* its device model's; empty: left */
    struct xlnuma_request request;
    xlnuma_cpuset hard_before;  /* of each vCPU without us, if owns_vcpus */
    struct xlnuma_plan *plan;   /* owned; NULL until made, const from then on */
    struct xlnuma_plan *actual; /* owned; where memory is instead, or NULL */
    struct outcome outcome;
    struct xlnuma__extents extents;
    struct vnuma *vnuma;     /* owned; NULL: the guest sees one node, */
    char vnodes_reason[160]; /* and why, if it was to see more */
    bool has_kept_nodes;     /* it is restored with nodes: */
    struct xlnuma__layout kept_nodes; /* these, */
    const char *kept_nodes_why; /* static; unless this is wrong with them */
    struct xlnuma__reservation reservation; /* of what it has not taken yet */
    unsigned low_width; /* address bits of low memory; 0: none known */
    uint64_t stock_kb;  /* populated by stock libxl, placement unknown */
    struct {
        bool is_wanted;
        uint64_t begun_ns, shown_ns;
        int width; /* of the line on the terminal */
    } progress;
};

/* Does each vCPU get a CPU of its own, or the build fail? */
static inline bool xlnuma__build_is_dedicated(const struct build *build)
{
    return build->request.cpu_policy == XLNUMA_CPUS_DEDICATED;
}

/* Fail the build rather than leave it to libxl? */
static inline bool xlnuma__build_needs_plan(const struct build *build)
{
    return xlnuma__is_strict(build->request.policy) ||
           xlnuma__build_is_dedicated(build);
}

/* Are its vCPUs' affinities the plan's? On dedicated CPUs they are pinned already. */
static inline bool xlnuma__build_sets_vcpus(const struct build *build)
{
    return build->owns_vcpus && !xlnuma__build_is_dedicated(build);
}

/* A build of which nothing is known yet but ctx and logger; NULL: no memory. */
struct build *xlnuma__build_new(libxl_ctx *ctx, xentoollog_logger *lg);
void xlnuma__build_add(struct build *build);
void xlnuma__build_free(struct build *build);
static inline bool xlnuma__build_has_domain(const struct build *build)
{
    return build->domid != (uint32_t)INVALID_DOMID;
}

/*
 * The build of a domain that has its memory not yet; NULL when there is none. It
 * stays until _leave. _take unlinks it.
 */
struct build *xlnuma__build_enter(uint32_t domid);
void xlnuma__build_leave(struct build *build); /* NULL is fine */
struct build *xlnuma__build_take(uint32_t domid);

/*
 * The build of this id, as of the domain that Xen has just made for it: builds of
 * earlier domains of that number are dropped. NULL: there is none. Drop it: when it
 * has no domain, or in any case.
 */
struct build *xlnuma__build_enter_new(uint64_t id, uint32_t domid);
void xlnuma__build_drop(uint64_t id, bool goes_on);

/*
 * Forget asynchronous builds whose domain is gone: their failure is not
 * reported.
 */
void xlnuma__build_drop_dead(xc_interface *xch);

/* The guest of this name that waits for its stub domain; any guest at all. */
struct build *xlnuma__build_take_waiting(const char *name);
bool xlnuma__build_is_waiting(void);

/* The list's lock, which no child of a fork finds taken. */
void xlnuma__builds_lock(void);
void xlnuma__builds_unlock(void);

#endif /* XLNUMA_BUILD_H */
