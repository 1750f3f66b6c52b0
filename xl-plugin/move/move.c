/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The course of a move, and of what is left of one that was cut off. */
#include "move/move.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/settings.h"
#include "move/copies.h"
#include "move/journal.h"
#include "move/programs.h"
#include "move/repair.h"
#include "xen/clock.h"
#include "xen/report.h"

/* Destroying a copy takes that long at most, and so does xl when its other end
 * ended. */
#define WAIT_S 60

/* Each step changes what is there: more of them lead nowhere. */
#define STEPS_MAX 16

/* The xl of a run that was killed goes on with its move. */
#define EARLIER_S 86400

struct course {
    struct guest_moves *moves;
    struct move_journal journal;
    struct move_watch watch;
};

static void begin_watch(struct course *course)
{
    course->watch = (struct move_watch){
        .xch = course->moves->xch,
        .uuid = course->journal.uuid,
        .domid = course->journal.start.domid,
    };
}

static void dispose(struct course *course)
{
    move_journal_dispose(&course->journal);
}

/* --- what is left to do --------------------------------------------------- */

static int fail_step(const struct course *course, const char *what,
                     uint32_t domid, char *message)
{
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "%s: domain %" PRIu32 " cannot be %s: say \"xl "
                        "numa-placement rebalance\" again",
                        course->journal.name, domid, what);
}

static int rename_copy(struct course *course, uint32_t domid)
{
    char *now = move_copy_name(course->moves->xs, domid);
    int r = now ? libxl_domain_rename(course->moves->ctx, domid, now,
                                      course->journal.name)
                : -1;

    free(now);
    return r;
}

static int forget_file(const struct course *course, char *message)
{
    const char *file = course->journal.file;

    if (!unlink(file) || errno == ENOENT)
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_IO, "removing %s: %s", file,
                        strerror(errno));
}

/* From then on its memory is the guest, and the file is old. */
static int restore(struct course *course, char *message)
{
    const char *file = course->journal.file;
    char why[XLNUMA_MESSAGE_SIZE];
    int rc = move_program_restore(file, move_watch_look, &course->watch, why);

    if (!rc)
        rc = move_programs_wait(WAIT_S, why);
    if (rc)
        return xlnuma__fail(message, rc,
                            "%s is saved in %s and could not be restored: "
                            "%.200s: say \"xl numa-placement rebalance\" "
                            "again; to give it up, remove the file",
                            course->journal.name, file, why);
    return forget_file(course, message);
}

static int do_step(struct course *course, struct move_decision step,
                   char *message)
{
    static const struct timespec pause = { .tv_nsec = 50000000 };
    libxl_ctx *ctx = course->moves->ctx;

    switch (step.step) {
    case MOVE_STEP_NONE:
        return 0;
    case MOVE_STEP_WAIT:
        nanosleep(&pause, NULL);
        return 0;
    case MOVE_STEP_DESTROY:
        return libxl_domain_destroy(ctx, step.domid, NULL)
                   ? fail_step(course, "destroyed", step.domid, message)
                   : 0;
    case MOVE_STEP_RENAME:
        return rename_copy(course, step.domid)
                   ? fail_step(course, "renamed", step.domid, message)
                   : 0;
    case MOVE_STEP_RESUME:
        return libxl_domain_resume(ctx, step.domid, 1, NULL)
                   ? fail_step(course, "resumed", step.domid, message)
                   : 0;
    case MOVE_STEP_UNPAUSE:
        return libxl_domain_unpause(ctx, step.domid, NULL)
                   ? fail_step(course, "unpaused", step.domid, message)
                   : 0;
    case MOVE_STEP_RESTORE:
        return restore(course, message);
    case MOVE_STEP_FORGET:
        return forget_file(course, message);
    case MOVE_STEP_REFUSE:
        break;
    }
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "%s: domain %" PRIu32 ": %s: which one is the guest "
                        "has to be decided by hand; destroy the others, then "
                        "say \"xl numa-placement rebalance\" again",
                        course->journal.name, step.domid, step.why);
}

static int decide(struct course *course, struct move_decision *step_r,
                  char *message)
{
    const struct move_journal *journal = &course->journal;
    struct move_copies copies;
    int rc = move_copies_read(&copies, course->moves->xch, course->moves->xs,
                              journal->uuid, journal->name, message);

    if (!rc)
        *step_r = move_decide(&journal->start,
                              *journal->file && !access(journal->file, F_OK),
                              copies.copy, copies.nr);
    return rc;
}

static int fail_wait(const struct course *course, char *message)
{
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "%s: a copy of it is not gone after %d s: say \"xl "
                        "numa-placement rebalance\" again",
                        course->journal.name, WAIT_S);
}

/*
 * Until one copy is left, *domid_r; 0: none, as the guest has ended. A step may
 * take as long as it does, but a copy that is being destroyed is not waited for
 * for ever.
 */
static int do_steps(struct course *course, uint32_t *domid_r, char *message)
{
    uint64_t begin_ns = xlnuma__now_ns();
    struct move_decision step;
    unsigned nr = 0;
    int rc;

    do {
        rc = decide(course, &step, message);
        if (!rc)
            rc = do_step(course, step, message);
        if (rc)
            return rc;
        move_watch_look(&course->watch);
        if (step.step != MOVE_STEP_WAIT) {
            begin_ns = xlnuma__now_ns();
            nr++;
        }
        if (nr > STEPS_MAX || xlnuma__now_ns() - begin_ns > WAIT_S * NS_PER_S)
            return fail_wait(course, message);
    } while (step.step != MOVE_STEP_NONE);
    *domid_r = step.domid;
    return 0;
}

/*
 * With all programs of the move over. A first copy that stays is no longer
 * written to page by page, as Xen has it be while it is copied.
 */
static int finish(struct course *course, uint32_t *domid_r, char *message)
{
    struct guest_moves *moves = course->moves;
    int rc = move_programs_wait(WAIT_S, message);

    *domid_r = 0;
    if (!rc)
        rc = do_steps(course, domid_r, message);
    if (!rc && *domid_r == course->journal.start.domid)
        xc_logdirty_control(moves->xch, *domid_r, XEN_DOMCTL_SHADOW_OP_OFF,
                            NULL, 0, 0, NULL);
    if (!rc && *domid_r)
        rc = move_journal_put_back(&course->journal, moves->xs, *domid_r,
                                   message);
    return rc ? rc : move_journal_remove(message);
}

static int finish_earlier(struct guest_moves *moves, char *told_r,
                          char *message)
{
    struct course course = { .moves = moves };
    uint32_t domid;
    int rc = move_programs_wait(EARLIER_S, message);

    *told_r = '\0';
    if (!rc)
        rc = move_journal_read(&course.journal, message);
    if (!rc && course.journal.text) {
        begin_watch(&course);
        rc = finish(&course, &domid, message);
        if (!rc)
            snprintf(told_r, XLNUMA_MESSAGE_SIZE,
                     "%.100s: its move was cut off earlier: %s (domain "
                     "%" PRIu32 ")",
                     course.journal.name,
                     !domid ? "it has ended since"
                     : domid == course.journal.start.domid
                         ? "it runs on where it was"
                         : "it is moved",
                     domid ? domid : course.journal.start.domid);
    }
    dispose(&course);
    return rc;
}

/* --- opening -------------------------------------------------------------- */

int guest_moves_begin(struct guest_moves *moves_r, libxl_ctx *ctx, char *told_r,
                      char *message)
{
    int rc;

    *moves_r = (struct guest_moves){ .ctx = ctx, .lock = -1 };
    moves_r->xch = xc_interface_open(NULL, NULL, 0);
    if (!moves_r->xch)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    moves_r->xs = xs_open(0);
    if (!moves_r->xs)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no connection to xenstore");
    rc = move_lock(&moves_r->lock, message);
    return rc ? rc : finish_earlier(moves_r, told_r, message);
}

void guest_moves_end(struct guest_moves *moves)
{
    if (moves->lock >= 0)
        close(moves->lock);
    if (moves->xs)
        xs_close(moves->xs);
    if (moves->xch)
        xc_interface_close(moves->xch);
    *moves = (struct guest_moves){ .lock = -1 };
}

/* --- one move ------------------------------------------------------------- */

/* NULL, or why such a domain is not moved; *uuid_r is its uuid. */
static const char *why_not(const struct guest_moves *moves, uint32_t domid,
                           char uuid_r[37])
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(moves->xch, domid, 1, &info) != 1 ||
        info.domain != domid || info.flags & XEN_DOMINF_dying)
        return "it is gone";
    move_format_uuid(info.handle, uuid_r);
    if (info.flags & XEN_DOMINF_shutdown)
        return "it has shut down";
    return info.flags & XEN_DOMINF_paused ? "it is paused" : NULL;
}

/*
 * Root's alone, as it will be the guest's memory, and new: what is there may be
 * an older state of the guest. Ownership of the path: the caller's.
 */
static int make_file(const char *dir, const char *uuid, char **file_r,
                     char *message)
{
    char *folder = realpath(dir, NULL);
    int fd = -1;

    if (folder && asprintf(file_r, "%s/%s.moving", folder, uuid) < 0)
        *file_r = NULL;
    if (*file_r)
        fd = open(*file_r, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    free(folder);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    return xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s",
                        *file_r ? *file_r : dir, strerror(errno));
}

static int check(const struct guest_moves *moves, uint32_t domid,
                 const char *name, char uuid_r[37], char *message)
{
    struct move_copies copies = { .nr = 0 };
    const char *why = name ? why_not(moves, domid, uuid_r) : "it has no name";
    int rc;

    if (why)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "domain %" PRIu32 " is not moved: %s", domid, why);
    rc =
        move_copies_read(&copies, moves->xch, moves->xs, uuid_r, name, message);
    return rc || copies.nr == 1
               ? rc
               : xlnuma__fail(message, XLNUMA_ERR_XEN,
                              "%.100s is not moved: another domain has its "
                              "uuid",
                              name);
}

/* What has to be known if we are killed. */
static int write_journal(struct course *course, uint32_t domid, const char *dir,
                         char *message)
{
    struct guest_moves *moves = course->moves;
    char *name = move_copy_name(moves->xs, domid), *file = NULL, uuid[37];
    int rc = check(moves, domid, name, uuid, message);

    if (!rc && dir)
        rc = make_file(dir, uuid, &file, message);
    if (!rc) {
        rc = move_journal_write(&course->journal, moves->xs, domid, uuid, name,
                                file ? file : "", message);
        if (rc && file)
            unlink(file);
    }
    free(file);
    free(name);
    return rc;
}

static int run_xl(struct course *course, char *message)
{
    const struct move_start *start = &course->journal.start;

    begin_watch(course);
    return start->is_by_file
               ? move_program_save(start->domid, course->journal.file,
                                   move_watch_look, &course->watch, message)
               : move_program_migrate(start->domid, move_watch_look,
                                      &course->watch, message);
}

static int read_report(const struct course *course, uint32_t domid,
                       struct guest_moved *moved_r, char *message)
{
    bool has_report;
    int rc = xlnuma__report_read(course->moves->xs, domid, &moved_r->report,
                                 &has_report, message);

    moved_r->domid = domid;
    if (course->watch.began_ns && course->watch.stopped_ns)
        moved_r->down_s =
            (double)(course->watch.began_ns - course->watch.stopped_ns) / 1e9;
    if (!rc && (!has_report || !moved_r->report.expected_distance))
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "%.100s is domain %" PRIu32 " now, but was not "
                          "placed: %.200s",
                          course->journal.name, domid,
                          has_report ? moved_r->report.reason
                                     : "the hook was not there");
    return rc;
}

/* Where the guest is now, as told by the copies. */
static int judge(const struct course *course, uint32_t domid, const char *xl,
                 struct guest_moved *moved_r, char *message)
{
    const char *name = course->journal.name;

    if (domid && domid != course->journal.start.domid)
        return read_report(course, domid, moved_r, message);
    if (!domid)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "%.100s ended while it was moved: %s", name, xl);
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "%.100s was not moved and runs on as domain %" PRIu32
                        "%s: %s",
                        name, domid,
                        course->watch.has_stopped
                            ? ", but xl no longer waits for it to reboot or end"
                            : "",
                        xl);
}

static int move_one(struct course *course, const char *dir, uint32_t domid,
                    struct guest_moved *moved_r, char *message)
{
    char xl[XLNUMA_MESSAGE_SIZE] = "";
    int rc = write_journal(course, domid, dir, message);
    uint32_t now;

    if (rc)
        return rc;
    (void)run_xl(course, xl); /* what is there tells what came of it */
    rc = finish(course, &now, message);
    return rc ? rc : judge(course, now, xl, moved_r, message);
}

/* For the build of the copy: the programs have our environment. */
static int tell_avoid(xlnuma_nodeset avoid, char *message)
{
    char list[64];

    if (!avoid ? !unsetenv(XLNUMA__AVOID)
               : !setenv(XLNUMA__AVOID,
                         xlnuma_nodeset_format(avoid, list, sizeof(list)), 1))
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
}

int guest_move(struct guest_moves *moves, uint32_t domid, const char *dir,
               xlnuma_nodeset avoid, struct guest_moved *moved_r, char *message)
{
    struct course course = { .moves = moves };
    sigset_t signals, before;
    int rc = tell_avoid(avoid, message);

    if (rc)
        return rc;
    memset(moved_r, 0, sizeof(*moved_r));
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    rc = move_one(&course, dir, domid, moved_r, message);
    sigprocmask(SIG_SETMASK, &before, NULL);
    dispose(&course);
    return rc;
}
