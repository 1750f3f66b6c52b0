/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xl-plugin/guest/cpus.c, by the table that the lab compares with the real xl. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "guest/cpus.h"

/* "LIST": CPUS or none; or - if it is refused. */
static bool is_so(const struct xlnuma_host *host, char *line)
{
    char message[XLNUMA_MESSAGE_SIZE], *end = strrchr(line, '"');
    xlnuma_cpuset set, expected;
    bool is_refused = !strcmp(end, "\": -");

    *end = '\0';
    if (guest_cpus_parse(line + 1, host, &set, message))
        return is_refused && strstr(message, line + 1) &&
               !strchr(message, '\n');
    for (unsigned cpu = 8; cpu < XLNUMA_CPUS_MAX; cpu++)
        set.word[cpu / 64] &= ~((uint64_t)1 << (cpu % 64));
    return !is_refused &&
           !xlnuma_cpuset_parse(strcmp(end + 3, "none") ? end + 3 : "",
                                &expected, message) &&
           !memcmp(&set, &expected, sizeof(set));
}

static void as_xl(void)
{
    const uint64_t free_mib[4] = { 0 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    FILE *file = fopen(LISTS, "re");
    char line[256];
    bool is_right;
    unsigned nr = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(host);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fgets(line, sizeof(line), file)) {
        if (*line != '"' || !strstr(line, "\": "))
            continue;
        line[strcspn(line, "\n")] = '\0';
        nr++;
        is_right = is_so(host, line);
        CU_ASSERT(is_right);
        if (!is_right)
            printf("# %s\n", line);
    }
    CU_ASSERT_EQUAL(nr, 60);
    fclose(file);
    xlnuma_host_free(host);
}

/* xl's map of a node's CPUs has 64 bits: of node 1, CPUs 40 to 79. */
static void node_of_many(void)
{
    const uint64_t free_mib[2] = { 0 };
    struct xlnuma_host *host = unit_host(2, 40, free_mib);
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset set;

    CU_ASSERT_PTR_NOT_NULL_FATAL(host);
    CU_ASSERT_EQUAL(guest_cpus_parse("nodes:1", host, &set, message), 0);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&set), 24);
    CU_ASSERT(xlnuma_cpuset_has(&set, 40));
    CU_ASSERT(xlnuma_cpuset_has(&set, 63));
    CU_ASSERT_EQUAL(xlnuma__host_nodes_of(host, &set), 0x2);
    CU_ASSERT_EQUAL(guest_cpus_parse("80", host, &set, message), 0);
    CU_ASSERT_EQUAL(xlnuma__host_nodes_of(host, &set), 0);
    xlnuma_host_free(host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "a list of CPUs is what the real xl makes of it", as_xl },
        { "of a node xl takes the CPUs below 64", node_of_many },
        { NULL, NULL },
    };

    return unit_run("cpus", tests);
}
