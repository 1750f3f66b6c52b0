/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that builds in flight are to take. */
#ifndef XLNUMA_XEN_RESERVATIONS_H
#define XLNUMA_XEN_RESERVATIONS_H

#include "model/host.h"

struct xc_interface_core; /* libxenctrl's xc_interface */

struct xlnuma__reservation {
    bool is_there; /* all zero: no reservation */
    unsigned slot;
    uint64_t left_kb[XLNUMA_NODES_MAX];
    uint64_t untold_kb; /* of what was taken, what the table does not say yet */
};

/*
 * Where the host's builds keep what they share. Returns a descriptor, or < 0, with errno
 * ENOENT: it is not there.
 */
int xlnuma__run_dir_open(bool creates, char *message);

/*
 * One build on the host plans at a time: wait for the turn, 5 s at most. Returns
 * 0 or XLNUMA_ERR_IO; after 0 call _end, and only in between _read and _make.
 */
int xlnuma__reservations_begin(char *message);
void xlnuma__reservations_end(void);

/* In a child that was just forked: whatever other threads were doing. */
void xlnuma__reservations_forked(void);

/*
 * What all reservations together leave to be taken of each node, for all node
 * numbers; memory that Xen is giving just now may be in it. So read it before
 * the host's free memory: what is taken in between then counts twice, not never.
 * _look is for any time, does not wait, and fails silently: no reservations. _apply:
 * into the host model.
 */
void xlnuma__reservations_read(struct xc_interface_core *xch,
                               uint64_t reserved_kb[]);
void xlnuma__reservations_look(struct xc_interface_core *xch,
                               uint64_t reserved_kb[]);
void xlnuma__reservations_apply(struct xlnuma_host *host,
                                const uint64_t reserved_kb[]);

/* Is the domain of that number there still? Then *pages_r is what it has. */
bool xlnuma__domain_lives(struct xc_interface_core *xch, uint32_t domid,
                          const uint8_t uuid[], uint64_t *pages_r);

/* For a domain that exists. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_IO. */
int xlnuma__reservation_make(struct xlnuma__reservation *reservation,
                             struct xc_interface_core *xch, uint32_t domid,
                             const uint64_t kb[], char *message);

/* In another process than that which made it, to tell what is taken. */
void xlnuma__reservation_find(struct xlnuma__reservation *reservation,
                              uint32_t domid);

/*
 * Reserve so much more of this node, and as much less of the others. Returns whether
 * that is done: not when another build has reserved memory there, or has the turn.
 */
bool xlnuma__reservation_move(struct xlnuma__reservation *reservation,
                              struct xc_interface_core *xch, unsigned node,
                              uint64_t kb);

/*
 * Xen gave so much, so that the reservation is smaller: others learn of it by 64 MiB.
 * It is over. Of none: nothing.
 */
void xlnuma__reservation_taken(struct xlnuma__reservation *reservation,
                               unsigned node, uint64_t kb);
void xlnuma__reservation_drop(struct xlnuma__reservation *reservation);

#endif /* XLNUMA_XEN_RESERVATIONS_H */
