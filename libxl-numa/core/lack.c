/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a guest is not placed: what it needs, and what each set of as many nodes
 * as its policy allows lacks, the least first. Does not search for sets that
 * hold it (plan.c).
 */
#include "core/core.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 8
#define COUNTED_MAX 999

/* ", and 999 more" has to fit behind the sets that are shown. */
#define TAIL_SIZE 20

/* So has what plan.c says of claims, if there are any. */
#define CLAIMED_SIZE 160

struct lacking {
    const struct xlnuma__table *table;
    const struct xlnuma_request *request;
    uint8_t cell[XLNUMA_NODES_MAX];        /* of the table, roomiest first */
    uint64_t usable_kb[XLNUMA_NODES_MAX];  /* of these */
    uint64_t sum_kb[XLNUMA_NODES_MAX + 1]; /* of the cells before */
    unsigned nr_cells;
    struct {
        uint64_t mask; /* of cells */
        uint64_t usable_kb;
    } first[SHOWN_MAX]; /* the roomiest sets, in this order */
    unsigned nr_first;
};

static void keep(struct lacking *lacking, uint64_t mask, uint64_t usable_kb)
{
    unsigned at = lacking->nr_first;

    while (at && usable_kb > lacking->first[at - 1].usable_kb)
        at--;
    if (at == SHOWN_MAX)
        return;
    if (lacking->nr_first < SHOWN_MAX)
        lacking->nr_first++;
    memmove(&lacking->first[at + 1], &lacking->first[at],
            (lacking->nr_first - 1 - at) * sizeof(lacking->first[0]));
    lacking->first[at].mask = mask;
    lacking->first[at].usable_kb = usable_kb;
}

/*
 * Complete a set with `nr` of the cells from `at` on, in every way that can
 * still be among the roomiest: the next `nr` cells are the best of them.
 */
static void complete(struct lacking *lacking, unsigned at, unsigned nr,
                     uint64_t mask, uint64_t usable_kb)
{
    uint64_t most_kb;

    if (at + nr > lacking->nr_cells)
        return;
    most_kb = usable_kb + lacking->sum_kb[at + nr] - lacking->sum_kb[at];
    if (lacking->nr_first == SHOWN_MAX &&
        most_kb <= lacking->first[SHOWN_MAX - 1].usable_kb)
        return;
    if (!nr) {
        keep(lacking, mask, usable_kb);
        return;
    }
    complete(lacking, at + 1, nr - 1, mask | (uint64_t)1 << at,
             usable_kb + lacking->usable_kb[at]);
    complete(lacking, at + 1, nr, mask, usable_kb);
}

/* How many sets of `nr` cells there are, or one more than are counted. */
static unsigned count_sets(unsigned nr_cells, unsigned nr)
{
    unsigned count = 1;

    for (unsigned i = 1; i <= nr; i++) {
        count = count * (nr_cells - nr + i) / i;
        if (count > COUNTED_MAX)
            return COUNTED_MAX + 1;
    }
    return count;
}

static void judge(const struct lacking *lacking, uint64_t mask,
                  struct xlnuma__judged *set_r)
{
    uint64_t set = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, mask)
        set |= (uint64_t)1 << lacking->cell[i];
    xlnuma__cost_judge(lacking->table, set, lacking->request->memory_kb,
                       lacking->request->memory, set_r);
}

/* "1747 MiB and a CPU" */
static void say_what(const struct lacking *lacking,
                     const struct xlnuma__judged *set, char *what, size_t size)
{
    uint64_t needed_kb = lacking->request->memory_kb;
    char missing[32] = "";

    if (set->usable_kb < needed_kb)
        xlnuma__mib(needed_kb - set->usable_kb + 1023, missing);
    if (!set->nr_cpus)
        snprintf(what, size, "%s%sa CPU", missing, *missing ? " and " : "");
    else if (*missing)
        snprintf(what, size, "%s", missing);
    else
        snprintf(what, size, "a path from every CPU to all memory");
}

/* The i-th set: "node 0 lacks 1747 MiB", later ones without the verb. */
static void say_set(const struct lacking *lacking, unsigned i, bool is_only,
                    char *text, size_t size)
{
    struct xlnuma__judged set;
    char nodes[64], what[80], usable[32], has[64] = "";
    bool is_one;

    judge(lacking, lacking->first[i].mask, &set);
    is_one = xlnuma_nodeset_count(set.nodes) == 1;
    if (is_only)
        snprintf(has, sizeof(has), "%s %s and ", is_one ? "has" : "have",
                 xlnuma__mib(set.usable_kb, usable));
    say_what(lacking, &set, what, sizeof(what));
    snprintf(text, size, "%s node%s %s %s%s%s", i ? "," : ";",
             is_one ? "" : "s",
             xlnuma_nodeset_format(set.nodes, nodes, sizeof(nodes)), has,
             i        ? ""
             : is_one ? "lacks "
                      : "lack ",
             what);
}

static void say_need(const struct lacking *lacking, unsigned nr, char *text,
                     size_t size)
{
    char needed[32];

    xlnuma__mib(lacking->request->memory_kb, needed);
    if (nr == lacking->nr_cells)
        snprintf(text, size, "needs %s", needed);
    else if (nr == 1)
        snprintf(text, size, "needs %s on one node", needed);
    else
        snprintf(text, size, "needs %s on %u nodes", needed, nr);
}

/* The roomiest cells first; of equals the lowest node. */
static void sort_cells(struct lacking *lacking)
{
    const struct xlnuma__cell *cell = lacking->table->cell;

    for (unsigned i = 0; i < lacking->nr_cells; i++) {
        unsigned at = i;

        for (; at; at--) {
            const struct xlnuma__cell *before = &cell[lacking->cell[at - 1]];

            if (before->usable_kb > cell[i].usable_kb ||
                (before->usable_kb == cell[i].usable_kb &&
                 before->id < cell[i].id))
                break;
            lacking->cell[at] = lacking->cell[at - 1];
        }
        lacking->cell[at] = (uint8_t)i;
    }
    for (unsigned i = 0; i < lacking->nr_cells; i++) {
        lacking->usable_kb[i] = cell[lacking->cell[i]].usable_kb;
        lacking->sum_kb[i + 1] = lacking->sum_kb[i] + lacking->usable_kb[i];
    }
}

static void add_alternative(const struct lacking *lacking, uint64_t mask,
                            struct xlnuma_plan *plan)
{
    uint64_t needed_kb = lacking->request->memory_kb;
    struct xlnuma_alternative *alternative =
        &plan->alternative[plan->nr_alternatives++];
    struct xlnuma__judged set;

    judge(lacking, mask, &set);
    memset(alternative, 0, sizeof(*alternative));
    alternative->nodes = set.nodes;
    alternative->expected_distance = xlnuma__cost_memory_distance(
        lacking->table, &set, needed_kb, lacking->request->memory);
    if (set.usable_kb < needed_kb) {
        alternative->why = XLNUMA_WHY_NOT_MEMORY;
        alternative->short_kb = needed_kb - set.usable_kb;
    } else if (!set.nr_cpus) {
        alternative->why = XLNUMA_WHY_NOT_CPUS;
        alternative->short_cpus = 1; /* any would do */
    } else {
        alternative->why = XLNUMA_WHY_NOT_PATH;
    }
}

/* The sets, and what each node lacks by itself; the last one may be plan.c's. */
static void add_alternatives(const struct lacking *lacking, unsigned nr,
                             struct xlnuma_plan *plan)
{
    for (unsigned i = 0; i < lacking->nr_first; i++)
        add_alternative(lacking, lacking->first[i].mask, plan);
    for (unsigned i = 0; nr > 1 && i < lacking->nr_cells; i++)
        if (plan->nr_alternatives < XLNUMA_ALTERNATIVES_MAX - 1)
            add_alternative(lacking, (uint64_t)1 << i, plan);
}

/* The i-th node of a set that is all there is: ": node 0 has 2734 MiB". */
static void say_node(const struct lacking *lacking, unsigned i, char *text,
                     size_t size)
{
    char usable[32];

    snprintf(text, size, "%s node %u %s%s", i ? "," : ":",
             lacking->table->cell[lacking->cell[i]].id, i ? "" : "has ",
             xlnuma__mib(lacking->usable_kb[i], usable));
}

/* How much of the text is not for the sets. */
static size_t tail_size(const struct xlnuma_host *host)
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (host->node[i].claimed_kb)
            return TAIL_SIZE + CLAIMED_SIZE;
    return TAIL_SIZE;
}

/* The first of `nr` sets, or of the nodes of the only one: what finds room. */
static void say_all(const struct lacking *lacking, unsigned nr, bool are_nodes,
                    char *text)
{
    size_t used = strlen(text);
    char one[256];
    unsigned i;

    for (i = 0; i < nr && i < SHOWN_MAX; i++) {
        if (are_nodes)
            say_node(lacking, i, one, sizeof(one));
        else
            say_set(lacking, i, false, one, sizeof(one));
        if (used + strlen(one) + tail_size(lacking->table->host) >
            XLNUMA_MESSAGE_SIZE)
            break;
        used += (size_t)snprintf(text + used, XLNUMA_MESSAGE_SIZE - used, "%s",
                                 one);
    }
    if (nr > COUNTED_MAX)
        snprintf(text + used, XLNUMA_MESSAGE_SIZE - used, ", and many more");
    else if (nr > i)
        snprintf(text + used, XLNUMA_MESSAGE_SIZE - used, ", and %u more",
                 nr - i);
}

void xlnuma__say_lacking(const struct xlnuma__table *table,
                         const struct xlnuma_request *request,
                         unsigned max_nodes, struct xlnuma_plan *plan)
{
    unsigned nr = max_nodes < table->nr ? max_nodes : table->nr;
    unsigned nr_sets = count_sets(table->nr, nr);
    struct lacking lacking = { table, request, .nr_cells = table->nr };
    size_t used;

    sort_cells(&lacking);
    complete(&lacking, 0, nr, 0, 0);
    add_alternatives(&lacking, nr, plan);
    say_need(&lacking, nr, plan->reason, XLNUMA_MESSAGE_SIZE);
    if (nr_sets > 1) {
        say_all(&lacking, nr_sets, false, plan->reason);
        return;
    }
    used = strlen(plan->reason);
    say_set(&lacking, 0, true, plan->reason + used, XLNUMA_MESSAGE_SIZE - used);
    if (table->nr > 1 && lacking.sum_kb[table->nr] < request->memory_kb)
        say_all(&lacking, table->nr, true, plan->reason);
}
