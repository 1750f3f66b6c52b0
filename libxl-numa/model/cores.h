/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which CPUs are threads of one core. */
#ifndef XLNUMA_CORES_H
#define XLNUMA_CORES_H

#include "model/host.h"

/* The lowest CPU of a CPU's core. */
unsigned xlnuma__host_core(const struct xlnuma_host *host, unsigned cpu);

/* All CPUs of that core, if the CPU is online. */
void xlnuma__host_core_cpus(const struct xlnuma_host *host, unsigned cpu,
                            xlnuma_cpuset *cpus_r);

/* These CPUs are one core's. */
void xlnuma__host_set_core(struct xlnuma_host *host, const xlnuma_cpuset *cpus);

/*
 * Where only the number of cores is known: as Xen numbers CPUs, those of a core
 * follow each other.
 */
void xlnuma__host_guess_cores(struct xlnuma_host *host,
                              const struct xlnuma_node *node);

#endif /* XLNUMA_CORES_H */
