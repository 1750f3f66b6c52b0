/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of Domain-0's vCPUs a guest's device model gets. */
#ifndef XLNUMA_EMULATOR_H
#define XLNUMA_EMULATOR_H

#include "model/dom0_vcpus.h"
#include "model/request.h"

/*
 * For a guest on these nodes. With "near" those vCPUs that may run on these nodes'
 * CPUs alone; if there is none, those that may run on their sockets alone; if there
 * is none, as with "any": all of `set`. An empty `set` stands for all that Domain-0
 * has, and then the result is empty, too: the device model is left as it is.
 */
void xlnuma__emulator_choose(const struct xlnuma_host *host,
                             const struct xlnuma__dom0_vcpus *dom0,
                             xlnuma_nodeset nodes,
                             enum xlnuma_emulator emulator,
                             const xlnuma_cpuset *set, xlnuma_cpuset *vcpus_r);

#endif /* XLNUMA_EMULATOR_H */
