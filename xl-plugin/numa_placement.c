/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement: reads the options, finds the subcommand and runs it. Knows
 * nothing of what subcommands do.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "commands/command.h"
#include "view/units.h"

static const struct command *const commands[] = {
    &cmd_list,     &cmd_host,    &cmd_show,      &cmd_plan,    &cmd_verify,
    &cmd_snapshot, &cmd_metrics, &cmd_watch,     &cmd_enable,  &cmd_disable,
    &cmd_status,   &cmd_balance, &cmd_rebalance, &cmd_reserve, &cmd_release,
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

/*
 * As xl's, a name may be abbreviated as long as that is unambiguous. NULL: none, or
 * *nr_r > 1.
 */
static const struct command *find_command(const char *name, unsigned *nr_r)
{
    const struct command *found = NULL;

    *nr_r = 0;
    for (size_t i = 0; i < NR(commands); i++) {
        if (strncmp(commands[i]->name, name, strlen(name)) != 0)
            continue;
        found = commands[i];
        if (!found->name[strlen(name)]) {
            *nr_r = 1;
            return found;
        }
        ++*nr_r;
    }
    return *nr_r == 1 ? found : NULL;
}

/* What the command line asks for. */
struct request {
    const struct command *command; /* the default one when none is named */
    bool is_named, wants_help, wants_version;
    struct options options;
};

/* getopt_long() answers this and more for options without a letter. */
enum { FIRST_OPTION = 256, OPTIONS_MAX = 64 };

/* The options of a table, or of several, as getopt_long() takes them. */
struct getopt_table {
    char letters[2 * OPTIONS_MAX];
    struct option option[OPTIONS_MAX];
    const struct command_option *meaning[OPTIONS_MAX];
    int nr;
};

static void add_option(struct getopt_table *table, const char *name,
                       char letter, const struct command_option *meaning)
{
    bool has_value = meaning && meaning->value;
    struct option *option = &table->option[table->nr];

    for (int i = 0; i < table->nr; i++)
        if (!strcmp(table->option[i].name, name))
            return;
    if (table->nr == OPTIONS_MAX - 1)
        return;
    if (letter)
        sprintf(table->letters + strlen(table->letters), "%c%s", letter,
                has_value ? ":" : "");
    option->name = name;
    option->has_arg = !has_value               ? no_argument
                      : *meaning->value == '[' ? optional_argument
                                               : required_argument;
    option->val = letter ? letter : FIRST_OPTION + table->nr;
    table->meaning[table->nr++] = meaning;
}

static void add_options(struct getopt_table *table,
                        const struct command *command)
{
    const struct command_option *option;

    for (option = command->options; option->name; option++)
        add_option(table, option->name, option->letter, option);
}

/* The first: "+:" to stop at the first operand, ":" to reorder them. */
static void begin_options(struct getopt_table *table, const char *first)
{
    memset(table, 0, sizeof(*table));
    snprintf(table->letters, sizeof(table->letters), "%s", first);
    add_option(table, "help", 'h', NULL);
    add_option(table, "version", 'V', NULL);
}

/* The index of what getopt_long() returned; table->nr if no option is that. */
static int find_option(const struct getopt_table *table, int c)
{
    int i = 0;

    while (i < table->nr && table->option[i].val != c)
        i++;
    return i;
}

/*
 * Where in argv the subcommand's name is, or argc. Options may stand before it,
 * of any subcommand, as it is not known yet.
 */
static int find_subcommand(int argc, char **argv)
{
    struct getopt_table table;
    int c;

    begin_options(&table, "+:");
    for (size_t i = NR(commands);
         i--;) /* so that plan's --memory has a value */
        add_options(&table, commands[i]);
    opterr = 0;
    optind = 0; /* anew: argv may have changed */
    do
        c = getopt_long(argc, argv, table.letters, table.option, NULL);
    while (c != -1);
    return optind;
}

/* Whose --help the message of a wrong option mentions. */
static const char *hint(const struct request *request)
{
    return request->is_named ? request->command->name : "";
}

static int value_missing(const struct request *request,
                         const struct getopt_table *table, int c)
{
    const struct command_option *option = table->meaning[find_option(table, c)];

    return usage_error(hint(request), "option --%s lacks its %s", option->name,
                       *option->value == '[' ? "value" : option->value);
}

/* Is --NAME, the first length characters of word, one of a subcommand's? */
static bool is_elsewhere(const char *word, size_t length)
{
    const struct command_option *option;

    for (size_t i = 0; i < NR(commands); i++)
        for (option = commands[i]->options; option->name; option++)
            if (strlen(option->name) + 2 == length &&
                !strncmp(word + 2, option->name, length - 2))
                return true;
    return false;
}

/*
 * What getopt_long() does not take, and why: by optopt, as it has not left the word
 * that a wrong letter is in. Of a long option, `word` is the one.
 */
static int option_unknown(const struct request *request,
                          const struct getopt_table *table, const char *word)
{
    int length = (int)strcspn(word, "=");

    if (optopt && find_option(table, optopt) == table->nr)
        return usage_error(hint(request), "unknown option -%c", optopt);
    if (optopt)
        return usage_error(hint(request), "option %.*s takes no value", length,
                           word);
    if (is_elsewhere(word, (size_t)length))
        return usage_error(hint(request), "%s has no option %.*s",
                           request->command->name, length, word);
    return usage_error(hint(request), "unknown option %.*s", length, word);
}

static void set_option(struct options *options,
                       const struct command_option *option, const char *value)
{
    void *member = (char *)options + option->at;

    if (option->value)
        *(const char **)member = value ? value : "";
    else
        *(bool *)member = true;
}

/* Leaves operands from optind on. Returns 0 or STATUS_USAGE. */
static int read_options(int argc, char **argv, struct request *request)
{
    struct getopt_table table;
    int c;

    begin_options(&table, ":");
    add_options(&table, request->command);
    optind = 0; /* anew: argv is another one */
    while ((c = getopt_long(argc, argv, table.letters, table.option, NULL)) !=
           -1)
        switch (c) {
        case 'h':
            request->wants_help = true;
            break;
        case 'V':
            request->wants_version = true;
            break;
        case ':':
            return value_missing(request, &table, optopt);
        case '?':
            return option_unknown(request, &table, argv[optind - 1]);
        default:
            if (optarg && !*optarg)
                return value_missing(request, &table, c);
            set_option(&request->options, table.meaning[find_option(&table, c)],
                       optarg);
        }
    return 0;
}

/* Takes the argument out. */
static void drop_argument(int *argc, char **argv, int at)
{
    memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof(*argv));
    --*argc;
}

/* "help" and "help SUBCOMMAND" are --help. Returns 0 or STATUS_USAGE. */
static int read_subcommand(int *argc, char **argv, struct request *request)
{
    int at = find_subcommand(*argc, argv);
    unsigned nr;

    while (at < *argc && !strcmp(argv[at], "help")) {
        request->wants_help = true;
        drop_argument(argc, argv, at);
        at = find_subcommand(*argc, argv);
    }
    if (at >= *argc)
        return 0;
    request->is_named = true;
    request->command = find_command(argv[at], &nr);
    if (!request->command)
        return usage_error("", "%s subcommand \"%s\"",
                           nr ? "ambiguous" : "unknown", argv[at]);
    drop_argument(argc, argv, at);
    return 0;
}

static int run(int argc, char **argv)
{
    struct request request = { .command = &cmd_list };
    int rc = read_subcommand(&argc, argv, &request);

    if (rc)
        return rc;
    rc = read_options(argc, argv, &request);
    if (rc)
        return rc;
    if (request.options.units && !units_set(request.options.units))
        return usage_error(hint(&request), "--units is \"%s\", not MiB or GiB",
                           request.options.units);
    if (request.wants_version)
        printf("xl numa-placement (xl-numa %s)\n", PACKAGE_VERSION);
    else if (request.wants_help && request.is_named)
        help_command(request.command, stdout);
    else if (request.wants_help)
        help_program(commands, NR(commands), stdout);
    else
        return request.command->run(&request.options, argc - optind,
                                    argv + optind);
    return STATUS_DONE;
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);

    if ((fflush(stdout) || ferror(stdout)) && status != STATUS_FAILED) {
        complain("writing to standard output: %s", strerror(errno));
        status = STATUS_FAILED;
    }
    return status;
}
