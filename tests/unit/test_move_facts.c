/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps a guest from being moved: each fact alone, and those of configurations. */
#include "unit.h"

#include <string.h>

#include "guest/move_facts.h"

/* All of them, as the structure has nothing else. */
#define NR_FACTS sizeof(struct move_facts)

static void each_alone(void)
{
    const char *why[NR_FACTS];

    for (size_t i = 0; i < NR_FACTS; i++) {
        struct move_facts facts = { .is_unread = false };

        ((bool *)&facts)[i] = true;
        why[i] = move_facts_refuse(&facts);
        CU_ASSERT_PTR_NOT_NULL_FATAL(why[i]);
        CU_ASSERT(strlen(why[i]) > 5);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(why[i], why[j]);
    }
}

static void none(void)
{
    const struct move_facts facts = { .is_unread = false };

    CU_ASSERT_PTR_NULL(move_facts_refuse(&facts));
}

static const char *why_of(const libxl_domain_config *config,
                          const struct xlnuma_request *request)
{
    struct move_facts facts = { .is_unread = false };

    move_facts_add(&facts, config, request);
    return move_facts_refuse(&facts);
}

static void ports(void)
{
    libxl_device_vfb vfb = { .devid = 0 };
    libxl_domain_config config;
    struct xlnuma_request request;
    libxl_vnc_info *vnc = &config.b_info.u.hvm.vnc;

    xlnuma_request_init(&request);
    libxl_domain_config_init(&config);
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_HVM);
    CU_ASSERT_PTR_NULL(why_of(&config, &request));
    vnc->display = 5; /* the first that is tried */
    libxl_defbool_set(&vnc->findunused, true);
    CU_ASSERT_PTR_NULL(why_of(&config, &request));
    libxl_defbool_set(&vnc->findunused, false);
    CU_ASSERT_PTR_NOT_NULL(why_of(&config, &request));
    libxl_defbool_set(&vnc->enable, false);
    CU_ASSERT_PTR_NULL(why_of(&config, &request));
    config.b_info.u.hvm.spice.tls_port = 6000;
    CU_ASSERT_PTR_NULL(why_of(&config, &request));
    libxl_defbool_set(&config.b_info.u.hvm.spice.enable, true);
    CU_ASSERT_PTR_NOT_NULL(why_of(&config, &request));
    libxl_domain_config_dispose(&config);

    libxl_domain_config_init(&config);
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_PV);
    config.vfbs = &vfb;
    config.num_vfbs = 1;
    CU_ASSERT_PTR_NULL(why_of(&config, &request));
    libxl_defbool_set(&vfb.vnc.findunused, false);
    CU_ASSERT_PTR_NOT_NULL(why_of(&config, &request));
    config.vfbs = NULL;
    config.num_vfbs = 0;
    libxl_domain_config_dispose(&config);
}

static void requests(void)
{
    libxl_domain_config config;
    struct xlnuma_request request;

    xlnuma_request_init(&request);
    libxl_domain_config_init(&config);
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_PVH);
    CU_ASSERT_PTR_NULL(why_of(&config, &request));
    request.policy = XLNUMA_POLICY_RESTRICTED;
    CU_ASSERT_STRING_EQUAL(why_of(&config, &request),
                           "its numa_policy is strict");
    request.policy = XLNUMA_POLICY_BEST_EFFORT;
    request.cpu_policy = XLNUMA_CPUS_DEDICATED;
    CU_ASSERT_STRING_EQUAL(why_of(&config, &request), "it has dedicated CPUs");
    request.no_move = true; /* what the user said comes first */
    CU_ASSERT_STRING_EQUAL(why_of(&config, &request), "numa_move is off");
    libxl_domain_config_dispose(&config);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "each fact is enough, and has words of its own", each_alone },
        { "without any it may be moved", none },
        { "a port is fixed if none other is looked for", ports },
        { "policy, CPUs, and what the user said", requests },
        { NULL, NULL },
    };

    return unit_run("move facts", tests);
}
