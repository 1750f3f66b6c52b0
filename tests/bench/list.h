/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host of `scripts/bench list`, as its store and its libxl know it. */
#ifndef XLNUMA_BENCH_LIST_H
#define XLNUMA_BENCH_LIST_H

enum {
    NR_NODES = 64,
    NR_GUESTS = 500,
    NODE_MIB = 65536,
    GUEST_MIB = 4000, /* on two nodes each */
    NR_VCPUS = 4,
};

#endif /* XLNUMA_BENCH_LIST_H */
