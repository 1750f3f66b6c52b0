/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numa_* keys: which there are, what each sets, and a guest's file that has
 * them. Reads through libxlutil.
 */
#include "config/settings.h"
#include "model/dedicated.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
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

/* --- the keys ------------------------------------------------------------- */

static bool read_nodes(struct xlnuma_request *request, const char *value)
{
    char message[XLNUMA_MESSAGE_SIZE];

    request->nodes = XLNUMA_NODES_ALL;
    return !strcmp(value, "all") ||
           (!xlnuma_nodeset_parse(value, &request->nodes, message) &&
            request->nodes);
}

/* A whole number, and nothing behind it. */
static bool read_number(const char *value, unsigned least, unsigned most,
                        unsigned *number_r)
{
    size_t length = strspn(value, "0123456789");
    unsigned long number = strtoul(value, NULL, 10);

    *number_r = (unsigned)number;
    return length && !value[length] && number >= least && number <= most;
}

static bool read_devices(struct xlnuma_request *request, const char *value)
{
    return read_number(value, 0, 100, &request->device_weight);
}

static bool read_balance(struct xlnuma_request *request, const char *value)
{
    request->no_balance = !strcmp(value, "off");
    return request->no_balance || !strcmp(value, "on");
}

static bool read_move(struct xlnuma_request *request, const char *value)
{
    request->no_move = !strcmp(value, "off");
    return request->no_move || !strcmp(value, "on");
}

static bool read_balance_gain(struct xlnuma_request *request, const char *value)
{
    return read_number(value, 1, 1000, &request->balance_gain);
}

static bool read_guest_nodes(struct xlnuma_request *request, const char *value)
{
    request->guest_nodes = XLNUMA_GUEST_NODES_OFF;
    if (!strcmp(value, "off"))
        return true;
    request->guest_nodes = XLNUMA_GUEST_NODES_AUTO;
    if (!strcmp(value, "auto"))
        return true;
    return read_number(value, XLNUMA_GUEST_NODES_AUTO + 1,
                       XLNUMA_GUEST_NODES_MAX, &request->guest_nodes);
}

/*
 * A new key is a row here and a field of the request: either one of several names,
 * or what a reader makes of it, which returns false for a wrong value, and for the
 * empty one.
 */
static const struct {
    const char *name;
    bool (*read)(struct xlnuma_request *request, const char *value);
    const char *const *names;
    size_t offset;      /* of that field, an enum */
    const char *values; /* that are right, for messages */
} keys[] = {
#define NAMED(names, field) NULL, names, offsetof(struct xlnuma_request, field)
#define READ(read) read, NULL, 0
    { "numa_policy", NAMED(xlnuma__policies, policy),
      "best-effort, strict, restricted, single-node or none" },
    { "numa_memory", NAMED(xlnuma__memories, memory), "spread or pack" },
    { "numa_nodes", READ(read_nodes),
      "all or a list of nodes such as \"0-1,4\"" },
    { "numa_devices", READ(read_devices), "a percentage, 0 to 100" },
    { "numa_affinity", NAMED(xlnuma__affinities, affinity),
      "socket, soft or hard" },
    { "numa_guest_nodes", READ(read_guest_nodes),
      "off, auto or a number of nodes, 2 to 64" },
    { "numa_hotplug", NAMED(xlnuma__hotplugs, hotplug), "now or limits" },
    { "numa_balance", READ(read_balance), "on or off" },
    { "numa_balance_gain", READ(read_balance_gain), "a percentage, 1 to 1000" },
    { "numa_move", READ(read_move), "on or off" },
    { "numa_cpus", NAMED(xlnuma__cpu_policies, cpu_policy),
      "shared or dedicated" },
    { "numa_threads", NAMED(xlnuma__threads, threads),
      "prefer, isolate or require" },
    { "numa_emulator", NAMED(xlnuma__emulators, emulator), "any or near" },
#undef NAMED
#undef READ
};

#define NR_KEYS (sizeof(keys) / sizeof(*keys))

_Static_assert(NR_KEYS <= XLNUMA__KEYS_MAX, "XLNUMA__KEYS_MAX is too small");

const char *xlnuma__key_name(unsigned i)
{
    return i < NR_KEYS ? keys[i].name : NULL;
}

static bool is_key(const char *name, const char *key, size_t length)
{
    return strlen(name) == length && !memcmp(name, key, length);
}

/* The key's number; NR_KEYS when there is no such key. */
static unsigned find_key(const char *key, size_t length)
{
    unsigned i = 0;

    while (i < NR_KEYS && !is_key(keys[i].name, key, length))
        i++;
    return i;
}

/* --- a key that is unknown ------------------------------------------------ */

/* No key is longer; of one that is, this much is compared and shown. */
#define KEY_LENGTH_MAX 40

/* How many letters to insert, delete or replace (Levenshtein). */
static size_t edit_distance(const char *a, size_t length, const char *b)
{
    size_t row[KEY_LENGTH_MAX + 1];

    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (size_t j = 1; *b; b++, j++) {
        size_t diagonal = row[0];

        row[0] = j;
        for (size_t i = 1; i <= length; i++) {
            size_t above = row[i], best = diagonal + (a[i - 1] != *b);

            best = above + 1 < best ? above + 1 : best;
            row[i] = row[i - 1] + 1 < best ? row[i - 1] + 1 : best;
            diagonal = above;
        }
    }
    return row[length];
}

/* The i-th key that is known, or NULL: one of the table, or of the others. */
static const char *known_key(const char *const *others, unsigned i)
{
    if (i < NR_KEYS)
        return keys[i].name;
    return others ? others[i - NR_KEYS] : NULL;
}

/* The nearest key, if at most a third of its letters differ; else NULL. */
static const char *key_meant(const char *key, size_t length,
                             const char *const *others)
{
    const char *meant = NULL, *name;
    size_t least = SIZE_MAX;

    for (unsigned i = 0; (name = known_key(others, i)); i++) {
        size_t distance = edit_distance(key, length, name);

        if (distance * 3 <= strlen(name) && distance < least) {
            meant = name;
            least = distance;
        }
    }
    return meant;
}

void xlnuma__key_unknown(const char *key, size_t length,
                         const char *const *others,
                         char what[XLNUMA_MESSAGE_SIZE])
{
    size_t shown = length < KEY_LENGTH_MAX ? length : KEY_LENGTH_MAX;
    const char *meant = key_meant(key, shown, others), *name;
    int n = snprintf(what, XLNUMA_MESSAGE_SIZE, "unknown key \"%.*s\"%s%s%s",
                     (int)shown, key, meant ? ": did you mean " : ", not ",
                     meant ? meant : "", meant ? "?" : "");

    for (unsigned i = 0;
         !meant && n < XLNUMA_MESSAGE_SIZE && (name = known_key(others, i));
         i++)
        n += snprintf(what + n, XLNUMA_MESSAGE_SIZE - (size_t)n, "%s%s",
                      !i                         ? ""
                      : known_key(others, i + 1) ? ", "
                                                 : " or ",
                      name);
}

/* Is it one of the others? */
static bool is_other(const char *const *others, const char *key, size_t length)
{
    while (others && *others && !is_key(*others, key, length))
        others++;
    return others && *others;
}

int xlnuma__keys_check(const char *prefix, const char *const *others,
                       const char *source, const char *text, size_t length,
                       char *message)
{
    char what[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__scan scan;

    *message = '\0';
    xlnuma__scan_init(&scan, text, length);
    while (xlnuma__scan_next(&scan)) {
        if (scan.length < strlen(prefix) ||
            memcmp(scan.key, prefix, strlen(prefix)) ||
            find_key(scan.key, scan.length) < NR_KEYS ||
            is_other(others, scan.key, scan.length))
            continue;
        xlnuma__key_unknown(scan.key, scan.length, others, what);
        return xlnuma__fail(message, XLNUMA_ERR_INVALID, "%s:%u: %s", source,
                            scan.line, what);
    }
    return 0;
}

/* --- settings ------------------------------------------------------------- */

static bool read_value(struct xlnuma_request *request, unsigned key,
                       const char *value)
{
    void *field = (char *)request + keys[key].offset;

    return keys[key].read ? keys[key].read(request, value)
                          : xlnuma__from_name(keys[key].names, value, field);
}

static bool set_value(struct xlnuma__settings *settings, unsigned key,
                      const char *value)
{
    struct xlnuma_request request;

    if (strlen(value) >= XLNUMA__VALUE_SIZE ||
        !read_value(&request, key, value))
        return false;
    memcpy(settings->value[key], value, strlen(value) + 1);
    return true;
}

const char *xlnuma__settings_set(struct xlnuma__settings *settings,
                                 const char *key, const char *value,
                                 bool *is_right_r)
{
    unsigned i = find_key(key, strlen(key));

    if (i == NR_KEYS)
        return NULL;
    *is_right_r = set_value(settings, i, value);
    return keys[i].values;
}

bool xlnuma__settings_has(const struct xlnuma__settings *settings,
                          const char *key)
{
    unsigned i = find_key(key, strlen(key));

    return i < NR_KEYS && *settings->value[i];
}

void xlnuma__settings_fill(struct xlnuma__settings *settings,
                           const struct xlnuma__settings *from)
{
    for (unsigned i = 0; i < NR_KEYS; i++)
        if (!*settings->value[i])
            memcpy(settings->value[i], from->value[i], XLNUMA__VALUE_SIZE);
}

/* Two that choose its CPUs. */
static int check_dedicated(const struct xlnuma__settings *settings,
                           const XLU_Config *config, const char *source,
                           const char *text, size_t length, char *message)
{
    static const char *const others[] = { "cpus", "cpus_soft", "pool", "vnuma",
                                          NULL };
    static const char key[] = "numa_cpus";
    const char *value;
    XLU_ConfigList *list;
    int nr;

    if (strcmp(settings->value[find_key(key, strlen(key))], "dedicated"))
        return 0;
    for (unsigned i = 0; others[i]; i++) {
        if (!xlu_cfg_get_string(config, others[i], &value, 1)) {
            if (!strcmp(others[i], "pool") && !strcmp(value, XLNUMA__POOL))
                continue;
        } else if (xlu_cfg_get_list(config, others[i], &list, &nr, 1)) {
            continue;
        }
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "%s:%u: %s is \"dedicated\", but %s is given: only "
                            "one of the two can choose its CPUs",
                            source, xlnuma__config_line(text, length, key), key,
                            others[i]);
    }
    return 0;
}

/* libxl's own virtual nodes and ours at once. */
static int check_vnuma(const struct xlnuma__settings *settings,
                       const XLU_Config *config, const char *source,
                       const char *text, size_t length, char *message)
{
    static const char key[] = "numa_guest_nodes";
    const char *value = settings->value[find_key(key, strlen(key))];
    XLU_ConfigList *list;
    int nr;

    if (!*value || !strcmp(value, "off") ||
        xlu_cfg_get_list(config, "vnuma", &list, &nr, 1) == ESRCH)
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                        "%s:%u: %s is \"%s\", but vnuma is given: only one of "
                        "the two can say what the guest sees",
                        source, xlnuma__config_line(text, length, key), key,
                        value);
}

int xlnuma__settings_read(struct xlnuma__settings *settings_r,
                          const XLU_Config *config, const char *source,
                          const char *text, size_t length, char *message)
{
    *message = '\0';
    memset(settings_r, 0, sizeof(*settings_r));
    for (unsigned i = 0; i < NR_KEYS; i++) {
        const char *value;

        if (get_key(config, keys[i].name, &value))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "%s:%u: %s is a list, not %s", source,
                                xlnuma__config_line(text, length, keys[i].name),
                                keys[i].name, keys[i].values);
        if (value && !set_value(settings_r, i, value))
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "%s:%u: %s is \"%s\", not %s", source,
                                xlnuma__config_line(text, length, keys[i].name),
                                keys[i].name, value, keys[i].values);
    }
    if (check_dedicated(settings_r, config, source, text, length, message))
        return XLNUMA_ERR_INVALID;
    return check_vnuma(settings_r, config, source, text, length, message);
}

void xlnuma__settings_apply(const struct xlnuma__settings *settings,
                            struct xlnuma_request *request)
{
    for (unsigned i = 0; i < NR_KEYS; i++)
        if (*settings->value[i])
            (void)read_value(request, i, settings->value[i]);
}
