/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vnodes/acpi.c, byte by byte. With a folder as its argument it writes SRAT and SLIT
 * there instead, for tests/unit/acpi-tables.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "vnodes/vnodes.h"

#define PAGE 4096
#define BASE 0xfc001000u

static uint8_t sum(const uint8_t *bytes, size_t length)
{
    uint8_t all = 0;

    while (length--)
        all = (uint8_t)(all + *bytes++);
    return all;
}

/*
 * A guest of two nodes, 256 and 4096 MiB, around a hole from 0xfc000000 on, with
 * vCPU 0 on the first and vCPUs 1 and 2 on the second node.
 */
static const struct xlnuma__layout layout = {
    .nr = 2,
    .nr_ranges = 3,
    .node = { { { 1 }, { 10, 11 } }, { { 6 }, { 21, 10 } } },
    .range = { { 0, 0x10000000, 0 },
               { 0x10000000, 0xfc000000, 1 },
               { 0x100000000, 0x114000000, 1 } },
};
static const uint8_t apic_ids[] = { 0, 2, 4 };
static const struct xlnuma__tables tables = { &layout, 3, apic_ids };

/* Lengths: 48 + 3 * 16 + 3 * 40 = 216 (0xd8); the checksum makes the sum 0. */
static const uint8_t srat[216] = {
    'S',
    'R',
    'A',
    'T',
    0xd8,
    0,
    0,
    0,
    3,
    0xb8,
    'X',
    'e',
    'n',
    0,
    0,
    0,
    'H',
    'V',
    'M',
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    'X',
    'L',
    'N',
    'M',
    1,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    /* local APICs: type, length, node, id, enabled */
    0,
    16,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    16,
    1,
    2,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    16,
    1,
    4,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    /* memory: type, length, node (4), -, base (8), length (8), -, enabled */
    1,
    40,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x10,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    40,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x10,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xec,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    40,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0x14,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
};

static const uint8_t slit[48] = {
    'S', 'L', 'I', 'T', 48, 0, 0, 0, 1, 0x07, 'X', 'e', 'n', 0,   0,   0,
    'H', 'V', 'M', 0,   0,  0, 0, 0, 0, 0,    0,   0,   'X', 'L', 'N', 'M',
    1,   0,   0,   0,   2,  0, 0, 0, 0, 0,    0,   0,   10,  11,  21,  10,
};

static void show(const uint8_t *got, const uint8_t *expected, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (got[i] != expected[i])
            printf("# byte %zu is %#x, not %#x\n", i, got[i], expected[i]);
}

static void two_tables(void)
{
    uint8_t got[XLNUMA__TABLES_SIZE] = { 0 };

    CU_ASSERT_EQUAL(xlnuma__acpi_srat(&tables, got), sizeof(srat));
    show(got, srat, sizeof(srat));
    CU_ASSERT(!memcmp(got, srat, sizeof(srat)));
    CU_ASSERT_EQUAL(sum(got, sizeof(srat)), 0);
    memset(got, 0, sizeof(got));
    CU_ASSERT_EQUAL(xlnuma__acpi_slit(&tables, got), sizeof(slit));
    show(got, slit, sizeof(slit));
    CU_ASSERT(!memcmp(got, slit, sizeof(slit)));
    CU_ASSERT_EQUAL(sum(got, sizeof(slit)), 0);
}

static void largest_tables(void)
{
    static uint8_t apic_id[XLNUMA_GUEST_VCPUS_MAX];
    static uint8_t got[XLNUMA__TABLES_SIZE];
    static const struct xlnuma__layout large = { .nr = 64,
                                                 .nr_ranges =
                                                     XLNUMA__VRANGES_MAX };
    const struct xlnuma__tables all = { &large, XLNUMA_GUEST_VCPUS_MAX,
                                        apic_id };
    uint32_t length = xlnuma__acpi_srat(&all, got);

    CU_ASSERT_EQUAL(length, 48 + 128 * 16 + 65 * 40);
    length = (length + 15) / 16 * 16;
    CU_ASSERT(length + 44 + 64 * 64 <= sizeof(got));
}

/* --- libxl's tables ------------------------------------------------------- */

/* As libxl's: FADT at 0x40, MADT, XSDT at 0x140 with both, in one page. */
struct pvh {
    uint8_t bytes[PAGE], rsdp[36], was[36], to[PAGE + XLNUMA__ACPI_MORE];
    struct xlnuma__acpi_area area;
};

static void header(uint8_t *to, const char *signature, uint32_t length)
{
    memcpy(to, signature, 4);
    memcpy(to + 4, &length, 4);
}

static void put64(uint8_t *to, uint64_t value)
{
    memcpy(to, &value, 8);
}

static void make_pvh(struct pvh *pvh, unsigned madt_at)
{
    memset(pvh, 0, sizeof(*pvh));
    header(pvh->bytes + 0x40, "FACP", 244);
    header(pvh->bytes + madt_at, "APIC", 44 + 12 + 3 * 8);
    memcpy(pvh->bytes + madt_at + 44, (uint8_t[]){ 1, 12 }, 2); /* I/O APIC */
    for (uint8_t v = 0; v < 3; v++)
        memcpy(pvh->bytes + madt_at + 56 + 8 * v,
               (uint8_t[]){ 0, 8, v, (uint8_t)(2 * v), v < 2 }, 5);
    header(pvh->bytes + 0x140, "XSDT", 36 + 16);
    put64(pvh->bytes + 0x164, BASE + 0x40);
    put64(pvh->bytes + 0x16c, BASE + madt_at);
    memcpy(pvh->rsdp, "RSD PTR ", 8);
    put64(pvh->rsdp + 24, BASE + 0x140);
    memcpy(pvh->was, pvh->rsdp, sizeof(pvh->was));
    pvh->area = (struct xlnuma__acpi_area){ pvh->bytes, PAGE, BASE, pvh->rsdp };
}

/* libxl's page, and from `at` on XSDT, SRAT and SLIT. */
static void check_extended(const struct pvh *pvh, uint32_t length, uint32_t at)
{
    uint8_t xsdt[68] = { 0 }, rsdp[8];

    CU_ASSERT_EQUAL(length, at + PAGE);
    CU_ASSERT(!memcmp(pvh->to, pvh->bytes, PAGE));
    for (uint32_t i = PAGE; i < at; i++)
        CU_ASSERT_EQUAL(pvh->to[i], 0);
    /* 36 + 4 * 8 = 68 bytes, rounded up to 80; SRAT's 216 to 224. */
    memcpy(xsdt, pvh->bytes + 0x140, 52);
    xsdt[4] = 68;
    put64(xsdt + 52, BASE + at + 80);
    put64(xsdt + 60, BASE + at + 80 + 224);
    xsdt[9] = (uint8_t)-sum(xsdt, sizeof(xsdt));
    CU_ASSERT(!memcmp(pvh->to + at, xsdt, sizeof(xsdt)));
    CU_ASSERT(!memcmp(pvh->to + at + 80, srat, sizeof(srat)));
    CU_ASSERT(!memcmp(pvh->to + at + 304, slit, sizeof(slit)));
    put64(rsdp, BASE + at);
    CU_ASSERT(!memcmp(pvh->rsdp, pvh->was, 8));
    CU_ASSERT(!memcmp(pvh->rsdp + 24, rsdp, 8));
    CU_ASSERT_EQUAL(sum(pvh->rsdp, 20), 0);
    CU_ASSERT_EQUAL(sum(pvh->rsdp, 36), 0);
}

static void extended(void)
{
    static struct pvh pvh;
    const char *why;

    /* 0x200 + 1068 is in libxl's page, so the second page is ours. */
    make_pvh(&pvh, 0x200);
    check_extended(&pvh, xlnuma__acpi_extend(&pvh.area, &tables, pvh.to, &why),
                   PAGE);
    CU_ASSERT_PTR_NULL(why);
}

/* 0xbd4 + 1068 is where the second page begins. */
static void behind_what_is_written(void)
{
    static struct pvh pvh;
    const char *why;

    make_pvh(&pvh, 0xbd4);
    check_extended(&pvh, xlnuma__acpi_extend(&pvh.area, &tables, pvh.to, &why),
                   PAGE);
    make_pvh(&pvh, 0xbd8);
    check_extended(&pvh, xlnuma__acpi_extend(&pvh.area, &tables, pvh.to, &why),
                   2 * PAGE);
}

/* --- read back ------------------------------------------------------------ */

/* libxl's pages as extended, and the RSDP behind them. */
struct built {
    struct pvh pvh;
    uint32_t length;
};

static bool read_built(void *data, uint64_t address, void *to, size_t length)
{
    const struct built *built = data;
    uint64_t end = BASE + built->length;
    static uint8_t page[PAGE];

    if (address >= BASE && address + length <= end) {
        memcpy(to, built->pvh.to + (address - BASE), length);
        return true;
    }
    memcpy(page + 0x10, built->pvh.rsdp, sizeof(built->pvh.rsdp));
    if (address < end || address + length > end + PAGE)
        return false;
    memcpy(to, page + (address - end), length);
    return true;
}

/* The guest finds what was made, whatever its AML did to the MADT. */
static void read_back(void)
{
    static struct built built;
    const struct xlnuma__guest_memory memory = { read_built, &built };
    struct xlnuma__layout seen;
    const char *why;

    make_pvh(&built.pvh, 0x200);
    built.length =
        xlnuma__acpi_extend(&built.pvh.area, &tables, built.pvh.to, &why);
    for (unsigned i = 0; i < 128; i++)
        built.pvh.to[0x200 + 56 + 8 * i + 4] |= 1;
    CU_ASSERT_PTR_NULL(xlnuma__acpi_read(&memory, &seen));
    CU_ASSERT(!memcmp(&seen, &layout, sizeof(seen)));
    built.pvh.to[PAGE + 80 + 100] ^= 1;
    CU_ASSERT_STRING_EQUAL(xlnuma__acpi_read(&memory, &seen),
                           "the SRAT is destroyed");
    built.pvh.rsdp[32] ^= 1;
    CU_ASSERT_STRING_EQUAL(xlnuma__acpi_read(&memory, &seen),
                           "there is no RSDP");
}

/* What is at one place of the area or the RSDP instead. */
static const struct {
    int at; /* below 0: of the RSDP, from its end */
    uint64_t value;
    unsigned size;
    const char *why;
} oddities[] = {
    { -36, 'r', 1, "the guest's RSDP is none" },
    { -12, BASE - 8, 8, "the guest's XSDT is not where its RSDP says" },
    { -12, BASE + PAGE - 35, 8, "the guest's XSDT is not where its RSDP says" },
    { -12, BASE + 0x40, 8, "the guest's XSDT is not where its RSDP says" },
    { 0x144, 0xec1, 4, "the guest's XSDT is not where its RSDP says" },
    { 0x144, 35, 4, "the guest's XSDT is not where its RSDP says" },
    { 0x164, 0, 8, "a table of the guest's is not where its XSDT says" },
    { 0x44, 0xfffffff0, 4,
      "a table of the guest's is not where its XSDT says" },
    { 0x40, 0x54415253, 4, "the guest has such tables already" },
    { 0x40, 0x54494c53, 4, "the guest has such tables already" },
    { 0x200, 'a', 1, "the guest has no MADT" },
    { 0x204, 44 + 12 + 2 * 8, 4, "the guest's MADT lacks a vCPU" },
    { 0x200 + 57, 0, 1, "the guest's MADT lacks a vCPU" },
    { 0x200 + 57, 200, 1, "the guest's MADT lacks a vCPU" },
    { 0x200 + 56, 9, 1, "the guest's MADT lacks a vCPU" },
};

static void odd_tables(void)
{
    static struct pvh pvh;

    for (size_t i = 0; i < sizeof(oddities) / sizeof(*oddities); i++) {
        uint8_t was[36];
        const char *why;

        make_pvh(&pvh, 0x200);
        memcpy(oddities[i].at < 0 ? pvh.rsdp + 36 + oddities[i].at
                                  : pvh.bytes + oddities[i].at,
               &oddities[i].value, oddities[i].size);
        memcpy(was, pvh.rsdp, sizeof(was));
        CU_ASSERT_EQUAL(xlnuma__acpi_extend(&pvh.area, &tables, pvh.to, &why),
                        0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(why);
        CU_ASSERT_STRING_EQUAL(why, oddities[i].why);
        CU_ASSERT(!memcmp(was, pvh.rsdp, sizeof(was)));
    }
}

static int write_tables(const char *folder)
{
    uint32_t (*const make[])(const struct xlnuma__tables *,
                             uint8_t *) = { xlnuma__acpi_srat,
                                            xlnuma__acpi_slit };
    static const char *const name[] = { "srat.dat", "slit.dat" };

    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[XLNUMA__TABLES_SIZE] = { 0 };
        char path[4096];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, name[i]);
        file = fopen(path, "w");
        if (!file)
            return 1;
        fwrite(bytes, make[i](&tables, bytes), 1, file);
        if (fclose(file))
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct unit_test tests[] = {
        { "SRAT and SLIT, each byte", two_tables },
        { "the largest fit into their buffer", largest_tables },
        { "libxl's tables with SRAT and SLIT", extended },
        { "behind what the guest's AML writes to", behind_what_is_written },
        { "what was made is read back", read_back },
        { "tables that are not libxl's stay as they are", odd_tables },
        { NULL, NULL },
    };

    return argc > 1 ? write_tables(argv[1]) : unit_run("acpi", tests);
}
