/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What builds in flight have been planned to take of each node and have not
 * taken yet: a table in a file that every build on the host reads and writes,
 * whichever process does it. Who has the lock of its first byte plans alone.
 *
 * A claim is a slot of the table and counts while the process that made it has
 * the lock of the slot's first byte, and its domain lives: so nobody has to
 * clean up after a process that died, by SIGKILL even. The locks are those of
 * fcntl() that belong to a process: a child that is forked does not have them.
 * They have one trap, that closing any descriptor of the file gives up all of
 * the process' locks; so there is one descriptor, as long as there are claims.
 */
#include "core/core.h"
#include "xen/xen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

#define RUN_DIR "/run/xl-numa"
#define FILE_NAME "claims"
#define NR_SLOTS 256
#define SLOT_SIZE 1024

/* A turn takes milliseconds; who waits longer is behind a process that hangs. */
#define WAIT_S 5

static const char magic[8] = "xlnuma1";

struct slot {
    char magic[8];
    uint32_t domid;
    uint32_t unused;
    uint8_t handle[16]; /* the domain's uuid */
    uint64_t planned_kb;
    uint64_t left_kb[XLNUMA_NODES_MAX];
};

/* This process' view; a turn holds the lock, so it is recursive. */
static struct {
    pthread_mutex_t lock;
    pid_t pid;
    int fd;            /* meaningful while there are users */
    unsigned nr_users; /* claims, and who has or wants the turn */
    bool is_ours[NR_SLOTS];
} table = { .lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP };

static off_t slot_offset(unsigned slot)
{
    return ((off_t)slot + 1) * SLOT_SIZE;
}

/* --- locks ---------------------------------------------------------------- */

static int lock_byte(short type, off_t offset)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1
    };

    return fcntl(table.fd, F_SETLK, &lock);
}

/* Does another process have the lock? */
static bool is_locked(off_t offset)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1
    };

    return !fcntl(table.fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;
}

/* Not for ever: who has it may have been stopped. */
static int wait_for_turn(void)
{
    static const struct timespec ms = { .tv_nsec = 1000000 };
    struct timespec begun, now;

    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (lock_byte(F_WRLCK, 0)) {
        if (errno != EAGAIN && errno != EACCES)
            return -1;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - begun.tv_sec > WAIT_S) {
            errno = ETIMEDOUT;
            return -1;
        }
        nanosleep(&ms, NULL);
    }
    return 0;
}

/* --- the file ------------------------------------------------------------- */

static int fail_file(char *message, const char *dir, const char *name,
                     const char *why)
{
    return xlnuma__fail(message, XLNUMA_ERR_IO, "%s%s%s: %s", dir,
                        *name ? "/" : "", name, why);
}

/* Nobody else may have had a hand in it. */
static bool is_private(int fd, mode_t type)
{
    struct stat st;

    return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type &&
           st.st_uid == geteuid() && !(st.st_mode & 077);
}

static int open_dir(const char *dir, bool creates, char *message)
{
    int fd;

    if (creates && mkdir(dir, 0700) && errno != EEXIST)
        return fail_file(message, dir, "", strerror(errno));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_file(message, dir, "", strerror(errno));
    if (is_private(fd, S_IFDIR))
        return fd;
    close(fd);
    return fail_file(message, dir, "",
                     "others may write or read there, or own it: remove it");
}

static const char *run_dir(void)
{
    const char *dir = getenv("XL_NUMA_RUN");

    return dir ? dir : RUN_DIR;
}

int xlnuma__run_dir_open(bool creates, char *message)
{
    return open_dir(run_dir(), creates, message);
}

/* Returns the descriptor, or XLNUMA_ERR_IO. */
static int open_table(bool creates, char *message)
{
    const char *dir = run_dir();
    int at, fd;

    at = open_dir(dir, creates, message);
    if (at < 0)
        return at;
    fd = openat(at, FILE_NAME,
                O_RDWR | (creates ? O_CREAT : 0) | O_NOFOLLOW | O_NONBLOCK |
                    O_NOCTTY | O_CLOEXEC,
                0600);
    if (fd < 0) {
        fail_file(message, dir, FILE_NAME, strerror(errno));
    } else if (!is_private(fd, S_IFREG)) {
        close(fd);
        fd = fail_file(message, dir, FILE_NAME,
                       "no file that is root's alone: remove it");
    }
    close(at);
    return fd < 0 ? XLNUMA_ERR_IO : fd;
}

/* A process that was forked has none of what its parent had. */
static void forget_parent(void)
{
    pid_t pid = getpid();

    if (table.pid == pid)
        return;
    if (table.nr_users)
        close(table.fd);
    table.nr_users = 0;
    memset(table.is_ours, 0, sizeof(table.is_ours));
    table.pid = pid;
}

/* With the lock held. Returns 0, XLNUMA_ERR_IO. */
static int add_user(bool creates, char *message)
{
    forget_parent();
    if (!table.nr_users) {
        int fd = open_table(creates, message);

        if (fd < 0)
            return fd;
        table.fd = fd;
    }
    table.nr_users++;
    return 0;
}

static void remove_user(void)
{
    if (!--table.nr_users)
        close(table.fd);
}

void xlnuma__claims_forked(void)
{
    static const pthread_mutex_t free_lock =
        PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

    /* Who held it is in the parent, and may be there for a whole turn. */
    memcpy(&table.lock, &free_lock, sizeof(free_lock));
}

/* --- turns ---------------------------------------------------------------- */

int xlnuma__claims_begin(bool creates, char *message)
{
    int rc;

    *message = '\0';
    pthread_mutex_lock(&table.lock);
    rc = add_user(creates, message);
    if (!rc && wait_for_turn()) {
        rc = xlnuma__fail(message, XLNUMA_ERR_IO,
                          "the lock of the claims of builds in flight: %s",
                          strerror(errno));
        remove_user();
    }
    if (rc)
        pthread_mutex_unlock(&table.lock);
    return rc;
}

void xlnuma__claims_end(void)
{
    lock_byte(F_UNLCK, 0);
    remove_user();
    pthread_mutex_unlock(&table.lock);
}

/* --- reading -------------------------------------------------------------- */

bool xlnuma__domain_lives(xc_interface *xch, uint32_t domid,
                          const uint8_t uuid[], uint64_t *pages_r)
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid || info.flags & XEN_DOMINF_dying ||
        memcmp(info.handle, uuid, sizeof(info.handle)) != 0)
        return false;
    *pages_r = info.tot_pages;
    return true;
}

static uint64_t sum_of(const uint64_t kb[])
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        sum += kb[i];
    return sum;
}

/*
 * What Xen has given in a call that goes on, the slot does not say yet. Where
 * that came from is clear if one node alone has something left to give.
 */
static void subtract_under_way(struct slot *slot, uint64_t has_kb)
{
    uint64_t left_kb = sum_of(slot->left_kb);
    uint64_t told_kb =
        slot->planned_kb > left_kb ? slot->planned_kb - left_kb : 0;
    uint64_t more_kb = has_kb > told_kb ? has_kb - told_kb : 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        if (slot->left_kb[i] && slot->left_kb[i] == left_kb)
            slot->left_kb[i] -= more_kb < left_kb ? more_kb : left_kb;
}

static bool read_slot(unsigned i, struct slot *slot)
{
    return (table.is_ours[i] || is_locked(slot_offset(i))) &&
           pread(table.fd, slot, sizeof(*slot), slot_offset(i)) ==
               (ssize_t)sizeof(*slot) &&
           !memcmp(slot->magic, magic, sizeof(magic));
}

/* How many slots the file has. */
static unsigned count_slots(void)
{
    struct stat st;

    if (fstat(table.fd, &st) || st.st_size <= SLOT_SIZE)
        return 0;
    return st.st_size > slot_offset(NR_SLOTS)
               ? NR_SLOTS
               : (unsigned)((st.st_size - 1) / SLOT_SIZE);
}

void xlnuma__claims_read(xc_interface *xch, uint64_t claimed_kb[])
{
    unsigned nr = count_slots();
    struct slot slot;
    uint64_t pages;

    memset(claimed_kb, 0, XLNUMA_NODES_MAX * sizeof(*claimed_kb));
    for (unsigned i = 0; i < nr; i++) {
        if (!read_slot(i, &slot) ||
            !xlnuma__domain_lives(xch, slot.domid, slot.handle, &pages))
            continue;
        subtract_under_way(&slot, pages * 4);
        for (unsigned n = 0; n < XLNUMA_NODES_MAX; n++) {
            uint64_t room_kb = UINT64_MAX - claimed_kb[n];

            claimed_kb[n] +=
                slot.left_kb[n] < room_kb ? slot.left_kb[n] : room_kb;
        }
    }
}

void xlnuma__claims_apply(struct xlnuma_host *host, const uint64_t claimed_kb[])
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        struct xlnuma_node *node = &host->node[i];

        node->claimed_kb =
            claimed_kb[i] < node->free_kb ? claimed_kb[i] : node->free_kb;
    }
}

void xlnuma__claims_look(xc_interface *xch, uint64_t claimed_kb[])
{
    char message[XLNUMA_MESSAGE_SIZE];

    memset(claimed_kb, 0, XLNUMA_NODES_MAX * sizeof(*claimed_kb));
    if (xlnuma__claims_begin(false, message))
        return;
    xlnuma__claims_read(xch, claimed_kb);
    xlnuma__claims_end();
}

/* --- one build's claim ---------------------------------------------------- */

/* A slot that no living process has, which is then ours; NR_SLOTS: none. */
static unsigned take_slot(void)
{
    for (unsigned i = 0; i < NR_SLOTS; i++)
        if (!table.is_ours[i] && !lock_byte(F_WRLCK, slot_offset(i))) {
            table.is_ours[i] = true;
            return i;
        }
    return NR_SLOTS;
}

static void give_slot(unsigned slot)
{
    static const char nothing[sizeof(magic)];

    /* Who looks at it before it is another's finds no claim. */
    while (pwrite(table.fd, nothing, sizeof(nothing), slot_offset(slot)) < 0 &&
           errno == EINTR)
        ;
    lock_byte(F_UNLCK, slot_offset(slot));
    table.is_ours[slot] = false;
}

static int write_slot(unsigned i, const struct slot *slot)
{
    ssize_t n = pwrite(table.fd, slot, sizeof(*slot), slot_offset(i));

    if (n == (ssize_t)sizeof(*slot))
        return 0;
    if (n >= 0)
        errno = ENOSPC;
    return -1;
}

int xlnuma__claim_make(struct xlnuma__claim *claim, xc_interface *xch,
                       uint32_t domid, const uint64_t kb[], char *message)
{
    struct slot slot = { .domid = domid, .planned_kb = sum_of(kb) };
    xc_domaininfo_t info;
    unsigned i;

    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell of the domain: %s",
                            strerror(errno));
    memcpy(slot.magic, magic, sizeof(magic));
    memcpy(slot.handle, info.handle, sizeof(slot.handle));
    memcpy(slot.left_kb, kb, sizeof(slot.left_kb));
    i = take_slot();
    if (i == NR_SLOTS)
        return xlnuma__fail(message, XLNUMA_ERR_IO,
                            "no room for the claims of more than %d builds",
                            NR_SLOTS);
    if (write_slot(i, &slot)) {
        xlnuma__fail(message, XLNUMA_ERR_IO, "writing its claim: %s",
                     strerror(errno));
        give_slot(i);
        return XLNUMA_ERR_IO;
    }
    table.nr_users++;
    claim->is_there = true;
    claim->slot = i;
    memcpy(claim->left_kb, kb, sizeof(claim->left_kb));
    return 0;
}

void xlnuma__claim_find(struct xlnuma__claim *claim, uint32_t domid)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct slot slot;
    unsigned nr, i;

    pthread_mutex_lock(&table.lock);
    if (add_user(false, message))
        goto out;
    nr = count_slots();
    for (i = 0; i < nr; i++)
        if (read_slot(i, &slot) && slot.domid == domid)
            break;
    if (i == nr) {
        remove_user();
        goto out;
    }
    claim->is_there = true;
    claim->slot = i;
    memcpy(claim->left_kb, slot.left_kb, sizeof(claim->left_kb));
out:
    pthread_mutex_unlock(&table.lock);
}

void xlnuma__claim_taken(struct xlnuma__claim *claim, unsigned node,
                         uint64_t kb)
{
    uint64_t *left_kb = &claim->left_kb[node];
    off_t offset = (off_t)offsetof(struct slot, left_kb) +
                   (off_t)(node * sizeof(*left_kb));

    if (!claim->is_there || !*left_kb || !kb || table.pid != getpid())
        return;
    *left_kb -= kb < *left_kb ? kb : *left_kb;
    /* If this fails the claim is larger than it should be, for a while. */
    while (pwrite(table.fd, left_kb, sizeof(*left_kb),
                  slot_offset(claim->slot) + offset) < 0 &&
           errno == EINTR)
        ;
}

void xlnuma__claim_drop(struct xlnuma__claim *claim)
{
    pthread_mutex_lock(&table.lock);
    if (claim->is_there && table.pid == getpid()) {
        if (table.is_ours[claim->slot])
            give_slot(claim->slot);
        remove_user();
    }
    claim->is_there = false;
    pthread_mutex_unlock(&table.lock);
}
