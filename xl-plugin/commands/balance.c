/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement balance: a guest that is short of CPU time near its memory
 * may use CPUs farther away, until there is room again. Does not decide what is
 * better.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/balance_table.h"
#include "commands/command.h"
#include "commands/live.h"
#include "config/settings.h"
#include "xen/balancer.h"

#define SECONDS 2.0

static volatile sig_atomic_t stop;

struct balance {
    const struct options *options;
    int nr; /* operands: the guests asked for */
    char **operand;
    double seconds;
    struct live live;
    struct xlnuma__balancer balancer;
    char message[XLNUMA_MESSAGE_SIZE]; /* ""; or what is still to be said */
};

/* What failed, once. */
static void say_failure(struct balance *balance)
{
    if (*balance->message)
        complain("%s", balance->message);
    *balance->message = '\0';
}

/* If it fails the guest is where it was. */
static int move(struct balance *balance, struct xlnuma__balanced *domain,
                struct balance_row *row)
{
    xlnuma_cpuset better = domain->guest.better;
    int rc = xlnuma__balancer_move(&balance->balancer, domain, &better,
                                   &row->is_moved, balance->message);

    if (!rc && domain->left)
        complain("domain %u (%s): %s: left alone until \"xl numa-placement "
                 "balance --reset %s\"",
                 domain->domid, domain->name, domain->left, domain->name);
    return rc;
}

/* --- once ----------------------------------------------------------------- */

/* A row for each guest; in its turn the chosen one is moved. */
static int make_rows(struct balance *balance, struct xlnuma__balanced *moves,
                     struct balance_row *rows, unsigned *nr_r)
{
    int rc = 0;

    for (unsigned i = 0; i < balance->balancer.nr; i++) {
        struct xlnuma__balanced *domain = balance->balancer.domain[i];

        if (!domain->is_asked_for)
            continue;
        balance_row_fill(&rows[*nr_r], domain);
        if (domain == moves && !balance->options->is_dry)
            rc = move(balance, domain, &rows[*nr_r]);
        ++*nr_r;
    }
    return rc;
}

static int print(struct balance *balance, const struct balance_row rows[],
                 unsigned nr)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (!balance->options->is_json) {
        balance_table_print(rows, nr, stdout);
        return 0;
    }
    if (!balance_table_json(rows, nr, balance->options->is_dry, stdout,
                            message))
        return 0;
    return xlnuma__fail(balance->message, XLNUMA_ERR_IO, "%s", message);
}

static int balance_once(struct balance *balance)
{
    struct xlnuma__balanced *moves;
    struct balance_row *rows;
    unsigned nr = 0;
    int rc, moved_rc;

    rc = xlnuma__balancer_round(&balance->balancer, balance->seconds, &moves,
                                balance->message);
    if (rc)
        return rc;
    rows = calloc(balance->balancer.nr + 1, sizeof(*rows));
    if (!rows)
        return xlnuma__fail(balance->message, XLNUMA_ERR_NOMEM,
                            "out of memory");
    moved_rc = make_rows(balance, moves, rows, &nr);
    rc = print(balance, rows, nr);
    free(rows);
    return rc ? rc : moved_rc;
}

/* --- until it is stopped -------------------------------------------------- */

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* A closed pipe ends it too, by the failure to write. */
static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* Nothing else would narrow them again. */
static int narrow_all(struct balance *balance, const char *why)
{
    int rc = 0;

    for (unsigned i = 0; i < balance->balancer.nr; i++) {
        struct xlnuma__balanced *domain = balance->balancer.domain[i];
        struct xlnuma__balance_guest *guest = &domain->guest;
        struct balance_row row;

        if (domain->left ||
            !memcmp(&guest->hard, &guest->built, sizeof(guest->hard)))
            continue;
        guest->better = guest->built;
        balance_row_fill(&row, domain);
        if (move(balance, domain, &row)) {
            say_failure(balance);
            rc = XLNUMA_ERR_XEN;
        } else if (row.is_moved)
            complain("%s (%u): back from CPUs %s to %s, as %s", domain->name,
                     domain->domid, row.hard, row.better, why);
    }
    return rc;
}

/* One round, and one line or document for a move. */
static int balance_round(struct balance *balance)
{
    struct xlnuma__balanced *moves;
    struct balance_row row;
    int rc = xlnuma__balancer_round(&balance->balancer, balance->seconds,
                                    &moves, balance->message);

    if (!rc && (!moves || stop))
        return 0;
    if (!rc) {
        balance_row_fill(&row, moves);
        rc = move(balance, moves, &row);
    }
    if (rc)
        say_failure(balance);
    if (rc || moves->left)
        return 0; /* what failed may be well in the next one */
    if (balance->options->is_json)
        return print(balance, &row, 1);
    balance_row_say(&row, balance->options->is_dry, stdout);
    if (fflush(stdout))
        return xlnuma__fail(balance->message, XLNUMA_ERR_IO,
                            "writing to standard output: %s", strerror(errno));
    return 0;
}

/* Of the whole host, by xl-numa.conf; what is wrong with that file disables nothing. */
static bool is_disabled(void)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__conf_host conf;

    (void)xlnuma__conf_read(&settings, &conf, "", message);
    return conf.is_off;
}

/* Nothing is balanced: what was widened is narrowed, as at the end. */
static void rest(struct balance *balance)
{
    struct timespec round = { .tv_sec = (time_t)balance->seconds };

    round.tv_nsec = (long)((balance->seconds - (double)round.tv_sec) * 1e9);
    if (!balance->options->is_dry)
        (void)narrow_all(balance, "placement is disabled");
    nanosleep(&round, NULL);
}

static int balance_on(struct balance *balance)
{
    int rc = 0, narrow_rc;

    catch_signals();
    while (!stop && !rc)
        if (is_disabled())
            rest(balance);
        else
            rc = balance_round(balance);
    if (rc)
        say_failure(balance);
    narrow_rc =
        balance->options->is_dry ? 0 : narrow_all(balance, "balancing ends");
    return rc ? rc : narrow_rc;
}

/* --- the build's affinities again ----------------------------------------- */

static int reset_all(struct balance *balance)
{
    int rc = 0;

    for (unsigned i = 0; i < balance->balancer.nr && !rc; i++)
        if (balance->balancer.domain[i]->is_asked_for)
            rc = xlnuma__balancer_reset(&balance->balancer,
                                        balance->balancer.domain[i],
                                        balance->message);
    return rc;
}

/* --- the command ---------------------------------------------------------- */

/* Does the operand name a domain that is there? */
static bool is_there(const struct balance *balance, const char *operand)
{
    for (unsigned i = 0; i < balance->balancer.nr; i++)
        if (xlnuma__balanced_is(&balance->balancer, balance->balancer.domain[i],
                                operand))
            return true;
    return false;
}

static int find_guests(struct balance *balance)
{
    int rc = xlnuma__balancer_list(&balance->balancer, balance->message);

    for (int i = 0; i < balance->nr && !rc; i++)
        if (!is_there(balance, balance->operand[i]))
            rc = xlnuma__fail(balance->message, XLNUMA_ERR_INVALID,
                              "no guest has the name or id \"%s\"",
                              balance->operand[i]);
    return rc;
}

/* With everything open, and locked where affinities may change. */
static int do_locked(struct balance *balance)
{
    int rc = find_guests(balance);

    if (rc)
        return rc;
    if (balance->options->is_reset)
        return reset_all(balance);
    return balance->options->watch ? balance_on(balance)
                                   : balance_once(balance);
}

static int do_balance(struct balance *balance)
{
    const struct options *options = balance->options;
    struct xlnuma__balancer *balancer = &balance->balancer;
    int rc, fd = -1;

    balancer->is_dry = options->is_dry;
    balancer->looks_at_all = !options->watch;
    balancer->rounds = options->watch ? XLNUMA__BALANCE_ROUNDS : 1;
    balancer->only = balance->nr ? balance->operand : NULL;
    balancer->nr_only = balance->nr;
    balancer->stop = &stop;
    rc = live_open(&balance->live, balance->message);
    if (!rc)
        rc = xlnuma__balancer_open(balancer, balance->live.ctx,
                                   balance->message);
    if (!rc && !options->is_dry && !options->is_reset)
        rc = xlnuma__balance_lock(&fd, balance->message);
    if (!rc)
        rc = do_locked(balance);
    if (fd >= 0)
        close(fd);
    xlnuma__balancer_close(balancer);
    live_close(&balance->live);
    return rc;
}

static int run(const struct options *options, int nr, char **operand)
{
    struct balance balance = {
        options, nr, operand, SECONDS, { 0 }, { 0 }, ""
    };

    if (options->watch && *options->watch &&
        !option_number(options->watch, 0.5, 3600, &balance.seconds))
        return usage_error("balance",
                           "--watch=\"%s\" is not 0.5 to 3600 "
                           "seconds",
                           options->watch);
    if (options->is_reset && (options->watch || options->is_dry))
        return usage_error("balance", "--reset goes with neither --watch nor "
                                      "--dry-run");
    if (options->is_reset && !nr)
        return usage_error("balance", "--reset needs a guest");
    if (!do_balance(&balance))
        return STATUS_DONE;
    say_failure(&balance);
    return STATUS_FAILED;
}

static const struct command_option balance_options[] = {
    FLAG("dry-run", 0, is_dry, "say what would be done, and change nothing"),
    OPTION("watch", 0, "[=SECONDS]", watch,
           "go on, in rounds of SECONDS (0.5 to 3600; 2 if not\n"
           "given); when stopped, narrow what was widened"),
    FLAG("reset", 0, is_reset,
         "give these guests the affinities that their build set,\n"
         "so that they are balanced again"),
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_balance = {
    .name = "balance",
    .summary = "let guests that are short of CPU time run farther away",
    .operands = "[DOMAIN]...",
    .about =
        "Measures for 2 seconds how much CPU time each guest wants and has,\n"
        "and at what distance to its memory. A guest whose CPUs are busy may\n"
        "then use CPUs farther away, until there is room again on the nearer\n"
        "ones. One guest is changed: the one that gains most. Only the hard\n"
        "affinity of guests that xl-numa placed changes. With --watch it goes\n"
        "on: a guest is changed when three rounds in a row agree, and not\n"
        "twice in 30 s.\n",
    .options = balance_options,
    .run = run,
};
