/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numa_* keys of a guest's file. Reads through libxlutil. */
#include "core/core.h"
#include "xen/xen.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

unsigned xlnuma__config_line(const char *text, size_t length, const char *key)
{
    const char *here = text, *end = text + length;
    size_t key_length = strlen(key);
    unsigned found = 0;

    for (unsigned line = 1; here < end; line++) {
        const char *next = memchr(here, '\n', (size_t)(end - here));

        next = next ? next + 1 : end;
        while (here < next && isspace((unsigned char)*here))
            here++;
        if ((size_t)(next - here) > key_length &&
            !memcmp(here, key, key_length)) {
            here += key_length;
            while (here < next && isspace((unsigned char)*here))
                here++;
            if (here < next && *here == '=')
                found = line;
        }
        here = next;
    }
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

static const struct {
    const char *name;
    bool (*read)(struct xlnuma__settings *settings, const char *value);
    const char *values;
} keys[] = {
    { "numa_policy", read_policy,
      "best-effort, restricted, single-node or none" },
    { "numa_memory", read_memory, "spread or pack" },
    { "numa_nodes", read_nodes, "all or a list of nodes such as \"0-1,4\"" },
};

int xlnuma__settings_read(struct xlnuma__settings *settings_r,
                          const XLU_Config *config, const char *source,
                          const char *text, size_t length, char *message)
{
    *message = '\0';
    memset(settings_r, 0, sizeof(*settings_r));
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const char *value;

        if (get_key(config, keys[i].name, &value))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "%s:%u: %s is a list, not %s", source,
                                xlnuma__config_line(text, length,
                                                    keys[i].name),
                                keys[i].name, keys[i].values);
        if (value && !keys[i].read(settings_r, value))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "%s:%u: %s is \"%s\", not %s", source,
                                xlnuma__config_line(text, length,
                                                    keys[i].name),
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
}
