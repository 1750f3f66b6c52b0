/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which guests are moved: hosts of four nodes by hand, and random hosts on which
 * the moves are made once more, step by step, by what this file knows of them.
 */
#include "balance/moves.h"
#include "draw.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1024)
#define GIB (1024 * MIB)
#define GUESTS_MAX 64

enum { NEVER = XLNUMA__MOVE_NEVER, BY_FILE = XLNUMA__MOVE_BY_FILE };
enum { LIVE = XLNUMA__MOVE_LIVE };

static const struct xlnuma__moves_options singles = { .gain = 3, .limit = 100 };
static const struct xlnuma__moves_options chains = { .gain = 3,
                                                     .limit = 100,
                                                     .others = true };

/* --- by hand: nodes 0-1 and 2-3 are sockets, distances 10, 11, 21 ---------- */

/* A guest with so many MiB on each node, whose vCPUs run on those. */
static struct xlnuma__moves_guest guest_on(const struct xlnuma_host *host,
                                           const uint64_t mib[4])
{
    struct xlnuma__moves_guest guest = { .way = XLNUMA__MOVE_LIVE,
                                         .is_asked_for = true };
    xlnuma_cpuset cpus = { { 0 } };

    xlnuma_request_init(&guest.request);
    guest.request.nr_vcpus = 1;
    for (unsigned i = 0; i < 4; i++) {
        guest.spot.memory_kb[i] = mib[i] * MIB;
        guest.request.memory_kb += mib[i] * MIB;
        if (mib[i])
            xlnuma_cpuset_or(&cpus, &host->node[i].cpus);
    }
    xlnuma__spot_run_on(&guest.spot, host, &cpus);
    return guest;
}

static struct xlnuma__moves plan(const struct xlnuma_host *host,
                                 const struct xlnuma__moves_guest guest[],
                                 unsigned nr,
                                 const struct xlnuma__moves_options *options)
{
    struct xlnuma__moves moves;
    char message[XLNUMA_MESSAGE_SIZE];

    CU_ASSERT_EQUAL_FATAL(
        xlnuma__moves_plan(host, guest, nr, options, &moves, message), 0);
    CU_ASSERT_STRING_EQUAL(message, "");
    return moves;
}

static unsigned nr_planned(const struct xlnuma_host *host,
                           const struct xlnuma__moves_guest guest[],
                           unsigned nr,
                           const struct xlnuma__moves_options *options)
{
    struct xlnuma__moves moves = plan(host, guest, nr, options);
    unsigned nr_moves = moves.nr;

    xlnuma__moves_dispose(&moves);
    return nr_moves;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

static void two_sockets_to_one_node(void)
{
    const uint64_t free_mib[4] = { 100, 100, 700, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__moves moves = plan(host, &guest, 1, &singles);

    /* half of the time to half of it: (10 + 21) / 2 */
    CU_ASSERT_EQUAL_FATAL(moves.nr, 1);
    CU_ASSERT(is_near(moves.distance_before, 15.5));
    CU_ASSERT(is_near(moves.distance_after, 10));
    CU_ASSERT(is_near(moves.move[0].from_distance, 15.5));
    CU_ASSERT(is_near(moves.move[0].to_distance, 10));
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&moves.move[0].from), 9);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&moves.move[0].to), 4);
    CU_ASSERT_EQUAL(moves.move[0].to.memory_kb[2], 600 * MIB);
    CU_ASSERT(moves.move[0].is_last);
    CU_ASSERT_FALSE(moves.move[0].is_by_file);
    CU_ASSERT_EQUAL(moves.move[0].avoid, 0);
    CU_ASSERT_EQUAL(moves.moved_kb, 600 * MIB);
    xlnuma__moves_dispose(&moves);
    xlnuma__moves_dispose(&moves);
    xlnuma_host_free(host);
}

/* Of 700 MiB 7 are a hundredth. */
static void stray_pages_are_on_no_node(void)
{
    struct xlnuma__spot spot = { .memory_kb = { 340 * MIB, 7 * MIB - 4, 7 * MIB,
                                                346 * MIB + 4 } };

    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&spot), 1 | 4 | 8);
    memset(&spot, 0, sizeof(spot));
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&spot), 0);
    spot.memory_kb[2] = 4;
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&spot), 4);
}

static void what_is_best_stays(void)
{
    const uint64_t free_mib[4] = { 2000, 2000, 2000, 2000 };
    const uint64_t near[4] = { 0, 300, 0, 0 }, socket[4] = { 300, 300, 0, 0 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest[2] = { guest_on(host, near),
                                            guest_on(host, socket) };
    struct xlnuma__moves moves = plan(host, guest, 2, &singles);

    /* from 10.5 to 10 is less than the 3 that are wanted */
    CU_ASSERT_EQUAL(moves.nr, 0);
    CU_ASSERT(is_near(moves.distance_before, (300 * 10 + 600 * 10.5) / 900));
    CU_ASSERT(is_near(moves.distance_after, moves.distance_before));
    xlnuma__moves_dispose(&moves);
    xlnuma_host_free(host);
}

static void the_threshold_is_met(void)
{
    const uint64_t free_mib[4] = { 100, 100, 700, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__moves_options options = singles;

    options.gain = 5.5;
    CU_ASSERT_EQUAL(nr_planned(host, &guest, 1, &options), 1);
    options.gain = 5.51;
    CU_ASSERT_EQUAL(nr_planned(host, &guest, 1, &options), 0);
    xlnuma_host_free(host);
}

/* Its own memory is not free yet, but for a copy that comes out of a file. */
static void it_fits_twice_or_by_file(void)
{
    const uint64_t free_mib[4] = { 400, 100, 100, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__moves_options options = singles;
    struct xlnuma__moves moves;

    CU_ASSERT_EQUAL(nr_planned(host, &guest, 1, &options), 0);
    options.by_file = true;
    moves = plan(host, &guest, 1, &options);
    CU_ASSERT_EQUAL_FATAL(moves.nr, 1);
    CU_ASSERT(moves.move[0].is_by_file);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&moves.move[0].to), 1);
    xlnuma__moves_dispose(&moves);
    xlnuma_host_free(host);
}

static void ways_are_kept_to(void)
{
    const uint64_t free_mib[4] = { 100, 100, 700, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__moves_options options = singles;

    for (int way = NEVER; way <= LIVE; way++)
        for (int by_file = 0; by_file < 2; by_file++)
            for (int is_asked = 0; is_asked < 2; is_asked++) {
                struct xlnuma__moves moves;

                guest.way = (enum xlnuma__move_way)way;
                guest.is_asked_for = is_asked;
                options.by_file = by_file;
                moves = plan(host, &guest, 1, &options);
                CU_ASSERT_EQUAL(
                    moves.nr,
                    is_asked && (way == LIVE || (way == BY_FILE && by_file)));
                if (moves.nr)
                    CU_ASSERT_EQUAL(moves.move[0].is_by_file, way == BY_FILE);
                xlnuma__moves_dispose(&moves);
            }
    xlnuma_host_free(host);
}

/* Node 0 has room when the small one goes: from 15.5 for 600, 200 of it moved. */
static void another_makes_room(void)
{
    const uint64_t free_mib[4] = { 450, 100, 250, 100 };
    const uint64_t large[4] = { 0, 300, 0, 300 }, small[4] = { 200, 0, 0, 0 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest[2] = { guest_on(host, large),
                                            guest_on(host, small) };
    struct xlnuma__moves moves;

    CU_ASSERT_EQUAL(nr_planned(host, guest, 2, &singles), 0);
    moves = plan(host, guest, 2, &chains);
    CU_ASSERT_EQUAL_FATAL(moves.nr, 2);
    CU_ASSERT_EQUAL(moves.move[0].guest, 1);
    CU_ASSERT_EQUAL(moves.move[0].avoid, 1);
    CU_ASSERT_FALSE(moves.move[0].is_last);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&moves.move[0].to), 4);
    CU_ASSERT_EQUAL(moves.move[1].guest, 0);
    CU_ASSERT_EQUAL(moves.move[1].avoid, 0);
    CU_ASSERT(moves.move[1].is_last);
    CU_ASSERT_EQUAL(moves.move[1].chain, moves.move[0].chain);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&moves.move[1].to), 1);
    CU_ASSERT(is_near(moves.distance_after, 10));
    xlnuma__moves_dispose(&moves);
    xlnuma_host_free(host);
}

static void one_that_is_not_asked_for_makes_room(void)
{
    const uint64_t free_mib[4] = { 450, 100, 250, 100 };
    const uint64_t large[4] = { 0, 300, 0, 300 }, small[4] = { 200, 0, 0, 0 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest[2] = { guest_on(host, large),
                                            guest_on(host, small) };

    guest[1].is_asked_for = false;
    CU_ASSERT_EQUAL(nr_planned(host, guest, 2, &chains), 2);
    guest[1].way = XLNUMA__MOVE_NEVER;
    CU_ASSERT_EQUAL(nr_planned(host, guest, 2, &chains), 0);
    xlnuma_host_free(host);
}

/* Only the copies count that are made, each once. */
static void the_limit_holds(void)
{
    const uint64_t free_mib[4] = { 100, 100, 1400, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 }, half[4] = { 150, 0, 0, 150 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest[2] = { guest_on(host, mib),
                                            guest_on(host, half) };
    struct xlnuma__moves_options options = singles;
    struct xlnuma__moves moves;

    options.limit = 66; /* of 900 MiB: the larger one does not fit under it */
    moves = plan(host, guest, 2, &options);
    CU_ASSERT_EQUAL_FATAL(moves.nr, 1);
    CU_ASSERT_EQUAL(moves.move[0].guest, 1);
    xlnuma__moves_dispose(&moves);
    options.limit = 67;
    moves = plan(host, guest, 2, &options);
    CU_ASSERT_EQUAL_FATAL(moves.nr, 1);
    CU_ASSERT_EQUAL(moves.move[0].guest, 1); /* of equals the smaller first */
    xlnuma__moves_dispose(&moves);
    options.limit = 100;
    CU_ASSERT_EQUAL(nr_planned(host, guest, 2, &options), 2);
    xlnuma_host_free(host);
}

static void memory_is_kept_free(void)
{
    const uint64_t free_mib[4] = { 100, 100, 700, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__moves_options options = singles;

    options.keep_kb = 400 * MIB; /* of 1000, of which the copy takes 600 */
    CU_ASSERT_EQUAL(nr_planned(host, &guest, 1, &options), 1);
    options.keep_kb++;
    CU_ASSERT_EQUAL(nr_planned(host, &guest, 1, &options), 0);
    xlnuma_host_free(host);
}

/* Its vCPUs are the load of the node where it is best. */
static void its_own_load_does_not_send_it_away(void)
{
    const uint64_t free_mib[4] = { 1000, 1000, 1000, 1000 };
    const uint64_t mib[4] = { 0, 0, 300, 0 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__move move = { .is_last = true };
    struct xlnuma__moves_options options = singles;

    host->node[2].load_mvcpu = 1000;
    host->node[2].free_kb = 900 * MIB; /* best fit */
    options.gain = 0;
    CU_ASSERT_PTR_NULL(xlnuma__move_renew(host, &guest, &options, &move));
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&move.to), 4);
    CU_ASSERT_EQUAL(host->node[2].load_mvcpu, 1000);
    CU_ASSERT_EQUAL(host->node[2].free_kb, 900 * MIB);
    xlnuma_host_free(host);
}

static void a_move_is_looked_at_again(void)
{
    const uint64_t free_mib[4] = { 100, 100, 700, 100 };
    const uint64_t mib[4] = { 300, 0, 0, 300 }, now[4] = { 0, 600, 0, 0 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest guest = guest_on(host, mib);
    struct xlnuma__moves moves = plan(host, &guest, 1, &singles);
    struct xlnuma__move *move = moves.move;

    CU_ASSERT_EQUAL_FATAL(moves.nr, 1);
    CU_ASSERT_PTR_NULL(xlnuma__move_renew(host, &guest, &singles, move));
    CU_ASSERT(is_near(move->to_distance, 10));
    host->node[2].free_kb = 299 * MIB;
    CU_ASSERT_STRING_EQUAL(xlnuma__move_renew(host, &guest, &singles, move),
                           "there is no room for its copy any more");
    host->node[2].free_kb = 700 * MIB;
    guest = guest_on(host, now);
    CU_ASSERT_STRING_EQUAL(xlnuma__move_renew(host, &guest, &singles, move),
                           "it no longer gains enough");
    move->is_last = false; /* to make room it need not gain */
    move->avoid = 2;
    CU_ASSERT_PTR_NULL(xlnuma__move_renew(host, &guest, &singles, move));
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&move->to), 4);
    xlnuma__moves_dispose(&moves);
    xlnuma_host_free(host);
}

/* --- random hosts ----------------------------------------------------------- */

struct random {
    struct xlnuma_host *host;
    struct xlnuma__moves_guest guest[GUESTS_MAX];
    unsigned nr;
    struct xlnuma__moves_options options;
};

/* Half of them on one node, the others half and half on two; where there is room. */
static void draw_spot(struct random *random, struct xlnuma__moves_guest *guest)
{
    struct xlnuma_host *host = random->host;
    unsigned nr_nodes = xlnuma_nodeset_count(host->nodes);
    unsigned a = draw(nr_nodes), b = draw(2) ? a : draw(nr_nodes);
    uint64_t half_kb = guest->request.memory_kb / 2;
    xlnuma_cpuset cpus = host->node[a].cpus;

    if (host->node[a].free_kb < 2 * half_kb || host->node[b].free_kb < half_kb)
        return;
    guest->spot.memory_kb[a] += half_kb;
    guest->spot.memory_kb[b] += half_kb;
    host->node[a].free_kb -= half_kb;
    host->node[b].free_kb -= half_kb;
    xlnuma_cpuset_or(&cpus, &host->node[b].cpus);
    xlnuma__spot_run_on(&guest->spot, host, &cpus);
    random->nr++;
}

static void draw_guests(struct random *random)
{
    unsigned nr = draw(2) ? GUESTS_MAX : 1 + draw(GUESTS_MAX), i;

    random->nr = 0;
    XLNUMA_FOR_EACH_NODE(i, random->host->nodes) {
        struct xlnuma_node *node = &random->host->node[i];

        node->free_kb = node->size_kb;
        node->reserved_kb = draw(4) ? 0 : GIB;
        node->low_free_kb = draw(4) ? 0 : GIB;
    }
    while (nr--) {
        struct xlnuma__moves_guest *guest = &random->guest[random->nr];

        memset(guest, 0, sizeof(*guest));
        xlnuma_request_init(&guest->request);
        guest->request.memory_kb = (1 + draw(4096)) * 2 * MIB;
        guest->request.nr_vcpus = 1 + draw(8);
        guest->way =
            draw(8) ? XLNUMA__MOVE_LIVE : (enum xlnuma__move_way)draw(2);
        guest->is_asked_for = draw(6);
        draw_spot(random, guest);
    }
    XLNUMA_FOR_EACH_NODE(i, random->host->nodes) { /* what others have */
        struct xlnuma_node *node = &random->host->node[i];

        node->free_kb -= draw(4) ? 0 : node->free_kb / 4096 * draw(4097);
        if (node->low_free_kb > node->free_kb)
            node->low_free_kb = node->free_kb;
        if (node->reserved_kb > node->free_kb)
            node->reserved_kb = node->free_kb;
    }
    random->options = (struct xlnuma__moves_options){
        .gain = draw(2) ? 3 : .1 + draw(100) / 10.,
        .limit = draw(3) ? 100 : 1 + draw(100),
        .others = draw(2),
        .by_file = draw(2),
        .keep_kb = draw(4) ? 0 : draw(16) * GIB,
    };
}

/* --- the moves once more -------------------------------------------------------- */

/* Sum of distance x KiB, with no code of the moves'. */
static double distance_now(const struct random *random, unsigned n)
{
    const struct xlnuma__spot *spot = &random->guest[n].spot;
    double sum = 0, all_kb = 0;

    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        for (unsigned j = 0; j < XLNUMA_NODES_MAX; j++)
            if (spot->runs_on[i] > 0 && spot->memory_kb[j])
                sum += spot->runs_on[i] * (double)spot->memory_kb[j] *
                       random->host->distance[i][j];
    for (unsigned j = 0; j < XLNUMA_NODES_MAX; j++)
        all_kb += (double)spot->memory_kb[j];
    return sum / all_kb * (double)random->guest[n].request.memory_kb;
}

/* The copy takes what is free; then, or before if it waits in a file, the old goes. */
static bool make_move(struct random *random, const struct xlnuma__move *move)
{
    struct xlnuma__moves_guest *guest = &random->guest[move->guest];
    struct xlnuma_host *host = random->host;
    uint64_t left_kb = 0, sum_kb = 0;
    bool fits = true;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        uint64_t old_kb = guest->spot.memory_kb[i];
        uint64_t free_kb = host->node[i].free_kb - host->node[i].reserved_kb;

        if (move->is_by_file)
            free_kb += old_kb;
        fits &= move->to.memory_kb[i] <= free_kb;
        left_kb += free_kb - move->to.memory_kb[i];
        sum_kb += move->to.memory_kb[i];
        fits &= !(move->avoid >> i & 1) || !move->to.memory_kb[i];
        host->node[i].free_kb += old_kb - move->to.memory_kb[i];
        host->node[i].low_free_kb += guest->spot.low_kb[i] - move->to.low_kb[i];
    }
    guest->spot = move->to;
    return fits && sum_kb == guest->request.memory_kb &&
           left_kb >= random->options.keep_kb;
}

static bool is_allowed(const struct random *random,
                       const struct xlnuma__move *move)
{
    const struct xlnuma__moves_guest *guest = &random->guest[move->guest];
    const struct xlnuma__moves_options *options = &random->options;

    if (guest->way == XLNUMA__MOVE_NEVER ||
        (guest->way == XLNUMA__MOVE_BY_FILE && !move->is_by_file))
        return false;
    if (move->is_by_file && !options->by_file)
        return false;
    return move->is_last ? guest->is_asked_for : options->others;
}

/* Returns what is wrong with the moves; NULL: nothing. */
static const char *replay(struct random *random,
                          const struct xlnuma__moves *moves)
{
    double before = 0, kb = 0, fell = 0;
    unsigned chain = 0;

    for (unsigned n = 0; n < moves->nr; n++) {
        const struct xlnuma__move *move = &moves->move[n];

        if (move->chain != chain)
            return "chains are not in order";
        if (memcmp(&move->from, &random->guest[move->guest].spot,
                   sizeof(move->from)))
            return "it is not where it is said to come from";
        if (!is_allowed(random, move))
            return "a move that was not allowed";
        before = distance_now(random, move->guest);
        if (!make_move(random, move))
            return "it does not fit when its turn comes";
        fell += before - distance_now(random, move->guest);
        kb += (double)random->guest[move->guest].request.memory_kb;
        if (!move->is_last)
            continue;
        if (fell < random->options.gain * kb * (1 - 1e-9))
            return "a chain below the threshold";
        fell = kb = 0;
        chain++;
    }
    return kb > 0 ? "a chain without an end" : NULL;
}

/* Is there a single live move left that is worth it? */
static bool has_more(struct random *random)
{
    random->options.limit = 100;
    random->options.others = false;
    return nr_planned(random->host, random->guest, random->nr,
                      &random->options) > 0;
}

static void random_hosts(void)
{
    struct random random = { .host = xlnuma_host_new() };
    unsigned nr_moves = 0, nr_chains = 0, nr_files = 0;

    for (unsigned seed = 1; seed <= 1000; seed++) {
        struct xlnuma__moves moves;
        double before = 0, after = 0;
        double limit;
        const char *wrong;

        draw_seed(seed);
        draw_host(random.host, 2 + draw(7), (enum draw_table)draw(DRAW_TABLES),
                  false);
        draw_guests(&random);
        limit = random.options.limit;
        for (unsigned n = 0; n < random.nr; n++)
            before += distance_now(&random, n);
        moves = plan(random.host, random.guest, random.nr, &random.options);
        wrong = replay(&random, &moves);
        if (wrong)
            fprintf(stderr, "seed %u: %s\n", seed, wrong);
        CU_ASSERT_PTR_NULL(wrong);
        for (unsigned n = 0; n < random.nr; n++)
            after += distance_now(&random, n);
        if (moves.memory_kb) {
            CU_ASSERT(is_near(moves.distance_before,
                              before / (double)moves.memory_kb));
            CU_ASSERT(
                is_near(moves.distance_after, after / (double)moves.memory_kb));
        }
        CU_ASSERT(moves.moved_kb * 100 <= moves.memory_kb * limit);
        for (unsigned n = 0; n < moves.nr; n++) {
            nr_moves++;
            nr_chains += !moves.move[n].is_last;
            nr_files += moves.move[n].is_by_file;
        }
        /* no guest is larger than 8 GiB */
        if (moves.moved_kb + 8 * GIB <= moves.memory_kb * limit / 100 &&
            has_more(&random))
            CU_FAIL("a move that is worth it was left");
        xlnuma__moves_dispose(&moves);
    }
    printf("# %u moves, %u of them for others, %u by file\n", nr_moves,
           nr_chains, nr_files);
    CU_ASSERT(nr_moves > 1000 && nr_chains > 50 && nr_files > 100);
    xlnuma_host_free(random.host);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "from two sockets to one node", two_sockets_to_one_node },
        { "a guest that is best where it is stays", what_is_best_stays },
        { "the threshold is met exactly", the_threshold_is_met },
        { "a copy has to fit beside the guest, or by file after it",
          it_fits_twice_or_by_file },
        { "each guest is moved in a way that is allowed", ways_are_kept_to },
        { "another guest makes room", another_makes_room },
        { "so does one that was not asked for, if it may be moved",
          one_that_is_not_asked_for_makes_room },
        { "not more than the limit is moved", the_limit_holds },
        { "a few pages elsewhere are on no node of its",
          stray_pages_are_on_no_node },
        { "memory is kept free", memory_is_kept_free },
        { "a guest's own load does not send it away",
          its_own_load_does_not_send_it_away },
        { "a move is looked at again when its turn comes",
          a_move_is_looked_at_again },
        { "1000 random hosts", random_hosts },
        { NULL, NULL },
    };

    return unit_run("moves", tests);
}
