/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model/layout.c: the nodes that a guest sees, as text and back; what is wrong. */
#include "unit.h"

#include <string.h>

#include "model/layout.h"

static void there_and_back(void)
{
    static const char *const vcpus[] = { "0,2-3", "", "1,127" };
    static const char *const ranges[] = { "0x0-0x8000000",
                                          "0x8000000-0xfc000000,"
                                          "0x100000000-0x108000000",
                                          "0x108000000-0x4000000000000" };
    static const char *const distances[] = { "10 11 254", "11 10 21",
                                             "254 21 10" };
    struct xlnuma__layout layout = { 0 };
    struct xlnuma__layout_text text;

    for (unsigned n = 0; n < 3; n++)
        CU_ASSERT_PTR_NULL(
            xlnuma__layout_add(&layout, vcpus[n], ranges[n], distances[n]));
    CU_ASSERT_PTR_NULL(xlnuma__layout_check(&layout));
    CU_ASSERT_EQUAL(layout.nr_ranges, 4);
    for (unsigned n = 0; n < 3; n++) {
        xlnuma__layout_format(&layout, n, &text);
        CU_ASSERT_STRING_EQUAL(text.vcpus, vcpus[n]);
        CU_ASSERT_STRING_EQUAL(text.ranges, ranges[n]);
        CU_ASSERT_STRING_EQUAL(text.distances, distances[n]);
    }
    /* 0xf4000000 below the hole, 128 MiB from 4 GiB on */
    CU_ASSERT_EQUAL(xlnuma__layout_kb(&layout, 1), (0xf4000 + 0x8000) * 4);
    CU_ASSERT_EQUAL(xlnuma__layout_find(&layout, 0x107ffffff)->vnode, 1);
    CU_ASSERT_EQUAL(xlnuma__layout_find(&layout, 0x108000000)->vnode, 2);
    CU_ASSERT_PTR_NULL(xlnuma__layout_find(&layout, 0xfc000000));
}

/* 64 nodes, every second vCPU on one, distances of three digits. */
static void largest(void)
{
    struct xlnuma__layout layout = { .nr = 64, .nr_ranges = 65 };
    struct xlnuma__layout_text text;
    struct xlnuma__layout again = { 0 };

    for (unsigned n = 0; n < 64; n++) {
        layout.range[n] =
            (struct xlnuma__vrange){ ((uint64_t)1 << 51) + 4096 * n,
                                     ((uint64_t)1 << 51) + 4096 * n + 4096, n };
        memset(layout.node[n].distance, 254, 64);
        layout.node[n].distance[n] = 10;
    }
    layout.range[64] = (struct xlnuma__vrange){ ((uint64_t)1 << 52) - 4096,
                                                (uint64_t)1 << 52, 63 };
    layout.node[63].vcpus[0] = layout.node[63].vcpus[1] = 0x5555555555555555;
    CU_ASSERT_PTR_NULL(xlnuma__layout_check(&layout));
    for (unsigned n = 0; n < 64; n++) {
        xlnuma__layout_format(&layout, n, &text);
        CU_ASSERT_PTR_NULL(xlnuma__layout_add(&again, text.vcpus, text.ranges,
                                              text.distances));
    }
    CU_ASSERT(!memcmp(&layout, &again, sizeof(again)));
    CU_ASSERT_STRING_EQUAL(
        xlnuma__layout_add(&again, text.vcpus, text.ranges, text.distances),
        "there are too many nodes");
}

static const char no_vcpus[] = "the vCPUs of a node are no list of vCPUs";
static const char no_ranges[] = "the memory of a node is no list of addresses";
static const char no_distances[] =
    "the distances of a node are no list of distances";

/* Node 1 of two; node 0 is "0;0x0-0x8000000;10 11". */
static const struct {
    const char *vcpus, *ranges, *distances, *why;
} wrong[] = {
    { "1", "0x8000000-0x10000000", "11 10", NULL },
    { "1-", "0x8000000-0x10000000", "11 10", no_vcpus },
    { "128", "0x8000000-0x10000000", "11 10", no_vcpus },
    { "x", "0x8000000-0x10000000", "11 10", no_vcpus },
    { "1", "", "11 10", no_ranges },
    { "1", "0x8000000", "11 10", no_ranges },
    { "1", "0x8000000-", "11 10", no_ranges },
    { "1", "8000000-10000000", "11 10", no_ranges },
    { "1", "0x8000000-0x10000000,", "11 10", no_ranges },
    { "1", "0x8000000-0x10000000 ", "11 10", no_ranges },
    { "1", "0x8000000-0x-10000000", "11 10", no_ranges },
    { "1", "0x8000000-0x10000000000001", "11 10", no_ranges },
    { "1", "0x8000000-0xffffffffffffffffffff", "11 10", no_ranges },
    { "1", "0x8000000-0x10000000", "", no_distances },
    { "1", "0x8000000-0x10000000", "11,10", no_distances },
    { "1", "0x8000000-0x10000000", "11 10 ", no_distances },
    { "1", "0x8000000-0x10000000", "-11 10", no_distances },
    { "1", "0x8000000-0x10000000", "256 10", no_distances },
    { "1", "0x8000000-0x10000000", "99999999999999999999 10", no_distances },
    { "1", "0x7fff000-0x10000000", "11 10",
      "the nodes' addresses cannot be right" },
    { "1", "0x8000000-0x8000000", "11 10",
      "the nodes' addresses cannot be right" },
    { "1", "0x10000000-0x8000000", "11 10",
      "the nodes' addresses cannot be right" },
    { "1", "0x8000001-0x10000000", "11 10",
      "the nodes' addresses cannot be right" },
    { "1", "0x8000000-0x10000800", "11 10",
      "the nodes' addresses cannot be right" },
    { "0-1", "0x8000000-0x10000000", "11 10", "a vCPU is on two nodes" },
    { "1", "0x8000000-0x10000000", "11",
      "the nodes' distances cannot be right" },
    { "1", "0x8000000-0x10000000", "10 10",
      "the nodes' distances cannot be right" },
    { "1", "0x8000000-0x10000000", "11 11",
      "the nodes' distances cannot be right" },
    { "1", "0x8000000-0x10000000", "255 10",
      "the nodes' distances cannot be right" },
};

static void what_is_wrong(void)
{
    struct xlnuma__layout layout = { 0 };

    CU_ASSERT_STRING_EQUAL(xlnuma__layout_check(&layout),
                           "there are fewer than two nodes");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        const char *why;

        memset(&layout, 0, sizeof(layout));
        why = xlnuma__layout_add(&layout, "0", "0x0-0x8000000", "10 11");
        CU_ASSERT_PTR_NULL(why);
        CU_ASSERT_STRING_EQUAL(xlnuma__layout_check(&layout),
                               "there are fewer than two nodes");
        why = xlnuma__layout_add(&layout, wrong[i].vcpus, wrong[i].ranges,
                                 wrong[i].distances);
        if (!why)
            why = xlnuma__layout_check(&layout);
        if (wrong[i].why ? !why || strcmp(why, wrong[i].why) != 0 : !!why)
            printf("# row %zu: got %s\n", i, why ? why : "nothing");
        CU_ASSERT(wrong[i].why ? why && !strcmp(why, wrong[i].why) : !why);
    }
}

/* Sixty-six ranges of one node are one more than there may be. */
static void too_many_ranges(void)
{
    struct xlnuma__layout layout = { 0 };
    char ranges[2048] = "0x0-0x1000";

    for (unsigned i = 1; i < 66; i++)
        strcat(ranges, ",0x0-0x1000");
    CU_ASSERT_STRING_EQUAL(xlnuma__layout_add(&layout, "", ranges, "10"),
                           no_ranges);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "text and back", there_and_back },
        { "the largest", largest },
        { "what is wrong with it", what_is_wrong },
        { "too many ranges", too_many_ranges },
        { NULL, NULL },
    };

    return unit_run("layout", tests);
}
