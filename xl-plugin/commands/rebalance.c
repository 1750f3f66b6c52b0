/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement rebalance: guests that would be nearer to their memory on other
 * nodes are moved there. Does not decide which, nor how.
 */
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "commands/movables.h"
#include "commands/moves_do.h"
#include "commands/moves_table.h"
#include "installed.h"

#define GAIN 3.0

struct job {
    const struct options *options;
    int nr; /* operands: the guests asked for */
    char **operand;
    struct xlnuma__moves_options wanted;
    struct live live;
    struct xlnuma_host *host; /* owned */
    struct xlnuma__guests guests;
    struct movables movables;
    struct xlnuma__moves moves;
    bool is_limited; /* nothing is moved, by the limit alone */
    char message[XLNUMA_MESSAGE_SIZE];
};

/* Are guests moved? */
static bool is_live(const struct job *job)
{
    return !job->options->is_dry && !job->options->host;
}

/* --- the plan -------------------------------------------------------------- */

/* A guest whose report cannot be read is one without. */
static int read_host(struct job *job)
{
    int rc;

    job->host = xlnuma_host_new();
    if (!job->host)
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    rc = live_or_file_guests(job->options->host, &job->live, job->host,
                             &job->guests, job->message);
    if (rc && guests_are_there(rc, &job->guests)) {
        complain("%s", job->message);
        rc = 0;
    }
    xlnuma__guests_drop_dom0(&job->guests);
    return rc;
}

/* All guests, or those that operands name. */
static int ask_for(struct job *job)
{
    for (unsigned n = 0; n < job->guests.nr; n++)
        job->movables.guest[n].is_asked_for = !job->nr;
    for (int i = 0; i < job->nr; i++) {
        const struct xlnuma__guest *guest =
            guests_find(&job->guests, job->operand[i], job->message);

        if (!guest)
            return XLNUMA_ERR_INVALID;
        job->movables.guest[guest - job->guests.guest].is_asked_for = true;
    }
    return 0;
}

/* Is it the limit that keeps everything where it is? */
static int look_beyond_limit(struct job *job)
{
    struct xlnuma__moves_options wanted = job->wanted;
    struct xlnuma__moves moves;
    int rc;

    wanted.limit = 100;
    rc = xlnuma__moves_plan(job->host, job->movables.guest, job->guests.nr,
                            &wanted, &moves, job->message);
    job->is_limited = moves.nr > 0;
    xlnuma__moves_dispose(&moves);
    return rc;
}

static int plan_moves(struct job *job)
{
    int rc = read_host(job);

    if (!rc)
        rc = movables_read(&job->movables, &job->live, job->host, &job->guests,
                           job->options, job->message);
    if (!rc)
        rc = ask_for(job);
    job->wanted.keep_kb = job->movables.keep_kb;
    if (!rc)
        rc = xlnuma__moves_plan(job->host, job->movables.guest, job->guests.nr,
                                &job->wanted, &job->moves, job->message);
    if (!rc && !job->moves.nr && job->wanted.limit < 100)
        rc = look_beyond_limit(job);
    return rc;
}

static int show(struct job *job)
{
    const struct moves_view view = {
        .guests = &job->guests,
        .why_not = job->movables.why_not,
        .moves = &job->moves,
        .gain = job->wanted.gain,
        .limit = job->wanted.limit,
        .is_limited = job->is_limited,
        .is_dry = !is_live(job),
    };

    return job->options->is_json
               ? moves_table_json(&view, stdout, job->message)
               : moves_table_print(&view, stdout, job->message);
}

/* --- the command ------------------------------------------------------------- */

static int read_wanted(struct job *job)
{
    const struct options *options = job->options;
    double gain = GAIN, limit = 100;

    if (!option_number(options->gain, 0.1, 245, &gain))
        return usage_error("rebalance", "--gain \"%s\" is not 0.1 to 245",
                           options->gain);
    if (!option_number(options->limit, 1, 100, &limit))
        return usage_error("rebalance",
                           "--limit \"%s\" is not 1 to 100 percent",
                           options->limit);
    job->wanted.gain = gain;
    job->wanted.limit = limit;
    job->wanted.others = options->has_others;
    job->wanted.by_file = options->by_file;
    return STATUS_DONE;
}

/* A plan that is empty is shown as such; else each move says its own line. */
static int do_moves(struct job *job, struct guest_moves *guest_moves)
{
    struct moves_do doing = {
        .guest_moves = guest_moves,
        .live = &job->live,
        .host = job->host,
        .guests = &job->guests,
        .movables = &job->movables,
        .wanted = &job->wanted,
        .by_file = job->options->by_file,
        .moves = &job->moves,
        .says_lines = !job->options->is_json,
    };
    bool shows = job->options->is_json || !job->moves.nr;
    char message[XLNUMA_MESSAGE_SIZE];
    int rc = moves_do(&doing, message), show_rc = shows ? show(job) : 0;

    if (!rc)
        return show_rc;
    return xlnuma__fail(job->message, rc, "%s", message);
}

/* First what an earlier run left, so that the plan sees the host without it. */
static int move_guests(struct job *job)
{
    struct guest_moves guest_moves;
    char told[XLNUMA_MESSAGE_SIZE];
    struct live live;
    int rc;

    if (!*installed.libxl)
        return xlnuma__fail(job->message, XLNUMA_ERR_INVALID,
                            "no guest can be placed here: xl-numa was built "
                            "without its hook");
    rc = live_open(&live, job->message);
    if (!rc) {
        rc = guest_moves_begin(&guest_moves, live.ctx, told, job->message);
        if (!rc && *told)
            complain("%s", told);
        if (!rc)
            rc = plan_moves(job);
        if (!rc)
            rc = do_moves(job, &guest_moves);
        guest_moves_end(&guest_moves);
    }
    live_close(&live);
    return rc;
}

static int do_job(struct job *job)
{
    int rc;

    if (is_live(job)) {
        rc = move_guests(job);
    } else {
        rc = plan_moves(job);
        if (!rc)
            rc = show(job);
    }
    if (!rc)
        return STATUS_DONE;
    complain("%s", job->message);
    return STATUS_FAILED;
}

static int run(const struct options *options, int nr, char **operand)
{
    struct job job = { .options = options, .nr = nr, .operand = operand };
    int status = read_wanted(&job);

    if (status == STATUS_DONE)
        status = do_job(&job);
    xlnuma__moves_dispose(&job.moves);
    movables_dispose(&job.movables);
    xlnuma__guests_dispose(&job.guests);
    xlnuma_host_free(job.host);
    live_close(&job.live);
    return status;
}

static const struct command_option rebalance_options[] = {
    FLAG("dry-run", 0, is_dry, "say what would be moved, and move nothing"),
    OPTION("gain", 0, "N", gain,
           "move a guest if its distance falls by N or more, in\n"
           "the mean of all that is moved for it; 3 if not given"),
    OPTION("limit", 0, "PCT", limit,
           "move at most this part of the guests' memory, in\n"
           "percent; 100 if not given"),
    FLAG("others", 0, has_others,
         "move guests, too, so that another finds room"),
    OPTION("by-file", 0, "DIR", by_file,
           "save a guest to this folder and restore it, where it\n"
           "is PV or a copy beside it does not fit"),
    FLAG("yes", 0, is_sure,
         "have Xen walk all memory for guests without a report\n"
         "on a host with much memory in use too"),
    OPTION_INPUT,
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_rebalance = {
    .name = "rebalance",
    .summary = "move guests to nodes where they are nearer",
    .operands = "[DOMAIN]...",
    .about =
        "Moves guests that run to other nodes that have room, where they are\n"
        "nearer to their memory: each is migrated to its own host, and its\n"
        "copy placed anew. The one that gains most for its size comes first,\n"
        "and each next one finds what the moves before it leave. With\n"
        "--dry-run, or of a snapshot: which guests, where to, in which order;\n"
        "then which cannot be moved, and why. Of guests that xl-numa did not\n"
        "place Xen counts the memory by node: it walks all that is in use, as\n"
        "for verify.\n",
    .options = rebalance_options,
    .run = run,
};
