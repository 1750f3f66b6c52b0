/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where vCPUs run: Xen tells each one's CPU and its time so far, so they are
 * looked at every 10 ms.
 *
 *   vcpus SECONDS DOMID...
 *     Prints "DOMID VCPU all MS OF" of each vCPU, so many ms that it ran while
 *     it was looked at for OF ms, and "DOMID VCPU NODE MS" for each node on which
 *     it did. Time between two looks counts half for each one's CPU. A domain
 *     that goes meanwhile is looked at no more.
 *
 * Domains that are paused run for that time alone, and a second before it, all at
 * once: under emulation each second in which a vCPU is busy costs one of the
 * processor's, and slows down dom0.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxl.h>

enum { NR_DOMAINS = 32, NR_VCPUS = 32, NR_NODES = 64 };

struct vcpu {
    bool is_seen;
    uint32_t cpu;
    uint64_t begin_ns, ns; /* of its own time */
    uint64_t first_ns, last_ns;
    uint64_t node_ns[NR_NODES];
};

static struct vcpu vcpu[NR_DOMAINS][NR_VCPUS];
static bool was_paused[NR_DOMAINS];
static libxl_cputopology *topology;
static int nr_cpus;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void add(struct vcpu *to, uint32_t cpu, uint64_t ns)
{
    if ((int)cpu < nr_cpus && topology[cpu].node < NR_NODES)
        to->node_ns[topology[cpu].node] += ns;
}

static void look(libxl_ctx *ctx, int domain, uint32_t domid)
{
    int nr, nr_all;
    libxl_vcpuinfo *info = libxl_list_vcpu(ctx, domid, &nr, &nr_all);

    for (int i = 0; info && i < nr && i < NR_VCPUS; i++) {
        struct vcpu *to = &vcpu[domain][i];

        /* As Xen reads another CPU's clock, a time can be less than before. */
        if (to->is_seen && info[i].vcpu_time > to->ns) {
            add(to, to->cpu, (info[i].vcpu_time - to->ns) / 2);
            add(to, info[i].cpu, (info[i].vcpu_time - to->ns) / 2);
        } else if (!to->is_seen) {
            to->begin_ns = info[i].vcpu_time;
            to->first_ns = now_ns();
        }
        to->is_seen = true;
        to->last_ns = now_ns();
        if (info[i].vcpu_time > to->ns)
            to->ns = info[i].vcpu_time;
        to->cpu = info[i].cpu;
    }
    if (info)
        libxl_vcpuinfo_list_free(info, nr);
}

static bool is_paused(libxl_ctx *ctx, uint32_t domid)
{
    libxl_dominfo info;
    bool paused;

    libxl_dominfo_init(&info);
    paused = !libxl_domain_info(ctx, &info, domid) && info.paused;
    libxl_dominfo_dispose(&info);
    return paused;
}

/* Those that are paused run from here on. */
static void run_paused(libxl_ctx *ctx, char **domid, int nr)
{
    bool any = false;

    for (int i = 0; i < nr; i++)
        any |= was_paused[i] = is_paused(ctx, (uint32_t)atoi(domid[i]));
    for (int i = 0; i < nr; i++)
        if (was_paused[i])
            libxl_domain_unpause(ctx, (uint32_t)atoi(domid[i]), NULL);
    if (any)
        sleep(1);
}

static void print(const struct vcpu *of, const char *domid, int number)
{
    if (!of->is_seen)
        return;
    printf("%s %d all %llu %llu\n", domid, number,
           (unsigned long long)(of->ns - of->begin_ns) / 1000000,
           (unsigned long long)(of->last_ns - of->first_ns) / 1000000);
    for (int node = 0; node < NR_NODES; node++)
        if (of->node_ns[node])
            printf("%s %d %d %llu\n", domid, number, node,
                   (unsigned long long)of->node_ns[node] / 1000000);
}

int main(int argc, char **argv)
{
    const struct timespec pause = { .tv_nsec = 10000000 };
    xentoollog_logger *lg = (xentoollog_logger *)xtl_createlogger_stdiostream(
        stderr, XTL_CRITICAL, 0);
    uint64_t end_ns;
    libxl_ctx *ctx;

    if (argc < 3 || argc - 2 > NR_DOMAINS || !lg ||
        libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, lg) ||
        !(topology = libxl_get_cpu_topology(ctx, &nr_cpus))) {
        fprintf(stderr, "usage: vcpus SECONDS DOMID... (on a Xen host)\n");
        return 1;
    }
    run_paused(ctx, argv + 2, argc - 2);
    end_ns = now_ns() + (uint64_t)atoi(argv[1]) * 1000000000;
    while (now_ns() < end_ns) {
        for (int i = 2; i < argc; i++)
            look(ctx, i - 2, (uint32_t)atoi(argv[i]));
        nanosleep(&pause, NULL);
    }
    for (int i = 2; i < argc; i++)
        if (was_paused[i - 2])
            libxl_domain_pause(ctx, (uint32_t)atoi(argv[i]), NULL);
    for (int i = 2; i < argc; i++)
        for (int number = 0; number < NR_VCPUS; number++)
            print(&vcpu[i - 2][number], argv[i], number);
    libxl_ctx_free(ctx);
    xtl_logger_destroy(lg);
    return 0;
}
