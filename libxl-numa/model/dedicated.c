/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CPUs that guests have alone: lists of them, and what no other may have when a vCPU
 * has one. Chooses none.
 */
#include "model/dedicated.h"

#include <string.h>

static bool skip_prefix(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*text, prefix, length))
        return false;
    *text += length;
    return true;
}

static int add_nodes(const char *item, const struct xlnuma_host *host,
                     xlnuma_cpuset *cpus, char *message)
{
    xlnuma_nodeset nodes;
    xlnuma_cpuset some;
    int rc = xlnuma_nodeset_parse(item, &nodes, message);

    if (rc || !host)
        return rc;
    if (nodes & ~host->nodes)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "the host has no node %u",
                            xlnuma_nodeset_first(nodes & ~host->nodes));
    xlnuma__host_cpus(host, nodes, &some);
    xlnuma_cpuset_or(cpus, &some);
    return 0;
}

/* One element of a list, which it is cut out of. */
static int add_item(const char *item, const struct xlnuma_host *host,
                    xlnuma_cpuset *cpus, char *message)
{
    bool is_nodes = skip_prefix(&item, "nodes:") || skip_prefix(&item, "node:");
    xlnuma_cpuset some;
    int rc;

    if (!*item)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID, "an empty element");
    if (is_nodes)
        return add_nodes(item, host, cpus, message);
    rc = xlnuma_cpuset_parse(item, &some, message);
    if (!rc)
        xlnuma_cpuset_or(cpus, &some);
    return rc;
}

static int check_online(const struct xlnuma_host *host,
                        const xlnuma_cpuset *cpus, char *message)
{
    xlnuma_cpuset others = *cpus, online;
    char list[64];

    xlnuma__host_cpus(host, host->nodes, &online);
    xlnuma_cpuset_remove(&others, &online);
    if (!xlnuma_cpuset_count(cpus))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "these nodes have no CPUs");
    if (!xlnuma_cpuset_count(&others))
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                        "the host has no CPUs %s that are online",
                        xlnuma_cpuset_format(&others, list, sizeof(list)));
}

int xlnuma__dedicated_parse(const char *text, const struct xlnuma_host *host,
                            xlnuma_cpuset *cpus_r, char *message)
{
    char item[XLNUMA_MESSAGE_SIZE];
    int rc = 0;

    *message = '\0';
    memset(cpus_r, 0, sizeof(*cpus_r));
    for (const char *here = text; !rc && here;) {
        size_t length = strcspn(here, ",");

        if (length >= sizeof(item))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "an element is too long");
        memcpy(item, here, length);
        item[length] = '\0';
        rc = add_item(item, host, cpus_r, message);
        here = here[length] ? here + length + 1 : NULL;
    }
    if (!rc && host)
        rc = check_online(host, cpus_r, message);
    return rc;
}

void xlnuma__dedicated_taken(const struct xlnuma_host *host,
                             enum xlnuma_threads threads, unsigned cpu,
                             xlnuma_cpuset *taken_r)
{
    memset(taken_r, 0, sizeof(*taken_r));
    if (threads == XLNUMA_THREADS_PREFER)
        xlnuma_cpuset_add(taken_r, cpu);
    else
        xlnuma__host_core_cpus(host, cpu, taken_r);
}
