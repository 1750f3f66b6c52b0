/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan of moves that is done: on a host by hand, nodes 0-1 and 2-3 are sockets,
 * distances 10, 11, 21. A move is what this file says that came of it.
 */
#include "commands/moves_do.h"
#include "unit.h"

#include <math.h>
#include <string.h>

#include "commands/command.h"

#define MIB ((uint64_t)1024)

/* What came of each move, and of which domain it was. */
static struct {
    uint32_t domid;
    uint64_t mib[4];
    const char *cpus;
} made[2];
static unsigned nr_made;

static char said[XLNUMA_MESSAGE_SIZE];

int live_host(const struct live *live, struct xlnuma_host *host_r,
              char *message)
{
    (void)live, (void)host_r, (void)message;
    return 0;
}

void complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
}

/* The copies are domains 10, 11, and so on. */
int guest_move(struct guest_moves *moves, uint32_t domid, const char *dir,
               xlnuma_nodeset avoid, struct guest_moved *moved_r, char *message)
{
    (void)moves, (void)dir, (void)avoid, (void)message;
    memset(moved_r, 0, sizeof(*moved_r));
    made[nr_made].domid = domid;
    moved_r->domid = 10 + nr_made;
    moved_r->report.has_actual = true;
    for (unsigned i = 0; i < 4; i++)
        moved_r->report.actual_kb[i] = made[nr_made].mib[i] * MIB;
    snprintf(moved_r->report.soft_cpus, sizeof(moved_r->report.soft_cpus), "%s",
             made[nr_made].cpus);
    nr_made++;
    return 0;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

/* Of a guest of 600 MiB on nodes 0 and 3, domain 5: two moves, of a chain each. */
static int do_both(struct xlnuma__move move[2], struct xlnuma__moves *moves_r)
{
    const uint64_t free_mib[4] = { 100, 100, 700, 100 };
    const struct xlnuma__moves_options wanted = { .gain = 3, .limit = 100 };
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma__moves_guest moves_guest = { .way = XLNUMA__MOVE_LIVE };
    struct xlnuma__guest guest = { .domid = 5, .name = "g" };
    struct xlnuma__guests guests = { .guest = &guest, .nr = 1 };
    struct movables movables = { .guest = &moves_guest };
    struct moves_do doing = { .host = host,
                              .guests = &guests,
                              .movables = &movables,
                              .wanted = &wanted,
                              .moves = moves_r };
    char message[XLNUMA_MESSAGE_SIZE];
    int rc;

    xlnuma_request_init(&moves_guest.request);
    moves_guest.request.nr_vcpus = 1;
    moves_guest.request.memory_kb = 600 * MIB;
    moves_guest.spot.memory_kb[0] = moves_guest.spot.memory_kb[3] = 300 * MIB;
    moves_guest.spot.runs_on[0] = moves_guest.spot.runs_on[3] = 0.5;
    for (unsigned n = 0; n < 2; n++)
        move[n] = (struct xlnuma__move){ .chain = n, .is_last = true };
    *moves_r = (struct xlnuma__moves){
        .move = move, .nr = 2, .memory_kb = 600 * MIB, .distance_before = 15.5
    };
    nr_made = 0;
    *said = '\0';
    rc = moves_do(&doing, message);
    CU_ASSERT_EQUAL(guest.domid, 5); /* of the document: before the moves */
    xlnuma_host_free(host);
    return rc;
}

/* Its first copy did not get the place that was planned. */
static void twice(void)
{
    struct xlnuma__move move[2];
    struct xlnuma__moves moves;

    made[0].mib[1] = made[0].mib[2] = 300;
    made[0].cpus = "2-5";
    made[1].mib[1] = 0;
    made[1].mib[2] = 600;
    made[1].cpus = "4-5";
    CU_ASSERT_EQUAL(do_both(move, &moves), 0);
    CU_ASSERT_EQUAL_FATAL(nr_made, 2);
    CU_ASSERT_EQUAL(made[0].domid, 5);
    CU_ASSERT_EQUAL(made[1].domid, 10);
    CU_ASSERT_EQUAL(moves.nr, 2);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&move[0].from), 1 | 8);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&move[1].from), 2 | 4);
    CU_ASSERT_EQUAL(xlnuma__spot_nodes(&move[1].to), 4);
    CU_ASSERT(is_near(move[1].from_distance, 15.5));
    CU_ASSERT(is_near(move[1].to_distance, 10));
    CU_ASSERT_EQUAL(moves.moved_kb, 1200 * MIB);
    CU_ASSERT(is_near(moves.distance_after, 10));
    CU_ASSERT_STRING_EQUAL(said, "");
}

static void not_again(void)
{
    struct xlnuma__move move[2];
    struct xlnuma__moves moves;

    made[0].mib[1] = 0;
    made[0].mib[2] = 600;
    made[0].cpus = "4-5";
    CU_ASSERT_EQUAL(do_both(move, &moves), 0);
    CU_ASSERT_EQUAL(nr_made, 1);
    CU_ASSERT_EQUAL(moves.nr, 1);
    CU_ASSERT(is_near(moves.distance_after, 10));
    CU_ASSERT_STRING_EQUAL(said,
                           "g stays where it is: it no longer gains enough");
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "a guest that is moved twice is another domain then", twice },
        { "one that is near by now is not moved again", not_again },
        { NULL, NULL },
    };

    return unit_run("moves done", tests);
}
