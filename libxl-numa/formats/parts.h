/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the model is as JSON, for documents of several kinds. */
#ifndef XLNUMA_PARTS_H
#define XLNUMA_PARTS_H

#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "model/guests.h"
#include "model/plan.h"

/* host_json.c: the distances between the host's nodes, an array for each. */
void xlnuma__distances_generate(const struct xlnuma_host *host, yajl_gen gen);

/* plan_json.c: a plan as an object (docs/plan-format.md). */
void xlnuma__plan_generate(const struct xlnuma_host *host,
                           const struct xlnuma_plan *plan, yajl_gen gen);

/*
 * Write a plan that was made for the host as JSON (docs/plan-format.md).
 * Returns 0, XLNUMA_ERR_NOMEM, XLNUMA_ERR_IO (the stream has an error).
 */
int xlnuma_plan_write(const struct xlnuma_host *host,
                      const struct xlnuma_plan *plan, FILE *file,
                      char *message) XLNUMA_MUST_CHECK;

/*
 * The nodes that the guest sees, as an array: id, node, planned_kb, actual_kb,
 * vcpus, ranges.
 */
void xlnuma__report_vnodes_generate(const struct xlnuma__report *report,
                                    yajl_gen gen);

/* The dedicated CPUs of its vCPUs: an array of numbers. */
void xlnuma__report_cpus_generate(const struct xlnuma__report *report,
                                  yajl_gen gen);

/* What is known of each of xlnuma__report_nodes(): an array. */
void xlnuma__report_nodes_generate(const struct xlnuma__report *report,
                                   yajl_gen gen);

#endif /* XLNUMA_PARTS_H */
