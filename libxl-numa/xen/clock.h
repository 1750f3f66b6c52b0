/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What time it is. */
#ifndef XLNUMA_CLOCK_H
#define XLNUMA_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S ((uint64_t)1000000000)

static inline uint64_t xlnuma__clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline uint64_t xlnuma__now_ns(void)
{
    return xlnuma__clock_ns(CLOCK_MONOTONIC);
}

#endif /* XLNUMA_CLOCK_H */
