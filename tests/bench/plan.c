/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan costs, beside the rules of libxl and xapi: time and instructions
 * for random guests on hosts of 2 to 64 nodes, ordinary and adversarial. The
 * hosts and guests are the same ones each time. "open": plans that were not
 * proven to be the nearest.
 */
#include "../unit/draw.h"
#include "rules.h"

#include <glob.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX 10000

static int perf_fd = -1;

struct sample {
    double us;
    double instructions;
};

struct series {
    struct sample sample[REQUESTS_MAX];
    unsigned nr;
};

static struct series ours, libxl, xapi;

static void open_counter(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
                                    .size = sizeof(attr),
                                    .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };

    perf_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static struct sample now(void)
{
    struct timespec time;
    uint64_t count = 0;
    struct sample sample;

    if (perf_fd >= 0 && read(perf_fd, &count, sizeof(count)) != sizeof(count))
        count = 0;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    sample.us = (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
    sample.instructions = (double)count;
    return sample;
}

static void add(struct series *series, struct sample from)
{
    struct sample to = now();

    to.us -= from.us;
    to.instructions -= from.instructions;
    series->sample[series->nr++] = to;
}

static int compare(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    return (x->us > y->us) - (x->us < y->us);
}

static int compare_instructions(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    return (x->instructions > y->instructions) -
           (x->instructions < y->instructions);
}

static unsigned nr_open;

static void plan(const struct xlnuma_host *host,
                 const struct xlnuma_request *request, struct xlnuma_plan *plan)
{
    static struct rules_placement placement;
    char message[XLNUMA_MESSAGE_SIZE];
    struct sample from = now();
    bool is_right = !xlnuma_plan_make(host, request, plan, message);

    if (!is_right) {
        fprintf(stderr, "%s\n", message);
        exit(1);
    }
    add(&ours, from);
    nr_open += plan->least_distance < plan->expected_distance;
    from = now();
    rules_libxl(host, request, &placement);
    add(&libxl, from);
    from = now();
    rules_xapi(host, request, &placement);
    add(&xapi, from);
}

static double median(struct series *series)
{
    qsort(series->sample, series->nr, sizeof(series->sample[0]), compare);
    return series->sample[series->nr / 2].us;
}

static double at(const struct series *series, double part)
{
    return series->sample[(unsigned)((series->nr - 1) * part)].us;
}

static double instructions(struct series *series)
{
    qsort(series->sample, series->nr, sizeof(series->sample[0]),
          compare_instructions);
    return series->sample[series->nr / 2].instructions;
}

static const char *const table_names[] = {
    [DRAW_SOCKETS] = "sockets", [DRAW_INTERLEAVED] = "interleaved",
    [DRAW_FLAT] = "flat",       [DRAW_NOISE] = "noise",
    [DRAW_HOLES] = "holes",     [DRAW_RING] = "ring",
};

static void print_row(unsigned nr_nodes, const char *name)
{
    double mid = median(&ours), mid_libxl = median(&libxl);
    double mid_xapi = median(&xapi);

    printf("%5u  %-27s %8.1f %8.1f %8.1f", nr_nodes, name, mid, at(&ours, 0.99),
           at(&ours, 1));
    if (perf_fd >= 0)
        printf(" %9.0f", instructions(&ours));
    else
        printf(" %9s", "-");
    printf(" %8.1f %8.1f %7.2f %7.2f %5u\n", mid_libxl, mid_xapi,
           mid / mid_libxl, mid / mid_xapi, nr_open);
    fflush(stdout);
}

/* Random hosts of a kind, 20 guests each; or one machine as it is. */
static void measure(unsigned nr_nodes, enum draw_table table, const char *name,
                    struct xlnuma_host *machine, unsigned nr_requests)
{
    struct xlnuma_host *host = machine ? machine : xlnuma_host_new();
    struct xlnuma_plan *result = xlnuma_plan_new();
    struct xlnuma_request request;

    ours.nr = libxl.nr = xapi.nr = nr_open = 0;
    for (unsigned n = 0; n < nr_requests; n++) {
        if (!machine && n % 20 == 0)
            draw_host(host, nr_nodes, table, false);
        draw_request(host, &request, false);
        plan(host, &request, result);
    }
    print_row(nr_nodes, name);
    xlnuma_plan_free(result);
    if (!machine)
        xlnuma_host_free(host);
}

static void measure_machine(const char *path, unsigned nr_requests)
{
    struct xlnuma_host *host = xlnuma_host_new();
    char message[XLNUMA_MESSAGE_SIZE];

    if (xlnuma_host_load(host, path, message)) {
        fprintf(stderr, "%s\n", message);
        exit(1);
    }
    measure(xlnuma_nodeset_count(host->nodes), DRAW_TABLES,
            strrchr(path, '/') + 1, host, nr_requests);
    xlnuma_host_free(host);
}

int main(int argc, char **argv)
{
    glob_t found;
    unsigned nr = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;

    if (!nr || nr > REQUESTS_MAX) {
        fprintf(stderr, "Usage: plan [REQUESTS]: 1 to %u for each row\n",
                REQUESTS_MAX);
        return 2;
    }
    open_counter();
    draw_seed(4);
    printf("%5s  %-27s %8s %8s %8s %9s %8s %8s %7s %7s %5s\n", "nodes", "host",
           "us: mid", "99%", "worst", "instr.", "libxl us", "xapi us", "/libxl",
           "/xapi", "open");
    if (glob("tests/hosts/*.json", 0, NULL, &found)) {
        fprintf(stderr, "no tests/hosts here\n");
        return 1;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        measure_machine(found.gl_pathv[i], nr);
    globfree(&found);
    for (unsigned nr_nodes = 2; nr_nodes <= 64; nr_nodes *= 2)
        for (unsigned table = 0; table < DRAW_TABLES; table++)
            measure(nr_nodes, table, table_names[table], NULL, nr);
    return 0;
}
