/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPUs of a guest's own, from those that the host has reserved: which are left,
 * which the guest gets, and the plan that goes with them. A pure function of host
 * and request. Does not reserve or pin.
 */
#include "planner/dedicated.h"

#include "model/dedicated.h"
#include "planner/planner.h"

#include <stdio.h>
#include <string.h>

/* --- which are left ------------------------------------------------------- */

/* Of these CPUs, those that may be chosen by numa_threads. */
static void filter(const struct xlnuma_host *host, const xlnuma_cpuset *cpus,
                   enum xlnuma_threads threads, xlnuma_cpuset *usable_r)
{
    *usable_r = *cpus;
    if (threads == XLNUMA_THREADS_PREFER)
        return;
    memset(usable_r, 0, sizeof(*usable_r));
    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++) {
        xlnuma_cpuset core;

        if (!xlnuma_cpuset_has(cpus, cpu) ||
            xlnuma__host_core(host, cpu) != cpu)
            continue;
        xlnuma__host_core_cpus(host, cpu, &core);
        if (!xlnuma_cpuset_is_within(&core, cpus))
            continue; /* not a whole core */
        if (threads == XLNUMA_THREADS_REQUIRE)
            xlnuma_cpuset_or(usable_r, &core);
        else
            xlnuma_cpuset_add(usable_r, cpu);
    }
}

void xlnuma__dedicated_usable(const struct xlnuma_host *host,
                              enum xlnuma_threads threads,
                              xlnuma_cpuset *usable_r)
{
    xlnuma_cpuset left = host->dedicated_cpus;

    xlnuma_cpuset_remove(&left, &host->dedicated_taken);
    filter(host, &left, threads, usable_r);
}

/* --- which the guest gets ------------------------------------------------- */

struct choice {
    const struct xlnuma_host *host;
    xlnuma_cpuset left;
    unsigned nr_all, nr_wanted;           /* CPUs */
    uint16_t nr_left[XLNUMA_CPUS_MAX];    /* of each core, by its lowest CPU */
    unsigned nr_usable[XLNUMA_NODES_MAX]; /* on each node */
    unsigned nr_given[XLNUMA_NODES_MAX], nr_given_all;
    struct {
        uint16_t cpu;
        uint8_t node;
    } given[XLNUMA_CPUS_MAX];
};

static void begin_choice(struct choice *choice)
{
    unsigned node;

    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
        if (xlnuma_cpuset_has(&choice->left, cpu))
            choice->nr_left[xlnuma__host_core(choice->host, cpu)]++;
    XLNUMA_FOR_EACH_NODE(node, choice->host->nodes) {
        choice->nr_usable[node] = xlnuma__cpuset_count_common(
            &choice->left, &choice->host->node[node].cpus);
        choice->nr_all += choice->nr_usable[node];
    }
}

/*
 * The node with CPUs left that is furthest behind its share of the vCPUs; of equals
 * the one that has most.
 */
static unsigned node_behind(const struct choice *choice)
{
    int64_t most = INT64_MIN;
    unsigned node, best = 0;

    XLNUMA_FOR_EACH_NODE(node, choice->host->nodes) {
        int64_t behind = (int64_t)choice->nr_usable[node] * choice->nr_wanted -
                         (int64_t)choice->nr_given[node] * choice->nr_all;

        if (choice->nr_given[node] == choice->nr_usable[node])
            continue;
        if (behind > most || (behind == most && choice->nr_given[node] >
                                                    choice->nr_given[best])) {
            most = behind;
            best = node;
        }
    }
    return best;
}

/* Is a core with `a` CPUs left better than one with `b`, when nr are wanted? */
static bool is_better(unsigned a, unsigned b, unsigned nr)
{
    if ((a <= nr) != (b <= nr))
        return a <= nr;
    return a <= nr ? a > b : a < b;
}

/*
 * The core with the most CPUs left that the guest can use all of; if each has more
 * than it wants, the one with the fewest: whole cores are left for others.
 */
static unsigned best_core(const struct choice *choice, unsigned node)
{
    unsigned nr = choice->nr_wanted - choice->nr_given_all;
    unsigned best = XLNUMA_CPUS_MAX;

    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++) {
        unsigned core;

        if (!xlnuma_cpuset_has(&choice->left, cpu) ||
            !xlnuma_cpuset_has(&choice->host->node[node].cpus, cpu))
            continue;
        core = xlnuma__host_core(choice->host, cpu);
        if (best == XLNUMA_CPUS_MAX ||
            is_better(choice->nr_left[core], choice->nr_left[best], nr))
            best = core;
    }
    return best;
}

static void give_core(struct choice *choice, unsigned node, unsigned core)
{
    xlnuma_cpuset cpus;

    xlnuma__host_core_cpus(choice->host, core, &cpus);
    xlnuma_cpuset_and(&cpus, &choice->left);
    for (unsigned cpu = core;
         cpu < XLNUMA_CPUS_MAX && choice->nr_given_all < choice->nr_wanted;
         cpu++) {
        if (!xlnuma_cpuset_has(&cpus, cpu))
            continue;
        xlnuma_cpuset_drop(&choice->left, cpu);
        choice->nr_left[core]--;
        choice->nr_given[node]++;
        choice->given[choice->nr_given_all].cpu = (uint16_t)cpu;
        choice->given[choice->nr_given_all++].node = (uint8_t)node;
    }
}

void xlnuma__dedicated_choose(const struct xlnuma_host *host,
                              const xlnuma_cpuset *usable, unsigned nr,
                              uint16_t cpu_r[])
{
    struct choice choice = { .host = host, .left = *usable, .nr_wanted = nr };
    unsigned node, vcpu = 0;

    begin_choice(&choice);
    while (choice.nr_given_all < nr) {
        node = node_behind(&choice);
        give_core(&choice, node, best_core(&choice, node));
    }
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        for (unsigned i = 0; i < nr; i++)
            if (choice.given[i].node == node)
                cpu_r[vcpu++] = choice.given[i].cpu;
}

char *xlnuma__dedicated_format(const struct xlnuma_plan *plan, char *buf,
                               size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (unsigned i = 0; i < plan->nr_dedicated; i++) {
        char text[16];
        size_t length = (size_t)snprintf(text, sizeof(text), "%s%u",
                                         i ? "," : "", plan->cpu[i]);

        if (used + length + sizeof("...") > size) {
            snprintf(buf + used, size - used, "...");
            break;
        }
        memcpy(buf + used, text, length + 1);
        used += length;
    }
    return buf;
}

/* --- the plan ------------------------------------------------------------- */

/* "node 2 has 1 of 4, node 3 has 0 of 4". */
static void say_left(const struct xlnuma_host *host,
                     enum xlnuma_threads threads, struct xlnuma_plan *plan)
{
    xlnuma_cpuset usable, all;
    const char *before = ": ";
    unsigned node;

    filter(host, &host->dedicated_cpus, threads, &all);
    xlnuma__dedicated_usable(host, threads, &usable);
    XLNUMA_FOR_EACH_NODE(node, host->nodes) {
        const xlnuma_cpuset *cpus = &host->node[node].cpus;

        if (!xlnuma_cpuset_intersects(cpus, &host->dedicated_cpus))
            continue;
        xlnuma__say(plan->reason, "%snode %u has %u of %u", before, node,
                    xlnuma__cpuset_count_common(cpus, &usable),
                    xlnuma__cpuset_count_common(cpus, &all));
        before = ", ";
    }
}

/* Of one, of several. */
static const char *unit(enum xlnuma_threads threads, unsigned nr)
{
    static const char *const units[][2] = {
        [XLNUMA_THREADS_PREFER] = { "CPU", "CPUs" },
        [XLNUMA_THREADS_ISOLATE] = { "whole core", "whole cores" },
        [XLNUMA_THREADS_REQUIRE] = { "CPU in a whole core",
                                     "CPUs in whole cores" },
    };

    return units[threads][nr != 1];
}

static void refuse(const struct xlnuma_host *host,
                   const struct xlnuma_request *wanted,
                   struct xlnuma_plan *plan)
{
    xlnuma__plan_clear(wanted, plan);
    plan->status = XLNUMA_STATUS_UNPLACED;
    if (!xlnuma_cpuset_count(&host->dedicated_cpus)) {
        xlnuma__say(
            plan->reason,
            "numa_cpus is \"dedicated\", but this host has no dedicated "
            "CPUs: set them in xl-numa.conf (such as "
            "numa_dedicated_cpus=\"4-7\") and run \"xl numa-placement "
            "reserve\"");
        return;
    }
    xlnuma__say(plan->reason,
                "numa_cpus is \"dedicated\": %u %s %s needed, %u more than are "
                "free",
                wanted->nr_vcpus, unit(wanted->threads, wanted->nr_vcpus),
                wanted->nr_vcpus == 1 ? "is" : "are",
                wanted->nr_vcpus - xlnuma_cpuset_count(&wanted->cpus));
    say_left(host, wanted->threads, plan);
}

/* The guest may use `cpus` alone, which are still to be set. */
static void pin(struct xlnuma_request *request)
{
    request->affinity = XLNUMA_AFFINITY_HARD;
    request->has_own_affinity = false;
    request->has_cpus = true;
}

/* The alternatives of an earlier plan, but for the set that this one has. */
static void take_alternatives(const struct xlnuma_alternative other[],
                              unsigned nr, struct xlnuma_plan *plan)
{
    plan->nr_alternatives = 0;
    for (unsigned i = 0; i < nr; i++)
        if (other[i].nodes != plan->nodes)
            plan->alternative[plan->nr_alternatives++] = other[i];
}

void xlnuma__dedicated_set(const uint16_t cpu[], unsigned nr,
                           xlnuma_cpuset *cpus_r)
{
    memset(cpus_r, 0, sizeof(*cpus_r));
    for (unsigned i = 0; i < nr; i++)
        xlnuma_cpuset_add(cpus_r, cpu[i]);
}

/* The same with the CPUs that the guest gets alone: memory goes by these. */
static int plan_again(const struct xlnuma_host *host,
                      struct xlnuma_request *wanted, struct xlnuma_plan *plan,
                      char *message)
{
    struct xlnuma_alternative other[XLNUMA_ALTERNATIVES_MAX];
    unsigned nr = plan->nr_alternatives;
    int rc;

    memcpy(other, plan->alternative, sizeof(other));
    xlnuma__dedicated_choose(host, &plan->soft_cpus, wanted->nr_vcpus,
                             plan->cpu);
    xlnuma__dedicated_set(plan->cpu, wanted->nr_vcpus, &wanted->cpus);
    wanted->wants_alternatives = false;
    rc = xlnuma_plan_make(host, wanted, plan, message);
    if (rc || plan->status != XLNUMA_STATUS_PLACED)
        return rc;
    plan->nr_dedicated = wanted->nr_vcpus;
    plan->threads = wanted->threads;
    take_alternatives(other, nr, plan);
    return 0;
}

void xlnuma__dedicated_request(const struct xlnuma_request *request,
                               const struct xlnuma_plan *plan,
                               struct xlnuma_request *pinned_r)
{
    *pinned_r = *request;
    pin(pinned_r);
    xlnuma__dedicated_set(plan->cpu, plan->nr_dedicated, &pinned_r->cpus);
}

void xlnuma__dedicated_say(struct xlnuma_plan *plan)
{
    char cpus[128];

    if (plan->nr_dedicated)
        xlnuma__say(plan->reason, "; its vCPUs get the CPUs %s",
                    xlnuma__dedicated_format(plan, cpus, sizeof(cpus)));
}

int xlnuma__plan_dedicated(const struct xlnuma_host *host,
                           const struct xlnuma_request *request,
                           struct xlnuma_plan *plan, char *message)
{
    struct xlnuma_request wanted = *request;
    int rc;

    *message = '\0';
    /* All of its vCPUs, on CPUs that are left. */
    wanted.nr_vcpus = xlnuma__limit_vcpus(request);
    pin(&wanted);
    xlnuma__dedicated_usable(host, request->threads, &wanted.cpus);
    if (xlnuma_cpuset_count(&wanted.cpus) < wanted.nr_vcpus) {
        refuse(host, &wanted, plan);
        return 0;
    }
    rc = xlnuma_plan_make(host, &wanted, plan, message);
    if (!rc && plan->status == XLNUMA_STATUS_PLACED)
        return plan_again(host, &wanted, plan, message);
    if (!rc && plan->status == XLNUMA_STATUS_UNPLACED) {
        xlnuma__say(plan->reason, "; dedicated %s that are free",
                    unit(wanted.threads, 2));
        say_left(host, wanted.threads, plan);
    }
    return rc;
}
