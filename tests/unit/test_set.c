/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model/set.c */
#include "unit.h"

#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];

static bool parses_to(const char *text, xlnuma_nodeset expected)
{
    xlnuma_nodeset set = 12345;

    return !xlnuma_nodeset_parse(text, &set, message) && set == expected;
}

static void lists(void)
{
    CU_ASSERT(parses_to("", 0));
    CU_ASSERT(parses_to("0", 1));
    CU_ASSERT(parses_to("3,0-1", 0xb));
    CU_ASSERT(parses_to("63", (uint64_t)1 << 63));
    CU_ASSERT(parses_to("0-63", ~(uint64_t)0));
    CU_ASSERT(parses_to("2-2", 4));
}

static void wrong_lists(void)
{
    static const char *const wrong[] = {
        "64",    "0-64", "3-1", "a",   "0,",
        ",0",    "0 ",   " 0",  "-1",  "1-",
        "0--1",  "0,,1", "0x1", "1.5", "18446744073709551616",
        "0-1-2", "+1",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        xlnuma_nodeset set;

        CU_ASSERT_EQUAL(xlnuma_nodeset_parse(wrong[i], &set, message),
                        XLNUMA_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, wrong[i]));
        CU_ASSERT_PTR_NULL(strchr(message, '\n'));
    }
}

static void cpu_lists(void)
{
    xlnuma_cpuset set;
    char text[64];

    CU_ASSERT_EQUAL(xlnuma_cpuset_parse("1-3,16383", &set, message), 0);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&set), 4);
    CU_ASSERT(xlnuma_cpuset_has(&set, 16383));
    CU_ASSERT_FALSE(xlnuma_cpuset_has(&set, 0));
    CU_ASSERT_FALSE(xlnuma_cpuset_has(&set, 16384));
    CU_ASSERT_STRING_EQUAL(xlnuma_cpuset_format(&set, text, sizeof(text)),
                           "1-3,16383");
    CU_ASSERT_EQUAL(xlnuma_cpuset_parse("16384", &set, message),
                    XLNUMA_ERR_INVALID);
}

static void formats(void)
{
    char text[64];

    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(0, text, 64), "");
    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(0xd, text, 64), "0,2-3");
    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(~(uint64_t)0, text, 64),
                           "0-63");
}

static void formats_cut(void)
{
    char text[9];

    /* "0,2,4,6,8" has 9 characters: one too many. */
    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(0x155, text, sizeof(text)),
                           "0,2,4...");
    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(0x55, text, sizeof(text)),
                           "0,2,4,6");
    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(0x55, text, 1), "");
    CU_ASSERT_STRING_EQUAL(xlnuma_nodeset_format(0x55, text, 3), "..");
}

static void combining(void)
{
    xlnuma_cpuset a, b;

    CU_ASSERT_EQUAL(xlnuma_cpuset_parse("0-9", &a, message), 0);
    CU_ASSERT_EQUAL(xlnuma_cpuset_parse("8-100", &b, message), 0);
    CU_ASSERT(xlnuma_cpuset_intersects(&a, &b));
    xlnuma_cpuset_and(&a, &b);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&a), 2);
    xlnuma_cpuset_or(&a, &b);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&a), 93);
    CU_ASSERT_EQUAL(xlnuma_cpuset_parse("0", &a, message), 0);
    CU_ASSERT_FALSE(xlnuma_cpuset_intersects(&a, &b));
}

static void takes_the_lowest(void)
{
    const xlnuma_nodeset set = (uint64_t)1 << 63 | 0x16; /* 1, 2, 4 and 63 */

    CU_ASSERT_EQUAL(xlnuma_nodeset_lowest(set, 0), 0);
    CU_ASSERT_EQUAL(xlnuma_nodeset_lowest(set, 2), 6);
    CU_ASSERT_EQUAL(xlnuma_nodeset_lowest(set, 4), set);
    CU_ASSERT_EQUAL(xlnuma_nodeset_lowest(set, 5), set);
    CU_ASSERT_EQUAL(xlnuma_nodeset_lowest(0, 1), 0);
}

static void loops(void)
{
    unsigned node, nr = 0, sum = 0;

    XLNUMA_FOR_EACH_NODE(node, ((uint64_t)1 << 63) | 5) {
        nr++;
        sum += node;
    }
    CU_ASSERT_EQUAL(nr, 3);
    CU_ASSERT_EQUAL(sum, 65);
    XLNUMA_FOR_EACH_NODE(node, 0)
        nr++;
    CU_ASSERT_EQUAL(nr, 3);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "lists of nodes", lists },
        { "wrong lists are refused and quoted", wrong_lists },
        { "lists of CPUs", cpu_lists },
        { "sets as text", formats },
        { "text that does not fit ends in dots", formats_cut },
        { "and, or, intersects", combining },
        { "the lowest of a set", takes_the_lowest },
        { "loops over nodes", loops },
        { NULL, NULL },
    };

    return unit_run("set", tests);
}
