/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host and its guests <-> a snapshot file (docs/snapshot-format.md). */
#ifndef XLNUMA_SNAPSHOT_H
#define XLNUMA_SNAPSHOT_H

#include <stdio.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "model/guests.h"

/*
 * Read a snapshot from a file, "-" for stdin, or from `length` bytes of JSON text
 * that messages call `name`. `guests_r` may be NULL: they are not wanted. Else they
 * have to be disposed of in any case. xlnuma_host_load() is without them.
 *
 * Returns 0, XLNUMA_ERR_INVALID, XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM; after an
 * error *host_r holds nothing of use.
 */
int xlnuma_host_load(struct xlnuma_host *host_r, const char *path,
                     char *message) XLNUMA_MUST_CHECK;
int xlnuma__snapshot_parse(struct xlnuma_host *host_r,
                           struct xlnuma__guests *guests_r, const char *name,
                           const char *json, size_t length,
                           char *message) XLNUMA_MUST_CHECK;
int xlnuma__snapshot_load(struct xlnuma_host *host_r,
                          struct xlnuma__guests *guests_r, const char *path,
                          char *message) XLNUMA_MUST_CHECK;

/*
 * Write a snapshot; `guests` and `comment` may be NULL.
 * Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_IO (the stream has an error).
 */
int xlnuma__snapshot_write(const struct xlnuma_host *host,
                           const struct xlnuma__guests *guests,
                           const char *comment, FILE *file,
                           char *message) XLNUMA_MUST_CHECK;

/* --- guests_json.c: the keys "guests" and "domain0" ------------------------ */

/*
 * `root` is the snapshot, at `place`; there are no guests yet. Returns 0,
 * XLNUMA_ERR_INVALID, XLNUMA_ERR_NOMEM. They have to be disposed of in any case.
 */
struct place;
int xlnuma__guests_parse(struct xlnuma__guests *guests_r,
                         const struct place *place,
                         yajl_val root) XLNUMA_MUST_CHECK;

/* Into the snapshot, which is open. */
void xlnuma__guests_generate(const struct xlnuma__guests *guests, yajl_gen gen);

#endif /* XLNUMA_SNAPSHOT_H */
