/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settings of guests whose toolstack has no files of them: a file for each guest, named
 * by its uuid, in a folder of the host's run directory, with lines KEY=VALUE. Knows
 * nothing of who writes them.
 */
#include "config/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "guests"
#define CPUS "cpus"

#define PATH_SIZE (sizeof(FOLDER "/") + XLNUMA__UUID_SIZE + sizeof(".new"))

static void make_path(char path_r[PATH_SIZE], const char *uuid,
                      const char *suffix)
{
    snprintf(path_r, PATH_SIZE, FOLDER "/%.*s%s", XLNUMA__UUID_SIZE - 1, uuid,
             suffix);
}

static int fail_path(char *message, const char *path)
{
    return xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s", path,
                        strerror(errno));
}

/* One line, which is cut in two. */
static int read_line(struct xlnuma__handed *handed, const char *path,
                     char *line, char *message)
{
    char *value = strchr(line, '=');
    bool is_right = false;

    line[strcspn(line, "\n")] = '\0';
    if (value) {
        *value++ = '\0';
        if (!strcmp(line, CPUS)) {
            handed->has_cpus = true;
            return xlnuma_cpuset_parse(value, &handed->cpus, message);
        }
        (void)xlnuma__settings_set(&handed->settings, line, value, &is_right);
    }
    return is_right ? 0
                    : xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                   "%s: \"%.64s\" is no setting, or has a "
                                   "wrong value",
                                   path, line);
}

int xlnuma__handed_read(struct xlnuma__handed *handed_r, int dir,
                        const char *uuid, char *message)
{
    char path[PATH_SIZE], *line = NULL;
    size_t size = 0;
    FILE *file;
    int fd, rc = 0;

    *message = '\0';
    memset(handed_r, 0, sizeof(*handed_r));
    make_path(path, uuid, "");
    fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail_path(message, path);
    file = fdopen(fd, "r");
    if (!file) {
        rc = fail_path(message, path);
        close(fd);
        return rc;
    }
    while (!rc && getline(&line, &size, file) > 0)
        rc = read_line(handed_r, path, line, message);
    if (!rc && ferror(file))
        rc = fail_path(message, path);
    free(line);
    fclose(file);
    return rc ? rc : 1;
}

int xlnuma__handed_print(const struct xlnuma__handed *handed, FILE *to)
{
    const char *key;
    char *list;

    for (unsigned i = 0; (key = xlnuma__key_name(i)); i++)
        if (*handed->settings.value[i])
            fprintf(to, "%s=%s\n", key, handed->settings.value[i]);
    if (handed->has_cpus) {
        list = malloc(XLNUMA__LIST_SIZE);
        if (!list)
            return -1;
        fprintf(to, CPUS "=%s\n",
                xlnuma_cpuset_format(&handed->cpus, list, XLNUMA__LIST_SIZE));
        free(list);
    }
    return ferror(to) ? -1 : 0;
}

int xlnuma__handed_write(const struct xlnuma__handed *handed, int dir,
                         const char *uuid, char *message)
{
    char path[PATH_SIZE], new_path[PATH_SIZE];
    FILE *file;
    int fd, r;

    *message = '\0';
    make_path(path, uuid, "");
    make_path(new_path, uuid, ".new");
    if (mkdirat(dir, FOLDER, 0700) && errno != EEXIST)
        return fail_path(message, FOLDER);
    fd = openat(dir, new_path,
                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        r = fail_path(message, new_path);
        if (fd >= 0)
            close(fd);
        return r;
    }
    r = xlnuma__handed_print(handed, file);
    if (fclose(file) || r || renameat(dir, new_path, dir, path)) {
        r = fail_path(message, new_path);
        unlinkat(dir, new_path, 0);
        return r;
    }
    return 0;
}

int xlnuma__handed_remove(int dir, const char *uuid, char *message)
{
    char path[PATH_SIZE];

    *message = '\0';
    make_path(path, uuid, "");
    return unlinkat(dir, path, 0) && errno != ENOENT ? fail_path(message, path)
                                                     : 0;
}

bool xlnuma__handed_is_empty(const struct xlnuma__handed *handed)
{
    static const struct xlnuma__settings none;

    return !handed->has_cpus && !memcmp(&handed->settings, &none, sizeof(none));
}
