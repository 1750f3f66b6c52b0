/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers over yajl_gen. Knows none of the formats. */
#include "formats/json.h"
#include "model/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void xlnuma__json_string(yajl_gen gen, const char *text)
{
    yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
}

void xlnuma__json_key(yajl_gen gen, const char *key)
{
    xlnuma__json_string(gen, key);
}

void xlnuma__json_key_array(yajl_gen gen, const char *key)
{
    xlnuma__json_key(gen, key);
    yajl_gen_array_open(gen);
}

void xlnuma__json_key_map(yajl_gen gen, const char *key)
{
    xlnuma__json_key(gen, key);
    yajl_gen_map_open(gen);
}

void xlnuma__json_key_string(yajl_gen gen, const char *key, const char *text)
{
    xlnuma__json_key(gen, key);
    xlnuma__json_string(gen, text);
}

void xlnuma__json_key_number(yajl_gen gen, const char *key, uint64_t number)
{
    xlnuma__json_key(gen, key);
    yajl_gen_integer(gen, (long long)number);
}

void xlnuma__json_key_cpus(yajl_gen gen, const char *key,
                           const xlnuma_cpuset *cpus)
{
    char list[XLNUMA__LIST_SIZE];

    xlnuma__json_key_string(gen, key,
                            xlnuma_cpuset_format(cpus, list, sizeof(list)));
}

void xlnuma__json_key_nodes(yajl_gen gen, const char *key, xlnuma_nodeset nodes)
{
    char list[XLNUMA_NODES_MAX * 3 + 1];

    xlnuma__json_key_string(gen, key,
                            xlnuma_nodeset_format(nodes, list, sizeof(list)));
}

void xlnuma__json_key_distance(yajl_gen gen, const char *key, double distance)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%.2f", distance);

    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    xlnuma__json_key(gen, key);
    yajl_gen_number(gen, text, (size_t)n);
}

void xlnuma__json_open(yajl_gen gen, const char *format, unsigned version)
{
    yajl_gen_map_open(gen);
    xlnuma__json_key_string(gen, "format", format);
    xlnuma__json_key_number(gen, "version", version);
}

yajl_gen xlnuma__json_begin(const char *format, unsigned version)
{
    yajl_gen gen = yajl_gen_alloc(NULL);

    if (gen) {
        yajl_gen_config(gen, yajl_gen_beautify, 1);
        yajl_gen_config(gen, yajl_gen_indent_string, "  ");
        xlnuma__json_open(gen, format, version);
    }
    return gen;
}

int xlnuma__json_end(yajl_gen gen, FILE *file, char *message)
{
    const unsigned char *text;
    size_t length;
    int rc = 0;

    *message = '\0';
    if (gen)
        yajl_gen_map_close(gen);
    if (!gen || yajl_gen_get_buf(gen, &text, &length) != yajl_gen_status_ok)
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM,
                          "out of memory writing JSON");
    else if (fwrite(text, 1, length, file) != length || fflush(file))
        rc = xlnuma__fail(message, XLNUMA_ERR_IO, "writing JSON: %s",
                          strerror(errno));
    if (gen)
        yajl_gen_free(gen);
    return rc;
}
