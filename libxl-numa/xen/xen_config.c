/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numa_* keys of a guest's file. Reads through libxlutil. */
#include "core/core.h"
#include "xen/xen.h"

#include <errno.h>
#include <string.h>

/* Is `key =` or `key +=` what begins at `here`? */
static bool is_assignment(const char *here, const char *end, const char *key)
{
    size_t length = strlen(key);

    if ((size_t)(end - here) <= length || memcmp(here, key, length))
        return false;
    here += length;
    while (here < end && (*here == ' ' || *here == '\t'))
        here++;
    return here < end &&
           (*here == '=' || (end - here > 1 && *here == '+' && here[1] == '='));
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

unsigned xlnuma__config_line(const char *text, size_t length, const char *key)
{
    const char *here = text, *end = text + length;
    unsigned line = 1, found = 0;
    bool is_start = true; /* of a statement */

    while (here < end) {
        if (is_start && is_assignment(here, end, key))
            found = line;
        if (*here == '\n')
            line++;
        if (*here != ' ' && *here != '\t')
            is_start = *here == '\n' || *here == ';';
        here = skip_token(here, end);
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
}
