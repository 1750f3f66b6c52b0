/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A request from a domain's libxl configuration. Changes neither the
 * configuration nor the domain.
 */
#include "xen/request.h"
#include "model/dedicated.h"
#include "xen/host.h"

#include <errno.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <string.h>
#include <xenctrl.h>

/* Both from tools/libs/light/libxl_internal.h of Xen 4.17 to 4.20. */
#define PV_EXTRA_KB 1024
#define HVM_EXTRA_KB 2048

#define SUPERPAGE_KB 2048

/*
 * libxl's default for paging memory: 1 MiB a vCPU, and 4 KiB per MiB of guest
 * memory for the p2m of a translated guest or for shadowing a PV one
 * (libxl__get_required_paging_memory(), tools/libs/light/libxl_utils.c).
 */
static uint64_t default_shadow_kb(const libxl_domain_build_info *info)
{
    return 4 * (256 * (uint64_t)info->max_vcpus + info->max_memkb / 1024);
}

static uint64_t or_default(uint64_t memkb, uint64_t otherwise_kb)
{
    return memkb == LIBXL_MEMKB_DEFAULT ? otherwise_kb : memkb;
}

static uint64_t stubdom_kb(const libxl_domain_build_info *info)
{
    if (info->type == LIBXL_DOMAIN_TYPE_PV ||
        libxl_defbool_is_default(info->device_model_stubdomain) ||
        !libxl_defbool_val(info->device_model_stubdomain))
        return 0;
    return or_default(info->stubdomain_memkb, 0) +
           or_default(info->video_memkb, 0);
}

uint64_t xlnuma__populated_kb(const libxl_domain_config *config)
{
    return config->b_info.target_memkb + stubdom_kb(&config->b_info);
}

uint64_t xlnuma__stubdom_need_kb(const libxl_domain_config *config)
{
    uint64_t kb = stubdom_kb(&config->b_info);

    return kb ? kb + PV_EXTRA_KB : 0;
}

/* All that a guest with own_kb of its own takes of the host. */
static uint64_t need_kb_with(const libxl_domain_build_info *info,
                             uint64_t own_kb)
{
    uint64_t need_kb = own_kb + stubdom_kb(info);

    need_kb += or_default(info->shadow_memkb, default_shadow_kb(info));
    need_kb += or_default(info->iommu_memkb, 0);
    need_kb += info->type == LIBXL_DOMAIN_TYPE_PV ? PV_EXTRA_KB : HVM_EXTRA_KB;
    return (need_kb + SUPERPAGE_KB - 1) / SUPERPAGE_KB * SUPERPAGE_KB;
}

uint64_t xlnuma__need_memory_kb(const libxl_domain_config *config)
{
    return need_kb_with(&config->b_info, config->b_info.target_memkb);
}

/* vCPUs that run from the start; libxl's default is one. */
static unsigned nr_running(const libxl_domain_build_info *info)
{
    unsigned nr = 0;

    for (int i = 0; i < info->max_vcpus; i++)
        nr += libxl_bitmap_test(&info->avail_vcpus, i) != 0;
    return nr ? nr : 1;
}

static void leave_only(struct xlnuma_request *request,
                       const xlnuma_cpuset *cpus)
{
    if (request->has_cpus)
        xlnuma_cpuset_and(&request->cpus, cpus);
    else
        request->cpus = *cpus;
    request->has_cpus = true;
}

/*
 * Leave only CPUs that some of the `nr` maps has. With fewer maps than there
 * are of what they are for (vCPUs), the others may run anywhere.
 */
static void filter_cpus(struct xlnuma_request *request,
                        const libxl_bitmap map[], int nr, int nr_wanted)
{
    xlnuma_cpuset all = { { 0 } };

    if (nr <= 0 || nr < nr_wanted)
        return;
    for (int i = 0; i < nr; i++) {
        xlnuma_cpuset one;

        xlnuma__cpuset_from_bitmap(&one, &map[i]);
        xlnuma_cpuset_or(&all, &one);
    }
    leave_only(request, &all);
}

/* The same by soft affinity; Xen ignores one that the hard affinity excludes. */
static void filter_soft_cpus(struct xlnuma_request *request,
                             const libxl_domain_build_info *info)
{
    xlnuma_cpuset all = { { 0 } };

    if (info->num_vcpu_soft_affinity <= 0 ||
        info->num_vcpu_soft_affinity < (int)request->nr_vcpus)
        return;
    for (int i = 0; i < info->num_vcpu_soft_affinity; i++) {
        xlnuma_cpuset one;

        xlnuma__cpuset_from_bitmap(&one, &info->vcpu_soft_affinity[i]);
        if (request->has_cpus &&
            !xlnuma_cpuset_intersects(&request->cpus, &one))
            return;
        xlnuma_cpuset_or(&all, &one);
    }
    leave_only(request, &all);
}

/*
 * Has the user set affinities that ours would replace or widen? One hard affinity
 * for all vCPUs (xl's cpus="0-3") is not among these: ours is a part of it.
 */
static bool has_own_affinity(const libxl_domain_build_info *info)
{
    int nr = info->num_vcpu_hard_affinity;

    if (info->num_vcpu_soft_affinity ||
        (!libxl_defbool_is_default(info->numa_placement) &&
         !libxl_defbool_val(info->numa_placement)))
        return true;
    for (int i = 1; i < nr; i++)
        if (!libxl_bitmap_equal(&info->vcpu_hard_affinity[0],
                                &info->vcpu_hard_affinity[i], 0))
            return true;
    return nr && nr < info->max_vcpus;
}

/* A device may be given by the name that it was made assignable with. */
static bool find_named(libxl_ctx *ctx, const char *name, libxl_device_pci *pci)
{
    int nr = 0;
    libxl_device_pci *all =
        ctx ? libxl_device_pci_assignable_list(ctx, &nr) : NULL;
    bool is_found = false;

    for (int i = 0; i < nr && !is_found; i++)
        if (all[i].name && !strcmp(all[i].name, name)) {
            *pci = all[i];
            is_found = true;
        }
    if (all)
        libxl_device_pci_assignable_list_free(all, nr);
    return is_found;
}

static void add_devices(struct xlnuma_request *request, libxl_ctx *ctx,
                        const libxl_domain_config *config)
{
    for (int i = 0; i < config->num_pcidevs; i++) {
        libxl_device_pci pci = config->pcidevs[i];

        if (request->nr_devices == XLNUMA_GUEST_DEVICES_MAX)
            return;
        if (pci.name && !find_named(ctx, pci.name, &pci))
            continue;
        request->device[request->nr_devices++] =
            (xlnuma_bdf)pci.domain << 16 | (xlnuma_bdf)pci.bus << 8 |
            (xlnuma_bdf)pci.dev << 3 | pci.func;
    }
}

void xlnuma__request_from_config(struct xlnuma_request *request_r,
                                 libxl_ctx *ctx,
                                 const libxl_domain_config *config)
{
    const libxl_domain_build_info *info = &config->b_info;

    xlnuma_request_init(request_r);
    snprintf(request_r->name, sizeof(request_r->name), "%s",
             config->c_info.name ? config->c_info.name : "");
    request_r->memory_kb = xlnuma__need_memory_kb(config);
    request_r->max_memory_kb =
        need_kb_with(info, or_default(info->max_memkb, info->target_memkb));
    request_r->nr_vcpus = nr_running(info);
    request_r->max_vcpus = (unsigned)info->max_vcpus;
    filter_cpus(request_r, info->vcpu_hard_affinity,
                info->num_vcpu_hard_affinity, (int)request_r->nr_vcpus);
    filter_soft_cpus(request_r, info);
    request_r->has_own_affinity = has_own_affinity(info);
    add_devices(request_r, ctx, config);
    xlnuma__request_add_vnodes(request_r, config);
}

int xlnuma__request_add_pool(struct xlnuma_request *request, libxl_ctx *ctx,
                             uint32_t poolid, char *message)
{
    libxl_cpupoolinfo pool;
    int rc = 0;

    *message = '\0';
    libxl_cpupoolinfo_init(&pool);
    if (libxl_cpupool_info(ctx, &pool, poolid))
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "Xen does not tell the CPUs of cpupool %u "
                          "(libxl_cpupool_info failed)",
                          poolid);
    else
        filter_cpus(request, &pool.cpumap, 1, 1);
    if (!rc)
        xlnuma__scheduler_name(request->scheduler, (int)pool.sched);
    libxl_cpupoolinfo_dispose(&pool);
    return rc;
}

int xlnuma__request_add_pool_of_build(struct xlnuma_request *request,
                                      xc_interface *xch, uint32_t poolid,
                                      char *message)
{
    xc_cpupoolinfo_t *pool = xc_cpupool_getinfo(xch, poolid);
    libxl_bitmap cpus;

    *message = '\0';
    if (!pool)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell the CPUs of cpupool %u: %s",
                            poolid, strerror(errno));
    cpus.size = (uint32_t)xc_get_cpumap_size(xch);
    cpus.map = pool->cpumap;
    filter_cpus(request, &cpus, 1, 1);
    xlnuma__scheduler_name(request->scheduler, (int)pool->sched_id);
    xc_cpupool_infofree(xch, pool);
    return 0;
}

bool xlnuma__config_wants_placement(const libxl_domain_config *config,
                                    const char **why_r)
{
    const libxl_domain_build_info *info = &config->b_info;

    *why_r = NULL;
    if (info->num_vnuma_nodes)
        *why_r = "vnuma is given";
    else if (info->nodemap.size)
        *why_r = "a node affinity is given";
    else if (info->cpumap.size)
        *why_r = "a CPU affinity is given in the old form";
    else if (!libxl_defbool_is_default(info->numa_placement) &&
             !libxl_defbool_val(info->numa_placement) &&
             !info->num_vcpu_hard_affinity && !info->num_vcpu_soft_affinity)
        *why_r = "placement is switched off";
    return !*why_r;
}

const char *xlnuma__dedicated_conflict(const libxl_domain_config *config,
                                       const struct xlnuma_request *request)
{
    const libxl_domain_build_info *info = &config->b_info;
    const char *pool = config->c_info.pool_name, *why;

    if (!xlnuma__config_wants_placement(config, &why))
        return why;
    if (request->policy == XLNUMA_POLICY_NONE)
        return "numa_policy is none";
    if (info->num_vcpu_hard_affinity || info->num_vcpu_soft_affinity)
        return "cpus or cpus_soft is given";
    return pool && strcmp(pool, XLNUMA__POOL) != 0 ? "pool is given" : NULL;
}
