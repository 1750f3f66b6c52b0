/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner/affinity.c, through plans and plans that follow memory */
#include "draw.h"
#include "planner/planner.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct xlnuma_request request;

/* A guest of two vCPUs with credit2; static. */
static struct xlnuma_plan *plan_on(const struct xlnuma_host *host, uint64_t mib,
                                   xlnuma_nodeset nodes)
{
    static struct xlnuma_plan plan;
    char message[XLNUMA_MESSAGE_SIZE];

    request.memory_kb = mib * 1024;
    request.nr_vcpus = 2;
    request.nodes = nodes;
    strcpy(request.scheduler, "credit2");
    CU_ASSERT_EQUAL(xlnuma_plan_make(host, &request, &plan, message), 0);
    CU_ASSERT_EQUAL(plan.status, XLNUMA_STATUS_PLACED);
    return &plan;
}

/* The hard CPUs as a list, "none" if there are none; static. */
static const char *hard_of(const struct xlnuma_plan *plan)
{
    static char list[1024];

    return plan->has_hard_cpus
               ? xlnuma_cpuset_format(&plan->hard_cpus, list, sizeof(list))
               : "none";
}

static const uint64_t free_mib[8] = { 2000, 2000, 2000, 2000,
                                      2000, 2000, 2000, 2000 };

/* 4 nodes of 40 CPUs: node 3 has 120-159, socket 1 has 80-159. */
static void beyond_a_word(void)
{
    struct xlnuma_host *host = unit_host(4, 40, free_mib);
    struct xlnuma_plan *plan;

    xlnuma_request_init(&request);
    plan = plan_on(host, 1000, 0x8);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "80-159");
    request.has_cpus = true;
    xlnuma_cpuset_add(&request.cpus, 70);
    xlnuma_cpuset_add(&request.cpus, 90);
    xlnuma_cpuset_add(&request.cpus, 130);
    plan = plan_on(host, 1000, 0x8);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "90,130");
    xlnuma_host_free(host);
}

/* The scheduler of the guest's pool counts, or else the host's. */
static void schedulers(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_plan *plan;

    xlnuma_request_init(&request);
    strcpy(host->scheduler, "credit");
    plan = plan_on(host, 1000, 0x1);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "0-3");
    *request.scheduler = '\0';
    xlnuma__plan_hard_cpus(plan, host, &request);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "none");
    strcpy(host->scheduler, "credit2");
    xlnuma__plan_hard_cpus(plan, host, &request);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "0-3");
    request.has_own_affinity = true;
    request.affinity = XLNUMA_AFFINITY_HARD;
    xlnuma__plan_hard_cpus(plan, host, &request);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "none");
    xlnuma_host_free(host);
}

/*
 * Node 1 has no CPUs; when all memory is there the vCPUs stay on node 2, which is
 * on another socket: both sockets are the plan's, all there are of two.
 */
static void memory_without_cpus(void)
{
    struct xlnuma_host *host = unit_host(6, 2, free_mib);
    uint64_t kb[XLNUMA_NODES_MAX] = { [1] = 1000 };
    struct xlnuma_plan *plan;

    memset(&host->node[1].cpus, 0, sizeof(host->node[1].cpus));
    xlnuma_request_init(&request);
    plan = plan_on(host, 1000, 0x4);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "4-7");
    xlnuma__plan_follow(plan, host, &request, 0x2, kb);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "0-1,4-7");
    host->nodes = 0xf;
    xlnuma__plan_follow(plan, host, &request, 0x2, kb);
    CU_ASSERT_STRING_EQUAL(hard_of(plan), "none");
    xlnuma_host_free(host);
}

/* On any host and for any guest: what docs/design.md says of the hard CPUs. */
static void check(const struct xlnuma_host *host,
                  const struct xlnuma_request *of, struct xlnuma_plan *plan)
{
    bool is_on_all = true, is_right = true;
    unsigned i, j;

    for (unsigned cpu = 0; cpu < 1024; cpu++) {
        bool is_near = false, may = !of->has_cpus;

        may = may || xlnuma_cpuset_has(&of->cpus, cpu);
        XLNUMA_FOR_EACH_NODE(i, host->nodes)
            if (xlnuma_cpuset_has(&host->node[i].cpus, cpu)) {
                XLNUMA_FOR_EACH_NODE(j, plan->nodes)
                    is_near |= host->node[i].socket == host->node[j].socket;
                is_on_all &= is_near;
                is_right &= xlnuma_cpuset_has(&plan->hard_cpus, cpu) ==
                            (is_near && may);
            }
    }
    CU_ASSERT_EQUAL(plan->has_hard_cpus, !is_on_all);
    if (plan->has_hard_cpus)
        CU_ASSERT(is_right);
}

static void any(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_plan *plan = xlnuma_plan_new();
    char message[XLNUMA_MESSAGE_SIZE];
    unsigned nr = 0;

    draw_seed(12);
    for (unsigned n = 0; n < 2000; n++) {
        draw_host(host, 1 + draw(16), draw(DRAW_TABLES), n % 2);
        strcpy(host->scheduler, "credit2");
        draw_request(host, &request, n % 2);
        if (xlnuma_plan_make(host, &request, plan, message) ||
            plan->status != XLNUMA_STATUS_PLACED)
            continue;
        check(host, &request, plan);
        nr += plan->has_hard_cpus;
    }
    CU_ASSERT(nr > 200);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "the guest's CPUs of the plan's socket, beyond the first 64",
          beyond_a_word },
        { "the pool's scheduler, the host's, and affinities of the user's",
          schedulers },
        { "memory without CPUs: the socket that the vCPUs are on too",
          memory_without_cpus },
        { "2000 hosts and guests: what the definition says", any },
        { NULL, NULL },
    };

    return unit_run("affinity", tests);
}
