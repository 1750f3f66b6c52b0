/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that came with a guest, in lines "KEY=VALUE" as entries of libxl's
 * configuration: what is taken for nodes of a guest can be planned with, and kept
 * again as it was.
 */
#include "fuzz.h"

#include <string.h>

#include "config/settings.h"
#include "vnodes/vnodes.h"

#define LINES_MAX 80

/* Of a copy of the input, which has an end. */
static void read_lines(libxl_domain_config *config, char *text)
{
    char **entry = calloc(2 * LINES_MAX + 1, sizeof(*entry)), *line;
    size_t nr = 0;

    while (nr < 2 * LINES_MAX && (line = strsep(&text, "\n"))) {
        const char *key = strsep(&line, "=");

        entry[nr++] = strdup(key);
        entry[nr++] = line ? strdup(line) : NULL;
    }
    config->c_info.platformdata = entry;
}

static void check_kept(libxl_domain_config *config,
                       const struct xlnuma__layout *layout)
{
    struct xlnuma__layout again;
    const char *why;

    FUZZ_CHECK(!xlnuma__kept_nodes_put(config, layout));
    FUZZ_CHECK(xlnuma__kept_nodes_get(&again, config, &why));
    FUZZ_CHECK(!why && !memcmp(&again, layout, sizeof(again)));
}

static void check_plan(const struct xlnuma__layout *layout)
{
    struct xlnuma_plan *plan = xlnuma_plan_new();
    struct xlnuma_request request;
    char message[XLNUMA_MESSAGE_SIZE];
    uint64_t kb = 0;

    xlnuma_request_init(&request);
    for (unsigned n = 0; n < layout->nr; n++)
        request.ram_kb += xlnuma__layout_kb(layout, n);
    request.memory_kb = request.ram_kb;
    request.nr_vcpus = 1;
    request.guest_nodes = layout->nr;
    request.kept_nodes = layout;
    fuzz_check_message(
        xlnuma__plan_with_vnodes(fuzz_host(), &request, plan, message),
        message);
    FUZZ_CHECK(!plan->nr_guest_nodes || plan->nr_guest_nodes == layout->nr);
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++) {
        FUZZ_CHECK(xlnuma_nodeset_has(plan->nodes, plan->guest_node[n].node));
        kb += plan->guest_node[n].memory_kb;
    }
    FUZZ_CHECK(!plan->nr_guest_nodes || kb == request.ram_kb);
    xlnuma_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct xlnuma__layout layout;
    libxl_domain_config config;
    const char *why;

    libxl_domain_config_init(&config);
    read_lines(&config, text);
    if (xlnuma__kept_nodes_get(&layout, &config, &why) && !why) {
        FUZZ_CHECK(!xlnuma__layout_check(&layout));
        check_plan(&layout);
        check_kept(&config, &layout);
    }
    libxl_domain_config_dispose(&config);
    free(text);
    return 0;
}
