/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner/explain.c, through the plans that cannot be made */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t lab_mib[4] = { 2657, 1011, 2250, 2300 };

/* The reason of a plan that cannot be made; static. */
static const char *reason_of(const struct xlnuma_host *host,
                             enum xlnuma_policy policy, uint64_t mib)
{
    static struct xlnuma_plan plan;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma_request request;

    xlnuma_request_init(&request);
    request.memory_kb = mib * 1024;
    request.nr_vcpus = 2;
    request.policy = policy;
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, &plan, message), 0);
    CU_ASSERT_EQUAL(plan.status, XLNUMA_STATUS_UNPLACED);
    return plan.reason;
}

static void single_node(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);

    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_SINGLE_NODE, 4404),
        "needs 4404 MiB on one node; node 0 lacks 1747 MiB, node 3 2104 MiB, "
        "node 2 2154 MiB, node 1 3393 MiB");
    host->nodes = 0x2;
    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_SINGLE_NODE, 4404),
        "needs 4404 MiB; node 1 has 1011 MiB and lacks 3393 MiB");
    xlnuma_host_free(host);
}

/* 5000 MiB never fit a node of 3072, so two nodes are allowed. */
static void restricted(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);

    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_RESTRICTED, 5000),
        "needs 5000 MiB on 2 nodes; nodes 0,3 have 4957 MiB and lack 43 MiB: "
        "node 0 has 2657 MiB, node 3 2300 MiB, node 2 2250 MiB, node 1 "
        "1011 MiB");
    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_RESTRICTED, 3000),
        "needs 3000 MiB on one node; node 0 lacks 343 MiB, node 3 700 MiB, "
        "node 2 750 MiB, node 1 1989 MiB");
    xlnuma_host_free(host);
}

static void best_effort(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);

    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_BEST_EFFORT, 8219),
        "needs 8219 MiB; nodes 0-3 have 8218 MiB and lack 1 MiB: node 0 has "
        "2657 MiB, node 3 2300 MiB, node 2 2250 MiB, node 1 1011 MiB");
    xlnuma_host_free(host);
}

static void no_cpu_and_no_path(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);

    memset(&host->node[0].cpus, 0, sizeof(host->node[0].cpus));
    memset(&host->node[1].cpus, 0, sizeof(host->node[1].cpus));
    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_SINGLE_NODE, 2600),
        "needs 2600 MiB on one node; node 0 lacks a CPU, node 3 300 MiB, "
        "node 2 350 MiB, node 1 1589 MiB and a CPU");
    host->nodes = 0x5;
    host->distance[2][0] = XLNUMA_DISTANCE_UNREACHABLE;
    CU_ASSERT_STRING_EQUAL(reason_of(host, XLNUMA_POLICY_BEST_EFFORT, 4907),
                           "needs 4907 MiB; nodes 0,2 have 4907 MiB and lack a "
                           "path from every CPU to all memory");
    xlnuma_host_free(host);
}

static void as_alternatives(void)
{
    struct xlnuma_host *host = unit_host(4, 2, lab_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma_request request;

    xlnuma_request_init(&request);
    request.memory_kb = 2600 * 1024;
    request.nr_vcpus = 2;
    request.policy = XLNUMA_POLICY_SINGLE_NODE;
    memset(&host->node[0].cpus, 0, sizeof(host->node[0].cpus));
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, plan, message), 0);
    CU_ASSERT_EQUAL_FATAL(plan->nr_alternatives, 4);
    CU_ASSERT_EQUAL(plan->alternative[0].nodes, 0x1);
    CU_ASSERT_EQUAL(plan->alternative[0].why, XLNUMA_WHY_NOT_CPUS);
    CU_ASSERT_EQUAL(plan->alternative[0].short_cpus, 1);
    CU_ASSERT_EQUAL(plan->alternative[1].nodes, 0x8);
    CU_ASSERT_EQUAL(plan->alternative[1].why, XLNUMA_WHY_NOT_MEMORY);
    CU_ASSERT_EQUAL(plan->alternative[1].short_kb, 300 * 1024);
    xlnuma_host_free(host);
    host = unit_host(2, 2, lab_mib);
    host->distance[1][0] = XLNUMA_DISTANCE_UNREACHABLE;
    request.policy = XLNUMA_POLICY_BEST_EFFORT;
    request.memory_kb = 3000 * 1024;
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, plan, message), 0);
    CU_ASSERT_EQUAL_FATAL(plan->nr_alternatives, 2);
    CU_ASSERT_EQUAL(plan->alternative[0].nodes, 0x1);
    CU_ASSERT_EQUAL(plan->alternative[0].short_kb, 343 * 1024);
    CU_ASSERT_EQUAL(plan->alternative[1].nodes, 0x2);
    CU_ASSERT_EQUAL(plan->alternative[1].short_kb, 1989 * 1024);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length > strlen(end) && !strcmp(text + length - strlen(end), end);
}

static void many_nodes(void)
{
    struct xlnuma_host *host;
    uint64_t mib[XLNUMA_NODES_MAX];
    const char *text;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        mib[i] = 1000 + i;
    host = unit_host(XLNUMA_NODES_MAX, 2, mib);
    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_SINGLE_NODE, 1100),
        "needs 1100 MiB on one node; node 63 lacks 37 MiB, node 62 38 MiB, "
        "node 61 39 MiB, node 60 40 MiB, node 59 41 MiB, node 58 42 MiB, "
        "node 57 43 MiB, node 56 44 MiB, and 56 more");

    /* 64 * 1031.5 = 66016 */
    CU_ASSERT_STRING_EQUAL(
        reason_of(host, XLNUMA_POLICY_BEST_EFFORT, 70000),
        "needs 70000 MiB; nodes 0-63 have 66016 MiB and lack 3984 MiB: node 63 "
        "has 1063 MiB, node 62 1062 MiB, node 61 1061 MiB, node 60 1060 MiB, "
        "node 59 1059 MiB, node 58 1058 MiB, node 57 1057 MiB, node 56 "
        "1056 MiB, and 56 more");

    /* 40 * 3072 = 122880; the 40 roomiest have 40 * 1043.5 = 41740 MiB. */
    text = reason_of(host, XLNUMA_POLICY_RESTRICTED, 122880);
    CU_ASSERT_EQUAL(
        strncmp(text,
                "needs 122880 MiB on 40 nodes; nodes 24-63 have "
                "41740 MiB and lack 81140 MiB: node 63 has 1063 MiB,",
                98),
        0);
    CU_ASSERT(ends_with(text, ", and 56 more"));

    /* A list of nodes so long that it is cut. */
    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        host->node[i].free_kb = (i % 2 ? 500 : 2000) * 1024;
    text = reason_of(host, XLNUMA_POLICY_RESTRICTED, 30 * 3072);
    CU_ASSERT(ends_with(text, ", and 56 more"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "nodes 0,2,4,6,"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "... have 60000 MiB and lack 32160 MiB"));
    CU_ASSERT(strlen(text) < XLNUMA_MESSAGE_SIZE);
    xlnuma_host_free(host);
}

static int is_roomier(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x < y) - (x > y);
}

/* Every number in front of " MiB", from the second on. */
static unsigned amounts(const char *text, uint64_t mib_r[], unsigned max)
{
    unsigned nr = 0;

    text = strchr(text, ';');
    while (text && nr < max && (text = strstr(text, " MiB"))) {
        const char *start = text;

        while (start[-1] >= '0' && start[-1] <= '9')
            start--;
        mib_r[nr++] = strtoull(start, NULL, 10);
        text++;
    }
    return nr;
}

/* What the roomiest nodes have and lack, and then each node, the roomiest first. */
static void roomiest_first(void)
{
    srandom(1);
    for (unsigned round = 0; round < 500; round++) {
        uint64_t mib[8], said[11], sum = 0;
        unsigned size = 2 + (unsigned)random() % 5, nr;
        struct xlnuma_host *host;

        for (unsigned i = 0; i < 8; i++) /* some of them alike */
            mib[i] = (uint64_t)(random() % (round % 2 ? 5 : 1000)) + 1;
        host = unit_host(8, 2, mib);
        nr = amounts(reason_of(host, XLNUMA_POLICY_RESTRICTED, size * 3072),
                     said, 11);
        CU_ASSERT_EQUAL_FATAL(nr, 10);
        qsort(mib, 8, sizeof(*mib), is_roomier);
        for (unsigned i = 0; i < size; i++)
            sum += mib[i];
        CU_ASSERT_EQUAL(said[0], sum);
        CU_ASSERT_EQUAL(said[1], size * 3072 - sum);
        CU_ASSERT_EQUAL(memcmp(&said[2], mib, sizeof(mib)), 0);
        xlnuma_host_free(host);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "single-node: what each node lacks", single_node },
        { "restricted: what the roomiest nodes lack together", restricted },
        { "best-effort: what the host has and lacks", best_effort },
        { "a CPU or a path is lacking", no_cpu_and_no_path },
        { "64 nodes: the roomiest, and how many more", many_nodes },
        { "the roomiest first, on 500 random hosts", roomiest_first },
        { "what nodes lack, as alternatives", as_alternatives },
        { NULL, NULL },
    };

    return unit_run("lack", tests);
}
