/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The domains of a uuid, as they are now, and since when. Does not judge them.
 */
#ifndef XLNUMA_MOVE_COPIES_H
#define XLNUMA_MOVE_COPIES_H

#include <xenctrl.h>
#include <xenstore.h>

#include "model/message.h"
#include "move/repair.h"

/* Two are a move; more are somebody's mistake, which is to be seen. */
#define MOVE_COPIES_MAX 4

struct move_copies {
    struct move_copy copy[MOVE_COPIES_MAX];
    unsigned nr;
};

/* Returns 0, XLNUMA_ERR_XEN. */
int move_copies_read(struct move_copies *copies_r, xc_interface *xch,
                     struct xs_handle *xs, const char *uuid, const char *name,
                     char *message);

/* The guest's name in xenstore; NULL if it has none. Ownership: the caller's. */
char *move_copy_name(struct xs_handle *xs, uint32_t domid);

void move_format_uuid(const xen_domain_handle_t handle, char uuid[37]);

/* When the guest ran last, and when again; 0: it did not stop, or has not begun. */
struct move_watch {
    xc_interface *xch;
    const char *uuid;
    uint32_t domid; /* of the first copy */
    uint64_t stopped_ns, began_ns;
    bool has_stopped; /* once, though the first copy may run again */
};

/* A move_look_fn. */
void move_watch_look(void *watch);

#endif /* XLNUMA_MOVE_COPIES_H */
