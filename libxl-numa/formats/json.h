/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers over yajl_gen that the files writing JSON share. */
#ifndef XLNUMA_JSON_H
#define XLNUMA_JSON_H

#include <stdint.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "model/set.h"

/* NULL when out of memory. Ownership: the caller's, yajl_gen_free(). */
yajl_gen xlnuma__json_new(void);

/* A key with its value. Errors stick in the generator; _finish reports them. */
void xlnuma__json_key(yajl_gen gen, const char *key);
void xlnuma__json_string(yajl_gen gen, const char *text);
void xlnuma__json_key_string(yajl_gen gen, const char *key, const char *text);
void xlnuma__json_key_number(yajl_gen gen, const char *key, uint64_t number);
/* Lists as "0-3,8". */
void xlnuma__json_key_cpus(yajl_gen gen, const char *key,
                           const xlnuma_cpuset *cpus);
void xlnuma__json_key_nodes(yajl_gen gen, const char *key,
                            xlnuma_nodeset nodes);
/* Two decimals, trailing zeros dropped: 10.5 */
void xlnuma__json_key_distance(yajl_gen gen, const char *key, double distance);

/*
 * Write what was generated to `file`, and free gen, which may be NULL.
 * Returns 0, XLNUMA_ERR_NOMEM (generation failed), XLNUMA_ERR_IO.
 */
int xlnuma__json_finish(yajl_gen gen, FILE *file, char *message);

/*
 * A document of ours: its root object is open, with "format" and "version".
 * NULL when out of memory; _end may be given that. _end closes the object
 * and does as _finish.
 */
yajl_gen xlnuma__json_begin(const char *format, unsigned version);
int xlnuma__json_end(yajl_gen gen, FILE *file, char *message);

#endif /* XLNUMA_JSON_H */
