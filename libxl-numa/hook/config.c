/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moment: a guest's configuration file was read. */
#include "hook/moments.h"
#include "hook/services.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * What xl calls the file that `xl config-update` left for the next reboot. It was
 * checked then, unless by an xl without the hook.
 */
static bool is_of_reboot(const char *source)
{
    return !strcmp(source, "<updated>");
}

int xlnuma__on_config_read(const XLU_Config *config, FILE *report,
                           const char *source, const char *text, int length)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    const char *name;

    /* Without a name it is no guest's file: xl.conf, say. */
    if (xlu_cfg_get_string(config, "name", &name, 1))
        return 0;
    if (xlnuma__keys_check("numa_", NULL, source, text, (size_t)length,
                           message) ||
        xlnuma__settings_read(&settings, config, source, text, (size_t)length,
                              message)) {
        if (!is_of_reboot(source)) {
            fprintf(report, "%s\n", message);
            return EINVAL;
        }
        fprintf(report, "%s: the guest's numa_* settings stay what they were\n",
                message);
        xlnuma__build_remember(name, NULL);
        return 0;
    }
    xlnuma__build_remember(name, &settings);
    return 0;
}
