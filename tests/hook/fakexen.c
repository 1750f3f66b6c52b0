/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host of four nodes in two sockets for tests/hook: stands before the real
 * libxenlight, libxenctrl and libxenstore in a test program, keeps per node how
 * much memory is free and how large its largest extent is, and goes libxl's
 * build path in libxl's order. Functions that never touch Xen (bitmaps, uuids,
 * defbools) are the real library's. Any call can be made to fail.
 *
 * The environment describes the host:
 *   FAKE_FREE=2657,1011,2250,2300  MiB free on each node
 *   FAKE_LOW=600,0,0,0             MiB of it between 1 and 2 GiB: Xen gives them
 *                                  last, as its DMA width is 31 bits: the
 *                                  quarter of node 0's span, 1280 MiB, rounded
 *   FAKE_HIGH_ORDER=9,9,9,9        largest extent of what is not low
 *   FAKE_CMDLINE=OPTIONS           of the hypervisor
 *   FAKE_SCHEDULER=credit          of its cpupools; credit2 if not given
 *   FAKE_POOLS=1,0                 cpupools of domain 1, 2...; all have all CPUs
 *   FAKE_DEDICATED=0xf0            a mask: CPUs of the cpupool xl-numa-dedicated
 *   FAKE_THREADS=2                 of each core
 *   FAKE_STRANGER=0x10             guest 101 is in that pool, its vCPUs have this
 *                                  hard affinity
 *   FAKE_ORDER=18,18,9,0           largest extent that each node has
 *   FAKE_THIEF=0,0,0,1000          MiB that another domain takes from each node
 *                                  once the build has begun to take memory
 *   FAKE_RESTORE=2m                a helper restores as Xen 4.21's, which asks for
 *                                  2 MiB extents itself
 *   FAKE_BALLOON=1024              of a saved guest, each page whose number is a
 *                                  multiple of that had been given back
 *   FAKE_SLOW=100                  ms that each call for memory takes
 *   FAKE_OTHER=1                   between a domain's vCPUs and its memory another
 *                                  one, that nobody knows, gets its vCPUs
 *   FAKE_REUSE=1                   a new domain gets the number of one that is gone
 *   FAKE_NODES=1                   how many of the nodes there are
 *   FAKE_HOLES=2048,0,0,0          MiB without memory in each node's addresses,
 *                                  behind its first 2 GiB
 *   FAKE_DOM0=MIB                  Domain-0's memory
 *   FAKE_DOM0_PINS=0x3,-,0x30      masks: where each of its vCPUs may run; "-" is
 *                                  offline; it has one that may run anywhere if not
 *                                  given
 *   FAKE_DEVICES=-,2               nodes of the PCI devices 0000:00:00.0, 01.0...
 *   FAKE_ASSIGNABLE=NAME           what 0000:00:02.0 is called
 *   FAKE_GUESTS=2:0,0:3600         guests 101, 102... of four vCPUs: on which
 *                                  node, and the seconds that they ran
 *   FAKE_UUIDS=1,2,1               what their uuids begin with; 1, 2... if not given
 *   FAKE_FAIL=FUNCTION:N[,...]     the Nth call of FUNCTION fails, or all: :all
 *   FAKE_KILL=, FAKE_STOP=FUNCTION:N[,...]  the process is killed, or stopped
 *                                  until it gets SIGCONT, in the Nth call
 *   FAKE_FORK=FUNCTION:N[,...]     a child is forked then; it does nothing
 *   FAKE_CHILD=FUNCTION:N          another thread forks then: fake_child()
 *   FAKE_TABLES=none, other        a PVH guest has no ACPI tables, or they are
 *                                  not as libxl's; "full": nothing fits behind
 *   FAKE_LAYOUT=other              its memory lies otherwise than libxl has it
 *   FAKE_HELPER=PROGRAM            run to restore a domain: PROGRAM -H, unless
 *                                  LIBXL_SAVE_HELPER is another one
 *   FAKE_DEVICE_MODEL=, FAKE_CONSOLE=PROGRAM  started for a domain that is built
 *   FAKE_MISSING=PROGRAM           fakexl tries to become it, and tells errno
 *   FAKE_STATE=FILE                where the host's state is, for it and for
 *                                  other processes that build on this host
 */
#include "fakexen.h"

#include <errno.h>
#include <fcntl.h>
#include <libxl_utils.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xenstore.h>

#include "hook/hook.h"

#define NR_NODES 4
#define CPUS_PER_NODE 2
#define MIB_PAGES 256
#define FIRST_GUEST 101

static const uint32_t distances[NR_NODES][NR_NODES] = {
    { 10, 11, 21, 21 },
    { 11, 10, 21, 21 },
    { 21, 21, 10, 11 },
    { 21, 21, 11, 10 },
};

#define NR_DOMAINS 320

/* All that changes, in memory that other processes share. */
static struct {
    bool is_locked;
    unsigned nr_domains;
    struct fake_domain domain[NR_DOMAINS]; /* domain 1 is the first */
    unsigned long free_pages[NR_NODES], low_pages[NR_NODES];
    size_t nr_stored;
    struct {
        char path[128], value[4096];
    } store[512];
} * host;

_Thread_local struct fake_domain *fake_domain;

static unsigned max_order[NR_NODES], max_high_order[NR_NODES];
static int nr_nodes = NR_NODES;

/* Nobody is killed in between: that is done where calls fail. */
static void lock_host(void)
{
    while (__atomic_test_and_set(&host->is_locked, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void unlock_host(void)
{
    __atomic_clear(&host->is_locked, __ATOMIC_RELEASE);
}

/* --- the host as the environment says ------------------------------------- */

/* The node-th number of a comma-separated list, or `otherwise`. */
static unsigned long list_item(const char *name, int node,
                               unsigned long otherwise)
{
    const char *text = getenv(name);

    for (int i = 0; text && i < node; i++) {
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* The state file of another process is there and filled already. */
static bool map_state(int *fd_r)
{
    const char *name = getenv("FAKE_STATE");
    int fd = *fd_r = name ? open(name, O_RDWR | O_CREAT, 0600) : -1;
    struct stat before = { .st_size = 0 };

    /* Until we have filled it, who comes second waits. */
    if (fd >= 0 && (flock(fd, LOCK_EX) || fstat(fd, &before) ||
                    ftruncate(fd, sizeof(*host))))
        abort();
    host = mmap(NULL, sizeof(*host), PROT_READ | PROT_WRITE,
                fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
    if (host == MAP_FAILED)
        abort();
    return before.st_size > 0;
}

__attribute__((constructor)) static void read_environment(void)
{
    int fd;
    bool is_filled = map_state(&fd);

    nr_nodes = (int)list_item("FAKE_NODES", 0, NR_NODES);
    for (int i = 0; i < nr_nodes; i++) {
        max_order[i] = (unsigned)list_item("FAKE_ORDER", i, 18);
        max_high_order[i] = (unsigned)list_item("FAKE_HIGH_ORDER", i, 18);
        if (!is_filled)
            host->free_pages[i] = list_item("FAKE_FREE", i, 3072) * MIB_PAGES;
        if (!is_filled)
            host->low_pages[i] = list_item("FAKE_LOW", i, 0) * MIB_PAGES;
    }
    if (fd >= 0) { /* closing it is not enough while it is mapped */
        flock(fd, LOCK_UN);
        close(fd);
    }
}

static bool is_set(const char *variable, const char *value)
{
    const char *text = getenv(variable);

    return text && !strcmp(text, value);
}

/* Does the variable name this call, the nr-th, of `function`? */
static bool is_meant(const char *variable, const char *function, unsigned nr)
{
    const char *wish = getenv(variable);
    size_t length = strlen(function);

    for (; wish && *wish; wish = strchr(wish, ',') ? strchr(wish, ',') + 1 : "")
        if (!strncmp(wish, function, length) && wish[length] == ':' &&
            (!strncmp(wish + length + 1, "all", 3) ||
             strtoul(wish + length + 1, NULL, 10) == nr))
            return true;
    return false;
}

/* A child as libxl has them: it neither builds nor executes anything. */
static void fork_sleeper(void)
{
    pid_t pid = fork();

    if (pid) {
        dprintf(STDOUT_FILENO, "child %d\n", (int)pid);
        return;
    }
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    sleep(30);
    _exit(0);
}

int (*fake_child)(void);
static pid_t child;

static void *fork_child(void *unused)
{
    (void)unused;
    child = fork();
    if (!child) {
        child = -1; /* it forks none itself */
        alarm(30);
        _exit(fake_child());
    }
    return NULL;
}

/* Once; the thread that calls goes on when the child is there. */
static void fork_in_a_thread(void)
{
    pthread_t thread;

    if (fake_child && !child &&
        !pthread_create(&thread, NULL, fork_child, NULL))
        pthread_join(thread, NULL);
}

int fake_wait_child(void)
{
    int status;

    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

/* Is this call of `function` one that is to fail? */
static bool fails(const char *function)
{
    static _Thread_local struct {
        const char *function;
        unsigned nr;
    } calls[64];
    size_t i = 0;

    while (calls[i].function && strcmp(calls[i].function, function))
        i++;
    calls[i].function = function;
    calls[i].nr++;
    if (is_meant("FAKE_FORK", function, calls[i].nr))
        fork_sleeper();
    if (is_meant("FAKE_CHILD", function, calls[i].nr))
        fork_in_a_thread();
    if (is_meant("FAKE_KILL", function, calls[i].nr))
        raise(SIGKILL);
    if (is_meant("FAKE_STOP", function, calls[i].nr))
        raise(SIGSTOP);
    if (!is_meant("FAKE_FAIL", function, calls[i].nr))
        return false;
    errno = EPERM;
    return true;
}

#define FAIL(value)                                                            \
    do {                                                                       \
        if (fails(__func__))                                                   \
            return value;                                                      \
    } while (0)

/* --- libxl: contexts and what is read of the host ------------------------- */

struct fake_ctx {
    xentoollog_logger *lg;
};

int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                    xentoollog_logger *lg)
{
    struct fake_ctx *ctx = calloc(1, sizeof(*ctx));

    (void)version;
    (void)flags;
    ctx->lg = lg;
    *pctx = (libxl_ctx *)ctx;
    return 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    free(ctx);
    return 0;
}

/* As on a real host: below 4 GiB there is room for devices. */
static uint64_t hole_mib(int node)
{
    return list_item("FAKE_HOLES", node, node ? 0 : 2048);
}

int xc_get_machine_memory_map(xc_interface *xch, struct e820entry entries[],
                              uint32_t max_entries)
{
    uint64_t start = 0;
    int nr = 0;

    (void)xch;
    FAIL(-1);
    for (int i = 0; i < nr_nodes && (uint32_t)nr + 2 <= max_entries; i++) {
        uint64_t after = start + ((2048 + hole_mib(i)) << 20);

        entries[nr++] = (struct e820entry){ start, 2048ull << 20, E820_RAM };
        entries[nr++] = (struct e820entry){ after, 1024ull << 20, E820_RAM };
        start = after + (1024ull << 20);
    }
    return nr;
}

libxl_numainfo *libxl_get_numainfo(libxl_ctx *ctx, int *nr)
{
    libxl_numainfo *info;

    (void)ctx;
    FAIL(NULL);
    info = calloc((size_t)nr_nodes, sizeof(*info));
    for (int i = 0; i < nr_nodes; i++) {
        info[i].size = (3072 + hole_mib(i)) << 20;
        info[i].free = host->free_pages[i] << 12;
        info[i].num_dists = nr_nodes;
        info[i].dists = calloc((size_t)nr_nodes, sizeof(*info[i].dists));
        memcpy(info[i].dists, distances[i],
               (size_t)nr_nodes * sizeof(*info[i].dists));
    }
    *nr = nr_nodes;
    return info;
}

libxl_cputopology *libxl_get_cpu_topology(libxl_ctx *ctx, int *nr)
{
    libxl_cputopology *cpu;

    (void)ctx;
    FAIL(NULL);
    *nr = nr_nodes * CPUS_PER_NODE;
    cpu = calloc((size_t)*nr, sizeof(*cpu));
    for (int i = 0; i < *nr; i++) {
        cpu[i].node = (uint32_t)(i / CPUS_PER_NODE);
        cpu[i].socket = cpu[i].node / 2;
        cpu[i].core = (uint32_t)i / (uint32_t)list_item("FAKE_THREADS", 0, 1);
    }
    return cpu;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *nr)
{
    const char *text = getenv("FAKE_DEVICES");
    libxl_pcitopology *device;

    (void)ctx;
    FAIL(NULL);
    device = calloc(32, sizeof(*device));
    for (*nr = 0; text && *nr < 32; text = strchr(text, ',')) {
        text += *text == ',';
        device[*nr].devfn = (uint8_t)(*nr << 3);
        device[(*nr)++].node = *text == '-' ? LIBXL_PCITOPOLOGY_INVALID_ENTRY
                                            : (uint32_t)strtoul(text, NULL, 10);
    }
    return device;
}

libxl_device_pci *libxl_device_pci_assignable_list(libxl_ctx *ctx, int *nr)
{
    libxl_device_pci *device = calloc(2, sizeof(*device));
    const char *name = getenv("FAKE_ASSIGNABLE");

    (void)ctx;
    FAIL(NULL);
    device[1].dev = 2;
    device[1].name = name ? strdup(name) : NULL;
    *nr = 2;
    return device;
}

int libxl_get_physinfo(libxl_ctx *ctx, libxl_physinfo *info)
{
    (void)ctx;
    FAIL(ERROR_FAIL);
    info->total_pages = (uint64_t)nr_nodes * 3072 * MIB_PAGES;
    return 0;
}

const libxl_version_info *libxl_get_version_info(libxl_ctx *ctx)
{
    static libxl_version_info info;

    (void)ctx;
    FAIL(NULL);
    info.commandline = getenv("FAKE_CMDLINE");
    return &info;
}

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)flags;
    FAIL(NULL);
    return (xc_interface *)host;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
                 uint64_t *bytes)
{
    (void)xch;
    FAIL(-1);
    if (min_width || node < 0 || node >= nr_nodes)
        abort(); /* nothing asks that */
    if (!max_width)
        *bytes = (uint64_t)host->free_pages[node] << 12;
    else
        *bytes = max_width < 31 ? 0 : (uint64_t)host->low_pages[node] << 12;
    return 0;
}

static int bitmap_alloc(libxl_bitmap *map, int bits)
{
    map->size = (uint32_t)(bits + 7) / 8;
    map->map = calloc(1, map->size);
    return map->map ? 0 : ERROR_NOMEM;
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max)
{
    (void)ctx;
    FAIL(ERROR_FAIL);
    return bitmap_alloc(map, max ? max : nr_nodes * CPUS_PER_NODE);
}

int libxl_node_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max)
{
    (void)ctx;
    FAIL(ERROR_FAIL);
    return bitmap_alloc(map, max ? max : nr_nodes);
}

static int scheduler_of_pools(void)
{
    const char *name = getenv("FAKE_SCHEDULER");
    libxl_scheduler scheduler;

    return libxl_scheduler_from_string(name ? name : "credit2", &scheduler)
               ? LIBXL_SCHEDULER_UNKNOWN
               : (int)scheduler;
}

int libxl_get_scheduler(libxl_ctx *ctx)
{
    (void)ctx;
    FAIL(ERROR_FAIL);
    return scheduler_of_pools();
}

/* Pool 1's CPUs; 0: there is none. */
static uint8_t dedicated_cpus(void)
{
    const char *mask = getenv("FAKE_DEDICATED");

    return mask ? (uint8_t)strtoul(mask, NULL, 0) : 0;
}

static uint8_t cpus_of_pool(uint32_t poolid)
{
    return poolid && dedicated_cpus() ? dedicated_cpus()
                                      : (uint8_t)~dedicated_cpus();
}

int libxl_cpupool_info(libxl_ctx *ctx, libxl_cpupoolinfo *info, uint32_t poolid)
{
    FAIL(ERROR_FAIL);
    if (libxl_cpu_bitmap_alloc(ctx, &info->cpumap, 0))
        return ERROR_FAIL;
    libxl_bitmap_set_any(&info->cpumap);
    info->cpumap.map[0] = cpus_of_pool(poolid);
    info->sched = (libxl_scheduler)scheduler_of_pools();
    return 0;
}

int xc_get_cpumap_size(xc_interface *xch)
{
    (void)xch;
    return (nr_nodes * CPUS_PER_NODE + 7) / 8;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
    xc_cpupoolinfo_t *pool;

    FAIL(NULL);
    pool = calloc(1, sizeof(*pool));
    pool->cpupool_id = poolid;
    pool->sched_id = (uint32_t)scheduler_of_pools();
    pool->cpumap = malloc((size_t)xc_get_cpumap_size(xch));
    memset(pool->cpumap, 0xff, (size_t)xc_get_cpumap_size(xch));
    *pool->cpumap = cpus_of_pool(poolid);
    return pool;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *pool)
{
    (void)xch;
    free(pool->cpumap);
    free(pool);
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *nr)
{
    libxl_cpupoolinfo *pool;

    FAIL(NULL);
    *nr = dedicated_cpus() ? 2 : 1;
    pool = calloc(2, sizeof(*pool));
    for (int i = 0; i < *nr; i++) {
        pool[i].poolid = (uint32_t)i;
        pool[i].pool_name = strdup(i ? "xl-numa-dedicated" : "Pool-0");
        if (libxl_cpupool_info(ctx, &pool[i], (uint32_t)i))
            abort();
    }
    return pool;
}

/* --- libxl and libxc: what is done to the domain -------------------------- */

/* As in Xen, with it go the affinities. */
int libxl_cpupool_movedomain(libxl_ctx *ctx, uint32_t poolid, uint32_t domid)
{
    (void)ctx;
    (void)domid;
    FAIL(ERROR_FAIL);
    fake_domain->pool = poolid;
    for (int vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        fake_domain->hard_cpus[vcpu] = fake_domain->vcpu_soft[vcpu] = 0xff;
    return 0;
}

static uint64_t bits_of(const libxl_bitmap *map)
{
    uint64_t bits = 0;
    int i;

    libxl_for_each_set_bit(i, *map)
        bits |= (uint64_t)1 << i;
    return bits;
}

int libxl_domain_set_nodeaffinity(libxl_ctx *ctx, uint32_t domid,
                                  libxl_bitmap *map)
{
    (void)ctx;
    (void)domid;
    FAIL(ERROR_FAIL);
    fake_domain->nodes = bits_of(map);
    return 0;
}

int libxl_set_vcpuaffinity(libxl_ctx *ctx, uint32_t domid, uint32_t vcpu,
                           const libxl_bitmap *hard, const libxl_bitmap *soft)
{
    (void)ctx;
    (void)domid;
    FAIL(ERROR_FAIL);
    if (hard && !bits_of(hard))
        abort(); /* Xen refuses that */
    if (hard)
        fake_domain->hard_cpus[vcpu] = bits_of(hard);
    if (soft)
        fake_domain->soft_cpus = fake_domain->vcpu_soft[vcpu] = bits_of(soft);
    fake_domain->nr_affinities++;
    return 0;
}

/* One that fails does so for the last vCPU. */
int libxl_set_vcpuaffinity_all(libxl_ctx *ctx, uint32_t domid, unsigned max,
                               const libxl_bitmap *hard,
                               const libxl_bitmap *soft)
{
    bool has_failed = fails(__func__);

    for (unsigned vcpu = 0; vcpu < max - has_failed; vcpu++)
        if (libxl_set_vcpuaffinity(ctx, domid, vcpu, hard, soft))
            return ERROR_FAIL;
    return has_failed ? ERROR_FAIL : 0;
}

int libxl_domain_get_nodeaffinity(libxl_ctx *ctx, uint32_t domid,
                                  libxl_bitmap *map)
{
    (void)ctx;
    (void)domid;
    FAIL(ERROR_FAIL);
    map->map[0] = (uint8_t)fake_domain->nodes;
    return 0;
}

/* Domain-0's. */
static libxl_vcpuinfo *list_dom0(libxl_ctx *ctx, int *nr)
{
    const char *pins = getenv("FAKE_DOM0_PINS");
    libxl_vcpuinfo *info = calloc(32, sizeof(*info));

    *nr = 0;
    for (pins = pins ? pins : "0xff"; *pins; (*nr)++) {
        info[*nr].vcpuid = (uint32_t)*nr;
        info[*nr].online = *pins != '-';
        libxl_cpu_bitmap_alloc(ctx, &info[*nr].cpumap, 0);
        info[*nr].cpumap.map[0] = (uint8_t)strtoul(pins, NULL, 0);
        pins += strcspn(pins, ",");
        pins += *pins == ',';
    }
    return info;
}

libxl_vcpuinfo *libxl_list_vcpu(libxl_ctx *ctx, uint32_t domid, int *nr,
                                int *nr_cpus)
{
    libxl_vcpuinfo *info;

    FAIL(NULL);
    if (!domid)
        return list_dom0(ctx, nr);
    *nr = FAKE_VCPUS;
    *nr_cpus = NR_NODES * CPUS_PER_NODE;
    info = calloc(FAKE_VCPUS, sizeof(*info));
    for (int i = 0; i < FAKE_VCPUS; i++) {
        info[i].vcpuid = (uint32_t)i;
        libxl_cpu_bitmap_alloc(ctx, &info[i].cpumap, 0);
        info[i].cpumap.map[0] = (uint8_t)fake_domain->hard_cpus[i];
        libxl_cpu_bitmap_alloc(ctx, &info[i].cpumap_soft, 0);
        info[i].cpumap_soft.map[0] = (uint8_t)fake_domain->vcpu_soft[i];
    }
    return info;
}

/* Four vCPUs of each: on this node, and for so many seconds. */
static int read_guest(int nr, unsigned long *seconds_r)
{
    const char *text = getenv("FAKE_GUESTS"), *colon;

    for (int i = 0; text && i < nr; i++) {
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    if (!text)
        return -1;
    colon = strchr(text, ':');
    *seconds_r = strtoul(colon + 1, NULL, 10);
    return atoi(text);
}

/* The domains that were built here, where there is a pool for them. */
static int list_built(xc_domaininfo_t *info)
{
    int nr = 0;

    for (unsigned i = 0; dedicated_cpus() && i < host->nr_domains; i++) {
        const struct fake_domain *domain = &host->domain[i];

        if (!domain->is_there || !domain->pool)
            continue;
        memset(&info[nr], 0, sizeof(*info));
        info[nr].domain = (domid_t)(i + 1);
        info[nr].cpupool = domain->pool;
        info[nr].nr_online_vcpus = FAKE_VCPUS;
        info[nr].max_vcpu_id = FAKE_VCPUS - 1;
        memcpy(info[nr++].handle, &domain->uuid, sizeof(info->handle));
    }
    return nr;
}

/* Asked for one, the domain of that number; for more, dom0 with its one vCPU. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    (void)xch;
    FAIL(-1);
    memset(info, 0, sizeof(*info));
    if (max == 1 && !first) {
        info->tot_pages = list_item("FAKE_DOM0", 0, 0) * MIB_PAGES;
    } else if (max == 1) {
        const struct fake_domain *domain = &host->domain[first - 1];

        if (first > host->nr_domains || !domain->is_there)
            return 0;
        info->domain = (domid_t)first;
        info->cpupool = (uint32_t)list_item("FAKE_POOLS", (int)first - 1, 0);
        info->flags = domain->is_pv ? 0 : XEN_DOMINF_hvm_guest;
        memcpy(info->handle, &domain->uuid, sizeof(info->handle));
        for (int i = 0; i < nr_nodes; i++)
            info->tot_pages += domain->pages[i];
    } else {
        unsigned long seconds;
        int nr, guests = 0;

        info->nr_online_vcpus = 1;
        nr = list_built(info + 1);
        while (first == 0 && read_guest(guests, &seconds) >= 0) {
            xc_domaininfo_t *guest = &info[++nr];

            memset(guest, 0, sizeof(*guest));
            guest->domain = (domid_t)(FIRST_GUEST + guests);
            guest->nr_online_vcpus = 4;
            guest->max_vcpu_id = 3;
            guest->cpu_time = seconds * 1000000000ull;
            guest->cpupool = !guests && getenv("FAKE_STRANGER");
            guests++;
            guest->handle[0] =
                (uint8_t)list_item("FAKE_UUIDS", guests - 1, (unsigned)guests);
        }
        return nr + 1;
    }
    return 1;
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    unsigned long seconds;

    (void)xch;
    (void)flags;
    FAIL(-1);
    *hard = *soft = 0xff;
    if (domid && domid < FIRST_GUEST) {
        *hard = (uint8_t)host->domain[domid - 1].hard_cpus[vcpu];
        *soft = (uint8_t)host->domain[domid - 1].vcpu_soft[vcpu];
    }
    if (domid == FIRST_GUEST && getenv("FAKE_STRANGER"))
        *hard = (uint8_t)strtoul(getenv("FAKE_STRANGER"), NULL, 0);
    if (domid >= FIRST_GUEST)
        *soft =
            (uint8_t)(3 << 2 * read_guest((int)domid - FIRST_GUEST, &seconds));
    return 0;
}

int xc_domain_max_vcpus(xc_interface *xch, uint32_t domid, unsigned max)
{
    (void)xch;
    (void)domid;
    (void)max;
    FAIL(-1);
    return 0;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t memkb)
{
    (void)domid;
    (void)memkb;
    FAIL(-1);
    if (getenv("FAKE_OTHER"))
        xc_domain_max_vcpus(xch, FIRST_GUEST - 1, 1);
    return 0;
}

static int taken_from; /* the last extent; the host is locked */

static bool take_zone(int node, unsigned order, bool is_low)
{
    unsigned long pages = 1ul << order;

    for (int i = 0; i < nr_nodes; i++) {
        unsigned long low = host->low_pages[i];

        if ((node >= 0 && node != i) || order > max_order[i] ||
            (!is_low && order > max_high_order[i]) ||
            (is_low ? low : host->free_pages[i] - low) < pages)
            continue;
        if (is_low) {
            host->low_pages[i] -= pages;
            fake_domain->low_pages[i] += pages;
        }
        host->free_pages[i] -= pages;
        fake_domain->pages[i] += pages;
        fake_domain->extents[order]++;
        taken_from = i;
        return true;
    }
    return false;
}

/*
 * One extent from a node, or from any when it is -1; as Xen does, low memory
 * after all that is not.
 */
static bool take_extent(int node, unsigned order)
{
    return take_zone(node, order, false) || take_zone(node, order, true);
}

/* Only what was low is ever given back. */
int xc_domain_decrease_reservation_exact(xc_interface *xch, uint32_t domid,
                                         unsigned long nr, unsigned order,
                                         xen_pfn_t *extent)
{
    unsigned long pages = nr << order;
    int i = 0;

    (void)xch;
    (void)domid;
    FAIL(-1);
    lock_host();
    while (i < nr_nodes && fake_domain->low_pages[i] < pages)
        i++;
    if (nr != 1 || i == nr_nodes || !(*extent & FAKE_DONE))
        abort(); /* not this */
    *extent &= ~FAKE_DONE;
    host->free_pages[i] += pages;
    host->low_pages[i] += pages;
    fake_domain->low_pages[i] -= pages;
    fake_domain->pages[i] -= pages;
    fake_domain->extents[order]--;
    unlock_host();
    return 0;
}

/* Once: what another domain takes meanwhile. */
static void steal(void)
{
    static bool is_done;

    for (int i = 0; i < nr_nodes && !is_done; i++)
        host->free_pages[i] -= list_item("FAKE_THIEF", i, 0) * MIB_PAGES;
    is_done = true;
}

/* Which pages a guest that is being restored has; NULL if none is. */
static bool *populated;

/* Each page once, and none that does not fit. */
static void note_populated(unsigned long page, unsigned order)
{
    if (populated && page % (1ul << order))
        abort();
    for (unsigned long i = page; populated && i < page + (1ul << order); i++) {
        if (populated[i])
            abort();
        populated[i] = true;
    }
}

int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
                               unsigned long nr, unsigned order,
                               unsigned mem_flags, xen_pfn_t *extent)
{
    int node = (int)XENMEMF_get_node(mem_flags);
    unsigned long done = 0;

    (void)xch;
    (void)domid;
    FAIL(-1);
    usleep((useconds_t)list_item("FAKE_SLOW", 0, 0) * 1000);
    steal();
    if (mem_flags & XENMEMF_populate_on_demand) {
        for (; done < nr; done++)
            extent[done] |= FAKE_DONE; /* promised; no memory is taken */
        return (int)nr;
    }
    if (!(mem_flags & XENMEMF_exact_node_request))
        node = -1;
    lock_host();
    while (done < nr && take_extent(node, order)) {
        xen_pfn_t pages = (xen_pfn_t)1 << order, gfn = extent[done];

        for (; gfn >> 15 < sizeof(fake_domain->block) &&
               gfn < extent[done] + pages;
             gfn += pages < 1 << 15 ? pages : 1 << 15)
            fake_domain->block[gfn >> 15] |= (uint8_t)(1 << taken_from);
        note_populated(extent[done], order);
        /* As for a PV guest: what was asked for becomes where it is. */
        extent[done] |= FAKE_DONE;
        done++;
    }
    unlock_host();
    fails("given"); /* to be stopped here: the caller does not know yet */
    return (int)done;
}

int xc_domain_populate_physmap_exact(xc_interface *xch, uint32_t domid,
                                     unsigned long nr, unsigned order,
                                     unsigned mem_flags, xen_pfn_t *extent)
{
    int r;

    FAIL(-1);
    fake_domain->nr_exact++;
    r = xc_domain_populate_physmap(xch, domid, nr, order, mem_flags, extent);
    if (r >= 0 && (unsigned long)r == nr)
        return 0;
    errno = ENOMEM;
    return -1;
}

/*
 * As Xen fills the cache: 2 MiB at a time where they are clean (FAKE_ORDER),
 * in the node affinity if there are some; pages in the node affinity.
 */
int xc_domain_set_pod_target(xc_interface *xch, uint32_t domid,
                             uint64_t target_pages, uint64_t *tot_pages,
                             uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
    (void)xch;
    (void)domid;
    (void)tot_pages;
    (void)pod_cache_pages;
    (void)pod_entries;
    FAIL(-1);
    while (fake_domain->pod_pages < target_pages) {
        unsigned order =
            target_pages - fake_domain->pod_pages >= 1ul << 9 ? 9 : 0;
        bool is_done = false;

        for (int i = 0; i < nr_nodes && !is_done; i++)
            is_done = (fake_domain->nodes >> i) & 1 && take_extent(i, order);
        if (!is_done && !take_extent(-1, order))
            return -1;
        fake_domain->pod_pages += 1ul << order;
    }
    return 0;
}

int libxl_domain_sched_params_set(libxl_ctx *ctx, uint32_t domid,
                                  const libxl_domain_sched_params *scinfo)
{
    (void)ctx;
    (void)domid;
    (void)scinfo;
    FAIL(ERROR_FAIL);
    return 0;
}

/* --- xenstore ------------------------------------------------------------- */

bool xs_introduce_domain(struct xs_handle *xs, unsigned domid,
                         unsigned long mfn, unsigned eventchn)
{
    (void)xs;
    (void)domid;
    (void)mfn;
    (void)eventchn;
    FAIL(false);
    return true;
}

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    FAIL(NULL);
    return (struct xs_handle *)host;
}

void xs_close(struct xs_handle *xs)
{
    (void)xs;
}

static char *find_value(const char *path)
{
    for (size_t i = 0; i < host->nr_stored; i++)
        if (!strcmp(host->store[i].path, path))
            return host->store[i].value;
    return NULL;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t transaction,
              const char *path, unsigned *length)
{
    char *value;

    (void)xs;
    (void)transaction;
    *length = 0;
    FAIL(NULL);
    lock_host();
    value = find_value(path);
    value = value ? strdup(value) : NULL;
    unlock_host();
    if (value)
        *length = (unsigned)strlen(value);
    else
        errno = ENOENT;
    return value;
}

/* Of these names one is here already. */
static bool has_name(char *const names[], unsigned nr, const char *name)
{
    while (nr && strcmp(names[nr - 1], name))
        nr--;
    return nr;
}

/* In one piece of memory, as libxenstore has it. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t transaction,
                    const char *path, unsigned *nr)
{
    enum { NAMES = 64, SIZE = 32 };
    size_t length = strlen(path);
    char **names;

    (void)xs;
    (void)transaction;
    *nr = 0;
    FAIL(NULL);
    names = calloc(1, NAMES * (sizeof(*names) + SIZE));
    lock_host();
    for (size_t i = 0; i < host->nr_stored && *nr < NAMES; i++) {
        const char *stored = host->store[i].path;
        char *name = (char *)(names + NAMES) + (size_t)*nr * SIZE;

        if (strncmp(stored, path, length) || stored[length] != '/')
            continue;
        stored += length + 1;
        snprintf(name, SIZE, "%.*s", (int)strcspn(stored, "/"), stored);
        if (!has_name(names, *nr, name))
            names[(*nr)++] = name;
    }
    unlock_host();
    return names;
}

xs_transaction_t xs_transaction_start(struct xs_handle *xs)
{
    (void)xs;
    FAIL(0);
    return 1;
}

bool xs_transaction_end(struct xs_handle *xs, xs_transaction_t t, bool abort)
{
    (void)xs;
    (void)t;
    (void)abort;
    FAIL(false);
    return true;
}

bool xs_write(struct xs_handle *xs, xs_transaction_t transaction,
              const char *path, const void *data, unsigned length)
{
    char *value;

    (void)xs;
    (void)transaction;
    FAIL(false);
    lock_host();
    value = find_value(path);
    if (!value) {
        snprintf(host->store[host->nr_stored].path, sizeof(host->store[0].path),
                 "%s", path);
        value = host->store[host->nr_stored++].value;
    }
    snprintf(value, sizeof(host->store[0].value), "%.*s", (int)length,
             (const char *)data);
    unlock_host();
    return true;
}

/* A path and all below it. */
bool xs_rm(struct xs_handle *xs, xs_transaction_t transaction, const char *path)
{
    size_t nr = 0;

    (void)xs;
    (void)transaction;
    FAIL(false);
    lock_host();
    for (size_t i = 0; i < host->nr_stored; i++)
        if (strncmp(host->store[i].path, path, strlen(path)))
            host->store[nr++] = host->store[i];
    host->nr_stored = nr;
    unlock_host();
    return true;
}

/* The lines of a report as if each were a key of its own. */
static void print_report(const char *path, char *text)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        printf("%s/%.*s = %s\n", path, (int)strcspn(line, "="), line,
               strchr(line, '=') + 1);
}

void fake_print_store(void)
{
    for (size_t i = 0; i < host->nr_stored; i++)
        if (strchr(host->store[i].value, '\n'))
            print_report(host->store[i].path, host->store[i].value);
        else
            printf("%s = %s\n", host->store[i].path, host->store[i].value);
    host->nr_stored = 0;
}

/* --- the build, in libxl's order ------------------------------------------ */

/* libxl's own placement: the first nodes that are large enough, any two. */
static void stock_placement(libxl_ctx *ctx, libxl_domain_config *config)
{
    fake_domain->is_stock_placed = true;
    libxl_defbool_set(&config->b_info.numa_placement, false);
    libxl_node_bitmap_alloc(ctx, &config->b_info.nodemap, 0);
    libxl_bitmap_set_any(&config->b_info.nodemap);
}

/* As libxenguest does: the largest extents first, less when there are none. */
static int populate_all(unsigned long pages, bool is_pv, unsigned mem_flags)
{
    unsigned long at = 0;
    xen_pfn_t *extent = calloc(pages, sizeof(*extent));
    int r = 0;

    for (unsigned long i = 0; i < pages; i++)
        extent[i] = i;
    while (at < pages && !r) {
        unsigned order = is_pv || pages - at < 1ul << 18 ? 9 : 18;
        int done = 0;

        for (; order && done <= 0 && pages - at >= 1ul << order; order -= 9)
            done = xc_domain_populate_physmap(NULL, fake_domain->domid, 1,
                                              order, mem_flags, extent + at);
        if (done > 0) {
            at += 1ul << (order + 9);
            continue;
        }
        done = pages - at < 512 ? (int)(pages - at) : 512;
        r = xc_domain_populate_physmap_exact(NULL, fake_domain->domid,
                                             (unsigned long)done, 0, mem_flags,
                                             extent + at);
        for (int i = 0; i < done && !r; i++)
            if (!(extent[at + (unsigned)i] & FAKE_DONE))
                abort(); /* reported done, but not done */
        at += (unsigned long)done;
    }
    free(extent);
    return r;
}

/* --- ACPI tables ---------------------------------------------------------- */

#define TABLES_AT 0xfc001000u
#define PAGE 4096

static void put_table(uint8_t *to, const char *signature, uint32_t length)
{
    uint8_t sum = 0;

    memcpy(to, signature, 4);
    memcpy(to + 4, &length, 4);
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + to[i]);
    to[9] = (uint8_t)-sum;
}

/* As libxl's: MADT and XSDT in a page, the RSDP behind. */
static void make_tables(struct xc_dom_image *dom, unsigned nr_vcpus)
{
    uint8_t *page = fake_domain->tables, *rsdp = fake_domain->rsdp;
    const uint64_t madt_at = TABLES_AT + 0x100, xsdt_at = TABLES_AT + 0x800;

    memset(page, 0, PAGE);
    for (unsigned v = 0; v < nr_vcpus; v++)
        memcpy(page + 0x100 + 44 + 8 * v,
               (uint8_t[]){ 0, 8, (uint8_t)v, (uint8_t)(2 * v), 1 }, 5);
    put_table(page + 0x100, "APIC", 44 + 8 * nr_vcpus);
    memcpy(page + 0x800 + 36, &madt_at, 8);
    put_table(page + 0x800, is_set("FAKE_TABLES", "other") ? "RSDT" : "XSDT",
              44);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 24, &xsdt_at, 8);
    dom->acpi_modules[0].data = rsdp;
    dom->acpi_modules[0].length = sizeof(fake_domain->rsdp);
    dom->acpi_modules[0].guest_addr_out = TABLES_AT + PAGE;
    dom->acpi_modules[1].data = fake_domain->info;
    dom->acpi_modules[1].length = PAGE;
    dom->acpi_modules[1].guest_addr_out = TABLES_AT - PAGE;
    dom->acpi_modules[2].data = page;
    dom->acpi_modules[2].length = PAGE;
    dom->acpi_modules[2].guest_addr_out = TABLES_AT;
}

static uint64_t get(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, from, size);
    return value;
}

static void note_table(const uint8_t *table)
{
    char *name = fake_domain->acpi[fake_domain->nr_acpi++];
    uint8_t sum = 0;

    for (uint32_t i = 0; i < get(table + 4, 4); i++)
        sum = (uint8_t)(sum + table[i]);
    memcpy(name, sum ? "bad!" : (const char *)table, 4);
}

/* What the guest finds there. */
static void read_tables(const struct xc_dom_image *dom)
{
    const uint8_t *bytes = dom->acpi_modules[2].data;
    const uint8_t *rsdp = dom->acpi_modules[0].data, *xsdt;

    xsdt = bytes + get(rsdp + 24, 8) - TABLES_AT;
    note_table(xsdt);
    for (uint64_t at = 36; at < get(xsdt + 4, 4); at += 8)
        note_table(bytes + get(xsdt + at, 8) - TABLES_AT);
}

/* Memory, here without what is behind the hole, and the areas for ACPI. */
static int set_memory_map(struct xc_dom_image *dom)
{
    struct e820entry map[6] = { { 0, 0xf0000000, 1 } };
    uint32_t nr = 1;

    for (unsigned i = 0; i < 3 && dom->acpi_modules[i].length; i++)
        map[nr++] = (struct e820entry){ dom->acpi_modules[i].guest_addr_out,
                                        dom->acpi_modules[i].length, 3 };
    if (is_set("FAKE_TABLES", "full"))
        map[nr++] = (struct e820entry){ TABLES_AT + 2 * PAGE, PAGE, 2 };
    if (xc_domain_set_memory_map(NULL, fake_domain->domid, map, nr))
        return -1;
    for (uint32_t i = 0; i < nr; i++)
        if (map[i].addr == TABLES_AT) {
            fake_domain->acpi_at[0] = map[i].addr;
            fake_domain->acpi_at[1] = map[i].addr + map[i].size;
        }
    return 0;
}

int xc_dom_parse_image(struct xc_dom_image *dom)
{
    (void)dom;
    FAIL(-1);
    return 0;
}

int xc_domain_set_memory_map(xc_interface *xch, uint32_t domid,
                             struct e820entry entries[], uint32_t nr)
{
    (void)xch;
    (void)domid;
    (void)entries;
    (void)nr;
    FAIL(-1);
    return 0;
}

/* What a guest's image needs before it has memory. */
static int parse_image(struct xc_dom_image *dom,
                       const libxl_domain_build_info *info)
{
    static uint8_t firmware[] = "USER";

    dom->guest_domid = fake_domain->domid;
    dom->lowmem_end = info->max_memkb << 10;
    if (is_set("FAKE_LAYOUT", "other")) {
        dom->lowmem_end /= 2;
        dom->highmem_end = ((uint64_t)1 << 32) + dom->lowmem_end;
    }
    if (info->type == LIBXL_DOMAIN_TYPE_HVM) {
        dom->acpi_modules[0].data = firmware;
        dom->acpi_modules[0].length = 4;
    }
    return xc_dom_parse_image(dom);
}

/* Behind its memory; the last of it. */
static int finish_image(struct xc_dom_image *dom,
                        const libxl_domain_build_info *info)
{
    if (info->type == LIBXL_DOMAIN_TYPE_HVM) {
        fake_domain->nr_firmware = dom->acpi_modules[0].length;
        memcpy(fake_domain->firmware, dom->acpi_modules[0].data, 4);
        return set_memory_map(dom);
    }
    if (is_set("FAKE_TABLES", "none"))
        return set_memory_map(dom);
    make_tables(dom, (unsigned)info->max_vcpus);
    if (set_memory_map(dom))
        return -1;
    if (!is_set("FAKE_TABLES", "other"))
        read_tables(dom);
    return 0;
}

int fake_destroy(unsigned domid)
{
    struct fake_domain *domain = &host->domain[domid - 1];

    if (!domid || domid > host->nr_domains || !domain->is_there)
        return 1;
    lock_host();
    for (int i = 0; i < nr_nodes; i++) {
        host->free_pages[i] += domain->pages[i];
        host->low_pages[i] += domain->low_pages[i];
    }
    domain->is_there = false;
    unlock_host();
    return 0;
}

struct fake_domain *fake_last_domain(void)
{
    return &host->domain[host->nr_domains - 1];
}

/* A number that none had; with FAKE_REUSE that of the first that is gone. */
static unsigned new_number(void)
{
    if (getenv("FAKE_REUSE"))
        for (unsigned i = 0; i < host->nr_domains; i++)
            if (!host->domain[i].is_there)
                return i + 1;
    if (host->nr_domains == NR_DOMAINS)
        abort();
    return ++host->nr_domains;
}

/* The domain before, of this thread's, is gone, its memory free again. */
static uint32_t new_domain(const libxl_uuid *uuid)
{
    unsigned number;

    if (fake_domain)
        fake_destroy(fake_domain->domid);
    lock_host();
    number = new_number();
    fake_domain = &host->domain[number - 1];
    memset(fake_domain, 0, sizeof(*fake_domain));
    fake_domain->domid = number;
    fake_domain->uuid = *uuid;
    fake_domain->is_there = true;
    for (int vcpu = 0; vcpu < FAKE_VCPUS; vcpu++)
        fake_domain->hard_cpus[vcpu] = 0xff;
    unlock_host();
    return fake_domain->domid;
}

int xc_domain_create(xc_interface *xch, uint32_t *pdomid,
                     struct xen_domctl_createdomain *config)
{
    libxl_uuid uuid;

    (void)xch;
    FAIL(-1);
    memcpy(&uuid, config->handle, sizeof(uuid));
    *pdomid = new_domain(&uuid);
    return 0;
}

/* --- restore -------------------------------------------------------------- */

enum { BATCH = 1024, PAGES_2M = 512 };

/* A page of the saved guest is there but for VGA's and those given back. */
static bool is_saved(unsigned long page)
{
    unsigned long nth = list_item("FAKE_BALLOON", 0, 0);

    return (fake_domain->is_pv || page < 0xa0 || page >= 0xc0) &&
           !(nth && page % nth == 0);
}

/* Is it there; and does a PV guest's caller know where? */
static void check_page(unsigned long page, xen_pfn_t extent)
{
    if (!populated[page] || (fake_domain->is_pv && !(extent & FAKE_DONE)))
        abort();
}

/* As from 4.21 on. If there is none the caller asks for pages. */
static bool restore_superpage(xc_interface *xch, uint32_t dom,
                              unsigned long page)
{
    xen_pfn_t extent = page;

    if (xc_domain_populate_physmap_exact(xch, dom, 1, 9, 0, &extent))
        return false;
    check_page(page + PAGES_2M - 1, extent);
    return true;
}

/* The pages of a batch that the image has. */
static int restore_batch(xc_interface *xch, uint32_t dom, unsigned long first,
                         unsigned long *left)
{
    bool by_2m = getenv("FAKE_RESTORE") != NULL;
    xen_pfn_t extent[BATCH], page[BATCH];
    unsigned long nr = 0, run = 0;

    for (unsigned long i = first; i < first + BATCH && *left; i++) {
        if (!is_saved(i)) {
            run = 0;
            continue;
        }
        (*left)--;
        page[nr] = extent[nr] = i;
        nr++;
        run++;
        if (by_2m && run >= PAGES_2M && i % PAGES_2M == PAGES_2M - 1 &&
            restore_superpage(xch, dom, i + 1 - PAGES_2M)) {
            nr -= PAGES_2M;
            run = 0;
        }
    }
    if (nr && xc_domain_populate_physmap_exact(xch, dom, nr, 0, 0, extent))
        return -1;
    for (unsigned long i = 0; i < nr; i++)
        check_page(page[i], extent[i]);
    return 0;
}

/* As libxl-save-helper restores: the image's pages in their order. */
int xc_domain_restore(xc_interface *xch, int io_fd, uint32_t dom,
                      unsigned store_evtchn, unsigned long *store_mfn,
                      uint32_t store_domid, unsigned console_evtchn,
                      unsigned long *console_mfn, uint32_t console_domid,
                      xc_stream_type_t stream_type,
                      struct restore_callbacks *callbacks,
                      int send_back_fd XC_RESTORE_PARAMETER)
{
    unsigned long left = fake_domain->restored_pages;
    int r = 0;

    (void)io_fd;
    (void)store_evtchn;
    (void)store_mfn;
    (void)store_domid;
    (void)console_evtchn;
    (void)console_mfn;
    (void)console_domid;
    (void)stream_type;
    (void)callbacks;
    (void)send_back_fd;
#if XC_RESTORE_HAS_MEMFLAGS
    if (memflags != FAKE_MEMFLAGS)
        abort();
#endif
    populated = calloc(2 * left + BATCH, sizeof(*populated));
    for (unsigned long first = 0; left && !r; first += BATCH)
        r = restore_batch(xch, dom, first, &left);
    free(populated);
    populated = NULL;
    return r;
}

/* Start PROGRAM ARG... as libxl does; 0 when it ended well, or there is none. */
static int run(const char *program, const char *arg, const char *more)
{
    char *argv[] = { (char *)program, (char *)arg, (char *)more, NULL };
    int status = 0;
    pid_t pid;

    if (!program)
        return 0;
    pid = fork();
    if (!pid) {
        execvp(program, argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static int run_helper(void)
{
    const char *program = getenv("LIBXL_SAVE_HELPER"); /* libxl's own */

    return run(program ? program : getenv("FAKE_HELPER"), "-H", NULL);
}

static int run_device_model(uint32_t domid)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", domid);
    return run(getenv("FAKE_DEVICE_MODEL"), "-xen-domid", number);
}

/* The console is started by execl(); by its address gcov does not replace it. */
static void run_console(void)
{
    int (*volatile start)(const char *, const char *, ...) = execl;
    const char *program = getenv("FAKE_CONSOLE");
    pid_t pid;

    if (!program || (pid = fork()) < 0)
        return;
    if (!pid) {
        start(program, program, "7", "--num", "0", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

/* Up to the memory, which a restored domain gets from another process. */
static int build(libxl_ctx *ctx, libxl_domain_config *config, uint32_t *domid,
                 bool is_restored)
{
    libxl_domain_build_info *info = &config->b_info;
    struct xen_domctl_createdomain create = { .flags = 0 };
    bool has_image = !is_restored && info->type != LIBXL_DOMAIN_TYPE_PV;
    struct xc_dom_image dom = { .lowmem_end = 0 };

    libxl_defbool_setdefault(&info->numa_placement, true);
    memcpy(&create.handle, &config->c_info.uuid, sizeof(create.handle));
    if (xc_domain_create(NULL, domid, &create))
        return ERROR_FAIL;
    fake_domain->restored_pages = info->target_memkb / 4;
    fake_domain->is_pv = info->type == LIBXL_DOMAIN_TYPE_PV;
    if (xc_domain_max_vcpus(NULL, *domid, (unsigned)info->max_vcpus))
        return ERROR_FAIL;
    if (libxl_defbool_val(info->numa_placement) &&
        !info->num_vcpu_soft_affinity && !info->nodemap.size)
        stock_placement(ctx, config);
    for (int vcpu = 0; vcpu < info->num_vcpu_hard_affinity; vcpu++)
        if (libxl_set_vcpuaffinity(ctx, *domid, (uint32_t)vcpu,
                                   &info->vcpu_hard_affinity[vcpu], NULL))
            return ERROR_FAIL;
    if (xc_domain_setmaxmem(NULL, *domid, info->target_memkb))
        return ERROR_FAIL;
    if (is_restored && run_helper())
        return ERROR_FAIL;
    if (has_image && parse_image(&dom, info))
        return ERROR_FAIL;
    if (!is_restored && info->max_memkb > info->target_memkb &&
        xc_domain_set_pod_target(NULL, *domid, info->target_memkb / 4, NULL,
                                 NULL, NULL))
        return ERROR_FAIL;
    if (!is_restored &&
        populate_all(info->max_memkb / 4, info->type == LIBXL_DOMAIN_TYPE_PV,
                     info->max_memkb > info->target_memkb
                         ? XENMEMF_populate_on_demand
                         : 0))
        return ERROR_FAIL;
    if (has_image && finish_image(&dom, info))
        return ERROR_FAIL;
    if (libxl_domain_sched_params_set(ctx, *domid, &info->sched_params) ||
        !xs_introduce_domain(NULL, *domid, 0, 0) || run_device_model(*domid))
        return ERROR_FAIL;
    run_console();
    return 0;
}

/*
 * The stub domain of a guest that wants one: a domain of its own, from what
 * nobody else sees; its name is all that xenstore has of it by now.
 */
static int build_stubdom(libxl_ctx *ctx, const libxl_domain_config *guest)
{
    libxl_domain_config config;
    uint32_t domid;
    int rc;

    if (!libxl_defbool_val(guest->b_info.device_model_stubdomain))
        return 0;
    libxl_domain_config_init(&config);
    libxl_uuid_generate(&config.c_info.uuid);
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_PV);
    config.b_info.max_vcpus = 1;
    config.b_info.max_memkb = config.b_info.target_memkb =
        guest->b_info.stubdomain_memkb;
    snprintf(host->store[host->nr_stored].path, sizeof(host->store[0].path),
             "/local/domain/%u/name", fake_domain->domid + 1);
    snprintf(host->store[host->nr_stored++].value, sizeof(host->store[0].value),
             "%s-dm", guest->c_info.name);
    fake_domain = NULL; /* it lives on */
    rc = build(ctx, &config, &domid, false);
    libxl_domain_config_dispose(&config);
    return rc;
}

/* Of a configuration, what is kept with the guest. */
static void copy_kept(libxl_domain_config *to, const libxl_domain_config *from)
{
    char *const *entry = from->c_info.platformdata;
    size_t nr = 0;

    libxl_domain_config_init(to);
    while (entry && entry[nr])
        nr += 2;
    to->c_info.uuid = from->c_info.uuid;
    to->c_info.platformdata = calloc(nr + 1, sizeof(*entry));
    for (size_t i = 0; i < nr; i++)
        to->c_info.platformdata[i] = entry[i] ? strdup(entry[i]) : NULL;
}

char *libxl_domain_config_to_json(libxl_ctx *ctx, libxl_domain_config *config)
{
    (void)ctx;
    (void)config;
    FAIL(NULL);
    return strdup("{}");
}

/*
 * libxl stores the configuration as it was when the call began, with the domain's
 * uuid: what of it is kept with the guest is noted.
 */
static void store_config(libxl_ctx *ctx, libxl_domain_config *saved)
{
    char **entry, *json = libxl_domain_config_to_json(ctx, saved);
    size_t used = 0;

    free(json);
    fake_domain->kept[0] = '\0';
    for (entry = saved->c_info.platformdata; entry && *entry; entry += 2)
        used += (size_t)snprintf(fake_domain->kept + used,
                                 sizeof(fake_domain->kept) - used,
                                 "kept %s = %s\n", entry[0], entry[1]);
}

/*
 * As libxl ends: a domain whose build failed is gone; who builds asynchronously is
 * called back, and that is all that says how it went.
 */
static int complete(libxl_ctx *ctx, int rc, const libxl_asyncop_how *ao_how,
                    libxl_domain_config *saved)
{
    if (rc && fake_domain)
        fake_destroy(fake_domain->domid);
    if (!rc)
        store_config(ctx, saved);
    libxl_domain_config_dispose(saved);
    if (!ao_how)
        return rc;
    ao_how->callback(ctx, rc, ao_how->u.for_callback);
    return 0;
}

int libxl_domain_create_new(libxl_ctx *ctx, libxl_domain_config *config,
                            uint32_t *domid, const libxl_asyncop_how *ao_how,
                            const libxl_asyncprogress_how *console_how)
{
    libxl_domain_config saved;
    int rc;

    (void)console_how;
    copy_kept(&saved, config);
    rc = build(ctx, config, domid, false);
    return complete(ctx, rc ? rc : build_stubdom(ctx, config), ao_how, &saved);
}

/* The domain keeps its memory; its folder in xenstore and libxl's placement... */
int libxl_domain_soft_reset(libxl_ctx *ctx, libxl_domain_config *config,
                            uint32_t domid, const libxl_asyncop_how *ao_how,
                            const libxl_asyncprogress_how *console_how)
{
    libxl_domain_build_info *info = &config->b_info;
    libxl_domain_config saved;
    char path[64];
    int rc;

    (void)console_how;
    FAIL(ERROR_FAIL);
    copy_kept(&saved, config);
    snprintf(path, sizeof(path), "/libxl/%u/", domid);
    xs_rm(NULL, XBT_NULL, path);
    if (xc_domain_max_vcpus(NULL, domid, (unsigned)info->max_vcpus))
        return complete(ctx, ERROR_FAIL, ao_how, &saved);
    if (libxl_defbool_val(info->numa_placement)) {
        stock_placement(ctx, config);
        fake_domain->nodes = 0x1; /* ...are those of a new one */
        fake_domain->soft_cpus = 0x3;
        for (int i = 0; i < info->max_vcpus; i++)
            fake_domain->vcpu_soft[i] = 0x3;
    }
    rc = xc_domain_setmaxmem(NULL, domid, info->target_memkb) ||
                 !xs_introduce_domain(NULL, domid, 0, 0)
             ? ERROR_FAIL
             : 0;
    return complete(ctx, rc, ao_how, &saved);
}

int libxl_domain_create_restore(libxl_ctx *ctx, libxl_domain_config *config,
                                uint32_t *domid, int fd, int send_back_fd,
                                const libxl_domain_restore_params *params,
                                const libxl_asyncop_how *ao_how,
                                const libxl_asyncprogress_how *console_how)
{
    libxl_domain_config saved;

    (void)fd;
    (void)send_back_fd;
    (void)params;
    (void)console_how;
    copy_kept(&saved, config);
    return complete(ctx, build(ctx, config, domid, true), ao_how, &saved);
}
