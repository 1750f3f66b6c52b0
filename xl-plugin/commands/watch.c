/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement watch: the list, again and again in the same place, until a
 * key is pressed. What cannot be read now is said there, and tried again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "view/guest_table.h"
#include "view/screen.h"

struct watch {
    const char *host; /* as in struct options */
    double seconds;
    char message[XLNUMA_MESSAGE_SIZE]; /* why the last reading failed, or "" */
    struct xlnuma__guests guests;      /* of the last one that did not */
};

/* What was read before stays when nothing can be read. */
static int read_guests(struct watch *watch)
{
    struct xlnuma__guests guests;
    struct live live;
    int rc =
        live_or_file_guests(watch->host, &live, NULL, &guests, watch->message);

    live_close(&live);
    if (!guests_are_there(rc, &guests)) {
        xlnuma__guests_dispose(&guests);
        return rc;
    }
    xlnuma__guests_dispose(&watch->guests);
    watch->guests = guests;
    return 0;
}

/* One line above the list: when, how often, how many, and how to end. */
static void print_head(const struct watch *watch, FILE *text)
{
    unsigned nr = xlnuma__guests_count(&watch->guests);
    time_t now = time(NULL);
    char when[16] = "";
    struct tm local;

    if (localtime_r(&now, &local))
        strftime(when, sizeof(when), "%H:%M:%S", &local);
    fprintf(text, "%s  %u guest%s, every %g s; any key ends\n", when, nr,
            xlnuma__plural(nr), watch->seconds);
    fprintf(text, "%s\n", watch->message);
}

static unsigned count_lines(const char *text)
{
    unsigned nr = 0;

    for (; *text; text++)
        nr += *text == '\n';
    return nr;
}

/* Where the list is longer than the screen the last line says so. */
static int draw(const struct watch *watch)
{
    char columns_text[16], *text = NULL, more[64] = "";
    unsigned rows, columns, nr_lines;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return XLNUMA_ERR_NOMEM;
    screen_size(&rows, &columns);
    snprintf(columns_text, sizeof(columns_text), "%u", columns);
    setenv("COLUMNS", columns_text, 1); /* the table is not on the terminal */
    print_head(watch, stream);
    guest_table_print(&watch->guests, stream);
    if (fclose(stream)) {
        free(text);
        return XLNUMA_ERR_NOMEM;
    }
    nr_lines = count_lines(text);
    if (nr_lines > rows)
        snprintf(more, sizeof(more), "%u more lines: see \"list\"",
                 nr_lines - rows + 1);
    screen_show(text, rows, more);
    free(text);
    return 0;
}

static int watch_until_key(struct watch *watch)
{
    enum screen_event event = SCREEN_DRAW;
    int rc = screen_enter(watch->message);

    if (rc)
        return rc;
    while (event != SCREEN_KEY) {
        if (event == SCREEN_TIME)
            read_guests(watch);
        rc = draw(watch);
        if (rc)
            break;
        event = screen_wait(watch->seconds);
    }
    screen_leave();
    return rc ? xlnuma__fail(watch->message, rc, "out of memory") : 0;
}

static int run(const struct options *options, int nr, char **operand)
{
    struct watch watch = { .host = options->host, .seconds = 2 };
    int rc;

    if (nr)
        return usage_error("watch", "watch has no operand \"%s\"", operand[0]);
    if (!option_number(options->interval, 0.1, 86400, &watch.seconds))
        return usage_error("watch", "-n \"%s\" is not 0.1 to 86400 seconds",
                           options->interval);
    if (options->host && !strcmp(options->host, "-"))
        return usage_error("watch", "the keys come from standard input, so "
                                    "--input cannot");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        complain("watch needs a terminal; \"xl numa-placement list\" needs "
                 "none");
        return STATUS_FAILED;
    }
    rc = read_guests(&watch);
    if (!rc)
        rc = watch_until_key(&watch);
    if (rc)
        complain("%s", watch.message);
    xlnuma__guests_dispose(&watch.guests);
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static const struct command_option watch_options[] = {
    OPTION("interval", 'n', "SECONDS", interval,
           "read anew every SECONDS (0.1 to 86400; default: 2)"),
    OPTION("input", 'i', "FILE", host,
           "use this snapshot file, read anew each time"),
    OPTION("host", 0, "FILE", host, NULL),
    OPTIONS_END,
};

const struct command cmd_watch = {
    .name = "watch",
    .summary = "the list, refreshed in place until a key is pressed",
    .operands = "",
    .about = "Shows what \"list\" does, on the whole screen of the terminal, "
             "and reads\n"
             "it anew every 2 seconds, until a key is pressed.\n",
    .options = watch_options,
    .run = run,
};
