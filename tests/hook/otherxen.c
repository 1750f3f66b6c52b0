/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library with these functions: each tells its arguments apart. */
#include "otherxen.h"

#define INTERPOSED(function, library)                                          \
    long function(long a, long b, long c, long d, long e, long f, long g,      \
                  long h, long i, long j, long k, long l, long m, long n)      \
    {                                                                          \
        return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h +     \
               9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n;             \
    }
#include "preload/functions.h"
