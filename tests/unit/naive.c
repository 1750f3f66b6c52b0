/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "naive.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

#define UNREACHABLE 255

/* A node as the guest sees it. */
struct place {
    unsigned id, socket, cpus, cores, load;
    bool is_named; /* numa_nodes has it */
    wide high, low, size;
};

struct world {
    const struct xlnuma_host *host;
    const struct xlnuma_request *request;
    struct place place[XLNUMA_NODES_MAX];
    unsigned nr;
    bool is_apart; /* no named node has a CPU for the guest */
    wide memory;   /* that a set has to hold */
    unsigned vcpus;
    unsigned wanted_cpus, wanted_cores, max_nodes;
    const uint8_t *kind; /* by node id; of nr_kinds, 0: each is its own */
    unsigned nr_kinds;
    wide cpus, load; /* of all places, the guest's vCPUs included */
    unsigned nr_devices, device_node[XLNUMA_GUEST_DEVICES_MAX];
};

/* A set, with all that the order of sets looks at. */
struct judged {
    uint64_t set; /* of places */
    xlnuma_nodeset nodes;
    wide top, bottom;                /* expected distance */
    wide memory[XLNUMA_NODES_MAX];   /* by place: shares times... */
    wide parts;                      /* ...this */
    unsigned runs[XLNUMA_NODES_MAX]; /* CPUs that the vCPUs use, by place */
    wide low, high, usable;
    wide load; /* of the nodes whose CPUs are used; the guest's own included */
    unsigned cpus, cores, sockets, named, used_cpus;
    bool can_grow;
    bool is_over; /* busier than the mean by more than 1/13 */
    bool is_ok;   /* all that a set has to have */
};

static unsigned count_cpus(const xlnuma_cpuset *cpus,
                           const xlnuma_cpuset *filter)
{
    unsigned nr = 0;

    for (unsigned n = 0; n < 1024 / 64; n++)
        nr += (unsigned)__builtin_popcountll(
            cpus->word[n] & (filter ? filter->word[n] : UINT64_MAX));
    return nr;
}

static void look_at_node(struct world *world, unsigned id)
{
    const struct xlnuma_request *request = world->request;
    const struct xlnuma_node *node = &world->host->node[id];
    struct place *place = &world->place[world->nr++];
    unsigned all = count_cpus(&node->cpus, NULL);

    place->id = id;
    place->socket = node->socket;
    place->is_named = request->nodes >> id & 1;
    place->cpus =
        count_cpus(&node->cpus, request->has_cpus ? &request->cpus : NULL);
    place->cores = place->cpus;
    if (node->nr_cores && all)
        place->cores = (place->cpus * node->nr_cores + all - 1) / all;
    place->load = place->cpus ? node->load_mvcpu : 0;
    if (!place->is_named) /* it gives CPUs alone */
        return;
    place->high = (wide)(node->free_kb - node->low_free_kb);
    place->high -= place->high < (wide)node->reserved_kb
                       ? place->high
                       : (wide)node->reserved_kb;
    place->high = place->high / 4 * 4;
    place->low =
        (wide)((node->free_kb - node->reserved_kb) / 4 * 4) - place->high;
    place->size = node->size_kb;
}

static void look_at_nodes(struct world *world)
{
    xlnuma_nodeset nodes = world->host->nodes & world->request->nodes;

    world->is_apart = true;
    for (unsigned id = 0; id < XLNUMA_NODES_MAX; id++)
        if ((nodes >> id & 1) &&
            count_cpus(&world->host->node[id].cpus,
                       world->request->has_cpus ? &world->request->cpus : NULL))
            world->is_apart = false;
    if (world->is_apart)
        nodes = world->host->nodes;
    for (unsigned id = 0; id < XLNUMA_NODES_MAX; id++)
        if (nodes >> id & 1)
            look_at_node(world, id);
}

/* Devices on a node that is known, with a path to and from every other. */
static void look_at_devices(struct world *world)
{
    const struct xlnuma_host *host = world->host;

    for (unsigned n = 0; n < world->request->nr_devices; n++)
        for (unsigned m = 0; m < host->nr_devices; m++) {
            unsigned node = host->device[m].node;
            bool has_all = host->device[m].bdf == world->request->device[n];

            for (unsigned id = 0; id < XLNUMA_NODES_MAX; id++)
                if ((host->nodes >> id & 1) &&
                    (host->distance[id][node] == UNREACHABLE ||
                     host->distance[node][id] == UNREACHABLE))
                    has_all = false;
            if (has_all)
                world->device_node[world->nr_devices++] = node;
        }
}

/* In parts: 200 a device, or 1. */
static wide distance_of(const struct world *world, unsigned i, unsigned j,
                        bool is_memory)
{
    unsigned from = world->place[i].id, to = world->place[j].id;
    wide weight = world->request->device_weight, sum = 0;

    if (is_memory || !world->nr_devices)
        return world->host->distance[from][to];
    for (unsigned n = 0; n < world->nr_devices; n++) {
        unsigned node = world->device_node[n];

        sum += world->host->distance[from][node];
        sum += world->host->distance[node][to];
    }
    return (100 - weight) * 2 * world->nr_devices *
               world->host->distance[from][to] +
           weight * sum;
}

/* The fewest places whose sizes, or CPUs, reach what is needed. */
static unsigned fewest(const struct world *world, bool is_cpus, wide needed)
{
    uint64_t taken = 0;
    unsigned nr = 0;

    while (needed > 0 && nr < world->nr) {
        wide most = -1;
        unsigned which = 0;

        for (unsigned i = 0; i < world->nr; i++) {
            wide has = is_cpus ? world->place[i].cpus : world->place[i].size;

            if (!(taken >> i & 1) && has > most) {
                most = has;
                which = i;
            }
        }
        taken |= (uint64_t)1 << which;
        needed -= most;
        nr++;
    }
    return nr;
}

static void look_at_request(struct world *world, wide memory, unsigned vcpus)
{
    unsigned cpus = 0, cores = 0, nr;

    world->memory = memory;
    world->vcpus = vcpus;
    world->load = (wide)vcpus * 1000;
    for (unsigned i = 0; i < world->nr; i++) {
        world->load += world->place[i].load;
        cpus += world->place[i].cpus;
        cores += world->place[i].cores;
    }
    world->wanted_cpus = vcpus < cpus ? vcpus : cpus;
    world->wanted_cores = vcpus < cores ? vcpus : cores;
    world->cpus = cpus;
    world->max_nodes = XLNUMA_NODES_MAX;
    if (world->request->policy == XLNUMA_POLICY_SINGLE_NODE)
        world->max_nodes = 1;
    if (world->request->policy != XLNUMA_POLICY_RESTRICTED)
        return;
    world->max_nodes = fewest(world, false, memory);
    nr = world->is_apart ? 0 : fewest(world, true, world->wanted_cpus);
    if (nr > world->max_nodes)
        world->max_nodes = nr;
}

static wide room_of(const struct place *place, bool is_low)
{
    return is_low ? place->low : place->high;
}

static bool is_in(uint64_t set, unsigned i)
{
    return set >> i & 1;
}

/* Of these the nearest; of equals the roomiest, and then the lowest node. */
static unsigned nearest(const struct world *world, uint64_t set,
                        const wide reach[])
{
    unsigned best = XLNUMA_NODES_MAX;

    for (unsigned i = 0; i < world->nr; i++) {
        wide usable = world->place[i].high + world->place[i].low;

        if (is_in(set, i) &&
            (best == XLNUMA_NODES_MAX || reach[i] < reach[best] ||
             (reach[i] == reach[best] &&
              usable > world->place[best].high + world->place[best].low)))
            best = i;
    }
    return best;
}

/* --- spread ---------------------------------------------------------------- */

/*
 * In proportion to CPUs: divide among all; whoever has less gives all of it and
 * is out; again, until nobody has less. Returns what found no room.
 */
static wide divide(const struct world *world, struct judged *judged,
                   bool is_low, wide amount)
{
    uint64_t open = 0;
    wide left = amount, cpus;
    bool is_again = true;

    for (unsigned i = 0; i < world->nr; i++)
        if (is_in(judged->set, i) && world->place[i].cpus)
            open |= (uint64_t)1 << i;
    while (is_again) {
        is_again = false;
        cpus = 0;
        for (unsigned i = 0; i < world->nr; i++)
            cpus += is_in(open, i) ? world->place[i].cpus : 0;
        for (unsigned i = 0; i < world->nr && !is_again; i++) {
            wide room = room_of(&world->place[i], is_low);

            if (!is_in(open, i) || room * cpus >= left * world->place[i].cpus)
                continue;
            open &= ~((uint64_t)1 << i);
            left -= room;
            judged->memory[i] += room * judged->parts;
            is_again = true;
        }
    }
    if (!open || !left)
        return left;
    for (unsigned i = 0; i < world->nr; i++)
        judged->memory[i] *= cpus;
    for (unsigned i = 0; i < world->nr; i++)
        if (is_in(open, i))
            judged->memory[i] += left * world->place[i].cpus * judged->parts;
    judged->parts *= cpus;
    return 0;
}

/* Nodes without CPUs: what the others lack, the nearest first. */
static void add_rest(const struct world *world, struct judged *judged,
                     bool is_low, wide amount, const wide reach[])
{
    uint64_t left = 0;

    for (unsigned i = 0; i < world->nr; i++)
        if (is_in(judged->set, i) && !world->place[i].cpus)
            left |= (uint64_t)1 << i;
    while (amount > 0 && left) {
        unsigned i = nearest(world, left, reach);
        wide share = room_of(&world->place[i], is_low);

        share = share < amount ? share : amount;
        judged->memory[i] += share * judged->parts;
        amount -= share;
        left &= ~((uint64_t)1 << i);
    }
}

static void spread(const struct world *world, struct judged *judged,
                   const wide amount[2])
{
    wide reach[XLNUMA_NODES_MAX];

    for (unsigned j = 0; j < world->nr; j++) {
        reach[j] = 0;
        for (unsigned i = 0; i < world->nr; i++)
            if (is_in(judged->set, i))
                reach[j] +=
                    world->place[i].cpus * distance_of(world, i, j, false);
    }
    for (unsigned low = 0; low < 2; low++)
        add_rest(world, judged, low, divide(world, judged, low, amount[low]),
                 reach);
    for (unsigned i = 0; i < world->nr; i++)
        judged->runs[i] = is_in(judged->set, i) ? world->place[i].cpus : 0;
}

/* --- pack ------------------------------------------------------------------ */

/* Where a packed guest starts: all of the set's memory is nearest to these CPUs. */
static unsigned start_of(const struct world *world, uint64_t set)
{
    wide reach[XLNUMA_NODES_MAX] = { 0 };
    uint64_t with_cpus = 0;

    for (unsigned i = 0; i < world->nr; i++) {
        for (unsigned j = 0; j < world->nr; j++)
            if (is_in(set, j))
                reach[i] += (world->place[j].high + world->place[j].low) *
                            distance_of(world, i, j, false);
        if (is_in(set, i) && world->place[i].cpus)
            with_cpus |= (uint64_t)1 << i;
    }
    return nearest(world, with_cpus, reach);
}

/* The nearest to it next: memory, and CPUs until there are enough. */
static void pack(const struct world *world, struct judged *judged,
                 const wide amount[2])
{
    wide reach[XLNUMA_NODES_MAX], high = amount[0], low = amount[1];
    uint64_t left = judged->set;
    unsigned start = start_of(world, left), next = start, cpus = 0, cores = 0;

    for (unsigned j = 0; j < world->nr; j++)
        reach[j] = distance_of(world, start, j, false);
    for (; left; next = nearest(world, left, reach)) {
        const struct place *place = &world->place[next];
        wide from_high = place->high < high ? place->high : high;
        wide from_low = place->low < low ? place->low : low;

        judged->memory[next] = from_high + from_low;
        high -= from_high;
        low -= from_low;
        judged->runs[next] = 0;
        if (judged->cores >= world->vcpus ? cores < world->vcpus
                                          : cpus < world->vcpus)
            judged->runs[next] = place->cpus;
        cpus += place->cpus;
        cores += place->cores;
        left &= ~((uint64_t)1 << next);
    }
}

/* --- a set ----------------------------------------------------------------- */

/* With the way by the devices, or of memory alone. */
static void judge_distance(const struct world *world, struct judged *judged,
                           bool is_memory)
{
    wide cpus = 0;

    judged->top = 0;
    for (unsigned i = 0; i < world->nr; i++) {
        cpus += judged->runs[i];
        for (unsigned j = 0; j < world->nr; j++)
            judged->top += judged->runs[i] * judged->memory[j] *
                           distance_of(world, i, j, is_memory);
    }
    judged->bottom = cpus * judged->parts;
    judged->used_cpus = (unsigned)cpus;
}

/* Every CPU has a path to all memory, and every node gives something. */
static bool is_whole(const struct world *world, const struct judged *judged)
{
    for (unsigned i = 0; i < world->nr; i++) {
        if (is_in(judged->set, i) && !judged->runs[i] && !judged->memory[i])
            return false;
        for (unsigned j = 0; j < world->nr; j++)
            if (judged->runs[i] && judged->memory[j] &&
                world->host->distance[world->place[i].id][world->place[j].id] ==
                    UNREACHABLE)
                return false;
    }
    return true;
}

static int sign(wide value)
{
    return (value > 0) - (value < 0);
}

static struct judged judge(const struct world *world, uint64_t set)
{
    const struct xlnuma_request *request = world->request;
    struct judged judged = { .set = set, .is_ok = true, .parts = 1 };
    unsigned limit_cpus = request->max_vcpus;
    wide amount[2];

    for (unsigned i = 0; i < world->nr; i++) {
        const struct place *place = &world->place[i];
        bool is_new = true;

        if (!is_in(set, i))
            continue;
        for (unsigned j = 0; j < i; j++)
            if (is_in(set, j) && world->place[j].socket == place->socket)
                is_new = false;
        judged.nodes |= (xlnuma_nodeset)1 << place->id;
        judged.sockets += is_new;
        judged.named += place->is_named;
        judged.cpus += place->cpus;
        judged.cores += place->cores;
        judged.usable += place->high + place->low;
        judged.high += place->high;
    }
    judged.is_ok = judged.usable >= world->memory && judged.cpus &&
                   judged.named <= world->max_nodes;
    if (!judged.is_ok)
        return judged;
    amount[0] = world->memory < judged.high ? world->memory : judged.high;
    amount[1] = judged.low = world->memory - amount[0];
    if (request->memory == XLNUMA_MEMORY_PACK)
        pack(world, &judged, amount);
    else
        spread(world, &judged, amount);
    judge_distance(world, &judged, false);
    judged.is_ok = is_whole(world, &judged);
    judged.load = (wide)world->vcpus * 1000;
    for (unsigned i = 0; i < world->nr; i++)
        judged.load += judged.runs[i] ? world->place[i].load : 0;
    judged.is_over =
        judged.load * world->cpus * 13 > world->load * judged.used_cpus * 14;
    if ((wide)limit_cpus > world->cpus)
        limit_cpus = (unsigned)world->cpus;
    judged.can_grow = judged.usable >= (wide)request->max_memory_kb &&
                      judged.cpus >= limit_cpus;
    return judged;
}

/* < 0: a comes before b. */
static int compare(const struct judged *a, const struct judged *b)
{
    int order = sign(a->top * b->bottom - b->top * a->bottom);

    if (!order)
        order = sign((wide)a->sockets - b->sockets);
    if (!order)
        order = (int)b->can_grow - (int)a->can_grow;
    if (!order)
        order = sign(a->low - b->low);
    if (!order && (a->is_over || b->is_over))
        order = sign(a->load * b->used_cpus - b->load * a->used_cpus);
    if (!order)
        order = sign(a->usable - b->usable);
    for (unsigned id = 0; !order && id < XLNUMA_NODES_MAX; id++)
        order = (int)(b->nodes >> id & 1) - (int)(a->nodes >> id & 1);
    return order;
}

/* All sets of `nr` places, one after the other; 0 after the last. */
static uint64_t first_of(unsigned nr)
{
    return nr == 64 ? UINT64_MAX : ((uint64_t)1 << nr) - 1;
}

static uint64_t next_of(const struct world *world, uint64_t set)
{
    uint64_t lowest = set & -set, carried = set + lowest;

    if (!carried)
        return 0;
    set = carried | ((set ^ carried) / lowest) >> 2;
    return world->nr < 64 && set >> world->nr ? 0 : set;
}

/* The lowest `count` places of each kind. */
static uint64_t set_of(const struct world *world, const unsigned count[])
{
    unsigned left[XLNUMA_NODES_MAX];
    uint64_t set = 0;

    for (unsigned k = 0; k < world->nr_kinds; k++)
        left[k] = count[k];
    for (unsigned i = 0; i < world->nr; i++)
        if (left[world->kind[world->place[i].id]]) {
            left[world->kind[world->place[i].id]]--;
            set |= (uint64_t)1 << i;
        }
    return set;
}

/* Count on by one, each kind a digit; false after the last. */
static bool next_count(const struct world *world, unsigned count[])
{
    for (unsigned k = 0; k < world->nr_kinds; k++) {
        unsigned most = 0;

        for (unsigned i = 0; i < world->nr; i++)
            most += world->kind[world->place[i].id] == k;
        if (count[k]++ < most)
            return true;
        count[k] = 0;
    }
    return false;
}

/* What a set has to have beyond what all have to. */
struct wish {
    unsigned cpus, cores, sockets;
};

/* The better of the set and the best so far. */
static void consider(const struct world *world, uint64_t set,
                     const struct wish *wish, struct judged *best)
{
    struct judged judged = judge(world, set);

    if (judged.is_ok && judged.cpus >= wish->cpus &&
        judged.cores >= wish->cores && judged.sockets <= wish->sockets &&
        (!best->is_ok || compare(&judged, best) < 0))
        *best = judged;
}

/* The first in the order with so many CPUs and cores, on so few sockets. */
static bool best_of(const struct world *world, unsigned cpus, unsigned cores,
                    unsigned sockets, struct judged *best)
{
    struct wish wish = { .cpus = cpus, .cores = cores, .sockets = sockets };
    unsigned count[XLNUMA_NODES_MAX] = { 0 };

    best->is_ok = false;
    if (world->nr_kinds) {
        while (next_count(world, count))
            consider(world, set_of(world, count), &wish, best);
        return best->is_ok;
    }
    for (unsigned nr = 1; nr <= world->nr; nr++)
        if (nr <= world->max_nodes || world->is_apart)
            for (uint64_t set = first_of(nr); set; set = next_of(world, set))
                consider(world, set, &wish, best);
    return best->is_ok;
}

static bool find_best(const struct world *world, struct judged *best)
{
    struct judged with_cores;

    if (!best_of(world, world->wanted_cpus, 0, XLNUMA_NODES_MAX, best))
        return best_of(world, 1, 0, XLNUMA_NODES_MAX, best);
    if (best_of(world, world->wanted_cpus, world->wanted_cores, best->sockets,
                &with_cores))
        *best = with_cores;
    return true;
}

struct naive_answer naive_plan(const struct xlnuma_host *host,
                               const struct xlnuma_request *request)
{
    return naive_plan_of_kinds(host, request, NULL, 0);
}

struct naive_answer naive_plan_of_kinds(const struct xlnuma_host *host,
                                        const struct xlnuma_request *request,
                                        const uint8_t kind[], unsigned nr_kinds)
{
    struct world world = {
        .host = host, .request = request, .kind = kind, .nr_kinds = nr_kinds
    };
    struct naive_answer answer = { 0 };
    bool is_strict = request->policy == XLNUMA_POLICY_STRICT ||
                     request->policy == XLNUMA_POLICY_RESTRICTED ||
                     request->policy == XLNUMA_POLICY_SINGLE_NODE;
    uint64_t kb = request->memory_kb, max_kb = request->max_memory_kb;
    unsigned vcpus = request->nr_vcpus, max_vcpus = request->max_vcpus;
    struct judged best = { 0 };

    look_at_nodes(&world);
    look_at_devices(&world);
    if (request->hotplug == XLNUMA_HOTPLUG_LIMITS) {
        look_at_request(&world, max_kb > kb ? max_kb : kb,
                        max_vcpus > vcpus ? max_vcpus : vcpus);
        answer.is_placed =
            best_of(&world, world.wanted_cpus, 0, XLNUMA_NODES_MAX, &best) &&
            find_best(&world, &best);
        if (!answer.is_placed && is_strict)
            return answer;
    }
    if (!answer.is_placed) {
        look_at_request(&world, kb, vcpus);
        answer.is_placed = find_best(&world, &best);
    }
    if (!answer.is_placed)
        return answer;
    answer.nodes = best.nodes;
    world.memory = kb; /* what it takes now, on that set */
    best = judge(&world, best.set);
    judge_distance(&world, &best, true);
    answer.expected_distance =
        (double)best.top / (double)best.bottom / (double)world.memory;
    return answer;
}

enum naive_hold naive_holds(const struct xlnuma_host *host,
                            const struct xlnuma_request *request,
                            xlnuma_nodeset nodes)
{
    struct world world = { .host = host, .request = request };
    struct judged judged;
    uint64_t set = 0;

    look_at_nodes(&world);
    look_at_request(&world, request->memory_kb, request->nr_vcpus);
    for (unsigned i = 0; i < world.nr; i++)
        if (nodes >> world.place[i].id & 1)
            set |= (uint64_t)1 << i;
    judged = judge(&world, set);
    if (!judged.is_ok)
        return NAIVE_NOT;
    return judged.cpus < world.wanted_cpus ? NAIVE_FEW_CPUS : NAIVE_ALL_CPUS;
}
