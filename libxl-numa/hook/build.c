/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The builds in flight in this process, from begin to end. What is done for a
 * build is in the other files. Whatever fails there is logged once and leaves the
 * build to stock libxl, unless the guest's policy is strict.
 *
 * Threads: libvirt's driver builds several domains at once. A lock guards the
 * list; a build itself is worked on by one thread at a time, as in libxl.
 */
#include "hook/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/marker.h"

XLNUMA_MARKER(XLNUMA_MARKER_LIBRARY);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct build *builds;

__attribute__((format(printf, 5, 0))) static void
say(xentoollog_logger *logger, xentoollog_level level, int err,
    const char *context, const char *format, va_list args)
{
    char message[XLNUMA_MESSAGE_SIZE];

    (void)logger;
    (void)err;
    if (level < XTL_WARN)
        return;
    vsnprintf(message, sizeof(message), format, args);
    fprintf(stderr, "%s: %s: %s\n", context, xtl_level_to_string(level),
            message);
}

/* One of libxentoollog's needs memory, and it is of its lack that we may speak. */
xentoollog_logger *xlnuma__build_logger(void)
{
    static xentoollog_logger logger = { .vmessage = say };

    return &logger;
}

void xlnuma__builds_lock(void)
{
    pthread_mutex_lock(&lock);
}

void xlnuma__builds_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* --- the list ------------------------------------------------------------- */

struct build *xlnuma__build_new(libxl_ctx *ctx, xentoollog_logger *lg)
{
    struct build *build = calloc(1, sizeof(*build));

    if (!build)
        return NULL;
    build->ctx = ctx;
    build->lg = lg ? lg : xlnuma__build_logger();
    build->domid = INVALID_DOMID;
    xlnuma_request_init(&build->request);
    return build;
}

void xlnuma__build_free(struct build *build)
{
    xlnuma__build_progress_end(build);
    xlnuma__reservation_drop(&build->reservation);
    xlnuma_plan_free(build->plan);
    xlnuma_plan_free(build->actual);
    xlnuma__vnuma_free(build->vnuma);
    free(build);
}

void xlnuma__build_add(struct build *build)
{
    pthread_mutex_lock(&lock);
    build->next = builds;
    builds = build;
    pthread_mutex_unlock(&lock);
}

bool xlnuma__build_has_domain(const struct build *build)
{
    return build->domid != (uint32_t)INVALID_DOMID;
}

typedef bool is_meant_fn(const struct build *, const void *);

static bool has_id(const struct build *build, const void *id)
{
    return build->id == *(const uint64_t *)id;
}

static bool has_domid(const struct build *build, const void *domid)
{
    return build->domid == *(const uint32_t *)domid;
}

static bool waits_as(const struct build *build, const void *name)
{
    return build->phase == PHASE_WAITING && !strcmp(build->request.name, name);
}

/* With the lock held: where the list has the first that is meant, or NULL. */
static struct build **find(is_meant_fn *is_meant, const void *what)
{
    struct build **link = &builds;

    while (*link && !is_meant(*link, what))
        link = &(*link)->next;
    return link;
}

/* Unlink a build from the list; NULL when none is meant. */
static struct build *take(is_meant_fn *is_meant, const void *what)
{
    struct build **link, *build;

    pthread_mutex_lock(&lock);
    link = find(is_meant, what);
    build = *link;
    if (build)
        *link = build->next;
    pthread_mutex_unlock(&lock);
    return build;
}

static void drop_all(is_meant_fn *is_meant, const void *what)
{
    struct build *build;

    while ((build = take(is_meant, what)))
        xlnuma__build_free(build);
}

struct build *xlnuma__build_take(uint32_t domid)
{
    return take(has_domid, &domid);
}

struct build *xlnuma__build_take_waiting(const char *name)
{
    return take(waits_as, name);
}

static bool waits(const struct build *build, const void *unused)
{
    (void)unused;
    return build->phase == PHASE_WAITING;
}

bool xlnuma__build_is_waiting(void)
{
    bool is_there;

    pthread_mutex_lock(&lock);
    is_there = *find(waits, NULL);
    pthread_mutex_unlock(&lock);
    return is_there;
}

static bool is_in_flight(const struct build *build, const void *domid)
{
    return has_domid(build, domid) && build->phase != PHASE_WAITING;
}

struct build *xlnuma__build_enter(uint32_t domid)
{
    struct build *build;

    pthread_mutex_lock(&lock);
    build = *find(is_in_flight, &domid);
    if (build)
        build->nr_users++;
    pthread_mutex_unlock(&lock);
    return build;
}

void xlnuma__build_leave(struct build *build)
{
    if (!build)
        return;
    pthread_mutex_lock(&lock);
    build->nr_users--;
    pthread_mutex_unlock(&lock);
}

static bool is_dead(const struct build *build, const void *xch)
{
    uint64_t pages;

    return build->is_async && !build->nr_users &&
           xlnuma__build_has_domain(build) &&
           !xlnuma__domain_lives((xc_interface *)xch, build->domid,
                                 build->uuid.uuid, &pages);
}

void xlnuma__build_drop_dead(xc_interface *xch)
{
    drop_all(is_dead, xch);
}

/* --- begin and end -------------------------------------------------------- */

/* There is no memory for a build: libxl's alone, or none. */
static int begin_without(libxl_ctx *ctx, xentoollog_logger *lg,
                         libxl_domain_config *config)
{
    struct build build = { .ctx = ctx,
                           .lg = lg ? lg : xlnuma__build_logger(),
                           .domid = INVALID_DOMID };

    xlnuma__build_settle(&build, config);
    xlnuma__build_learn(&build, config);
    if (xlnuma__is_strict(build.request.policy)) {
        LOG(&build, ERROR,
            "domain %s: out of memory: not built, as its numa_policy demands",
            build.request.name);
        return -1;
    }
    LOG(&build, WARN, "domain %s: out of memory: placement is left to libxl",
        build.request.name);
    return 0;
}

static int begin(libxl_ctx *ctx, xentoollog_logger *lg,
                 libxl_domain_config *config, bool is_restored, bool is_async,
                 uint64_t *id_r)
{
    static _Atomic uint64_t last_id;
    struct build *build = xlnuma__build_new(ctx, lg);

    *id_r = 0;
    if (!build)
        return begin_without(ctx, lg, config);
    build->id = ++last_id;
    build->source = is_restored ? MEMORY_HELPERS : MEMORY_OURS;
    build->is_async = is_async;
    xlnuma__build_settle(build, config);
    *id_r = build->id;
    xlnuma__build_add(build);
    return 0;
}

/*
 * Once, or again when libxl has destroyed the first one: it had a number that was in
 * use a moment ago.
 */
static void created(uint64_t id, const libxl_domain_config *config,
                    uint32_t domid)
{
    struct build *build;

    xlnuma__reset_end(domid); /* of an earlier domain of that number */
    pthread_mutex_lock(&lock);
    build = *find(has_id, &id);
    if (build) {
        build->domid = INVALID_DOMID;
        build->nr_users++;
    }
    pthread_mutex_unlock(&lock);
    if (!build)
        return;
    drop_all(has_domid, &domid); /* of an earlier domain of that number */
    pthread_mutex_lock(&lock);
    build->domid = domid;
    pthread_mutex_unlock(&lock);
    xlnuma__build_learn(build, config);
    xlnuma__build_leave(build);
}

static bool has_no_domain(const struct build *build, const void *id)
{
    return has_id(build, id) && !xlnuma__build_has_domain(build);
}

static void returned(uint64_t id, bool goes_on)
{
    drop_all(goes_on ? has_no_domain : has_id, &id);
}

/* A child of a process with threads may go on to build: no lock is held there. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
    pthread_mutex_unlock(&lock);
    xlnuma__reservations_forked();
}

/* Called once. */
const struct xlnuma__hook *xlnuma__hook_find(unsigned version, size_t hook_size,
                                             size_t next_size)
{
    static const struct xlnuma__hook hook = {
        .config_read = xlnuma__build_config_read,
        .begin = begin,
        .created = created,
        .returned = returned,
        .reset_begin = xlnuma__reset_begin,
        .reset_end = xlnuma__reset_end,
        .vcpus_set = xlnuma__build_vcpus_set,
        .image_parsed = xlnuma__vnuma_image_parsed,
        .memory_map = xlnuma__vnuma_memory_map,
        .populate = xlnuma__build_populate,
        .set_pod_target = xlnuma__build_set_pod_target,
        .restore_begin = xlnuma__build_restore_begin,
        .restore_end = xlnuma__build_restore_end,
        .restored = xlnuma__build_restored,
        .built = xlnuma__build_built,
    };

    if (version != XLNUMA__HOOK_VERSION || hook_size != sizeof(hook) ||
        next_size != sizeof(struct xlnuma__next))
        return NULL;
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
    return &hook;
}
