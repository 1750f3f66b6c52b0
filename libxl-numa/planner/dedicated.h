/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPUs of a guest's own (numa_cpus = "dedicated"). */
#ifndef XLNUMA_PLANNER_DEDICATED_H
#define XLNUMA_PLANNER_DEDICATED_H

#include "planner/plan.h"

/* Of the host's dedicated CPUs that are free, those that may be chosen. */
void xlnuma__dedicated_usable(const struct xlnuma_host *host,
                              enum xlnuma_threads threads,
                              xlnuma_cpuset *usable_r);

/*
 * A CPU for each of nr vCPUs, of `usable` ones (at least nr): in proportion to these
 * on each node, a core at a time; neighbouring vCPUs on one core and node.
 */
void xlnuma__dedicated_choose(const struct xlnuma_host *host,
                              const xlnuma_cpuset *usable, unsigned nr,
                              uint16_t cpu_r[]);

/* "4,5": of each vCPU in order. Returns buf; a list that does not fit ends in "...". */
char *xlnuma__dedicated_format(const struct xlnuma_plan *plan, char *buf,
                               size_t size);

/* A list of CPUs as a set. */
void xlnuma__dedicated_set(const uint16_t cpu[], unsigned nr,
                           xlnuma_cpuset *cpus_r);

/*
 * As xlnuma_plan_make(), for a guest with dedicated CPUs: these are a hard condition.
 * Which they are is said by _say, as they may still change (vnodes/pins.c).
 */
int xlnuma__plan_dedicated(const struct xlnuma_host *host,
                           const struct xlnuma_request *request,
                           struct xlnuma_plan *plan_r,
                           char *message) XLNUMA_MUST_CHECK;

void xlnuma__dedicated_say(struct xlnuma_plan *plan);

/* The request that such a plan answers: the guest may use its dedicated CPUs alone. */
void xlnuma__dedicated_request(const struct xlnuma_request *request,
                               const struct xlnuma_plan *plan,
                               struct xlnuma_request *pinned_r);

#endif /* XLNUMA_PLANNER_DEDICATED_H */
