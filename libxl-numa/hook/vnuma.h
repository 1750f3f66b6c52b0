/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest that sees several nodes. */
#ifndef XLNUMA_HOOK_VNUMA_H
#define XLNUMA_HOOK_VNUMA_H

#include <xenctrl.h>
#include <xenguest.h>

#include "vnodes/vnodes.h"

struct build;

/* Of a build; NULL: the guest sees one node. */
struct vnuma {
    struct xc_dom_image *dom; /* borrowed, from when it is parsed */
    unsigned nr_ranges;       /* 0: until then */
    struct xlnuma__vrange range[XLNUMA__VRANGES_MAX];
    uint64_t done_kb[XLNUMA_GUEST_NODES_MAX]; /* where it should be */
    uint8_t *tables; /* owned: libxl reads them until the domain is built */
};

/* The build is planned and has its affinities: those of its vCPUs, by node. */
void xlnuma__vnuma_begin(struct build *build);
void xlnuma__vnuma_free(struct vnuma *vnuma);

/* It sees one node, and its vCPUs run on all of the plan's CPUs. */
void xlnuma__vnuma_give_up(struct build *build, const char *why);

/* The vCPUs' affinities again, after the plan's were set. */
void xlnuma__vnuma_affinities(struct build *build);

/*
 * The node of the host for the first of these extents, and in *nr_r (in: how many
 * there are) for how many of them; xlnuma__vnuma_done() is then told how many it
 * gave. -1: smaller extents are needed. VNUMA_ANY: it is not by address.
 */
#define VNUMA_ANY (-2)
int xlnuma__vnuma_next(const struct build *build, unsigned order,
                       const xen_pfn_t *extent, unsigned long *nr_r);
void xlnuma__vnuma_done(struct build *build, xen_pfn_t first, unsigned node,
                        uint64_t kb);

/* What a node of the guest's has where it should be; and what all lack there. */
uint64_t xlnuma__vnuma_actual_kb(const struct build *build, unsigned vnode);
uint64_t xlnuma__vnuma_stray_kb(const struct build *build);

/* The domain is built: has it the tables? If not its plan has no guest nodes. */
void xlnuma__vnuma_built(struct build *build);

/* "0x0-0x10000000": where a node of the guest's is. Returns buf. */
char *xlnuma__vnuma_format_ranges(const struct build *build, unsigned vnode,
                                  char *buf, size_t size);

#endif /* XLNUMA_HOOK_VNUMA_H */
