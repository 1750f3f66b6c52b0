/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl-numa.conf (docs/xl-numa.conf.pod): the numa_* keys of many guests, by their
 * names. All of the file is checked, whichever guest is asked for. Does not know
 * the guest's own file.
 */
#include "config/settings.h"
#include "config/text.h"
#include "model/dedicated.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_VARIABLE "XL_NUMA_CONF"
#define DEFAULT_PATH XEN_CONFIG_DIR "/xl-numa.conf"

#define EXAMPLE "[ \"name=db*\", \"numa_policy=restricted\" ]"

struct conf {
    struct xlnuma__text file;
    char *guest; /* owned: the name that patterns are to match */
};

/* One of numa_guests: what it sets for guests of a name. */
struct entry {
    XLU_ConfigValue *value; /* borrowed */
    const char *pattern;    /* borrowed; NULL until it is read */
    struct xlnuma__settings settings;
};

/* --- messages ------------------------------------------------------------- */

static int out_of_memory(struct conf *conf)
{
    return xlnuma__fail(conf->file.message, XLNUMA_ERR_NOMEM,
                        "%s: out of memory", conf->file.name);
}

__attribute__((format(printf, 3, 4))) static int
bad(struct conf *conf, unsigned line, const char *format, ...)
{
    char what[XLNUMA_MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return xlnuma__fail(conf->file.message, XLNUMA_ERR_INVALID, "%s:%u: %s",
                        conf->file.name, line, what);
}

static unsigned line_of_key(const struct conf *conf, const char *key)
{
    return xlnuma__config_line(conf->file.text, conf->file.length, key);
}

/*
 * libxlutil tells where a value is only when it complains of it, "FILE:LINE:":
 * so ask for a list as a text, and for a text as a list.
 */
static unsigned line_of(struct conf *conf, XLU_ConfigValue *value)
{
    size_t start = conf->file.reported_length + strlen(conf->file.name) + 1;
    XLU_ConfigList *list;
    char *text;

    if (xlu_cfg_value_type(value) == XLU_LIST)
        (void)xlu_cfg_value_get_string(conf->file.config, value, &text, 0);
    else
        (void)xlu_cfg_value_get_list(conf->file.config, value, &list, 0);
    return !fflush(conf->file.report) && conf->file.reported_length > start
               ? (unsigned)strtoul(conf->file.reported + start, NULL, 10)
               : line_of_key(conf, "numa_guests");
}

/* --- the file ------------------------------------------------------------- */

static int read_file(struct conf *conf)
{
    FILE *from = fopen(conf->file.name, "re");
    int rc;

    if (!from && errno == ENOENT && !strcmp(conf->file.name, DEFAULT_PATH))
        return 0;
    rc = xlnuma__text_read(&conf->file, from, 0, NULL);
    if (from)
        fclose(from);
    return rc;
}

/*
 * Before libxlutil reads the text: a file with a key `name` would be taken for a
 * guest's by the hook.
 */
static int check_keys(struct conf *conf)
{
    static const char *const others[] = { "numa_guests", XLNUMA__CONF_SWITCH,
                                          XLNUMA__CONF_DEDICATED,
                                          XLNUMA__CONF_EMULATOR, NULL };

    return xlnuma__keys_check("", others, conf->file.name, conf->file.text,
                              conf->file.length, conf->file.message);
}

/* --- numa_guests ---------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The text without blanks at its ends, which it is cut off from. */
static char *trim(char *text)
{
    size_t length;

    while (is_space(*text))
        text++;
    length = strlen(text);
    while (length && is_space(text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

static int set_key(struct conf *conf, struct entry *entry,
                   XLU_ConfigValue *item, const char *key, const char *value)
{
    static const char *const others[] = { "name", NULL };
    bool is_twice = xlnuma__settings_has(&entry->settings, key), is_right;
    char what[XLNUMA_MESSAGE_SIZE];
    const char *values;

    if (!strcmp(key, "name")) {
        if (entry->pattern)
            return bad(conf, line_of(conf, item), "name is given twice");
        if (!*value)
            return bad(conf, line_of(conf, item), "name is empty");
        entry->pattern = value;
        return 0;
    }
    values = xlnuma__settings_set(&entry->settings, key, value, &is_right);
    if (!values) {
        xlnuma__key_unknown(key, strlen(key), others, what);
        return bad(conf, line_of(conf, item), "%s", what);
    }
    if (!is_right)
        return bad(conf, line_of(conf, item), "%s is \"%s\", not %s", key,
                   value, values);
    if (is_twice)
        return bad(conf, line_of(conf, item), "%s is given twice", key);
    return 0;
}

/* "KEY=VALUE"; it is cut in two where it stands. */
static int read_item(struct conf *conf, struct entry *entry,
                     XLU_ConfigValue *item)
{
    char *text, *equals;

    if (xlu_cfg_value_get_string(conf->file.config, item, &text, 1))
        return bad(conf, line_of(conf, item), "a list, not \"KEY=VALUE\"");
    equals = strchr(text, '=');
    if (!equals)
        return bad(conf, line_of(conf, item), "\"%s\" is not \"KEY=VALUE\"",
                   text);
    *equals = '\0';
    return set_key(conf, entry, item, trim(text), trim(equals + 1));
}

static int read_entry(struct conf *conf, struct entry *entry)
{
    XLU_ConfigList *list;
    XLU_ConfigValue *item;
    char *text;
    int rc = 0;

    if (xlu_cfg_value_get_list(conf->file.config, entry->value, &list, 1)) {
        (void)xlu_cfg_value_get_string(conf->file.config, entry->value, &text,
                                       1);
        return bad(conf, line_of(conf, entry->value),
                   "\"%s\" is not a list such as " EXAMPLE, text);
    }
    for (int i = 0; !rc && (item = xlu_cfg_get_listitem2(list, i)); i++)
        rc = read_item(conf, entry, item);
    if (!rc && !entry->pattern)
        rc = bad(conf, line_of(conf, entry->value),
                 "an entry of numa_guests without \"name=PATTERN\"");
    return rc;
}

static int read_guests(struct conf *conf, struct xlnuma__settings *settings_r)
{
    struct entry entry;
    XLU_ConfigList *list;
    const char *value;
    int r, rc = 0;

    r = xlu_cfg_get_list(conf->file.config, "numa_guests", &list, NULL, 1);
    if (r == ESRCH)
        return 0;
    if (r) {
        (void)xlu_cfg_get_string(conf->file.config, "numa_guests", &value, 1);
        return bad(
            conf, line_of_key(conf, "numa_guests"),
            "numa_guests is \"%s\", not a list of lists such as [ " EXAMPLE
            " ]",
            value);
    }
    for (int i = 0; !rc; i++) {
        memset(&entry, 0, sizeof(entry));
        entry.value = xlu_cfg_get_listitem2(list, i);
        if (!entry.value)
            break;
        rc = read_entry(conf, &entry);
        if (rc)
            break;
        r = fnmatch(entry.pattern, conf->guest, 0);
        if (!r)
            xlnuma__settings_fill(settings_r, &entry.settings);
        else if (r != FNM_NOMATCH)
            rc = out_of_memory(conf);
    }
    return rc;
}

/* --- keys of the host ------------------------------------------------------ */

/* "on", which is the default, or "off" */
static bool read_switch(struct xlnuma__conf_host *host, const char *value)
{
    host->is_off = !strcmp(value, "off");
    return host->is_off || !strcmp(value, "on");
}

/* A list of CPUs; which of them the host has is seen when it is used. */
static bool read_cpus(struct xlnuma__conf_host *host, const char *value)
{
    char why[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset cpus;

    if (strlen(value) >= sizeof(host->dedicated_cpus) ||
        xlnuma__dedicated_parse(value, NULL, &cpus, why))
        return false;
    memcpy(host->dedicated_cpus, value, strlen(value) + 1);
    return true;
}

/* A list of Domain-0's vCPUs; which of them it has is seen when it is used. */
static bool read_vcpus(struct xlnuma__conf_host *host, const char *value)
{
    char why[XLNUMA_MESSAGE_SIZE];

    return !xlnuma_cpuset_parse(value, &host->emulator_vcpus, why) &&
           xlnuma_cpuset_count(&host->emulator_vcpus);
}

static const struct {
    const char *name;
    bool (*read)(struct xlnuma__conf_host *host, const char *value);
    const char *values; /* that are right, for messages */
} host_keys[] = {
    { XLNUMA__CONF_SWITCH, read_switch, "on or off" },
    { XLNUMA__CONF_DEDICATED, read_cpus,
      "CPUs such as \"4-7,12\" or \"nodes:1\"" },
    { XLNUMA__CONF_EMULATOR, read_vcpus, "vCPUs of Domain-0 such as \"2-3\"" },
};

#define NR_HOST_KEYS (sizeof(host_keys) / sizeof(*host_keys))

static int read_host(struct conf *conf, struct xlnuma__conf_host *host_r)
{
    for (unsigned i = 0; i < NR_HOST_KEYS; i++) {
        const char *key = host_keys[i].name, *value;
        int r = xlu_cfg_get_string(conf->file.config, key, &value, 1);

        if (r && r != ESRCH)
            return bad(conf, line_of_key(conf, key), "%s is a list, not %s",
                       key, host_keys[i].values);
        if (!r && !host_keys[i].read(host_r, value))
            return bad(conf, line_of_key(conf, key), "%s is \"%s\", not %s",
                       key, value, host_keys[i].values);
    }
    return 0;
}

/* --- all of it ------------------------------------------------------------ */

/* xl receives a migrated guest under a name of its own. */
static char *lasting_name(const char *name)
{
    static const char incoming[] = "--incoming";
    size_t length = strlen(name);

    if (length >= strlen(incoming) &&
        !strcmp(name + length - strlen(incoming), incoming))
        length -= strlen(incoming);
    return strndup(name, length);
}

static int read_settings(struct conf *conf, struct xlnuma__settings *settings_r,
                         struct xlnuma__conf_host *host_r)
{
    struct xlnuma__settings all;
    int rc;

    rc = xlnuma__settings_read(&all, conf->file.config, conf->file.name,
                               conf->file.text, conf->file.length,
                               conf->file.message);
    if (!rc)
        rc = read_host(conf, host_r);
    if (!rc)
        rc = read_guests(conf, settings_r);
    if (!rc)
        xlnuma__settings_fill(settings_r, &all);
    return rc;
}

const char *xlnuma__conf_path(void)
{
    const char *path = getenv(PATH_VARIABLE);

    return path && *path ? path : DEFAULT_PATH;
}

int xlnuma__conf_read(struct xlnuma__settings *settings_r,
                      struct xlnuma__conf_host *host_r, const char *guest,
                      char *message)
{
    struct conf conf = { { .name = xlnuma__conf_path(), .message = message },
                         .guest = lasting_name(guest) };
    int rc;

    *message = '\0';
    memset(host_r, 0, sizeof(*host_r));
    memset(settings_r, 0, sizeof(*settings_r));
    rc = conf.guest ? read_file(&conf) : out_of_memory(&conf);
    if (!rc && conf.file.text)
        rc = check_keys(&conf);
    if (!rc && conf.file.text)
        rc = xlnuma__text_parse(&conf.file);
    if (!rc && conf.file.text)
        rc = read_settings(&conf, settings_r, host_r);
    if (rc) {
        memset(settings_r, 0, sizeof(*settings_r));
        memset(host_r, 0, sizeof(*host_r));
    }
    xlnuma__text_dispose(&conf.file);
    free(conf.guest);
    return rc;
}
