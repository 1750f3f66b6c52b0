/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request's defaults and the names of its settings. Does not read files. */
#include "model/request.h"

#include <string.h>

static const char *const policy_names[] = {
    [XLNUMA_POLICY_BEST_EFFORT] = "best-effort",
    [XLNUMA_POLICY_STRICT] = "strict",
    [XLNUMA_POLICY_RESTRICTED] = "restricted",
    [XLNUMA_POLICY_SINGLE_NODE] = "single-node",
    [XLNUMA_POLICY_NONE] = "none",
};

static const char *const memory_names[] = {
    [XLNUMA_MEMORY_SPREAD] = "spread",
    [XLNUMA_MEMORY_PACK] = "pack",
};

static const char *const affinity_names[] = {
    [XLNUMA_AFFINITY_DEFAULT] = "", /* what no key says */
    [XLNUMA_AFFINITY_SOCKET] = "socket",
    [XLNUMA_AFFINITY_SOFT] = "soft",
    [XLNUMA_AFFINITY_HARD] = "hard",
};

static const char *const hotplug_names[] = {
    [XLNUMA_HOTPLUG_NOW] = "now",
    [XLNUMA_HOTPLUG_LIMITS] = "limits",
};

static const char *const cpus_names[] = {
    [XLNUMA_CPUS_SHARED] = "shared",
    [XLNUMA_CPUS_DEDICATED] = "dedicated",
};

static const char *const threads_names[] = {
    [XLNUMA_THREADS_PREFER] = "prefer",
    [XLNUMA_THREADS_ISOLATE] = "isolate",
    [XLNUMA_THREADS_REQUIRE] = "require",
};

static const char *const emulator_names[] = {
    [XLNUMA_EMULATOR_ANY] = "any",
    [XLNUMA_EMULATOR_NEAR] = "near",
};

void xlnuma_request_init(struct xlnuma_request *request)
{
    memset(request, 0, sizeof(*request));
    request->nodes = XLNUMA_NODES_ALL;
    request->device_weight = XLNUMA_DEVICE_WEIGHT;
    request->balance_gain = XLNUMA_BALANCE_GAIN;
    request->wants_alternatives = true;
}

/* Index of a name, or `nr`. */
static unsigned find_name(const char *const names[], unsigned nr,
                          const char *name)
{
    unsigned i = 0;

    while (i < nr && strcmp(names[i], name))
        i++;
    return i;
}

#define NR(array) (sizeof(array) / sizeof(*(array)))

const char *xlnuma_policy_name(enum xlnuma_policy policy)
{
    return policy_names[policy];
}

bool xlnuma_policy_from_name(const char *name, enum xlnuma_policy *policy_r)
{
    unsigned i = find_name(policy_names, NR(policy_names), name);

    if (i == NR(policy_names))
        return false;
    *policy_r = (enum xlnuma_policy)i;
    return true;
}

const char *xlnuma_memory_name(enum xlnuma_memory memory)
{
    return memory_names[memory];
}

bool xlnuma_memory_from_name(const char *name, enum xlnuma_memory *memory_r)
{
    unsigned i = find_name(memory_names, NR(memory_names), name);

    if (i == NR(memory_names))
        return false;
    *memory_r = (enum xlnuma_memory)i;
    return true;
}

bool xlnuma_affinity_from_name(const char *name,
                               enum xlnuma_affinity *affinity_r)
{
    unsigned i = find_name(affinity_names, NR(affinity_names), name);

    if (i == NR(affinity_names) || i == XLNUMA_AFFINITY_DEFAULT)
        return false;
    *affinity_r = (enum xlnuma_affinity)i;
    return true;
}

bool xlnuma_hotplug_from_name(const char *name, enum xlnuma_hotplug *hotplug_r)
{
    unsigned i = find_name(hotplug_names, NR(hotplug_names), name);

    if (i == NR(hotplug_names))
        return false;
    *hotplug_r = (enum xlnuma_hotplug)i;
    return true;
}

bool xlnuma_cpus_from_name(const char *name, enum xlnuma_cpus *cpus_r)
{
    unsigned i = find_name(cpus_names, NR(cpus_names), name);

    if (i == NR(cpus_names))
        return false;
    *cpus_r = (enum xlnuma_cpus)i;
    return true;
}

const char *xlnuma_threads_name(enum xlnuma_threads threads)
{
    return threads_names[threads];
}

bool xlnuma_threads_from_name(const char *name, enum xlnuma_threads *threads_r)
{
    unsigned i = find_name(threads_names, NR(threads_names), name);

    if (i == NR(threads_names))
        return false;
    *threads_r = (enum xlnuma_threads)i;
    return true;
}

bool xlnuma_emulator_from_name(const char *name,
                               enum xlnuma_emulator *emulator_r)
{
    unsigned i = find_name(emulator_names, NR(emulator_names), name);

    if (i == NR(emulator_names))
        return false;
    *emulator_r = (enum xlnuma_emulator)i;
    return true;
}
