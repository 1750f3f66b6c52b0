/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In which unit people read memory: one for the whole program. */
#ifndef XLNUMA_UNITS_H
#define XLNUMA_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "MiB" or "GiB"; false: it is neither. It is MiB until it is set. */
bool units_set(const char *name);
const char *units_name(void);

/* "4300", or in GiB "4.2". Returns buf. */
char *units_format(uint64_t kb, char *buf, size_t size);

#endif /* XLNUMA_UNITS_H */
