/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where Domain-0's vCPUs may run: what is known of it. Reads nothing. */
#include "model/dom0_vcpus.h"

#include <stdlib.h>
#include <string.h>

void xlnuma__dom0_vcpus_dispose(struct xlnuma__dom0_vcpus *dom0)
{
    free(dom0->vcpu);
    memset(dom0, 0, sizeof(*dom0));
}
