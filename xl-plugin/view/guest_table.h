/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of guests, as "list" prints it (docs/list-format.md). */
#ifndef XLNUMA_GUEST_TABLE_H
#define XLNUMA_GUEST_TABLE_H

#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "model/guests.h"

/* A heading and a line for each guest. */
void guest_table_print(const struct xlnuma__guests *guests, FILE *file);

/*
 * The same with other columns, by names with commas between (NULL: the usual ones), or
 * without the heading. Returns 0, or XLNUMA_ERR_INVALID and a message that has all names.
 */
int guest_table_print_columns(const struct xlnuma__guests *guests,
                              const char *names, bool has_no_heading,
                              FILE *file, char *message);

/* All names, ", " between; static. */
const char *guest_table_names(void);

/* More members of the object that is open. Returns 0, XLNUMA_ERR_NOMEM. */
typedef int guest_table_more(const struct xlnuma__guest *guest, yajl_gen gen,
                             char *message);

/*
 * One guest as an object; all of them into an object that is open: an array, and
 * Domain-0 under a key of its own. `more` may be NULL. Return as it does.
 */
int guest_table_json_object(const struct xlnuma__guest *guest,
                            guest_table_more *more, yajl_gen gen,
                            char *message);
int guest_table_json(const struct xlnuma__guests *guests,
                     guest_table_more *more, yajl_gen gen, char *message);

#endif /* XLNUMA_GUEST_TABLE_H */
