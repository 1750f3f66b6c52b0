/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans, and the names of what they say. Makes none. */
#include "model/plan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct xlnuma_plan *xlnuma_plan_new(void)
{
    struct xlnuma_plan *plan = malloc(sizeof(*plan));

    if (plan) /* what is large has no entries yet */
        memset(plan, 0, offsetof(struct xlnuma_plan, guest_node));
    return plan;
}

void xlnuma_plan_free(struct xlnuma_plan *plan)
{
    free(plan);
}

const char *const xlnuma__statuses[] = {
    [XLNUMA_STATUS_PLACED] = "placed",
    [XLNUMA_STATUS_UNPLACED] = "unplaced",
    [XLNUMA_STATUS_OFF] = "off",
};

const char *const xlnuma__why_nots[] = {
    [XLNUMA_WHY_NOT_MEMORY] = "memory",
    [XLNUMA_WHY_NOT_CPUS] = "cpus",
    [XLNUMA_WHY_NOT_CORES] = "cores",
    [XLNUMA_WHY_NOT_POLICY] = "policy",
    [XLNUMA_WHY_NOT_FARTHER] = "farther",
    [XLNUMA_WHY_NOT_DEVICES] = "devices",
    [XLNUMA_WHY_NOT_SOCKETS] = "sockets",
    [XLNUMA_WHY_NOT_GROWTH] = "growth",
    [XLNUMA_WHY_NOT_LOW] = "low",
    [XLNUMA_WHY_NOT_LOAD] = "load",
    [XLNUMA_WHY_NOT_HOLES] = "holes",
    [XLNUMA_WHY_NOT_NODES] = "nodes",
    [XLNUMA_WHY_NOT_AFFINITY] = "affinity",
};

char *xlnuma__vcpus_format(const uint64_t vcpus[XLNUMA_GUEST_VCPUS_MAX / 64],
                           char *buf, size_t size)
{
    xlnuma_cpuset set = { { 0 } };

    memcpy(set.word, vcpus, XLNUMA_GUEST_VCPUS_MAX / 8);
    return xlnuma_cpuset_format(&set, buf, size);
}
