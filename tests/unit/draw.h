/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random hosts and requests, the same ones for the same seed on every machine:
 * for exactness tests and for benchmarks.
 */
#ifndef DRAW_H
#define DRAW_H

#include "model/request.h"

/*
 * So many of n random cases: all, or a twentieth where sanitizers, or no optimization,
 * make each some ten times slower. What is right is shown by all; they look at memory,
 * and at which lines are reached.
 */
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define DRAW_SOME(n) (((n) + 19) / 20)
#else
#define DRAW_SOME(n) (n)
#endif

void draw_seed(uint64_t seed);
unsigned draw(unsigned below); /* 0 to below - 1 */

/* How the distances of a host look. */
enum draw_table {
    DRAW_SOCKETS,     /* near within a socket, one or two steps between */
    DRAW_INTERLEAVED, /* the same, siblings' numbers apart */
    DRAW_FLAT,        /* all equal */
    DRAW_NOISE,       /* any, asymmetric */
    DRAW_HOLES,       /* any, asymmetric, some without a path */
    DRAW_RING,        /* by hops around a ring of sockets */
    DRAW_TABLES
};

/* What nodes have: uneven and odd, or alike. */
void draw_host(struct xlnuma_host *host, unsigned nr_nodes,
               enum draw_table table, bool is_odd);

/* A guest that the host may hold or not, of up to all its free memory. */
void draw_request(const struct xlnuma_host *host,
                  struct xlnuma_request *request, bool is_odd);

/*
 * Devices of a host whose nodes have the lowest numbers, and which of them, and
 * of others, a guest has.
 */
void draw_devices(struct xlnuma_host *host, struct xlnuma_request *request);

#endif /* DRAW_H */
