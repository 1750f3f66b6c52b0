/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is installed, and which daemons have the hook. Knows nothing of Xen. */
#ifndef XLNUMA_PLUGIN_PROBE_H
#define XLNUMA_PLUGIN_PROBE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define PROBE_VERSION_SIZE 32

/* A file that may be one of ours (hook/marker.h). */
struct probe_file {
    char path[PATH_MAX]; /* "": not found */
    bool is_there;
    char version[PROBE_VERSION_SIZE]; /* "": none of ours */
};

void probe_file(struct probe_file *file_r, const char *path,
                const char *marker);

/* The xl that a shell finds. */
void probe_path(struct probe_file *file_r);

/* A daemon that builds guests. */
struct probe_daemon {
    char name[16];
    pid_t pid;
    bool has_hook;
    char version[PROBE_VERSION_SIZE]; /* of the hook; "": not known */
};

/* libvirtd and virtxend; returns how many, at most `most`. */
unsigned probe_daemons(struct probe_daemon daemon[], unsigned most);

#endif /* XLNUMA_PLUGIN_PROBE_H */
