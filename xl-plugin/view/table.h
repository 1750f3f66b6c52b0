/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns that become a text table or the members of JSON objects. */
#ifndef XLNUMA_TABLE_H
#define XLNUMA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#define TABLE_CELL_SIZE 4096
#define TABLE_HEADING_SIZE 32

struct table_column {
    const char *name;    /* by which it can be asked for; NULL: it cannot */
    const char *heading; /* with the unit (MiB: that of units.h); NULL: not in
                            the text */
    const char *key;     /* NULL: not in the JSON */
    bool is_extra;       /* in the text only when it is asked for */
    bool is_number;      /* right-aligned in text, a number in JSON */
    bool is_name; /* on a line of its own where it is too long for a column */
    bool is_list; /* goes on below where it is too long, behind a ',' or '+' */
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

/*
 * A heading, then a line for each row, or several where they are too long for
 * the terminal (COLUMNS in the environment, else as it is). Where there is neither each
 * row is one line. Without the heading: _rows.
 */
void table_print(const struct table *table, FILE *file);
void table_print_rows(const struct table *table, FILE *file);

/* An array with an object for each row. */
void table_json(const struct table *table, yajl_gen gen);

/* One row's members of an object that is open. */
void table_json_row(const struct table_column *column, unsigned nr_columns,
                    const void *row, yajl_gen gen);

#endif /* XLNUMA_TABLE_H */
