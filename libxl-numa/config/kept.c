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

static bool is_setting(const char *name)
{
    const char *key;

    for (unsigned i = 0; (key = xlnuma__key_name(i)); i++)
        if (!strcmp(key, name))
            return true;
    return false;
}

void xlnuma__kept_drop(libxl_domain_config *config,
                       bool (*is_ours)(const char *key))
{
    char **from = config->c_info.platformdata, **to = from;

    for (size_t nr = xlnuma__kept_count(from), i = 0; i < nr; i += 2)
        if (is_ours(from[i])) {
            free(from[i]);
            free(from[i + 1]);
        } else {
            *to++ = from[i];
            *to++ = from[i + 1];
        }
    if (to)
        *to = NULL;
}

bool xlnuma__kept_add(libxl_domain_config *config, const char *key,
                      const char *value)
{
    char ***list = &config->c_info.platformdata, **larger;
    size_t nr = xlnuma__kept_count(*list);

    larger = reallocarray(*list, nr + 3, sizeof(*larger));
    if (!larger)
        return false;
    *list = larger;
    larger[nr] = strdup(key);
    larger[nr + 1] = larger[nr] ? strdup(value) : NULL;
    larger[nr + 2] = NULL;
    if (larger[nr + 1])
        return true;
    free(larger[nr]);
    larger[nr] = NULL;
    return false;
}

int xlnuma__kept_put(libxl_domain_config *config,
                     const struct xlnuma__settings *settings)
{
    const char *key;

    xlnuma__kept_drop(config, is_setting);
    for (unsigned i = 0; (key = xlnuma__key_name(i)); i++)
        if (*settings->value[i] &&
            !xlnuma__kept_add(config, key, settings->value[i])) {
            xlnuma__kept_drop(config, is_setting);
            return XLNUMA_ERR_NOMEM;
        }
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
