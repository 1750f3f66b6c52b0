/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-placement snapshot: host and guests as JSON. Changes nothing. */
#include <stdio.h>

#include "command.h"
#include "guests.h"

static int run(const struct options *options, int nr, char **operand)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__guests guests;
    struct xlnuma_host *host;
    struct live live;
    int rc;

    if (nr)
        return usage_error("snapshot", "snapshot has no operand \"%s\"",
                           operand[0]);
    host = xlnuma_host_new();
    if (!host) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    rc = live_or_file_guests(options->host, &live, host, &guests, message);
    live_close(&live);
    if (!rc)
        rc = xlnuma__snapshot_write(host, &guests, NULL, stdout, message);
    xlnuma__guests_dispose(&guests);
    xlnuma_host_free(host);
    if (rc)
        complain("%s", message);
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static const struct command_option snapshot_options[] = {
    OPTION_HOST,
    FLAG("json", 0, is_json, "nothing else: it is JSON in any case"),
    OPTIONS_END,
};

const struct command cmd_snapshot = {
    .name = "snapshot",
    .summary = "the host as a snapshot file",
    .operands = "",
    .about =
        "Writes the host - its NUMA nodes with their CPUs, memory and load,\n"
        "the distances between them, and its guests - as JSON. Every --host\n"
        "reads it again, on any machine.\n",
    .options = snapshot_options,
    .run = run,
};
