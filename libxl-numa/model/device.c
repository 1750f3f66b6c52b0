/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCI devices: their addresses as text, and on which node of a host they are. */
#include "model/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At most `digits` hexadecimal digits, not 0, below `limit`, then `behind`. */
static const char *read_part(const char *text, size_t digits, uint32_t limit,
                             char behind, uint32_t *part_r)
{
    size_t length = strspn(text, "0123456789abcdefABCDEF");

    *part_r = (uint32_t)strtoul(text, NULL, 16);
    return length && length <= digits && *part_r < limit &&
                   text[length] == behind
               ? text + length + (behind != '\0')
               : NULL;
}

bool xlnuma_bdf_parse(const char *text, xlnuma_bdf *bdf_r)
{
    uint32_t segment = 0, bus, device, function;
    const char *colon = strchr(text, ':');

    if (colon && strchr(colon + 1, ':'))
        text = read_part(text, 4, 0x10000, ':', &segment);
    if (text)
        text = read_part(text, 2, 0x100, ':', &bus);
    if (text)
        text = read_part(text, 2, 0x20, '.', &device);
    if (text)
        text = read_part(text, 1, 8, '\0', &function);
    if (text)
        *bdf_r = segment << 16 | bus << 8 | device << 3 | function;
    return text;
}

char *xlnuma_bdf_format(xlnuma_bdf bdf, char buf[XLNUMA_BDF_SIZE])
{
    snprintf(buf, XLNUMA_BDF_SIZE,
             "%04" PRIx32 ":%02" PRIx32 ":%02" PRIx32 ".%" PRIx32, bdf >> 16,
             bdf >> 8 & 0xff, bdf >> 3 & 0x1f, bdf & 7);
    return buf;
}

static int compare_devices(const void *a, const void *b)
{
    const struct xlnuma_device *x = a, *y = b;

    return (x->bdf > y->bdf) - (x->bdf < y->bdf);
}

void xlnuma__host_sort_devices(struct xlnuma_host *host)
{
    qsort(host->device, host->nr_devices, sizeof(host->device[0]),
          compare_devices);
}

bool xlnuma__host_find_device(const struct xlnuma_host *host, xlnuma_bdf bdf,
                              unsigned *node_r)
{
    const struct xlnuma_device wanted = { .bdf = bdf }, *device;

    device = bsearch(&wanted, host->device, host->nr_devices,
                     sizeof(host->device[0]), compare_devices);
    if (device)
        *node_r = device->node;
    return device;
}
