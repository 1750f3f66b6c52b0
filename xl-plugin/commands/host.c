/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement host: the nodes with what they have and their guests, and
 * the distances between them; or a picture of it. Changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "commands/host_cpus.h"
#include "formats/json.h"
#include "formats/parts.h"
#include "view/devices.h"
#include "view/output.h"
#include "view/picture.h"
#include "view/screen.h"
#include "view/table.h"
#include "view/units.h"
#include "xen/dom0_vcpus.h"

struct row {
    unsigned id;
    const struct xlnuma_node *node;
    const struct xlnuma_host *host;
    const struct xlnuma__guests *guests;
};

#define NUMBER(what, format, value)                                            \
    static void node_##what(const void *row, char cell[TABLE_CELL_SIZE])       \
    {                                                                          \
        const struct row *at = row;                                            \
                                                                               \
        snprintf(cell, TABLE_CELL_SIZE, format, value);                        \
    }
NUMBER(id, "%u", at->id)
NUMBER(socket, "%u", at->node->socket)
NUMBER(size_kb, "%" PRIu64, at->node->size_kb)
NUMBER(free_kb, "%" PRIu64, at->node->free_kb)
NUMBER(low_kb, "%" PRIu64, at->node->low_free_kb)
NUMBER(reserved_kb, "%" PRIu64, at->node->reserved_kb)
NUMBER(load, "%.2f", at->node->load_mvcpu / 1000.0)
NUMBER(load_mvcpu, "%" PRIu32, at->node->load_mvcpu)
#undef NUMBER

#define MEMORY(what, kb)                                                       \
    static void node_##what(const void *row, char cell[TABLE_CELL_SIZE])       \
    {                                                                          \
        const struct row *at = row;                                            \
                                                                               \
        units_format(at->node->kb, cell, TABLE_CELL_SIZE);                     \
    }
MEMORY(size_mib, size_kb)
MEMORY(free_mib, free_kb)
MEMORY(low_mib, low_free_kb)
MEMORY(reserved_mib, reserved_kb)
#undef MEMORY

static void node_cores(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;

    if (at->node->nr_cores)
        snprintf(cell, TABLE_CELL_SIZE, "%u", at->node->nr_cores);
}

static void node_cpus(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;

    xlnuma_cpuset_format(&at->node->cpus, cell, TABLE_CELL_SIZE);
}

/* No list of CPUs is too long for a program. */
static void node_cpus_json(const void *row, yajl_gen gen)
{
    const struct row *at = row;
    char cpus[XLNUMA__LIST_SIZE];

    xlnuma__json_string(
        gen, xlnuma_cpuset_format(&at->node->cpus, cpus, sizeof(cpus)));
}

static bool is_on(const struct row *at, unsigned guest)
{
    const struct xlnuma__guest *it = &at->guests->guest[guest];

    return !xlnuma__is_dom0(it) &&
           xlnuma_nodeset_has(xlnuma__guest_is_on(it, at->host), at->id);
}

static void node_guests(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;
    unsigned nr = 0;

    for (unsigned i = 0; i < at->guests->nr; i++)
        nr += is_on(at, i);
    snprintf(cell, TABLE_CELL_SIZE, "%u", nr);
}

static void node_guests_json(const void *row, yajl_gen gen)
{
    const struct row *at = row;

    yajl_gen_array_open(gen);
    for (unsigned i = 0; i < at->guests->nr; i++)
        if (is_on(at, i))
            yajl_gen_integer(gen, at->guests->guest[i].domid);
    yajl_gen_array_close(gen);
}

static void node_devices(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;

    devices_format(at->host, at->id, cell, TABLE_CELL_SIZE);
}

static void node_devices_json(const void *row, yajl_gen gen)
{
    const struct row *at = row;
    char bdf[XLNUMA_BDF_SIZE];

    yajl_gen_array_open(gen);
    for (unsigned n = 0; n < at->host->nr_devices; n++)
        if (at->host->device[n].node == at->id)
            xlnuma__json_string(
                gen, xlnuma_bdf_format(at->host->device[n].bdf, bdf));
    yajl_gen_array_close(gen);
}

/* Two tables of text, for no terminal is wide enough for one. */
static const struct table_column columns[] = {
    { .heading = "Node", .key = "id", .is_number = true, .text = node_id },
    { .heading = "Socket",
      .key = "socket",
      .is_number = true,
      .text = node_socket },
    { .heading = "Size MiB", .is_number = true, .text = node_size_mib },
    { .heading = "Free MiB", .is_number = true, .text = node_free_mib },
    { .heading = "Low MiB", .is_number = true, .text = node_low_mib },
    { .heading = "Reserved MiB", .is_number = true, .text = node_reserved_mib },
    { .key = "size_kb", .is_number = true, .text = node_size_kb },
    { .key = "free_kb", .is_number = true, .text = node_free_kb },
    { .key = "low_free_kb", .is_number = true, .text = node_low_kb },
    { .key = "reserved_kb", .is_number = true, .text = node_reserved_kb },
    { .heading = "Load", .is_number = true, .text = node_load },
    { .key = "load_mvcpu", .is_number = true, .text = node_load_mvcpu },
    { .heading = "Guests",
      .key = "guests",
      .is_number = true,
      .text = node_guests,
      .json = node_guests_json },
    { .heading = "Cores",
      .key = "cores",
      .is_number = true,
      .text = node_cores },
    { .key = "cpus", .text = node_cpus, .json = node_cpus_json },
    { .key = "devices", .json = node_devices_json },
};
static const struct table_column cpu_columns[] = {
    { .heading = "Node", .is_number = true, .text = node_id },
    { .heading = "CPUs", .is_list = true, .text = node_cpus },
    { .heading = "PCI devices", .is_list = true, .text = node_devices },
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* --- dedicated CPUs --------------------------------------------------------- */

static void put_node_cpus(const struct row *at, const xlnuma_cpuset *cpus,
                          char cell[TABLE_CELL_SIZE])
{
    xlnuma_cpuset some = at->node->cpus;

    xlnuma_cpuset_and(&some, cpus);
    xlnuma_cpuset_format(&some, cell, TABLE_CELL_SIZE);
}

static void node_dedicated(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;

    put_node_cpus(at, &at->host->dedicated_cpus, cell);
}

static void node_dedicated_free(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;
    xlnuma_cpuset left = at->host->dedicated_cpus;

    xlnuma_cpuset_remove(&left, &at->host->dedicated_taken);
    put_node_cpus(at, &left, cell);
}

/* "db1:4-5 web:6": a list of CPUs may have commas in it. */
static void node_dedicated_taken(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct row *at = row;
    char cpus[TABLE_CELL_SIZE];
    size_t used = 0;

    for (unsigned i = 0; i < at->guests->nr && used < TABLE_CELL_SIZE; i++) {
        const struct xlnuma__guest *guest = &at->guests->guest[i];

        put_node_cpus(at, &guest->dedicated, cpus);
        if (*cpus)
            used +=
                (size_t)snprintf(cell + used, TABLE_CELL_SIZE - used, "%s%s:%s",
                                 used ? " " : "", guest->name, cpus);
    }
}

static const struct table_column dedicated_columns[] = {
    { .heading = "Node", .is_number = true, .text = node_id },
    { .heading = "Dedicated CPUs", .is_list = true, .text = node_dedicated },
    { .heading = "Free", .is_list = true, .text = node_dedicated_free },
    { .heading = "Taken by", .is_list = true, .text = node_dedicated_taken },
};

/* Only of a host that has some. */
static void dedicated_json(const struct xlnuma_host *host,
                           const struct xlnuma__guests *guests, yajl_gen gen)
{
    xlnuma_cpuset left = host->dedicated_cpus;

    if (!xlnuma_cpuset_count(&left))
        return;
    xlnuma_cpuset_remove(&left, &host->dedicated_taken);
    xlnuma__json_key_map(gen, "dedicated");
    xlnuma__json_key_cpus(gen, "cpus", &host->dedicated_cpus);
    xlnuma__json_key_cpus(gen, "free", &left);
    xlnuma__json_key_array(gen, "guests");
    for (unsigned i = 0; i < guests->nr; i++) {
        const struct xlnuma__guest *guest = &guests->guest[i];

        if (!xlnuma_cpuset_count(&guest->pool_cpus))
            continue;
        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", guest->domid);
        xlnuma__json_key_cpus(gen, "taken", &guest->dedicated);
        xlnuma__json_key_cpus(gen, "may_run_on", &guest->pool_cpus);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
    yajl_gen_map_close(gen);
}

/* --- Domain-0's vCPUs ------------------------------------------------------- */

/* Those that may run on the same CPUs. */
struct dom0_row {
    xlnuma_cpuset vcpus, cpus;
    const struct xlnuma_host *host;
};

static void dom0_vcpus(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct dom0_row *at = row;

    xlnuma_cpuset_format(&at->vcpus, cell, TABLE_CELL_SIZE);
}

static void dom0_cpus(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct dom0_row *at = row;

    xlnuma_cpuset_format(&at->cpus, cell, TABLE_CELL_SIZE);
}

static void dom0_nodes(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct dom0_row *at = row;

    xlnuma_nodeset_format(xlnuma__host_nodes_of(at->host, &at->cpus), cell,
                          TABLE_CELL_SIZE);
}

static const struct table_column dom0_columns[] = {
    { .heading = "Domain-0's vCPUs", .is_list = true, .text = dom0_vcpus },
    { .heading = "May run on CPUs", .is_list = true, .text = dom0_cpus },
    { .heading = "Nodes", .is_list = true, .text = dom0_nodes },
};

/* Returns how many rows. */
static unsigned fill_dom0_rows(const struct xlnuma__dom0_vcpus *dom0,
                               const struct xlnuma_host *host,
                               struct dom0_row row[])
{
    unsigned nr = 0;

    for (unsigned i = 0; i < dom0->nr; i++) {
        unsigned r = 0;

        while (r < nr && memcmp(&row[r].cpus, &dom0->vcpu[i].cpus,
                                sizeof(row[r].cpus)) != 0)
            r++;
        if (r == nr)
            row[nr++] =
                (struct dom0_row){ .cpus = dom0->vcpu[i].cpus, .host = host };
        xlnuma_cpuset_add(&row[r].vcpus, dom0->vcpu[i].id);
    }
    return nr;
}

/* Nothing where they are not known: of a snapshot. */
static int print_dom0(const struct xlnuma__dom0_vcpus *dom0,
                      const struct xlnuma_host *host, FILE *file, char *message)
{
    struct dom0_row *row = calloc(dom0->nr + 1, sizeof(*row));
    struct table table = { dom0_columns, NR(dom0_columns), row, sizeof(*row),
                           0 };

    if (!row)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    table.nr_rows = fill_dom0_rows(dom0, host, row);
    if (table.nr_rows) {
        putc('\n', file);
        table_print(&table, file);
    }
    free(row);
    return 0;
}

static void dom0_json(const struct xlnuma__dom0_vcpus *dom0, yajl_gen gen)
{
    if (!dom0->nr)
        return;
    xlnuma__json_key_array(gen, "dom0_vcpus");
    for (unsigned i = 0; i < dom0->nr; i++) {
        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", dom0->vcpu[i].id);
        xlnuma__json_key_cpus(gen, "may_run_on", &dom0->vcpu[i].cpus);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

/* --- the distances -------------------------------------------------------- */

/*
 * A row for each node's CPUs, a column for each node's memory, as numactl -H; in blocks,
 * each of the nodes that fit beside each other.
 */
static void print_distances(const struct xlnuma_host *host, unsigned width,
                            FILE *file)
{
    xlnuma_nodeset block, left = host->nodes;
    unsigned i, j;

    for (; left; left &= ~block) {
        block = xlnuma_nodeset_lowest(left, (width - 8) / 5);
        fputs("\nDistance", file);
        XLNUMA_FOR_EACH_NODE(j, block)
            fprintf(file, "  %3u", j);
        XLNUMA_FOR_EACH_NODE(i, host->nodes) {
            fprintf(file, "\n%8u", i);
            XLNUMA_FOR_EACH_NODE(j, block)
                fprintf(file, "  %3u", host->distance[i][j]);
        }
        putc('\n', file);
    }
}

/* What the scheduler does with a placed guest's soft affinity. */
static const char *soft_affinity_means(const char *scheduler)
{
    if (!strcmp(scheduler, "credit2"))
        return "busy vCPUs leave their soft affinity for another socket; "
               "numa_affinity=\"socket\", the default, keeps them";
    if (!strcmp(scheduler, "credit"))
        return "keeps busy vCPUs on their soft affinity";
    return "whether busy vCPUs stay on their soft affinity was not measured";
}

static void print_scheduler(const struct xlnuma_host *host, FILE *file)
{
    if (*host->scheduler)
        fprintf(file, "\nScheduler %s: %s\n", host->scheduler,
                soft_affinity_means(host->scheduler));
}

/* --- showing -------------------------------------------------------------- */

struct view {
    struct xlnuma_host *host; /* owned */
    struct xlnuma__guests guests;
    struct xlnuma__dom0_vcpus dom0;
    struct row row[XLNUMA_NODES_MAX];
    struct table table;
    bool has_cpus;
    struct host_cpus cpus; /* owned */
};

static void fill_rows(struct view *view)
{
    struct row *row = view->row;
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, view->host->nodes)
        *row++ = (struct row){ node, &view->host->node[node], view->host,
                               &view->guests };
    view->table =
        (struct table){ columns, NR(columns), view->row, sizeof(*view->row),
                        (unsigned)(row - view->row) };
}

static void print_dedicated(const struct view *view, FILE *file)
{
    struct table table = { dedicated_columns, NR(dedicated_columns), view->row,
                           sizeof(*view->row), view->table.nr_rows };

    if (!xlnuma_cpuset_count(&view->host->dedicated_cpus))
        return;
    putc('\n', file);
    table_print(&table, file);
}

static int print_text(const struct view *view, FILE *file, char *message)
{
    struct table cpus = view->table;

    if (view->has_cpus) {
        cpus = host_cpus_table(&view->cpus);
        table_print(&cpus, file);
        return 0;
    }
    table_print(&view->table, file);
    putc('\n', file);
    cpus.column = cpu_columns;
    cpus.nr_columns = NR(cpu_columns);
    table_print(&cpus, file);
    print_distances(view->host, screen_columns(), file);
    print_scheduler(view->host, file);
    print_dedicated(view, file);
    return print_dom0(&view->dom0, view->host, file, message);
}

static int print_json(const struct view *view, FILE *file, char *message)
{
    yajl_gen gen = xlnuma__json_begin("xlnuma-nodes", 2);

    if (gen) {
        if (*view->host->scheduler)
            xlnuma__json_key_string(gen, "scheduler", view->host->scheduler);
        xlnuma__json_key(gen, "nodes");
        table_json(&view->table, gen);
        xlnuma__json_key(gen, "distances");
        xlnuma__distances_generate(view->host, gen);
        dedicated_json(view->host, &view->guests, gen);
        dom0_json(&view->dom0, gen);
    }
    if (gen && view->has_cpus) {
        struct table cpus = host_cpus_table(&view->cpus);

        xlnuma__json_key(gen, "cpus");
        table_json(&cpus, gen);
    }
    return xlnuma__json_end(gen, file, message);
}

static int write_svg(const struct view *view, const char *path, char *message)
{
    struct output output;
    int rc = output_open(&output, path, message);

    if (rc)
        return rc;
    rc = draw_svg(view->host, &view->guests, output.file, message);
    return output_close(&output, !rc, message);
}

/* All that was asked for; text only when nothing else was. */
static int show(const struct view *view, const struct options *options,
                char *message)
{
    int rc = 0;

    if (options->svg)
        rc = write_svg(view, options->svg, message);
    if (!rc && options->is_drawn)
        rc = draw_text(view->host, &view->guests, !screen_has_unicode(),
                       screen_columns(), stdout, message);
    if (!rc && options->is_json)
        rc = print_json(view, stdout, message);
    if (!rc && !options->svg && !options->is_drawn && !options->is_json)
        rc = print_text(view, stdout, message);
    return rc;
}

static int run(const struct options *options, int nr, char **operand)
{
    char message[XLNUMA_MESSAGE_SIZE], warning[XLNUMA_MESSAGE_SIZE];
    struct view view = { .host = NULL };
    struct live live;
    int rc;

    if (nr)
        return usage_error("host", "host has no operand \"%s\"", operand[0]);
    if (options->is_json && options->is_drawn)
        return usage_error("host", "--draw and --json do not go together");
    if (options->is_by_cpu && (options->is_drawn || options->svg))
        return usage_error("host", "--cpus goes with neither --draw nor --svg");
    view.has_cpus = options->is_by_cpu;
    view.host = xlnuma_host_new();
    if (!view.host) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    rc = live_or_file_guests(options->host, &live, view.host, &view.guests,
                             warning);
    if (!rc && live.ctx)
        rc = xlnuma__dom0_vcpus_read(&view.dom0, live.ctx, warning);
    if (rc)
        complain("%s", warning);
    if (guests_are_there(rc, &view.guests)) {
        int failed = 0;

        /* A snapshot has the vCPUs; it knows of no pools. */
        if (view.has_cpus && live.ctx &&
            guests_look_at_vcpus(live.ctx, &view.guests))
            rc = XLNUMA_ERR_XEN;
        if (view.has_cpus)
            failed = host_cpus_read(&view.cpus, view.host, &view.guests,
                                    live.ctx, message);
        fill_rows(&view);
        if (!failed)
            failed = show(&view, options, message);
        if (failed) {
            complain("%s", message);
            rc = failed;
        }
    }
    live_close(&live);
    xlnuma__dom0_vcpus_dispose(&view.dom0);
    host_cpus_dispose(&view.cpus);
    xlnuma__guests_dispose(&view.guests);
    xlnuma_host_free(view.host);
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static const struct command_option host_options[] = {
    FLAG("cpus", 0, is_by_cpu,
         "a line for each CPU instead: core, thread, socket, node,\n"
         "cpupool, and the vCPUs that may run there alone"),
    OPTION_INPUT,
    OPTION_UNITS,
    OPTION_JSON,
    FLAG("draw", 0, is_drawn, "a picture in the terminal instead of tables"),
    OPTION("svg", 0, "FILE", svg,
           "a picture for a report into this file (\"-\": stdout)"),
    OPTIONS_END,
};

const struct command cmd_host = {
    .name = "host",
    .summary = "the nodes: CPUs, memory, load, guests and distances",
    .operands = "",
    .about = "Shows each node of the host: its socket, memory with what of it\n"
             "is free, and what of that is low (below the addresses that Xen\n"
             "keeps for DMA) or reserved by builds in flight; the vCPUs\n"
             "expected to run there, how many guests are on it, its cores,\n"
             "CPUs and PCI devices; and the distances between the nodes.\n",
    .options = host_options,
    .run = run,
};
