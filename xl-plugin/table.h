/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns that become a text table or the members of JSON objects. */
#ifndef XLNUMA_TABLE_H
#define XLNUMA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#define TABLE_CELL_SIZE 4096

struct table_column {
    const char *heading; /* with the unit; NULL: not in the text */
    const char *key;     /* NULL: not in the JSON */
    bool is_number;      /* right-aligned in text, a number in JSON */
    /* One row's cell; an empty one is unknown: "-" in text, null in JSON. */
    void (*text)(const void *row, char cell[TABLE_CELL_SIZE]);
    /* Its JSON value where that is not the text; or NULL. */
    void (*json)(const void *row, yajl_gen gen);
};

struct table {
    const struct table_column *column;
    unsigned nr_columns;
    const void *row; /* an array of nr_rows elements of row_size bytes */
    size_t row_size;
    unsigned nr_rows;
};

/* A heading, then a line for each row. */
void table_print(const struct table *table, FILE *file);

/* An array with an object for each row. */
void table_json(const struct table *table, yajl_gen gen);

#endif /* XLNUMA_TABLE_H */
