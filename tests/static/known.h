/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Put before each file by tests/static/run. Analysers see one file at a time and
 * do not know that this function, of another, never returns 0 for an error.
 */
#include "model/message.h"
#define xlnuma__fail(message, err, ...)                                        \
    (xlnuma__fail(message, err, __VA_ARGS__), (err))
