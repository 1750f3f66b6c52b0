/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the memory of guests is, a column for each node, as "numastat -p". */
#ifndef XLNUMA_MEMORY_TABLE_H
#define XLNUMA_MEMORY_TABLE_H

#include <stdio.h>

#include "model/guests.h"

/*
 * A line for each guest, and one for their sums; without the heading if it is so
 * wished. Where the nodes are too many for a line there are several blocks.
 */
void memory_table_print(const struct xlnuma_host *host,
                        const struct xlnuma__guests *guests,
                        bool has_no_heading, FILE *file);

#endif /* XLNUMA_MEMORY_TABLE_H */
