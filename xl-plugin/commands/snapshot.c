/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl numa-placement snapshot: host and guests as JSON. Changes nothing. */
#include <stdio.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "formats/snapshot.h"
#include "view/output.h"

/* What tells whose host it is: only names do, as nothing else has any. */
static void drop_names(struct xlnuma_host *host, struct xlnuma__guests *guests)
{
    unsigned nr = 0;

    *host->identity.name = '\0';
    for (unsigned i = 0; i < guests->nr; i++)
        if (!xlnuma__is_dom0(&guests->guest[i]))
            snprintf(guests->guest[i].name, sizeof(guests->guest[i].name),
                     "guest%u", ++nr);
}

/* Into a file, or to standard output; the file is whole or as it was. */
static int write_snapshot(const struct options *options,
                          const struct xlnuma_host *host,
                          const struct xlnuma__guests *guests, char *message)
{
    struct output output;
    int rc = output_open(&output, options->output, message);

    if (rc)
        return rc;
    rc = xlnuma__snapshot_write(host, guests, NULL, output.file, message);
    return output_close(&output, !rc, message) ? XLNUMA_ERR_IO : rc;
}

/* What cannot be read of a guest is not in the snapshot, the guest is. */
static int take(const struct options *options, struct xlnuma_host *host,
                struct xlnuma__guests *guests)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct live live;
    int rc = live_or_file_guests(options->host, &live, host, guests, message);

    if (rc)
        complain("%s", message);
    if (!guests_are_there(rc, guests)) {
        live_close(&live);
        return STATUS_FAILED;
    }
    if (live.ctx && guests_look_at_vcpus(live.ctx, guests))
        rc = XLNUMA_ERR_XEN;
    live_close(&live);
    if (options->is_anonymous)
        drop_names(host, guests);
    if (write_snapshot(options, host, guests, message)) {
        complain("%s", message);
        return STATUS_FAILED;
    }
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static int run(const struct options *options, int nr, char **operand)
{
    struct xlnuma__guests guests;
    struct xlnuma_host *host;
    int status;

    if (nr)
        return usage_error("snapshot", "snapshot has no operand \"%s\"",
                           operand[0]);
    host = xlnuma_host_new();
    if (!host) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    status = take(options, host, &guests);
    xlnuma__guests_dispose(&guests);
    xlnuma_host_free(host);
    return status;
}

static const struct command_option snapshot_options[] = {
    OPTION("output-file", 'o', "FILE", output,
           "write into this file, atomically, not to stdout"),
    FLAG("anonymous", 0, is_anonymous, "call the guests guest1, guest2, ..."),
    OPTION_INPUT,
    FLAG("json", 0, is_json, "nothing else: it is JSON in any case"),
    OPTIONS_END,
};

const struct command cmd_snapshot = {
    .name = "snapshot",
    .summary = "the host as a snapshot file",
    .operands = "",
    .about = "Writes the host - its NUMA nodes with their CPUs, memory and\n"
             "load, the distances between them, its PCI devices and guests -\n"
             "as JSON, to send it with a bug report. Every --input reads it\n"
             "again, on any machine.\n",
    .options = snapshot_options,
    .run = run,
};
