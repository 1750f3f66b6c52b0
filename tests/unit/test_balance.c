/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How wide a hard affinity should be: tables of one round, and rounds in a row. */
#include "balance/balance.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static const uint64_t free_mib[4] = { 2000, 2000, 2000, 2000 };

enum {
    STAY = XLNUMA__BALANCE_STAY,
    WIDEN = XLNUMA__BALANCE_WIDEN,
    NARROW = XLNUMA__BALANCE_NARROW
};

/*
 * 4 nodes of 2 CPUs, two nodes a socket. The guest wants 2 CPUs where a row says
 * nothing else. Scores by hand: had / wanted x 10 / distance.
 */
struct row {
    const char *what;
    uint64_t memory_kb[4];
    const char *built, *usable, *hard;
    double idle[8], had_on[4];
    int step;
    const char *better;
    double score, better_score;
    double wanted; /* 0: 2 */
    unsigned gain; /* 0: 10 */
};

/* Spinners keep the whole socket busy: node 2 is CPUs 4-5, node 3 is 6-7. */
/* clang-format off */
#define SOCKET_FULL { 1, 1, 1, 1, 0, 0, 0, 0 }
#define ALL_IDLE { 1, 1, 1, 1, 1, 1, 1, 1 }

static const struct row rows[] = {
    { "alone: all that it wants, at home",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", { 1, 1, 1, 1, 0, 0, 1, 1 },
      { 0, 0, 2, 0 }, STAY, "4-7", 1, 1, 0, 0 },
    { "its node is busy, its sibling is not: it has all there, 10 / 11",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, 0, 2 }, STAY, "4-7", .90909, .90909, 0, 0 },
    { "two thirds at home, .66667 x 10 / 10.5, is more than 10 / 21 away",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, 2. / 3, 2. / 3 }, STAY, "4-7", .63492, .63492, 0, 0 },
    { "two fifths at home, .4 x 10 / 10.5, is less than 10 / 21",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, WIDEN, "0-7", .38095, .47619, 0, 0 },
    { "that is 25 % better: a gain of 24 is reached",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, WIDEN, "0-7", .38095, .47619, 0, 24 },
    { "and one of 26 is not",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, STAY, "4-7", .38095, .38095, 0, 26 },
    { "it may use no other CPUs",
      { 0, 0, 9, 0 }, "4-7", "4-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, STAY, "4-7", .38095, .38095, 0, 0 },
    { "it may use some",
      { 0, 0, 9, 0 }, "4-7", "2-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, WIDEN, "2-7", .38095, .47619, 0, 0 },
    { "one CPU is idle there: (.38095 + .47619) / 2, 12.5 % better",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", { 1, 0, 0, 0, 0, 0, 0, 0 },
      { 0, 0, .4, .4 }, WIDEN, "0-7", .38095, .42857, 0, 0 },
    { "half a CPU is: (1.5 x .38095 + .5 x .47619) / 2, 6.25 %",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", { .5, 0, 0, 0, 0, 0, 0, 0 },
      { 0, 0, .4, .4 }, STAY, "4-7", .38095, .38095, 0, 0 },
    { "it has nine tenths: not short of CPU, however far its memory is",
      { 9, 0, 0, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, 1.8, 0 }, STAY, "4-7", .42857, .42857, 0, 0 },
    { "it has less: CPUs of its memory's node are 10 away",
      { 9, 0, 0, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, 1.78, 0 }, WIDEN, "0-1,4-7", .42381, 1, 0, 0 },
    { "short of CPU while CPUs are idle: a cap, that nothing here mends",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", { 1, 1, 1, 1, .6, .6, 1, 1 },
      { 0, 0, .8, 0 }, STAY, "4-7", .4, .4, 0, 0 },
    { "wide, and its socket is full still",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", { 0, 0, 1, 1, 0, 0, 0, 0 },
      { 2, 0, 0, 0 }, STAY, "0-7", .47619, .47619, 0, 0 },
    { "its socket has room again: 10 / 10.5 there",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", { 0, 0, 1, 1, 1, 1, 1, 1 },
      { 2, 0, 0, 0 }, NARROW, "4-7", .47619, .95238, 0, 0 },
    { "room for nine tenths is enough: it is not short then; .95 x 10 / 10.474",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", { 0, 0, 1, 1, 1, 0, .5, .4 },
      { 2, 0, 0, 0 }, NARROW, "4-7", .47619, .90704, 0, 0 },
    { "less is where the score is better all the same, .75 x 10 / 10",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", { 0, 0, 1, 1, 1, .5, 0, 0 },
      { 2, 0, 0, 0 }, NARROW, "4-7", .47619, .75, 0, 0 },
    { "room for half, 5 % better",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", { 0, 0, 1, 1, 1, 0, 0, 0 },
      { 2, 0, 0, 0 }, STAY, "0-7", .47619, .47619, 0, 0 },
    { "what it runs there itself is room, too",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", { 0, 1, 1, 1, 0, 1, 0, 0 },
      { 1, 0, 1, 0 }, NARROW, "4-7", .64516, 1, 0, 0 },
    { "wide and idle: nothing keeps it there",
      { 0, 0, 9, 0 }, "4-7", "0-7", "0-7", ALL_IDLE,
      { 0, 0, 0, 0 }, NARROW, "4-7", 1, .95238, .04, 0 },
    { "what little an idle guest has says nothing",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, .01, 0 }, STAY, "4-7", 1, 1, .049, 0 },
    { "one that is not idle counts",
      { 0, 0, 9, 0 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, .01, 0 }, WIDEN, "0-7", .2, .47619, .05, 0 },
    { "memory on two nodes, one busy: it runs on the other; 10 / 10.5",
      { 0, 0, 9, 9 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, 0, 2 }, STAY, "4-7", .95238, .95238, 0, 0 },
    { "both busy",
      { 0, 0, 9, 9 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, WIDEN, "0-7", .38095, .47619, 0, 0 },
    { "three quarters on one: from node 2 10.25, from node 3 10.75",
      { 0, 0, 9, 3 }, "4-7", "0-7", "4-7", SOCKET_FULL,
      { 0, 0, 1, 1 }, STAY, "4-7", .95238, .95238, 0, 0 },
    { "memory on both sockets: no level beyond its build's",
      { 9, 0, 0, 9 }, "0-7", "0-7", "0-7", { 0, 0, 0, 0, 0, 0, 0, 0 },
      { .2, 0, 0, .2 }, STAY, "0-7", .12903, .12903, 0, 0 },
    { "hard on its node alone: the sibling is the next level",
      { 0, 0, 9, 0 }, "4-5", "0-7", "4-5", { 1, 1, 1, 1, 0, 0, 1, 1 },
      { 0, 0, 1, 0 }, WIDEN, "4-7", .5, .90909, 0, 0 },
    { "the sibling is busy: the level after that",
      { 0, 0, 9, 0 }, "4-5", "0-7", "4-5", SOCKET_FULL,
      { 0, 0, .4, 0 }, WIDEN, "0-7", .2, .47619, 0, 0 },
    { "room everywhere: back by two levels at once",
      { 0, 0, 9, 0 }, "4-5", "0-7", "0-7", ALL_IDLE,
      { 0, 0, 0, 0 }, NARROW, "4-5", 1, 1, .04, 0 },
    { "room on the sibling alone: back by one",
      { 0, 0, 9, 0 }, "4-5", "0-7", "0-7", { 0, 0, 1, 1, 0, 0, 1, 1 },
      { 2, 0, 0, 0 }, NARROW, "4-7", .47619, .90909, 0, 0 },
    { "of a node only the CPU that it may use",
      { 0, 0, 9, 0 }, "4-7", "0,4-7", "4-7", SOCKET_FULL,
      { 0, 0, .4, .4 }, WIDEN, "0,4-7", .38095, .42857, 0, 0 },
};
/* clang-format on */

#define SHORT_ROW rows[3]
#define BACK_ROW rows[14]
#define FAR_ROW rows[27] /* hard on its node, the sibling busy */

static void parse(const char *list, xlnuma_cpuset *set_r)
{
    char message[XLNUMA_MESSAGE_SIZE];

    CU_ASSERT_EQUAL(xlnuma_cpuset_parse(list, set_r, message), 0);
}

static void fill(struct xlnuma__balance_guest *guest, const struct row *row)
{
    memset(guest, 0, sizeof(*guest));
    memcpy(guest->memory_kb, row->memory_kb, sizeof(row->memory_kb));
    parse(row->built, &guest->built);
    parse(row->usable, &guest->usable);
    parse(row->hard, &guest->hard);
    guest->gain = row->gain ? row->gain : 10;
    guest->is_measured = true;
    guest->wanted = row->wanted ? row->wanted : 2;
    for (unsigned i = 0; i < 4; i++)
        guest->had += guest->had_on[i] = row->had_on[i];
}

/* CUnit names no row. */
static bool is_right(const struct row *row,
                     const struct xlnuma__balance_guest *guest)
{
    char better[64];

    xlnuma_cpuset_format(&guest->better, better, sizeof(better));
    if ((int)guest->step == row->step && !strcmp(better, row->better) &&
        fabs(guest->score - row->score) < 1e-5 &&
        fabs(guest->better_score - row->better_score) < 1e-5)
        return true;
    printf("# %s: step %d to %s, score %.5f, then %.5f\n", row->what,
           (int)guest->step, better, guest->score, guest->better_score);
    return false;
}

static void one_round(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct xlnuma__balance_load load = { 8, rows[i].idle };
        struct xlnuma__balance_guest guest;

        fill(&guest, &rows[i]);
        xlnuma__balance_judge(host, &load, &guest);
        CU_ASSERT(is_right(&rows[i], &guest));
    }
    xlnuma_host_free(host);
}

/*
 * No path from nodes 0 and 1 to the guest's memory: their CPUs are no level, though
 * 10 / 255 of all would be more than what it has, .02.
 */
static void unreachable(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__balance_load load = { 8, SHORT_ROW.idle };
    struct xlnuma__balance_guest guest;

    host->distance[0][2] = host->distance[1][2] = XLNUMA_DISTANCE_UNREACHABLE;
    fill(&guest, &SHORT_ROW);
    guest.had = guest.had_on[2] = .04;
    guest.had_on[3] = 0;
    xlnuma__balance_judge(host, &load, &guest);
    CU_ASSERT_EQUAL(guest.step, XLNUMA__BALANCE_STAY);
    CU_ASSERT_DOUBLE_EQUAL(guest.score, .02, 1e-5);
    xlnuma_host_free(host);
}

/* Rings of nodes: the nearest that has enough is the best, not the farthest. */
static void rings(void)
{
    static const double idle[8] = { 1, 0, 1, 1, 0, 0, 1, 1 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__balance_load load = { 8, idle };
    struct xlnuma__balance_guest guest;

    fill(&guest, &SHORT_ROW);
    parse("4-5", &guest.built);
    parse("4-5", &guest.hard);
    host->distance[3][2] = 16; /* 2 idle: 10 / 16 */
    host->distance[1][2] = 14; /* 2 idle: 10 / 14, the best */
    host->distance[0][2] = 12; /* 1 idle: (.4 + 10 / 12) / 2 */
    guest.had_on[3] = 0;
    guest.had_on[2] = .8;
    xlnuma__balance_judge(host, &load, &guest);
    CU_ASSERT_EQUAL(guest.step, XLNUMA__BALANCE_WIDEN);
    CU_ASSERT_DOUBLE_EQUAL(guest.score, .4, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(guest.better_score, .71429, 1e-5);
    CU_ASSERT_EQUAL(xlnuma_cpuset_count(&guest.better), 6);
    CU_ASSERT_FALSE(xlnuma_cpuset_has(&guest.better, 6));
    xlnuma_host_free(host);
}

/* --- rounds in a row ------------------------------------------------------ */

#define SECOND ((uint64_t)1000000000)

/* Rounds of 2 s; returns the first, from 1, in which the guest can move. */
static int rounds_until_move(struct xlnuma_host *host, const struct row *row,
                             struct xlnuma__balance_guest *guest, int most,
                             uint64_t *now_ns)
{
    struct xlnuma__balance_load load = { 8, row->idle };

    for (int round = 1; round <= most; round++) {
        *now_ns += 2 * SECOND;
        if (!xlnuma__balance_round(host, &load, &guest, 1, 3, *now_ns))
            return round;
    }
    return 0;
}

static void three_rounds_and_a_pause(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__balance_load load = { 8, SHORT_ROW.idle };
    struct xlnuma__balance_guest guest, next, *first = &guest;
    uint64_t now_ns = 0;

    fill(&guest, &SHORT_ROW);
    CU_ASSERT_EQUAL(rounds_until_move(host, &SHORT_ROW, &guest, 9, &now_ns), 3);
    xlnuma__balance_moved(&guest, &guest.better, now_ns);
    CU_ASSERT(xlnuma_cpuset_has(&guest.hard, 0));
    /* With rounds of a minute it takes three again. */
    next = guest;
    fill(&guest, &SHORT_ROW);
    guest.nr_short = 3;
    xlnuma__balance_moved(&guest, &guest.hard, now_ns);
    CU_ASSERT_EQUAL(
        xlnuma__balance_round(host, &load, &first, 1, 3, now_ns + 60 * SECOND),
        -1);
    guest = next;
    /* Moved at second 6; its socket has room at once: back at second 36. */
    fill(&next, &BACK_ROW);
    next.has_moved = guest.has_moved;
    next.moved_ns = guest.moved_ns;
    CU_ASSERT_EQUAL(rounds_until_move(host, &BACK_ROW, &next, 99, &now_ns), 15);
    CU_ASSERT_EQUAL(now_ns, 36 * SECOND);
    xlnuma_host_free(host);
}

/* A round in which it is well, or is not measured, begins the count again. */
static void in_a_row(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__balance_load load = { 8, SHORT_ROW.idle };
    struct xlnuma__balance_guest guest, *all[] = { &guest };
    uint64_t now_ns = 0;

    fill(&guest, &SHORT_ROW);
    CU_ASSERT_EQUAL(rounds_until_move(host, &SHORT_ROW, &guest, 2, &now_ns), 0);
    guest.is_measured = false;
    CU_ASSERT_EQUAL(xlnuma__balance_round(host, &load, all, 1, 3, now_ns), -1);
    guest.is_measured = true;
    CU_ASSERT_EQUAL(rounds_until_move(host, &SHORT_ROW, &guest, 2, &now_ns), 0);
    guest.had_on[2] = guest.had_on[3] = 1;
    guest.had = 2;
    CU_ASSERT_EQUAL(xlnuma__balance_round(host, &load, all, 1, 3, now_ns), -1);
    fill(&guest, &SHORT_ROW);
    CU_ASSERT_EQUAL(rounds_until_move(host, &SHORT_ROW, &guest, 9, &now_ns), 3);
    fill(&guest, &BACK_ROW); /* the same to narrow it */
    CU_ASSERT_EQUAL(rounds_until_move(host, &BACK_ROW, &guest, 2, &now_ns), 0);
    guest.is_measured = false;
    CU_ASSERT_EQUAL(rounds_until_move(host, &BACK_ROW, &guest, 1, &now_ns), 0);
    guest.is_measured = true;
    CU_ASSERT_EQUAL(rounds_until_move(host, &BACK_ROW, &guest, 9, &now_ns), 3);
    xlnuma_host_free(host);
}

/*
 * One guest a round: the one that gains most, .2 to .47619 of 2 CPUs rather
 * than .38095 to .47619; while it rests the other one.
 */
static void one_guest_a_round(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__balance_load load = { 8, SHORT_ROW.idle };
    struct xlnuma__balance_guest first, second, *all[] = { &first, &second };

    fill(&first, &SHORT_ROW);
    fill(&second, &FAR_ROW);
    CU_ASSERT_EQUAL(second.gain, 10);
    for (unsigned i = 1; i <= 2; i++)
        CU_ASSERT_EQUAL(
            xlnuma__balance_round(host, &load, all, 2, 3, i * SECOND), -1);
    CU_ASSERT_EQUAL(xlnuma__balance_round(host, &load, all, 2, 3, 3 * SECOND),
                    1);
    xlnuma__balance_moved(&second, &second.hard, 3 * SECOND); /* in vain */
    CU_ASSERT_EQUAL(xlnuma__balance_round(host, &load, all, 2, 3, 4 * SECOND),
                    0);
    fill(&first, &SHORT_ROW); /* one round is enough where it is to be */
    CU_ASSERT_EQUAL(xlnuma__balance_round(host, &load, all, 1, 1, 0), 0);
    xlnuma_host_free(host);
}

/* Only guests on busy CPUs, and those that are wider than they were built. */
static void who_is_looked_at(void)
{
    struct xlnuma__balance_load full = { 8, SHORT_ROW.idle };
    static const double little[8] = { 1, 1, 1, 1, .12, .12, .12, .12 };
    static const double more[8] = { 1, 1, 1, 1, .13, .13, .13, .13 };
    struct xlnuma__balance_load busy = { 8, little }, roomy = { 8, more };
    struct xlnuma__balance_guest guest;

    fill(&guest, &SHORT_ROW);
    CU_ASSERT_TRUE(xlnuma__balance_wants_look(&full, &guest));
    CU_ASSERT_TRUE(xlnuma__balance_wants_look(&busy, &guest));
    CU_ASSERT_FALSE(xlnuma__balance_wants_look(&roomy, &guest));
    parse("0-7", &guest.hard);
    CU_ASSERT_TRUE(xlnuma__balance_wants_look(&roomy, &guest));
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "one round: a table", one_round },
        { "CPUs that do not reach the guest's memory", unreachable },
        { "of several levels the best", rings },
        { "three rounds, and 30 s after a move", three_rounds_and_a_pause },
        { "in a row", in_a_row },
        { "one guest a round, the one that gains most", one_guest_a_round },
        { "who is looked at", who_is_looked_at },
        { NULL, NULL },
    };

    return unit_run("balance", tests);
}
