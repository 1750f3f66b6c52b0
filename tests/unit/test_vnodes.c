/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vnodes/nodes.c and pins.c: which nodes a guest sees. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "model/cores.h"
#include "planner/dedicated.h"
#include "vnodes/vnodes.h"

#define MIB 1024
#define LOW 4032 /* MiB below the hole of a PVH guest */

/* A plan, and the guest's nodes of it. Memory is in MiB. */
struct row {
    const char *what;
    uint64_t plan[4]; /* on each node; two CPUs each, two nodes a socket */
    unsigned cpus;    /* the plan has CPUs of these nodes too, a mask */
    unsigned wish, nr_online, nr_vcpus;
    uint64_t ram;
    uint64_t free[4];  /* 0: 8192 */
    const char *nodes; /* "HOST:MIB[VCPUS]distances ..." */
};

/*
 * Targets are the shares summed up; each ends at the nearest multiple of 128 that
 * has room. Above 4032 it goes on with 4032 + 128 n.
 */
static const struct row rows[] = {
    { "600 of 1200: 640 is nearer than 512",
      { 0, 0, 600, 600 },
      0,
      1,
      4,
      4,
      1200,
      { 0 },
      "2:640[0-1]10,11 3:560[2-3]11,10" },
    { "four nodes of 200.25: 256, 384, 640; 5 of 7 vCPUs",
      { 201, 200, 200, 200 },
      0,
      1,
      5,
      7,
      801,
      { 0 },
      "0:256[0-1]10,11,21,21 1:128[2,5]11,10,21,21 "
      "2:256[3,6]21,21,10,11 3:161[4]21,21,11,10" },
    { "uneven nodes: 896 is nearest to 900",
      { 900, 0, 300, 0 },
      0,
      1,
      2,
      2,
      1200,
      { 0 },
      "0:896[0]10,21 2:304[1]21,10" },
    { "no room for 640 on node 2: 512",
      { 0, 0, 600, 600 },
      0,
      1,
      2,
      2,
      1200,
      { 0, 0, 620, 0 },
      "2:512[0]10,11 3:688[1]11,10" },
    { "no room for what 512 leaves to node 3: 640, though 512 is nearer",
      { 0, 0, 560, 620 },
      0,
      1,
      2,
      2,
      1180,
      { 0, 0, 0, 620 },
      "2:640[0]10,11 3:540[1]11,10" },
    /* 256, 128 and 417 would be nearer, but 216 have no room for blocks of 417. */
    { "room is counted in blocks: 384, 128, 128 and what is left",
      { 201, 200, 200, 200 },
      0,
      1,
      2,
      2,
      801,
      { 420, 216, 216, 216 },
      "0:384[0]10,11,21,21 1:128[1]11,10,21,21 "
      "2:128[]21,21,10,11 3:161[]21,21,11,10" },
    { "40 MiB make no node: the others have them",
      { 600, 600, 40, 0 },
      0,
      1,
      3,
      3,
      1240,
      { 0 },
      "0:640[0-1]10,11 1:600[2]11,10" },
    { "N nodes on two: each has its half's half",
      { 600, 0, 600, 0 },
      0,
      4,
      4,
      4,
      1200,
      { 0 },
      "0:256[0]10,11,21,21 0:384[1]11,10,21,21 "
      "2:256[2]21,21,10,11 2:304[3]21,21,11,10" },
    { "N nodes on one",
      { 0, 600, 0, 0 },
      0,
      3,
      3,
      3,
      600,
      { 0 },
      "1:256[0]10,11,11 1:128[1]11,10,11 1:216[2]11,11,10" },
    /*
     * 1024 is nearer to 7 of 8 parts, 962.5, but leaves 76. The plan's nodes have as
     * many CPUs, so each has a vCPU.
     */
    { "N nodes leave each a block",
      { 0, 0, 550, 550 },
      0,
      8,
      2,
      2,
      1100,
      { 0 },
      "2:128[0]10,11,11,11,11,11,11,11 2:128[]11,10,11,11,11,11,11,11 "
      "2:128[]11,11,10,11,11,11,11,11 2:128[]11,11,11,10,11,11,11,11 "
      "3:128[1]11,11,11,11,10,11,11,11 3:128[]11,11,11,11,11,10,11,11 "
      "3:128[]11,11,11,11,11,11,10,11 3:204[]11,11,11,11,11,11,11,10" },
    { "fewer vCPUs than nodes: the last have none",
      { 300, 300, 300, 300 },
      0,
      1,
      2,
      2,
      1200,
      { 0 },
      "0:256[0]10,11,21,21 1:384[1]11,10,21,21 "
      "2:256[]21,21,10,11 3:304[]21,21,11,10" },
    { "node 1 has no memory: node 0 has its CPUs",
      { 600, 0, 600, 0 },
      0x2,
      1,
      6,
      6,
      1200,
      { 0 },
      "0:640[0-3]10,21 2:560[4-5]21,10" },
    { "the hole: the end of a node behind it",
      { 4200, 0, 800, 0 },
      0,
      1,
      2,
      2,
      5000,
      { 0 },
      "0:4160[0]10,21 2:840[1]21,10" },
    { "the hole ends a node",
      { 4050, 0, 950, 0 },
      0,
      1,
      2,
      2,
      5000,
      { 0 },
      "0:4032[0]10,21 2:968[1]21,10" },
};

static void set_up(const struct row *row, struct xlnuma_host *host,
                   struct xlnuma_request *request, struct xlnuma_plan *plan)
{
    xlnuma_request_init(request);
    request->guest_nodes = row->wish;
    request->nr_vcpus = row->nr_online;
    request->max_vcpus = row->nr_vcpus;
    request->ram_kb = row->ram * MIB;
    request->low_ram_kb = LOW * MIB;
    plan->status = XLNUMA_STATUS_PLACED;
    for (unsigned i = 0; i < 4; i++) {
        host->node[i].size_kb = host->node[i].free_kb =
            (row->free[i] ? row->free[i] : 8192) * MIB;
        plan->memory_kb[i] = row->plan[i] * MIB;
        plan->needed_kb += row->plan[i] * MIB;
        if (row->plan[i] || row->cpus >> i & 1) {
            plan->nodes |= (xlnuma_nodeset)1 << i;
            xlnuma_cpuset_or(&plan->soft_cpus, &host->node[i].cpus);
        }
    }
    request->memory_kb = plan->needed_kb;
}

static const char *in_words(const struct xlnuma_plan *plan)
{
    static char words[4096];
    size_t used = 0;

    words[0] = '\0';
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++) {
        const struct xlnuma_guest_node *node = &plan->guest_node[n];
        char vcpus[64];

        used += (size_t)snprintf(
            words + used, sizeof(words) - used, "%s%u:%u[%s]", n ? " " : "",
            node->node, (unsigned)(node->memory_kb / MIB),
            xlnuma__vcpus_format(node->vcpus, vcpus, sizeof(vcpus)));
        for (unsigned m = 0; m < plan->nr_guest_nodes; m++)
            used += (size_t)snprintf(words + used, sizeof(words) - used, "%s%u",
                                     m ? "," : "", node->distance[m]);
    }
    return words;
}

static void table(void)
{
    static const uint64_t free_mib[4] = { 3072, 3072, 3072, 3072 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct xlnuma_host *host = unit_host(4, 2, free_mib);
        struct xlnuma_plan *plan = xlnuma_plan_new();
        struct xlnuma_request request;
        uint64_t sum_kb = 0, plan_kb = 0;

        set_up(&rows[i], host, &request, plan);
        xlnuma__vnodes_make(host, &request, plan);
        if (strcmp(in_words(plan), rows[i].nodes))
            printf("# %s: got %s (%s)\n", rows[i].what, in_words(plan),
                   plan->vnodes_reason);
        CU_ASSERT_STRING_EQUAL(in_words(plan), rows[i].nodes);
        CU_ASSERT_STRING_EQUAL(plan->vnodes_reason, "");
        for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
            sum_kb += plan->guest_node[n].memory_kb;
        for (unsigned n = 0; n < 4; n++)
            plan_kb += plan->memory_kb[n];
        CU_ASSERT_EQUAL(sum_kb, rows[i].ram * MIB);
        CU_ASSERT_EQUAL(plan_kb, plan->needed_kb);
        xlnuma_plan_free(plan);
        xlnuma_host_free(host);
    }
}

static const struct {
    uint64_t plan[4];
    unsigned wish, nr_vcpus;
    uint64_t ram;
    const char *no, *reason;
} none[] = {
    { { 600, 600 }, 0, 2, 1200, NULL, "" },
    { { 600, 600 }, 1, 2, 1200, "it is PV", "it is PV" },
    { { 600 }, 1, 2, 600, NULL, "all of its memory is on one node" },
    { { 600, 600 }, 1, 129, 1200, NULL, "it has more than 128 vCPUs" },
    { { 600, 600 },
      3,
      2,
      1200,
      NULL,
      "3 nodes are not a multiple of the plan's 2" },
    /* 128 + 72; and 4 * 128 = 512 is more than there is */
    { { 100, 100 },
      1,
      2,
      200,
      NULL,
      "its 200 MiB make no 2 nodes of at least 128 MiB" },
    { { 250, 250 },
      4,
      2,
      500,
      NULL,
      "its 500 MiB make no 4 nodes of at least 128 MiB" },
};

static void one_host_node(void)
{
    static const uint64_t free_mib[1] = { 3072 };
    struct xlnuma_host *host = unit_host(1, 2, free_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct row row = {
        .plan = { 600 }, .wish = 2, .nr_online = 1, .nr_vcpus = 1, .ram = 600
    };
    struct xlnuma_request request;
    struct xlnuma_host *larger = unit_host(4, 2, (uint64_t[4]){ 0 });

    set_up(&row, larger, &request, plan);
    xlnuma__vnodes_make(host, &request, plan);
    CU_ASSERT_STRING_EQUAL(in_words(plan), "0:256[0]10,11 0:344[]11,10");
    request.guest_nodes = XLNUMA_GUEST_NODES_AUTO;
    xlnuma__vnodes_make(host, &request, plan);
    CU_ASSERT_STRING_EQUAL(plan->vnodes_reason, "the host has one node");
    CU_ASSERT_EQUAL(plan->nr_guest_nodes, 0);
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
    xlnuma_host_free(larger);
}

static void no_nodes(void)
{
    static const uint64_t free_mib[4] = { 3072, 3072, 3072, 3072 };

    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        struct xlnuma_host *host = unit_host(4, 2, free_mib);
        struct xlnuma_plan *plan = xlnuma_plan_new();
        struct xlnuma_request request;
        struct row row = { .wish = none[i].wish,
                           .nr_vcpus = none[i].nr_vcpus,
                           .nr_online = none[i].nr_vcpus,
                           .ram = none[i].ram };

        memcpy(row.plan, none[i].plan, sizeof(row.plan));
        set_up(&row, host, &request, plan);
        request.no_guest_nodes = none[i].no;
        xlnuma__vnodes_make(host, &request, plan);
        CU_ASSERT_EQUAL(plan->nr_guest_nodes, 0);
        CU_ASSERT_STRING_EQUAL(plan->vnodes_reason, none[i].reason);
        xlnuma_plan_free(plan);
        xlnuma_host_free(host);
    }
}

/* Linux takes 11 to 254 between nodes, 10 within one. */
static void distances(void)
{
    static const uint64_t free_mib[4] = { 3072, 3072, 3072, 3072 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct row row = { .plan = { 600, 600 },
                       .wish = 1,
                       .nr_online = 1,
                       .nr_vcpus = 1,
                       .ram = 1200 };
    struct xlnuma_request request;

    host->distance[0][0] = 12;
    host->distance[0][1] = XLNUMA_DISTANCE_UNREACHABLE;
    host->distance[1][0] = 10;
    set_up(&row, host, &request, plan);
    xlnuma__vnodes_make(host, &request, plan);
    CU_ASSERT_STRING_EQUAL(in_words(plan), "0:640[0]10,254 1:560[]11,10");
    xlnuma_plan_free(plan);
    xlnuma_host_free(host);
}

/* 4160 and 840 MiB: 4032 below the hole, 128 behind it, and 840 more. */
static void ranges(void)
{
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma__layout layout;
    const struct xlnuma__vrange *range = layout.range;

    plan->nr_guest_nodes = 2;
    plan->guest_node[0].memory_kb = 4160 * MIB;
    plan->guest_node[1].memory_kb = 840 * MIB;
    xlnuma__layout_from_plan(&layout, plan, 0xfc000000);
    CU_ASSERT_EQUAL(layout.nr_ranges, 3);
    CU_ASSERT(range[0].start == 0 && range[0].end == 0xfc000000 &&
              range[0].vnode == 0);
    CU_ASSERT(range[1].start == 0x100000000 && range[1].end == 0x108000000 &&
              range[1].vnode == 0);
    CU_ASSERT(range[2].start == 0x108000000 && range[2].end == 0x13c800000 &&
              range[2].vnode == 1);
    plan->guest_node[0].memory_kb = 4032 * MIB;
    xlnuma__layout_from_plan(&layout, plan, 0xfc000000);
    CU_ASSERT_EQUAL(layout.nr_ranges, 2);
    CU_ASSERT(range[1].start == 0x100000000 && range[1].vnode == 1);
    xlnuma_plan_free(plan);
}

/* --- a fixed number ------------------------------------------------------- */

/* Free memory in MiB, and the plan's nodes and what the guest sees. */
static const struct {
    const char *what;
    uint64_t free[4];
    unsigned wish, nr_vcpus;
    uint64_t ram;
    const char *nodes;
} fixed[] = {
    { "one node holds it: all of them there",
      { 3000, 600, 3000, 3000 },
      2,
      2,
      600,
      "1:256[0]10,11 1:344[1]11,10" },
    { "one has too few CPUs: two",
      { 3000, 600, 700, 700 },
      2,
      4,
      600,
      "2:256[0-1]10,11 3:344[2-3]11,10" },
    { "two hold it",
      { 700, 700, 600, 600 },
      4,
      4,
      1200,
      "2:256[0]10,11,11,11 2:384[1]11,10,11,11 "
      "3:256[2]11,11,10,11 3:304[3]11,11,11,10" },
    /*
     * 3 do not divide 4, so the fourth joins: 300 each, but the last has no room
     * for what 896 leaves of 1200.
     */
    { "three hold it: four",
      { 500, 500, 500, 300 },
      4,
      4,
      1200,
      "0:256[0]10,11,21,21 1:384[1]11,10,21,21 "
      "2:384[2]21,21,10,11 3:176[3]21,21,11,10" },
};

static void fixed_number(void)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
        struct xlnuma_host *host = unit_host(4, 2, fixed[i].free);
        struct xlnuma_plan *plan = xlnuma_plan_new();
        struct xlnuma_request request;
        char message[XLNUMA_MESSAGE_SIZE];

        xlnuma_request_init(&request);
        request.guest_nodes = fixed[i].wish;
        request.nr_vcpus = fixed[i].nr_vcpus;
        request.memory_kb = request.ram_kb = fixed[i].ram * MIB;
        request.low_ram_kb = LOW * MIB;
        CU_ASSERT_EQUAL(xlnuma__plan_with_vnodes(host, &request, plan, message),
                        0);
        if (strcmp(in_words(plan), fixed[i].nodes))
            printf("# %s: got %s (%s; %s)\n", fixed[i].what, in_words(plan),
                   plan->vnodes_reason, plan->reason);
        CU_ASSERT_STRING_EQUAL(in_words(plan), fixed[i].nodes);
        xlnuma_plan_free(plan);
        xlnuma_host_free(host);
    }
}

/* --- dedicated CPUs ------------------------------------------------------- */

/* Nodes of 8 CPUs, nodes 2 and 3 have 1000 MiB free; the guest has 1200. */
static const struct {
    const char *what, *dedicated;
    unsigned wish, nr_online, nr_vcpus;
    const char *nodes, *cpus;
} pinned[] = {
    { "two on each node, those that are online first", "16-31", 1, 2, 4,
      "2:640[0,2]10,11 3:560[1,3]11,10", "16,24,17,25" },
    /*
     * 6 of 2 and 6 CPUs are 2 and 4, so a third of the memory, 400, is on node 2. Of
     * 3 vCPUs that are 1 and 2; of the other 3 too.
     */
    { "in proportion to the CPUs that it gets", "16-17,24-29", 1, 3, 6,
      "2:384[0,3]10,11 3:816[1-2,4-5]11,10", "16,24,25,17,26,27" },
    /* 4 of them are two cores of node 3, which has 1000 MiB; 256 is nearest to 200. */
    { "a node without any of them has memory alone", "16-17,24-29", 1, 4, 4,
      "2:256[]10,11 3:944[0-3]11,10", "24,25,26,27" },
    /* Node 2 has 900 MiB: ends at 450, 900, 1050 are 512, 896, 1024. */
    { "several nodes on one: as many vCPUs as that one has CPUs", "16-18,24", 4,
      4, 4,
      "2:512[0-1]10,11,11,11 2:384[2]11,10,11,11 "
      "3:128[3]11,11,10,11 3:176[]11,11,11,10",
      "16,17,18,24" },
};

static struct xlnuma_host *pinned_host(const char *dedicated_cpus)
{
    static const uint64_t free_mib[4] = { 100, 100, 1000, 1000 };
    struct xlnuma_host *host = unit_host(4, 8, free_mib);
    char message[XLNUMA_MESSAGE_SIZE];

    for (unsigned n = 0; n < 4; n++) {
        host->node[n].nr_cores = 4;
        xlnuma__host_guess_cores(host, &host->node[n]);
    }
    CU_ASSERT(
        !xlnuma_cpuset_parse(dedicated_cpus, &host->dedicated_cpus, message));
    return host;
}

static void pinned_request(unsigned nr_online, unsigned nr_vcpus,
                           struct xlnuma_request *request_r)
{
    xlnuma_request_init(request_r);
    request_r->cpu_policy = XLNUMA_CPUS_DEDICATED;
    request_r->nr_vcpus = nr_online;
    request_r->max_vcpus = nr_vcpus;
    request_r->memory_kb = request_r->ram_kb = 1200 * MIB;
    request_r->low_ram_kb = LOW * MIB;
}

static void dedicated(void)
{
    for (size_t i = 0; i < sizeof(pinned) / sizeof(*pinned); i++) {
        struct xlnuma_host *host = pinned_host(pinned[i].dedicated);
        struct xlnuma_plan *plan = xlnuma_plan_new();
        struct xlnuma_request request;
        char message[XLNUMA_MESSAGE_SIZE], cpus[64];

        pinned_request(pinned[i].nr_online, pinned[i].nr_vcpus, &request);
        request.guest_nodes = pinned[i].wish;
        CU_ASSERT(!xlnuma__plan_with_vnodes(host, &request, plan, message));
        xlnuma__dedicated_format(plan, cpus, sizeof(cpus));
        if (strcmp(in_words(plan), pinned[i].nodes) ||
            strcmp(cpus, pinned[i].cpus))
            printf("# %s: got %s, %s (%s)\n", pinned[i].what, in_words(plan),
                   cpus, plan->vnodes_reason);
        CU_ASSERT_STRING_EQUAL(in_words(plan), pinned[i].nodes);
        CU_ASSERT_STRING_EQUAL(cpus, pinned[i].cpus);
        CU_ASSERT(!memcmp(&plan->hard_cpus, &plan->soft_cpus,
                          sizeof(plan->soft_cpus)));
        xlnuma_plan_free(plan);
        xlnuma_host_free(host);
    }
}

/* --- a restored guest ----------------------------------------------------- */

/* The guest's nodes in MiB, and the node of the host that each gets, or why not. */
static const struct kept_row {
    const char *what;
    uint64_t free[4], ram; /* ram: what it has now; 0: all of it */
    unsigned nr_nodes, mib[4];
    const char *distances[4];
    enum xlnuma_policy policy;
    const char *nodes;
} kept_rows[] = {
    { "the smaller node of the host gets the smaller of the guest",
      { 700, 500, 600, 1000 },
      0,
      2,
      { 640, 560 },
      { "10 11", "11 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "3 2" },
    { "where both may be anywhere their order stays",
      { 700, 700, 600, 600 },
      0,
      2,
      { 560, 640 },
      { "10 11", "11 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "0 1" },
    { "one node holds both",
      { 600, 600, 1300, 600 },
      0,
      2,
      { 640, 560 },
      { "10 21", "21 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "2 2" },
    /* Nodes 2-3 have as much in all, but not 640. */
    { "two neighbours on each of two",
      { 700, 700, 600, 600 },
      0,
      4,
      { 256, 384, 256, 304 },
      { "10 11 21 21", "11 10 21 21", "21 21 10 11", "21 21 11 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "0 0 1 1" },
    { "who is near stays near",
      { 330, 330, 330, 330 },
      0,
      4,
      { 300, 300, 300, 300 },
      { "10 21 11 21", "21 10 21 11", "11 21 10 21", "21 11 21 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "0 2 1 3" },
    { "four nodes have as much, but none has a node's",
      { 330, 330, 330, 330 },
      0,
      2,
      { 640, 560 },
      { "10 11", "11 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "no nodes of this host have room for its 2 nodes as they are" },
    { "a strict policy",
      { 700, 700, 700, 1300 },
      0,
      2,
      { 640, 560 },
      { "10 11", "11 10" },
      XLNUMA_POLICY_SINGLE_NODE,
      "3 3" },
    { "half of it was given back: 320 and 280",
      { 330, 290, 250, 100 },
      600,
      2,
      { 640, 560 },
      { "10 11", "11 10" },
      XLNUMA_POLICY_BEST_EFFORT,
      "0 1" },
};

static void add_kept(struct xlnuma__layout *layout, const struct kept_row *row)
{
    uint64_t at = 0;

    memset(layout, 0, sizeof(*layout));
    for (unsigned n = 0; n < row->nr_nodes; n++) {
        char vcpus[16], ranges[64];
        uint64_t end = at + row->mib[n] * (MIB << 10);

        snprintf(vcpus, sizeof(vcpus), "%u", n);
        snprintf(ranges, sizeof(ranges), "0x%lx-0x%lx", (unsigned long)at,
                 (unsigned long)end);
        CU_ASSERT_PTR_NULL(
            xlnuma__layout_add(layout, vcpus, ranges, row->distances[n]));
        at = end;
    }
    CU_ASSERT_PTR_NULL(xlnuma__layout_check(layout));
}

/* Memory, vCPUs and distances are as they were. */
static void check_kept(const struct kept_row *row,
                       const struct xlnuma_plan *plan,
                       const struct xlnuma__layout *layout)
{
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++) {
        CU_ASSERT_EQUAL(plan->guest_node[n].memory_kb, row->mib[n] * MIB);
        CU_ASSERT_EQUAL(plan->guest_node[n].vcpus[0], 1u << n);
        CU_ASSERT(!memcmp(plan->guest_node[n].distance,
                          layout->node[n].distance, XLNUMA_GUEST_NODES_MAX));
    }
}

static void kept(void)
{
    for (size_t i = 0; i < sizeof(kept_rows) / sizeof(*kept_rows); i++) {
        const struct kept_row *row = &kept_rows[i];
        struct xlnuma_host *host = unit_host(4, 2, row->free);
        struct xlnuma_plan *plan = xlnuma_plan_new();
        struct xlnuma_request request;
        struct xlnuma__layout layout;
        char message[XLNUMA_MESSAGE_SIZE], words[256] = "";

        xlnuma_request_init(&request);
        add_kept(&layout, row);
        request.kept_nodes = &layout;
        request.guest_nodes = request.nr_vcpus = row->nr_nodes;
        request.policy = row->policy;
        for (unsigned n = 0; n < row->nr_nodes; n++)
            request.ram_kb += row->mib[n] * MIB;
        request.memory_kb = row->ram ? row->ram * MIB : request.ram_kb;
        CU_ASSERT_EQUAL(xlnuma__plan_with_vnodes(host, &request, plan, message),
                        0);
        CU_ASSERT_EQUAL(plan->status, XLNUMA_STATUS_PLACED);
        for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
            snprintf(words + strlen(words), sizeof(words) - strlen(words),
                     "%s%u", n ? " " : "", plan->guest_node[n].node);
        if (!plan->nr_guest_nodes)
            snprintf(words, sizeof(words), "%s", plan->vnodes_reason);
        if (strcmp(words, row->nodes))
            printf("# %s: got %s (%s)\n", row->what, words, plan->reason);
        CU_ASSERT_STRING_EQUAL(words, row->nodes);
        check_kept(row, plan, &layout);
        xlnuma_plan_free(plan);
        xlnuma_host_free(host);
    }
}

/*
 * A restored guest has two vCPUs on each of its nodes. By proportion node 2, with 8 of
 * 10 CPUs, would have all four.
 */
static void kept_dedicated(void)
{
    static const struct {
        const char *dedicated, *cpus, *reason;
    } row[] = {
        { "16-25", "16,17,24,25", "" },
        { "16-24", "16,17,18,19",
          "the dedicated CPUs that are free are not on its nodes as its vCPUs "
          "are" },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
        struct xlnuma_host *host = pinned_host(row[i].dedicated);
        struct xlnuma_plan *plan = xlnuma_plan_new();
        struct xlnuma__layout layout = { .nr = 0 };
        struct xlnuma_request request;
        char message[XLNUMA_MESSAGE_SIZE], cpus[64];

        CU_ASSERT_PTR_NULL(
            xlnuma__layout_add(&layout, "0-1", "0x0-0x28000000", "10 11"));
        CU_ASSERT_PTR_NULL(xlnuma__layout_add(
            &layout, "2-3", "0x28000000-0x4b000000", "11 10"));
        pinned_request(4, 4, &request);
        request.guest_nodes = 2;
        request.kept_nodes = &layout;
        CU_ASSERT(!xlnuma__plan_with_vnodes(host, &request, plan, message));
        CU_ASSERT_EQUAL(plan->nr_guest_nodes, *row[i].reason ? 0 : 2);
        CU_ASSERT_STRING_EQUAL(plan->vnodes_reason, row[i].reason);
        CU_ASSERT_STRING_EQUAL(
            xlnuma__dedicated_format(plan, cpus, sizeof(cpus)), row[i].cpus);
        xlnuma_plan_free(plan);
        xlnuma_host_free(host);
    }
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "memory, vCPUs and distances of each node", table },
        { "why there are none", no_nodes },
        { "a host with one node: a fixed number, or none", one_host_node },
        { "distances are such that Linux takes them", distances },
        { "ranges are around the hole below 4 GiB", ranges },
        { "a fixed number of nodes, on as few as hold the guest",
          fixed_number },
        { "dedicated CPUs are on the nodes of their vCPUs", dedicated },
        { "a restored guest keeps its nodes", kept },
        { "and gets dedicated CPUs on them", kept_dedicated },
        { NULL, NULL },
    };

    return unit_run("vnodes", tests);
}
