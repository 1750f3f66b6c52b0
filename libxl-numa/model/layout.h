/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes that a guest's ACPI tables have: layout.c. */
#ifndef XLNUMA_LAYOUT_H
#define XLNUMA_LAYOUT_H

#include "model/plan.h"

/* Guest addresses, in bytes. */
struct xlnuma__vrange {
    uint64_t start, end;
    unsigned vnode;
};

/* One more than there are nodes: one of them is around the hole below 4 GiB. */
#define XLNUMA__VRANGES_MAX (XLNUMA_GUEST_NODES_MAX + 1)

/* Which vCPUs and addresses are on which node, and the distances between them. */
struct xlnuma__layout {
    unsigned nr, nr_ranges;
    struct {
        uint64_t vcpus[XLNUMA_GUEST_VCPUS_MAX / 64]; /* bit n: vCPU n */
        uint8_t distance[XLNUMA_GUEST_NODES_MAX];
    } node[XLNUMA_GUEST_NODES_MAX];
    struct xlnuma__vrange range[XLNUMA__VRANGES_MAX];
};

/* Of a plan, for a guest that has memory below low_end and from 4 GiB on. */
void xlnuma__layout_from_plan(struct xlnuma__layout *layout_r,
                              const struct xlnuma_plan *plan, uint64_t low_end);

/* A node's memory. */
uint64_t xlnuma__layout_kb(const struct xlnuma__layout *layout, unsigned vnode);

/* The range that an address is in, or NULL. */
const struct xlnuma__vrange *
xlnuma__layout_find(const struct xlnuma__layout *layout, uint64_t address);

/*
 * A node in words: its vCPUs as "0-1,5", its ranges as
 * "0x0-0x28000000,0x100000000-0x108000000", the distances from it as "10 11 21".
 */
#define XLNUMA__LAYOUT_VCPUS_SIZE 512
#define XLNUMA__LAYOUT_RANGES_SIZE 96
#define XLNUMA__LAYOUT_DISTANCES_SIZE (4 * XLNUMA_GUEST_NODES_MAX)
struct xlnuma__layout_text {
    char vcpus[XLNUMA__LAYOUT_VCPUS_SIZE];
    char ranges[XLNUMA__LAYOUT_RANGES_SIZE];
    char distances[XLNUMA__LAYOUT_DISTANCES_SIZE];
};
void xlnuma__layout_format(const struct xlnuma__layout *layout, unsigned vnode,
                           struct xlnuma__layout_text *text_r);

/*
 * Add a node that is given in such words. Returns NULL, or (static) what is wrong
 * with them; then the layout is of no use.
 */
const char *xlnuma__layout_add(struct xlnuma__layout *layout, const char *vcpus,
                               const char *ranges, const char *distances);

/*
 * Does the guest see what was reported? If not, and the number of nodes is the same,
 * *what_r (static) says what differs, and *vnode_r of which node.
 */
bool xlnuma__layout_is_same(const struct xlnuma__layout *reported,
                            const struct xlnuma__layout *seen,
                            const char **what_r, unsigned *vnode_r);

/*
 * Returns NULL, or (static) why a guest cannot have been built so: a node without
 * memory, ranges that are not ascending or not whole pages, a vCPU on two nodes,
 * distances that Linux takes none of.
 */
const char *xlnuma__layout_check(const struct xlnuma__layout *layout);

#endif /* XLNUMA_LAYOUT_H */
