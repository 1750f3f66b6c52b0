/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guests that are balanced: which they are, what may be done to them, and
 * changing their hard affinities. Does not decide how wide these should be.
 */
#include "xen/balancer.h"
#include "model/request.h"
#include "xen/clock.h"
#include "xen/report.h"

#include <errno.h>
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64 /* domains in one hypercall */

/* A domain without a report may get one, or its user may give it back. */
#define WAIT_MAX 64 /* rounds between two looks */

/* --- opening -------------------------------------------------------------- */

/* Each CPU's node, and what is counted of it. */
static int make_cpus(struct xlnuma__balancer *balancer, char *message)
{
    unsigned node, nr = 0;

    xlnuma__host_cpus(balancer->host, balancer->host->nodes, &balancer->online);
    for (unsigned cpu = 0; cpu < XLNUMA_CPUS_MAX; cpu++)
        if (xlnuma_cpuset_has(&balancer->online, cpu))
            nr = cpu + 1;
    balancer->nr_cpus = nr;
    balancer->node_of = malloc(nr);
    balancer->idle = calloc(nr, sizeof(*balancer->idle));
    balancer->idle_before = calloc(nr, sizeof(*balancer->idle_before));
    balancer->idle_now = calloc(nr, sizeof(*balancer->idle_now));
    if (!balancer->node_of || !balancer->idle || !balancer->idle_before ||
        !balancer->idle_now)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    memset(balancer->node_of, XLNUMA_NODES_MAX, nr);
    XLNUMA_FOR_EACH_NODE(node, balancer->host->nodes)
        for (unsigned cpu = 0; cpu < nr; cpu++)
            if (xlnuma_cpuset_has(&balancer->host->node[node].cpus, cpu))
                balancer->node_of[cpu] = (uint8_t)node;
    return 0;
}

int xlnuma__balancer_open(struct xlnuma__balancer *balancer, libxl_ctx *ctx,
                          char *message)
{
    int rc;

    balancer->ctx = ctx;
    balancer->xch = xc_interface_open(NULL, NULL, 0);
    if (!balancer->xch)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    balancer->xs = xs_open(0);
    if (!balancer->xs)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no connection to xenstore");
    balancer->host = xlnuma_host_new();
    if (!balancer->host)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    rc = xlnuma_host_from_xen(balancer->host, ctx, message);
    return rc ? rc : make_cpus(balancer, message);
}

static void forget(struct xlnuma__balanced *domain)
{
    free(domain->look);
    free(domain);
}

void xlnuma__balancer_close(struct xlnuma__balancer *balancer)
{
    for (unsigned i = 0; i < balancer->nr; i++)
        forget(balancer->domain[i]);
    free(balancer->domain);
    free(balancer->guest);
    free(balancer->node_of);
    free(balancer->idle);
    free(balancer->idle_before);
    free(balancer->idle_now);
    xlnuma_host_free(balancer->host);
    if (balancer->xs)
        xs_close(balancer->xs);
    if (balancer->xch)
        xc_interface_close(balancer->xch);
    memset(balancer, 0, sizeof(*balancer));
}

/* --- affinities ----------------------------------------------------------- */

/* Without CPUs that are offline: those are in an affinity to all. */
static bool is_same(const struct xlnuma__balancer *balancer,
                    const xlnuma_cpuset *a, const xlnuma_cpuset *b)
{
    for (unsigned word = 0; word < XLNUMA_CPUS_MAX / 64; word++)
        if ((a->word[word] ^ b->word[word]) & balancer->online.word[word])
            return false;
    return true;
}

static const char users[] = "its affinities are not those that xl-numa set";
static const char not_told[] = "Xen does not tell its vCPUs' affinities";

/*
 * Are the affinities of all vCPUs these, or its hard ones those of `next`? NULL, or
 * why not; a domain that goes has none.
 */
static const char *why_touched(const struct xlnuma__balancer *balancer,
                               const struct xlnuma__balanced *domain,
                               const xlnuma_cpuset *next)
{
    for (unsigned v = 0; v < domain->nr_vcpus; v++) {
        xlnuma_cpuset hard = { { 0 } }, soft = { { 0 } };

        if (xc_vcpu_getaffinity(balancer->xch, domain->domid, (int)v,
                                (xc_cpumap_t)hard.word, (xc_cpumap_t)soft.word,
                                XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT))
            return not_told;
        if (!is_same(balancer, &hard, &domain->guest.hard) &&
            !(next && is_same(balancer, &hard, next)))
            return users;
        if (domain->has_soft && !is_same(balancer, &soft, &domain->soft))
            return users;
    }
    return NULL;
}

static int set_hard(const struct xlnuma__balancer *balancer,
                    const struct xlnuma__balanced *domain,
                    const xlnuma_cpuset *cpus)
{
    for (unsigned v = 0; v < domain->nr_vcpus; v++) {
        xlnuma_cpuset hard = *cpus;

        if (xc_vcpu_setaffinity(balancer->xch, domain->domid, (int)v,
                                (xc_cpumap_t)hard.word, NULL,
                                XEN_VCPUAFFINITY_HARD))
            return -1;
    }
    return 0;
}

/* --- whom to balance ------------------------------------------------------ */

static const char not_asked[] = "not asked for";
static const char not_placed[] = "not placed by xl-numa";
static const char not_read[] = "xenstore does not tell how it was built";

/*
 * Why its report keeps the balancer from it, or NULL. A restored guest has one before
 * its memory, and affinities follow where that ends: it is not paused any more then.
 */
static const char *why_left(const struct xlnuma__balanced *domain,
                            const struct xlnuma__report *report)
{
    if (!report->expected_distance)
        return not_placed;
    if (report->no_balance)
        return "numa_balance is \"off\"";
    if (!strcmp(report->policy, xlnuma__policies[XLNUMA_POLICY_SINGLE_NODE]))
        return "numa_policy is \"single-node\"";
    if (*report->cpus)
        return "it has CPUs of its own";
    if (!*report->hard_cpus)
        return "its build set no hard affinity";
    if (domain->is_paused && !report->has_actual)
        return "its build may not be over";
    return NULL;
}

/* The CPUs of its pool that its user lets it use. */
static bool read_usable(const struct xlnuma__balancer *balancer,
                        const struct xlnuma__report *report, uint32_t poolid,
                        xlnuma_cpuset *usable_r)
{
    char message[XLNUMA_MESSAGE_SIZE];
    libxl_cpupoolinfo pool;
    xlnuma_cpuset cpus;
    bool is_read;

    *usable_r = balancer->online;
    if (*report->user_cpus) {
        if (xlnuma_cpuset_parse(report->user_cpus, &cpus, message))
            return false;
        xlnuma_cpuset_and(usable_r, &cpus);
    }
    libxl_cpupoolinfo_init(&pool);
    is_read = !libxl_cpupool_info(balancer->ctx, &pool, poolid);
    if (is_read) {
        xlnuma__cpuset_from_bitmap(&cpus, &pool.cpumap);
        xlnuma_cpuset_and(usable_r, &cpus);
    }
    libxl_cpupoolinfo_dispose(&pool);
    return is_read;
}

/* What its build reported. Returns why it is left alone, or NULL. */
static const char *fill(struct xlnuma__balancer *balancer,
                        struct xlnuma__balanced *domain,
                        const struct xlnuma__report *report, uint32_t poolid)
{
    struct xlnuma__balance_guest *guest = &domain->guest;
    char message[XLNUMA_MESSAGE_SIZE];
    const uint64_t *kb =
        report->has_actual ? report->actual_kb : report->planned_kb;

    memset(guest, 0, sizeof(*guest));
    if (!read_usable(balancer, report, poolid, &guest->usable) ||
        xlnuma_cpuset_parse(report->hard_cpus, &guest->built, message) ||
        xlnuma_cpuset_parse(report->soft_cpus, &domain->soft, message))
        return not_read;
    guest->gain =
        report->balance_gain ? report->balance_gain : XLNUMA_BALANCE_GAIN;
    domain->has_soft = !report->nr_vnodes;
    memcpy(guest->memory_kb, kb, sizeof(guest->memory_kb));
    return NULL;
}

/*
 * What an earlier run did to it. One that was cut off in the middle of a move has
 * left some vCPUs on either side of it: they are brought together.
 */
static const char *take_over(struct xlnuma__balancer *balancer,
                             struct xlnuma__balanced *domain)
{
    struct xlnuma__balance_state state;
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset next;
    const char *why;

    domain->guest.hard = domain->guest.built;
    if (xlnuma__balance_state_read(balancer->xs, domain->domid, &state,
                                   message) ||
        (*state.hard_cpus &&
         xlnuma_cpuset_parse(state.hard_cpus, &domain->guest.hard, message)) ||
        (*state.next_cpus &&
         xlnuma_cpuset_parse(state.next_cpus, &next, message)))
        return not_read;
    why = state.is_users
              ? users
              : why_touched(balancer, domain, *state.next_cpus ? &next : NULL);
    if (!why) {
        if (!*state.next_cpus || balancer->is_dry)
            return NULL;
        *state.next_cpus = '\0';
        return set_hard(balancer, domain, &domain->guest.hard) ||
                       xlnuma__balance_state_write(balancer->xs, domain->domid,
                                                   &state, message)
                   ? not_read
                   : NULL;
    }
    memset(&state, 0, sizeof(state));
    state.is_users = true;
    if (why == users && !balancer->is_dry)
        (void)xlnuma__balance_state_write(balancer->xs, domain->domid, &state,
                                          message);
    return why;
}

bool xlnuma__balanced_is(const struct xlnuma__balancer *balancer,
                         const struct xlnuma__balanced *domain,
                         const char *operand)
{
    uint32_t id;
    bool is_id = xlnuma__guest_id(operand, &id);

    if (is_id && domain->domid == id)
        return true;
    return !strcmp(operand, domain->name) &&
           !(is_id && !libxl_domain_info(balancer->ctx, NULL, id));
}

static bool is_asked_for(const struct xlnuma__balancer *balancer,
                         const struct xlnuma__balanced *domain)
{
    for (int i = 0; i < balancer->nr_only; i++)
        if (xlnuma__balanced_is(balancer, domain, balancer->only[i]))
            return true;
    return !balancer->only;
}

/* Its report and its state; again later where it is left alone. */
static void read_domain(struct xlnuma__balancer *balancer,
                        struct xlnuma__balanced *domain, uint32_t poolid)
{
    static struct xlnuma__report report; /* large */
    char message[XLNUMA_MESSAGE_SIZE], *name;
    bool has_report;

    name = libxl_domid_to_name(balancer->ctx, domain->domid);
    snprintf(domain->name, sizeof(domain->name), "%s", name ? name : "");
    free(name);
    domain->is_asked_for = is_asked_for(balancer, domain);
    if (!domain->is_asked_for)
        domain->left = not_asked;
    else if (xlnuma__report_read(balancer->xs, domain->domid, &report,
                                 &has_report, message))
        domain->left = not_read;
    else
        domain->left = has_report ? why_left(domain, &report) : not_placed;
    if (!domain->left)
        domain->left = fill(balancer, domain, &report, poolid);
    if (!domain->left)
        domain->left = take_over(balancer, domain);
    domain->wait = domain->wait < WAIT_MAX ? 2 * domain->wait + 1 : WAIT_MAX;
    domain->due = domain->wait;
}

/* --- the domains of the host ---------------------------------------------- */

/* Where the domain is, or would have to be inserted. */
static unsigned find(const struct xlnuma__balancer *balancer, uint32_t domid)
{
    unsigned from = 0, to = balancer->nr;

    while (from < to) {
        unsigned middle = (from + to) / 2;

        if (balancer->domain[middle]->domid < domid)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool has_room(struct xlnuma__balancer *balancer)
{
    unsigned nr_max = balancer->nr_max ? 2 * balancer->nr_max : 64;
    void *domain, *guest;

    if (balancer->nr < balancer->nr_max)
        return true;
    domain = realloc(balancer->domain, nr_max * sizeof(*balancer->domain));
    if (domain)
        balancer->domain = domain;
    guest = realloc(balancer->guest, nr_max * sizeof(*balancer->guest));
    if (guest)
        balancer->guest = guest;
    if (!domain || !guest)
        return false;
    balancer->nr_max = nr_max;
    return true;
}

static struct xlnuma__balanced *insert(struct xlnuma__balancer *balancer,
                                       unsigned at, const xc_domaininfo_t *info)
{
    struct xlnuma__balanced *domain = calloc(1, sizeof(*domain));

    if (!domain || !has_room(balancer)) {
        free(domain);
        return NULL;
    }
    memmove(&balancer->domain[at + 1], &balancer->domain[at],
            (balancer->nr - at) * sizeof(*balancer->domain));
    balancer->domain[at] = domain;
    balancer->nr++;
    domain->domid = info->domain;
    memcpy(domain->uuid, info->handle, sizeof(domain->uuid));
    return domain;
}

static int update_domain(struct xlnuma__balancer *balancer,
                         const xc_domaininfo_t *info)
{
    unsigned at = find(balancer, info->domain);
    struct xlnuma__balanced *domain =
        at < balancer->nr ? balancer->domain[at] : NULL;
    struct xlnuma__balance_look *look;

    if (!domain || domain->domid != info->domain)
        domain = insert(balancer, at, info);
    if (!domain)
        return -1;
    domain->is_there =
        !memcmp(domain->uuid, info->handle, sizeof(domain->uuid)) &&
        !(info->flags & XEN_DOMINF_dying);
    domain->is_paused = info->flags & XEN_DOMINF_paused;
    if (info->max_vcpu_id != XEN_INVALID_MAX_VCPU_ID &&
        domain->nr_vcpus != info->max_vcpu_id + 1) {
        look = realloc(domain->look,
                       (info->max_vcpu_id + 1) * sizeof(*domain->look));
        if (!look)
            return -1;
        domain->look = look;
        domain->nr_vcpus = info->max_vcpu_id + 1;
    }
    if (domain->is_there && !domain->due)
        read_domain(balancer, domain, info->cpupool);
    else if (domain->left)
        domain->due--;
    return 0;
}

/* Keep those that are there and asked for. */
static void drop_gone(struct xlnuma__balancer *balancer)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < balancer->nr; i++)
        if (balancer->domain[i]->is_there)
            balancer->domain[nr++] = balancer->domain[i];
        else
            forget(balancer->domain[i]);
    balancer->nr = nr;
    for (unsigned i = 0; i < nr; i++)
        balancer->guest[i] = &balancer->domain[i]->guest;
}

int xlnuma__balancer_list(struct xlnuma__balancer *balancer, char *message)
{
    xc_domaininfo_t info[BATCH];
    uint32_t first = 1; /* Domain-0 is not placed */
    int nr;

    for (unsigned i = 0; i < balancer->nr; i++)
        balancer->domain[i]->is_there = false;
    do {
        nr = xc_domain_getinfolist(balancer->xch, first, BATCH, info);
        if (nr < 0)
            return xlnuma__fail(message, XLNUMA_ERR_XEN,
                                "Xen does not list its domains: %s",
                                strerror(errno));
        for (int i = 0; i < nr; i++)
            if (update_domain(balancer, &info[i]))
                return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
        if (nr)
            first = info[nr - 1].domain + 1u;
    } while (nr == BATCH);
    drop_gone(balancer);
    return 0;
}

/* --- a round -------------------------------------------------------------- */

int xlnuma__balancer_round(struct xlnuma__balancer *balancer, double seconds,
                           struct xlnuma__balanced **moves_r, char *message)
{
    struct xlnuma__balance_load load = { .nr_cpus = balancer->nr_cpus };
    int rc = xlnuma__balancer_list(balancer, message), chosen;

    *moves_r = NULL;
    if (!rc)
        rc = xlnuma__balance_measure(balancer, seconds, message);
    if (rc)
        return rc;
    load.idle = balancer->idle;
    chosen =
        xlnuma__balance_round(balancer->host, &load, balancer->guest,
                              balancer->nr, balancer->rounds, xlnuma__now_ns());
    if (chosen >= 0)
        *moves_r = balancer->domain[chosen];
    return 0;
}

/* --- moves ---------------------------------------------------------------- */

/* The state says what is under way, so that the next run can finish it. */
static int change(struct xlnuma__balancer *balancer,
                  struct xlnuma__balanced *domain, const xlnuma_cpuset *cpus,
                  char *message)
{
    struct xlnuma__balance_state state = { .is_users = false };
    bool is_built = is_same(balancer, cpus, &domain->guest.built);
    int rc, err;

    if (!is_same(balancer, &domain->guest.hard, &domain->guest.built))
        xlnuma_cpuset_format(&domain->guest.hard, state.hard_cpus,
                             sizeof(state.hard_cpus));
    xlnuma_cpuset_format(cpus, state.next_cpus, sizeof(state.next_cpus));
    rc = xlnuma__balance_state_write(balancer->xs, domain->domid, &state,
                                     message);
    if (rc)
        return rc;
    if (set_hard(balancer, domain, cpus)) {
        err = errno;
        (void)set_hard(balancer, domain, &domain->guest.hard);
        *state.next_cpus = '\0';
        (void)xlnuma__balance_state_write(balancer->xs, domain->domid, &state,
                                          message);
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "domain %u: the hard affinity of its vCPUs cannot "
                            "be changed: %s",
                            domain->domid, strerror(err));
    }
    snprintf(state.hard_cpus, sizeof(state.hard_cpus), "%s",
             is_built ? "" : state.next_cpus);
    *state.next_cpus = '\0';
    return xlnuma__balance_state_write(balancer->xs, domain->domid, &state,
                                       message);
}

int xlnuma__balancer_move(struct xlnuma__balancer *balancer,
                          struct xlnuma__balanced *domain,
                          const xlnuma_cpuset *cpus, bool *is_moved_r,
                          char *message)
{
    xlnuma_cpuset hard = domain->guest.hard;
    int rc = 0, turn;

    *is_moved_r = false;
    if (!balancer->is_dry) {
        turn = xlnuma__balance_turn(message);
        if (turn < 0)
            return XLNUMA_ERR_IO;
        domain->left = take_over(balancer, domain);
        if (domain->left == not_told)
            rc = xlnuma__fail(message, XLNUMA_ERR_XEN, "domain %u: %s",
                              domain->domid, not_told);
        if (!domain->left) {
            rc = change(balancer, domain, cpus, message);
            *is_moved_r = !rc;
            if (!rc)
                hard = *cpus;
        }
        close(turn);
    }
    xlnuma__balance_moved(&domain->guest, &hard, xlnuma__now_ns());
    return rc;
}

/* --- the build's again ---------------------------------------------------- */

static int set_built(const struct xlnuma__balancer *balancer,
                     const struct xlnuma__balanced *domain)
{
    for (unsigned v = 0; v < domain->nr_vcpus; v++) {
        xlnuma_cpuset hard = domain->guest.built, soft = domain->soft;

        if (xc_vcpu_setaffinity(
                balancer->xch, domain->domid, (int)v, (xc_cpumap_t)hard.word,
                domain->has_soft ? (xc_cpumap_t)soft.word : NULL,
                XEN_VCPUAFFINITY_HARD |
                    (domain->has_soft ? XEN_VCPUAFFINITY_SOFT : 0u)))
            return -1;
    }
    return 0;
}

int xlnuma__balancer_reset(struct xlnuma__balancer *balancer,
                           struct xlnuma__balanced *domain, char *message)
{
    const struct xlnuma__balance_state none = { .is_users = false };
    int turn, rc;

    if (domain->left && domain->left != users)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "domain %u (%s) is not balanced: %s", domain->domid,
                            domain->name, domain->left);
    turn = xlnuma__balance_turn(message);
    if (turn < 0)
        return XLNUMA_ERR_IO;
    rc = set_built(balancer, domain)
             ? xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "domain %u (%s): the affinities of its vCPUs "
                            "cannot be set: %s",
                            domain->domid, domain->name, strerror(errno))
             : xlnuma__balance_state_write(balancer->xs, domain->domid, &none,
                                           message);
    close(turn);
    return rc;
}
