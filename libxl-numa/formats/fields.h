/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the files that read a part of a snapshot name what is wrong and where, and
 * read an object by a table of its keys. Knows no key.
 */
#ifndef XLNUMA_FIELDS_H
#define XLNUMA_FIELDS_H

#include <inttypes.h>
#include <stddef.h>
#include <yajl/yajl_tree.h>

#include "model/host.h"

/* Where in a file we are, for messages. */
struct place {
    const char *name; /* of the file */
    char *message;
    const struct xlnuma_host *host; /* whose nodes lists of nodes name */
    char path[96]; /* of the object: "nodes[3]"; "": the root */
};

/* Message "FILE: what"; returns XLNUMA_ERR_INVALID. */
int xlnuma__bad(const struct place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Message "FILE: nodes[3].key what"; the same. */
int xlnuma__bad_key(const struct place *place, const char *key,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The place of element i of the array `key` of an object at `place`. */
struct place xlnuma__element(const struct place *place, const char *key,
                             size_t i);

yajl_val xlnuma__get(yajl_val object, const char *key);

/* Read element i of an array into `to`. */
typedef int xlnuma__read_element(const struct place *at, yajl_val element,
                                 size_t i, void *to);

/* All elements of the array `key`, at most `max`; none if it is missing or null. */
int xlnuma__read_array(const struct place *place, yajl_val object,
                       const char *key, size_t max, xlnuma__read_element *read,
                       void *to);

/* A whole number from 0 to max, of `key`; 0 after an error. */
int xlnuma__read_number(const struct place *place, yajl_val value,
                        const char *key, uint64_t max, uint64_t *number_r);

/* A key of an object, and the member of a structure that its value becomes. */
struct field {
    const char *key;
    enum { NUMBER, TEXT, NODES, CPUS } kind;
    size_t offset, size;
    uint64_t max; /* of a number */
    bool
        is_optional; /* a number: 0 where it is missing; the others always are */
};

#define FIELD(value, type, member, name, ...)                                  \
    {                                                                          \
        .key = name, .kind = value, .offset = offsetof(type, member),          \
        .size = sizeof(((type *)0)->member), __VA_ARGS__                       \
    }

/*
 * Read an object into the structure `to` by a table that a row without a key
 * ends. Text may be missing or null, and is cut to its size; so may a list of
 * nodes, which have to be the host's, and one of CPUs.
 */
int xlnuma__read_fields(const struct place *place, yajl_val object,
                        const struct field field[], void *to);

#endif /* XLNUMA_FIELDS_H */
