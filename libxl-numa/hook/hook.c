/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's entry: which build, if any, a moment is of. What is done then is in
 * the moments' files, in order of time: config, begin, vcpus (stubdom), image, memory,
 * pod, restore (helper), built, stored, exec; reset. Whatever fails there is logged
 * once and leaves the build to stock libxl, unless the guest's policy is strict.
 */
#include "hook/hook.h"

#include <errno.h>
#include <pthread.h>

#include "hook/marker.h"
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/reservations.h"

XLNUMA_MARKER(XLNUMA_MARKER_LIBRARY);

static void created(uint64_t id, const libxl_domain_config *config,
                    uint32_t domid)
{
    xlnuma__on_reset_end(domid); /* of an earlier domain of that number */
    xlnuma__on_created(id, config, domid);
}

static int vcpus_set(xc_interface *xch, uint32_t domid, unsigned nr_vcpus,
                     bool *owns_affinities_r, unsigned *nr_hard_r)
{
    struct build *build;
    int r;

    xlnuma__build_drop_dead(xch);
    build = xlnuma__build_enter(domid);
    if (!build) {
        *owns_affinities_r = xlnuma__reset_is_on(domid) ||
                             xlnuma__on_stubdom(xch, domid, nr_vcpus);
        return 0;
    }
    r = xlnuma__on_vcpus(build, xch, nr_vcpus);
    *owns_affinities_r = build->phase == PHASE_STEERED && build->owns_vcpus;
    *nr_hard_r = build->has_hard ? build->nr_hard : 0;
    xlnuma__build_leave(build);
    return r;
}

static void image_parsed(struct xc_dom_image *dom)
{
    struct build *build = xlnuma__build_enter(dom->guest_domid);

    if (build)
        xlnuma__on_image(build, dom);
    xlnuma__build_leave(build);
}

static void memory_map(uint32_t domid, struct e820entry e820[], uint32_t nr)
{
    struct build *build = xlnuma__build_enter(domid);

    if (build)
        xlnuma__on_memory_map(build, e820, nr);
    xlnuma__build_leave(build);
}

static int populate(const struct xlnuma__next *next, bool is_exact,
                    xc_interface *xch, uint32_t domid, unsigned long nr,
                    unsigned order, unsigned mem_flags, xen_pfn_t *extent)
{
    struct build *build = xlnuma__build_enter(domid);
    int r = xlnuma__on_memory(build, next, is_exact, xch, domid, nr, order,
                              mem_flags, extent);
    int err = errno;

    xlnuma__build_leave(build);
    errno = err;
    return r;
}

static int set_pod_target(const struct xlnuma__next *next, xc_interface *xch,
                          uint32_t domid, uint64_t target_pages,
                          uint64_t *tot_pages, uint64_t *pod_cache_pages,
                          uint64_t *pod_entries)
{
    struct build *build = xlnuma__build_enter(domid);

    if (build)
        xlnuma__on_pod(build, next, xch, target_pages);
    xlnuma__build_leave(build);
    return next->set_pod_target(xch, domid, target_pages, tot_pages,
                                pod_cache_pages, pod_entries);
}

static int restored(uint32_t domid)
{
    struct build *build = xlnuma__build_enter(domid);
    int r = build ? xlnuma__on_restored(build) : 0;

    xlnuma__build_leave(build);
    return r;
}

static void built(struct xs_handle *xs, uint32_t domid)
{
    struct build *build = xlnuma__build_take(domid);

    if (build)
        xlnuma__on_built(build, xs);
    else
        xlnuma__on_reset_built(xs, domid);
}

/* A child of a process with threads may go on to build: no lock is held there. */
static void before_fork(void)
{
    xlnuma__builds_lock();
}

static void after_fork(void)
{
    xlnuma__builds_unlock();
}

static void after_fork_in_child(void)
{
    xlnuma__builds_unlock();
    xlnuma__reservations_forked();
}

/* Called once. */
const struct xlnuma__hook *xlnuma__hook_find(unsigned version, size_t hook_size,
                                             size_t next_size)
{
    static const struct xlnuma__hook hook = {
        .config_read = xlnuma__on_config_read,
        .begin = xlnuma__on_begin,
        .created = created,
        .returned = xlnuma__on_returned,
        .reset_begin = xlnuma__on_reset_begin,
        .reset_end = xlnuma__on_reset_end,
        .vcpus_set = vcpus_set,
        .image_parsed = image_parsed,
        .memory_map = memory_map,
        .populate = populate,
        .set_pod_target = set_pod_target,
        .restore_begin = xlnuma__on_helper_begin,
        .restore_end = xlnuma__on_helper_end,
        .restored = restored,
        .built = built,
        .stored = xlnuma__on_stored,
        .executes = xlnuma__on_exec,
    };

    if (version != XLNUMA__HOOK_VERSION || hook_size != sizeof(hook) ||
        next_size != sizeof(struct xlnuma__next))
        return NULL;
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
    return &hook;
}
