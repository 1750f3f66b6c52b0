/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that a guest sees, in libxl's own stored configuration beside the
 * numa_* keys of its file (kept.c): an entry of c_info.platformdata for each,
 * "VCPUS;RANGES;DISTANCES". What is read may come from another host, or from a file
 * that anybody wrote.
 */
#include "config/settings.h"
#include "model/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX XLNUMA__KEPT_NODE

static bool is_node(const char *name)
{
    return !strncmp(name, PREFIX, strlen(PREFIX));
}

void xlnuma__kept_nodes_drop(libxl_domain_config *config)
{
    xlnuma__kept_drop(config, is_node);
}

/* Room for an entry, "VCPUS;RANGES;DISTANCES". */
#define ENTRY_SIZE                                                             \
    (XLNUMA__LAYOUT_VCPUS_SIZE + XLNUMA__LAYOUT_RANGES_SIZE +                  \
     XLNUMA__LAYOUT_DISTANCES_SIZE)

/* Returns false when out of memory. */
static bool put_node(libxl_domain_config *config,
                     const struct xlnuma__layout *layout, unsigned vnode)
{
    char key[sizeof(PREFIX) + 8], value[ENTRY_SIZE];
    struct xlnuma__layout_text text;

    xlnuma__layout_format(layout, vnode, &text);
    snprintf(key, sizeof(key), PREFIX "%u", vnode);
    snprintf(value, sizeof(value), "%s;%s;%s", text.vcpus, text.ranges,
             text.distances);
    return xlnuma__kept_add(config, key, value);
}

int xlnuma__kept_nodes_put(libxl_domain_config *config,
                           const struct xlnuma__layout *layout)
{
    xlnuma__kept_nodes_drop(config);
    for (unsigned n = 0; n < layout->nr; n++)
        if (!put_node(config, layout, n)) {
            xlnuma__kept_nodes_drop(config);
            return XLNUMA_ERR_NOMEM;
        }
    return 0;
}

/* The next part of an entry, which ends at `separator`; NULL: there is none. */
static char *cut(char **text, char separator)
{
    char *part = *text, *end = part ? strchr(part, separator) : NULL;

    if (end)
        *end = '\0';
    *text = end ? end + 1 : NULL;
    return end ? part : NULL;
}

static const char *add_node(struct xlnuma__layout *layout, const char *value)
{
    char copy[ENTRY_SIZE];
    char *rest = copy, *vcpus, *ranges;

    if ((size_t)snprintf(copy, sizeof(copy), "%s", value) >= sizeof(copy))
        return "a node's entry is too long";
    vcpus = cut(&rest, ';');
    ranges = cut(&rest, ';');
    if (!ranges)
        return "a node's entry has not three parts";
    return xlnuma__layout_add(layout, vcpus, ranges, rest);
}

/* The value of the n-th node, or NULL. */
static const char *find(char *const *stored, unsigned n)
{
    char key[sizeof(PREFIX) + 8];

    snprintf(key, sizeof(key), PREFIX "%u", n);
    for (size_t i = 0; i < xlnuma__kept_count(stored); i += 2)
        if (!strcmp(stored[i], key))
            return stored[i + 1] ? stored[i + 1] : "";
    return NULL;
}

bool xlnuma__kept_nodes_get(struct xlnuma__layout *layout_r,
                            const libxl_domain_config *config,
                            const char **why_r)
{
    char *const *stored = config->c_info.platformdata;
    const char *value;
    size_t nr = 0;

    *why_r = NULL;
    memset(layout_r, 0, sizeof(*layout_r));
    for (size_t i = 0; i < xlnuma__kept_count(stored); i += 2)
        nr += is_node(stored[i]);
    while (!*why_r && (value = find(stored, layout_r->nr)))
        *why_r = add_node(layout_r, value);
    if (!*why_r && layout_r->nr != nr)
        *why_r = "an entry is of no node";
    if (!*why_r)
        *why_r = xlnuma__layout_check(layout_r);
    return nr;
}
