/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a person at a terminal sees of a build that takes long: one line on
 * stderr that is brought up to date, and gone at the end. Others see nothing.
 */
#include "hook/services.h"
#include "xen/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SILENT_NS (3 * NS_PER_S / 2) /* most builds are over by then */
#define PERIOD_NS (NS_PER_S / 4)

bool xlnuma__build_is_quiet(void)
{
    return getenv("XL_NUMA_QUIET"); /* xl-plugin/xl.c: xl create -q */
}

void xlnuma__build_progress_begin(struct build *build)
{
    build->progress.is_wanted =
        isatty(STDERR_FILENO) && !xlnuma__build_is_quiet();
    build->progress.begun_ns = xlnuma__now_ns();
}

/* "db1: 45 %, 968 MiB on node 2, 960 MiB on node 3" */
static int format_line(const struct build *build, char *buf, size_t size)
{
    const struct xlnuma__extents *extents = &build->extents;
    uint64_t done_kb = 0, total_kb = extents->total_kb;
    size_t used;
    unsigned i;

    for (i = 0; i < XLNUMA_NODES_MAX; i++)
        done_kb += extents->done_kb[i];
    used = (size_t)snprintf(buf, size, "%s: %" PRIu64 " %%",
                            build->request.name, 100 * done_kb / total_kb);
    for (i = 0; i < XLNUMA_NODES_MAX && used < size; i++)
        if (extents->done_kb[i])
            used += (size_t)snprintf(buf + used, size - used,
                                     ", %" PRIu64 " MiB on node %u",
                                     extents->done_kb[i] / 1024, i);
    return (int)(used < size ? used : size - 1);
}

/* So many characters that the line does not wrap. */
static size_t columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
        return 79;
    return size.ws_col - 1;
}

void xlnuma__build_progress(struct build *build)
{
    uint64_t now_ns;
    char line[512];
    size_t size;
    int width;

    if (!build->progress.is_wanted)
        return;
    now_ns = xlnuma__now_ns();
    if (now_ns - build->progress.begun_ns < SILENT_NS ||
        now_ns - build->progress.shown_ns < PERIOD_NS)
        return;
    build->progress.shown_ns = now_ns;
    size = columns() + 1;
    width = format_line(build, line, size < sizeof(line) ? size : sizeof(line));
    fprintf(stderr, "\r%-*s", build->progress.width, line);
    fflush(stderr);
    if (width > build->progress.width)
        build->progress.width = width;
}

void xlnuma__build_progress_end(struct build *build)
{
    if (build->progress.width) {
        fprintf(stderr, "\r%*s\r", build->progress.width, "");
        fflush(stderr);
    }
    build->progress.width = 0;
    build->progress.is_wanted = false;
}
