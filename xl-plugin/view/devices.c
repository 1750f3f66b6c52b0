/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of PCI devices, those that differ in their function alone put together. */
#include "view/devices.h"

#include <stdio.h>
#include <string.h>

/* "3b:00.0": a segment only where it is not the first. */
static char *format_device(xlnuma_bdf bdf, char buf[XLNUMA_BDF_SIZE])
{
    xlnuma_bdf_format(bdf, buf);
    if (!(bdf >> 16))
        memmove(buf, buf + strlen("0000:"), strlen(buf + strlen("0000:")) + 1);
    return buf;
}

/* Devices of the node from number n on that differ in their function alone. */
static unsigned count_functions(const struct xlnuma_host *host, unsigned node,
                                unsigned n)
{
    const struct xlnuma_device *device = &host->device[n];
    unsigned nr = 1;

    while (n + nr < host->nr_devices && device[nr].node == node &&
           device[nr].bdf == device->bdf + nr && device[nr].bdf % 8)
        nr++;
    return nr;
}

char *devices_format(const struct xlnuma_host *host, unsigned node, char *buf,
                     size_t size)
{
    size_t used = 0;

    *buf = '\0';
    for (unsigned n = 0, nr; n < host->nr_devices; n += nr) {
        char bdf[XLNUMA_BDF_SIZE], last[16] = "";

        nr = 1;
        if (host->device[n].node != node)
            continue;
        nr = count_functions(host, node, n);
        if (nr > 1)
            snprintf(last, sizeof(last), "-%u",
                     host->device[n + nr - 1].bdf % 8);
        if (used + sizeof(bdf) + sizeof(last) + 4 > size) {
            snprintf(buf + used, size - used, ",...");
            break;
        }
        used += (size_t)sprintf(buf + used, "%s%s%s", used ? "," : "",
                                format_device(host->device[n].bdf, bdf), last);
    }
    return buf;
}
