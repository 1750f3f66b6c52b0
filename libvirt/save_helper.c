/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libxl starts as libxl-save-helper where LIBXL_SAVE_HELPER names it: Xen's own
 * one, with the hook preloaded. libvirtd's AppArmor profile has the environment of what
 * it starts scrubbed, so a helper that libxl starts itself is without the hook.
 * Paths are fixed when it is built. Knows nothing of Xen.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 1)
        return EXIT_FAILURE;
    /* What is there has the hook already, as the environment was not scrubbed. */
    if (setenv("LD_PRELOAD", PRELOAD, 0))
        fprintf(stderr, "xl-numa: %s: restored without a plan\n",
                strerror(errno));
    argv[0] = (char[]){ SAVE_HELPER };
    execv(SAVE_HELPER, argv);
    fprintf(stderr, "xl-numa: %s: %s\n", SAVE_HELPER, strerror(errno));
    return EXIT_FAILURE;
}
