/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts of 32 and 64 nodes with pairs of nodes without a path, where no search
 * ends: a guest is never unplaced, nor on fewer CPUs than it could have, if sets
 * that are grown here, node by node from each node, hold it. And a plan of many
 * nodes depends on host and request alone.
 */
#include "unit.h"

#include "draw.h"
#include "naive.h"

#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];

/* By what the next node of a set is chosen. */
enum rule { NEAR_FIRST, NEAR_ALL, MOST_ROOM, ANY_NODE, RULES };

static bool has_path(const struct xlnuma_host *host, unsigned from, unsigned to)
{
    return host->distance[from][to] != XLNUMA_DISTANCE_UNREACHABLE;
}

/* The memory of a packed guest that runs on the first node needs paths from there. */
static bool has_paths(const struct xlnuma_host *host, unsigned node,
                      xlnuma_nodeset set, unsigned first, bool is_packed)
{
    unsigned i;

    if (is_packed)
        return has_path(host, first, node);
    XLNUMA_FOR_EACH_NODE(i, set)
        if (!has_path(host, i, node) || !has_path(host, node, i))
            return false;
    return true;
}

static uint64_t rank_of(const struct xlnuma_host *host, unsigned first,
                        xlnuma_nodeset set, unsigned node, enum rule rule)
{
    uint64_t rank = host->distance[first][node];
    unsigned i;

    if (rule == MOST_ROOM)
        return UINT64_MAX - host->node[node].free_kb;
    if (rule == ANY_NODE)
        return (first * 64ull + node) * 0x9E3779B97F4A7C15u;
    XLNUMA_FOR_EACH_NODE(i, rule == NEAR_ALL ? set : 0)
        rank += host->distance[i][node] + host->distance[node][i];
    return rank;
}

/* A set that is grown from `first` until it holds the guest better than `has`. */
static xlnuma_nodeset grow(const struct xlnuma_host *host,
                           const struct xlnuma_request *request, unsigned first,
                           enum rule rule, bool is_packed, enum naive_hold has)
{
    xlnuma_nodeset set = 0;
    unsigned nr_cpus = has == NAIVE_FEW_CPUS ? request->nr_vcpus : 1;
    unsigned next = first, i, cpus = 0;
    uint64_t kb = 0;

    while (next < XLNUMA_NODES_MAX) {
        uint64_t least = UINT64_MAX;

        set |= (xlnuma_nodeset)1 << next;
        kb += host->node[next].free_kb - host->node[next].reserved_kb;
        cpus += xlnuma_cpuset_count(&host->node[next].cpus);
        if (kb >= request->memory_kb && cpus >= nr_cpus &&
            naive_holds(host, request, set) > has)
            return set;
        next = XLNUMA_NODES_MAX;
        XLNUMA_FOR_EACH_NODE(i, host->nodes & request->nodes & ~set) {
            uint64_t rank;

            if (!has_paths(host, i, set, first, is_packed))
                continue;
            rank = rank_of(host, first, set, i, rule);
            if (rank < least) {
                least = rank;
                next = i;
            }
        }
    }
    return 0;
}

/* Unplaced, or with few CPUs, when a set that is grown has all or more? */
static bool could_be_better(const struct xlnuma_host *host,
                            const struct xlnuma_request *request,
                            const struct xlnuma_plan *plan)
{
    enum naive_hold has = naive_holds(host, request, plan->nodes);
    xlnuma_nodeset set;
    unsigned first;
    char nodes[256];

    for (unsigned n = 0; n < 2 * RULES && has < NAIVE_ALL_CPUS; n++)
        XLNUMA_FOR_EACH_NODE(first, host->nodes & request->nodes) {
            if (n % 2 && request->memory != XLNUMA_MEMORY_PACK)
                break;
            set = grow(host, request, first, (enum rule)(n / 2), n % 2, has);
            if (!set)
                continue;
            printf("# %llu KiB, %u vCPUs, %s, %s: nodes %s\n",
                   (unsigned long long)request->memory_kb, request->nr_vcpus,
                   xlnuma__policies[request->policy],
                   xlnuma__memories[request->memory],
                   xlnuma_nodeset_format(set, nodes, sizeof(nodes)));
            return true;
        }
    return false;
}

static void run(unsigned nr_nodes, bool is_odd, enum xlnuma_memory memory,
                unsigned nr_requests)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_plan *plan = xlnuma_plan_new();
    unsigned nr_wrong = 0, nr_unplaced = 0;

    for (unsigned n = 0; n < nr_requests; n++) {
        struct xlnuma_request request;

        if (n % 20 == 0)
            draw_host(host, nr_nodes, DRAW_HOLES, is_odd);
        draw_request(host, &request, false);
        request.wants_alternatives = false;
        request.memory = memory;
        CU_ASSERT_EQUAL_FATAL(xlnuma_plan_make(host, &request, plan, message),
                              0);
        nr_unplaced += plan->status == XLNUMA_STATUS_UNPLACED;
        nr_wrong += could_be_better(host, &request, plan);
    }
    printf("# %u guests, %u unplaced, %u of all could be better\n", nr_requests,
           nr_unplaced, nr_wrong);
    CU_ASSERT_EQUAL(nr_wrong, 0);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

static void spread(void)
{
    draw_seed(77);
    run(32, false, XLNUMA_MEMORY_SPREAD, DRAW_SOME(100));
    run(64, false, XLNUMA_MEMORY_SPREAD, DRAW_SOME(15));
}

static void spread_odd(void)
{
    draw_seed(78);
    run(32, true, XLNUMA_MEMORY_SPREAD, DRAW_SOME(100));
    run(64, true, XLNUMA_MEMORY_SPREAD, DRAW_SOME(15));
}

static void packed(void)
{
    draw_seed(79);
    run(32, false, XLNUMA_MEMORY_PACK, DRAW_SOME(100));
    run(64, false, XLNUMA_MEMORY_PACK, DRAW_SOME(15));
}

static void packed_odd(void)
{
    draw_seed(80);
    run(32, true, XLNUMA_MEMORY_PACK, DRAW_SOME(100));
    run(64, true, XLNUMA_MEMORY_PACK, DRAW_SOME(15));
}

/* What functions that are called next find in variables that they do not set. */
static __attribute__((noinline)) void fill_stack(unsigned char byte)
{
    volatile unsigned char stack[1024 * 1024];

    for (size_t i = 0; i < sizeof(stack); i++)
        stack[i] = byte;
}

static void same_again(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_plan *plan[2] = { xlnuma_plan_new(), xlnuma_plan_new() };
    unsigned nr_differ = 0;

    draw_seed(81);
    for (unsigned n = 0; n < DRAW_SOME(60); n++) {
        struct xlnuma_request request;

        draw_host(host, 24, (enum draw_table)draw(DRAW_TABLES), n % 2);
        draw_request(host, &request, false);
        request.wants_alternatives = false;
        for (unsigned i = 0; i < 2; i++) {
            fill_stack(i ? 0xff : 0);
            CU_ASSERT_EQUAL_FATAL(
                xlnuma_plan_make(host, &request, plan[i], message), 0);
        }
        nr_differ += plan[0]->nodes != plan[1]->nodes ||
                     strcmp(plan[0]->reason, plan[1]->reason);
    }
    CU_ASSERT_EQUAL(nr_differ, 0);
    xlnuma_plan_free(plan[0]);
    xlnuma_plan_free(plan[1]);
    xlnuma_host_free(host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "memory spread", spread },
        { "memory spread, odd nodes too", spread_odd },
        { "memory packed", packed },
        { "memory packed, odd nodes too", packed_odd },
        { "the same host and guest, the same plan", same_again },
        { NULL, NULL },
    };

    return unit_run("paths", tests);
}
