/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes that a running guest sees: tables.c. */
#ifndef TABLES_H
#define TABLES_H

#include "model/guests.h"

/*
 * Are the nodes that the ACPI tables in a guest's memory have those of its report?
 * `why_r` (XLNUMA_MESSAGE_SIZE bytes) says what is wrong if not.
 */
bool tables_are_as_reported(const struct xlnuma__guest *guest, char *why_r);

#endif /* TABLES_H */
