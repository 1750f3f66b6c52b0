/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a host and a request to a plan. Changes nothing anywhere and needs no Xen:
 *
 *     struct xlnuma_host *host = xlnuma_host_new();
 *     struct xlnuma_plan *plan = xlnuma_plan_new();
 *     struct xlnuma_request request;
 *     char message[XLNUMA_MESSAGE_SIZE];
 *
 *     xlnuma_request_init(&request);
 *     request.memory_kb = 4403200;
 *     request.nr_vcpus = 2;
 *     if (!host || !plan ||
 *         xlnuma_host_load(host, "host.json", message) ||
 *         xlnuma_plan_make(host, &request, plan, message))
 *         fprintf(stderr, "%s\n", message);
 *     else
 *         puts(plan->reason);
 *     xlnuma_plan_free(plan);
 *     xlnuma_host_free(host);
 */
#ifndef XLNUMA_PLANNER_PLAN_H
#define XLNUMA_PLANNER_PLAN_H

#include "model/plan.h"

/*
 * The best node set for a request, by docs/design.md's expected distance and
 * that to its devices: a pure function of host and request. That nothing fits
 * is an answer (status XLNUMA_STATUS_UNPLACED), not an error.
 *
 * Returns 0, XLNUMA_ERR_INVALID (the request: no memory, no vCPUs, only CPUs or
 * nodes that the host has not).
 */
int xlnuma_plan_make(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     struct xlnuma_plan *plan_r,
                     char *message) XLNUMA_MUST_CHECK;

/*
 * Let a plan follow what really happened: its nodes, CPUs and expected distance
 * become those of the `nodes` that hold actual_kb; its CPUs stay when these have
 * none. memory_kb stays what was planned.
 */
void xlnuma__plan_follow(struct xlnuma_plan *plan,
                         const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, const uint64_t actual_kb[]);

#endif /* XLNUMA_PLANNER_PLAN_H */
