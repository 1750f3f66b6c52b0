/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The search for the best node set, and the plan that is made of it: a pure
 * function of host and request. What a set costs is cost.c's business.
 *
 * Up to EXACT_NODES usable nodes every set is judged. Above that, sets are
 * grown from every node by taking the nearest next, then improved by exchanging
 * single nodes: good, not proven the best.
 */
#include "core/core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_NODES 16

/* What a set holds, the most demanding first; a guest's set has one of them. */
enum holds {
    HOLDS_CORES,  /* memory, as many CPUs as vCPUs, as many cores */
    HOLDS_CPUS,   /* memory, as many CPUs as vCPUs */
    HOLDS_MEMORY, /* memory, and at least one CPU */
    HOLDS_NOT,
};

/* Of the alternatives, this many at most are sets that could hold the guest. */
#define HOLDING_MAX 3
#define SHORT_MAX (XLNUMA_ALTERNATIVES_MAX - HOLDING_MAX)

struct search {
    const struct xlnuma_host *host;
    const struct xlnuma_request *request;
    struct xlnuma__cell cell[XLNUMA_NODES_MAX]; /* ascending usable_kb */
    unsigned nr_cells;
    unsigned max_nodes;         /* that the policy allows a set to have */
    unsigned nr_cpus, nr_cores; /* wanted: the vCPUs, or all there are */
    bool has_best[HOLDS_NOT];
    struct xlnuma__judged best[HOLDS_NOT]; /* best that holds at least this */
    /* second pass: the plan's set, and what was nearer or next best */
    bool is_explaining;
    struct xlnuma__judged chosen;
    struct xlnuma__judged near_set[SHORT_MAX], holding[HOLDING_MAX];
    unsigned nr_near, nr_holding;
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
        [XLNUMA_WHY_NOT_FARTHER] = "farther",
        [XLNUMA_WHY_NOT_SOCKETS] = "sockets",
        [XLNUMA_WHY_NOT_LOW] = "low",
        [XLNUMA_WHY_NOT_LOAD] = "load",
        [XLNUMA_WHY_NOT_HOLES] = "holes",
    };

    return names[why];
}

static enum holds what_holds(const struct search *search,
                             const struct xlnuma__judged *set)
{
    unsigned nr_nodes = xlnuma_nodeset_count(set->nodes);

    if (set->usable_kb < search->request->memory_kb || !set->nr_cpus ||
        !set->is_reachable || nr_nodes > search->max_nodes)
        return HOLDS_NOT;
    if (set->nr_cpus < search->nr_cpus)
        return HOLDS_MEMORY;
    return set->nr_cores < search->nr_cores ? HOLDS_CPUS : HOLDS_CORES;
}

/* Nearer first; of equals the one that lacks least memory. */
static bool is_nearer(const struct xlnuma__judged *a,
                      const struct xlnuma__judged *b)
{
    int order = xlnuma__cost_compare_distance(a, b);

    return order < 0 || (order == 0 && a->usable_kb > b->usable_kb);
}

static bool is_better(const struct xlnuma__judged *a,
                      const struct xlnuma__judged *b)
{
    enum xlnuma_why_not why;

    return xlnuma__cost_compare(a, b, &why) < 0;
}

/* Keep the first `max` sets in the order that `is_before` gives. */
static void keep_first(struct xlnuma__judged *list, unsigned *nr, unsigned max,
                       const struct xlnuma__judged *set,
                       bool (*is_before)(const struct xlnuma__judged *,
                                         const struct xlnuma__judged *))
{
    unsigned at = *nr;

    for (unsigned i = 0; i < *nr; i++)
        if (list[i].nodes == set->nodes)
            return;
    while (at && is_before(set, &list[at - 1]))
        at--;
    if (at == max)
        return;
    if (*nr < max)
        (*nr)++;
    memmove(&list[at + 1], &list[at], (*nr - 1 - at) * sizeof(*list));
    list[at] = *set;
}

static void explain_set(struct search *search, const struct xlnuma__judged *set)
{
    if (set->nodes == search->chosen.nodes || !set->is_reachable)
        return;
    if (what_holds(search, set) <= what_holds(search, &search->chosen))
        keep_first(search->holding, &search->nr_holding, HOLDING_MAX, set,
                   is_better);
    else if (xlnuma__cost_compare_distance(set, &search->chosen) <= 0)
        keep_first(search->near_set, &search->nr_near, SHORT_MAX, set,
                   is_nearer);
}

/* Judge the set of the cells in `mask` and remember it if it is worth it. */
static enum holds consider(struct search *search, uint64_t mask,
                           struct xlnuma__judged *set_r)
{
    const struct xlnuma__cell *cell[XLNUMA_NODES_MAX];
    unsigned nr = 0, i;
    enum holds holds;

    XLNUMA_FOR_EACH_NODE(i, mask)
        cell[nr++] = &search->cell[i];
    xlnuma__cost_judge(search->host, cell, nr, search->request->memory_kb,
                       search->request->memory, set_r);
    holds = what_holds(search, set_r);
    if (search->is_explaining) {
        explain_set(search, set_r);
        return holds;
    }
    for (i = holds; i < HOLDS_NOT; i++)
        if (!search->has_best[i] || is_better(set_r, &search->best[i])) {
            search->has_best[i] = true;
            search->best[i] = *set_r;
        }
    return holds;
}

static void search_all(struct search *search)
{
    struct xlnuma__judged set;

    for (uint64_t mask = 1; mask < (uint64_t)1 << search->nr_cells; mask++)
        consider(search, mask, &set);
}

/* The cell nearest to those in `mask`, both ways; the roomier of equals. */
static unsigned nearest_cell(const struct search *search, uint64_t mask,
                             const unsigned sum[])
{
    unsigned best = search->nr_cells;

    for (unsigned i = 0; i < search->nr_cells; i++) {
        if ((mask >> i) & 1)
            continue;
        if (best == search->nr_cells || sum[i] <= sum[best])
            best = i; /* the later has at least as much room */
    }
    return best;
}

static unsigned both_ways(const struct search *search, unsigned a, unsigned b)
{
    unsigned i = search->cell[a].id, j = search->cell[b].id;

    return search->host->distance[i][j] + search->host->distance[j][i];
}

/* Grow sets from one cell until one holds everything. */
static void search_grown(struct search *search, unsigned seed)
{
    unsigned sum[XLNUMA_NODES_MAX] = { 0 };
    uint64_t mask = 0;
    unsigned next = seed;
    struct xlnuma__judged set;

    for (unsigned nr = 0; nr < search->nr_cells; nr++) {
        mask |= (uint64_t)1 << next;
        if (consider(search, mask, &set) == HOLDS_CORES)
            break;
        for (unsigned i = 0; i < search->nr_cells; i++)
            sum[i] += both_ways(search, next, i);
        next = nearest_cell(search, mask, sum);
    }
}

static uint64_t mask_of(const struct search *search, xlnuma_nodeset nodes)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < search->nr_cells; i++)
        if (xlnuma_nodeset_has(nodes, search->cell[i].id))
            mask |= (uint64_t)1 << i;
    return mask;
}

/* Drop or exchange single nodes of the best set until that helps no more. */
static void improve(struct search *search, enum holds holds)
{
    xlnuma_nodeset before = 0;
    struct xlnuma__judged set;

    while (search->has_best[holds] && search->best[holds].nodes != before) {
        uint64_t mask;
        unsigned out;

        before = search->best[holds].nodes;
        mask = mask_of(search, before);
        XLNUMA_FOR_EACH_NODE(out, mask) {
            uint64_t rest = mask & ~((uint64_t)1 << out);

            if (rest)
                consider(search, rest, &set);
            for (unsigned in = 0; in < search->nr_cells; in++)
                if (!((mask >> in) & 1))
                    consider(search, rest | (uint64_t)1 << in, &set);
        }
    }
}

static void search_sets(struct search *search)
{
    if (search->nr_cells <= EXACT_NODES) {
        search_all(search);
        return;
    }
    for (unsigned i = 0; i < search->nr_cells; i++)
        search_grown(search, i);
    if (!search->is_explaining)
        for (unsigned holds = HOLDS_CORES; holds < HOLDS_NOT; holds++)
            improve(search, (enum holds)holds);
}

/*
 * The best set: as many cores as vCPUs if that costs no further socket, else as
 * many CPUs as vCPUs, else whatever holds the memory.
 */
static const struct xlnuma__judged *choose(const struct search *search)
{
    const struct xlnuma__judged *best = search->best;

    if (!search->has_best[HOLDS_MEMORY])
        return NULL;
    if (!search->has_best[HOLDS_CPUS])
        return &best[HOLDS_MEMORY];
    if (search->has_best[HOLDS_CORES] &&
        best[HOLDS_CORES].nr_sockets <= best[HOLDS_CPUS].nr_sockets)
        return &best[HOLDS_CORES];
    return &best[HOLDS_CPUS];
}

/* --- from host and request to cells --------------------------------------- */

static int compare_cells(const void *a, const void *b)
{
    const struct xlnuma__cell *x = a, *y = b;

    if (x->usable_kb != y->usable_kb)
        return x->usable_kb < y->usable_kb ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static xlnuma_cpuset usable_cpus(const struct xlnuma_node *node,
                                 const struct xlnuma_request *request)
{
    xlnuma_cpuset cpus = node->cpus;

    if (request->has_cpus)
        xlnuma_cpuset_and(&cpus, &request->cpus);
    return cpus;
}

static void fill_cells(struct search *search)
{
    const struct xlnuma_host *host = search->host;
    const struct xlnuma_request *request = search->request;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes & request->nodes) {
        const struct xlnuma_node *node = &host->node[i];
        struct xlnuma__cell *cell = &search->cell[search->nr_cells];
        xlnuma_cpuset cpus = usable_cpus(node, request);
        unsigned nr_all = xlnuma_cpuset_count(&node->cpus);

        cell->id = i;
        cell->socket = node->socket;
        cell->nr_cpus = xlnuma_cpuset_count(&cpus);
        cell->usable_kb = node->free_kb / 4 * 4; /* whole pages */
        cell->high_kb = (node->free_kb - node->low_free_kb) / 4 * 4;
        cell->load_mvcpu = node->load_mvcpu;
        /* A filter that leaves half of the CPUs leaves half of the cores. */
        cell->nr_cores =
            node->nr_cores && nr_all
                ? (cell->nr_cpus * node->nr_cores + nr_all - 1) / nr_all
                : cell->nr_cpus;
        if (cell->nr_cpus || cell->usable_kb)
            search->nr_cells++;
    }
    qsort(search->cell, search->nr_cells, sizeof(search->cell[0]),
          compare_cells);
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
static void set_limits(struct search *search)
{
    const struct xlnuma_request *request = search->request;
    uint64_t size_kb[XLNUMA_NODES_MAX], nr_cpus[XLNUMA_NODES_MAX];
    unsigned nr = 0, i, for_cpus;

    search->max_nodes = XLNUMA_NODES_MAX;
    if (request->policy == XLNUMA_POLICY_SINGLE_NODE)
        search->max_nodes = 1;
    if (request->policy != XLNUMA_POLICY_RESTRICTED)
        return;
    XLNUMA_FOR_EACH_NODE(i, search->host->nodes & request->nodes) {
        xlnuma_cpuset cpus = usable_cpus(&search->host->node[i], request);

        size_kb[nr] = search->host->node[i].size_kb;
        nr_cpus[nr++] = xlnuma_cpuset_count(&cpus);
    }
    search->max_nodes = fewest(size_kb, nr, request->memory_kb);
    for_cpus = fewest(nr_cpus, nr, search->nr_cpus);
    if (for_cpus > search->max_nodes)
        search->max_nodes = for_cpus;
}

/* A guest wider than the host is to have all of the host. */
static void set_width(struct search *search)
{
    for (unsigned i = 0; i < search->nr_cells; i++) {
        search->nr_cpus += search->cell[i].nr_cpus;
        search->nr_cores += search->cell[i].nr_cores;
    }
    if (search->nr_cpus > search->request->nr_vcpus)
        search->nr_cpus = search->request->nr_vcpus;
    if (search->nr_cores > search->request->nr_vcpus)
        search->nr_cores = search->request->nr_vcpus;
}

static int check_request(const struct search *search, char *message)
{
    const struct xlnuma_request *request = search->request;

    if (!request->memory_kb || request->memory_kb > INT64_MAX)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": memory of %" PRIu64 " KiB",
                            request->name, request->memory_kb);
    if (!request->nr_vcpus)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": no vCPUs", request->name);
    if (!(search->host->nodes & request->nodes))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": none of the nodes it may use exists "
                            "on this host",
                            request->name);
    if (!search->nr_cpus)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "guest \"%s\": none of the CPUs it may use is "
                            "online on the nodes it may use",
                            request->name);
    return 0;
}

/* --- from the chosen set to the plan -------------------------------------- */

static void fill_nodes(const struct search *search, struct xlnuma_plan *plan)
{
    const struct xlnuma__cell *cell[XLNUMA_NODES_MAX];
    uint64_t share_kb[XLNUMA_NODES_MAX];
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, mask_of(search, search->chosen.nodes))
        cell[nr++] = &search->cell[i];
    xlnuma__cost_shares(search->host, cell, nr, plan->needed_kb, plan->memory,
                        share_kb);
    for (i = 0; i < nr; i++) {
        unsigned id = cell[i]->id;

        plan->memory_kb[id] = share_kb[i];
        if (share_kb[i] > cell[i]->high_kb)
            plan->low_kb[id] = share_kb[i] - cell[i]->high_kb;
        plan->cpus[id] = usable_cpus(&search->host->node[id], search->request);
        xlnuma_cpuset_or(&plan->soft_cpus, &plan->cpus[id]);
    }
    plan->nodes = search->chosen.nodes;
    plan->expected_distance =
        xlnuma__cost_distance(&search->chosen, plan->needed_kb);
}

/* The mean distance of memory that lies so, from the plan's CPUs. */
static double distance_of(const struct xlnuma_plan *plan,
                          const struct xlnuma_host *host,
                          const uint64_t memory_kb[])
{
    double sum = 0, all_kb = 0;
    unsigned nr_cpus = xlnuma_cpuset_count(&plan->soft_cpus), i, j;

    XLNUMA_FOR_EACH_NODE(j, plan->nodes) {
        all_kb += (double)memory_kb[j];
        XLNUMA_FOR_EACH_NODE(i, host->nodes) /* CPUs may be elsewhere */
            sum += (double)memory_kb[j] * host->distance[i][j] *
                   xlnuma_cpuset_count(&plan->cpus[i]);
    }
    return nr_cpus && all_kb > 0 ? sum / nr_cpus / all_kb : 0;
}

void xlnuma__plan_follow(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, const uint64_t actual_kb[])
{
    xlnuma_cpuset soft_cpus = { { 0 } };
    unsigned i;

    plan->nodes = nodes & host->nodes;
    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        xlnuma_cpuset cpus = usable_cpus(&host->node[i], request);

        xlnuma_cpuset_or(&soft_cpus, &cpus);
    }
    /* Memory without a CPU: the vCPUs stay where they were planned. */
    if (xlnuma_cpuset_count(&soft_cpus)) {
        memset(plan->cpus, 0, sizeof(plan->cpus));
        XLNUMA_FOR_EACH_NODE(i, plan->nodes)
            plan->cpus[i] = usable_cpus(&host->node[i], request);
        plan->soft_cpus = soft_cpus;
    }
    plan->expected_distance = distance_of(plan, host, actual_kb);
}

static void add_alternative(const struct search *search,
                            const struct xlnuma__judged *set,
                            struct xlnuma_plan *plan)
{
    const struct xlnuma_request *request = search->request;
    struct xlnuma_alternative *alternative =
        &plan->alternative[plan->nr_alternatives++];

    alternative->nodes = set->nodes;
    alternative->expected_distance =
        xlnuma__cost_distance(set, request->memory_kb);
    if (set->usable_kb < request->memory_kb) {
        alternative->why = XLNUMA_WHY_NOT_MEMORY;
        alternative->short_kb = request->memory_kb - set->usable_kb;
    } else if (set->nr_cpus < search->nr_cpus &&
               search->chosen.nr_cpus > set->nr_cpus) {
        alternative->why = XLNUMA_WHY_NOT_CPUS;
        alternative->short_cpus = search->nr_cpus - set->nr_cpus;
    } else if (set->nr_cores < search->nr_cores &&
               search->chosen.nr_cores > set->nr_cores) {
        alternative->why = XLNUMA_WHY_NOT_CORES;
        alternative->short_cpus = search->nr_cores - set->nr_cores;
    } else if (xlnuma_nodeset_count(set->nodes) > search->max_nodes) {
        alternative->why = XLNUMA_WHY_NOT_POLICY;
    } else {
        xlnuma__cost_compare(&search->chosen, set, &alternative->why);
    }
}

static void fill_alternatives(const struct search *search,
                              struct xlnuma_plan *plan)
{
    for (unsigned i = 0; i < search->nr_near; i++)
        add_alternative(search, &search->near_set[i], plan);
    for (unsigned i = 0; i < search->nr_holding; i++)
        add_alternative(search, &search->holding[i], plan);
}

static void say_placed(const struct search *search, struct xlnuma_plan *plan)
{
    const struct xlnuma__judged *set = &search->chosen;
    const struct xlnuma__cell *roomiest = &search->cell[search->nr_cells - 1];
    char needed[32], most[32], nodes[64];

    xlnuma__mib(plan->needed_kb, needed);
    xlnuma_nodeset_format(set->nodes, nodes, sizeof(nodes));
    if (xlnuma_nodeset_count(set->nodes) == 1)
        snprintf(plan->reason, sizeof(plan->reason), "node %s holds all of %s",
                 nodes, needed);
    else if (roomiest->usable_kb < plan->needed_kb)
        snprintf(plan->reason, sizeof(plan->reason),
                 "no single node has %s free (node %u has most, %s); nodes %s "
                 "hold it on %u socket%s at expected distance %.2f",
                 needed, roomiest->id, xlnuma__mib(roomiest->usable_kb, most),
                 nodes, set->nr_sockets, set->nr_sockets == 1 ? "" : "s",
                 plan->expected_distance);
    else
        snprintf(plan->reason, sizeof(plan->reason),
                 "no single node with %s free has CPUs or cores enough for %u "
                 "vCPUs; nodes %s come nearest, on %u socket%s at expected "
                 "distance %.2f",
                 needed, search->request->nr_vcpus, nodes, set->nr_sockets,
                 set->nr_sockets == 1 ? "" : "s", plan->expected_distance);
}

/* Which of the plan's memory is low, behind the other words. */
static void say_low(const struct search *search, struct xlnuma_plan *plan)
{
    size_t used = strlen(plan->reason);
    char low[32];

    if (search->chosen.low_kb)
        snprintf(plan->reason + used, sizeof(plan->reason) - used,
                 "; %s of it is low memory, as there is no other",
                 xlnuma__mib(search->chosen.low_kb, low));
}

int xlnuma_plan_make(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     struct xlnuma_plan *plan_r, char *message)
{
    struct search search = { .host = host, .request = request };
    const struct xlnuma__judged *best;
    int rc;

    *message = '\0';
    memset(plan_r, 0, sizeof(*plan_r));
    snprintf(plan_r->guest, sizeof(plan_r->guest), "%s", request->name);
    plan_r->needed_kb = request->memory_kb;
    plan_r->policy = request->policy;
    plan_r->memory = request->memory;
    fill_cells(&search);
    set_width(&search);
    rc = check_request(&search, message);
    if (rc)
        return rc;
    if (request->policy == XLNUMA_POLICY_NONE) {
        plan_r->status = XLNUMA_STATUS_OFF;
        snprintf(plan_r->reason, sizeof(plan_r->reason),
                 "policy none: left to stock libxl");
        return 0;
    }
    set_limits(&search);
    search_sets(&search);
    best = choose(&search);
    if (!best) {
        plan_r->status = XLNUMA_STATUS_UNPLACED;
        xlnuma__say_lacking(host, request, search.cell, search.nr_cells,
                            search.max_nodes, plan_r->reason);
        return 0;
    }
    plan_r->status = XLNUMA_STATUS_PLACED;
    search.chosen = *best;
    search.is_explaining = true;
    search_sets(&search);
    fill_nodes(&search, plan_r);
    fill_alternatives(&search, plan_r);
    say_placed(&search, plan_r);
    say_low(&search, plan_r);
    return 0;
}
