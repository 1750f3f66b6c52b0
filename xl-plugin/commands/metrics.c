/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement metrics: host and guests as OpenMetrics text that is
 * Prometheus text, too, for node_exporter's textfile collector. So all are
 * gauges, for Prometheus text knows no other type that fits. Changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "config/settings.h"
#include "view/output.h"
#include "view/utf8.h"

/* --- one sample ------------------------------------------------------------ */

/* A family begins; a unit is the end of its name, "" for none. */
static void put_family(FILE *file, const char *name, const char *unit,
                       const char *about)
{
    fprintf(file, "# TYPE %s gauge\n", name);
    if (*unit)
        fprintf(file, "# UNIT %s %s\n", name, unit);
    fprintf(file, "# HELP %s %s\n", name, about);
}

/* As put_family(), of the sum of a family. */
static void put_sum_family(FILE *file, const char *name, const char *unit,
                           const char *about, const char *what)
{
    char sum[256];

    snprintf(sum, sizeof(sum), "%s The sum of all %s.", about, what);
    put_family(file, name, unit, sum);
}

static void put_label(FILE *file, const char *label, const char *value)
{
    char clean[XLNUMA_NAME_SIZE];

    fprintf(file, "%s=\"", label);
    for (value = utf8_clean(value, false, clean, sizeof(clean)); *value;
         value++) {
        if (*value == '"' || *value == '\\')
            putc('\\', file);
        putc(*value, file);
    }
    putc('"', file);
}

/* With the brace open, for more labels. */
static void put_guest(FILE *file, const char *family,
                      const struct xlnuma__guest *guest)
{
    fprintf(file, "%s{", family);
    put_label(file, "guest", guest->name);
    fprintf(file, ",id=\"%" PRIu32 "\"", guest->domid);
}

/* Readers keep it as a double, too. */
static void put_value(FILE *file, double value, int decimals)
{
    fprintf(file, " %.*f\n", decimals, value);
}

/* --- nodes, and the host's sums -------------------------------------------- */

#define NODE_VALUE(name, expression)                                           \
    static double name(const struct xlnuma_host *host,                         \
                       const struct xlnuma_node *node)                         \
    {                                                                          \
        (void)host;                                                            \
        return expression;                                                     \
    }
NODE_VALUE(size_bytes, (double)node->size_kb * 1024)
NODE_VALUE(free_bytes, (double)node->free_kb * 1024)
NODE_VALUE(low_bytes, (double)node->low_free_kb * 1024)
NODE_VALUE(reserved_bytes, (double)node->reserved_kb * 1024)
NODE_VALUE(nr_cpus, xlnuma_cpuset_count(&node->cpus))
NODE_VALUE(load, node->load_mvcpu / 1000.0)
NODE_VALUE(nr_dedicated,
           xlnuma__cpuset_count_common(&node->cpus, &host->dedicated_cpus))
NODE_VALUE(nr_taken,
           xlnuma__cpuset_count_common(&node->cpus, &host->dedicated_taken))
#undef NODE_VALUE

static double nr_dedicated_free(const struct xlnuma_host *host,
                                const struct xlnuma_node *node)
{
    return nr_dedicated(host, node) - nr_taken(host, node);
}

static const struct node_family {
    const char *name, *unit, *about;
    double (*value)(const struct xlnuma_host *host,
                    const struct xlnuma_node *node);
    int decimals;
} node_families[] = {
    { "memory_bytes", "bytes", "Memory.", size_bytes, 0 },
    { "free_bytes", "bytes", "Memory that is free.", free_bytes, 0 },
    { "low_free_bytes", "bytes",
      "Of the free memory what lies below the addresses that Xen keeps for "
      "DMA.",
      low_bytes, 0 },
    { "reserved_bytes", "bytes",
      "Of the free memory what builds in flight are going to take.",
      reserved_bytes, 0 },
    { "cpus", "", "CPUs online.", nr_cpus, 0 },
    { "load_vcpus", "vcpus", "vCPUs that are expected to run there.", load, 3 },
};

/* Of a host that has some. */
static const struct node_family dedicated_families[] = {
    { "dedicated_cpus", "",
      "CPUs that are reserved for guests with CPUs of their own.", nr_dedicated,
      0 },
    { "dedicated_free_cpus", "",
      "Of the reserved CPUs those that a new guest can have.",
      nr_dedicated_free, 0 },
    { "dedicated_taken_cpus", "",
      "Of the reserved CPUs those that a guest has, or keeps from others.",
      nr_taken, 0 },
};

static void put_nodes(FILE *file, const struct xlnuma_host *host,
                      const struct node_family *family)
{
    char name[64];
    double sum = 0;
    unsigned node;

    snprintf(name, sizeof(name), "xlnuma_node_%s", family->name);
    put_family(file, name, family->unit, family->about);
    XLNUMA_FOR_EACH_NODE(node, host->nodes) {
        double value = family->value(host, &host->node[node]);

        fprintf(file, "%s{node=\"%u\",socket=\"%u\"}", name, node,
                host->node[node].socket);
        put_value(file, value, family->decimals);
        sum += value;
    }
    snprintf(name, sizeof(name), "xlnuma_host_%s", family->name);
    put_sum_family(file, name, family->unit, family->about, "nodes");
    fputs(name, file);
    put_value(file, sum, family->decimals);
}

/* --- guests, and their sums ------------------------------------------------ */

/* Returns false where it is not known. */
static bool memory_bytes(const struct xlnuma__guest *guest, double *value_r)
{
    *value_r = (double)guest->memory_kb * 1024;
    return true;
}

static bool nr_vcpus(const struct xlnuma__guest *guest, double *value_r)
{
    *value_r = guest->nr_vcpus;
    return true;
}

static bool planned_bytes(const struct xlnuma__guest *guest, double *value_r)
{
    *value_r = 0;
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        *value_r += (double)guest->report.planned_kb[node] * 1024;
    return *value_r > 0;
}

static bool off_plan_bytes(const struct xlnuma__guest *guest, double *value_r)
{
    uint64_t off_kb, total_kb;
    bool is_known = xlnuma__guest_off_plan_kb(guest, &off_kb, &total_kb);

    *value_r = (double)off_kb * 1024;
    return is_known;
}

static const struct guest_family {
    const char *name, *unit, *about;
    bool (*value)(const struct xlnuma__guest *guest, double *value_r);
} guest_families[] = {
    { "memory_bytes", "bytes", "Memory that the guest has now.", memory_bytes },
    { "vcpus", "", "vCPUs online.", nr_vcpus },
    { "planned_bytes", "bytes",
      "Memory that was planned when the guest was built.", planned_bytes },
    { "off_plan_bytes", "bytes",
      "Memory that the build took from nodes where none was planned.",
      off_plan_bytes },
};

/* The sum has "guests" for "guest": it is of those of whom it is known. */
static void put_guests(FILE *file, const struct xlnuma__guests *guests,
                       const struct guest_family *family)
{
    char name[64];
    double sum = 0, value;

    snprintf(name, sizeof(name), "xlnuma_guest_%s", family->name);
    put_family(file, name, family->unit, family->about);
    for (unsigned i = 0; i < guests->nr; i++)
        if (family->value(&guests->guest[i], &value)) {
            put_guest(file, name, &guests->guest[i]);
            putc('}', file);
            put_value(file, value, 0);
            sum += value;
        }
    snprintf(name, sizeof(name), "xlnuma_host_guests_%s", family->name);
    put_sum_family(file, name, family->unit, family->about,
                   "guests of which it is known");
    fputs(name, file);
    put_value(file, sum, 0);
}

static void put_expected_distance(FILE *file,
                                  const struct xlnuma__guests *guests)
{
    static const char name[] = "xlnuma_guest_expected_distance";

    put_family(file, name, "",
               "Distance of a memory access in the mean; 10 is all local.");
    for (unsigned i = 0; i < guests->nr; i++)
        if (guests->guest[i].report.expected_distance > 0) {
            put_guest(file, name, &guests->guest[i]);
            putc('}', file);
            put_value(file, guests->guest[i].report.expected_distance, 2);
        }
}

/* One sample for each guest that has a report. */
static void put_status(FILE *file, const struct xlnuma__guests *guests)
{
    static const char name[] = "xlnuma_guest_status";

    put_family(file, name, "", "Always 1: the labels say how it was placed.");
    for (unsigned i = 0; i < guests->nr; i++) {
        const struct xlnuma__report *report = &guests->guest[i].report;

        if (!guests->guest[i].has_report)
            continue;
        put_guest(file, name, &guests->guest[i]);
        putc(',', file);
        put_label(file, "policy", report->policy);
        putc(',', file);
        put_label(file, "status", report->status);
        fputs("} 1\n", file);
    }
    put_family(file, "xlnuma_host_guests", "", "Guests that there are.");
    fprintf(file, "xlnuma_host_guests %u\n", guests->nr);
}

/* --- guests on nodes -------------------------------------------------------- */

/* A sample for each guest and node that has memory by `kb`. */
static void
put_guest_nodes(FILE *file, const struct xlnuma__guests *guests,
                const char *name, const char *about,
                const uint64_t *(*kb)(const struct xlnuma__report *))
{
    put_family(file, name, "bytes", about);
    for (unsigned i = 0; i < guests->nr; i++)
        for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
            uint64_t there_kb = kb(&guests->guest[i].report)[node];

            if (!there_kb)
                continue;
            put_guest(file, name, &guests->guest[i]);
            fprintf(file, ",node=\"%u\"}", node);
            put_value(file, (double)there_kb * 1024, 0);
        }
}

static const uint64_t *actual_kb(const struct xlnuma__report *report)
{
    return report->actual_kb;
}

static const uint64_t *planned_kb(const struct xlnuma__report *report)
{
    return report->planned_kb;
}

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* Of this host, by xl-numa.conf, as a build reads it. */
static void put_enabled(FILE *file)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__conf_host conf;

    (void)xlnuma__conf_read(&settings, &conf, "", message);
    put_family(file, "xlnuma_enabled", "",
               "Is placement switched on in xl-numa.conf?");
    fprintf(file, "xlnuma_enabled %d\n", !conf.is_off);
}

static void put_all(FILE *file, bool is_live, const struct xlnuma_host *host,
                    const struct xlnuma__guests *guests)
{
    put_family(file, "xlnuma_build_info", "",
               "Always 1: the label is the version of xl-numa.");
    fputs("xlnuma_build_info{version=\"" PACKAGE_VERSION "\"} 1\n", file);
    if (is_live)
        put_enabled(file);
    for (size_t i = 0; i < NR(node_families); i++)
        put_nodes(file, host, &node_families[i]);
    for (size_t i = 0; i < NR(dedicated_families) &&
                       xlnuma_cpuset_count(&host->dedicated_cpus);
         i++)
        put_nodes(file, host, &dedicated_families[i]);
    for (size_t i = 0; i < NR(guest_families); i++)
        put_guests(file, guests, &guest_families[i]);
    put_guest_nodes(file, guests, "xlnuma_guest_node_bytes",
                    "Memory that the guest's build took from the node.",
                    actual_kb);
    put_guest_nodes(file, guests, "xlnuma_guest_node_planned_bytes",
                    "Memory that was planned on the node.", planned_kb);
    put_expected_distance(file, guests);
    put_status(file, guests);
    fputs("# EOF\n", file);
}

/* --- the subcommand --------------------------------------------------------- */

static int write_to(const char *path, bool is_live,
                    const struct xlnuma_host *host,
                    const struct xlnuma__guests *guests, char *message)
{
    struct output output;
    int rc = output_open(&output, path, message);

    if (rc)
        return rc;
    put_all(output.file, is_live, host, guests);
    return output_close(&output, true, message);
}

static int run(const struct options *options, int nr, char **operand)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma_host *host;
    struct xlnuma__guests guests;
    struct live live;
    int rc;

    if (nr)
        return usage_error("metrics", "metrics has no operand \"%s\"",
                           operand[0]);
    host = xlnuma_host_new();
    if (!host) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    rc = live_or_file_guests(options->host, &live, host, &guests, message);
    if (rc)
        complain("%s", message);
    live_close(&live);
    if (guests_are_there(rc, &guests) &&
        write_to(options->output, !options->host, host, &guests, message)) {
        complain("%s", message);
        rc = XLNUMA_ERR_IO;
    }
    xlnuma__guests_dispose(&guests);
    xlnuma_host_free(host);
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static const struct command_option metrics_options[] = {
    OPTION_INPUT,
    OPTION_OUTPUT,
    OPTIONS_END,
};

const struct command cmd_metrics = {
    .name = "metrics",
    .summary = "host and guests as OpenMetrics text, for node_exporter",
    .operands = "",
    .about =
        "Writes memory, CPUs and load of each node, and memory, plan and\n"
        "expected distance of each guest, with their sums, as OpenMetrics\n"
        "text that Prometheus can read, too. With -o a file of that name\n"
        "in the textfile collector's folder is replaced atomically.\n",
    .options = metrics_options,
    .run = run,
};
