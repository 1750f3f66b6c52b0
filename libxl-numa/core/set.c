/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of CPUs and of nodes: counting, combining, their text form ("0-3,8").
 * Does not know which CPUs or nodes a host has.
 */
#include "core/core.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CPUSET_WORDS (XLNUMA_CPUS_MAX / 64)

/* A host has few of all CPUs that a set can hold: blocks are skipped. */
#define BLOCK 8

static bool is_empty_block(const uint64_t word[])
{
    return !(word[0] | word[1] | word[2] | word[3] | word[4] | word[5] |
             word[6] | word[7]);
}

unsigned xlnuma__cpuset_words(unsigned end)
{
    return end && end < XLNUMA_CPUS_MAX ? (end + 63) / 64 : CPUSET_WORDS;
}

unsigned xlnuma_cpuset_count(const xlnuma_cpuset *set)
{
    unsigned nr_common;

    return xlnuma__cpuset_count_all(set, CPUSET_WORDS, NULL, &nr_common);
}

unsigned xlnuma__cpuset_count_all(const xlnuma_cpuset *set, unsigned words,
                                  const xlnuma_cpuset *filter,
                                  unsigned *nr_common_r)
{
    unsigned nr = 0, nr_common = 0;

    for (unsigned n = 0; n < words; n++)
        if (n % BLOCK == 0 && words > BLOCK && is_empty_block(&set->word[n]))
            n += BLOCK - 1;
        else
            nr += xlnuma__count_bits(set->word[n]);
    if (filter)
        for (unsigned n = 0; n < words; n++)
            nr_common += xlnuma__count_bits(set->word[n] & filter->word[n]);
    *nr_common_r = filter ? nr_common : nr;
    return nr;
}

void xlnuma__cpuset_take(const xlnuma_cpuset *from, unsigned words,
                         const xlnuma_cpuset *filter, xlnuma_cpuset *part_r,
                         xlnuma_cpuset *sum)
{
    for (unsigned i = 0; i < words; i += BLOCK) {
        if (words > BLOCK && is_empty_block(&from->word[i]))
            continue;
        for (unsigned n = i; n < i + BLOCK && n < words; n++) {
            uint64_t filtered = filter ? filter->word[n] : UINT64_MAX;

            part_r->word[n] = from->word[n] & filtered;
            sum->word[n] |= part_r->word[n];
        }
    }
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

bool xlnuma_cpuset_intersects(const xlnuma_cpuset *a, const xlnuma_cpuset *b)
{
    for (unsigned i = 0; i < CPUSET_WORDS; i++)
        if (a->word[i] & b->word[i])
            return true;
    return false;
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

size_t xlnuma__write_number(char *to, uint64_t number)
{
    uint64_t above = 10;
    size_t nr = 1;

    while (number >= above && nr < 20) {
        nr++;
        above *= 10; /* too much for the last, which nobody looks at */
    }
    for (size_t i = nr; i--; number /= 10)
        to[i] = (char)('0' + number % 10);
    return nr;
}

size_t xlnuma__write_hundredths(char *to, double number)
{
    uint64_t whole = (uint64_t)number;
    uint64_t rest = (uint64_t)((number - (double)whole) * 0x1p52) * 100;
    uint64_t hundredths = rest >> 52, half = (uint64_t)1 << 51;
    size_t nr;

    rest &= 2 * half - 1;
    if (rest > half || (rest == half && hundredths % 2))
        hundredths++;
    nr = xlnuma__write_number(to, whole + hundredths / 100);
    to[nr++] = '.';
    to[nr++] = (char)('0' + hundredths / 10 % 10);
    to[nr++] = (char)('0' + hundredths % 10);
    return nr;
}

/* Append one range; false when it does not fit. */
static bool append_range(char *buf, size_t size, size_t *used, unsigned first,
                         unsigned last)
{
    char text[32];
    size_t n = 0;

    if (*used)
        text[n++] = ',';
    n += xlnuma__write_number(text + n, first);
    if (first != last) {
        text[n++] = '-';
        n += xlnuma__write_number(text + n, last);
    }
    if (n >= size - *used)
        return false;
    memcpy(buf + *used, text, n);
    *used += n;
    buf[*used] = '\0';
    return true;
}

/* How many bits are set behind the first, which is. */
static unsigned run_of(uint64_t word)
{
    return ~word ? (unsigned)__builtin_ctzll(~word) - 1 : 63;
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
        if (!((word[i / 64] >> (i % 64)) & 1))
            continue;
        i += run_of(word[i / 64] >> (i % 64));
        while (i + 1 < limit && (word[(i + 1) / 64] >> ((i + 1) % 64)) & 1)
            i++; /* in the next words */
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
