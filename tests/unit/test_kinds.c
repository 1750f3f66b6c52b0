/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The planner on hosts of 17 to 64 nodes that are of a few kinds, against a
 * search through all numbers of nodes of each kind that shares nothing with it.
 */
#include "unit.h"

#include "draw.h"
#include "naive.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Sanitizers make it ten times slower. */
#ifdef __SANITIZE_ADDRESS__
#define LESS 10
#else
#define LESS 1
#endif

/* So many sets are judged for one host. */
#define SETS_MAX 3000

#define KINDS_MAX 12

static char message[XLNUMA_MESSAGE_SIZE];

/* How a host's nodes are drawn: of each kind some, on one socket or more. */
struct kinds {
    unsigned nr, nr_nodes;
    unsigned nr_of[KINDS_MAX], socket[KINDS_MAX], nr_cpus[KINDS_MAX];
    bool has_threads[KINDS_MAX]; /* two a core */
    uint64_t free_kb[KINDS_MAX];
    uint16_t distance[KINDS_MAX][KINDS_MAX]; /* between sockets, or within */
    uint8_t of[XLNUMA_NODES_MAX];            /* kind of each node */
};

enum shape { RANDOM, ASYMMETRIC, RING, TREE, SHAPES };

static unsigned draw_way(enum shape shape, unsigned a, unsigned b, unsigned nr)
{
    unsigned hops = a > b ? a - b : b - a;

    switch (shape) {
    case RING:
        return 12 + 7 * (hops < nr - hops ? hops : nr - hops);
    case TREE:
        return a == b ? 11 : a / 2 == b / 2 ? 16 : 24;
    default:
        return 11 + draw(25);
    }
}

static void draw_ways(struct kinds *kinds, enum shape shape, unsigned nr)
{
    for (unsigned a = 0; a < nr; a++)
        for (unsigned b = 0; b < nr; b++) {
            kinds->distance[a][b] = (uint16_t)draw_way(shape, a, b, nr);
            if (b < a && shape != ASYMMETRIC)
                kinds->distance[a][b] = kinds->distance[b][a];
        }
}

/* Some kinds on each of some sockets, which differ in free memory. */
static void draw_kinds(struct kinds *kinds, enum shape shape)
{
    unsigned nr_sockets = 2 + draw(5), per_socket = 1 + draw(2);
    unsigned nr_cpus = 1 + draw(4), nr_sets = 1;
    bool is_uneven = !draw(4), is_flat = !draw(3);

    memset(kinds, 0, sizeof(*kinds));
    draw_ways(kinds, shape, nr_sockets);
    for (unsigned k = 0; k < nr_sockets * per_socket; k++) {
        unsigned most = SETS_MAX / nr_sets, nr = 1 + draw(16);

        if (nr >= most)
            nr = most - 1;
        if (nr > XLNUMA_NODES_MAX - kinds->nr_nodes)
            nr = XLNUMA_NODES_MAX - kinds->nr_nodes;
        if (!nr)
            break;
        kinds->socket[k] = k / per_socket;
        kinds->nr_of[k] = nr;
        kinds->nr_cpus[k] = is_uneven ? 1 + draw(4) : nr_cpus;
        kinds->free_kb[k] =
            is_flat ? 8 << 20 : ((uint64_t)(1 + draw(15)) << 20) + 4 * draw(9);
        kinds->has_threads[k] = !draw(3);
        nr_sets *= nr + 1;
        kinds->nr_nodes += nr;
        kinds->nr = k + 1;
    }
}

/* Nodes of a kind are here and there, as firmware may number them. */
static void number_nodes(struct kinds *kinds)
{
    unsigned left[KINDS_MAX];

    memcpy(left, kinds->nr_of, sizeof(left));
    for (unsigned id = 0; id < kinds->nr_nodes; id++) {
        unsigned k = draw(kinds->nr);

        while (!left[k])
            k = (k + 1) % kinds->nr;
        left[k]--;
        kinds->of[id] = (uint8_t)k;
    }
}

static void build(const struct kinds *kinds, struct xlnuma_host *host)
{
    unsigned cpu = 0;

    memset(host, 0, sizeof(*host));
    for (unsigned i = 0; i < kinds->nr_nodes; i++) {
        struct xlnuma_node *node = &host->node[i];
        unsigned k = kinds->of[i];

        host->nodes |= (xlnuma_nodeset)1 << i;
        node->socket = kinds->socket[k];
        node->size_kb = 16 << 20;
        node->free_kb = kinds->free_kb[k];
        if (kinds->has_threads[k])
            node->nr_cores = (kinds->nr_cpus[k] + 1) / 2;
        for (unsigned n = 0; n < kinds->nr_cpus[k]; n++)
            xlnuma_cpuset_add(&node->cpus, cpu++);
        for (unsigned j = 0; j < kinds->nr_nodes; j++)
            host->distance[i][j] =
                i == j ? 10
                       : kinds->distance[kinds->socket[k]]
                                        [kinds->socket[kinds->of[j]]];
    }
}

struct tally {
    unsigned nr, nr_proven, nr_same, nr_wrong;
    double excess, least_excess; /* over the distance within a node */
};

static void compare(const struct xlnuma_host *host, const struct kinds *kinds,
                    struct tally *tally)
{
    static struct xlnuma_plan plan;
    struct xlnuma_request request;
    struct naive_answer naive;
    bool is_same, is_proven;

    draw_request(host, &request, false);
    CU_ASSERT_EQUAL_FATAL(xlnuma_plan_make(host, &request, &plan, message), 0);
    naive = naive_plan_of_kinds(host, &request, kinds->of, kinds->nr);
    is_same = naive.is_placed == (plan.status == XLNUMA_STATUS_PLACED) &&
              fabs(plan.expected_distance - naive.expected_distance) < 1e-9;
    is_proven = plan.least_distance >= plan.expected_distance;
    tally->nr++;
    tally->nr_proven += is_proven;
    tally->nr_same += is_same;
    if (naive.is_placed) {
        tally->excess += plan.expected_distance - 10;
        tally->least_excess += naive.expected_distance - 10;
    }
    if ((!is_proven || is_same) &&
        plan.least_distance < naive.expected_distance + 1e-9)
        return;
    tally->nr_wrong++;
    printf("# %llu KiB, %u vCPUs, %s: %.6f, not %.6f\n",
           (unsigned long long)request.memory_kb, request.nr_vcpus,
           xlnuma__memories[request.memory], plan.expected_distance,
           naive.expected_distance);
    if (!xlnuma__snapshot_write(host, NULL, NULL, stderr, message))
        fflush(stderr);
}

static void run(unsigned seed, enum shape shape, unsigned nr_hosts)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct tally tally = { 0 };

    draw_seed(seed);
    for (unsigned n = 0; n < nr_hosts;) {
        struct kinds kinds;

        draw_kinds(&kinds, shape);
        if (kinds.nr_nodes < 17)
            continue;
        number_nodes(&kinds);
        build(&kinds, host);
        compare(host, &kinds, &tally);
        compare(host, &kinds, &tally);
        n++;
    }
    printf("# of %u plans %u are proven, %u the minimum; in the mean %.2f %% "
           "farther over 10\n",
           tally.nr, tally.nr_proven, tally.nr_same,
           100 * tally.excess / tally.least_excess - 100);
    CU_ASSERT_EQUAL(tally.nr_wrong, 0);
    CU_ASSERT(tally.nr_proven * 2 >= tally.nr);
    CU_ASSERT(tally.nr_same * 5 >= tally.nr * 4);
    CU_ASSERT(tally.excess <= 1.01 * tally.least_excess);
    xlnuma_host_free(host);
}

static void random_ways(void)
{
    run(11, RANDOM, 40 / LESS);
}

static void asymmetric_ways(void)
{
    run(12, ASYMMETRIC, 40 / LESS);
}

static void rings(void)
{
    run(13, RING, 40 / LESS);
}

static void trees(void)
{
    run(14, TREE, 40 / LESS);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "any distances between sockets", random_ways },
        { "other ones there and back", asymmetric_ways },
        { "rings of sockets", rings },
        { "pairs of sockets", trees },
        { NULL, NULL },
    };

    return unit_run("kinds", tests);
}
