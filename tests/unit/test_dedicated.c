/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPUs of a guest's own: model/cores.c and planner/dedicated.c; and its device
 * model's: planner/emulator.c
 */
#include "draw.h"
#include "model/dedicated.h"
#include "planner/dedicated.h"
#include "planner/emulator.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];

static const uint64_t free_mib[4] = { 2000, 2000, 2000, 2000 };

/* Nodes 2 of 4 have 8 CPUs in 4 cores each, all dedicated but those of `taken`. */
static struct xlnuma_host *host_with(const char *dedicated, const char *taken)
{
    struct xlnuma_host *host = unit_host(4, 8, free_mib);

    for (unsigned i = 0; i < 4; i++) {
        host->node[i].nr_cores = 4;
        xlnuma__host_guess_cores(host, &host->node[i]);
    }
    CU_ASSERT_EQUAL(xlnuma__dedicated_parse(dedicated, host,
                                            &host->dedicated_cpus, message),
                    0);
    CU_ASSERT_EQUAL(xlnuma_cpuset_parse(taken, &host->dedicated_taken, message),
                    0);
    return host;
}

/* Of which CPUs, by which threads, for how many vCPUs: these. By hand. */
static void tables(void)
{
    static const struct {
        const char *dedicated, *taken;
        enum xlnuma_threads threads;
        unsigned nr;
        const char *cpus; /* "" : not enough */
    } row[] = {
        /* cores 16-17, 18-19, 20-21, 22-23 of node 2 */
        { "16-23", "", XLNUMA_THREADS_PREFER, 1, "16" },
        { "16-23", "", XLNUMA_THREADS_PREFER, 2, "16,17" },
        { "16-23", "", XLNUMA_THREADS_PREFER, 3, "16,17,18" },
        { "16-23", "", XLNUMA_THREADS_PREFER, 8, "16,17,18,19,20,21,22,23" },
        { "16-23", "", XLNUMA_THREADS_PREFER, 9, "" },
        /* a core that is broken already serves an odd one; not a pair */
        { "16-23", "20", XLNUMA_THREADS_PREFER, 1, "21" },
        { "16-23", "20", XLNUMA_THREADS_PREFER, 2, "16,17" },
        { "16-23", "20", XLNUMA_THREADS_PREFER, 3, "16,17,21" },
        { "16-23", "16,18,20", XLNUMA_THREADS_PREFER, 3, "22,23,17" },
        { "16-23", "16,18,20,22", XLNUMA_THREADS_PREFER, 2, "17,19" },
        /* whole cores: the last may be used by half */
        { "16-23", "", XLNUMA_THREADS_REQUIRE, 2, "16,17" },
        { "16-23", "", XLNUMA_THREADS_REQUIRE, 3, "16,17,18" },
        { "16-23", "17", XLNUMA_THREADS_REQUIRE, 2, "18,19" },
        { "16-23", "17,19,21", XLNUMA_THREADS_REQUIRE, 2, "22,23" },
        { "16-23", "17,19,21", XLNUMA_THREADS_REQUIRE, 3, "" },
        /* 17 is not dedicated, so core 16-17 is not whole */
        { "16,18-19", "", XLNUMA_THREADS_REQUIRE, 2, "18,19" },
        { "16,18-19", "", XLNUMA_THREADS_REQUIRE, 3, "" },
        { "16,18-19", "", XLNUMA_THREADS_PREFER, 3, "18,19,16" },
        /* a core each */
        { "16-23", "", XLNUMA_THREADS_ISOLATE, 2, "16,18" },
        { "16-23", "19", XLNUMA_THREADS_ISOLATE, 3, "16,20,22" },
        { "16-23", "19", XLNUMA_THREADS_ISOLATE, 4, "" },
        { "16,18-19", "", XLNUMA_THREADS_ISOLATE, 1, "18" },
        { "16,18-19", "", XLNUMA_THREADS_ISOLATE, 2, "" },
        /* nodes 2 and 3 have as many: half on each, a core at a time */
        { "16-31", "", XLNUMA_THREADS_PREFER, 4, "16,17,24,25" },
        { "16-31", "", XLNUMA_THREADS_PREFER, 2, "16,17" },
        { "16-31", "", XLNUMA_THREADS_PREFER, 5, "16,17,18,24,25" },
        { "16-31", "", XLNUMA_THREADS_ISOLATE, 4, "16,18,24,26" },
        /* 2 and 6 of them: a quarter and three */
        { "16-17,24-29", "", XLNUMA_THREADS_PREFER, 4, "24,25,26,27" },
        { "16-17,24-29", "", XLNUMA_THREADS_PREFER, 8,
          "16,17,24,25,26,27,28,29" },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct xlnuma_host *host = host_with(row[i].dedicated, row[i].taken);
        static struct xlnuma_plan plan;
        xlnuma_cpuset usable;
        char list[64] = "";

        xlnuma__dedicated_usable(host, row[i].threads, &usable);
        if (xlnuma_cpuset_count(&usable) >= row[i].nr) {
            plan.nr_dedicated = row[i].nr;
            xlnuma__dedicated_choose(host, &usable, row[i].nr, plan.cpu);
            xlnuma__dedicated_format(&plan, list, sizeof(list));
        }
        CU_ASSERT_STRING_EQUAL(list, row[i].cpus);
        if (strcmp(list, row[i].cpus))
            printf("# row %zu: %s, not %s\n", i, list, row[i].cpus);
        xlnuma_host_free(host);
    }
}

/* Siblings that are apart: 0 and 4, 1 and 5... */
static void siblings_apart(void)
{
    struct xlnuma_host *host = unit_host(1, 8, free_mib);
    xlnuma_cpuset pair, taken;
    static struct xlnuma_plan plan = { .nr_dedicated = 4 };
    char list[64];

    host->node[0].nr_cores = 4;
    for (unsigned i = 0; i < 4; i++) {
        memset(&pair, 0, sizeof(pair));
        xlnuma_cpuset_add(&pair, i);
        xlnuma_cpuset_add(&pair, i + 4);
        xlnuma__host_set_core(host, &pair);
    }
    CU_ASSERT_EQUAL(xlnuma__host_core(host, 6), 2);
    CU_ASSERT_EQUAL(
        xlnuma__dedicated_parse("0-7", host, &host->dedicated_cpus, message),
        0);
    xlnuma__dedicated_choose(host, &host->dedicated_cpus, 4, plan.cpu);
    CU_ASSERT_STRING_EQUAL(xlnuma__dedicated_format(&plan, list, sizeof(list)),
                           "0,4,1,5");
    xlnuma__dedicated_taken(host, XLNUMA_THREADS_ISOLATE, 1, &taken);
    CU_ASSERT_STRING_EQUAL(xlnuma_cpuset_format(&taken, list, sizeof(list)),
                           "1,5");
    xlnuma__dedicated_taken(host, XLNUMA_THREADS_PREFER, 1, &taken);
    CU_ASSERT_STRING_EQUAL(xlnuma_cpuset_format(&taken, list, sizeof(list)),
                           "1");
    CU_ASSERT_STRING_EQUAL(xlnuma__dedicated_format(&plan, list, 8), "0,4...");
    xlnuma_host_free(host);
}

/* What is no list of CPUs of this host, of 4 nodes of 8. */
static void lists(void)
{
    static const struct {
        const char *text, *cpus; /* NULL: wrong */
    } row[] = {
        { "4-7,12-15", "4-7,12-15" },
        { "nodes:1", "8-15" },
        { "node:1,nodes:2-3,0", "0,8-31" },
        { "31", "31" },
        { "32", NULL },
        { "nodes:4", NULL },
        { "nodes:", NULL },
        { "", NULL },
        { "1,", NULL },
        { ",1", NULL },
        { "1-", NULL },
        { "all", NULL },
        { "^3", NULL },
        { "nodes:x", NULL },
    };
    struct xlnuma_host *host = unit_host(4, 8, free_mib);

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        xlnuma_cpuset cpus;
        char list[64];
        int rc = xlnuma__dedicated_parse(row[i].text, host, &cpus, message);

        CU_ASSERT_EQUAL(rc, row[i].cpus ? 0 : XLNUMA_ERR_INVALID);
        CU_ASSERT_EQUAL(!*message, !rc);
        if (row[i].cpus && !rc)
            CU_ASSERT_STRING_EQUAL(
                xlnuma_cpuset_format(&cpus, list, sizeof(list)), row[i].cpus);
        /* Of the form alone, what the host has does not count. */
        rc = xlnuma__dedicated_parse(row[i].text, NULL, &cpus, message);
        CU_ASSERT_EQUAL(!rc, row[i].cpus || !strcmp(row[i].text, "32") ||
                                 !strcmp(row[i].text, "nodes:4"));
    }
    xlnuma_host_free(host);
}

/* A part of the host's CPUs at random. */
static void draw_cpus(const struct xlnuma_host *host, unsigned of_ten,
                      const xlnuma_cpuset *among, xlnuma_cpuset *cpus_r)
{
    unsigned node;

    memset(cpus_r, 0, sizeof(*cpus_r));
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
            if (xlnuma_cpuset_has(&host->node[node].cpus, cpu) &&
                (!among || xlnuma_cpuset_has(among, cpu)) && draw(10) < of_ten)
                xlnuma_cpuset_add(cpus_r, cpu);
}

/* What holds for each plan that is placed. */
static void check_plan(const struct xlnuma_host *host,
                       const struct xlnuma_request *request,
                       const struct xlnuma_plan *plan)
{
    xlnuma_cpuset usable, all_taken = { { 0 } }, cpus = { { 0 } }, taken, cpu;
    uint64_t sum_kb = 0;
    unsigned node;

    xlnuma__dedicated_usable(host, request->threads, &usable);
    CU_ASSERT_EQUAL(plan->nr_dedicated, request->max_vcpus > request->nr_vcpus
                                            ? request->max_vcpus
                                            : request->nr_vcpus);
    for (unsigned i = 0; i < plan->nr_dedicated; i++) {
        memset(&cpu, 0, sizeof(cpu));
        xlnuma_cpuset_add(&cpu, plan->cpu[i]);
        CU_ASSERT(xlnuma_cpuset_has(&usable, plan->cpu[i]));
        CU_ASSERT(!xlnuma_cpuset_has(&cpus, plan->cpu[i]));
        xlnuma_cpuset_or(&cpus, &cpu);
        xlnuma__dedicated_taken(host, request->threads, plan->cpu[i], &taken);
        xlnuma_cpuset_or(&all_taken, &taken);
    }
    CU_ASSERT(!memcmp(&cpus, &plan->soft_cpus, sizeof(cpus)));
    CU_ASSERT(plan->has_hard_cpus);
    CU_ASSERT(!memcmp(&cpus, &plan->hard_cpus, sizeof(cpus)));
    /* all that it keeps others from was free */
    CU_ASSERT(!xlnuma_cpuset_intersects(&all_taken, &host->dedicated_taken));
    xlnuma_cpuset_remove(&all_taken, &host->dedicated_cpus);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&all_taken), 0);
    XLNUMA_FOR_EACH_NODE(node, plan->nodes)
        sum_kb += plan->memory_kb[node];
    CU_ASSERT_EQUAL(sum_kb, request->memory_kb);
}

/* Random hosts and guests: CPUs that are free, one for each vCPU, or none. */
static void random_plans(void)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_plan *plan = xlnuma_plan_new();
    unsigned nr_placed = 0, nr_unplaced = 0, nr_plans = DRAW_SOME(3000), node;

    draw_seed(15);
    for (unsigned n = 0; n < nr_plans; n++) {
        struct xlnuma_request request;

        draw_host(host, 1 + draw(8), (enum draw_table)draw(DRAW_TABLES), n & 1);
        memset(host->core, 0, sizeof(host->core));
        XLNUMA_FOR_EACH_NODE(node, host->nodes)
            xlnuma__host_guess_cores(host, &host->node[node]);
        draw_cpus(host, 7, NULL, &host->dedicated_cpus);
        draw_cpus(host, 3, &host->dedicated_cpus, &host->dedicated_taken);
        draw_request(host, &request, n & 1);
        request.has_cpus = request.has_own_affinity = false;
        request.cpu_policy = XLNUMA_CPUS_DEDICATED;
        request.threads = (enum xlnuma_threads)draw(3);
        request.nr_vcpus = 1 + draw(8);
        request.max_vcpus = draw(2) ? request.nr_vcpus + draw(3) : 0;
        if (xlnuma__plan_dedicated(host, &request, plan, message))
            continue;
        if (plan->status == XLNUMA_STATUS_PLACED) {
            check_plan(host, &request, plan);
            nr_placed++;
        } else if (plan->status == XLNUMA_STATUS_UNPLACED) {
            CU_ASSERT_EQUAL(plan->nr_dedicated, 0);
            nr_unplaced++;
        }
    }
    CU_ASSERT(nr_placed > nr_plans / 10);
    CU_ASSERT(nr_unplaced > nr_plans / 10);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

/* Domain-0's vCPUs 0, 1... may run on these CPUs; "" is one that is offline. */
static void fill_dom0(const char *const cpus[], struct xlnuma__dom0_vcpus *dom0)
{
    memset(dom0, 0, sizeof(*dom0));
    dom0->vcpu = calloc(8, sizeof(*dom0->vcpu));
    for (unsigned i = 0; i < 8 && cpus[i]; i++) {
        if (!*cpus[i])
            continue;
        dom0->vcpu[dom0->nr].id = i;
        CU_ASSERT_EQUAL(
            xlnuma_cpuset_parse(cpus[i], &dom0->vcpu[dom0->nr].cpus, message),
            0);
        dom0->nr++;
    }
}

/* Nodes 0 and 1 (CPUs 0-7, 8-15) are socket 0, 2 and 3 (16-23, 24-31) socket 1. */
static void emulators(void)
{
    enum { ANY = XLNUMA_EMULATOR_ANY, NEAR = XLNUMA_EMULATOR_NEAR };
    static const struct {
        const char *cpus[8];
        xlnuma_nodeset nodes;
        int emulator;
        const char *set, *vcpus;
    } row[] = {
        /* pinned to a node of the guest's, alone */
        { { "0-7", "8-15", "16", "17" }, 0x1, NEAR, "", "0" },
        { { "0-7", "8-15", "16", "17" }, 0x4, NEAR, "", "2-3" },
        { { "0-7", "8-15", "16", "17" }, 0x3, NEAR, "", "0-1" },
        { { "0-8", "3" }, 0x1, NEAR, "", "1" },
        /* else on its socket, or its sockets */
        { { "0-7", "8-15", "16", "17" }, 0x8, NEAR, "", "2-3" },
        { { "0-15", "16-31" }, 0x1, NEAR, "", "0" },
        { { "8", "24" }, 0x5, NEAR, "", "0-1" },
        /* else as it is */
        { { "0-31", "0-31" }, 0x1, NEAR, "", "" },
        { { "16", "17" }, 0x1, NEAR, "", "" },
        { { "0", "8" }, 0, NEAR, "", "" },
        { { "0", "8" }, 0x1, ANY, "", "" },
        { { "0", "", "" }, 0x1, NEAR, "", "0" },
        /* all are on the guest's nodes: nothing is left out */
        { { "0-31", "0-31" }, 0xf, NEAR, "", "0-1" },
        /* of a set */
        { { "0", "1", "8", "16" }, 0x1, ANY, "1-3", "1-3" },
        { { "0", "1", "8", "16" }, 0x1, NEAR, "1-3", "1" },
        { { "0", "1", "8", "16" }, 0x1, NEAR, "2-3", "2" },
        { { "0", "1", "8", "16" }, 0x1, NEAR, "3", "3" },
        { { "0", "1", "", "16" }, 0x1, ANY, "2-3", "3" },
        { { "0", "1", "8", "16" }, 0x1, ANY, "4-5", "" },
    };
    struct xlnuma_host *host = unit_host(4, 8, free_mib);

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct xlnuma__dom0_vcpus dom0;
        xlnuma_cpuset set, vcpus;
        char list[64];

        fill_dom0(row[i].cpus, &dom0);
        CU_ASSERT_EQUAL(xlnuma_cpuset_parse(row[i].set, &set, message), 0);
        xlnuma__emulator_choose(host, &dom0, row[i].nodes,
                                (enum xlnuma_emulator)row[i].emulator, &set,
                                &vcpus);
        xlnuma_cpuset_format(&vcpus, list, sizeof(list));
        CU_ASSERT_STRING_EQUAL(list, row[i].vcpus);
        if (strcmp(list, row[i].vcpus))
            printf("# row %zu: %s, not %s\n", i, list, row[i].vcpus);
        free(dom0.vcpu);
    }
    xlnuma_host_free(host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "which CPUs of which cores and nodes", tables },
        { "threads of a core that are apart", siblings_apart },
        { "lists of CPUs and nodes", lists },
        { "random hosts and guests", random_plans },
        { "device models", emulators },
        { NULL, NULL },
    };

    return unit_run("dedicated", tests);
}
