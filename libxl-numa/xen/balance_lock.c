/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The locks that keep two balancers apart. They are in a file beside that of the
 * builds in flight.
 */
#include "xen/balancer.h"
#include "xen/clock.h"
#include "xen/reservations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "balance"

/* A turn takes milliseconds: a process that has it for longer has been stopped. */
#define WAIT_S 5

/* Bytes of the file: who balances, and who changes affinities. */
enum { BYTE_BALANCER, BYTE_TURN };

/*
 * Locks of open file descriptions: closing another descriptor of the file does
 * not give them up, and they end with the process.
 */
static int lock(int fd, int command, off_t byte)
{
    struct flock flock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
    };

    return fcntl(fd, command, &flock);
}

static int open_file(char *message)
{
    int dir = xlnuma__run_dir_open(true, message), fd;

    if (dir < 0)
        return -1;
    fd =
        openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        xlnuma__fail(message, XLNUMA_ERR_IO,
                     "the file %s beside reservations: %s", FILE_NAME,
                     strerror(errno));
    close(dir);
    return fd;
}

int xlnuma__balance_lock(int *fd_r, char *message)
{
    int fd = open_file(message), err;
    char pid[16] = "";

    *fd_r = -1;
    if (fd < 0)
        return XLNUMA_ERR_IO;
    if (!lock(fd, F_OFD_SETLK, BYTE_BALANCER)) {
        snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        if (ftruncate(fd, 0) || pwrite(fd, pid, strlen(pid), 0) < 0)
            *pid = '\0'; /* only the message of the next one lacks it */
        *fd_r = fd;
        return 0;
    }
    err = errno;
    if (pread(fd, pid, sizeof(pid) - 1, 0) < 0)
        *pid = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    close(fd);
    return err == EAGAIN || err == EACCES
               ? xlnuma__fail(message, XLNUMA_ERR_IO,
                              "another process balances this host (%s): only "
                              "one can; --dry-run changes nothing, and --reset "
                              "is possible meanwhile",
                              *pid ? pid : "unknown")
               : xlnuma__fail(message, XLNUMA_ERR_IO,
                              "the lock of the balancer: %s", strerror(err));
}

long xlnuma__balance_pid(void)
{
    struct flock flock = { .l_type = F_WRLCK,
                           .l_whence = SEEK_SET,
                           .l_start = BYTE_BALANCER,
                           .l_len = 1 };
    char message[XLNUMA_MESSAGE_SIZE], pid[16] = "";
    int dir = xlnuma__run_dir_open(false, message);
    int fd =
        dir < 0 ? -1 : openat(dir, FILE_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    bool is_balanced = fd >= 0 && !fcntl(fd, F_OFD_GETLK, &flock) &&
                       flock.l_type != F_UNLCK &&
                       pread(fd, pid, sizeof(pid) - 1, 0) > 0;

    if (fd >= 0)
        close(fd);
    if (dir >= 0)
        close(dir);
    return is_balanced ? strtol(pid, NULL, 10) : 0;
}

/* Returns 0 or an errno value. */
static int wait_for_turn(int fd)
{
    static const struct timespec ms = { .tv_nsec = 1000000 };
    uint64_t end_ns = xlnuma__now_ns() + (uint64_t)WAIT_S * 1000000000;

    while (lock(fd, F_OFD_SETLK, BYTE_TURN)) {
        if (errno != EAGAIN && errno != EACCES)
            return errno;
        if (xlnuma__now_ns() >= end_ns)
            return ETIMEDOUT;
        nanosleep(&ms, NULL);
    }
    return 0;
}

int xlnuma__balance_turn(char *message)
{
    int fd = open_file(message), err;

    if (fd < 0)
        return -1;
    err = wait_for_turn(fd);
    if (!err)
        return fd;
    xlnuma__fail(message, XLNUMA_ERR_IO, "the lock of affinities: %s",
                 strerror(err));
    close(fd);
    return -1;
}
