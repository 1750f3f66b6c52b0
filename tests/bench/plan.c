/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plan costs, beside the rules of libxl and xapi: time and instructions
 * for random guests on hosts of 2 to 64 nodes, ordinary and adversarial. The
 * hosts and guests are the same ones each time. tests/README tells the columns.
 *
 * Instructions are counted by the processor where it may be asked. Where not,
 * scripts/bench runs this once more, under callgrind ("plan count"), which
 * leaves the means in files that the measuring run then reads.
 */
#include "../unit/draw.h"
#include "rules.h"

#include <glob.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

#define REQUESTS_MAX 10000
#define NR_COUNTED 40 /* requests of a row, under callgrind */

/*
 * Ours as in a build and as in `plan`, with the alternatives; libxl's own code,
 * its rule with its steps, and with no more than the rule needs.
 */
enum rule { OURS, EXPLAINED, OWN, LIBXL, LEAST, XAPI, NR_RULES };

static const char *const rule_names[NR_RULES] = {
    "ours", "explained", "own", "libxl", "least", "xapi"
};

struct series {
    double us[REQUESTS_MAX];
    double instructions; /* of all, 0 when nobody counts */
    unsigned nr;
};

static struct series series[NR_RULES];
static struct rules_topology topology;
static struct rules_affinity affinity;
static unsigned nr_open;
static unsigned most_nodes = XLNUMA_NODES_MAX;
static int perf_fd = -1;
static bool is_counting;   /* under callgrind */
static const char *counts; /* what it left: "ROW RULE INSTRUCTIONS" */

static void open_counter(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
                                    .size = sizeof(attr),
                                    .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1 };

    perf_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

struct sample {
    double us;
    double instructions;
};

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

static void apply(enum rule rule, const struct xlnuma_host *host,
                  const struct xlnuma_request *request,
                  struct xlnuma_plan *plan)
{
    static struct rules_placement placement;
    char message[XLNUMA_MESSAGE_SIZE];

    switch (rule) {
    case OURS:
    case EXPLAINED:
        if (!xlnuma_plan_make(host, request, plan, message))
            return;
        fprintf(stderr, "%s\n", message);
        exit(1);
    case OWN:
        rules_libxl_own(request, &affinity);
        return;
    case LIBXL:
        rules_libxl_steps(&topology, host, request, &affinity);
        return;
    case LEAST:
        rules_libxl(host, request, &placement);
        return;
    default:
        rules_xapi(host, request, &placement);
    }
}

/* What libxl chooses itself is what the rule written from its description does. */
static void check_own(const struct xlnuma_host *host,
                      const struct xlnuma_request *request)
{
    xlnuma_nodeset own = affinity.nodes;

    rules_libxl_steps(&topology, host, request, &affinity);
    if (own == affinity.nodes)
        return;
    fprintf(stderr, "libxl chooses nodes %" PRIx64 ", its rule %" PRIx64 "\n",
            own, affinity.nodes);
    exit(1);
}

static void measure_once(enum rule rule, const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         struct xlnuma_plan *plan)
{
    struct series *to = &series[rule];
    struct sample from = now(), until;

    if (is_counting)
        CALLGRIND_TOGGLE_COLLECT;
    apply(rule, host, request, plan);
    if (is_counting)
        CALLGRIND_TOGGLE_COLLECT;
    until = now();
    to->us[to->nr++] = until.us - from.us;
    to->instructions += until.instructions - from.instructions;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double at(const struct series *series, double part)
{
    return series->us[(unsigned)((series->nr - 1) * part)];
}

/* In the mean, a plan; 0 when nobody counted. */
static double instructions(unsigned row, enum rule rule)
{
    char name[16];
    unsigned counted_row;
    double count, found = 0;
    FILE *file;

    if (perf_fd >= 0)
        return series[rule].instructions / series[rule].nr;
    file = counts ? fopen(counts, "r") : NULL;
    if (!file)
        return 0;
    while (fscanf(file, "%u %15s %lf", &counted_row, name, &count) == 3)
        if (counted_row == row && !strcmp(name, rule_names[rule]))
            found = count / NR_COUNTED;
    fclose(file);
    return found;
}

static const char *const table_names[] = {
    [DRAW_SOCKETS] = "sockets", [DRAW_INTERLEAVED] = "interleaved",
    [DRAW_FLAT] = "flat",       [DRAW_NOISE] = "noise",
    [DRAW_HOLES] = "holes",     [DRAW_RING] = "ring",
};

static void print_times(unsigned row, enum rule rule, bool has_99)
{
    double count = instructions(row, rule);

    printf(" %8.1f", at(&series[rule], 0.5));
    if (has_99)
        printf(" %8.1f", at(&series[rule], 0.99));
    printf(" %8.1f", at(&series[rule], 1));
    if (count > 0)
        printf(" %9.0f", count);
    else
        printf(" %9s", "-");
}

/* Above 16 nodes libxl gives up, and xapi looks at single nodes only. */
static void print_row(unsigned row, unsigned nr_nodes, const char *name)
{
    static const enum rule peers[] = { OWN, LIBXL, LEAST, XAPI };

    for (unsigned rule = 0; rule < NR_RULES; rule++)
        qsort(series[rule].us, series[rule].nr, sizeof(double), compare);
    printf("%5u  %-22.22s", nr_nodes, name);
    print_times(row, OURS, true);
    printf(" %5u %9.1f ", nr_open, at(&series[EXPLAINED], 0.5));
    for (unsigned i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
        if (!series[peers[i]].nr)
            printf(" %8s %8s %9s %6s ", "-", "-", "-", "-");
        else {
            print_times(row, peers[i], false);
            printf(" %6.2f ",
                   at(&series[OURS], 0.5) / at(&series[peers[i]], 0.5));
        }
    putchar('\n');
    fflush(stdout);
}

static void dump(unsigned row, enum rule rule)
{
    char name[32];

    snprintf(name, sizeof(name), "%u %s", row, rule_names[rule]);
    CALLGRIND_DUMP_STATS_AT(name);
}

/* All requests of a row by one rule: what it needs stays in the caches. */
static void run_rule(enum rule rule, unsigned nr_nodes, enum draw_table table,
                     struct xlnuma_host *machine, unsigned nr_requests)
{
    struct xlnuma_host *host = machine ? machine : xlnuma_host_new();
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma_request request;

    series[rule].nr = 0;
    series[rule].instructions = 0;
    for (unsigned n = 0; n < nr_requests; n++) {
        if (!machine && n % 20 == 0)
            draw_host(host, nr_nodes, table, false);
        if (n % 20 == 0)
            rules_topology_fill(&topology, host);
        if (n % 20 == 0 && rule == OWN)
            rules_libxl_own_fill(host);
        draw_request(host, &request, false);
        request.wants_alternatives = rule == EXPLAINED;
        measure_once(rule, host, &request, plan);
        if (rule == OWN)
            check_own(host, &request);
        if (rule == OURS)
            nr_open += plan->least_distance < plan->expected_distance;
    }
    xlnuma_plan_free(plan);
    if (!machine)
        xlnuma_host_free(host);
}

/* Random hosts of a kind, 20 guests each; or one machine as it is. */
static void measure(unsigned nr_nodes, enum draw_table table, const char *name,
                    struct xlnuma_host *machine, unsigned nr_requests)
{
    static unsigned row;

    nr_open = 0;
    row++;
    if (nr_nodes > most_nodes)
        return;
    for (unsigned rule = 0; rule < NR_RULES; rule++) {
        series[rule].nr = 0;
        if (rule > EXPLAINED && nr_nodes > 16)
            continue;
        if (rule == OWN && !rules_libxl_own)
            continue;
        draw_seed(row);
        run_rule(rule, nr_nodes, table, machine, nr_requests);
        if (is_counting)
            dump(row, rule);
    }
    if (!is_counting)
        print_row(row, nr_nodes, name);
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

static void print_heading(void)
{
    printf("%29s%-53s", "", "ours");
    printf("%-36s%-36s%-36s%-36s\n", "libxl's own code", "libxl's steps",
           "libxl's rule, least work", "xapi's rule");
    printf("%5s  %-22s %8s %8s %8s %9s %5s %9s ", "nodes", "host", "us: mid",
           "99%", "worst", "instr.", "open", "explained");
    for (unsigned i = 0; i < NR_RULES - OWN; i++)
        printf(" %8s %8s %9s %6s ", "us: mid", "worst", "instr.", "ours/");
    putchar('\n');
}

int main(int argc, char **argv)
{
    glob_t found;
    unsigned nr = 1000;

    if (argc > 1 && !strcmp(argv[1], "counter")) {
        open_counter();
        return perf_fd < 0;
    }
    is_counting = argc > 1 && !strcmp(argv[1], "count");
    if (is_counting)
        nr = NR_COUNTED;
    else if (argc > 1)
        nr = (unsigned)atoi(argv[1]);
    if (argc > 2)
        most_nodes = (unsigned)atoi(argv[2]);
    if (argc > 3)
        counts = argv[3];
    if (!nr || nr > REQUESTS_MAX || !most_nodes) {
        fprintf(stderr,
                "Usage: plan [REQUESTS [NODES]]: 1 to %u for each row, "
                "hosts of at most so many nodes\n",
                REQUESTS_MAX);
        return 2;
    }
    if (!is_counting) {
        open_counter();
        print_heading();
    }
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
