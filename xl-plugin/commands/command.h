/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the subcommands of xl numa-placement share: their record, the options
 * and how messages look. Says nothing of what any of them does.
 */
#ifndef XLNUMA_COMMAND_H
#define XLNUMA_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit statuses of the program. */
enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,   /* I/O, Xen, or a wrong value in a file */
    STATUS_USAGE = 2,    /* the command line is wrong */
    STATUS_UNPLACED = 3, /* a valid request that nothing can satisfy */
    STATUS_NOT_VERIFIED =
        4, /* verify failed, so that 1 says that one differs */
};

/* What the options say. Each is in the table of every command that has it. */
struct options {
    const char *host;    /* snapshot file instead of the live host; or NULL */
    const char *columns; /* list: these, separated by commas; or NULL */
    bool has_no_heading; /* list */
    bool is_by_node;     /* list: memory, a column for each node */
    bool is_by_cpu;      /* host: a line for each CPU */
    const char *units;   /* of memory; or NULL */
    bool is_json;
    const char *memory, *vcpus; /* plan: of a guest without a file; or NULL */
    bool is_drawn;              /* host: as a picture */
    const char *svg;            /* host: into this file; or NULL */
    bool is_explained;          /* plan: why not elsewhere, in words */
    const char *seconds;        /* show: how long to look at vCPUs; or NULL */
    bool is_sure;               /* verify, rebalance: on a large host too */
    const char *output;         /* into this file; or NULL */
    bool is_anonymous;          /* snapshot: without names */
    const char *interval;       /* watch: in seconds; or NULL */
    const char *watch;          /* balance: go on, so long a round; or NULL */
    bool is_dry;                /* balance and others: change nothing */
    const char *gain, *limit;   /* rebalance: as texts; or NULL */
    bool has_others;            /* rebalance: others may make room */
    const char *by_file; /* rebalance: by files in this folder; or NULL */
    bool is_reset;       /* balance: the build's affinities */
};

/*
 * An option of a subcommand. The tables are all there is: options are read by
 * them, and --help is made of them. An option that several subcommands have is
 * to have the same letter and the same kind of value in all. A letter may be another
 * option in another subcommand: before the subcommand it is the first one's.
 */
struct command_option {
    const char *name;  /* of --NAME; NULL ends a table */
    char letter;       /* -L is the same; 0: none */
    const char *value; /* what --help calls the value; NULL: it has none;
                          "[=VALUE]": it may have one */
    size_t at; /* in struct options: a const char *, without value a bool */
    const char *help; /* one line, or several with newlines between; NULL: the
                         option is an older name, which --help does not show */
};

/* Entries that many tables have; begin one with OPTION or FLAG. */
#define OPTION(name, letter, value, member, help)                              \
    {                                                                          \
        name, letter, value, offsetof(struct options, member), help            \
    }
#define FLAG(name, letter, member, help)                                       \
    {                                                                          \
        name, letter, NULL, offsetof(struct options, member), help             \
    }
#define OPTIONS_END                                                            \
    {                                                                          \
        NULL, 0, NULL, 0, NULL                                                 \
    }
#define OPTION_INPUT                                                           \
    OPTION("input", 'i', "FILE", host,                                         \
           "use the host in this snapshot (\"-\": standard input)\n"           \
           "instead of the running one"),                                      \
        OPTION("host", 0, "FILE", host, NULL)
#define OPTION_OUTPUT                                                          \
    OPTION("output-file", 'o', "FILE", output,                                 \
           "write into this file, atomically, not to stdout")
#define OPTION_UNITS                                                           \
    OPTION("units", 0, "UNIT", units, "memory in MiB (the default) or GiB")
#define OPTION_JSON FLAG("json", 0, is_json, "write JSON instead of text")

struct command {
    const char *name;
    const char *summary; /* a few words for the list of subcommands */
    /*
     * What follows "[OPTION]..." in the usage; several forms with newlines
     * between. DOMAIN, FILE and words that end in .cfg are completed by bash.
     */
    const char *operands;
    const char *about; /* what it does: lines with newlines */
    const char
        *exits; /* "0 ...; 1 ...", lines with newlines; NULL: the usual */
    const struct command_option *options; /* beside --help and --version */
    /* operand[] are the nr operands behind the name. Returns a status. */
    int (*run)(const struct options *options, int nr, char **operand);
};

extern const struct command cmd_balance;
extern const struct command cmd_disable, cmd_enable, cmd_status;
extern const struct command cmd_rebalance, cmd_release, cmd_reserve;
extern const struct command cmd_host, cmd_list, cmd_metrics, cmd_plan;
extern const struct command cmd_show, cmd_snapshot, cmd_verify, cmd_watch;

/*
 * One line on stderr: the program's name, then the message, with anything that
 * could break the line replaced by question marks.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* complain(), a hint to the subcommand's help; returns STATUS_USAGE. */
int usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * An option's number within these limits. Returns true, and leaves *number_r alone,
 * when the option is not there (NULL); false when it is something else.
 */
bool option_number(const char *text, double least, double most,
                   double *number_r);

/* --help of the program, with the nr commands it has, and of one of them. */
void help_program(const struct command *const command[], unsigned nr,
                  FILE *file);
void help_command(const struct command *command, FILE *file);

#endif /* XLNUMA_COMMAND_H */
