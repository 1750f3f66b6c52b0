/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPUs of a host, a line for each, as "lscpu -e". */
#ifndef XLNUMA_HOST_CPUS_H
#define XLNUMA_HOST_CPUS_H

#include <libxl.h>

#include "model/guests.h"
#include "view/table.h"

struct host_cpus {
    struct host_cpu *cpu; /* owned */
    unsigned nr;
    struct host_pin *pin; /* owned */
    unsigned nr_pins;
};

/*
 * `guests` with their vCPUs; they and the host stay borrowed. Without ctx, of a
 * snapshot, the cpupools are not known. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM;
 * host_cpus_dispose() is safe in any case.
 */
int host_cpus_read(struct host_cpus *cpus_r, const struct xlnuma_host *host,
                   const struct xlnuma__guests *guests, libxl_ctx *ctx,
                   char *message);
void host_cpus_dispose(struct host_cpus *cpus);

/* Borrowed from `cpus`. */
struct table host_cpus_table(const struct host_cpus *cpus);

#endif /* XLNUMA_HOST_CPUS_H */
