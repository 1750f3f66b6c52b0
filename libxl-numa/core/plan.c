/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From host and request to the plan: which nodes count, what a set has to
 * have, and what the chosen set gives. A pure function of both. The search for
 * the set is search.c's business.
 */
#include "core/core.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct planning {
    const struct xlnuma_host *host;
    const struct xlnuma_request *request;
    unsigned cpus_words; /* that the host's CPUs are in */
    struct xlnuma__table table;
    unsigned max_nodes;         /* that the policy allows a set to have */
    unsigned nr_cpus, nr_cores; /* wanted: the vCPUs, or all there are */
    struct xlnuma__found found;
};

struct xlnuma_plan *xlnuma_plan_new(void)
{
    return calloc(1, sizeof(struct xlnuma_plan));
}

void xlnuma_plan_free(struct xlnuma_plan *plan)
{
    free(plan);
}

const char *xlnuma_status_name(enum xlnuma_status status)
{
    static const char *const names[] = {
        [XLNUMA_STATUS_PLACED] = "placed",
        [XLNUMA_STATUS_UNPLACED] = "unplaced",
        [XLNUMA_STATUS_OFF] = "off",
    };

    return names[status];
}

const char *xlnuma_why_not_name(enum xlnuma_why_not why)
{
    static const char *const names[] = {
        [XLNUMA_WHY_NOT_MEMORY] = "memory",
        [XLNUMA_WHY_NOT_CPUS] = "cpus",
        [XLNUMA_WHY_NOT_CORES] = "cores",
        [XLNUMA_WHY_NOT_POLICY] = "policy",
        [XLNUMA_WHY_NOT_PATH] = "path",
        [XLNUMA_WHY_NOT_FARTHER] = "farther",
        [XLNUMA_WHY_NOT_DEVICES] = "devices",
        [XLNUMA_WHY_NOT_SOCKETS] = "sockets",
        [XLNUMA_WHY_NOT_LOW] = "low",
        [XLNUMA_WHY_NOT_LOAD] = "load",
        [XLNUMA_WHY_NOT_HOLES] = "holes",
        [XLNUMA_WHY_NOT_NODES] = "nodes",
        [XLNUMA_WHY_NOT_AFFINITY] = "affinity",
    };

    return names[why];
}

/* --- from host and request to cells --------------------------------------- */

/* Of equals the one that was there before, which has the lower number. */
static bool is_smaller(const struct xlnuma__cell *a,
                       const struct xlnuma__cell *b)
{
    return a->high_kb != b->high_kb ? a->high_kb < b->high_kb
                                    : a->usable_kb < b->usable_kb;
}

/* Behind the last of the cells comes one that may belong before some. */
static void sort_in(struct xlnuma__cell cell[], unsigned at)
{
    struct xlnuma__cell last;

    if (!at || !is_smaller(&cell[at], &cell[at - 1]))
        return;
    last = cell[at];
    for (; at && is_smaller(&last, &cell[at - 1]); at--)
        cell[at] = cell[at - 1];
    cell[at] = last;
}

/* Which CPUs the guest may use; NULL: all. */
static const xlnuma_cpuset *filter_of(const struct xlnuma_request *request)
{
    return request->has_cpus ? &request->cpus : NULL;
}

static void fill_cell(const struct planning *planning, unsigned id,
                      struct xlnuma__cell *cell)
{
    const struct xlnuma_node *node = &planning->host->node[id];
    unsigned nr_all =
        xlnuma__cpuset_count(&node->cpus, planning->cpus_words,
                             filter_of(planning->request), &cell->nr_cpus);

    cell->id = id;
    cell->socket = node->socket;
    cell->usable_kb = xlnuma__usable_kb(node) / 4 * 4; /* whole pages */
    cell->high_kb = xlnuma__high_kb(node) / 4 * 4;
    cell->load_mvcpu = cell->nr_cpus ? node->load_mvcpu : 0;
    cell->nr_cores = node->nr_cores && nr_all ? node->nr_cores : cell->nr_cpus;
    if (node->nr_cores && nr_all && cell->nr_cpus < nr_all)
        /* A filter that leaves half of the CPUs leaves half of the cores. */
        cell->nr_cores = (cell->nr_cpus * node->nr_cores + nr_all - 1) / nr_all;
}

/* The same when sockets have any numbers. */
static void relate_any_sockets(struct xlnuma__table *table)
{
    for (unsigned i = 0; i < table->nr; i++) {
        table->socket_mates[i] = 0;
        for (unsigned j = 0; j < table->nr; j++)
            if (table->cell[j].socket == table->cell[i].socket)
                table->socket_mates[i] |= (uint64_t)1 << j;
    }
}

static void relate_sockets(struct xlnuma__table *table)
{
    uint64_t mates[XLNUMA_NODES_MAX]; /* by socket */

    for (unsigned i = 0; i < table->nr; i++) {
        if (table->cell[i].socket >= XLNUMA_NODES_MAX) {
            relate_any_sockets(table);
            return;
        }
        mates[table->cell[i].socket] = 0;
    }
    for (unsigned i = 0; i < table->nr; i++)
        mates[table->cell[i].socket] |= (uint64_t)1 << i;
    for (unsigned i = 0; i < table->nr; i++)
        table->socket_mates[i] = mates[table->cell[i].socket];
}

/* To any node, whether it is there or not. */
static bool has_unreachable(const struct xlnuma__table *table)
{
    unsigned nr = xlnuma__nr_parts(table->host);
    xlnuma__part found = { 0 };
    uint64_t any[2];

    for (unsigned i = 0; i < table->nr; i++)
        for (unsigned n = 0; n < nr; n++)
            found |= xlnuma__part_of(table->host, table->cell[i].id, n) ==
                     XLNUMA_DISTANCE_UNREACHABLE;
    memcpy(any, &found, sizeof(any));
    return any[0] | any[1];
}

/* Whose CPUs have no path to whose memory. */
static void find_unreachable(struct xlnuma__table *table)
{
    bool has_any = has_unreachable(table);

    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__cell *cell = &table->cell[i];
        const uint16_t *row = table->host->distance[cell->id];

        table->unreachable[i] = 0;
        if (!cell->nr_cpus || !has_any)
            continue;
        for (unsigned j = 0; j < table->nr; j++)
            if (row[table->cell[j].id] == XLNUMA_DISTANCE_UNREACHABLE)
                table->unreachable[i] |= (uint64_t)1 << j;
    }
}

static void fill_cells(struct planning *planning)
{
    struct xlnuma__table *table = &planning->table;
    unsigned i;

    table->host = planning->host;
    table->nr = table->nr_cpus = table->most_cpus = planning->nr_cores = 0;
    table->load_mvcpu = table->most_usable_kb = 0;
    XLNUMA_FOR_EACH_NODE(i, table->host->nodes & planning->request->nodes) {
        struct xlnuma__cell *cell = &table->cell[table->nr];

        fill_cell(planning, i, cell);
        if (!cell->nr_cpus && !cell->usable_kb)
            continue;
        table->nr++;
        table->nr_cpus += cell->nr_cpus;
        table->load_mvcpu += cell->load_mvcpu;
        planning->nr_cores += cell->nr_cores;
        if (cell->nr_cpus > table->most_cpus)
            table->most_cpus = cell->nr_cpus;
        if (cell->usable_kb > table->most_usable_kb)
            table->most_usable_kb = cell->usable_kb;
    }
}

/* What the search needs besides. */
static void complete_table(struct planning *planning, struct xlnuma_plan *plan)
{
    struct xlnuma__table *table = &planning->table;

    for (unsigned i = 1; i < table->nr; i++)
        sort_in(table->cell, i);
    relate_sockets(table);
    find_unreachable(table);
    plan->device_nodes = xlnuma__fill_distances(table, planning->request);
}

/* The fewest nodes that hold `needed` when the largest values come first. */
static unsigned fewest(uint64_t value[], unsigned nr, uint64_t needed)
{
    uint64_t sum = 0;
    unsigned count = 0;

    while (sum < needed && count < nr) {
        unsigned largest = count;

        for (unsigned i = count + 1; i < nr; i++)
            if (value[i] > value[largest])
                largest = i;
        sum += value[largest];
        value[largest] = value[count];
        count++;
    }
    return count;
}

/* How many nodes a set may have under the request's policy. */
static void set_limits(struct planning *planning)
{
    const struct xlnuma_request *request = planning->request;
    uint64_t size_kb[XLNUMA_NODES_MAX], nr_cpus[XLNUMA_NODES_MAX];
    unsigned nr = 0, i, for_cpus;

    planning->max_nodes = XLNUMA_NODES_MAX;
    if (request->max_nodes)
        planning->max_nodes = request->max_nodes;
    if (request->policy == XLNUMA_POLICY_SINGLE_NODE)
        planning->max_nodes = 1;
    if (request->policy != XLNUMA_POLICY_RESTRICTED)
        return;
    XLNUMA_FOR_EACH_NODE(i, planning->host->nodes & request->nodes) {
        const struct xlnuma_node *node = &planning->host->node[i];
        unsigned nr_usable;

        xlnuma__cpuset_count(&node->cpus, planning->cpus_words,
                             filter_of(request), &nr_usable);
        size_kb[nr] = node->size_kb;
        nr_cpus[nr++] = nr_usable;
    }
    planning->max_nodes = fewest(size_kb, nr, request->memory_kb);
    for_cpus = fewest(nr_cpus, nr, planning->nr_cpus);
    if (for_cpus > planning->max_nodes)
        planning->max_nodes = for_cpus;
}

/* A guest wider than the host is to have all of the host. */
static void set_width(struct planning *planning)
{
    planning->table.guest_mvcpu = planning->request->nr_vcpus * (uint64_t)1000;
    planning->nr_cpus = planning->table.nr_cpus;
    if (planning->nr_cpus > planning->request->nr_vcpus)
        planning->nr_cpus = planning->request->nr_vcpus;
    if (planning->nr_cores > planning->request->nr_vcpus)
        planning->nr_cores = planning->request->nr_vcpus;
}

static int check_request(const struct planning *planning, char *message)
{
    const struct xlnuma_request *request = planning->request;

    if (!request->memory_kb || request->memory_kb > INT64_MAX)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": memory of %" PRIu64 " KiB",
                            request->name, request->memory_kb);
    if (!request->nr_vcpus)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": no vCPUs", request->name);
    if (!(planning->host->nodes & request->nodes))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": none of the nodes it may use exists "
                            "on this host",
                            request->name);
    if (!planning->nr_cpus)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": none of the CPUs it may use is "
                            "online on the nodes it may use",
                            request->name);
    return 0;
}

/* --- from the chosen set to the plan -------------------------------------- */

/* Words of CPUs that no plan has used are 0 and stay so. */
static void use_words(unsigned nr, struct xlnuma_plan *plan)
{
    plan->cpus_words = nr > plan->cpus_words ? nr : plan->cpus_words;
}

/* The node's CPUs that the guest may use; added to *sum. */
static void take_cpus(const struct xlnuma_node *node,
                      const struct xlnuma_request *request, unsigned words,
                      struct xlnuma_plan *plan, unsigned id, xlnuma_cpuset *sum)
{
    uint64_t filter = request->has_cpus ? request->cpus.word[0] : UINT64_MAX;

    if (plan->cpus_words == 1) { /* all CPUs below 64 */
        plan->cpus[id].word[0] = node->cpus.word[0] & filter;
        sum->word[0] |= plan->cpus[id].word[0];
        return;
    }
    memset(&plan->cpus[id], 0, plan->cpus_words * sizeof(uint64_t));
    xlnuma__cpuset_take(&node->cpus, words, filter_of(request), &plan->cpus[id],
                        sum);
}

static void fill_nodes(const struct planning *planning,
                       struct xlnuma_plan *plan)
{
    const struct xlnuma__table *table = &planning->table;
    const struct xlnuma__judged *set = &planning->found.best;
    uint64_t share_kb[XLNUMA_NODES_MAX];
    unsigned i;

    xlnuma__cost_shares(table, set->cells, plan->needed_kb, plan->memory,
                        share_kb);
    XLNUMA_FOR_EACH_NODE(i, set->cells) {
        const struct xlnuma__cell *cell = &table->cell[i];
        unsigned id = cell->id;

        plan->memory_kb[id] = share_kb[i];
        if (share_kb[i] > cell->high_kb)
            plan->low_kb[id] = share_kb[i] - cell->high_kb;
        take_cpus(&planning->host->node[id], planning->request,
                  planning->cpus_words, plan, id, &plan->soft_cpus);
    }
    plan->nodes = set->nodes;
    xlnuma__plan_hard_cpus(plan, planning->host, planning->request);
    plan->expected_distance =
        xlnuma__cost_memory_distance(table, set, plan->needed_kb, plan->memory);
    plan->device_distance = xlnuma__device_distance(
        planning->host, planning->request, plan, plan->memory_kb);
}

/* The mean distance of memory that lies so, from the plan's CPUs. */
static double distance_of(const struct xlnuma_plan *plan,
                          const struct xlnuma_host *host,
                          const uint64_t memory_kb[])
{
    double sum = 0, all_kb = 0;
    unsigned nr_cpus = xlnuma_cpuset_count(&plan->soft_cpus), i, j;

    XLNUMA_FOR_EACH_NODE(j, plan->nodes)
        all_kb += (double)memory_kb[j];
    XLNUMA_FOR_EACH_NODE(i, host->nodes) { /* CPUs may be elsewhere */
        xlnuma_cpuset cpus = host->node[i].cpus;
        unsigned nr;

        xlnuma_cpuset_and(&cpus, &plan->soft_cpus);
        nr = xlnuma_cpuset_count(&cpus);
        XLNUMA_FOR_EACH_NODE(j, plan->nodes)
            sum += (double)memory_kb[j] * host->distance[i][j] * nr;
    }
    return nr_cpus && all_kb > 0 ? sum / nr_cpus / all_kb : 0;
}

void xlnuma__plan_follow(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, const uint64_t actual_kb[])
{
    unsigned words = xlnuma__cpuset_words(host->cpus_end), i;
    xlnuma_cpuset soft_cpus = { { 0 } };

    plan->nodes = nodes & host->nodes;
    use_words(words, plan);
    XLNUMA_FOR_EACH_NODE(i, plan->nodes)
        take_cpus(&host->node[i], request, words, plan, i, &soft_cpus);
    /* Memory without a CPU: the vCPUs stay where they were planned. */
    if (xlnuma_cpuset_count(&soft_cpus))
        plan->soft_cpus = soft_cpus;
    xlnuma__plan_hard_cpus(plan, host, request);
    plan->expected_distance = distance_of(plan, host, actual_kb);
    plan->device_distance =
        xlnuma__device_distance(host, request, plan, actual_kb);
}

static const struct xlnuma__cell *
roomiest_cell(const struct xlnuma__table *table)
{
    const struct xlnuma__cell *roomiest = &table->cell[0];

    for (unsigned i = 1; i < table->nr; i++)
        if (table->cell[i].usable_kb > roomiest->usable_kb ||
            (table->cell[i].usable_kb == roomiest->usable_kb &&
             table->cell[i].id > roomiest->id))
            roomiest = &table->cell[i];
    return roomiest;
}

/* Could a single node hold it? Then another set is nearer to its devices. */
static bool holds_alone(const struct planning *planning,
                        const struct xlnuma__need *need)
{
    struct xlnuma__judged single;

    for (unsigned i = 0; i < planning->table.nr; i++) {
        xlnuma__cost_judge(&planning->table, (uint64_t)1 << i, need->memory_kb,
                           need->memory, &single);
        if (xlnuma__holds(need, &single))
            return true;
    }
    return false;
}

/*
 * The words of most plans, put together without printf, which is slow: of them
 * there is always room for all.
 */
_Static_assert(XLNUMA_MESSAGE_SIZE >= 512, "say_placed() needs less");

static char *put_mib(char *at, uint64_t kb)
{
    return stpcpy(at + xlnuma__write_number(at, kb / 1024), " MiB");
}

/* Why the set has several nodes, and what these do. */
static char *put_why_several(const struct planning *planning,
                             const struct xlnuma__need *need,
                             xlnuma_nodeset nodes, char *at)
{
    const struct xlnuma__cell *roomiest = roomiest_cell(&planning->table);
    const char *do_what = " hold it on ";

    if (roomiest->usable_kb < need->memory_kb) {
        at = stpcpy(at, "no single node has ");
        at = put_mib(at, need->memory_kb);
        at = stpcpy(at, " free (node ");
        at += xlnuma__write_number(at, roomiest->id);
        at = stpcpy(at, " has most, ");
        at = put_mib(at, roomiest->usable_kb);
        at = stpcpy(at, ")");
    } else if (planning->table.scale > 1 && holds_alone(planning, need)) {
        at = stpcpy(at, "single nodes with ");
        at = put_mib(at, need->memory_kb);
        at = stpcpy(at, " free are farther from its PCI devices");
    } else {
        at = stpcpy(at, "no single node with ");
        at = put_mib(at, need->memory_kb);
        at = stpcpy(at, " free has CPUs or cores enough for ");
        at += xlnuma__write_number(at, planning->request->nr_vcpus);
        at = stpcpy(at, " vCPUs");
        do_what = " come nearest, on ";
    }
    at = stpcpy(at, "; nodes ");
    at += strlen(xlnuma_nodeset_format(nodes, at, 64));
    return stpcpy(at, do_what);
}

static void say_placed(const struct planning *planning,
                       const struct xlnuma__need *need,
                       struct xlnuma_plan *plan)
{
    const struct xlnuma__judged *set = &planning->found.best;
    char *at = plan->reason;

    if (!(set->nodes & (set->nodes - 1))) {
        at = stpcpy(at, "node ");
        at += xlnuma__write_number(at, xlnuma_nodeset_first(set->nodes));
        at = put_mib(stpcpy(at, " holds all of "), plan->needed_kb);
    } else {
        at = put_why_several(planning, need, set->nodes, at);
        at += xlnuma__write_number(at, set->nr_sockets);
        at = stpcpy(at, set->nr_sockets == 1 ? " socket" : " sockets");
        at = stpcpy(at, " at expected distance ");
        at += xlnuma__write_hundredths(at, plan->expected_distance);
    }
    *at = '\0';
}

/* Which of the plan's memory is low, behind the other words. */
static void say_low(const struct planning *planning, struct xlnuma_plan *plan)
{
    size_t used;
    char low[32];

    if (!planning->found.best.low_kb)
        return;
    used = strlen(plan->reason);
    snprintf(plan->reason + used, sizeof(plan->reason) - used,
             "; %s of it is low memory, as there is no other",
             xlnuma__mib(planning->found.best.low_kb, low));
}

/* Where the devices are that were counted, behind the other words. */
static void say_devices(struct xlnuma_plan *plan)
{
    size_t used;
    char nodes[64];

    if (!plan->device_nodes)
        return;
    used = strlen(plan->reason);
    snprintf(plan->reason + used, sizeof(plan->reason) - used,
             "; its PCI devices are on node%s %s, at distance %.2f",
             xlnuma_nodeset_count(plan->device_nodes) == 1 ? "" : "s",
             xlnuma_nodeset_format(plan->device_nodes, nodes, sizeof(nodes)),
             plan->device_distance);
}

/* Could so many sockets have the cores that are wanted? */
static bool have_cores(const struct planning *planning, unsigned nr_sockets)
{
    const struct xlnuma__table *table = &planning->table;
    uint64_t nr_cores[XLNUMA_NODES_MAX];
    unsigned nr = 0, i;

    for (unsigned first = 0; first < table->nr; first++) {
        uint64_t mates = table->socket_mates[first];

        if (xlnuma_nodeset_first(mates) != first)
            continue;
        nr_cores[nr] = 0;
        XLNUMA_FOR_EACH_NODE(i, mates)
            nr_cores[nr] += table->cell[i].nr_cores;
        nr++;
    }
    return fewest(nr_cores, nr, planning->nr_cores) <= nr_sockets;
}

/*
 * The best set: with as many CPUs as vCPUs if there is one, else any that holds
 * the memory; with as many cores as vCPUs if that costs no further socket.
 */
static void choose(struct planning *planning, struct xlnuma__need *need_r)
{
    const struct xlnuma__table *table = &planning->table;
    struct xlnuma__found *found = &planning->found, with_cores;

    need_r->memory_kb = planning->request->memory_kb;
    need_r->memory = planning->request->memory;
    need_r->max_nodes = planning->max_nodes;
    need_r->max_sockets = XLNUMA_NODES_MAX;
    need_r->nr_cpus = planning->nr_cpus;
    need_r->nr_cores = 0;
    xlnuma__search(table, need_r, found);
    if (!found->is_found) {
        need_r->nr_cpus = 1;
        xlnuma__search(table, need_r, found);
        return;
    }
    need_r->nr_cores = planning->nr_cores;
    if (found->best.nr_cores >= planning->nr_cores)
        return;
    if (!have_cores(planning, found->best.nr_sockets)) {
        need_r->nr_cores = 0;
        return;
    }
    need_r->max_sockets = found->best.nr_sockets;
    xlnuma__search(table, need_r, &with_cores);
    need_r->max_sockets = XLNUMA_NODES_MAX;
    if (with_cores.is_found)
        *found = with_cores;
    else
        need_r->nr_cores = 0;
}

/*
 * The same, when it is a single node and nothing else is asked: without the rest
 * of the table. Without devices nothing is as near.
 */
static bool choose_single(struct planning *planning)
{
    struct xlnuma__table *table = &planning->table;
    struct xlnuma__need need = { .memory_kb = planning->request->memory_kb,
                                 .nr_cpus = planning->nr_cpus };
    unsigned i;

    if (planning->request->wants_alternatives || planning->request->nr_devices)
        return false;
    i = xlnuma__cost_best_single(table, &need);
    if (i < table->nr && table->cell[i].nr_cores < planning->nr_cores) {
        need.nr_cores = planning->nr_cores;
        i = xlnuma__cost_best_single(table, &need);
    }
    if (i == table->nr)
        return false;
    table->scale = 1;
    table->socket_mates[i] = (uint64_t)1 << i;
    table->unreachable[i] = 0;
    planning->found = (struct xlnuma__found){ .is_found = true,
                                              .is_nearest = true,
                                              .is_best = true };
    xlnuma__cost_judge(table, (uint64_t)1 << i, need.memory_kb,
                       planning->request->memory, &planning->found.best);
    return true;
}

/* All but what is said to be unset: pages that nobody needs stay untouched. */
static void clear_plan(unsigned cpus_words,
                       const struct xlnuma_request *request,
                       struct xlnuma_plan *plan)
{
    memset(plan, 0, offsetof(struct xlnuma_plan, reason));
    use_words(cpus_words, plan);
    memset(&plan->soft_cpus, 0, plan->cpus_words * sizeof(uint64_t));
    plan->reason[0] = '\0';
    plan->nr_alternatives = 0;
    memcpy(plan->guest, request->name,
           strnlen(request->name, sizeof(plan->guest) - 1));
    plan->needed_kb = request->memory_kb;
    plan->policy = request->policy;
    plan->memory = request->memory;
}

/* The search was given up: how much nearer another set might be. */
static void say_open(const struct planning *planning, struct xlnuma_plan *plan)
{
    const struct xlnuma__table *table = &planning->table;
    const struct xlnuma__found *found = &planning->found;
    size_t used;
    double excess;

    plan->least_distance = plan->expected_distance;
    if (found->is_nearest)
        return;
    excess = xlnuma__cost_distance(&found->best, plan->needed_kb) -
             table->least - found->least_excess;
    if (excess > 0)
        plan->least_distance -= excess / table->scale;
    used = strlen(plan->reason);
    snprintf(plan->reason + used, sizeof(plan->reason) - used,
             "; not proven to be the nearest, but none is below %.2f",
             plan->least_distance);
}

/*
 * A set that is nearer, or one that would do, and lacks only what builds in
 * flight have claimed: behind the other words.
 */
static void say_claimed(const struct xlnuma_host *host,
                        struct xlnuma_plan *plan)
{
    size_t used = strlen(plan->reason);
    char nodes[64], claimed[32];

    for (unsigned i = 0; i < plan->nr_alternatives; i++) {
        const struct xlnuma_alternative *other = &plan->alternative[i];
        uint64_t claimed_kb = 0;
        unsigned node;

        XLNUMA_FOR_EACH_NODE(node, other->nodes)
            claimed_kb += host->node[node].claimed_kb;
        if (other->why != XLNUMA_WHY_NOT_MEMORY || other->short_kb > claimed_kb)
            continue;
        snprintf(plan->reason + used, sizeof(plan->reason) - used,
                 "; of the memory of node%s %s builds in flight have claimed "
                 "%s",
                 xlnuma_nodeset_count(other->nodes) == 1 ? "" : "s",
                 xlnuma_nodeset_format(other->nodes, nodes, sizeof(nodes)),
                 xlnuma__mib(claimed_kb, claimed));
        return;
    }
}

/* --- what the user has excluded -------------------------------------------- */

#define EXCLUDED_MAX 3

/* What keeps the guest from a node, if something does. */
static bool is_excluded(const struct planning *planning, unsigned node,
                        enum xlnuma_why_not *why_r)
{
    unsigned nr_usable, nr;

    *why_r = XLNUMA_WHY_NOT_NODES;
    if (!xlnuma_nodeset_has(planning->request->nodes, node))
        return true;
    *why_r = XLNUMA_WHY_NOT_AFFINITY;
    nr = xlnuma__cpuset_count(&planning->host->node[node].cpus,
                              planning->cpus_words,
                              filter_of(planning->request), &nr_usable);
    return nr && !nr_usable;
}

/* An alternative that is there for its lack of CPUs is there for the reason. */
static void add_excluded(const struct planning *planning,
                         const struct planning *wide,
                         const struct xlnuma__judged *set,
                         struct xlnuma_plan *plan)
{
    struct xlnuma_alternative excluded = { .nodes = set->nodes };
    unsigned n = 0, node;
    bool has_reason = false;

    XLNUMA_FOR_EACH_NODE(node, set->nodes)
        has_reason = has_reason || is_excluded(planning, node, &excluded.why);
    excluded.expected_distance = xlnuma__cost_memory_distance(
        &wide->table, set, plan->needed_kb, plan->memory);
    if (!has_reason || (plan->status == XLNUMA_STATUS_PLACED &&
                        excluded.expected_distance > plan->expected_distance))
        return;
    if (set->nodes == plan->nodes) /* which has less CPUs for the guest */
        return;
    while (n < plan->nr_alternatives &&
           plan->alternative[n].nodes != set->nodes)
        n++;
    if (n == XLNUMA_ALTERNATIVES_MAX)
        return;
    plan->alternative[n] = excluded;
    if (n == plan->nr_alternatives)
        plan->nr_alternatives++;
}

/* The excluded single nodes that would hold the guest, in their order. */
static unsigned find_singles(const struct planning *planning,
                             const struct planning *wide,
                             const struct xlnuma__need *need,
                             struct xlnuma__judged single[EXCLUDED_MAX])
{
    unsigned nr = 0;

    for (unsigned i = 0; i < wide->table.nr; i++) {
        enum xlnuma_why_not why;
        struct xlnuma__judged set;
        unsigned at;

        if (!is_excluded(planning, wide->table.cell[i].id, &why))
            continue;
        xlnuma__cost_judge(&wide->table, (uint64_t)1 << i, need->memory_kb,
                           need->memory, &set);
        if (!xlnuma__holds(need, &set))
            continue;
        for (at = nr;
             at && xlnuma__cost_compare(&set, &single[at - 1], &why) < 0; at--)
            if (at < EXCLUDED_MAX)
                single[at] = single[at - 1];
        if (at < EXCLUDED_MAX)
            single[at] = set;
        nr += nr < EXCLUDED_MAX;
    }
    return nr;
}

static void say_excluded(struct xlnuma_plan *plan)
{
    const struct xlnuma_alternative *last =
        &plan->alternative[plan->nr_alternatives - 1];
    size_t used = strlen(plan->reason);
    char nodes[64];

    snprintf(plan->reason + used, sizeof(plan->reason) - used,
             "; node%s %s would do, but for %s",
             xlnuma_nodeset_count(last->nodes) == 1 ? "" : "s",
             xlnuma_nodeset_format(last->nodes, nodes, sizeof(nodes)),
             last->why == XLNUMA_WHY_NOT_NODES ? "numa_nodes" : "cpus or pool");
}

/* May the guest use less than all the host? */
static bool has_filters(const struct planning *planning)
{
    return planning->request->has_cpus ||
           planning->host->nodes & ~planning->request->nodes;
}

/* Sets that are as near, or nearer, or any that would do, without the filters. */
static void explain_excluded(const struct planning *planning,
                             struct xlnuma_plan *plan)
{
    struct xlnuma_request request = *planning->request;
    struct xlnuma__judged single[EXCLUDED_MAX];
    unsigned nr = plan->nr_alternatives, nr_singles;
    struct planning wide;
    struct xlnuma__need need;

    if (!has_filters(planning))
        return;
    request.nodes = XLNUMA_NODES_ALL;
    request.has_cpus = false;
    wide.host = planning->host;
    wide.request = &request;
    wide.cpus_words = planning->cpus_words;
    fill_cells(&wide);
    set_width(&wide);
    set_limits(&wide);
    complete_table(&wide, plan);
    choose(&wide, &need);
    if (!wide.found.is_found)
        return;
    add_excluded(planning, &wide, &wide.found.best, plan);
    if (plan->status != XLNUMA_STATUS_PLACED) {
        if (plan->nr_alternatives > nr)
            say_excluded(plan);
        return;
    }
    nr_singles = find_singles(planning, &wide, &need, single);
    for (unsigned n = 0; n < nr_singles; n++)
        if (plan->nr_alternatives < nr + EXCLUDED_MAX)
            add_excluded(planning, &wide, &single[n], plan);
}

int xlnuma_plan_make(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     struct xlnuma_plan *plan_r, char *message)
{
    struct planning planning; /* large: only what is used is written */
    struct xlnuma__need need;
    int rc;

    *message = '\0';
    planning.host = host;
    planning.request = request;
    planning.cpus_words = xlnuma__cpuset_words(host->cpus_end);
    clear_plan(planning.cpus_words, request, plan_r);
    fill_cells(&planning);
    set_width(&planning);
    rc = check_request(&planning, message);
    if (rc)
        return rc;
    if (request->policy == XLNUMA_POLICY_NONE) {
        plan_r->status = XLNUMA_STATUS_OFF;
        snprintf(plan_r->reason, sizeof(plan_r->reason),
                 "policy none: left to stock libxl");
        return 0;
    }
    set_limits(&planning);
    if (!choose_single(&planning)) {
        complete_table(&planning, plan_r);
        choose(&planning, &need);
    }
    if (!planning.found.is_found) {
        plan_r->status = XLNUMA_STATUS_UNPLACED;
        xlnuma__say_lacking(&planning.table, request, planning.max_nodes,
                            plan_r);
        say_claimed(host, plan_r);
        explain_excluded(&planning, plan_r);
        return 0;
    }
    plan_r->status = XLNUMA_STATUS_PLACED;
    fill_nodes(&planning, plan_r);
    if (request->wants_alternatives) {
        xlnuma__explain(&planning.table, &need, &planning.found.best,
                        XLNUMA_ALTERNATIVES_MAX -
                            (has_filters(&planning) ? EXCLUDED_MAX : 0),
                        plan_r);
        explain_excluded(&planning, plan_r);
    }
    say_placed(&planning, &need, plan_r);
    say_low(&planning, plan_r);
    say_claimed(host, plan_r);
    say_devices(plan_r);
    say_open(&planning, plan_r);
    return 0;
}
