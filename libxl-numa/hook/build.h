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

#include "core/core.h"
#include "hook/hook.h"
#include "xen/xen.h"

#define PAGE_KB 4

struct build {
    struct build *next;
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    libxl_domain_config *config;      /* borrowed until the build ends */
    const libxl_domain_config *owner; /* the same; a stub domain's guest's */
    libxl_uuid uuid;
    uint32_t domid;
    unsigned nr_vcpus;
    bool has_domid;
    bool is_restored;          /* another process populates it */
    bool is_stubdom;           /* of a guest; config is NULL */
    bool is_waiting;           /* built, and its stub domain is not */
    bool is_strict;            /* rather no domain than a misplaced one */
    bool has_failed;           /* plan->reason says what */
    bool is_degraded;          /* memory is not where it was planned */
    bool has_warned;           /* that memory is not where it should be */
    bool owns_vcpus;           /* their soft affinity is ours to set */
    bool holds_placement_back; /* numa_placement is to become true again */
    bool is_steering;          /* extents go where the plan says */
    bool is_passing;           /* a call of stock libxl's is under way */
    bool has_unseen;           /* Xen or libxenguest chose nodes for some */
    struct xlnuma_request request;
    struct xlnuma_plan *plan; /* owned; NULL until made */
    struct xlnuma__extents extents;
    struct xlnuma__claim claim; /* of what it has not taken yet */
    unsigned low_width;         /* address bits of low memory; 0: none known */
    uint64_t stock_kb;          /* populated by stock libxl, who knows where */
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

void xlnuma__build_add(struct build *build);
void xlnuma__build_free(struct build *build);

/* The build of a domain; NULL when there is none. _take unlinks it. */
struct build *xlnuma__build_find(uint32_t domid);
struct build *xlnuma__build_take(uint32_t domid);

/*
 * Until it is bound to its build a domain is known by its uuid alone: a stub
 * domain is built from within another's build, and libvirt builds in threads.
 * When Xen does not tell the uuid, the message says so, and it is the only build
 * that it can be, if there is one.
 */
struct build *xlnuma__build_bind(xc_interface *xch, uint32_t domid,
                                 uint32_t *poolid_r, char *message);

/* The guest of this name that waits for its stub domain; any guest at all. */
struct build *xlnuma__build_take_waiting(const char *name);
bool xlnuma__build_is_waiting(void);

/* numa_placement in the caller's configuration is what it was. */
void xlnuma__build_give_back(struct build *build);

/* The numa_* keys of the guest's file, if this process read one. */
void xlnuma__build_apply_file(struct build *build);

/* --- place.c: plan and affinities ----------------------------------------- */

int xlnuma__build_vcpus_set(xc_interface *xch, uint32_t domid,
                            unsigned nr_vcpus);
void xlnuma__build_affinities_set(uint32_t domid);

/*
 * Memory is on `nodes` rather than where it was planned: plan and affinities
 * follow. Returns 0, or an XLNUMA_ERR_ code with a message.
 */
int xlnuma__build_follow(struct build *build, xlnuma_nodeset nodes,
                         char *message);

/* --- claim.c: builds at the same moment ----------------------------------- */

/*
 * Read the host and make build->plan, alone on this host, and claim what was
 * planned; `before`, which may be NULL, is given up. A host of one node is
 * XLNUMA_ERR_NONUMA; other codes as of the two.
 */
int xlnuma__build_plan(struct build *build, xc_interface *xch,
                       struct xlnuma_host *host, struct xlnuma__claim *before,
                       char *message);

/* So much of the claim was taken, who knows where. */
void xlnuma__build_claim_any(struct build *build, uint64_t kb);

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
void xlnuma__build_restore_begin(uint32_t domid);
void xlnuma__build_restore_end(uint32_t domid);

/* --- stubdom.c: a guest's stub domain ------------------------------------- */

/* Will libxl build a stub domain for this guest, which is placed? */
bool xlnuma__stubdom_comes(const struct build *build);

/* A domain that is in no build has its vCPUs: plan if it is a stub domain. */
void xlnuma__stubdom_begin(xc_interface *xch, uint32_t domid,
                           unsigned nr_vcpus);

/*
 * libxl has placed it, which nothing could keep it from: now as planned. The
 * build is gone when that fails.
 */
void xlnuma__stubdom_apply(struct build *stubdom);

#endif /* XLNUMA_BUILD_H */
