/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions of a Xen that is yet to come: of the names of ours, but with 14
 * arguments, six in registers and the rest on the stack.
 */
#ifndef OTHERXEN_H
#define OTHERXEN_H

#define INTERPOSED(function, library)                                          \
    long function(long, long, long, long, long, long, long, long, long, long,  \
                  long, long, long, long);
#include "preload/functions.h"
#undef INTERPOSED

#endif /* OTHERXEN_H */
