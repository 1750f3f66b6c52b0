/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The note about a guest that grows: what its node affinity was and is
 * meanwhile. It is in xenstore, beside the report, so that it outlives a process
 * that is killed, and goes with the domain. Sets no affinity.
 */
#include "xen/growth.h"
#include "model/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 64
#define NODES_SIZE 256

static const char *path_of(char path[PATH_SIZE], uint32_t domid)
{
    snprintf(path, PATH_SIZE, "/libxl/%u/numa-placement-growth", domid);
    return path;
}

static bool parse(const char *text, struct xlnuma__growth *growth_r)
{
    char before[NODES_SIZE], nodes[NODES_SIZE], pid[32];
    char message[XLNUMA_MESSAGE_SIZE];

    if (sscanf(text, "%255s %255s %31s", before, nodes, pid) != 3)
        return false;
    growth_r->pid = strtol(pid, NULL, 10);
    return !xlnuma_nodeset_parse(before, &growth_r->before, message) &&
           !xlnuma_nodeset_parse(nodes, &growth_r->nodes, message);
}

bool xlnuma__growth_read(struct xs_handle *xs, uint32_t domid,
                         struct xlnuma__growth *growth_r)
{
    char path[PATH_SIZE];
    unsigned length;
    char *text = xs_read(xs, XBT_NULL, path_of(path, domid), &length);
    bool is_found = text && parse(text, growth_r);

    free(text);
    return is_found;
}

bool xlnuma__growth_write(struct xs_handle *xs, uint32_t domid,
                          const struct xlnuma__growth *growth)
{
    char path[PATH_SIZE], before[NODES_SIZE], nodes[NODES_SIZE];
    char text[2 * NODES_SIZE + 32];

    snprintf(text, sizeof(text), "%s %s %ld",
             xlnuma_nodeset_format(growth->before, before, sizeof(before)),
             xlnuma_nodeset_format(growth->nodes, nodes, sizeof(nodes)),
             growth->pid);
    return xs_write(xs, XBT_NULL, path_of(path, domid), text,
                    (unsigned)strlen(text));
}

void xlnuma__growth_remove(struct xs_handle *xs, uint32_t domid)
{
    char path[PATH_SIZE];

    xs_rm(xs, XBT_NULL, path_of(path, domid));
}
