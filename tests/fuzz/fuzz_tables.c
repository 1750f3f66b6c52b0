/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's memory, where its ACPI tables are: what is read from it is within what
 * a layout has room for. Sums are made right first, which a guest can, too.
 */
#include "fuzz.h"

#include <string.h>

#include "vnodes/vnodes.h"

#define AREA 0xfc000000u

struct memory {
    uint8_t byte[0x20000];
    size_t size;
};

static bool read_memory(void *data, uint64_t address, void *to, size_t length)
{
    const struct memory *memory = data;

    if (address < AREA || address - AREA >= memory->size ||
        length > memory->size - (address - AREA))
        return false;
    memcpy(to, memory->byte + (address - AREA), length);
    return true;
}

static void sum_up(uint8_t *table, uint32_t length, unsigned at)
{
    uint8_t sum = 0;

    table[at] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + table[i]);
    table[at] = (uint8_t)-sum;
}

static void sum_all_up(struct memory *memory)
{
    for (size_t at = 0; at + 36 <= memory->size; at += 16) {
        uint8_t *table = memory->byte + at;
        uint32_t length;

        memcpy(&length, table + 4, 4);
        if (!memcmp(table, "RSD PTR ", 8)) {
            sum_up(table, 20, 8);
            sum_up(table, 36, 32);
        } else if ((!memcmp(table, "XSDT", 4) || !memcmp(table, "SRAT", 4) ||
                    !memcmp(table, "SLIT", 4)) &&
                   length >= 36 && length <= memory->size - at) {
            sum_up(table, length, 9);
        }
    }
}

static void check(const struct xlnuma__layout *layout)
{
    struct xlnuma__layout_text text;
    const char *what;
    unsigned vnode;

    FUZZ_CHECK(layout->nr <= XLNUMA_GUEST_NODES_MAX);
    FUZZ_CHECK(layout->nr_ranges <= XLNUMA__VRANGES_MAX);
    for (unsigned i = 0; i < layout->nr_ranges; i++) {
        FUZZ_CHECK(layout->range[i].vnode < layout->nr);
        FUZZ_CHECK(layout->range[i].start <= layout->range[i].end);
    }
    for (unsigned n = 0; n < layout->nr; n++)
        xlnuma__layout_format(layout, n, &text);
    FUZZ_CHECK(xlnuma__layout_is_same(layout, layout, &what, &vnode));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memory memory;
    const struct xlnuma__guest_memory guest = { read_memory, &memory };
    struct xlnuma__layout layout;
    const char *why;

    /* Whole pages, as memory is. */
    memory.size = size < sizeof(memory.byte) ? (size + 4095) / 4096 * 4096
                                             : sizeof(memory.byte);
    memset(memory.byte, 0, sizeof(memory.byte));
    memcpy(memory.byte, data, size < memory.size ? size : memory.size);
    sum_all_up(&memory);
    why = xlnuma__acpi_read(&guest, &layout);
    FUZZ_CHECK(!why || *why);
    if (!why)
        check(&layout);
    return 0;
}
