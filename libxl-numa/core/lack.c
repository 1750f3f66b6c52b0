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

struct lacking {
    const struct xlnuma_host *host;
    const struct xlnuma_request *request;
    struct xlnuma__cell cell[XLNUMA_NODES_MAX]; /* the roomiest first */
    uint64_t sum_kb[XLNUMA_NODES_MAX + 1];      /* of the cells before */
    unsigned nr_cells;
    struct {
        uint64_t mask; /* of cells */
        uint64_t usable_kb;
    } first[SHOWN_MAX]; /* the roomiest sets, in this order */
    unsigned nr_first;
};

static int compare_room(const void *a, const void *b)
{
    const struct xlnuma__cell *x = a, *y = b;

    if (x->usable_kb != y->usable_kb)
        return x->usable_kb > y->usable_kb ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

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
             usable_kb + lacking->cell[at].usable_kb);
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
    const struct xlnuma__cell *cell[XLNUMA_NODES_MAX];
    unsigned nr = 0;

    for (unsigned i = lacking->nr_cells; i-- > 0;)
        if ((mask >> i) & 1)
            cell[nr++] = &lacking->cell[i]; /* ascending, as cost.c wants it */
    xlnuma__cost_judge(lacking->host, cell, nr, lacking->request->memory_kb,
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

void xlnuma__say_lacking(const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         const struct xlnuma__cell cell[], unsigned nr_cells,
                         unsigned max_nodes, char text[XLNUMA_MESSAGE_SIZE])
{
    unsigned nr = max_nodes < nr_cells ? max_nodes : nr_cells;
    unsigned nr_sets = count_sets(nr_cells, nr), i;
    struct lacking lacking = { host, request, .nr_cells = nr_cells };
    char one[256];
    size_t used;

    memcpy(lacking.cell, cell, nr_cells * sizeof(*cell));
    qsort(lacking.cell, nr_cells, sizeof(*cell), compare_room);
    for (i = 0; i < nr_cells; i++)
        lacking.sum_kb[i + 1] = lacking.sum_kb[i] + lacking.cell[i].usable_kb;
    complete(&lacking, 0, nr, 0, 0);
    say_need(&lacking, nr, text, XLNUMA_MESSAGE_SIZE);
    used = strlen(text);
    for (i = 0; i < lacking.nr_first; i++) {
        say_set(&lacking, i, nr_sets == 1, one, sizeof(one));
        if (used + strlen(one) + TAIL_SIZE > XLNUMA_MESSAGE_SIZE)
            break;
        used += (size_t)snprintf(text + used, XLNUMA_MESSAGE_SIZE - used, "%s",
                                 one);
    }
    if (nr_sets > COUNTED_MAX)
        snprintf(text + used, XLNUMA_MESSAGE_SIZE - used, ", and many more");
    else if (nr_sets > i)
        snprintf(text + used, XLNUMA_MESSAGE_SIZE - used, ", and %u more",
                 nr_sets - i);
}
