/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The launcher that stands before stock xl in PATH: runs PLUGINDIR/xl-NAME for a
 * subcommand NAME that is there, and stock xl for all the rest: with the hook
 * preloaded for those that build domains or check their files, and after
 * PLUGINDIR/grow where a guest may grow. `xl help` has a line about ours. Paths are
 * fixed when it is built, so that no environment decides what root runs. Knows
 * nothing of Xen.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook/marker.h"

#define EXIT_CANNOT 1

XLNUMA_MARKER(XLNUMA_MARKER_LAUNCHER);

/*
 * A closed standard input, output or error: xenstore's socket or Xen's device would
 * get its number, and all that is printed. It stays as unusable as it is.
 */
static void occupy_standard(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

/* The first argument that is no option; none of xl's options has a value. */
static int find_subcommand(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-')
        i++;
    return i;
}

/* Does `name` stand for the subcommand? xl takes the first letters, too. */
static bool is_command(const char *name, const char *command, size_t least)
{
    size_t length = name ? strlen(name) : 0;

    return length >= least && !strncmp(name, command, length);
}

/*
 * Can it build a domain, or read what the next build goes by? Reboots are performed by
 * the xl that built it. "migrate", which sends one, is not short for
 * "migrate-receive", nor "con", which may be "console", for "config-update".
 */
static bool needs_hook(const char *name)
{
    return is_command(name, "create", 1) || is_command(name, "restore", 1) ||
           is_command(name, "migrate-receive", strlen("migrate-")) ||
           is_command(name, "config-update", strlen("conf"));
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
    size_t size = ((size_t)argc + 1) * sizeof(*argv);
    char **copy; /* getopt_long() reorders it */
    int option;

    if (!is_command(argv[0], "create", 1))
        return false;
    copy = memcpy(alloca(size), argv, size);
    opterr = 0;
    while ((option = getopt_long(argc, copy, "AFVcdef:inpq", options, NULL)) !=
           -1)
        is_found |= option == 'q';
    return is_found;
}

/*
 * Each page more that is touched, of the stack or of libc's code, costs a start of xl
 * as much as twenty system calls, and the first of malloc()'s as much as a hundred: so
 * paths are short, and put together by hand, and what is new in the environment is not
 * setenv()'s.
 */
#define NAME_SIZE_MAX 64
#define PLUGIN_PATH_SIZE (sizeof(PLUGINDIR "/xl-") + NAME_SIZE_MAX)

static bool find_plugin(const char *name, char path_r[PLUGIN_PATH_SIZE])
{
    if (!name || strchr(name, '/') || strlen(name) >= NAME_SIZE_MAX)
        return false;
    stpcpy(stpcpy(path_r, PLUGINDIR "/xl-"), name);
    return !access(path_r, X_OK);
}

/* Does not return if there is such a plug-in. */
static void run_plugin(char **argv)
{
    char path[PLUGIN_PATH_SIZE];

    if (!find_plugin(argv[0], path))
        return;
    execv(path, argv);
    fprintf(stderr, "xl: %s: %s\n", path, strerror(errno));
    exit(EXIT_CANNOT);
}

/*
 * The variable that preloads the hook; what is preloaded already stays, and comes
 * first. NULL, and why on stderr: it cannot be.
 */
static char *preload_hook(void)
{
    static char alone[] = "LD_PRELOAD=" PRELOAD;
    const char *before = getenv("LD_PRELOAD");
    char *both;

    if (access(PRELOAD, R_OK)) {
        fprintf(stderr,
                "xl: warning: %s: %s: stock placement (is xl-numa "
                "installed completely?)\n",
                PRELOAD, strerror(errno));
        return NULL;
    }
    if (!before || !*before)
        return alone;
    if (asprintf(&both, "LD_PRELOAD=%s:%s", before, PRELOAD) < 0) {
        fprintf(stderr, "xl: warning: out of memory: stock placement\n");
        return NULL;
    }
    return both;
}

/* Are both values of the same variable? NULL is none. */
static bool is_same(const char *variable, const char *other)
{
    return other && !strncmp(variable, other, strcspn(other, "=") + 1);
}

/* With these in the environment, NULL for none. Returns only if it fails. */
static void run_stock(const char *stock, char **argv, char *preload,
                      char *quiet)
{
    size_t nr = 0;
    char **env, **to;

    while (environ[nr])
        nr++;
    env = to = alloca((nr + 3) * sizeof(*env));
    if (preload)
        *to++ = preload;
    if (quiet)
        *to++ = quiet;
    for (char **from = environ; *from; from++)
        if (!is_same(*from, preload) && !is_same(*from, quiet))
            *to++ = *from;
    *to = NULL;
    execve(stock, argv, env);
}

/* Among xl's options, those before its subcommand: -N, a dry run? */
static bool is_dry(char *const option[], int nr)
{
    while (nr && !strchr(option[nr - 1], 'N'))
        nr--;
    return nr;
}

/*
 * `xl mem-set` may have a guest grow: a program of ours, which gets its arguments,
 * has it do so on near nodes. It returns at once and goes on in the background.
 */
static void prepare_growth(char **argv)
{
    static const char path[] = PLUGINDIR "/grow";
    int status;
    pid_t child;

    if (!is_command(argv[0], "mem-set", strlen("mem-s")))
        return;
    child = fork();
    if (!child) {
        execv(path, argv);
        fprintf(stderr,
                "xl: warning: %s: %s: the memory that the guest grows by may "
                "be far (is xl-numa installed completely?)\n",
                path, strerror(errno));
        _exit(EXIT_CANNOT);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
}

#define NUMBER_SIZE 16
#define STOCK_PATH_SIZE (sizeof(XEN_PROGRAMS "-./bin/xl") + 2 * NUMBER_SIZE)

/* The first line of a file; false: it cannot be read. */
static bool read_number(const char *path, char number_r[NUMBER_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, number_r, NUMBER_SIZE - 1);

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    number_r[n] = '\0';
    number_r[strcspn(number_r, "\n")] = '\0';
    return true;
}

/*
 * Debian's xl is a shell script that starts the xl of the running hypervisor's
 * version. If STOCK_XL is that one we do so ourselves: a shell less to start. What it
 * would complain of is left to it.
 */
static const char *behind_wrapper(char path[STOCK_PATH_SIZE])
{
    static const char wrapper[] = "/xen-utils-wrapper";
    char link[256], major[NUMBER_SIZE], minor[NUMBER_SIZE], *end;
    ssize_t length = readlink(STOCK_XL, link, sizeof(link));

    if (length < (ssize_t)strlen(wrapper) ||
        memcmp(link + length - strlen(wrapper), wrapper, strlen(wrapper)) ||
        !read_number(XEN_VERSION "/major", major) ||
        !read_number(XEN_VERSION "/minor", minor))
        return STOCK_XL;
    end = stpcpy(stpcpy(path, XEN_PROGRAMS "-"), major);
    stpcpy(stpcpy(stpcpy(end, "."), minor), "/bin/xl");
    return access(path, X_OK) ? STOCK_XL : path;
}

/* Would stock xl be this program again? */
static bool is_self(const char *path)
{
    struct stat self, other;

    return !stat("/proc/self/exe", &self) && !stat(path, &other) &&
           self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* Does not return if it is `xl help SUBCOMMAND` of a plug-in. */
static void help_plugin(char **argv)
{
    char option[] = "--help";
    char *help[] = { NULL, option, NULL };

    if (!argv[0] || strcmp(argv[0], "help"))
        return;
    help[0] = argv[1];
    run_plugin(help);
}

/* Will stock xl list its subcommands? It does without any, too. */
static bool is_list_of_subcommands(char **argv)
{
    return !argv[0] ||
           (!strcmp(argv[0], "help") && (!argv[1] || !strcmp(argv[1], "help")));
}

/*
 * Let a child go on to stock xl, and print our line, in xl's columns, behind what
 * it says. Returns in the child, and where there can be none.
 */
static void list_plugin(void)
{
    char path[PLUGIN_PATH_SIZE];
    int status;
    pid_t child;

    if (!find_plugin("numa-placement", path) || (child = fork()) <= 0)
        return;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            exit(EXIT_CANNOT);
    if (!WIFEXITED(status))
        exit(EXIT_CANNOT);
    printf(" %-19s %s\n", "numa-placement",
           "Show or plan the guests' placement on NUMA nodes");
    exit(fflush(stdout) ? EXIT_CANNOT : WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    int at = find_subcommand(argc, argv);
    static char quiet[] = "XL_NUMA_QUIET=1";
    char path[STOCK_PATH_SIZE], *preload;
    const char *stock;

    occupy_standard();
    run_plugin(argv + at);
    help_plugin(argv + at);
    if (is_self(STOCK_XL)) {
        fprintf(stderr,
                "xl: %s is xl-numa's launcher itself: configure it "
                "--with-xl=PATH of Xen's own xl\n",
                STOCK_XL);
        return EXIT_CANNOT;
    }
    preload = needs_hook(argv[at]) ? preload_hook() : NULL;
    if (is_list_of_subcommands(argv + at))
        list_plugin();
    if (!is_dry(argv + 1, at - 1))
        prepare_growth(argv + at);
    stock = behind_wrapper(path);
    argv[0] = (char *)stock;
    run_stock(stock, argv, preload,
              is_quiet(argc - at, argv + at) ? quiet : NULL);
    fprintf(stderr, "xl: %s: %s\n", stock, strerror(errno));
    return EXIT_CANNOT;
}
