/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a guest's vCPUs are, and ran. */
#ifndef XLNUMA_XEN_VCPUS_H
#define XLNUMA_XEN_VCPUS_H

#include <libxl.h>

#include "model/guests.h"

/*
 * Look at a domain's vCPUs, for some seconds, or once if these are 0. A domain
 * that goes meanwhile is shown as it was last.
 *
 * Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM. Logs: as libxl.
 * xlnuma__vcpus_dispose() is safe after a failure and twice.
 */
int xlnuma__vcpus_from_xen(struct xlnuma__vcpus *vcpus_r, libxl_ctx *ctx,
                           uint32_t domid, xlnuma_nodeset nodes,
                           unsigned seconds, char *message);

#endif /* XLNUMA_XEN_VCPUS_H */
