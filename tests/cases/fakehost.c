/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A running Xen for tests/cases: preloaded into xl numa-placement, it answers the
 * calls to libxl, libxc and xenstore with the host and the guests of a snapshot.
 *
 *   FAKE_HOST=FILE           the snapshot
 *   FAKE_USED_GIB=200        memory in use, whatever the snapshot says
 *   FAKE_MOVED=ID,FROM,TO,N  N pages of guest ID are elsewhere than reported
 *   FAKE_MORE=ID,NODE,N      N pages of guest ID are on a node beside these
 *   FAKE_ASIDE=ID,N          N pages of guest ID are on no node
 *   FAKE_HAS=ID,KIB          guest ID has so much memory now
 *   FAKE_UUIDS=1             the bytes of a guest's uuid are its id
 *   FAKE_VIDEO=ID,KIB        so much video memory of guest ID's, it is noted
 *   FAKE_GONE=ID             guest ID is listed, and is gone when it is looked at
 *   FAKE_XEN=4,20            the version of the hypervisor; 4,17 if not given
 *   FAKE_SEES=WHAT           a guest's ACPI tables have other nodes than reported:
 *                            "vCPUs", "memory", "distances" or "number"
 *   FAKE_BROKEN=TABLE        and this table of them has a byte that is wrong
 *   FAKE_MISSING=TABLE       this one is not there
 *   FAKE_BIOS=1              they are where hvmloader puts them
 *   FAKE_RING=BYTES          size of the console ring; 16384 if not given
 *   FAKE_REPORT=1            reports are of version 1; 2 if not given
 *   FAKE_POOL=NAME:CPUS      another cpupool has these
 *   FAKE_LOOSE=CPUS          these are in no cpupool
 *   FAKE_CPU=N               only for this CPU fails what moves CPUs
 *   FAKE_PINNED=ID,CPU       vCPU 0 of guest ID, outside the pool of dedicated CPUs,
 *                            may run on this CPU alone
 *   FAKE_DOM0_PINS=CPU,CPU   vCPU 0, 1... of Domain-0 may run on this CPU alone; it
 *                            has two that may run on all if not given
 *   FAKE_FAIL=FUNCTION       that one fails
 *   FAKE_GROWS=ID,KIB,TO     guest ID takes KIB more each time that somebody looks at
 *                            its size, up to TO, as Xen would give it
 *   FAKE_CONFIG=ID,WORD      guest ID's configuration or state has WORD: "pv", "pci",
 *                            "nomigrate", "vifname", "vnc", "spice", "pod", "ballooned",
 *                            "stubdom", "vnuma", "strict", "dedicated", "off", "left",
 *                            "paused", "dying" or "libvirt"
 *   FAKE_XL_FREE=KIB         so much is free by xl's count, and xl takes from Domain-0
 *   FAKE_STATE=FILE          where the node affinity of that guest and the note about
 *                            its growth are: FILE.nodes, FILE.note; FILE.log has
 *                            each affinity that is set, and what the guest took
 *   FAKE_LOOK_MS=N           so long are the pauses between looks; 2 if not given
 *
 * vCPU 0 of a guest runs on a CPU of its nodes, vCPU 1 on one of another node,
 * vCPU 2 on both in turns, each 10 ms between two looks; vCPU 3 is idle, the rest
 * is offline. Domain-0 has two vCPUs and 1 GiB on the first node, or FAKE_DOM0_MIB. What
 * is written of it to xenstore is in FAKE_STATE.dom0.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libxl_utils.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenstore.h>

#include "formats/snapshot.h"
#include "vnodes/vnodes.h"

static struct xlnuma_host *host;
static struct xlnuma__guests guests;
static struct xlnuma__guest dom0 = { .name = "Domain-0",
                                     .memory_kb = 1024 * 1024,
                                     .nr_vcpus = 2 };

static int numbers(const char *name, unsigned long number[], int most);

__attribute__((constructor)) static void load(void)
{
    const char *path = getenv("FAKE_HOST");
    char message[XLNUMA_MESSAGE_SIZE];
    unsigned long mib;

    host = xlnuma_host_new();
    if (!path || !host || xlnuma__snapshot_load(host, &guests, path, message)) {
        fprintf(stderr, "fakehost: %s\n", path ? message : "no FAKE_HOST");
        exit(99);
    }
    dom0.affinity = host->nodes;
    if (numbers("FAKE_DOM0_MIB", &mib, 1))
        dom0.memory_kb = mib * 1024;
}

static void log_taken(void);

__attribute__((destructor)) static void unload(void)
{
    log_taken();
    xlnuma__guests_dispose(&guests);
    xlnuma_host_free(host);
}

static bool fails(const char *function)
{
    const char *wish = getenv("FAKE_FAIL");

    errno = EPERM;
    return wish && !strcmp(wish, function);
}

static const struct xlnuma__guest *find(uint32_t domid)
{
    if (!domid)
        return &dom0;
    for (unsigned i = 0; i < guests.nr; i++)
        if (guests.guest[i].domid == domid)
            return &guests.guest[i];
    return NULL;
}

/* The numbers of a variable, "1,2,3"; returns how many there are. */
static int numbers(const char *name, unsigned long number[], int most)
{
    const char *text = getenv(name);
    char *end;
    int nr = 0;

    while (text && nr < most) {
        number[nr++] = strtoul(text, &end, 10);
        text = *end ? end + 1 : NULL;
    }
    return nr;
}

/* --- what outlives a process ---------------------------------------------- */

static const char *state_path(const char *what, char path[4096])
{
    const char *state = getenv("FAKE_STATE");

    snprintf(path, 4096, "%s.%s", state ? state : "/nowhere", what);
    return path;
}

static void put_state(const char *what, const char *mode, const char *text)
{
    char path[4096];
    FILE *file = fopen(state_path(what, path), mode);

    if (!file)
        abort();
    fprintf(file, "%s\n", text);
    fclose(file);
}

/* "" when there is none. */
static void get_state(const char *what, char *text, size_t size)
{
    char path[4096];
    FILE *file = fopen(state_path(what, path), "r");
    size_t length = file ? fread(text, 1, size - 1, file) : 0;

    text[length ? length - 1 : 0] = '\0'; /* without the last newline */
    if (file)
        fclose(file);
}

/* A guest's, as it is now. */
static xlnuma_nodeset affinity(const struct xlnuma__guest *guest)
{
    char text[256], message[XLNUMA_MESSAGE_SIZE];
    xlnuma_nodeset nodes;

    get_state("nodes", text, sizeof(text));
    return *text && !xlnuma_nodeset_parse(text, &nodes, message)
               ? nodes
               : guest->affinity;
}

/* --- libxl ---------------------------------------------------------------- */

int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                    xentoollog_logger *lg)
{
    (void)version;
    (void)flags;
    (void)lg;
    *pctx = (libxl_ctx *)host;
    return fails(__func__) ? ERROR_FAIL : 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    (void)ctx;
    return 0;
}

libxl_numainfo *libxl_get_numainfo(libxl_ctx *ctx, int *nr)
{
    libxl_numainfo *info;

    (void)ctx;
    *nr = XLNUMA_NODES_MAX - __builtin_clzll(host->nodes);
    info = calloc((size_t)*nr, sizeof(*info));
    for (int i = 0; i < *nr; i++) {
        if (!xlnuma_nodeset_has(host->nodes, (unsigned)i)) {
            info[i].size = LIBXL_NUMAINFO_INVALID_ENTRY;
            continue;
        }
        info[i].size = host->node[i].size_kb << 10;
        info[i].free = host->node[i].free_kb << 10;
        info[i].num_dists = *nr;
        info[i].dists = calloc((size_t)*nr, sizeof(*info[i].dists));
        for (int j = 0; j < *nr; j++)
            info[i].dists[j] = host->distance[i][j];
    }
    return info;
}

/* The node that a CPU is on, -1 when it is on none. */
static int node_of(unsigned cpu)
{
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        if (xlnuma_cpuset_has(&host->node[node].cpus, cpu))
            return (int)node;
    return -1;
}

static int nr_cpus(void)
{
    int nr = 0;

    for (int cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
        if (node_of((unsigned)cpu) >= 0)
            nr = cpu + 1;
    return nr;
}

libxl_cputopology *libxl_get_cpu_topology(libxl_ctx *ctx, int *nr)
{
    libxl_cputopology *cpu;

    (void)ctx;
    *nr = nr_cpus();
    if (fails(__func__))
        return NULL;
    cpu = calloc((size_t)*nr, sizeof(*cpu));
    for (int i = 0; i < *nr; i++) {
        int node = node_of((unsigned)i);

        cpu[i].node =
            node < 0 ? LIBXL_CPUTOPOLOGY_INVALID_ENTRY : (uint32_t)node;
        cpu[i].socket = node < 0 ? 0 : host->node[node].socket;
        cpu[i].core = (uint32_t)i;
    }
    return cpu;
}

libxl_pcitopology *libxl_get_pci_topology(libxl_ctx *ctx, int *nr)
{
    (void)ctx;
    *nr = 0;
    return NULL;
}

int libxl_get_scheduler(libxl_ctx *ctx)
{
    libxl_scheduler scheduler;

    (void)ctx;
    if (fails(__func__) ||
        libxl_scheduler_from_string(host->scheduler, &scheduler))
        return ERROR_FAIL;
    return (int)scheduler;
}

int libxl_get_physinfo(libxl_ctx *ctx, libxl_physinfo *info)
{
    unsigned long gib;
    unsigned node;

    (void)ctx;
    XLNUMA_FOR_EACH_NODE(node, host->nodes) {
        info->total_pages += host->node[node].size_kb / 4;
        info->free_pages += host->node[node].free_kb / 4;
    }
    if (numbers("FAKE_USED_GIB", &gib, 1))
        info->total_pages = info->free_pages + gib * 262144;
    return fails(__func__) ? ERROR_FAIL : 0;
}

/* The pools: Pool-0, one of the dedicated CPUs, and FAKE_POOL. */
static xlnuma_cpuset pool_cpus[3];
static char pool_name[3][64] = { "Pool-0" };
static unsigned nr_pools;
static xlnuma_cpuset loose;

static void fill_pools(void)
{
    const char *other = getenv("FAKE_POOL");
    char message[XLNUMA_MESSAGE_SIZE];
    unsigned node;

    if (nr_pools)
        return;
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        xlnuma_cpuset_or(&pool_cpus[0], &host->node[node].cpus);
    nr_pools = 1;
    if (xlnuma_cpuset_count(&host->dedicated_cpus)) {
        snprintf(pool_name[nr_pools], 64, "xl-numa-dedicated");
        pool_cpus[nr_pools++] = host->dedicated_cpus;
    }
    if (other) {
        const char *colon = strchr(other, ':');

        snprintf(pool_name[nr_pools], 64, "%.*s", (int)(colon - other), other);
        if (xlnuma_cpuset_parse(colon + 1, &pool_cpus[nr_pools++], message))
            abort();
    }
    for (unsigned i = 1; i < nr_pools; i++)
        xlnuma_cpuset_remove(&pool_cpus[0], &pool_cpus[i]);
}

/* What is done is said at the end, "in" and "out of" pools. */
__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

static void cpus_to_map(const xlnuma_cpuset *cpus, libxl_bitmap *map)
{
    map->size = (uint32_t)(nr_cpus() + 7) / 8;
    map->map = calloc(1, map->size);
    memcpy(map->map, cpus->word, map->size);
}

int libxl_cpupool_info(libxl_ctx *ctx, libxl_cpupoolinfo *info, uint32_t poolid)
{
    (void)ctx;
    fill_pools();
    info->poolid = poolid;
    info->sched = LIBXL_SCHEDULER_CREDIT2;
    cpus_to_map(&pool_cpus[poolid], &info->cpumap);
    return fails(__func__) ? ERROR_FAIL : 0;
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max)
{
    static const xlnuma_cpuset none;

    (void)ctx;
    (void)max;
    cpus_to_map(&none, map);
    return 0;
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *nr)
{
    libxl_cpupoolinfo *pool;

    (void)ctx;
    if (fails(__func__))
        return NULL;
    fill_pools();
    *nr = (int)nr_pools;
    pool = calloc(nr_pools, sizeof(*pool));
    for (unsigned i = 0; i < nr_pools; i++) {
        pool[i].poolid = i;
        pool[i].pool_name = strdup(pool_name[i]);
        cpus_to_map(&pool_cpus[i], &pool[i].cpumap);
    }
    return pool;
}

int libxl_get_freecpus(libxl_ctx *ctx, libxl_bitmap *map)
{
    char message[XLNUMA_MESSAGE_SIZE];

    (void)ctx;
    fill_pools();
    if (getenv("FAKE_LOOSE") &&
        xlnuma_cpuset_parse(getenv("FAKE_LOOSE"), &loose, message))
        abort();
    if (fails(__func__))
        return ERROR_FAIL;
    cpus_to_map(&loose, map);
    return 0;
}

/* FAKE_CPU: the CPU that cannot be moved. */
static bool cpu_fails(const char *function, int cpu)
{
    return fails(function) && cpu == atoi(getenv("FAKE_CPU"));
}

int libxl_cpupool_cpuremove(libxl_ctx *ctx, uint32_t poolid, int cpu)
{
    (void)ctx;
    if (cpu_fails(__func__, cpu))
        return ERROR_FAIL;
    note("fake: CPU %u out of %s\n", (unsigned)cpu, pool_name[poolid]);
    return 0;
}

int libxl_cpupool_cpuadd(libxl_ctx *ctx, uint32_t poolid, int cpu)
{
    (void)ctx;
    if (cpu_fails(__func__, cpu))
        return ERROR_FAIL;
    note("fake: CPU %u into %s\n", (unsigned)cpu, pool_name[poolid]);
    return 0;
}

int libxl_cpupool_create(libxl_ctx *ctx, const char *name,
                         libxl_scheduler sched, libxl_bitmap cpumap,
                         libxl_uuid *uuid, uint32_t *poolid)
{
    (void)ctx;
    (void)sched;
    (void)uuid;
    (void)poolid;
    if (fails(__func__))
        return ERROR_FAIL;
    note("fake: %u CPUs in new pool %s\n",
         (unsigned)libxl_bitmap_count_set(&cpumap), name);
    return 0;
}

int libxl_cpupool_destroy(libxl_ctx *ctx, uint32_t poolid)
{
    (void)ctx;
    if (fails(__func__))
        return ERROR_FAIL;
    note("fake: pool %u, %s, is gone\n", poolid, pool_name[poolid]);
    return 0;
}

const libxl_version_info *libxl_get_version_info(libxl_ctx *ctx)
{
    static char dom0_mem[] = "dom0_mem=1024M", all_dom0s[] = "";
    static libxl_version_info info;
    unsigned long version[2] = { 4, 17 };

    (void)ctx;
    (void)numbers("FAKE_XEN", version, 2);
    info.xen_version_major = (int)version[0];
    info.xen_version_minor = (int)version[1];
    info.commandline = getenv("FAKE_XL_FREE") ? all_dom0s : dom0_mem;
    return fails(__func__) ? NULL : &info;
}

libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nr)
{
    libxl_dominfo *info;
    unsigned long has[2];

    (void)ctx;
    if (fails(__func__))
        return NULL;
    *nr = (int)guests.nr + 1;
    info = calloc((size_t)*nr, sizeof(*info));
    info->current_memkb = dom0.memory_kb;
    info->vcpu_online = dom0.nr_vcpus;
    info->vcpu_max_id = dom0.nr_vcpus - 1;
    for (unsigned i = 0; i < guests.nr; i++) {
        info[i + 1].domid = guests.guest[i].domid;
        if (getenv("FAKE_UUIDS"))
            memset(&info[i + 1].uuid, (int)guests.guest[i].domid,
                   sizeof(info[i + 1].uuid));
        info[i + 1].current_memkb = guests.guest[i].memory_kb;
        info[i + 1].vcpu_online = guests.guest[i].nr_vcpus;
        info[i + 1].vcpu_max_id = guests.guest[i].nr_vcpus - 1;
        info[i + 1].cpupool =
            xlnuma_cpuset_count(&guests.guest[i].pool_cpus) > 0;
        if (numbers("FAKE_HAS", has, 2) == 2 && has[0] == info[i + 1].domid)
            info[i + 1].current_memkb = has[1];
    }
    return info;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    const struct xlnuma__guest *guest = find(domid);

    (void)ctx;
    return guest && *guest->name ? strdup(guest->name) : NULL;
}

int libxl_node_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max)
{
    (void)ctx;
    (void)max;
    map->size = XLNUMA_NODES_MAX / 8;
    map->map = calloc(1, map->size);
    return 0;
}

int libxl_domain_get_nodeaffinity(libxl_ctx *ctx, uint32_t domid,
                                  libxl_bitmap *map)
{
    xlnuma_nodeset nodes = affinity(find(domid));
    unsigned node;

    (void)ctx;
    XLNUMA_FOR_EACH_NODE(node, nodes)
        libxl_bitmap_set(map, (int)node);
    return fails(__func__) ? ERROR_FAIL : 0;
}

int libxl_domain_set_nodeaffinity(libxl_ctx *ctx, uint32_t domid,
                                  libxl_bitmap *map)
{
    xlnuma_nodeset nodes = 0;
    char text[256];
    int i;

    (void)ctx;
    (void)domid;
    if (fails(__func__))
        return ERROR_FAIL;
    libxl_for_each_set_bit(i, *map)
        nodes |= (xlnuma_nodeset)1 << i;
    xlnuma_nodeset_format(nodes, text, sizeof(text));
    put_state("nodes", "w", text);
    put_state("log", "a", text);
    return 0;
}

int libxl_domain_qualifier_to_domid(libxl_ctx *ctx, const char *name,
                                    uint32_t *domid)
{
    (void)ctx;
    for (unsigned i = 0; i < guests.nr; i++)
        if (!strcmp(guests.guest[i].name, name)) {
            *domid = guests.guest[i].domid;
            return 0;
        }
    return ERROR_DOMAIN_NOTFOUND;
}

/* --- a guest that grows --------------------------------------------------- */

static uint64_t taken_kb[XLNUMA_NODES_MAX];
static unsigned last_taken; /* a node, from 1; 0: nothing was taken */

static void log_taken(void)
{
    char text[256] = "took";
    unsigned node;

    if (!last_taken)
        return;
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        snprintf(text + strlen(text), 32, " %llu",
                 (unsigned long long)taken_kb[node] >> 10);
    put_state("log", "a", text);
}

/* From the nodes of its affinity in turns, else from the lowest. */
static void take_mib(const struct xlnuma__guest *guest)
{
    xlnuma_nodeset nodes = affinity(guest), all = host->nodes;

    for (unsigned i = 1; i <= 2 * XLNUMA_NODES_MAX; i++) {
        unsigned node = i <= XLNUMA_NODES_MAX
                            ? (last_taken + i - 1) % XLNUMA_NODES_MAX
                            : i - XLNUMA_NODES_MAX - 1;

        if (!xlnuma_nodeset_has(i <= XLNUMA_NODES_MAX ? nodes : all, node) ||
            host->node[node].free_kb < 1024)
            continue;
        host->node[node].free_kb -= 1024;
        taken_kb[node] += 1024;
        last_taken = node + 1;
        return;
    }
}

/* FAKE_CONFIG has it for this guest. */
static bool has_word(uint32_t domid, const char *word)
{
    const char *text = getenv("FAKE_CONFIG"), *comma;

    return text && (comma = strchr(text, ',')) &&
           strtoul(text, NULL, 10) == domid && !strcmp(comma + 1, word);
}

static bool is_gone(uint32_t domid)
{
    unsigned long gone;

    return numbers("FAKE_GONE", &gone, 1) && gone == domid;
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
    struct xlnuma__guest *guest = (struct xlnuma__guest *)find(domid);
    static unsigned looks;
    unsigned long grows[3];

    (void)ctx;
    if (fails(__func__) || is_gone(domid) || !guest)
        return ERROR_DOMAIN_NOTFOUND;
    if (!info)
        return 0;
    if (looks++ && numbers("FAKE_GROWS", grows, 3) == 3 && grows[0] == domid)
        for (unsigned long kb = 0; kb < grows[1] && guest->memory_kb < grows[2];
             kb += 1024) {
            take_mib(guest);
            guest->memory_kb += 1024;
        }
    info->domid = domid;
    info->current_memkb = guest->memory_kb;
    info->paused = has_word(domid, "paused");
    info->dying = has_word(domid, "dying");
    if (has_word(domid, "ballooned"))
        info->current_memkb -= 20480;
    return 0;
}

static void set_all(libxl_bitmap *map)
{
    map->size = (uint32_t)(nr_cpus() + 7) / 8;
    map->map = malloc(map->size);
    memset(map->map, 0xff, map->size);
}

static void keep_key(libxl_domain_config *config, const char *key,
                     const char *value)
{
    config->c_info.platformdata = calloc(3, sizeof(char *));
    config->c_info.platformdata[0] = strdup(key);
    config->c_info.platformdata[1] = strdup(value);
}

static void set_words(libxl_domain_config *config, uint32_t domid)
{
    libxl_domain_build_info *info = &config->b_info;

    config->num_pcidevs = has_word(domid, "pci");
    config->pcidevs = calloc(1, sizeof(*config->pcidevs));
    config->num_nics = 1;
    config->nics = calloc(1, sizeof(*config->nics));
    if (has_word(domid, "vifname"))
        config->nics->ifname = strdup("vif-db1");
    libxl_defbool_set(&info->disable_migrate, has_word(domid, "nomigrate"));
    libxl_defbool_set(&info->device_model_stubdomain,
                      has_word(domid, "stubdom"));
    if (has_word(domid, "vnc"))
        libxl_defbool_set(&info->u.hvm.vnc.findunused, false);
    libxl_defbool_set(&info->u.hvm.spice.enable, has_word(domid, "spice"));
    info->u.hvm.spice.port = has_word(domid, "spice") ? 6000 : 0;
    info->num_vnuma_nodes = has_word(domid, "vnuma");
    info->vnuma_nodes = calloc(1, sizeof(*info->vnuma_nodes));
    if (has_word(domid, "strict"))
        keep_key(config, "numa_policy", "restricted");
    if (has_word(domid, "left"))
        keep_key(config, "numa_policy", "none");
    if (has_word(domid, "dedicated"))
        keep_key(config, "numa_cpus", "dedicated");
    if (has_word(domid, "off"))
        keep_key(config, "numa_move", "off");
}

int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *config,
                                        const libxl_asyncop_how *how)
{
    const struct xlnuma__guest *guest = find(domid);
    libxl_domain_build_info *info = &config->b_info;

    (void)ctx;
    (void)how;
    if (fails(__func__))
        return ERROR_FAIL;
    config->c_info.name = strdup(guest->name);
    libxl_domain_build_info_init_type(info, has_word(domid, "pv")
                                                ? LIBXL_DOMAIN_TYPE_PV
                                                : LIBXL_DOMAIN_TYPE_HVM);
    info->max_memkb = info->target_memkb = guest->memory_kb;
    info->max_vcpus = (int)guest->nr_vcpus;
    set_all(&info->avail_vcpus);
    if (info->type == LIBXL_DOMAIN_TYPE_HVM)
        set_words(config, domid);
    return 0;
}

int libxl_userdata_retrieve(libxl_ctx *ctx, uint32_t domid, const char *name,
                            uint8_t **data, int *length)
{
    (void)ctx;
    *length = !strcmp(name, "libvirt-xml") && has_word(domid, "libvirt");
    *data = *length ? calloc(1, 1) : NULL;
    return 0;
}

int libxl_get_free_memory(libxl_ctx *ctx, uint64_t *kb)
{
    unsigned long free_kb = 0;

    (void)ctx;
    numbers("FAKE_XL_FREE", &free_kb, 1);
    *kb = free_kb;
    return fails(__func__) ? ERROR_FAIL : 0;
}

int xc_domain_get_pod_target(xc_interface *xch, uint32_t domid, uint64_t *pages,
                             uint64_t *cached, uint64_t *entries)
{
    (void)xch;
    *pages = *cached = 0;
    *entries = has_word(domid, "pod");
    return 0;
}

/* Ten times a second is what the program wants; nobody here has the time. */
int sigtimedwait(const sigset_t *set, siginfo_t *info,
                 const struct timespec *timeout)
{
    int (*real)(const sigset_t *, siginfo_t *, const struct timespec *);
    unsigned long ms = 2;
    struct timespec pause;

    (void)timeout;
    *(void **)&real = dlsym(RTLD_NEXT, "sigtimedwait");
    numbers("FAKE_LOOK_MS", &ms, 1);
    pause = (struct timespec){ .tv_nsec = (long)ms * 1000000 };
    return real(set, info, &pause);
}

bool xs_write(struct xs_handle *xs, xs_transaction_t t, const char *path,
              const void *data, unsigned length)
{
    unsigned domid;
    char key[64];

    (void)xs;
    (void)t;
    (void)length;
    if (fails(__func__) || sscanf(path, "/libxl/%u/%63s", &domid, key) != 2)
        return false;
    if (!domid && !strcmp(key, "numa-placement")) {
        if (getenv("FAKE_STATE"))
            put_state("dom0", "w", data);
    } else if (!strcmp(key, "numa-placement-growth")) {
        put_state("note", "w", data);
    } else {
        return false;
    }
    return true;
}

bool xs_rm(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    char note[4096];

    (void)xs;
    (void)t;
    (void)path;
    return !remove(state_path("note", note));
}

/* A CPU of the guest's nodes, or of another. */
static uint32_t cpu_for(const struct xlnuma__guest *guest, bool is_own)
{
    xlnuma_nodeset nodes =
        guest->report.nodes ? guest->report.nodes : guest->affinity;
    unsigned cpu = 0;

    while (cpu + 1 < (unsigned)nr_cpus() &&
           (node_of(cpu) < 0 ||
            xlnuma_nodeset_has(nodes, (unsigned)node_of(cpu)) != is_own))
        cpu++;
    return cpu;
}

/*
 * An affinity as the snapshot's vCPUs have it, else anywhere; with FAKE_CONFIG the soft
 * one as reported.
 */
static void set_map(libxl_bitmap *map, const struct xlnuma__guest *guest,
                    int vcpu, bool is_hard)
{
    char message[XLNUMA_MESSAGE_SIZE];
    const char *list = NULL;
    xlnuma_cpuset set;

    memset(&set, 0xff, sizeof(set));
    if (!is_hard && getenv("FAKE_CONFIG") && *guest->report.soft_cpus)
        list = guest->report.soft_cpus;
    else if ((unsigned)vcpu < guest->vcpus.nr)
        list = is_hard ? guest->vcpus.vcpu[vcpu].hard
                       : guest->vcpus.vcpu[vcpu].soft;
    if (list && xlnuma_cpuset_parse(list, &set, message))
        abort();
    cpus_to_map(&set, map);
}

/* Domain-0's; a third one is offline. */
static libxl_vcpuinfo *list_dom0(int *nr)
{
    libxl_vcpuinfo *info = calloc(3, sizeof(*info));
    unsigned long cpu[2];
    int nr_pins = numbers("FAKE_DOM0_PINS", cpu, 2);

    *nr = 3;
    for (int i = 0; i < *nr; i++) {
        xlnuma_cpuset one = { { 0 } };

        info[i].vcpuid = (uint32_t)i;
        info[i].online = i < 2;
        set_all(&info[i].cpumap_soft);
        if (i < nr_pins) {
            xlnuma_cpuset_add(&one, (unsigned)cpu[i]);
            cpus_to_map(&one, &info[i].cpumap);
        } else {
            set_all(&info[i].cpumap);
        }
    }
    return info;
}

libxl_vcpuinfo *libxl_list_vcpu(libxl_ctx *ctx, uint32_t domid, int *nr,
                                int *nr_cpus_r)
{
    static unsigned looks;
    const struct xlnuma__guest *guest = find(domid);
    libxl_vcpuinfo *info;

    (void)ctx;
    if (fails(__func__) || is_gone(domid))
        return NULL;
    if (!domid)
        return list_dom0(nr);
    *nr = (int)guest->nr_vcpus;
    *nr_cpus_r = nr_cpus();
    info = calloc((size_t)*nr, sizeof(*info));
    for (int i = 0; i < *nr; i++) {
        info[i].vcpuid = (uint32_t)i;
        set_map(&info[i].cpumap, guest, i, true);
        set_map(&info[i].cpumap_soft, guest, i, false);
        info[i].cpu = cpu_for(guest, i == 2 ? looks % 2 : i != 1);
        info[i].online = i < 4;
        info[i].running = i < 3;
        info[i].blocked = i == 3;
        info[i].vcpu_time = 5000000000 + (i < 3 ? looks * 10000000ull : 0);
    }
    looks++;
    return info;
}

/* --- libxc ---------------------------------------------------------------- */

/* The console ring, and how much was ever written to it. */
static char *ring;
static uint32_t ring_end;

static uint32_t ring_size(void)
{
    unsigned long size = 16384;

    numbers("FAKE_RING", &size, 1);
    return (uint32_t)size;
}

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (!ring)
        ring = calloc(1, ring_size());
    for (const char *c = line; *c; c++)
        ring[ring_end++ % ring_size()] = *c;
}

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)flags;
    return fails(__func__) ? NULL : (xc_interface *)host;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    free(ring);
    ring = NULL;
    return 0;
}

int xc_get_machine_memory_map(xc_interface *xch, struct e820entry entries[],
                              uint32_t max_entries)
{
    (void)xch;
    (void)entries;
    (void)max_entries;
    return -1; /* the snapshot's sizes are no spans */
}

int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
                 uint64_t *bytes)
{
    (void)xch;
    (void)min_width;
    (void)max_width;
    *bytes = host->node[node].low_free_kb << 10;
    return 0;
}

/*
 * As the snapshot's vCPUs have them, else: in the pool those that it says; anywhere.
 * FAKE_PINNED=ID,CPU: a vCPU 0 that is not in the pool.
 */
int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
                        xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags)
{
    const struct xlnuma__guest *guest = find(domid);
    const xlnuma_cpuset *cpus = guest ? &guest->pool_cpus : NULL;
    char message[XLNUMA_MESSAGE_SIZE];
    unsigned long pinned[2];
    xlnuma_cpuset set;

    (void)xch;
    (void)flags;
    if (fails(__func__))
        return -1;
    memset(&set, 0xff, sizeof(set));
    if (soft)
        memcpy(soft, &set, ((size_t)nr_cpus() + 7) / 8);
    if (guest && (unsigned)vcpu < guest->vcpus.nr) {
        if (xlnuma_cpuset_parse(guest->vcpus.vcpu[vcpu].soft, &set, message))
            abort();
        if (soft)
            memcpy(soft, &set, ((size_t)nr_cpus() + 7) / 8);
        if (xlnuma_cpuset_parse(guest->vcpus.vcpu[vcpu].hard, &set, message))
            abort();
    } else if (cpus && xlnuma_cpuset_count(cpus)) {
        set = *cpus;
    } else if (numbers("FAKE_PINNED", pinned, 2) == 2 && pinned[0] == domid) {
        memset(&set, 0, sizeof(set));
        xlnuma_cpuset_add(&set, (unsigned)pinned[1]);
    }
    memcpy(hard, &set, ((size_t)nr_cpus() + 7) / 8);
    return 0;
}

/* Domain-0 and the guests, of which none is a load. */
static int list_domains(unsigned max, xc_domaininfo_t *info)
{
    unsigned nr = 0;

    memset(info, 0, max * sizeof(*info));
    info[nr++].max_vcpu_id = 0;
    for (unsigned i = 0; i < guests.nr && nr < max; i++) {
        const struct xlnuma__guest *guest = &guests.guest[i];

        info[nr].domain = (domid_t)guest->domid;
        info[nr].max_vcpu_id = guest->nr_vcpus - 1;
        info[nr++].cpupool = xlnuma_cpuset_count(&guest->pool_cpus) > 0;
    }
    return (int)nr;
}

/* Domain-0's memory is wanted alone. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    unsigned long mib;

    (void)xch;
    if (!first && max > 1)
        return list_domains(max, info);
    if (first || max != 1 || !numbers("FAKE_DOM0_MIB", &mib, 1))
        return 0;
    memset(info, 0, sizeof(*info));
    info->tot_pages = mib * 256;
    return 1;
}

int xc_readconsolering(xc_interface *xch, char *buffer, unsigned *nr, int clear,
                       int incremental, uint32_t *index)
{
    unsigned done = 0;

    (void)xch;
    if (clear || !incremental)
        abort(); /* nothing asks that */
    if (fails(__func__))
        return -1;
    if (ring_end - *index > ring_size())
        *index = ring_end - ring_size();
    while (*index != ring_end && done < *nr)
        buffer[done++] = ring[(*index)++ % ring_size()];
    *nr = done;
    return 0;
}

static uint64_t pages_of(const struct xlnuma__guest *guest, unsigned node)
{
    uint64_t pages = guest->report.actual_kb[node] / 4;
    unsigned long moved[4], more[3], aside[2];

    if (numbers("FAKE_MOVED", moved, 4) == 4 && moved[0] == guest->domid) {
        if (moved[1] == node)
            pages -= moved[3];
        if (moved[2] == node)
            pages += moved[3];
    }
    if (numbers("FAKE_MORE", more, 3) == 3 && more[0] == guest->domid &&
        more[1] == node)
        pages += more[2];
    if (numbers("FAKE_ASIDE", aside, 2) == 2 && aside[0] == guest->domid)
        return 0;
    return pages;
}

static void dump_guest(const struct xlnuma__guest *guest)
{
    unsigned long aside[2] = { 0, 0 };
    uint64_t total = 0;
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        total += pages_of(guest, node);
    if (numbers("FAKE_ASIDE", aside, 2) == 2 && aside[0] == guest->domid)
        total = aside[1];
    say("(XEN) Domain %u (total: %llu):\n", guest->domid,
        (unsigned long long)total);
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        say("(XEN)     Node %u: %llu\n", node,
            (unsigned long long)pages_of(guest, node));
}

int xc_send_debug_keys(xc_interface *xch, const char *keys)
{
    unsigned long gone;
    unsigned node;

    (void)xch;
    if (strcmp(keys, "u"))
        abort(); /* no other key is ever to be pressed */
    if (fails(__func__))
        return -1;
    if (!numbers("FAKE_GONE", &gone, 1))
        gone = DOMID_SELF;
    say("(XEN) '%s' pressed -> dumping numa info (now = 1)\n", keys);
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        say("(XEN) NODE%u start->0 size->1 free->1\n", node);
    say("(XEN) Memory location of each domain:\n"
        "(XEN) Domain 0 (total: 262144):\n");
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        say("(XEN)     Node %u: %u\n", node,
            node == xlnuma_nodeset_first(host->nodes) ? 262144 : 0);
    for (unsigned i = 0; i < guests.nr; i++)
        if (guests.guest[i].domid != gone)
            dump_guest(&guests.guest[i]);
    return 0;
}

/* --- xenstore: the reports ------------------------------------------------ */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    return fails(__func__) ? NULL : (struct xs_handle *)host;
}

void xs_close(struct xs_handle *xs)
{
    (void)xs;
}

/* docs/xenstore.md: a line for each key; of version 1 it is a key of xenstore. */
static char *report_text(const struct xlnuma__report *report)
{
    char *text = NULL, nodes[256];
    size_t length;
    FILE *file = open_memstream(&text, &length);

    xlnuma_nodeset_format(report->nodes, nodes, sizeof(nodes));
    fprintf(file, "version=%s\npolicy=%s\nmemory=%s\nstatus=%s\nreason=%s\n",
            getenv("FAKE_REPORT") ? "1" : "2", report->policy, report->memory,
            report->status, report->reason);
    fprintf(file, "nodes=%s\nsoft_cpus=%s\n", nodes, report->soft_cpus);
    if (*report->hard_cpus)
        fprintf(file, "hard_cpus=%s\n", report->hard_cpus);
    if (*report->cpus)
        fprintf(file, "cpus=%s\n", report->cpus);
    fprintf(file, "expected_distance=%.2f\n", report->expected_distance);
    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++) {
        if (report->planned_kb[i])
            fprintf(file, "node/%u/planned_kb=%llu\n", i,
                    (unsigned long long)report->planned_kb[i]);
        if (report->has_actual && report->actual_kb[i])
            fprintf(file, "node/%u/actual_kb=%llu\n", i,
                    (unsigned long long)report->actual_kb[i]);
    }
    if (report->nr_vnodes)
        fprintf(file, "guest_nodes=%u\n", report->nr_vnodes);
    for (unsigned n = 0; n < report->nr_vnodes; n++) {
        const struct xlnuma__vnode_report *vnode = &report->vnode[n];

        fprintf(file,
                "vnode/%u/node=%u\nvnode/%u/vcpus=%s\nvnode/%u/ranges=%s\n"
                "vnode/%u/distances=%s\n",
                n, vnode->node, n, vnode->text.vcpus, n, vnode->text.ranges, n,
                vnode->text.distances);
    }
    for (unsigned i = 0; i < XLNUMA__ORDERS; i++)
        if (report->nr_extents[i])
            fprintf(file, "extents/%u=%llu\n", i,
                    (unsigned long long)report->nr_extents[i]);
    fclose(file);
    return text;
}

/* A guest's report by a path; NULL: there is none. *key_r is what is below it. */
static char *find_report(const char *path, const char **key_r)
{
    static const char folder[] = "/numa-placement";
    const char *at = strstr(path, folder);
    unsigned domid;

    if (!at || sscanf(path, "/libxl/%u/", &domid) != 1 ||
        !find(domid)->has_report)
        return NULL;
    at += strlen(folder);
    if (*at && *at != '/')
        return NULL; /* another key */
    *key_r = *at ? at + 1 : at;
    return report_text(&find(domid)->report);
}

/* Of version 1: the value of a key; "" for a folder; NULL for nothing. */
static char *read_key(const char *text, const char *key)
{
    size_t length = strlen(key);
    bool is_folder = !length;

    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, key, length))
            continue;
        if (line[length] == '=')
            return strndup(line + length + 1, strcspn(line + length + 1, "\n"));
        is_folder |= line[length] == '/';
    }
    return is_folder ? strdup("") : NULL;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned *length)
{
    const char *key;
    char *value, what[64];
    unsigned long video[2];
    unsigned domid;

    (void)xs;
    (void)t;
    if (fails("xs_read"))
        return NULL;
    value = find_report(path, &key);
    if (value && (*key || getenv("FAKE_REPORT"))) {
        char *text = value;

        value = read_key(text, key);
        free(text);
    }
    if (sscanf(path, "/libxl/%u/%63s", &domid, what) == 2 &&
        !strcmp(what, domid ? "numa-placement-growth" : "numa-placement")) {
        char note[4096] = "";

        get_state(domid ? "note" : "dom0", note, sizeof(note));
        value = *note ? strdup(note) : NULL;
    }
    if (sscanf(path, "/local/domain/%u/memory/%63s", &domid, what) == 2 &&
        !strcmp(what, "videoram") && numbers("FAKE_VIDEO", video, 2) == 2 &&
        video[0] == domid && asprintf(&value, "%lu", video[1]) < 0)
        abort();
    *length = value ? (unsigned)strlen(value) : 0;
    errno = ENOENT;
    return value;
}

/* Of version 1: the names in a folder, in one block, as xenstore's. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path,
                    unsigned *nr)
{
    enum { NAMES = 256, NAME_SIZE = 32 };
    const char *key;
    char **name = calloc(NAMES, sizeof(*name) + NAME_SIZE);
    char *text = find_report(path, &key);
    size_t length;

    (void)xs;
    (void)t;
    *nr = 0;
    if (!text || !name)
        abort();
    length = *key ? strlen(key) + 1 : 0;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const char *last = *nr ? name[*nr - 1] : "";
        char *next = (char *)(name + NAMES) + *nr * NAME_SIZE;

        if (length &&
            (strncmp(line, key, length - 1) || line[length - 1] != '/'))
            continue;
        snprintf(next, NAME_SIZE, "%.*s", (int)strcspn(line + length, "/="),
                 line + length);
        if (strcmp(next, last)) /* what is in a folder is together */
            name[(*nr)++] = next;
    }
    free(text);
    return name;
}

/* --- a guest's memory: its ACPI tables ------------------------------------ */

#define PAGE 4096
#define TABLES_AT 0xfc000000u
#define BIOS_AT 0xf0000u

static uint8_t
    tables[16 * PAGE]; /* from TABLES_AT on; the last page is the BIOS' */

static bool wants(const char *name, const char *what)
{
    const char *wish = getenv(name);

    return wish && !strcmp(wish, what);
}

/* A table whose sum is right, and its address into the XSDT. */
static void end_table(const char *name, uint8_t *table, uint32_t length,
                      uint8_t *xsdt)
{
    uint32_t entry = xsdt[4] + 256u * xsdt[5];
    uint64_t address = TABLES_AT + (uint64_t)(table - tables);
    uint8_t sum = 0;

    memcpy(table, name, 4);
    memcpy(table + 4, &length, 4);
    table[9] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
    if (wants("FAKE_BROKEN", name))
        table[length - 1] ^= 1;
    if (table == xsdt || wants("FAKE_MISSING", name))
        return;
    memcpy(xsdt + entry, &address, 8);
    entry += 8;
    memcpy(xsdt + 4, &entry, 4);
}

static void make_rsdp(uint8_t *rsdp, uint64_t xsdt)
{
    uint8_t sum = 0;

    memcpy(rsdp, "RSD PTR ", 8);
    for (int i = 0; i < 8; i++)
        sum = (uint8_t)(sum + rsdp[i]);
    rsdp[8] = (uint8_t)-sum;
    memcpy(rsdp + 24, &xsdt, 8);
    for (int i = sum = 0; i < 36; i++)
        sum = (uint8_t)(sum + rsdp[i]);
    rsdp[32] = (uint8_t)-sum;
    if (wants("FAKE_BROKEN", "RSDP"))
        rsdp[32] ^= 1;
}

static void change(struct xlnuma__layout *layout)
{
    if (wants("FAKE_SEES", "vCPUs")) { /* 1 has moved */
        layout->node[0].vcpus[0] ^= 2;
        layout->node[1].vcpus[0] ^= 2;
    }
    if (wants("FAKE_SEES", "memory"))
        layout->range[0].end -= PAGE;
    if (wants("FAKE_SEES", "distances"))
        layout->node[0].distance[1]++;
    if (wants("FAKE_SEES", "number"))
        layout->range[layout->nr_ranges - 1].vnode = layout->nr++;
}

static void make_tables(const struct xlnuma__report *report)
{
    struct xlnuma__layout layout = { 0 };
    uint8_t apic_id[8] = { 0, 2, 4, 6, 8, 10, 12, 14 };
    const struct xlnuma__tables all = { &layout, 4, apic_id };
    uint8_t *xsdt = tables + PAGE, *madt = tables + 2 * PAGE;
    uint8_t *srat = tables + 3 * PAGE, *slit = tables + 6 * PAGE;
    bool is_bios = getenv("FAKE_BIOS");

    for (unsigned n = 0; n < report->nr_vnodes; n++)
        if (xlnuma__layout_add(&layout, report->vnode[n].text.vcpus,
                               report->vnode[n].text.ranges,
                               report->vnode[n].text.distances))
            exit(99);
    change(&layout);
    memset(tables, 0, sizeof(tables));
    xsdt[4] = 36;
    for (unsigned v = 0; v < 8; v++)
        memcpy(madt + 44 + 8 * v, (uint8_t[]){ 0, 8, (uint8_t)v, apic_id[v] },
               4);
    end_table("APIC", madt, 44 + 8 * 8, xsdt);
    end_table("SRAT", srat, xlnuma__acpi_srat(&all, srat), xsdt);
    end_table("SLIT", slit, xlnuma__acpi_slit(&all, slit), xsdt);
    end_table("XSDT", xsdt, xsdt[4], xsdt);
    make_rsdp(tables + (is_bios ? 15 : 8) * PAGE + 0x20, TABLES_AT + PAGE);
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger,
                                               unsigned flags)
{
    (void)logger;
    (void)flags;
    return fails(__func__) ? NULL : (xenforeignmemory_handle *)host;
}

int xenforeignmemory_close(xenforeignmemory_handle *handle)
{
    (void)handle;
    return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *handle, uint32_t domid,
                           int prot, size_t pages,
                           const xen_pfn_t frame[/*pages*/],
                           int error[/*pages*/])
{
    uint64_t address = frame[0] * PAGE;

    (void)handle;
    (void)prot;
    (void)pages;
    if (!find(domid) || fails(__func__))
        return NULL;
    make_tables(&find(domid)->report);
    *error = 0;
    if (address == BIOS_AT)
        return tables + 15 * PAGE;
    if (address >= TABLES_AT && address < TABLES_AT + 15 * PAGE)
        return tables + (address - TABLES_AT);
    *error = EINVAL;
    return tables;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *handle, void *page,
                           size_t pages)
{
    (void)handle;
    (void)page;
    (void)pages;
    return 0;
}
