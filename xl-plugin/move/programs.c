/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs of a move, and the locks. */
#include "move/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "installed.h"
#include "xen/clock.h"
#include "xen/reservations.h"

#define LOCK_NAME "move.lock"

/* Bytes of the file: who moves guests, and programs that do. */
enum { BYTE_MOVER, BYTE_PROGRAMS };

/* The programs have the lock under this number. */
#define LOCK_FD 8

/*
 * The receiver lives on as the guest's monitor: so not it has the lock, but the shell
 * that waits for it. (Of one command alone a shell would become that command.)
 */
#define WITHOUT_LOCK "8>&-; exit $?"

/* --- locks ---------------------------------------------------------------- */

static int open_beside(const char *name, int flags, char *message)
{
    int dir = xlnuma__run_dir_open(true, message), fd;

    if (dir < 0)
        return -1;
    fd = openat(dir, name, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        xlnuma__fail(message, XLNUMA_ERR_IO,
                     "the file %s beside reservations: %s", name,
                     strerror(errno));
    close(dir);
    return fd;
}

/*
 * Of the open file: a child that has it has the lock, too. Returns 0 or an errno
 * value, EAGAIN when another has it.
 */
static int try_lock(int fd, off_t byte)
{
    struct flock flock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
    };

    return fcntl(fd, F_OFD_SETLK, &flock) ? errno : 0;
}

int move_lock(int *fd_r, char *message)
{
    int err;

    *fd_r = open_beside(LOCK_NAME, O_RDWR, message);
    if (*fd_r < 0)
        return XLNUMA_ERR_IO;
    err = try_lock(*fd_r, BYTE_MOVER);
    if (!err)
        return 0;
    close(*fd_r);
    *fd_r = -1;
    return err == EAGAIN || err == EACCES
               ? xlnuma__fail(message, XLNUMA_ERR_IO,
                              "another process moves guests of this host: "
                              "wait until it is done")
               : xlnuma__fail(message, XLNUMA_ERR_IO, "the lock of moves: %s",
                              strerror(err));
}

static void pause_look(void)
{
    static const struct timespec pause = { .tv_nsec = 10000000 };

    nanosleep(&pause, NULL);
}

int move_programs_wait(unsigned seconds, char *message)
{
    uint64_t end_ns = xlnuma__now_ns() + seconds * NS_PER_S;
    int fd = open_beside(LOCK_NAME, O_RDWR, message), err;

    if (fd < 0)
        return XLNUMA_ERR_IO;
    while ((err = try_lock(fd, BYTE_PROGRAMS)) && xlnuma__now_ns() < end_ns)
        pause_look();
    close(fd);
    return err ? xlnuma__fail(message, XLNUMA_ERR_IO,
                              "an xl of the move still runs: wait until it "
                              "ends, and say \"xl numa-placement rebalance\" "
                              "again")
               : 0;
}

/* --- one program ---------------------------------------------------------- */

/* What it said first of what went wrong, as the rest follows from that; or last. */
static void choose_words(int log, char *words, size_t size)
{
    char text[16384];
    ssize_t n = pread(log, text, sizeof(text) - 1, 0);

    *words = '\0';
    text[n > 0 ? n : 0] = '\0';
    for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        snprintf(words, size, "%s", line);
        if (strstr(line, "rror") || strstr(line, "unexpected data") ||
            strstr(line, "not found"))
            return;
    }
}

/* In a session of its own: ^C is for us alone, and we end with the move. */
static int start(const char *const argv[], int log, int lock, pid_t *pid_r)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    int err;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, log, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, log, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files, lock, LOCK_FD);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    err = posix_spawn(pid_r, argv[0], &files, &attributes, (char *const *)argv,
                      environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return err;
}

static int wait_for(pid_t pid, move_look_fn *look, void *data)
{
    int status;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        look(data);
        pause_look();
    }
    return status;
}

static int run_with(const char *what, const char *const argv[], int log,
                    int lock, move_look_fn *look, void *data, char *message)
{
    char words[256];
    int err = try_lock(lock, BYTE_PROGRAMS), status;
    pid_t pid;

    if (!err)
        err = start(argv, log, lock, &pid);
    close(lock);
    if (err)
        return xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s", argv[0],
                            strerror(err));
    status = wait_for(pid, look, data);
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return 0;
    choose_words(log, words, sizeof(words));
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "\"%s\" failed%s%s (all that was said is in %s beside "
                        "reservations)",
                        what, *words ? ": " : "", words, MOVE_LOG);
}

static int run(const char *what, const char *const argv[], move_look_fn *look,
               void *data, char *message)
{
    int log = open_beside(MOVE_LOG, O_RDWR | O_TRUNC | O_APPEND, message), lock;
    int rc = XLNUMA_ERR_IO;

    if (log < 0)
        return XLNUMA_ERR_IO;
    lock = open_beside(LOCK_NAME, O_RDWR, message);
    if (lock >= 0)
        rc = run_with(what, argv, log, lock, look, data, message);
    close(log);
    return rc;
}

/* --- which ---------------------------------------------------------------- */

int move_program_migrate(uint32_t domid, move_look_fn *look, void *data,
                         char *message)
{
    char id[16], receiver[512];
    const char *argv[] = { installed.stock_xl, "migrate", "-s", "", id,
                           receiver,           NULL };

    snprintf(id, sizeof(id), "%" PRIu32, domid);
    snprintf(receiver, sizeof(receiver), "'%s' migrate-receive %s",
             installed.launcher, WITHOUT_LOCK);
    return run("xl migrate", argv, look, data, message);
}

int move_program_save(uint32_t domid, const char *file, move_look_fn *look,
                      void *data, char *message)
{
    char id[16];
    const char *argv[] = { installed.stock_xl, "save", id, file, NULL };

    snprintf(id, sizeof(id), "%" PRIu32, domid);
    return run("xl save", argv, look, data, message);
}

int move_program_restore(const char *file, move_look_fn *look, void *data,
                         char *message)
{
    static const char script[] = "\"$0\" restore -p \"$1\" " WITHOUT_LOCK;
    const char *argv[] = { "/bin/sh",          "-c", script,
                           installed.launcher, file, NULL };

    return run("xl restore", argv, look, data, message);
}
