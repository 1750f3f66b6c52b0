/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Builds plan one after the other, on every host's memory that none has reserved,
 * and reserve what they were planned to take until they have taken it. A build
 * that cannot do so is planned all the same: exact nodes, and a strict policy,
 * do not depend on reservations.
 */
#include "hook/services.h"
#include "vnodes/vnodes.h"
#include "xen/dedicated.h"
#include "xen/host.h"

#include <string.h>
#include <time.h>

/* How long a strict build waits for others, with libxl's lock held. */
#define WAIT_S 10
#define WAITS_A_S 5

/* Of 5 s each. */
#define DEDICATED_TURNS 6

/* A guest from another host may name nodes that this one does not have. */
static void forget_foreign_nodes(struct build *build,
                                 const struct xlnuma_host *host)
{
    char foreign[XLNUMA__LIST_SIZE], here[XLNUMA__LIST_SIZE];

    if (!build->has_kept || build->request.nodes & host->nodes)
        return;
    xlnuma__build_say(
        build, XTL_WARN,
        "numa_nodes, kept since it was built, is "
        "\"%s\", and this host has nodes %s: numa_nodes is ignored",
        xlnuma_nodeset_format(build->request.nodes, foreign, sizeof(foreign)),
        xlnuma_nodeset_format(host->nodes, here, sizeof(here)));
    build->request.nodes = build->conf_nodes;
}

/*
 * Where Domain-0 has all memory xl frees as much as libxl says that a guest needs,
 * and of that Xen has taken some for the domain by now: what is left will do.
 */
static void fit_request(struct build *build, const struct xlnuma_host *host)
{
    uint64_t usable_kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        usable_kb += xlnuma__usable_kb(&host->node[i]);
    if (usable_kb < build->request.memory_kb && usable_kb >= build->least_kb)
        build->request.memory_kb = usable_kb;
}

/* Of nodes, which it has on one node of the host, too. */
static bool wants_number(const struct build *build)
{
    return build->request.guest_nodes > XLNUMA_GUEST_NODES_AUTO &&
           !build->request.no_guest_nodes;
}

static int plan_alone(struct build *build, xc_interface *xch,
                      struct xlnuma_host *host, bool notes_load,
                      const uint64_t reserved_kb[], char *message)
{
    int rc = xlnuma__host_from_xen(host, build->ctx, xch, notes_load,
                                   &build->low_width, message);

    if (rc)
        return rc;
    if (xlnuma__build_is_dedicated(build)) {
        rc = xlnuma__dedicated_read(host, build->ctx, xch, &build->poolid,
                                    message);
        if (rc)
            return rc;
    } else if (xlnuma_nodeset_count(host->nodes) < 2 && !wants_number(build)) {
        build->is_strict = false; /* the one node is what it demands */
        return xlnuma__fail(message, XLNUMA_ERR_NONUMA,
                            "the host has one NUMA node");
    }
    forget_foreign_nodes(build, host);
    if (build->request.nr_devices)
        xlnuma__host_add_devices(host, build->ctx);
    xlnuma__reservations_apply(host, reserved_kb);
    fit_request(build, host);
    build->request.wants_alternatives = false; /* the report has the reason */
    return xlnuma__plan_with_vnodes(host, &build->request, build->plan,
                                    message);
}

/*
 * A build that needs CPUs alone waits longer, for as many as have the turn before it:
 * it cannot go on without.
 */
static bool take_turn(const struct build *build, char *why)
{
    unsigned tries = xlnuma__build_is_dedicated(build) ? DEDICATED_TURNS : 1;

    while (tries-- && xlnuma__reservations_begin(why))
        ;
    return !*why;
}

/* Its CPUs, before anybody else can plan: two never have the same. */
static int take_cpus(struct build *build, const struct xlnuma_host *host,
                     char *message)
{
    return xlnuma__build_is_dedicated(build)
               ? xlnuma__dedicated_give(build->ctx, build->domid, build->poolid,
                                        host, build->plan, message)
               : 0;
}

/* Plan in turn with all builds of this host, and reserve what was planned. */
static int plan_in_turn(struct build *build, xc_interface *xch,
                        struct xlnuma_host *host,
                        struct xlnuma__reservation *before,
                        uint64_t reserved_kb[], char *message)
{
    char why[XLNUMA_MESSAGE_SIZE];
    bool has_turn = take_turn(build, why);
    int rc;

    if (!has_turn && xlnuma__build_is_dedicated(build))
        return xlnuma__fail(message, XLNUMA_ERR_IO,
                            "%.400s: another guest may get the same CPUs", why);

    memset(reserved_kb, 0, XLNUMA_NODES_MAX * sizeof(*reserved_kb));
    if (before)
        xlnuma__reservation_drop(before);
    /* Reservations first: what is taken meanwhile then counts twice, not never. */
    if (has_turn)
        xlnuma__reservations_read(xch, reserved_kb);
    rc = plan_alone(build, xch, host, has_turn, reserved_kb, message);
    if (!rc && build->plan->status == XLNUMA_STATUS_PLACED) {
        if (has_turn)
            xlnuma__reservation_make(&build->reservation, xch, build->domid,
                                     build->plan->memory_kb, why);
        if (*why)
            xlnuma__build_say(build, XTL_WARN,
                              "%s: guests that are built at the "
                              "same moment may be planned on the same memory",
                              why);
        rc = take_cpus(build, host, message);
    }
    if (has_turn)
        xlnuma__reservations_end();
    return rc;
}

/* Does it lack only what other builds have reserved? */
static bool lacks_reserved(const struct build *build, struct xlnuma_host *host,
                           const uint64_t reserved_kb[])
{
    static const uint64_t none_kb[XLNUMA_NODES_MAX];
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma_plan *plan;
    bool is_it;

    if (!memcmp(reserved_kb, none_kb, sizeof(none_kb)) ||
        !(plan = xlnuma_plan_new()))
        return false;
    xlnuma__reservations_apply(host, none_kb);
    is_it = !xlnuma__plan_with_vnodes(host, &build->request, plan, message) &&
            plan->status == XLNUMA_STATUS_PLACED;
    xlnuma__reservations_apply(host, reserved_kb);
    xlnuma_plan_free(plan);
    return is_it;
}

/* Until the reservations are others than these; false: that took too long. */
static bool wait_for_change(xc_interface *xch, const uint64_t reserved_kb[],
                            unsigned *nr_waits)
{
    static const struct timespec period = { .tv_nsec = 1000000000 / WAITS_A_S };
    uint64_t now_kb[XLNUMA_NODES_MAX];

    while ((*nr_waits)++ < WAIT_S * WAITS_A_S) {
        nanosleep(&period, NULL);
        xlnuma__reservations_look(xch, now_kb);
        if (memcmp(now_kb, reserved_kb, sizeof(now_kb)) != 0)
            return true;
    }
    return false;
}

int xlnuma__build_plan(struct build *build, xc_interface *xch,
                       struct xlnuma_host *host,
                       struct xlnuma__reservation *before, char *message)
{
    uint64_t reserved_kb[XLNUMA_NODES_MAX];
    unsigned nr_waits = 0;
    int rc;

    do {
        rc = plan_in_turn(build, xch, host, before, reserved_kb, message);
        if (rc || !(build->is_strict || xlnuma__build_is_dedicated(build)) ||
            build->plan->status == XLNUMA_STATUS_PLACED ||
            !lacks_reserved(build, host, reserved_kb))
            return rc;
        if (!nr_waits && !xlnuma__build_is_quiet())
            xlnuma__build_say(
                build, XTL_INFO,
                "builds in flight have reserved the "
                "memory that it needs: waiting for them, %d s at most",
                WAIT_S);
    } while (wait_for_change(xch, reserved_kb, &nr_waits));
    return rc;
}

bool xlnuma__build_may_exceed(struct build *build, xc_interface *xch,
                              unsigned node, unsigned order)
{
    uint64_t kb = (uint64_t)PAGE_KB << order;
    uint64_t done_kb = build->extents.done_kb[node];
    uint64_t share_kb = build->extents.planned_kb[node];
    uint64_t left_kb = done_kb < share_kb ? share_kb - done_kb : 0;

    return kb <= left_kb || xlnuma__reservation_move(&build->reservation, xch,
                                                     node, kb - left_kb);
}

/* Stock libxl allocated them, most likely as planned. */
void xlnuma__build_reserved_taken(struct build *build, uint64_t kb)
{
    for (unsigned i = 0; kb && i < XLNUMA_NODES_MAX; i++) {
        uint64_t left_kb = build->reservation.left_kb[i];
        uint64_t part_kb = kb < left_kb ? kb : left_kb;

        xlnuma__reservation_taken(&build->reservation, i, part_kb);
        kb -= part_kb;
    }
}
