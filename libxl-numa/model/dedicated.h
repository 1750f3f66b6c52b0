/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPUs that guests have alone: how they are named, and which go together. */
#ifndef XLNUMA_DEDICATED_H
#define XLNUMA_DEDICATED_H

#include "model/cores.h"
#include "model/request.h"

/* The cpupool that they are in. */
#define XLNUMA__POOL "xl-numa-dedicated"

/*
 * A list as "4-7,12-15" or "nodes:1": an element may be nodes, "node:0" or
 * "nodes:0-1", for all their CPUs. Without a host only the form is checked.
 * Returns 0, XLNUMA_ERR_INVALID (the form; an empty list; a CPU or a node that the
 * host does not have).
 */
int xlnuma__dedicated_parse(const char *text, const struct xlnuma_host *host,
                            xlnuma_cpuset *cpus_r,
                            char *message) XLNUMA_MUST_CHECK;

/* What no other guest may have when a vCPU has this CPU. */
void xlnuma__dedicated_taken(const struct xlnuma_host *host,
                             enum xlnuma_threads threads, unsigned cpu,
                             xlnuma_cpuset *taken_r);

#endif /* XLNUMA_DEDICATED_H */
