/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables as text and as JSON. Does not know what is in them. */
#include "view/table.h"

#include <stdio.h>
#include <string.h>

#include "formats/json.h"
#include "view/screen.h"
#include "view/units.h"
#include "view/utf8.h"

static const char *row_at(const struct table *table, unsigned i)
{
    return (const char *)table->row + i * table->row_size;
}

/* What text shows: "-" for unknown, and nothing that could break the line. */
static void get_cell(const struct table_column *column, const void *row,
                     char cell[TABLE_CELL_SIZE])
{
    char text[TABLE_CELL_SIZE] = "";

    column->text(row, text);
    utf8_clean(*text ? text : "-", false, cell, TABLE_CELL_SIZE);
}

/* --- text ----------------------------------------------------------------- */

/* "Size MiB", in the unit that is asked for; all have the same length. */
static const char *heading_of(const struct table_column *column,
                              char heading[TABLE_HEADING_SIZE])
{
    char *unit;

    snprintf(heading, TABLE_HEADING_SIZE, "%s", column->heading);
    unit = strstr(heading, "MiB");
    if (unit)
        memcpy(unit, units_name(), strlen("MiB"));
    return heading;
}

static bool is_shown(const struct table_column *column)
{
    return column->heading && !column->is_extra;
}

enum {
    COLUMNS_MAX = 32,
    NAME_WIDTH = 12, /* narrower only if there is no other way */
    LIST_WIDTH = 11,
};

/* How a table is laid out. */
struct layout {
    const struct table *table;
    FILE *file;
    unsigned gap;
    size_t width[COLUMNS_MAX];
};

static size_t width_of(const struct table *table,
                       const struct table_column *column)
{
    size_t width = strlen(column->heading);
    char cell[TABLE_CELL_SIZE];

    for (unsigned i = 0; i < table->nr_rows; i++) {
        size_t cell_width;

        get_cell(column, row_at(table, i), cell);
        cell_width = utf8_width(cell);
        if (cell_width > width)
            width = cell_width;
    }
    return width;
}

static size_t width_of_line(const struct layout *layout)
{
    size_t width = 0, nr = 0;

    for (unsigned i = 0; i < layout->table->nr_columns; i++)
        if (is_shown(&layout->table->column[i])) {
            width += layout->width[i];
            nr++;
        }
    return nr ? width + (nr - 1) * layout->gap : 0;
}

/* Make columns of a kind narrower, the widest first, down to `least`. */
static void narrow(struct layout *layout, bool are_names, size_t least,
                   size_t most)
{
    while (width_of_line(layout) > most) {
        unsigned widest = COLUMNS_MAX;

        for (unsigned i = 0; i < layout->table->nr_columns; i++) {
            const struct table_column *column = &layout->table->column[i];

            if (is_shown(column) && layout->width[i] > least &&
                layout->width[i] > strlen(column->heading) &&
                (are_names ? column->is_name : column->is_list) &&
                (widest == COLUMNS_MAX ||
                 layout->width[i] > layout->width[widest]))
                widest = i;
        }
        if (widest == COLUMNS_MAX)
            break;
        layout->width[widest]--;
    }
}

/* A column of names is as wide as the longest one that stays in it. */
static void fit_names(struct layout *layout)
{
    const struct table *table = layout->table;

    for (unsigned i = 0; i < table->nr_columns; i++) {
        const struct table_column *column = &table->column[i];
        size_t width;

        if (!is_shown(column) || !column->is_name)
            continue;
        width = strlen(column->heading);
        for (unsigned j = 0; j < table->nr_rows; j++) {
            char cell[TABLE_CELL_SIZE];
            size_t cell_width;

            get_cell(column, row_at(table, j), cell);
            cell_width = utf8_width(cell);
            if (cell_width > width && cell_width <= layout->width[i])
                width = cell_width;
        }
        layout->width[i] = width;
    }
}

/* Less between the columns only where shorter names are not enough. */
static void lay_out(struct layout *layout)
{
    const struct table *table = layout->table;
    size_t most = screen_line();

    for (layout->gap = 2; layout->gap; layout->gap--) {
        for (unsigned i = 0; i < table->nr_columns; i++)
            if (is_shown(&table->column[i]))
                layout->width[i] = width_of(table, &table->column[i]);
        narrow(layout, true, NAME_WIDTH, most);
        fit_names(layout);
        if (width_of_line(layout) <= most)
            return;
    }
    layout->gap = 1;
    narrow(layout, false, LIST_WIDTH, most);
    narrow(layout, true, 1, most);
    fit_names(layout);
}

/* How much of a list goes on one line. */
static size_t piece_of(const char *list, size_t width)
{
    size_t length = strlen(list), piece = width;

    if (length <= width)
        return length;
    while (piece && list[piece - 1] != ',' && list[piece - 1] != '+')
        piece--;
    return piece ? piece : width;
}

/* Print blanks only when something follows them: none end a line. */
static void print_padded(const struct layout *layout, unsigned i,
                         const char *text, size_t length, size_t *blanks)
{
    const struct table_column *column = &layout->table->column[i];
    size_t width = column->is_list ? length : utf8_width(text);
    size_t pad = layout->width[i] > width ? layout->width[i] - width : 0;

    if (column->is_number)
        *blanks += pad;
    if (length) {
        fprintf(layout->file, "%*s%.*s", (int)*blanks, "", (int)length, text);
        *blanks = 0;
    }
    if (!column->is_number)
        *blanks += pad;
    *blanks += layout->gap;
}

/*
 * A line: the cells of a row, or the headings when row is NULL. begin[] is where
 * each cell goes on; returns whether one is to go on below.
 */
static bool print_line(const struct layout *layout, const void *row,
                       size_t begin[])
{
    bool has_more = false;
    size_t blanks = 0;

    for (unsigned i = 0; i < layout->table->nr_columns; i++) {
        const struct table_column *column = &layout->table->column[i];
        char cell[TABLE_CELL_SIZE], heading[TABLE_HEADING_SIZE];
        size_t length;

        if (!is_shown(column))
            continue;
        if (row)
            get_cell(column, row, cell);
        else
            snprintf(cell, sizeof(cell), "%s", heading_of(column, heading));
        length = column->is_list ? piece_of(cell + begin[i], layout->width[i])
                                 : strlen(cell + begin[i]);
        print_padded(layout, i, cell + begin[i], length, &blanks);
        begin[i] += length;
        has_more |= cell[begin[i]] != '\0';
    }
    putc('\n', layout->file);
    return has_more;
}

/* The names of a row that are too long for their columns. */
static void print_long_names(const struct layout *layout, const void *row,
                             size_t begin[])
{
    for (unsigned i = 0; i < layout->table->nr_columns; i++) {
        const struct table_column *column = &layout->table->column[i];
        char cell[TABLE_CELL_SIZE];

        if (!is_shown(column) || !column->is_name)
            continue;
        get_cell(column, row, cell);
        if (utf8_width(cell) <= layout->width[i])
            continue;
        fprintf(layout->file, "%s\n", cell);
        begin[i] = strlen(cell);
    }
}

static void print(const struct table *table, bool has_heading, FILE *file)
{
    struct layout layout = { .table = table, .file = file };
    size_t begin[COLUMNS_MAX] = { 0 };

    lay_out(&layout);
    if (has_heading)
        print_line(&layout, NULL, begin);
    for (unsigned i = 0; i < table->nr_rows; i++) {
        const void *row = row_at(table, i);

        memset(begin, 0, sizeof(begin));
        print_long_names(&layout, row, begin);
        while (print_line(&layout, row, begin))
            ;
    }
}

void table_print(const struct table *table, FILE *file)
{
    print(table, true, file);
}

void table_print_rows(const struct table *table, FILE *file)
{
    print(table, false, file);
}

/* --- JSON ----------------------------------------------------------------- */

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

void table_json_row(const struct table_column *column, unsigned nr_columns,
                    const void *row, yajl_gen gen)
{
    for (unsigned i = 0; i < nr_columns; i++)
        if (column[i].key)
            json_cell(&column[i], row, gen);
}

void table_json(const struct table *table, yajl_gen gen)
{
    yajl_gen_array_open(gen);
    for (unsigned i = 0; i < table->nr_rows; i++) {
        yajl_gen_map_open(gen);
        table_json_row(table->column, table->nr_columns, row_at(table, i), gen);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}
