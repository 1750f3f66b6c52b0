/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement list: the guests of this host and what was planned for each
 * when it was built. Domain-0 is no placed guest and is left out. Changes
 * nothing, and does not ask Xen where the memory really is.
 */
#include <stdio.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "formats/json.h"
#include "model/guests.h"
#include "view/guest_table.h"

static int show_json(const struct xlnuma__guests *guests, char *message)
{
    yajl_gen gen = xlnuma__json_begin("xlnuma-guests", 1);

    if (gen) {
        xlnuma__json_key(gen, "guests");
        guest_table_json(guests, gen);
    }
    return xlnuma__json_end(gen, stdout, message);
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
    if (guests_are_there(rc, &guests) && !options->is_json) {
        guest_table_print(&guests, stdout);
    } else if (guests_are_there(rc, &guests) && show_json(&guests, message)) {
        complain("%s", message);
        rc = XLNUMA_ERR_IO;
    }
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
        "Lists the guests of this host: memory, vCPUs, the nodes that\n"
        "each was placed on, its memory on each when it was built\n"
        "(NODE:MIB), the share of it off the plan, expected distance (10\n"
        "is all local), policy and status. \"-\" is not known; of a guest\n"
        "that was built without xl-numa \"(0-3)\" are the nodes that Xen\n"
        "prefers for it.\n",
    .options = list_options,
    .run = run,
};
