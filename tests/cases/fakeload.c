/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The load of a fake host, and what the balancer does to it: preloaded before
 * fakehost.c, which answers all else from the same snapshot, FAKE_HOST. All vCPUs of all
 * guests are always busy: vCPU N on the CPU number N of its hard affinity, all the
 * time, or for a share of it where others are busy.
 *
 *   FAKE_BUSY=2-3            others are busy on these CPUs
 *   FAKE_SHARE=0.4           the share that they leave
 *   FAKE_STORE=PATH=VALUE;...   what is in xenstore already
 *   FAKE_SAYS=KEY=VALUE      in the report of each guest, before what it has
 *   FAKE_HARD=ID,CPUS        the hard affinity of all vCPUs of a guest, if not as built
 *   FAKE_PINNED=ID           its vCPU 0 is pinned to CPU 0 by its user
 *   FAKE_PAUSED=ID           it is paused
 *   FAKE_GONE=ID             once its report has been read there is none any more
 *   FAKE_STUCK=N             the Nth change of an affinity fails, from 1
 *   FAKE_LOG=FILE            each change, one a line
 *   FAKE_SPEED=10            sleeping takes so much less
 *   FAKE_FAIL=FUNCTION       that one fails
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "formats/snapshot.h"

enum { NR_GUESTS = 16, NR_VCPUS = 8, NR_KEYS = 32 };

static struct xlnuma__guests guests;
static xlnuma_cpuset hard[NR_GUESTS][NR_VCPUS], soft[NR_GUESTS], busy;
static double ran[NR_GUESTS][NR_VCPUS], idle[XLNUMA_CPUS_MAX], last;
static struct {
    char path[128], value[256];
} store[NR_KEYS];

static bool fails(const char *function)
{
    const char *wish = getenv("FAKE_FAIL");

    errno = EPERM;
    return wish && !strcmp(wish, function);
}

static bool is_id(const char *variable, uint32_t domid)
{
    const char *text = getenv(variable);

    return text && strtoul(text, NULL, 10) == domid;
}

static void parse(const char *text, xlnuma_cpuset *set)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (xlnuma_cpuset_parse(text, set, message))
        abort();
}

__attribute__((format(printf, 1, 2))) static void log_line(const char *format,
                                                           ...)
{
    const char *path = getenv("FAKE_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    va_list args;

    if (!file)
        return;
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    fclose(file);
}

/* --- a faster time --------------------------------------------------------- */

static long speed(void)
{
    return getenv("FAKE_SPEED") ? strtol(getenv("FAKE_SPEED"), NULL, 10) : 1;
}

/* Time passes in nanosleep() alone: what else the machine does changes nothing. */
static uint64_t now_ns = 1000000000;

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(now_ns / 1000000000);
    time->tv_nsec = (long)(now_ns % 1000000000);
    return 0;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    uint64_t ns = (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
    uint64_t real_ns = ns / (uint64_t)speed();
    struct timespec shorter = { .tv_sec = (time_t)(real_ns / 1000000000),
                                .tv_nsec = (long)(real_ns % 1000000000) };

    now_ns += ns;
    return (int)syscall(SYS_nanosleep, &shorter, left);
}

/* --- the clock and the CPUs ----------------------------------------------- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The CPU that a vCPU is on. */
static unsigned cpu_of(unsigned g, unsigned v)
{
    unsigned cpu = 0;

    for (unsigned nr = 0;; cpu++)
        if (xlnuma_cpuset_has(&hard[g][v], cpu) && nr++ == v)
            return cpu;
}

static double share_on(unsigned cpu)
{
    const char *share = getenv("FAKE_SHARE");

    return xlnuma_cpuset_has(&busy, cpu) ? strtod(share ? share : "0.4", NULL)
                                         : 1;
}

/* All clocks go on to now. */
static void go_on(void)
{
    double now = seconds(), passed = now - last;
    xlnuma_cpuset used = busy;

    last = now;
    for (unsigned g = 0; g < guests.nr; g++)
        for (unsigned v = 0; v < guests.guest[g].nr_vcpus; v++) {
            ran[g][v] += passed * share_on(cpu_of(g, v));
            xlnuma_cpuset_add(&used, cpu_of(g, v));
        }
    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
        idle[cpu] += xlnuma_cpuset_has(&used, cpu) ? 0 : passed;
}

/* --- the beginning -------------------------------------------------------- */

static unsigned index_of(uint32_t domid)
{
    unsigned g = 0;

    while (guests.guest[g].domid != domid)
        g++;
    return g;
}

static void begin_guest(unsigned g)
{
    const struct xlnuma__guest *guest = &guests.guest[g];
    const char *given = is_id("FAKE_HARD", guest->domid)
                            ? strchr(getenv("FAKE_HARD"), ',') + 1
                            : guest->report.hard_cpus;

    memset(hard[g], 0xff, sizeof(hard[g]));
    memset(&soft[g], 0xff, sizeof(soft[g]));
    if (*guest->report.soft_cpus)
        parse(guest->report.soft_cpus, &soft[g]);
    for (unsigned v = 0; *given && v < NR_VCPUS; v++)
        parse(given, &hard[g][v]);
    if (is_id("FAKE_PINNED", guest->domid))
        parse("0", &hard[g][0]);
}

static void put(const char *path, const char *value)
{
    unsigned i = 0;

    while (i < NR_KEYS - 1 && *store[i].path && strcmp(store[i].path, path))
        i++;
    snprintf(store[i].path, sizeof(store[i].path), "%s", path);
    snprintf(store[i].value, sizeof(store[i].value), "%s", value);
}

static void begin_store(void)
{
    char *text = strdup(getenv("FAKE_STORE") ? getenv("FAKE_STORE") : ""), *at;

    for (char *key = strtok_r(text, ";", &at); key;
         key = strtok_r(NULL, ";", &at)) {
        char *equals = strchr(key, '=');

        *equals = '\0';
        put(key, equals + 1);
    }
    free(text);
}

__attribute__((constructor)) static void begin(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    char message[XLNUMA_MESSAGE_SIZE];
    const char *path = getenv("FAKE_HOST");

    if (!path || !host || xlnuma__snapshot_load(host, &guests, path, message)) {
        fprintf(stderr, "fakeload: %s\n", path ? message : "no FAKE_HOST");
        exit(99);
    }
    xlnuma_host_free(host);
    last = seconds();
    if (getenv("FAKE_BUSY"))
        parse(getenv("FAKE_BUSY"), &busy);
    begin_store();
    for (unsigned g = 0; g < guests.nr && g < NR_GUESTS; g++)
        begin_guest(g);
}

__attribute__((destructor)) static void end(void)
{
    xlnuma__guests_dispose(&guests);
}

/* --- calls ---------------------------------------------------------------- */

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    unsigned nr = 0;

    (void)xch;
    if (fails(__func__))
        return -1;
    for (unsigned g = 0; g < guests.nr && nr < max; g++) {
        if (guests.guest[g].domid < first)
            continue;
        memset(&info[nr], 0, sizeof(*info));
        info[nr].domain = (domid_t)guests.guest[g].domid;
        info[nr].max_vcpu_id = guests.guest[g].nr_vcpus - 1;
        if (is_id("FAKE_PAUSED", guests.guest[g].domid))
            info[nr].flags = XEN_DOMINF_paused;
        nr++;
    }
    return (int)nr;
}

int xc_getcpuinfo(xc_interface *xch, int max_cpus, xc_cpuinfo_t *info,
                  int *nr_cpus)
{
    (void)xch;
    if (fails(__func__))
        return -1;
    go_on();
    *nr_cpus = max_cpus;
    for (int cpu = 0; cpu < max_cpus; cpu++)
        info[cpu].idletime = (uint64_t)(idle[cpu] * 1e9);
    return 0;
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
                    xc_vcpuinfo_t *info)
{
    unsigned g = index_of(domid);

    (void)xch;
    go_on();
    memset(info, 0, sizeof(*info));
    info->online = 1;
    info->cpu = cpu_of(g, vcpu);
    info->cpu_time = (uint64_t)(ran[g][vcpu] * 1e9);
    return 0;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard_r, xc_cpumap_t soft_r, uint32_t flags)
{
    unsigned g = index_of(domid);

    (void)xch;
    (void)flags;
    memcpy(hard_r, &hard[g][vcpu], sizeof(hard[g][vcpu]));
    memcpy(soft_r, &soft[g], sizeof(soft[g]));
    return fails(__func__) ? -1 : 0;
}

int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t to_hard, xc_cpumap_t to_soft,
                        uint32_t flags)
{
    static unsigned nr;
    unsigned g = index_of(domid);
    char list[256];

    (void)xch;
    if (++nr ==
        strtoul(getenv("FAKE_STUCK") ? getenv("FAKE_STUCK") : "0", NULL, 10)) {
        errno = EPERM;
        return -1;
    }
    if (flags & XEN_VCPUAFFINITY_HARD) {
        go_on();
        memcpy(&hard[g][vcpu], to_hard, sizeof(hard[g][vcpu]));
        log_line("%u.%d hard %s\n", domid, vcpu,
                 xlnuma_cpuset_format(&hard[g][vcpu], list, sizeof(list)));
    }
    if (flags & XEN_VCPUAFFINITY_SOFT) {
        memcpy(&soft[g], to_soft, sizeof(soft[g]));
        log_line("%u.%d soft %s\n", domid, vcpu,
                 xlnuma_cpuset_format(&soft[g], list, sizeof(list)));
    }
    return 0;
}

/* --- xenstore ------------------------------------------------------------- */

/* What is not here fakehost.c has, as the reports of guests. */
void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned *length)
{
    void *(*next)(struct xs_handle *, xs_transaction_t, const char *,
                  unsigned *) = dlsym(RTLD_NEXT, "xs_read");
    const char *more = getenv("FAKE_SAYS"), *end;
    static bool was_read;
    char *value, *both;
    unsigned domid;
    int version;

    if (sscanf(path, "/libxl/%u/numa-placement", &domid) == 1 &&
        !strcmp(strrchr(path, '/'), "/numa-placement") &&
        is_id("FAKE_GONE", domid)) {
        if (was_read) {
            errno = ENOENT;
            return NULL;
        }
        was_read = true;
    }
    for (unsigned i = 0; i < NR_KEYS; i++)
        if (!strcmp(store[i].path, path) && *store[i].value) {
            *length = (unsigned)strlen(store[i].value);
            return strdup(store[i].value);
        }
    value = next(xs, t, path, length);
    end = strrchr(path, '/');
    if (!value || !more || !end || strcmp(end, "/numa-placement"))
        return value;
    version = (int)strcspn(value, "\n") + 1; /* is first */
    if (asprintf(&both, "%.*s%s\n%s", version, value, more, value + version) <
        0)
        abort();
    free(value);
    *length = (unsigned)strlen(both);
    return both;
}

/* FAKE_FAIL=xs_transaction_end: the first one only, as another has written. */
xs_transaction_t xs_transaction_start(struct xs_handle *xs)
{
    (void)xs;
    return !fails(__func__);
}

bool xs_transaction_end(struct xs_handle *xs, xs_transaction_t t, bool abort)
{
    static bool has_failed;
    bool is_to_fail = !has_failed && fails(__func__);

    (void)xs;
    (void)t;
    (void)abort;
    has_failed |= is_to_fail;
    errno = EAGAIN;
    return !is_to_fail;
}

bool xs_write(struct xs_handle *xs, xs_transaction_t t, const char *path,
              const void *data, unsigned length)
{
    char value[256];

    (void)xs;
    (void)t;
    if (fails(__func__))
        return false;
    snprintf(value, sizeof(value), "%.*s", (int)length, (const char *)data);
    log_line("%s = %s\n", path, value);
    put(path, value);
    return true;
}

/* With what is below it. */
bool xs_rm(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    bool was_there = false;

    (void)xs;
    (void)t;
    for (unsigned i = 0; i < NR_KEYS; i++)
        if (*store[i].value && !strncmp(store[i].path, path, strlen(path))) {
            *store[i].value = '\0';
            was_there = true;
        }
    if (was_there)
        log_line("rm %s\n", path);
    errno = ENOENT;
    return was_there;
}
