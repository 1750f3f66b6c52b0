/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's file, with the numa_* keys and all others that `xl numa-placement
 * plan` reads; and the request and the plan that come of it.
 */
#include "fuzz.h"
#include "planner/plan.h"
#include "xen/request.h"

#include "guest/file.h"

static char message[XLNUMA_MESSAGE_SIZE];

static void check_plan(const struct guest_file *guest)
{
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma_request request;
    const char *why;
    int rc;

    FUZZ_CHECK(plan);
    (void)xlnuma__config_wants_placement(&guest->config, &why);
    xlnuma__request_from_config(&request, NULL, &guest->config);
    xlnuma__settings_apply(&guest->settings, &request);
    rc = xlnuma_plan_make(fuzz_host(), &request, plan, message);
    fuzz_check_message(rc, message);
    xlnuma_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest_file guest;
    int rc = guest_file_read(&guest, fuzz_file(data, size), 0, NULL,
                             fuzz_host(), message);

    fuzz_check_message(rc, message);
    if (!rc)
        check_plan(&guest);
    guest_file_dispose(&guest);
    return 0;
}
