/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy that ran last is the guest. The one that the move began with ran until it
 * was suspended; any other has run last as soon as it has run at all: the receiver
 * lets it run only when the first one is suspended for good. A copy that never ran
 * can go, as long as there is the first one, or its file.
 */
#include "move/repair.h"

#include <stddef.h>

/* What there is of the guest. */
struct copies {
    const struct move_copy *first; /* that the move began with */
    const struct move_copy *later; /* another one, that has run */
    const struct move_copy *born;  /* one that has not */
    unsigned nr_later, nr_born;
    bool is_one_dying;
};

static bool has_run(const struct move_copy *copy)
{
    return copy->has_run || !copy->is_paused;
}

static struct copies sort_copies(const struct move_start *start,
                                 const struct move_copy copies[], unsigned nr)
{
    struct copies sorted = { .first = NULL };

    for (unsigned i = 0; i < nr; i++) {
        if (copies[i].is_dying) {
            sorted.is_one_dying = true;
        } else if (copies[i].domid == start->domid) {
            sorted.first = &copies[i];
        } else if (has_run(&copies[i])) {
            sorted.later = &copies[i];
            sorted.nr_later++;
        } else {
            sorted.born = &copies[i];
            sorted.nr_born++;
        }
    }
    return sorted;
}

static struct move_decision step_for(enum move_step step,
                                     const struct move_copy *copy)
{
    return (struct move_decision){ step, copy ? copy->domid : 0, NULL };
}

static struct move_decision refuse(const struct move_copy *copy,
                                   const char *why)
{
    return (struct move_decision){ MOVE_STEP_REFUSE, copy->domid, why };
}

/* No copy has run, so the first one is gone. */
static struct move_decision decide_without(const struct move_start *start,
                                           bool has_file,
                                           const struct copies *copies)
{
    if (!copies->nr_born)
        return step_for(has_file ? MOVE_STEP_RESTORE : MOVE_STEP_NONE, NULL);
    if (has_file) /* it may be half restored */
        return step_for(MOVE_STEP_DESTROY, copies->born);
    if (start->is_by_file && copies->nr_born == 1)
        return step_for(MOVE_STEP_UNPAUSE, copies->born);
    return refuse(copies->born,
                  "it never ran, and the domain that it is a copy of is gone");
}

struct move_decision move_decide(const struct move_start *start, bool has_file,
                                 const struct move_copy list[], unsigned nr)
{
    struct copies copies = sort_copies(start, list, nr);
    const struct move_copy *guest;

    if (copies.is_one_dying)
        return step_for(MOVE_STEP_WAIT, NULL);
    if (copies.nr_later > 1 ||
        (copies.nr_later && copies.first && !copies.first->is_suspended))
        return refuse(copies.later, "another domain of its uuid has run, too");
    guest = copies.later ? copies.later : copies.first;
    if (!guest)
        return decide_without(start, has_file, &copies);
    if (copies.later && copies.first)
        return step_for(MOVE_STEP_DESTROY, copies.first);
    if (copies.born)
        return step_for(MOVE_STEP_DESTROY, copies.born);
    if (guest->is_misnamed)
        return step_for(MOVE_STEP_RENAME, guest);
    if (guest == copies.first && guest->is_suspended)
        return step_for(MOVE_STEP_RESUME, guest);
    return step_for(has_file ? MOVE_STEP_FORGET : MOVE_STEP_NONE, guest);
}
