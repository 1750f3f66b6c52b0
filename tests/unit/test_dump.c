/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * formats/dump.c: the hypervisor's dump of debug key 'u'. The text of `real` is
 * what Xen 4.17.7 wrote in the lab, domains 0 to 3; domain 3 is populated on
 * demand. `real_4_20` is what Xen 4.20.4 wrote. Sums were made by hand.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/dump.h"

static const char real[] =
    "(XEN) 'u' pressed -> dumping numa info (now = 13528923536)\n"
    "(XEN) NODE0 start->0 size->1310720 free->505611\n"
    "(XEN) NODE1 start->1310720 size->786432 free->572492\n"
    "(XEN) NODE2 start->2097152 size->786432 free->24099\n"
    "(XEN) NODE3 start->2883584 size->786432 free->189\n"
    "(XEN) CPU0...1 -> NODE0\n"
    "(XEN) CPU2...3 -> NODE1\n"
    "(XEN) CPU4...5 -> NODE2\n"
    "(XEN) CPU6...7 -> NODE3\n"
    "(XEN) Memory location of each domain:\n"
    "(XEN) Domain 0 (total: 262144):\n"
    "(XEN)     Node 0: 82437\n"
    "(XEN)     Node 1: 6823\n"
    "(XEN)     Node 2: 2267\n"
    "(XEN)     Node 3: 170617\n"
    "(XEN) Domain 1 (total: 1536017):\n"
    "(XEN)     Node 0: 192512\n"
    "(XEN)     Node 1: 0\n"
    "(XEN)     Node 2: 756241\n"
    "(XEN)     Node 3: 587264\n"
    "(XEN) Domain 2 (total: 128000):\n"
    "(XEN)     Node 0: 0\n"
    "(XEN)     Node 1: 128000\n"
    "(XEN)     Node 2: 0\n"
    "(XEN)     Node 3: 0\n"
    "(XEN) Domain 3 (total: 76817):\n"
    "(XEN)     Node 0: 0\n"
    "(XEN)     Node 1: 529\n"
    "(XEN)     Node 2: 0\n"
    "(XEN)     Node 3: 0\n";

static const char real_4_20[] =
    "(XEN) 'u' pressed -> dumping numa info (now = 151801600984)\n"
    "(XEN) NODE0 start->0 size->1310720 free->678846\n"
    "(XEN) NODE1 start->1310720 size->786432 free->258026\n"
    "(XEN) NODE2 start->2097152 size->786432 free->551361\n"
    "(XEN) NODE3 start->2883584 size->786432 free->589886\n"
    "(XEN) CPU0...1 -> NODE0\n"
    "(XEN) CPU2...3 -> NODE1\n"
    "(XEN) CPU4...5 -> NODE2\n"
    "(XEN) CPU6...7 -> NODE3\n"
    "(XEN) Memory location of each domain:\n"
    "(XEN) d0 (total: 262144):\n"
    "(XEN)     Node 0: 82949\n"
    "(XEN)     Node 1: 7223\n"
    "(XEN)     Node 2: 1771\n"
    "(XEN)     Node 3: 170201\n"
    "(XEN) d1 (total: 204815):\n"
    "(XEN)     Node 0: 0\n"
    "(XEN)     Node 1: 0\n"
    "(XEN)     Node 2: 204815\n"
    "(XEN)     Node 3: 0\n"
    "(XEN) d3 (total: 281615):\n"
    "(XEN)     Node 0: 19471\n"
    "(XEN)     Node 1: 262144\n"
    "(XEN)     Node 2: 0\n"
    "(XEN)     Node 3: 0\n";

/* The same on a host of one node, in a few lines. */
#define BEGIN "(XEN) 'u' pressed -> dumping numa info (now = 1)\n"
#define HEAD                                                                   \
    BEGIN "(XEN) NODE0 start->0 size->100 free->5\n"                           \
          "(XEN) Memory location of each domain:\n"

static char message[XLNUMA_MESSAGE_SIZE];
static struct xlnuma__dump dump;

/* On the heap without a final NUL, so that a sanitizer sees what is beyond. */
static int parse_part(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    int rc;

    memcpy(copy, text, length);
    xlnuma__dump_dispose(&dump);
    rc = xlnuma__dump_parse(&dump, copy, length, message);
    free(copy);
    return rc;
}

static int parse(const char *text)
{
    return parse_part(text, strlen(text));
}

/* The domain's pages on a node of the last dump; -1: there is none. */
static int64_t pages(uint32_t domid, unsigned node)
{
    const struct xlnuma__dump_domain *domain = xlnuma__dump_find(&dump, domid);

    return domain ? (int64_t)domain->pages[node] : -1;
}

static void counts(void)
{
    CU_ASSERT_EQUAL(parse(real), 0);
    CU_ASSERT_EQUAL(dump.nodes, 0xf);
    CU_ASSERT_EQUAL(dump.nr, 4);
    CU_ASSERT_EQUAL(pages(0, 3), 170617);
    CU_ASSERT_EQUAL(pages(1, 0), 192512);
    CU_ASSERT_EQUAL(pages(1, 1), 0);
    CU_ASSERT_EQUAL(pages(1, 2), 756241);
    CU_ASSERT_EQUAL(pages(2, 1), 128000);
    CU_ASSERT_EQUAL(pages(4, 0), -1);
    CU_ASSERT_EQUAL(dump.domain[1].listed_pages, 1536017);
    CU_ASSERT_EQUAL(dump.domain[1].total_pages, 1536017);
    CU_ASSERT_EQUAL(dump.domain[3].listed_pages, 529);
    CU_ASSERT_EQUAL(dump.domain[3].total_pages, 76817);
    CU_ASSERT_STRING_EQUAL(message, "");
}

static void counts_4_20(void)
{
    CU_ASSERT_EQUAL(parse(real_4_20), 0);
    CU_ASSERT_EQUAL(dump.nr, 3);
    CU_ASSERT_EQUAL(pages(0, 3), 170201);
    CU_ASSERT_EQUAL(pages(1, 2), 204815);
    CU_ASSERT_EQUAL(pages(2, 2), -1);
    CU_ASSERT_EQUAL(pages(3, 0), 19471);
    CU_ASSERT_EQUAL(dump.domain[2].listed_pages, 281615);
    CU_ASSERT_EQUAL(dump.domain[2].total_pages, 281615);
}

/* Cut anywhere: complete when a domain's last line is, never a wrong count. */
static void cut(void)
{
    size_t length = sizeof(real) - 1, nr_complete = 0, first = 0;

    for (size_t i = 0; i < length; i++) {
        if (parse_part(real, i))
            continue;
        first = nr_complete++ ? first : i;
        CU_ASSERT_EQUAL(dump.domain[0].listed_pages, 262144);
        CU_ASSERT(dump.nr < 4);
        for (unsigned d = 0; d < dump.nr; d++)
            CU_ASSERT_EQUAL(dump.domain[d].listed_pages,
                            dump.domain[d].total_pages);
    }
    CU_ASSERT(nr_complete > 0);
    CU_ASSERT_EQUAL(first, strstr(real, "(XEN) Domain 1 ") - real);
    for (size_t i = 1; i < length; i++) /* a ring that has wrapped */
        CU_ASSERT_EQUAL(parse_part(real + i, length - i), XLNUMA_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(message, "no dump of debug key u begins in Xen's "
                                    "console ring");
}

static void last_one(void)
{
    CU_ASSERT_EQUAL(parse(HEAD "(XEN) Domain 0 (total: 7):\n"
                               "(XEN)     Node 0: 7\n" HEAD
                               "(XEN) Domain 0 (total: 8):\n"
                               "(XEN)     Node 0: 8\n"),
                    0);
    CU_ASSERT_EQUAL(pages(0, 0), 8);
    CU_ASSERT_EQUAL(parse(HEAD "(XEN) Domain 0 (total: 7):\n"
                               "(XEN)     Node 0: 7\n" HEAD
                               "(XEN) Domain 0 (total: 8):\n"),
                    0);
    CU_ASSERT_EQUAL(pages(0, 0), 7);
}

/* Each replaces or follows a line of a good dump. */
static void lines_of_others(void)
{
    CU_ASSERT_EQUAL(
        parse("(XEN) Domain 9 (total: 1):\n(XEN)     Node 0: 1\n" HEAD
              "(d1) (XEN) Domain 0 (total: 1):\n"
              "(XEN) Domain 0 (total: 7):\n"
              "(XEN) d1v0 Unhandled WRMSR(0x1)\n"
              "(XEN) d1 has no such page\n"
              "login:     Node 0: 3\n"
              "(d2) \xff\xfe\x01     Node 0: 3\n"
              "\n"
              "(XEN)     Node 0: 7\n"
              "(XEN)      2 vnodes, 2 vcpus, guest physical layout:\n"
              "(XEN)          0: pnode   0, vcpus 0\n"
              "(XEN)            0000000000000000 - 0000000010000000\n"),
        0);
    CU_ASSERT_EQUAL(dump.nr, 1);
    CU_ASSERT_EQUAL(pages(0, 0), 7);
}

static void timestamps(void)
{
    CU_ASSERT_EQUAL(
        parse("(XEN) [2026-01-02 03:04:05] 'u' pressed -> dumping numa info "
              "(now = 1)\r\n"
              "(XEN) [    1.000002] NODE0 start->0 size->100 free->5\r\n"
              "(XEN) [00000012ab] Memory location of each domain:\r\n"
              "(XEN) [    1.000002] Domain 5 (total: 7):\r\n"
              "(XEN) [    1.000002]     Node 0: 7\r\n"),
        0);
    CU_ASSERT_EQUAL(pages(5, 0), 7);
}

static void refused(void)
{
    static const char *const wrong[] = {
        "",
        "\n\n",
        BEGIN,
        HEAD,
        HEAD "(XEN) Domain 0 (total: 7):\n",
        HEAD "(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain 0 (total: 7)\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain -1 (total: 7):\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain 32752 (total: 7):\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) d0 (total: 7)\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) d32752 (total: 7):\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN)     Node 1: 7\n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN)     Node 64: 7\n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN)     Node 0: \n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN)     Node 0: 7x\n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN)     Node 0: 7",
        HEAD "(XEN) Domain 0 (total: 7):\n"
             "(XEN)     Node 0: 99999999999999999999999\n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN)     Node 0: 7\n"
             "(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain 0 (total: 7):\n(XEN) Domain 1 (total: 7):\n"
             "(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain 1 (total: 7):\n(XEN)     Node 0: 7\n"
             "(XEN) Domain 1 (total: 7):\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) Domain 1 (total: 7):\n(XEN)     Node 0: 7\n"
             "(XEN) Domain 0 (total: 7):\n(XEN)     Node 0: 7\n",
        BEGIN "(XEN) Memory location of each domain:\n"
              "(XEN) Domain 0 (total: 7):\n",
        BEGIN "(XEN) NODE0 start->0\n(XEN) Domain 0 (total: 7):\n"
              "(XEN)     Node 0: 7\n",
        BEGIN "(XEN) NODE64 start->0\n(XEN) NODE0 start->0\n"
              "(XEN) Memory location of each domain:\n"
              "(XEN) Domain 0 (total: 7):\n(XEN)     Node 0: 7\n",
        HEAD "(XEN) NODE1 start->0\n(XEN) Domain 0 (total: 7):\n"
             "(XEN)     Node 0: 7\n",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        CU_ASSERT_EQUAL(parse(wrong[i]), XLNUMA_ERR_INVALID);
        CU_ASSERT_EQUAL(dump.nr, 0);
        CU_ASSERT_PTR_NULL(dump.domain);
        CU_ASSERT(*message != '\0');
    }
    CU_ASSERT_EQUAL(pages(0, 0), -1);
}

/* Domains are found by number, however many there are. */
static void many(void)
{
    enum { NR = 1000 };
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);

    fputs(HEAD, file);
    for (unsigned i = 0; i < NR; i++)
        fprintf(file,
                "(XEN) Domain %u (total: %u):\n"
                "(XEN)     Node 0: %u\n",
                3 * i, i, i);
    fclose(file);
    CU_ASSERT_EQUAL(parse_part(text, length), 0);
    free(text);
    CU_ASSERT_EQUAL(dump.nr, NR);
    for (unsigned i = 0; i < 3 * NR; i++)
        CU_ASSERT_EQUAL(pages(i, 0), i % 3 ? -1 : (int)i / 3);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "a real dump", counts },
        { "a real dump of 4.20", counts_4_20 },
        { "a dump that is cut anywhere", cut },
        { "the last complete one of several", last_one },
        { "lines of others are passed over", lines_of_others },
        { "times at the beginning of lines", timestamps },
        { "what is no dump", refused },
        { "a thousand domains", many },
        { NULL, NULL },
    };
    int status = unit_run("dump", tests);

    xlnuma__dump_dispose(&dump);
    return status;
}
