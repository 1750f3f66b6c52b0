/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that the ACPI tables in a guest's memory have, found as its operating
 * system finds them. The guest can write anything there: every address, length and
 * number is checked before it is used. Compares nothing.
 */
#include "vnodes/vnodes.h"

#include <string.h>

#define PAGE 4096u
#define HEADER_SIZE 36
#define RSDP_SIZE 36
#define RSDP_FIRST_SIZE 20
#define ADDRESS_END ((uint64_t)1 << 52)

/* An entry of a SRAT or MADT begins with its type and its size. */
enum { LOCAL_APIC = 0, LOCAL_APIC_SIZE = 8 };
enum { CPU_AFFINITY = 0, CPU_AFFINITY_SIZE = 16 };
enum { MEMORY_AFFINITY = 1, MEMORY_AFFINITY_SIZE = 40 };

struct table {
    uint64_t address; /* 0: there is none */
    uint32_t length;
    uint8_t byte[XLNUMA__TABLES_SIZE];
};

static uint64_t get(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static bool sums_up(const uint8_t *byte, uint32_t length)
{
    uint8_t sum = 0;

    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + byte[i]);
    return !sum;
}

/* The RSDP on this page, if there is one that is right. */
static bool find_on_page(const struct xlnuma__guest_memory *memory,
                         uint64_t address, uint8_t rsdp[RSDP_SIZE])
{
    uint8_t page[PAGE];

    if (!memory->read(memory->data, address, page, PAGE))
        return false;
    for (unsigned at = 0; at < PAGE; at += 16)
        if (!memcmp(page + at, "RSD PTR ", 8) &&
            memory->read(memory->data, address + at, rsdp, RSDP_SIZE) &&
            sums_up(rsdp, RSDP_FIRST_SIZE) && sums_up(rsdp, RSDP_SIZE))
            return true;
    return false;
}

/* Behind libxl's tables for a PVH guest, or in the BIOS' area. */
static bool find_rsdp(const struct xlnuma__guest_memory *memory,
                      uint8_t rsdp[RSDP_SIZE])
{
    static const uint64_t area[][2] = { { 0xfc000000, 0xfc020000 },
                                        { 0xe0000, 0x100000 } };

    for (unsigned i = 0; i < 2; i++)
        for (uint64_t at = area[i][0]; at < area[i][1]; at += PAGE)
            if (find_on_page(memory, at, rsdp))
                return true;
    return false;
}

/* All of a table; false if it cannot be read, or is longer than one of ours. */
static bool read_table(const struct xlnuma__guest_memory *memory,
                       struct table *table)
{
    if (!table->address || table->address > ADDRESS_END ||
        !memory->read(memory->data, table->address, table->byte, HEADER_SIZE))
        return false;
    table->length = (uint32_t)get(table->byte + 4, 4);
    return table->length >= HEADER_SIZE &&
           table->length <= sizeof(table->byte) &&
           memory->read(memory->data, table->address, table->byte,
                        table->length);
}

/* Where the XSDT has MADT, SRAT and SLIT. */
static const char *find_tables(const struct xlnuma__guest_memory *memory,
                               const struct table *xsdt, uint64_t *madt_r,
                               uint64_t *srat_r, uint64_t *slit_r)
{
    *madt_r = *srat_r = *slit_r = 0;
    for (uint32_t at = HEADER_SIZE; at + 8 <= xsdt->length; at += 8) {
        uint64_t address = get(xsdt->byte + at, 8);
        uint8_t name[4];

        if (address > ADDRESS_END ||
            !memory->read(memory->data, address, name, sizeof(name)))
            return "a table is where there is no memory";
        if (!memcmp(name, "APIC", 4))
            *madt_r = address;
        else if (!memcmp(name, "SRAT", 4))
            *srat_r = address;
        else if (!memcmp(name, "SLIT", 4))
            *slit_r = address;
    }
    return NULL;
}

/* The size of the entry at `at`; 0: there is none that the table has room for. */
static uint32_t entry_size(const struct table *table, uint32_t at)
{
    uint32_t size = table->length - at >= 2 ? table->byte[at + 1] : 0;

    return size >= 2 && size <= table->length - at ? size : 0;
}

/* The guest's own AML writes into its MADT and leaves the checksum. */
static unsigned read_madt(const struct table *madt, uint8_t apic_id_r[])
{
    unsigned nr = 0;
    uint32_t size;

    for (uint32_t at = 44; at < madt->length; at += size) {
        size = entry_size(madt, at);
        if (!size || nr == XLNUMA_GUEST_VCPUS_MAX)
            break;
        if (madt->byte[at] == LOCAL_APIC && size >= LOCAL_APIC_SIZE)
            apic_id_r[nr++] = madt->byte[at + 3];
    }
    return nr;
}

static const char *add_cpu(struct xlnuma__layout *layout, const uint8_t *entry,
                           const uint8_t apic_id[], unsigned nr)
{
    unsigned vcpu = 0, node = entry[2] | (unsigned)get(entry + 9, 3) << 8;

    while (vcpu < nr && apic_id[vcpu] != entry[3])
        vcpu++;
    if (vcpu == nr)
        return "the SRAT has a vCPU that the MADT has not";
    if (node >= XLNUMA_GUEST_NODES_MAX)
        return "the SRAT has too many nodes";
    layout->node[node].vcpus[vcpu / 64] |= (uint64_t)1 << vcpu % 64;
    if (node >= layout->nr)
        layout->nr = node + 1;
    return NULL;
}

static const char *add_memory(struct xlnuma__layout *layout,
                              const uint8_t *entry)
{
    uint64_t node = get(entry + 2, 4), start = get(entry + 8, 8);
    uint64_t length = get(entry + 16, 8);

    if (node >= XLNUMA_GUEST_NODES_MAX)
        return "the SRAT has too many nodes";
    if (layout->nr_ranges == XLNUMA__VRANGES_MAX || start > ADDRESS_END ||
        length > ADDRESS_END)
        return "the SRAT has memory that no guest has";
    layout->range[layout->nr_ranges++] =
        (struct xlnuma__vrange){ start, start + length, (unsigned)node };
    if (node >= layout->nr)
        layout->nr = (unsigned)node + 1;
    return NULL;
}

static const char *read_srat(struct xlnuma__layout *layout,
                             const struct table *srat, const uint8_t apic_id[],
                             unsigned nr)
{
    const char *why = NULL;
    uint32_t size;

    for (uint32_t at = 48; !why && at < srat->length; at += size) {
        const uint8_t *entry = srat->byte + at;

        size = entry_size(srat, at);
        if (!size)
            return "an entry of the SRAT has no right size";
        if (entry[0] == CPU_AFFINITY && size >= CPU_AFFINITY_SIZE &&
            entry[4] & 1)
            why = add_cpu(layout, entry, apic_id, nr);
        else if (entry[0] == MEMORY_AFFINITY && size >= MEMORY_AFFINITY_SIZE &&
                 entry[28] & 1)
            why = add_memory(layout, entry);
    }
    return why;
}

static const char *read_slit(struct xlnuma__layout *layout,
                             const struct table *slit)
{
    unsigned nr = layout->nr;

    if (slit->length < 44 || get(slit->byte + HEADER_SIZE, 8) != nr ||
        slit->length < 44 + nr * nr)
        return "the SLIT has another number of nodes than the SRAT";
    for (unsigned n = 0; n < nr; n++)
        memcpy(layout->node[n].distance, slit->byte + 44 + n * nr, nr);
    return NULL;
}

const char *xlnuma__acpi_read(const struct xlnuma__guest_memory *memory,
                              struct xlnuma__layout *layout_r)
{
    struct table xsdt, madt, srat, slit;
    uint8_t rsdp[RSDP_SIZE], apic_id[XLNUMA_GUEST_VCPUS_MAX];
    const char *why;

    memset(layout_r, 0, sizeof(*layout_r));
    if (!find_rsdp(memory, rsdp))
        return "there is no RSDP";
    xsdt.address = get(rsdp + 24, 8);
    if (!read_table(memory, &xsdt) || memcmp(xsdt.byte, "XSDT", 4) != 0 ||
        !sums_up(xsdt.byte, xsdt.length))
        return "the XSDT is destroyed";
    why =
        find_tables(memory, &xsdt, &madt.address, &srat.address, &slit.address);
    if (why)
        return why;
    if (!read_table(memory, &madt))
        return "there is no MADT";
    if (!read_table(memory, &srat) || !sums_up(srat.byte, srat.length))
        return srat.address ? "the SRAT is destroyed" : "there is no SRAT";
    if (!read_table(memory, &slit) || !sums_up(slit.byte, slit.length))
        return slit.address ? "the SLIT is destroyed" : "there is no SLIT";
    why = read_srat(layout_r, &srat, apic_id, read_madt(&madt, apic_id));
    return why ? why : read_slit(layout_r, &slit);
}
