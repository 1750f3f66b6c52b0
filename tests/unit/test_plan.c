/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner/cost.c, planner/plan.c, formats/plan_json.c */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];

static const uint64_t lab_mib[4] = { 2657, 1011, 2250, 2300 };

/* Plan a guest; the plan is static. */
static const struct xlnuma_plan *plan_with(const struct xlnuma_host *host,
                                           const struct xlnuma_request *request)
{
    static struct xlnuma_plan plan;

    CU_ASSERT_EQUAL_FATAL(xlnuma_plan_make(host, request, &plan, message), 0);
    CU_ASSERT_STRING_EQUAL(message, "");
    return &plan;
}

static struct xlnuma_request request_of(uint64_t mib, unsigned nr_vcpus)
{
    struct xlnuma_request request;

    xlnuma_request_init(&request);
    request.memory_kb = mib * 1024;
    request.nr_vcpus = nr_vcpus;
    return request;
}

static bool is_about(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void siblings(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(4320, 2);
    const struct xlnuma_plan *plan = plan_with(host, &request);
    char text[32];

    CU_ASSERT_EQUAL(plan->status, XLNUMA_STATUS_PLACED);
    CU_ASSERT_EQUAL(plan->nodes, 0xc);
    CU_ASSERT_EQUAL(plan->memory_kb[2], 2160 * 1024);
    CU_ASSERT_EQUAL(plan->memory_kb[3], 2160 * 1024);
    CU_ASSERT(is_about(plan->expected_distance, 10.5));
    CU_ASSERT_STRING_EQUAL(
        xlnuma_cpuset_format(&plan->soft_cpus, text, sizeof(text)), "4-7");
    xlnuma_host_free(host);
}

static void alternatives(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(4320, 2);
    const struct xlnuma_plan *plan = plan_with(host, &request);
    bool has_pair = false, has_farther = false;

    for (unsigned i = 0; i < plan->nr_alternatives; i++) {
        const struct xlnuma_alternative *a = &plan->alternative[i];

        if (a->nodes == 0x3) { /* 4320 - 2657 - 1011 = 652 */
            CU_ASSERT_EQUAL(a->why, XLNUMA_WHY_NOT_MEMORY);
            CU_ASSERT_EQUAL(a->short_kb, 652 * 1024);
            has_pair = true;
        }
        if (a->nodes == 0xe) { /* node 1 gives 1011, the others 1654.5 each */
            CU_ASSERT_EQUAL(a->why, XLNUMA_WHY_NOT_FARTHER);
            CU_ASSERT(
                is_about(a->expected_distance,
                         (1011 * (10 + 21 + 21) + 2 * 1654.5 * (21 + 10 + 11)) /
                             3 / 4320));
            has_farther = true;
        }
    }
    CU_ASSERT(has_pair);
    CU_ASSERT(has_farther);
    CU_ASSERT_EQUAL(plan->alternative[0].nodes, 0x1); /* nearest, roomiest */
    CU_ASSERT_EQUAL(plan->alternative[0].short_kb, (4320 - 2657) * 1024);
    xlnuma_host_free(host);
}

static void small_guest(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(1500, 2);
    const struct xlnuma_plan *plan = plan_with(host, &request);

    CU_ASSERT_EQUAL(plan->nodes, 0x4); /* the tightest of 0, 2, 3 */
    CU_ASSERT_EQUAL(plan->memory_kb[2], 1500 * 1024);
    host->node[2].load_mvcpu = 1000; /* busier: the next tightest, node 3 */
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x8);
    /* With the guest (20.1 + 2) / 2, below 14/13 of 82.1 / 8: level. */
    for (unsigned i = 0; i < 4; i++)
        host->node[i].load_mvcpu = 20000;
    host->node[2].load_mvcpu = 20100;
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x4);
    /* (21 + 2) / 2 is above 14/13 of 83 / 8, (20 + 2) / 2 is not. */
    host->node[2].load_mvcpu = 21000;
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x8);
    xlnuma_host_free(host);
}

static void more_vcpus_than_a_node(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(500, 4);

    /* Two nodes of 2 CPUs; the tighter pair. More than all there are: all. */
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x3);
    request.nr_vcpus = 16;
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0xf);
    xlnuma_host_free(host);
}

static void cores_within_the_socket(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(500, 2);

    for (unsigned i = 0; i < 4; i++)
        host->node[i].nr_cores = 1;
    /* Two cores cost a second node of the socket: taken. */
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x3);
    /* Four cores would cost the other socket: not worth it. */
    request.nr_vcpus = 4;
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x3);
    xlnuma_host_free(host);
}

static void uneven_room(void)
{
    struct xlnuma_host *host = unit_host(2, 2, lab_mib);
    struct xlnuma_request request = request_of(3000, 2);
    const struct xlnuma_plan *plan = plan_with(host, &request);

    /* Node 1 has less than its half: it gives what it has. */
    CU_ASSERT_EQUAL(plan->memory_kb[1], 1011 * 1024);
    CU_ASSERT_EQUAL(plan->memory_kb[0], 1989 * 1024);
    request.memory = XLNUMA_MEMORY_PACK;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->memory_kb[0], 2657 * 1024);
    CU_ASSERT_EQUAL(plan->memory_kb[1], 343 * 1024);
    xlnuma_host_free(host);
}

/* Of node 0's 2657 MiB 1980 are low, as on the lab's host: 677 are not. */
static struct xlnuma_host *low_host(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);

    host->node[0].low_free_kb = 1980 * 1024;
    return host;
}

static void low_memory_last(void)
{
    struct xlnuma_host *host = low_host();
    struct xlnuma_request request = request_of(1400, 4);
    const struct xlnuma_plan *plan;

    /* Four vCPUs need two nodes. Not in halves: node 1 has other memory. */
    request.nodes = 0x3;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x3);
    CU_ASSERT_EQUAL(plan->memory_kb[0], 677 * 1024);
    CU_ASSERT_EQUAL(plan->memory_kb[1], (1400 - 677) * 1024);
    CU_ASSERT_EQUAL(plan->low_kb[0], 0);
    CU_ASSERT_PTR_NULL(strstr(plan->reason, "low memory"));
    /* 677 + 1011 = 1688 MiB: what is missing is low, rather than elsewhere. */
    request = request_of(2000, 4);
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0xc); /* which is as near and needs none */
    host->node[2].free_kb = host->node[3].free_kb = 990 * 1024;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x3);
    CU_ASSERT_EQUAL(plan->memory_kb[0], 989 * 1024);
    CU_ASSERT_EQUAL(plan->memory_kb[1], 1011 * 1024);
    CU_ASSERT_EQUAL(plan->low_kb[0], 312 * 1024);
    CU_ASSERT_EQUAL(plan->low_kb[1], 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(plan->reason, "312 MiB of it is low memory"));
    /* Packed: 677 of node 0 and 1011 of node 1, and then low memory. */
    request.memory = XLNUMA_MEMORY_PACK;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->memory_kb[0], 989 * 1024);
    CU_ASSERT_EQUAL(plan->low_kb[0], 312 * 1024);
    request.memory_kb = 1000 * 1024;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0xc); /* 990 and 10: tighter than 0-1 */
    CU_ASSERT_EQUAL(plan->memory_kb[2] + plan->memory_kb[3], 1000 * 1024);
    request.nodes = 0x3;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->memory_kb[0], 677 * 1024);
    CU_ASSERT_EQUAL(plan->memory_kb[1], (1000 - 677) * 1024);
    xlnuma_host_free(host);
}

static void low_memory_of_equal_sets(void)
{
    struct xlnuma_host *host = low_host();
    struct xlnuma_request request = request_of(1500, 2);
    const struct xlnuma_plan *plan;
    bool has_low = false;

    /* However busy, node 2 and node 3 are as near and need no low memory. */
    host->node[2].load_mvcpu = host->node[3].load_mvcpu = 9000;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x4);
    for (unsigned i = 0; i < plan->nr_alternatives; i++)
        has_low |= plan->alternative[i].nodes == 0x1 &&
                   plan->alternative[i].why == XLNUMA_WHY_NOT_LOW;
    CU_ASSERT(has_low);
    /* Taken before the guest is put on two nodes. */
    host->node[2].free_kb = host->node[3].free_kb = 1400 * 1024;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x1);
    CU_ASSERT_EQUAL(plan->low_kb[0], (1500 - 677) * 1024);
    xlnuma_host_free(host);
}

/*
 * Of node 2's 2250 MiB 1500 are reserved, of node 3's 2300 none; 1200 MiB would
 * fit tightest on node 2. Of node 0's 2657
 * MiB 677 are not low; 600 are reserved, which leaves 77 that are not low.
 */
static void reserved_memory(void)
{
    struct xlnuma_host *host = low_host();
    struct xlnuma_request request = request_of(1200, 2);
    const struct xlnuma_plan *plan;

    host->node[2].reserved_kb = 1500 * 1024;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x8);
    CU_ASSERT_STRING_EQUAL(plan->reason,
                           "node 3 holds all of 1200 MiB; of the memory of "
                           "node 2 builds in flight have reserved 1500 MiB");
    request.memory_kb = 2000 * 1024;
    request.nodes = 0x4;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->status, XLNUMA_STATUS_UNPLACED);
    CU_ASSERT_STRING_EQUAL(plan->reason,
                           "needs 2000 MiB; node 2 has 750 MiB and lacks 1250 "
                           "MiB; of the memory of node 2 builds in flight have "
                           "reserved 1500 MiB; node 3 would do, but for "
                           "numa_nodes");
    request.memory_kb = 2300 * 1024; /* more than node 2 has free */
    plan = plan_with(host, &request);
    CU_ASSERT_PTR_NULL(strstr(plan->reason, "reserved"));
    host->node[0].reserved_kb = 600 * 1024;
    request.memory_kb = 100 * 1024;
    request.nodes = 0x1;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->low_kb[0], 23 * 1024);
    xlnuma_host_free(host);
}

static void policies(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(4800, 2);
    const struct xlnuma_plan *plan;

    /*
     * Nodes 1-3: node 1 gives 1011 MiB, the others 1894.5 each, a third of the
     * CPUs each; nearer than 15.5, that of the smallest pair that holds it.
     */
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0xe);
    CU_ASSERT(is_about(plan->expected_distance,
                       (1011 * (10 + 21 + 21) + 2 * 1894.5 * (21 + 10 + 11)) /
                           3 / 4800));
    request.policy = XLNUMA_POLICY_RESTRICTED;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x5);
    CU_ASSERT(is_about(plan->expected_distance, 15.5));
    request.policy = XLNUMA_POLICY_SINGLE_NODE;
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->status, XLNUMA_STATUS_UNPLACED);
    CU_ASSERT_EQUAL(plan->nodes, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(plan->reason, "node 0 lacks 2143 MiB"));
    request.policy = XLNUMA_POLICY_NONE;
    CU_ASSERT_EQUAL(plan_with(host, &request)->status, XLNUMA_STATUS_OFF);
    xlnuma_host_free(host);
}

static void filters(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(3000, 2);
    const struct xlnuma_plan *plan;

    request.nodes = 0x3;
    CU_ASSERT_EQUAL(plan_with(host, &request)->nodes, 0x3);
    request.nodes = XLNUMA_NODES_ALL;
    request.has_cpus = true;
    xlnuma_cpuset_add(&request.cpus, 0);
    xlnuma_cpuset_add(&request.cpus, 1);
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x3); /* memory of node 1, no CPU of it */
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&plan->soft_cpus), 2);
    CU_ASSERT_EQUAL(
        xlnuma__cpuset_count_common(&plan->soft_cpus, &host->node[1].cpus), 0);
    /* All vCPUs on node 0: its 2657 MiB at 10, the rest at 11. */
    CU_ASSERT_EQUAL(plan->memory_kb[1], (3000 - 2657) * 1024);
    CU_ASSERT(
        is_about(plan->expected_distance, (2657. * 10 + 343. * 11) / 3000));
    xlnuma_host_free(host);
}

static void following(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(4320, 2);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    uint64_t actual_kb[XLNUMA_NODES_MAX] = { [1] = 1000, [3] = 3000 };
    xlnuma_cpuset none = { { 0 } };
    char text[32];

    CU_ASSERT_EQUAL_FATAL(xlnuma_plan_make(host, &request, plan, message), 0);
    xlnuma__plan_follow(plan, host, &request, 0xa, actual_kb);
    CU_ASSERT_EQUAL(plan->nodes, 0xa);
    CU_ASSERT_STRING_EQUAL(
        xlnuma_cpuset_format(&plan->soft_cpus, text, sizeof(text)), "2-3,6-7");
    CU_ASSERT_EQUAL(
        xlnuma__cpuset_count_common(&plan->soft_cpus, &host->node[1].cpus), 2);
    CU_ASSERT_EQUAL(plan->memory_kb[2], 2160 * 1024); /* as planned */
    /* Half of the CPUs on node 1, half on 3; a quarter of the memory on 1. */
    CU_ASSERT(is_about(plan->expected_distance, (10 + 21) / 2.));
    /* All of it on a node without CPUs: those of 1 and 3 stay. */
    host->node[0].cpus = none;
    actual_kb[0] = 1000;
    xlnuma__plan_follow(plan, host, &request, 0x1, actual_kb);
    CU_ASSERT_EQUAL(plan->nodes, 0x1);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&plan->soft_cpus), 4);
    CU_ASSERT(is_about(plan->expected_distance, (11 + 21) / 2.));
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

static void unreachable(void)
{
    static const uint64_t free_of[2] = { 1000, 1000 };
    struct xlnuma_host *host = unit_host(2, 2, free_of);
    struct xlnuma_request request = request_of(1500, 2);

    host->distance[0][1] = XLNUMA_DISTANCE_UNREACHABLE;
    CU_ASSERT_EQUAL(plan_with(host, &request)->status, XLNUMA_STATUS_UNPLACED);
    xlnuma_host_free(host);
}

static void wrong_requests(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(0, 2);
    struct xlnuma_plan *plan = xlnuma_plan_new();

    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, plan, message),
                    XLNUMA_ERR_INVALID);
    request = request_of(100, 0);
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, plan, message),
                    XLNUMA_ERR_INVALID);
    request = request_of(100, 1);
    request.nodes = 0xf0;
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, plan, message),
                    XLNUMA_ERR_INVALID);
    request = request_of(100, 1);
    request.has_cpus = true;
    xlnuma_cpuset_add(&request.cpus, 8);
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, plan, message),
                    XLNUMA_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "CPUs"));
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

static void huge_numbers(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(1, 2);
    const struct xlnuma_plan *plan;

    for (unsigned i = 0; i < 4; i++)
        host->node[i].size_kb = host->node[i].free_kb = INT64_MAX / 4;
    CU_ASSERT_EQUAL(xlnuma_host_check(host, message), 0);
    request.memory_kb = INT64_MAX / 4 + (INT64_MAX / 8);
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(plan->nodes, 0x3);
    CU_ASSERT(is_about(plan->expected_distance, 10.5));
    CU_ASSERT_EQUAL(plan->memory_kb[0] + plan->memory_kb[1], request.memory_kb);
    xlnuma_host_free(host);
}

/* --- against a search written anew, in floating point --------------------- */

static unsigned long long seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % below;
}

static struct xlnuma_host *draw_host(unsigned nr_nodes)
{
    struct xlnuma_host *host = xlnuma_host_new();
    unsigned cpu = 0;

    for (unsigned i = 0; i < nr_nodes; i++) {
        host->nodes |= (xlnuma_nodeset)1 << i;
        host->node[i].socket = draw(3);
        host->node[i].size_kb = 4096 * 1024;
        host->node[i].free_kb = draw(5) ? draw(4096) * 1024ull : 0;
        if (host->node[i].free_kb && !draw(3))
            host->node[i].low_free_kb = draw(4096) * 1024ull;
        if (host->node[i].low_free_kb > host->node[i].free_kb)
            host->node[i].low_free_kb = host->node[i].free_kb;
        for (unsigned n = i ? draw(4) : 1; n; n--)
            xlnuma_cpuset_add(&host->node[i].cpus, cpu++);
        for (unsigned j = 0; j < nr_nodes; j++)
            host->distance[i][j] = (uint16_t)(i == j ? 10 : 11 + draw(40));
    }
    return host;
}

/*
 * Raise the level of the nodes that have room, by their CPUs; and then fill those
 * without CPUs, the nearest first. Returns what is left.
 */
static double reference_fill(const double room[], const double nr_cpus[],
                             const double column[], double share[], double left)
{
    double given[8] = { 0 }, open, step;

    do {
        open = 0;
        for (unsigned i = 0; i < 8; i++)
            open += given[i] < room[i] ? nr_cpus[i] : 0;
        step = left / open;
        for (unsigned i = 0; i < 8; i++)
            if (given[i] < room[i] && nr_cpus[i] > 0) {
                double more = fmin(room[i] - given[i], step * nr_cpus[i]);

                given[i] += more;
                share[i] += more;
                left -= more;
            }
    } while (open > 0 && left > 0.5);
    for (unsigned n = 0; n < 8 && left > 0.5; n++) {
        unsigned best = 8;

        for (unsigned i = 0; i < 8; i++)
            if (!(nr_cpus[i] > 0) && given[i] < room[i] &&
                (best == 8 || column[i] < column[best]))
                best = i;
        if (best == 8)
            break;
        given[best] = fmin(room[best], left);
        share[best] += given[best];
        left -= given[best];
        if (given[best] < room[best])
            break;
    }
    return left;
}

/* Expected distance of a set; HUGE_VAL when it cannot hold the guest. */
static double reference_distance(const struct xlnuma_host *host, unsigned set,
                                 unsigned nr_nodes, double need_kb,
                                 unsigned nr_vcpus)
{
    double high[8] = { 0 }, low[8] = { 0 }, share[8] = { 0 };
    double nr_cpus[8] = { 0 }, column[8] = { 0 };
    double cpus = 0, left, sum = 0;

    for (unsigned i = 0; i < nr_nodes; i++)
        if ((set >> i) & 1) {
            low[i] = (double)host->node[i].low_free_kb;
            high[i] = (double)host->node[i].free_kb - low[i];
            nr_cpus[i] = xlnuma_cpuset_count(&host->node[i].cpus);
            cpus += nr_cpus[i];
            for (unsigned j = 0; j < nr_nodes; j++)
                column[j] += nr_cpus[i] * host->distance[i][j];
        }
    if (!cpus || cpus < nr_vcpus)
        return HUGE_VAL;
    left = reference_fill(high, nr_cpus, column, share, need_kb);
    if (left > 0.5)
        left = reference_fill(low, nr_cpus, column, share, left);
    if (left > 0.5)
        return HUGE_VAL;
    for (unsigned i = 0; i < nr_nodes; i++)
        for (unsigned j = 0; j < nr_nodes && (set >> i) & 1; j++)
            sum += xlnuma_cpuset_count(&host->node[i].cpus) / cpus * share[j] /
                   need_kb * host->distance[i][j];
    return sum;
}

static double reference_best(const struct xlnuma_host *host, unsigned nr_nodes,
                             double need_kb, unsigned nr_vcpus)
{
    double best = HUGE_VAL;

    for (unsigned set = 1; set < 1u << nr_nodes; set++)
        best = fmin(best,
                    reference_distance(host, set, nr_nodes, need_kb, nr_vcpus));
    return best;
}

static unsigned nr_cpus_of(const struct xlnuma_host *host)
{
    unsigned node, nr = 0;

    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        nr += xlnuma_cpuset_count(&host->node[node].cpus);
    return nr;
}

static uint64_t low_of(const struct xlnuma_plan *plan)
{
    uint64_t low_kb = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        low_kb += plan->low_kb[i];
    return low_kb;
}

/* Low memory that a guest of one node takes, at least. */
static uint64_t reference_low(const struct xlnuma_host *host, uint64_t need_kb,
                              unsigned nr_vcpus)
{
    uint64_t least = UINT64_MAX;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        const struct xlnuma_node *node = &host->node[i];
        uint64_t high_kb = node->free_kb - node->low_free_kb;
        uint64_t low_kb = need_kb > high_kb ? need_kb - high_kb : 0;

        if (need_kb <= node->free_kb && low_kb < least &&
            xlnuma_cpuset_count(&node->cpus) >= nr_vcpus)
            least = low_kb;
    }
    return least;
}

/* Each node has its low memory, and only when the others have no more. */
static bool takes_low_last(const struct xlnuma_host *host,
                           const struct xlnuma_plan *plan)
{
    uint64_t low_kb = low_of(plan);
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        const struct xlnuma_node *node = &host->node[i];
        uint64_t high_kb = plan->memory_kb[i] - plan->low_kb[i];

        if (plan->low_kb[i] > node->low_free_kb ||
            high_kb > node->free_kb - node->low_free_kb)
            return false;
        if (low_kb && high_kb < node->free_kb - node->low_free_kb)
            return false;
    }
    return true;
}

/* The shares are whole pages: that far the two may differ. */
#define ROUNDING 1e-3

static void same_as_exhaustive_search(void)
{
    unsigned nr_different = 0, nr_placed = 0, nr_low = 0;

    seed = 20;
    for (unsigned n = 0; n < 2000; n++) {
        unsigned nr_nodes = 1 + draw(7);
        struct xlnuma_host *host = draw_host(nr_nodes);
        struct xlnuma_request request = request_of(1 + draw(8192), 1 + draw(6));
        unsigned nr_cpus = nr_cpus_of(host);
        unsigned wanted =
            request.nr_vcpus < nr_cpus ? request.nr_vcpus : nr_cpus;
        double best =
            reference_best(host, nr_nodes, (double)request.memory_kb, wanted);
        const struct xlnuma_plan *plan = plan_with(host, &request);

        nr_low += low_of(plan) > 0;
        if (!takes_low_last(host, plan) ||
            (xlnuma_nodeset_count(plan->nodes) == 1 &&
             low_of(plan) != reference_low(host, request.memory_kb, wanted)))
            nr_different++;
        nr_placed += best != HUGE_VAL;
        if (best == HUGE_VAL ? plan->status != XLNUMA_STATUS_UNPLACED
                             : fabs(plan->expected_distance - best) > ROUNDING)
            nr_different++;
        xlnuma_host_free(host);
    }
    CU_ASSERT_EQUAL(nr_different, 0);
    CU_ASSERT(nr_placed > 500);
    CU_ASSERT(nr_low > 100);
}

static void many_nodes(void)
{
    uint64_t free_of[32];
    struct xlnuma_host *host;
    struct xlnuma_request request = request_of(1400, 2);
    const struct xlnuma_plan *plan;

    for (unsigned i = 0; i < 32; i++)
        free_of[i] = i == 20 || i == 21 ? 750 : i % 2 ? 600 : 730;
    host = unit_host(32, 2, free_of);
    plan = plan_with(host, &request);
    /* Only the pair 20, 21 holds 1400 MiB within a socket. */
    CU_ASSERT_EQUAL(plan->nodes, (xlnuma_nodeset)3 << 20);
    CU_ASSERT(is_about(plan->expected_distance, 10.5));
    xlnuma_host_free(host);
}

static void as_json(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_request request = request_of(4320, 2);
    const struct xlnuma_plan *plan;
    char text[8192];
    FILE *file = fmemopen(text, sizeof(text), "w");

    strcpy(request.name, "db\"1");
    plan = plan_with(host, &request);
    CU_ASSERT_EQUAL(xlnuma_plan_write(host, plan, file, message), 0);
    fclose(file);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"format\": \"xlnuma-plan\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"guest\": \"db\\\"1\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"status\": \"placed\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"expected_distance\": 10.5,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"memory_kb\": 2211840"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"soft_cpus\": \"4-7\""));
    file = fopen("/dev/full", "w");
    CU_ASSERT_EQUAL(xlnuma_plan_write(host, plan, file, message),
                    XLNUMA_ERR_IO);
    fclose(file);
    xlnuma_host_free(host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "a guest too large for a node goes to siblings", siblings },
        { "the alternatives say why not", alternatives },
        { "a small guest: load, then the tightest node", small_guest },
        { "as many CPUs as vCPUs, when there are", more_vcpus_than_a_node },
        { "as many cores, but not for another socket",
          cores_within_the_socket },
        { "shares on nodes of uneven room", uneven_room },
        { "low memory when the set has no other", low_memory_last },
        { "of sets that are as near, one without low memory",
          low_memory_of_equal_sets },
        { "memory that builds in flight have reserved", reserved_memory },
        { "policies", policies },
        { "only some nodes or CPUs", filters },
        { "a plan that follows where memory is", following },
        { "memory without a path is no memory", unreachable },
        { "wrong requests are refused", wrong_requests },
        { "numbers of 2^61 KiB", huge_numbers },
        { "the same as exhaustive search on 2000 random hosts",
          same_as_exhaustive_search },
        { "32 nodes", many_nodes },
        { "a plan as JSON", as_json },
        { NULL, NULL },
    };

    return unit_run("plan", tests);
}
