/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that a guest's ACPI tables have, as they are planned, as text in
 * xenstore and in libxl's stored configuration, and whether they can be right:
 * the text may come from another host. Chooses nothing; the tables are acpi.c's.
 */
#include "model/layout.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

/* No guest has an address from here on. */
#define ADDRESS_END ((uint64_t)1 << 52)

/* Ascending; memory goes on at 4 GiB behind the hole. */
static void add_memory(struct xlnuma__layout *layout, unsigned vnode,
                       uint64_t left, uint64_t low_end, uint64_t *at)
{
    const uint64_t high = (uint64_t)1 << 32;

    while (left) {
        uint64_t part = left;

        if (*at >= low_end && *at < high)
            *at = high;
        if (*at < low_end && left > low_end - *at)
            part = low_end - *at;
        layout->range[layout->nr_ranges++] =
            (struct xlnuma__vrange){ *at, *at + part, vnode };
        *at += part;
        left -= part;
    }
}

void xlnuma__layout_from_plan(struct xlnuma__layout *layout_r,
                              const struct xlnuma_plan *plan, uint64_t low_end)
{
    uint64_t at = 0;

    memset(layout_r, 0, sizeof(*layout_r));
    layout_r->nr = plan->nr_guest_nodes;
    for (unsigned n = 0; n < layout_r->nr; n++) {
        const struct xlnuma_guest_node *node = &plan->guest_node[n];

        memcpy(layout_r->node[n].vcpus, node->vcpus, sizeof(node->vcpus));
        memcpy(layout_r->node[n].distance, node->distance,
               sizeof(node->distance));
        add_memory(layout_r, n, node->memory_kb << 10, low_end, &at);
    }
}

uint64_t xlnuma__layout_kb(const struct xlnuma__layout *layout, unsigned vnode)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < layout->nr_ranges; i++)
        if (layout->range[i].vnode == vnode)
            bytes += layout->range[i].end - layout->range[i].start;
    return bytes >> 10;
}

const struct xlnuma__vrange *
xlnuma__layout_find(const struct xlnuma__layout *layout, uint64_t address)
{
    for (unsigned i = 0; i < layout->nr_ranges; i++)
        if (address >= layout->range[i].start && address < layout->range[i].end)
            return &layout->range[i];
    return NULL;
}

/* --- as text -------------------------------------------------------------- */

void xlnuma__layout_format(const struct xlnuma__layout *layout, unsigned vnode,
                           struct xlnuma__layout_text *text_r)
{
    size_t used = 0;

    memset(text_r, 0, sizeof(*text_r));
    xlnuma__vcpus_format(layout->node[vnode].vcpus, text_r->vcpus,
                         sizeof(text_r->vcpus));
    for (unsigned i = 0; i < layout->nr_ranges; i++) {
        const struct xlnuma__vrange *range = &layout->range[i];

        if (range->vnode == vnode && used < sizeof(text_r->ranges))
            used += (size_t)snprintf(text_r->ranges + used,
                                     sizeof(text_r->ranges) - used,
                                     "%s0x%" PRIx64 "-0x%" PRIx64,
                                     used ? "," : "", range->start, range->end);
    }
    used = 0;
    for (unsigned n = 0; n < layout->nr; n++)
        used += (size_t)snprintf(text_r->distances + used,
                                 sizeof(text_r->distances) - used, "%s%u",
                                 n ? " " : "", layout->node[vnode].distance[n]);
}

static bool read_vcpus(const char *text, uint64_t vcpus_r[])
{
    char message[XLNUMA_MESSAGE_SIZE];
    const size_t size = XLNUMA_GUEST_VCPUS_MAX / 64 * sizeof(*vcpus_r);
    xlnuma_cpuset set;

    if (xlnuma_cpuset_parse(text, &set, message))
        return false;
    memcpy(vcpus_r, set.word, size);
    memset(set.word, 0, size);
    return !xlnuma_cpuset_count(&set);
}

/* "0x28000000" at *text, which is moved behind it. */
static bool read_address(const char **text, uint64_t *address_r)
{
    char *end;

    if ((*text)[0] != '0' || (*text)[1] != 'x' ||
        !isxdigit((unsigned char)(*text)[2]))
        return false;
    *address_r = strtoull(*text, &end, 16);
    *text = end;
    return *address_r <= ADDRESS_END;
}

static bool read_ranges(struct xlnuma__layout *layout, const char *text)
{
    do {
        struct xlnuma__vrange range = { .vnode = layout->nr };

        if (!read_address(&text, &range.start) || *text++ != '-' ||
            !read_address(&text, &range.end) ||
            layout->nr_ranges == XLNUMA__VRANGES_MAX)
            return false;
        layout->range[layout->nr_ranges++] = range;
    } while (*text++ == ',');
    return !text[-1];
}

static bool read_distances(const char *text, uint8_t distance_r[])
{
    unsigned nr = 0;

    do {
        char *end;
        unsigned long distance = strtoul(text, &end, 10);

        if (!isdigit((unsigned char)*text) || distance > UINT8_MAX ||
            nr == XLNUMA_GUEST_NODES_MAX)
            return false;
        distance_r[nr++] = (uint8_t)distance;
        text = end;
    } while (*text++ == ' ');
    return !text[-1];
}

const char *xlnuma__layout_add(struct xlnuma__layout *layout, const char *vcpus,
                               const char *ranges, const char *distances)
{
    if (layout->nr == XLNUMA_GUEST_NODES_MAX)
        return "there are too many nodes";
    if (!read_vcpus(vcpus, layout->node[layout->nr].vcpus))
        return "the vCPUs of a node are no list of vCPUs";
    if (!read_ranges(layout, ranges))
        return "the memory of a node is no list of addresses";
    if (!read_distances(distances, layout->node[layout->nr].distance))
        return "the distances of a node are no list of distances";
    layout->nr++;
    return NULL;
}

/* --- can it be right? ----------------------------------------------------- */

static bool has_right_ranges(const struct xlnuma__layout *layout)
{
    uint64_t before = 0;

    for (unsigned i = 0; i < layout->nr_ranges; i++) {
        const struct xlnuma__vrange *range = &layout->range[i];

        if (range->start < before || range->end <= range->start ||
            range->start % PAGE || range->end % PAGE)
            return false;
        before = range->end;
    }
    for (unsigned n = 0; n < layout->nr; n++)
        if (!xlnuma__layout_kb(layout, n))
            return false;
    return true;
}

static bool has_right_vcpus(const struct xlnuma__layout *layout)
{
    uint64_t seen[XLNUMA_GUEST_VCPUS_MAX / 64] = { 0 };

    for (unsigned n = 0; n < layout->nr; n++)
        for (unsigned i = 0; i < XLNUMA_GUEST_VCPUS_MAX / 64; i++) {
            if (seen[i] & layout->node[n].vcpus[i])
                return false;
            seen[i] |= layout->node[n].vcpus[i];
        }
    return true;
}

static bool has_right_distances(const struct xlnuma__layout *layout)
{
    for (unsigned n = 0; n < layout->nr; n++)
        for (unsigned m = 0; m < layout->nr; m++) {
            unsigned distance = layout->node[n].distance[m];

            if (n == m ? distance != XLNUMA_DISTANCE_LOCAL
                       : distance <= XLNUMA_DISTANCE_LOCAL ||
                             distance >= XLNUMA_DISTANCE_UNREACHABLE)
                return false;
        }
    return true;
}

const char *xlnuma__layout_check(const struct xlnuma__layout *layout)
{
    if (layout->nr < 2)
        return "there are fewer than two nodes";
    if (!has_right_ranges(layout))
        return "the nodes' addresses cannot be right";
    if (!has_right_vcpus(layout))
        return "a vCPU is on two nodes";
    if (!has_right_distances(layout))
        return "the nodes' distances cannot be right";
    return NULL;
}

/* --- two of them ---------------------------------------------------------- */

static const char *difference(const struct xlnuma__layout *a,
                              const struct xlnuma__layout *b, unsigned vnode)
{
    struct xlnuma__layout_text x, y;

    xlnuma__layout_format(a, vnode, &x);
    xlnuma__layout_format(b, vnode, &y);
    return strcmp(x.vcpus, y.vcpus)           ? "vCPUs"
           : strcmp(x.ranges, y.ranges)       ? "memory"
           : strcmp(x.distances, y.distances) ? "distances"
                                              : NULL;
}

bool xlnuma__layout_is_same(const struct xlnuma__layout *reported,
                            const struct xlnuma__layout *seen,
                            const char **what_r, unsigned *vnode_r)
{
    *what_r = NULL;
    *vnode_r = 0;
    if (reported->nr != seen->nr)
        return false;
    for (unsigned n = 0; !*what_r && n < seen->nr; n++) {
        *vnode_r = n;
        *what_r = difference(reported, seen, n);
    }
    return !*what_r;
}
