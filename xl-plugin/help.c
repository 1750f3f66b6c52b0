/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help, from the commands' records. Reads no options and runs nothing. */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"

/* What every command has; numa_placement.c reads them. */
static const struct command_option common_options[] = {
    { "help", 'h', NULL, 0, "show this help and exit" },
    { "version", 'V', NULL, 0, "show the version and exit" },
    OPTIONS_END,
};

/* "  -h, --help" or "      --host FILE"; returns how wide that is. */
static int format_option(const struct command_option *option, char cell[80])
{
    char letter[] = { '-', option->letter, ',', '\0' };
    const char *value = option->value ? option->value : "";

    return snprintf(cell, 80, "  %-3s --%s%s%s", option->letter ? letter : "",
                    option->name, *value && *value != '[' ? " " : "", value);
}

static int width_of(const struct command_option *option)
{
    int width = 0;

    for (; option->name; option++) {
        char cell[80];
        int n = !option->help ? 0 : format_option(option, cell);

        width = n > width ? n : width;
    }
    return width;
}

/* Text with newlines between its lines, each but the first indented. */
static void print_indented(const char *text, int indent, FILE *file)
{
    const char *end;

    for (; (end = strchr(text, '\n')); text = end + 1)
        fprintf(file, "%.*s\n%*s", (int)(end - text), text, indent, "");
    fprintf(file, "%s\n", text);
}

static void print_options(const struct command_option *option, int width,
                          FILE *file)
{
    for (; option->name; option++) {
        char cell[80];

        if (!option->help)
            continue;
        format_option(option, cell);
        fprintf(file, "%-*s  ", width, cell);
        print_indented(option->help, width + 2, file);
    }
}

static void print_usage(const struct command *command, FILE *file)
{
    const char *form = command->operands, *before = "Usage:", *end;

    do {
        end = strchrnul(form, '\n');
        fprintf(file, "%s xl numa-placement %s [OPTION]...%s%.*s\n", before,
                command->name, *form ? " " : "", (int)(end - form), form);
        before = "      ";
        form = end + 1;
    } while (*end);
}

void help_command(const struct command *command, FILE *file)
{
    int width = width_of(common_options);
    int own_width = width_of(command->options);

    width = own_width > width ? own_width : width;
    print_usage(command, file);
    fprintf(file, "\n%s\nOptions:\n", command->about);
    print_options(command->options, width, file);
    print_options(common_options, width, file);
    fputs("\nExit status: ", file);
    fputs(command->exits ? command->exits
                         : "0 done; 1 something failed; 2 wrong usage.\n",
          file);
}

void help_program(const struct command *const command[], unsigned nr,
                  FILE *file)
{
    fputs("Usage: xl numa-placement [SUBCOMMAND] [OPTION]... [OPERAND]...\n"
          "\n"
          "Shows where the guests of this host were placed among its NUMA "
          "nodes,\n"
          "and where a guest would be placed and why.\n"
          "\n"
          "Subcommands (\"xl numa-placement SUBCOMMAND --help\" tells more):\n",
          file);
    for (unsigned i = 0; i < nr; i++)
        fprintf(file, "  %-10s %s\n", command[i]->name, command[i]->summary);
    fputs("\nOptions:\n", file);
    print_options(common_options, width_of(common_options), file);
}
