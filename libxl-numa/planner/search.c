/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The best set of candidates for a guest. All sets are gone through, one size
 * after the other, candidate by candidate; a branch is left when no set in it can
 * be as near as the best so far. On hosts of many nodes a set that is grown and
 * improved comes first, and the search ends after a certain amount of work.
 * docs/planner.md has the proof of the bound. Does not know what a set costs.
 */
#include "planner/planner.h"

#include <math.h> /* HUGE_VAL; no function of it */
#include <stddef.h>
#include <string.h>

/* Up to so many candidates the answer is the best set, always. */
#define EXACT_NODES 16

/* Only tests/bench/proof.c has a planner that may work so many times as long. */
#ifndef XLNUMA__WORK
#define XLNUMA__WORK 1
#endif

/* Above: branches for a nearer set, and, as long as there is none, for any. */
#define BRANCHES (5000 * XLNUMA__WORK)
#define BRANCHES_FOR_ANY 20000

/* A branch of a packed guest takes so many times the work of another. */
#define PACKED_WORK 8

/* How often a set is improved by a candidate. */
#define MOVES 16

enum growth { BY_NEARNESS, BY_ROOM };

/* What one candidate or several have. */
enum kind { KB, HIGH_KB, CPUS, CORES, KINDS };
struct amount {
    uint64_t of[KINDS];
};

struct search {
    struct xlnuma__table *table;
    const struct xlnuma__need *need;
    struct xlnuma__found *found;
    unsigned size; /* of the sets that are gone through */
    unsigned work, most_work;
    double theta; /* what the best set is at, over the least distance */
    double
        slack; /* what is farther by more is farther, whatever the rounding */
    uint8_t order[XLNUMA_NODES_MAX];      /* most CPUs first, then most room */
    uint64_t rest[XLNUMA_NODES_MAX + 1];  /* from the n-th of the order on */
    uint64_t apart[XLNUMA_NODES_MAX];     /* in no set together with i */
    uint64_t unreached[XLNUMA_NODES_MAX]; /* whose CPUs have no path to i */
    bool is_filling; /* sets are grown in the order in which they are filled */
    struct amount has[XLNUMA_NODES_MAX]; /* each candidate */
    /* What r of the candidates from the n-th on have: at [n][r]. */
    struct amount most[XLNUMA_NODES_MAX + 1][XLNUMA_NODES_MAX + 1];
    struct amount least[XLNUMA_NODES_MAX + 1][XLNUMA_NODES_MAX + 1];
    /* cost[i][j]: what i's CPUs cost for all of the memory on j, beyond theta */
    double cost[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
    /* near[n][j]: the sum of the n least cost[i][j], i other than j; of none 0 */
    double near[XLNUMA_NODES_MAX][XLNUMA_NODES_MAX];
};

/* All sets that have these candidates, and size - nr of those from `next` on. */
struct branch {
    uint64_t set, mates; /* the candidates, and all on their sockets */
    uint64_t blocked;    /* may not join them: there is a path missing */
    uint64_t no_path, no_path_back; /* from CPUs that are used, to memory */
    struct amount has;
    unsigned nr, next, nr_named, nr_sockets;
    unsigned start; /* whose CPUs may be nearest to all memory, if packed */
    double column[XLNUMA_NODES_MAX]; /* sum of cost[i][j] over the set's i */
};

static double excess(const struct xlnuma__table *table, unsigned i, unsigned j)
{
    return (double)table->distance[i][j] - table->least;
}

static bool is_packed(const struct search *search)
{
    return search->need->memory == XLNUMA_MEMORY_PACK;
}

/* Some candidates give CPUs alone, and do not count for the policy. */
static bool has_cpus_alone(const struct xlnuma__table *table)
{
    return xlnuma_nodeset_count(table->named) < table->nr;
}

/*
 * near[n][j] for all n, from column j of the costs: they are almost sorted if taken
 * from the nearest CPUs on.
 */
static void fill_near(struct search *search, unsigned j)
{
    const struct xlnuma__table *table = search->table;
    unsigned nr = 0;
    double least[XLNUMA_NODES_MAX];

    for (unsigned k = 0; k < table->nr; k++) {
        unsigned i = table->nearest_cpus[j][k], at = nr;

        if (i == j)
            continue;
        for (; at && search->cost[i][j] < least[at - 1]; at--)
            least[at] = least[at - 1];
        least[at] = search->cost[i][j];
        nr++;
    }
    for (unsigned n = 0; n < nr; n++)
        search->near[n + 1][j] = search->near[n][j] + least[n];
}

/* Costs are what sets cost beyond the best: there is a new one. */
static void set_theta(struct search *search)
{
    const struct xlnuma__table *table = search->table;

    search->theta = (double)XLNUMA_DISTANCE_UNREACHABLE * table->scale;
    if (search->found->is_found)
        search->theta =
            xlnuma__distance_of(&search->found->best, search->need) -
            table->least;
    for (unsigned i = 0; i < table->nr; i++)
        for (unsigned j = 0; j < table->nr; j++)
            search->cost[i][j] = table->candidate[i].nr_cpus *
                                 (excess(table, i, j) - search->theta);
}

static void set_bounds(struct search *search)
{
    set_theta(search);
    for (unsigned j = 0; j < search->table->nr; j++)
        fill_near(search, j);
}

/* Judge a set: if it holds what is needed and is better, it is the best now. */
static bool offer_set(const struct xlnuma__table *table,
                      const struct xlnuma__need *need,
                      struct xlnuma__found *found, uint64_t set)
{
    struct xlnuma__judged judged;
    enum xlnuma_why_not why;

    xlnuma__judge(table, need, set, &judged);
    if (judged.is_reachable && judged.used != set) /* the same, and holds it */
        xlnuma__judge(table, need, judged.used, &judged);
    if (!xlnuma__holds(need, &judged) ||
        (found->is_found && xlnuma__compare(&judged, &found->best, &why) >= 0))
        return false;
    found->is_found = true;
    found->best = judged;
    return true;
}

static bool offer(struct search *search, uint64_t set)
{
    return offer_set(search->table, search->need, search->found, set);
}

/*
 * A packed guest uses no memory once it has enough, nor CPUs: a node that joins then
 * needs only the paths that are left.
 */
static void block(const struct search *search, struct branch *branch,
                  const struct amount *before, unsigned i)
{
    const struct xlnuma__need *need = search->need;

    if (!search->is_filling) {
        branch->blocked |= search->apart[i];
        return;
    }
    if (before->of[CPUS] < need->nr_vcpus)
        branch->no_path |= search->table->unreachable[i];
    if (before->of[KB] < need->memory_kb)
        branch->no_path_back |= search->unreached[i];
    branch->blocked = 0;
    if (branch->has.of[KB] < need->memory_kb)
        branch->blocked |= branch->no_path;
    if (branch->has.of[CPUS] < need->nr_vcpus)
        branch->blocked |= branch->no_path_back;
}

static void add(const struct search *search, struct branch *branch, unsigned i)
{
    const struct xlnuma__table *table = search->table;
    const struct amount before = branch->has;

    branch->nr_sockets += !((branch->mates >> i) & 1);
    branch->mates |= table->socket_mates[i];
    branch->set |= (uint64_t)1 << i;
    for (unsigned k = 0; k < KINDS; k++)
        branch->has.of[k] += search->has[i].of[k];
    branch->nr_named += table->candidate[i].is_named;
    branch->nr++;
    block(search, branch, &before, i);
}

static bool is_enough(const struct search *search, const struct branch *branch,
                      const struct amount *more)
{
    const struct xlnuma__need *need = search->need;
    const struct amount *has = &branch->has;

    return has->of[KB] + more->of[KB] >= need->memory_kb &&
           has->of[CPUS] + more->of[CPUS] >= need->nr_cpus &&
           has->of[CORES] + more->of[CORES] >= need->nr_cores &&
           branch->nr_sockets <= need->max_sockets &&
           branch->nr_named <= need->max_nodes;
}

/* --- the bound of packed memory ------------------------------------------------ */

/*
 * From i's memory to the CPUs that are needed, or from its CPUs to the memory:
 * the least mean, as all of the nearest is taken first.
 */
static double mean_from(const struct search *search,
                        const struct branch *branch, unsigned i, bool to_memory,
                        double needed, double from_rest)
{
    const struct xlnuma__table *table = search->table;
    enum kind kind = to_memory ? KB : CPUS;
    uint64_t rest = search->rest[branch->next];
    double left = needed, sum = 0;

    for (unsigned n = 0; n < table->nr && left > 0; n++) {
        unsigned j =
            to_memory ? table->nearest_memory[i][n] : table->nearest_cpus[i][n];
        double take = (double)search->has[j].of[kind];

        if ((table->unreachable[to_memory ? i : j] >> (to_memory ? j : i)) & 1)
            continue;
        if ((rest >> j) & 1) {
            take = take < from_rest ? take : from_rest;
            from_rest -= take < left ? take : left;
        } else if (!((branch->set >> j) & 1)) {
            continue;
        }
        take = take < left ? take : left;
        sum += take * (to_memory ? excess(table, i, j) : excess(table, j, i));
        left -= take;
    }
    return left > 0 ? HUGE_VAL : sum / needed;
}

/*
 * The guest's distance is a mean over its CPUs of what these have to its memory,
 * and a mean over its memory: at least the least such mean of as many CPUs, or as
 * much memory, as it needs.
 */
static double least_mean(const struct search *search,
                         const struct branch *branch, double nr_cpus,
                         bool to_memory, unsigned *from_r)
{
    const struct amount *most =
        &search->most[branch->next][search->size - branch->nr];
    double needed[2] = { nr_cpus, (double)search->need->memory_kb };
    enum kind to = to_memory ? KB : CPUS, from = to_memory ? CPUS : KB;
    double mean[XLNUMA_NODES_MAX], sum = 0, left = needed[!to_memory];
    double from_rest = (double)most->of[from];
    uint64_t rest = search->rest[branch->next];
    uint8_t by_mean[XLNUMA_NODES_MAX] = { 0 };
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, branch->set | rest) {
        unsigned at = nr;

        if (!search->has[i].of[from])
            continue;
        mean[i] = mean_from(search, branch, i, to_memory, needed[to_memory],
                            (double)most->of[to]);
        for (; at && mean[i] < mean[by_mean[at - 1]]; at--)
            by_mean[at] = by_mean[at - 1];
        by_mean[at] = (uint8_t)i;
        nr++;
    }
    *from_r = by_mean[0];
    for (unsigned n = 0; n < nr && left > 0; n++) {
        double take = (double)search->has[by_mean[n]].of[from];

        take = take < left ? take : left;
        if ((rest >> by_mean[n]) & 1) {
            take = take < from_rest ? take : from_rest;
            from_rest -= take;
        }
        sum += take * mean[by_mean[n]];
        left -= take;
    }
    return sum / needed[!to_memory];
}

/* --- branch and bound ---------------------------------------------------------- */

/* The part of the memory that one of its candidates has at least. */
static double least_share(const struct search *search,
                          const struct branch *branch, unsigned j)
{
    const struct amount *has = &search->has[j];
    const struct amount *most =
        &search->most[branch->next][search->size - branch->nr];
    double needed_kb = (double)search->need->memory_kb, room, part;

    if (is_packed(search)) {
        room = (double)(branch->has.of[KB] - has->of[KB] + most->of[KB]);
        return room < needed_kb ? 1 - room / needed_kb : 0;
    }
    room = (double)has->of[HIGH_KB] / needed_kb;
    part =
        (double)has->of[CPUS] / (double)(branch->has.of[CPUS] + most->of[CPUS]);
    return room < part ? room : part;
}

/* Can a set in it that uses all of its CPUs be as near as the best? */
static bool can_be_near_all(const struct search *search,
                            const struct branch *branch)
{
    const struct xlnuma__table *table = search->table;
    unsigned nr_left = search->size - branch->nr, j;
    double cheapest = HUGE_VAL, bound;

    XLNUMA_FOR_EACH_NODE(j, branch->set) {
        double column = branch->column[j] + search->near[nr_left][j];

        if (search->has[j].of[KB] && column < cheapest)
            cheapest = column;
    }
    for (unsigned n = branch->next; nr_left && n < table->nr; n++) {
        double column;

        j = search->order[n];
        column = branch->column[j] + search->cost[j][j] +
                 search->near[nr_left - 1][j];
        if (search->has[j].of[KB] && column < cheapest)
            cheapest = column;
    }
    bound = cheapest;
    XLNUMA_FOR_EACH_NODE(j, branch->set)
        bound += least_share(search, branch, j) *
                 (branch->column[j] + search->near[nr_left][j] - cheapest);
    return bound <= search->slack;
}

/*
 * Has a packed set in it more than it can use? The node filled last has a share
 * only if the others lack memory, or vCPUs only if they lack CPUs.
 */
static bool is_too_large(const struct search *search,
                         const struct branch *branch)
{
    const struct xlnuma__need *need = search->need;
    const struct amount *largest = &search->most[0][1], *has = &branch->has;
    unsigned nr_left = search->size - branch->nr;
    const struct amount *most = &search->most[branch->next][nr_left];
    const struct amount *least = &search->least[branch->next][nr_left];

    return has->of[HIGH_KB] + least->of[HIGH_KB] >=
               need->memory_kb + largest->of[HIGH_KB] &&
           has->of[CPUS] + least->of[CPUS] >=
               need->nr_vcpus + largest->of[CPUS] &&
           (has->of[CORES] + least->of[CORES] >=
                need->nr_vcpus + largest->of[CORES] ||
            has->of[CORES] + most->of[CORES] < need->nr_vcpus);
}

static bool can_pack_near(const struct search *search, struct branch *branch)
{
    const struct amount *most =
        &search->most[branch->next][search->size - branch->nr];
    double limit = search->theta + search->slack / search->table->nr_cpus;
    unsigned i = branch->start;

    if (is_too_large(search, branch))
        return false;
    if (search->most[0][search->size - 1].of[CPUS] < search->need->nr_vcpus)
        return can_be_near_all(search, branch);
    if (search->table->candidate[i].nr_cpus >= search->need->nr_cpus &&
        ((branch->set | search->rest[branch->next]) >> i) & 1 &&
        mean_from(search, branch, i, true, (double)search->need->memory_kb,
                  (double)most->of[KB]) <= limit)
        return true; /* as in the branch that this one is in */
    return least_mean(search, branch, search->need->nr_cpus, true,
                      &branch->start) <= limit;
}

/* Can a set in it be as near as the best? */
static bool can_be_near(const struct search *search, struct branch *branch)
{
    if (is_packed(search) && branch->nr < search->size)
        return can_pack_near(search, branch);
    return is_packed(search) || can_be_near_all(search, branch);
}

/* Can the set, with some that are open to it, get all that is needed? */
static bool can_complete(const struct search *search,
                         const struct branch *branch, uint64_t open)
{
    const struct xlnuma__need *need = search->need;
    const uint64_t needed[KINDS] = {
        [KB] = need->memory_kb, [CPUS] = need->nr_cpus, [CORES] = need->nr_cores
    };
    unsigned nr_left = need->max_nodes - branch->nr_named;
    struct amount more = { { 0 } };
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, open) {
        nr++;
        for (unsigned k = 0; k < KINDS; k++)
            more.of[k] += search->has[i].of[k];
    }
    if (!is_enough(search, branch, &more))
        return false;
    for (unsigned k = 0; nr > nr_left && k < KINDS; k++) {
        uint64_t value[XLNUMA_NODES_MAX], has = branch->has.of[k];

        if ((k != KB && has_cpus_alone(search->table)) || needed[k] <= has)
            continue;
        nr = 0;
        XLNUMA_FOR_EACH_NODE(i, open)
            value[nr++] = search->has[i].of[k];
        if (xlnuma__fewest(value, nr, needed[k] - has) > nr_left)
            return false;
    }
    return true;
}

/* With one candidate more: false if no set in it can be as near as the best. */
static bool extend(const struct search *search, const struct branch *branch,
                   unsigned i, struct branch *child)
{
    memcpy(child, branch, offsetof(struct branch, column));
    add(search, child, i);
    if ((branch->blocked >> i) & 1 ||
        !is_enough(search, child,
                   &search->most[child->next][search->size - child->nr]))
        return false;
    if (!search->found->is_found &&
        !can_complete(search, child,
                      search->rest[child->next] & ~child->blocked))
        return false;
    for (unsigned j = 0; j < search->table->nr; j++)
        child->column[j] = branch->column[j] + search->cost[i][j];
    return can_be_near(search, child);
}

static void visit(struct search *search, struct branch *branch)
{
    unsigned last = search->table->nr - (search->size - branch->nr);
    struct branch child;

    if (branch->nr == search->size) {
        if (offer(search, branch->set))
            set_bounds(search);
        return;
    }
    for (unsigned n = branch->next;
         n <= last && search->work < search->most_work; n++) {
        search->work += is_packed(search) ? PACKED_WORK : 1;
        branch->next = n + 1;
        if (extend(search, branch, search->order[n], &child))
            visit(search, &child);
    }
}

/* --- first answers ------------------------------------------------------------- */

/* The nearest of those open that leaves a way to all that is needed; or `nr`. */
static unsigned pick_next(const struct search *search,
                          const struct branch *grown, uint64_t open,
                          const double far[])
{
    unsigned nr = search->table->nr, i;

    while (open) {
        unsigned next = nr;
        struct branch more;

        XLNUMA_FOR_EACH_NODE(i, open)
            if (next == nr || far[i] < far[next] ||
                (far[i] <= far[next] &&
                 search->table->candidate[i].usable_kb >
                     search->table->candidate[next].usable_kb))
                next = i;
        open &= ~((uint64_t)1 << next);
        memcpy(&more, grown, offsetof(struct branch, column));
        add(search, &more, next);
        if (can_complete(search, &more, open & ~more.blocked))
            return next;
    }
    return nr;
}

static double kb_of(const struct xlnuma__table *table, uint64_t set)
{
    double kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, set)
        kb += (double)table->candidate[i].usable_kb;
    return kb;
}

/* By what the next candidate of a set that has got i is chosen: the least far. */
static void set_far(const struct search *search, const struct branch *grown,
                    unsigned i, uint64_t open, enum growth by, double far[])
{
    const struct xlnuma__table *table = search->table;
    unsigned j;

    XLNUMA_FOR_EACH_NODE(j, open)
        if (by == BY_ROOM)
            far[j] = -kb_of(table, open & ~search->apart[j]);
        else if (!is_packed(search))
            far[j] += excess(table, i, j) + excess(table, j, i);
        else if (grown->nr == 1)
            far[j] = excess(table, i, j);
}

/*
 * A set that begins with a candidate and gets one after the other until it has
 * all that is needed: the nearest to all of it, or where memory is packed to the
 * first; or the one that leaves most open to those after it.
 */
static uint64_t grow(const struct search *search, unsigned i, enum growth by)
{
    const struct amount none = { 0 };
    double far[XLNUMA_NODES_MAX] = { 0 };
    struct branch grown = { 0 };
    uint64_t open = search->rest[0];

    while (i < search->table->nr) {
        add(search, &grown, i);
        if (is_enough(search, &grown, &none))
            return grown.set;
        open &= ~((uint64_t)1 << i | grown.blocked);
        set_far(search, &grown, i, open, by, far);
        i = pick_next(search, &grown, open, far);
    }
    return 0;
}

static void grow_all(struct search *search, enum growth by)
{
    for (unsigned i = 0; i < search->table->nr; i++) {
        uint64_t set = grow(search, i, by);

        if (set)
            offer(search, set);
    }
}

/* One candidate left out, added or exchanged. */
static void exchange(struct search *search, uint64_t set)
{
    unsigned nr = search->table->nr, i;
    struct branch rest, child;

    for (unsigned out = 0; out <= nr; out++) {
        if (out < nr && !((set >> out) & 1))
            continue;
        rest = (struct branch){ .next = nr };
        XLNUMA_FOR_EACH_NODE(i, set)
            if (i != out) {
                add(search, &rest, i);
                for (unsigned j = 0; j < nr; j++)
                    rest.column[j] += search->cost[i][j];
            }
        search->size = rest.nr;
        if (rest.nr)
            offer(search, rest.set);
        search->size = rest.nr + 1;
        for (i = 0; i < nr; i++)
            if (!((set >> i) & 1) && extend(search, &rest, i, &child))
                offer(search, child.set);
    }
}

/* The same as long as that makes it better. */
static void improve(struct search *search)
{
    uint64_t set = 0;

    for (unsigned n = 0;
         n < MOVES && search->found->is_found && search->found->best.set != set;
         n++) {
        set = search->found->best.set;
        set_theta(search);
        exchange(search, set);
    }
}

/* --- all of it ----------------------------------------------------------------- */

/* CPUs of one of them have no path to memory that is in use for certain. */
static void find_apart(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    unsigned i, j;

    for (i = 0; i < table->nr; i++)
        search->apart[i] = search->unreached[i] = 0;
    for (i = 0; i < table->nr; i++)
        XLNUMA_FOR_EACH_NODE(j, table->unreachable[i]) {
            search->unreached[j] |= (uint64_t)1 << i;
            if (table->candidate[j].high_kb || !table->candidate[j].nr_cpus) {
                search->apart[i] |= (uint64_t)1 << j;
                search->apart[j] |= (uint64_t)1 << i;
            }
        }
}

/*
 * The paths of a packed guest depend on which CPUs and memory it uses: sets are
 * grown once more by these alone, and then any set may do.
 */
static void loosen_apart(struct search *search)
{
    search->is_filling = true;
    if (!search->found->is_found)
        grow_all(search, BY_NEARNESS);
    if (!search->found->is_found)
        grow_all(search, BY_ROOM);
    search->is_filling = false;
    memset(search->apart, 0, sizeof(search->apart));
}

static bool is_first(const struct xlnuma__candidate *a,
                     const struct xlnuma__candidate *b)
{
    return a->nr_cpus != b->nr_cpus ? a->nr_cpus > b->nr_cpus
                                    : a->usable_kb > b->usable_kb;
}

/* One more, the largest first. */
static void insert(uint64_t value[], unsigned nr, uint64_t last)
{
    for (; nr && last > value[nr - 1]; nr--)
        value[nr] = value[nr - 1];
    value[nr] = last;
}

/* The sums of the largest, and of the smallest. */
static void find_most(struct search *search)
{
    uint64_t sorted[KINDS][XLNUMA_NODES_MAX];
    unsigned nr = search->table->nr, nr_rest = 0;

    search->rest[nr] = 0;
    search->most[nr][0] = search->least[nr][0] = (struct amount){ { 0 } };
    for (unsigned n = nr; n-- > 0; nr_rest++) {
        unsigned i = search->order[n];
        struct amount *most = search->most[n], *least = search->least[n];

        search->rest[n] = search->rest[n + 1] | (uint64_t)1 << i;
        most[0] = least[0] = (struct amount){ { 0 } };
        for (unsigned k = 0; k < KINDS; k++) {
            insert(sorted[k], nr_rest, search->has[i].of[k]);
            for (unsigned r = 0; r <= nr_rest; r++) {
                most[r + 1].of[k] = most[r].of[k] + sorted[k][r];
                least[r + 1].of[k] = least[r].of[k] + sorted[k][nr_rest - r];
            }
        }
    }
}

static void prepare(struct search *search)
{
    const struct xlnuma__table *table = search->table;

    for (unsigned i = 0; i < table->nr; i++) {
        const struct xlnuma__candidate *candidate = &table->candidate[i];
        unsigned at = i;

        search->has[i] = (struct amount){ { [KB] = candidate->usable_kb,
                                            [HIGH_KB] = candidate->high_kb,
                                            [CPUS] = candidate->nr_cpus,
                                            [CORES] = candidate->nr_cores } };
        for (; at && is_first(&table->candidate[i],
                              &table->candidate[search->order[at - 1]]);
             at--)
            search->order[at] = search->order[at - 1];
        search->order[at] = (uint8_t)i;
    }
    memset(search->near[0], 0, sizeof(search->near[0]));
    find_most(search);
    find_apart(search);
    search->is_filling = false;
    search->slack =
        1e-12 * table->nr_cpus * XLNUMA_DISTANCE_UNREACHABLE * table->scale;
}

/*
 * No set of so many candidates or more is nearer than this over the least: they
 * have at least so many CPUs.
 */
static double least_excess(struct search *search)
{
    const struct xlnuma__table *table = search->table;
    struct branch none = { .nr = 0 };
    unsigned nr = table->nr, nr_cpus = 0;
    double a, b;

    for (unsigned n = nr - search->size; !is_packed(search) && n < nr; n++)
        nr_cpus += table->candidate[search->order[n]].nr_cpus;
    if (nr_cpus < search->need->nr_cpus)
        nr_cpus = search->need->nr_cpus;
    search->size = nr;
    a = least_mean(search, &none, nr_cpus, true, &none.start);
    b = least_mean(search, &none, nr_cpus, false, &none.start);
    return a > b ? a : b;
}

/* All sets, from the smallest on; false when the work was not enough. */
static bool visit_all(struct search *search)
{
    unsigned nr = search->table->nr, max = search->need->max_nodes;

    if (has_cpus_alone(search->table) || max > nr)
        max = nr;
    set_bounds(search);
    for (search->size = 2; search->size <= max; search->size++) {
        struct branch none = { .nr = 0 };

        if (!is_enough(search, &none, &search->most[0][search->size]) ||
            !can_be_near(search, &none))
            continue;
        visit(search, &none);
        if (search->work >= search->most_work)
            return false;
    }
    return true;
}

static void search_large(struct search *search)
{
    improve(search);
    search->most_work = search->found->is_found ? BRANCHES : BRANCHES_FOR_ANY;
    search->slack = -search->slack; /* nearer, not before it in a tie */
    search->found->is_nearest = visit_all(search);
    search->slack = -search->slack;
    if (search->found->is_nearest)
        return;
    search->found->least_excess = least_excess(search);
    improve(search);
}

/*
 * Not inlined: most guests need no more than a node, and a page of the stack that is
 * touched once costs each fork of xl.
 */
static __attribute__((noinline)) void
search_sets(struct xlnuma__table *table, const struct xlnuma__need *need,
            struct xlnuma__found *found)
{
    struct search search; /* large: only what is used is written */

    search.table = table;
    search.need = need;
    search.found = found;
    prepare(&search);
    grow_all(&search, BY_NEARNESS);
    if (!found->is_found)
        grow_all(&search, BY_ROOM);
    if (is_packed(&search))
        loosen_apart(&search);
    search.work = 0;
    search.most_work = UINT32_MAX;
    if (table->nr > EXACT_NODES)
        search_large(&search);
    else
        visit_all(&search);
}

void xlnuma__search(struct xlnuma__table *table,
                    const struct xlnuma__need *need,
                    struct xlnuma__found *found_r)
{
    found_r->is_found = false;
    found_r->is_nearest = true;
    for (unsigned i = 0; i < table->nr; i++)
        offer_set(table, need, found_r, (uint64_t)1 << i);
    if ((found_r->is_found && table->scale == 1) ||
        (need->max_nodes == 1 && !has_cpus_alone(table)))
        return; /* without devices nothing is as near as a single node */
    search_sets(table, need, found_r);
}
