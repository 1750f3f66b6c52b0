/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The note in xenstore about a guest that grows (docs/xenstore.md). */
#ifndef XLNUMA_XEN_GROWTH_H
#define XLNUMA_XEN_GROWTH_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "model/set.h"

struct xlnuma__growth {
    xlnuma_nodeset before; /* the node affinity that is to be put back */
    xlnuma_nodeset nodes;  /* what it is meanwhile */
    long pid;              /* of the process that puts it back */
};

/* _read is false when there is none; _write when it failed. */
bool xlnuma__growth_read(struct xs_handle *xs, uint32_t domid,
                         struct xlnuma__growth *growth_r);
bool xlnuma__growth_write(struct xs_handle *xs, uint32_t domid,
                          const struct xlnuma__growth *growth);
void xlnuma__growth_remove(struct xs_handle *xs, uint32_t domid);

#endif /* XLNUMA_XEN_GROWTH_H */
