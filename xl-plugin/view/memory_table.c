/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the memory of guests is, by node, with sums: as built, or as counted. What is
 * not known by node is in the last column alone. No I/O but the output.
 */
#include "view/memory_table.h"

#include <string.h>

#include "view/screen.h"
#include "view/units.h"
#include "view/utf8.h"

enum { CELL = 9, HEADING_SIZE = 16 };

struct memory_table {
    const struct xlnuma_host *host;
    const struct xlnuma__guests *guests;
    unsigned name_width;
    xlnuma_nodeset block; /* the nodes of the block that is printed */
    bool is_last_block;
    FILE *file;
};

/* Memory that was built, but has grown or shrunk since, is known nowhere. */
static bool is_known(const struct xlnuma__guest *guest)
{
    return xlnuma__guest_nodes(guest) && !xlnuma__guest_is_resized(guest);
}

static uint64_t total_kb(const struct xlnuma__guest *guest)
{
    return is_known(guest) ? xlnuma__guest_built_kb(guest) : guest->memory_kb;
}

static void put_name(const struct memory_table *table, const char *name)
{
    char clean[4 * XLNUMA_NAME_SIZE];

    utf8_clean(*name ? name : "-", false, clean, sizeof(clean));
    fprintf(table->file, "%s%*s", clean,
            (int)(table->name_width - utf8_width(clean)), "");
}

static void put_kb(const struct memory_table *table, uint64_t kb)
{
    char cell[32];

    fprintf(table->file, "%*s", CELL, units_format(kb, cell, sizeof(cell)));
}

static void print_heading(const struct memory_table *table)
{
    char heading[HEADING_SIZE];
    unsigned node;

    put_name(table, units_name());
    XLNUMA_FOR_EACH_NODE(node, table->block) {
        snprintf(heading, sizeof(heading), "Node %u", node);
        fprintf(table->file, "%*s", CELL, heading);
    }
    if (table->is_last_block)
        fprintf(table->file, "%*s", CELL, "Total");
    putc('\n', table->file);
}

static void print_guest(const struct memory_table *table,
                        const struct xlnuma__guest *guest)
{
    unsigned node;

    put_name(table, guest->name);
    XLNUMA_FOR_EACH_NODE(node, table->block)
        if (is_known(guest))
            put_kb(table, xlnuma__guest_node_kb(guest, node));
        else
            fprintf(table->file, "%*s", CELL, "-");
    if (table->is_last_block)
        put_kb(table, total_kb(guest));
    putc('\n', table->file);
}

/* Of each node what is known. */
static void print_sums(const struct memory_table *table)
{
    const struct xlnuma__guests *guests = table->guests;
    uint64_t sum_kb;
    unsigned node;

    put_name(table, "Total");
    XLNUMA_FOR_EACH_NODE(node, table->block) {
        sum_kb = 0;
        for (unsigned i = 0; i < guests->nr; i++)
            if (is_known(&guests->guest[i]))
                sum_kb += xlnuma__guest_node_kb(&guests->guest[i], node);
        put_kb(table, sum_kb);
    }
    sum_kb = 0;
    for (unsigned i = 0; i < guests->nr; i++)
        sum_kb += total_kb(&guests->guest[i]);
    if (table->is_last_block)
        put_kb(table, sum_kb);
    putc('\n', table->file);
}

static unsigned width_of_names(const struct xlnuma__guests *guests)
{
    unsigned width = (unsigned)strlen("Domain-0");

    for (unsigned i = 0; i < guests->nr; i++) {
        char clean[4 * XLNUMA_NAME_SIZE];
        unsigned name = utf8_width(
            utf8_clean(guests->guest[i].name, false, clean, sizeof(clean)));

        width = name > width ? name : width;
    }
    return width;
}

/* How many nodes have room on a line, beside the name and the total. */
static unsigned nodes_on_line(const struct memory_table *table)
{
    unsigned line = screen_line(), least = table->name_width + 2 * CELL;

    return ((line > least ? line : least) - table->name_width) / CELL - 1;
}

void memory_table_print(const struct xlnuma_host *host,
                        const struct xlnuma__guests *guests,
                        bool has_no_heading, FILE *file)
{
    struct memory_table table = { .host = host,
                                  .guests = guests,
                                  .name_width = width_of_names(guests),
                                  .file = file };
    unsigned room = nodes_on_line(&table);
    xlnuma_nodeset left = host->nodes;

    while (left) {
        table.block = xlnuma_nodeset_lowest(left, room);
        left &= ~table.block;
        table.is_last_block = !left;
        if (!has_no_heading)
            print_heading(&table);
        for (unsigned i = 0; i < guests->nr; i++)
            print_guest(&table, &guests->guest[i]);
        print_sums(&table);
        if (left)
            putc('\n', file);
    }
}
