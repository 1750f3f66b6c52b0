/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the moments of a build have done for it. No service knows a moment.
 */
#ifndef XLNUMA_SERVICES_H
#define XLNUMA_SERVICES_H

#include <sched.h>

#include "hook/build.h"
#include "hook/hook.h"

/* --- messages.c: what a user reads ----------------------------------------- */

/* Without a caller's: warnings and errors on stderr. Static. */
xentoollog_logger *xlnuma__build_logger(void);

/* One line of log, behind "domain 4 (db1): ". */
void xlnuma__build_say(const struct build *build, xentoollog_level level,
                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The same, an error, with ": not built, as numa_policy="..." demands" at its end, or
 * numa_cpus if the policy is not strict.
 */
void xlnuma__build_say_refused(const struct build *build, const char *format,
                               ...) __attribute__((format(printf, 2, 3)));

/* A warning about a domain that has no build. */
void xlnuma__say_of(xentoollog_logger *lg, uint32_t domid, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/* --- settings.c: what a build is to be -------------------------------------- */

/* The numa_* keys of the guest's file that was read last; NULL: as they were. */
void xlnuma__build_remember(const char *name,
                            const struct xlnuma__settings *settings);

/*
 * The settings of the guest's own file, or those that were handed over, which are kept
 * in the configuration; where there are neither, those that its first build kept there.
 */
void xlnuma__build_settle(struct build *build, libxl_domain_config *config);

/* All that is needed of the configuration, and the numa_* keys for the guest. */
void xlnuma__build_learn(struct build *build,
                         const libxl_domain_config *config);

/* --- handed.c: what the guest's toolstack handed over ------------------------ */

/*
 * The settings, to the build, and the vCPUs' affinities, to the configuration. Returns
 * whether there were any.
 */
bool xlnuma__build_get_handed(struct build *build, libxl_domain_config *config);

/* --- keep.c: nodes that a guest sees, in its stored configuration ------------ */

/* Until libxl stores the configuration of that domain: _put. _drop: it failed. */
void xlnuma__keep_add(const struct build *build);
void xlnuma__keep_put(libxl_domain_config *config);
void xlnuma__keep_drop(uint64_t id);

/* --- planning.c: builds at the same moment ---------------------------------- */

/*
 * Read the host and make build->plan, alone on this host, and reserve what was
 * planned; `before`, which may be NULL, is given up. A host of one node is
 * XLNUMA_ERR_NONUMA; other codes as of the two.
 */
int xlnuma__build_plan(struct build *build, xc_interface *xch,
                       struct xlnuma_host *host,
                       struct xlnuma__reservation *before, char *message);

/*
 * May the node give an extent of this order? If it goes beyond the node's share,
 * the build's reservation of the other nodes shrinks by as much.
 */
bool xlnuma__build_may_exceed(struct build *build, xc_interface *xch,
                              unsigned node, unsigned order);

/* `kb` of the reservation were allocated, with unknown placement. */
void xlnuma__build_reserved_taken(struct build *build, uint64_t kb);

/* --- steering.c: a build goes by its plan ------------------------------------ */

/*
 * Plan, and set the affinities. If there is a plan, and it is placed, the build is in
 * PHASE_STEERED from then on. `before` as in xlnuma__build_plan(). Returns 0, or an
 * XLNUMA_ERR_ code with a message.
 */
int xlnuma__build_steer(struct build *build, xc_interface *xch,
                        struct xlnuma__reservation *before, char *message);

/* --- follow.c: memory that is not where it was planned ----------------------- */

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

/* --- progress.c: what a person sees of a long build --------------------------- */

/* The memory begins; whether anybody is looking is decided here. */
void xlnuma__build_progress_begin(struct build *build);

/* A terminal's line is brought up to date, now and then. */
void xlnuma__build_progress(struct build *build);

/* The line is no longer there. */
void xlnuma__build_progress_end(struct build *build);

/* Did the user ask xl to be quiet? */
bool xlnuma__build_is_quiet(void);

/* --- low.c: 1 GiB extents of low memory ------------------------------------- */

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

/* --- emulator.c: where the device model runs ---------------------------------- */

/*
 * Fill in build->emulator_vcpus, which a child that becomes the domain's device model
 * will keep to. A failure of it is a warning: the device model is left as it is.
 */
void xlnuma__build_choose_emulator(struct build *build);

/* For the child: the vCPUs of a domain's device model; static. NULL: as they are. */
const cpu_set_t *xlnuma__emulator_find(uint32_t domid);

/* --- report.c: what came of it ------------------------------------------------ */

/* KiB that are not on the plan's nodes, as far as we put them there. */
uint64_t xlnuma__build_off_plan_kb(const struct build *build);

/* Is it known where its memory is? */
bool xlnuma__build_knows_memory(const struct build *build);

void xlnuma__build_report(const struct build *build,
                          struct xlnuma__report *report_r);

/* The part of a report that says where memory is. */
void xlnuma__build_memory(const struct build *build,
                          struct xlnuma__report *report_r);

/* --- handover.c: memory that another process populates ------------------------ */

/*
 * In libxl's process: let the other one know the plan (returns 0 or
 * XLNUMA_ERR_XEN); learn what it did.
 */
int xlnuma__build_hand_over(struct build *build, char *message);
void xlnuma__build_take_over(struct build *build, struct xs_handle *xs);

#endif /* XLNUMA_SERVICES_H */
