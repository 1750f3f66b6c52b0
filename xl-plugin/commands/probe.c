/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads files and /proc; runs nothing. */
#include "commands/probe.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook/marker.h"

#define HOOK_NAME "/libxlnuma-preload.so"

/* The version behind the marker in a file; "" without one. */
static void read_marker(int fd, const char *marker,
                        char version_r[PROBE_VERSION_SIZE])
{
    struct stat st;
    const char *text, *found = NULL;
    size_t length = strlen(marker);

    *version_r = '\0';
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0)
        return;
    text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED)
        return;
    found = memmem(text, (size_t)st.st_size, marker, length);
    if (found) {
        size_t left = (size_t)(text + st.st_size - found) - length;

        snprintf(version_r, PROBE_VERSION_SIZE, "%.*s",
                 (int)(left < PROBE_VERSION_SIZE ? left : PROBE_VERSION_SIZE),
                 found + length);
    }
    munmap((void *)text, (size_t)st.st_size);
}

void probe_file(struct probe_file *file_r, const char *path, const char *marker)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    memset(file_r, 0, sizeof(*file_r));
    snprintf(file_r->path, sizeof(file_r->path), "%s", path);
    file_r->is_there = fd >= 0;
    if (fd < 0)
        return;
    read_marker(fd, marker, file_r->version);
    close(fd);
}

static bool is_program(const char *path)
{
    struct stat st;

    return !access(path, X_OK) && !stat(path, &st) && S_ISREG(st.st_mode);
}

void probe_path(struct probe_file *file_r)
{
    const char *folder = getenv("PATH"), *end;

    memset(file_r, 0, sizeof(*file_r));
    for (; folder; folder = *end ? end + 1 : NULL) {
        char path[PATH_MAX];
        int n;

        end = strchrnul(folder, ':');
        n = snprintf(path, sizeof(path), "%.*s%sxl", (int)(end - folder),
                     folder, end == folder ? "" : "/");
        if (n < 0 || (size_t)n >= sizeof(path) || !is_program(path))
            continue;
        probe_file(file_r, path, XLNUMA_MARKER_LAUNCHER);
        return;
    }
}

/* --- daemons -------------------------------------------------------------- */

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

/* Is it one of them? A zombie, which has no program, is not. */
static bool read_daemon(struct probe_daemon *daemon)
{
    char path[64], exe[2];
    FILE *file = open_proc(daemon->pid, "comm");
    bool is_read;

    if (!file)
        return false;
    is_read = fgets(daemon->name, sizeof(daemon->name), file);
    fclose(file);
    daemon->name[strcspn(daemon->name, "\n")] = '\0';
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)daemon->pid);
    return is_read &&
           (!strcmp(daemon->name, "libvirtd") ||
            !strcmp(daemon->name, "virtxend")) &&
           readlink(path, exe, sizeof(exe)) > 0;
}

/*
 * The file is opened by way of the mapping: it is the one that the process has, even
 * if another is installed in its place by now. Without the right to, it is opened by
 * its name.
 */
static void read_mapping(struct probe_daemon *daemon, char *line)
{
    const char *name = strchr(line, '/');
    char path[96], *end;
    unsigned long from = strtoul(line, &end, 16), to;
    int fd;

    if (!name || *end != '-')
        return;
    to = strtoul(end + 1, NULL, 16);
    line[strcspn(line, "\n")] = '\0';
    snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", (int)daemon->pid,
             from, to);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    read_marker(fd, XLNUMA_MARKER_HOOK, daemon->version);
    close(fd);
}

static void read_maps(struct probe_daemon *daemon)
{
    FILE *file = open_proc(daemon->pid, "maps");
    char *line = NULL;
    size_t size = 0;

    while (file && !daemon->has_hook && getline(&line, &size, file) > 0) {
        const char *name = strstr(line, HOOK_NAME);

        if (!name || (name[strlen(HOOK_NAME)] != '\n' &&
                      strcmp(name + strlen(HOOK_NAME), " (deleted)\n") != 0))
            continue;
        daemon->has_hook = true;
        read_mapping(daemon, line);
    }
    free(line);
    if (file)
        fclose(file);
}

unsigned probe_daemons(struct probe_daemon daemon[], unsigned most)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    unsigned nr = 0;

    while (proc && nr < most && (entry = readdir(proc))) {
        memset(&daemon[nr], 0, sizeof(*daemon));
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        daemon[nr].pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (!read_daemon(&daemon[nr]))
            continue;
        read_maps(&daemon[nr]);
        nr++;
    }
    if (proc)
        closedir(proc);
    return nr;
}
