/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest-acpi DOMID [TABLE]: what the ACPI tables in a guest's memory say of its nodes, by
 * way of its RSDP as an operating system finds it: lines "cpu NODE APIC-ID",
 * "memory NODE 0xSTART-0xEND" and "distances D..."; "apic-ids ID..." of its MADT; and
 * "table NAME" of each other. Fails if a checksum (but for the MADT's) is wrong, or there is no SRAT or
 * SLIT. With a table's name that one is destroyed. Runs in dom0.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#define PAGE 4096

static xenforeignmemory_handle *memory;
static uint32_t domid;
static const char *destroyed; /* this table is to be */
static unsigned nr_found;     /* of SRAT and SLIT */

static bool read_guest(uint64_t address, void *to, size_t length)
{
    while (length) {
        xen_pfn_t frame = address / PAGE;
        size_t at = address % PAGE, part = PAGE - at;
        int error = 0;
        char *page =
            xenforeignmemory_map(memory, domid, PROT_READ, 1, &frame, &error);

        part = part < length ? part : length;
        if (page && !error)
            memcpy(to, page + at, part);
        if (page)
            xenforeignmemory_unmap(memory, page, 1);
        if (!page || error)
            return false;
        to = (char *)to + part;
        address += part;
        length -= part;
    }
    return true;
}

static uint64_t get(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, from, size);
    return value;
}

static bool sums_up(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    while (length--)
        sum = (uint8_t)(sum + *bytes++);
    return !sum;
}

static void destroy(uint64_t address)
{
    xen_pfn_t frame = address / PAGE;
    char *page = xenforeignmemory_map(memory, domid, PROT_READ | PROT_WRITE, 1,
                                      &frame, NULL);

    if (page)
        page[address % PAGE + 40] ^= 0x55;
}

static void print_srat(const uint8_t *table, uint32_t length)
{
    for (uint32_t at = 48; at + 2 <= length && table[at + 1];
         at += table[at + 1])
        if (table[at] == 0)
            printf("cpu %u %u\n", table[at + 2], table[at + 3]);
        else if (table[at] == 1)
            printf("memory %u 0x%" PRIx64 "-0x%" PRIx64 "\n", table[at + 2],
                   get(table + at + 8, 8),
                   get(table + at + 8, 8) + get(table + at + 16, 8));
}

static void print_slit(const uint8_t *table)
{
    for (unsigned i = 0; i < table[36]; i++) {
        printf("distances");
        for (unsigned j = 0; j < table[36]; j++)
            printf(" %u", table[44 + i * table[36] + j]);
        putchar('\n');
    }
}

static void print_madt(const uint8_t *table, uint32_t length)
{
    printf("apic-ids");
    for (uint32_t at = 44; at + 2 <= length && table[at + 1];
         at += table[at + 1])
        if (table[at] == 0)
            printf(" %u", table[at + 3]);
    putchar('\n');
}

static bool read_table(uint64_t address)
{
    uint8_t header[36], *table;
    uint32_t length;
    bool is_right;

    if (!read_guest(address, header, sizeof(header)))
        return false;
    if (destroyed && !memcmp(header, destroyed, 4))
        destroy(address);
    length = (uint32_t)get(header + 4, 4);
    table = calloc(1, length + 1);
    /* The guest's own AML marks CPUs in its MADT, and leaves the checksum. */
    is_right = length >= sizeof(header) && length < 1 << 20 &&
               read_guest(address, table, length) &&
               (sums_up(table, length) || !memcmp(header, "APIC", 4));
    if (!is_right)
        fprintf(stderr, "%.4s at %" PRIx64 " is wrong\n", header, address);
    else if (!memcmp(header, "SRAT", 4))
        print_srat(table, length);
    else if (!memcmp(header, "SLIT", 4))
        print_slit(table);
    else if (!memcmp(header, "APIC", 4))
        print_madt(table, length);
    else
        printf("table %.4s\n", (const char *)table);
    nr_found +=
        is_right && (!memcmp(header, "SRAT", 4) || !memcmp(header, "SLIT", 4));
    free(table);
    return is_right;
}

static int read_tables(const uint8_t *rsdp)
{
    uint64_t xsdt = get(rsdp + 24, 8);
    bool is_right = sums_up(rsdp, 20) && sums_up(rsdp, 36) && read_table(xsdt);
    uint8_t header[36], entry[8];

    if (!is_right || !read_guest(xsdt, header, sizeof(header)))
        return 1;
    for (uint32_t at = 36; at + 8 <= get(header + 4, 4); at += 8)
        is_right = read_guest(xsdt + at, entry, sizeof(entry)) &&
                   read_table(get(entry, 8)) && is_right;
    return is_right && nr_found == 2 ? 0 : 1;
}

/* In the BIOS area, or behind libxl's tables for a PVH guest that is no Linux. */
int main(int argc, char **argv)
{
    static const uint64_t areas[][2] = { { 0xe0000, 0x100000 },
                                         { 0xfc000000, 0xfc010000 } };
    uint8_t rsdp[36];

    domid = argc > 1 ? (uint32_t)atoi(argv[1]) : 0;
    destroyed = argc > 2 ? argv[2] : NULL;
    memory = xenforeignmemory_open(NULL, 0);
    if (!memory)
        return 1;
    for (unsigned i = 0; i < 2; i++)
        for (uint64_t at = areas[i][0]; at < areas[i][1]; at += 16)
            if (read_guest(at, rsdp, sizeof(rsdp)) &&
                !memcmp(rsdp, "RSD PTR ", 8))
                return read_tables(rsdp);
    fprintf(stderr, "no RSDP\n");
    return 1;
}
