/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest that sees several nodes. */
#ifndef XLNUMA_HOOK_VNUMA_H
#define XLNUMA_HOOK_VNUMA_H

#include <xenctrl.h>
#include <xenguest.h>

#include "vnodes/vnodes.h"

struct build;
struct xlnuma__report;

/* Of a build; NULL: the guest sees one node. */
struct vnuma {
    struct xc_dom_image *dom;     /* borrowed, from when it is parsed */
    struct xlnuma__layout layout; /* without ranges until then */
    unsigned node[XLNUMA_GUEST_NODES_MAX];         /* of the host */
    uint64_t done_kb[XLNUMA_GUEST_NODES_MAX];      /* where it should be */
    uint64_t elsewhere_kb[XLNUMA_GUEST_NODES_MAX]; /* and where not */
    uint8_t *tables; /* owned: libxl reads them until the domain is built */
};

/* The build is planned and has its affinities: those of its vCPUs, by node. */
void xlnuma__vnuma_begin(struct build *build, const struct xlnuma_host *host);
void xlnuma__vnuma_free(struct vnuma *vnuma);

/*
 * It sees one node, or those that it was restored with, wherever they are; and its
 * vCPUs run on all of the plan's CPUs.
 */
void xlnuma__vnuma_give_up(struct build *build, const char *why);

/* The vCPUs' affinities again, after the plan's were set. */
void xlnuma__vnuma_affinities(struct build *build,
                              const struct xlnuma_host *host);

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

/* What the guest's nodes have on other nodes than theirs. */
uint64_t xlnuma__vnuma_stray_kb(const struct build *build);

/* The domain is built: has it the tables? If not it sees one node. */
void xlnuma__vnuma_built(struct build *build);

/*
 * A restored guest's memory comes by another process, by way of the report: _resume
 * is there, and returns NULL or (static) what is wrong with it; _take_over is here,
 * afterwards. A report that says nothing of them: they are given up.
 */
void xlnuma__vnuma_report(const struct build *build,
                          struct xlnuma__report *report);
const char *xlnuma__vnuma_resume(struct build *build,
                                 const struct xlnuma__report *report);
void xlnuma__vnuma_take_over(struct build *build,
                             const struct xlnuma__report *report);

#endif /* XLNUMA_HOOK_VNUMA_H */
