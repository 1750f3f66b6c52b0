/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Xen's console ring, with the dump of debug key 'u' in it: what is taken for a
 * dump has every domain once and its pages on every node.
 */
#include "fuzz.h"

#include "formats/dump.h"

static void check_domain(const struct xlnuma__dump *dump,
                         const struct xlnuma__dump_domain *domain)
{
    uint64_t sum = 0;
    unsigned i;

    FUZZ_CHECK(domain->nodes == dump->nodes);
    FUZZ_CHECK(xlnuma__dump_find(dump, domain->domid) == domain);
    XLNUMA_FOR_EACH_NODE(i, domain->nodes)
        sum += domain->pages[i];
    FUZZ_CHECK(sum == domain->listed_pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__dump dump;
    int rc = xlnuma__dump_parse(&dump, (const char *)data, size, message);

    fuzz_check_message(rc, message);
    FUZZ_CHECK(!rc == (dump.nr > 0));
    for (unsigned i = 0; i < dump.nr; i++)
        check_domain(&dump, &dump.domain[i]);
    xlnuma__dump_dispose(&dump);
    return 0;
}
