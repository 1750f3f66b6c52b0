/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that a guest sees: which part of its memory and which vCPUs are on
 * which node of its plan, and the distances that it is told. Chooses no nodes of
 * the host but for a fixed number of guest nodes, and no dedicated CPUs; makes no
 * tables.
 */
#include "planner/dedicated.h"
#include "planner/plan.h"
#include "vnodes/vnodes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void xlnuma__vnodes_drop(struct xlnuma_plan *plan, const char *format, ...)
{
    va_list args;

    plan->nr_guest_nodes = 0;
    va_start(args, format);
    vsnprintf(plan->vnodes_reason, sizeof(plan->vnodes_reason), format, args);
    va_end(args);
}

static xlnuma_nodeset memory_nodes(const struct xlnuma_plan *plan)
{
    xlnuma_nodeset nodes = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, plan->nodes)
        if (plan->memory_kb[i])
            nodes |= (xlnuma_nodeset)1 << i;
    return nodes;
}

/* --- memory --------------------------------------------------------------- */

/*
 * Where a node may end: at the end of a block of Linux's, counted in the guest's
 * memory, which goes on at 4 GiB behind its hole.
 */
static uint64_t cut_before(uint64_t kb, uint64_t low_kb)
{
    if (kb < low_kb)
        return kb / XLNUMA__BLOCK_KB * XLNUMA__BLOCK_KB;
    return low_kb + (kb - low_kb) / XLNUMA__BLOCK_KB * XLNUMA__BLOCK_KB;
}

static uint64_t cut_after(uint64_t kb, uint64_t low_kb)
{
    uint64_t before_kb = cut_before(kb, low_kb), after_kb;

    if (before_kb == kb)
        return kb;
    after_kb = before_kb + XLNUMA__BLOCK_KB;
    return kb < low_kb && after_kb > low_kb ? low_kb : after_kb;
}

/* What the guest's nodes are made of. */
struct parts {
    const struct xlnuma_request *request;
    unsigned nr;
    unsigned node[XLNUMA_GUEST_NODES_MAX];   /* of the host; ascending */
    uint64_t weight[XLNUMA_GUEST_NODES_MAX]; /* its share of the memory */
    uint64_t room_kb[XLNUMA_NODES_MAX];      /* of a node of the host */
    uint64_t kb[XLNUMA_GUEST_NODES_MAX];
    uint64_t least_kb; /* to be left to each: a fixed number is to be reached */
};

/* What fits into the parts behind this one: into each but the last, blocks. */
static uint64_t rest_room(const struct parts *parts, unsigned part,
                          const uint64_t room_kb[])
{
    uint64_t rest_kb = 0;

    for (unsigned i = part + 1; i < parts->nr; i++) {
        uint64_t kb = room_kb[parts->node[i]];

        if (i > part + 1 && parts->node[i] == parts->node[i - 1])
            continue;
        rest_kb += parts->node[i] == parts->node[parts->nr - 1]
                       ? kb
                       : kb / XLNUMA__BLOCK_KB * XLNUMA__BLOCK_KB;
    }
    return rest_kb;
}

/* Is there room for a part that ends here, and for all behind it, not too much? */
static bool has_room(const struct parts *parts, unsigned part, uint64_t from_kb,
                     uint64_t to_kb)
{
    uint64_t rest_kb = parts->request->ram_kb - to_kb;
    uint64_t room_kb[XLNUMA_NODES_MAX];

    memcpy(room_kb, parts->room_kb, sizeof(room_kb));
    for (unsigned i = 0; i <= part; i++) {
        uint64_t kb = i < part ? parts->kb[i] : to_kb - from_kb;

        if (kb > room_kb[parts->node[i]])
            return false;
        room_kb[parts->node[i]] -= kb;
    }
    return rest_kb <= rest_room(parts, part, room_kb) &&
           rest_kb >= parts->least_kb * (parts->nr - part - 1);
}

/* So many blocks from where a share ends the end of a part is looked for. */
#define LOOK_BLOCKS 64

/*
 * The end of a part: of those within the guest's memory that have room, and leave a
 * block to the part, the nearest to where its share ends; else the nearest of all.
 */
static uint64_t cut(const struct parts *parts, unsigned part, uint64_t from_kb,
                    uint64_t target_kb)
{
    uint64_t low_kb = parts->request->low_ram_kb;
    uint64_t end_kb = parts->request->ram_kb;
    uint64_t before_kb = cut_before(target_kb, low_kb);
    uint64_t after_kb = cut_after(target_kb, low_kb), any_kb = 0;

    for (unsigned n = 0; n < LOOK_BLOCKS; n++) {
        bool is_before = before_kb >= from_kb + XLNUMA__BLOCK_KB &&
                         (after_kb > end_kb ||
                          target_kb - before_kb <= after_kb - target_kb);
        uint64_t at_kb = is_before ? before_kb : after_kb;

        if (at_kb > end_kb)
            break;
        if (at_kb >= from_kb + XLNUMA__BLOCK_KB) {
            any_kb = any_kb ? any_kb : at_kb;
            if (has_room(parts, part, from_kb, at_kb))
                return at_kb;
        }
        if (is_before)
            before_kb = before_kb ? cut_before(before_kb - 1, low_kb) : 0;
        else
            after_kb = cut_after(after_kb + 1, low_kb);
    }
    return any_kb ? any_kb : end_kb;
}

/* Returns the smallest part, or `nr` when each is large enough for a node. */
static unsigned divide_memory(struct parts *parts)
{
    uint64_t all = 0, sum = 0, from_kb = 0;
    unsigned smallest = 0;

    for (unsigned i = 0; i < parts->nr; i++)
        all += parts->weight[i];
    for (unsigned i = 0; i < parts->nr; i++) {
        uint64_t ram_kb = parts->request->ram_kb, to_kb = ram_kb;

        sum += parts->weight[i];
        if (i + 1 < parts->nr)
            to_kb = cut(parts, i, from_kb,
                        (uint64_t)((xlnuma__u128)ram_kb * sum / all));
        parts->kb[i] = to_kb - from_kb;
        from_kb = to_kb;
        if (parts->kb[i] < parts->kb[smallest])
            smallest = i;
    }
    return parts->kb[smallest] < XLNUMA__BLOCK_KB ? smallest : parts->nr;
}

/* The plan's nodes with memory, each so many times; room without overhead. */
static void make_parts(struct parts *parts, const struct xlnuma_host *host,
                       const struct xlnuma_request *request,
                       const struct xlnuma_plan *plan, unsigned times)
{
    unsigned i;

    memset(parts, 0, sizeof(*parts));
    parts->request = request;
    if (request->guest_nodes != XLNUMA_GUEST_NODES_AUTO)
        parts->least_kb = XLNUMA__BLOCK_KB;
    XLNUMA_FOR_EACH_NODE(i, memory_nodes(plan)) {
        uint64_t usable_kb = xlnuma__usable_kb(&host->node[i]);

        parts->room_kb[i] = (uint64_t)((xlnuma__u128)usable_kb *
                                       request->ram_kb / plan->needed_kb);
        for (unsigned n = 0; n < times; n++) {
            parts->node[parts->nr] = i;
            parts->weight[parts->nr++] = plan->memory_kb[i];
        }
    }
}

/* Without the parts that are too small for a node of the guest's. */
static void drop_small(struct parts *parts)
{
    unsigned small = divide_memory(parts);

    while (small < parts->nr && parts->nr > 1) {
        parts->nr--;
        for (unsigned i = small; i < parts->nr; i++) {
            parts->node[i] = parts->node[i + 1];
            parts->weight[i] = parts->weight[i + 1];
        }
        small = divide_memory(parts);
    }
}

/* --- vCPUs ---------------------------------------------------------------- */

/* The vCPUs of all guest nodes that are on this one's node of the host. */
static unsigned count_beside(const struct xlnuma_plan *plan,
                             const unsigned count[], unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < plan->nr_guest_nodes; i++)
        if (plan->guest_node[i].node == plan->guest_node[n].node)
            sum += count[i];
    return sum;
}

/*
 * The node that the next vCPU goes to. First the node of the host, in proportion to
 * CPUs (Webster's method): where weight / (2 count + 1) is most; of equal ones that
 * with fewer vCPUs. On it the guest node with the fewest.
 */
static unsigned next_node(const struct xlnuma_plan *plan,
                          const uint64_t weight[], const unsigned count[])
{
    unsigned best = 0, of_best = count_beside(plan, count, 0);

    for (unsigned i = 1; i < plan->nr_guest_nodes; i++) {
        unsigned of_i = count_beside(plan, count, i);
        uint64_t a = weight[i] * (2 * of_best + 1);
        uint64_t b = weight[best] * (2 * of_i + 1);
        bool is_beside =
            plan->guest_node[i].node == plan->guest_node[best].node;

        if (is_beside ? count[i] < count[best]
                      : a > b || (a == b && weight[i] && of_i < of_best)) {
            best = i;
            of_best = of_i;
        }
    }
    return best;
}

/* vCPUs from `first` to before `end`, in blocks; count[] is what nodes have. */
static void divide_vcpus(struct xlnuma_plan *plan, const uint64_t weight[],
                         unsigned count[], unsigned first, unsigned end)
{
    unsigned more[XLNUMA_GUEST_NODES_MAX] = { 0 };

    for (unsigned v = first; v < end; v++) {
        unsigned n = next_node(plan, weight, count);

        count[n]++;
        more[n]++;
    }
    for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
        for (; more[n]; more[n]--, first++)
            plan->guest_node[n].vcpus[first / 64] |= (uint64_t)1 << first % 64;
}

/* --- distances ------------------------------------------------------------ */

/*
 * Linux takes no table whose diagonal is not 10 or that has 10 or less, or 255,
 * elsewhere.
 */
static uint8_t guest_distance(const struct xlnuma_host *host, unsigned from,
                              unsigned to)
{
    unsigned distance = from == to ? 11 : host->distance[from][to];

    return (uint8_t)(distance < 11 ? 11 : distance > 254 ? 254 : distance);
}

/* --- all of it ------------------------------------------------------------ */

static void fill(const struct xlnuma_host *host, const struct parts *parts,
                 struct xlnuma_plan *plan)
{
    uint64_t weight[XLNUMA_GUEST_NODES_MAX] = { 0 };
    unsigned count[XLNUMA_GUEST_NODES_MAX] = { 0 };
    unsigned nr_vcpus = xlnuma__limit_vcpus(parts->request);
    xlnuma_cpuset cpus;

    plan->nr_guest_nodes = parts->nr;
    for (unsigned n = 0; n < parts->nr; n++) {
        struct xlnuma_guest_node *node = &plan->guest_node[n];

        memset(node, 0, sizeof(*node));
        node->node = parts->node[n];
        node->memory_kb = parts->kb[n];
        for (unsigned m = 0; m < parts->nr; m++)
            node->distance[m] =
                n == m ? XLNUMA_DISTANCE_LOCAL
                       : guest_distance(host, node->node, parts->node[m]);
    }
    for (unsigned n = 0; n < parts->nr; n++) {
        xlnuma__vnodes_cpus(host, plan, n, &plan->soft_cpus, &cpus);
        weight[n] = xlnuma_cpuset_count(&cpus);
    }
    divide_vcpus(plan, weight, count, 0, parts->request->nr_vcpus);
    divide_vcpus(plan, weight, count, parts->request->nr_vcpus, nr_vcpus);
}

/* The plan's memory as the guest's nodes are; the overhead in proportion. */
static void follow(const struct xlnuma_host *host,
                   const struct xlnuma_request *request,
                   struct xlnuma_plan *plan)
{
    uint64_t ram_kb[XLNUMA_NODES_MAX] = { 0 }, left_kb = plan->needed_kb;
    char planned[16], is[16];
    size_t used = strlen(plan->reason);
    unsigned i;

    snprintf(planned, sizeof(planned), "%.2f", plan->expected_distance);

    for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
        ram_kb[plan->guest_node[n].node] += plan->guest_node[n].memory_kb;
    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        plan->memory_kb[i] = (uint64_t)((xlnuma__u128)plan->needed_kb *
                                        ram_kb[i] / request->ram_kb / 4 * 4);
        left_kb -= plan->memory_kb[i];
    }
    plan->memory_kb[plan->guest_node[0].node] += left_kb;
    XLNUMA_FOR_EACH_NODE(i, plan->nodes) {
        uint64_t high_kb = xlnuma__high_kb(&host->node[i]);

        plan->low_kb[i] =
            plan->memory_kb[i] > high_kb ? plan->memory_kb[i] - high_kb : 0;
    }
    xlnuma__plan_follow(plan, host, request, plan->nodes, plan->memory_kb);
    if (plan->least_distance > plan->expected_distance)
        plan->least_distance = plan->expected_distance;
    snprintf(is, sizeof(is), "%.2f", plan->expected_distance);
    if (strcmp(is, planned))
        snprintf(plan->reason + used, sizeof(plan->reason) - used,
                 "; divided as the guest sees it, at %s", is);
}

/* The nodes that a restored guest has, each on a node of this host. */
static bool fill_kept(const struct xlnuma_host *host,
                      const struct xlnuma_request *request,
                      struct xlnuma_plan *plan)
{
    const struct xlnuma__layout *layout = request->kept_nodes;
    unsigned on[XLNUMA_GUEST_NODES_MAX];

    if (layout->nr % xlnuma_nodeset_count(memory_nodes(plan)) ||
        !xlnuma__kept_assign(host, request, memory_nodes(plan), plan->needed_kb,
                             on))
        return false;
    plan->nr_guest_nodes = layout->nr;
    for (unsigned n = 0; n < layout->nr; n++) {
        struct xlnuma_guest_node *node = &plan->guest_node[n];

        memset(node, 0, sizeof(*node));
        node->node = on[n];
        node->memory_kb = xlnuma__layout_kb(layout, n);
        memcpy(node->vcpus, layout->node[n].vcpus, sizeof(node->vcpus));
        memcpy(node->distance, layout->node[n].distance,
               sizeof(node->distance));
    }
    return true;
}

/* Can it see `wanted` nodes on `nr` of the host's? If not: without any. */
static bool can_see(const struct xlnuma_host *host,
                    const struct xlnuma_request *request, unsigned wanted,
                    unsigned nr, struct xlnuma_plan *plan)
{
    if (request->no_guest_nodes)
        xlnuma__vnodes_drop(plan, "%s", request->no_guest_nodes);
    else if (xlnuma__limit_vcpus(request) > XLNUMA_GUEST_VCPUS_MAX)
        xlnuma__vnodes_drop(plan, "it has more than %d vCPUs",
                            XLNUMA_GUEST_VCPUS_MAX);
    else if (wanted < 2)
        xlnuma__vnodes_drop(plan, xlnuma_nodeset_count(host->nodes) < 2
                                      ? "the host has one node"
                                      : "all of its memory is on one node");
    else if (wanted % nr && !request->kept_nodes)
        xlnuma__vnodes_drop(
            plan, "%u nodes are not a multiple of the plan's %u", wanted, nr);
    else
        return true;
    return false;
}

/* The guest's memory divided anew. */
static bool fill_new(const struct xlnuma_host *host,
                     const struct xlnuma_request *request, unsigned wanted,
                     unsigned nr, struct xlnuma_plan *plan)
{
    struct parts parts;

    make_parts(&parts, host, request, plan, wanted / nr);
    if (request->guest_nodes == XLNUMA_GUEST_NODES_AUTO)
        drop_small(&parts);
    else if (divide_memory(&parts) < parts.nr)
        return false;
    if (parts.nr < 2)
        return false;
    fill(host, &parts, plan);
    return true;
}

void xlnuma__vnodes_make(const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         struct xlnuma_plan *plan)
{
    unsigned nr = xlnuma_nodeset_count(memory_nodes(plan)), wanted;

    plan->nr_guest_nodes = 0;
    if (request->guest_nodes == XLNUMA_GUEST_NODES_OFF ||
        plan->status != XLNUMA_STATUS_PLACED)
        return;
    wanted = request->guest_nodes == XLNUMA_GUEST_NODES_AUTO
                 ? nr
                 : request->guest_nodes;
    if (!can_see(host, request, wanted, nr, plan))
        return;
    if (request->kept_nodes ? fill_kept(host, request, plan)
                            : fill_new(host, request, wanted, nr, plan)) {
        if (xlnuma__vnodes_pin(host, request, plan))
            follow(host, request, plan);
        else
            xlnuma__vnodes_drop(plan, "the dedicated CPUs that are free are "
                                      "not on its nodes as its vCPUs are");
    } else if (request->kept_nodes)
        xlnuma__vnodes_drop(plan,
                            "no nodes of this host have room for its %u nodes "
                            "as they are",
                            wanted);
    else
        xlnuma__vnodes_drop(plan,
                            "its %" PRIu64 " MiB make no %u nodes of at least "
                            "%" PRIu64 " MiB",
                            request->ram_kb / 1024, wanted,
                            XLNUMA__BLOCK_KB / 1024);
}

/* --- a fixed number of nodes ---------------------------------------------- */

/* The nearest node beside the plan's that may have and has memory; or none. */
static unsigned next_nearest(const struct xlnuma_host *host,
                             const struct xlnuma_request *request,
                             xlnuma_nodeset nodes)
{
    unsigned best = XLNUMA_NODES_MAX, i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes & request->nodes & ~nodes)
        if (xlnuma__usable_kb(&host->node[i]) >= XLNUMA__BLOCK_KB &&
            (best == XLNUMA_NODES_MAX ||
             xlnuma__host_distance(host, nodes, i) <
                 xlnuma__host_distance(host, nodes, best)))
            best = i;
    return best;
}

/* Even shares; what a node has no room for goes to those with more. */
static void share(const struct xlnuma_host *host, xlnuma_nodeset nodes,
                  uint64_t needed_kb, uint64_t share_kb[])
{
    unsigned i;

    while (nodes) {
        uint64_t even_kb = needed_kb / xlnuma_nodeset_count(nodes) / 4 * 4;
        xlnuma_nodeset full = 0;

        XLNUMA_FOR_EACH_NODE(i, nodes)
            if (xlnuma__usable_kb(&host->node[i]) < even_kb)
                full |= (xlnuma_nodeset)1 << i;
        XLNUMA_FOR_EACH_NODE(i, full ? full : nodes) {
            share_kb[i] =
                full ? xlnuma__usable_kb(&host->node[i]) / 4 * 4 : even_kb;
            needed_kb -= share_kb[i];
        }
        if (!full)
            share_kb[xlnuma_nodeset_first(nodes)] += needed_kb;
        nodes = full ? nodes & ~full : 0;
    }
}

/* Lets nodes join the plan until `nr` have memory; false if there are too few. */
static bool widen(const struct xlnuma_host *host,
                  const struct xlnuma_request *request, unsigned nr,
                  struct xlnuma_plan *plan)
{
    xlnuma_nodeset nodes = memory_nodes(plan), all = plan->nodes;
    size_t used = strlen(plan->reason);

    while (xlnuma_nodeset_count(nodes) < nr) {
        unsigned node = next_nearest(host, request, nodes);

        if (node == XLNUMA_NODES_MAX)
            return false;
        nodes |= (xlnuma_nodeset)1 << node;
    }
    memset(plan->low_kb, 0, sizeof(plan->low_kb));
    share(host, nodes, plan->needed_kb, plan->memory_kb);
    xlnuma__plan_follow(plan, host, request, all | nodes, plan->memory_kb);
    plan->least_distance = plan->expected_distance;
    snprintf(plan->reason + used, sizeof(plan->reason) - used,
             "; on %u nodes, as numa_guest_nodes is %u, at %.2f", nr,
             request->guest_nodes, plan->expected_distance);
    return true;
}

/* Has it a CPU for each vCPU, or all that the guest may use? */
static bool has_cpus(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     const struct xlnuma_plan *plan)
{
    unsigned nr = 0, i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes & request->nodes)
        nr += xlnuma__cpuset_count_common(
            &host->node[i].cpus,
            request->has_cpus ? &request->cpus : &host->node[i].cpus);
    return xlnuma_cpuset_count(&plan->soft_cpus) >=
           (nr < request->nr_vcpus ? nr : request->nr_vcpus);
}

/* Can the guest's nodes be on the plan's, of which it may have `nr`? */
static bool suits(const struct xlnuma_host *host,
                  const struct xlnuma_request *request, bool needs_cpus,
                  unsigned nr, struct xlnuma_plan *plan)
{
    unsigned on[XLNUMA_GUEST_NODES_MAX];

    return plan->status == XLNUMA_STATUS_PLACED &&
           (!needs_cpus || has_cpus(host, request, plan)) &&
           (!(request->guest_nodes %
              xlnuma_nodeset_count(memory_nodes(plan))) ||
            (!xlnuma__is_strict(request->policy) &&
             widen(host, request, nr, plan))) &&
           (!request->kept_nodes ||
            xlnuma__kept_assign(host, request, memory_nodes(plan),
                                plan->needed_kb, on));
}

/* Without the plan's node with the least memory; false when none is left. */
static bool drop_least(const struct xlnuma_host *host,
                       const struct xlnuma_plan *plan,
                       struct xlnuma_request *request)
{
    xlnuma_nodeset nodes = memory_nodes(plan);
    unsigned least = xlnuma_nodeset_first(nodes), i;

    XLNUMA_FOR_EACH_NODE(i, nodes)
        if (xlnuma__usable_kb(&host->node[i]) <
            xlnuma__usable_kb(&host->node[least]))
            least = i;
    request->nodes &= host->nodes & ~((xlnuma_nodeset)1 << least);
    return request->nodes;
}

static int make_plan(const struct xlnuma_host *host,
                     const struct xlnuma_request *request,
                     struct xlnuma_plan *plan, char *message)
{
    return request->cpu_policy == XLNUMA_CPUS_DEDICATED
               ? xlnuma__plan_dedicated(host, request, plan, message)
               : xlnuma_plan_make(host, request, plan, message);
}

/* The request that a plan answers: on dedicated CPUs the guest may use no others. */
static const struct xlnuma_request *
answered_by(const struct xlnuma_plan *plan,
            const struct xlnuma_request *request, struct xlnuma_request *pinned)
{
    if (!plan->nr_dedicated)
        return request;
    xlnuma__dedicated_request(request, plan, pinned);
    return pinned;
}

/*
 * On at most `nr` nodes. The memory of a restored guest's nodes is fixed, so a set
 * that has as much may have no room for them: then one without its smallest node is
 * looked for, unless the policy is strict, which goes by all nodes.
 */
static int plan_on(const struct xlnuma_host *host,
                   const struct xlnuma_request *request, unsigned nr,
                   bool needs_cpus, struct xlnuma_plan *plan, bool *is_found_r,
                   char *message)
{
    struct xlnuma_request limited = *request, pinned;
    int rc;

    limited.max_nodes = nr;
    do {
        rc = make_plan(host, &limited, plan, message);
        *is_found_r = !rc && suits(host, answered_by(plan, request, &pinned),
                                   needs_cpus, nr, plan);
    } while (!rc && !*is_found_r && request->kept_nodes &&
             !xlnuma__is_strict(request->policy) &&
             plan->status == XLNUMA_STATUS_PLACED &&
             drop_least(host, plan, &limited));
    return rc;
}

/* On nodes whose number divides that of the guest's, as few as hold it. */
static int plan_divisor(const struct xlnuma_host *host,
                        const struct xlnuma_request *request, bool needs_cpus,
                        struct xlnuma_plan *plan, bool *is_found_r,
                        char *message)
{
    unsigned nr = request->guest_nodes;
    int rc = 0;

    *is_found_r = false;
    for (unsigned k = 1; k <= nr && !rc && !*is_found_r; k++)
        if (!(nr % k))
            rc = plan_on(host, request, k, needs_cpus, plan, is_found_r,
                         message);
    return rc;
}

/* A set that was left out for want of room is no reason to name. */
static void say_kept(const struct xlnuma_request *request,
                     struct xlnuma_plan *plan)
{
    char nodes[XLNUMA__NODES_WORDS];

    snprintf(plan->reason, sizeof(plan->reason),
             "the %u nodes that the guest has seen since it was built fit on "
             "%s at expected distance %.2f",
             request->guest_nodes, xlnuma__nodes_in_words(plan->nodes, nodes),
             plan->expected_distance);
}

int xlnuma__plan_with_vnodes(const struct xlnuma_host *host,
                             const struct xlnuma_request *request,
                             struct xlnuma_plan *plan_r, char *message)
{
    struct xlnuma_request pinned;
    bool is_found = false;
    int rc = 0;

    if (request->guest_nodes > XLNUMA_GUEST_NODES_AUTO &&
        !request->no_guest_nodes && request->policy != XLNUMA_POLICY_NONE) {
        rc = plan_divisor(host, request, true, plan_r, &is_found, message);
        if (!rc && !is_found)
            rc = plan_divisor(host, request, false, plan_r, &is_found, message);
    }
    if (!rc && !is_found)
        rc = make_plan(host, request, plan_r, message);
    if (rc)
        return rc;
    xlnuma__vnodes_make(host, answered_by(plan_r, request, &pinned), plan_r);
    if (request->kept_nodes && plan_r->nr_guest_nodes)
        say_kept(request, plan_r);
    xlnuma__dedicated_say(plan_r);
    return 0;
}
