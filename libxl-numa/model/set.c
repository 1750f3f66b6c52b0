/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of CPUs and of nodes: counting, combining, their text form ("0-3,8").
 * Does not know which CPUs or nodes a host has.
 */
#include "model/set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUSET_WORDS (XLNUMA_CPUS_MAX / 64)

/* A host has few of all CPUs that a set can hold: empty blocks are skipped. */
#define BLOCK 8

static bool is_empty_block(const uint64_t word[])
{
    return !(word[0] | word[1] | word[2] | word[3] | word[4] | word[5] |
             word[6] | word[7]);
}

/* Without a call for it, which code for older processors has. */
static unsigned count_bits(uint64_t word)
{
    word -= (word >> 1) & 0x5555555555555555;
    word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)((word * 0x0101010101010101) >> 56);
}

unsigned xlnuma_cpuset_count(const xlnuma_cpuset *set)
{
    return xlnuma__cpuset_count_common(set, set);
}

unsigned xlnuma__cpuset_count_common(const xlnuma_cpuset *a,
                                     const xlnuma_cpuset *b)
{
    unsigned nr = 0;

    for (unsigned block = 0; block < CPUSET_WORDS; block += BLOCK)
        for (unsigned n = block;
             n < block + BLOCK && !is_empty_block(&a->word[block]); n++)
            nr += count_bits(a->word[n] & b->word[n]);
    return nr;
}

void xlnuma_cpuset_and(xlnuma_cpuset *set, const xlnuma_cpuset *other)
{
    for (unsigned i = 0; i < CPUSET_WORDS; i++)
        set->word[i] &= other->word[i];
}

void xlnuma_cpuset_or(xlnuma_cpuset *set, const xlnuma_cpuset *other)
{
    for (unsigned i = 0; i < CPUSET_WORDS; i++)
        set->word[i] |= other->word[i];
}

void xlnuma_cpuset_remove(xlnuma_cpuset *set, const xlnuma_cpuset *other)
{
    for (unsigned i = 0; i < CPUSET_WORDS; i++)
        set->word[i] &= ~other->word[i];
}

bool xlnuma_cpuset_intersects(const xlnuma_cpuset *a, const xlnuma_cpuset *b)
{
    for (unsigned i = 0; i < CPUSET_WORDS; i++)
        if (a->word[i] & b->word[i])
            return true;
    return false;
}

bool xlnuma_cpuset_is_within(const xlnuma_cpuset *set,
                             const xlnuma_cpuset *other)
{
    for (unsigned i = 0; i < CPUSET_WORDS; i++)
        if (set->word[i] & ~other->word[i])
            return false;
    return true;
}

/* A number below `limit` at *text; moves *text past it. */
static bool parse_number(const char **text, unsigned limit, unsigned *number_r)
{
    char *end;
    unsigned long value;

    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    value = strtoul(*text, &end, 10);
    if (errno || value >= limit)
        return false;
    *text = end;
    *number_r = (unsigned)value;
    return true;
}

/* Parse into an array of 64-bit words that holds `limit` bits. */
static int parse_list(const char *text, uint64_t *word, unsigned limit,
                      const char *what, char *message)
{
    const char *here = text;

    memset(word, 0, limit / 8);
    *message = '\0';
    if (!*here)
        return 0;
    for (;;) {
        const char *item = here;
        unsigned first, last;

        if (!parse_number(&here, limit, &first))
            goto bad;
        last = first;
        if (*here == '-' && (here++, !parse_number(&here, limit, &last)))
            goto bad;
        if (last < first || (*here && *here != ','))
            goto bad;
        for (unsigned i = first; i <= last; i++)
            word[i / 64] |= (uint64_t)1 << (i % 64);
        if (!*here)
            return 0;
        here++;
        continue;
    bad:
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "\"%s\" is not a list of %s (such as \"0-3,8\", "
                            "each below %u) at \"%s\"",
                            text, what, limit, item);
    }
}

int xlnuma_cpuset_parse(const char *text, xlnuma_cpuset *set_r, char *message)
{
    return parse_list(text, set_r->word, XLNUMA_CPUS_MAX, "CPUs", message);
}

int xlnuma_nodeset_parse(const char *text, xlnuma_nodeset *set_r, char *message)
{
    return parse_list(text, set_r, XLNUMA_NODES_MAX, "nodes", message);
}

/* Append one range; false when it does not fit. */
static bool append_range(char *buf, size_t size, size_t *used, unsigned first,
                         unsigned last)
{
    char text[32];
    int n = first == last ? snprintf(text, sizeof(text), "%u", first)
                          : snprintf(text, sizeof(text), "%u-%u", first, last);

    if ((size_t)n + (*used > 0) >= size - *used)
        return false;
    *used += (size_t)snprintf(buf + *used, size - *used, "%s%s",
                              *used ? "," : "", text);
    return true;
}

static bool has_bit(const uint64_t *word, unsigned i)
{
    return (word[i / 64] >> (i % 64)) & 1;
}

static char *format_list(const uint64_t *word, unsigned limit, char *buf,
                         size_t size)
{
    static const char dots[] = "...";
    size_t used = 0;

    if (!size)
        return buf;
    *buf = '\0';
    for (unsigned i = 0; i < limit; i++) {
        unsigned first = i;

        if (!(word[i / 64] >> (i % 64))) {
            i |= 63; /* nothing more in this word */
            continue;
        }
        if (!has_bit(word, i))
            continue;
        while (i + 1 < limit && has_bit(word, i + 1))
            i++;
        if (!append_range(buf, size, &used, first, i)) {
            if (used + sizeof(dots) > size)
                used = size > sizeof(dots) ? size - sizeof(dots) : 0;
            snprintf(buf + used, size - used, "%s", dots);
            break;
        }
    }
    return buf;
}

char *xlnuma_cpuset_format(const xlnuma_cpuset *set, char *buf, size_t size)
{
    return format_list(set->word, XLNUMA_CPUS_MAX, buf, size);
}

char *xlnuma_nodeset_format(xlnuma_nodeset set, char *buf, size_t size)
{
    return format_list(&set, XLNUMA_NODES_MAX, buf, size);
}

char *xlnuma__nodes_in_words(xlnuma_nodeset nodes,
                             char buf[XLNUMA__NODES_WORDS])
{
    int n = snprintf(buf, XLNUMA__NODES_WORDS, "node%s ",
                     xlnuma__plural(xlnuma_nodeset_count(nodes)));

    xlnuma_nodeset_format(nodes, buf + n, 64);
    return buf;
}
