/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl's lists of CPUs. The same text means the same to xl (parse_cpurange() of
 * tools/xl/xl_parse.c, 4.17 to 4.22), which needs a running Xen to read it and
 * this does not. Does not know guests.
 */
#include "guest/cpus.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "model/host.h"

/*
 * Of a node's CPUs xl takes those below this: it has them in a map that is as
 * long as one of nodes (Xen's MAX_NUMNODES).
 */
#define NODE_CPUS_END 64

static bool skip_prefix(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*text, prefix, length))
        return false;
    *text += length;
    return true;
}

/* As xl does: blanks and a sign may be before the digits. */
static bool skip_number(const char **text, unsigned long *number_r)
{
    char *end;

    *number_r = strtoul(*text, &end, 10);
    if (end == *text || *number_r == ULONG_MAX)
        return false;
    *text = end;
    return true;
}

/* "3" or "3-5", and nothing behind it. */
struct range {
    unsigned long first, last;
};

static bool parse_range(const char *text, struct range *range_r)
{
    if (!skip_number(&text, &range_r->first))
        return false;
    range_r->last = range_r->first;
    if (skip_prefix(&text, "-") && !skip_number(&text, &range_r->last))
        return false;
    return !*text && range_r->first <= range_r->last;
}

/* xl goes through a range number by number, each made an int. */
static bool has(const struct range *range, unsigned number)
{
    return (uint32_t)(number - range->first) <= range->last - range->first;
}

static void add_node(const struct xlnuma_node *node, xlnuma_cpuset *cpus)
{
    for (unsigned cpu = 0; cpu < NODE_CPUS_END; cpu++)
        if (xlnuma_cpuset_has(&node->cpus, cpu))
            xlnuma_cpuset_add(cpus, cpu);
}

static void add_or_remove(xlnuma_cpuset *set, const xlnuma_cpuset *cpus,
                          bool is_not)
{
    for (size_t i = 0; i < sizeof(set->word) / sizeof(*set->word); i++)
        if (is_not)
            set->word[i] &= ~cpus->word[i];
        else
            set->word[i] |= cpus->word[i];
}

/* One element of a list: adds CPUs to the set or takes them away. */
static bool parse_item(const char *item, const struct xlnuma_host *host,
                       xlnuma_cpuset *set)
{
    bool is_not = skip_prefix(&item, "^");
    bool is_nodes = skip_prefix(&item, "node:") || skip_prefix(&item, "nodes:");
    xlnuma_cpuset cpus = { { 0 } };
    struct range range;
    unsigned node;

    if (!strcmp(item, "all")) {
        memset(set, 0xff, sizeof(*set));
        return !is_not;
    }
    if (!parse_range(item, &range))
        return false;
    if (is_nodes) {
        XLNUMA_FOR_EACH_NODE(node, host->nodes)
            if (has(&range, node))
                add_node(&host->node[node], &cpus);
    } else {
        for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
            if (has(&range, cpu))
                xlnuma_cpuset_add(&cpus, cpu);
    }
    add_or_remove(set, &cpus, is_not);
    return true;
}

int guest_cpus_parse(const char *list, const struct xlnuma_host *host,
                     xlnuma_cpuset *set_r, char *message)
{
    char *copy = strdup(list), *rest = NULL, *item;
    int rc = 0;

    *message = '\0';
    memset(set_r, 0, sizeof(*set_r));
    if (!copy)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    for (item = strtok_r(copy, ",", &rest); item && !rc;
         item = strtok_r(NULL, ",", &rest))
        if (!parse_item(item, host, set_r))
            rc = xlnuma__fail(message, XLNUMA_ERR_INVALID,
                              "\"%s\" is not a list of CPUs (such as "
                              "\"0-3,^1\", \"nodes:0-1\", \"all\") at \"%s\"",
                              list, item);
    free(copy);
    return rc;
}

int guest_cpus_to_bitmap(const xlnuma_cpuset *set, libxl_bitmap *map_r)
{
    libxl_bitmap_init(map_r);
    map_r->map = calloc(1, XLNUMA_CPUS_MAX / 8);
    if (!map_r->map)
        return XLNUMA_ERR_NOMEM;
    map_r->size = XLNUMA_CPUS_MAX / 8;
    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
        if (xlnuma_cpuset_has(set, cpu))
            map_r->map[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
    return 0;
}
