/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the unit tests share: CUnit's assertions, results printed as TAP. */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/CUnit.h>

#include "formats/parts.h"
#include "formats/snapshot.h"
#include "planner/extent.h"
#include "planner/plan.h"

struct unit_test {
    const char *name; /* what it shows */
    void (*run)(void);
};

/* Run tests up to one without a name; returns the program's exit status. */
int unit_run(const char *suite, const struct unit_test tests[]);

/*
 * A host of nr_nodes nodes with `cpus` CPUs and free_mib[i] MiB free of 3072
 * each, two nodes a socket: distances 10, 11 within a socket, 21 beyond.
 * Ownership: the caller's.
 */
struct xlnuma_host *unit_host(unsigned nr_nodes, unsigned cpus,
                              const uint64_t free_mib[]);

#endif /* UNIT_H */
