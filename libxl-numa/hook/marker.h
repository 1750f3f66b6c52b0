/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file of ours is and of which version: a text in it, which
 * `xl numa-placement status` looks for in what is installed, and in what daemons have
 * mapped, without running it.
 */
#ifndef XLNUMA_MARKER_H
#define XLNUMA_MARKER_H

#define XLNUMA_MARKER_LAUNCHER "xl-numa-launcher "
#define XLNUMA_MARKER_HOOK "xl-numa-hook "
#define XLNUMA_MARKER_LIBRARY "xl-numa-library "
#define XLNUMA_MARKER_GROW "xl-numa-grow "

/* In one file of each. */
#define XLNUMA_MARKER(prefix)                                                  \
    __attribute__((used, retain)) static const char marker[] =                 \
        prefix PACKAGE_VERSION

#endif /* XLNUMA_MARKER_H */
