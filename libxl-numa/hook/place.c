/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done when a domain has its vCPUs: host, request, plan, affinities.
 * Does not touch memory.
 */
#include "hook/build.h"

#include <errno.h>
#include <inttypes.h>

/* Host, plan and affinities; whatever is missing is in message. */
static int plan_build(struct build *build, xc_interface *xch, char *message)
{
    libxl_defbool *placement = &build->config->b_info.numa_placement;
    struct xlnuma_host *host = xlnuma_host_new();
    int rc;

    if (!host || !(build->plan = xlnuma_plan_new())) {
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        goto out;
    }
    rc = xlnuma__build_plan(build, xch, host, NULL, message);
    if (rc || build->plan->status != XLNUMA_STATUS_PLACED)
        goto out;
    build->owns_vcpus =
        !libxl_defbool_is_default(*placement) && libxl_defbool_val(*placement);
    rc = xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, build->plan,
                       build->owns_vcpus, message);
    if (rc)
        goto out;
    /* Keep libxl from placing over it; affinities_set() puts it back. */
    if (build->owns_vcpus) {
        libxl_defbool_set(placement, false);
        build->holds_placement_back = true;
    }
    xlnuma__extents_init(&build->extents, host, build->plan);
    if (build->is_strict)
        build->extents.nr_ranked = 0; /* no other node will do */
    build->is_steering = true;
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

/* No plan, and why: for the report. Without memory for it there is none. */
static void leave_to_libxl(struct build *build, const char *why)
{
    xlnuma__claim_drop(&build->claim);
    xlnuma_plan_free(build->plan);
    build->plan = xlnuma_plan_new();
    if (!build->plan && !build->has_failed)
        LOG(build, WARN,
            "domain %" PRIu32 ": out of memory: \"xl numa-placement\" will not "
            "know that it is left to libxl",
            build->domid);
    if (!build->plan)
        return;
    build->plan->status = XLNUMA_STATUS_OFF;
    build->plan->policy = build->request.policy;
    build->plan->memory = build->request.memory;
    snprintf(build->plan->reason, sizeof(build->plan->reason), "%s", why);
}

/* The keys that xl-numa.conf has for this guest; a wrong file has none. */
static void apply_conf(struct build *build)
{
    const char *name = build->config->c_info.name;
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];

    if (xlnuma__conf_read(&settings, name ? name : "", message))
        LOG(build, WARN,
            "domain %" PRIu32 " (%s): %s: placed as if that file were not "
            "there",
            build->domid, build->request.name, message);
    xlnuma__settings_apply(&settings, &build->request);
}

/* The build of a domain that has its vCPUs now; NULL: nothing more to do. */
static struct build *bind_build(xc_interface *xch, uint32_t domid,
                                unsigned nr_vcpus, uint32_t *poolid_r,
                                char *message)
{
    struct build *build = xlnuma__build_bind(xch, domid, poolid_r, message);

    if (build)
        build->nr_vcpus = nr_vcpus;
    else if (*message)
        xtl_log(xlnuma__build_logger(), XTL_WARN, -1, "xl-numa",
                "domain %" PRIu32 ": %s: placement is left to libxl", domid,
                message);
    else
        xlnuma__stubdom_begin(xch, domid, nr_vcpus);
    return build;
}

int xlnuma__build_vcpus_set(xc_interface *xch, uint32_t domid,
                            unsigned nr_vcpus)
{
    char message[XLNUMA_MESSAGE_SIZE], unbound[XLNUMA_MESSAGE_SIZE];
    struct build *build;
    const char *why;
    uint32_t poolid;
    int rc;

    build = bind_build(xch, domid, nr_vcpus, &poolid, unbound);
    if (!build)
        return 0;
    if (!xlnuma__config_wants_placement(build->config, &why)) {
        build->request.policy = XLNUMA_POLICY_NONE;
        leave_to_libxl(build, why);
        return 0;
    }
    rc = xlnuma__request_from_config(&build->request, build->ctx, poolid,
                                     build->config, message);
    if (*unbound)
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN, "%s", unbound);
    apply_conf(build);
    xlnuma__build_apply_file(build);
    build->is_strict = xlnuma__is_strict(build->request.policy);
    if (build->request.policy == XLNUMA_POLICY_NONE) {
        leave_to_libxl(build, "numa_policy is none");
        return 0;
    }
    if (!rc)
        rc = plan_build(build, xch, message);
    if (rc) {
        build->has_failed = true;
        leave_to_libxl(build, message);
        return give_up(build, message);
    }
    if (build->plan->status == XLNUMA_STATUS_UNPLACED)
        return give_up(build, build->plan->reason);
    if (!build->is_restored) {
        xlnuma__build_progress_begin(build);
        return 0;
    }
    if (!xlnuma__build_hand_over(build, message))
        return 0;
    if (build->is_strict)
        return give_up(build, message);
    LOG(build, WARN, "domain %" PRIu32 " (%s): %s: its memory is left to Xen",
        build->domid, build->request.name, message);
    return 0;
}

int xlnuma__build_follow(struct build *build, xlnuma_nodeset nodes,
                         char *message)
{
    struct xlnuma_host *host = xlnuma_host_new();
    int rc;

    if (!host)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    rc = xlnuma_host_from_xen(host, build->ctx, message);
    if (!rc) {
        xlnuma__plan_follow(build->plan, host, &build->request, nodes,
                            build->extents.done_kb);
        rc = xlnuma__apply(build->ctx, build->domid, build->nr_vcpus,
                           build->plan, build->owns_vcpus, message);
    }
    xlnuma_host_free(host);
    return rc;
}

void xlnuma__build_affinities_set(uint32_t domid)
{
    struct build *build = xlnuma__build_find(domid);

    if (build && build->is_stubdom)
        xlnuma__stubdom_apply(build);
    else if (build)
        xlnuma__build_give_back(build);
}
