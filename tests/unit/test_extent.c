/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planner/extent.c */
#include "unit.h"

#include <string.h>

#define GIB_ORDER 18
#define MIB2_ORDER 9

static const uint64_t free_mib[4] = { 2657, 1011, 2250, 2300 };

/* Extents of a plan with `mib` MiB on each node of the 2x2 host. */
static struct xlnuma__extents extents_for(const uint64_t mib[4])
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma__extents extents;

    for (unsigned i = 0; i < 4; i++) {
        plan->memory_kb[i] = mib[i] * 1024;
        if (mib[i])
            plan->nodes |= (xlnuma_nodeset)1 << i;
    }
    xlnuma__extents_init(&extents, host, plan);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
    return extents;
}

/* Place `nr` extents, Xen having room for all; MiB per node afterwards. */
static void place(struct xlnuma__extents *extents, unsigned order,
                  unsigned long nr)
{
    while (nr) {
        unsigned long run = nr;
        int node = xlnuma__extents_next(extents, order, &run);

        CU_ASSERT_FATAL(node >= 0);
        CU_ASSERT_FATAL(run >= 1 && run <= nr);
        xlnuma__extents_done(extents, (unsigned)node, order, run);
        nr -= run;
    }
}

static void one_node(void)
{
    struct xlnuma__extents extents = extents_for((uint64_t[]){ 0, 0, 1500, 0 });
    unsigned long run = 750;

    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, MIB2_ORDER, &run), 2);
    CU_ASSERT_EQUAL(run, 750); /* no turns to take: one call */
}

static void halves(void)
{
    struct xlnuma__extents extents =
        extents_for((uint64_t[]){ 0, 0, 2160, 2160 });

    place(&extents, MIB2_ORDER, 2150);
    /* 4300 MiB in runs of 16 MiB: the halves differ by one run at most. */
    CU_ASSERT(extents.done_kb[2] >= 2142 * 1024);
    CU_ASSERT(extents.done_kb[3] >= 2142 * 1024);
    CU_ASSERT_EQUAL(extents.done_kb[2] + extents.done_kb[3], 4300 * 1024);
    CU_ASSERT_EQUAL(extents.done_kb[0] + extents.done_kb[1], 0);
}

static void uneven_shares(void)
{
    struct xlnuma__extents extents =
        extents_for((uint64_t[]){ 3000, 1000, 0, 0 });

    place(&extents, 0, 4000 * 256 / 2);
    /* Half way each node has half of its own share, within a run of 2 MiB. */
    CU_ASSERT(extents.done_kb[0] >= 1496 * 1024);
    CU_ASSERT(extents.done_kb[0] <= 1504 * 1024);
}

static void large_extents_stay_whole(void)
{
    struct xlnuma__extents extents =
        extents_for((uint64_t[]){ 0, 0, 1500, 1500 });

    place(&extents, GIB_ORDER, 2);
    CU_ASSERT_EQUAL(extents.done_kb[2], 1024 * 1024);
    CU_ASSERT_EQUAL(extents.done_kb[3], 1024 * 1024);
    /* A third one is kept whole; what follows goes to the other node. */
    place(&extents, GIB_ORDER, 1);
    CU_ASSERT_EQUAL(extents.done_kb[2], 2048 * 1024);
    place(&extents, MIB2_ORDER, 464);
    CU_ASSERT_EQUAL(extents.done_kb[2], 2048 * 1024);
    CU_ASSERT_EQUAL(extents.done_kb[3], (1024 + 928) * 1024);
}

static void extents_are_counted(void)
{
    struct xlnuma__extents extents =
        extents_for((uint64_t[]){ 0, 0, 1500, 1500 });

    place(&extents, GIB_ORDER, 2);
    place(&extents, MIB2_ORDER, 20);
    place(&extents, 0, 3);
    CU_ASSERT_EQUAL(extents.nr[GIB_ORDER], 2);
    CU_ASSERT_EQUAL(extents.nr[MIB2_ORDER], 20);
    CU_ASSERT_EQUAL(extents.nr[0], 3);
    CU_ASSERT_EQUAL(extents.nr[1], 0);
}

/* Of node 0's 2657 MiB 1257 are not low. */
static void no_low_memory_for_large_extents(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma__extents extents;
    unsigned long run = 1;

    host->node[0].low_free_kb = 1400 * 1024;
    plan->nodes = 0x3;
    plan->memory_kb[0] = 1257 * 1024;
    plan->memory_kb[1] = 1800 * 1024;
    xlnuma__extents_init(&extents, host, plan);
    place(&extents, GIB_ORDER, 2);
    CU_ASSERT_EQUAL(extents.done_kb[0], 1024 * 1024);
    place(&extents, MIB2_ORDER, (1257 + 1800 - 2048) / 2);
    CU_ASSERT(extents.done_kb[0] <= 1257 * 1024); /* not low */
    CU_ASSERT(extents.done_kb[0] >= 1240 * 1024);
    /* Where low memory is planned it is taken, but not a GiB at a time. */
    plan->memory_kb[0] = 2400 * 1024;
    plan->low_kb[0] = (2400 - 1257) * 1024;
    plan->nodes = 0x1;
    xlnuma__extents_init(&extents, host, plan);
    place(&extents, GIB_ORDER, 1);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, GIB_ORDER, &run), -1);
    place(&extents, MIB2_ORDER, (2400 - 1024) / 2);
    CU_ASSERT_EQUAL(extents.done_kb[0], 2400 * 1024);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

/*
 * 1500 MiB, half on each of nodes 2 and 3 (2250 and 2300 MiB): of node 2 others
 * have reserved all but 800, so a whole GiB comes from node 3 or from none.
 */
static void no_reserved_memory_for_large_extents(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma__extents extents;

    host->node[2].reserved_kb = (2250 - 800) * 1024;
    plan->nodes = 0xc;
    plan->memory_kb[2] = plan->memory_kb[3] = 750 * 1024;
    xlnuma__extents_init(&extents, host, plan);
    place(&extents, GIB_ORDER, 1);
    CU_ASSERT_EQUAL(extents.done_kb[3], 1024 * 1024);
    place(&extents, MIB2_ORDER, (1500 - 1024) / 2);
    CU_ASSERT_EQUAL(extents.done_kb[2], (1500 - 1024) * 1024);
    host->node[3].reserved_kb = (2300 - 800) * 1024;
    xlnuma__extents_init(&extents, host, plan);
    CU_ASSERT_EQUAL(
        xlnuma__extents_next(&extents, GIB_ORDER, &(unsigned long){ 1 }), -1);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

/* As libxl-save-helper has it: of the host it knows no more than the report. */
static void no_large_extent_beyond_a_share(void)
{
    const uint64_t share_kb[4] = { 0, 0, 5 * 1024, 3 * 1024 };
    struct xlnuma__extents extents;
    unsigned long nr = 1;

    xlnuma__extents_resume(&extents, 0xc, share_kb, NULL, 0);
    place(&extents, MIB2_ORDER, 3);
    CU_ASSERT_EQUAL(extents.done_kb[2], 4 * 1024);
    CU_ASSERT_EQUAL(extents.done_kb[3], 2 * 1024);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, MIB2_ORDER, &nr), -1);
    place(&extents, 0, 512);
    CU_ASSERT_EQUAL(extents.done_kb[2], share_kb[2]);
    CU_ASSERT_EQUAL(extents.done_kb[3], share_kb[3]);
}

static void smaller_extents_before_other_nodes(void)
{
    struct xlnuma__extents extents =
        extents_for((uint64_t[]){ 0, 0, 2160, 2160 });
    unsigned long run = 1;

    xlnuma__extents_failed(&extents, 2, MIB2_ORDER);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, MIB2_ORDER, &run), 3);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, GIB_ORDER, &run), 3);
    xlnuma__extents_failed(&extents, 3, MIB2_ORDER);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, MIB2_ORDER, &run), -1);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, 0, &run), 2);
}

static void full_nodes(void)
{
    struct xlnuma__extents extents =
        extents_for((uint64_t[]){ 0, 0, 100, 100 });
    unsigned long run = 1;

    /* Node 2 is full: node 3 takes more than its share, however much. */
    xlnuma__extents_failed(&extents, 2, 0);
    place(&extents, 0, 150 * 256);
    CU_ASSERT_EQUAL(extents.done_kb[3], 150 * 1024);
    /* Node 3 too: the nearest other nodes, large extents again. */
    xlnuma__extents_failed(&extents, 3, 0);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, GIB_ORDER, &run), 0);
    xlnuma__extents_failed(&extents, 0, GIB_ORDER);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, GIB_ORDER, &run), 1);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, 0, &run), 0);
    xlnuma__extents_failed(&extents, 0, 0);
    xlnuma__extents_failed(&extents, 1, 0);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, 0, &run), -1);
}

static void nearest_first(void)
{
    struct xlnuma__extents extents = extents_for((uint64_t[]){ 0, 0, 0, 100 });

    /* From node 3: node 2 is its sibling, 0 and 1 are beyond. */
    CU_ASSERT_EQUAL(extents.nr_ranked, 3);
    CU_ASSERT_EQUAL(extents.rank[0], 2);
    CU_ASSERT_EQUAL(extents.rank[1], 0);
    CU_ASSERT_EQUAL(extents.rank[2], 1);
}

/*
 * 1475 MiB by CPUs, which are on node 1 alone: node 0 gives 44 MiB. The first GiB
 * is as far behind on both: it is node 1's, where the CPUs are.
 */
static void nearest_to_cpus_first(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma__extents extents;
    unsigned long run = 1;

    plan->nodes = 0x3;
    plan->memory_kb[0] = 44 * 1024;
    plan->memory_kb[1] = 1431 * 1024;
    plan->soft_cpus = host->node[1].cpus;
    xlnuma__extents_init(&extents, host, plan);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, GIB_ORDER, &run), 1);
    plan->soft_cpus = host->node[0].cpus;
    xlnuma__extents_init(&extents, host, plan);
    CU_ASSERT_EQUAL(xlnuma__extents_next(&extents, GIB_ORDER, &run), 0);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "one node gets everything in one call", one_node },
        { "two nodes get halves", halves },
        { "uneven shares fill at the same pace", uneven_shares },
        { "1 GiB extents stay whole", large_extents_stay_whole },
        { "extents are counted by order", extents_are_counted },
        { "no low memory for the sake of a large extent",
          no_low_memory_for_large_extents },
        { "nor reserved memory", no_reserved_memory_for_large_extents },
        { "nor beyond a share where the host is not known",
          no_large_extent_beyond_a_share },
        { "smaller extents come before other nodes",
          smaller_extents_before_other_nodes },
        { "full nodes: the plan's others, then the nearest", full_nodes },
        { "of equals the one nearest to the guest's CPUs",
          nearest_to_cpus_first },
        { "nodes outside the plan are ranked by distance", nearest_first },
        { NULL, NULL },
    };

    return unit_run("extent", tests);
}
