/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the balancer measures: which CPUs are idle, and of guests on busy ones
 * how much CPU time they want and get, and where. Xen counts no time that a vCPU
 * waits, so its state is looked at again and again. Changes nothing.
 */
#include "xen/balancer.h"
#include "xen/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 50000000 /* between two looks */

/* A round begins with this part of it, which shows where CPUs are busy. */
#define FIRST_PART 0.25

/* Returns false when there is no time to sleep any more. */
static bool sleep_until(const struct xlnuma__balancer *balancer,
                        uint64_t until_ns, uint64_t most_ns)
{
    uint64_t now = xlnuma__now_ns(), ns = until_ns > now ? until_ns - now : 0;
    struct timespec pause = { .tv_nsec = 0 };

    if (ns > most_ns)
        ns = most_ns;
    pause.tv_sec = (time_t)(ns / 1000000000);
    pause.tv_nsec = (long)(ns % 1000000000);
    if (ns && !(balancer->stop && *balancer->stop))
        nanosleep(&pause, NULL);
    return ns && !(balancer->stop && *balancer->stop);
}

/* --- CPUs ----------------------------------------------------------------- */

static int read_idle(struct xlnuma__balancer *balancer, xc_cpuinfo_t *info,
                     char *message)
{
    int nr = 0;

    memset(info, 0, balancer->nr_cpus * sizeof(*info));
    if (!xc_getcpuinfo(balancer->xch, (int)balancer->nr_cpus, info, &nr))
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "Xen does not tell how long its CPUs are idle: %s",
                        strerror(errno));
}

/* The share of the time since `idle_before` that each CPU was idle. */
static int update_idle(struct xlnuma__balancer *balancer, uint64_t ns,
                       char *message)
{
    int rc = read_idle(balancer, balancer->idle_now, message);

    for (unsigned cpu = 0; !rc && cpu < balancer->nr_cpus; cpu++) {
        uint64_t before = balancer->idle_before[cpu].idletime;
        uint64_t now = balancer->idle_now[cpu].idletime;
        double idle =
            now > before && ns ? (double)(now - before) / (double)ns : 0;

        balancer->idle[cpu] = idle < 1 ? idle : 1;
    }
    return rc;
}

/* --- vCPUs ---------------------------------------------------------------- */

static void add_time(const struct xlnuma__balancer *balancer,
                     struct xlnuma__balance_guest *guest, uint32_t cpu,
                     double ns)
{
    if (cpu < balancer->nr_cpus && balancer->node_of[cpu] < XLNUMA_NODES_MAX)
        guest->had_on[balancer->node_of[cpu]] += ns;
    guest->had += ns;
}

/*
 * The times are in ns so far. What a vCPU ran between two looks counts half for
 * each one's CPU.
 */
static void look(const struct xlnuma__balancer *balancer,
                 struct xlnuma__balanced *domain, bool is_first)
{
    for (unsigned v = 0; v < domain->nr_vcpus; v++) {
        struct xlnuma__balance_look *last = &domain->look[v];
        xc_vcpuinfo_t info;

        if (xc_vcpu_getinfo(balancer->xch, domain->domid, v, &info) ||
            !info.online) {
            last->is_online = false;
            continue;
        }
        if (!is_first && last->is_online && info.cpu_time > last->ran_ns) {
            double half = (double)(info.cpu_time - last->ran_ns) / 2;

            add_time(balancer, &domain->guest, last->cpu, half);
            add_time(balancer, &domain->guest, info.cpu, half);
        }
        *last = (struct xlnuma__balance_look){ true, info.cpu, info.cpu_time };
        domain->nr_wanted += !is_first && !info.blocked;
    }
    domain->nr_looks += !is_first;
}

static void look_at_all(const struct xlnuma__balancer *balancer, bool is_first)
{
    for (unsigned i = 0; i < balancer->nr; i++)
        if (balancer->domain[i]->guest.is_measured)
            look(balancer, balancer->domain[i], is_first);
}

/* Whose vCPUs are looked at in this round. Returns whether some are. */
static bool choose(const struct xlnuma__balancer *balancer)
{
    struct xlnuma__balance_load load = { balancer->nr_cpus, balancer->idle };
    bool has_some = false;

    for (unsigned i = 0; i < balancer->nr; i++) {
        struct xlnuma__balanced *domain = balancer->domain[i];
        struct xlnuma__balance_guest *guest = &domain->guest;

        guest->is_measured = !domain->left && !domain->is_paused &&
                             (balancer->looks_at_all ||
                              xlnuma__balance_wants_look(&load, guest));
        guest->had = guest->wanted = 0;
        memset(guest->had_on, 0, sizeof(guest->had_on));
        domain->nr_looks = domain->nr_wanted = 0;
        has_some |= guest->is_measured;
    }
    return has_some;
}

/* From ns and looks to CPUs. */
static void finish(const struct xlnuma__balancer *balancer, uint64_t ns)
{
    unsigned node;

    for (unsigned i = 0; i < balancer->nr; i++) {
        struct xlnuma__balanced *domain = balancer->domain[i];
        struct xlnuma__balance_guest *guest = &domain->guest;

        if (!guest->is_measured)
            continue;
        guest->is_measured = domain->nr_looks && ns;
        if (!guest->is_measured)
            continue;
        guest->wanted = (double)domain->nr_wanted / domain->nr_looks;
        guest->had /= (double)ns;
        XLNUMA_FOR_EACH_NODE(node, balancer->host->nodes)
            guest->had_on[node] /= (double)ns;
    }
}

int xlnuma__balance_measure(struct xlnuma__balancer *balancer, double seconds,
                            char *message)
{
    uint64_t begin = xlnuma__now_ns(), end = begin + (uint64_t)(seconds * 1e9);
    xc_cpuinfo_t *swap;
    uint64_t pause_ns, first_ns, last_ns; /* of the looks */
    int rc = read_idle(balancer, balancer->idle_before, message);

    if (!rc && !balancer->looks_at_all) {
        uint64_t part_ns = (uint64_t)(seconds * 1e9 * FIRST_PART);

        sleep_until(balancer, begin + part_ns, part_ns);
        rc = update_idle(balancer, xlnuma__now_ns() - begin, message);
        swap = balancer->idle_before;
        balancer->idle_before = balancer->idle_now;
        balancer->idle_now = swap;
        begin = xlnuma__now_ns();
    }
    if (rc)
        return rc;
    pause_ns = choose(balancer) ? LOOK_NS : UINT64_MAX;
    first_ns = last_ns = xlnuma__now_ns();
    look_at_all(balancer, true);
    while (sleep_until(balancer, end, pause_ns)) {
        last_ns = xlnuma__now_ns();
        look_at_all(balancer, false);
    }
    finish(balancer, last_ns - first_ns);
    return update_idle(balancer, xlnuma__now_ns() - begin, message);
}
