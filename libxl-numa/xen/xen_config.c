/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numa_* keys, in a guest's file to begin with. Reads through libxlutil. */
#include "core/core.h"
#include "xen/xen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* How long is the key, if `key =` or `key +=` is what begins at `here`? */
static size_t assigned_key(const char *here, const char *end)
{
    const char *start = here;
    size_t length;

    while (here < end && is_key_char(*here))
        here++;
    length = (size_t)(here - start);
    while (here < end && (*here == ' ' || *here == '\t'))
        here++;
    return here < end && (*here == '=' ||
                          (end - here > 1 && *here == '+' && here[1] == '='))
               ? length
               : 0;
}

/* Past a quoted text, a comment or one character. */
static const char *skip_token(const char *here, const char *end)
{
    char quote = *here++;

    if (quote == '#')
        while (here < end && *here != '\n')
            here++;
    if (quote != '"' && quote != '\'')
        return here;
    while (here < end && *here != quote && *here != '\n')
        here += *here == '\\' && end - here > 1 ? 2 : 1;
    return here < end && *here == quote ? here + 1 : here;
}

void xlnuma__scan_init(struct xlnuma__scan *scan, const char *text,
                       size_t length)
{
    *scan = (struct xlnuma__scan){
        .here = text, .end = text + length, .at_line = 1, .is_start = true
    };
}

bool xlnuma__scan_next(struct xlnuma__scan *scan)
{
    const char *here;

    scan->length = 0;
    while (scan->here < scan->end && !scan->length) {
        here = scan->here;
        if (scan->is_start) {
            scan->key = here;
            scan->length = assigned_key(here, scan->end);
            scan->line = scan->at_line;
        }
        if (*here == '\n')
            scan->at_line++;
        if (*here != ' ' && *here != '\t')
            scan->is_start = *here == '\n' || *here == ';';
        scan->here = skip_token(here, scan->end);
    }
    return scan->length;
}

unsigned xlnuma__config_line(const char *text, size_t length, const char *key)
{
    struct xlnuma__scan scan;
    unsigned found = 0;

    xlnuma__scan_init(&scan, text, length);
    while (xlnuma__scan_next(&scan))
        if (scan.length == strlen(key) && !memcmp(scan.key, key, scan.length))
            found = scan.line;
    return found;
}

/* One key's text, or NULL; a list where one value belongs is an error. */
static int get_key(const XLU_Config *config, const char *key,
                   const char **value_r)
{
    int r = xlu_cfg_get_string(config, key, value_r, 1);

    if (r)
        *value_r = NULL;
    return r == ESRCH ? 0 : r;
}

static bool read_policy(struct xlnuma__settings *settings, const char *value)
{
    settings->has_policy = true;
    return xlnuma_policy_from_name(value, &settings->policy);
}

static bool read_memory(struct xlnuma__settings *settings, const char *value)
{
    settings->has_memory = true;
    return xlnuma_memory_from_name(value, &settings->memory);
}

static bool read_nodes(struct xlnuma__settings *settings, const char *value)
{
    char message[XLNUMA_MESSAGE_SIZE];

    settings->has_nodes = true;
    settings->nodes = XLNUMA_NODES_ALL;
    return !strcmp(value, "all") ||
           (!xlnuma_nodeset_parse(value, &settings->nodes, message) &&
            settings->nodes);
}

static bool read_devices(struct xlnuma__settings *settings, const char *value)
{
    size_t length = strspn(value, "0123456789");

    settings->has_devices = true;
    settings->device_weight = (unsigned)strtoul(value, NULL, 10);
    return length && length <= 3 && !value[length] &&
           settings->device_weight <= 100;
}

static const struct {
    const char *name;
    bool (*read)(struct xlnuma__settings *settings, const char *value);
    const char *values;
} keys[] = {
    { "numa_policy", read_policy,
      "best-effort, restricted, single-node or none" },
    { "numa_memory", read_memory, "spread or pack" },
    { "numa_nodes", read_nodes, "all or a list of nodes such as \"0-1,4\"" },
    { "numa_devices", read_devices, "a percentage, 0 to 100" },
};

#define NR_KEYS (sizeof(keys) / sizeof(*keys))

const char *xlnuma__settings_set(struct xlnuma__settings *settings,
                                 const char *key, const char *value,
                                 bool *is_right_r)
{
    for (size_t i = 0; i < NR_KEYS; i++)
        if (!strcmp(keys[i].name, key)) {
            *is_right_r = keys[i].read(settings, value);
            return keys[i].values;
        }
    return NULL;
}

int xlnuma__settings_read(struct xlnuma__settings *settings_r,
                          const XLU_Config *config, const char *source,
                          const char *text, size_t length, char *message)
{
    *message = '\0';
    memset(settings_r, 0, sizeof(*settings_r));
    for (size_t i = 0; i < NR_KEYS; i++) {
        const char *value;

        if (get_key(config, keys[i].name, &value))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "%s:%u: %s is a list, not %s", source,
                                xlnuma__config_line(text, length, keys[i].name),
                                keys[i].name, keys[i].values);
        if (value && !keys[i].read(settings_r, value))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "%s:%u: %s is \"%s\", not %s", source,
                                xlnuma__config_line(text, length, keys[i].name),
                                keys[i].name, value, keys[i].values);
    }
    return 0;
}

void xlnuma__settings_apply(const struct xlnuma__settings *settings,
                            struct xlnuma_request *request)
{
    if (settings->has_policy)
        request->policy = settings->policy;
    if (settings->has_memory)
        request->memory = settings->memory;
    if (settings->has_nodes)
        request->nodes = settings->nodes;
    if (settings->has_devices)
        request->device_weight = settings->device_weight;
}
