/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where Domain-0's vCPUs may run. */
#ifndef XLNUMA_DOM0_VCPUS_H
#define XLNUMA_DOM0_VCPUS_H

#include "model/set.h"

/* One that is online, and the CPUs that it may run on. */
struct xlnuma__dom0_vcpu {
    unsigned id;
    xlnuma_cpuset cpus;
};

/* By number. {0} is none. */
struct xlnuma__dom0_vcpus {
    struct xlnuma__dom0_vcpu *vcpu; /* owned */
    unsigned nr;
};

#endif /* XLNUMA_DOM0_VCPUS_H */
