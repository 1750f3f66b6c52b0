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

/* An array; and the members of one guest, into an object that is open. */
void guest_table_json(const struct xlnuma__guests *guests, yajl_gen gen);
void guest_table_json_members(const struct xlnuma__guest *guest, yajl_gen gen);

#endif /* XLNUMA_GUEST_TABLE_H */
