/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's configuration file, as far as placement depends on it. */
#ifndef XLNUMA_GUEST_FILE_H
#define XLNUMA_GUEST_FILE_H

#include <libxl.h>

#include "config/settings.h"

struct guest_file {
    const char *name;           /* what messages call the file; borrowed */
    libxl_domain_config config; /* what xl and libxl would make of it */
    struct xlnuma__settings settings;
    char pool_place[XLNUMA_MESSAGE_SIZE]; /* where `pool` is set, if it is */
};

/*
 * Read the file `path` ("-": standard input, "/dev/null": nothing) and behind
 * it, as xl does, the nr texts KEY=VALUE. The host tells which CPUs are meant
 * by "node:1". Needs no Xen.
 *
 * Returns 0, XLNUMA_ERR_INVALID, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM; message names
 * file and line. guest_file_dispose() is safe after a failure and twice.
 */
int guest_file_read(struct guest_file *guest_r, const char *path, unsigned nr,
                    char *const assignment[], const struct xlnuma_host *host,
                    char *message);
void guest_file_dispose(struct guest_file *guest);

#endif /* XLNUMA_GUEST_FILE_H */
