/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which guests are to be moved to other nodes of their host, and in which order.
 * Greedy: the chain that gains most for what it moves, again and again. Moves
 * nothing, and asks Xen for nothing.
 */
#include "balance/moves.h"
#include "planner/plan.h"

#include <stdlib.h>
#include <string.h>

/* So many guests at most are moved to make room for one. */
#define OTHERS_MAX 8

/* On so many sets of nodes at most; more matter on hosts of many nodes alone. */
#define SETS_MAX 8

/* A guest that has less of its memory than this where room is needed stays. */
#define WORTH_MOVING 0.4

/* Ratios that are no more apart are the same, but for rounding. */
#define SAME 1e-9

/* What guests take of the host. */
struct ledger {
    uint64_t free_kb[XLNUMA_NODES_MAX], low_free_kb[XLNUMA_NODES_MAX];
    uint32_t load_mvcpu[XLNUMA_NODES_MAX];
};

/* A guest, after the moves so far. */
struct place {
    struct xlnuma__spot spot;
    double distance;
    double alone;          /* its distance, had it the host for itself */
    double expected;       /* its best chain's ratio when looked at, or hope */
    unsigned looked_after; /* so many chains */
    bool is_passed;        /* no use in this search for one to move away */
};

struct state {
    struct xlnuma_host *host, *empty; /* owned */
    const struct xlnuma__moves_guest *guest;
    const struct xlnuma__moves_options *options;
    struct place *place; /* owned */
    unsigned nr;
    unsigned nr_made;         /* chains */
    uint64_t left_kb;         /* may be moved yet */
    struct xlnuma_plan *plan; /* owned; the last one made */
};

struct chain {
    unsigned nr;
    struct xlnuma__move move[OTHERS_MAX + 1];
    double gained; /* distance x KiB */
    uint64_t moved_kb;
};

/* --- where a guest is ------------------------------------------------------ */

xlnuma_nodeset xlnuma__spot_nodes(const struct xlnuma__spot *spot)
{
    xlnuma_nodeset nodes = 0;
    uint64_t all_kb = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        all_kb += spot->memory_kb[node];
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        if (spot->memory_kb[node] && spot->memory_kb[node] >= all_kb / 100)
            nodes |= (xlnuma_nodeset)1 << node;
    return nodes;
}

void xlnuma__spot_run_on(struct xlnuma__spot *spot,
                         const struct xlnuma_host *host,
                         const xlnuma_cpuset *cpus)
{
    unsigned nr[XLNUMA_NODES_MAX] = { 0 }, nr_all = 0, i;
    uint64_t all_kb = 0;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        nr[i] = xlnuma__cpuset_count_common(&host->node[i].cpus, cpus);
        nr_all += nr[i];
        all_kb += spot->memory_kb[i];
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        spot->runs_on[i] = 0;
        if (nr_all)
            spot->runs_on[i] = (double)nr[i] / nr_all;
        else if (all_kb)
            spot->runs_on[i] = (double)spot->memory_kb[i] / (double)all_kb;
    }
}

double xlnuma__spot_distance(const struct xlnuma_host *host,
                             const struct xlnuma__spot *spot)
{
    double sum = 0, all_kb = 0;
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(j, host->nodes) {
        if (!spot->memory_kb[j])
            continue;
        all_kb += (double)spot->memory_kb[j];
        XLNUMA_FOR_EACH_NODE(i, host->nodes)
            sum += spot->runs_on[i] * (double)spot->memory_kb[j] *
                   host->distance[i][j];
    }
    return all_kb > 0 ? sum / all_kb : 0;
}

/* --- what guests take of the host ------------------------------------------ */

static void ledger_save(const struct xlnuma_host *host, struct ledger *ledger)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        ledger->free_kb[i] = host->node[i].free_kb;
        ledger->low_free_kb[i] = host->node[i].low_free_kb;
        ledger->load_mvcpu[i] = host->node[i].load_mvcpu;
    }
}

static void ledger_restore(struct xlnuma_host *host,
                           const struct ledger *ledger)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        host->node[i].free_kb = ledger->free_kb[i];
        host->node[i].low_free_kb = ledger->low_free_kb[i];
        host->node[i].load_mvcpu = ledger->load_mvcpu[i];
    }
}

/* A busy one's: how much its vCPUs really run is not looked at. */
static uint32_t load_on(const struct xlnuma__moves_guest *guest,
                        const struct xlnuma__spot *spot, unsigned node)
{
    return (uint32_t)(spot->runs_on[node] * 1000 * guest->request.nr_vcpus);
}

static void cpus_leave(struct xlnuma_host *host,
                       const struct xlnuma__moves_guest *guest,
                       const struct xlnuma__spot *spot)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        uint32_t *load = &host->node[i].load_mvcpu, its;

        its = load_on(guest, spot, i);
        *load = *load > its ? *load - its : 0;
    }
}

/* What it gives back is no more than the node has in use. */
static void memory_leaves(struct xlnuma_host *host,
                          const struct xlnuma__spot *spot)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        struct xlnuma_node *node = &host->node[i];
        uint64_t used_kb = node->size_kb - node->free_kb;

        if (spot->memory_kb[i] > used_kb) {
            node->free_kb = node->size_kb;
            continue;
        }
        node->free_kb += spot->memory_kb[i];
        node->low_free_kb += spot->low_kb[i];
    }
}

static void come(struct xlnuma_host *host,
                 const struct xlnuma__moves_guest *guest,
                 const struct xlnuma__spot *spot)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        host->node[i].free_kb -= spot->memory_kb[i];
        host->node[i].low_free_kb -= spot->low_kb[i];
        host->node[i].load_mvcpu += load_on(guest, spot, i);
    }
}

/* --- where it would go ----------------------------------------------------- */

static uint64_t usable_on(const struct xlnuma_host *host, xlnuma_nodeset nodes)
{
    uint64_t usable_kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        usable_kb += xlnuma__usable_kb(&host->node[i]);
    return usable_kb;
}

/* Beside what has to stay free? */
static bool has_room(const struct xlnuma_host *host, uint64_t memory_kb,
                     uint64_t keep_kb)
{
    uint64_t free_kb = usable_on(host, host->nodes);

    return free_kb >= memory_kb && free_kb - memory_kb >= keep_kb;
}

/* By the planner that its copy's build will ask. */
static bool plan_spot(const struct xlnuma_host *host,
                      const struct xlnuma__moves_guest *guest,
                      xlnuma_nodeset avoid, struct xlnuma_plan *plan,
                      struct xlnuma__spot *spot_r)
{
    struct xlnuma_request request = guest->request;
    char message[XLNUMA_MESSAGE_SIZE];

    request.nodes &= ~avoid;
    request.wants_alternatives = false;
    if (xlnuma_plan_make(host, &request, plan, message) ||
        plan->status != XLNUMA_STATUS_PLACED)
        return false;
    memcpy(spot_r->memory_kb, plan->memory_kb, sizeof(spot_r->memory_kb));
    memcpy(spot_r->low_kb, plan->low_kb, sizeof(spot_r->low_kb));
    xlnuma__spot_run_on(spot_r, host, &plan->soft_cpus);
    return true;
}

/*
 * Its vCPUs do not count as load, as they will not run while the copy does. Its
 * memory is free for a copy that comes out of a file alone.
 */
static bool find_spot(struct xlnuma_host *host,
                      const struct xlnuma__moves_guest *guest,
                      const struct xlnuma__spot *spot, uint64_t keep_kb,
                      const struct xlnuma__move *move, struct xlnuma_plan *plan,
                      struct xlnuma__spot *spot_r)
{
    struct ledger ledger;
    bool is_found;

    ledger_save(host, &ledger);
    cpus_leave(host, guest, spot);
    if (move->is_by_file)
        memory_leaves(host, spot);
    is_found = has_room(host, guest->request.memory_kb, keep_kb) &&
               plan_spot(host, guest, move->avoid, plan, spot_r);
    ledger_restore(host, &ledger);
    return is_found;
}

/* --- chains ----------------------------------------------------------------- */

/* What a guest gains at most. */
static double hope_of(const struct state *state, unsigned n)
{
    return state->place[n].distance - state->place[n].alone;
}

static double ratio_of(const struct chain *chain)
{
    return chain->moved_kb ? chain->gained / (double)chain->moved_kb : 0;
}

/* The next one has to gain more than this for what it moves. */
static double least_ratio(const struct state *state, const struct chain *best)
{
    double ratio = ratio_of(best);

    return ratio > state->options->gain ? ratio : state->options->gain;
}

static void put(struct state *state, unsigned n,
                const struct xlnuma__spot *spot)
{
    const struct xlnuma__moves_guest *guest = &state->guest[n];
    struct place *place = &state->place[n];

    cpus_leave(state->host, guest, &place->spot);
    memory_leaves(state->host, &place->spot);
    come(state->host, guest, spot);
    place->spot = *spot;
    place->distance = xlnuma__spot_distance(state->host, spot);
}

/* One more move of the chain, as if it were made. Returns false: no room. */
static bool add_move(struct state *state, struct chain *chain, unsigned n,
                     xlnuma_nodeset avoid, bool is_by_file)
{
    const struct xlnuma__moves_guest *guest = &state->guest[n];
    struct xlnuma__move *move = &chain->move[chain->nr];
    uint64_t memory_kb = guest->request.memory_kb;

    if (memory_kb > state->left_kb - chain->moved_kb)
        return false;
    *move = (struct xlnuma__move){ .guest = n,
                                   .avoid = avoid,
                                   .is_by_file = is_by_file };
    move->from = state->place[n].spot;
    move->from_distance = state->place[n].distance;
    if (!find_spot(state->host, guest, &move->from, state->options->keep_kb,
                   move, state->plan, &move->to))
        return false;
    put(state, n, &move->to);
    move->to_distance = state->place[n].distance;
    chain->gained +=
        (double)memory_kb * (move->from_distance - move->to_distance);
    chain->moved_kb += memory_kb;
    chain->nr++;
    return true;
}

/* The guests are where they were, the chain stays as it is. */
static void unmake(struct state *state, const struct chain *chain,
                   const struct ledger *before)
{
    for (unsigned n = chain->nr; n--;) {
        struct place *place = &state->place[chain->move[n].guest];

        place->spot = chain->move[n].from;
        place->distance = chain->move[n].from_distance;
    }
    ledger_restore(state->host, before);
}

/* Of two that gain as much for it the one that moves less. */
static void choose(struct chain *best, const struct chain *chain)
{
    double apart = ratio_of(chain) - ratio_of(best);

    if (apart > SAME || (apart > -SAME && chain->moved_kb < best->moved_kb))
        *best = *chain;
}

static bool may_move(const struct state *state, unsigned n)
{
    enum xlnuma__move_way way = state->guest[n].way;

    return way == XLNUMA__MOVE_LIVE ||
           (way == XLNUMA__MOVE_BY_FILE && state->options->by_file);
}

/* --- one guest alone -------------------------------------------------------- */

static void try_alone(struct state *state, unsigned n, bool is_by_file,
                      struct chain *best)
{
    struct chain chain = { 0 };
    struct ledger before;

    ledger_save(state->host, &before);
    if (!add_move(state, &chain, n, 0, is_by_file))
        return;
    unmake(state, &chain, &before);
    if (ratio_of(&chain) >= state->options->gain)
        choose(best, &chain);
}

/* By file if that is allowed and a live move is of no use. */
static void try_guest(struct state *state, unsigned n, struct chain *best)
{
    struct chain live = { 0 };

    if (state->guest[n].way == XLNUMA__MOVE_LIVE)
        try_alone(state, n, false, &live);
    if (live.nr)
        choose(best, &live);
    else if (state->options->by_file)
        try_alone(state, n, true, best);
}

/* --- others make room ------------------------------------------------------- */

/* Room for one guest that some of the others are to make. */
struct wanted {
    unsigned guest;
    xlnuma_nodeset nodes;
    uint64_t memory_kb;
    double room; /* most that it can gain, in distance x KiB */
};

static uint64_t kb_on(const struct xlnuma__spot *spot, xlnuma_nodeset nodes)
{
    uint64_t kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        kb += spot->memory_kb[i];
    return kb;
}

/* What the nodes lack for the guest, by file without its own memory. */
static uint64_t lack_of(const struct state *state, const struct wanted *wanted)
{
    uint64_t free_kb = usable_on(state->host, wanted->nodes);

    if (state->guest[wanted->guest].way == XLNUMA__MOVE_BY_FILE)
        free_kb += kb_on(&state->place[wanted->guest].spot, wanted->nodes);
    return free_kb < wanted->memory_kb ? wanted->memory_kb - free_kb : 0;
}

/* Is one that leaves `a` better than one that leaves `b`, where that is missing? */
static bool leaves_better(uint64_t a, uint64_t b, uint64_t lack_kb)
{
    if (b >= lack_kb)
        return a >= lack_kb && a < b;
    return a > b;
}

/*
 * The guest that is to move away first: the smallest that leaves all that is
 * missing, or else the largest. Returns nr: none.
 */
static unsigned find_other(const struct state *state,
                           const struct wanted *wanted, uint64_t lack_kb)
{
    unsigned found = state->nr;
    uint64_t found_kb = 0;

    for (unsigned n = 0; n < state->nr; n++) {
        double memory_kb = (double)state->guest[n].request.memory_kb;
        uint64_t kb;

        if (n == wanted->guest || state->place[n].is_passed ||
            !may_move(state, n) ||
            memory_kb * state->options->gain > wanted->room)
            continue;
        kb = kb_on(&state->place[n].spot, wanted->nodes);
        if ((double)kb < WORTH_MOVING * memory_kb || !kb)
            continue;
        if (found == state->nr || leaves_better(kb, found_kb, lack_kb)) {
            found = n;
            found_kb = kb;
        }
    }
    return found;
}

/* Move one away. One that cannot go elsewhere is passed over; false: none can. */
static bool add_other(struct state *state, const struct wanted *wanted,
                      uint64_t lack_kb, struct chain *chain)
{
    unsigned n;

    while ((n = find_other(state, wanted, lack_kb)) < state->nr) {
        state->place[n].is_passed = true;
        if (add_move(state, chain, n, wanted->nodes,
                     state->guest[n].way == XLNUMA__MOVE_BY_FILE))
            return true;
    }
    return false;
}

/* Until the nodes have the room. Returns false: not worth it, or impossible. */
static bool make_room(struct state *state, const struct wanted *wanted,
                      struct chain *chain, const struct chain *best)
{
    uint64_t lack_kb;

    /* what is missing has to find room elsewhere */
    if (lack_of(state, wanted) >
        usable_on(state->host, state->host->nodes & ~wanted->nodes))
        return false;
    for (unsigned n = 0; n < state->nr; n++)
        state->place[n].is_passed = false;
    while ((lack_kb = lack_of(state, wanted))) {
        double all_kb = (double)(chain->moved_kb + wanted->memory_kb + lack_kb);

        if (chain->nr == OTHERS_MAX ||
            wanted->room / all_kb <= least_ratio(state, best) ||
            !add_other(state, wanted, lack_kb, chain))
            return false;
    }
    return chain->nr > 0; /* without any it needs no chain */
}

static void try_chain(struct state *state, const struct wanted *wanted,
                      struct chain *best)
{
    bool is_by_file = state->guest[wanted->guest].way == XLNUMA__MOVE_BY_FILE;
    struct chain chain = { 0 };
    struct ledger before;
    bool is_whole;

    ledger_save(state->host, &before);
    is_whole = make_room(state, wanted, &chain, best) &&
               add_move(state, &chain, wanted->guest, 0, is_by_file);
    unmake(state, &chain, &before);
    if (is_whole && ratio_of(&chain) >= state->options->gain)
        choose(best, &chain);
}

/* --- where there could be room ----------------------------------------------- */

/* Of `among` the node nearest to the set; of equals the one with most free. */
static unsigned nearest_to(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                           xlnuma_nodeset among)
{
    unsigned found = xlnuma_nodeset_first(among), least = ~0u, i;

    XLNUMA_FOR_EACH_NODE(i, among) {
        unsigned distance = xlnuma__host_distance(host, nodes, i);

        if (distance < least ||
            (distance == least && xlnuma__usable_kb(&host->node[i]) >
                                      xlnuma__usable_kb(&host->node[found]))) {
            found = i;
            least = distance;
        }
    }
    return found;
}

/* A node, and the nearest to it, until they could hold so much if they were empty. */
static xlnuma_nodeset grow_from(const struct xlnuma_host *host, unsigned first,
                                xlnuma_nodeset among, uint64_t memory_kb)
{
    xlnuma_nodeset nodes = (xlnuma_nodeset)1 << first;
    uint64_t size_kb = host->node[first].size_kb;

    while (size_kb < memory_kb && among & ~nodes) {
        unsigned next = nearest_to(host, nodes, among & ~nodes);

        nodes |= (xlnuma_nodeset)1 << next;
        size_kb += host->node[next].size_kb;
    }
    return size_kb >= memory_kb ? nodes : 0;
}

/* Where others are to make room, one more of SETS_MAX: those that lack least. */
static void add_set(const struct state *state, struct wanted set[],
                    unsigned *nr, const struct wanted *more)
{
    uint64_t lack_kb = lack_of(state, more);
    unsigned at = *nr;

    while (at && lack_of(state, &set[at - 1]) > lack_kb)
        at--;
    if (at == SETS_MAX)
        return;
    if (*nr < SETS_MAX)
        ++*nr;
    memmove(&set[at + 1], &set[at], (*nr - at - 1) * sizeof(*set));
    set[at] = *more;
}

static void try_others(struct state *state, unsigned n, struct chain *best)
{
    const struct xlnuma_request *request = &state->guest[n].request;
    xlnuma_nodeset among = state->host->nodes & request->nodes;
    struct wanted set[SETS_MAX];
    unsigned nr = 0, first;

    XLNUMA_FOR_EACH_NODE(first, among) {
        struct wanted wanted = { .guest = n, .memory_kb = request->memory_kb };

        wanted.nodes = grow_from(state->host, first, among, request->memory_kb);
        wanted.room = hope_of(state, n) * (double)request->memory_kb;
        if (wanted.nodes && state->host->node[first].size_kb)
            add_set(state, set, &nr, &wanted);
    }
    for (unsigned i = 0; i < nr; i++)
        try_chain(state, &set[i], best);
}

/* --- all guests -------------------------------------------------------------- */

/* The guest from which most is expected; `but` it. Returns nr: gains are too small. */
static unsigned find_first(const struct state *state, unsigned but)
{
    unsigned found = state->nr;

    for (unsigned n = 0; n < state->nr; n++) {
        const struct place *place = &state->place[n], *first;

        if (n == but || !state->guest[n].is_asked_for || !may_move(state, n) ||
            place->expected + SAME < state->options->gain)
            continue;
        first = &state->place[found == state->nr ? n : found];
        if (found == state->nr || place->expected > first->expected + SAME ||
            (place->expected > first->expected - SAME &&
             state->guest[n].request.memory_kb <
                 state->guest[found].request.memory_kb))
            found = n;
    }
    return found;
}

/* The best chain for one guest, as the host is now. */
static void look_at(struct state *state, unsigned n, struct chain *chain_r)
{
    chain_r->nr = 0;
    chain_r->moved_kb = 0;
    chain_r->gained = 0;
    try_guest(state, n, chain_r);
    if (state->options->others)
        try_others(state, n, chain_r);
    state->place[n].expected = ratio_of(chain_r);
    state->place[n].looked_after = state->nr_made;
}

/* Hope anew for guests that were looked at before the last chain. False: none. */
static bool forget_looks(struct state *state)
{
    bool is_one = false;

    for (unsigned n = 0; n < state->nr; n++) {
        if (state->place[n].looked_after == state->nr_made)
            continue;
        state->place[n].expected = hope_of(state, n);
        state->place[n].looked_after = state->nr_made;
        is_one = true;
    }
    return is_one;
}

/*
 * The best chain of all. Most are looked at only when their turn comes: what was
 * found before, or hoped for at first, is taken for the most that there can be until
 * nothing is left. Returns false: there is none.
 */
static bool find_best(struct state *state, struct chain *best)
{
    for (;;) {
        unsigned n = find_first(state, state->nr), next;

        if (n == state->nr) {
            if (!forget_looks(state))
                return false;
            continue;
        }
        look_at(state, n, best);
        next = find_first(state, n);
        if (best->nr && (next == state->nr ||
                         ratio_of(best) + SAME >= state->place[next].expected))
            return true;
    }
}

static void make_chain(struct state *state, const struct chain *chain)
{
    state->nr_made++;
    state->left_kb -= chain->moved_kb;
    for (unsigned i = 0; i < chain->nr; i++) {
        unsigned n = chain->move[i].guest;

        put(state, n, &chain->move[i].to);
        state->place[n].expected = hope_of(state, n);
    }
}

static int add_chain(struct xlnuma__moves *moves, struct chain *chain,
                     char *message)
{
    unsigned number = moves->nr ? moves->move[moves->nr - 1].chain + 1 : 0;
    struct xlnuma__move *larger = reallocarray(
        moves->move, (size_t)moves->nr + chain->nr, sizeof(*larger));

    if (!larger)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    moves->move = larger;
    for (unsigned n = 0; n < chain->nr; n++) {
        chain->move[n].chain = number;
        chain->move[n].is_last = n + 1 == chain->nr;
        moves->move[moves->nr++] = chain->move[n];
    }
    moves->moved_kb += chain->moved_kb;
    return 0;
}

static double mean_distance(const struct state *state,
                            const struct xlnuma__moves *moves)
{
    double sum = 0;

    for (unsigned n = 0; n < state->nr; n++)
        if (xlnuma__spot_nodes(&state->guest[n].spot))
            sum += (double)state->guest[n].request.memory_kb *
                   state->place[n].distance;
    return moves->memory_kb ? sum / (double)moves->memory_kb : 0;
}

static int make_moves(struct state *state, struct xlnuma__moves *moves,
                      char *message)
{
    struct chain best;
    int rc = 0;

    while (!rc && find_best(state, &best)) {
        make_chain(state, &best);
        rc = add_chain(moves, &best, message);
    }
    return rc;
}

/* Without what this host has now: nothing is nearer. */
static double alone_distance(struct state *state, unsigned n)
{
    const struct place *place = &state->place[n];
    struct xlnuma__spot spot;

    return plan_spot(state->empty, &state->guest[n], 0, state->plan, &spot)
               ? xlnuma__spot_distance(state->host, &spot)
               : place->distance;
}

static int begin(struct state *state, const struct xlnuma_host *host,
                 struct xlnuma__moves *moves, char *message)
{
    unsigned i;

    state->host = xlnuma_host_new();
    state->empty = xlnuma_host_new();
    state->plan = xlnuma_plan_new();
    state->place = calloc(state->nr + 1u, sizeof(*state->place));
    if (!state->host || !state->empty || !state->plan || !state->place)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    *state->host = *state->empty = *host;
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        struct xlnuma_node *node = &state->empty->node[i];

        node->free_kb = node->size_kb;
        node->low_free_kb = node->reserved_kb = node->load_mvcpu = 0;
    }
    for (unsigned n = 0; n < state->nr; n++) {
        struct place *place = &state->place[n];

        place->spot = state->guest[n].spot;
        place->distance = xlnuma__spot_distance(host, &place->spot);
        place->alone = alone_distance(state, n);
        place->expected = hope_of(state, n);
        if (xlnuma__spot_nodes(&place->spot))
            moves->memory_kb += state->guest[n].request.memory_kb;
    }
    state->left_kb =
        (uint64_t)((double)moves->memory_kb * state->options->limit / 100);
    return 0;
}

int xlnuma__moves_plan(const struct xlnuma_host *host,
                       const struct xlnuma__moves_guest guest[], unsigned nr,
                       const struct xlnuma__moves_options *options,
                       struct xlnuma__moves *moves_r, char *message)
{
    struct state state = { .guest = guest, .nr = nr, .options = options };
    int rc;

    *message = '\0';
    memset(moves_r, 0, sizeof(*moves_r));
    rc = begin(&state, host, moves_r, message);
    if (!rc) {
        moves_r->distance_before = mean_distance(&state, moves_r);
        rc = make_moves(&state, moves_r, message);
        moves_r->distance_after = mean_distance(&state, moves_r);
    }
    xlnuma_host_free(state.host);
    xlnuma_host_free(state.empty);
    xlnuma_plan_free(state.plan);
    free(state.place);
    return rc;
}

void xlnuma__moves_dispose(struct xlnuma__moves *moves)
{
    free(moves->move);
    moves->move = NULL;
    moves->nr = 0;
}

/* --- one move when its turn comes --------------------------------------------- */

const char *xlnuma__move_renew(struct xlnuma_host *host,
                               const struct xlnuma__moves_guest *guest,
                               const struct xlnuma__moves_options *options,
                               struct xlnuma__move *move)
{
    struct xlnuma_plan *plan = xlnuma_plan_new();
    bool is_found;

    if (!plan)
        return "out of memory";
    move->from = guest->spot;
    move->from_distance = xlnuma__spot_distance(host, &move->from);
    is_found = find_spot(host, guest, &move->from, options->keep_kb, move, plan,
                         &move->to);
    xlnuma_plan_free(plan);
    if (!is_found)
        return "there is no room for its copy any more";
    move->to_distance = xlnuma__spot_distance(host, &move->to);
    if (move->is_last &&
        move->from_distance - move->to_distance + SAME < options->gain)
        return "it no longer gains enough";
    return NULL;
}
