/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests as lines of text and as JSON objects. No I/O but the output. */
#include "view/guest_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/json.h"
#include "formats/parts.h"
#include "model/message.h"
#include "view/table.h"
#include "view/units.h"

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

static void guest_uuid(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    snprintf(cell, TABLE_CELL_SIZE, "%s", guest->uuid);
}

static void guest_mib(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    units_format(guest->memory_kb, cell, TABLE_CELL_SIZE);
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

/* Its nodes; of a guest that we did not place those that Xen prefers: "(0-3)". */
static void guest_nodes(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;
    char affinity[256];

    if (guest->report.nodes || !guest->affinity)
        xlnuma_nodeset_format(guest->report.nodes, cell, TABLE_CELL_SIZE);
    else
        snprintf(
            cell, TABLE_CELL_SIZE, "(%s)",
            xlnuma_nodeset_format(guest->affinity, affinity, sizeof(affinity)));
}

static void guest_node_list(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    xlnuma_nodeset_format(guest->report.nodes, cell, TABLE_CELL_SIZE);
}

static void guest_affinity(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;

    xlnuma_nodeset_format(guest->affinity, cell, TABLE_CELL_SIZE);
}

/* As built, or else as planned: "2:2160,3:2160" */
static void guest_memory_of_nodes(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma__guest *guest = row;
    size_t used = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        uint64_t kb = xlnuma__guest_node_kb(guest, node);
        char amount[32];
        int n = 0;

        if (kb)
            n = snprintf(cell + used, TABLE_CELL_SIZE - used, "%s%u:%s",
                         used ? "," : "", node,
                         units_format(kb, amount, sizeof(amount)));
        if (n < 0 || (size_t)n >= TABLE_CELL_SIZE - used)
            break;
        used += (size_t)n;
    }
}

static void guest_nodes_json(const void *row, yajl_gen gen)
{
    const struct xlnuma__guest *guest = row;

    xlnuma__report_nodes_generate(&guest->report, gen);
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
        xlnuma__json_key_number(gen, key, guest->report.nr_extents[orders[i]]);
    }
    yajl_gen_map_close(gen);
}

static void guest_off_percent(const void *row, char cell[TABLE_CELL_SIZE])
{
    uint64_t off_kb, all_kb;

    if (xlnuma__guest_off_plan_kb(row, &off_kb, &all_kb) && all_kb)
        snprintf(cell, TABLE_CELL_SIZE, "%.1f",
                 100.0 * (double)off_kb / (double)all_kb);
}

static void guest_off_kb(const void *row, char cell[TABLE_CELL_SIZE])
{
    uint64_t off_kb, all_kb;

    if (xlnuma__guest_off_plan_kb(row, &off_kb, &all_kb))
        snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, off_kb);
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
REPORT_TEXT(hard_cpus)
REPORT_TEXT(emulator_vcpus)
REPORT_TEXT(reason)
REPORT_TEXT(vnodes_reason)

/* The CPU that each vCPU has alone; null: they are shared. */
static void guest_cpus_json(const void *row, yajl_gen gen)
{
    const struct xlnuma__guest *guest = row;

    if (*guest->report.cpus)
        xlnuma__report_cpus_generate(&guest->report, gen);
    else
        yajl_gen_null(gen);
}

/* The nodes that it sees; null: one. */
static void guest_vnodes_json(const void *row, yajl_gen gen)
{
    const struct xlnuma__guest *guest = row;

    if (guest->report.nr_vnodes)
        xlnuma__report_vnodes_generate(&guest->report, gen);
    else
        yajl_gen_null(gen);
}

#define KEY(name, cell)                                                        \
    {                                                                          \
        .key = name, .text = cell                                              \
    }
#define KEY_NUMBER(name, cell)                                                 \
    {                                                                          \
        .key = name, .text = cell, .is_number = true                           \
    }
#define NUMBER(called, title, json_key, cell)                                  \
    {                                                                          \
        .name = called, .heading = title, .key = json_key, .text = cell,       \
        .is_number = true                                                      \
    }
#define TEXT(called, title, json_key, cell)                                    \
    {                                                                          \
        .name = called, .heading = title, .key = json_key, .text = cell        \
    }
#define EXTRA(called, title, json_key, cell)                                   \
    {                                                                          \
        .name = called, .heading = title, .key = json_key, .text = cell,       \
        .is_list = true, .is_extra = true                                      \
    }

static const struct table_column columns[] = {
    { .name = "name",
      .heading = "Name",
      .key = "name",
      .text = guest_name,
      .is_name = true },
    NUMBER("id", "ID", "id", guest_id),
    EXTRA("uuid", "UUID", "uuid", guest_uuid),
    NUMBER("mib", "MiB", NULL, guest_mib),
    KEY_NUMBER("memory_kb", guest_kb),
    NUMBER("vcpus", "vCPUs", "vcpus", guest_vcpus),
    { .name = "nodes",
      .heading = "Nodes",
      .key = "nodes",
      .text = guest_nodes,
      .json = guest_nodes_json,
      .is_list = true },
    KEY("node_list", guest_node_list),
    EXTRA("affinity", "Node affinity", "node_affinity", guest_affinity),
    { .key = "extents", .json = guest_extents_json },
    { .name = "memory",
      .heading = "MiB/node",
      .text = guest_memory_of_nodes,
      .is_list = true },
    NUMBER("off", "Off %", NULL, guest_off_percent),
    KEY_NUMBER("off_plan_kb", guest_off_kb),
    NUMBER("distance", "Dist", "expected_distance", guest_distance),
    TEXT("policy", "Policy", "policy", guest_policy),
    KEY("memory", guest_memory),
    TEXT("status", "Status", "status", guest_status),
    EXTRA("soft_cpus", "Soft CPUs", "soft_cpus", guest_soft_cpus),
    EXTRA("hard_cpus", "Hard CPUs", "hard_cpus", guest_hard_cpus),
    { .key = "cpus", .json = guest_cpus_json },
    KEY("emulator_vcpus", guest_emulator_vcpus),
    { .name = "reason",
      .heading = "Reason",
      .key = "reason",
      .text = guest_reason,
      .is_extra = true },
    { .key = "guest_nodes", .json = guest_vnodes_json },
    KEY("guest_nodes_reason", guest_vnodes_reason),
};

#define NR_COLUMNS (sizeof(columns) / sizeof(*columns))

static struct table table_of(const struct xlnuma__guests *guests)
{
    return (struct table){ columns, NR_COLUMNS, guests->guest,
                           sizeof(*guests->guest), guests->nr };
}

void guest_table_print(const struct xlnuma__guests *guests, FILE *file)
{
    struct table table = table_of(guests);

    table_print(&table, file);
}

/* The column of a name of this length, or NULL. */
static const struct table_column *find_column(const char *name, size_t length)
{
    for (size_t i = 0; i < NR_COLUMNS; i++)
        if (columns[i].name && strlen(columns[i].name) == length &&
            !memcmp(columns[i].name, name, length))
            return &columns[i];
    return NULL;
}

const char *guest_table_names(void)
{
    static char names[256];

    *names = '\0';
    for (size_t i = 0; i < NR_COLUMNS; i++)
        if (columns[i].name)
            snprintf(names + strlen(names), sizeof(names) - strlen(names),
                     "%s%s", *names ? ", " : "", columns[i].name);
    return names;
}

int guest_table_print_columns(const struct xlnuma__guests *guests,
                              const char *names, bool has_no_heading,
                              FILE *file, char *message)
{
    struct table_column chosen[NR_COLUMNS];
    struct table table = table_of(guests);

    for (unsigned nr = 0; names; names += strcspn(names, ",")) {
        size_t length;
        const struct table_column *column;

        names += *names == ',';
        length = strcspn(names, ",");
        column = find_column(names, length);
        if (!column || nr == NR_COLUMNS)
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "there is no column \"%.*s\"; there are %s",
                                (int)(length < 64 ? length : 64), names,
                                guest_table_names());
        chosen[nr] = *column;
        chosen[nr++].is_extra = false;
        table.column = chosen;
        table.nr_columns = nr;
        if (!names[length])
            break;
    }
    if (has_no_heading)
        table_print_rows(&table, file);
    else
        table_print(&table, file);
    return 0;
}

int guest_table_json_object(const struct xlnuma__guest *guest,
                            guest_table_more *more, yajl_gen gen, char *message)
{
    int rc = 0;

    yajl_gen_map_open(gen);
    table_json_row(columns, NR_COLUMNS, guest, gen);
    if (more)
        rc = more(guest, gen, message);
    yajl_gen_map_close(gen);
    return rc;
}

int guest_table_json(const struct xlnuma__guests *guests,
                     guest_table_more *more, yajl_gen gen, char *message)
{
    const struct xlnuma__guest *dom0 = NULL;
    int rc = 0;

    xlnuma__json_key_array(gen, "guests");
    for (unsigned i = 0; !rc && i < guests->nr; i++)
        if (xlnuma__is_dom0(&guests->guest[i]))
            dom0 = &guests->guest[i];
        else
            rc = guest_table_json_object(&guests->guest[i], more, gen, message);
    yajl_gen_array_close(gen);
    if (rc || !dom0)
        return rc;
    xlnuma__json_key(gen, XLNUMA__DOM0_KEY);
    return guest_table_json_object(dom0, more, gen, message);
}
