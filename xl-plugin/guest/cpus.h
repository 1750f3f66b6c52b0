/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of CPUs as xl.cfg(5) writes them: "0-3,^1", "nodes:0-1", "all". */
#ifndef XLNUMA_GUEST_CPUS_H
#define XLNUMA_GUEST_CPUS_H

#include <libxl.h>

#include "model/host.h"

/*
 * Read one list as xl does: a CPU or node that the host has not is no error.
 * Returns 0, XLNUMA_ERR_INVALID (message says which part of the list).
 */
int guest_cpus_parse(const char *list, const struct xlnuma_host *host,
                     xlnuma_cpuset *set_r, char *message);

/*
 * Ownership: the bitmap's memory is the caller's, libxl_bitmap_dispose().
 * Needs no libxl context. Returns 0, XLNUMA_ERR_NOMEM.
 */
int guest_cpus_to_bitmap(const xlnuma_cpuset *set, libxl_bitmap *map_r);

#endif /* XLNUMA_GUEST_CPUS_H */
