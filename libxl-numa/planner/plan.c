/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From host and request to the plan: what is searched for, what the chosen set
 * gives, and what the user's settings exclude. A pure function of both.
 */
#include "planner/planner.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int check_request(const struct xlnuma_host *host,
                         const struct xlnuma_request *request, char *message)
{
    if (!request->memory_kb || request->memory_kb > INT64_MAX)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": memory of %" PRIu64 " KiB",
                            request->name, request->memory_kb);
    if (!request->nr_vcpus)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": no vCPUs", request->name);
    if (!(host->nodes & request->nodes))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": none of the nodes it may use exists "
                            "on this host",
                            request->name);
    return 0;
}

/* --- what is searched for ------------------------------------------------------ */

/* Could so many sockets have the cores that are wanted? */
static bool have_cores(const struct xlnuma__table *table, unsigned nr_sockets,
                       unsigned nr_cores)
{
    uint64_t cores[XLNUMA_NODES_MAX];
    unsigned nr = 0, i;

    for (unsigned first = 0; first < table->nr; first++) {
        uint64_t mates = table->socket_mates[first];

        if (xlnuma_nodeset_first(mates) != first)
            continue;
        cores[nr] = 0;
        XLNUMA_FOR_EACH_NODE(i, mates)
            cores[nr] += table->candidate[i].nr_cores;
        nr++;
    }
    return xlnuma__fewest(cores, nr, nr_cores) <= nr_sockets;
}

/* As many cores as vCPUs, if that costs no further socket. */
static void choose_cores(struct xlnuma__planning *planning)
{
    struct xlnuma__table *table = &planning->table;
    struct xlnuma__need *need = &planning->need;
    struct xlnuma__judged *best = &planning->found.best;
    struct xlnuma__found with_cores;
    unsigned nr_cores =
        table->nr_cores < need->nr_vcpus ? table->nr_cores : need->nr_vcpus;

    need->nr_cores = nr_cores;
    if (best->nr_cores >= nr_cores)
        return;
    with_cores.is_found = false;
    need->max_sockets = best->nr_sockets;
    if (have_cores(table, best->nr_sockets, nr_cores))
        xlnuma__search(table, need, &with_cores);
    need->max_sockets = XLNUMA_NODES_MAX;
    if (with_cores.is_found)
        planning->found = with_cores;
    else
        need->nr_cores = 0;
}

/*
 * The best set with as many CPUs as vCPUs; if there is none, and that will do, any
 * that holds the memory.
 */
static void choose(struct xlnuma__planning *planning,
                   const struct xlnuma_host *host,
                   const struct xlnuma_request *request, bool needs_cpus)
{
    planning->device_nodes = xlnuma__candidates_fill(&planning->table, host,
                                                     request, &planning->need);
    xlnuma__search(&planning->table, &planning->need, &planning->found);
    if (planning->found.is_found) {
        if (request->cpu_policy == XLNUMA_CPUS_SHARED)
            choose_cores(planning);
    } else if (!needs_cpus) {
        planning->need.nr_cpus = 1;
        xlnuma__search(&planning->table, &planning->need, &planning->found);
    }
}

/*
 * With numa_hotplug = "limits" a set for what the guest may grow to comes first.
 * Returns false when there is none: the plan is then for what the guest takes now,
 * or for none.
 */
static bool choose_for_limits(struct xlnuma__planning *planning,
                              const struct xlnuma_host *host,
                              const struct xlnuma_request *request)
{
    struct xlnuma_request grown = *request;

    grown.memory_kb = xlnuma__limit_kb(request);
    grown.nr_vcpus = xlnuma__limit_vcpus(request);
    choose(planning, host, &grown, true);
    return planning->found.is_found;
}

/* --- from the chosen set to the plan ------------------------------------------- */

/* Of the set's CPUs those that the guest may use. */
static void fill_cpus(const struct xlnuma_host *host,
                      const struct xlnuma_request *request,
                      xlnuma_nodeset nodes, xlnuma_cpuset *cpus_r)
{
    xlnuma__host_cpus(host, nodes, cpus_r);
    if (request->has_cpus)
        xlnuma_cpuset_and(cpus_r, &request->cpus);
}

static void fill_nodes(struct xlnuma__planning *planning,
                       struct xlnuma_plan *plan)
{
    const struct xlnuma__table *table = &planning->table;
    const struct xlnuma_request *request = planning->request;
    uint64_t share_kb[XLNUMA_NODES_MAX];
    struct xlnuma__need now = planning->need;
    struct xlnuma__judged set;
    xlnuma_nodeset with_cpus = 0;
    unsigned i;

    now.memory_kb = request->memory_kb;
    xlnuma__judge(table, &now, planning->found.best.set, &set);
    xlnuma__shares(table, &now, &set, share_kb);
    XLNUMA_FOR_EACH_NODE(i, set.set) {
        const struct xlnuma__candidate *candidate = &table->candidate[i];

        plan->memory_kb[candidate->id] = share_kb[i];
        if (share_kb[i] > candidate->high_kb)
            plan->low_kb[candidate->id] = share_kb[i] - candidate->high_kb;
        if ((set.cpus_of >> i) & 1)
            with_cpus |= (xlnuma_nodeset)1 << candidate->id;
    }
    plan->nodes = set.nodes;
    plan->memory_nodes = set.nodes & request->nodes;
    plan->can_grow = set.can_grow;
    fill_cpus(table->host, request, with_cpus, &plan->soft_cpus);
    xlnuma__plan_hard_cpus(plan, table->host, request);
    plan->expected_distance = xlnuma__memory_distance(table, &now, &set);
    plan->device_distance =
        xlnuma__device_distance(table->host, request, plan, plan->memory_kb);
}

/* The mean distance of memory that lies so, from the plan's CPUs. */
static double distance_of(const struct xlnuma_plan *plan,
                          const struct xlnuma_host *host,
                          const uint64_t memory_kb[])
{
    double sum = 0, all_kb = 0;
    unsigned nr_cpus = xlnuma_cpuset_count(&plan->soft_cpus), i, j;

    XLNUMA_FOR_EACH_NODE(j, plan->nodes)
        all_kb += (double)memory_kb[j];
    XLNUMA_FOR_EACH_NODE(i, host->nodes) { /* CPUs may be elsewhere */
        unsigned nr =
            xlnuma__cpuset_count_common(&host->node[i].cpus, &plan->soft_cpus);

        XLNUMA_FOR_EACH_NODE(j, plan->nodes)
            sum += (double)memory_kb[j] * host->distance[i][j] * nr;
    }
    return nr_cpus && all_kb > 0 ? sum / nr_cpus / all_kb : 0;
}

void xlnuma__plan_follow(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, const uint64_t actual_kb[])
{
    xlnuma_cpuset soft_cpus;

    nodes &= host->nodes;
    fill_cpus(host, request, nodes, &soft_cpus);
    /* Memory without a CPU: the vCPUs stay where they were planned. */
    if (nodes != plan->nodes && !plan->nr_dedicated &&
        xlnuma_cpuset_count(&soft_cpus))
        plan->soft_cpus = soft_cpus;
    if (nodes != plan->nodes)
        plan->nodes = plan->memory_nodes = nodes;
    xlnuma__plan_hard_cpus(plan, host, request);
    plan->expected_distance = distance_of(plan, host, actual_kb);
    plan->device_distance =
        xlnuma__device_distance(host, request, plan, actual_kb);
}

/* --- words behind the reason --------------------------------------------------- */

/* The search was given up: how much nearer another set might be. */
static void say_open(const struct xlnuma__planning *planning,
                     struct xlnuma_plan *plan)
{
    const struct xlnuma__found *found = &planning->found;
    double gap;

    plan->least_distance = plan->expected_distance;
    if (found->is_nearest)
        return;
    gap = xlnuma__distance_of(&found->best, &planning->need) -
          planning->table.least - found->least_excess;
    if (gap > 0)
        plan->least_distance -= gap / planning->table.scale;
    xlnuma__say(plan->reason,
                "; not proven to be the nearest, but none is below %.2f",
                plan->least_distance);
}

/* A set that lacks only what builds in flight have reserved. */
static void say_reserved(const struct xlnuma_host *host,
                         struct xlnuma_plan *plan)
{
    char nodes[XLNUMA__NODES_WORDS], reserved[32];

    for (unsigned i = 0; i < plan->nr_alternatives; i++) {
        const struct xlnuma_alternative *other = &plan->alternative[i];
        uint64_t reserved_kb = 0;
        unsigned node;

        XLNUMA_FOR_EACH_NODE(node, other->nodes)
            reserved_kb += host->node[node].reserved_kb;
        if (other->why != XLNUMA_WHY_NOT_MEMORY ||
            other->short_kb > reserved_kb)
            continue;
        xlnuma__say(plan->reason,
                    "; of the memory of %s builds in flight have reserved %s",
                    xlnuma__nodes_in_words(other->nodes, nodes),
                    xlnuma__mib(reserved_kb, reserved));
        return;
    }
}

static void say_behind(const struct xlnuma__planning *planning, bool has_limits,
                       struct xlnuma_plan *plan)
{
    char nodes[XLNUMA__NODES_WORDS], text[32];

    if (planning->found.best.low_kb)
        xlnuma__say(plan->reason,
                    "; %s of it is low memory, as there is no other",
                    xlnuma__mib(planning->found.best.low_kb, text));
    if (planning->request->hotplug == XLNUMA_HOTPLUG_LIMITS && !has_limits)
        xlnuma__say(plan->reason,
                    "; no set of nodes holds maxmem and maxvcpus (%s, %u)",
                    xlnuma__mib(plan->limit_kb, text), plan->limit_vcpus);
    say_reserved(planning->table.host, plan);
    if (plan->device_nodes)
        xlnuma__say(plan->reason,
                    "; its PCI devices are on %s, at distance %.2f",
                    xlnuma__nodes_in_words(plan->device_nodes, nodes),
                    plan->device_distance);
    say_open(planning, plan);
}

/* --- what the user's settings exclude ------------------------------------------ */

/* What keeps the guest from one of the nodes, if something does. */
static bool is_excluded(const struct xlnuma_host *host,
                        const struct xlnuma_request *request,
                        xlnuma_nodeset nodes, enum xlnuma_why_not *why_r)
{
    unsigned i;

    *why_r = XLNUMA_WHY_NOT_NODES;
    if (nodes & ~request->nodes)
        return true;
    *why_r = XLNUMA_WHY_NOT_AFFINITY;
    XLNUMA_FOR_EACH_NODE(i, nodes)
        if (xlnuma_cpuset_count(&host->node[i].cpus) &&
            !xlnuma__allowed_cpus(&host->node[i], request))
            return true;
    return false;
}

/*
 * The best set without the settings, if they exclude it: for a guest that is
 * placed if it is as near, in place of an alternative that lacks what they take.
 */
static void explain_excluded(const struct xlnuma_host *host,
                             const struct xlnuma_request *request,
                             struct xlnuma_plan *plan)
{
    struct xlnuma_alternative excluded = { .short_kb = 0 };
    struct xlnuma_request free_request = *request;
    struct xlnuma__planning wide;
    unsigned n = 0;

    free_request.nodes = XLNUMA_NODES_ALL;
    free_request.has_cpus = false;
    choose(&wide, host, &free_request, false);
    if (!wide.found.is_found)
        return;
    excluded.nodes = wide.found.best.nodes;
    excluded.expected_distance =
        xlnuma__memory_distance(&wide.table, &wide.need, &wide.found.best);
    if (!is_excluded(host, request, excluded.nodes, &excluded.why) ||
        excluded.nodes == plan->nodes ||
        (plan->status == XLNUMA_STATUS_PLACED &&
         excluded.expected_distance > plan->expected_distance))
        return;
    while (n < plan->nr_alternatives &&
           plan->alternative[n].nodes != excluded.nodes)
        n++;
    plan->alternative[n] = excluded;
    if (n == plan->nr_alternatives)
        plan->nr_alternatives++;
    if (plan->status == XLNUMA_STATUS_UNPLACED)
        xlnuma__say_excluded(&excluded, plan);
}

/* --- all of it ----------------------------------------------------------------- */

void xlnuma__plan_clear(const struct xlnuma_request *request,
                        struct xlnuma_plan *plan)
{
    /* guest_node and cpu are large, and the plan has none yet. */
    memset(plan, 0, offsetof(struct xlnuma_plan, guest_node));
    memcpy(plan->guest, request->name,
           strnlen(request->name, sizeof(plan->guest) - 1));
    plan->needed_kb = request->memory_kb;
    plan->limit_kb = xlnuma__limit_kb(request);
    plan->limit_vcpus = xlnuma__limit_vcpus(request);
    plan->has_limits = plan->limit_kb > request->memory_kb ||
                       plan->limit_vcpus > request->nr_vcpus;
    plan->policy = request->policy;
    plan->memory = request->memory;
}

/* May the guest use less than all the host? */
static bool has_filters(const struct xlnuma_host *host,
                        const struct xlnuma_request *request)
{
    return request->has_cpus || host->nodes & ~request->nodes;
}

static void make_plan(struct xlnuma__planning *planning,
                      const struct xlnuma_host *host, struct xlnuma_plan *plan)
{
    const struct xlnuma_request *request = planning->request;
    bool for_limits = request->hotplug == XLNUMA_HOTPLUG_LIMITS;
    bool has_limits = for_limits && choose_for_limits(planning, host, request);
    bool is_filtered = has_filters(host, request);
    bool needs_cpus = request->cpu_policy == XLNUMA_CPUS_DEDICATED;

    if (!has_limits && !(for_limits && xlnuma__is_strict(request->policy)))
        choose(planning, host, request, needs_cpus);
    plan->device_nodes = planning->device_nodes;
    if (!planning->found.is_found) {
        plan->status = XLNUMA_STATUS_UNPLACED;
        xlnuma__explain_lack(planning, plan);
        say_reserved(host, plan);
        if (is_filtered)
            explain_excluded(host, request, plan);
        return;
    }
    plan->status = XLNUMA_STATUS_PLACED;
    fill_nodes(planning, plan);
    if (request->wants_alternatives)
        xlnuma__explain(planning, plan);
    if (request->wants_alternatives && is_filtered)
        explain_excluded(host, request, plan);
    xlnuma__say_placed(planning, plan);
    say_behind(planning, has_limits, plan);
}

int xlnuma_plan_make(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     struct xlnuma_plan *plan_r, char *message)
{
    struct xlnuma__planning *planning;
    xlnuma_cpuset cpus;
    int rc;

    *message = '\0';
    xlnuma__plan_clear(request, plan_r);
    rc = check_request(host, request, message);
    if (rc)
        return rc;
    fill_cpus(host, request, host->nodes, &cpus);
    if (!xlnuma_cpuset_count(&cpus))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": none of the CPUs it may use is "
                            "online",
                            request->name);
    if (request->policy == XLNUMA_POLICY_NONE) {
        plan_r->status = XLNUMA_STATUS_OFF;
        xlnuma__say(plan_r->reason, "policy none: left to stock libxl");
        return 0;
    }
    planning = malloc(sizeof(*planning)); /* only what is used is written */
    if (!planning)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    planning->request = request;
    make_plan(planning, host, plan_r);
    free(planning);
    return 0;
}
