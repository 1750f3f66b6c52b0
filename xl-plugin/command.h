/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the subcommands of xl numa-placement share: their record, the options
 * and how messages look. Says nothing of what any of them does.
 */
#ifndef XLNUMA_COMMAND_H
#define XLNUMA_COMMAND_H

#include <stdbool.h>

/* Exit statuses of the program. */
enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,   /* I/O, Xen, or a wrong value in a file */
    STATUS_USAGE = 2,    /* the command line is wrong */
    STATUS_UNPLACED = 3, /* a valid request that nothing can satisfy */
};

struct options {
    const char *host; /* snapshot file instead of the live host; or NULL */
    bool is_json;
    const char *memory, *vcpus; /* plan: of a guest without a file; or NULL */
};

struct command {
    const char *name;
    /* operand[] are the nr operands behind the name. Returns a status. */
    int (*run)(const struct options *options, int nr, char **operand);
    bool has_host;    /* option --host means something */
    bool has_guest;   /* so do --memory and --vcpus */
    const char *help; /* "Usage: ..." and what it does, lines with newlines */
};

extern const struct command cmd_list, cmd_plan, cmd_snapshot;

/*
 * One line on stderr: the program's name, then the message, with anything that
 * could break the line replaced by question marks.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* complain(), a hint to the subcommand's help; returns STATUS_USAGE. */
int usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* XLNUMA_COMMAND_H */
