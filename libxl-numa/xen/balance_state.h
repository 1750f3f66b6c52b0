/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the balancer has done to a guest, in xenstore (docs/xenstore.md). */
#ifndef XLNUMA_BALANCE_STATE_H
#define XLNUMA_BALANCE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

/* Below /libxl/DOMID/numa-placement-balance. All empty: the affinities are the build's. */
struct xlnuma__balance_state {
    char hard_cpus[3072]; /* the hard affinity that the balancer set */
    char next_cpus[3072]; /* the one that it was about to set */
    bool is_users;        /* the user has changed an affinity */
};

static inline bool
xlnuma__balance_state_is_empty(const struct xlnuma__balance_state *state)
{
    return !*state->hard_cpus && !*state->next_cpus && !state->is_users;
}

/*
 * Returns 0, XLNUMA_ERR_XEN. An empty state is removed; none is written of a domain that
 * has no report (any more).
 */
int xlnuma__balance_state_read(struct xs_handle *xs, uint32_t domid,
                               struct xlnuma__balance_state *state_r,
                               char *message);
int xlnuma__balance_state_write(struct xs_handle *xs, uint32_t domid,
                                const struct xlnuma__balance_state *state,
                                char *message);

#endif /* XLNUMA_BALANCE_STATE_H */
