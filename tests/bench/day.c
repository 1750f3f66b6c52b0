/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host's life under each placement rule: the same guests come and go, on a
 * host of each rule's own. tests/README explains what is printed and why.
 *
 * The guests are those of Microsoft's Azure in 2017 (Cortez et al., Resource
 * Central, SOSP 2017; github.com/Azure/AzurePublicDataset, trace V1).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "day_moves.h"

#define NR(array) (sizeof(array) / sizeof(*(array)))
#define NR_RUNS 3      /* of each life, with guests of their own */
#define NR_GUESTS 7000 /* of each run */
#define NR_WARM 2000   /* of them not counted: the host fills up */
#define ALIVE_MAX 4096
#define MOVED_EVERY 1000 /* guests: when all of them are placed anew */
#define MOVES_EVERY 5000 /* and when they are moved one by one */
#define EMPTY_TO 75      /* percent: of a host whose guests leave */

/*
 * A node of this many GiB has the trace's guests as they are, others have them
 * in proportion: our choice, so that the largest (56 GiB) just fits.
 */
#define NODE_GIB 64

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "day: %s\n", why);
    exit(2);
}

/* --- the guests ----------------------------------------------------------- */

/*
 * Virtual cores, GiB and percent of VMs, read off the bars "VM Cores" and "VM
 * Memory Distribution" in the analysis that is published with the trace. It
 * gives the two apart; put together as Azure's sizes of that time (A0 to A4 and
 * A7), the bars agree to 1 %. Mean: 2.57 cores, 6.1 GiB.
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
    guest.request.wants_alternatives = false;
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

    if (xlnuma_plan_make(host, request, &plan, message))
        give_up(message);
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

/* A host under one rule, and where its guests are. */
struct world {
    enum rule rule;
    struct xlnuma_host *host;
    unsigned nr_cpus[XLNUMA_NODES_MAX]; /* the host's do not change */
    double vcpus[XLNUMA_NODES_MAX];     /* expected to run on each node */
    struct rules_placement alive[ALIVE_MAX];
    bool is_here[ALIVE_MAX]; /* not refused */
};

static unsigned nr_cpus_of(const struct world *world, xlnuma_nodeset nodes)
{
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        nr += world->nr_cpus[i];
    return nr;
}

/* The part of a guest's vCPUs that each node runs: in proportion to CPUs. */
static void fill_parts(const struct world *world, xlnuma_nodeset nodes,
                       double part_r[])
{
    double all = nr_cpus_of(world, nodes);
    unsigned i;

    memset(part_r, 0, XLNUMA_NODES_MAX * sizeof(*part_r));
    XLNUMA_FOR_EACH_NODE(i, nodes)
        part_r[i] = world->nr_cpus[i] / all;
}

/* Distance from the vCPUs to the memory, in the mean. */
static double judge(const struct world *world,
                    const struct rules_placement *placement, uint64_t memory_kb)
{
    double part[XLNUMA_NODES_MAX], sum = 0;
    unsigned i, j;

    fill_parts(world, placement->nodes, part);
    XLNUMA_FOR_EACH_NODE(i, placement->nodes)
        XLNUMA_FOR_EACH_NODE(j, world->host->nodes)
            sum += part[i] * (double)placement->share_kb[j] *
                   world->host->distance[i][j];
    return sum / (double)memory_kb;
}

/* Shares of at most `limit` each, the nearest first: the mean distance. */
static double nearest_first(const struct xlnuma_host *host, unsigned node,
                            bool is_from, const double limit[])
{
    xlnuma_nodeset left = host->nodes;
    double needed = 1, sum = 0;

    while (needed > 0 && left) {
        unsigned nearest = 0, nearest_distance = ~0u, i;
        double share;

        XLNUMA_FOR_EACH_NODE(i, left) {
            unsigned distance =
                is_from ? host->distance[node][i] : host->distance[i][node];

            if (distance < nearest_distance) {
                nearest = i;
                nearest_distance = distance;
            }
        }
        share = fmin(limit[nearest], needed);
        sum += share * nearest_distance;
        needed -= share;
        left &= ~((xlnuma_nodeset)1 << nearest);
    }
    return sum;
}

/*
 * No rule can bring the guest nearer than this, even alone on the host. The
 * distance is sum of c(i) m(j) d(i, j), where c and m sum up to 1: a mean over
 * the nodes i of their sum of m(j) d(i, j), so not below the least of these for
 * any i. There m(j) is at most the part of the guest that the node's memory
 * holds, and no such m gives less than the nearest nodes filled first. It is
 * as well a mean over j, so not below the least sum of c(i) d(i, j); c(i) is
 * the node's CPUs over those of the set, and no set has fewer CPUs than the
 * guest vCPUs: the whole host has more than any guest here, and each rule asks
 * for as many. The larger of the two holds too, and so does the mean of all
 * guests' bounds, weighted by memory as their distances are.
 */
static double bound(const struct world *world,
                    const struct xlnuma_request *request)
{
    const struct xlnuma_host *host = world->host;
    double memory[XLNUMA_NODES_MAX], vcpus[XLNUMA_NODES_MAX];
    double from_vcpus = 255, from_memory = 255;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        memory[i] = (double)host->node[i].size_kb / (double)request->memory_kb;
        vcpus[i] = (double)world->nr_cpus[i] / request->nr_vcpus;
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

/* --- what is counted ------------------------------------------------------ */

struct sums {
    double memory, memory_distance;
    unsigned nr, nr_one_node, nr_one_socket, nr_unplaced, nr_refused;
    double load_ratio;
    unsigned nr_loads;
};

/* Before all who are there are placed anew, and what moves one by one bring. */
struct moment {
    double now, anew;           /* distance x KiB */
    double after[NR_DAY_MOVES]; /* the same after moves */
    double kb, moved_kb[NR_DAY_MOVES];
};

/* By whose rule the guests were placed that are moved. */
enum mess { MESS_NONE, MESS_LIBXL, MESS_OURS, MESS_EMPTIED, NR_MESSES };

struct result {
    struct sums sums[NR_RULES];
    double memory, memory_bound;
    double moved_distance, moved_bound;
    struct moment mess[NR_MESSES];
};

static double distance_of(const struct result *result, enum rule rule)
{
    const struct sums *sums = &result->sums[rule];

    return sums->memory > 0 ? sums->memory_distance / sums->memory : 0;
}

static double bound_of(const struct result *result)
{
    return result->memory_bound / result->memory;
}

/* Over the bound of the guests that were moved. */
static double moved_of(const struct result *result)
{
    return result->moved_distance / result->moved_bound;
}

static double balance_of(const struct result *result, enum rule rule)
{
    return result->sums[rule].load_ratio / result->sums[rule].nr_loads;
}

/* Worst node's vCPUs a CPU, against the mean of the host. */
static double load_ratio(const struct world *world)
{
    double worst = 0, all = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, world->host->nodes) {
        all += world->vcpus[i];
        if (world->nr_cpus[i])
            worst = fmax(worst, world->vcpus[i] / world->nr_cpus[i]);
    }
    return all > 0 ? worst * nr_cpus_of(world, world->host->nodes) / all : 1;
}

static void count_guest(const struct world *world,
                        const struct rules_placement *placement,
                        const struct xlnuma_request *request, struct sums *sums)
{
    const struct xlnuma_host *host = world->host;
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
    sums->memory_distance += (double)request->memory_kb *
                             judge(world, placement, request->memory_kb);
}

/* --- hosts ---------------------------------------------------------------- */

static struct xlnuma_host *empty_host(const char *name)
{
    struct xlnuma_host *host = xlnuma_host_new();
    char path[256], message[XLNUMA_MESSAGE_SIZE];
    unsigned i;

    snprintf(path, sizeof(path), "tests/hosts/%s.json", name);
    if (!host)
        give_up("out of memory");
    if (xlnuma_host_load(host, path, message))
        give_up(message);
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        host->node[i].free_kb = host->node[i].size_kb;
        host->node[i].low_free_kb = 0;
        host->node[i].load_mvcpu = 0;
    }
    return host;
}

/* --- coming and going ----------------------------------------------------- */

/* Take (sign 1) or give back (-1) what the guest has of the host. */
static void account(struct world *world, unsigned slot, unsigned nr_vcpus,
                    int sign)
{
    const struct rules_placement *placement = &world->alive[slot];
    struct xlnuma_host *host = world->host;
    double part[XLNUMA_NODES_MAX];
    unsigned i;

    fill_parts(world, placement->nodes, part);
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        /* libxl's count: each vCPU on every node where it can run */
        double count = world->rule == LIBXL && part[i] > 0 ? 1 : part[i];
        uint32_t load = (uint32_t)(count * 1000) * nr_vcpus;

        world->vcpus[i] += sign * part[i] * nr_vcpus;
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
                   const struct guest *guest, struct sums *sums)
{
    struct rules_placement *placement = &world->alive[slot];

    world->is_here[slot] =
        rules[world->rule].rule(world->host, &guest->request, placement);
    if (world->is_here[slot])
        account(world, slot, guest->request.nr_vcpus, 1);
    if (!sums)
        return;
    if (world->is_here[slot])
        count_guest(world, placement, &guest->request, sums);
    else
        sums->nr_refused++;
    sums->load_ratio += load_ratio(world);
    sums->nr_loads++;
}

/* One life, in one world for each rule. */
struct run {
    const char *name; /* of the host */
    struct world world[NR_RULES];
    struct guest guest[ALIVE_MAX];
    double leaves[ALIVE_MAX]; /* hour; 0 for a free slot */
    unsigned nr_slots;
    double hour;
    uint64_t used_kb, limit_kb;
};

/* The next guest to leave does, in every world. */
static void depart(struct run *run)
{
    unsigned next = ALIVE_MAX;

    for (unsigned i = 0; i < run->nr_slots; i++)
        if (run->leaves[i] > 0 &&
            (next == ALIVE_MAX || run->leaves[i] < run->leaves[next]))
            next = i;
    if (next == ALIVE_MAX)
        give_up("a guest is larger than the load allows");
    run->hour = run->leaves[next];
    run->leaves[next] = 0;
    run->used_kb -= run->guest[next].request.memory_kb;
    for (unsigned rule = 0; rule < NR_RULES; rule++)
        if (run->world[rule].is_here[next])
            account(&run->world[rule], next, run->guest[next].request.nr_vcpus,
                    -1);
}

static unsigned free_slot(struct run *run)
{
    for (unsigned i = 0; i < run->nr_slots; i++)
        if (run->leaves[i] <= 0)
            return i;
    if (run->nr_slots == ALIVE_MAX)
        give_up("more guests at a time than it can take");
    return run->nr_slots++;
}

static int compare_memory(const void *a, const void *b)
{
    const struct guest *x = a, *y = b;
    uint64_t i = x->request.memory_kb, j = y->request.memory_kb;

    return (i < j) - (i > j);
}

/* --- moved one by one ------------------------------------------------------ */

/* The guests that are in a world, but for some that have left since. */
static unsigned list_guests(const struct run *run, const struct world *world,
                            const bool has_left[], struct day_guest guest_r[])
{
    unsigned nr = 0;

    for (unsigned i = 0; i < run->nr_slots; i++)
        if (run->leaves[i] > 0 && world->is_here[i] && !has_left[i])
            guest_r[nr++] =
                (struct day_guest){ &run->guest[i].request, &world->alive[i] };
    return nr;
}

/* A host with just these, and no load but theirs. */
static struct xlnuma_host *host_with(const struct world *world,
                                     const char *name,
                                     const struct day_guest guest[],
                                     unsigned nr)
{
    struct xlnuma_host *host = empty_host(name);
    double part[XLNUMA_NODES_MAX];
    unsigned i;

    for (unsigned n = 0; n < nr; n++) {
        fill_parts(world, guest[n].placement->nodes, part);
        XLNUMA_FOR_EACH_NODE(i, host->nodes) {
            host->node[i].free_kb -= guest[n].placement->share_kb[i];
            host->node[i].load_mvcpu +=
                (uint32_t)(part[i] * 1000) * guest[n].request->nr_vcpus;
        }
    }
    return host;
}

/*
 * All of them placed anew, the largest first and without regard to load: what could
 * be reached if guests could be moved at no cost. Their distance x KiB.
 */
static double place_anew(const char *name, const struct world *world,
                         const struct day_guest list[], unsigned nr)
{
    static struct guest guest[ALIVE_MAX];
    static struct rules_placement placement;
    struct xlnuma_host *host = empty_host(name);
    double sum = 0;
    unsigned i;

    for (unsigned n = 0; n < nr; n++)
        guest[n].request = *list[n].request;
    qsort(guest, nr, sizeof(*guest), compare_memory);
    for (unsigned n = 0; n < nr; n++) {
        uint64_t memory_kb = guest[n].request.memory_kb;

        if (!rule_ours(host, &guest[n].request, &placement))
            give_up("what was here fits no more");
        XLNUMA_FOR_EACH_NODE(i, host->nodes)
            host->node[i].free_kb -= placement.share_kb[i];
        sum += (double)memory_kb * judge(world, &placement, memory_kb);
    }
    xlnuma_host_free(host);
    return sum;
}

static void move_all(const struct run *run, struct result *result)
{
    static const bool none_left[ALIVE_MAX];
    static struct day_guest guest[ALIVE_MAX];
    const struct world *world = &run->world[OURS];
    unsigned nr = list_guests(run, world, none_left, guest);

    result->moved_distance += place_anew(run->name, world, guest, nr);
    for (unsigned n = 0; n < nr; n++)
        result->moved_bound += (double)guest[n].request->memory_kb *
                               bound(world, guest[n].request);
}

static void move_some(const struct run *run, enum rule rule,
                      const bool has_left[], struct moment *moment)
{
    static struct day_guest guest[ALIVE_MAX];
    const struct world *world = &run->world[rule];
    unsigned nr = list_guests(run, world, has_left, guest);
    struct xlnuma_host *host = host_with(world, run->name, guest, nr);

    for (unsigned n = 0; n < nr; n++) {
        uint64_t kb = guest[n].request->memory_kb;

        moment->kb += (double)kb;
        moment->now += (double)kb * judge(world, guest[n].placement, kb);
    }
    moment->anew += place_anew(run->name, world, guest, nr);
    for (unsigned moves = 0; moves < NR_DAY_MOVES; moves++)
        moment->after[moves] += day_rebalance(
            host, guest, nr, (enum day_moves)moves, &moment->moved_kb[moves]);
    xlnuma_host_free(host);
}

/* Some leave, and no others come, until the host is full to so many percent. */
static void empty_to(const struct run *run, unsigned percent, unsigned load,
                     bool has_left[])
{
    uint64_t used_kb = run->used_kb, random = run->nr_slots;

    while (used_kb > run->limit_kb / load * percent) {
        unsigned i = (unsigned)(random_percent(&random) * run->nr_slots / 100);

        if (run->leaves[i] <= 0 || has_left[i])
            continue;
        has_left[i] = true;
        used_kb -= run->guest[i].request.memory_kb;
    }
}

static void make_moves(const struct run *run, unsigned load,
                       struct result *result)
{
    static const bool none_left[ALIVE_MAX];
    bool has_left[ALIVE_MAX] = { false };

    move_some(run, NONE, none_left, &result->mess[MESS_NONE]);
    move_some(run, LIBXL, none_left, &result->mess[MESS_LIBXL]);
    move_some(run, OURS, none_left, &result->mess[MESS_OURS]);
    if (load <= EMPTY_TO)
        return;
    empty_to(run, EMPTY_TO, load, has_left);
    move_some(run, OURS, has_left, &result->mess[MESS_EMPTIED]);
}

/*
 * The guests queue: the first one enters as soon as it fits under the load. So
 * the host is always as full as the load says, the mix of guests is the trace's
 * whatever the load, and nothing of it depends on the rule.
 */
static void live(struct run *run, double scale, unsigned load, uint64_t seed,
                 struct result *result)
{
    for (unsigned nr = 0; nr < NR_GUESTS; nr++) {
        struct guest guest = random_guest(&seed, scale);
        double memory = (double)guest.request.memory_kb;
        bool is_counted = nr >= NR_WARM;
        unsigned slot;

        while (run->used_kb + guest.request.memory_kb > run->limit_kb)
            depart(run);
        slot = free_slot(run);
        run->guest[slot] = guest;
        run->leaves[slot] = run->hour + guest.hours;
        run->used_kb += guest.request.memory_kb;
        for (unsigned rule = 0; rule < NR_RULES; rule++)
            arrive(&run->world[rule], slot, &guest,
                   is_counted ? &result->sums[rule] : NULL);
        if (is_counted) {
            result->memory += memory;
            result->memory_bound +=
                memory * bound(&run->world[NONE], &guest.request);
            if (nr % MOVED_EVERY == 0)
                move_all(run, result);
            if (nr % MOVES_EVERY == 0)
                make_moves(run, load, result);
        }
    }
}

/* --- printing ------------------------------------------------------------- */

static void print_result(const struct result *result, unsigned load)
{
    const struct moment *ours = &result->mess[MESS_OURS];
    double moved = bound_of(result) * moved_of(result);

    printf("%3u%%  bound      %9.3f\n", load, bound_of(result));
    printf("      moved      %9.3f\n", moved);
    printf("      rebalanced %9.3f\n",
           moved * ours->after[DAY_OTHERS] / ours->anew);
    for (unsigned rule = 0; rule < NR_RULES; rule++) {
        const struct sums *sums = &result->sums[rule];
        double nr = sums->nr ? sums->nr : 1;

        printf("      %-10s %9.3f %9.1f %11.1f %9u %8u %11.3f\n",
               rules[rule].name, distance_of(result, rule),
               100 * sums->nr_one_node / nr, 100 * sums->nr_one_socket / nr,
               sums->nr_unplaced, sums->nr_refused, balance_of(result, rule));
    }
}

#define NR_LOADS 4

/* What is left of it all. */
struct verdict {
    double over_bound[NR_LOADS][NR_RULES]; /* distance / bound, summed up */
    double balance[NR_LOADS][NR_RULES];
    double moved[NR_LOADS];
    struct moment mess[NR_LOADS][NR_MESSES];
    unsigned nr_lives[NR_LOADS];
    unsigned nr_behind, nr_unbalanced;
};

/* A life is random: what is less than this apart is level. */
#define LEVEL 1.005
/* How much worse than the better peer's the balance of vCPUs may be. */
#define BALANCE_LIMIT 1.05

/*
 * The better peer's. One that leaves many guests unplaced is no measure: what
 * is spread over the whole host is balanced and far.
 */
static double peers_balance(const struct result *result)
{
    static const enum rule peers[] = { LIBXL, XAPI };
    double best = INFINITY;

    for (unsigned i = 0; i < NR(peers); i++)
        if (result->sums[peers[i]].nr_unplaced * 20 < result->sums[peers[i]].nr)
            best = fmin(best, balance_of(result, peers[i]));
    return best;
}

/* Each life counts the same: distances over where all are placed anew. */
static void add_moment(struct moment *sum, const struct moment *moment)
{
    if (moment->kb <= 0)
        return;
    sum->kb += 1;
    sum->anew += 1;
    sum->now += moment->now / moment->anew;
    for (unsigned moves = 0; moves < NR_DAY_MOVES; moves++) {
        sum->after[moves] += moment->after[moves] / moment->anew;
        sum->moved_kb[moves] += moment->moved_kb[moves] / moment->kb;
    }
}

static void judge_result(const struct result *result, const char *name,
                         unsigned load, unsigned at, struct verdict *verdict)
{
    double distance =
        distance_of(result, OURS) /
        fmin(distance_of(result, LIBXL), distance_of(result, XAPI));
    double balance = balance_of(result, OURS) / peers_balance(result);

    verdict->nr_lives[at]++;
    verdict->moved[at] += moved_of(result);
    for (unsigned mess = 0; mess < NR_MESSES; mess++)
        add_moment(&verdict->mess[at][mess], &result->mess[mess]);
    for (unsigned rule = 0; rule < NR_RULES; rule++) {
        verdict->over_bound[at][rule] +=
            distance_of(result, rule) / bound_of(result);
        verdict->balance[at][rule] += balance_of(result, rule);
    }
    if (distance > LEVEL) {
        verdict->nr_behind++;
        printf("BEHIND: %s at %u%%: %.4f times a peer's distance\n", name, load,
               distance);
    }
    if (balance > BALANCE_LIMIT) {
        verdict->nr_unbalanced++;
        printf("UNBALANCED: %s at %u%%: %.3f times a peer's worst load\n", name,
               load, balance);
    }
}

/* --- lives, by host and load ---------------------------------------------- */

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
static const unsigned loads[NR_LOADS] = { 50, 75, 90, 95 };
/* Guests that fit a node, and twice as large ones: some span nodes. */
static const double factors[] = { 1, 2 };

static void run_once(const char *name, double scale, unsigned load,
                     uint64_t seed, struct result *result)
{
    struct run *run = calloc(1, sizeof(*run));
    unsigned i;

    if (!run)
        give_up("out of memory");
    run->name = name;
    for (unsigned rule = 0; rule < NR_RULES; rule++) {
        struct world *world = &run->world[rule];

        world->rule = rule;
        world->host = empty_host(name);
        XLNUMA_FOR_EACH_NODE(i, world->host->nodes)
            world->nr_cpus[i] = xlnuma_cpuset_count(&world->host->node[i].cpus);
    }
    XLNUMA_FOR_EACH_NODE(i, run->world[OURS].host->nodes)
        run->limit_kb += run->world[OURS].host->node[i].size_kb;
    run->limit_kb = run->limit_kb / 100 * load;
    live(run, scale, load, seed, result);
    for (unsigned rule = 0; rule < NR_RULES; rule++)
        xlnuma_host_free(run->world[rule].host);
    free(run);
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
    double gib = largest_gib(name), scale = factor * gib / NODE_GIB;

    printf("\n%s: nodes of %.0f GiB, guests of %.1f to %.0f GiB\n\n", name, gib,
           sizes[0].gib * scale, sizes[NR(sizes) - 1].gib * scale);
    printf(
        "Load  Rule        Distance  1 node %%  1 socket %%  Unplaced  Refused"
        "  Worst load\n");
    for (unsigned at = 0; at < NR_LOADS; at++) {
        struct result result = { 0 };

        for (unsigned i = 0; i < NR_RUNS; i++)
            run_once(name, scale, loads[at], seed + i, &result);
        print_result(&result, loads[at]);
        judge_result(&result, name, loads[at], at, verdict);
    }
}

/* Percent of the way to `moved`, and in brackets of the memory. */
static void print_moves(const struct verdict *verdict)
{
    static const char *const names[NR_MESSES] = {
        [MESS_NONE] = "none",
        [MESS_LIBXL] = "libxl",
        [MESS_OURS] = "ours",
        [MESS_EMPTIED] = "emptied",
    };

    printf(
        "\nguests moved one by one: percent of the way to `moved` (and of the "
        "memory)\n\n"
        "Load  Placed by    live         others       by file\n");
    for (unsigned at = 0; at < NR_LOADS; at++)
        for (unsigned mess = 0; mess < NR_MESSES; mess++) {
            const struct moment *moment = &verdict->mess[at][mess];

            /* nothing there, or nothing to gain */
            if (moment->kb <= 0 || moment->now <= moment->anew)
                continue;
            printf("%3u%%  %-9s", loads[at], names[mess]);
            for (unsigned moves = 0; moves < NR_DAY_MOVES; moves++)
                printf("  %5.1f (%3.0f)",
                       100 * (moment->now - moment->after[moves]) /
                           (moment->now - moment->anew),
                       100 * moment->moved_kb[moves] / moment->kb);
            putchar('\n');
        }
}

static int print_verdict(const struct verdict *verdict)
{
    bool is_ahead = true;

    printf("\nall hosts, in the mean: distance over the bound in %%, worst "
           "load\n\n"
           "Load  moved    ours         libxl        xapi         none\n");
    for (unsigned at = 0; at < NR_LOADS; at++) {
        const double *over = verdict->over_bound[at];
        double nr = verdict->nr_lives[at];

        printf("%3u%%  %5.1f", loads[at], 100 * verdict->moved[at] / nr - 100);
        for (unsigned rule = 0; rule < NR_RULES; rule++)
            printf("  %5.1f %5.3f", 100 * over[rule] / nr - 100,
                   verdict->balance[at][rule] / nr);
        putchar('\n');
        if (over[OURS] >= over[LIBXL] || over[OURS] >= over[XAPI])
            is_ahead = false;
    }
    print_moves(verdict);
    printf("\nours is ahead of both peers at every load: %s\n"
           "lives where it is behind one by more than %.1f %%: %u\n"
           "lives where its worst load is more than %.0f %% above a peer's: "
           "%u\n",
           is_ahead ? "yes" : "NO", 100 * LEVEL - 100, verdict->nr_behind,
           100 * BALANCE_LIMIT - 100, verdict->nr_unbalanced);
    return !is_ahead || verdict->nr_behind || verdict->nr_unbalanced;
}

int main(int argc, char *argv[])
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct verdict verdict = { 0 };

    printf("%d times %d guests a life, the first %d not counted; seed %" PRIu64
           "\n",
           NR_RUNS, NR_GUESTS, NR_WARM, seed);
    for (unsigned i = 0; i < NR(hosts); i++)
        for (unsigned j = 0; j < NR(factors); j++)
            run_host(hosts[i], factors[j], seed, &verdict);
    return print_verdict(&verdict);
}
