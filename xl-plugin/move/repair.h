/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is left of a move to do. A guest that moves to its own host is two domains of
 * one uuid for a while, or a file. Decides by what is there, whatever went before;
 * does nothing itself.
 */
#ifndef XLNUMA_MOVE_REPAIR_H
#define XLNUMA_MOVE_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

/* A domain that has the guest's uuid. */
struct move_copy {
    uint32_t domid;
    bool is_dying;
    bool is_paused;    /* as libxl makes it, until it is to run */
    bool is_shut_down; /* for whatever reason */
    bool is_suspended; /* that reason is that its memory is copied */
    bool has_run;      /* its vCPUs have had CPU time */
    bool is_misnamed;  /* it has the name that xl gives a copy of a move */
};

enum move_step {
    MOVE_STEP_NONE, /* all is done: one copy is left, or the guest has ended */
    MOVE_STEP_WAIT, /* a copy is being destroyed */
    MOVE_STEP_DESTROY, /* this domain: it did not run last */
    MOVE_STEP_RENAME,  /* it gets the guest's name again */
    MOVE_STEP_RESUME,  /* it runs on where it was suspended */
    MOVE_STEP_UNPAUSE, /* it has the guest's memory, and runs on with it */
    MOVE_STEP_RESTORE, /* the guest is in the file alone */
    MOVE_STEP_FORGET,  /* remove the file: the guest has run since */
    MOVE_STEP_REFUSE,  /* which copy is the guest cannot be known */
};

struct move_decision {
    enum move_step step;
    uint32_t domid;  /* that the step is for; after _NONE the guest, or 0 */
    const char *why; /* static: of _REFUSE */
};

/* How the move began. */
struct move_start {
    uint32_t domid; /* of the copy that ran then */
    bool is_by_file;
};

/* The next step. `has_file`: the file of a move by file is there. */
struct move_decision move_decide(const struct move_start *start, bool has_file,
                                 const struct move_copy copies[], unsigned nr);

#endif /* XLNUMA_MOVE_REPAIR_H */
