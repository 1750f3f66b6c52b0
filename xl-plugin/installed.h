/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where xl-numa and Xen's own xl were installed. */
#ifndef XLNUMA_PLUGIN_INSTALLED_H
#define XLNUMA_PLUGIN_INSTALLED_H

struct installed {
    const char *xl;       /* what absolute paths reach */
    const char *stock_xl; /* Xen's own, which the launcher starts */
    const char *launcher; /* the xl that builds with the hook */
    const char *hook, *library;
    const char *grow; /* what runs before xl mem-set */
    const char
        *libxl; /* the SONAME that the hook is for; "": there is no hook */
};

extern const struct installed installed;

#endif /* XLNUMA_PLUGIN_INSTALLED_H */
