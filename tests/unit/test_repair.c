/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a move to do: every state of a guest's copies, once. */
#include "move/repair.h"
#include "unit.h"

#include <string.h>

enum { FIRST = 5 }; /* the domain that the move began with */

enum {
    NONE = MOVE_STEP_NONE,
    WAIT = MOVE_STEP_WAIT,
    DESTROY = MOVE_STEP_DESTROY,
    RENAME = MOVE_STEP_RENAME,
    RESUME = MOVE_STEP_RESUME,
    UNPAUSE = MOVE_STEP_UNPAUSE,
    RESTORE = MOVE_STEP_RESTORE,
    FORGET = MOVE_STEP_FORGET,
    REFUSE = MOVE_STEP_REFUSE
};

/* Copies by a letter for each thing that is true, "" is none. */
struct row {
    const char *what;
    const char *first, *other, *third;
    char how; /* 'l'ive; by file, which is 't'here or 'a'bsent */
    unsigned step, domid;
};

/*
 * b: it is there; P: paused, S: suspended, X: shut down for another reason, R: it has
 * run, N: it has xl's name for a copy, D: dying. Domains 5, 7 and 9.
 */
/* clang-format off */
static const struct row rows[] = {
    { "it runs: nothing was done", "bR", "", "", 'l', NONE, 5 },
    { "it is idle since it was built", "b", "", "", 'l', NONE, 5 },
    { "its user paused it meanwhile", "bRP", "", "", 'l', NONE, 5 },
    { "it ended by itself", "", "", "", 'l', NONE, 0 },
    { "it is shut down, which its monitor sees to", "bRX", "", "", 'l', NONE, 5 },

    { "the receiver was killed: a copy that never ran", "bR", "bPN", "", 'l', DESTROY, 7 },
    { "and the sender, when the guest was suspended", "bRS", "bPN", "", 'l', DESTROY, 7 },
    { "then the guest runs on", "bRS", "", "", 'l', RESUME, 5 },
    { "killed after GO: first its name", "bRSN", "bPN", "", 'l', DESTROY, 7 },
    { "killed after GO, before the rename", "bRSN", "", "", 'l', RENAME, 5 },
    { "killed after GO and the rename", "bRSN", "bP", "", 'l', DESTROY, 7 },
    { "it shut down while it was copied", "bRX", "bPN", "", 'l', DESTROY, 7 },
    { "it never had CPU time, but is the guest", "bS", "", "", 'l', RESUME, 5 },

    { "killed after unpause: the copy has run", "bRSN", "bR", "", 'l', DESTROY, 5 },
    { "it may run, but had no CPU time yet", "bRSN", "b", "", 'l', DESTROY, 5 },
    { "its user paused it at once", "bRSN", "bRP", "", 'l', DESTROY, 5 },
    { "its user saves it already", "bRSN", "bRS", "", 'l', DESTROY, 5 },
    { "it runs under xl's name", "bRSN", "bRN", "", 'l', DESTROY, 5 },
    { "then it is renamed", "", "bRN", "", 'l', RENAME, 7 },
    { "then all is done", "", "bR", "", 'l', NONE, 7 },
    { "its user saves it: that is the user's", "", "bRS", "", 'l', NONE, 7 },
    { "one of an earlier move, that never ran", "", "bR", "bPN", 'l', DESTROY, 9 },
    { "three of them: the one that never ran is not in the way", "bRSN", "bR", "bPN", 'l', DESTROY, 5 },

    { "both run: not ours to choose", "bR", "bR", "", 'l', REFUSE, 7 },
    { "both may run", "bR", "b", "", 'l', REFUSE, 7 },
    { "the first runs, its copy has", "bR", "bRP", "", 'l', REFUSE, 7 },
    { "the first shut down by itself, and the copy has run", "bRX", "bR", "", 'l', REFUSE, 7 },
    { "two copies have run", "bRSN", "bR", "bR", 'l', REFUSE, 9 },
    { "two copies have run, and the first is gone", "", "bR", "bR", 'l', REFUSE, 9 },
    { "the copy never ran, and the first is gone", "", "bPN", "", 'l', REFUSE, 7 },

    { "the first is being destroyed", "bRSD", "bR", "", 'l', WAIT, 0 },
    { "the copy is", "bRS", "bPND", "", 'l', WAIT, 0 },
    { "both are", "bRSD", "bPND", "", 'l', WAIT, 0 },

    { "by file: not begun", "bR", "", "", 'a', NONE, 5 },
    { "half saved: it runs", "bR", "", "", 't', FORGET, 5 },
    { "half or wholly saved, and suspended: it runs on first", "bRS", "", "", 't', RESUME, 5 },
    { "it is in the file alone", "", "", "", 't', RESTORE, 0 },
    { "half or wholly restored: again", "", "bP", "", 't', DESTROY, 7 },
    { "restored, as the file is gone", "", "bP", "", 'a', UNPAUSE, 7 },
    { "it runs", "", "bR", "", 'a', NONE, 7 },
    { "its user restored it: the file is old", "", "bR", "", 't', FORGET, 7 },
    { "saved, and restored by its user, and the first not gone", "bRS", "bR", "", 't', DESTROY, 5 },
    { "its user gave it up, and removed the file", "", "", "", 'a', NONE, 0 },
    { "two that never ran: which is whole?", "", "bP", "bP", 'a', REFUSE, 9 },
};
/* clang-format on */

static unsigned add_copy(struct move_copy *copy, uint32_t domid,
                         const char *text)
{
    *copy = (struct move_copy){
        .domid = domid,
        .is_dying = strchr(text, 'D'),
        .is_paused = strchr(text, 'P'),
        .is_shut_down = strchr(text, 'S') || strchr(text, 'X'),
        .is_suspended = strchr(text, 'S'),
        .has_run = strchr(text, 'R'),
        .is_misnamed = strchr(text, 'N'),
    };
    return *text ? 1 : 0;
}

static void each_state(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *row = &rows[i];
        struct move_start start = { FIRST, row->how != 'l' };
        struct move_copy copies[3];
        struct move_decision step;
        unsigned nr = add_copy(copies, FIRST, row->first);

        nr += add_copy(copies + nr, 7, row->other);
        nr += add_copy(copies + nr, 9, row->third);
        step = move_decide(&start, row->how == 't', copies, nr);
        if (step.step != row->step || step.domid != row->domid)
            printf("# %s: step %d of domain %u\n", row->what, (int)step.step,
                   step.domid);
        CU_ASSERT_EQUAL(step.step, row->step);
        CU_ASSERT_EQUAL(step.domid, row->domid);
        CU_ASSERT_EQUAL(step.step == MOVE_STEP_REFUSE, !!step.why);
    }
}

/* --- the promises, in every state there can be ------------------------------ */

/* Kinds of a copy: each set of the flags below; then none is there. */
enum { NO_COPY = 16, KINDS };

/* Bits: is_paused, is_suspended, has_run, is_misnamed. */
static unsigned add_kind(struct move_copy *copy, uint32_t domid, unsigned kind)
{
    *copy = (struct move_copy){ .domid = domid,
                                .is_paused = kind & 1,
                                .is_shut_down = kind & 2,
                                .is_suspended = kind & 2,
                                .has_run = kind & 4,
                                .is_misnamed = kind & 8 };
    return kind != NO_COPY;
}

static bool can_run(const struct move_copy *copy)
{
    return !copy->is_paused && !copy->is_suspended;
}

/* Did it run later than the first one? */
static bool is_later(const struct move_copy *copy)
{
    return copy->domid != FIRST && (copy->has_run || !copy->is_paused);
}

/* What the step does; the copies that are left. */
static unsigned do_step(struct move_decision step, struct move_copy copies[],
                        unsigned nr, bool *has_file)
{
    unsigned at = 0;

    while (at < nr && copies[at].domid != step.domid)
        at++;
    switch (step.step) {
    case MOVE_STEP_DESTROY:
        memmove(copies + at, copies + at + 1, (nr - at - 1) * sizeof(*copies));
        return nr - 1;
    case MOVE_STEP_RENAME:
        copies[at].is_misnamed = false;
        break;
    case MOVE_STEP_RESUME:
        copies[at].is_shut_down = copies[at].is_suspended = false;
        break;
    case MOVE_STEP_UNPAUSE:
        copies[at].is_paused = false;
        break;
    case MOVE_STEP_RESTORE:
        *has_file = false;
        return add_kind(copies, 11, 1);
    case MOVE_STEP_FORGET:
        *has_file = false;
        break;
    default:
        break;
    }
    return nr;
}

/*
 * Step by step to the end: a copy that ran last is never destroyed, nor one that is all
 * that is left; none is let run beside another, and a file that is the guest alone is
 * not removed.
 */
static bool keeps_promises(const struct move_start *start, bool has_file,
                           struct move_copy copies[], unsigned nr)
{
    for (unsigned steps = 0; steps < 16; steps++) {
        struct move_decision step = move_decide(start, has_file, copies, nr);
        const struct move_copy *meant = NULL;
        unsigned nr_later = 0, nr_running = 0;

        for (unsigned i = 0; i < nr; i++) {
            if (copies[i].domid == step.domid)
                meant = &copies[i];
            nr_later += is_later(&copies[i]);
            nr_running += can_run(&copies[i]);
        }
        if (step.step == MOVE_STEP_DESTROY &&
            (is_later(meant) || (nr == 1 && !has_file) ||
             (meant->domid == FIRST && (!nr_later || can_run(meant)))))
            return false;
        if ((step.step == MOVE_STEP_RESUME || step.step == MOVE_STEP_UNPAUSE) &&
            (nr_running || nr != 1))
            return false;
        if (step.step == MOVE_STEP_FORGET && !nr)
            return false;
        if (step.step == MOVE_STEP_NONE || step.step == MOVE_STEP_REFUSE)
            return step.step == MOVE_STEP_REFUSE || nr <= 1;
        nr = do_step(step, copies, nr, &has_file);
    }
    return false; /* there is no end */
}

static void promises(void)
{
    unsigned nr_wrong = 0;

    for (unsigned state = 0; state < KINDS * KINDS * KINDS * 4; state++) {
        struct move_start start = { FIRST, state % 4 != 0 };
        struct move_copy copies[4];
        unsigned nr = add_kind(copies, FIRST, state / 4 % KINDS);

        if (state % 4 == 1)
            continue; /* live has no file */
        nr += add_kind(copies + nr, 7, state / 4 / KINDS % KINDS);
        nr += add_kind(copies + nr, 9, state / 4 / KINDS / KINDS);
        nr_wrong += !keeps_promises(&start, state % 4 == 3, copies, nr);
    }
    CU_ASSERT_EQUAL(nr_wrong, 0);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "each state that a move can leave", each_state },
        { "from any state: what ran last stays, and one runs", promises },
        { NULL, NULL },
    };

    return unit_run("repair", tests);
}
