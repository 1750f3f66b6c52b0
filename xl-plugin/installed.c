/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The paths that configure was told; a test has others. */
#include "installed.h"

const struct installed installed = {
    .xl = INSTALLED_XL,
    .stock_xl = STOCK_XL,
    .launcher = LAUNCHER,
    .hook = PRELOAD,
    .library = LIBRARY,
    .grow = GROW,
    .libxl = LIBXENLIGHT_SONAME,
};
