/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects of a snapshot by tables of their keys. Knows no key. */
#include "formats/fields.h"
#include "formats/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int xlnuma__bad_key(const struct place *place, const char *key,
                    const char *format, ...)
{
    char what[XLNUMA_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return xlnuma__fail(place->message, XLNUMA_ERR_INVALID, "%s: %s%s%s%s",
                        place->name, place->path,
                        *key && *place->path ? "." : "", key, what);
}

struct place xlnuma__element(const struct place *place, const char *key,
                             size_t i)
{
    struct place element = *place;

    snprintf(element.path, sizeof(element.path), "%.40s%s%s[%zu]", place->path,
             *place->path ? "." : "", key, i);
    return element;
}

yajl_val xlnuma__get(yajl_val object, const char *key)
{
    const char *path[] = { key, NULL };

    return yajl_tree_get(object, path, yajl_t_any);
}

int xlnuma__read_number(const struct place *place, yajl_val value,
                        const char *key, uint64_t max, uint64_t *number_r)
{
    *number_r = 0;
    if (!value)
        return xlnuma__bad_key(place, key, " is missing");
    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < 0 ||
        (uint64_t)YAJL_GET_INTEGER(value) > max)
        return xlnuma__bad_key(
            place, key, " is not a whole number from 0 to %" PRIu64, max);
    *number_r = (uint64_t)YAJL_GET_INTEGER(value);
    return 0;
}

static int read_number(const struct place *place, yajl_val value,
                       const struct field *field, void *member)
{
    uint64_t number = 0;
    int rc = 0;

    if (value || field->kind == NUMBER)
        rc = xlnuma__read_number(place, value, field->key, field->max, &number);
    if (field->size == sizeof(uint64_t))
        *(uint64_t *)member = number;
    else
        *(uint32_t *)member = (uint32_t)number;
    return rc;
}

static int read_text(const struct place *place, yajl_val value, const char *key,
                     char *text, size_t size)
{
    *text = '\0';
    if (!value || YAJL_IS_NULL(value))
        return 0;
    if (!YAJL_IS_STRING(value))
        return xlnuma__bad_key(place, key, " is neither a string nor null");
    snprintf(text, size, "%s", YAJL_GET_STRING(value));
    return 0;
}

static int read_nodes(const struct place *place, yajl_val value,
                      const char *key, xlnuma_nodeset *nodes_r)
{
    char text[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE];
    int rc = read_text(place, value, key, text, sizeof(text));

    *nodes_r = 0;
    if (rc)
        return rc;
    if (xlnuma_nodeset_parse(text, nodes_r, message))
        return xlnuma__bad_key(place, key, ": %s", message);
    if (*nodes_r & ~place->host->nodes)
        return xlnuma__bad_key(
            place, key, ": the host has no node %u",
            xlnuma_nodeset_first(*nodes_r & ~place->host->nodes));
    return 0;
}

static int read_cpus(const struct place *place, yajl_val value,
                     const struct field *field, xlnuma_cpuset *cpus_r)
{
    bool is_needed = field->kind == CPUS;
    char message[XLNUMA_MESSAGE_SIZE];

    memset(cpus_r, 0, sizeof(*cpus_r));
    if (!is_needed && (!value || YAJL_IS_NULL(value)))
        return 0;
    if (!YAJL_IS_STRING(value))
        return xlnuma__bad_key(
            place, field->key,
            is_needed ? " is missing or not a string such as \"0-3,8\""
                      : " is neither a string nor null");
    return xlnuma_cpuset_parse(YAJL_GET_STRING(value), cpus_r, message)
               ? xlnuma__bad_key(place, field->key, ": %s", message)
               : 0;
}

int xlnuma__read_fields(const struct place *place, yajl_val object,
                        const struct field field[], void *to)
{
    int rc = 0;

    if (!YAJL_IS_OBJECT(object))
        return xlnuma__bad_key(place, "", " is not an object");
    for (; !rc && field->key; field++) {
        yajl_val value = xlnuma__get(object, field->key);
        void *member = (char *)to + field->offset;

        if (field->kind == SOME_TEXT)
            rc = read_text(place, value, field->key, member, field->size);
        else if (field->kind == SOME_NODES)
            rc = read_nodes(place, value, field->key, member);
        else if (field->kind == CPUS || field->kind == SOME_CPUS)
            rc = read_cpus(place, value, field, member);
        else
            rc = read_number(place, value, field, member);
    }
    return rc;
}

static void write_number(yajl_gen gen, const struct field *field,
                         const void *member)
{
    uint64_t number = field->size == sizeof(uint64_t)
                          ? *(const uint64_t *)member
                          : *(const uint32_t *)member;

    if (number || field->kind == NUMBER)
        xlnuma__json_key_number(gen, field->key, number);
}

void xlnuma__write_fields(yajl_gen gen, const struct field field[],
                          const void *from)
{
    for (; field->key; field++) {
        const void *member = (const char *)from + field->offset;

        switch (field->kind) {
        case SOME_TEXT:
            if (*(const char *)member)
                xlnuma__json_key_string(gen, field->key, member);
            break;
        case SOME_NODES:
            if (*(const xlnuma_nodeset *)member)
                xlnuma__json_key_nodes(gen, field->key,
                                       *(const xlnuma_nodeset *)member);
            break;
        case SOME_CPUS:
        case CPUS:
            if (field->kind == CPUS || xlnuma_cpuset_count(member))
                xlnuma__json_key_cpus(gen, field->key, member);
            break;
        case SOME_NUMBER:
        case NUMBER:
            write_number(gen, field, member);
        }
    }
}

int xlnuma__read_array(const struct place *place, yajl_val object,
                       const char *key, size_t max, xlnuma__read_element *read,
                       void *to)
{
    yajl_val array = xlnuma__get(object, key);
    int rc = 0;

    if (!array || YAJL_IS_NULL(array))
        return 0;
    if (!YAJL_IS_ARRAY(array))
        return xlnuma__bad_key(place, key, " is not an array");
    if (YAJL_GET_ARRAY(array)->len > max)
        return xlnuma__bad_key(place, key, " has %zu elements, more than %zu",
                               YAJL_GET_ARRAY(array)->len, max);
    for (size_t i = 0; !rc && i < YAJL_GET_ARRAY(array)->len; i++) {
        const struct place at = xlnuma__element(place, key, i);

        rc = read(&at, YAJL_GET_ARRAY(array)->values[i], i, to);
    }
    return rc;
}
