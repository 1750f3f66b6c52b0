/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How wide a guest's hard affinity should be, by measured loads. Does not
 * measure, and changes no affinity.
 */
#include "balance/balance.h"

#include <string.h>

/* A guest with less than this share of what it wants is short of CPU time. */
#define SHORT 0.9

/* One that wants less than this, in CPUs, is idle: looks at it tell too little. */
#define IDLE 0.05

/* CPUs that are idle for less than this share of their time are busy. */
#define BUSY 0.125

/* --- sets of CPUs --------------------------------------------------------- */

/* How many CPUs' worth of time was idle on `in` but not on `out` (or NULL). */
static double idle_cpus(const struct xlnuma__balance_load *load,
                        const xlnuma_cpuset *in, const xlnuma_cpuset *out)
{
    double idle = 0;

    for (unsigned word = 0; word * 64 < load->nr_cpus; word++) {
        uint64_t left = in->word[word] & ~(out ? out->word[word] : 0);

        for (; left; left &= left - 1) {
            unsigned cpu = word * 64 + (unsigned)__builtin_ctzll(left);

            if (cpu < load->nr_cpus)
                idle += load->idle[cpu];
        }
    }
    return idle;
}

static bool is_subset(const xlnuma_cpuset *set, const xlnuma_cpuset *of)
{
    for (unsigned word = 0; word < XLNUMA_CPUS_MAX / 64; word++)
        if (set->word[word] & ~of->word[word])
            return false;
    return true;
}

static bool is_equal(const xlnuma_cpuset *a, const xlnuma_cpuset *b)
{
    return !memcmp(a, b, sizeof(*a));
}

static bool is_busy(const struct xlnuma__balance_load *load,
                    const xlnuma_cpuset *cpus)
{
    return idle_cpus(load, cpus, NULL) < BUSY * xlnuma_cpuset_count(cpus);
}

/* --- distances and levels ------------------------------------------------- */

/* A host, and the distance of each node to one guest's memory. */
struct view {
    const struct xlnuma_host *host;
    const struct xlnuma__balance_load *load;
    unsigned far[XLNUMA_NODES_MAX]; /* in thousandths; 0: not reachable */
};

/* Whole numbers: nodes that are equally near belong to the same level. */
static void measure_distances(struct view *view,
                              const struct xlnuma__balance_guest *guest)
{
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, view->host->nodes) {
        double all_kb = 0, sum = 0;
        bool is_reachable = true;

        XLNUMA_FOR_EACH_NODE(j, view->host->nodes) {
            unsigned distance = view->host->distance[i][j];

            if (!guest->memory_kb[j])
                continue;
            is_reachable &= distance != XLNUMA_DISTANCE_UNREACHABLE;
            all_kb += (double)guest->memory_kb[j];
            sum += (double)guest->memory_kb[j] * distance;
        }
        view->far[i] = is_reachable && all_kb > 0
                           ? (unsigned)(1000 * sum / all_kb + 0.5)
                           : 0;
    }
}

/* The node's CPUs that the guest may use and that are not in the set. */
static bool has_more_on(const struct view *view,
                        const struct xlnuma__balance_guest *guest,
                        const xlnuma_cpuset *set, unsigned node)
{
    const xlnuma_cpuset *cpus = &view->host->node[node].cpus;

    for (unsigned word = 0; word < XLNUMA_CPUS_MAX / 64; word++)
        if (cpus->word[word] & guest->usable.word[word] & ~set->word[word])
            return true;
    return false;
}

static void add_node(const struct view *view,
                     const struct xlnuma__balance_guest *guest,
                     xlnuma_cpuset *set, unsigned node)
{
    xlnuma_cpuset cpus = view->host->node[node].cpus;

    xlnuma_cpuset_and(&cpus, &guest->usable);
    xlnuma_cpuset_or(set, &cpus);
}

/*
 * From one level to the next: add the nearest nodes that have more CPUs for the
 * guest. Returns their distance in thousandths; 0 when there are none.
 */
static unsigned widen(const struct view *view,
                      const struct xlnuma__balance_guest *guest,
                      xlnuma_cpuset *set)
{
    xlnuma_nodeset nodes = 0;
    unsigned nearest = 0, i;

    XLNUMA_FOR_EACH_NODE(i, view->host->nodes) {
        if (!view->far[i] || (nearest && view->far[i] > nearest) ||
            !has_more_on(view, guest, set, i))
            continue;
        if (view->far[i] != nearest)
            nodes = 0;
        nearest = view->far[i];
        nodes |= (xlnuma_nodeset)1 << i;
    }
    XLNUMA_FOR_EACH_NODE(i, nodes)
        add_node(view, guest, set, i);
    return nearest;
}

/* --- one guest ------------------------------------------------------------ */

static double share_of(const struct xlnuma__balance_guest *guest)
{
    return guest->wanted >= IDLE && guest->wanted > guest->had
               ? guest->had / guest->wanted
               : 1;
}

/* The mean from where it ran; of one that did not run, from its nearest CPUs. */
static double distance_run(const struct view *view,
                           const struct xlnuma__balance_guest *guest)
{
    double had = 0, sum = 0, nearest = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, view->host->nodes) {
        double far = view->far[i] / 1000.0;

        if (!view->far[i])
            continue;
        had += guest->had_on[i];
        sum += guest->had_on[i] * far;
        if ((!nearest || far < nearest) &&
            xlnuma_cpuset_intersects(&guest->hard, &view->host->node[i].cpus))
            nearest = far;
    }
    return had > 0 ? sum / had : nearest;
}

/*
 * What it would have on these CPUs of its hard affinity: the time that is idle
 * there, and its own.
 */
static double room_on(const struct view *view,
                      const struct xlnuma__balance_guest *guest,
                      const xlnuma_cpuset *cpus, double *distance_r)
{
    double room = 0, sum = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, view->host->nodes) {
        xlnuma_cpuset on = view->host->node[i].cpus;
        double here;

        xlnuma_cpuset_and(&on, cpus);
        if (!view->far[i] || !xlnuma_cpuset_count(&on))
            continue;
        here = idle_cpus(view->load, &on, NULL) + guest->had_on[i];
        room += here;
        sum += here * view->far[i] / 1000;
    }
    *distance_r = room > 0 ? sum / room : guest->distance;
    return room;
}

/*
 * The innermost level within its hard affinity where it would not be short of
 * CPU time, or have a better score all the same. Others may leave it more than
 * what is idle there now.
 */
static void judge_narrower(const struct view *view,
                           struct xlnuma__balance_guest *guest)
{
    double least = guest->score * (1 + guest->gain / 100.0);
    xlnuma_cpuset level = guest->built;

    while (is_subset(&level, &guest->hard) && !is_equal(&level, &guest->hard)) {
        double distance, room = room_on(view, guest, &level, &distance);
        double share = room < guest->wanted ? room / guest->wanted : 1;

        if (share >= SHORT || share * 10 / distance > least) {
            guest->step = XLNUMA__BALANCE_NARROW;
            guest->better = level;
            guest->better_score = share * 10 / distance;
            return;
        }
        if (!widen(view, guest, &level))
            return;
    }
}

/*
 * The level beyond its hard affinity with the best score. The scheduler moves
 * whole vCPUs there while CPUs are idle, however far these are.
 */
static void judge_wider(const struct view *view,
                        struct xlnuma__balance_guest *guest)
{
    double least = guest->score * (1 + guest->gain / 100.0);
    xlnuma_cpuset level = guest->hard;
    unsigned far;

    if (share_of(guest) >= SHORT || !is_busy(view->load, &guest->hard))
        return;
    while ((far = widen(view, guest, &level))) {
        double out = idle_cpus(view->load, &level, &guest->hard), score;

        if (out > guest->wanted)
            out = guest->wanted;
        score = ((guest->wanted - out) * guest->score + out * 10000 / far) /
                guest->wanted;
        if (score <= least)
            continue;
        least = score;
        guest->step = XLNUMA__BALANCE_WIDEN;
        guest->better = level;
        guest->better_score = score;
    }
}

bool xlnuma__balance_wants_look(const struct xlnuma__balance_load *load,
                                const struct xlnuma__balance_guest *guest)
{
    return !is_equal(&guest->hard, &guest->built) ||
           is_busy(load, &guest->hard);
}

void xlnuma__balance_judge(const struct xlnuma_host *host,
                           const struct xlnuma__balance_load *load,
                           struct xlnuma__balance_guest *guest)
{
    struct view view = { .host = host, .load = load };

    measure_distances(&view, guest);
    guest->distance = distance_run(&view, guest);
    guest->score =
        guest->distance > 0 ? share_of(guest) * 10 / guest->distance : 0;
    guest->step = XLNUMA__BALANCE_STAY;
    guest->better = guest->hard;
    guest->better_score = guest->score;
    judge_narrower(&view, guest);
    if (guest->step == XLNUMA__BALANCE_STAY)
        judge_wider(&view, guest);
}

/* --- all guests ----------------------------------------------------------- */

static void count(struct xlnuma__balance_guest *guest)
{
    enum xlnuma__balance_step step =
        guest->is_measured ? guest->step : XLNUMA__BALANCE_STAY;

    guest->nr_short = step == XLNUMA__BALANCE_WIDEN ? guest->nr_short + 1 : 0;
    guest->nr_roomy = step == XLNUMA__BALANCE_NARROW ? guest->nr_roomy + 1 : 0;
}

static bool may_move(const struct xlnuma__balance_guest *guest, unsigned rounds,
                     uint64_t now_ns)
{
    if (guest->has_moved && now_ns - guest->moved_ns < XLNUMA__BALANCE_PAUSE_NS)
        return false;
    return guest->nr_short >= rounds || guest->nr_roomy >= rounds;
}

int xlnuma__balance_round(const struct xlnuma_host *host,
                          const struct xlnuma__balance_load *load,
                          struct xlnuma__balance_guest *const guest[],
                          unsigned nr, unsigned rounds, uint64_t now_ns)
{
    double most = 0;
    int chosen = -1;

    for (unsigned i = 0; i < nr; i++) {
        double gain;

        if (guest[i]->is_measured)
            xlnuma__balance_judge(host, load, guest[i]);
        count(guest[i]);
        if (!may_move(guest[i], rounds, now_ns))
            continue;
        gain = (guest[i]->better_score - guest[i]->score) * guest[i]->wanted;
        if (chosen < 0 || gain > most) {
            chosen = (int)i;
            most = gain;
        }
    }
    return chosen;
}

void xlnuma__balance_moved(struct xlnuma__balance_guest *guest,
                           const xlnuma_cpuset *hard, uint64_t now_ns)
{
    guest->hard = *hard;
    guest->nr_short = guest->nr_roomy = 0;
    guest->has_moved = true;
    guest->moved_ns = now_ns;
}
