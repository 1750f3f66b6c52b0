/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What keeps a guest from being moved to its own host, where for a while there are
 * two of it, and then another one. Asks nobody for facts.
 */
#include "guest/move_facts.h"

#include <stddef.h>

/* The first one that holds is said. */
static const struct {
    size_t at; /* in struct move_facts */
    const char *why;
} refusals[] = {
#define REFUSAL(fact, why)                                                     \
    {                                                                          \
        offsetof(struct move_facts, fact), why                                 \
    }
    REFUSAL(is_unread, "its configuration cannot be read: is it being built?"),
    REFUSAL(is_libvirts, "it is libvirt's, which watches over its own domain"),
    REFUSAL(is_off, "numa_move is off"),
    REFUSAL(is_ending, "it is shutting down"),
    REFUSAL(is_paused, "it is paused"),
    REFUSAL(has_devices, "it has PCI devices"),
    REFUSAL(is_fixed, "nomigrate is set"),
    REFUSAL(has_stubdom, "it has a stub domain"),
    REFUSAL(is_dedicated, "it has dedicated CPUs"),
    REFUSAL(is_strict, "its numa_policy is strict"),
    REFUSAL(sees_nodes, "it sees several nodes, whose distances it was told"),
    REFUSAL(is_left, "its placement is left to libxl"),
    REFUSAL(has_vifname, "vifname is set, a name that a copy cannot have, too"),
    REFUSAL(has_fixed_port, "its VNC or SPICE port is fixed"),
    REFUSAL(is_on_demand, "it is populated on demand"),
    REFUSAL(is_ballooned, "it has less memory than its target"),
    REFUSAL(is_pv, "it is PV: it can be moved by file alone (--by-file)"),
    REFUSAL(needs_dom0, "a copy beside it needs more memory than is free, so "
                        "Domain-0 would have to shrink (or --by-file)"),
    /* Last: that of guests which another one holds for is not looked up. */
    REFUSAL(is_unknown, "it is not known where its memory is"),
#undef REFUSAL
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

const char *move_facts_refuse(const struct move_facts *facts)
{
    for (size_t i = 0; i < NR(refusals); i++)
        if (*(const bool *)((const char *)facts + refusals[i].at))
            return refusals[i].why;
    return NULL;
}

static bool is_set(libxl_defbool value)
{
    return !libxl_defbool_is_default(value) && libxl_defbool_val(value);
}

static bool is_unset(libxl_defbool value)
{
    return !libxl_defbool_is_default(value) && !libxl_defbool_val(value);
}

/* One that takes the next port that is free finds one for each copy. */
static bool is_fixed_vnc(const libxl_vnc_info *vnc)
{
    return !is_unset(vnc->enable) && is_unset(vnc->findunused);
}

static bool has_fixed_port(const libxl_domain_config *config)
{
    const libxl_domain_build_info *info = &config->b_info;

    for (int i = 0; i < config->num_vfbs; i++)
        if (is_fixed_vnc(&config->vfbs[i].vnc))
            return true;
    return info->type == LIBXL_DOMAIN_TYPE_HVM &&
           (is_fixed_vnc(&info->u.hvm.vnc) ||
            (is_set(info->u.hvm.spice.enable) &&
             (info->u.hvm.spice.port || info->u.hvm.spice.tls_port)));
}

void move_facts_add(struct move_facts *facts, const libxl_domain_config *config,
                    const struct xlnuma_request *request)
{
    const libxl_domain_build_info *info = &config->b_info;

    facts->has_devices = config->num_pcidevs > 0;
    facts->is_fixed = is_set(info->disable_migrate);
    for (int i = 0; i < config->num_nics; i++)
        facts->has_vifname |= config->nics[i].ifname != NULL;
    facts->has_fixed_port = has_fixed_port(config);
    facts->has_stubdom = is_set(info->device_model_stubdomain);
    facts->is_dedicated = request->cpu_policy == XLNUMA_CPUS_DEDICATED;
    facts->is_strict = xlnuma__is_strict(request->policy);
    facts->is_off = request->no_move;
    facts->sees_nodes |= info->num_vnuma_nodes > 0;
}
