/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers over yajl_gen that the files writing JSON share. */
#ifndef XLNUMA_JSON_H
#define XLNUMA_JSON_H

#include <stdint.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "model/set.h"

/*
 * A document of ours, an object that begins with "format" and "version". NULL when
 * out of memory. Ownership: _end closes the object, writes it to `file` and frees
 * gen, which may be NULL.
 *
 * _end returns 0, XLNUMA_ERR_NOMEM (generation failed), XLNUMA_ERR_IO.
 */
yajl_gen xlnuma__json_begin(const char *format, unsigned version);
int xlnuma__json_end(yajl_gen gen, FILE *file, char *message);

/* Such an object in another document; the caller closes it. */
void xlnuma__json_open(yajl_gen gen, const char *format, unsigned version);

/* A key with its value. Errors stick in the generator; _end reports them. */
void xlnuma__json_key(yajl_gen gen, const char *key);
void xlnuma__json_string(yajl_gen gen, const char *text);
void xlnuma__json_key_string(yajl_gen gen, const char *key, const char *text);
void xlnuma__json_key_number(yajl_gen gen, const char *key, uint64_t number);
/* An array or an object, which stays open. */
void xlnuma__json_key_array(yajl_gen gen, const char *key);
void xlnuma__json_key_map(yajl_gen gen, const char *key);
/* Lists as "0-3,8". */
void xlnuma__json_key_cpus(yajl_gen gen, const char *key,
                           const xlnuma_cpuset *cpus);
void xlnuma__json_key_nodes(yajl_gen gen, const char *key,
                            xlnuma_nodeset nodes);
/* Two decimals, trailing zeros dropped: 10.5 */
void xlnuma__json_key_distance(yajl_gen gen, const char *key, double distance);

#endif /* XLNUMA_JSON_H */
