/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "naive.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

#define UNREACHABLE 255

/* A node as the guest sees it. */
struct place {
    unsigned id, socket, cpus, cores, load;
    wide high, low, size;
};

struct world {
    const struct xlnuma_host *host;
    const struct xlnuma_request *request;
    struct place place[XLNUMA_NODES_MAX];
    unsigned nr;
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
    wide top, bottom; /* expected distance times the guest's memory */
    wide low, high, usable;
    wide load; /* the guest's own vCPUs included */
    unsigned cpus, cores, sockets;
    bool is_over; /* busier than the mean by more than a tenth */
    bool is_ok;   /* memory, a CPU, paths, number of nodes */
};

static unsigned count_cpus(const xlnuma_cpuset *cpus,
                           const xlnuma_cpuset *filter)
{
    unsigned nr = 0;

    for (unsigned cpu = 0; cpu < 1024; cpu++)
        nr += xlnuma_cpuset_has(cpus, cpu) &&
              (!filter || xlnuma_cpuset_has(filter, cpu));
    return nr;
}

static void look_at_nodes(struct world *world)
{
    const struct xlnuma_request *request = world->request;

    for (unsigned id = 0; id < XLNUMA_NODES_MAX; id++) {
        const struct xlnuma_node *node = &world->host->node[id];
        struct place *place = &world->place[world->nr];
        unsigned all;

        if (!((world->host->nodes & request->nodes) >> id & 1))
            continue;
        all = count_cpus(&node->cpus, NULL);
        place->id = id;
        place->socket = node->socket;
        place->cpus =
            count_cpus(&node->cpus, request->has_cpus ? &request->cpus : NULL);
        place->cores = place->cpus;
        if (node->nr_cores && all)
            place->cores = (place->cpus * node->nr_cores + all - 1) / all;
        place->load = place->cpus ? node->load_mvcpu : 0;
        place->high = (wide)(node->free_kb - node->low_free_kb);
        place->high -= place->high < (wide)node->claimed_kb
                           ? place->high
                           : (wide)node->claimed_kb;
        place->high = place->high / 4 * 4;
        place->low =
            (wide)((node->free_kb - node->claimed_kb) / 4 * 4) - place->high;
        place->size = node->size_kb;
        world->nr++;
    }
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

/* In parts of parts_of(). */
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

static void look_at_request(struct world *world)
{
    unsigned cpus = 0, cores = 0, vcpus = world->request->nr_vcpus, nr;

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
    world->max_nodes = fewest(world, false, world->request->memory_kb);
    nr = fewest(world, true, world->wanted_cpus);
    if (nr > world->max_nodes)
        world->max_nodes = nr;
}

static wide room_of(const struct place *place, bool is_low)
{
    return is_low ? place->low : place->high;
}

/*
 * Even shares: divide among all; whoever has less gives all of it and is out;
 * again, until nobody has less. Adds (sum of shares * column) = top / bottom.
 */
static void divide(const struct world *world, uint64_t set, bool is_low,
                   wide amount, const wide column[], wide *top, wide *bottom,
                   uint64_t *given)
{
    uint64_t open = set;
    wide left = amount, fixed = 0, columns = 0;
    bool is_again = amount > 0;

    while (is_again) {
        unsigned nr = (unsigned)__builtin_popcountll(open);
        wide level_of = left;

        is_again = false;
        for (unsigned i = 0; i < world->nr; i++) {
            wide room = room_of(&world->place[i], is_low);

            if (!(open >> i & 1) || room * nr >= level_of)
                continue;
            open &= ~((uint64_t)1 << i);
            left -= room;
            fixed += room * column[i];
            if (room)
                *given |= (uint64_t)1 << i;
            is_again = true;
        }
        is_again = is_again && left > 0;
    }
    if (left > 0) {
        wide nr = __builtin_popcountll(open);

        for (unsigned i = 0; i < world->nr; i++)
            columns += open >> i & 1 ? column[i] : 0;
        *given |= open;
        *top = *top * nr + (fixed * nr + left * columns) * *bottom;
        *bottom *= nr;
    } else {
        *top += fixed * *bottom;
    }
}

/* Packed: again and again the best of the places that have room. */
static void pack(const struct world *world, uint64_t set, bool is_low,
                 wide amount, const wide reach[], const wide column[],
                 wide *top, uint64_t *given)
{
    uint64_t left = set;

    while (amount > 0 && left) {
        const struct place *place = world->place;
        unsigned best = XLNUMA_NODES_MAX;
        wide share;

        for (unsigned i = 0; i < world->nr; i++)
            if ((left >> i & 1) &&
                (best == XLNUMA_NODES_MAX || reach[i] < reach[best] ||
                 (reach[i] == reach[best] &&
                  place[i].high + place[i].low >
                      place[best].high + place[best].low)))
                best = i;
        share = room_of(&place[best], is_low);
        if (share > amount)
            share = amount;
        *top += share * column[best];
        if (share)
            *given |= (uint64_t)1 << best;
        amount -= share;
        left &= ~((uint64_t)1 << best);
    }
}

/* With the way by the devices, or of memory alone. */
static void judge_distance(const struct world *world, struct judged *judged,
                           wide high, bool is_memory)
{
    wide needed = world->request->memory_kb;
    wide reach[XLNUMA_NODES_MAX], column[XLNUMA_NODES_MAX];
    wide from_high = needed < high ? needed : high;
    uint64_t given = 0;

    for (unsigned j = 0; j < world->nr; j++) {
        reach[j] = column[j] = 0;
        for (unsigned i = 0; i < world->nr; i++)
            if (judged->set >> i & 1) {
                wide cpus = world->place[i].cpus;

                reach[j] += cpus * distance_of(world, i, j, false);
                column[j] += cpus * distance_of(world, i, j, is_memory);
            }
    }
    judged->top = 0;
    judged->bottom = 1;
    for (unsigned low = 0; low < 2; low++) {
        wide amount = low ? needed - from_high : from_high;

        if (world->request->memory == XLNUMA_MEMORY_PACK)
            pack(world, judged->set, low, amount, reach, column, &judged->top,
                 &given);
        else
            divide(world, judged->set, low, amount, column, &judged->top,
                   &judged->bottom, &given);
    }
    judged->bottom *= judged->cpus;
    judged->low = needed - from_high;
    for (unsigned i = 0; i < world->nr; i++)
        for (unsigned j = 0; j < world->nr; j++)
            if ((judged->set >> i & 1) && (given >> j & 1) &&
                world->place[i].cpus &&
                world->host->distance[world->place[i].id][world->place[j].id] ==
                    UNREACHABLE)
                judged->is_ok = false;
}

static struct judged judge(const struct world *world, uint64_t set)
{
    struct judged judged = { .set = set, .is_ok = true };
    wide high = 0;

    for (unsigned i = 0; i < world->nr; i++) {
        const struct place *place = &world->place[i];
        bool is_new = true;

        if (!(set >> i & 1))
            continue;
        for (unsigned j = 0; j < i; j++)
            if ((set >> j & 1) && world->place[j].socket == place->socket)
                is_new = false;
        /* A node with nothing for the guest is in no set. */
        if (!place->cpus && place->high + place->low == 0)
            judged.is_ok = false;
        judged.nodes |= (xlnuma_nodeset)1 << place->id;
        judged.sockets += is_new;
        judged.cpus += place->cpus;
        judged.cores += place->cores;
        judged.load += place->load;
        judged.usable += place->high + place->low;
        high += place->high;
    }
    judged.load += (wide)world->request->nr_vcpus * 1000;
    judged.is_over =
        judged.load * world->cpus * 10 > world->load * judged.cpus * 11;
    judged.is_ok =
        judged.is_ok && judged.usable >= (wide)world->request->memory_kb &&
        judged.cpus && (unsigned)__builtin_popcountll(set) <= world->max_nodes;
    if (judged.is_ok)
        judge_distance(world, &judged, high, false);
    judged.high = high;
    return judged;
}

static int sign(wide value)
{
    return (value > 0) - (value < 0);
}

/* < 0: a comes before b. */
static int compare(const struct judged *a, const struct judged *b)
{
    int order = sign(a->top * b->bottom - b->top * a->bottom);

    if (!order)
        order = sign((wide)a->sockets - b->sockets);
    if (!order)
        order = sign(a->low - b->low);
    if (!order && (a->is_over || b->is_over))
        order = sign(a->load * b->cpus - b->load * a->cpus);
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
    for (unsigned nr = 1; nr <= world->nr && nr <= world->max_nodes; nr++)
        for (uint64_t set = first_of(nr); set; set = next_of(world, set))
            consider(world, set, &wish, best);
    return best->is_ok;
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
    struct judged best, with_cores;

    look_at_nodes(&world);
    look_at_devices(&world);
    look_at_request(&world);
    if (best_of(&world, world.wanted_cpus, 0, XLNUMA_NODES_MAX, &best)) {
        if (best_of(&world, world.wanted_cpus, world.wanted_cores, best.sockets,
                    &with_cores))
            best = with_cores;
    } else if (!best_of(&world, 1, 0, XLNUMA_NODES_MAX, &best)) {
        return answer;
    }
    answer.is_placed = true;
    answer.nodes = best.nodes;
    judge_distance(&world, &best, best.high, true);
    answer.expected_distance =
        (double)best.top / (double)best.bottom / (double)request->memory_kb;
    return answer;
}
