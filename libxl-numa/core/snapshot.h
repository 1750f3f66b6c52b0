/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the files that read a part of a snapshot name what is wrong and where, and
 * read a number. Knows no key.
 */
#ifndef XLNUMA_SNAPSHOT_H
#define XLNUMA_SNAPSHOT_H

#include <inttypes.h>
#include <stdarg.h>
#include <yajl/yajl_tree.h>

#include "core/core.h"

/* Where in a file we are, for messages. */
struct place {
    const char *name; /* of the file */
    char *message;
};

/* Message "FILE: PLACE: what"; returns XLNUMA_ERR_INVALID. */
static inline int __attribute__((format(printf, 2, 3)))
bad(const struct place *place, const char *format, ...)
{
    char what[XLNUMA_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return xlnuma__fail(place->message, XLNUMA_ERR_INVALID, "%s: %s",
                        place->name, what);
}

static inline yajl_val get(yajl_val object, const char *key)
{
    const char *path[] = { key, NULL };

    return yajl_tree_get(object, path, yajl_t_any);
}

/* A whole number from 0 to max, at `path` (for messages); 0 after an error. */
static inline int read_number(const struct place *place, yajl_val value,
                              const char *path, uint64_t max,
                              uint64_t *number_r)
{
    *number_r = 0; /* gcc does not know that bad() never returns 0 */
    if (!value)
        return bad(place, "%s is missing", path);
    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 ||
        (uint64_t)YAJL_GET_INTEGER(value) > max)
        return bad(place, "%s is not a whole number from 0 to %" PRIu64, path,
                   max);
    *number_r = (uint64_t)YAJL_GET_INTEGER(value);
    return 0;
}

/* As read_number(); a key that is not there gives `otherwise`. */
static inline int read_optional(const struct place *place, yajl_val value,
                                const char *path, uint64_t max,
                                uint64_t otherwise, uint64_t *number_r)
{
    *number_r = otherwise;
    return value ? read_number(place, value, path, max, number_r) : 0;
}

#endif /* XLNUMA_SNAPSHOT_H */
