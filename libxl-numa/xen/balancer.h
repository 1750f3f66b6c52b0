/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The balancer: measures which guests are short of CPU time, and widens and
 * narrows their hard affinities. What is better is balance/balance.h's to say.
 */
#ifndef XLNUMA_BALANCER_H
#define XLNUMA_BALANCER_H

#include <libxl.h>
#include <signal.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "balance/balance.h"
#include "model/guests.h"
#include "xen/balance_state.h"
#include "xen/host.h"

/* --- balance_lock.c ------------------------------------------------------- */

/*
 * One process balances a host, until it ends or closes *fd_r. Returns 0, or
 * XLNUMA_ERR_IO; the message names the process that does.
 */
int xlnuma__balance_lock(int *fd_r, char *message);

/* The process that has that lock; 0: none. */
long xlnuma__balance_pid(void);

/*
 * One process changes affinities: the balancer for a move, or one that resets
 * a guest meanwhile. Waits. Returns a descriptor to close, or < 0.
 */
int xlnuma__balance_turn(char *message);

/* --- balancer.c ----------------------------------------------------------- */

/* When a vCPU was looked at last. */
struct xlnuma__balance_look {
    bool is_online;
    uint32_t cpu;
    uint64_t ran_ns;
};

/* A domain. */
struct xlnuma__balanced {
    uint32_t domid;
    xen_domain_handle_t uuid;
    char name[XLNUMA_NAME_SIZE];
    unsigned nr_vcpus;
    bool is_there, is_paused, is_asked_for;
    const char *left;   /* static: why it is left alone; NULL: it is not */
    unsigned due, wait; /* rounds until it is read again */
    bool has_soft;      /* all its vCPUs have the same soft affinity: */
    xlnuma_cpuset soft;
    struct xlnuma__balance_look *look; /* owned: nr_vcpus */
    unsigned nr_looks, nr_wanted;
    struct xlnuma__balance_guest guest;
};

struct xlnuma__balancer {
    libxl_ctx *ctx; /* borrowed */
    /* Set before it is opened: */
    bool is_dry;       /* changes nothing */
    bool looks_at_all; /* in each round, busy or not */
    unsigned rounds;   /* in a row for a move */
    char **only;       /* names and ids, or NULL: all guests */
    int nr_only;
    const volatile sig_atomic_t *stop; /* ends a round early; or NULL */
    /* Owned: */
    xc_interface *xch;
    struct xs_handle *xs;
    struct xlnuma_host *host;
    xlnuma_cpuset online;
    unsigned nr_cpus;
    uint8_t *node_of; /* a CPU's */
    xc_cpuinfo_t *idle_before, *idle_now;
    double *idle;
    struct xlnuma__balanced **domain;     /* in the order of their ids */
    struct xlnuma__balance_guest **guest; /* theirs */
    unsigned nr, nr_max;
};

/* Does the operand name this domain, as xlnuma__guest_id() says? */
bool xlnuma__balanced_is(const struct xlnuma__balancer *balancer,
                         const struct xlnuma__balanced *domain,
                         const char *operand);

/*
 * Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM, XLNUMA_ERR_INVALID. Logs: as libxl.
 * _close is safe after a failure and twice.
 */
int xlnuma__balancer_open(struct xlnuma__balancer *balancer, libxl_ctx *ctx,
                          char *message);
void xlnuma__balancer_close(struct xlnuma__balancer *balancer);

/* Which domains there are now. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM. */
int xlnuma__balancer_list(struct xlnuma__balancer *balancer, char *message);

/*
 * List, look for so long, and say in *moves_r who is to move, or NULL: to the guest's
 * `better`. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM.
 */
int xlnuma__balancer_round(struct xlnuma__balancer *balancer, double seconds,
                           struct xlnuma__balanced **moves_r, char *message);

/*
 * Set its hard affinity to these CPUs: all vCPUs or none. Not when its affinities
 * are not what the balancer or the build left: then it is left alone from now on,
 * and *is_moved_r is false. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_IO.
 */
int xlnuma__balancer_move(struct xlnuma__balancer *balancer,
                          struct xlnuma__balanced *domain,
                          const xlnuma_cpuset *cpus, bool *is_moved_r,
                          char *message);

/*
 * Give a guest the affinities of its build again, whoever changed them, so that
 * it is balanced. Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_IO, XLNUMA_ERR_INVALID
 * (it is left alone for another reason).
 */
int xlnuma__balancer_reset(struct xlnuma__balancer *balancer,
                           struct xlnuma__balanced *domain, char *message);

/* --- balance_looks.c ------------------------------------------------------ */

/*
 * Measure for so long: each guest that is worth it, and which CPUs were idle.
 * Returns 0, XLNUMA_ERR_XEN.
 */
int xlnuma__balance_measure(struct xlnuma__balancer *balancer, double seconds,
                            char *message);

#endif /* XLNUMA_BALANCER_H */
