/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a domain's vCPUs may run, are, and for how long they ran elsewhere than
 * on given nodes. Xen tells a vCPU's CPU and its time so far; where that time
 * was spent is known by looking often. Reads only.
 */
#include "xen/vcpus.h"
#include "xen/clock.h"
#include "xen/host.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 25000000 /* between two looks */

/* The host's CPUs, as far as that matters here. */
struct cpus {
    libxl_cputopology *cpu; /* owned */
    int nr;
    xlnuma_nodeset nodes; /* time on other nodes is time off */
};

static int node_of(const struct cpus *cpus, uint32_t cpu)
{
    if ((int)cpu >= cpus->nr || (int)cpu < 0 ||
        cpus->cpu[cpu].node == LIBXL_CPUTOPOLOGY_INVALID_ENTRY)
        return -1;
    return (int)cpus->cpu[cpu].node;
}

/* 1 off the nodes, 0 on them; the mean of two looks is what we assume. */
static unsigned is_off(const struct cpus *cpus, uint32_t cpu)
{
    int node = node_of(cpus, cpu);

    return node >= 0 && !xlnuma_nodeset_has(cpus->nodes, (unsigned)node);
}

/*
 * An affinity to all there is, offline CPUs too, is one to all that are online.
 * NULL when out of memory. Ownership: the caller's.
 */
static char *read_list(const libxl_bitmap *map, const struct cpus *cpus)
{
    xlnuma_cpuset online = { { 0 } }, set;
    char list[XLNUMA__LIST_SIZE];

    for (int i = 0; i < cpus->nr; i++)
        if (node_of(cpus, (uint32_t)i) >= 0 && i < XLNUMA_CPUS_MAX)
            xlnuma_cpuset_add(&online, (unsigned)i);
    xlnuma__cpuset_from_bitmap(&set, map);
    xlnuma_cpuset_and(&set, &online);
    return strdup(xlnuma_cpuset_format(&set, list, sizeof(list)));
}

static int first_look(struct xlnuma__vcpus *vcpus, const libxl_vcpuinfo *info,
                      int nr, const struct cpus *cpus, char *message)
{
    vcpus->vcpu = calloc((size_t)nr, sizeof(*vcpus->vcpu));
    if (!vcpus->vcpu)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    vcpus->nr = (unsigned)nr;
    for (int i = 0; i < nr; i++) {
        vcpus->vcpu[i].hard = read_list(&info[i].cpumap, cpus);
        vcpus->vcpu[i].soft = read_list(&info[i].cpumap_soft, cpus);
        if (!vcpus->vcpu[i].hard || !vcpus->vcpu[i].soft)
            return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        vcpus->vcpu[i].time_ns = info[i].vcpu_time;
        vcpus->vcpu[i].cpu = info[i].cpu;
    }
    return 0;
}

/* What it ran since the last look counts half for each of the two CPUs. */
static void look(struct xlnuma__vcpu *vcpu, const libxl_vcpuinfo *info,
                 const struct cpus *cpus)
{
    uint64_t ran_ns =
        info->vcpu_time > vcpu->time_ns ? info->vcpu_time - vcpu->time_ns : 0;

    vcpu->ran_ns += ran_ns;
    vcpu->off_ns +=
        ran_ns * (is_off(cpus, vcpu->cpu) + is_off(cpus, info->cpu)) / 2;
    vcpu->time_ns = info->vcpu_time;
    vcpu->cpu = info->cpu;
    vcpu->node = node_of(cpus, info->cpu);
    vcpu->state = !info->online   ? XLNUMA__VCPU_OFFLINE
                  : info->running ? XLNUMA__VCPU_RUNNING
                  : info->blocked ? XLNUMA__VCPU_BLOCKED
                                  : XLNUMA__VCPU_WAITING;
}

/* Returns false when the domain has no vCPUs to look at (any more). */
static bool look_at_all(struct xlnuma__vcpus *vcpus, libxl_ctx *ctx,
                        uint32_t domid, const struct cpus *cpus, int *rc_r,
                        char *message)
{
    int nr, nr_cpus;
    libxl_vcpuinfo *info = libxl_list_vcpu(ctx, domid, &nr, &nr_cpus);

    *rc_r = 0;
    if (!info)
        return false;
    if (!vcpus->vcpu)
        *rc_r = first_look(vcpus, info, nr, cpus, message);
    for (int i = 0; !*rc_r && i < nr && i < (int)vcpus->nr; i++)
        look(&vcpus->vcpu[i], &info[i], cpus);
    libxl_vcpuinfo_list_free(info, nr);
    vcpus->nr_looks++;
    return true;
}

int xlnuma__vcpus_from_xen(struct xlnuma__vcpus *vcpus_r, libxl_ctx *ctx,
                           uint32_t domid, xlnuma_nodeset nodes,
                           unsigned seconds, char *message)
{
    const struct timespec pause = { .tv_nsec = LOOK_NS };
    struct cpus cpus = { .nodes = nodes };
    uint64_t begin = xlnuma__now_ns(), ns = (uint64_t)seconds * 1000000000;
    int rc;

    *message = '\0';
    memset(vcpus_r, 0, sizeof(*vcpus_r));
    cpus.cpu = libxl_get_cpu_topology(ctx, &cpus.nr);
    if (!cpus.cpu)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell its CPUs "
                            "(libxl_get_cpu_topology failed)");
    while (look_at_all(vcpus_r, ctx, domid, &cpus, &rc, message) && !rc) {
        vcpus_r->looked_ns = xlnuma__now_ns() - begin;
        if (vcpus_r->looked_ns >= ns)
            break;
        nanosleep(&pause, NULL);
    }
    libxl_cputopology_list_free(cpus.cpu, cpus.nr);
    if (!rc && !vcpus_r->nr)
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "Xen does not tell the vCPUs of domain %u "
                          "(libxl_list_vcpu failed)",
                          domid);
    return rc;
}
