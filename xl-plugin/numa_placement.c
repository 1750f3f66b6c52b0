/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement: reads the options, finds the subcommand and runs it. Knows
 * nothing of what subcommands do.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static const char help[] =
    "Usage: xl numa-placement [SUBCOMMAND] [OPTION]... [OPERAND]...\n"
    "\n"
    "Shows where the guests of this host were placed among its NUMA nodes,\n"
    "and where a guest would be placed and why.\n"
    "\n"
    "Subcommands:\n"
    "  list                          the guests and their placement (default)\n"
    "  plan GUEST.cfg [KEY=VALUE]... where a guest would go, and why not "
    "elsewhere\n"
    "  snapshot                      the host as a snapshot file\n";

static const char options_help[] =
    "\n"
    "Options:\n"
    "      --host FILE    use the host in this snapshot file (\"-\": standard "
    "input)\n"
    "                     instead of the running one; not for list\n"
    "      --memory SIZE  for plan: the guest's memory in MiB, or as in "
    "\"24G\"\n"
    "      --vcpus N      for plan: how many vCPUs the guest has\n"
    "      --json         write JSON instead of text; snapshot always does\n"
    "  -h, --help         show this help, or that of the subcommand, and exit\n"
    "  -V, --version      show the version and exit\n";

static const struct command *const commands[] = {
    &cmd_list,
    &cmd_plan,
    &cmd_snapshot,
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

enum { OPTION_HOST = 256, OPTION_JSON, OPTION_MEMORY, OPTION_VCPUS };

/* What the command line asks for beside running a subcommand. */
struct request {
    struct options options;
    bool wants_help, wants_version;
};

static int value_missing(int option)
{
    if (option == OPTION_MEMORY)
        return usage_error("", "option --memory needs a SIZE");
    if (option == OPTION_VCPUS)
        return usage_error("", "option --vcpus needs a number");
    return usage_error("", "option --host needs a FILE");
}

/* Leaves operands from optind on. Returns 0 or STATUS_USAGE. */
static int read_options(int argc, char **argv, struct request *request_r)
{
    static const struct option long_options[] = {
        { "host", required_argument, NULL, OPTION_HOST },
        { "json", no_argument, NULL, OPTION_JSON },
        { "memory", required_argument, NULL, OPTION_MEMORY },
        { "vcpus", required_argument, NULL, OPTION_VCPUS },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":hV", long_options, NULL)) != -1)
        switch (c) {
        case OPTION_HOST:
            if (!*optarg)
                return value_missing(c);
            request_r->options.host = optarg;
            break;
        case OPTION_JSON:
            request_r->options.is_json = true;
            break;
        case OPTION_MEMORY:
            request_r->options.memory = optarg;
            break;
        case OPTION_VCPUS:
            request_r->options.vcpus = optarg;
            break;
        case 'h':
            request_r->wants_help = true;
            break;
        case 'V':
            request_r->wants_version = true;
            break;
        case ':':
            return value_missing(optopt);
        default:
            if (optopt > 0 && optopt < OPTION_HOST)
                return usage_error("", "unknown option -%c", optopt);
            return usage_error("", "unknown option %s", argv[optind - 1]);
        }
    return 0;
}

static int run(int argc, char **argv)
{
    const struct command *command = &cmd_list;
    struct request request = { .wants_help = false };
    int rc = read_options(argc, argv, &request);

    if (rc)
        return rc;
    if (request.wants_version) {
        printf("xl numa-placement (xl-numa %s)\n", PACKAGE_VERSION);
        return STATUS_DONE;
    }
    if (optind < argc) {
        command = find_command(argv[optind]);
        if (!command)
            return usage_error("", "unknown subcommand \"%s\"", argv[optind]);
    }
    if (request.wants_help) {
        fputs(optind < argc ? command->help : help, stdout);
        fputs(options_help, stdout);
        return STATUS_DONE;
    }
    if (optind < argc)
        optind++;
    if (request.options.host && !command->has_host)
        return usage_error(command->name,
                           "%s has no --host: a snapshot says "
                           "nothing of guests",
                           command->name);
    if ((request.options.memory || request.options.vcpus) &&
        !command->has_guest)
        return usage_error(command->name, "%s has no --memory or --vcpus",
                           command->name);
    return command->run(&request.options, argc - optind, argv + optind);
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
