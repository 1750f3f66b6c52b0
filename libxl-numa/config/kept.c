/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numa_* keys of a guest's file in libxl's own stored configuration, as
 * entries of c_info.platformdata: so they are saved, migrated and restored with
 * the guest. libxl also writes these entries to the guest's folder `platform` in
 * xenstore, which the guest can read and cannot write; nothing is read from there.
 */
#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "numa_"

size_t xlnuma__kept_count(char *const *list)
{
    size_t nr = 0;

    while (list && list[nr])
        nr += 2;
    return nr;
}

static bool is_ours(const char *name)
{
    const char *key;

    for (unsigned i = 0; (key = xlnuma__key_name(i)); i++)
        if (!strcmp(key, name))
            return true;
    return false;
}

/* Is there neither anything to keep nor anything kept? */
static bool is_idle(char *const *stored,
                    const struct xlnuma__settings *settings)
{
    for (unsigned i = 0; i < XLNUMA__KEYS_MAX; i++)
        if (*settings->value[i])
            return false;
    for (size_t i = 0; i < xlnuma__kept_count(stored); i += 2)
        if (is_ours(stored[i]))
            return false;
    return true;
}

/* Copies of the settings at the start of `list`. Returns how many, or -1. */
static int put_settings(libxl_key_value_list list,
                        const struct xlnuma__settings *settings)
{
    int nr = 0;
    const char *key;

    for (unsigned i = 0; (key = xlnuma__key_name(i)); i++) {
        if (!*settings->value[i])
            continue;
        list[nr] = strdup(key);
        list[nr + 1] = strdup(settings->value[i]);
        if (!list[nr] || !list[nr + 1])
            return -1;
        nr += 2;
    }
    return nr;
}

/* The other entries change hands, which cannot fail. */
static void move_others(libxl_key_value_list to, libxl_key_value_list from)
{
    for (size_t nr = xlnuma__kept_count(from), i = 0; i < nr; i += 2)
        if (is_ours(from[i])) {
            free(from[i]);
            free(from[i + 1]);
        } else {
            *to++ = from[i];
            *to++ = from[i + 1];
        }
    free(from);
}

int xlnuma__kept_put(libxl_domain_config *config,
                     const struct xlnuma__settings *settings)
{
    libxl_key_value_list *stored = &config->c_info.platformdata, list;
    size_t size = xlnuma__kept_count(*stored) + 2 * XLNUMA__KEYS_MAX + 1;
    int nr;

    if (is_idle(*stored, settings))
        return 0;
    list = calloc(size, sizeof(*list));
    if (!list)
        return XLNUMA_ERR_NOMEM;
    nr = put_settings(list, settings);
    if (nr < 0) {
        for (size_t i = 0; i < size; i++)
            free(list[i]);
        free(list);
        return XLNUMA_ERR_NOMEM;
    }
    move_others(list + nr, *stored);
    *stored = list;
    return 0;
}

int xlnuma__kept_get(struct xlnuma__settings *settings_r,
                     const libxl_domain_config *config, char *message)
{
    char *const *stored = config->c_info.platformdata;
    int rc = 0;

    *message = '\0';
    memset(settings_r, 0, sizeof(*settings_r));
    for (size_t i = 0; i < xlnuma__kept_count(stored); i += 2) {
        const char *value = stored[i + 1] ? stored[i + 1] : "", *values;
        bool is_right = false;

        if (strncmp(stored[i], PREFIX, strlen(PREFIX)) ||
            !strncmp(stored[i], XLNUMA__KEPT_NODE, strlen(XLNUMA__KEPT_NODE)))
            continue;
        values = xlnuma__settings_set(settings_r, stored[i], value, &is_right);
        if (is_right || rc)
            continue;
        rc = xlnuma__fail(message, XLNUMA_ERR_INVALID,
                          "%.64s, kept since it was built, is \"%.64s\", %s%s",
                          stored[i], value,
                          values ? "not " : "a key that is not known here",
                          values ? values : "");
    }
    return rc;
}
