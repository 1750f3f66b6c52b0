/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How good are the plans that were not proven to be the nearest? scripts/bench
 * builds this twice: as it is ("pick": the guests of plan.c's rows on 64 nodes
 * that are open, some of them written down), and with a planner that may do many
 * times the work ("again": plans these anew, and compares). tests/README tells
 * the columns.
 */
#include "../unit/draw.h"
#include "formats/snapshot.h"
#include "planner/plan.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS 10000
#define NODES 64

static const char *const table_names[] = {
    [DRAW_SOCKETS] = "sockets", [DRAW_INTERLEAVED] = "interleaved",
    [DRAW_FLAT] = "flat",       [DRAW_NOISE] = "noise",
    [DRAW_HOLES] = "holes",     [DRAW_RING] = "ring",
};

/* A guest of a row, and what the planner found for it. */
struct open {
    unsigned row, request;
    double distance, least;
};

/* One row of plan.c. */
struct guests {
    unsigned row, next;
    enum draw_table table;
    bool is_machine;
    struct xlnuma_host *host;
    struct xlnuma_plan *plan;
    struct xlnuma_request request;
};

static void begin(struct guests *guests, unsigned row)
{
    guests->row = row;
    guests->next = 0;
    draw_seed(row);
}

static void draw_next(struct guests *guests)
{
    if (!guests->is_machine && guests->next % 20 == 0)
        draw_host(guests->host, NODES, guests->table, false);
    guests->next++;
    draw_request(guests->host, &guests->request, false);
    guests->request.wants_alternatives = false;
}

static void plan_it(struct guests *guests)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (!xlnuma_plan_make(guests->host, &guests->request, guests->plan,
                          message))
        return;
    fprintf(stderr, "%s\n", message);
    exit(1);
}

/* --- pick ------------------------------------------------------------------ */

static void pick(struct guests *guests, const char *name, unsigned nr_wanted)
{
    static struct open open[REQUESTS];
    unsigned nr = 0;

    for (unsigned n = 0; n < REQUESTS; n++) {
        draw_next(guests);
        plan_it(guests);
        if (guests->plan->least_distance < guests->plan->expected_distance)
            open[nr++] =
                (struct open){ guests->row, n, guests->plan->expected_distance,
                               guests->plan->least_distance };
    }
    if (nr_wanted > nr)
        nr_wanted = nr;
    printf("%u %s %u %u\n", guests->row, name, nr, nr_wanted);
    for (unsigned n = 0; n < nr_wanted; n++) {
        const struct open *it = &open[(uint64_t)n * nr / nr_wanted];

        printf("%u %.17g %.17g\n", it->request, it->distance, it->least);
    }
}

/* --- again ----------------------------------------------------------------- */

struct result {
    unsigned nr_best, nr_same, nr_nearer, nr_nearer_best, nr_cores;
    double gain, most_gain; /* percent of the distance */
    double gap, most_gap, gap_again;
};

static double percent(double more, double less)
{
    return 100 * (more - less) / more;
}

static void compare(const struct open *before, const struct xlnuma_plan *plan,
                    struct result *result)
{
    double gain = percent(before->distance, plan->expected_distance);
    double gap = percent(before->distance, before->least);
    bool is_proven = plan->least_distance >= plan->expected_distance;

    if (gain < -1e-10) { /* a nearer set, and on its sockets one for cores */
        result->nr_cores++;
        return;
    }
    result->gap += gap;
    if (gap > result->most_gap)
        result->most_gap = gap;
    result->gap_again += percent(plan->expected_distance, plan->least_distance);
    if (gain <= 1e-10) {
        result->nr_best += is_proven;
        result->nr_same += !is_proven;
        return;
    }
    result->nr_nearer++;
    result->nr_nearer_best += is_proven;
    result->gain += gain;
    if (gain > result->most_gain)
        result->most_gain = gain;
}

static void again(struct guests *guests, FILE *file)
{
    struct open before = { .row = guests->row };
    struct result result = { 0 };
    unsigned row, nr_open, nr;
    char name[64];

    if (fscanf(file, "%u %63s %u %u", &row, name, &nr_open, &nr) != 4 ||
        row != guests->row) {
        fprintf(stderr, "no guests of row %u\n", guests->row);
        exit(1);
    }
    for (unsigned n = 0; n < nr; n++) {
        if (fscanf(file, "%u %lf %lf", &before.request, &before.distance,
                   &before.least) != 3)
            exit(1);
        while (guests->next <= before.request)
            draw_next(guests);
        plan_it(guests);
        compare(&before, guests->plan, &result);
    }
    if (!nr)
        return;
    printf("%-14s %6u %6u %6u %6u %6u %6u %6u %8.3f %8.3f %8.2f %8.2f %8.2f\n",
           name, nr_open, nr, result.nr_best, result.nr_same,
           result.nr_nearer_best, result.nr_nearer - result.nr_nearer_best,
           result.nr_cores, result.gain / nr, result.most_gain, result.gap / nr,
           result.most_gap, result.gap_again / nr);
    fflush(stdout);
}

/* --- rows ------------------------------------------------------------------ */

static bool load(struct guests *guests, const char *path)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (!xlnuma_host_load(guests->host, path, message))
        return xlnuma_nodeset_count(guests->host->nodes) == NODES;
    fprintf(stderr, "%s\n", message);
    exit(1);
}

static void do_row(struct guests *guests, unsigned row, const char *name,
                   unsigned nr_wanted, FILE *file)
{
    begin(guests, row);
    if (file)
        again(guests, file);
    else
        pick(guests, name, nr_wanted);
}

/* Machines come first in plan.c, then hosts of 2, 4... 64 nodes. */
static void do_rows(unsigned nr_wanted, FILE *file)
{
    struct guests guests = { .host = xlnuma_host_new(),
                             .plan = xlnuma_plan_new() };
    glob_t found;
    unsigned row;

    if (glob("tests/hosts/*.json", 0, NULL, &found)) {
        fprintf(stderr, "no tests/hosts here\n");
        exit(1);
    }
    guests.is_machine = true;
    for (row = 0; row < found.gl_pathc; row++)
        if (load(&guests, found.gl_pathv[row]))
            do_row(&guests, row + 1, strrchr(found.gl_pathv[row], '/') + 1,
                   nr_wanted, file);
    globfree(&found);
    guests.is_machine = false;
    row += 5 * DRAW_TABLES + 1;
    for (unsigned table = 0; table < DRAW_TABLES; table++) {
        guests.table = table;
        do_row(&guests, row + table, table_names[table], nr_wanted, file);
    }
    xlnuma_host_free(guests.host);
    xlnuma_plan_free(guests.plan);
}

int main(int argc, char **argv)
{
    FILE *file;

    if (argc == 3 && !strcmp(argv[1], "pick") && atoi(argv[2]) > 0) {
        do_rows((unsigned)atoi(argv[2]), NULL);
        return 0;
    }
    file = argc == 3 && !strcmp(argv[1], "again") ? fopen(argv[2], "r") : NULL;
    if (!file) {
        fprintf(stderr, "Usage: proof pick NUMBER | proof again FILE\n");
        return 2;
    }
    printf("%28s %34s %17s %26s\n", "", "with more work", "nearer by %",
           "% above the least");
    printf("%-14s %6s %6s %6s %6s %6s %6s %6s %8s %8s %8s %8s %8s\n", "host",
           "open", "again", "best", "same", "nearer", "+open", "cores", "mean",
           "most", "mean", "most", "then");
    do_rows(0, file);
    fclose(file);
    return 0;
}
