/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where calls of the interposed functions go: ours (preload.c) if the
 * libraries in the process are those that we were built for, else the function
 * behind ours.
 */
#ifndef XLNUMA_CHOOSE_H
#define XLNUMA_CHOOSE_H

#include <stdatomic.h>
#include <stdio.h>

#include "hook/hook.h"

#include <xenguest.h>

#define WARN(...) fprintf(stderr, "xl-numa: warning: " __VA_ARGS__)

/* Ours, with the very arguments of the functions that they interpose. */
#define INTERPOSED(function, library)                                          \
    __typeof__(function) interposed_##function;
#include "preload/functions.h"
#undef INTERPOSED

/* The functions' numbers, by which entry.S has them too. */
enum function {
#define INTERPOSED(function, library) NR_##function,
#include "preload/functions.h"
#undef INTERPOSED
    NR_FUNCTIONS
};

/* Where calls go; NULL until there is a first one, which chooses. */
extern _Atomic(void *) xlnuma__chosen[NR_FUNCTIONS];
void *xlnuma__choose(enum function nr);

/* The function behind ours. */
void *xlnuma__function_behind(enum function nr);
#define NEXT(function)                                                         \
    ((__typeof__(&(function)))xlnuma__function_behind(NR_##function))

#endif /* XLNUMA_CHOOSE_H */
