/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host's life under each placement rule: the same guests come and go on a host
 * of each rule's own. tests/README explains what is printed and why.
 *
 * The guests are those of Microsoft's Azure in 2017 (Cortez et al., Resource
 * Central, SOSP 2017; github.com/Azure/AzurePublicDataset, trace V1).
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

#define NR(array) (sizeof(array) / sizeof(*(array)))
#define NR_GUESTS 9000
#define NR_WARM 3000 /* not counted: the host fills up */
#define ALIVE_MAX 4096

/* --- the guests ----------------------------------------------------------- */

/*
 * Virtual cores, GiB and percent of VMs, read off the bars "VM Cores" and "VM
 * Memory Distribution" in the analysis that is published with the trace. It
 * gives the two apart; put together as Azure's sizes of that time (A0 to A4, A7),
 * the bars agree to 1 %. Mean: 2.57 cores, 6.1 GiB.
 */
static const struct size {
    unsigned nr_vcpus;
    double gib;
    double percent;
} sizes[] = {
    { 1, 0.75, 2.4 }, { 1, 1.75, 47.6 }, { 2, 3.5, 24.8 },
    { 4, 7, 11 },     { 8, 14, 10.3 },   { 8, 56, 3.9 },
};

/*
 * Percent of VMs that live at most so many hours, read off the curve "VM
 * Lifetime" there, straight on a logarithmic scale in between. The trace is of
 * 720 hours; how many lived through all of it is our fit: as many as give the
 * mean that is published with it, 51.8 hours a VM.
 */
static const struct life {
    double hours;
    double percent;
} lives[] = {
    { 1. / 12, 0 }, { 0.25, 27 },  { 1, 45 },     { 1.8, 62 },
    { 4, 71 },      { 9, 77.6 },   { 18, 86.2 },  { 37, 89.4 },
    { 68, 90.9 },   { 196, 92.6 }, { 720, 94.9 },
};

struct guest {
    struct xlnuma_request request;
    double hours;
};

/* splitmix64: small, and the same everywhere. */
static double random_percent(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (double)((z ^ (z >> 31)) >> 11) * 100 / 9007199254740992.;
}

static double random_hours(uint64_t *state)
{
    double percent = random_percent(state);
    const struct life *life = lives;

    if (percent >= lives[NR(lives) - 1].percent)
        return lives[NR(lives) - 1].hours;
    while (life[1].percent <= percent)
        life++;
    return life[0].hours * pow(life[1].hours / life[0].hours,
                               (percent - life[0].percent) /
                                   (life[1].percent - life[0].percent));
}

static struct guest random_guest(uint64_t *state, double scale)
{
    double percent = random_percent(state);
    const struct size *size = sizes;
    struct guest guest;

    while (size < &sizes[NR(sizes) - 1] && percent >= size->percent)
        percent -= size++->percent;
    xlnuma_request_init(&guest.request);
    guest.request.memory_kb = (uint64_t)(size->gib * scale * 1024) * 1024;
    guest.request.nr_vcpus = size->nr_vcpus;
    guest.hours = random_hours(state);
    return guest;
}

/* --- the rules ------------------------------------------------------------ */

static bool rule_ours(const struct xlnuma_host *host,
                      const struct xlnuma_request *request,
                      struct rules_placement *placement_r)
{
    static struct xlnuma_plan plan;
    char message[XLNUMA_MESSAGE_SIZE];

    if (xlnuma_plan_make(host, request, &plan, message)) {
        fprintf(stderr, "day: %s\n", message);
        exit(1);
    }
    if (plan.status != XLNUMA_STATUS_PLACED)
        return rules_none(host, request, placement_r);
    placement_r->is_placed = true;
    placement_r->nodes = plan.nodes;
    memcpy(placement_r->share_kb, plan.memory_kb, sizeof(plan.memory_kb));
    return true;
}

enum rule { OURS, LIBXL, XAPI, NONE, NR_RULES };

static const struct {
    const char *name;
    rules_rule *rule;
} rules[NR_RULES] = {
    [OURS] = { "ours", rule_ours },
    [LIBXL] = { "libxl", rules_libxl },
    [XAPI] = { "xapi", rules_xapi },
    [NONE] = { "none", rules_none },
};

/* --- one judge for all ---------------------------------------------------- */

static unsigned nr_cpus_of(const struct xlnuma_host *host, xlnuma_nodeset nodes)
{
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        nr += xlnuma_cpuset_count(&host->node[i].cpus);
    return nr;
}

/* The part of the guest's vCPUs that run on this node: in proportion to CPUs. */
static double vcpu_part(const struct xlnuma_host *host,
                        const struct rules_placement *placement, unsigned node)
{
    if (!xlnuma_nodeset_has(placement->nodes, node))
        return 0;
    return (double)nr_cpus_of(host, (xlnuma_nodeset)1 << node) /
           nr_cpus_of(host, placement->nodes);
}

/* Distance from the vCPUs to the memory, in the mean. */
static double judge(const struct xlnuma_host *host,
                    const struct rules_placement *placement, uint64_t memory_kb)
{
    double sum = 0;
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, placement->nodes) {
        double part = vcpu_part(host, placement, i);

        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            sum += part * (double)placement->share_kb[j] / (double)memory_kb *
                   host->distance[i][j];
    }
    return sum;
}

/* Shares of at most `limit` each, the nearest first: the mean distance. */
static double nearest_first(const struct xlnuma_host *host, unsigned node,
                            bool is_from, const double limit[])
{
    xlnuma_nodeset left = host->nodes;
    double needed = 1, sum = 0;

    while (needed > 0 && left) {
        unsigned nearest = xlnuma_nodeset_first(left), nearest_distance = ~0u;
        double share;
        unsigned i;

        XLNUMA_FOR_EACH_NODE(i, left) {
            unsigned distance =
                is_from ? host->distance[node][i] : host->distance[i][node];

            if (distance < nearest_distance) {
                nearest = i;
                nearest_distance = distance;
            }
        }
        share = limit[nearest] < needed ? limit[nearest] : needed;
        sum += share * nearest_distance;
        needed -= share;
        left &= ~((xlnuma_nodeset)1 << nearest);
    }
    return sum;
}

/*
 * No rule can bring the guest nearer than this, even alone on the host: wherever
 * a vCPU runs, no node holds more of the memory than it has; and wherever memory
 * lies, no node runs more of the vCPUs than it has CPUs.
 */
static double bound(const struct xlnuma_host *host,
                    const struct xlnuma_request *request)
{
    double memory[XLNUMA_NODES_MAX], vcpus[XLNUMA_NODES_MAX];
    double from_vcpus = 255, from_memory = 255;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        memory[i] = (double)host->node[i].size_kb / (double)request->memory_kb;
        vcpus[i] = (double)nr_cpus_of(host, (xlnuma_nodeset)1 << i) /
                   request->nr_vcpus;
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        if (vcpus[i] > 0)
            from_vcpus = fmin(from_vcpus, nearest_first(host, i, true, memory));
        if (memory[i] > 0)
            from_memory =
                fmin(from_memory, nearest_first(host, i, false, vcpus));
    }
    return fmax(from_vcpus, from_memory);
}

/* --- one host under one rule ---------------------------------------------- */

struct sums {
    double memory, memory_distance;
    unsigned nr, nr_one_node, nr_one_socket, nr_unplaced, nr_refused;
    double load_ratio;
    unsigned nr_loads;
};

struct world {
    enum rule rule;
    struct xlnuma_host *host;
    double vcpus[XLNUMA_NODES_MAX]; /* expected to run on each node */
    struct rules_placement alive[ALIVE_MAX];
    bool is_here[ALIVE_MAX]; /* not refused */
    struct sums sums;
};

/* Worst node's vCPUs a CPU, against the mean of the host. */
static double load_ratio(const struct world *world)
{
    const struct xlnuma_host *host = world->host;
    double worst = 0, all = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        unsigned nr_cpus = nr_cpus_of(host, (xlnuma_nodeset)1 << i);

        all += world->vcpus[i];
        if (nr_cpus)
            worst = fmax(worst, world->vcpus[i] / nr_cpus);
    }
    return all > 0 ? worst * nr_cpus_of(host, host->nodes) / all : 1;
}

static void count_guest(struct world *world,
                        const struct rules_placement *placement,
                        const struct xlnuma_request *request)
{
    const struct xlnuma_host *host = world->host;
    struct sums *sums = &world->sums;
    xlnuma_nodeset nodes = placement->nodes;
    bool is_one_socket = true;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (placement->share_kb[i])
            nodes |= (xlnuma_nodeset)1 << i;
    XLNUMA_FOR_EACH_NODE(i, nodes)
        if (host->node[i].socket !=
            host->node[xlnuma_nodeset_first(nodes)].socket)
            is_one_socket = false;
    sums->nr++;
    sums->nr_one_node += xlnuma_nodeset_count(nodes) == 1;
    sums->nr_one_socket += is_one_socket;
    sums->nr_unplaced += !placement->is_placed;
    sums->memory += (double)request->memory_kb;
    sums->memory_distance +=
        (double)request->memory_kb * judge(host, placement, request->memory_kb);
}

/* Take (sign 1) or give back (-1) what the guest has of the host. */
static void account(struct world *world, unsigned slot, unsigned nr_vcpus,
                    int sign)
{
    const struct rules_placement *placement = &world->alive[slot];
    struct xlnuma_host *host = world->host;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        double part = vcpu_part(host, placement, i);
        /* libxl's count: each vCPU on every node where it can run */
        double count = world->rule == LIBXL && part > 0 ? 1 : part;
        uint32_t load = (uint32_t)(count * 1000) * nr_vcpus;

        world->vcpus[i] += sign * part * nr_vcpus;
        if (sign > 0) {
            host->node[i].free_kb -= placement->share_kb[i];
            host->node[i].load_mvcpu += load;
        } else {
            host->node[i].free_kb += placement->share_kb[i];
            host->node[i].load_mvcpu -= load;
        }
    }
}

static void arrive(struct world *world, unsigned slot,
                   const struct guest *guest, bool is_counted)
{
    struct rules_placement *placement = &world->alive[slot];

    world->is_here[slot] =
        rules[world->rule].rule(world->host, &guest->request, placement);
    if (world->is_here[slot]) {
        account(world, slot, guest->request.nr_vcpus, 1);
        if (is_counted)
            count_guest(world, placement, &guest->request);
    } else if (is_counted) {
        world->sums.nr_refused++;
    }
    if (is_counted) {
        world->sums.load_ratio += load_ratio(world);
        world->sums.nr_loads++;
    }
}

/* --- the life ------------------------------------------------------------- */

struct life_of_host {
    struct world world[NR_RULES];
    struct guest guest[ALIVE_MAX];
    double leaves[ALIVE_MAX]; /* hour; 0 for a free slot */
    unsigned nr_slots;
    double hour;
    uint64_t used_kb, limit_kb;
    double bound_memory, bound_distance;
};

/* The next guest to leave does, in every world. */
static void depart(struct life_of_host *life)
{
    unsigned next = ALIVE_MAX;

    for (unsigned i = 0; i < life->nr_slots; i++)
        if (life->leaves[i] > 0 &&
            (next == ALIVE_MAX || life->leaves[i] < life->leaves[next]))
            next = i;
    if (next == ALIVE_MAX) {
        fprintf(stderr, "day: a guest is larger than the load allows\n");
        exit(1);
    }
    life->hour = life->leaves[next];
    life->leaves[next] = 0;
    life->used_kb -= life->guest[next].request.memory_kb;
    for (unsigned rule = 0; rule < NR_RULES; rule++)
        if (life->world[rule].is_here[next])
            account(&life->world[rule], next,
                    life->guest[next].request.nr_vcpus, -1);
}

static unsigned free_slot(struct life_of_host *life)
{
    for (unsigned i = 0; i < life->nr_slots; i++)
        if (life->leaves[i] <= 0)
            return i;
    if (life->nr_slots == ALIVE_MAX) {
        fprintf(stderr, "day: more than %d guests\n", ALIVE_MAX);
        exit(1);
    }
    return life->nr_slots++;
}

/*
 * The guests queue: the first one enters as soon as it fits under the load. So
 * the host is always as full as the load says, the mix of guests is the trace's
 * whatever the load, and it does not depend on the rule.
 */
static void live(struct life_of_host *life, double scale, uint64_t seed)
{
    for (unsigned nr = 0; nr < NR_GUESTS; nr++) {
        struct guest guest = random_guest(&seed, scale);
        bool is_counted = nr >= NR_WARM;
        unsigned slot;

        while (life->used_kb + guest.request.memory_kb > life->limit_kb)
            depart(life);
        slot = free_slot(life);
        life->guest[slot] = guest;
        life->leaves[slot] = life->hour + guest.hours;
        life->used_kb += guest.request.memory_kb;
        for (unsigned rule = 0; rule < NR_RULES; rule++)
            arrive(&life->world[rule], slot, &guest, is_counted);
        if (is_counted) {
            double memory = (double)guest.request.memory_kb;

            life->bound_memory += memory;
            life->bound_distance +=
                memory * bound(life->world[NONE].host, &guest.request);
        }
    }
}

/* --- printing ------------------------------------------------------------- */

static double distance_of(const struct sums *sums)
{
    return sums->memory > 0 ? sums->memory_distance / sums->memory : 0;
}

static double balance_of(const struct sums *sums)
{
    return sums->load_ratio / sums->nr_loads;
}

static void print_life(const struct life_of_host *life, unsigned load)
{
    printf("%3u%%  bound %9.3f\n", load,
           life->bound_distance / life->bound_memory);
    for (unsigned rule = 0; rule < NR_RULES; rule++) {
        const struct sums *sums = &life->world[rule].sums;
        double nr = sums->nr ? sums->nr : 1;

        printf("      %-5s %9.3f %9.1f %11.1f %9u %8u %11.3f\n",
               rules[rule].name, distance_of(sums),
               100 * sums->nr_one_node / nr, 100 * sums->nr_one_socket / nr,
               sums->nr_unplaced, sums->nr_refused, balance_of(sums));
    }
}

struct verdict {
    unsigned nr_lives, nr_behind, nr_unbalanced;
    double gap_ours, gap_peers; /* distance over the bound, the worst */
    double worst_balance;
};

static void judge_life(const struct life_of_host *life, const char *name,
                       unsigned load, struct verdict *verdict)
{
    const struct world *world = life->world;
    double ours = distance_of(&world[OURS].sums);
    double peers =
        fmin(distance_of(&world[LIBXL].sums), distance_of(&world[XAPI].sums));
    double least = life->bound_distance / life->bound_memory;
    double balance =
        balance_of(&world[OURS].sums) /
        fmin(balance_of(&world[LIBXL].sums), balance_of(&world[XAPI].sums));

    verdict->nr_lives++;
    verdict->gap_ours = fmax(verdict->gap_ours, ours / least - 1);
    verdict->gap_peers = fmax(verdict->gap_peers, peers / least - 1);
    verdict->worst_balance = fmax(verdict->worst_balance, balance);
    /* Nobody can be ahead of a peer that is at the bound. */
    if (ours > peers || (ours == peers && ours > least + 1e-9)) {
        verdict->nr_behind++;
        printf("NOT AHEAD: %s at %u%%: distance %.4f, a peer's %.4f\n", name,
               load, ours, peers);
    }
    if (balance > 1.05) {
        verdict->nr_unbalanced++;
        printf("UNBALANCED: %s at %u%%: %.3f times the better peer's\n", name,
               load, balance);
    }
}

/* --- hosts and loads ------------------------------------------------------ */

static const char *const hosts[] = {
    "amd-epyc-2s-nps2",
    "amd-epyc-2s-nps4",
    "intel-2s-snc4",
    "intel-2s-snc2-interleaved",
    "intel-8s-hypercube",
    "amd-opteron6272-4s-8n",
    "intel-2s-cxl",
    "flat-8n",
    "sgi-64n",
};
static const unsigned loads[] = { 50, 75, 90, 95 };
/* Guests against nodes as in 2017, and twice as large: some span nodes. */
static const double factors[] = { 1, 2 };

static struct xlnuma_host *empty_host(const char *name)
{
    struct xlnuma_host *host = xlnuma_host_new();
    char path[256], message[XLNUMA_MESSAGE_SIZE];
    unsigned i;

    snprintf(path, sizeof(path), "tests/hosts/%s.json", name);
    if (!host || xlnuma_host_load(host, path, message)) {
        fprintf(stderr, "day: %s\n", host ? message : "out of memory");
        exit(1);
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        host->node[i].free_kb = host->node[i].size_kb;
        host->node[i].low_free_kb = 0;
        host->node[i].load_mvcpu = 0;
    }
    return host;
}

static void run_life(const char *name, double scale, unsigned load,
                     uint64_t seed, struct verdict *verdict)
{
    struct life_of_host *life = calloc(1, sizeof(*life));
    unsigned i;

    if (!life) {
        fprintf(stderr, "day: out of memory\n");
        exit(1);
    }
    for (unsigned rule = 0; rule < NR_RULES; rule++) {
        life->world[rule].rule = rule;
        life->world[rule].host = empty_host(name);
    }
    XLNUMA_FOR_EACH_NODE(i, life->world[OURS].host->nodes)
        life->limit_kb += life->world[OURS].host->node[i].size_kb;
    life->limit_kb = life->limit_kb / 100 * load;
    live(life, scale, seed);
    print_life(life, load);
    judge_life(life, name, load, verdict);
    for (unsigned rule = 0; rule < NR_RULES; rule++)
        xlnuma_host_free(life->world[rule].host);
    free(life);
}

/* GiB of the largest node: what the trace's sizes are scaled by. */
static double largest_gib(const char *name)
{
    struct xlnuma_host *host = empty_host(name);
    uint64_t largest = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (host->node[i].size_kb > largest)
            largest = host->node[i].size_kb;
    xlnuma_host_free(host);
    return (double)largest / 1048576;
}

static void run_host(const char *name, double factor, uint64_t seed,
                     struct verdict *verdict)
{
    double gib = largest_gib(name), scale = factor * gib / 64;

    printf("\n%s: nodes of %.0f GiB, guests of %.1f to %.0f GiB\n\n", name, gib,
           sizes[0].gib * scale, sizes[NR(sizes) - 1].gib * scale);
    printf("Load  Rule   Distance  1 node %%  1 socket %%  Unplaced  Refused"
           "  Worst load\n");
    for (unsigned i = 0; i < NR(loads); i++)
        run_life(name, scale, loads[i], seed, verdict);
}

int main(int argc, char *argv[])
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct verdict verdict = { 0 };

    printf("%d guests a life, the first %d not counted, seed %" PRIu64 "\n",
           NR_GUESTS, NR_WARM, seed);
    for (unsigned i = 0; i < NR(hosts); i++)
        for (unsigned j = 0; j < NR(factors); j++)
            run_host(hosts[i], factors[j], seed, &verdict);
    printf("\n%u lives; ours is not nearer than both peers in %u\n"
           "vCPU load worse than the better peer's by more than 5 %%: %u (at "
           "worst %+.1f %%)\n"
           "distance over the bound, at worst: ours %.1f %%, nearer peer %.1f "
           "%%\n",
           verdict.nr_lives, verdict.nr_behind, verdict.nr_unbalanced,
           100 * verdict.worst_balance - 100, 100 * verdict.gap_ours,
           100 * verdict.gap_peers);
    return verdict.nr_behind || verdict.nr_unbalanced;
}
