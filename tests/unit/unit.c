/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>

static void print_failures(void)
{
    const CU_FailureRecord *failure = CU_get_failure_list();

    for (; failure; failure = failure->pNext)
        printf("# %s:%u: %s\n", failure->strFileName, failure->uiLineNumber,
               failure->strCondition);
}

int unit_run(const char *name, const struct unit_test tests[])
{
    unsigned nr = 0, nr_failed = 0;
    CU_pSuite suite;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS ||
        !(suite = CU_add_suite(name, NULL, NULL))) {
        printf("Bail out! CUnit: %s\n", CU_get_error_msg());
        return 1;
    }
    for (; tests[nr].name; nr++) {
        CU_pTest test = CU_add_test(suite, tests[nr].name, tests[nr].run);
        unsigned failed;

        CU_run_test(suite, test);
        failed = CU_get_number_of_failures();
        printf("%sok %u - %s: %s\n", failed ? "not " : "", nr + 1, name,
               tests[nr].name);
        print_failures();
        nr_failed += failed > 0;
    }
    printf("1..%u\n", nr);
    CU_cleanup_registry();
    return nr_failed > 0;
}

struct xlnuma_host *unit_host(unsigned nr_nodes, unsigned cpus,
                              const uint64_t free_mib[])
{
    struct xlnuma_host *host = xlnuma_host_new();

    if (!host)
        abort();
    for (unsigned i = 0; i < nr_nodes; i++) {
        host->nodes |= (xlnuma_nodeset)1 << i;
        host->node[i].socket = i / 2;
        host->node[i].size_kb = 3072 * 1024;
        host->node[i].free_kb = free_mib[i] * 1024;
        for (unsigned cpu = 0; cpu < cpus; cpu++)
            xlnuma_cpuset_add(&host->node[i].cpus, i * cpus + cpu);
        for (unsigned j = 0; j < nr_nodes; j++)
            host->distance[i][j] = i == j ? 10 : i / 2 == j / 2 ? 11 : 21;
    }
    return host;
}
