/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the programs that libxl starts find in their environment: nothing of ours,
 * and all else as it was. Changes nothing of this process, whose other threads may
 * be reading environ. Starts nothing.
 */
#include "preload/child.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECT "libxlnuma-preload.so"
#define HELPER "libxl-save-helper"
#define PRELOAD "LD_PRELOAD="
#define QUIET "XL_NUMA_QUIET="

/* Is it the last part of this path? */
static bool is_named(const char *path, size_t length, const char *name)
{
    size_t least = strlen(name);

    return length >= least && !strncmp(path + length - least, name, least) &&
           (length == least || path[length - least - 1] == '/');
}

/* It populates the memory of a domain that is restored. */
static bool is_helper(const char *program)
{
    const char *other = getenv("LIBXL_SAVE_HELPER"); /* libxl's */

    return is_named(program, strlen(program), HELPER) ||
           (other && is_named(program, strlen(program), other));
}

/* Each libc function more that is called costs every program's start 1 us. */
static bool is_separator(char c)
{
    return c == ':' || c == ' ';
}

/*
 * Copy a list as ld.so takes it, without us and without one separator beside us:
 * what the launcher added it to comes out to the byte. Returns what was left out.
 */
static size_t copy_others(char *to, const char *list)
{
    const char *first = to, *from = list;

    while (*from) {
        size_t gap = 0, length = 0, nr;
        const char *next;

        while (is_separator(from[gap]))
            gap++;
        while (from[gap + length] && !is_separator(from[gap + length]))
            length++;
        nr = gap + length;
        next = from + nr;
        if (is_named(from + gap, length, OBJECT)) {
            nr = gap ? gap - 1 : 0;
        } else if (to == first && from != list) {
            from++;
            nr--;
        }
        memcpy(to, from, nr);
        to += nr;
        from = next;
    }
    *to = '\0';
    return strlen(list) - (size_t)(to - first);
}

char **xlnuma__child_env(const char *program)
{
    const char *list = getenv("LD_PRELOAD");
    char **env, **to, *preload;
    size_t nr = 0;

    if (!list || is_helper(program))
        return NULL;
    while (environ[nr])
        nr++;
    env = malloc((nr + 1) * sizeof(*env) + sizeof(PRELOAD) + strlen(list));
    if (!env)
        return NULL;
    preload = (char *)(env + nr + 1);
    memcpy(preload, PRELOAD, sizeof(PRELOAD));
    if (!copy_others(preload + strlen(PRELOAD), list)) {
        free(env);
        return NULL;
    }
    to = env;
    for (char **from = environ; *from; from++)
        if (!strncmp(*from, PRELOAD, strlen(PRELOAD))) {
            if (preload[strlen(PRELOAD)])
                *to++ = preload;
        } else if (strncmp(*from, QUIET, strlen(QUIET))) {
            *to++ = *from;
        }
    *to = NULL;
    return env;
}
