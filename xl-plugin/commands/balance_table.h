/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Balanced guests as lines of text and as JSON. */
#ifndef XLNUMA_BALANCE_TABLE_H
#define XLNUMA_BALANCE_TABLE_H

#include <stdio.h>

#include "view/table.h"
#include "xen/balancer.h"

/* One guest, with the CPUs that it had before a move. */
struct balance_row {
    const struct xlnuma__balanced *domain; /* borrowed */
    bool is_moved;
    char hard[TABLE_CELL_SIZE], better[TABLE_CELL_SIZE];
};

void balance_row_fill(struct balance_row *row_r,
                      const struct xlnuma__balanced *domain);

/* As a line about a move. */
void balance_row_say(const struct balance_row *row, bool is_dry, FILE *file);

void balance_table_print(const struct balance_row rows[], unsigned nr,
                         FILE *file);

/* Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_IO. */
int balance_table_json(const struct balance_row rows[], unsigned nr,
                       bool is_dry, FILE *file, char *message);

#endif /* XLNUMA_BALANCE_TABLE_H */
