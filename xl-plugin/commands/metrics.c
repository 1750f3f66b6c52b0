/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement metrics: host and guests as OpenMetrics text that is
 * Prometheus text, too, for node_exporter's textfile collector. So all are
 * gauges, for Prometheus text knows no other type that fits. Changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/*
 * With the brace open, for more labels. A domain's number is none of them: it is
 * another one after each boot.
 */
static void put_guest(FILE *file, const char *family,
                      const struct xlnuma__guest *guest)
{
    fprintf(file, "%s{", family);
    put_label(file, "name", guest->name);
    putc(',', file);
    put_label(file, "uuid", guest->uuid);
}

/* Readers keep it as a double, too. */
static void put_value(FILE *file, double value, int decimals)
{
    fprintf(file, " %.*f\n", decimals, value);
}

/* A family of one sample, without labels. */
static void put_one(FILE *file, const char *name, const char *unit,
                    const char *about, double value, int decimals)
{
    put_family(file, name, unit, about);
    fputs(name, file);
    put_value(file, value, decimals);
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

/* Of a node, and of the host: what is said of either. */
static const struct node_family {
    const char *name, *unit, *about, *about_sum;
    double (*value)(const struct xlnuma_host *host,
                    const struct xlnuma_node *node);
    int decimals;
} node_families[] = {
    { "memory_bytes", "bytes", "Memory of the node.", "Memory of all nodes.",
      size_bytes, 0 },
    { "free_bytes", "bytes", "Free memory of the node.",
      "Free memory of all nodes.", free_bytes, 0 },
    { "low_free_bytes", "bytes",
      "Free memory of the node at the low addresses that Xen keeps for DMA.",
      "Free memory of all nodes at the low addresses that Xen keeps for DMA.",
      low_bytes, 0 },
    { "reserved_bytes", "bytes",
      "Free memory of the node that builds under way are going to take.",
      "Free memory of all nodes that builds under way are going to take.",
      reserved_bytes, 0 },
    { "cpus", "", "Online CPUs of the node.", "Online CPUs of all nodes.",
      nr_cpus, 0 },
    { "load_vcpus", "vcpus", "vCPUs that are expected to run on the node.",
      "vCPUs that are expected to run on all nodes.", load, 3 },
};

/* Of a host that has some. */
static const struct node_family dedicated_families[] = {
    { "dedicated_cpus", "",
      "CPUs of the node that are reserved for guests with CPUs of their own.",
      "CPUs of all nodes that are reserved for guests with CPUs of their own.",
      nr_dedicated, 0 },
    { "dedicated_free_cpus", "",
      "Reserved CPUs of the node that a new guest can have.",
      "Reserved CPUs of all nodes that a new guest can have.",
      nr_dedicated_free, 0 },
    { "dedicated_taken_cpus", "",
      "Reserved CPUs of the node that a guest has, or keeps from others.",
      "Reserved CPUs of all nodes that guests have, or keep from others.",
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
    put_one(file, name, family->unit, family->about_sum, sum, family->decimals);
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
    const char *name, *unit, *about, *about_sum;
    bool (*value)(const struct xlnuma__guest *guest, double *value_r);
} guest_families[] = {
    { "memory_bytes", "bytes", "Memory that the guest has now.",
      "Memory that all guests have now.", memory_bytes },
    { "vcpus", "", "Online vCPUs of the guest.", "Online vCPUs of all guests.",
      nr_vcpus },
    { "planned_bytes", "bytes",
      "Memory that was planned when the guest was built.",
      "Memory that was planned when the guests were built that have a plan.",
      planned_bytes },
    { "off_plan_bytes", "bytes",
      "Memory that the guest's build took from nodes where none was planned.",
      "Memory that the builds of all guests took from nodes where none was "
      "planned, as far as it is known.",
      off_plan_bytes },
};

#define FOR_EACH_GUEST(guest, guests)                                          \
    for (const struct xlnuma__guest *guest = (guests)->guest;                  \
         guest < (guests)->guest + (guests)->nr; guest++)                      \
        if (!xlnuma__is_dom0(guest))

/* The sum has "guests" for "guest". */
static void put_guests(FILE *file, const struct xlnuma__guests *guests,
                       const struct guest_family *family)
{
    char name[64];
    double sum = 0, value;

    snprintf(name, sizeof(name), "xlnuma_guest_%s", family->name);
    put_family(file, name, family->unit, family->about);
    FOR_EACH_GUEST(guest, guests)
        if (family->value(guest, &value)) {
            put_guest(file, name, guest);
            putc('}', file);
            put_value(file, value, 0);
            sum += value;
        }
    snprintf(name, sizeof(name), "xlnuma_host_guests_%s", family->name);
    put_one(file, name, family->unit, family->about_sum, sum, 0);
}

static void put_expected_distance(FILE *file,
                                  const struct xlnuma__guests *guests)
{
    static const char name[] = "xlnuma_guest_expected_distance";

    put_family(file, name, "",
               "Mean distance of the guest's memory accesses that its plan "
               "expects; 10 is all local.");
    FOR_EACH_GUEST(guest, guests)
        if (guest->report.expected_distance > 0) {
            put_guest(file, name, guest);
            putc('}', file);
            put_value(file, guest->report.expected_distance, 2);
        }
}

/* What does not change while a guest runs. */
static void put_info(FILE *file, const struct xlnuma__guests *guests)
{
    static const char name[] = "xlnuma_guest_info";

    put_family(file, name, "",
               "Always 1: the label policy is what the guest was placed by, "
               "empty where it was not.");
    FOR_EACH_GUEST(guest, guests) {
        put_guest(file, name, guest);
        putc(',', file);
        put_label(file, "policy", guest->report.policy);
        fputs("} 1\n", file);
    }
}

/* A set of states: a sample for each, the state is a label by the family's name. */
static void put_status(FILE *file, const struct xlnuma__guests *guests)
{
    static const char name[] = "xlnuma_guest_status";

    put_family(file, name, "",
               "1 for what became of the guest's placement, 0 for all other "
               "states.");
    FOR_EACH_GUEST(guest, guests)
        for (unsigned status = 0; status < XLNUMA__BUILT_COUNTED; status++) {
            const char *state = xlnuma__built_names[status];

            if (!guest->has_report)
                break;
            put_guest(file, name, guest);
            fprintf(file, ",%s=\"%s\"} %d\n", name, state,
                    !strcmp(guest->report.status, state));
        }
    put_one(file, "xlnuma_host_guests", "", "Guests, without Domain-0.",
            xlnuma__guests_count(guests), 0);
}

/* --- guests on nodes -------------------------------------------------------- */

/* A sample for each guest and node that has memory by `kb`. */
static void
put_guest_nodes(FILE *file, const struct xlnuma__guests *guests,
                const char *name, const char *about,
                const uint64_t *(*kb)(const struct xlnuma__report *))
{
    put_family(file, name, "bytes", about);
    FOR_EACH_GUEST(guest, guests)
        for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
            uint64_t there_kb = kb(&guest->report)[node];

            if (!there_kb)
                continue;
            put_guest(file, name, guest);
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

/* --- Domain-0, and this program --------------------------------------------- */

/* By node only where it was counted, and nothing has changed since. */
static void put_dom0(FILE *file, const struct xlnuma__guest *dom0)
{
    static const char by_node[] = "xlnuma_dom0_node_bytes";

    put_one(file, "xlnuma_dom0_memory_bytes", "bytes",
            "Memory that Domain-0 has now.", (double)dom0->memory_kb * 1024, 0);
    put_one(file, "xlnuma_dom0_vcpus", "", "Online vCPUs of Domain-0.",
            dom0->nr_vcpus, 0);
    put_family(file, by_node, "bytes",
               "Memory of Domain-0 on the node, as verify counted it.");
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        uint64_t kb = dom0->report.actual_kb[node];

        if (!kb || xlnuma__guest_is_resized(dom0))
            continue;
        fprintf(file, "%s{node=\"%u\"}", by_node, node);
        put_value(file, (double)kb * 1024, 0);
    }
}

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* Of this host, by xl-numa.conf, as a build reads it. */
static void put_enabled(FILE *file)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__conf_host conf;

    (void)xlnuma__conf_read(&settings, &conf, "", message);
    put_one(file, "xlnuma_enabled", "",
            "Is placement switched on in xl-numa.conf?", !conf.is_off, 0);
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
                    "Memory that was planned for the guest on the node.",
                    planned_kb);
    put_expected_distance(file, guests);
    put_info(file, guests);
    put_status(file, guests);
    if (guests->nr && xlnuma__is_dom0(guests->guest))
        put_dom0(file, guests->guest);
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
        "expected distance of each guest, with their sums, and Domain-0's\n"
        "memory, as OpenMetrics text that Prometheus can read, too. With -o\n"
        "a file of that name in the textfile collector's folder is replaced\n"
        "atomically.\n",
    .options = metrics_options,
    .run = run,
};
