/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where all domains' pages are, from Xen. */
#ifndef XLNUMA_XEN_DUMP_H
#define XLNUMA_XEN_DUMP_H

#include "formats/dump.h"

/*
 * Have Xen count the pages of all domains by node, now; wait up to some seconds
 * until these nr domains are among them. One that is gone is not in the result.
 * *ns_r is how long Xen was at it. This costs the host: see the file.
 *
 * Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM, XLNUMA_ERR_INVALID (Xen's text is
 * not a complete dump). xlnuma__dump_dispose() is safe in any case.
 */
int xlnuma__dump_from_xen(struct xlnuma__dump *dump_r, const uint32_t domid[],
                          unsigned nr, uint64_t *ns_r, char *message);

#endif /* XLNUMA_XEN_DUMP_H */
