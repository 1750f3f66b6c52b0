/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Xen and xenstore say of the copies of a guest. */
#include "move/copies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "xen/clock.h"
#include "xen/host.h"

void move_format_uuid(const xen_domain_handle_t handle, char uuid[37])
{
    for (unsigned i = 0, at = 0; i < 16; i++)
        at +=
            (unsigned)sprintf(uuid + at, "%02x%s", handle[i],
                              i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
}

char *move_copy_name(struct xs_handle *xs, uint32_t domid)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/name", domid);
    return xs_read(xs, XBT_NULL, path, NULL);
}

/* NAME--incoming and NAME--migratedaway are xl's. */
static bool is_misnamed(struct xs_handle *xs, uint32_t domid, const char *name)
{
    char *now = move_copy_name(xs, domid);
    size_t length = strlen(name);
    bool is_xls = now && !strncmp(now, name, length) &&
                  (!strcmp(now + length, "--incoming") ||
                   !strcmp(now + length, "--migratedaway"));

    free(now);
    return is_xls;
}

struct reading {
    struct move_copies *copies;
    const char *uuid;
};

static void add_copy(const xc_domaininfo_t *info, void *data)
{
    struct reading *reading = data;
    struct move_copies *copies = reading->copies;
    unsigned reason =
        info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
    bool is_shut_down = info->flags & XEN_DOMINF_shutdown;
    char uuid[37];

    move_format_uuid(info->handle, uuid);
    if (strcmp(uuid, reading->uuid) || copies->nr == MOVE_COPIES_MAX)
        return;
    copies->copy[copies->nr++] = (struct move_copy){
        .domid = info->domain,
        .is_dying = info->flags & XEN_DOMINF_dying,
        .is_paused = info->flags & XEN_DOMINF_paused,
        .is_shut_down = is_shut_down,
        .is_suspended = is_shut_down && reason == SHUTDOWN_suspend,
        .has_run = info->cpu_time,
    };
}

int move_copies_read(struct move_copies *copies_r, xc_interface *xch,
                     struct xs_handle *xs, const char *uuid, const char *name,
                     char *message)
{
    struct reading reading = { copies_r, uuid };

    memset(copies_r, 0, sizeof(*copies_r));
    if (xlnuma__for_each_domain(xch, add_copy, &reading))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not list its domains: %s",
                            strerror(errno));
    for (unsigned i = 0; i < copies_r->nr; i++)
        copies_r->copy[i].is_misnamed =
            is_misnamed(xs, copies_r->copy[i].domid, name);
    return 0;
}

void move_watch_look(void *data)
{
    struct move_watch *watch = data;
    struct move_copies copies = { .nr = 0 };
    struct reading reading = { &copies, watch->uuid };
    bool is_running = false, runs_elsewhere = false;

    if (watch->began_ns ||
        xlnuma__for_each_domain(watch->xch, add_copy, &reading))
        return;
    for (unsigned i = 0; i < copies.nr; i++) {
        const struct move_copy *copy = &copies.copy[i];

        if (copy->is_paused || copy->is_shut_down || copy->is_dying)
            continue;
        is_running |= copy->domid == watch->domid;
        runs_elsewhere |= copy->domid != watch->domid;
    }
    if (!is_running && !watch->stopped_ns)
        watch->stopped_ns = xlnuma__now_ns();
    watch->has_stopped |= !is_running;
    if (runs_elsewhere)
        watch->began_ns = xlnuma__now_ns();
    else if (is_running)
        watch->stopped_ns = 0;
}
