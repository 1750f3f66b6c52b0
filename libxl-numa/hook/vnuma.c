/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest that sees several nodes: its vCPUs' affinities, its memory by address,
 * and SRAT and SLIT in its ACPI tables. Neither libxl nor Xen knows of it. What
 * the nodes are is the plan's; what the tables are is vnodes/acpi.c's.
 *
 * PVH: libxl made the tables when it sets the guest's memory map, and copies them
 * into the guest later. HVM: hvmloader makes them, and adds those that libxl hands
 * it as acpi_firmware. When anything is not as libxl has it, its tables stay as
 * they are and the guest sees one node.
 */
#include "hook/build.h"
#include "xen/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnodes/vnodes.h"

#define PAGE 4096u
#define RSDP_SIZE 36

/* libxl's modules of a PVH guest; and of an HVM guest, with acpi_firmware. */
enum { MODULE_RSDP = 0, MODULE_TABLES = 2, MODULE_FIRMWARE = 0 };

struct vnuma {
    struct xc_dom_image *dom; /* borrowed, from when it is parsed */
    unsigned nr_ranges;       /* 0: until then */
    struct xlnuma__vrange range[XLNUMA__VRANGES_MAX];
    uint64_t done_kb[XLNUMA_GUEST_NODES_MAX]; /* where it should be */
    uint8_t *tables; /* owned: libxl reads them until the domain is built */
};

/* --- begin and end -------------------------------------------------------- */

void xlnuma__vnuma_free(struct vnuma *vnuma)
{
    if (vnuma)
        free(vnuma->tables);
    free(vnuma);
}

/* The guest sees one node, and its vCPUs run on all of the plan's CPUs. */
static void give_up(struct build *build, const char *why)
{
    char message[XLNUMA_MESSAGE_SIZE];

    snprintf(build->vnodes_reason, sizeof(build->vnodes_reason), "%s", why);
    xlnuma__vnuma_free(build->vnuma);
    build->vnuma = NULL;
    LOG(build, WARN,
        "domain %" PRIu32
        " (%s): numa_guest_nodes: %s: the guest sees one node",
        build->domid, build->request.name, why);
    if (xlnuma__apply(build->ctx, build->domid, build->nr_vcpus, build->plan,
                      build->owns_vcpus, NULL, message))
        LOG(build, WARN, "domain %" PRIu32 " (%s): %s", build->domid,
            build->request.name, message);
}

void xlnuma__vnuma_begin(struct build *build)
{
    snprintf(build->vnodes_reason, sizeof(build->vnodes_reason), "%s",
             build->plan->vnodes_reason);
    if (!build->plan->nr_guest_nodes)
        return;
    build->vnuma = calloc(1, sizeof(*build->vnuma));
    if (!build->vnuma)
        give_up(build, "out of memory");
    else
        xlnuma__vnuma_affinities(build);
}

/* Each vCPU's soft affinity is the CPUs of its node, and those lent to it. */
void xlnuma__vnuma_affinities(struct build *build)
{
    const struct xlnuma_plan *plan = build->plan;
    char message[XLNUMA_MESSAGE_SIZE];

    for (unsigned n = 0; build->vnuma && n < plan->nr_guest_nodes; n++) {
        const struct xlnuma_guest_node *node = &plan->guest_node[n];

        for (unsigned v = 0; v < build->nr_vcpus; v++)
            if (xlnuma__vnode_has_vcpu(node, v) &&
                xlnuma__apply_vcpu(build->ctx, build->domid, v, &node->cpus,
                                   message)) {
                LOG(build, WARN,
                    "domain %" PRIu32 " (%s): %s: the vCPUs of its nodes from "
                    "%u on run on all of the plan's CPUs",
                    build->domid, build->request.name, message, n);
                return;
            }
    }
}

void xlnuma__vnuma_built(struct build *build)
{
    if (build->vnuma && !build->vnuma->tables)
        give_up(build, "libxl made no ACPI tables as they are known");
}

/* --- memory by address ---------------------------------------------------- */

static const struct xlnuma__vrange *range_of(const struct vnuma *vnuma,
                                             uint64_t address)
{
    for (unsigned i = 0; i < vnuma->nr_ranges; i++)
        if (address >= vnuma->range[i].start && address < vnuma->range[i].end)
            return &vnuma->range[i];
    return NULL;
}

int xlnuma__vnuma_next(const struct build *build, unsigned order,
                       const xen_pfn_t *extent, unsigned long *nr_r)
{
    const struct vnuma *vnuma = build->vnuma;
    const struct xlnuma__vrange *range;
    unsigned long run = 1;
    unsigned node;

    if (!vnuma || !vnuma->nr_ranges)
        return VNUMA_ANY;
    range = range_of(vnuma, (uint64_t)*extent * PAGE);
    while (run < *nr_r &&
           range_of(vnuma, (uint64_t)extent[run] * PAGE) == range)
        run++;
    *nr_r = run;
    if (!range)
        return VNUMA_ANY;
    /* The last one may end in another range. */
    while (run &&
           ((uint64_t)extent[run - 1] + (1ul << order)) * PAGE > range->end)
        run--;
    if (!run)
        return -1;
    *nr_r = run;
    node = build->plan->guest_node[range->vnode].node;
    if (order < build->extents.failed_order[node])
        return (int)node;
    return order ? -1 : VNUMA_ANY; /* it has no page any more */
}

void xlnuma__vnuma_done(struct build *build, xen_pfn_t first, unsigned node,
                        uint64_t kb)
{
    struct vnuma *vnuma = build->vnuma;
    const struct xlnuma__vrange *range =
        vnuma ? range_of(vnuma, (uint64_t)first * PAGE) : NULL;

    if (range && build->plan->guest_node[range->vnode].node == node)
        vnuma->done_kb[range->vnode] += kb;
}

uint64_t xlnuma__vnuma_actual_kb(const struct build *build, unsigned vnode)
{
    return build->vnuma ? build->vnuma->done_kb[vnode] : 0;
}

/* The VGA's part of an HVM guest's first node is no memory. */
uint64_t xlnuma__vnuma_stray_kb(const struct build *build)
{
    uint64_t kb = 0;

    for (unsigned n = 0; build->vnuma && n < build->plan->nr_guest_nodes; n++)
        kb += build->plan->guest_node[n].memory_kb - build->vnuma->done_kb[n];
    return kb;
}

char *xlnuma__vnuma_format_ranges(const struct build *build, unsigned vnode,
                                  char *buf, size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (unsigned i = 0; build->vnuma && i < build->vnuma->nr_ranges; i++) {
        const struct xlnuma__vrange *range = &build->vnuma->range[i];

        if (range->vnode == vnode && used < size)
            used += (size_t)snprintf(buf + used, size - used,
                                     "%s0x%" PRIx64 "-0x%" PRIx64,
                                     used ? "," : "", range->start, range->end);
    }
    return buf;
}

/* --- tables --------------------------------------------------------------- */

static struct xlnuma__tables tables_of(const struct build *build)
{
    return (struct xlnuma__tables){ .plan = build->plan,
                                    .nr_vcpus = build->nr_vcpus,
                                    .nr_ranges = build->vnuma->nr_ranges,
                                    .range = build->vnuma->range };
}

/* hvmloader's APIC ids are twice the vCPU's number; what is there stays first. */
static void add_firmware(struct build *build)
{
    struct xlnuma__tables tables = tables_of(build);
    struct xc_hvm_firmware_module *module =
        &build->vnuma->dom->acpi_modules[MODULE_FIRMWARE];
    uint8_t apic_id[XLNUMA_GUEST_VCPUS_MAX], *to;
    uint32_t length = module->length;

    to = calloc(1, (size_t)length + XLNUMA__TABLES_SIZE);
    if (!to) {
        give_up(build, "out of memory");
        return;
    }
    for (unsigned v = 0; v < build->nr_vcpus; v++)
        apic_id[v] = (uint8_t)(2 * v);
    tables.apic_id = apic_id;
    if (length)
        memcpy(to, module->data, length);
    length += xlnuma__acpi_srat(&tables, to + length);
    length += xlnuma__acpi_slit(&tables, to + length);
    build->vnuma->tables = to;
    module->data = to;
    module->length = length;
}

/*
 * libxl knows where the guest's memory will be. Its layout may be another than was
 * planned, as a device's reserved memory can move the hole: then the nodes may end
 * within a block of Linux's.
 */
static void parsed(struct build *build, struct xc_dom_image *dom)
{
    uint64_t low = dom->lowmem_end, size = low;

    if (dom->highmem_end > (uint64_t)1 << 32)
        size += dom->highmem_end - ((uint64_t)1 << 32);
    if (size != build->request.ram_kb << 10 ||
        (dom->highmem_end && low != build->request.low_ram_kb << 10)) {
        give_up(build, "libxl lays out its memory in another way");
        return;
    }
    build->vnuma->dom = dom;
    build->vnuma->nr_ranges =
        xlnuma__vnodes_ranges(build->plan, low, build->vnuma->range);
    if (build->is_hvm)
        add_firmware(build);
}

void xlnuma__vnuma_image_parsed(struct xc_dom_image *dom)
{
    struct build *build = xlnuma__build_enter(dom->guest_domid);

    if (build && build->vnuma)
        parsed(build, dom);
    xlnuma__build_leave(build);
}

/*
 * The area at `end` may grow by `more` bytes when nothing but the RSDP, which then
 * moves up, is there.
 */
static bool may_grow(const struct e820entry e820[], uint32_t nr, uint64_t end,
                     uint64_t more, uint64_t rsdp)
{
    uint64_t limit = end + more + (rsdp == end ? PAGE : 0);

    for (uint32_t i = 0; i < nr; i++)
        if (e820[i].addr < limit && e820[i].addr + e820[i].size > end &&
            !(rsdp == end && e820[i].addr == end && e820[i].size <= PAGE))
            return false;
    return true;
}

static void grow(struct e820entry e820[], uint32_t nr, uint64_t base,
                 uint64_t end, uint64_t more)
{
    for (uint32_t i = 0; i < nr; i++) {
        if (e820[i].addr == base)
            e820[i].size += more;
        else if (e820[i].addr == end)
            e820[i].addr += more;
    }
}

static bool has_area(const struct e820entry e820[], uint32_t nr, uint64_t base,
                     uint64_t size)
{
    for (uint32_t i = 0; i < nr; i++)
        if (e820[i].addr == base && e820[i].size == size)
            return true;
    return false;
}

/* Returns NULL, or (static) what is not as libxl has it: nothing has changed. */
static const char *extend(struct build *build, struct e820entry e820[],
                          uint32_t nr)
{
    struct xc_dom_image *dom = build->vnuma->dom;
    struct xc_hvm_firmware_module *rsdp = &dom->acpi_modules[MODULE_RSDP];
    struct xc_hvm_firmware_module *module = &dom->acpi_modules[MODULE_TABLES];
    uint64_t base = module->guest_addr_out, end = base + module->length;
    const struct xlnuma__tables tables = tables_of(build);
    uint8_t new_rsdp[RSDP_SIZE], *to;
    struct xlnuma__acpi_area area;
    const char *why;
    uint32_t length;

    if (!rsdp->data || rsdp->length < RSDP_SIZE || !module->data ||
        module->length % PAGE || base % PAGE ||
        !has_area(e820, nr, base, module->length))
        return "its ACPI tables are not where libxl has them";
    to = calloc(1, (size_t)module->length + XLNUMA__ACPI_MORE);
    if (!to)
        return "out of memory";
    memcpy(new_rsdp, rsdp->data, sizeof(new_rsdp));
    area = (struct xlnuma__acpi_area){ module->data, module->length, base,
                                       new_rsdp };
    length = xlnuma__acpi_extend(&area, &tables, to, &why);
    if (length && !may_grow(e820, nr, end, length - module->length,
                            rsdp->guest_addr_out)) {
        why = "there is no room behind its ACPI tables";
        length = 0;
    }
    if (!length) {
        free(to);
        return why;
    }
    grow(e820, nr, base, end, length - module->length);
    if (rsdp->guest_addr_out == end)
        rsdp->guest_addr_out += length - module->length;
    memcpy(rsdp->data, new_rsdp, sizeof(new_rsdp));
    build->vnuma->tables = module->data = to;
    module->length = length;
    return NULL;
}

void xlnuma__vnuma_memory_map(uint32_t domid, struct e820entry e820[],
                              uint32_t nr)
{
    struct build *build = xlnuma__build_enter(domid);
    const char *why = NULL;

    if (build && build->vnuma && build->vnuma->dom && !build->vnuma->tables)
        why = extend(build, e820, nr);
    if (why)
        give_up(build, why);
    xlnuma__build_leave(build);
}
