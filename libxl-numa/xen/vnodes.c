/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a domain's libxl configuration matters to the nodes that the guest
 * sees: may it see several, and how libxl lays out its memory. Reads only.
 */
#include "model/layout.h"
#include "xen/request.h"

#include <libxl_utils.h>

/* Where the hole below 4 GiB begins, by the rules of libxl__build_hvm(). */
#define HOLE_END_KB ((uint64_t)4 << 20)
#define PVH_LOW_KB                                                             \
    (0xfc000000u >> 10) /* the page in front of the ACPI tables */
#define HVM_LOW_KB (0xf0000000u >> 10)

static bool is_off(libxl_defbool value)
{
    return !libxl_defbool_is_default(value) && !libxl_defbool_val(value);
}

static bool is_on(libxl_defbool value)
{
    return !libxl_defbool_is_default(value) && libxl_defbool_val(value);
}

static bool lacks_acpi(const libxl_domain_build_info *info)
{
    return is_off(info->acpi) || is_off(info->apic) ||
           (info->type == LIBXL_DOMAIN_TYPE_HVM &&
            (is_off(info->u.hvm.acpi) || is_off(info->u.hvm.apic)));
}

/* Why it can see one node only, however it is built; static, or NULL. */
static const char *why_never(const libxl_domain_build_info *info)
{
    if (info->type == LIBXL_DOMAIN_TYPE_PV)
        return "a PV guest does not look for nodes";
    if (info->type == LIBXL_DOMAIN_TYPE_PVH && is_on(info->u.pvh.pvshim))
        return "a guest in a PV shim does not look for nodes";
    if (lacks_acpi(info))
        return "the guest has no ACPI or no local APICs";
    if (is_off(info->numa_placement))
        return "cpus or cpus_soft set its vCPUs' affinities";
    return NULL;
}

/* A new one; static, NULL if it can see several. */
static const char *why_none(const libxl_domain_build_info *info)
{
    const char *why = why_never(info);

    if (!why && info->target_memkb < info->max_memkb)
        why = "its memory is below its maxmem: Xen populates it on demand, not "
              "by address";
    return why;
}

void xlnuma__request_add_vnodes(struct xlnuma_request *request,
                                const libxl_domain_config *config)
{
    const libxl_domain_build_info *info = &config->b_info;
    uint64_t low_kb = PVH_LOW_KB, video_kb = 0;

    if (info->video_memkb != LIBXL_MEMKB_DEFAULT)
        video_kb = info->video_memkb;
    if (info->type == LIBXL_DOMAIN_TYPE_HVM) {
        low_kb = HVM_LOW_KB;
        if (info->u.hvm.mmio_hole_memkb > HOLE_END_KB - low_kb)
            low_kb = HOLE_END_KB - info->u.hvm.mmio_hole_memkb;
    }
    request->no_guest_nodes = why_none(info);
    request->ram_kb = info->max_memkb - video_kb;
    request->low_ram_kb = low_kb;
}

void xlnuma__request_keep_vnodes(struct xlnuma_request *request,
                                 const libxl_domain_config *config,
                                 const struct xlnuma__layout *layout,
                                 const char *why)
{
    uint64_t kb = 0;

    for (unsigned n = 0; !why && n < layout->nr; n++)
        kb += xlnuma__layout_kb(layout, n);
    if (!why && kb != request->ram_kb)
        why = "the nodes' memory is not what its configuration says";
    request->no_guest_nodes = why ? why : why_never(&config->b_info);
    request->guest_nodes =
        request->no_guest_nodes ? XLNUMA_GUEST_NODES_AUTO : layout->nr;
    request->kept_nodes = request->no_guest_nodes ? NULL : layout;
}
