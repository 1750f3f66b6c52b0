/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What builds in flight have been planned to take of each node and have not
 * taken yet: a table in a file that every build on the host reads and writes,
 * whichever process does it. The holder of the lock of its first byte plans
 * exclusively. Callers know of no table, so that claims by node of Xen's own can take
 * its place.
 *
 * A reservation is a slot of the table and counts while the process that made it has
 * the lock of the slot's first byte, and its domain lives: so nothing has to be
 * cleaned up after a process that died, even by SIGKILL. The locks are those of
 * fcntl() that belong to a process: a child that is forked does not have them.
 * They have one trap, that closing any descriptor of the file gives up all of
 * the process' locks; so there is one descriptor, as long as there are reservations.
 */
#include "xen/reservations.h"
#include "xen/clock.h"

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
#define FILE_NAME "reservations"
#define NR_SLOTS 256
#define SLOT_SIZE 1024

/* A turn takes milliseconds: a process that has it for longer hangs. */
#define WAIT_S 5

/* A call to Xen for memory does not take so long: its builder was stopped. */
#define AGE_S 60

/* To tell of each call, which gives 8 MiB or so, would cost a large guest 0.5 %. */
#define TELL_KB (64 * 1024)

static const char magic[8] = "xlnuma1";

struct slot {
    char magic[8];
    uint32_t domid;
    uint32_t unused;
    uint8_t handle[16]; /* the domain's uuid */
    uint64_t planned_kb;
    uint64_t left_kb[XLNUMA_NODES_MAX];
    uint64_t told_s; /* when that was written; zero: by version 0.1 */
};

/* Held by the thread that has this process' turn, or waits for it. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* This process' view. */
static struct {
    pthread_mutex_t lock;
    pid_t pid;
    int fd; /* meaningful while there are users */
    unsigned
        nr_users; /* reservations, and threads that have or want the turn */
    bool is_ours[NR_SLOTS];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

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

static int try_process(void)
{
    return pthread_mutex_trylock(&turn);
}

static int try_host(void)
{
    if (!lock_byte(F_WRLCK, 0))
        return 0;
    return errno == EAGAIN || errno == EACCES ? EBUSY : errno;
}

static int wait_for(int (*try)(void), uint64_t end_ns)
{
    static const struct timespec ms = { .tv_nsec = 1000000 };
    int err;

    while ((err = try()) == EBUSY) {
        if (xlnuma__now_ns() >= end_ns)
            return ETIMEDOUT;
        nanosleep(&ms, NULL);
    }
    return err;
}

/*
 * The process' turn, then the host's, with one timeout for both: who has it may
 * have been stopped, and all threads here are to know that at the same time.
 * Returns 0 or an errno value.
 */
static int wait_for_turn(uint64_t end_ns)
{
    int err = wait_for(try_process, end_ns);

    if (err)
        return err;
    err = wait_for(try_host, end_ns);
    if (err)
        pthread_mutex_unlock(&turn);
    return err;
}

/* --- the file ------------------------------------------------------------- */

static int fail_file(char *message, const char *dir, const char *name,
                     const char *why)
{
    return xlnuma__fail(message, XLNUMA_ERR_IO, "%s%s%s: %s", dir,
                        *name ? "/" : "", name, why);
}

/* No other user may be able to write to it. */
static bool is_private(int fd, mode_t type)
{
    struct stat st;

    return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type &&
           st.st_uid == geteuid() && !(st.st_mode & 077);
}

static int open_dir(const char *dir, bool creates, char *message)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = open(dir, flags);

    if (fd < 0 && errno == ENOENT && creates &&
        (!mkdir(dir, 0700) || errno == EEXIST))
        fd = open(dir, flags);
    if (fd < 0)
        return fail_file(message, dir, "", strerror(errno));
    if (is_private(fd, S_IFDIR))
        return fd;
    close(fd);
    errno = EPERM;
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

static int open_for_user(bool creates, char *message)
{
    int rc;

    pthread_mutex_lock(&table.lock);
    rc = add_user(creates, message);
    pthread_mutex_unlock(&table.lock);
    return rc;
}

static void close_for_user(void)
{
    pthread_mutex_lock(&table.lock);
    remove_user();
    pthread_mutex_unlock(&table.lock);
}

void xlnuma__reservations_forked(void)
{
    static const pthread_mutex_t free_lock = PTHREAD_MUTEX_INITIALIZER;

    /* Who held them is in the parent, and may be there for a whole turn. */
    memcpy(&table.lock, &free_lock, sizeof(free_lock));
    memcpy(&turn, &free_lock, sizeof(free_lock));
}

/* --- turns ---------------------------------------------------------------- */

int xlnuma__reservations_begin(char *message)
{
    uint64_t end_ns = xlnuma__now_ns() + WAIT_S * NS_PER_S;
    int rc, err;

    *message = '\0';
    rc = open_for_user(true, message);
    if (rc)
        return rc;
    err = wait_for_turn(end_ns);
    if (!err)
        return 0;
    close_for_user();
    return xlnuma__fail(message, XLNUMA_ERR_IO,
                        "the lock of the reservations of builds in flight: %s",
                        strerror(err));
}

static void give_turn(void)
{
    lock_byte(F_UNLCK, 0);
    pthread_mutex_unlock(&turn);
}

void xlnuma__reservations_end(void)
{
    give_turn();
    close_for_user();
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
 * that came from is clear if one node alone has something left to give. A call
 * that goes on for long does not go on: its memory came from each node alike.
 */
static void subtract_under_way(struct slot *slot, uint64_t has_kb)
{
    uint64_t left_kb = sum_of(slot->left_kb);
    uint64_t lacks_kb =
        slot->planned_kb > has_kb ? slot->planned_kb - has_kb : 0;
    bool is_old = xlnuma__now_ns() / NS_PER_S - slot->told_s > AGE_S;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX && lacks_kb < left_kb; i++)
        if (is_old || slot->left_kb[i] == left_kb)
            slot->left_kb[i] =
                (uint64_t)((xlnuma__u128)slot->left_kb[i] * lacks_kb / left_kb);
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

/* With the lock held: all reservations but that of one slot. */
static void read_all_but(unsigned but, xc_interface *xch,
                         uint64_t reserved_kb[])
{
    unsigned nr = count_slots();
    struct slot slot;
    uint64_t pages;

    memset(reserved_kb, 0, XLNUMA_NODES_MAX * sizeof(*reserved_kb));
    for (unsigned i = 0; i < nr; i++) {
        if (i == but || !read_slot(i, &slot) ||
            !xlnuma__domain_lives(xch, slot.domid, slot.handle, &pages))
            continue;
        subtract_under_way(&slot, pages * 4);
        for (unsigned n = 0; n < XLNUMA_NODES_MAX; n++) {
            uint64_t room_kb = UINT64_MAX - reserved_kb[n];

            reserved_kb[n] +=
                slot.left_kb[n] < room_kb ? slot.left_kb[n] : room_kb;
        }
    }
}

void xlnuma__reservations_read(xc_interface *xch, uint64_t reserved_kb[])
{
    pthread_mutex_lock(&table.lock);
    read_all_but(NR_SLOTS, xch, reserved_kb);
    pthread_mutex_unlock(&table.lock);
}

void xlnuma__reservations_apply(struct xlnuma_host *host,
                                const uint64_t reserved_kb[])
{
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        struct xlnuma_node *node = &host->node[i];

        node->reserved_kb =
            reserved_kb[i] < node->free_kb ? reserved_kb[i] : node->free_kb;
    }
}

void xlnuma__reservations_look(xc_interface *xch, uint64_t reserved_kb[])
{
    char message[XLNUMA_MESSAGE_SIZE];

    memset(reserved_kb, 0, XLNUMA_NODES_MAX * sizeof(*reserved_kb));
    if (open_for_user(false, message))
        return;
    xlnuma__reservations_read(xch, reserved_kb);
    close_for_user();
}

/* --- one build's reservation ---------------------------------------------------- */

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

    /* Readers find no reservation until it is written as a whole. */
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

/* With the lock held. */
static int make_reservation(struct xlnuma__reservation *reservation,
                            const struct slot *slot, char *message)
{
    unsigned i = take_slot();

    if (i == NR_SLOTS)
        return xlnuma__fail(
            message, XLNUMA_ERR_IO,
            "no room for the reservations of more than %d builds", NR_SLOTS);
    if (write_slot(i, slot)) {
        xlnuma__fail(message, XLNUMA_ERR_IO, "writing its reservation: %s",
                     strerror(errno));
        give_slot(i);
        return XLNUMA_ERR_IO;
    }
    table.nr_users++;
    reservation->is_there = true;
    reservation->slot = i;
    memcpy(reservation->left_kb, slot->left_kb, sizeof(reservation->left_kb));
    return 0;
}

int xlnuma__reservation_make(struct xlnuma__reservation *reservation,
                             xc_interface *xch, uint32_t domid,
                             const uint64_t kb[], char *message)
{
    struct slot slot = { .domid = domid,
                         .planned_kb = sum_of(kb),
                         .told_s = xlnuma__now_ns() / NS_PER_S };
    xc_domaininfo_t info;
    int rc;

    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell of the domain: %s",
                            strerror(errno));
    memcpy(slot.magic, magic, sizeof(magic));
    memcpy(slot.handle, info.handle, sizeof(slot.handle));
    memcpy(slot.left_kb, kb, sizeof(slot.left_kb));
    pthread_mutex_lock(&table.lock);
    rc = make_reservation(reservation, &slot, message);
    pthread_mutex_unlock(&table.lock);
    return rc;
}

void xlnuma__reservation_find(struct xlnuma__reservation *reservation,
                              uint32_t domid)
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
    reservation->is_there = true;
    reservation->slot = i;
    memcpy(reservation->left_kb, slot.left_kb, sizeof(reservation->left_kb));
out:
    pthread_mutex_unlock(&table.lock);
}

/*
 * If this fails the reservation is larger than it should be, for a while. A child has
 * none: its parent tells.
 */
static void tell_left(struct xlnuma__reservation *reservation)
{
    struct {
        uint64_t left_kb[XLNUMA_NODES_MAX];
        uint64_t told_s;
    } part = { .told_s = xlnuma__now_ns() / NS_PER_S };
    off_t offset =
        slot_offset(reservation->slot) + (off_t)offsetof(struct slot, left_kb);

    _Static_assert(offsetof(struct slot, told_s) -
                           offsetof(struct slot, left_kb) ==
                       sizeof(part.left_kb),
                   "one follows the other");
    if (table.pid != getpid())
        return;
    memcpy(part.left_kb, reservation->left_kb, sizeof(part.left_kb));
    reservation->untold_kb = 0;
    while (pwrite(table.fd, &part, sizeof(part), offset) < 0 && errno == EINTR)
        ;
}

void xlnuma__reservation_taken(struct xlnuma__reservation *reservation,
                               unsigned node, uint64_t kb)
{
    uint64_t *left_kb = &reservation->left_kb[node];

    if (!reservation->is_there || !*left_kb || !kb)
        return;
    kb = kb < *left_kb ? kb : *left_kb;
    *left_kb -= kb;
    reservation->untold_kb += kb;
    if (reservation->untold_kb >= TELL_KB || !*left_kb)
        tell_left(reservation);
}

/* From the nodes that have most left to give. */
static void move_left(uint64_t left_kb[], unsigned node, uint64_t kb)
{
    while (kb) {
        unsigned most = node ? 0 : 1;
        uint64_t part_kb;

        for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
            if (i != node && left_kb[i] > left_kb[most])
                most = i;
        part_kb = kb < left_kb[most] ? kb : left_kb[most];
        if (!part_kb)
            return;
        left_kb[most] -= part_kb;
        left_kb[node] += part_kb;
        kb -= part_kb;
    }
}

bool xlnuma__reservation_move(struct xlnuma__reservation *reservation,
                              xc_interface *xch, unsigned node, uint64_t kb)
{
    uint64_t others_kb[XLNUMA_NODES_MAX];

    if (!reservation->is_there || table.pid != getpid())
        return true;
    if (try_process())
        return false;
    if (try_host()) {
        pthread_mutex_unlock(&turn);
        return false;
    }
    pthread_mutex_lock(&table.lock);
    read_all_but(reservation->slot, xch, others_kb);
    pthread_mutex_unlock(&table.lock);
    if (!others_kb[node]) {
        move_left(reservation->left_kb, node, kb);
        tell_left(reservation);
    }
    give_turn();
    return !others_kb[node];
}

void xlnuma__reservation_drop(struct xlnuma__reservation *reservation)
{
    pthread_mutex_lock(&table.lock);
    if (reservation->is_there && table.pid == getpid()) {
        if (table.is_ours[reservation->slot])
            give_slot(reservation->slot);
        remove_user();
    }
    reservation->is_there = false;
    pthread_mutex_unlock(&table.lock);
}
