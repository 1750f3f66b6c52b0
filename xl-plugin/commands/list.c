/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement list: the guests of this host and what was planned for each
 * when it was built; and Domain-0. Changes nothing, and does not ask Xen where the
 * memory really is.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "formats/json.h"
#include "model/guests.h"
#include "view/guest_table.h"
#include "view/memory_table.h"

static int show_json(const struct xlnuma__guests *guests, char *message)
{
    yajl_gen gen = xlnuma__json_begin("xlnuma-guests", 1);

    if (gen)
        (void)guest_table_json(guests, NULL, gen, message);
    return xlnuma__json_end(gen, stdout, message);
}

/* Returns a status. */
static int show(const struct options *options, const struct xlnuma_host *host,
                const struct xlnuma__guests *guests)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (options->is_by_node) {
        memory_table_print(host, guests, options->has_no_heading, stdout);
        return STATUS_DONE;
    }
    if (!options->is_json) {
        if (!guest_table_print_columns(guests, options->columns,
                                       options->has_no_heading, stdout,
                                       message))
            return STATUS_DONE;
        return usage_error("list", "%s", message);
    }
    if (!show_json(guests, message))
        return STATUS_DONE;
    complain("%s", message);
    return STATUS_FAILED;
}

/* `host` is NULL where it does not matter. */
static int list(const struct options *options, int nr, char **operand,
                struct xlnuma_host *host)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__guests guests;
    struct live live;
    int status = STATUS_FAILED, rc;

    rc = live_or_file_guests(options->host, &live, host, &guests, message);
    if (rc)
        complain("%s", message);
    if (guests_are_there(rc, &guests)) {
        if (guests_choose(&guests, nr, operand, message))
            complain("%s", message);
        else
            status = show(options, host, &guests);
    }
    xlnuma__guests_dispose(&guests);
    live_close(&live);
    return rc ? STATUS_FAILED : status;
}

static int run(const struct options *options, int nr, char **operand)
{
    struct xlnuma_host *host;
    int status;

    if (!options->is_by_node)
        return list(options, nr, operand, NULL);
    if (options->is_json || options->columns)
        return usage_error("list",
                           "--memory goes with neither --json nor --output");
    host = xlnuma_host_new();
    if (!host) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    status = list(options, nr, operand, host);
    xlnuma_host_free(host);
    return status;
}

static const struct command_option list_options[] = {
    OPTION("output", 'o', "COLUMN,...", columns,
           "these columns: name, id, uuid, mib, vcpus, nodes,\n"
           "affinity, memory, off, distance, policy, status,\n"
           "soft_cpus, hard_cpus, reason"),
    FLAG("noheadings", 'n', has_no_heading, "without the line of headings"),
    FLAG("memory", 0, is_by_node,
         "their memory, a column for each node, with sums"),
    OPTION_UNITS,
    OPTION_INPUT,
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_list = {
    .name = "list",
    .summary = "the guests and their placement (the default)",
    .operands = "[DOMAIN]...",
    .about =
        "Lists Domain-0 and the guests of this host, or these: memory,\n"
        "vCPUs, the nodes that each was placed on, its memory on each when\n"
        "it was built (NODE:MIB), the share of it off the plan, expected "
        "distance (10\n"
        "is all local), policy and status. \"-\" is not known; of a guest\n"
        "that was built without xl-numa \"(0-3)\" are the nodes that Xen\n"
        "prefers for it.\n",
    .options = list_options,
    .run = run,
};
