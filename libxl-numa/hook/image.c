/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moments of a guest that sees several nodes: libxenguest knows its kernel and where
 * its memory will be; libxl sets its memory map. SRAT and SLIT go into its ACPI tables.
 * Neither libxl nor Xen knows of its nodes.
 *
 * PVH: libxl made the tables when it sets the guest's memory map, and copies them
 * into the guest later. HVM: hvmloader makes them, and adds those that libxl hands
 * it as acpi_firmware. When anything is not as libxl has it, its tables stay as
 * they are and the guest sees one node.
 */
#include "hook/moments.h"
#include "hook/services.h"
#include "hook/vnuma.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define RSDP_SIZE 36

/* libxl's modules of a PVH guest; and of an HVM guest, with acpi_firmware. */
enum { MODULE_RSDP = 0, MODULE_TABLES = 2, MODULE_FIRMWARE = 0 };

static struct xlnuma__tables tables_of(const struct build *build)
{
    return (struct xlnuma__tables){ .layout = &build->vnuma->layout,
                                    .nr_vcpus = build->nr_vcpus };
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
        xlnuma__vnuma_give_up(build, "out of memory");
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
void xlnuma__on_image(struct build *build, struct xc_dom_image *dom)
{
    uint64_t low = dom->lowmem_end, size = low;

    if (!build->vnuma)
        return;
    if (dom->highmem_end > (uint64_t)1 << 32)
        size += dom->highmem_end - ((uint64_t)1 << 32);
    if (size != build->request.ram_kb << 10 ||
        (dom->highmem_end && low != build->request.low_ram_kb << 10)) {
        xlnuma__vnuma_give_up(build,
                              "libxl lays out its memory in another way");
        return;
    }
    build->vnuma->dom = dom;
    xlnuma__layout_from_plan(&build->vnuma->layout, build->plan, low);
    if (build->is_hvm)
        add_firmware(build);
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

void xlnuma__on_memory_map(struct build *build, struct e820entry e820[],
                           uint32_t nr)
{
    const char *why = NULL;

    if (build->vnuma && build->vnuma->dom && !build->vnuma->tables)
        why = extend(build, e820, nr);
    if (why)
        xlnuma__vnuma_give_up(build, why);
}
