/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where each domain's pages are, from what Xen writes to its console ring for
 * the debug key 'u'. Text in, counts out; does not ask Xen for the text.
 */
#ifndef XLNUMA_DUMP_H
#define XLNUMA_DUMP_H

#include "model/set.h"

struct xlnuma__dump_domain {
    uint32_t domid;
    xlnuma_nodeset nodes;  /* that were counted */
    uint64_t total_pages;  /* what the domain has */
    uint64_t listed_pages; /* of these, on a node; the rest is set aside */
    uint64_t pages[XLNUMA_NODES_MAX];
};

struct xlnuma__dump {
    xlnuma_nodeset nodes;               /* the host's */
    struct xlnuma__dump_domain *domain; /* owned; in the order of their ids */
    unsigned nr;
};

/*
 * The last complete dump in `length` bytes of the ring: every domain in it has a
 * count for every node. Lines of others are passed over, wherever they are; only
 * the hypervisor's own begin with "(XEN) ". The text does not say whether it has all
 * domains.
 *
 * Returns 0, XLNUMA_ERR_INVALID (none is complete), XLNUMA_ERR_NOMEM.
 * xlnuma__dump_dispose() is safe after a failure and twice.
 */
int xlnuma__dump_parse(struct xlnuma__dump *dump_r, const char *text,
                       size_t length, char *message) XLNUMA_MUST_CHECK;
void xlnuma__dump_dispose(struct xlnuma__dump *dump);

/* NULL when the dump has no such domain. */
const struct xlnuma__dump_domain *
xlnuma__dump_find(const struct xlnuma__dump *dump, uint32_t domid);

#endif /* XLNUMA_DUMP_H */
