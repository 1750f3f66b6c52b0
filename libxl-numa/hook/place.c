/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done when a domain has its vCPUs: host, request, plan, affinities.
 * Does not touch memory.
 */
#include "hook/build.h"
#include "planner/plan.h"
#include "xen/apply.h"
#include "xen/host.h"
#include "xen/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Host, plan and affinities; whatever is missing is in message. */
static int plan_build(struct build *build, xc_interface *xch, char *message)
{
    struct xlnuma_host *host = xlnuma_host_new();
    int rc;

    if (!host || !(build->plan = xlnuma_plan_new())) {
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        goto out;
    }
    rc = xlnuma__build_plan(build, xch, host, NULL, message);
    if (rc || build->plan->status != XLNUMA_STATUS_PLACED)
        goto out;
    rc = xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, build->plan,
                       build->owns_vcpus, NULL, message);
    if (rc)
        goto out;
    build->has_hard = build->owns_vcpus && build->plan->has_hard_cpus;
    xlnuma__extents_init(&build->extents, host, build->plan);
    if (build->is_strict)
        build->extents.nr_ranked = 0; /* no other node will do */
    build->phase = PHASE_STEERED;
    build->outcome.status = BUILD_PLANNED;
    snprintf(build->outcome.reason, sizeof(build->outcome.reason), "%s",
             build->plan->reason);
    xlnuma__vnuma_begin(build);
out:
    xlnuma_host_free(host);
    return rc;
}

/* The build goes on as stock libxl would do it, or not at all. */
static int give_up(struct build *build, const char *why)
{
    if (build->is_strict) {
        LOG(build, ERROR,
            "domain %" PRIu32 " (%s): %s: not built, as "
            "numa_policy=\"%s\" demands",
            build->domid, build->request.name, why,
            xlnuma_policy_name(build->request.policy));
        errno = ENOMEM;
        return -1;
    }
    LOG(build, WARN, "domain %" PRIu32 " (%s): %s: placement is left to libxl",
        build->domid, build->request.name, why);
    return 0;
}

/* As give_up(), and what may help on a host whose memory is Domain-0's. */
static int give_up_full(struct build *build, xc_interface *xch)
{
    char hint[XLNUMA_MESSAGE_SIZE], why[2 * XLNUMA_MESSAGE_SIZE + 4];
    bool has_hint = xlnuma__dom0_holds_most(build->ctx, xch, hint);

    snprintf(why, sizeof(why), "%s%s%s%s", build->outcome.reason,
             has_hint ? " (" : "", hint, has_hint ? ")" : "");
    return give_up(build, why);
}

/* No plan, and why: for the report. */
static void leave_to_libxl(struct build *build, enum build_status status,
                           const char *why)
{
    build->phase = PHASE_LEFT;
    build->outcome.status = status;
    snprintf(build->outcome.reason, sizeof(build->outcome.reason), "%s", why);
    xlnuma__reservation_drop(&build->reservation);
    xlnuma_plan_free(build->plan);
    build->plan = NULL;
}

/* Only the CPUs of the pool that libxl has put the domain into. */
static int read_pool(struct build *build, xc_interface *xch, char *message)
{
    xc_domaininfo_t info;
    int nr = xc_domain_getinfolist(xch, build->domid, 1, &info);

    if (nr != 1 || info.domain != build->domid)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell of it: %s",
                            strerror(nr < 0 ? errno : ESRCH));
    build->poolid = info.cpupool;
    return xlnuma__request_add_pool(&build->request, build->ctx, info.cpupool,
                                    message);
}

/* A restored domain's memory comes by another process, which has to know. */
static int hand_over(struct build *build)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (!xlnuma__build_hand_over(build, message))
        return 0;
    if (build->is_strict)
        return give_up(build, message);
    LOG(build, WARN, "domain %" PRIu32 " (%s): %s: its memory is left to Xen",
        build->domid, build->request.name, message);
    return 0;
}

static int place(struct build *build, xc_interface *xch)
{
    char message[XLNUMA_MESSAGE_SIZE];
    int rc;

    if (build->why_not)
        build->request.policy = XLNUMA_POLICY_NONE;
    if (build->request.policy == XLNUMA_POLICY_NONE) {
        leave_to_libxl(build, BUILD_OFF,
                       build->why_not ? build->why_not : "numa_policy is none");
        return 0;
    }
    build->is_strict = xlnuma__is_strict(build->request.policy);
    rc = read_pool(build, xch, message);
    if (!rc)
        rc = plan_build(build, xch, message);
    if (rc == XLNUMA_ERR_NONUMA) { /* nothing to choose, and nothing to say */
        leave_to_libxl(build, BUILD_OFF, message);
        return 0;
    }
    if (rc) {
        leave_to_libxl(build, BUILD_FAILED, message);
        return give_up(build, message);
    }
    if (build->phase != PHASE_STEERED) {
        leave_to_libxl(build, BUILD_UNPLACED, build->plan->reason);
        return give_up_full(build, xch);
    }
    if (build->source == MEMORY_HELPERS)
        return hand_over(build);
    xlnuma__build_progress_begin(build);
    return 0;
}

int xlnuma__build_vcpus_set(xc_interface *xch, uint32_t domid,
                            unsigned nr_vcpus, bool *owns_affinities_r,
                            unsigned *nr_hard_r)
{
    struct build *build;
    int r;

    xlnuma__build_drop_dead(xch);
    build = xlnuma__build_enter(domid);
    if (!build) {
        *owns_affinities_r = xlnuma__reset_is_on(domid) ||
                             xlnuma__stubdom_begin(xch, domid, nr_vcpus);
        return 0;
    }
    build->nr_vcpus = nr_vcpus;
    r = place(build, xch);
    *owns_affinities_r = build->phase == PHASE_STEERED && build->owns_vcpus;
    *nr_hard_r = build->has_hard ? build->nr_hard : 0;
    xlnuma__build_leave(build);
    return r;
}

/* In place of the affinities that are set. */
static int apply_again(struct build *build, const struct xlnuma_plan *actual,
                       char *message)
{
    const xlnuma_cpuset *hard_before =
        build->request.has_own_affinity ? NULL : &build->hard_before;
    int rc = xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, actual,
                           build->owns_vcpus, hard_before, message);

    build->has_hard = !rc && build->owns_vcpus && actual->has_hard_cpus;
    return rc;
}

int xlnuma__build_unpin(struct build *build, char *message)
{
    struct xlnuma_plan *actual;
    int rc;

    *message = '\0';
    if (!build->has_hard)
        return 0;
    actual = xlnuma_plan_new();
    if (!actual)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    *actual = *build->plan;
    actual->has_hard_cpus = false;
    rc = apply_again(build, actual, message);
    xlnuma_plan_free(actual);
    return rc;
}

/* On an own copy of the plan, which stays what was planned. */
static int follow(struct build *build, xlnuma_nodeset nodes,
                  struct xlnuma_host *host, struct xlnuma_plan *actual,
                  char *message)
{
    int rc = xlnuma_host_from_xen(host, build->ctx, message);

    if (rc)
        return rc;
    *actual = *build->plan;
    xlnuma__plan_follow(actual, host, &build->request, nodes,
                        build->extents.done_kb);
    rc = apply_again(build, actual, message);
    if (!rc)
        xlnuma__vnuma_affinities(build);
    return rc;
}

int xlnuma__build_follow(struct build *build, xlnuma_nodeset nodes,
                         char *message)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma_plan *actual = xlnuma_plan_new();
    int rc = host && actual
                 ? follow(build, nodes, host, actual, message)
                 : xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");

    if (rc)
        xlnuma_plan_free(actual);
    else
        build->actual = actual;
    xlnuma_host_free(host);
    return rc;
}
