/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One build in flight: what the hook's files know of it and do with it. The
 * functions of struct xlnuma__hook (hook.h) are here by their full names.
 */
#ifndef XLNUMA_BUILD_H
#define XLNUMA_BUILD_H

#include <pthread.h>
#include <time.h>
#include <xentoollog.h>

#include "config/settings.h"
#include "hook/build.h"
#include "hook/hook.h"
#include "hook/vnuma.h"
#include "model/guests.h"
#include "planner/extent.h"
#include "preload/choose.h"
#include "xen/reservations.h"

#define PAGE_KB 4

/* How far a build is. */
enum phase {
    PHASE_BEGUN,   /* no plan yet */
    PHASE_LEFT,    /* placement is left to libxl */
    PHASE_STEERED, /* extents go where the plan says */
    PHASE_STOPPED, /* Xen failed: the rest of its memory is left to libxl */
    PHASE_REFUSED, /* the policy is strict: it gets no more memory */
    PHASE_WAITING, /* built, but its stub domain is not */
};

/* Who asks Xen for its memory. */
enum memory_source {
    MEMORY_OURS,    /* this process, each extent by way of us */
    MEMORY_HELPERS, /* libxl-save-helper */
    MEMORY_UNSEEN,  /* Xen or libxenguest chose the nodes of some of it */
};

/* What came of the plan. */
enum build_status {
    BUILD_PLACED,
    BUILD_PLANNED,  /* where its memory is we do not know */
    BUILD_DEGRADED, /* some of it is not where it was planned */
    BUILD_UNPLACED, /* nothing fits */
    BUILD_OFF,      /* left to libxl by the user, or there is one node */
    BUILD_FAILED,   /* something went wrong before there was a plan */
};

struct outcome {
    enum build_status status;
    char reason[XLNUMA_MESSAGE_SIZE];
};

/*
 * `request`, `why_not`, `owns_vcpus`, `nr_hard`, `hard_before`, `least_kb` and
 * `stubdom_kb` are what we need of the caller's configuration, as it is when libxl
 * has filled in the defaults: a copy, as nobody says when the configuration of an
 * asynchronous build is gone.
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
    bool is_async;       /* nobody says when it is over */
    bool is_strict;      /* rather no domain than a misplaced one */
    bool is_passing;     /* a call of stock libxl's is under way */
    bool joins_pages;    /* pages that make up 2 MiB are one extent */
    bool owns_vcpus;     /* their affinities are ours to set */
    bool has_hard;       /* and they have a hard affinity of ours */
    bool is_hvm;         /* with a device model: hvmloader makes its tables */
    unsigned nr_hard;    /* of vCPUs, with a hard affinity of the user's */
    uint64_t least_kb;   /* that it needs, without what Xen takes for itself */
    uint64_t stubdom_kb; /* of the stub domain that it is to have; 0: none */
    const char *why_not; /* what the user gave instead of placement, static */
    bool has_kept;       /* `settings` are from its first build */
    struct xlnuma__settings settings; /* of the guest's own file */
    xlnuma_nodeset conf_nodes;        /* what it may use by xl-numa.conf */
    struct xlnuma_request request;
    xlnuma_cpuset hard_before;  /* of each vCPU without us, if owns_vcpus */
    struct xlnuma_plan *plan;   /* owned; NULL until made, const from then on */
    struct xlnuma_plan *actual; /* owned; where memory is instead, or NULL */
    struct outcome outcome;
    struct xlnuma__extents extents;
    struct vnuma *vnuma;     /* owned; NULL: the guest sees one node, */
    char vnodes_reason[160]; /* and why, if it was to see more */
    struct xlnuma__reservation reservation; /* of what it has not taken yet */
    unsigned low_width; /* address bits of low memory; 0: none known */
    uint64_t stock_kb;  /* populated by stock libxl, who knows where */
    struct {
        bool is_wanted;
        struct timespec begun, shown;
        int width; /* of the line on the terminal */
    } progress;
};

#define LOG(build, level, ...)                                                 \
    xtl_log((build)->lg, XTL_##level, -1, "xl-numa", __VA_ARGS__)

/* --- build.c: the list of builds ------------------------------------------ */

/* Where nobody gave us one: warnings and errors on stderr. Static. */
xentoollog_logger *xlnuma__build_logger(void);

/* A build of which nothing is known yet but ctx and logger; NULL: no memory. */
struct build *xlnuma__build_new(libxl_ctx *ctx, xentoollog_logger *lg);
void xlnuma__build_add(struct build *build);
void xlnuma__build_free(struct build *build);
bool xlnuma__build_has_domain(const struct build *build);

/*
 * The build of a domain that has its memory not yet; NULL when there is none. It
 * stays until _leave. _take unlinks it.
 */
struct build *xlnuma__build_enter(uint32_t domid);
void xlnuma__build_leave(struct build *build); /* NULL is fine */
struct build *xlnuma__build_take(uint32_t domid);

/*
 * Forget asynchronous builds whose domain is gone: nobody else says that one
 * failed.
 */
void xlnuma__build_drop_dead(xc_interface *xch);

/* The guest of this name that waits for its stub domain; any guest at all. */
struct build *xlnuma__build_take_waiting(const char *name);
bool xlnuma__build_is_waiting(void);

/* The list's lock, which no child of a fork finds taken. */
void xlnuma__builds_lock(void);
void xlnuma__builds_unlock(void);

/* --- config.c: what a build is to be -------------------------------------- */

int xlnuma__build_config_read(const XLU_Config *config, FILE *report,
                              const char *source, const char *text, int length);

/*
 * The settings of the guest's own file, which are kept in the configuration; where
 * this process has not read that file, those that its first build kept there.
 */
void xlnuma__build_settle(struct build *build, libxl_domain_config *config);

/* All that is needed of the configuration, and the numa_* keys for the guest. */
void xlnuma__build_learn(struct build *build,
                         const libxl_domain_config *config);

/* --- place.c: plan and affinities ----------------------------------------- */

int xlnuma__build_vcpus_set(xc_interface *xch, uint32_t domid,
                            unsigned nr_vcpus, bool *owns_affinities_r,
                            unsigned *nr_hard_r);

/*
 * Memory is on `nodes` rather than where it was planned: the affinities follow,
 * and build->actual is what a plan would be that says so. Returns 0, or an
 * XLNUMA_ERR_ code with a message.
 */
int xlnuma__build_follow(struct build *build, xlnuma_nodeset nodes,
                         char *message);

/*
 * It is not known where memory is: the hard affinity is what it would be without
 * us. Returns 0, or an XLNUMA_ERR_ code with a message.
 */
int xlnuma__build_unpin(struct build *build, char *message);

/* --- planning.c: builds at the same moment ----------------------------------- */

/*
 * Read the host and make build->plan, alone on this host, and reserve what was
 * planned; `before`, which may be NULL, is given up. A host of one node is
 * XLNUMA_ERR_NONUMA; other codes as of the two.
 */
int xlnuma__build_plan(struct build *build, xc_interface *xch,
                       struct xlnuma_host *host,
                       struct xlnuma__reservation *before, char *message);

/*
 * May the node give an extent of this order? If it goes beyond the node's share so
 * much less is then reserved of the others.
 */
bool xlnuma__build_may_exceed(struct build *build, xc_interface *xch,
                              unsigned node, unsigned order);

/* So much of the reservation was taken, who knows where. */
void xlnuma__build_reserved_taken(struct build *build, uint64_t kb);

/* --- populate.c: extents -------------------------------------------------- */

int xlnuma__build_populate(const struct xlnuma__next *next, bool is_exact,
                           xc_interface *xch, uint32_t domid, unsigned long nr,
                           unsigned order, unsigned mem_flags,
                           xen_pfn_t *extent);

/* --- pod.c: memory for a guest that is populated on demand ---------------- */

int xlnuma__build_set_pod_target(const struct xlnuma__next *next,
                                 xc_interface *xch, uint32_t domid,
                                 uint64_t target_pages, uint64_t *tot_pages,
                                 uint64_t *pod_cache_pages,
                                 uint64_t *pod_entries);

/* --- progress.c: what a person sees of a long build ----------------------- */

/* The memory begins; whether anybody is looking is decided here. */
void xlnuma__build_progress_begin(struct build *build);

/* A terminal's line is brought up to date, now and then. */
void xlnuma__build_progress(struct build *build);

/* The line is no longer there. */
void xlnuma__build_progress_end(struct build *build);

/* Did the user ask xl to be quiet? */
bool xlnuma__build_is_quiet(void);

/* --- low.c: 1 GiB extents of low memory ----------------------------------- */

/* The node's free low memory before Xen is asked for extents of this order. */
uint64_t xlnuma__build_low_kb(const struct build *build, xc_interface *xch,
                              unsigned node, unsigned order);

/*
 * Of the `nr` extents that Xen then gave, those that are low, the last ones, go
 * back to it. Returns how many.
 */
unsigned long xlnuma__build_give_low_back(const struct build *build,
                                          xc_interface *xch, unsigned node,
                                          unsigned order, uint64_t before_kb,
                                          unsigned long nr, xen_pfn_t *extent);

/* --- report.c: what came of it -------------------------------------------- */

void xlnuma__build_report(const struct build *build,
                          struct xlnuma__report *report_r);

/* The part of a report that says where memory is. */
void xlnuma__build_memory(const struct build *build,
                          struct xlnuma__report *report_r);
void xlnuma__build_built(struct xs_handle *xs, uint32_t domid);

/* --- restore.c: memory that another process populates --------------------- */

/*
 * In libxl's process: let the other one know the plan (returns 0 or
 * XLNUMA_ERR_XEN); learn what it did.
 */
int xlnuma__build_hand_over(struct build *build, char *message);
void xlnuma__build_take_over(struct build *build, struct xs_handle *xs);
int xlnuma__build_restored(uint32_t domid);

/* In the other one, libxl-save-helper. */
void xlnuma__build_restore_begin(xc_interface *xch, uint32_t domid);
void xlnuma__build_restore_end(uint32_t domid);

/* --- reset.c: a soft reset ------------------------------------------------ */

/*
 * Note affinities and report of a domain that libxl builds again on its memory;
 * when that is done _built puts them back. _end: it failed, or is done.
 */
void xlnuma__reset_begin(libxl_ctx *ctx, xentoollog_logger *lg, uint32_t domid);
void xlnuma__reset_end(uint32_t domid);
bool xlnuma__reset_is_on(uint32_t domid);
void xlnuma__reset_built(struct xs_handle *xs, uint32_t domid);

/* --- stubdom.c: a guest's stub domain ------------------------------------- */

/* What the stub domain of such a guest takes; 0: it has none. */
uint64_t xlnuma__stubdom_kb(const libxl_domain_config *config);

/*
 * A domain that is in no build has its vCPUs: if it is a stub domain it is
 * planned, and has its affinities. Returns whether it has.
 */
bool xlnuma__stubdom_begin(xc_interface *xch, uint32_t domid,
                           unsigned nr_vcpus);

#endif /* XLNUMA_BUILD_H */
