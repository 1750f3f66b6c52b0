/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests of a host as a plan of moves wants them: what their copy will be built
 * by, where they are, and whether they can be moved. Plans nothing.
 */
#include "commands/movables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>

#include "commands/command.h"
#include "commands/walk.h"
#include "config/settings.h"
#include "guest/move_facts.h"
#include "xen/dump.h"
#include "xen/request.h"
#include "xen/vcpus.h"

struct reading {
    const struct options *options;
    struct movables *movables;
    libxl_ctx *ctx; /* NULL: a snapshot */
    xc_interface *xch;
    const struct xlnuma_host *host;
    struct xlnuma__guests *guests;
    struct move_facts *facts; /* owned */
    uint64_t free_kb;         /* for copies, unless Domain-0 shrinks */
    char *message;
};

/* --- what its copy is built by --------------------------------------------- */

/* As the hook does it when it is restored, or migrated in. */
static int apply_settings(struct reading *reading,
                          const libxl_domain_config *config,
                          struct xlnuma_request *request,
                          struct move_facts *facts)
{
    struct xlnuma__settings many, kept;
    struct xlnuma__conf_host conf;
    char unknown[XLNUMA_MESSAGE_SIZE];
    const char *why;
    int rc =
        xlnuma__conf_read(&many, &conf, config->c_info.name, reading->message);

    if (rc)
        return rc;
    (void)xlnuma__kept_get(&kept, config, unknown); /* its build warns */
    xlnuma__settings_apply(&many, request);
    xlnuma__settings_apply(&kept, request);
    facts->is_left = conf.is_off || request->policy == XLNUMA_POLICY_NONE ||
                     !xlnuma__config_wants_placement(config, &why);
    return 0;
}

static bool is_libvirts(libxl_ctx *ctx, uint32_t domid)
{
    uint8_t *data = NULL;
    int length = 0;
    bool is_there =
        !libxl_userdata_retrieve(ctx, domid, "libvirt-xml", &data, &length) &&
        length;

    free(data);
    return is_there;
}

/* Of Xen's own state. */
static void add_state(struct reading *reading, uint32_t domid,
                      const libxl_domain_config *config,
                      const libxl_dominfo *info, struct move_facts *facts)
{
    uint64_t pages, cached, entries = 0;

    facts->is_paused = info->paused;
    facts->is_ending = info->dying || info->shutdown;
    facts->is_libvirts = is_libvirts(reading->ctx, domid);
    facts->is_ballooned =
        info->current_memkb + XLNUMA__STRAY_KB < config->b_info.target_memkb;
    if (config->b_info.type != LIBXL_DOMAIN_TYPE_PV &&
        !xc_domain_get_pod_target(reading->xch, domid, &pages, &cached,
                                  &entries))
        facts->is_on_demand = entries > 0;
}

/* Xen as it is built for distributions migrates no PV guests. */
static void choose_way(struct reading *reading, unsigned n, bool is_pv)
{
    struct xlnuma__moves_guest *guest = &reading->movables->guest[n];
    struct move_facts *facts = &reading->facts[n];
    bool is_large = guest->request.memory_kb > reading->free_kb;

    guest->way = is_pv || is_large ? XLNUMA__MOVE_BY_FILE : XLNUMA__MOVE_LIVE;
    facts->is_pv = is_pv && !reading->options->by_file;
    facts->needs_dom0 = is_large && !reading->options->by_file;
}

static int read_config(struct reading *reading, unsigned n,
                       const libxl_domain_config *config,
                       const libxl_dominfo *info)
{
    struct xlnuma__moves_guest *guest = &reading->movables->guest[n];
    struct move_facts *facts = &reading->facts[n];
    int rc;

    xlnuma__request_from_config(&guest->request, reading->ctx, config);
    rc = xlnuma__request_add_pool(&guest->request, reading->ctx, info->cpupool,
                                  reading->message);
    if (!rc)
        rc = apply_settings(reading, config, &guest->request, facts);
    if (rc)
        return rc;
    move_facts_add(facts, config, &guest->request);
    add_state(reading, reading->guests->guest[n].domid, config, info, facts);
    choose_way(reading, n, config->b_info.type == LIBXL_DOMAIN_TYPE_PV);
    return 0;
}

/* One that is gone by now, or is not whole yet, is not moved. */
static int read_live(struct reading *reading, unsigned n)
{
    struct xlnuma__guest *guest = &reading->guests->guest[n];
    char message[XLNUMA_MESSAGE_SIZE];
    libxl_domain_config config;
    libxl_dominfo info;
    int rc = 0;

    libxl_domain_config_init(&config);
    libxl_dominfo_init(&info);
    if (libxl_domain_info(reading->ctx, &info, guest->domid) ||
        libxl_retrieve_domain_configuration(reading->ctx, guest->domid, &config,
                                            NULL) ||
        xlnuma__vcpus_from_xen(&guest->vcpus, reading->ctx, guest->domid, 0, 0,
                               message))
        reading->facts[n].is_unread = true;
    else
        rc = read_config(reading, n, &config, &info);
    libxl_dominfo_dispose(&info);
    libxl_domain_config_dispose(&config);
    return rc;
}

/* By what the snapshot has: the memory that its build planned, or libxl's rule. */
static int read_saved(struct reading *reading, unsigned n)
{
    const struct xlnuma__guest *guest = &reading->guests->guest[n];
    struct xlnuma_request *request = &reading->movables->guest[n].request;
    struct move_facts *facts = &reading->facts[n];
    libxl_domain_config config;

    libxl_domain_config_init(&config);
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_PVH);
    config.b_info.max_memkb = config.b_info.target_memkb = guest->memory_kb;
    config.b_info.max_vcpus = (int)guest->nr_vcpus;
    xlnuma__request_from_config(request, NULL, &config);
    libxl_domain_config_dispose(&config);
    memcpy(request->name, guest->name, sizeof(request->name));
    request->nr_vcpus = guest->nr_vcpus;
    (void)xlnuma__from_name(xlnuma__policies, guest->report.policy,
                            &request->policy);
    (void)xlnuma__from_name(xlnuma__memories, guest->report.memory,
                            &request->memory);
    facts->is_strict = xlnuma__is_strict(request->policy);
    facts->is_left = request->policy == XLNUMA_POLICY_NONE;
    choose_way(reading, n, false);
    return 0;
}

/* --- where its vCPUs run ------------------------------------------------------ */

/* Of a vCPU; a soft affinity that the hard one excludes counts for nothing. */
static void cpus_of(const struct xlnuma__vcpu *vcpu, xlnuma_cpuset *cpus_r)
{
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset soft;

    if (!vcpu->hard || xlnuma_cpuset_parse(vcpu->hard, cpus_r, message))
        memset(cpus_r, 0xff, sizeof(*cpus_r));
    if (vcpu->soft && !xlnuma_cpuset_parse(vcpu->soft, &soft, message) &&
        xlnuma_cpuset_intersects(cpus_r, &soft))
        xlnuma_cpuset_and(cpus_r, &soft);
}

/* Where the vCPUs are not known: by the report, or by Xen's node affinity. */
static void cpus_reported(const struct xlnuma_host *host,
                          const struct xlnuma__guest *guest,
                          xlnuma_cpuset *cpus_r)
{
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_nodeset nodes = guest->affinity ? guest->affinity : host->nodes;

    if (*guest->report.soft_cpus &&
        !xlnuma_cpuset_parse(guest->report.soft_cpus, cpus_r, message))
        return;
    xlnuma__host_cpus(host, nodes & host->nodes, cpus_r);
}

static void fill_runs_on(const struct xlnuma_host *host,
                         const struct xlnuma__guest *guest,
                         struct xlnuma__spot *spot)
{
    struct xlnuma__spot one = *spot;
    unsigned nr = 0, i;
    xlnuma_cpuset cpus;

    for (unsigned v = 0; v < guest->vcpus.nr; v++) {
        if (guest->vcpus.vcpu[v].state == XLNUMA__VCPU_OFFLINE)
            continue;
        cpus_of(&guest->vcpus.vcpu[v], &cpus);
        xlnuma__spot_run_on(&one, host, &cpus);
        XLNUMA_FOR_EACH_NODE(i, host->nodes)
            spot->runs_on[i] += one.runs_on[i];
        nr++;
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (nr)
            spot->runs_on[i] /= nr;
    if (nr)
        return;
    cpus_reported(host, guest, &cpus);
    xlnuma__spot_run_on(spot, host, &cpus);
}

/* --- where its memory is -------------------------------------------------------- */

static bool is_reported(const struct xlnuma__guest *guest)
{
    return guest->report.has_actual && !xlnuma__guest_is_resized(guest) &&
           xlnuma__guest_built_kb(guest);
}

/* Xen's own count, of those that no report tells. */
static int ask_xen(struct reading *reading, const uint32_t domid[], unsigned nr)
{
    struct xlnuma__dump dump = { 0 };
    uint64_t ns;
    int rc = xlnuma__dump_from_xen(&dump, domid, nr, &ns, reading->message);

    for (unsigned n = 0; !rc && n < reading->guests->nr; n++) {
        const struct xlnuma__guest *guest = &reading->guests->guest[n];
        struct xlnuma__spot *spot = &reading->movables->guest[n].spot;
        const struct xlnuma__dump_domain *counted =
            xlnuma__dump_find(&dump, guest->domid);
        unsigned i;

        if (is_reported(guest) || !counted)
            continue;
        XLNUMA_FOR_EACH_NODE(i, reading->host->nodes)
            spot->memory_kb[i] = counted->pages[i] * PAGE_KB;
    }
    xlnuma__dump_dispose(&dump);
    return rc;
}

/* Too much memory to walk unasked is no failure: those guests stay. */
static int find_memory(struct reading *reading)
{
    uint32_t *domid = calloc(reading->guests->nr + 1u, sizeof(*domid));
    unsigned nr = 0;
    int rc = 0;

    if (!domid)
        return xlnuma__fail(reading->message, XLNUMA_ERR_NOMEM,
                            "out of memory");
    for (unsigned n = 0; n < reading->guests->nr; n++) {
        const struct xlnuma__guest *guest = &reading->guests->guest[n];
        struct xlnuma__spot *spot = &reading->movables->guest[n].spot;
        unsigned i;

        if (is_reported(guest))
            XLNUMA_FOR_EACH_NODE(i, reading->host->nodes)
                spot->memory_kb[i] = xlnuma__guest_node_kb(guest, i);
        else if (!move_facts_refuse(&reading->facts[n]))
            domid[nr++] = guest->domid;
    }
    if (nr && reading->ctx)
        rc = walk_state_cost(reading->ctx, reading->options->is_sure,
                             reading->message);
    if (nr && reading->ctx && !rc)
        rc = ask_xen(reading, domid, nr);
    free(domid);
    if (rc != XLNUMA_ERR_REFUSED)
        return rc;
    complain("guests whose memory no report tells stay where they are: %s",
             reading->message);
    return 0;
}

/* --- all of them ------------------------------------------------------------------ */

/* xl, if it may, takes from Domain-0 what it thinks that a copy lacks. */
static int read_free(struct reading *reading)
{
    const libxl_version_info *version;
    uint64_t all_kb = 0, free_kb;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, reading->host->nodes)
        all_kb += xlnuma__usable_kb(&reading->host->node[i]);
    reading->free_kb = all_kb;
    version = reading->ctx ? libxl_get_version_info(reading->ctx) : NULL;
    if (!version || !version->commandline ||
        strstr(version->commandline, "dom0_mem="))
        return 0;
    if (libxl_get_free_memory(reading->ctx, &free_kb))
        return xlnuma__fail(reading->message, XLNUMA_ERR_XEN,
                            "Xen does not tell how much memory is free "
                            "(libxl_get_free_memory failed)");
    if (free_kb < all_kb)
        reading->free_kb = free_kb;
    reading->movables->keep_kb = all_kb - reading->free_kb;
    return 0;
}

static void conclude(struct reading *reading, unsigned n)
{
    const struct xlnuma__guest *guest = &reading->guests->guest[n];
    struct xlnuma__moves_guest *moves_guest = &reading->movables->guest[n];
    struct move_facts *facts = &reading->facts[n];

    facts->is_dedicated |= xlnuma_cpuset_count(&guest->pool_cpus) > 0;
    facts->sees_nodes |= guest->report.nr_vnodes > 0;
    facts->is_unknown = !xlnuma__spot_nodes(&moves_guest->spot);
    fill_runs_on(reading->host, guest, &moves_guest->spot);
    reading->movables->why_not[n] = move_facts_refuse(facts);
    if (reading->movables->why_not[n])
        moves_guest->way = XLNUMA__MOVE_NEVER;
}

static int read_all(struct reading *reading)
{
    unsigned nr = reading->guests->nr;
    int rc = read_free(reading);

    for (unsigned n = 0; n < nr && !rc; n++)
        rc = reading->ctx ? read_live(reading, n) : read_saved(reading, n);
    if (!rc)
        rc = find_memory(reading);
    for (unsigned n = 0; n < nr && !rc; n++)
        conclude(reading, n);
    return rc;
}

int movables_read(struct movables *movables_r, const struct live *live,
                  const struct xlnuma_host *host, struct xlnuma__guests *guests,
                  const struct options *options, char *message)
{
    struct reading reading = { .options = options,
                               .movables = movables_r,
                               .ctx = live->ctx,
                               .host = host,
                               .guests = guests,
                               .message = message };
    int rc;

    memset(movables_r, 0, sizeof(*movables_r));
    movables_r->guest = calloc(guests->nr + 1u, sizeof(*movables_r->guest));
    movables_r->why_not = calloc(guests->nr + 1u, sizeof(char *));
    reading.facts = calloc(guests->nr + 1u, sizeof(*reading.facts));
    if (live->ctx)
        reading.xch = xc_interface_open(NULL, NULL, 0);
    if (!movables_r->guest || !movables_r->why_not || !reading.facts)
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    else if (live->ctx && !reading.xch)
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "no access to the hypervisor: %s", strerror(errno));
    else
        rc = read_all(&reading);
    if (reading.xch)
        xc_interface_close(reading.xch);
    free(reading.facts);
    return rc;
}

void movables_dispose(struct movables *movables)
{
    free(movables->guest);
    free(movables->why_not);
    memset(movables, 0, sizeof(*movables));
}
