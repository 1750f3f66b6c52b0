/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PCI devices of a node, for people. */
#ifndef XLNUMA_DEVICES_H
#define XLNUMA_DEVICES_H

#include <stddef.h>

#include "model/host.h"

/* "3b:00.0-1,5e:00.0"; a list that does not fit ends in "...". Returns buf. */
char *devices_format(const struct xlnuma_host *host, unsigned node, char *buf,
                     size_t size);

#endif /* XLNUMA_DEVICES_H */
