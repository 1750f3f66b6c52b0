/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that builds a guest from a configuration file through libxl, as xl
 * does, and prints what the (fake) hypervisor then has. For tests/hook/run.
 *
 *   fakexl [-a] [-c] [-f FORKS] [-g] [-j] [-l] [-n TIMES] [-o] [-q] [-r] [-s] [-S]
 *          [-t THREADS] [-u] FILE
 *     -a  asynchronously   -n  build it so many times (reboots)   -r  restore
 *     -q  nothing of xenstore   -t  so many of it, in threads
 *     -s  all threads have one context, as in libvirt's driver
 *     -S  each domain is then reset softly   -g  while it grows, on node 0 too
 *     -b  the balancer has widened it
 *     -l  nobody gives libxl a logger   -u  all threads build guests of one uuid
 *     -c  -n builds read the file each time: other guests, of that name; from the
 *         second on the file "<updated>" if it is there, as after xl config-update
 *     -o  say what is left open and locked at the end
 *     -j  the configuration is not read from a guest's file, as far as the hook
 *         can see ("<updated>" is): as that of a saved guest, which is JSON
 *     -f  threads but the first read the file again and again; meanwhile so many
 *         children of the first one build it
 *   fakexl -k DOMID
 *     that domain of FAKE_STATE is destroyed
 *   fakexl -H
 *     what libxl-save-helper does, for the domain in FAKE_STATE
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xentoollog.h>

#include "fakexen.h"
#include "hook/hook.h"

static char *read_file(const char *name, int *length_r)
{
    static char text[65536];
    FILE *file = fopen(name, "r");

    if (!file) {
        perror(name);
        exit(1);
    }
    *length_r = (int)fread(text, 1, sizeof(text), file);
    fclose(file);
    return text;
}

#define NR_VCPUS FAKE_VCPUS

/* The same CPUs, a mask, for every vCPU. */
static void set_cpus(libxl_bitmap **maps, int *nr, libxl_ctx *ctx, long cpus)
{
    *nr = NR_VCPUS;
    *maps = calloc(NR_VCPUS, sizeof(**maps));
    for (int vcpu = 0; vcpu < NR_VCPUS; vcpu++) {
        libxl_cpu_bitmap_alloc(ctx, &(*maps)[vcpu], 0);
        for (int i = 0; i < 8; i++)
            if ((cpus >> i) & 1)
                libxl_bitmap_set(&(*maps)[vcpu], i);
    }
}

/* Another for the last one. */
static void set_last_cpus(libxl_bitmap *maps, long cpus)
{
    for (int i = 0; i < 8; i++)
        if ((cpus >> i) & 1)
            libxl_bitmap_set(&maps[NR_VCPUS - 1], i);
        else
            libxl_bitmap_reset(&maps[NR_VCPUS - 1], i);
}

static const char updated[] = "<updated>"; /* what xl calls it */

static bool is_saved; /* -j */

/* "KEY=VALUE" texts, as entries of c_info.platformdata. */
static void set_platform(libxl_domain_config *config, XLU_ConfigList *list,
                         int nr)
{
    char **entry = calloc((size_t)nr * 2 + 1, sizeof(*entry));

    for (int i = 0; i < nr; i++) {
        const char *text = xlu_cfg_get_listitem(list, i);
        const char *equals = strchr(text, '=');

        entry[2 * i] = strndup(text, (size_t)(equals - text));
        entry[2 * i + 1] = equals[1] ? strdup(equals + 1) : NULL;
    }
    config->c_info.platformdata = entry;
}

/* The few keys that matter; affinities are masks in numbers, pci is one device. */
static void read_config(libxl_ctx *ctx, const char *name,
                        libxl_domain_config *config)
{
    libxl_domain_build_info *info = &config->b_info;
    XLU_Config *file = xlu_cfg_init(stderr, name);
    XLU_ConfigList *list;
    const char *text;
    int length, r, nr;
    long number;

    if (!file)
        exit(1);
    text = read_file(name, &length);
    r = is_saved && strcmp(name, updated) != 0
            ? xlu_cfg_readfile(file, name)
            : xlu_cfg_readdata(file, text, length);
    if (r) {
        fprintf(stderr, "Failed to parse config: %s\n", strerror(r));
        exit(1);
    }
    if (!xlu_cfg_get_string(file, "name", &text, 1))
        config->c_info.name = strdup(text);
    if (xlu_cfg_get_string(file, "uuid", &text, 1) ||
        libxl_uuid_from_string(&config->c_info.uuid, text))
        libxl_uuid_generate(&config->c_info.uuid);
    text = xlu_cfg_get_string(file, "type", &text, 1) ? "pvh" : text;
    libxl_domain_build_info_init_type(
        info, !strcmp(text, "pv")    ? LIBXL_DOMAIN_TYPE_PV
              : !strcmp(text, "hvm") ? LIBXL_DOMAIN_TYPE_HVM
                                     : LIBXL_DOMAIN_TYPE_PVH);
    config->c_info.type = info->type;
    if (!xlu_cfg_get_long(file, "memory", &number, 1))
        info->target_memkb = info->max_memkb = (uint64_t)number * 1024;
    if (!xlu_cfg_get_long(file, "maxmem", &number, 1))
        info->max_memkb = (uint64_t)number * 1024;
    libxl_defbool_set(&info->device_model_stubdomain, false);
    if (!xlu_cfg_get_long(file, "stubdom", &number, 1)) {
        libxl_defbool_set(&info->device_model_stubdomain, true);
        info->stubdomain_memkb = (uint64_t)number * 1024;
        info->video_memkb = 0;
    }
    info->max_vcpus = NR_VCPUS;
    libxl_cpu_bitmap_alloc(ctx, &info->avail_vcpus, NR_VCPUS);
    libxl_bitmap_set_any(&info->avail_vcpus);
    if (!xlu_cfg_get_long(file, "acpi", &number, 1))
        libxl_defbool_set(&info->acpi, number);
    if (!xlu_cfg_get_long(file, "hard", &number, 1))
        set_cpus(&info->vcpu_hard_affinity, &info->num_vcpu_hard_affinity, ctx,
                 number);
    if (!xlu_cfg_get_long(file, "last_hard", &number, 1))
        set_last_cpus(info->vcpu_hard_affinity, number);
    if (!xlu_cfg_get_long(file, "nr_hard", &number, 1))
        while (info->num_vcpu_hard_affinity > number)
            libxl_bitmap_dispose(
                &info->vcpu_hard_affinity[--info->num_vcpu_hard_affinity]);
    if (!xlu_cfg_get_long(file, "soft", &number, 1))
        set_cpus(&info->vcpu_soft_affinity, &info->num_vcpu_soft_affinity, ctx,
                 number);
    if (info->num_vcpu_soft_affinity)
        libxl_defbool_set(&info->numa_placement, false);
    if (!xlu_cfg_get_long(file, "placement", &number, 1))
        libxl_defbool_set(&info->numa_placement, number);
    if (!xlu_cfg_get_long(file, "vnuma", &number, 1)) {
        info->num_vnuma_nodes = (int)number;
        info->vnuma_nodes = calloc((size_t)number, sizeof(*info->vnuma_nodes));
    }
    if (!xlu_cfg_get_string(file, "pci", &text, 1)) {
        config->num_pcidevs = 1;
        config->pcidevs = calloc(1, sizeof(*config->pcidevs));
        libxl_device_pci_init(config->pcidevs);
        if (xlu_pci_parse_spec_string(file, config->pcidevs, text))
            abort();
    }
    if (!xlu_cfg_get_string(file, "in_pool", &text, 1))
        config->c_info.pool_name = strdup(text);
    if (!xlu_cfg_get_list(file, "platform", &list, &nr, 1))
        set_platform(config, list, nr);
    xlu_cfg_destroy(file);
}

/* "2 2 23 3": on which nodes each 128 MiB of the guest's addresses are. */
static void print_blocks(void)
{
    const size_t nr = sizeof(fake_domain->block);

    printf("blocks");
    for (size_t i = 0; i < nr && fake_domain->block[i]; i++) {
        putchar(' ');
        for (int node = 0; node < 4; node++)
            if (fake_domain->block[i] >> node & 1)
                printf("%d", node);
    }
    printf("\nvcpus");
    for (int v = 0; v < NR_VCPUS; v++)
        printf(" %#llx", (unsigned long long)fake_domain->vcpu_soft[v]);
    printf("\nacpi %#llx-%#llx", (unsigned long long)fake_domain->acpi_at[0],
           (unsigned long long)fake_domain->acpi_at[1]);
    for (unsigned i = 0; i < fake_domain->nr_acpi; i++)
        printf(" %s", fake_domain->acpi[i]);
    putchar('\n');
    if (fake_domain->nr_firmware)
        printf("firmware %u %.4s\n", fake_domain->nr_firmware,
               (const char *)fake_domain->firmware);
}

static void print_domain(int rc, const libxl_domain_config *config,
                         bool is_quiet)
{
    printf("rc %d\n", rc);
    if (!fake_domain)
        return; /* not even begun */
    printf("nodes %#llx\n", (unsigned long long)fake_domain->nodes);
    printf("soft_cpus %#llx\n", (unsigned long long)fake_domain->soft_cpus);
    printf("hard_cpus %#llx %#llx\n",
           (unsigned long long)fake_domain->hard_cpus[0],
           (unsigned long long)fake_domain->hard_cpus[1]);
    printf("affinities set %u\n", fake_domain->nr_affinities);
    if (fake_domain->pool)
        printf("pool %u soft %#llx %#llx\n", fake_domain->pool,
               (unsigned long long)fake_domain->vcpu_soft[0],
               (unsigned long long)fake_domain->vcpu_soft[1]);
    printf("mib %lu %lu %lu %lu\n", fake_domain->pages[0] / 256,
           fake_domain->pages[1] / 256, fake_domain->pages[2] / 256,
           fake_domain->pages[3] / 256);
    printf("pages %lu %lu %lu %lu\n", fake_domain->pages[0],
           fake_domain->pages[1], fake_domain->pages[2], fake_domain->pages[3]);
    for (int i = 0; i < 4; i++)
        if (fake_domain->low_pages[i])
            printf("low mib of node %d: %lu\n", i,
                   fake_domain->low_pages[i] / 256);
    printf("extents 1g %lu 2m %lu 4k %lu\n", fake_domain->extents[18],
           fake_domain->extents[9], fake_domain->extents[0]);
    print_blocks();
    printf("placed by %s\n", fake_domain->is_stock_placed ? "libxl" : "us");
    printf("numa_placement %s\n",
           libxl_defbool_to_string(config->b_info.numa_placement));
    printf("hard maps %d\n", config->b_info.num_vcpu_hard_affinity);
    printf("nodemap %s\n", config->b_info.nodemap.size ? "left" : "none");
    for (char **entry = config->c_info.platformdata; entry && *entry;
         entry += 2)
        printf("platform %s = %s\n", entry[0], entry[1] ? entry[1] : "");
    fputs(fake_domain->kept, stdout);
    if (!is_quiet)
        fake_print_store();
}

static void note_result(libxl_ctx *ctx, int rc, void *rc_r)
{
    (void)ctx;
    *(int *)rc_r = rc;
}

static int build(libxl_ctx *ctx, libxl_domain_config *config, bool is_async,
                 bool is_restore)
{
    int result = 0;
    libxl_asyncop_how how = { .callback = note_result,
                              .u.for_callback = &result };
    libxl_domain_restore_params params = { .stream_version = 2 };
    uint32_t domid = 0;
    int rc =
        is_restore
            ? libxl_domain_create_restore(ctx, config, &domid, -1, -1, &params,
                                          is_async ? &how : NULL, NULL)
            : libxl_domain_create_new(ctx, config, &domid,
                                      is_async ? &how : NULL, NULL);

    return rc ? rc : result;
}

/* As `xl mem-set` leaves it until the guest has grown. */
static void begin_growth(void)
{
    static const char note[] = "2-3 0,2-3 1";
    char path[64];

    snprintf(path, sizeof(path), "/libxl/%u/numa-placement-growth",
             fake_domain->domid);
    if (!xs_write(NULL, XBT_NULL, path, note, sizeof(note) - 1))
        abort();
    fake_domain->nodes |= 1;
}

/* As the balancer leaves a guest that it has widened. */
static void begin_balance(void)
{
    char path[80];

    snprintf(path, sizeof(path), "/libxl/%u/numa-placement-balance/hard_cpus",
             fake_domain->domid);
    if (!xs_write(NULL, XBT_NULL, path, "0-7", 3))
        abort();
}

static int reset(libxl_ctx *ctx, libxl_domain_config *config, bool is_async)
{
    int result = 0;
    libxl_asyncop_how how = { .callback = note_result,
                              .u.for_callback = &result };
    int rc = libxl_domain_soft_reset(ctx, config, fake_domain->domid,
                                     is_async ? &how : NULL, NULL);

    return rc ? rc : result;
}

static int restore_memory(void)
{
    const unsigned memflags = FAKE_MEMFLAGS;

    (void)memflags;
    fake_domain = fake_last_domain();
    return xc_domain_restore(NULL, -1, fake_domain->domid, 0, NULL, 0, 0, NULL,
                             0, XC_STREAM_PLAIN, NULL, -1 XC_RESTORE_ARGUMENT)
               ? 1
               : 0;
}

struct job {
    libxl_ctx *ctx;
    libxl_domain_config *config; /* of each time; the one at hand */
    pthread_t thread;
    bool is_async, is_reset, is_restore, is_quiet, is_shared, is_fresh,
        has_one_uuid, is_growing, is_wide;
    int times;
    const char *file;
    xentoollog_logger *lg;
    pthread_barrier_t *start; /* NULL: at once */
};

static void *run(void *arg)
{
    static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;
    struct job *job = arg;

    if (job->start)
        pthread_barrier_wait(job->start);
    while (job->times--) {
        int rc = build(job->ctx, job->config, job->is_async, job->is_restore);

        if (!rc && job->is_growing)
            begin_growth();
        if (!rc && job->is_wide)
            begin_balance();
        if (!rc && job->is_reset)
            rc = reset(job->ctx, job->config, job->is_async);
        pthread_mutex_lock(&printing);
        print_domain(rc, job->config, job->is_quiet);
        pthread_mutex_unlock(&printing);
        if (job->is_fresh && job->times) {
            libxl_domain_config_dispose(job->config);
            libxl_domain_config_init(++job->config);
            read_config(job->ctx, access(updated, R_OK) ? job->file : updated,
                        job->config);
        }
    }
    return NULL;
}

/* All that xl does, once; returns libxl's result. */
static int build_once(const char *file, xentoollog_logger *lg)
{
    libxl_domain_config config;
    libxl_ctx *ctx;

    libxl_domain_config_init(&config);
    libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, lg);
    read_config(ctx, file, &config);
    return build(ctx, &config, false, false);
}

/* For a child that another thread forks in the middle of a build. */
static struct {
    const char *file;
    xentoollog_logger *lg;
} in_child;

static int build_in_child(void)
{
    int rc = build_once(in_child.file, in_child.lg);

    dprintf(STDOUT_FILENO, "child mib %lu %lu %lu %lu\n",
            fake_domain->pages[0] / 256, fake_domain->pages[1] / 256,
            fake_domain->pages[2] / 256, fake_domain->pages[3] / 256);
    return rc ? 1 : 0;
}

static atomic_bool is_over;

/* Takes the hook's locks, over and over; none of libc's that a child wants. */
static void *read_on(void *arg)
{
    static const char text[] = "name = \"x\"\nnuma_memory = \"pack\"\n";
    struct job *job = arg;

    while (!is_over) {
        XLU_Config *file = xlu_cfg_init(stderr, job->file);
        libxl_ctx *ctx;

        libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, job->lg);
        if (xlu_cfg_readdata(file, text, (int)strlen(text)))
            abort();
        xlu_cfg_destroy(file);
        libxl_ctx_free(ctx);
    }
    return NULL;
}

/* Children of a process whose other threads go on; one that hangs is killed. */
static void build_in_children(int nr, const char *file, xentoollog_logger *lg)
{
    int nr_built = 0;

    for (int i = 0; i < nr; i++) {
        int status = -1;
        pid_t pid = fork();

        if (!pid) {
            alarm(30);
            _exit(build_once(file, lg) ? 1 : 0);
        }
        nr_built += pid > 0 && waitpid(pid, &status, 0) == pid && !status;
    }
    printf("children %d built %d\n", nr, nr_built);
}

static void run_all(const struct job *common, int nr_threads, int nr_forks,
                    const char *file, xentoollog_logger *lg)
{
    struct job *jobs = calloc((size_t)nr_threads, sizeof(*jobs));
    libxl_domain_config *configs =
        calloc((size_t)(nr_threads * common->times), sizeof(*configs));
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, (unsigned)nr_threads);
    for (int i = 0; i < nr_threads; i++) {
        jobs[i] = *common;
        jobs[i].file = file;
        jobs[i].lg = lg;
        jobs[i].start = nr_forks ? NULL : &start;
        jobs[i].config = &configs[i * common->times];
        libxl_domain_config_init(jobs[i].config);
        if (i && common->is_shared)
            jobs[i].ctx = jobs[0].ctx;
        else if (libxl_ctx_alloc(&jobs[i].ctx, LIBXL_VERSION, 0, lg))
            exit(1);
        read_config(jobs[i].ctx, file, jobs[i].config);
        if (common->has_one_uuid)
            jobs[i].config->c_info.uuid = jobs[0].config->c_info.uuid;
    }
    for (int i = 1; i < nr_threads; i++)
        if (pthread_create(&jobs[i].thread, NULL, nr_forks ? read_on : run,
                           &jobs[i]))
            abort();
    if (nr_forks)
        build_in_children(nr_forks, file, lg);
    else
        run(&jobs[0]);
    is_over = true;
    for (int i = 0; i < nr_threads; i++) {
        if (i)
            pthread_join(jobs[i].thread, NULL);
        libxl_domain_config_dispose(jobs[i].config);
        if (i && !common->is_shared)
            libxl_ctx_free(jobs[i].ctx);
    }
    libxl_ctx_free(jobs[0].ctx);
    pthread_barrier_destroy(&start);
    free(configs);
    free(jobs);
}

static int count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int nr = 0;

    while (dir && readdir(dir))
        nr++;
    if (dir)
        closedir(dir);
    return nr;
}

/* Are reservations locked? A child asks: a process never sees its own locks. */
static bool is_locked(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char path[4096];
    int fd, status = 0;
    pid_t pid = fork();

    if (!pid) {
        snprintf(path, sizeof(path), "%s/reservations", getenv("XL_NUMA_RUN"));
        fd = open(path, O_RDWR);
        _exit(fd >= 0 && (fcntl(fd, F_GETLK, &lock) || lock.l_type != F_UNLCK));
    }
    return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

/* By its address gcov does not replace execl(). */
static void exec_missing(char *program)
{
    int (*volatile by_list)(const char *, const char *, ...) = execl;
    char *argv[] = { program, NULL };

    execvp(program, argv);
    printf("execvp: %s\n", strerror(errno));
    by_list(program, program, (char *)NULL);
    printf("execl: %s\n", strerror(errno));
}

int main(int argc, char **argv)
{
    struct job common = { .times = 1 };
    int option, nr_threads = 1, nr_forks = 0, nr_open = count_open();
    bool has_logger = true, wants_left = false;
    xentoollog_logger *lg;

    while ((option = getopt(argc, argv, "abcf:gHjk:ln:oqrsSt:u")) != -1) {
        if (option == 'H')
            return restore_memory();
        if (option == 'k')
            return fake_destroy((unsigned)atoi(optarg));
        common.is_async |= option == 'a';
        common.is_restore |= option == 'r';
        common.is_reset |= option == 'S';
        common.is_growing |= option == 'g';
        common.is_wide |= option == 'b';
        common.is_quiet |= option == 'q';
        common.is_shared |= option == 's';
        common.is_fresh |= option == 'c';
        common.has_one_uuid |= option == 'u';
        is_saved |= option == 'j';
        has_logger &= option != 'l';
        wants_left |= option == 'o';
        if (option == 'f')
            nr_forks = atoi(optarg);
        if (option == 'n')
            common.times = atoi(optarg);
        if (option == 't')
            nr_threads = atoi(optarg);
    }
    lg = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_INFO, 0);
    in_child.file = argv[optind];
    in_child.lg = lg;
    fake_child = build_in_child;
    run_all(&common, nr_threads, nr_forks, argv[optind],
            has_logger ? lg : NULL);
    if (getenv("FAKE_MISSING"))
        exec_missing(getenv("FAKE_MISSING"));
    if (getenv("FAKE_CHILD"))
        printf("child status %d\n", fake_wait_child());
    xtl_logger_destroy(lg);
    if (wants_left)
        printf("left %d open, %s\n", count_open() - nr_open,
               is_locked() ? "locked" : "not locked");
    return 0;
}
