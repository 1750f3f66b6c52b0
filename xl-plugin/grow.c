/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs before stock `xl mem-set`, with its arguments. A guest that is to grow takes
 * the memory itself, once xl has raised its target. Xen takes each page from the
 * nodes of the domain's node affinity and, when they have no more, from the lowest
 * node that has. So a process in the background watches the guest grow, adds the
 * nearest node to the affinity whenever its nodes are nearly full, and puts the
 * affinity back afterwards. `xl mem-set` does not wait for it.
 *
 * Only for guests that xl-numa placed and whose node affinity is what it set. What
 * fails here is one warning; status and output of `xl mem-set` are stock xl's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "config/settings.h"
#include "hook/marker.h"
#include "model/message.h"
#include "xen/apply.h"
#include "xen/growth.h"
#include "xen/host.h"
#include "xen/report.h"
#include "xen/reservations.h"

XLNUMA_MARKER(XLNUMA_MARKER_GROW);

#define LOOK_NS 100000000 /* between two looks at what the guest has */
#define IDLE_LOOKS 100    /* ten seconds in which it took nothing */
#define SPARE_KB 16384    /* a node with less is full */
#define AHEAD_KB 131072 /* that its nodes always have, as far as it needs it */

struct growth {
    libxl_ctx *ctx;
    struct xs_handle *xs;
    xentoollog_logger *lg;
    struct xlnuma_host *host;
    struct xlnuma__report report;
    uint32_t domid;
    uint64_t target_kb;
    struct xlnuma__growth note;
};

/* --- xl's arguments ------------------------------------------------------- */

/* As xl reads it: a number and one letter, without one MiB. 0: none. */
static uint64_t parse_size_kb(const char *text)
{
    static const char units[] = "bkmgt";
    char *end;
    long long number = strtoll(text, &end, 10);
    const char *unit = strchr(units, *end ? *end | 0x20 : 'm');

    if (number <= 0 || !unit || (*end && end[1]))
        return 0;
    return *unit == 'b' ? (uint64_t)number >> 10
                        : (uint64_t)number << 10 * (unit - units - 1);
}

/* --- where it grows ------------------------------------------------------- */

/* What the domain has; 0 when it is gone. */
static uint64_t memory_kb(const struct growth *growth)
{
    libxl_dominfo info;
    uint64_t kb = 0;

    libxl_dominfo_init(&info);
    if (!libxl_domain_info(growth->ctx, &info, growth->domid))
        kb = info.current_memkb;
    libxl_dominfo_dispose(&info);
    return kb;
}

static uint64_t left_kb(const struct growth *growth, uint64_t now_kb)
{
    return growth->target_kb > now_kb ? growth->target_kb - now_kb : 0;
}

/* What a guest gets of a node before Xen looks elsewhere. */
static uint64_t room_kb(const struct xlnuma_host *host, unsigned node)
{
    uint64_t kb = xlnuma__high_kb(&host->node[node]);

    return kb > SPARE_KB ? kb - SPARE_KB : 0;
}

static uint64_t all_room_kb(const struct xlnuma_host *host,
                            xlnuma_nodeset nodes)
{
    uint64_t kb = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, nodes & host->nodes)
        kb += room_kb(host, i);
    return kb;
}

static unsigned distance_to(const struct growth *growth, unsigned node)
{
    unsigned distance = 0, i;

    XLNUMA_FOR_EACH_NODE(i, growth->report.nodes & growth->host->nodes)
        distance += growth->host->distance[i][node];
    return distance;
}

/* The nodes, and as many others, nearest first, as it takes to have this room. */
static xlnuma_nodeset with_room(const struct growth *growth,
                                xlnuma_nodeset nodes, uint64_t kb)
{
    const struct xlnuma_host *host = growth->host;

    while (all_room_kb(host, nodes) < kb) {
        unsigned nearest = XLNUMA_NODES_MAX, i;

        XLNUMA_FOR_EACH_NODE(i, host->nodes & ~nodes)
            if (room_kb(host, i) &&
                (nearest == XLNUMA_NODES_MAX ||
                 distance_to(growth, i) < distance_to(growth, nearest)))
                nearest = i;
        if (nearest == XLNUMA_NODES_MAX)
            break;
        nodes |= (xlnuma_nodeset)1 << nearest;
    }
    return nodes;
}

/* --- the affinity --------------------------------------------------------- */

static bool is_within(xlnuma_nodeset nodes, xlnuma_nodeset all)
{
    return !(nodes & ~all);
}

static int read_affinity(const struct growth *growth, xlnuma_nodeset *nodes_r)
{
    libxl_bitmap map;
    int i, r;

    *nodes_r = 0;
    libxl_bitmap_init(&map);
    r = libxl_node_bitmap_alloc(growth->ctx, &map, 0);
    if (!r)
        r = libxl_domain_get_nodeaffinity(growth->ctx, growth->domid, &map);
    if (!r)
        libxl_for_each_set_bit(i, map)
            if (i < XLNUMA_NODES_MAX)
                *nodes_r |= (xlnuma_nodeset)1 << i;
    libxl_bitmap_dispose(&map);
    return r;
}

/* The nodes that the build planned memory on, or had it from. */
static xlnuma_nodeset planned_nodes(const struct growth *growth)
{
    xlnuma_nodeset nodes = 0;
    unsigned i;

    XLNUMA_FOR_EACH_NODE(i, growth->report.nodes)
        if (growth->report.planned_kb[i])
            nodes |= (xlnuma_nodeset)1 << i;
    return nodes;
}

/*
 * Is the affinity what the build set, or what another `xl mem-set` made of that and
 * has not put back, or never will? Then the note says what it was at first.
 */
static bool is_ours(struct growth *growth, xlnuma_nodeset now)
{
    struct xlnuma__growth *note = &growth->note;

    if (xlnuma__growth_read(growth->xs, growth->domid, note) &&
        is_within(note->before, now) && is_within(now, note->nodes))
        return true;
    note->before = note->nodes = now;
    return is_within(planned_nodes(growth), now) &&
           is_within(now, growth->report.nodes);
}

/* The note comes first: after a SIGKILL the affinity can be put back by it. */
static int set_affinity(struct growth *growth, xlnuma_nodeset nodes,
                        char *message)
{
    growth->note.nodes = nodes;
    growth->note.pid = getpid();
    if (!xlnuma__growth_write(growth->xs, growth->domid, &growth->note))
        return xlnuma__fail(message, XLNUMA_ERR_XEN, "writing to xenstore: %s",
                            strerror(errno));
    if (xlnuma__apply_nodes(growth->ctx, growth->domid, nodes))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "setting the node affinity failed");
    return 0;
}

/* Not when a later `xl mem-set` of the guest has taken it over. */
static bool is_still_mine(const struct growth *growth)
{
    struct xlnuma__growth note;

    return xlnuma__growth_read(growth->xs, growth->domid, &note) &&
           note.pid == getpid();
}

/* An affinity that was set by another program meanwhile stays. */
static void put_back(struct growth *growth)
{
    const struct xlnuma__growth *note = &growth->note;
    char message[XLNUMA_MESSAGE_SIZE];
    bool has_turn = !xlnuma__reservations_begin(message), is_done = true;
    xlnuma_nodeset now;

    if (is_still_mine(growth)) {
        if (!read_affinity(growth, &now) && now != note->before &&
            is_within(note->before, now) && is_within(now, note->nodes))
            is_done =
                !xlnuma__apply_nodes(growth->ctx, growth->domid, note->before);
        if (is_done)
            xlnuma__growth_remove(growth->xs, growth->domid);
        else
            syslog(LOG_DAEMON | LOG_WARNING,
                   "domain %" PRIu32 ": its node affinity could not be put "
                   "back after it grew; the next \"xl mem-set\" tries again",
                   growth->domid);
    }
    if (has_turn)
        xlnuma__reservations_end();
}

/* --- the course of it ----------------------------------------------------- */

/* Say where it will grow when its own nodes have not enough for that. */
static void say_where(const struct growth *growth, uint64_t kb)
{
    uint64_t has_kb = all_room_kb(growth->host, growth->note.before);
    xlnuma_nodeset others =
        with_room(growth, growth->note.before, kb) & ~growth->note.before;
    char *name = libxl_domid_to_name(growth->ctx, growth->domid);
    char own[XLNUMA__NODES_WORDS], list[XLNUMA__NODES_WORDS];

    if (has_kb < kb && others)
        xtl_log(growth->lg, XTL_INFO, -1, "xl-numa",
                "domain %" PRIu32 " (%s): %s %s %" PRIu64 " of the "
                "%" PRIu64 " MiB that it is to grow by: the rest comes from "
                "%s",
                growth->domid, name ? name : "",
                xlnuma__nodes_in_words(growth->note.before, own),
                xlnuma_nodeset_count(growth->note.before) == 1 ? "has" : "have",
                has_kb / 1024, kb / 1024, xlnuma__nodes_in_words(others, list));
    free(name);
}

/*
 * The first step, in this host's turn. *is_needed_r: the guest has to be watched.
 * Returns 0, or an XLNUMA_ERR_ code with a message.
 */
static int begin(struct growth *growth, uint64_t kb, bool *is_needed_r,
                 char *message)
{
    xlnuma_nodeset now;
    int rc;

    *is_needed_r = false;
    if (read_affinity(growth, &now))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "its node affinity cannot be read");
    if (!is_ours(growth, now))
        return 0;
    rc = xlnuma_host_from_xen(growth->host, growth->ctx, message);
    if (rc || (growth->note.nodes == growth->note.before &&
               all_room_kb(growth->host, growth->note.before) >= kb))
        return rc;
    say_where(growth, kb);
    *is_needed_r = true;
    return set_affinity(
        growth,
        with_room(growth, growth->note.nodes, kb < AHEAD_KB ? kb : AHEAD_KB),
        message);
}

/*
 * It took `step_kb` since the last look, and is to take `kb` more. Returns false
 * when there is nothing more to do here.
 */
static bool widen(struct growth *growth, uint64_t kb, uint64_t step_kb)
{
    char message[XLNUMA_MESSAGE_SIZE];
    uint64_t ahead_kb = AHEAD_KB + 2 * step_kb;
    xlnuma_nodeset nodes;
    bool has_turn, is_mine;

    if (xlnuma_host_from_xen(growth->host, growth->ctx, message))
        return true;
    nodes =
        with_room(growth, growth->note.nodes, kb < ahead_kb ? kb : ahead_kb);
    if (nodes == growth->note.nodes)
        return true;
    has_turn = !xlnuma__reservations_begin(message);
    is_mine = is_still_mine(growth) && !set_affinity(growth, nodes, message);
    if (has_turn)
        xlnuma__reservations_end();
    return is_mine;
}

/* Until the guest takes no more, or a signal says that it is enough. */
static void watch(struct growth *growth, const sigset_t *signals)
{
    static const struct timespec pause = { .tv_nsec = LOOK_NS };
    uint64_t most_kb = memory_kb(growth);
    unsigned nr_idle = 0;

    while (nr_idle < IDLE_LOOKS && sigtimedwait(signals, NULL, &pause) < 0) {
        uint64_t now_kb = memory_kb(growth);

        if (!now_kb)
            return;
        if (now_kb <= most_kb) {
            nr_idle++;
            continue;
        }
        if (!widen(growth, left_kb(growth, now_kb), now_kb - most_kb))
            break;
        most_kb = now_kb;
        nr_idle = 0;
    }
    put_back(growth);
}

/* No terminal, no folder and no pipe is kept busy. */
static void go_into_background(int ready)
{
    int null = open("/dev/null", O_RDWR);

    for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
    if (chdir("/"))
        errno = 0;
    setsid();
    close(ready);
}

/* By its build; not where placement is switched off on the host. */
static bool is_placed(struct growth *growth)
{
    struct xlnuma__settings settings;
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__conf_host host;
    bool is_found;

    return (xlnuma__conf_read(&settings, &host, "", message) || !host.is_off) &&
           !xlnuma__report_read(growth->xs, growth->domid, &growth->report,
                                &is_found, message) &&
           is_found && growth->report.expected_distance > 0;
}

/* Only what a person can do something about is said: stock xl says the rest. */
static void grow(struct growth *growth, const char *guest, int ready,
                 const sigset_t *signals)
{
    char message[XLNUMA_MESSAGE_SIZE];
    uint64_t now_kb, kb;
    bool has_turn, is_needed;
    int rc;

    if (libxl_domain_qualifier_to_domid(growth->ctx, guest, &growth->domid))
        return;
    now_kb = memory_kb(growth);
    kb = now_kb ? left_kb(growth, now_kb) : 0;
    if (!kb || !is_placed(growth))
        return;
    has_turn = !xlnuma__reservations_begin(message);
    rc = begin(growth, kb, &is_needed, message);
    if (has_turn)
        xlnuma__reservations_end();
    if (rc)
        xtl_log(growth->lg, XTL_WARN, -1, "xl-numa",
                "domain %" PRIu32
                ": %s: the memory that it grows by may be far",
                growth->domid, message);
    if (!is_needed)
        return;
    go_into_background(ready);
    watch(growth, signals);
}

static void run(const char *guest, uint64_t target_kb, int ready)
{
    struct growth growth = {
        .host = xlnuma_host_new(),
        .lg = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr,
                                                                XTL_INFO, 0),
        .xs = xs_open(0),
        .target_kb = target_kb,
    };
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (growth.host && growth.lg && growth.xs &&
        !libxl_ctx_alloc(&growth.ctx, LIBXL_VERSION, 0, growth.lg)) {
        grow(&growth, guest, ready, &signals);
        libxl_ctx_free(growth.ctx);
    }
    if (growth.xs)
        xs_close(growth.xs);
    if (growth.lg)
        xtl_logger_destroy(growth.lg);
    xlnuma_host_free(growth.host);
}

/* Returns when the affinity is set: the guest may grow. */
int main(int argc, char **argv)
{
    uint64_t target_kb = argc == 3 ? parse_size_kb(argv[2]) : 0;
    int ready[2];
    char byte;

    closefrom(STDERR_FILENO + 1);
    if (!target_kb || pipe(ready))
        return 0;
    switch (fork()) {
    case -1:
        perror("xl-numa: warning: the memory that the guest grows by may be "
               "far");
        return 0;
    case 0:
        close(ready[0]);
        run(argv[1], target_kb, ready[1]);
        return 0;
    }
    close(ready[1]);
    return read(ready[0], &byte, 1) < 0;
}
