/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The builds in flight in this process, from begin to end, and the numa_* keys
 * of the guest's file. What is done for a build is in the other files. Whatever
 * fails there is logged once and leaves the build to stock libxl, unless the
 * guest's policy is strict.
 *
 * Threads: libvirt's driver builds several domains at once. A lock guards the
 * list; a build itself is worked on by one thread at a time, as in libxl.
 */
#include "hook/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* --- the list ------------------------------------------------------------- */

void xlnuma__build_free(struct build *build)
{
    xlnuma__build_progress_end(build);
    xlnuma__claim_drop(&build->claim);
    xlnuma_plan_free(build->plan);
    free(build);
}

void xlnuma__build_give_back(struct build *build)
{
    if (build->holds_placement_back)
        libxl_defbool_set(&build->config->b_info.numa_placement, true);
    build->holds_placement_back = false;
}

static bool has_config(const struct build *build, const void *config)
{
    return build->owner == config;
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
    struct build *build;

    while ((build = take_build(is_meant, what)))
        xlnuma__build_free(build);
}

struct build *xlnuma__build_take(uint32_t domid)
{
    return take_build(has_domid, &domid);
}

static bool waits_as(const struct build *build, const void *name)
{
    return build->is_waiting && !strcmp(build->request.name, name);
}

struct build *xlnuma__build_take_waiting(const char *name)
{
    return take_build(waits_as, name);
}

bool xlnuma__build_is_waiting(void)
{
    struct build *build;

    pthread_mutex_lock(&lock);
    for (build = builds; build && !build->is_waiting;)
        build = build->next;
    pthread_mutex_unlock(&lock);
    return build;
}

struct build *xlnuma__build_find(uint32_t domid)
{
    struct build *build;

    pthread_mutex_lock(&lock);
    for (build = builds; build && !has_domid(build, &domid);)
        build = build->next;
    pthread_mutex_unlock(&lock);
    return build;
}

/* The one build that has no domain yet; NULL when it is not clear which. */
static struct build *only_unbound(void)
{
    struct build *found = NULL;

    for (struct build *build = builds; build; build = build->next)
        if (!build->has_domid) {
            if (found)
                return NULL;
            found = build;
        }
    return found && !found->is_waiting ? found : NULL;
}

struct build *xlnuma__build_bind(xc_interface *xch, uint32_t domid,
                                 uint32_t *poolid_r, char *message)
{
    struct build *build;
    xc_domaininfo_t info = { .cpupool = 0 };
    libxl_uuid uuid;
    int nr;

    *message = '\0';
    drop_stale(has_domid, &domid);
    nr = xc_domain_getinfolist(xch, domid, 1, &info);
    if (nr < 0)
        xlnuma__fail(message, XLNUMA_ERR_XEN, "Xen does not tell of it: %s",
                     strerror(errno));
    else if (nr != 1 || info.domain != domid)
        return NULL;
    memcpy(&uuid, info.handle, sizeof(uuid));
    pthread_mutex_lock(&lock);
    for (build = builds; build && !has_uuid(build, &uuid);)
        build = build->next;
    if (nr < 0)
        build = only_unbound();
    if (build) {
        build->domid = domid;
        build->has_domid = true;
    }
    pthread_mutex_unlock(&lock);
    *poolid_r = info.cpupool;
    return build;
}

void xlnuma__build_add(struct build *build)
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
    if (xlnuma__keys_check("numa_", NULL, source, text, (size_t)length,
                           message) ||
        xlnuma__settings_read(&settings, config, source, text, (size_t)length,
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
void xlnuma__build_apply_file(struct build *build)
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

/* --- begin and end -------------------------------------------------------- */

static void end(const libxl_domain_config *config)
{
    struct build *build;

    while ((build = take_build(has_config, config))) {
        xlnuma__build_give_back(build);
        xlnuma__build_free(build);
    }
}

/* There is no memory for a build: libxl's alone, or none. */
static int begin_without(libxl_ctx *ctx, xentoollog_logger *lg,
                         const libxl_domain_config *config)
{
    struct build build = { .ctx = ctx, .lg = lg };
    const char *name = config->c_info.name ? config->c_info.name : "";

    xlnuma_request_init(&build.request);
    snprintf(build.request.name, sizeof(build.request.name), "%s", name);
    libxl_uuid_copy(ctx, &build.uuid, &config->c_info.uuid);
    xlnuma__build_apply_file(&build);
    if (xlnuma__is_strict(build.request.policy)) {
        LOG(&build, ERROR,
            "domain %s: out of memory: not built, as its numa_policy demands",
            name);
        return -1;
    }
    LOG(&build, WARN, "domain %s: out of memory: placement is left to libxl",
        name);
    return 0;
}

static int begin(libxl_ctx *ctx, xentoollog_logger *lg,
                 libxl_domain_config *config, bool is_restored)
{
    struct build *build;

    drop_stale(has_config, config);
    drop_stale(has_uuid, &config->c_info.uuid);
    if (!lg)
        lg = xlnuma__build_logger(); /* the context was there before us */
    build = calloc(1, sizeof(*build));
    if (!build)
        return begin_without(ctx, lg, config);
    build->ctx = ctx;
    build->lg = lg;
    build->owner = build->config = config;
    build->is_restored = is_restored;
    libxl_uuid_copy(ctx, &build->uuid, &config->c_info.uuid);
    xlnuma__build_add(build);
    return 0;
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
    xlnuma__claims_forked();
}

/* Called once. */
const struct xlnuma__hook *xlnuma__hook_get(void)
{
    static const struct xlnuma__hook hook = {
        .config_read = config_read,
        .begin = begin,
        .end = end,
        .vcpus_set = xlnuma__build_vcpus_set,
        .affinities_set = xlnuma__build_affinities_set,
        .populate = xlnuma__build_populate,
        .set_pod_target = xlnuma__build_set_pod_target,
        .restore_begin = xlnuma__build_restore_begin,
        .restore_end = xlnuma__build_restore_end,
        .restored = xlnuma__build_restored,
        .built = xlnuma__build_built,
    };

    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
    return &hook;
}
