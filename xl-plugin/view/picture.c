/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in a picture of a host: the parts of each node's memory, in which order
 * and how large, and the words beside them. Draws nothing.
 */
#include "view/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/units.h"
#include "view/utf8.h"

int picture_init(struct picture *picture_r, const struct xlnuma_host *host,
                 const struct xlnuma__guests *guests, char *message)
{
    *message = '\0';
    memset(picture_r, 0, sizeof(*picture_r));
    picture_r->host = host;
    picture_r->guests = guests;
    picture_r->part =
        calloc(guests->nr + (size_t)PART_LOW + 1, sizeof(*picture_r->part));
    picture_r->is_numbered =
        calloc((size_t)guests->nr + 1, sizeof(*picture_r->is_numbered));
    if (picture_r->part && picture_r->is_numbered)
        return 0;
    picture_dispose(picture_r);
    return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
}

void picture_dispose(struct picture *picture)
{
    free(picture->part);
    free(picture->is_numbered);
    memset(picture, 0, sizeof(*picture));
}

/* --- parts ---------------------------------------------------------------- */

static void add_part(struct picture *picture, enum part_kind kind,
                     unsigned guest, uint64_t kb)
{
    if (!kb)
        return;
    picture->part[picture->nr_parts++] = (struct part){ kind, guest, kb };
    picture->kinds[kind] = true;
}

/* Reservations take low memory last, as builds do. */
static void add_free(struct picture *picture, const struct xlnuma_node *node)
{
    uint64_t high_kb = node->free_kb - node->low_free_kb;
    uint64_t reserved_high_kb =
        node->reserved_kb < high_kb ? node->reserved_kb : high_kb;
    uint64_t reserved_low_kb = node->reserved_kb - reserved_high_kb;

    add_part(picture, PART_RESERVED, 0, node->reserved_kb);
    add_part(picture, PART_FREE, 0, high_kb - reserved_high_kb);
    add_part(picture, PART_LOW, 0, node->low_free_kb - reserved_low_kb);
}

void picture_node(struct picture *picture, unsigned node)
{
    const struct xlnuma_node *it = &picture->host->node[node];
    const struct xlnuma__guests *guests = picture->guests;
    uint64_t used_kb = it->size_kb - it->free_kb, guests_kb = 0;

    picture->nr_parts = 0;
    for (unsigned i = 0; i < guests->nr; i++)
        guests_kb += xlnuma__guest_node_kb(&guests->guest[i], node);
    if (guests_kb < used_kb) {
        add_part(picture, PART_OTHER, 0, used_kb - guests_kb);
        used_kb = guests_kb;
    }
    for (unsigned i = 0; i < guests->nr; i++) {
        xlnuma__u128 kb = xlnuma__guest_node_kb(&guests->guest[i], node);

        if (kb)
            add_part(picture, PART_GUEST, i,
                     (uint64_t)(kb * used_kb / guests_kb));
    }
    add_free(picture, it);
}

unsigned picture_at(uint64_t sum_kb, uint64_t size_kb, unsigned length)
{
    if (!size_kb)
        return 0;
    return (unsigned)(((xlnuma__u128)sum_kb * length * 2 + size_kb) / 2 /
                      size_kb);
}

uint64_t picture_largest_kb(const struct picture *picture)
{
    uint64_t largest_kb = 0;
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, picture->host->nodes)
        if (picture->host->node[node].size_kb > largest_kb)
            largest_kb = picture->host->node[node].size_kb;
    return largest_kb;
}

/* --- words ---------------------------------------------------------------- */

char *picture_head(const struct picture *picture, char *buf, size_t size)
{
    const struct xlnuma_identity *identity = &picture->host->identity;
    char name[PICTURE_LABEL_SIZE];

    utf8_clean(identity->name, picture->is_ascii, name, sizeof(name));
    snprintf(buf, size, "%s%s%s%s%s%s", name,
             *name && *identity->xen ? ", " : "", *identity->xen ? "Xen " : "",
             identity->xen,
             (*name || *identity->xen) && *identity->date ? ", " : "",
             identity->date);
    return buf;
}

/* Its name, or "(no name)". */
static char *name_of(const struct picture *picture, unsigned guest,
                     char buf[PICTURE_LABEL_SIZE])
{
    const char *name = picture->guests->guest[guest].name;

    return utf8_clean(*name ? name : "(no name)", picture->is_ascii, buf,
                      PICTURE_LABEL_SIZE);
}

char *picture_label(struct picture *picture, const struct part *part,
                    unsigned columns, char buf[PICTURE_LABEL_SIZE])
{
    *buf = '\0';
    if (part->kind != PART_GUEST)
        return buf;
    if (utf8_width(name_of(picture, part->guest, buf)) <= columns)
        return buf;
    picture->is_numbered[part->guest] = true;
    snprintf(buf, PICTURE_LABEL_SIZE, "%" PRIu32,
             picture->guests->guest[part->guest].domid);
    if (strlen(buf) > columns)
        *buf = '\0';
    return buf;
}

/* Is it known which part of each node Domain-0 has? */
static bool knows_dom0(const struct picture *picture)
{
    for (unsigned i = 0; i < picture->guests->nr; i++)
        if (xlnuma__is_dom0(&picture->guests->guest[i]))
            return xlnuma__guest_nodes(&picture->guests->guest[i]);
    return false;
}

const char *picture_kind_name(const struct picture *picture,
                              enum part_kind kind)
{
    static const char *const names[] = {
        [PART_OTHER] = "Xen, Domain-0 and the rest",
        [PART_GUEST] = "guest",
        [PART_RESERVED] = "free, reserved",
        [PART_FREE] = "free",
        [PART_LOW] = "free, low memory",
    };

    if (kind == PART_OTHER && knows_dom0(picture))
        return "Xen and the rest";
    return names[kind];
}

char *picture_node_left(const struct picture *picture, unsigned node,
                        unsigned columns, char *buf, size_t size)
{
    const struct xlnuma_node *it = &picture->host->node[node];
    char cpus[64], load[32];
    unsigned rest;

    if (size > columns + 1)
        size = columns + 1;
    if (!xlnuma_cpuset_count(&it->cpus)) {
        snprintf(buf, size, "node %u  no CPUs", node);
        return buf;
    }
    snprintf(load, sizeof(load), "load %.2f", it->load_mvcpu / 1000.0);
    rest = (unsigned)strlen("node 63  CPUs   ") + (unsigned)strlen(load);
    columns = columns > rest + 4 ? columns - rest : 4;
    if (columns > sizeof(cpus) - 1)
        columns = sizeof(cpus) - 1;
    xlnuma_cpuset_format(&it->cpus, cpus, columns + 1);
    snprintf(buf, size, "node %u  CPUs %s  %s", node, cpus, load);
    return buf;
}

char *picture_node_right(const struct picture *picture, unsigned node,
                         char *buf, size_t size)
{
    const struct xlnuma_node *it = &picture->host->node[node];

    char left[32], all[32];

    if (it->size_kb)
        snprintf(buf, size, "%s of %s %s free",
                 units_format(it->free_kb, left, sizeof(left)),
                 units_format(it->size_kb, all, sizeof(all)), units_name());
    else
        snprintf(buf, size, "no memory");
    return buf;
}

/* --- notes ---------------------------------------------------------------- */

struct range {
    unsigned least, most; /* most 0: none */
};

static void widen(struct range *range, unsigned distance)
{
    if (!range->most || distance < range->least)
        range->least = distance;
    if (distance > range->most)
        range->most = distance;
}

static void say_range(FILE *text, const char *before, const struct range *range)
{
    if (range->most && range->least == range->most)
        fprintf(text, "%s %u", before, range->least);
    else if (range->most)
        fprintf(text, "%s %u to %u", before, range->least, range->most);
}

static void say_distances(const struct picture *picture, FILE *text)
{
    const struct xlnuma_host *host = picture->host;
    struct range within = { 0 }, between = { 0 };
    unsigned i, j;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            if (i != j)
                widen(host->node[i].socket == host->node[j].socket ? &within
                                                                   : &between,
                      host->distance[i][j]);
    fputs("Distance: local 10", text);
    say_range(text, ", within a socket", &within);
    say_range(text, ", between sockets", &between);
    fputs("\n", text);
}

/* "3 web-1, 17 web-2": one after the other, in as many lines as it takes. */
static void say_numbers(const struct picture *picture, FILE *text)
{
    const char *before = "By number: ";
    char name[PICTURE_LABEL_SIZE];

    for (unsigned i = 0; i < picture->guests->nr; i++)
        if (picture->is_numbered[i]) {
            fprintf(text, "%s%" PRIu32 " %s", before,
                    picture->guests->guest[i].domid, name_of(picture, i, name));
            before = ", ";
        }
    if (*before == ',')
        fputs("\n", text);
}

/* "load1 (800 MiB)"; with the nodes that Xen prefers for it, where not all. */
static void say_unknown(const struct picture *picture, FILE *text)
{
    const char *before = "Not known where: ";
    char name[PICTURE_LABEL_SIZE], nodes[XLNUMA_NODES_MAX * 3 + 1], amount[32];

    for (unsigned i = 0; i < picture->guests->nr; i++) {
        const struct xlnuma__guest *guest = &picture->guests->guest[i];

        if (xlnuma__guest_nodes(guest))
            continue;
        fprintf(text, "%s%s (%s %s", before, name_of(picture, i, name),
                units_format(guest->memory_kb, amount, sizeof(amount)),
                units_name());
        if (guest->affinity && guest->affinity != picture->host->nodes)
            fprintf(
                text, "; affinity %s",
                xlnuma_nodeset_format(guest->affinity, nodes, sizeof(nodes)));
        fputs(")", text);
        before = ", ";
    }
    if (*before == ',')
        fputs("\n", text);
}

/* Of the whole host: Xen's claims are on no node. */
static void say_claimed(const struct picture *picture, FILE *text)
{
    char amount[32];

    if (picture->host->claimed_kb)
        fprintf(text, "Claimed by builds under way, on no node yet: %s %s\n",
                units_format(picture->host->claimed_kb, amount, sizeof(amount)),
                units_name());
}

static char *format_cpus(const xlnuma_cpuset *cpus, char buf[64])
{
    return xlnuma_cpuset_format(cpus, buf, 64);
}

/* "Dedicated CPUs 4-7: free 6-7, db1 4-5"; where there are some. */
static void say_dedicated(const struct picture *picture, FILE *text)
{
    const struct xlnuma_host *host = picture->host;
    xlnuma_cpuset left = host->dedicated_cpus;
    char cpus[64], name[PICTURE_LABEL_SIZE];

    if (!xlnuma_cpuset_count(&left))
        return;
    xlnuma_cpuset_remove(&left, &host->dedicated_taken);
    fprintf(text,
            "Dedicated CPUs %s:", format_cpus(&host->dedicated_cpus, cpus));
    fprintf(text, " free %s",
            xlnuma_cpuset_count(&left) ? format_cpus(&left, cpus) : "none");
    for (unsigned i = 0; i < picture->guests->nr; i++) {
        const struct xlnuma__guest *guest = &picture->guests->guest[i];

        if (xlnuma_cpuset_count(&guest->dedicated))
            fprintf(text, ", %s %s", name_of(picture, i, name),
                    format_cpus(&guest->dedicated, cpus));
    }
    fputs("\n", text);
}

/*
 * Where to break a line that is too long: in the last ", " that fits, or else in
 * the first one.
 */
static size_t break_at(const char *text, unsigned columns)
{
    const char *here = text;
    size_t best = 0;
    unsigned width = 0;

    while (*here) {
        const char *next = here;
        char one[8] = "";

        utf8_next(&next);
        memcpy(one, here, (size_t)(next - here));
        width += utf8_width(one);
        if (width > columns && best)
            return best;
        if (here > text && here[-1] == ',' && *here == ' ')
            best = (size_t)(here - text);
        here = next;
    }
    return strlen(text);
}

static void give_lines(char *text, unsigned columns,
                       void (*line)(void *context, const char *text),
                       void *context)
{
    char *end;

    for (; (end = strchr(text, '\n')); text = end + 1) {
        *end = '\0';
        while (*text) {
            size_t length = break_at(text, columns);
            char kept = text[length];

            text[length] = '\0';
            line(context, text);
            text[length] = kept;
            text += length;
            if (*text)
                text++; /* the blank */
        }
    }
}

int picture_notes(const struct picture *picture, unsigned columns,
                  void (*line)(void *context, const char *text), void *context)
{
    size_t size;
    char *text = NULL;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return XLNUMA_ERR_NOMEM;
    say_distances(picture, stream);
    say_numbers(picture, stream);
    say_unknown(picture, stream);
    say_dedicated(picture, stream);
    say_claimed(picture, stream);
    if (fclose(stream)) {
        free(text);
        return XLNUMA_ERR_NOMEM;
    }
    give_lines(text, columns, line, context);
    free(text);
    return 0;
}
