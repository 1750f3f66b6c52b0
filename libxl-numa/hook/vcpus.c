/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moment: a domain has its vCPUs. Host, request, plan, affinities. Does not touch
 * memory.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/host.h"
#include "xen/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The build goes on as stock libxl would do it, or not at all. */
static int give_up(struct build *build, const char *why)
{
    if (build->is_strict || xlnuma__build_is_dedicated(build)) {
        xlnuma__build_say_refused(build, "%s", why);
        errno = ENOMEM;
        return -1;
    }
    xlnuma__build_say(build, XTL_WARN, "%s: placement is left to libxl", why);
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
static void leave_to_libxl(struct build *build, enum xlnuma__built status,
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
    return xlnuma__request_add_pool_of_build(&build->request, xch, info.cpupool,
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
    xlnuma__build_say(build, XTL_WARN, "%s: its memory is left to Xen",
                      message);
    return 0;
}

int xlnuma__on_vcpus(struct build *build, xc_interface *xch, unsigned nr_vcpus)
{
    char message[XLNUMA_MESSAGE_SIZE];
    int rc;

    build->nr_vcpus = nr_vcpus;
    if (build->no_dedicated) {
        leave_to_libxl(build, XLNUMA__BUILT_FAILED, build->no_dedicated);
        return give_up(build, build->no_dedicated);
    }
    if (build->why_not)
        build->request.policy = XLNUMA_POLICY_NONE;
    if (build->request.policy == XLNUMA_POLICY_NONE) {
        leave_to_libxl(build, XLNUMA__BUILT_OFF,
                       build->why_not ? build->why_not : "numa_policy is none");
        return 0;
    }
    build->is_strict = xlnuma__is_strict(build->request.policy);
    rc = xlnuma__build_is_dedicated(build) ? 0 : read_pool(build, xch, message);
    if (!rc)
        rc = xlnuma__build_steer(build, xch, NULL, message);
    if (rc == XLNUMA_ERR_NONUMA) { /* nothing to choose, and nothing to say */
        leave_to_libxl(build, XLNUMA__BUILT_OFF, message);
        return 0;
    }
    if (rc) {
        leave_to_libxl(build, XLNUMA__BUILT_FAILED, message);
        return give_up(build, message);
    }
    if (build->phase != PHASE_STEERED) {
        leave_to_libxl(build, XLNUMA__BUILT_UNPLACED, build->plan->reason);
        return give_up_full(build, xch);
    }
    if (build->source == MEMORY_HELPERS)
        return hand_over(build);
    xlnuma__build_progress_begin(build);
    return 0;
}
