/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl's lists of CPUs. The same text means the same to xl, which needs a running
 * Xen to read it and this does not. Does not know guests.
 */
#include "guest_cpus.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

static bool skip_prefix(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*text, prefix, length))
        return false;
    *text += length;
    return true;
}

/* "3" or "3-5", each below `limit`, and nothing behind it. */
static bool parse_range(const char *text, unsigned long limit,
                        unsigned long *first_r, unsigned long *last_r)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    *first_r = *last_r = strtoul(text, &end, 10);
    if (*end == '-') {
        if (!isdigit((unsigned char)end[1]))
            return false;
        *last_r = strtoul(end + 1, &end, 10);
    }
    return !*end && *first_r <= *last_r && *last_r < limit;
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
    bool is_nodes = skip_prefix(&item, "nodes:") || skip_prefix(&item, "node:");
    xlnuma_cpuset cpus = { { 0 } };
    unsigned long first, last;

    if (!strcmp(item, "all")) {
        memset(&cpus, 0xff, sizeof(cpus));
        add_or_remove(set, &cpus, false);
        return !is_not;
    }
    if (!parse_range(item, is_nodes ? XLNUMA_NODES_MAX : XLNUMA_CPUS_MAX,
                     &first, &last))
        return false;
    for (unsigned i = (unsigned)first; i <= last; i++)
        if (!is_nodes)
            xlnuma_cpuset_add(&cpus, i);
        else if (xlnuma_nodeset_has(host->nodes, i))
            xlnuma_cpuset_or(&cpus, &host->node[i].cpus);
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
