/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl-numa.conf, asked for a guest whose name patterns can match. */
#include "fuzz.h"

#include "config/settings.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xlnuma__settings settings;
    struct xlnuma_request request;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__conf_host host;
    int rc;

    FUZZ_CHECK(!setenv("XL_NUMA_CONF", fuzz_file(data, size), 1));
    rc = xlnuma__conf_read(&settings, &host, "db1--incoming", message);
    FUZZ_CHECK(!rc || !host.is_off);
    fuzz_check_message(rc, message);
    for (unsigned i = 0; xlnuma__key_name(i); i++)
        FUZZ_CHECK(!*settings.value[i] ||
                   (!rc && strlen(settings.value[i]) < XLNUMA__VALUE_SIZE));
    xlnuma_request_init(&request);
    xlnuma__settings_apply(&settings, &request);
    FUZZ_CHECK(request.nodes && request.device_weight <= 100);
    return 0;
}
