/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The preloaded object: interposes the functions of libxl's domain build path,
 * and asks the library about each call. It links to libc alone and is
 * invisible until a process begins to build a domain: it is mapped into every
 * child of xl too. When the library cannot be had, every call goes through
 * unchanged after one warning; when libxl is not the version it was built for,
 * choose.c sees to that, and no call comes here.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload/child.h"
#include "preload/choose.h"

#define EXPORT __attribute__((visibility("default")))

/* --- a lock that no child of a fork finds taken ---------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A child may call libxl: its copy of the lock must be unlocked. */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}

static void take_lock(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&lock);
}

/* --- the library ---------------------------------------------------------- */

static _Atomic(const struct xlnuma__hook *) loaded_hook;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;

/* The library lies beside us; NULL (and one warning) when it does not load. */
static void *open_library(void)
{
    char path[PATH_MAX];
    const char *slash;
    void *handle;
    Dl_info self;

    if (!dladdr(&loaded_hook, &self) ||
        !(slash = strrchr(self.dli_fname, '/')) ||
        (size_t)snprintf(path, sizeof(path), "%.*s/%s",
                         (int)(slash - self.dli_fname), self.dli_fname,
                         XLNUMA_SONAME) >= sizeof(path)) {
        WARN("cannot tell where %s is: stock placement\n", XLNUMA_SONAME);
        return NULL;
    }
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        WARN("%s: stock placement\n", dlerror());
    return handle;
}

static void load(void)
{
    void *handle = open_library();
    const struct xlnuma__hook *found;
    __typeof__(&xlnuma__hook_find) find;

    if (!handle)
        return;
    find = (__typeof__(find))dlsym(handle, "xlnuma__hook_find");
    found = find ? find(XLNUMA__HOOK_VERSION, sizeof(struct xlnuma__hook),
                        sizeof(struct xlnuma__next))
                 : NULL;
    if (found) {
        atomic_store(&loaded_hook, found);
        return;
    }
    WARN(
        "%s is another version than the libxlnuma-preload.so that this program "
        "has: stock placement until the program is started again\n",
        XLNUMA_SONAME);
    dlclose(handle);
}

/* The library if a build has begun before; never loads it. */
static const struct xlnuma__hook *hook_if_loaded(void)
{
    return atomic_load(&loaded_hook);
}

/* No fork while the library is half loaded. */
static void load_locked(void)
{
    take_lock();
    load();
    pthread_mutex_unlock(&lock);
}

static const struct xlnuma__hook *hook(void)
{
    int err = errno;

    pthread_once(&load_once, load_locked);
    errno = err;
    return hook_if_loaded();
}

/* --- what the library cannot ask libxl for -------------------------------- */

/* The logger of each context. */
struct logger {
    struct logger *next;
    libxl_ctx *ctx;
    xentoollog_logger *lg;
};

static struct logger *loggers;

static atomic_bool has_libxl; /* is it in use? */

/* The name of the configuration that was begun last. */
static struct {
    const XLU_Config *config;
    FILE *report;
    char *source;
} last_config;

int interposed_libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                               xentoollog_logger *lg)
{
    int rc = NEXT(libxl_ctx_alloc)(pctx, version, flags, lg);
    struct logger *logger = rc ? NULL : malloc(sizeof(*logger));

    atomic_store(&has_libxl, true);
    if (logger) {
        logger->ctx = *pctx;
        logger->lg = lg;
        take_lock();
        logger->next = loggers;
        loggers = logger;
        pthread_mutex_unlock(&lock);
    }
    return rc;
}

int interposed_libxl_ctx_free(libxl_ctx *ctx)
{
    struct logger **link;

    take_lock();
    for (link = &loggers; *link; link = &(*link)->next)
        if ((*link)->ctx == ctx) {
            struct logger *logger = *link;

            *link = logger->next;
            free(logger);
            break;
        }
    pthread_mutex_unlock(&lock);
    return NEXT(libxl_ctx_free)(ctx);
}

static xentoollog_logger *logger_of(const libxl_ctx *ctx)
{
    xentoollog_logger *lg = NULL;

    take_lock();
    for (struct logger *logger = loggers; logger; logger = logger->next)
        if (logger->ctx == ctx) {
            lg = logger->lg;
            break;
        }
    pthread_mutex_unlock(&lock);
    return lg;
}

XLU_Config *interposed_xlu_cfg_init(FILE *report, const char *source)
{
    XLU_Config *config = NEXT(xlu_cfg_init)(report, source);

    take_lock();
    free(last_config.source);
    last_config.config = config;
    last_config.report = report;
    last_config.source = source ? strdup(source) : NULL;
    pthread_mutex_unlock(&lock);
    return config;
}

/* A guest's numa_* keys; a file without any is not worth loading for. */
int interposed_xlu_cfg_readdata(XLU_Config *config, const char *data,
                                int length)
{
    int r = NEXT(xlu_cfg_readdata)(config, data, length);
    const struct xlnuma__hook *h = hook_if_loaded();
    char *source = NULL;
    FILE *report = stderr;

    if (r || length <= 0)
        return r;
    if (!h && memmem(data, (size_t)length, "numa_", 5))
        h = hook();
    if (!h)
        return 0;
    take_lock();
    if (last_config.config == config) {
        report = last_config.report;
        source = last_config.source ? strdup(last_config.source) : NULL;
    }
    pthread_mutex_unlock(&lock);
    r = h->config_read(config, report, source ? source : "configuration", data,
                       length);
    free(source);
    return r;
}

/* --- the programs that libxl starts -------------------------------------- */

/*
 * libxl's children start programs by these two. Wherever else we are they do
 * what they do in libc, and look up nothing: a child may be of many threads.
 */
static int exec_by(int (*exec)(const char *, char *const[], char *const[]),
                   const char *program, char *const argv[])
{
    char **env = atomic_load(&has_libxl) ? xlnuma__child_env(program) : NULL;
    int r = exec(program, argv, env ? env : environ), err = errno;

    free(env);
    errno = err;
    return r;
}

EXPORT int execvp(const char *file, char *const argv[])
{
    const struct xlnuma__hook *h = hook_if_loaded();

    if (h)
        h->executes(argv);
    return exec_by(execvpe, file, argv);
}

EXPORT int execl(const char *path, const char *arg, ...)
{
    size_t nr = 1;
    va_list list;
    char **argv;

    va_start(list, arg);
    for (const char *next = arg; next; next = va_arg(list, const char *))
        nr++;
    va_end(list);
    argv = alloca(nr * sizeof(*argv)); /* as libc has them */
    argv[0] = (char *)arg;
    va_start(list, arg);
    for (size_t i = 1; i < nr; i++)
        argv[i] = va_arg(list, char *);
    va_end(list);
    return exec_by(execve, path, argv);
}

/* --- the build path, in libxl's order ------------------------------------- */

/* Ours are there before any thread is, and need no memory of their own. */
#define THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/*
 * The call that this thread is in. libxl makes the domain before anything else,
 * in the same thread: by that the two are matched, and by nothing else.
 */
static THREAD_LOCAL struct {
    uint64_t id; /* 0: none */
    const libxl_domain_config *config;
} begun;

/* Returns 0, or libxl's error. */
static int begin(libxl_ctx *ctx, libxl_domain_config *config, bool is_restored,
                 bool is_async)
{
    const struct xlnuma__hook *h = hook();

    if (h &&
        h->begin(ctx, logger_of(ctx), config, is_restored, is_async, &begun.id))
        return ERROR_NOMEM;
    begun.config = config;
    return 0;
}

static void returned(uint64_t id, bool goes_on)
{
    begun.id = 0;
    if (id)
        hook_if_loaded()->returned(id, goes_on);
}

int interposed_libxl_domain_create_new(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    const libxl_asyncop_how *ao_how, const libxl_asyncprogress_how *console_how)
{
    int rc = begin(ctx, config, false, ao_how);
    uint64_t id = begun.id;

    if (rc)
        return rc;
    rc = NEXT(libxl_domain_create_new)(ctx, config, domid, ao_how, console_how);
    returned(id, !rc && ao_how);
    return rc;
}

int interposed_libxl_domain_create_restore(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
    int restore_fd, int send_back_fd, const libxl_domain_restore_params *params,
    const libxl_asyncop_how *ao_how, const libxl_asyncprogress_how *console_how)
{
    int rc = begin(ctx, config, true, ao_how);
    uint64_t id = begun.id;

    if (rc)
        return rc;
    rc = NEXT(libxl_domain_create_restore)(ctx, config, domid, restore_fd,
                                           send_back_fd, params, ao_how,
                                           console_how);
    returned(id, !rc && ao_how);
    return rc;
}

/* Asynchronous or not: the end of a reset is known by its last call. */
int interposed_libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *config, uint32_t domid,
    const libxl_asyncop_how *ao_how, const libxl_asyncprogress_how *console_how)
{
    const struct xlnuma__hook *h = hook();
    int rc;

    if (h)
        h->reset_begin(ctx, logger_of(ctx), domid);
    rc = NEXT(libxl_domain_soft_reset)(ctx, config, domid, ao_how, console_how);
    if (h && (rc || !ao_how))
        h->reset_end(domid);
    return rc;
}

/* A stub domain, which libxl may make in the same call, has another uuid. */
int interposed_xc_domain_create(xc_interface *xch, uint32_t *pdomid,
                                struct xen_domctl_createdomain *config)
{
    int r = NEXT(xc_domain_create)(xch, pdomid, config);

    if (!r && begun.id &&
        !memcmp(&begun.config->c_info.uuid, config->handle,
                sizeof(config->handle)))
        hook_if_loaded()->created(begun.id, begun.config, *pdomid);
    return r;
}

/*
 * With the vCPUs there libxl asks at once, and next, whether it is to place the
 * domain: libxl_defbool_val(numa_placement), and to do so it would write into the
 * caller's configuration. That one answer is no when the placement is ours. After
 * that it gives each vCPU the user's hard affinity, if there is one, and does not
 * where ours is a part of it.
 */
static THREAD_LOCAL bool is_placed;
static THREAD_LOCAL struct {
    uint32_t domid;
    unsigned nr; /* vCPUs to come */
} own_hard;

int interposed_xc_domain_max_vcpus(xc_interface *xch, uint32_t domid,
                                   unsigned int max)
{
    int r = NEXT(xc_domain_max_vcpus)(xch, domid, max);
    const struct xlnuma__hook *h = hook_if_loaded();
    bool owns_affinities = false;
    unsigned nr = 0;

    own_hard.nr = 0; /* libxl comes by to set ours, too */
    if (!r && h)
        r = h->vcpus_set(xch, domid, max, &owns_affinities, &nr);
    is_placed = !r && owns_affinities;
    own_hard.domid = domid;
    own_hard.nr = r ? 0 : nr;
    return r;
}

int interposed_libxl_set_vcpuaffinity(libxl_ctx *ctx, uint32_t domid,
                                      uint32_t vcpuid,
                                      const libxl_bitmap *cpumap_hard,
                                      const libxl_bitmap *cpumap_soft)
{
    if (own_hard.nr && own_hard.domid == domid) {
        own_hard.nr--;
        return 0;
    }
    return NEXT(libxl_set_vcpuaffinity)(ctx, domid, vcpuid, cpumap_hard,
                                        cpumap_soft);
}

bool interposed_libxl_defbool_val(libxl_defbool value)
{
    if (is_placed) {
        is_placed = false;
        return false;
    }
    return NEXT(libxl_defbool_val)(value);
}

int interposed_xc_dom_parse_image(struct xc_dom_image *dom)
{
    const struct xlnuma__hook *h = hook_if_loaded();

    if (h)
        h->image_parsed(dom);
    return NEXT(xc_dom_parse_image)(dom);
}

int interposed_xc_domain_set_memory_map(xc_interface *xch, uint32_t domid,
                                        struct e820entry entries[],
                                        uint32_t nr_entries)
{
    const struct xlnuma__hook *h = hook_if_loaded();

    if (h)
        h->memory_map(domid, entries, nr_entries);
    return NEXT(xc_domain_set_memory_map)(xch, domid, entries, nr_entries);
}

static struct xlnuma__next next_memory(void)
{
    return (struct xlnuma__next){
        .populate = NEXT(xc_domain_populate_physmap),
        .populate_exact = NEXT(xc_domain_populate_physmap_exact),
        .set_pod_target = NEXT(xc_domain_set_pod_target),
    };
}

int interposed_xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
                                          unsigned long nr, unsigned int order,
                                          unsigned int mem_flags,
                                          xen_pfn_t *extent)
{
    const struct xlnuma__hook *h = hook_if_loaded();
    const struct xlnuma__next next = next_memory();

    return h ? h->populate(&next, false, xch, domid, nr, order, mem_flags,
                           extent)
             : next.populate(xch, domid, nr, order, mem_flags, extent);
}

int interposed_xc_domain_populate_physmap_exact(
    xc_interface *xch, uint32_t domid, unsigned long nr, unsigned int order,
    unsigned int mem_flags, xen_pfn_t *extent)
{
    const struct xlnuma__hook *h = hook_if_loaded();
    const struct xlnuma__next next = next_memory();

    return h ? h->populate(&next, true, xch, domid, nr, order, mem_flags,
                           extent)
             : next.populate_exact(xch, domid, nr, order, mem_flags, extent);
}

int interposed_xc_domain_set_pod_target(xc_interface *xch, uint32_t domid,
                                        uint64_t target_pages,
                                        uint64_t *tot_pages,
                                        uint64_t *pod_cache_pages,
                                        uint64_t *pod_entries)
{
    const struct xlnuma__hook *h = hook_if_loaded();
    const struct xlnuma__next next = next_memory();

    return h ? h->set_pod_target(&next, xch, domid, target_pages, tot_pages,
                                 pod_cache_pages, pod_entries)
             : next.set_pod_target(xch, domid, target_pages, tot_pages,
                                   pod_cache_pages, pod_entries);
}

/* libxl-save-helper's one call to restore a domain. */
int interposed_xc_domain_restore(
    xc_interface *xch, int io_fd, uint32_t dom, unsigned int store_evtchn,
    unsigned long *store_mfn, uint32_t store_domid, unsigned int console_evtchn,
    unsigned long *console_mfn, uint32_t console_domid,
    xc_stream_type_t stream_type, struct restore_callbacks *callbacks,
    int send_back_fd XC_RESTORE_PARAMETER)
{
    const struct xlnuma__hook *h = hook();
    int r;

    if (h)
        h->restore_begin(xch, dom);
    r = NEXT(xc_domain_restore)(xch, io_fd, dom, store_evtchn, store_mfn,
                                store_domid, console_evtchn, console_mfn,
                                console_domid, stream_type, callbacks,
                                send_back_fd XC_RESTORE_ARGUMENT);
    if (h)
        h->restore_end(dom);
    return r;
}

/* The first call that libxl makes, and heeds, when a domain has its memory. */
int interposed_libxl_domain_sched_params_set(
    libxl_ctx *ctx, uint32_t domid, const libxl_domain_sched_params *scinfo)
{
    const struct xlnuma__hook *h = hook_if_loaded();

    if (h && h->restored(domid))
        return ERROR_FAIL;
    return NEXT(libxl_domain_sched_params_set)(ctx, domid, scinfo);
}

bool interposed_xs_introduce_domain(struct xs_handle *xs, unsigned int domid,
                                    unsigned long mfn, unsigned int eventchn)
{
    bool is_ok = NEXT(xs_introduce_domain)(xs, domid, mfn, eventchn);
    const struct xlnuma__hook *h = hook_if_loaded();

    if (h && is_ok)
        h->built(xs, domid);
    return is_ok;
}

/*
 * libxl stores a new domain's configuration, with which it is saved and migrated,
 * when all of it is there: as JSON, of a copy of its own.
 */
char *interposed_libxl_domain_config_to_json(libxl_ctx *ctx,
                                             libxl_domain_config *config)
{
    const struct xlnuma__hook *h = hook_if_loaded();

    if (h)
        h->stored(config);
    return NEXT(libxl_domain_config_to_json)(ctx, config);
}
