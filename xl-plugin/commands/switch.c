/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement enable and disable: the switch of the whole host, one line of
 * xl-numa.conf. Each build reads that file, in daemons too; guests that run are not
 * touched.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands/command.h"
#include "config/settings.h"
#include "view/output.h"

/* Is the line the switch, and nothing else? */
static bool is_switch(const char *line)
{
    line += strspn(line, " \t");
    if (strncmp(line, XLNUMA__CONF_SWITCH, strlen(XLNUMA__CONF_SWITCH)))
        return false;
    line += strlen(XLNUMA__CONF_SWITCH);
    line += strspn(line, " \t");
    return *line == '=' && line[strcspn(line, ";#\n")] != ';';
}

/* Copy the file without its switch; the last line ends with a newline. */
static int copy_others(const char *path, FILE *to, char *message)
{
    FILE *from = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    bool is_read;

    if (!from)
        return errno == ENOENT ? 0
                               : xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s",
                                              path, strerror(errno));
    while ((length = getline(&line, &size, from)) > 0)
        if (!is_switch(line))
            fprintf(to, "%s%s", line, line[length - 1] == '\n' ? "" : "\n");
    is_read = feof(from);
    free(line);
    fclose(from);
    return is_read ? 0
                   : xlnuma__fail(message, XLNUMA_ERR_IO, "%s: cannot be read",
                                  path);
}

/* The new file has the old one's owner and mode. */
static void keep_owner(const char *path, FILE *file)
{
    struct stat old;

    if (!stat(path, &old) && S_ISREG(old.st_mode) &&
        !fchown(fileno(file), old.st_uid, old.st_gid))
        (void)fchmod(fileno(file), old.st_mode & 07777);
}

static int write_switch(const char *path, bool is_off, char *message)
{
    struct output output;
    int rc = output_open(&output, path, message), closed;

    if (rc)
        return rc;
    rc = copy_others(path, output.file, message);
    if (!rc && is_off)
        fputs(XLNUMA__CONF_SWITCH " = \"off\"\n", output.file);
    keep_owner(path, output.file);
    closed = output_close(&output, !rc, message);
    return rc ? rc : closed;
}

static int do_switch(bool is_off, char *message)
{
    const char *path = xlnuma__conf_path();
    struct xlnuma__settings settings;
    struct xlnuma__conf_host host;
    int rc = xlnuma__conf_read(&settings, &host, "", message);

    if (!rc && host.is_off != is_off)
        rc = write_switch(path, is_off, message);
    if (!rc)
        rc = xlnuma__conf_read(&settings, &host, "", message);
    if (!rc && host.is_off != is_off)
        rc = xlnuma__fail(message, XLNUMA_ERR_INVALID,
                          "%s: " XLNUMA__CONF_SWITCH
                          " is on a line with other keys: change it there",
                          path);
    if (!rc)
        printf("placement is %s from the next build on (%s)\n",
               is_off ? "off" : "on", path);
    return rc;
}

static int run(const char *name, bool is_off, int nr, char **operand)
{
    char message[XLNUMA_MESSAGE_SIZE];

    if (nr)
        return usage_error(name, "%s has no operand \"%s\"", name, operand[0]);
    if (!do_switch(is_off, message))
        return STATUS_DONE;
    complain("%s", message);
    return STATUS_FAILED;
}

static int run_enable(const struct options *options, int nr, char **operand)
{
    (void)options;
    return run("enable", false, nr, operand);
}

static int run_disable(const struct options *options, int nr, char **operand)
{
    (void)options;
    return run("disable", true, nr, operand);
}

static const struct command_option no_options[] = { OPTIONS_END };

const struct command cmd_enable = {
    .name = "enable",
    .summary = "place guests on this host, from the next build on",
    .operands = "",
    .about =
        "Takes the line that \"disable\" wrote out of xl-numa.conf. No guest\n"
        "that runs is touched.\n",
    .options = no_options,
    .run = run_enable,
};

const struct command cmd_disable = {
    .name = "disable",
    .summary = "leave all guests to stock libxl, from the next build on",
    .operands = "",
    .about = "Writes numa_placement = \"off\" into xl-numa.conf: whatever a\n"
             "guest's file says, stock libxl places it, and it has the status\n"
             "\"off\". Daemons that run obey at once. No guest that runs is\n"
             "touched.\n",
    .options = no_options,
    .run = run_disable,
};
