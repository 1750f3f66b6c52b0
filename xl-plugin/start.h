/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the launcher's start and its main() share: which xl is stock xl. */
#ifndef XLNUMA_START_H
#define XLNUMA_START_H

#include <stdbool.h>

#define STOCK_PATH_SIZE (sizeof(XEN_PROGRAMS "-./bin/xl") + 32)

/* Returns STOCK_XL, or `path` with the xl that STOCK_XL would start. */
const char *xlnuma__stock_xl(char path[STOCK_PATH_SIZE]);

/* Is it this program? */
bool xlnuma__is_self(const char *path);

#endif /* XLNUMA_START_H */
