/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a guest is not placed elsewhere, in words. */
#ifndef XLNUMA_PLAN_WORDS_H
#define XLNUMA_PLAN_WORDS_H

#include <stdio.h>

#include "model/plan.h"

/* Why a set is not the plan, for a table's cell. */
void plan_words_short(const struct xlnuma_alternative *alternative, char *text,
                      size_t size);

/* A sentence for each alternative, on lines of less than 80 characters. */
void plan_words_print(const struct xlnuma_plan *plan, FILE *file);

#endif /* XLNUMA_PLAN_WORDS_H */
