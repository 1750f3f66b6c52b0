/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of CPUs and of nodes, and lists of them as text. */
#ifndef XLNUMA_SET_H
#define XLNUMA_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/message.h"

/* Limits: Xen's own on x86 (MAX_NUMNODES; CONFIG_NR_CPUS at its largest). */
#define XLNUMA_NODES_MAX 64
#define XLNUMA_CPUS_MAX 16384

/* A set of physical CPUs, by Xen's CPU number. All zero is the empty set. */
typedef struct {
    uint64_t word[XLNUMA_CPUS_MAX / 64];
} xlnuma_cpuset;

/* A set of nodes: bit i is node i. */
typedef uint64_t xlnuma_nodeset;

#define XLNUMA_NODES_ALL (~(xlnuma_nodeset)0)

static inline bool xlnuma_cpuset_has(const xlnuma_cpuset *set, unsigned cpu)
{
    return cpu < XLNUMA_CPUS_MAX && (set->word[cpu / 64] >> (cpu % 64)) & 1;
}

static inline void xlnuma_cpuset_add(xlnuma_cpuset *set, unsigned cpu)
{
    set->word[cpu / 64] |= (uint64_t)1 << (cpu % 64);
}

static inline void xlnuma_cpuset_drop(xlnuma_cpuset *set, unsigned cpu)
{
    set->word[cpu / 64] &= ~((uint64_t)1 << (cpu % 64));
}

unsigned xlnuma_cpuset_count(const xlnuma_cpuset *set);
void xlnuma_cpuset_and(xlnuma_cpuset *set, const xlnuma_cpuset *other);
void xlnuma_cpuset_or(xlnuma_cpuset *set, const xlnuma_cpuset *other);
void xlnuma_cpuset_remove(xlnuma_cpuset *set, const xlnuma_cpuset *other);
bool xlnuma_cpuset_intersects(const xlnuma_cpuset *a, const xlnuma_cpuset *b);

/* Are all of these in the other set, too? */
bool xlnuma_cpuset_is_within(const xlnuma_cpuset *set,
                             const xlnuma_cpuset *other);

static inline bool xlnuma_nodeset_has(xlnuma_nodeset set, unsigned node)
{
    return node < XLNUMA_NODES_MAX && (set >> node) & 1;
}

static inline unsigned xlnuma_nodeset_count(xlnuma_nodeset set)
{
    return (unsigned)__builtin_popcountll(set);
}

/* Lowest node of a set that is not empty. */
static inline unsigned xlnuma_nodeset_first(xlnuma_nodeset set)
{
    return (unsigned)__builtin_ctzll(set);
}

/* The lowest nr nodes of a set, or all if it has fewer. */
static inline xlnuma_nodeset xlnuma_nodeset_lowest(xlnuma_nodeset set,
                                                   unsigned nr)
{
    xlnuma_nodeset left = set;

    for (; left && nr; nr--)
        left &= left - 1;
    return set & ~left;
}

/* Loop over a set, lowest node first; `node` is an unsigned variable. */
#define XLNUMA_FOR_EACH_NODE(node, set)                                        \
    for (xlnuma_nodeset left_##node = (set);                                   \
         left_##node && ((node) = xlnuma_nodeset_first(left_##node), 1);       \
         left_##node &= left_##node - 1)

/*
 * Lists as Xen, Linux and numactl write them: "0-3,8", "" is the empty set.
 *
 * _parse: text must be numbers and ranges in any order, nothing else; a number
 * from XLNUMA_CPUS_MAX or XLNUMA_NODES_MAX up is refused.
 * Returns 0, XLNUMA_ERR_INVALID (message says which part of the list).
 *
 * _format: writes at most `size` bytes with the final NUL (a list that does not
 * fit ends in "..."). Returns buf.
 */
int xlnuma_cpuset_parse(const char *text, xlnuma_cpuset *set_r,
                        char *message) XLNUMA_MUST_CHECK;
int xlnuma_nodeset_parse(const char *text, xlnuma_nodeset *set_r,
                         char *message) XLNUMA_MUST_CHECK;
char *xlnuma_cpuset_format(const xlnuma_cpuset *set, char *buf, size_t size);
char *xlnuma_nodeset_format(xlnuma_nodeset set, char *buf, size_t size);

/* "node 2" or "nodes 2-3,6": returns buf. */
#define XLNUMA__NODES_WORDS 72
char *xlnuma__nodes_in_words(xlnuma_nodeset nodes,
                             char buf[XLNUMA__NODES_WORDS]);

/* Holds any formatted list of CPUs: at worst every second one, "16382,". */
#define XLNUMA__LIST_SIZE (XLNUMA_CPUS_MAX / 2 * 6 + 1)

unsigned xlnuma__cpuset_count_common(const xlnuma_cpuset *a,
                                     const xlnuma_cpuset *b);

#endif /* XLNUMA_SET_H */
