/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: what the guest's toolstack handed over beside its configuration. Only
 * reads it: who wrote it removes it.
 */
#include "hook/services.h"
#include "xen/apply.h"

#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One more element, of a vCPU's; the configuration owns it. */
static int add_affinity(libxl_domain_build_info *info, const libxl_bitmap *map)
{
    size_t nr = (size_t)info->num_vcpu_hard_affinity;
    libxl_bitmap *maps =
        reallocarray(info->vcpu_hard_affinity, nr + 1, sizeof(*maps));

    if (!maps)
        return -1;
    maps[nr] = *map;
    info->vcpu_hard_affinity = maps;
    info->num_vcpu_hard_affinity++;
    return 0;
}

/* Where it has none yet, or that of all CPUs. */
static int limit_vcpu(libxl_domain_build_info *info, int vcpu, libxl_ctx *ctx,
                      const xlnuma_cpuset *cpus)
{
    bool is_new = vcpu == info->num_vcpu_hard_affinity;
    libxl_bitmap map;

    if (!is_new && !libxl_bitmap_is_full(&info->vcpu_hard_affinity[vcpu]))
        return 0;
    libxl_bitmap_init(&map);
    if (xlnuma__cpuset_to_bitmap(ctx, cpus, &map) ||
        (is_new && add_affinity(info, &map))) {
        libxl_bitmap_dispose(&map);
        return -1;
    }
    if (!is_new) {
        libxl_bitmap_dispose(&info->vcpu_hard_affinity[vcpu]);
        info->vcpu_hard_affinity[vcpu] = map;
    }
    return 0;
}

/*
 * As xl does it for cpus="LIST". libvirt's configuration has no affinity, or that of all
 * CPUs, for a vCPU without <vcpupin>.
 */
static int limit_vcpus(libxl_domain_build_info *info, libxl_ctx *ctx,
                       const xlnuma_cpuset *cpus)
{
    for (int i = 0; i < info->max_vcpus; i++)
        if (limit_vcpu(info, i, ctx, cpus))
            return -1;
    return 0;
}

bool xlnuma__build_get_handed(struct build *build, libxl_domain_config *config)
{
    struct xlnuma__handed handed;
    char uuid[XLNUMA__UUID_SIZE], message[XLNUMA_MESSAGE_SIZE];
    int dir = xlnuma__run_dir_open(false, message), r = dir;

    if (dir < 0 && errno == ENOENT)
        return false;
    snprintf(uuid, sizeof(uuid), LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(config->c_info.uuid));
    if (dir >= 0) {
        r = xlnuma__handed_read(&handed, dir, uuid, message);
        close(dir);
    }
    if (r < 0)
        xlnuma__build_say(build, XTL_WARN,
                          "settings of %s that were handed over: %s: ignored",
                          uuid, message);
    if (r <= 0)
        return false;
    if (handed.has_cpus &&
        limit_vcpus(&config->b_info, build->ctx, &handed.cpus))
        xlnuma__build_say(build, XTL_WARN,
                          "out of memory: some vCPUs may run anywhere");
    build->settings = handed.settings;
    return true;
}
