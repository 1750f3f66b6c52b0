/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the harnesses share; tests/README tells how they are run. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/host.h"

/* The fuzzer's entry, and replay's: one input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has to be true of every input. */
#define FUZZ_CHECK(condition)                                                  \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,       \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* A failure has one line of message, a success none. */
void fuzz_check_message(int rc, const char *message);

/* Have the bytes in a file without a name; returns its path, static. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* 16 nodes at lab distances; static. */
const struct xlnuma_host *fuzz_host(void);

#endif /* FUZZ_H */
