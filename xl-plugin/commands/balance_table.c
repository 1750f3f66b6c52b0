/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Balanced guests as lines of text and as JSON. Measures nothing. */
#include "commands/balance_table.h"

#include <stdio.h>
#include <string.h>

#include "formats/json.h"
#include "view/table.h"

static const struct xlnuma__balance_guest *guest_of(const void *row)
{
    return &((const struct balance_row *)row)->domain->guest;
}

static bool is_balanced(const void *row)
{
    return !((const struct balance_row *)row)->domain->left;
}

static bool is_measured(const void *row)
{
    return is_balanced(row) && guest_of(row)->is_measured;
}

static void row_name(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s",
             ((const struct balance_row *)row)->domain->name);
}

static void row_id(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%u",
             ((const struct balance_row *)row)->domain->domid);
}

static void put(const void *row, double number, char cell[TABLE_CELL_SIZE])
{
    if (is_measured(row))
        snprintf(cell, TABLE_CELL_SIZE, "%.2f", number);
}

static void row_wanted(const void *row, char cell[TABLE_CELL_SIZE])
{
    put(row, guest_of(row)->wanted, cell);
}

static void row_had(const void *row, char cell[TABLE_CELL_SIZE])
{
    put(row, guest_of(row)->had, cell);
}

static void row_distance(const void *row, char cell[TABLE_CELL_SIZE])
{
    put(row, guest_of(row)->distance, cell);
}

static void row_score(const void *row, char cell[TABLE_CELL_SIZE])
{
    put(row, guest_of(row)->score, cell);
}

static void row_hard(const void *row, char cell[TABLE_CELL_SIZE])
{
    if (is_balanced(row))
        snprintf(cell, TABLE_CELL_SIZE, "%s",
                 ((const struct balance_row *)row)->hard);
}

static bool is_to_move(const void *row)
{
    return is_measured(row) && guest_of(row)->step != XLNUMA__BALANCE_STAY;
}

static void row_better(const void *row, char cell[TABLE_CELL_SIZE])
{
    if (is_to_move(row))
        snprintf(cell, TABLE_CELL_SIZE, "%s",
                 ((const struct balance_row *)row)->better);
}

static void row_better_score(const void *row, char cell[TABLE_CELL_SIZE])
{
    if (is_to_move(row))
        put(row, guest_of(row)->better_score, cell);
}

static const char *step_name(const void *row)
{
    static const char *const names[] = {
        [XLNUMA__BALANCE_STAY] = "stay",
        [XLNUMA__BALANCE_WIDEN] = "widen",
        [XLNUMA__BALANCE_NARROW] = "narrow",
    };

    return is_measured(row) ? names[guest_of(row)->step] : "";
}

static void row_step(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s", step_name(row));
}

static void row_moved(const void *row, yajl_gen gen)
{
    yajl_gen_bool(gen, ((const struct balance_row *)row)->is_moved);
}

static void row_left(const void *row, char cell[TABLE_CELL_SIZE])
{
    if (!is_balanced(row))
        snprintf(cell, TABLE_CELL_SIZE, "%s",
                 ((const struct balance_row *)row)->domain->left);
}

/* In words: what was done, or is not, and why. */
static void row_outcome(const void *row, char cell[TABLE_CELL_SIZE])
{
    if (!is_balanced(row))
        snprintf(cell, TABLE_CELL_SIZE, "left alone: %s",
                 ((const struct balance_row *)row)->domain->left);
    else if (is_measured(row))
        snprintf(cell, TABLE_CELL_SIZE, "%s%s", step_name(row),
                 ((const struct balance_row *)row)->is_moved ? ": done" : "");
    else
        snprintf(cell, TABLE_CELL_SIZE, "paused");
}

static const struct table_column columns[] = {
    { .heading = "Name", .key = "name", .is_name = true, .text = row_name },
    { .heading = "ID", .key = "id", .is_number = true, .text = row_id },
    { .heading = "Wants",
      .key = "wanted_cpus",
      .is_number = true,
      .text = row_wanted },
    { .heading = "Has", .key = "had_cpus", .is_number = true, .text = row_had },
    { .heading = "Dist",
      .key = "distance",
      .is_number = true,
      .text = row_distance },
    { .heading = "Score",
      .key = "score",
      .is_number = true,
      .text = row_score },
    { .heading = "Hard CPUs",
      .key = "hard_cpus",
      .is_list = true,
      .text = row_hard },
    { .heading = "Better",
      .key = "better_cpus",
      .is_list = true,
      .text = row_better },
    { .heading = "Then",
      .key = "better_score",
      .is_number = true,
      .text = row_better_score },
    { .key = "step", .text = row_step },
    { .key = "moved", .json = row_moved },
    { .key = "left_alone", .text = row_left },
    { .heading = "Outcome", .text = row_outcome },
};

void balance_row_fill(struct balance_row *row_r,
                      const struct xlnuma__balanced *domain)
{
    memset(row_r, 0, sizeof(*row_r));
    row_r->domain = domain;
    xlnuma_cpuset_format(&domain->guest.hard, row_r->hard, sizeof(row_r->hard));
    xlnuma_cpuset_format(&domain->guest.better, row_r->better,
                         sizeof(row_r->better));
}

void balance_table_print(const struct balance_row rows[], unsigned nr,
                         FILE *file)
{
    const struct table table = { columns, sizeof(columns) / sizeof(*columns),
                                 rows, sizeof(*rows), nr };

    table_print(&table, file);
}

int balance_table_json(const struct balance_row rows[], unsigned nr,
                       bool is_dry, FILE *file, char *message)
{
    const struct table table = { columns, sizeof(columns) / sizeof(*columns),
                                 rows, sizeof(*rows), nr };
    yajl_gen gen = xlnuma__json_begin("xlnuma-balance", 1);

    if (gen) {
        xlnuma__json_key(gen, "dry_run");
        yajl_gen_bool(gen, is_dry);
        xlnuma__json_key(gen, "guests");
        table_json(&table, gen);
    }
    return xlnuma__json_end(gen, file, message);
}

void balance_row_say(const struct balance_row *row, bool is_dry, FILE *file)
{
    const struct xlnuma__balance_guest *guest = &row->domain->guest;

    fprintf(file,
            "%s (%u): had %.2f of %.2f CPUs at distance %.2f, score %.2f: %s "
            "CPUs %s to %s, expected score %.2f\n",
            row->domain->name, row->domain->domid, guest->had, guest->wanted,
            guest->distance, guest->score, is_dry ? "would go from" : "from",
            row->hard, row->better, guest->better_score);
}
