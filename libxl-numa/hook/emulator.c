/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: on which of Domain-0's vCPUs a domain's device model runs. They are chosen
 * when the domain is built, in this process, for a child that will become the device
 * model. Domain-0's vCPUs are left where they are.
 */
#include "planner/emulator.h"
#include "hook/services.h"
#include "xen/dom0_vcpus.h"
#include "xen/host.h"

#include <errno.h>
#include <string.h>

/* --- what the children are to have ------------------------------------------ */

/*
 * The latest builds; libxl starts a device model as soon as its domain is built. No
 * list that grows: an asynchronous build that fails is not reported. Other threads
 * change it with the builds' lock held, so a child finds it whole.
 */
#define NR_CHOICES 256

static struct {
    bool is_set;
    uint32_t domid;
    cpu_set_t vcpus;
} choice[NR_CHOICES];
static unsigned nr_choices; /* the first that were ever used */

/* With the builds' lock held: an earlier domain's of that number. */
static void forget(uint32_t domid)
{
    for (unsigned i = 0; i < nr_choices; i++)
        if (choice[i].domid == domid)
            choice[i].is_set = false;
}

static void remember(uint32_t domid, const xlnuma_cpuset *vcpus)
{
    static unsigned next;
    cpu_set_t set;

    CPU_ZERO(&set);
    for (unsigned i = 0; i < CPU_SETSIZE; i++)
        if (xlnuma_cpuset_has(vcpus, i))
            CPU_SET(i, &set);
    xlnuma__builds_lock();
    forget(domid);
    if (CPU_COUNT(&set)) {
        choice[next].is_set = true;
        choice[next].domid = domid;
        choice[next].vcpus = set;
        if (nr_choices == next)
            nr_choices++;
        next = (next + 1) % NR_CHOICES;
    }
    xlnuma__builds_unlock();
}

const cpu_set_t *xlnuma__emulator_find(uint32_t domid)
{
    for (unsigned i = 0; i < nr_choices; i++)
        if (choice[i].is_set && choice[i].domid == domid)
            return &choice[i].vcpus;
    return NULL;
}

/* --- choosing ----------------------------------------------------------------- */

/* Only those that this process may run on: it may have been confined. */
static int leave_own(struct xlnuma__dom0_vcpus *dom0, char *message)
{
    unsigned nr = 0;
    cpu_set_t own;

    if (sched_getaffinity(0, sizeof(own), &own))
        return xlnuma__fail(message, XLNUMA_ERR_IO,
                            "which vCPUs of Domain-0 this program may run on: "
                            "%s",
                            strerror(errno));
    for (unsigned i = 0; i < dom0->nr; i++)
        if (dom0->vcpu[i].id < CPU_SETSIZE && CPU_ISSET(dom0->vcpu[i].id, &own))
            dom0->vcpu[nr++] = dom0->vcpu[i];
    dom0->nr = nr;
    return 0;
}

static int choose(struct build *build, struct xlnuma_host *host,
                  struct xlnuma__dom0_vcpus *dom0, char *message)
{
    const struct xlnuma_plan *plan =
        build->actual ? build->actual : build->plan;
    int rc = xlnuma_host_from_xen(host, build->ctx, message);

    if (!rc)
        rc = xlnuma__dom0_vcpus_read(dom0, build->ctx, message);
    if (!rc)
        rc = leave_own(dom0, message);
    if (rc)
        return rc;
    xlnuma__emulator_choose(host, dom0, plan ? plan->nodes : 0,
                            build->request.emulator, &build->emulator_set,
                            &build->emulator_vcpus);
    return 0;
}

/* Why it is left as it is. Without a set it is a wish that this host cannot meet. */
static void say_left(const struct build *build, const char *message)
{
    char list[64];

    if (*message)
        xlnuma__build_say(build, XTL_WARN,
                          "%s: its device model may run on all vCPUs of "
                          "Domain-0",
                          message);
    else if (xlnuma_cpuset_count(&build->emulator_set))
        xlnuma__build_say(
            build, XTL_WARN,
            "numa_emulator_vcpus in xl-numa.conf is \"%s\", of which this "
            "program has none: its device model may run on all vCPUs of "
            "Domain-0",
            xlnuma_cpuset_format(&build->emulator_set, list, sizeof(list)));
    else if (build->is_hvm && !xlnuma__build_is_quiet())
        xlnuma__build_say(
            build, XTL_INFO,
            "numa_emulator is \"near\", but no vCPU of Domain-0 is pinned near "
            "it (xl numa-placement host): its device model may run on all");
}

void xlnuma__build_choose_emulator(struct build *build)
{
    struct xlnuma__dom0_vcpus dom0 = { 0 };
    char message[XLNUMA_MESSAGE_SIZE] = "";
    struct xlnuma_host *host;

    if (build->request.emulator == XLNUMA_EMULATOR_ANY &&
        !xlnuma_cpuset_count(&build->emulator_set)) {
        xlnuma__builds_lock();
        forget(build->domid);
        xlnuma__builds_unlock();
        return;
    }
    host = xlnuma_host_new();
    if (!host)
        (void)xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    else
        (void)choose(build, host, &dom0, message);
    xlnuma_host_free(host);
    xlnuma__dom0_vcpus_dispose(&dom0);
    remember(build->domid, &build->emulator_vcpus);
    if (!xlnuma_cpuset_count(&build->emulator_vcpus))
        say_left(build, message);
}
