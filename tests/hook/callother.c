/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls them twice, as the hook chooses at the first call. */
#include "otherxen.h"

#include <errno.h>
#include <stdio.h>

int main(void)
{
    int nr = 0, nr_right = 0;

#define INTERPOSED(function, library)                                          \
    nr++;                                                                      \
    errno = 77;                                                                \
    nr_right += /* the sum of the squares of 1 to 14 is 1015 */                \
        function(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14) == 1015 &&     \
        function(14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1) == 560 &&      \
        errno == 77;
#include "preload/functions.h"
    printf("%d functions, %d called rightly\n", nr, nr_right);
    return nr != nr_right;
}
