/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's nodes as ACPI tables: SRAT (which vCPUs and addresses are on which
 * node) and SLIT (distances), and the two added to those that libxl made for a
 * PVH guest. Bytes in, bytes out. (ACPI 6.5, 5.2.5 to 5.2.8, 5.2.12, 5.2.16 and
 * 5.2.17.)
 */
#include "vnodes/vnodes.h"

#include <string.h>

#define PAGE 4096u

/* Offsets, the same in every table. */
#define HEADER_SIZE 36
#define LENGTH_AT 4
#define CHECKSUM_AT 9

#define RSDP_SIZE 36
#define RSDP_FIRST_SIZE 20 /* which the first checksum is of */
#define RSDP_CHECKSUM_AT 8
#define RSDP_XSDT_AT 24
#define RSDP_EXTENDED_CHECKSUM_AT 32

#define MADT_ENTRIES_AT 44
#define LOCAL_APIC 0
#define LOCAL_APIC_SIZE 8

/*
 * The AML with which libxl's guests plug CPUs sets a bit in each of 128 entries of
 * 8 bytes from the MADT's first on, however few there are: until a guest has
 * booted it writes over what lies behind a shorter MADT.
 */
#define MADT_WRITTEN (MADT_ENTRIES_AT + 128 * 8)

static void put(uint8_t *to, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* All `length` bytes make 0 with the one at `at`. */
static void sum_up(uint8_t *table, uint32_t length, unsigned at)
{
    uint8_t sum = 0;

    table[at] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + table[i]);
    table[at] = (uint8_t)-sum;
}

/* OEM id and table as in Xen's own tables; the creator is us. */
static void put_header(uint8_t *to, const char *signature, uint8_t revision,
                       uint32_t length)
{
    static const char oem[14] = "Xen\0\0\0HVM", creator[4] = "XLNM";

    memcpy(to, signature, 4);
    put(to + LENGTH_AT, length, 4);
    to[8] = revision;
    memcpy(to + 10, oem, sizeof(oem));
    memcpy(to + 28, creator, sizeof(creator));
    put(to + 32, 1, 4);
}

static unsigned node_of(const struct xlnuma__layout *layout, unsigned vcpu)
{
    unsigned n = 0;

    while (n < layout->nr &&
           !(layout->node[n].vcpus[vcpu / 64] >> vcpu % 64 & 1))
        n++;
    return n;
}

uint32_t xlnuma__acpi_srat(const struct xlnuma__tables *tables, uint8_t *to)
{
    const struct xlnuma__layout *layout = tables->layout;
    uint32_t length = 48 + 16 * tables->nr_vcpus + 40 * layout->nr_ranges;
    uint8_t *at = to + 48;

    put_header(to, "SRAT", 3, length);
    put(to + HEADER_SIZE, 1, 4); /* reserved, to be 1 */
    for (unsigned v = 0; v < tables->nr_vcpus; v++, at += 16) {
        at[0] = 0; /* processor local APIC affinity */
        at[1] = 16;
        at[2] = (uint8_t)node_of(layout, v);
        at[3] = tables->apic_id[v];
        put(at + 4, 1, 4); /* enabled */
    }
    for (unsigned i = 0; i < layout->nr_ranges; i++, at += 40) {
        const struct xlnuma__vrange *range = &layout->range[i];

        at[0] = 1; /* memory affinity */
        at[1] = 40;
        put(at + 2, range->vnode, 4);
        put(at + 8, range->start, 8);
        put(at + 16, range->end - range->start, 8);
        put(at + 28, 1, 4); /* enabled */
    }
    sum_up(to, length, CHECKSUM_AT);
    return length;
}

uint32_t xlnuma__acpi_slit(const struct xlnuma__tables *tables, uint8_t *to)
{
    unsigned nr = tables->layout->nr;
    uint32_t length = 44 + nr * nr;

    put_header(to, "SLIT", 1, length);
    put(to + HEADER_SIZE, nr, 8);
    for (unsigned i = 0; i < nr; i++)
        memcpy(to + 44 + i * nr, tables->layout->node[i].distance, nr);
    sum_up(to, length, CHECKSUM_AT);
    return length;
}

/* --- libxl's tables ------------------------------------------------------- */

/* The table at a guest address, if all of it is in the area; else NULL. */
static const uint8_t *table_at(const struct xlnuma__acpi_area *area,
                               uint64_t address)
{
    uint64_t at = address - area->base, length;

    if (address < area->base || at > area->length ||
        area->length - at < HEADER_SIZE)
        return NULL;
    length = get(area->bytes + at + LENGTH_AT, 4);
    return length >= HEADER_SIZE && length <= area->length - at
               ? area->bytes + at
               : NULL;
}

/* The first `nr` vCPUs' APIC ids; false when the MADT has fewer. */
static bool read_madt(const uint8_t *madt, unsigned nr, uint8_t apic_id_r[])
{
    uint32_t length = (uint32_t)get(madt + LENGTH_AT, 4), size;
    unsigned found = 0;

    for (uint32_t at = MADT_ENTRIES_AT; found < nr && length > at + 1;
         at += size) {
        size = madt[at + 1];
        if (size < 2 || size > length - at)
            return false;
        if (madt[at] == LOCAL_APIC && size >= LOCAL_APIC_SIZE)
            apic_id_r[found++] = madt[at + 3];
    }
    return found == nr;
}

/* XSDT and MADT; NULL when they are there, else what is not as it should be. */
static const char *find_tables(const struct xlnuma__acpi_area *area,
                               const uint8_t **xsdt_r, const uint8_t **madt_r)
{
    const uint8_t *xsdt;
    uint32_t length;

    *madt_r = NULL;
    if (memcmp(area->rsdp, "RSD PTR ", 8))
        return "the guest's RSDP is none";
    *xsdt_r = xsdt = table_at(area, get(area->rsdp + RSDP_XSDT_AT, 8));
    if (!xsdt || memcmp(xsdt, "XSDT", 4))
        return "the guest's XSDT is not where its RSDP says";
    length = (uint32_t)get(xsdt + LENGTH_AT, 4);
    if (length > PAGE)
        return "the guest's XSDT is longer than a page";
    for (uint32_t at = HEADER_SIZE; at + 8 <= length; at += 8) {
        const uint8_t *table = table_at(area, get(xsdt + at, 8));

        if (!table)
            return "a table of the guest's is not where its XSDT says";
        if (!memcmp(table, "SRAT", 4) || !memcmp(table, "SLIT", 4))
            return "the guest has such tables already";
        if (!memcmp(table, "APIC", 4))
            *madt_r = table;
    }
    return *madt_r ? NULL : "the guest has no MADT";
}

static uint32_t round_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

uint32_t xlnuma__acpi_extend(const struct xlnuma__acpi_area *area,
                             const struct xlnuma__tables *tables, uint8_t *to,
                             const char **why_r)
{
    uint8_t apic_id[XLNUMA_GUEST_VCPUS_MAX] = { 0 }, *rsdp = area->rsdp;
    struct xlnuma__tables own = *tables;
    const uint8_t *xsdt, *madt;
    uint32_t at, xsdt_at, length;

    *why_r = find_tables(area, &xsdt, &madt);
    if (!*why_r && (tables->nr_vcpus > XLNUMA_GUEST_VCPUS_MAX ||
                    !read_madt(madt, tables->nr_vcpus, apic_id)))
        *why_r = "the guest's MADT lacks a vCPU";
    if (*why_r)
        return 0;
    own.apic_id = apic_id;
    memcpy(to, area->bytes, area->length);
    at = (uint32_t)(madt - area->bytes) + MADT_WRITTEN;
    at = round_up(at > area->length ? at : area->length, PAGE);
    xsdt_at = at;
    length = (uint32_t)get(xsdt + LENGTH_AT, 4);
    memcpy(to + at, xsdt, length);
    at += round_up(length + 16, 16);
    put(to + xsdt_at + length, area->base + at, 8);
    at += round_up(xlnuma__acpi_srat(&own, to + at), 16);
    put(to + xsdt_at + length + 8, area->base + at, 8);
    at += xlnuma__acpi_slit(&own, to + at);
    length += 16;
    put(to + xsdt_at + LENGTH_AT, length, 4);
    sum_up(to + xsdt_at, length, CHECKSUM_AT);
    put(rsdp + RSDP_XSDT_AT, area->base + xsdt_at, 8);
    sum_up(rsdp, RSDP_FIRST_SIZE, RSDP_CHECKSUM_AT);
    sum_up(rsdp, RSDP_SIZE, RSDP_EXTENDED_CHECKSUM_AT);
    return round_up(at, PAGE);
}
