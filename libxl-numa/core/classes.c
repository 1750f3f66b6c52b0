/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which cells of a host are alike, the tree of what is near what, and which
 * classes could change places: the tables with which counts.c searches.
 */
#include "core/classes.h"

#include <string.h>

#define NODES XLNUMA_NODES_MAX

static bool is_twin(const struct xlnuma__table *table,
                    const struct xlnuma__need *need, unsigned a, unsigned b)
{
    const struct xlnuma_host *host = table->host;
    unsigned id_a = table->cell[a].id, id_b = table->cell[b].id;

    if (table->cell[a].nr_cpus != table->cell[b].nr_cpus ||
        (need->nr_cores &&
         table->cell[a].nr_cores != table->cell[b].nr_cores) ||
        host->distance[id_a][id_b] != host->distance[id_b][id_a])
        return false;
    for (unsigned n = 0; n < table->nr; n++) {
        unsigned id = table->cell[n].id;

        if (n != a && n != b &&
            (host->distance[id_a][id] != host->distance[id_b][id] ||
             host->distance[id][id_a] != host->distance[id][id_b]))
            return false;
    }
    return true;
}

static void group_cells(const struct xlnuma__table *table,
                        const struct xlnuma__need *need,
                        struct xlnuma__classes *classes)
{
    for (unsigned i = table->nr; i-- > 0;) {
        struct xlnuma__class *class = classes->class;

        while (class < &classes->class[classes->nr] &&
               !is_twin(table, need, class->cell[0], i))
            class ++;
        if (class == &classes->class[classes->nr]) {
            classes->nr++;
            class->nr = 0;
            class->cells = 0;
            class->nr_cpus = table->cell[i].nr_cpus;
            class->nr_cores = need->nr_cores ? table->cell[i].nr_cores : 0;
        }
        class->cell[class->nr++] = (uint8_t)i;
        class->cells |= (uint64_t)1 << i;
    }
    for (unsigned t = 0, at = 0; t < classes->nr; t++) {
        classes->class[t].at = at;
        at += classes->class[t].nr + 1;
    }
}

/* --- costs ---------------------------------------------------------------- */

/* From a cell of one class to one of another, or to another of the same. */
static unsigned excess(const struct xlnuma__table *table,
                       const struct xlnuma__class *from,
                       const struct xlnuma__class *to)
{
    unsigned last = to->cell[to->nr - 1];

    return table->host
               ->distance[table->cell[from->cell[0]].id][table->cell[last].id] -
           XLNUMA_DISTANCE_LOCAL;
}

static void order_nearest(struct xlnuma__classes *classes, unsigned to)
{
    uint8_t *order = classes->class[to].nearest;
    unsigned nr = 0;

    for (unsigned from = 0; from < classes->nr; from++) {
        double cost = classes->cost[from][to];
        unsigned at;

        if (from == to)
            continue;
        for (at = nr++; at && cost < classes->cost[order[at - 1]][to]; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)from;
    }
}

static void fill_costs(const struct xlnuma__table *table,
                       struct xlnuma__classes *classes)
{
    for (unsigned a = 0; a < classes->nr; a++)
        for (unsigned b = 0; b < classes->nr; b++)
            classes->cost[a][b] =
                classes->class[a].nr_cpus *
                excess(table, &classes->class[a], &classes -> class[b]);
    for (unsigned a = 0; a < classes->nr; a++) {
        for (unsigned b = 0; b < classes->nr; b++)
            classes->pair[a][b] = classes->cost[a][b] + classes->cost[b][a];
        order_nearest(classes, a);
    }
}

/* Is everything within a class nearer than, or as near as, between two? */
static bool is_bulky(const struct xlnuma__table *table,
                     const struct xlnuma__need *need,
                     const struct xlnuma__classes *classes)
{
    for (unsigned i = 1; need->nr_cores && i < table->nr; i++)
        if (table->cell[i].nr_cores != table->cell[0].nr_cores)
            return false;
    for (unsigned a = 0; a < classes->nr; a++)
        for (unsigned b = 0; b < a; b++)
            if (classes->class[a].nr_cpus != classes->class[b].nr_cpus ||
                classes->cost[a][a] + classes->cost[b][b] > classes->pair[a][b])
                return false;
    return true;
}

/* --- the tree ------------------------------------------------------------- */

/* Groups of classes that are not merged yet. */
struct groups {
    unsigned nr;
    unsigned id[NODES], nr_cells[NODES];
    uint64_t classes[NODES];
    double near[NODES][NODES]; /* the cheapest pair of two groups */
};

/* What a cell of class a and n of the cells of `to` cost at least in pairs. */
static void nearest_pairs(const struct xlnuma__classes *classes, unsigned a,
                          uint64_t to, double least[])
{
    uint8_t order[NODES];
    unsigned nr = 0, n = 0, b;

    XLNUMA_FOR_EACH_NODE(b, to) {
        unsigned at = nr++;

        for (; at && classes->pair[a][b] < classes->pair[a][order[at - 1]];
             at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)b;
    }
    least[0] = 0;
    for (unsigned m = 0; m < nr; m++)
        for (unsigned i = 0; i < classes->class[order[m]].nr; i++, n++)
            least[n + 1] = least[n] + classes->pair[a][order[m]];
}

/*
 * Raise cross[n * from_step + m * to_step] to what n cells of `from` and m of
 * `to` cost at least: each of the n what it costs with the m nearest to it, for
 * the n of which that is cheapest.
 */
static void raise_cross(const struct xlnuma__classes *classes, uint64_t from,
                        uint64_t to, unsigned nr_to, double cross[],
                        unsigned from_step, unsigned to_step)
{
    double least[NODES][NODES + 1];
    unsigned a;

    XLNUMA_FOR_EACH_NODE(a, from)
        nearest_pairs(classes, a, to, least[a]);
    for (unsigned m = 1; m <= nr_to; m++) {
        double *raised = &cross[m * to_step], sum = 0;
        uint8_t order[NODES];
        unsigned nr = 0;

        XLNUMA_FOR_EACH_NODE(a, from) {
            unsigned at = nr++;

            for (; at && least[a][m] < least[order[at - 1]][m]; at--)
                order[at] = order[at - 1];
            order[at] = (uint8_t)a;
        }
        for (unsigned i = 0; i < nr; i++)
            for (unsigned n = classes->class[order[i]].nr; n; n--) {
                sum += least[order[i]][m];
                raised += from_step;
                if (sum > *raised)
                    *raised = sum;
            }
    }
}

/* Two groups become merge number `nr_merges`; x stays as the new group. */
static void merge_groups(struct xlnuma__classes *classes, struct groups *groups,
                         unsigned x, unsigned y, unsigned at)
{
    struct xlnuma__merge *merge = &classes->merge[classes->nr_merges];
    unsigned row = groups->nr_cells[y] + 1, last = groups->nr - 1;
    double *cross = classes->cross + at;

    merge->left = groups->id[x];
    merge->right = groups->id[y];
    merge->nr_left = groups->nr_cells[x];
    merge->nr_right = groups->nr_cells[y];
    merge->at = at;
    memset(cross, 0, (merge->nr_left + 1) * row * sizeof(*cross));
    raise_cross(classes, groups->classes[x], groups->classes[y],
                merge->nr_right, cross, row, 1);
    raise_cross(classes, groups->classes[y], groups->classes[x], merge->nr_left,
                cross, 1, row);
    groups->id[x] = classes->nr + classes->nr_merges++;
    groups->nr_cells[x] += groups->nr_cells[y];
    groups->classes[x] |= groups->classes[y];
    for (unsigned a = 0; a <= last; a++)
        if (groups->near[y][a] < groups->near[x][a])
            groups->near[x][a] = groups->near[a][x] = groups->near[y][a];
    groups->id[y] = groups->id[last];
    groups->nr_cells[y] = groups->nr_cells[last];
    groups->classes[y] = groups->classes[last];
    for (unsigned a = 0; a <= last; a++)
        groups->near[y][a] = groups->near[a][y] = groups->near[last][a];
    groups->nr--;
}

/* The nearest two groups, of equals the smallest. */
static void nearest_groups(const struct groups *groups, unsigned *x_r,
                           unsigned *y_r)
{
    unsigned x = 0, y = 1;

    for (unsigned a = 0; a < groups->nr; a++)
        for (unsigned b = a + 1; b < groups->nr; b++)
            if (groups->near[a][b] < groups->near[x][y] ||
                (groups->near[a][b] == groups->near[x][y] &&
                 groups->nr_cells[a] + groups->nr_cells[b] <
                     groups->nr_cells[x] + groups->nr_cells[y])) {
                x = a;
                y = b;
            }
    *x_r = x;
    *y_r = y;
}

static void build_tree(struct xlnuma__classes *classes)
{
    struct groups groups = { .nr = classes->nr };
    unsigned at = 0, x, y;

    for (unsigned a = 0; a < classes->nr; a++) {
        groups.id[a] = a;
        groups.nr_cells[a] = classes->class[a].nr;
        groups.classes[a] = (uint64_t)1 << a;
        memcpy(groups.near[a], classes->pair[a], sizeof(groups.near[a]));
    }
    while (groups.nr > 1) {
        unsigned nr_costs;

        nearest_groups(&groups, &x, &y);
        nr_costs = (groups.nr_cells[x] + 1) * (groups.nr_cells[y] + 1);
        merge_groups(classes, &groups, x, y, at);
        at += nr_costs;
    }
}

bool xlnuma__classes_find(const struct xlnuma__table *table,
                          const struct xlnuma__need *need,
                          struct xlnuma__classes *classes_r)
{
    if (table->scale > 1)
        return false;
    for (unsigned i = 0; i < table->nr; i++)
        if (table->unreachable[i] ||
            table->cell[i].high_kb != table->cell[i].usable_kb)
            return false;
    classes_r->nr = classes_r->nr_merges = 0;
    memset(classes_r->above, 0, sizeof(classes_r->above));
    memset(classes_r->below, 0, sizeof(classes_r->below));
    group_cells(table, need, classes_r);
    if (classes_r->nr * 4 > table->nr * 3)
        return false;
    fill_costs(table, classes_r);
    classes_r->is_bulky = is_bulky(table, need, classes_r);
    build_tree(classes_r);
    return true;
}

/* --- symmetries ----------------------------------------------------------- */

/* May class a stand where b does, when those before n stand at image? */
static bool may_map(const struct xlnuma__table *table,
                    const struct xlnuma__classes *classes, unsigned a,
                    unsigned b, unsigned n, const uint8_t image[])
{
    const struct xlnuma__class *x = &classes->class[a], *y = &classes->class[b];

    if (x->nr != y->nr || x->nr_cpus != y->nr_cpus ||
        x->nr_cores != y->nr_cores ||
        classes->cost[a][a] != classes->cost[b][b])
        return false;
    for (unsigned i = 0; i < x->nr; i++)
        if (table->cell[x->cell[i]].usable_kb !=
            table->cell[y->cell[i]].usable_kb)
            return false;
    for (unsigned m = 0; m < n; m++)
        if (classes->cost[a][m] != classes->cost[b][image[m]] ||
            classes->cost[m][a] != classes->cost[image[m]][b])
            return false;
    return true;
}

/* Find images for class n and all after it. */
static bool map_rest(const struct xlnuma__table *table,
                     const struct xlnuma__classes *classes, unsigned n,
                     uint8_t image[], uint64_t free, unsigned *nr_tries)
{
    unsigned b;

    if (n == classes->nr)
        return true;
    XLNUMA_FOR_EACH_NODE(b, free) {
        if (!*nr_tries)
            return false;
        --*nr_tries;
        if (!may_map(table, classes, n, b, n, image))
            continue;
        image[n] = (uint8_t)b;
        if (map_rest(table, classes, n + 1, image, free & ~((uint64_t)1 << b),
                     nr_tries))
            return true;
    }
    return false;
}

/* Does the host look the same with b where a is, and all before a as it is? */
static bool is_like(const struct xlnuma__table *table,
                    const struct xlnuma__classes *classes, unsigned a,
                    unsigned b)
{
    uint64_t all = UINT64_MAX >> (NODES - classes->nr);
    unsigned nr_tries = 4 * classes->nr;
    uint8_t image[NODES];

    for (unsigned n = 0; n < a; n++)
        image[n] = (uint8_t)n;
    if (!may_map(table, classes, a, b, a, image))
        return false;
    image[a] = (uint8_t)b;
    return map_rest(table, classes, a + 1, image,
                    all & ~(((uint64_t)1 << a) - 1) & ~((uint64_t)1 << b),
                    &nr_tries);
}

void xlnuma__classes_compare(const struct xlnuma__table *table,
                             struct xlnuma__classes *classes)
{
    for (unsigned a = 0; a < classes->nr; a++)
        for (unsigned b = a + 1; b < classes->nr; b++)
            if (is_like(table, classes, a, b)) {
                classes->below[a] |= (uint64_t)1 << b;
                classes->above[b] |= (uint64_t)1 << a;
            }
}
