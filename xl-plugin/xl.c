/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The launcher that stands before stock xl in PATH: runs PLUGINDIR/xl-NAME for
 * a subcommand NAME that is there, and stock xl with the hook preloaded for all
 * the rest. Knows nothing of Xen. Paths are fixed when it is built, so that no
 * environment decides what root runs.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_CANNOT 1

/* The first argument that is no option; none of xl's options has a value. */
static int find_subcommand(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-')
        i++;
    return i;
}

/*
 * Does `xl create` get -q? Its options and their order are xl's own. The hook
 * cannot ask xl, so it is told.
 */
static bool is_quiet(int argc, char **argv)
{
    static const struct option options[] = {
        { "defconfig", required_argument, NULL, 'f' },
        { "quiet", no_argument, NULL, 'q' },
        { NULL, 0, NULL, 0 },
    };
    bool is_found = false;
    char **copy; /* getopt_long() reorders it */
    int option;

    if (!argc || strcmp(argv[0], "create") ||
        !(copy = calloc((size_t)argc + 1, sizeof(*copy))))
        return false;
    memcpy(copy, argv, (size_t)argc * sizeof(*copy));
    opterr = 0;
    while ((option = getopt_long(argc, copy, "AFVcdef:inpq", options, NULL)) !=
           -1)
        is_found |= option == 'q';
    free(copy);
    return is_found;
}

/* Does not return if there is such a plug-in. */
static void run_plugin(char **argv)
{
    char path[PATH_MAX];

    if (!argv[0] || strchr(argv[0], '/') ||
        (size_t)snprintf(path, sizeof(path), "%s/xl-%s", PLUGINDIR, argv[0]) >=
            sizeof(path) ||
        access(path, X_OK))
        return;
    execv(path, argv);
    fprintf(stderr, "xl: %s: %s\n", path, strerror(errno));
    exit(EXIT_CANNOT);
}

/* Add the hook to LD_PRELOAD; what is there already stays, and comes first. */
static bool preload_hook(void)
{
    const char *before = getenv("LD_PRELOAD");
    char *value;
    bool is_done;

    if (access(PRELOAD, R_OK)) {
        fprintf(stderr,
                "xl: warning: %s: %s: stock placement (is xl-numa "
                "installed completely?)\n",
                PRELOAD, strerror(errno));
        return true;
    }
    if (!before || !*before)
        return !setenv("LD_PRELOAD", PRELOAD, 1);
    if (asprintf(&value, "%s:%s", before, PRELOAD) < 0)
        return false;
    is_done = !setenv("LD_PRELOAD", value, 1);
    free(value);
    return is_done;
}

/* Would stock xl be this program again? */
static bool is_self(const char *path)
{
    struct stat self, other;

    return !stat("/proc/self/exe", &self) && !stat(path, &other) &&
           self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

int main(int argc, char **argv)
{
    int at = find_subcommand(argc, argv);

    run_plugin(argv + at);
    if (is_self(STOCK_XL)) {
        fprintf(stderr,
                "xl: %s is xl-numa's launcher itself: configure it "
                "--with-xl=PATH of Xen's own xl\n",
                STOCK_XL);
        return EXIT_CANNOT;
    }
    if (!preload_hook())
        fprintf(stderr, "xl: warning: out of memory: stock placement\n");
    if (is_quiet(argc - at, argv + at))
        setenv("XL_NUMA_QUIET", "1", 1);
    argv[0] = (char *)STOCK_XL;
    execv(STOCK_XL, argv);
    fprintf(stderr, "xl: %s: %s\n", STOCK_XL, strerror(errno));
    return EXIT_CANNOT;
}
