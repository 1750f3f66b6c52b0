/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest's build reports, in xenstore (docs/xenstore.md). */
#ifndef XLNUMA_XEN_REPORT_H
#define XLNUMA_XEN_REPORT_H

#include <xenstore.h>

#include "model/guests.h"

#define XLNUMA__REPORT_VERSION "2"

/*
 * NULL: there was no memory for it. Returns 0, XLNUMA_ERR_XEN; then nothing of it is
 * there.
 */
int xlnuma__report_write(struct xs_handle *xs, uint32_t domid,
                         const struct xlnuma__report *report, char *message);

/*
 * Add to the report that is there what each node really gave, and in which
 * extents: for a process that populates another's domain. Returns 0,
 * XLNUMA_ERR_XEN.
 */
int xlnuma__report_write_actual(struct xs_handle *xs, uint32_t domid,
                                const struct xlnuma__report *actual,
                                char *message);

/*
 * That process has read the plan, and will follow it. _take returns 0 or
 * XLNUMA_ERR_XEN; _is_taken has a message if it returns false.
 */
int xlnuma__report_take(struct xs_handle *xs, uint32_t domid, char *message);
bool xlnuma__report_is_taken(struct xs_handle *xs, uint32_t domid,
                             char *message);

/* *found_r is false for a domain that has none. Returns 0, XLNUMA_ERR_XEN. */
int xlnuma__report_read(struct xs_handle *xs, uint32_t domid,
                        struct xlnuma__report *report_r, bool *found_r,
                        char *message);

/*
 * The video memory that a device model takes for the domain while it is built,
 * by itself: no report has it. 0 when it is not known, too.
 */
uint64_t xlnuma__video_kb(struct xs_handle *xs, uint32_t domid);

#endif /* XLNUMA_XEN_REPORT_H */
