/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds plan one after the other, on every host's memory that none has claimed,
 * and claim what they were planned to take until they have taken it. A build
 * that cannot do so is planned all the same: exact nodes, and a strict policy,
 * do not depend on claims.
 */
#include "core/vnodes.h"
#include "hook/build.h"

#include <inttypes.h>
#include <string.h>

/* A guest from another host may name nodes that this one does not have. */
static void forget_foreign_nodes(struct build *build,
                                 const struct xlnuma_host *host)
{
    char foreign[XLNUMA__LIST_SIZE], here[XLNUMA__LIST_SIZE];

    if (!build->has_kept || build->request.nodes & host->nodes)
        return;
    LOG(build, WARN,
        "domain %" PRIu32 " (%s): numa_nodes, kept since it was built, is "
        "\"%s\", and this host has nodes %s: numa_nodes is ignored",
        build->domid, build->request.name,
        xlnuma_nodeset_format(build->request.nodes, foreign, sizeof(foreign)),
        xlnuma_nodeset_format(host->nodes, here, sizeof(here)));
    build->request.nodes = build->conf_nodes;
}

static int plan_alone(struct build *build, xc_interface *xch,
                      struct xlnuma_host *host, const uint64_t claimed_kb[],
                      char *message)
{
    int rc = xlnuma__host_from_xen(host, build->ctx, xch, &build->low_width,
                                   message);

    if (rc)
        return rc;
    if (xlnuma_nodeset_count(host->nodes) < 2) {
        build->is_strict = false; /* the one node is what it demands */
        return xlnuma__fail(message, XLNUMA_ERR_NONUMA,
                            "the host has one NUMA node");
    }
    forget_foreign_nodes(build, host);
    if (build->request.nr_devices)
        xlnuma__host_add_devices(host, build->ctx);
    xlnuma__load_note(xch);
    xlnuma__claims_apply(host, claimed_kb);
    build->request.wants_alternatives = false; /* the report has the reason */
    return xlnuma__plan_with_vnodes(host, &build->request, build->plan,
                                    message);
}

/*
 * What the build may take of each node: its share, and what an extent that is
 * kept whole may take beyond it (core/extent.c) where there are several nodes.
 */
static void get_claim(const struct build *build, const struct xlnuma_host *host,
                      uint64_t kb[])
{
    const struct xlnuma_plan *plan = build->plan;
    uint64_t unit_kb = build->has_1g ? 1024 * 1024 : 2048;
    unsigned i;

    memset(kb, 0, XLNUMA_NODES_MAX * sizeof(*kb));
    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        uint64_t usable_kb = xlnuma__usable_kb(&host->node[i]);
        uint64_t whole_kb = (plan->memory_kb[i] + unit_kb - 1) / unit_kb;

        whole_kb *= unit_kb;
        kb[i] = plan->memory_kb[i];
        if (xlnuma_nodeset_count(plan->nodes) > 1)
            kb[i] = whole_kb < usable_kb ? whole_kb : usable_kb;
    }
}

int xlnuma__build_plan(struct build *build, xc_interface *xch,
                       struct xlnuma_host *host, struct xlnuma__claim *before,
                       char *message)
{
    uint64_t claimed_kb[XLNUMA_NODES_MAX] = { 0 }, kb[XLNUMA_NODES_MAX];
    char why[XLNUMA_MESSAGE_SIZE];
    bool has_turn = !xlnuma__claims_begin(true, why);
    int rc;

    if (before)
        xlnuma__claim_drop(before);
    /* Claims first: what is taken meanwhile then counts twice, not never. */
    if (has_turn)
        xlnuma__claims_read(xch, claimed_kb);
    rc = plan_alone(build, xch, host, claimed_kb, message);
    if (!rc && build->plan->status == XLNUMA_STATUS_PLACED) {
        get_claim(build, host, kb);
        if (has_turn)
            xlnuma__claim_make(&build->claim, xch, build->domid, kb, why);
        if (*why)
            LOG(build, WARN,
                "domain %" PRIu32 " (%s): %s: guests that are built at the "
                "same moment may be planned on the same memory",
                build->domid, build->request.name, why);
    }
    if (has_turn)
        xlnuma__claims_end();
    return rc;
}

/* Stock libxl took so much, nobody knows where: most likely as planned. */
void xlnuma__build_claim_any(struct build *build, uint64_t kb)
{
    for (unsigned i = 0; kb && i < XLNUMA_NODES_MAX; i++) {
        uint64_t left_kb = build->claim.left_kb[i];
        uint64_t part_kb = kb < left_kb ? kb : left_kb;

        xlnuma__claim_taken(&build->claim, i, part_kb);
        kb -= part_kb;
    }
}
