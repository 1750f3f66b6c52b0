/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds guests through libxl at the same moment, as libvirt does, and as xl does
 * where it need not balloon dom0 for them.
 *
 *   parallel [-a] [-t] TYPE MIB KERNEL NAME...
 *     a process for each guest, or with -t a thread; all begin at once. With -a
 *     each process has a folder for reservations of its own: none sees the others'.
 *     Prints "NAME STATUS" of each, libxl's; what it logs is on stderr.
 *   parallel -f TYPE MIB KERNEL NAME...
 *     one after the other, asynchronously, in one process; should KERNEL not be
 *     there they fail with their memory planned. Prints "NAME STATUS PLACEMENT
 *     NODEMAP": what became of the configuration's numa_placement, and bytes.
 *   parallel -d DOMID...
 *     destroys these domains
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>

#define NR_MAX 64

struct guest {
    const char *name, *kernel;
    bool is_pv, is_apart;
    uint64_t memkb;
    pthread_barrier_t *all_ready;
    int *start; /* a pipe: at its end all begin */
    int rc;
};

static libxl_ctx *new_ctx(void)
{
    xentoollog_logger *lg =
        (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_INFO, 0);
    libxl_ctx *ctx;

    if (!lg || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, lg)) {
        fprintf(stderr, "parallel: no libxl\n");
        exit(1);
    }
    return ctx;
}

static void configure(libxl_domain_config *config, const struct guest *guest)
{
    libxl_domain_type type =
        guest->is_pv ? LIBXL_DOMAIN_TYPE_PV : LIBXL_DOMAIN_TYPE_PVH;

    libxl_domain_config_init(config);
    config->c_info.type = type;
    config->c_info.name = strdup(guest->name);
    libxl_uuid_generate(&config->c_info.uuid);
    libxl_domain_build_info_init_type(&config->b_info, type);
    config->b_info.max_vcpus = 1;
    config->b_info.max_memkb = config->b_info.target_memkb = guest->memkb;
    config->b_info.kernel = strdup(guest->kernel);
}

static void *build(void *arg)
{
    struct guest *guest = arg;
    libxl_domain_config config;
    libxl_ctx *ctx = new_ctx();
    uint32_t domid;
    char byte;

    configure(&config, guest);
    if (guest->all_ready)
        pthread_barrier_wait(guest->all_ready);
    else if (read(guest->start[0], &byte, 1)) /* until it is closed */
        exit(1);
    guest->rc = libxl_domain_create_new(ctx, &config, &domid, NULL, NULL);
    libxl_domain_config_dispose(&config);
    libxl_ctx_free(ctx);
    return NULL;
}

static void build_in_threads(struct guest guests[], int nr)
{
    pthread_barrier_t all_ready;
    pthread_t thread[NR_MAX];

    pthread_barrier_init(&all_ready, NULL, (unsigned)nr);
    for (int i = 0; i < nr; i++) {
        guests[i].all_ready = &all_ready;
        if (pthread_create(&thread[i], NULL, build, &guests[i]))
            exit(1);
    }
    for (int i = 0; i < nr; i++)
        pthread_join(thread[i], NULL);
}

static void build_in_processes(struct guest guests[], int nr)
{
    pid_t pid[NR_MAX];
    char folder[128];
    int start[2];

    if (pipe(start))
        exit(1);
    for (int i = 0; i < nr; i++) {
        guests[i].start = start;
        pid[i] = fork();
        if (pid[i])
            continue;
        close(start[1]);
        if (guests[i].is_apart) {
            snprintf(folder, sizeof(folder), "/tmp/apart.%s", guests[i].name);
            setenv("XL_NUMA_RUN", folder, 1);
        }
        build(&guests[i]);
        _exit(guests[i].rc ? 1 : 0);
    }
    sleep(1); /* all are there */
    close(start[1]);
    for (int i = 0; i < nr; i++)
        if (waitpid(pid[i], &guests[i].rc, 0) != pid[i])
            guests[i].rc = -1;
}

/* Its status, which an event tells. */
static int build_async(libxl_ctx *ctx, libxl_domain_config *config)
{
    libxl_asyncop_how how = { .callback = NULL };
    libxl_event *event;
    uint32_t domid;
    int rc = libxl_domain_create_new(ctx, config, &domid, &how, NULL);

    if (rc)
        return rc;
    rc = libxl_event_wait(ctx, &event, LIBXL_EVENTMASK_ALL, 0, 0);
    if (rc)
        return rc;
    rc = event->u.operation_complete.rc;
    libxl_event_free(ctx, event);
    return rc;
}

static void build_asynchronously(struct guest guests[], int nr)
{
    libxl_ctx *ctx = new_ctx();

    for (int i = 0; i < nr; i++) {
        libxl_domain_config config;
        int rc;

        configure(&config, &guests[i]);
        rc = build_async(ctx, &config);
        printf("%s %d %s %u\n", guests[i].name, rc,
               libxl_defbool_to_string(config.b_info.numa_placement),
               config.b_info.nodemap.size);
        libxl_domain_config_dispose(&config);
    }
    libxl_ctx_free(ctx);
}

static int destroy(int nr, char **domids)
{
    libxl_ctx *ctx = new_ctx();
    int rc = 0;

    for (int i = 0; i < nr; i++)
        rc |= libxl_domain_destroy(ctx, (uint32_t)atoi(domids[i]), NULL);
    libxl_ctx_free(ctx);
    return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
    bool is_apart = false, in_threads = false, is_async = false;
    struct guest guests[NR_MAX] = { 0 };
    int option, nr;

    while ((option = getopt(argc, argv, "adft")) != -1) {
        if (option == 'd')
            return destroy(argc - optind, argv + optind);
        is_apart |= option == 'a';
        in_threads |= option == 't';
        is_async |= option == 'f';
    }
    argv += optind;
    nr = argc - optind - 3;
    if (nr < 1 || nr > NR_MAX)
        return 2;
    for (int i = 0; i < nr; i++)
        guests[i] = (struct guest){ .name = argv[3 + i],
                                    .kernel = argv[2],
                                    .is_pv = !strcmp(argv[0], "pv"),
                                    .is_apart = is_apart,
                                    .memkb = (uint64_t)atoi(argv[1]) * 1024 };
    if (is_async) {
        build_asynchronously(guests, nr);
        return 0;
    }
    if (in_threads)
        build_in_threads(guests, nr);
    else
        build_in_processes(guests, nr);
    for (int i = 0; i < nr; i++)
        printf("%s %d\n", guests[i].name, guests[i].rc);
    return 0;
}
