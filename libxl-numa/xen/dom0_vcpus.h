/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain-0's vCPUs, from the running Xen. */
#ifndef XLNUMA_XEN_DOM0_VCPUS_H
#define XLNUMA_XEN_DOM0_VCPUS_H

#include <libxl.h>

#include "model/dom0_vcpus.h"

/*
 * Those that are online, with their hard affinity within Pool-0. Returns 0,
 * XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM; xlnuma__dom0_vcpus_dispose() is safe after a
 * failure, and twice.
 */
int xlnuma__dom0_vcpus_read(struct xlnuma__dom0_vcpus *dom0_r, libxl_ctx *ctx,
                            char *message);
void xlnuma__dom0_vcpus_dispose(struct xlnuma__dom0_vcpus *dom0);

#endif /* XLNUMA_XEN_DOM0_VCPUS_H */
