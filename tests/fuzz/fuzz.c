/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_check_message(int rc, const char *message)
{
    FUZZ_CHECK(rc <= 0);
    FUZZ_CHECK(!rc == !*message);
    FUZZ_CHECK(strnlen(message, XLNUMA_MESSAGE_SIZE) < XLNUMA_MESSAGE_SIZE);
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        FUZZ_CHECK(fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    FUZZ_CHECK(!ftruncate(fd, 0));
    FUZZ_CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
    return path;
}

const struct xlnuma_host *fuzz_host(void)
{
    static struct xlnuma_host *host;

    if (host)
        return host;
    host = xlnuma_host_new();
    FUZZ_CHECK(host);
    for (unsigned i = 0; i < 16; i++) {
        struct xlnuma_node *node = &host->node[i];

        host->nodes |= (xlnuma_nodeset)1 << i;
        node->socket = i / 2;
        node->size_kb = 4 << 20;
        node->free_kb = (i + 1) << 18;
        xlnuma_cpuset_add(&node->cpus, i);
        for (unsigned j = 0; j < 16; j++)
            host->distance[i][j] = i == j ? 10 : i / 2 == j / 2 ? 11 : 21;
    }
    return host;
}
