/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of xen/ offer to the hook and to xl-plugin. */
#ifndef XLNUMA_XEN_H
#define XLNUMA_XEN_H

#include <libxl.h>
#include <libxlutil.h>
#include <xenstore.h>

#include "formats/dump.h"
#include "model/core.h"
#include "model/guests.h"

/* --- xen/host.c ----------------------------------------------------------- */

struct xc_interface_core; /* libxenctrl's xc_interface */

/*
 * As xlnuma_host_from_xen() but for the devices and the scheduler, with libxl's own access to the
 * hypervisor; and the address bits of low memory, 0: none.
 */
int xlnuma__host_from_xen(struct xlnuma_host *host_r, libxl_ctx *ctx,
                          struct xc_interface_core *xch, unsigned *low_width_r,
                          char *message);

/* The devices of a host that has none yet; none, too, when Xen fails. */
void xlnuma__host_add_devices(struct xlnuma_host *host, libxl_ctx *ctx);

/* What a node has free below an address width; 0, too, when Xen fails. */
uint64_t xlnuma__low_free_kb(struct xc_interface_core *xch, unsigned width,
                             unsigned node);

void xlnuma__cpuset_from_bitmap(xlnuma_cpuset *set_r, const libxl_bitmap *map);

/* A scheduler by libxl's number; "" for one that libxl does not know. */
void xlnuma__scheduler_name(char name_r[XLNUMA_SCHEDULER_SIZE], int scheduler);

/* --- xen/dom0.c ----------------------------------------------------------- */

/*
 * Does Domain-0 hold most of the host's memory? Then the hint says so, and what
 * to do; else it is empty, as when Xen fails.
 */
bool xlnuma__dom0_holds_most(libxl_ctx *ctx, struct xc_interface_core *xch,
                             char hint[XLNUMA_MESSAGE_SIZE]);

/* --- xen/load.c ----------------------------------------------------------- */

/*
 * Fill in the nodes' load, from the domains and from what they were at the last
 * note. Returns 0, XLNUMA_ERR_XEN.
 */
int xlnuma__load_read(struct xlnuma_host *host, struct xc_interface_core *xch,
                      char *message);

/* For later readings: what each domain ran so far. If it fails, it fails. */
void xlnuma__load_note(struct xc_interface_core *xch);

/* --- xen/request.c -------------------------------------------------------- */

/*
 * What libxl takes for a guest beside its own memory, by the rule of
 * libxl__domain_need_memory_calculate() (tools/libs/light/libxl_mem.c).
 * Memory values that are still LIBXL_MEMKB_DEFAULT get libxl's defaults, with
 * hardware-assisted paging for what is not PV. Returns KiB, whole 2 MiB.
 */
uint64_t xlnuma__need_memory_kb(const libxl_domain_config *config);

/*
 * Of that memory, what is populated: the guest's own and its stub domain's. The
 * rest Xen takes for itself, part of it before the domain has its vCPUs.
 */
uint64_t xlnuma__populated_kb(const libxl_domain_config *config);

/*
 * A request from a domain's configuration: memory, vCPUs, the CPUs that its
 * hard affinity and a soft affinity of the user's leave, its PCI devices. `ctx`
 * may be NULL: then devices' names are not known.
 * numa_* settings are not here: xlnuma__settings_apply().
 */
void xlnuma__request_from_config(struct xlnuma_request *request_r,
                                 libxl_ctx *ctx,
                                 const libxl_domain_config *config);

/* Only the CPUs of the domain's cpupool, and its scheduler. Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__request_add_pool(struct xlnuma_request *request, libxl_ctx *ctx,
                             uint32_t poolid, char *message);

/*
 * Does the configuration leave placement to us? If not, *why_r (static) says
 * what the user gave instead.
 */
bool xlnuma__config_wants_placement(const libxl_domain_config *config,
                                    const char **why_r);

/* --- xen/vnodes.c --------------------------------------------------------- */

/* How the guest's memory will lie, and whether it can see several nodes. */
void xlnuma__request_add_vnodes(struct xlnuma_request *request,
                                const libxl_domain_config *config);

/* --- xen/apply.c ---------------------------------------------------------- */

/* Set the domain's node affinity. Returns 0 or libxl's error. */
int xlnuma__apply_nodes(libxl_ctx *ctx, uint32_t domid, xlnuma_nodeset nodes);

/*
 * Set the domain's node affinity and, if wanted, every vCPU's soft and hard
 * affinity to the plan's. `hard_before` is the hard affinity without us, which a
 * plan without hard CPUs restores; NULL: a new domain's, which such a plan leaves.
 * All or nothing: when a call fails, of a domain whose vCPUs are ours node and soft
 * affinity are what they are for a new domain, and the hard affinity is as before.
 * Returns 0, XLNUMA_ERR_XEN. Logs: nothing of its own.
 */
int xlnuma__apply(libxl_ctx *ctx, uint32_t domid, unsigned nr_vcpus,
                  const struct xlnuma_plan *plan, bool with_vcpus,
                  const xlnuma_cpuset *hard_before, char *message);

/* Set one vCPU's soft affinity. Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__apply_vcpu(libxl_ctx *ctx, uint32_t domid, unsigned vcpu,
                       const xlnuma_cpuset *cpus, char *message);

/* --- config/keys.c --------------------------------------------------------- */

/*
 * The numa_* keys are one table in config/keys.c; the name of the i-th, NULL
 * behind the last. A value is kept as the text that was given.
 */
#define XLNUMA__KEYS_MAX 16
#define XLNUMA__VALUE_SIZE 256

const char *xlnuma__key_name(unsigned i);

/* What was given, by key; the empty text is never right: not given. */
struct xlnuma__settings {
    char value[XLNUMA__KEYS_MAX][XLNUMA__VALUE_SIZE];
};

/*
 * Does the text have only known keys, of those that begin with `prefix`? `others`
 * (NULL: none; NULL ends them) are known besides. Returns 0, XLNUMA_ERR_INVALID: the message has
 * file, line and the key that was probably meant.
 */
int xlnuma__keys_check(const char *prefix, const char *const *others,
                       const char *source, const char *text, size_t length,
                       char *message);

/* That message without file and line. */
void xlnuma__key_unknown(const char *key, size_t length,
                         const char *const *others,
                         char what[XLNUMA_MESSAGE_SIZE]);

/*
 * Read the keys from a parsed file. `source` is its name and `text` (`length`
 * bytes) its content, for messages that name the line.
 * Returns 0, XLNUMA_ERR_INVALID.
 */
int xlnuma__settings_read(struct xlnuma__settings *settings_r,
                          const XLU_Config *config, const char *source,
                          const char *text, size_t length, char *message);

/*
 * Set one key from its text; a wrong value changes nothing. Returns the values
 * that are right for it (static), NULL when there is no such key.
 */
const char *xlnuma__settings_set(struct xlnuma__settings *settings,
                                 const char *key, const char *value,
                                 bool *is_right_r);

bool xlnuma__settings_has(const struct xlnuma__settings *settings,
                          const char *key);

/* Set what is not set yet. */
void xlnuma__settings_fill(struct xlnuma__settings *settings,
                           const struct xlnuma__settings *from);

void xlnuma__settings_apply(const struct xlnuma__settings *settings,
                            struct xlnuma_request *request);

/* --- config/kept.c ----------------------------------------------------------- */

/*
 * Have the configuration keep these settings in its c_info.platformdata, in place
 * of those it has: libxl stores that with the domain, saves and migrates it.
 * Returns 0 or XLNUMA_ERR_NOMEM; then the configuration is unchanged.
 */
int xlnuma__kept_put(libxl_domain_config *config,
                     const struct xlnuma__settings *settings);

/*
 * The settings that a configuration has kept. What this version does not know is
 * left out: returns XLNUMA_ERR_INVALID, and the message names the first.
 */
int xlnuma__kept_get(struct xlnuma__settings *settings_r,
                     const libxl_domain_config *config, char *message);

/* The assignments of a text in xl's syntax, one after the other. */
struct xlnuma__scan {
    const char *key; /* borrowed from the text, `length` bytes */
    size_t length;
    unsigned line; /* from 1 */
    /* private */
    const char *here, *end;
    unsigned at_line;
    bool is_start; /* of a statement */
};

void xlnuma__scan_init(struct xlnuma__scan *scan, const char *text,
                       size_t length);
bool xlnuma__scan_next(struct xlnuma__scan *scan);

/* The line (from 1) that sets `key` last; 0 when none does. */
unsigned xlnuma__config_line(const char *text, size_t length, const char *key);

/* --- config/conf.c ----------------------------------------------------------- */

/*
 * What xl-numa.conf says of this guest; the guest's own file takes precedence. The
 * file is the one that XL_NUMA_CONF in the environment names, else that of the
 * configuration folder, which need not be there. Read afresh in each call.
 * *is_off_r: placement is switched off on this host, whatever a guest's file says.
 *
 * Returns 0, XLNUMA_ERR_IO, XLNUMA_ERR_INVALID, XLNUMA_ERR_NOMEM with file and
 * line in the message; then there are no settings, and placement is not off.
 * Logs: nothing.
 */
int xlnuma__conf_read(struct xlnuma__settings *settings_r, bool *is_off_r,
                      const char *guest, char *message);

/* Which file that is; static, or the environment's. */
const char *xlnuma__conf_path(void);

/* The key of the switch, and why a guest is left to libxl when it is off. */
#define XLNUMA__CONF_SWITCH "numa_placement"
#define XLNUMA__CONF_OFF XLNUMA__CONF_SWITCH " is off in xl-numa.conf"

/* --- xen/claim.c: memory that builds in flight are to take ---------------- */

struct xlnuma__claim {
    bool is_there; /* all zero: no claim */
    unsigned slot;
    uint64_t left_kb[XLNUMA_NODES_MAX];
};

/* Where the host's builds keep what they share. Returns a descriptor, or < 0. */
int xlnuma__run_dir_open(bool creates, char *message);

/*
 * One build on the host plans at a time: wait for the turn, 5 s at most. Returns
 * 0 or XLNUMA_ERR_IO; after 0 call _end, and only in between _read and _make.
 */
int xlnuma__claims_begin(char *message);
void xlnuma__claims_end(void);

/* In a child that was just forked: whatever other threads were doing. */
void xlnuma__claims_forked(void);

/*
 * What all claims together leave to be taken of each node, for all node
 * numbers; memory that Xen is giving just now may be in it. So read it before
 * the host's free memory: what is taken in between then counts twice, not never.
 * _look is for any time, waits for nobody, and fails silently: no claims. _apply:
 * into the host model.
 */
void xlnuma__claims_read(struct xc_interface_core *xch, uint64_t claimed_kb[]);
void xlnuma__claims_look(struct xc_interface_core *xch, uint64_t claimed_kb[]);
void xlnuma__claims_apply(struct xlnuma_host *host,
                          const uint64_t claimed_kb[]);

/* Is the domain of that number there still? Then *pages_r is what it has. */
bool xlnuma__domain_lives(struct xc_interface_core *xch, uint32_t domid,
                          const uint8_t uuid[], uint64_t *pages_r);

/* For a domain that exists. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_IO. */
int xlnuma__claim_make(struct xlnuma__claim *claim,
                       struct xc_interface_core *xch, uint32_t domid,
                       const uint64_t kb[], char *message);

/* In another process than that which made it, to tell what is taken. */
void xlnuma__claim_find(struct xlnuma__claim *claim, uint32_t domid);

/*
 * Claim so much more of this node, and as much less of the others. Returns whether
 * that is done: not when somebody else has claimed memory there, or has the turn.
 */
bool xlnuma__claim_move(struct xlnuma__claim *claim,
                        struct xc_interface_core *xch, unsigned node,
                        uint64_t kb);

/* Xen gave so much, so that the claim is smaller; it is over. No claim: fine. */
void xlnuma__claim_taken(struct xlnuma__claim *claim, unsigned node,
                         uint64_t kb);
void xlnuma__claim_drop(struct xlnuma__claim *claim);

/* --- xen/report.c --------------------------------------------------------- */

#define XLNUMA__REPORT_VERSION "1"

/* Returns 0, XLNUMA_ERR_XEN; then nothing of it is there. */
int xlnuma__report_write(struct xs_handle *xs, uint32_t domid,
                         const struct xlnuma__report *report, char *message);

/*
 * Add to a report what each node really gave, and in which extents: for a
 * process that populates another's domain. Returns 0, XLNUMA_ERR_XEN.
 */
int xlnuma__report_write_actual(struct xs_handle *xs, uint32_t domid,
                                const struct xlnuma__report *report,
                                char *message);

/*
 * That process has read the plan, and will follow it. _take returns 0 or
 * XLNUMA_ERR_XEN; _is_taken has a message if it returns false.
 */
int xlnuma__report_take(struct xs_handle *xs, uint32_t domid, char *message);
bool xlnuma__report_is_taken(struct xs_handle *xs, uint32_t domid,
                             char *message);

/* *found_r is false for a domain that has none. Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__report_read(struct xs_handle *xs, uint32_t domid,
                        struct xlnuma__report *report_r, bool *found_r,
                        char *message);

/*
 * The video memory that a device model takes for the domain while it is built,
 * by itself: no report has it. 0 when it is not known, too.
 */
uint64_t xlnuma__video_kb(struct xs_handle *xs, uint32_t domid);

/* --- xen/vcpus.c ---------------------------------------------------------- */

/*
 * Look at a domain's vCPUs, for some seconds, or once if these are 0. A domain
 * that goes meanwhile is shown as it was last.
 *
 * Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM. Logs: as libxl.
 * xlnuma__vcpus_dispose() is safe after a failure and twice.
 */
int xlnuma__vcpus_from_xen(struct xlnuma__vcpus *vcpus_r, libxl_ctx *ctx,
                           uint32_t domid, xlnuma_nodeset nodes,
                           unsigned seconds, char *message);

/* --- xen/dump.c ----------------------------------------------------------- */

/*
 * Have Xen count the pages of all domains by node, now; wait up to some seconds
 * until these nr domains are among them. One that is gone is not in the result.
 * *ns_r is how long Xen was at it. This costs the host: see the file.
 *
 * Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM, XLNUMA_ERR_INVALID (Xen's text is
 * not a complete dump). xlnuma__dump_dispose() is safe in any case.
 */
int xlnuma__dump_from_xen(struct xlnuma__dump *dump_r, const uint32_t domid[],
                          unsigned nr, uint64_t *ns_r, char *message);

#endif /* XLNUMA_XEN_H */
