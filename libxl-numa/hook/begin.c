/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moments: a call begins that builds a domain, Xen has made the domain, the call has
 * returned.
 */
#include "hook/moments.h"
#include "hook/services.h"

/* There is no memory for a build: libxl's alone, or none. */
static int begin_without(libxl_ctx *ctx, xentoollog_logger *lg,
                         libxl_domain_config *config, enum memory_source source)
{
    struct build build = { .ctx = ctx,
                           .lg = lg ? lg : xlnuma__build_logger(),
                           .domid = INVALID_DOMID,
                           .source = source };

    xlnuma__build_settle(&build, config);
    xlnuma__build_learn(&build, config);
    if (xlnuma__build_needs_plan(&build)) {
        xlnuma__build_say_refused(&build, "out of memory");
        return -1;
    }
    xlnuma__build_say(&build, XTL_WARN,
                      "out of memory: placement is left to libxl");
    return 0;
}

int xlnuma__on_begin(libxl_ctx *ctx, xentoollog_logger *lg,
                     libxl_domain_config *config, bool is_restored,
                     bool is_async, uint64_t *id_r)
{
    static _Atomic uint64_t last_id;
    enum memory_source source = is_restored ? MEMORY_HELPERS : MEMORY_OURS;
    struct build *build = xlnuma__build_new(ctx, lg);

    *id_r = 0;
    if (!build)
        return begin_without(ctx, lg, config, source);
    build->id = ++last_id;
    build->source = source;
    build->is_async = is_async;
    xlnuma__build_settle(build, config);
    *id_r = build->id;
    xlnuma__build_add(build);
    return 0;
}

/*
 * Once, or again when libxl has destroyed the first one: it had a number that was in
 * use a moment ago.
 */
void xlnuma__on_created(uint64_t id, const libxl_domain_config *config,
                        uint32_t domid)
{
    struct build *build = xlnuma__build_enter_new(id, domid);

    if (!build)
        return;
    xlnuma__build_learn(build, config);
    xlnuma__build_leave(build);
}

void xlnuma__on_returned(uint64_t id, bool goes_on)
{
    xlnuma__build_drop(id, goes_on);
    if (!goes_on)
        xlnuma__keep_drop(id);
}
