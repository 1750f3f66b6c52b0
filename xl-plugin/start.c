/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the launcher starts if it is linked statically: before libc, whose own start
 * would take it most of its time. `xl create`, with no option but -q, goes on to stock
 * xl from here when nothing has to be said or done first; all else is left to libc
 * and main(). Nothing of libc works here, not even string functions or the stack
 * protector; loops are over volatile text, or the compiler would make calls of them.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BARE __attribute__((no_stack_protector))

/* The kernel's answer: an error is below zero. */
BARE static long call(long nr, long first, long second, long third)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

BARE static bool is_same(const volatile char *a, const volatile char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

BARE static bool begins(const volatile char *text, const volatile char *with)
{
    while (*with && *text == *with)
        text++, with++;
    return !*with;
}

/* Returns the end. */
BARE static char *append(char *to, const volatile char *from)
{
    volatile char *end = to;

    while ((*end = *from++))
        end++;
    return (char *)end;
}

/* --- which xl is stock xl? ------------------------------------------------------ */

#define NUMBER_SIZE 16

/* The first line of a file; false: it cannot be read. */
BARE static bool read_number(const char *path, char number_r[NUMBER_SIZE])
{
    long fd = call(SYS_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
    long n = -1;

    if (fd >= 0) {
        n = call(SYS_read, fd, (long)number_r, NUMBER_SIZE - 1);
        call(SYS_close, fd, 0, 0);
    }
    for (long i = 0; i < n; i++)
        if (number_r[i] == '\n')
            n = i;
    if (n >= 0)
        number_r[n] = '\0';
    return n > 0;
}

/* Is it Debian's shell script, which a link leads to? */
BARE static bool is_wrapper(const char *path)
{
    static const char name[] = "/xen-utils-wrapper";
    char link[256];
    long length = call(SYS_readlink, (long)path, (long)link, sizeof(link) - 1);

    if (length < (long)sizeof(name) - 1)
        return false;
    link[length] = '\0';
    return is_same(link + length - (sizeof(name) - 1), name);
}

/*
 * Debian's script starts the xl of the running hypervisor's version. If STOCK_XL is
 * that one we do so ourselves: a shell less to start. What it would complain of is
 * left to it.
 */
BARE const char *xlnuma__stock_xl(char path[STOCK_PATH_SIZE])
{
    char major[NUMBER_SIZE], minor[NUMBER_SIZE], *end;

    if (!is_wrapper(STOCK_XL) || !read_number(XEN_VERSION "/major", major) ||
        !read_number(XEN_VERSION "/minor", minor))
        return STOCK_XL;
    end = append(append(path, XEN_PROGRAMS "-"), major);
    append(append(append(end, "."), minor), "/bin/xl");
    return call(SYS_access, (long)path, X_OK, 0) ? STOCK_XL : path;
}

BARE bool xlnuma__is_self(const char *path)
{
    struct stat self, other;

    return !call(SYS_stat, (long)"/proc/self/exe", (long)&self, 0) &&
           !call(SYS_stat, (long)path, (long)&other, 0) &&
           self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* --- xl create ------------------------------------------------------------------- */

/* "create", and no option but -q; -f takes the next argument, which may look like it. */
BARE static bool is_plain(char *const argv[], bool *is_quiet_r)
{
    *is_quiet_r = false;
    if (!argv[0] || !argv[1] || !is_same(argv[1], "create"))
        return false;
    for (unsigned i = 2; argv[i]; i++)
        if (is_same(argv[i], "-q"))
            *is_quiet_r = true;
        else if (argv[i][0] == '-')
            return false;
    return true;
}

#define ENVIRONMENT_MAX 500

/* Where both have to go; false: some is there already, or there are too many. */
BARE static bool copy_environment(const char *env_r[], char *const env[],
                                  bool is_quiet)
{
    unsigned nr = 0;

    for (; env[nr]; nr++) {
        if (nr == ENVIRONMENT_MAX || begins(env[nr], "LD_PRELOAD=") ||
            begins(env[nr], "XL_NUMA_QUIET="))
            return false;
        env_r[nr] = env[nr];
    }
    env_r[nr++] = "LD_PRELOAD=" PRELOAD;
    if (is_quiet)
        env_r[nr++] = "XL_NUMA_QUIET=1";
    env_r[nr] = NULL;
    return true;
}

/* Is all there that main() would find, and nothing else? */
BARE static bool is_ready(void)
{
    for (long fd = 0; fd <= STDERR_FILENO; fd++)
        if (call(SYS_fcntl, fd, F_GETFD, 0) < 0)
            return false;
    return call(SYS_access, (long)PLUGINDIR "/xl-create", X_OK, 0) == -ENOENT &&
           !call(SYS_access, (long)PRELOAD, R_OK, 0) &&
           !xlnuma__is_self(STOCK_XL);
}

/* The stack as the kernel made it: a number, arguments, environment. */
void xlnuma__start_create(char **stack);
BARE void xlnuma__start_create(char **stack)
{
    char **argv = stack + 1, **env = argv + (size_t)stack[0] + 1;
    const char *new_env[ENVIRONMENT_MAX + 3], *stock;
    char path[STOCK_PATH_SIZE], *before;
    bool is_quiet;

    if (!is_plain(argv, &is_quiet) ||
        !copy_environment(new_env, env, is_quiet) || !is_ready())
        return;
    stock = xlnuma__stock_xl(path);
    before = argv[0];
    argv[0] = (char *)stock;
    call(SYS_execve, (long)stock, (long)argv, (long)new_env);
    argv[0] = before;
}

/* libc's start finds the stack, and %rdx, as they were. */
__asm__(".text\n"
        ".globl xlnuma__start\n"
        ".type xlnuma__start, @function\n"
        "xlnuma__start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %r12\n"
        "    mov %rdx, %r13\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call xlnuma__start_create\n"
        "    mov %r12, %rsp\n"
        "    mov %r13, %rdx\n"
        "    jmp _start\n"
        ".size xlnuma__start, . - xlnuma__start\n");
