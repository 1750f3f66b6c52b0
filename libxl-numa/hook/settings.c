/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a build is to be: from the configuration that libxl got, from xl-numa.conf
 * and from the guest's file. Nothing of it is kept but copies.
 */
#include "hook/services.h"
#include "xen/host.h"
#include "xen/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The numa_* keys of the guest file that this process read last. Before that, not
 * is_set: those that its last guest had kept.
 */
static struct {
    bool is_set;
    char name[XLNUMA_NAME_SIZE];
    bool has_uuid;
    libxl_uuid uuid; /* survives `xl rename` and a reboot */
    struct xlnuma__settings settings;
} guest_file;

void xlnuma__build_remember(const char *name,
                            const struct xlnuma__settings *settings)
{
    xlnuma__builds_lock();
    if (settings)
        guest_file.settings = *settings;
    guest_file.is_set = true;
    guest_file.has_uuid = false;
    snprintf(guest_file.name, sizeof(guest_file.name), "%s", name);
    xlnuma__builds_unlock();
}

/* Is the file that was read this guest's? By uuid once known, else by name. */
static bool is_file_of(const struct build *build)
{
    if (!guest_file.is_set)
        return false;
    return guest_file.has_uuid
               ? !libxl_uuid_compare(&guest_file.uuid, &build->uuid)
               : !strcmp(guest_file.name, build->request.name);
}

/*
 * Should `xl config-update` leave a wrong file for its reboot, they stay. Most guests
 * have none: what is not written is no page more for xl to copy when it forks.
 */
static void note_kept(const struct build *build)
{
    xlnuma__builds_lock();
    if (!guest_file.is_set &&
        memcmp(&guest_file.settings, &build->settings, sizeof(build->settings)))
        guest_file.settings = build->settings;
    xlnuma__builds_unlock();
}

void xlnuma__build_settle(struct build *build, libxl_domain_config *config)
{
    const char *name = config->c_info.name ? config->c_info.name : "";
    char message[XLNUMA_MESSAGE_SIZE];
    int rc = 0;
    bool has_file;

    libxl_uuid_copy(build->ctx, &build->uuid, &config->c_info.uuid);
    snprintf(build->request.name, sizeof(build->request.name), "%s", name);
    if (build->source == MEMORY_HELPERS)
        build->has_kept_nodes = xlnuma__kept_nodes_get(
            &build->kept_nodes, config, &build->kept_nodes_why);
    else
        xlnuma__kept_nodes_drop(config); /* those before a reboot */
    xlnuma__builds_lock();
    has_file = is_file_of(build);
    if (has_file) {
        libxl_uuid_copy(build->ctx, &guest_file.uuid, &build->uuid);
        guest_file.has_uuid = true;
        build->settings = guest_file.settings;
    }
    xlnuma__builds_unlock();
    build->has_kept = !has_file && !xlnuma__build_get_handed(build, config);
    if (!build->has_kept)
        rc = xlnuma__kept_put(config, &build->settings);
    if (rc)
        xlnuma__build_say(
            build, XTL_WARN,
            "out of memory: the numa_* settings of its file will be "
            "forgotten when it is saved or migrated");
    if (!build->has_kept)
        return;
    if (xlnuma__kept_get(&build->settings, config, message))
        xlnuma__build_say(build, XTL_WARN, "%s: ignored", message);
    note_kept(build);
}

/*
 * The keys that xl-numa.conf has for this guest; a wrong file has none, which is
 * told where it matters. Returns whether it switches placement off.
 */
static bool apply_conf(struct build *build, const char *name, bool is_told)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__conf_host host;

    if (xlnuma__conf_read(&settings, &host, name ? name : "", message) &&
        is_told && xlnuma__build_has_domain(build))
        xlnuma__build_say(build, XTL_WARN,
                          "%s: placed as if that file were not "
                          "there",
                          message);
    xlnuma__settings_apply(&settings, &build->request);
    build->emulator_set = host.emulator_vcpus;
    return host.is_off;
}

/* What every vCPU has without us, where the request has no affinity of its own. */
static void learn_hard_affinity(struct build *build,
                                const libxl_domain_build_info *info)
{
    memset(&build->hard_before, 0xff, sizeof(build->hard_before));
    if (build->request.has_own_affinity || !info->num_vcpu_hard_affinity)
        return;
    build->nr_hard = (unsigned)info->num_vcpu_hard_affinity;
    xlnuma__cpuset_from_bitmap(&build->hard_before,
                               &info->vcpu_hard_affinity[0]);
}

/* No reboot, as the monitor of a guest that was moved has it in its environment. */
static void avoid_nodes(struct build *build)
{
    const char *list = getenv(XLNUMA__AVOID);
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_nodeset nodes;

    if (build->source == MEMORY_HELPERS && list &&
        !xlnuma_nodeset_parse(list, &nodes, message) &&
        build->request.nodes & ~nodes)
        build->request.nodes &= ~nodes;
}

void xlnuma__build_learn(struct build *build, const libxl_domain_config *config)
{
    const libxl_domain_build_info *info = &config->b_info;
    bool is_off, wants;

    xlnuma__request_from_config(&build->request, build->ctx, config);
    build->owns_vcpus = !libxl_defbool_is_default(info->numa_placement) &&
                        libxl_defbool_val(info->numa_placement);
    learn_hard_affinity(build, info);
    build->is_hvm = info->type == LIBXL_DOMAIN_TYPE_HVM;
    build->least_kb = xlnuma__populated_kb(config);
    build->stubdom_kb = xlnuma__stubdom_need_kb(config);
    wants = xlnuma__config_wants_placement(config, &build->why_not);
    is_off = apply_conf(build, config->c_info.name, wants);
    build->conf_nodes = build->request.nodes;
    xlnuma__settings_apply(&build->settings, &build->request);
    avoid_nodes(build);
    if (is_off) {
        build->why_not = XLNUMA__CONF_OFF;
        build->request.policy = XLNUMA_POLICY_NONE;
        build->request.cpu_policy = XLNUMA_CPUS_SHARED;
        build->request.emulator = XLNUMA_EMULATOR_ANY;
        memset(&build->emulator_set, 0, sizeof(build->emulator_set));
    }
    if (xlnuma__build_is_dedicated(build)) {
        build->no_dedicated =
            xlnuma__dedicated_conflict(config, &build->request);
        build->request.affinity = XLNUMA_AFFINITY_HARD;
    }
    if (build->has_kept_nodes)
        xlnuma__request_keep_vnodes(&build->request, config, &build->kept_nodes,
                                    build->kept_nodes_why);
    else if (build->source == MEMORY_HELPERS)
        build->request.no_guest_nodes =
            "it is restored, and no nodes were kept with it";
}
