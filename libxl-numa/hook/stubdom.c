/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moment: a guest's stub domain, which has its device model, has its vCPUs. It is
 * placed as any other guest, but among its guest's nodes alone. libxl builds it when
 * its guest is built, from a configuration of its own and with a uuid of its own.
 * It is identified by its name: xenstore says only later whose it is.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "xen/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX "-dm" /* libxl__stub_dm_name() */

/* The name of a domain, the caller's to free; or NULL and errno. */
static char *read_name(uint32_t domid)
{
    struct xs_handle *xs = xs_open(0);
    char path[64], *name;
    unsigned length;
    int err;

    if (!xs)
        return NULL;
    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", domid);
    name = xs_read(xs, XBT_NULL, path, &length);
    err = errno;
    xs_close(xs);
    errno = err;
    return name;
}

/* The guest that waits for this stub domain: taken from the list, or NULL. */
static struct build *take_guest(uint32_t domid)
{
    const size_t suffix = strlen(SUFFIX);
    struct build *guest = NULL;
    char *name;
    size_t length;

    if (!xlnuma__build_is_waiting())
        return NULL;
    name = read_name(domid);
    if (!name) {
        xlnuma__say_of(xlnuma__build_logger(), domid,
                       "its name, in xenstore: %s: if it is a "
                       "stub domain, its placement is left to libxl",
                       strerror(errno));
        return NULL;
    }
    length = strlen(name);
    if (length > suffix && !strcmp(name + length - suffix, SUFFIX)) {
        name[length - suffix] = '\0';
        guest = xlnuma__build_take_waiting(name);
    }
    free(name);
    return guest;
}

/*
 * It is on its guest's nodes, and its vCPUs stay where its guest's do: by hard
 * affinity too, unless the guest is in another cpupool than Pool-0, into which libxl
 * puts stub domains.
 */
static void restrict_to_guest(struct build *stubdom, const struct build *guest)
{
    struct xlnuma_request *request = &stubdom->request;
    const struct xlnuma_plan *plan =
        guest->actual ? guest->actual : guest->plan;
    bool is_pinned = guest->has_hard && guest->poolid == 0;

    request->nodes = plan->memory_nodes;
    request->has_cpus = xlnuma_cpuset_count(&plan->soft_cpus);
    request->cpus = is_pinned ? plan->hard_cpus : plan->soft_cpus;
    request->affinity =
        is_pinned ? XLNUMA_AFFINITY_SOCKET : XLNUMA_AFFINITY_SOFT;
    memset(&stubdom->hard_before, 0xff, sizeof(stubdom->hard_before));
}

/*
 * That of a guest with dedicated CPUs stays off these: it takes those of Pool-0 that
 * are nearest to the guest's memory.
 */
static int restrict_to_pool_0(struct build *stubdom, xc_interface *xch,
                              char *message)
{
    stubdom->request.has_cpus = false;
    stubdom->request.affinity = XLNUMA_AFFINITY_SOCKET;
    return xlnuma__request_add_pool_of_build(&stubdom->request, xch, 0,
                                             message);
}

/* The stub domain's own plan, on its guest's nodes and CPUs. */
static int plan_stubdom(struct build *stubdom, struct build *guest,
                        xc_interface *xch, char *message)
{
    struct xlnuma_request *request = &stubdom->request;
    int rc = 0;

    snprintf(request->name, sizeof(request->name), "%.*s" SUFFIX,
             (int)(sizeof(request->name) - sizeof(SUFFIX)),
             guest->request.name);
    request->memory_kb = stubdom->least_kb = guest->stubdom_kb;
    request->nr_vcpus = stubdom->nr_vcpus;
    restrict_to_guest(stubdom, guest);
    if (xlnuma__build_is_dedicated(guest))
        rc = restrict_to_pool_0(stubdom, xch, message);
    if (!rc)
        rc = xlnuma__build_steer(stubdom, xch, &guest->reservation, message);
    return rc || stubdom->phase == PHASE_STEERED
               ? rc
               : xlnuma__fail(message, XLNUMA_ERR_INVALID, "%s",
                              stubdom->plan->reason);
}

/* By it an asynchronous build is known to be alive; libxl has chosen it. */
static int read_uuid(struct build *stubdom, xc_interface *xch, char *message)
{
    xc_domaininfo_t info;
    int nr = xc_domain_getinfolist(xch, stubdom->domid, 1, &info);

    if (nr != 1 || info.domain != stubdom->domid)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell of it: %s",
                            strerror(nr < 0 ? errno : ESRCH));
    memcpy(stubdom->uuid.uuid, info.handle, sizeof(info.handle));
    return 0;
}

/* Of the guest's call, which ends with both. NULL: no memory. */
static struct build *new_stubdom(const struct build *guest, uint32_t domid,
                                 unsigned nr_vcpus)
{
    struct build *stubdom = xlnuma__build_new(guest->ctx, guest->lg);

    if (!stubdom)
        return NULL;
    stubdom->id = guest->id;
    stubdom->domid = domid;
    stubdom->nr_vcpus = nr_vcpus;
    stubdom->is_async = guest->is_async;
    stubdom->owns_vcpus = true;
    stubdom->request.emulator = guest->request.emulator;
    stubdom->emulator_set = guest->emulator_set;
    return stubdom;
}

/* NULL, and a warning, unless it is that the host has one node. */
static struct build *planned_stubdom(struct build *guest, xc_interface *xch,
                                     uint32_t domid, unsigned nr_vcpus)
{
    char message[XLNUMA_MESSAGE_SIZE] = "out of memory";
    struct build *stubdom = new_stubdom(guest, domid, nr_vcpus);
    int rc = stubdom ? read_uuid(stubdom, xch, message) : XLNUMA_ERR_NOMEM;

    if (!rc)
        rc = plan_stubdom(stubdom, guest, xch, message);
    if (!rc)
        return stubdom;
    if (rc != XLNUMA_ERR_NONUMA)
        xlnuma__say_of(guest->lg, domid,
                       "stub domain (%s" SUFFIX
                       "): %s: placement is left to libxl",
                       guest->request.name, message);
    if (stubdom)
        xlnuma__build_free(stubdom);
    return NULL;
}

bool xlnuma__on_stubdom(xc_interface *xch, uint32_t domid, unsigned nr_vcpus)
{
    struct build *guest = take_guest(domid), *stubdom;

    if (!guest)
        return false;
    stubdom = planned_stubdom(guest, xch, domid, nr_vcpus);
    if (stubdom)
        xlnuma__build_add(stubdom);
    xlnuma__build_free(guest);
    return stubdom;
}
