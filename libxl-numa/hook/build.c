/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The builds in flight in this process: from the configuration to the plan,
 * from the plan to each extent, and to the report. Whatever fails here is
 * logged once and leaves the build to stock libxl, unless the guest's policy is
 * strict.
 *
 * Threads: libvirt's driver builds several domains at once. A lock guards the
 * list; a build itself is worked on by one thread at a time, as in libxl.
 */
#include "hook/hook.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xentoollog.h>

#include "core/core.h"
#include "xen/xen.h"

#define PAGE_KB 4

/*
 * Below this a node does not count as holding guest memory: Xen's own
 * structures for a domain can be counted as its pages.
 */
#define STRAY_KB (4096 * PAGE_KB)

struct build {
    struct build *next;
    libxl_ctx *ctx;
    xentoollog_logger *lg;
    libxl_domain_config *config; /* borrowed until the build ends */
    libxl_uuid uuid;
    uint32_t domid;
    bool has_domid;
    bool is_restored;          /* another process populates it */
    bool is_strict;            /* rather no domain than a misplaced one */
    bool has_failed;           /* plan->reason says what */
    bool has_warned;           /* that memory is not where it should be */
    bool holds_placement_back; /* numa_placement is to become true again */
    bool is_steering;          /* extents go where the plan says */
    bool is_passing;           /* a call of stock libxl's is under way */
    bool has_unseen;           /* Xen or libxenguest chose nodes for some */
    struct xlnuma_request request;
    struct xlnuma_plan *plan; /* owned; NULL until made */
    struct xlnuma__extents extents;
    uint64_t stock_kb; /* populated by stock libxl, who knows where */
};

/* The numa_* keys of the guest file that this process read last. */
static struct {
    bool is_set;
    char name[XLNUMA_NAME_SIZE];
    bool has_uuid;
    libxl_uuid uuid; /* survives `xl rename` and a reboot */
    struct xlnuma__settings settings;
} guest_file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct build *builds;

/* --- logging -------------------------------------------------------------- */

#define LOG(build, level, ...)                                                 \
    xtl_log((build)->lg, XTL_##level, -1, "xl-numa", __VA_ARGS__)

/* Where nobody gave us a logger; NULL, which logs nothing, without memory. */
static xentoollog_logger *new_logger(void)
{
    return (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_WARN,
                                                             0);
}

/* For a context that was made before we were there. */
static xentoollog_logger *fallback_logger(void)
{
    static xentoollog_logger *logger;

    if (!logger)
        logger = new_logger();
    return logger;
}

/* --- the list ------------------------------------------------------------- */

static void free_build(struct build *build)
{
    xlnuma_plan_free(build->plan);
    free(build);
}

static void restore_placement(struct build *build)
{
    if (build->holds_placement_back)
        libxl_defbool_set(&build->config->b_info.numa_placement, true);
    build->holds_placement_back = false;
}

static bool has_config(const struct build *build, const void *config)
{
    return build->config == config;
}

static bool has_domid(const struct build *build, const void *domid)
{
    return build->has_domid && build->domid == *(const uint32_t *)domid;
}

static bool has_uuid(const struct build *build, const void *uuid)
{
    return !libxl_uuid_compare(&build->uuid, uuid);
}

/* Unlink a build from the list; NULL when none is meant. */
static struct build *take_build(bool (*is_meant)(const struct build *,
                                                 const void *),
                                const void *what)
{
    struct build **link, *build;

    pthread_mutex_lock(&lock);
    for (link = &builds; *link && !is_meant(*link, what);)
        link = &(*link)->next;
    build = *link;
    if (build)
        *link = build->next;
    pthread_mutex_unlock(&lock);
    return build;
}

/*
 * Forget a build that is over without our having been told: an asynchronous one
 * that failed. Its configuration may be gone, so that is not touched.
 */
static void drop_stale(bool (*is_meant)(const struct build *, const void *),
                       const void *what)
{
    struct build *build = take_build(is_meant, what);

    if (build)
        free_build(build);
}

static struct build *find_build(uint32_t domid)
{
    struct build *build;

    pthread_mutex_lock(&lock);
    for (build = builds; build && !has_domid(build, &domid);)
        build = build->next;
    pthread_mutex_unlock(&lock);
    return build;
}

/*
 * Until it is bound to its build a domain is known by its uuid alone: a stub
 * domain is built from within another's build, and libvirt builds in threads.
 */
static struct build *bind_build(xc_interface *xch, uint32_t domid,
                                uint32_t *poolid_r)
{
    struct build *build;
    xc_domaininfo_t info;
    libxl_uuid uuid;

    drop_stale(has_domid, &domid);
    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid)
        return NULL;
    memcpy(&uuid, info.handle, sizeof(uuid));
    pthread_mutex_lock(&lock);
    for (build = builds; build && !has_uuid(build, &uuid);)
        build = build->next;
    if (build) {
        build->domid = domid;
        build->has_domid = true;
    }
    pthread_mutex_unlock(&lock);
    *poolid_r = info.cpupool;
    return build;
}

static void add_build(struct build *build)
{
    pthread_mutex_lock(&lock);
    build->next = builds;
    builds = build;
    pthread_mutex_unlock(&lock);
}

/* --- settings from the guest's file --------------------------------------- */

static int config_read(const XLU_Config *config, FILE *report,
                       const char *source, const char *text, int length)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    const char *name;

    /* Without a name it is no guest's file: xl.conf, say. */
    if (xlu_cfg_get_string(config, "name", &name, 1))
        return 0;
    if (xlnuma__settings_read(&settings, config, source, text, (size_t)length,
                              message)) {
        fprintf(report, "%s\n", message);
        return EINVAL;
    }
    pthread_mutex_lock(&lock);
    memset(&guest_file, 0, sizeof(guest_file));
    guest_file.is_set = true;
    snprintf(guest_file.name, sizeof(guest_file.name), "%s", name);
    guest_file.settings = settings;
    pthread_mutex_unlock(&lock);
    return 0;
}

/* The file's settings, if it is this guest's: by uuid once known, by name. */
static void apply_guest_file(struct build *build)
{
    pthread_mutex_lock(&lock);
    if (guest_file.is_set &&
        (guest_file.has_uuid
             ? !libxl_uuid_compare(&guest_file.uuid, &build->uuid)
             : !strcmp(guest_file.name, build->request.name))) {
        libxl_uuid_copy(build->ctx, &guest_file.uuid, &build->uuid);
        guest_file.has_uuid = true;
        xlnuma__settings_apply(&guest_file.settings, &build->request);
    }
    pthread_mutex_unlock(&lock);
}

/* --- what there is to report ---------------------------------------------- */

/* KiB that are not on the plan's nodes, as far as we put them there. */
static uint64_t off_plan_kb(const struct build *build)
{
    uint64_t kb = build->stock_kb;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (!xlnuma_nodeset_has(build->plan->nodes, i))
            kb += build->extents.done_kb[i];
    return kb;
}

/* Do we know where all of its memory is? Not of one that was restored. */
static bool knows_memory(const struct build *build)
{
    uint64_t kb = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        kb += build->extents.done_kb[i];
    return kb && !build->has_unseen;
}

static const char *status_of(const struct build *build)
{
    if (build->has_failed)
        return "failed";
    if (build->plan->status != XLNUMA_STATUS_PLACED)
        return xlnuma_status_name(build->plan->status);
    if (off_plan_kb(build) >= STRAY_KB)
        return "degraded";
    return knows_memory(build) ? "placed" : "planned";
}

static void fill_report(const struct build *build,
                        struct xlnuma__report *report)
{
    const struct xlnuma_plan *plan = build->plan;

    memset(report, 0, sizeof(*report));
    snprintf(report->policy, sizeof(report->policy), "%s",
             xlnuma_policy_name(plan->policy));
    snprintf(report->memory, sizeof(report->memory), "%s",
             xlnuma_memory_name(plan->memory));
    snprintf(report->status, sizeof(report->status), "%s", status_of(build));
    snprintf(report->reason, sizeof(report->reason), "%s", plan->reason);
    report->nodes = plan->nodes;
    report->expected_distance = plan->expected_distance;
    xlnuma_cpuset_format(&plan->soft_cpus, report->soft_cpus,
                         sizeof(report->soft_cpus));
    memcpy(report->planned_kb, plan->memory_kb, sizeof(report->planned_kb));
    memcpy(report->actual_kb, build->extents.done_kb,
           sizeof(report->actual_kb));
    report->has_actual = knows_memory(build);
    report->nr_others = build->extents.nr_ranked;
    memcpy(report->other, build->extents.rank, sizeof(report->other));
}

/* Let the process that populates the domain know the plan, by the report. */
static void hand_over_restored(struct build *build)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xs_handle *xs = xs_open(0);

    fill_report(build, &report);
    if (!xs)
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): no connection to xenstore: its memory is "
            "left to Xen",
            build->domid, build->request.name);
    else if (xlnuma__report_write(xs, build->domid, &report, message))
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): %s: its memory is left to Xen",
            build->domid, build->request.name, message);
    if (xs)
        xs_close(xs);
}

/* --- plan and apply ------------------------------------------------------- */

/* Host, plan and affinities; whatever is missing is in message. */
static int plan_build(struct build *build, unsigned nr_vcpus, char *message)
{
    libxl_defbool *placement = &build->config->b_info.numa_placement;
    bool owns_vcpus =
        !libxl_defbool_is_default(*placement) && libxl_defbool_val(*placement);
    struct xlnuma_host *host = xlnuma_host_new();
    int rc;

    if (!host || !(build->plan = xlnuma_plan_new())) {
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        goto out;
    }
    rc = xlnuma_host_from_xen(host, build->ctx, message);
    if (rc)
        goto out;
    if (xlnuma_nodeset_count(host->nodes) < 2) {
        build->is_strict = false; /* the one node is what it demands */
        rc = xlnuma__fail(message, XLNUMA_ERR_NONUMA,
                          "the host has one NUMA node");
        goto out;
    }
    rc = xlnuma_plan_make(host, &build->request, build->plan, message);
    if (rc || build->plan->status != XLNUMA_STATUS_PLACED)
        goto out;
    rc = xlnuma__apply(build->ctx, build->domid, nr_vcpus, build->plan,
                       owns_vcpus, message);
    if (rc)
        goto out;
    /* Keep libxl from placing over it; affinities_set() puts it back. */
    if (owns_vcpus) {
        libxl_defbool_set(placement, false);
        build->holds_placement_back = true;
    }
    xlnuma__extents_init(&build->extents, host, build->plan);
    build->is_steering = true;
out:
    xlnuma_host_free(host);
    return rc;
}

/* The build goes on as stock libxl would do it, or not at all. */
static int give_up(struct build *build, const char *why)
{
    if (build->is_strict) {
        LOG(build, ERROR,
            "domain %" PRIu32 " (%s): %s: not built, as "
            "numa_policy=\"%s\" demands",
            build->domid, build->request.name, why,
            xlnuma_policy_name(build->request.policy));
        errno = ENOMEM;
        return -1;
    }
    LOG(build, WARN, "domain %" PRIu32 " (%s): %s: placement is left to libxl",
        build->domid, build->request.name, why);
    return 0;
}

/* No plan, and why: for the report. Without memory for it there is none. */
static void leave_to_libxl(struct build *build, const char *why)
{
    xlnuma_plan_free(build->plan);
    build->plan = xlnuma_plan_new();
    if (!build->plan)
        return;
    build->plan->status = XLNUMA_STATUS_OFF;
    build->plan->policy = build->request.policy;
    build->plan->memory = build->request.memory;
    snprintf(build->plan->reason, sizeof(build->plan->reason), "%s", why);
}

static int vcpus_set(xc_interface *xch, uint32_t domid, unsigned nr_vcpus)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct build *build;
    const char *why;
    uint32_t poolid;
    int rc;

    build = bind_build(xch, domid, &poolid);
    if (!build)
        return 0;
    if (!xlnuma__config_wants_placement(build->config, &why)) {
        build->request.policy = XLNUMA_POLICY_NONE;
        leave_to_libxl(build, why);
        return 0;
    }
    rc = xlnuma__request_from_config(&build->request, build->ctx, poolid,
                                     build->config, message);
    apply_guest_file(build);
    build->is_strict = build->request.policy == XLNUMA_POLICY_RESTRICTED ||
                       build->request.policy == XLNUMA_POLICY_SINGLE_NODE;
    if (build->request.policy == XLNUMA_POLICY_NONE) {
        leave_to_libxl(build, "numa_policy is none");
        return 0;
    }
    if (!rc)
        rc = plan_build(build, nr_vcpus, message);
    if (rc) {
        build->has_failed = true;
        leave_to_libxl(build, message);
        return give_up(build, message);
    }
    if (build->plan->status == XLNUMA_STATUS_UNPLACED)
        return give_up(build, build->plan->reason);
    if (build->is_restored)
        hand_over_restored(build);
    return 0;
}

static void affinities_set(uint32_t domid)
{
    struct build *build = find_build(domid);

    if (build)
        restore_placement(build);
}

/* --- extents -------------------------------------------------------------- */

/*
 * As many of the extents as the plan's nodes have, in order; returns how many.
 * When Xen answers with an error, rather than with fewer extents than asked,
 * the rest of the build is stock libxl's.
 */
static unsigned long steer(struct build *build, const struct xlnuma__next *next,
                           xc_interface *xch, unsigned long nr, unsigned order,
                           unsigned mem_flags, xen_pfn_t *extent)
{
    unsigned long done = 0;

    while (done < nr) {
        unsigned long run = nr - done;
        int node = xlnuma__extents_next(&build->extents, order, &run);
        int r;

        if (node < 0)
            break;
        r = next->populate(xch, build->domid, run, order,
                           mem_flags | XENMEMF_exact_node((unsigned)node),
                           extent + done);
        if (r < 0) {
            LOG(build, WARN,
                "domain %" PRIu32 " (%s): memory of node %d: %s: "
                "the rest of its memory is left to libxl",
                build->domid, build->request.name, node, strerror(errno));
            build->is_steering = false;
            build->has_warned = true;
            break;
        }
        xlnuma__extents_done(&build->extents, (unsigned)node, order,
                             (unsigned long)r);
        if ((unsigned long)r < run)
            xlnuma__extents_failed(&build->extents, (unsigned)node, order);
        done += (unsigned long)r;
    }
    return done;
}

/*
 * What libxl asked for, as it asked; counts what nobody steers. libxc's exact
 * call makes the other one, which comes by us again and is to pass.
 */
static int populate_stock(struct build *build, const struct xlnuma__next *next,
                          bool is_exact, xc_interface *xch, uint32_t domid,
                          unsigned long nr, unsigned order, unsigned mem_flags,
                          xen_pfn_t *extent)
{
    int r;

    if (build)
        build->is_passing = true;
    r = is_exact
            ? next->populate_exact(xch, domid, nr, order, mem_flags, extent)
            : next->populate(xch, domid, nr, order, mem_flags, extent);
    if (!build)
        return r;
    build->is_passing = false;
    if (r >= 0)
        build->stock_kb += ((is_exact ? nr : (uint64_t)r) * PAGE_KB) << order;
    return r;
}

static int populate(const struct xlnuma__next *next, bool is_exact,
                    xc_interface *xch, uint32_t domid, unsigned long nr,
                    unsigned order, unsigned mem_flags, xen_pfn_t *extent)
{
    struct build *build = find_build(domid);
    bool names_node = XENMEMF_get_node(mem_flags) != XENMEMF_get_node(0);
    unsigned long done;
    int r;

    if (build && build->is_passing)
        build = NULL;
    /*
     * A populate-on-demand extent gets no memory now, and one with a node has
     * been placed by the user: neither is ours to move or to count.
     */
    if (build && (names_node || mem_flags & XENMEMF_populate_on_demand)) {
        build->has_unseen = true;
        build = NULL;
    }
    if (!build || !build->is_steering)
        return populate_stock(build, next, is_exact, xch, domid, nr, order,
                              mem_flags, extent);
    done = steer(build, next, xch, nr, order, mem_flags, extent);
    if (done == nr)
        return is_exact ? 0 : (int)nr;
    /* A short count makes libxenguest ask for smaller extents. */
    if (!is_exact && (done || (order && build->is_steering)))
        return (int)done;
    r = populate_stock(build, next, is_exact, xch, domid, nr - done, order,
                       mem_flags, extent + done);
    return r < 0 || is_exact ? r : (int)done + r;
}

/* --- report --------------------------------------------------------------- */

/* Say in log and report that memory is not where it was planned. */
static void warn_degraded(struct build *build)
{
    char nodes[64], off[32];

    xlnuma_nodeset_format(build->plan->nodes, nodes, sizeof(nodes));
    snprintf(build->plan->reason, sizeof(build->plan->reason),
             "planned on nodes %s, but %s are elsewhere: Xen did not give "
             "them there",
             nodes, xlnuma__mib(off_plan_kb(build), off));
    if (!build->has_warned)
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, build->plan->reason);
}

/* "2150+2150": MiB on each node, or planned there. */
static char *format_memory(const struct build *build, char *buf, size_t size)
{
    const uint64_t *kb =
        knows_memory(build) ? build->extents.done_kb : build->plan->memory_kb;
    size_t used = 0;
    unsigned i;

    *buf = '\0';
    XLNUMA_FOR_EACH_NODE(i, build->plan->nodes) {
        int n = snprintf(buf + used, size - used, "%s%" PRIu64, used ? "+" : "",
                         kb[i] / 1024);

        if (n < 0 || (size_t)n >= size - used)
            break;
        used += (size_t)n;
    }
    return buf;
}

static void log_placed(const struct build *build)
{
    xlnuma_nodeset set = build->plan->nodes;
    char nodes[64], memory[256];

    LOG(build, INFO,
        "domain %" PRIu32 " (%s): node%s %s, %s MiB%s, expected "
        "distance %.2f",
        build->domid, build->request.name,
        xlnuma_nodeset_count(set) == 1 ? "" : "s",
        xlnuma_nodeset_format(set, nodes, sizeof(nodes)),
        format_memory(build, memory, sizeof(memory)),
        knows_memory(build) ? "" : " planned", build->plan->expected_distance);
}

/* What the helper process wrote of the memory of a restored domain. */
static void take_over_restored(struct build *build, struct xs_handle *xs)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];
    bool is_found;

    if (!build->is_steering)
        return;
    if (xlnuma__report_read(xs, build->domid, &report, &is_found, message))
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, message);
    else if (is_found && report.has_actual)
        memcpy(build->extents.done_kb, report.actual_kb,
               sizeof(build->extents.done_kb));
}

static void make_report(struct build *build, struct xs_handle *xs)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE];
    bool is_placed = build->plan->status == XLNUMA_STATUS_PLACED;

    if (is_placed && off_plan_kb(build) >= STRAY_KB)
        warn_degraded(build);
    else if (is_placed)
        log_placed(build);
    fill_report(build, &report);
    if (xlnuma__report_write(xs, build->domid, &report, message))
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): %s: the domain is built, "
            "but \"xl numa-placement\" does not know how",
            build->domid, build->request.name, message);
}

static void built(struct xs_handle *xs, uint32_t domid)
{
    struct build *build = take_build(has_domid, &domid);

    if (!build)
        return;
    restore_placement(build);
    if (build->is_restored)
        take_over_restored(build, xs);
    if (build->plan)
        make_report(build, xs);
    free_build(build);
}

/* --- begin and end -------------------------------------------------------- */

static void end(const libxl_domain_config *config)
{
    struct build *build = take_build(has_config, config);

    if (!build)
        return;
    restore_placement(build);
    free_build(build);
}

static void begin(libxl_ctx *ctx, xentoollog_logger *lg,
                  libxl_domain_config *config, bool is_restored)
{
    struct build *build = calloc(1, sizeof(*build));

    drop_stale(has_config, config);
    drop_stale(has_uuid, &config->c_info.uuid);
    if (!build) {
        xtl_log(lg ? lg : fallback_logger(), XTL_WARN, -1, "xl-numa",
                "out of memory: placement is left to libxl");
        return;
    }
    build->ctx = ctx;
    build->lg = lg ? lg : fallback_logger();
    build->config = config;
    build->is_restored = is_restored;
    libxl_uuid_copy(ctx, &build->uuid, &config->c_info.uuid);
    add_build(build);
}

/* --- in libxl-save-helper ------------------------------------------------- */

/* The plan that libxl's process made; without one the restore is stock. */
static void restore_begin(uint32_t domid)
{
    struct xlnuma__report report;
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct build *build = calloc(1, sizeof(*build));
    struct xs_handle *xs = build ? xs_open(0) : NULL;
    bool is_found;

    if (!build)
        return; /* so little memory that the restore fails anyway */
    build->lg = new_logger();
    build->domid = domid;
    build->has_domid = true;
    if (xs && !xlnuma__report_read(xs, domid, &report, &is_found, message) &&
        is_found && report.expected_distance) {
        xlnuma__extents_resume(&build->extents, report.nodes, report.planned_kb,
                               report.other, report.nr_others);
        build->is_steering = true;
    }
    if (*message)
        LOG(build, WARN, "domain %" PRIu32 ": %s: its memory is left to Xen",
            domid, message);
    if (xs)
        xs_close(xs);
    add_build(build);
}

static void restore_end(uint32_t domid)
{
    struct build *build = take_build(has_domid, &domid);
    char message[XLNUMA_MESSAGE_SIZE] = "no connection to xenstore";
    struct xs_handle *xs;

    if (!build)
        return;
    xs = build->is_steering ? xs_open(0) : NULL;
    if (build->is_steering &&
        (!xs || xlnuma__report_write_actual(xs, domid, build->extents.done_kb,
                                            message)))
        LOG(build, WARN,
            "domain %" PRIu32 ": %s: where its memory is will not "
            "be reported",
            domid, message);
    if (xs)
        xs_close(xs);
    xtl_logger_destroy(build->lg);
    free_build(build);
}

const struct xlnuma__hook *xlnuma__hook_get(void)
{
    static const struct xlnuma__hook hook = {
        .config_read = config_read,
        .begin = begin,
        .end = end,
        .vcpus_set = vcpus_set,
        .affinities_set = affinities_set,
        .populate = populate,
        .restore_begin = restore_begin,
        .restore_end = restore_end,
        .built = built,
    };

    return &hook;
}
