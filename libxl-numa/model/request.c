/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request's defaults and the names of its settings. Does not read files. */
#include "model/request.h"

#include <string.h>

const char *const xlnuma__policies[] = {
    [XLNUMA_POLICY_BEST_EFFORT] = "best-effort",
    [XLNUMA_POLICY_STRICT] = "strict",
    [XLNUMA_POLICY_RESTRICTED] = "restricted",
    [XLNUMA_POLICY_SINGLE_NODE] = "single-node",
    [XLNUMA_POLICY_NONE] = "none",
    NULL,
};

const char *const xlnuma__memories[] = {
    [XLNUMA_MEMORY_SPREAD] = "spread",
    [XLNUMA_MEMORY_PACK] = "pack",
    NULL,
};

const char *const xlnuma__affinities[] = {
    [XLNUMA_AFFINITY_DEFAULT] = "", /* what no key says */
    [XLNUMA_AFFINITY_SOCKET] = "socket", [XLNUMA_AFFINITY_SOFT] = "soft",
    [XLNUMA_AFFINITY_HARD] = "hard",     NULL,
};

const char *const xlnuma__hotplugs[] = {
    [XLNUMA_HOTPLUG_NOW] = "now",
    [XLNUMA_HOTPLUG_LIMITS] = "limits",
    NULL,
};

const char *const xlnuma__cpu_policies[] = {
    [XLNUMA_CPUS_SHARED] = "shared",
    [XLNUMA_CPUS_DEDICATED] = "dedicated",
    NULL,
};

const char *const xlnuma__threads[] = {
    [XLNUMA_THREADS_PREFER] = "prefer",
    [XLNUMA_THREADS_ISOLATE] = "isolate",
    [XLNUMA_THREADS_REQUIRE] = "require",
    NULL,
};

const char *const xlnuma__emulators[] = {
    [XLNUMA_EMULATOR_ANY] = "any",
    [XLNUMA_EMULATOR_NEAR] = "near",
    NULL,
};

void xlnuma_request_init(struct xlnuma_request *request)
{
    memset(request, 0, sizeof(*request));
    request->nodes = XLNUMA_NODES_ALL;
    request->device_weight = XLNUMA_DEVICE_WEIGHT;
    request->balance_gain = XLNUMA_BALANCE_GAIN;
    request->wants_alternatives = true;
}

bool xlnuma__from_name(const char *const names[], const char *name,
                       unsigned *value_r)
{
    for (unsigned i = 0; names[i]; i++)
        if (*name && !strcmp(names[i], name)) {
            *value_r = i;
            return true;
        }
    return false;
}
