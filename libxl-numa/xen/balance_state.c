/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the balancer has done to a guest, in xenstore (docs/xenstore.md), so that
 * its next run knows. Does not touch the guest.
 */
#include "xen/balance_state.h"
#include "model/message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 128

static const char *path_of(char path[PATH_SIZE], uint32_t domid,
                           const char *key)
{
    snprintf(path, PATH_SIZE, "/libxl/%u/numa-placement-balance%s%s", domid,
             *key ? "/" : "", key);
    return path;
}

/* --- state ---------------------------------------------------------------- */

/* Returns an errno value, 0 too when there is no such key. */
static int get_text(struct xs_handle *xs, uint32_t domid, const char *key,
                    char *buf, size_t size)
{
    char path[PATH_SIZE];
    unsigned length;
    char *value = xs_read(xs, XBT_NULL, path_of(path, domid, key), &length);
    int err = value || errno == ENOENT ? 0 : errno;

    snprintf(buf, size, "%s", value ? value : "");
    free(value);
    return err;
}

int xlnuma__balance_state_read(struct xs_handle *xs, uint32_t domid,
                               struct xlnuma__balance_state *state_r,
                               char *message)
{
    char owner[16];
    int err;

    memset(state_r, 0, sizeof(*state_r));
    err = get_text(xs, domid, "hard_cpus", state_r->hard_cpus,
                   sizeof(state_r->hard_cpus));
    if (!err)
        err = get_text(xs, domid, "next_cpus", state_r->next_cpus,
                       sizeof(state_r->next_cpus));
    if (!err)
        err = get_text(xs, domid, "owner", owner, sizeof(owner));
    if (err)
        return xlnuma__fail(
            message, XLNUMA_ERR_XEN,
            "reading /libxl/%u/numa-placement-balance from xenstore: %s", domid,
            strerror(err));
    state_r->is_users = !strcmp(owner, "user");
    return 0;
}

/* An empty value removes the key. */
static bool put_text(struct xs_handle *xs, xs_transaction_t t, uint32_t domid,
                     const char *key, const char *value)
{
    char path[PATH_SIZE];

    path_of(path, domid, key);
    return *value ? xs_write(xs, t, path, value, (unsigned)strlen(value))
                  : xs_rm(xs, t, path) || errno == ENOENT;
}

/*
 * A key that is written makes the folder of a domain that is gone, for ever. Returns
 * 0, ENOENT if it is gone, or another errno value.
 */
static int look_for_report(struct xs_handle *xs, xs_transaction_t t,
                           uint32_t domid)
{
    char path[PATH_SIZE], *value;
    unsigned length;

    snprintf(path, sizeof(path), "/libxl/%u/numa-placement", domid);
    value = xs_read(xs, t, path, &length);
    if (!value)
        return errno;
    free(value);
    return 0;
}

/* Returns 0 or an errno value; EAGAIN: somebody else wrote something meanwhile. */
static int put_state(struct xs_handle *xs, uint32_t domid,
                     const struct xlnuma__balance_state *state)
{
    xs_transaction_t t = xs_transaction_start(xs);
    int err;

    if (!t)
        return errno;
    err = look_for_report(xs, t, domid);
    if (!err &&
        !(put_text(xs, t, domid, "hard_cpus", state->hard_cpus) &&
          put_text(xs, t, domid, "next_cpus", state->next_cpus) &&
          put_text(xs, t, domid, "owner", state->is_users ? "user" : "")))
        err = errno;
    return xs_transaction_end(xs, t, err) || err ? err : errno;
}

int xlnuma__balance_state_write(struct xs_handle *xs, uint32_t domid,
                                const struct xlnuma__balance_state *state,
                                char *message)
{
    int err;

    if (xlnuma__balance_state_is_empty(state))
        err = put_text(xs, XBT_NULL, domid, "", "") ? 0 : errno;
    else
        do
            err = put_state(xs, domid, state);
        while (err == EAGAIN);
    if (!err || err == ENOENT)
        return 0;
    return xlnuma__fail(
        message, XLNUMA_ERR_XEN,
        "writing /libxl/%u/numa-placement-balance to xenstore: %s", domid,
        strerror(err));
}
