/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KiB as whole MiB, rounded down, or as GiB with one decimal. */
#include "view/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_gib;

bool units_set(const char *name)
{
    is_gib = !strcmp(name, "GiB");
    return is_gib || !strcmp(name, "MiB");
}

const char *units_name(void)
{
    return is_gib ? "GiB" : "MiB";
}

char *units_format(uint64_t kb, char *buf, size_t size)
{
    if (is_gib)
        snprintf(buf, size, "%.1f", (double)kb / (1024 * 1024));
    else
        snprintf(buf, size, "%" PRIu64, kb / 1024);
    return buf;
}
