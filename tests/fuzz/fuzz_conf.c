/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl-numa.conf, asked for a guest whose name patterns can match. */
#include "fuzz.h"

#include "xen/xen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    int rc;

    FUZZ_CHECK(!setenv("XL_NUMA_CONF", fuzz_file(data, size), 1));
    rc = xlnuma__conf_read(&settings, "db1--incoming", message);
    fuzz_check_message(rc, message);
    if (rc)
        FUZZ_CHECK(!settings.has_policy && !settings.has_memory &&
                   !settings.has_nodes);
    if (settings.has_nodes)
        FUZZ_CHECK(settings.nodes);
    return 0;
}
