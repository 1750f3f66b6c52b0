/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the dump of debug key 'u' (Xen's dump_numa()). The ring may have begun
 * to overwrite it, hold several of them, and have lines of others in between;
 * a guest's own lines are in it too, but never begin as Xen's do.
 */
#include "formats/dump.h"

#include <stdlib.h>
#include <string.h>

#define DOMID_MAX 0x7fef /* DOMID_FIRST_RESERVED - 1 */
#define PAGES_MAX ((uint64_t)1 << 40)

/* The rest of a line of the ring. */
struct text {
    const char *at, *end;
};

/* Step over `word` if the text begins with it. */
static bool skip(struct text *text, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(text->end - text->at) < length ||
        memcmp(text->at, word, length))
        return false;
    text->at += length;
    return true;
}

/* A number of at most max, without a sign. */
static bool take_number(struct text *text, uint64_t max, uint64_t *number_r)
{
    const char *begin = text->at;

    *number_r = 0;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9') {
        *number_r = *number_r * 10 + (uint64_t)(*text->at++ - '0');
        if (*number_r > max)
            return false;
    }
    return text->at > begin;
}

static bool is_at_end(const struct text *text)
{
    return text->at == text->end;
}

/* "(XEN) ", with a time behind it if Xen was told console_timestamps. */
static bool skip_prefix(struct text *line)
{
    const char *close;

    if (!skip(line, "(XEN) "))
        return false;
    if (line->at < line->end && *line->at == '[') {
        close = memchr(line->at, ']', (size_t)(line->end - line->at));
        if (!close)
            return false;
        line->at = close + 1;
        return skip(line, " ");
    }
    return true;
}

/* --- one dump ------------------------------------------------------------- */

/* The one that is being read. */
struct reading {
    struct xlnuma__dump dump;
    bool is_open;      /* its first line was there */
    bool is_bad;       /* a line of it contradicts another */
    bool has_location; /* domains are next */
};

/* All that was begun is there. The last domain may be the last there is. */
static bool is_complete(const struct reading *reading)
{
    const struct xlnuma__dump *dump = &reading->dump;

    return reading->is_open && !reading->is_bad && dump->nr &&
           dump->domain[dump->nr - 1].nodes == dump->nodes;
}

static void begin_dump(struct reading *reading)
{
    xlnuma__dump_dispose(&reading->dump);
    reading->is_open = true;
    reading->is_bad = reading->has_location = false;
}

/* "NODE0 start->0 size->786432 free->589669" */
static void read_host_node(struct reading *reading, struct text *line)
{
    uint64_t node;

    if (!take_number(line, XLNUMA_NODES_MAX - 1, &node) ||
        !skip(line, " start->") || reading->has_location)
        reading->is_bad = true;
    else
        reading->dump.nodes |= (xlnuma_nodeset)1 << node;
}

/* "d1 (total: 1536017):", not "d1v0 Unhandled WRMSR": as Xen 4.18 says it. */
static bool skip_short(struct text *line)
{
    struct text at = *line;
    uint64_t domid;

    return skip(&at, "d") && take_number(&at, DOMID_MAX, &domid) &&
           skip(&at, " (total: ") && skip(line, "d");
}

/* "Domain 1 (total: 1536017):"; Xen goes through them by their ids. */
static int read_domain(struct reading *reading, struct text *line)
{
    struct xlnuma__dump *dump = &reading->dump;
    struct xlnuma__dump_domain *larger, *last;
    uint64_t domid, total;

    last = dump->nr ? &dump->domain[dump->nr - 1] : NULL;
    if (!take_number(line, DOMID_MAX, &domid) || !skip(line, " (total: ") ||
        !take_number(line, PAGES_MAX, &total) || !skip(line, "):") ||
        !is_at_end(line) || !reading->has_location || !dump->nodes ||
        (last && (last->domid >= domid || last->nodes != dump->nodes))) {
        reading->is_bad = true;
        return 0;
    }
    if (!(dump->nr & (dump->nr - 1))) { /* room for twice as many */
        larger = realloc(dump->domain, (dump->nr ? 2 * (size_t)dump->nr : 1) *
                                           sizeof(*larger));
        if (!larger)
            return XLNUMA_ERR_NOMEM;
        dump->domain = larger;
    }
    last = &dump->domain[dump->nr++];
    memset(last, 0, sizeof(*last));
    last->domid = (uint32_t)domid;
    last->total_pages = total;
    return 0;
}

/* "    Node 0: 192512", of the domain before it. */
static void read_pages(struct reading *reading, struct text *line)
{
    struct xlnuma__dump *dump = &reading->dump;
    struct xlnuma__dump_domain *domain;
    uint64_t node, pages;

    domain = dump->nr ? &dump->domain[dump->nr - 1] : NULL;
    if (!domain || !take_number(line, XLNUMA_NODES_MAX - 1, &node) ||
        !skip(line, ": ") || !take_number(line, PAGES_MAX, &pages) ||
        !is_at_end(line) || !xlnuma_nodeset_has(dump->nodes, (unsigned)node) ||
        xlnuma_nodeset_has(domain->nodes, (unsigned)node)) {
        reading->is_bad = true;
        return;
    }
    domain->nodes |= (xlnuma_nodeset)1 << node;
    domain->pages[node] = pages;
    domain->listed_pages += pages;
}

static int read_line(struct reading *reading, struct text *line)
{
    if (line->end > line->at && line->end[-1] == '\r')
        line->end--;
    if (!reading->is_open || !skip_prefix(line))
        return 0;
    if (skip(line, "NODE"))
        read_host_node(reading, line);
    else if (skip(line, "Memory location of each domain:"))
        reading->has_location = true;
    else if (skip(line, "Domain ") || skip_short(line))
        return read_domain(reading, line);
    else if (skip(line, "    Node "))
        read_pages(reading, line);
    return 0;
}

/* --- all of the text ------------------------------------------------------ */

static bool is_begin(struct text line)
{
    return skip_prefix(&line) &&
           skip(&line, "'u' pressed -> dumping numa info");
}

/* A dump takes the place of the last complete one. */
static void keep(struct reading *reading, struct xlnuma__dump *kept)
{
    if (!is_complete(reading))
        return;
    xlnuma__dump_dispose(kept);
    *kept = reading->dump;
    memset(&reading->dump, 0, sizeof(reading->dump));
}

int xlnuma__dump_parse(struct xlnuma__dump *dump_r, const char *text,
                       size_t length, char *message)
{
    struct reading reading = { .is_open = false };
    const char *end = text + length;
    bool has_begun = false;
    int rc = 0;

    *message = '\0';
    memset(dump_r, 0, sizeof(*dump_r));
    while (!rc && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        struct text line = { text, newline };

        if (!newline)
            break; /* the rest of it may be still to come */
        text = newline + 1;
        if (is_begin(line)) {
            keep(&reading, dump_r);
            begin_dump(&reading);
            has_begun = true;
        } else {
            rc = read_line(&reading, &line);
        }
    }
    keep(&reading, dump_r);
    xlnuma__dump_dispose(&reading.dump);
    if (rc)
        return xlnuma__fail(message, rc, "out of memory reading Xen's dump");
    if (!dump_r->nr)
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            has_begun
                                ? "Xen's dump of debug key u is not complete"
                                : "no dump of debug key u begins in Xen's "
                                  "console ring");
    return 0;
}

void xlnuma__dump_dispose(struct xlnuma__dump *dump)
{
    free(dump->domain);
    memset(dump, 0, sizeof(*dump));
}

static int compare_domid(const void *key, const void *element)
{
    const struct xlnuma__dump_domain *domain = element;
    uint32_t domid = *(const uint32_t *)key;

    return domid < domain->domid ? -1 : domid > domain->domid;
}

const struct xlnuma__dump_domain *
xlnuma__dump_find(const struct xlnuma__dump *dump, uint32_t domid)
{
    return dump->nr ? bsearch(&domid, dump->domain, dump->nr,
                              sizeof(*dump->domain), compare_domid)
                    : NULL;
}
