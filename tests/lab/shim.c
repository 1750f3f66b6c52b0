/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What scenarios preload into xl to see and disturb a build from outside the
 * product: behind the hook (tests/lab/lib.sh), so it sees the calls that Xen
 * gets. The environment says what it does; without it, nothing.
 *
 *   LAB_COUNT=FILE  each populate call as a line "ORDER EXTENTS" in FILE: the
 *                   extents that Xen gave
 *   LAB_HOLD=FILE   the process stops (SIGSTOP) when the plan is made and no
 *                   memory is populated yet; its number is in FILE
 *   LAB_KILL=CALL   the process is killed in this call of libxl's or of the
 *                   product's; memory has been populated then
 *   LAB_MISUSE=HOW  the process writes beyond memory that it has, or into what
 *                   it freed: "beyond", "freed"
 *   LAB_NODE=N      all memory comes from exactly node N
 *   LAB_SUSPEND=1   a PVH guest that is to suspend, and cannot, is suspended by Xen
 *   LAB_SLOW=MS     each populate call takes so much longer
 *   LAB_TTY=1       everything is a terminal
 *   LAB_CALLS=FILE  the number of hypercalls that the process made is a line in
 *                   FILE when it ends
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xenstore.h>

/* What the environment says; NULL if nothing, or the empty string. */
static const char *setting(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* A line at the file's end. A scenario that misses it fails. */
static void __attribute__((format(printf, 2, 3)))
add_line(const char *path, const char *format, ...)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    va_list args;

    if (fd < 0)
        return;
    va_start(args, format);
    vdprintf(fd, format, args);
    va_end(args);
    close(fd);
}

static void kill_at(const char *call)
{
    const char *meant = setting("LAB_KILL");

    if (meant && !strcmp(meant, call))
        raise(SIGKILL);
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
                uint32_t *distance)
{
    static __typeof__(&xc_numainfo) next;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "xc_numainfo");
    kill_at(__func__);
    return next(xch, max_nodes, meminfo, distance);
}

int xc_domain_node_setaffinity(xc_interface *xch, uint32_t domid,
                               xc_nodemap_t nodemap)
{
    static __typeof__(&xc_domain_node_setaffinity) next;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "xc_domain_node_setaffinity");
    kill_at(__func__);
    return next(xch, domid, nodemap);
}

static void misuse_memory(void)
{
    const char *how = setting("LAB_MISUSE");
    volatile char *bytes = how ? malloc(8) : NULL;

    if (!bytes)
        return;
    if (!strcmp(how, "freed"))
        free((void *)bytes);
    bytes[strcmp(how, "freed") ? 8 : 0] = 1;
}

bool xs_introduce_domain(struct xs_handle *xs, unsigned domid,
                         unsigned long mfn, unsigned eventchn)
{
    static __typeof__(&xs_introduce_domain) next;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "xs_introduce_domain");
    kill_at(__func__);
    misuse_memory();
    return next(xs, domid, mfn, eventchn);
}

/* xl's, of a guest that is migrated: _unpaused is when that is done. */
int libxl_domain_rename(libxl_ctx *ctx, uint32_t domid, const char *old_name,
                        const char *new_name)
{
    static __typeof__(&libxl_domain_rename) next;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "libxl_domain_rename");
    kill_at(__func__);
    return next(ctx, domid, old_name, new_name);
}

int libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *how)
{
    static __typeof__(&libxl_domain_unpause) next;
    int r;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "libxl_domain_unpause");
    kill_at(__func__);
    r = next(ctx, domid, how);
    kill_at("libxl_domain_unpaused");
    return r;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max_memkb)
{
    static __typeof__(&xc_domain_setmaxmem) next;
    const char *path = setting("LAB_HOLD");

    kill_at(__func__);
    if (path && !next) { /* the first call alone */
        add_line(path, "%d\n", (int)getpid());
        raise(SIGSTOP);
    }
    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "xc_domain_setmaxmem");
    return next(xch, domid, max_memkb);
}

int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
                               unsigned long nr, unsigned int order,
                               unsigned int mem_flags, xen_pfn_t *extent)
{
    static __typeof__(&xc_domain_populate_physmap) next;
    const char *node = setting("LAB_NODE"), *path = setting("LAB_COUNT");
    const char *slow = setting("LAB_SLOW");
    int r;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "xc_domain_populate_physmap");
    if (node)
        mem_flags |= XENMEMF_exact_node((unsigned)atoi(node));
    if (slow)
        usleep((useconds_t)atoi(slow) * 1000);
    r = next(xch, domid, nr, order, mem_flags, extent);
    kill_at(__func__);
    if (path && r > 0)
        add_line(path, "%u %d\n", order, r);
    return r;
}

int isatty(int fd)
{
    static __typeof__(&isatty) next;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "isatty");
    return setting("LAB_TTY") ? 1 : next(fd);
}

/* In libxl-save-helper it is there for the product alone, loaded late. */
static void *next_of_xenstore(const char *name)
{
    void *library, *next = dlsym(RTLD_NEXT, name);

    if (next)
        return next;
    library = dlopen("libxenstore.so.4", RTLD_LAZY);
    return library ? dlsym(library, name) : NULL;
}

/* libxl asks the guest for it, and waits until the guest has removed the request. */
bool xs_write(struct xs_handle *xs, xs_transaction_t transaction,
              const char *path, const void *data, unsigned length)
{
    static __typeof__(&xs_write) next;
    xc_interface *xch;
    unsigned domid;

    if (!next)
        next = (__typeof__(next))next_of_xenstore("xs_write");
    if (!setting("LAB_SUSPEND") || length != strlen("suspend") ||
        memcmp(data, "suspend", length) ||
        sscanf(path, "/local/domain/%u/control/shutdown", &domid) != 1)
        return next(xs, transaction, path, data, length);
    xch = xc_interface_open(NULL, NULL, 0);
    if (!xch || xc_domain_shutdown(xch, domid, SHUTDOWN_suspend))
        return false;
    xc_interface_close(xch);
    return next(xs, transaction, path, "", 0);
}

/* --- hypercalls: libxenctrl makes them all through libxencall -------------- */

static unsigned long nr_calls;

/* xencallN(): a call with the arguments `params`, named `args`. */
#define COUNTED(name, params, ...)                                             \
    int name params                                                            \
    {                                                                          \
        static __typeof__(&name) next;                                         \
                                                                               \
        if (!next)                                                             \
            next = (__typeof__(next))dlsym(RTLD_NEXT, #name);                  \
        __atomic_add_fetch(&nr_calls, 1, __ATOMIC_RELAXED);                    \
        return next(__VA_ARGS__);                                              \
    }

COUNTED(xencall0, (xencall_handle * call, unsigned op), call, op)
COUNTED(xencall1, (xencall_handle * call, unsigned op, uint64_t a), call, op, a)
COUNTED(xencall2, (xencall_handle * call, unsigned op, uint64_t a, uint64_t b),
        call, op, a, b)
COUNTED(xencall3,
        (xencall_handle * call, unsigned op, uint64_t a, uint64_t b,
         uint64_t c),
        call, op, a, b, c)
COUNTED(xencall4,
        (xencall_handle * call, unsigned op, uint64_t a, uint64_t b, uint64_t c,
         uint64_t d),
        call, op, a, b, c, d)
COUNTED(xencall5,
        (xencall_handle * call, unsigned op, uint64_t a, uint64_t b, uint64_t c,
         uint64_t d, uint64_t e),
        call, op, a, b, c, d, e)

long xencall2L(xencall_handle *call, unsigned op, uint64_t a, uint64_t b)
{
    static __typeof__(&xencall2L) next;

    if (!next)
        next = (__typeof__(next))dlsym(RTLD_NEXT, "xencall2L");
    __atomic_add_fetch(&nr_calls, 1, __ATOMIC_RELAXED);
    return next(call, op, a, b);
}

__attribute__((destructor)) static void tell_calls(void)
{
    const char *path = setting("LAB_CALLS");

    if (path && nr_calls)
        add_line(path, "%lu\n", nr_calls);
}
