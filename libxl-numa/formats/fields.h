/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects of a snapshot by tables of their keys, which are for reading and for
 * writing, and how what is wrong in a file is named, and where. Knows no key.
 */
#ifndef XLNUMA_FIELDS_H
#define XLNUMA_FIELDS_H

#include <inttypes.h>
#include <stddef.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "model/host.h"

/* Where in a file we are, for messages. */
struct place {
    const char *name; /* of the file */
    char *message;
    const struct xlnuma_host *host; /* whose nodes lists of nodes name */
    char path[96]; /* of the object: "nodes[3]"; "": the root */
};

/* Message "FILE: nodes[3].key what"; returns XLNUMA_ERR_INVALID. */
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

/* A key of an object, and the member of a structure that goes with its value. */
struct field {
    const char *key;
    enum {
        NUMBER,      /* of 32 or 64 bits */
        CPUS,        /* a list */
        SOME_NUMBER, /* these may be missing, and are not written when 0 */
        SOME_CPUS,   /* or empty */
        SOME_NODES,  /* a list of nodes that the host has */
        SOME_TEXT,   /* cut to its size */
    } kind;
    size_t offset, size;
    uint64_t max; /* of a number */
};

#define FIELD(kind, type, member, key, max)                                    \
    {                                                                          \
        key, kind, offsetof(type, member), sizeof(((type *)0)->member), max    \
    }

/*
 * Read an object into the structure `to`, or write the structure into an object
 * that is open, by a table that a row without a key ends. Texts and lists that may
 * be missing may be null, too.
 */
int xlnuma__read_fields(const struct place *place, yajl_val object,
                        const struct field field[], void *to);
void xlnuma__write_fields(yajl_gen gen, const struct field field[],
                          const void *from);

#endif /* XLNUMA_FIELDS_H */
