/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A snapshot file. One that is taken, with its guests, can be written and read
 * again and is the same then, and a guest on it gets a plan that adds up.
 */
#include "formats/parts.h"
#include "formats/snapshot.h"
#include "fuzz.h"
#include "planner/plan.h"

#include <stdio.h>
#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];

/* Ownership: the caller's. */
static char *write_host(const struct xlnuma_host *host,
                        const struct xlnuma__guests *guests, size_t *length_r)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, length_r);

    FUZZ_CHECK(file);
    FUZZ_CHECK(!xlnuma__snapshot_write(host, guests, NULL, file, message));
    FUZZ_CHECK(!fclose(file));
    return text;
}

static void check_again(const struct xlnuma_host *host,
                        const struct xlnuma__guests *guests)
{
    struct xlnuma_host *again = xlnuma_host_new();
    struct xlnuma__guests guests_again;
    size_t length, length_again;
    char *text = write_host(host, guests, &length), *text_again;

    FUZZ_CHECK(again);
    FUZZ_CHECK(!xlnuma__snapshot_parse(again, &guests_again, "again", text,
                                       length, message));
    text_again = write_host(again, &guests_again, &length_again);
    FUZZ_CHECK(length == length_again && !memcmp(text, text_again, length));
    free(text);
    free(text_again);
    xlnuma__guests_dispose(&guests_again);
    xlnuma_host_free(again);
}

static void check_placed(const struct xlnuma_host *host,
                         const struct xlnuma_plan *plan)
{
    uint64_t sum_kb = 0;
    unsigned i;

    FUZZ_CHECK(plan->nodes && !(plan->nodes & ~host->nodes));
    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        /* In whole pages, which Xen has and a file need not. */
        FUZZ_CHECK(plan->memory_kb[i] < host->node[i].free_kb + 4);
        sum_kb += plan->memory_kb[i];
    }
    FUZZ_CHECK(sum_kb == plan->needed_kb);
    FUZZ_CHECK(plan->expected_distance >= XLNUMA_DISTANCE_LOCAL);
}

/* The size of the input draws how much of the free memory it needs, and how. */
static void check_plan(const struct xlnuma_host *host, size_t size)
{
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma_request request;
    uint64_t free_kb = 0;
    char *text = NULL;
    size_t length;
    FILE *file;
    unsigned i;
    int rc;

    FUZZ_CHECK(plan);
    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        free_kb += host->node[i].free_kb;
    xlnuma_request_init(&request);
    request.memory_kb = free_kb / 8 * (1 + size % 8);
    request.nr_vcpus = 2;
    request.policy = (enum xlnuma_policy)(size / 8 % 4);
    request.memory = (enum xlnuma_memory)(size / 32 % 2);
    rc = xlnuma_plan_make(host, &request, plan, message);
    fuzz_check_message(rc, message);
    if (!rc) {
        if (plan->status == XLNUMA_STATUS_PLACED)
            check_placed(host, plan);
        file = open_memstream(&text, &length);
        FUZZ_CHECK(file && !xlnuma_plan_write(host, plan, file, message));
        FUZZ_CHECK(!fclose(file));
        free(text);
    }
    xlnuma_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xlnuma_host *host = xlnuma_host_new();
    struct xlnuma__guests guests;
    int rc;

    FUZZ_CHECK(host);
    rc = xlnuma__snapshot_parse(host, &guests, "input", (const char *)data,
                                size, message);
    fuzz_check_message(rc, message);
    if (!rc) {
        check_again(host, &guests);
        check_plan(host, size);
    }
    xlnuma__guests_dispose(&guests);
    xlnuma_host_free(host);
    return 0;
}
