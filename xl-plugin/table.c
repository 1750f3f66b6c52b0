/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables as text and as JSON. Does not know what is in them. */
#include "table.h"

#include <ctype.h>
#include <string.h>

#include "core/json.h"

static const char *row_at(const struct table *table, unsigned i)
{
    return (const char *)table->row + i * table->row_size;
}

/* What text shows: "-" for unknown, and nothing that could break the line. */
static void get_cell(const struct table_column *column, const void *row,
                     char cell[TABLE_CELL_SIZE])
{
    *cell = '\0';
    column->text(row, cell);
    if (!*cell)
        strcpy(cell, "-");
    for (char *c = cell; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
}

static int width_of(const struct table *table,
                    const struct table_column *column)
{
    size_t width = strlen(column->heading);
    char cell[TABLE_CELL_SIZE];

    for (unsigned i = 0; i < table->nr_rows; i++) {
        get_cell(column, row_at(table, i), cell);
        if (strlen(cell) > width)
            width = strlen(cell);
    }
    return (int)width;
}

static bool is_last(const struct table *table, unsigned i)
{
    while (++i < table->nr_columns)
        if (table->column[i].heading)
            return false;
    return true;
}

/* One line: the cells of a row, or the headings when row is NULL. */
static void print_line(const struct table *table, const int width[],
                       const void *row, FILE *file)
{
    const char *gap = "";
    char cell[TABLE_CELL_SIZE];

    for (unsigned i = 0; i < table->nr_columns; i++) {
        const struct table_column *column = &table->column[i];

        if (!column->heading)
            continue;
        if (row)
            get_cell(column, row, cell);
        else
            snprintf(cell, sizeof(cell), "%s", column->heading);
        if (column->is_number)
            fprintf(file, "%s%*s", gap, width[i], cell);
        else if (is_last(table, i)) /* no blanks at the end of a line */
            fprintf(file, "%s%s", gap, cell);
        else
            fprintf(file, "%s%-*s", gap, width[i], cell);
        gap = "  ";
    }
    putc('\n', file);
}

void table_print(const struct table *table, FILE *file)
{
    enum { COLUMNS_MAX = 32 };
    int width[COLUMNS_MAX] = { 0 };

    for (unsigned i = 0; i < table->nr_columns && i < COLUMNS_MAX; i++)
        if (table->column[i].heading)
            width[i] = width_of(table, &table->column[i]);
    print_line(table, width, NULL, file);
    for (unsigned i = 0; i < table->nr_rows; i++)
        print_line(table, width, row_at(table, i), file);
}

static void json_cell(const struct table_column *column, const void *row,
                      yajl_gen gen)
{
    char cell[TABLE_CELL_SIZE] = "";

    xlnuma__json_key(gen, column->key);
    if (column->json) {
        column->json(row, gen);
        return;
    }
    column->text(row, cell);
    if (!*cell)
        yajl_gen_null(gen);
    else if (column->is_number)
        yajl_gen_number(gen, cell, strlen(cell));
    else
        xlnuma__json_string(gen, cell);
}

void table_json(const struct table *table, yajl_gen gen)
{
    yajl_gen_array_open(gen);
    for (unsigned i = 0; i < table->nr_rows; i++) {
        yajl_gen_map_open(gen);
        for (unsigned j = 0; j < table->nr_columns; j++)
            if (table->column[j].key)
                json_cell(&table->column[j], row_at(table, i), gen);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}
