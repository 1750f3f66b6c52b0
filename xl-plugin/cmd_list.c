/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement list: the guests of this host and what was planned for each
 * when it was built. Domain-0 is no placed guest and is left out. Changes
 * nothing, and does not ask Xen where the memory really is.
 */
#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "core/guests.h"
#include "core/json.h"
#include "guests.h"
#include "table.h"

static void guest_name(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    snprintf(cell, TABLE_CELL_SIZE, "%s", guest->name);
}

static void guest_id(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu32, guest->domid);
}

static void guest_mib(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, guest->memory_kb / 1024);
}

static void guest_kb(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, guest->memory_kb);
}

static void guest_vcpus(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    snprintf(cell, TABLE_CELL_SIZE, "%u", guest->nr_vcpus);
}

static void guest_nodes(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    xlnuma_nodeset_format(guest->report.nodes, cell, TABLE_CELL_SIZE);
}

/* "2:2160,3:2160" */
static void guest_planned(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;
    size_t used = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        uint64_t kb = guest->report.planned_kb[node];
        int n = 0;

        if (kb)
            n = snprintf(cell + used, TABLE_CELL_SIZE - used, "%s%u:%" PRIu64,
                         used ? "," : "", node, kb / 1024);
        if (n < 0 || (size_t)n >= TABLE_CELL_SIZE - used)
            break;
        used += (size_t)n;
    }
}

/* What is known of each node that was planned or got memory. */
static void guest_nodes_json(const void *row, yajl_gen gen)
{
    const struct xlnuma__guest *guest = row;
    const struct xlnuma__report *report = &guest->report;

    yajl_gen_array_open(gen);
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        if (!xlnuma_nodeset_has(report->nodes, node) &&
            !report->planned_kb[node] && !report->actual_kb[node])
            continue;
        yajl_gen_map_open(gen);
        xlnuma__json_key_kb(gen, "id", node);
        xlnuma__json_key_kb(gen, "planned_kb", report->planned_kb[node]);
        if (report->has_actual)
            xlnuma__json_key_kb(gen, "actual_kb", report->actual_kb[node]);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

/* In how large pieces its memory came: pages, 2 MiB, 1 GiB. */
static void guest_extents_json(const void *row, yajl_gen gen)
{
    static const unsigned orders[] = { 0, 9, 18 };
    const struct xlnuma__guest *guest = row;

    if (!guest->report.has_actual) {
        yajl_gen_null(gen);
        return;
    }
    yajl_gen_map_open(gen);
    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        char key[4];

        snprintf(key, sizeof(key), "%u", orders[i]);
        xlnuma__json_key_kb(gen, key, guest->report.nr_extents[orders[i]]);
    }
    yajl_gen_map_close(gen);
}

static void guest_distance(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    if (guest->report.expected_distance > 0)
        snprintf(cell, TABLE_CELL_SIZE, "%.2f",
                 guest->report.expected_distance);
}

#define REPORT_TEXT(field)                                                     \
    static void guest_##field(const void *row, char cell[TABLE_CELL_SIZE])     \
    {                                                                          \
        const struct xlnuma__guest *guest = row;                               \
                                                                               \
        snprintf(cell, TABLE_CELL_SIZE, "%s", guest->report.field);            \
    }
REPORT_TEXT(policy)
REPORT_TEXT(memory)
REPORT_TEXT(status)
REPORT_TEXT(soft_cpus)
REPORT_TEXT(reason)

static const struct table_column columns[] = {
    { "Name", "name", false, guest_name, NULL },
    { "ID", "id", true, guest_id, NULL },
    { "Memory MiB", NULL, true, guest_mib, NULL },
    { NULL, "memory_kb", true, guest_kb, NULL },
    { "vCPUs", "vcpus", true, guest_vcpus, NULL },
    { "Nodes", "nodes", false, guest_nodes, guest_nodes_json },
    { NULL, "extents", false, NULL, guest_extents_json },
    { "Planned MiB", NULL, false, guest_planned, NULL },
    { "Distance", "expected_distance", true, guest_distance, NULL },
    { "Policy", "policy", false, guest_policy, NULL },
    { NULL, "memory", false, guest_memory, NULL },
    { "Status", "status", false, guest_status, NULL },
    { NULL, "soft_cpus", false, guest_soft_cpus, NULL },
    { NULL, "reason", false, guest_reason, NULL },
};

static int show_json(const struct table *table)
{
    char message[XLNUMA_MESSAGE_SIZE];
    yajl_gen gen = xlnuma__json_new();
    int rc;

    if (!gen) {
        complain("out of memory");
        return XLNUMA_ERR_NOMEM;
    }
    yajl_gen_map_open(gen);
    xlnuma__json_key_string(gen, "format", "xlnuma-guests");
    xlnuma__json_key_kb(gen, "version", 1);
    xlnuma__json_key(gen, "guests");
    table_json(table, gen);
    yajl_gen_map_close(gen);
    rc = xlnuma__json_finish(gen, stdout, message);
    yajl_gen_free(gen);
    if (rc)
        complain("%s", message);
    return rc;
}

static int show(const struct xlnuma__guests *guests, bool is_json)
{
    struct table table = { columns, sizeof(columns) / sizeof(*columns),
                           guests->guest, sizeof(*guests->guest), guests->nr };

    if (is_json)
        return show_json(&table);
    table_print(&table, stdout);
    return 0;
}

static int run(const struct options *options, int nr, char **operand)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__guests guests;
    struct live live;
    int rc;

    if (nr)
        return usage_error("list", "list has no operand \"%s\"", operand[0]);
    rc = live_or_file_guests(options->host, &live, NULL, &guests, message);
    if (rc)
        complain("%s", message);
    if ((!rc || guests.nr) && show(&guests, options->is_json))
        rc = XLNUMA_ERR_IO;
    xlnuma__guests_dispose(&guests);
    live_close(&live);
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static const struct command_option list_options[] = {
    OPTION_HOST,
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_list = {
    .name = "list",
    .summary = "the guests and their placement (what is done without one)",
    .operands = "",
    .about =
        "Lists the guests of this host with the nodes that were planned for\n"
        "each when it was built, its planned memory on each node (NODE:MIB),\n"
        "expected distance (10 is all local), policy and status; \"-\" is not\n"
        "known, as for a guest that was built without xl-numa.\n",
    .options = list_options,
    .run = run,
};
