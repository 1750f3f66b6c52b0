/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner/search.c against an exhaustive search that shares nothing with it */
#include "unit.h"

#include "draw.h"
#include "naive.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];

static void show(const struct xlnuma_host *host,
                 const struct xlnuma_request *request,
                 const struct xlnuma_plan *plan,
                 const struct naive_answer *naive)
{
    char is[256], should[256];

    xlnuma_nodeset_format(plan->nodes, is, sizeof(is));
    xlnuma_nodeset_format(naive->nodes, should, sizeof(should));
    printf("# %llu KiB, %u vCPUs, %s, %s, %u devices at %u %%: %s at %.6f, not "
           "%s at %.6f\n",
           (unsigned long long)request->memory_kb, request->nr_vcpus,
           xlnuma__policies[request->policy], xlnuma__memories[request->memory],
           request->nr_devices, request->device_weight, is,
           plan->expected_distance, should, naive->expected_distance);
    if (!xlnuma__snapshot_write(host, NULL, NULL, stderr, message))
        fflush(stderr);
}

/* Plans that were compared, and how many of them on what kind of host. */
static struct {
    unsigned nr, without_cpus, without_memory, asymmetric, without_path;
} compared;

static void count_compared(const struct xlnuma_host *host)
{
    bool without_cpus = false, without_memory = false, asymmetric = false;
    bool without_path = false;
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        without_cpus |= !xlnuma_cpuset_count(&host->node[i].cpus);
        without_memory |= !host->node[i].size_kb;
        XLNUMA_FOR_EACH_NODE(j, host->nodes) {
            asymmetric |= host->distance[i][j] != host->distance[j][i];
            without_path |= host->distance[i][j] == XLNUMA_DISTANCE_UNREACHABLE;
        }
    }
    compared.nr++;
    compared.without_cpus += without_cpus;
    compared.without_memory += without_memory;
    compared.asymmetric += asymmetric;
    compared.without_path += without_path;
}

/* 1 when the plan is not the best set, or its distance is another. */
static unsigned differs(const struct xlnuma_host *host,
                        const struct xlnuma_request *request)
{
    static struct xlnuma_plan plan;
    struct naive_answer naive = naive_plan(host, request);
    bool is_wrong;

    if (xlnuma_plan_make(host, request, &plan, message))
        return 0; /* no CPU, or no node, that it may use */
    count_compared(host);
    is_wrong = naive.is_placed != (plan.status == XLNUMA_STATUS_PLACED) ||
               plan.nodes != naive.nodes ||
               fabs(plan.expected_distance - naive.expected_distance) > 1e-9;
    if (is_wrong)
        show(host, request, &plan, &naive);
    return is_wrong;
}

static void run_with(unsigned nr_hosts, unsigned nr_requests, unsigned fewest,
                     unsigned most, bool has_devices)
{
    struct xlnuma_host *host = xlnuma_host_new();
    unsigned nr_different = 0;

    for (unsigned n = 0; n < nr_hosts && !nr_different; n++) {
        draw_host(host, fewest + draw(most - fewest + 1), draw(DRAW_TABLES),
                  draw(2));
        for (unsigned m = 0; m < nr_requests && !nr_different; m++) {
            struct xlnuma_request request;

            draw_request(host, &request, draw(2));
            if (has_devices)
                draw_devices(host, &request);
            nr_different += differs(host, &request);
        }
    }
    CU_ASSERT_EQUAL(nr_different, 0);
    xlnuma_host_free(host);
}

static void run(unsigned nr_hosts, unsigned nr_requests, unsigned fewest,
                unsigned most)
{
    run_with(nr_hosts, nr_requests, fewest, most, false);
}

static void small(void)
{
    draw_seed(1);
    run(DRAW_SOME(20000), 5, 1, 6);
}

static void medium(void)
{
    draw_seed(2);
    run(DRAW_SOME(1500), 4, 7, 10);
}

static void large(void)
{
    draw_seed(3);
    run(DRAW_SOME(32), 2, 12, 16);
}

/* Where branch and bound is given up, and all sets are gone through. */
static void without_structure(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_request request;
    unsigned nr_different = 0;

    draw_seed(8);
    for (unsigned n = 0; n < DRAW_SOME(40); n++) {
        draw_host(host, 11 + draw(3), n % 2 ? DRAW_NOISE : DRAW_HOLES,
                  n % 4 == 3);
        for (unsigned m = 0; m < 4; m++) {
            draw_request(host, &request, false);
            nr_different += differs(host, &request);
        }
    }
    CU_ASSERT_EQUAL(nr_different, 0);
    xlnuma_host_free(host);
}

static void devices(void)
{
    draw_seed(4);
    run_with(DRAW_SOME(10000), 5, 1, 6, true);
    run_with(DRAW_SOME(600), 4, 7, 10, true);
    run_with(DRAW_SOME(10), 2, 12, 16, true);
}

/* Guests of a page more than a node has, where a node has up to 2^58 KiB. */
static void a_page_of_many(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_request request;
    unsigned nr_different = 0, i;

    draw_seed(9);
    for (unsigned n = 0; n < DRAW_SOME(20000) && !nr_different; n++) {
        unsigned shift = draw(35), nr_nodes = 3 + draw(4), which;

        draw_host(host, nr_nodes, draw(DRAW_TABLES), true);
        XLNUMA_FOR_EACH_NODE(i, host->nodes) {
            host->node[i].size_kb <<= shift;
            host->node[i].free_kb <<= shift;
            host->node[i].low_free_kb <<= shift;
            host->node[i].reserved_kb <<= shift;
        }
        draw_request(host, &request, false);
        which = draw(nr_nodes);
        request.memory_kb = host->node[which].free_kb / 4 * 4 + 4 * draw(3);
        if (request.memory_kb)
            nr_different += differs(host, &request);
    }
    CU_ASSERT_EQUAL(nr_different, 0);
    xlnuma_host_free(host);
}

/* Behind the others. */
static void enough(void)
{
    printf("# %u plans compared; on hosts with nodes without CPUs %u, without "
           "memory %u, with asymmetric distances %u, without some path %u\n",
           compared.nr, compared.without_cpus, compared.without_memory,
           compared.asymmetric, compared.without_path);
    CU_ASSERT(compared.nr >= DRAW_SOME(100000));
    CU_ASSERT(compared.without_cpus >= DRAW_SOME(10000));
    CU_ASSERT(compared.without_memory >= DRAW_SOME(10000));
    CU_ASSERT(compared.asymmetric >= DRAW_SOME(10000));
    CU_ASSERT(compared.without_path >= DRAW_SOME(10000));
}

/* Hosts of 17 nodes and more: proven or not, is it the minimum? */
struct tally {
    unsigned nr, nr_proven, nr_same, nr_wrong;
};

static void count(const struct xlnuma_host *host,
                  const struct xlnuma_request *request, struct tally *tally)
{
    static struct xlnuma_plan plan;
    struct naive_answer naive = naive_plan(host, request);
    bool is_same, is_proven;

    CU_ASSERT_EQUAL_FATAL(xlnuma_plan_make(host, request, &plan, message), 0);
    is_same = naive.is_placed == (plan.status == XLNUMA_STATUS_PLACED) &&
              fabs(plan.expected_distance - naive.expected_distance) < 1e-9;
    is_proven = plan.least_distance >= plan.expected_distance;
    tally->nr++;
    tally->nr_proven += is_proven;
    tally->nr_same += is_same;
    if ((is_proven && !is_same) ||
        plan.least_distance > naive.expected_distance + 1e-9) {
        tally->nr_wrong++;
        show(host, request, &plan, &naive);
    }
}

/* A hundred thousand sets each, a million for the last: a few hosts must do. */
static void more_than_16_nodes(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct tally tally = { 0 };

    draw_seed(5);
    for (unsigned n = 0; n < DRAW_SOME(24); n++) {
        struct xlnuma_request request;

        draw_host(host, n < 23 ? 17 : 20, n % DRAW_TABLES, n % 4 == 3);
        draw_request(host, &request, false);
        count(host, &request, &tally);
    }
    printf("# of %u plans %u are proven, %u the minimum\n", tally.nr,
           tally.nr_proven, tally.nr_same);
    CU_ASSERT_EQUAL(tally.nr_wrong, 0);
    CU_ASSERT(tally.nr_proven * 2 >= tally.nr);
    xlnuma_host_free(host);
}

/* Restricted to the two or three nodes that it needs: all such sets. */
static void up_to_64_nodes(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct tally tally = { 0 };

    draw_seed(6);
    for (unsigned n = 0; n < DRAW_SOME(60); n++) {
        struct xlnuma_request request;

        draw_host(host, n % 2 ? 64 : 40, n % DRAW_TABLES, n % 5 == 4);
        draw_request(host, &request, false);
        request.policy = XLNUMA_POLICY_RESTRICTED;
        request.nr_vcpus = 1;
        request.memory_kb = (16 + draw(n % 3 ? 15 : 25)) * 1048576ull;
        count(host, &request, &tally);
    }
    printf("# of %u plans %u are proven, %u the minimum\n", tally.nr,
           tally.nr_proven, tally.nr_same);
    CU_ASSERT_EQUAL(tally.nr_wrong, 0);
    CU_ASSERT_EQUAL(tally.nr_proven, tally.nr);
    xlnuma_host_free(host);
}

static void machine(const char *path)
{
    struct xlnuma_host *host = xlnuma_host_new();
    unsigned nr_nodes;

    CU_ASSERT_EQUAL_FATAL(xlnuma_host_load(host, path, message), 0);
    nr_nodes = xlnuma_nodeset_count(host->nodes);
    for (unsigned n = 0; n < DRAW_SOME(nr_nodes > 10 ? 10 : 100); n++) {
        struct xlnuma_request request;

        draw_request(host, &request, n % 2);
        if (nr_nodes <= 16)
            CU_ASSERT_EQUAL_FATAL(differs(host, &request), 0);
    }
    xlnuma_host_free(host);
}

static void machines(void)
{
    const char *srcdir = getenv("srcdir");
    char pattern[4096];
    glob_t found;

    draw_seed(7);
    snprintf(pattern, sizeof(pattern), "%s/tests/hosts/*.json",
             srcdir ? srcdir : ".");
    CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        machine(found.gl_pathv[i]);
    CU_ASSERT(found.gl_pathc > 20);
    globfree(&found);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "random requests on hosts of up to 6 nodes", small },
        { "random requests on hosts of 7 to 10 nodes", medium },
        { "random requests on hosts of 12 to 16 nodes", large },
        { "hosts of 11 to 13 nodes without structure", without_structure },
        { "guests with devices, on hosts of up to 16 nodes", devices },
        { "random requests on each of tests/hosts up to 16 nodes", machines },
        { "a page more than a node has, of up to 2^58 KiB", a_page_of_many },
        { "that was 100,000 plans and more, of all kinds (a twentieth under "
          "sanitizers)",
          enough },
        { "hosts of 17 and 20 nodes: proven is the minimum",
          more_than_16_nodes },
        { "40 and 64 nodes: sets of two and three", up_to_64_nodes },
        { NULL, NULL },
    };

    return unit_run("exact", tests);
}
