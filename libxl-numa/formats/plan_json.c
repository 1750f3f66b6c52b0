/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan and its reasons as JSON (docs/plan-format.md). Does not read plans. */
#include "formats/json.h"
#include "formats/parts.h"

#include <stdio.h>

#define FORMAT "xlnuma-plan"
#define FORMAT_VERSION 1

static void write_nodes(yajl_gen gen, const struct xlnuma_host *host,
                        const struct xlnuma_plan *plan)
{
    unsigned i;

    xlnuma__json_key_array(gen, "nodes");
    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        xlnuma_cpuset of_node = host->node[i].cpus;

        xlnuma_cpuset_and(&of_node, &plan->soft_cpus);
        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", i);
        xlnuma__json_key_number(gen, "memory_kb", plan->memory_kb[i]);
        if (plan->low_kb[i])
            xlnuma__json_key_number(gen, "low_kb", plan->low_kb[i]);
        xlnuma__json_key_cpus(gen, "cpus", &of_node);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

/* What the guest may grow to, if that is more than it has. */
static void write_limits(yajl_gen gen, const struct xlnuma_plan *plan)
{
    if (!plan->has_limits)
        return;
    xlnuma__json_key_number(gen, "limit_kb", plan->limit_kb);
    xlnuma__json_key_number(gen, "limit_vcpus", plan->limit_vcpus);
    if (plan->status == XLNUMA_STATUS_PLACED) {
        xlnuma__json_key(gen, "can_grow");
        yajl_gen_bool(gen, plan->can_grow);
    }
}

static void write_alternative(yajl_gen gen,
                              const struct xlnuma_alternative *alternative)
{
    yajl_gen_map_open(gen);
    xlnuma__json_key_nodes(gen, "nodes", alternative->nodes);
    xlnuma__json_key_distance(gen, "expected_distance",
                              alternative->expected_distance);
    xlnuma__json_key_string(gen, "why_not", xlnuma__why_nots[alternative->why]);
    if (alternative->short_kb)
        xlnuma__json_key_number(gen, "short_kb", alternative->short_kb);
    if (alternative->short_cpus)
        xlnuma__json_key_number(gen, "short_cpus", alternative->short_cpus);
    yajl_gen_map_close(gen);
}

static void write_alternatives(yajl_gen gen, const struct xlnuma_plan *plan)
{
    xlnuma__json_key_array(gen, "alternatives");
    for (unsigned i = 0; i < plan->nr_alternatives; i++)
        write_alternative(gen, &plan->alternative[i]);
    yajl_gen_array_close(gen);
}

static void write_vnode(yajl_gen gen, const struct xlnuma_plan *plan,
                        unsigned n)
{
    const struct xlnuma_guest_node *node = &plan->guest_node[n];
    char vcpus[XLNUMA_GUEST_VCPUS_MAX * 4];

    yajl_gen_map_open(gen);
    xlnuma__json_key_number(gen, "id", n);
    xlnuma__json_key_number(gen, "node", node->node);
    xlnuma__json_key_number(gen, "memory_kb", node->memory_kb);
    xlnuma__json_key_string(
        gen, "vcpus", xlnuma__vcpus_format(node->vcpus, vcpus, sizeof(vcpus)));
    xlnuma__json_key_array(gen, "distances");
    for (unsigned m = 0; m < plan->nr_guest_nodes; m++)
        yajl_gen_integer(gen, node->distance[m]);
    yajl_gen_array_close(gen);
    yajl_gen_map_close(gen);
}

/* Only where the guest was to see several. */
static void write_vnodes(yajl_gen gen, const struct xlnuma_plan *plan)
{
    if (*plan->vnodes_reason)
        xlnuma__json_key_string(gen, "guest_nodes_reason", plan->vnodes_reason);
    if (!plan->nr_guest_nodes)
        return;
    xlnuma__json_key_array(gen, "guest_nodes");
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
        write_vnode(gen, plan, n);
    yajl_gen_array_close(gen);
}

static void write_dedicated(yajl_gen gen, const struct xlnuma_plan *plan)
{
    if (!plan->nr_dedicated)
        return;
    xlnuma__json_key_array(gen, "cpus");
    for (unsigned i = 0; i < plan->nr_dedicated; i++)
        yajl_gen_integer(gen, plan->cpu[i]);
    yajl_gen_array_close(gen);
}

/* All but the format. */
static void write_plan(yajl_gen gen, const struct xlnuma_host *host,
                       const struct xlnuma_plan *plan)
{
    xlnuma__json_key_string(gen, "guest", plan->guest);
    xlnuma__json_key_string(gen, "status", xlnuma__statuses[plan->status]);
    xlnuma__json_key_string(gen, "policy", xlnuma__policies[plan->policy]);
    xlnuma__json_key_string(gen, "memory", xlnuma__memories[plan->memory]);
    xlnuma__json_key_number(gen, "needed_kb", plan->needed_kb);
    write_limits(gen, plan);
    write_nodes(gen, host, plan);
    if (plan->status == XLNUMA_STATUS_PLACED) {
        xlnuma__json_key_distance(gen, "expected_distance",
                                  plan->expected_distance);
        if (plan->least_distance < plan->expected_distance)
            xlnuma__json_key_distance(gen, "least_distance",
                                      plan->least_distance);
        if (plan->device_nodes) {
            xlnuma__json_key_nodes(gen, "device_nodes", plan->device_nodes);
            xlnuma__json_key_distance(gen, "device_distance",
                                      plan->device_distance);
        }
        xlnuma__json_key_cpus(gen, "soft_cpus", &plan->soft_cpus);
        if (plan->has_hard_cpus)
            xlnuma__json_key_cpus(gen, "hard_cpus", &plan->hard_cpus);
        write_dedicated(gen, plan);
        write_vnodes(gen, plan);
    }
    xlnuma__json_key_string(gen, "reason", plan->reason);
    write_alternatives(gen, plan);
}

void xlnuma__plan_generate(const struct xlnuma_host *host,
                           const struct xlnuma_plan *plan, yajl_gen gen)
{
    xlnuma__json_open(gen, FORMAT, FORMAT_VERSION);
    write_plan(gen, host, plan);
    yajl_gen_map_close(gen);
}

int xlnuma_plan_write(const struct xlnuma_host *host,
                      const struct xlnuma_plan *plan, FILE *file, char *message)
{
    yajl_gen gen = xlnuma__json_begin(FORMAT, FORMAT_VERSION);

    if (gen)
        write_plan(gen, host, plan);
    return xlnuma__json_end(gen, file, message);
}
