/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guests of a host as a list, and what follows from what is known of one. */
#include "model/guests.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const xlnuma__vcpu_states[] = {
    [XLNUMA__VCPU_OFFLINE] = "offline",
    [XLNUMA__VCPU_RUNNING] = "running",
    [XLNUMA__VCPU_WAITING] = "waiting",
    [XLNUMA__VCPU_BLOCKED] = "blocked",
    NULL,
};

void xlnuma__vcpus_dispose(struct xlnuma__vcpus *vcpus)
{
    for (unsigned i = 0; i < vcpus->nr; i++) {
        free(vcpus->vcpu[i].hard);
        free(vcpus->vcpu[i].soft);
    }
    free(vcpus->vcpu);
    memset(vcpus, 0, sizeof(*vcpus));
}

void xlnuma__guests_dispose(struct xlnuma__guests *guests)
{
    for (unsigned i = 0; i < guests->nr; i++)
        xlnuma__vcpus_dispose(&guests->guest[i].vcpus);
    free(guests->guest);
    memset(guests, 0, sizeof(*guests));
}

void xlnuma__guests_drop_dom0(struct xlnuma__guests *guests)
{
    if (!guests->nr || !xlnuma__is_dom0(guests->guest))
        return;
    xlnuma__vcpus_dispose(&guests->guest->vcpus);
    memmove(guests->guest, guests->guest + 1,
            --guests->nr * sizeof(*guests->guest));
}

/* Room is made by doubling: full when nr is a power of two. */
struct xlnuma__guest *xlnuma__guests_add(struct xlnuma__guests *guests)
{
    struct xlnuma__guest *guest = guests->guest;

    if (!(guests->nr & (guests->nr - 1))) {
        size_t nr = guests->nr ? (size_t)guests->nr * 2 : 1;

        guest = reallocarray(guests->guest, nr, sizeof(*guest));
        if (!guest)
            return NULL;
        guests->guest = guest;
    }
    guest += guests->nr++;
    memset(guest, 0, offsetof(struct xlnuma__guest, report));
    xlnuma__report_init(&guest->report);
    return guest;
}

unsigned xlnuma__guests_count(const struct xlnuma__guests *guests)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < guests->nr; i++)
        nr += !xlnuma__is_dom0(&guests->guest[i]);
    return nr;
}

bool xlnuma__guest_id(const char *operand, uint32_t *domid_r)
{
    size_t nr_digits = strspn(operand, "0123456789");
    unsigned long id = strtoul(operand, NULL, 10);

    *domid_r = (uint32_t)id;
    return nr_digits && !operand[nr_digits] && id <= UINT32_MAX;
}

uint64_t xlnuma__guest_node_kb(const struct xlnuma__guest *guest, unsigned node)
{
    return guest->report.has_actual ? guest->report.actual_kb[node]
                                    : guest->report.planned_kb[node];
}

xlnuma_nodeset xlnuma__guest_nodes(const struct xlnuma__guest *guest)
{
    xlnuma_nodeset nodes = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        if (xlnuma__guest_node_kb(guest, node))
            nodes |= (xlnuma_nodeset)1 << node;
    return nodes;
}

xlnuma_nodeset xlnuma__guest_is_on(const struct xlnuma__guest *guest,
                                   const struct xlnuma_host *host)
{
    xlnuma_nodeset nodes = xlnuma__guest_nodes(guest);

    if (!nodes && guest->affinity != host->nodes)
        nodes = guest->affinity;
    return nodes;
}

void xlnuma__report_init(struct xlnuma__report *report)
{
    memset(report, 0, offsetof(struct xlnuma__report, vnode));
}

xlnuma_nodeset xlnuma__report_nodes(const struct xlnuma__report *report)
{
    xlnuma_nodeset nodes = report->nodes;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        if (report->planned_kb[node] || report->actual_kb[node])
            nodes |= (xlnuma_nodeset)1 << node;
    return nodes;
}

uint64_t xlnuma__guest_built_kb(const struct xlnuma__guest *guest)
{
    uint64_t kb = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        kb += xlnuma__guest_node_kb(guest, node);
    return kb;
}

const char *const xlnuma__built_names[] = {
    [XLNUMA__BUILT_PLACED] = "placed",
    [XLNUMA__BUILT_PLANNED] = "planned",
    [XLNUMA__BUILT_DEGRADED] = "degraded",
    [XLNUMA__BUILT_UNPLACED] = "unplaced",
    [XLNUMA__BUILT_OFF] = "off",
    [XLNUMA__BUILT_FAILED] = "failed",
    [XLNUMA__BUILT_GROWN] = "grown",
    [XLNUMA__BUILT_SHRUNK] = "shrunk",
    [XLNUMA__BUILT_SHARED] = "shared",
    [XLNUMA__BUILT_COUNTED] = "counted",
};

/*
 * Its report's reason is what has become of it, and then what there was; Domain-0
 * was not built.
 */
__attribute__((format(printf, 2, 3))) static void
set_reason(struct xlnuma__guest *guest, const char *format, ...)
{
    char reason[XLNUMA_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    if (!xlnuma__is_dom0(guest))
        xlnuma__say(reason, "; when it was built: %s", guest->report.reason);
    memcpy(guest->report.reason, reason, sizeof(reason));
}

static void set_status(struct xlnuma__guest *guest, enum xlnuma__built status)
{
    snprintf(guest->report.status, sizeof(guest->report.status), "%s",
             xlnuma__built_names[status]);
}

static void set_resized(struct xlnuma__guest *guest, enum xlnuma__built status)
{
    set_reason(guest,
               "%s with %" PRIu64 " MiB, has %" PRIu64 " MiB now, and verify "
               "shows where",
               xlnuma__is_dom0(guest) ? "counted" : "built",
               xlnuma__guest_built_kb(guest) / 1024, guest->memory_kb / 1024);
    set_status(guest, status);
    guest->report.expected_distance = 0;
}

/*
 * What was only planned has libxl's overhead in it, so less than that is nothing
 * that shows. A restored guest's build has counted its video memory.
 */
void xlnuma__guest_judge_size(struct xlnuma__guest *guest, uint64_t video_kb)
{
    uint64_t built_kb = xlnuma__guest_built_kb(guest);

    if (!built_kb)
        return;
    if (guest->memory_kb >= built_kb + video_kb + XLNUMA__STRAY_KB)
        set_resized(guest, XLNUMA__BUILT_GROWN);
    else if (guest->report.has_actual &&
             guest->memory_kb + XLNUMA__STRAY_KB <= built_kb)
        set_resized(guest, XLNUMA__BUILT_SHRUNK);
}

static bool has_status(const struct xlnuma__guest *guest,
                       enum xlnuma__built status)
{
    return !strcmp(guest->report.status, xlnuma__built_names[status]);
}

bool xlnuma__guest_is_resized(const struct xlnuma__guest *guest)
{
    return has_status(guest, XLNUMA__BUILT_GROWN) ||
           has_status(guest, XLNUMA__BUILT_SHRUNK);
}

bool xlnuma__guest_off_plan_kb(const struct xlnuma__guest *guest,
                               uint64_t *off_kb_r, uint64_t *total_kb_r)
{
    *off_kb_r = *total_kb_r = 0;
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        *total_kb_r += guest->report.actual_kb[node];
        if (!guest->report.planned_kb[node])
            *off_kb_r += guest->report.actual_kb[node];
    }
    return guest->report.has_actual && !xlnuma__guest_is_resized(guest) &&
           !has_status(guest, XLNUMA__BUILT_COUNTED);
}

/* --- dedicated CPUs --------------------------------------------------------- */

bool xlnuma__guest_is_shared(const struct xlnuma__guest *guest)
{
    return has_status(guest, XLNUMA__BUILT_SHARED);
}

/* Is it still where its build put it? Else the reason says where it is. */
static bool is_in_place(struct xlnuma__guest *guest, const xlnuma_cpuset *own)
{
    xlnuma_cpuset elsewhere = guest->pool_cpus;
    char cpus[64];

    if (!xlnuma_cpuset_count(&guest->pool_cpus)) {
        set_reason(
            guest,
            "it was taken out of the cpupool of its dedicated CPUs %.64s",
            guest->report.cpus);
        return false;
    }
    xlnuma_cpuset_remove(&elsewhere, own);
    if (!xlnuma_cpuset_count(&elsewhere))
        return true;
    set_reason(guest,
               "its dedicated CPUs are %.64s, but its vCPUs may run on %s too",
               guest->report.cpus,
               xlnuma_cpuset_format(&elsewhere, cpus, sizeof(cpus)));
    return false;
}

/* Does it have its dedicated CPUs alone? Else the reason says why not. */
static bool has_own_cpus(const struct xlnuma__guests *guests,
                         struct xlnuma__guest *guest)
{
    char message[XLNUMA_MESSAGE_SIZE], cpus[64];
    xlnuma_cpuset own;

    if (!*guest->report.cpus ||
        xlnuma_cpuset_parse(guest->report.cpus, &own, message))
        return true;
    if (!is_in_place(guest, &own))
        return false;
    xlnuma_cpuset_or(&own, &guest->dedicated);
    for (unsigned i = 0; i < guests->nr; i++) {
        const struct xlnuma__guest *other = &guests->guest[i];
        xlnuma_cpuset both = other->pool_cpus;

        xlnuma_cpuset_and(&both, &own);
        if (other == guest || !xlnuma_cpuset_count(&both))
            continue;
        set_reason(guest, "%s (%u) may run on its dedicated CPUs %s",
                   *other->name ? other->name : "a domain without a name",
                   other->domid,
                   xlnuma_cpuset_format(&both, cpus, sizeof(cpus)));
        return false;
    }
    return true;
}

void xlnuma__guests_judge_shared(struct xlnuma__guests *guests)
{
    for (unsigned i = 0; i < guests->nr; i++) {
        struct xlnuma__guest *guest = &guests->guest[i];

        if (!has_own_cpus(guests, guest) && !xlnuma__guest_is_resized(guest))
            set_status(guest, XLNUMA__BUILT_SHARED);
    }
}
