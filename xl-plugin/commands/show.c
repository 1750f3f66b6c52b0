/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement show: everything that is known of guests. Changes
 * nothing, and does not ask Xen where the memory is now.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "formats/json.h"
#include "model/request.h"
#include "view/guest_table.h"
#include "view/table.h"
#include "view/units.h"
#include "xen/vcpus.h"

#define SECONDS_MAX 3600

struct job {
    const struct options *options;
    unsigned seconds;
    struct live live;
    struct xlnuma__guests guests;
    struct xlnuma__guest *guest;
    char message[XLNUMA_MESSAGE_SIZE];
};

/* Where its vCPUs are meant to run: the plan's nodes, or those Xen prefers. */
static xlnuma_nodeset nodes_of(const struct xlnuma__guest *guest)
{
    return guest->report.nodes ? guest->report.nodes : guest->affinity;
}

/* --- memory by node ------------------------------------------------------- */

struct node_row {
    const struct xlnuma__report *report;
    unsigned node;
};

static void node_id(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%u", row->node);
}

static void node_planned(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *row = data;

    if (*row->report->policy)
        units_format(row->report->planned_kb[row->node], cell, TABLE_CELL_SIZE);
}

static void node_built(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *row = data;

    if (row->report->has_actual)
        units_format(row->report->actual_kb[row->node], cell, TABLE_CELL_SIZE);
}

static const struct table_column node_columns[] = {
    { .heading = "Node", .text = node_id, .is_number = true },
    { .heading = "Planned MiB", .text = node_planned, .is_number = true },
    { .heading = "Built MiB", .text = node_built, .is_number = true },
};

static void print_nodes(const struct xlnuma__report *report)
{
    struct node_row row[XLNUMA_NODES_MAX];
    struct table table = { node_columns,
                           sizeof(node_columns) / sizeof(*node_columns), row,
                           sizeof(*row), 0 };
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, xlnuma__report_nodes(report))
        row[table.nr_rows++] = (struct node_row){ report, node };
    if (!table.nr_rows)
        return;
    putchar('\n');
    table_print(&table, stdout);
}

/* --- the nodes that it sees ----------------------------------------------- */

struct vnode_row {
    const struct xlnuma__vnode_report *vnode;
    unsigned n;
};

static const struct xlnuma__vnode_report *vnode_of(const void *data)
{
    return ((const struct vnode_row *)data)->vnode;
}

static void vnode_id(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vnode_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%u", row->n);
}

static void vnode_node(const void *data, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%u", vnode_of(data)->node);
}

static void vnode_planned(const void *data, char cell[TABLE_CELL_SIZE])
{
    units_format(vnode_of(data)->planned_kb, cell, TABLE_CELL_SIZE);
}

static void vnode_built(const void *data, char cell[TABLE_CELL_SIZE])
{
    units_format(vnode_of(data)->actual_kb, cell, TABLE_CELL_SIZE);
}

static void vnode_vcpus(const void *data, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s", vnode_of(data)->text.vcpus);
}

static void vnode_ranges(const void *data, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%s", vnode_of(data)->text.ranges);
}

static const struct table_column vnode_columns[] = {
    { .heading = "Guest node", .text = vnode_id, .is_number = true },
    { .heading = "Node", .text = vnode_node, .is_number = true },
    { .heading = "Planned MiB", .text = vnode_planned, .is_number = true },
    { .heading = "Built MiB", .text = vnode_built, .is_number = true },
    { .heading = "vCPUs", .text = vnode_vcpus, .is_list = true },
    { .heading = "Addresses", .text = vnode_ranges, .is_list = true },
};

static void print_vnodes(const struct xlnuma__report *report)
{
    struct vnode_row row[XLNUMA_GUEST_NODES_MAX];
    struct table table = { vnode_columns,
                           sizeof(vnode_columns) / sizeof(*vnode_columns), row,
                           sizeof(*row), 0 };

    for (unsigned n = 0; n < report->nr_vnodes; n++)
        row[table.nr_rows++] = (struct vnode_row){ &report->vnode[n], n };
    if (!table.nr_rows)
        return;
    putchar('\n');
    table_print(&table, stdout);
}

/* --- vCPUs ---------------------------------------------------------------- */

struct vcpu_row {
    const struct xlnuma__vcpu *vcpu;
    unsigned id;
};

static void vcpu_id(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%u", row->id);
}

static void vcpu_state(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%s",
             xlnuma__vcpu_states[row->vcpu->state]);
}

static void vcpu_cpu(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    if (row->vcpu->state != XLNUMA__VCPU_OFFLINE)
        snprintf(cell, TABLE_CELL_SIZE, "%" PRIu32, row->vcpu->cpu);
}

static void vcpu_node(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    if (row->vcpu->state != XLNUMA__VCPU_OFFLINE && row->vcpu->node >= 0)
        snprintf(cell, TABLE_CELL_SIZE, "%d", row->vcpu->node);
}

static void vcpu_hard(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%s", row->vcpu->hard);
}

static void vcpu_soft(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%s", row->vcpu->soft);
}

static void vcpu_time(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%.1f", (double)row->vcpu->time_ns / 1e9);
}

static void vcpu_time_ns(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, row->vcpu->time_ns);
}

static void vcpu_ran_ns(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, row->vcpu->ran_ns);
}

static void vcpu_off_ns(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64, row->vcpu->off_ns);
}

static void vcpu_off(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct vcpu_row *row = data;

    if (row->vcpu->ran_ns)
        snprintf(cell, TABLE_CELL_SIZE, "%.1f",
                 100.0 * (double)row->vcpu->off_ns / (double)row->vcpu->ran_ns);
}

static const struct table_column vcpu_columns[] = {
    { .heading = "vCPU", .key = "id", .text = vcpu_id, .is_number = true },
    { .heading = "State", .key = "state", .text = vcpu_state },
    { .heading = "CPU", .key = "cpu", .text = vcpu_cpu, .is_number = true },
    { .heading = "Node", .key = "node", .text = vcpu_node, .is_number = true },
    { .heading = "Hard affinity",
      .key = "hard_cpus",
      .text = vcpu_hard,
      .is_list = true },
    { .heading = "Soft affinity",
      .key = "soft_cpus",
      .text = vcpu_soft,
      .is_list = true },
    { .heading = "Time s", .text = vcpu_time, .is_number = true },
    { .key = "time_ns", .text = vcpu_time_ns, .is_number = true },
    { .key = "ran_ns", .text = vcpu_ran_ns, .is_number = true },
    { .key = "off_nodes_ns", .text = vcpu_off_ns, .is_number = true },
    { .heading = "Off nodes %", .text = vcpu_off, .is_number = true },
};

/* Returns the table, its rows to be freed; without rows when out of memory. */
static struct table vcpu_table(const struct xlnuma__vcpus *vcpus)
{
    struct vcpu_row *row = calloc(vcpus->nr + 1, sizeof(*row));
    struct table table = { vcpu_columns,
                           sizeof(vcpu_columns) / sizeof(*vcpu_columns), row,
                           sizeof(*row), 0 };

    for (unsigned i = 0; row && i < vcpus->nr; i++)
        row[table.nr_rows++] =
            (struct vcpu_row){ .vcpu = &vcpus->vcpu[i], .id = i };
    return table;
}

static int print_vcpus(struct job *job)
{
    const struct xlnuma__vcpus *vcpus = &job->guest->vcpus;
    struct table table = vcpu_table(vcpus);

    if (!table.row)
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    printf("\nvCPUs, looked at %u time%s in %.1f s:\n", vcpus->nr_looks,
           xlnuma__plural(vcpus->nr_looks), (double)vcpus->looked_ns / 1e9);
    table_print(&table, stdout);
    free((void *)table.row);
    return 0;
}

/* --- the guest ------------------------------------------------------------ */

/* "policy:            " and the rest of the line; nothing that breaks it. */
static void __attribute__((format(printf, 2, 3)))
print_fact(const char *what, const char *format, ...)
{
    char text[TABLE_CELL_SIZE], label[32];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    snprintf(label, sizeof(label), "%s:", what);
    printf("%-18s %s\n", label, *text ? text : "-");
}

/* "4 of 1 GiB, 102 of 2 MiB, 17 pages": the largest first */
static void print_extents(const struct xlnuma__report *report)
{
    char text[512] = "";

    for (unsigned order = XLNUMA__ORDERS; report->has_actual && order--;) {
        uint64_t nr = report->nr_extents[order], kb = (uint64_t)4 << order;
        size_t used = strlen(text);

        if (nr)
            snprintf(text + used, sizeof(text) - used,
                     "%s%" PRIu64 " of %" PRIu64 " %s", used ? ", " : "", nr,
                     kb >= 1048576 ? kb / 1048576
                     : kb >= 1024  ? kb / 1024
                                   : kb,
                     kb >= 1048576 ? "GiB"
                     : kb >= 1024  ? "MiB"
                                   : "KiB");
    }
    print_fact("extents", "%s", text);
}

static void print_off_plan(const struct xlnuma__guest *guest)
{
    uint64_t off_kb, all_kb;
    char amount[32];

    if (xlnuma__guest_off_plan_kb(guest, &off_kb, &all_kb) && all_kb)
        print_fact("off plan", "%.1f %% (%s %s)",
                   100.0 * (double)off_kb / (double)all_kb,
                   units_format(off_kb, amount, sizeof(amount)), units_name());
    else
        print_fact("off plan", "%s", "");
}

static void print_guest(const struct xlnuma__guest *guest)
{
    const struct xlnuma__report *report = &guest->report;
    char nodes[256], amount[32];

    print_fact("guest", "%s", guest->name);
    print_fact("id", "%" PRIu32, guest->domid);
    print_fact("memory", "%s %s",
               units_format(guest->memory_kb, amount, sizeof(amount)),
               units_name());
    print_fact("vCPUs", "%u", guest->nr_vcpus);
    print_fact("status", "%s",
               guest->has_report        ? report->status
               : xlnuma__is_dom0(guest) ? "not placed: Xen builds it"
                                        : "not known: built without xl-numa");
    print_fact("policy", "%s%s%s", report->policy,
               *report->memory ? ", memory " : "", report->memory);
    print_fact("nodes", "%s",
               xlnuma_nodeset_format(report->nodes, nodes, sizeof(nodes)));
    print_fact("node affinity", "%s",
               xlnuma_nodeset_format(guest->affinity, nodes, sizeof(nodes)));
    if (report->expected_distance > 0)
        print_fact("expected distance", "%.2f", report->expected_distance);
    else
        print_fact("expected distance", "%s", "");
    print_off_plan(guest);
    print_fact("soft CPUs", "%s", report->soft_cpus);
    print_fact("hard CPUs", "%s", report->hard_cpus);
    if (*report->cpus)
        print_fact("dedicated CPUs", "%s", report->cpus);
    if (*report->emulator_vcpus)
        print_fact("emulator vCPUs", "%s", report->emulator_vcpus);
    print_extents(report);
    if (report->nr_vnodes)
        print_fact("guest nodes", "%u", report->nr_vnodes);
    else if (*report->vnodes_reason)
        print_fact("guest nodes", "off: %s", report->vnodes_reason);
    print_fact("reason", "%s", report->reason);
    print_nodes(report);
    print_vnodes(report);
}

static int show_text(struct job *job)
{
    print_guest(job->guest);
    return job->guest->vcpus.nr ? print_vcpus(job) : 0;
}

/* What is known of vCPUs, into the guest's object. */
static int write_vcpus(const struct xlnuma__guest *guest, yajl_gen gen,
                       char *message)
{
    const struct xlnuma__vcpus *vcpus = &guest->vcpus;
    struct table table;

    if (!vcpus->nr)
        return 0;
    table = vcpu_table(vcpus);
    if (!table.row)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    xlnuma__json_key_number(gen, "looks", vcpus->nr_looks);
    xlnuma__json_key_number(gen, "looked_ns", vcpus->looked_ns);
    xlnuma__json_key(gen, "vcpu");
    table_json(&table, gen);
    free((void *)table.row);
    return 0;
}

/* One guest that was asked for is an object of its own, others are an array. */
static int show_json(struct job *job, bool is_one)
{
    yajl_gen gen =
        xlnuma__json_begin(is_one ? "xlnuma-guest" : "xlnuma-guests", 1);
    int rc = 0;

    if (gen && is_one) {
        xlnuma__json_key(gen, "guest");
        rc = guest_table_json_object(job->guests.guest, write_vcpus, gen,
                                     job->message);
    } else if (gen) {
        rc = guest_table_json(&job->guests, write_vcpus, gen, job->message);
    }
    if (rc) {
        yajl_gen_free(gen);
        return rc;
    }
    return xlnuma__json_end(gen, stdout, job->message);
}

static int show_all_text(struct job *job)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < job->guests.nr; i++) {
        job->guest = &job->guests.guest[i];
        if (i)
            putchar('\n');
        rc = show_text(job);
    }
    return rc;
}

/*
 * Where the vCPUs of a running host's guests are, one guest after the other, which takes
 * a while: one that is gone by then has none.
 */
static int look_at_vcpus(struct job *job)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < job->guests.nr; i++) {
        struct xlnuma__guest *guest = &job->guests.guest[i];

        rc =
            xlnuma__vcpus_from_xen(&guest->vcpus, job->live.ctx, guest->domid,
                                   nodes_of(guest), job->seconds, job->message);
        if (rc && guest_is_gone(job->live.ctx, guest)) {
            xlnuma__vcpus_dispose(&guest->vcpus);
            rc = 0;
        }
    }
    return rc;
}

static int do_job(struct job *job, int nr, char **operand)
{
    int rc = live_or_file_guests(job->options->host, &job->live, NULL,
                                 &job->guests, job->message);

    if (rc && guests_are_there(rc, &job->guests)) {
        /* it may be another's report that cannot be read */
        complain("%s", job->message);
        rc = 0;
    }
    if (!rc)
        rc = guests_choose(&job->guests, nr, operand, job->message);
    if (!rc && !job->options->host)
        rc = look_at_vcpus(job);
    if (!rc)
        rc = job->options->is_json ? show_json(job, nr == 1)
                                   : show_all_text(job);
    if (rc)
        complain("%s", job->message);
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static int run(const struct options *options, int nr, char **operand)
{
    const char *seconds = options->seconds ? options->seconds : "1";
    struct job job = { .options = options };
    int status;

    if (!*seconds || seconds[strspn(seconds, "0123456789")] ||
        strlen(seconds) > 4 || strtoul(seconds, NULL, 10) > SECONDS_MAX)
        return usage_error("show", "--seconds is \"%s\", not 0 to %d", seconds,
                           SECONDS_MAX);
    job.seconds = (unsigned)strtoul(seconds, NULL, 10);
    status = do_job(&job, nr, operand);
    xlnuma__guests_dispose(&job.guests);
    live_close(&job.live);
    return status;
}

static const struct command_option show_options[] = {
    OPTION("seconds", 0, "N", seconds,
           "watch for N seconds where the vCPUs run (default: 1)"),
    OPTION_INPUT,
    OPTION_UNITS,
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_show = {
    .name = "show",
    .summary = "everything about guests",
    .operands = "[DOMAIN]...",
    .about =
        "Shows what is known of these guests (names or ids) or of all: what "
        "was\n"
        "planned and why, its memory on each node and its extents as\n"
        "built, and of each vCPU the affinities, where it is, its time so\n"
        "far, and the share of its time off the guest's nodes while it\n"
        "was looked at. Xen keeps no count of the latter; so the vCPUs\n"
        "are looked at for a while.\n",
    .options = show_options,
    .run = run,
};
