/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a plan of moves: each after another look at the host, and a line for it. */
#include "commands/moves_do.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "view/utf8.h"

static uint64_t sum_of(const uint64_t kb[])
{
    uint64_t sum = 0;

    for (unsigned node = 0; node < XLNUMA_NODES_MAX; node++)
        sum += kb[node];
    return sum;
}

/* Where the copy is, by what its build reports. */
static void fill_spot(const struct xlnuma_host *host,
                      const struct xlnuma__report *report,
                      struct xlnuma__spot *spot)
{
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset cpus;

    memset(spot, 0, sizeof(*spot));
    memcpy(spot->memory_kb,
           report->has_actual ? report->actual_kb : report->planned_kb,
           sizeof(spot->memory_kb));
    if (xlnuma_cpuset_parse(report->soft_cpus, &cpus, message))
        memset(&cpus, 0, sizeof(cpus));
    xlnuma__spot_run_on(spot, host, &cpus);
}

/* The plan's sums are those of what was done. */
static void count(struct xlnuma__moves *moves, const struct xlnuma__move *move)
{
    uint64_t kb = sum_of(move->to.memory_kb);

    moves->moved_kb += kb;
    if (moves->memory_kb)
        moves->distance_after += (move->to_distance - move->from_distance) *
                                 (double)kb / (double)moves->memory_kb;
}

static int say(const struct moves_do *doing, const struct xlnuma__move *move,
               double down_s, char *message)
{
    char name[XLNUMA_NAME_SIZE], from[XLNUMA__NODES_WORDS], to[64];

    utf8_clean(doing->guests->guest[move->guest].name, false, name,
               sizeof(name));
    printf("%s: %s -> %s, distance %.2f -> %.2f, %.1f s down\n", name,
           xlnuma__nodes_in_words(xlnuma__spot_nodes(&move->from), from),
           xlnuma_nodeset_format(xlnuma__spot_nodes(&move->to), to, sizeof(to)),
           move->from_distance, move->to_distance, down_s);
    if (!fflush(stdout))
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_IO,
                        "writing to standard output: %s", strerror(errno));
}

/*
 * Does the guest still gain? Then it is moved, and *is_done_r. A plan may move it once
 * more: *domid is its number, from then on that of the copy.
 */
static int do_move(struct moves_do *doing, struct xlnuma__move *move,
                   uint32_t *domid, bool *is_done_r, char *message)
{
    static struct guest_moved moved; /* large */
    struct xlnuma__moves_guest *guest = &doing->movables->guest[move->guest];
    const char *why;
    int rc = live_host(doing->live, doing->host, message);

    *is_done_r = false;
    if (rc)
        return rc;
    why = xlnuma__move_renew(doing->host, guest, doing->wanted, move);
    if (why) {
        complain("%s stays where it is: %s",
                 doing->guests->guest[move->guest].name, why);
        return 0;
    }
    rc = guest_move(doing->guest_moves, *domid,
                    move->is_by_file ? doing->by_file : NULL, move->avoid,
                    &moved, message);
    if (rc)
        return rc;
    *is_done_r = true;
    *domid = moved.domid;
    fill_spot(doing->host, &moved.report, &move->to);
    move->to_distance = xlnuma__spot_distance(doing->host, &move->to);
    guest->spot = move->to;
    return doing->says_lines ? say(doing, move, moved.down_s, message) : 0;
}

int moves_do(struct moves_do *doing, char *message)
{
    struct xlnuma__moves *moves = doing->moves;
    unsigned nr = moves->nr, broken = UINT_MAX; /* a chain */
    uint32_t *domid = calloc(doing->guests->nr + 1u, sizeof(*domid));
    int rc = 0;

    if (!domid)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    for (unsigned n = 0; n < doing->guests->nr; n++)
        domid[n] = doing->guests->guest[n].domid;
    moves->nr = 0;
    moves->moved_kb = 0;
    moves->distance_after = moves->distance_before;
    for (unsigned n = 0; n < nr && !rc; n++) {
        struct xlnuma__move move = moves->move[n];
        bool is_done = false;

        if (move.chain == broken)
            complain("%s stays where it is: another guest of its chain does",
                     doing->guests->guest[move.guest].name);
        else
            rc = do_move(doing, &move, &domid[move.guest], &is_done, message);
        if (is_done) {
            moves->move[moves->nr++] = move;
            count(moves, &move);
        } else {
            broken = move.chain;
        }
    }
    free(domid);
    return rc;
}
