/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan of moves as lines of text and as JSON. Plans and moves nothing. */
#include "commands/moves_table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "formats/json.h"
#include "view/table.h"

/* A move, or a guest that may not be moved. */
struct row {
    const struct xlnuma__guest *guest;
    const struct xlnuma__move *move;
    const char *why_not;
};

static const struct xlnuma__move *move_of(const void *row)
{
    return ((const struct row *)row)->move;
}

static void row_name(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s",
             ((const struct row *)row)->guest->name);
}

static void row_id(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu32,
             ((const struct row *)row)->guest->domid);
}

static uint64_t moved_kb(const void *row)
{
    uint64_t kb = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        kb += move_of(row)->to.memory_kb[node];
    return kb;
}

static void row_mib(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, moved_kb(row) / 1024);
}

static void row_kb(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, moved_kb(row));
}

static void row_from(const void *row, char cell[TABLE_CELL_SIZE])
{
    xlnuma_nodeset_format(xlnuma__spot_nodes(&move_of(row)->from), cell,
                          TABLE_CELL_SIZE);
}

static void row_to(const void *row, char cell[TABLE_CELL_SIZE])
{
    xlnuma_nodeset_format(xlnuma__spot_nodes(&move_of(row)->to), cell,
                          TABLE_CELL_SIZE);
}

static void row_distance(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%.2f", move_of(row)->from_distance);
}

static void row_then(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%.2f", move_of(row)->to_distance);
}

static void row_way(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s",
             move_of(row)->is_by_file ? "file" : "live");
}

static void row_chain(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%u", move_of(row)->chain + 1);
}

static void row_makes_room(const void *row, yajl_gen gen)
{
    yajl_gen_bool(gen, !move_of(row)->is_last);
}

static void row_why_not(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s", ((const struct row *)row)->why_not);
}

static const struct table_column move_columns[] = {
    { .heading = "Chain",
      .key = "chain",
      .is_number = true,
      .text = row_chain },
    { .heading = "Name", .key = "name", .is_name = true, .text = row_name },
    { .heading = "ID", .key = "id", .is_number = true, .text = row_id },
    { .heading = "MiB", .is_number = true, .text = row_mib },
    { .key = "memory_kb", .is_number = true, .text = row_kb },
    { .heading = "From nodes", .key = "from_nodes", .text = row_from },
    { .heading = "To nodes", .key = "to_nodes", .text = row_to },
    { .heading = "Dist",
      .key = "distance",
      .is_number = true,
      .text = row_distance },
    { .heading = "Then",
      .key = "better_distance",
      .is_number = true,
      .text = row_then },
    { .heading = "Way", .key = "way", .text = row_way },
    { .key = "makes_room", .json = row_makes_room },
};

static const struct table_column stay_columns[] = {
    { .heading = "Name", .key = "name", .is_name = true, .text = row_name },
    { .heading = "ID", .key = "id", .is_number = true, .text = row_id },
    { .heading = "Why it is not moved", .key = "reason", .text = row_why_not },
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* Both tables. Returns their rows, one array that is the caller's; or NULL. */
static struct row *fill(const struct moves_view *view, struct table *moves,
                        struct table *stay, char *message)
{
    unsigned nr = view->moves->nr;
    struct row *row = calloc((size_t)nr + view->guests->nr + 1, sizeof(*row));

    if (!row) {
        xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        return NULL;
    }
    for (unsigned n = 0; n < nr; n++) {
        row[n].move = &view->moves->move[n];
        row[n].guest = &view->guests->guest[row[n].move->guest];
    }
    *moves =
        (struct table){ move_columns, NR(move_columns), row, sizeof(*row), nr };
    *stay = (struct table){ stay_columns, NR(stay_columns), row + nr,
                            sizeof(*row), 0 };
    for (unsigned n = 0; n < view->guests->nr; n++) {
        if (!view->why_not[n])
            continue;
        row[nr + stay->nr_rows].guest = &view->guests->guest[n];
        row[nr + stay->nr_rows++].why_not = view->why_not[n];
    }
    return row;
}

static void print_nothing(const struct moves_view *view, FILE *file)
{
    fprintf(file, "nothing to move: mean distance %.2f, and ",
            view->moves->distance_before);
    if (view->is_limited)
        fprintf(file,
                "each move that gains %.4g or more is more than %.4g %% of the "
                "guests' memory (--limit)\n",
                view->gain, view->limit);
    else
        fprintf(file, "no guest that can be moved gains %.4g or more\n",
                view->gain);
}

int moves_table_print(const struct moves_view *view, FILE *file, char *message)
{
    const struct xlnuma__moves *moves = view->moves;
    struct table table, stay;
    char moved[32], all[32];
    struct row *rows = fill(view, &table, &stay, message);

    if (!rows)
        return XLNUMA_ERR_NOMEM;
    if (moves->nr) {
        table_print(&table, file);
        fprintf(file,
                "\nmean distance %.2f -> %.2f, by moving %s of the guests' "
                "%s\n",
                moves->distance_before, moves->distance_after,
                xlnuma__mib(moves->moved_kb, moved),
                xlnuma__mib(moves->memory_kb, all));
    } else {
        print_nothing(view, file);
    }
    if (stay.nr_rows) {
        fputc('\n', file);
        table_print(&stay, file);
    }
    free(rows);
    return 0;
}

int moves_table_json(const struct moves_view *view, FILE *file, char *message)
{
    const struct xlnuma__moves *moves = view->moves;
    struct table table, stay;
    yajl_gen gen;
    struct row *rows = fill(view, &table, &stay, message);

    if (!rows)
        return XLNUMA_ERR_NOMEM;
    gen = xlnuma__json_begin("xlnuma-rebalance", 1);
    if (gen) {
        xlnuma__json_key(gen, "dry_run");
        yajl_gen_bool(gen, view->is_dry);
        xlnuma__json_key_distance(gen, "gain", view->gain);
        xlnuma__json_key_number(gen, "memory_kb", moves->memory_kb);
        xlnuma__json_key_number(gen, "moved_kb", moves->moved_kb);
        xlnuma__json_key_distance(gen, "distance", moves->distance_before);
        xlnuma__json_key_distance(gen, "better_distance",
                                  moves->distance_after);
        xlnuma__json_key(gen, "moves");
        table_json(&table, gen);
        xlnuma__json_key(gen, "not_moved");
        table_json(&stay, gen);
    }
    free(rows);
    return xlnuma__json_end(gen, file, message);
}
