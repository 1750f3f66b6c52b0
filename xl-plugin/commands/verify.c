/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement verify: the memory that each guest's build reported on each
 * node beside Xen's own count. Changes no guest, but has Xen walk all memory, and
 * keeps what it counted of Domain-0.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "commands/tables.h"
#include "commands/walk.h"
#include "formats/dump.h"
#include "formats/json.h"
#include "view/table.h"
#include "view/units.h"
#include "xen/dump.h"
#include "xen/report.h"

#define TOLERANCE_PAGES 4096

enum verdict {
    VERDICT_SAME,
    VERDICT_DIFFERS,
    VERDICT_RESIZED,    /* as its status says: there is no telling */
    VERDICT_UNREPORTED, /* nothing to compare with */
    VERDICT_UNCOUNTED,  /* not in Xen's dump */
};

static const char *const verdict_names[] = {
    [VERDICT_SAME] = "same",           [VERDICT_DIFFERS] = "differs",
    [VERDICT_RESIZED] = "resized",     [VERDICT_UNREPORTED] = "unreported",
    [VERDICT_UNCOUNTED] = "uncounted",
};

/* The nodes that a guest sees, by its ACPI tables. */
enum tables {
    TABLES_NONE, /* it is not known to see several */
    TABLES_SAME,
    TABLES_DIFFER,
};

static const char *const tables_names[] = {
    [TABLES_NONE] = "",
    [TABLES_SAME] = "same",
    [TABLES_DIFFER] = "differ",
};

/* A guest that is looked at. */
struct subject {
    const struct xlnuma__guest *guest;
    const struct xlnuma__dump_domain *counted; /* NULL: not in the dump */
    uint64_t video_kb;                         /* counted, but never reported */
    uint64_t pages_apart[XLNUMA_NODES_MAX];    /* that aside */
    enum verdict verdict;
    enum tables tables;
    char why[XLNUMA_MESSAGE_SIZE]; /* these differ */
};

struct job {
    const struct options *options;
    struct live live;
    struct xlnuma__guests guests;
    struct xlnuma__dump dump;
    struct subject *subject; /* owned */
    unsigned nr_subjects;
    uint64_t dump_ns;
    char message[XLNUMA_MESSAGE_SIZE];
};

/*
 * How many pages more or less than reported are on each node. Xen says nothing of
 * where the video memory is; so what is more may be that, as far as it goes.
 */
static void compare(struct subject *subject)
{
    uint64_t video = subject->video_kb / PAGE_KB;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        uint64_t reported = subject->guest->report.actual_kb[node] / PAGE_KB;
        uint64_t counted = subject->counted->pages[node];
        uint64_t more = counted > reported ? counted - reported : 0;
        uint64_t is_video = more < video ? more : video;

        video -= is_video;
        subject->pages_apart[node] =
            reported > counted ? reported - counted : more - is_video;
    }
}

static enum verdict judge(struct subject *subject)
{
    if (!subject->counted)
        return VERDICT_UNCOUNTED;
    if (!subject->guest->report.has_actual)
        return VERDICT_UNREPORTED;
    compare(subject);
    if (xlnuma__guest_is_resized(subject->guest))
        return VERDICT_RESIZED;
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        if (subject->pages_apart[node] > TOLERANCE_PAGES)
            return VERDICT_DIFFERS;
    return VERDICT_SAME;
}

/* Has it memory there, by the report or by Xen? */
static bool is_on(const struct subject *subject, unsigned node)
{
    return subject->guest->report.actual_kb[node] ||
           (subject->counted && subject->counted->pages[node]);
}

/* Memory that Xen keeps for it on no node that it tells. */
static uint64_t unlisted_kb(const struct subject *subject)
{
    const struct xlnuma__dump_domain *counted = subject->counted;

    return counted && counted->total_pages > counted->listed_pages
               ? (counted->total_pages - counted->listed_pages) * PAGE_KB
               : 0;
}

/* --- text ----------------------------------------------------------------- */

/* A guest's memory on a node. */
struct row {
    const struct subject *subject;
    int node; /* -1: on none that Xen tells */
};

static void row_name(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%s", row->subject->guest->name);
}

static void row_id(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu32, row->subject->guest->domid);
}

static void row_node(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;

    if (row->node >= 0)
        snprintf(cell, TABLE_CELL_SIZE, "%d", row->node);
}

static void row_reported(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;
    const struct xlnuma__report *report = &row->subject->guest->report;

    if (row->node >= 0 && report->has_actual)
        units_format(report->actual_kb[row->node], cell, TABLE_CELL_SIZE);
}

static void row_counted(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;
    const struct subject *subject = row->subject;

    if (subject->counted)
        units_format(row->node >= 0
                         ? subject->counted->pages[row->node] * PAGE_KB
                         : unlisted_kb(subject),
                     cell, TABLE_CELL_SIZE);
}

static void row_apart(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;

    if (row->node >= 0 && row->subject->counted &&
        row->subject->guest->report.has_actual)
        snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64,
                 row->subject->pages_apart[row->node]);
}

static void row_verdict(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%s", verdict_names[row->subject->verdict]);
}

static void row_tables(const void *data, char cell[TABLE_CELL_SIZE])
{
    const struct row *row = data;

    snprintf(cell, TABLE_CELL_SIZE, "%s", tables_names[row->subject->tables]);
}

/* The last one where a guest sees several nodes. */
static const struct table_column columns[] = {
    { .heading = "Name", .text = row_name, .is_name = true },
    { .heading = "ID", .text = row_id, .is_number = true },
    { .heading = "Node", .text = row_node, .is_number = true },
    { .heading = "Reported MiB", .text = row_reported, .is_number = true },
    { .heading = "Counted MiB", .text = row_counted, .is_number = true },
    { .heading = "Pages apart", .text = row_apart, .is_number = true },
    { .heading = "Verdict", .text = row_verdict },
    { .heading = "Tables", .text = row_tables },
};

/* A row for each node with memory of it; one without, if there is none. */
static unsigned add_rows(const struct subject *subject, struct row *row)
{
    unsigned nr = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        if (is_on(subject, node))
            row[nr++] = (struct row){ subject, (int)node };
    if (!nr || unlisted_kb(subject))
        row[nr++] = (struct row){ subject, -1 };
    return nr;
}

static int show_text(struct job *job)
{
    struct table table = { columns, sizeof(columns) / sizeof(*columns) - 1,
                           NULL, sizeof(struct row), 0 };
    bool has_tables = false;
    struct row *row = reallocarray(NULL, job->nr_subjects + 1,
                                   (XLNUMA_NODES_MAX + 1) * sizeof(struct row));

    if (!row)
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    for (unsigned i = 0; i < job->nr_subjects; i++) {
        table.nr_rows += add_rows(&job->subject[i], row + table.nr_rows);
        has_tables |= job->subject[i].tables != TABLES_NONE;
    }
    table.row = row;
    table.nr_columns += has_tables;
    table_print(&table, stdout);
    free(row);
    return 0;
}

/* --- JSON ----------------------------------------------------------------- */

static void write_number(yajl_gen gen, const char *key, bool is_known,
                         uint64_t number)
{
    if (is_known) {
        xlnuma__json_key_number(gen, key, number);
    } else {
        xlnuma__json_key(gen, key);
        yajl_gen_null(gen);
    }
}

/* null when it is empty. */
static void write_text(yajl_gen gen, const char *key, const char *text)
{
    if (*text) {
        xlnuma__json_key_string(gen, key, text);
    } else {
        xlnuma__json_key(gen, key);
        yajl_gen_null(gen);
    }
}

static void write_nodes(yajl_gen gen, const struct subject *subject)
{
    const struct xlnuma__report *report = &subject->guest->report;
    bool is_both = subject->counted && report->has_actual;

    yajl_gen_array_open(gen);
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        if (!is_on(subject, node))
            continue;
        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", node);
        write_number(gen, "reported_kb", report->has_actual,
                     report->actual_kb[node]);
        write_number(gen, "counted_kb", subject->counted,
                     subject->counted ? subject->counted->pages[node] * PAGE_KB
                                      : 0);
        write_number(gen, "pages_apart", is_both, subject->pages_apart[node]);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static void write_subject(yajl_gen gen, const struct subject *subject)
{
    yajl_gen_map_open(gen);
    xlnuma__json_key_string(gen, "name", subject->guest->name);
    xlnuma__json_key_number(gen, "id", subject->guest->domid);
    xlnuma__json_key(gen, "nodes");
    write_nodes(gen, subject);
    write_number(gen, "unlisted_kb", subject->counted, unlisted_kb(subject));
    xlnuma__json_key_number(gen, "video_kb", subject->video_kb);
    xlnuma__json_key_string(gen, "verdict", verdict_names[subject->verdict]);
    write_text(gen, "tables", tables_names[subject->tables]);
    write_text(gen, "tables_reason", subject->why);
    yajl_gen_map_close(gen);
}

/* Domain-0 under a key of its own. */
static void write_subjects(yajl_gen gen, const struct job *job)
{
    const struct subject *dom0 = NULL;

    xlnuma__json_key_array(gen, "guests");
    for (unsigned i = 0; i < job->nr_subjects; i++)
        if (xlnuma__is_dom0(job->subject[i].guest))
            dom0 = &job->subject[i];
        else
            write_subject(gen, &job->subject[i]);
    yajl_gen_array_close(gen);
    if (!dom0)
        return;
    xlnuma__json_key(gen, XLNUMA__DOM0_KEY);
    write_subject(gen, dom0);
}

static int show_json(struct job *job)
{
    yajl_gen gen = xlnuma__json_begin("xlnuma-verify", 1);

    if (gen) {
        xlnuma__json_key_number(gen, "tolerance_pages", TOLERANCE_PAGES);
        xlnuma__json_key_number(gen, "dump_us", job->dump_ns / 1000);
        write_subjects(gen, job);
    }
    return xlnuma__json_end(gen, stdout, job->message);
}

/* --- asking --------------------------------------------------------------- */

/*
 * All guests, or those that operands name. What was counted of Domain-0 before is no
 * promise that it stays there.
 */
static int choose_subjects(struct job *job, int nr, char **operand)
{
    unsigned nr_all = nr ? (unsigned)nr : job->guests.nr;

    for (unsigned i = 0; i < job->guests.nr; i++)
        if (xlnuma__is_dom0(&job->guests.guest[i]))
            memset(&job->guests.guest[i].report, 0,
                   sizeof(job->guests.guest[i].report));

    job->subject = calloc(nr_all + 1, sizeof(*job->subject));
    if (!job->subject)
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    for (unsigned i = 0; i < nr_all; i++) {
        job->subject[i].guest =
            nr ? guests_find(&job->guests, operand[i], job->message)
               : &job->guests.guest[i];
        if (!job->subject[i].guest)
            return XLNUMA_ERR_INVALID;
    }
    job->nr_subjects = nr_all;
    return 0;
}

/* Returns 0, STATUS_USAGE when it costs too much unasked. */
static int state_cost(struct job *job)
{
    int rc =
        walk_state_cost(job->live.ctx, job->options->is_sure, job->message);

    if (rc == XLNUMA_ERR_REFUSED)
        return usage_error("verify", "%s", job->message);
    if (rc)
        complain("%s", job->message);
    return rc ? STATUS_NOT_VERIFIED : 0;
}

/*
 * Domain-0's memory by node is kept as its report: nothing else knows it. Nodes with
 * less than what counts as no difference are not its nodes.
 */
static void keep_count(const struct subject *subject, struct xs_handle *xs)
{
    static struct xlnuma__report report; /* large */
    char message[XLNUMA_MESSAGE_SIZE];

    if (!xlnuma__is_dom0(subject->guest) || !subject->counted)
        return;
    memset(&report, 0, sizeof(report));
    snprintf(report.status, sizeof(report.status), "%s",
             xlnuma__built_names[XLNUMA__BUILT_COUNTED]);
    snprintf(report.reason, sizeof(report.reason), "Xen counted it for verify");
    report.has_actual = true;
    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++) {
        report.actual_kb[node] = subject->counted->pages[node] * PAGE_KB;
        if (subject->counted->pages[node] > TOLERANCE_PAGES)
            report.nodes |= (xlnuma_nodeset)1 << node;
    }
    if (xlnuma__report_write(xs, subject->guest->domid, &report, message))
        complain("%s", message);
}

static int ask(struct job *job)
{
    uint32_t *domid = calloc(job->nr_subjects + 1, sizeof(*domid));
    struct xs_handle *xs;
    int rc;

    if (!domid)
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    for (unsigned i = 0; i < job->nr_subjects; i++)
        domid[i] = job->subject[i].guest->domid;
    xs = xs_open(0);
    for (unsigned i = 0; xs && i < job->nr_subjects; i++)
        job->subject[i].video_kb = xlnuma__video_kb(xs, domid[i]);
    rc = xlnuma__dump_from_xen(&job->dump, domid, job->nr_subjects,
                               &job->dump_ns, job->message);
    free(domid);
    for (unsigned i = 0; !rc && i < job->nr_subjects; i++) {
        struct subject *subject = &job->subject[i];

        subject->counted = xlnuma__dump_find(&job->dump, subject->guest->domid);
        subject->verdict = judge(subject);
        if (subject->counted && subject->guest->report.nr_vnodes)
            subject->tables =
                tables_are_as_reported(subject->guest, subject->why)
                    ? TABLES_SAME
                    : TABLES_DIFFER;
        if (xs)
            keep_count(subject, xs);
    }
    if (xs)
        xs_close(xs);
    return rc;
}

/* Guests whose dedicated CPUs others may use: a line each. Returns how many. */
static unsigned name_shared(const struct job *job)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < job->nr_subjects; i++) {
        const struct xlnuma__guest *guest = job->subject[i].guest;

        if (!xlnuma__guest_is_shared(guest))
            continue;
        complain("%s (%" PRIu32 ") is shared: %s", guest->name, guest->domid,
                 guest->report.reason);
        nr++;
    }
    return nr;
}

/* What is in the way of "all are where they should be", on one line. */
static int conclude(const struct job *job)
{
    unsigned nr[sizeof(verdict_names) / sizeof(*verdict_names)] = { 0 };
    unsigned nr_differ = 0;

    for (unsigned i = 0; i < job->nr_subjects; i++) {
        const struct subject *subject = &job->subject[i];

        nr[subject->verdict]++;
        if (subject->tables != TABLES_DIFFER)
            continue;
        nr_differ++;
        complain("%s: the nodes that it sees are not those reported: %s",
                 subject->guest->name, subject->why);
    }
    if (nr[VERDICT_UNCOUNTED])
        complain("guests that are not in Xen's dump, gone meanwhile: %u of %u",
                 nr[VERDICT_UNCOUNTED], job->nr_subjects);
    if (nr[VERDICT_RESIZED])
        complain("guests that have grown or shrunk since they were built: "
                 "%u of %u",
                 nr[VERDICT_RESIZED], job->nr_subjects);
    if (nr[VERDICT_DIFFERS])
        complain("guests with more than %d pages more or less on a node than "
                 "reported: %u of %u",
                 TOLERANCE_PAGES, nr[VERDICT_DIFFERS], job->nr_subjects);
    return name_shared(job) || nr[VERDICT_UNCOUNTED] || nr[VERDICT_DIFFERS] ||
                   nr_differ
               ? STATUS_FAILED
               : STATUS_DONE;
}

static int do_job(struct job *job, int nr, char **operand)
{
    int status, rc = live_or_file_guests(NULL, &job->live, NULL, &job->guests,
                                         job->message);

    if (rc && guests_are_there(rc, &job->guests)) {
        /* one whose report cannot be read has none */
        complain("%s", job->message);
        rc = 0;
    }
    if (!rc)
        rc = choose_subjects(job, nr, operand);
    if (rc) {
        complain("%s", job->message);
        return STATUS_NOT_VERIFIED;
    }
    status = state_cost(job);
    if (status)
        return status;
    rc = ask(job);
    if (!rc)
        rc = job->options->is_json ? show_json(job) : show_text(job);
    if (rc) {
        complain("%s", job->message);
        return STATUS_NOT_VERIFIED;
    }
    complain("the walk took %.1f ms", (double)job->dump_ns / 1e6);
    return conclude(job);
}

static int run(const struct options *options, int nr, char **operand)
{
    struct job job = { .options = options };
    int status = do_job(&job, nr, operand);

    free(job.subject);
    xlnuma__dump_dispose(&job.dump);
    xlnuma__guests_dispose(&job.guests);
    live_close(&job.live);
    return status;
}

static const struct command_option verify_options[] = {
    FLAG("yes", 0, is_sure, "do so on a host with much memory in use too"),
    OPTION_UNITS,
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_verify = {
    .name = "verify",
    .summary = "is their memory where it was reported? asks Xen",
    .operands = "[DOMAIN]...",
    .about =
        "Compares the memory that a guest's build reported on each node\n"
        "with Xen's own count, for these guests (names or ids) or for\n"
        "all. Xen then walks all memory in use page by page, with each\n"
        "domain's memory locked meanwhile; where more than 128 GiB are in\n"
        "use this is not done without --yes. A guest that reported\n"
        "nothing is shown as counted; so is Domain-0, whose count is kept\n"
        "for list and others. One that has grown or shrunk since\n"
        "it was built is resized, and no failure. Of a guest that sees\n"
        "several nodes (numa_guest_nodes) the ACPI tables in its memory\n"
        "are compared with what was reported, too. Dedicated CPUs that\n"
        "others may use are a failure.\n",
    .exits = "0 all are where they were reported; 1 one has a node with\n"
             "more than 4096 pages more or less than reported, other tables\n"
             "than reported, or shared dedicated CPUs, or is gone; 2 wrong\n"
             "usage, or too much memory without --yes; 4 something failed.\n",
    .options = verify_options,
    .run = run,
};
