/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The picture of a host as SVG, for a report: as draw.c's, with the matrix of
 * distances. Guests are told apart by name and border, colours only help: all
 * are light, so that the text is readable and a copy in grey is, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "view/devices.h"
#include "view/picture.h"
#include "view/units.h"
#include "view/utf8.h"

/* In pixels. The letters of the smaller font are 6 wide. */
enum {
    WIDTH = 960,
    MARGIN = 16,
    LINE = 18,        /* of text */
    LETTER = 6,       /* at most, in the font of 10 */
    BAR = 26,         /* how high */
    NODE = 60,        /* a node with its text */
    SOCKET_HEAD = 26, /* the title in a socket */
    SOCKET_PAD = 8,
    CELL = 26, /* of the matrix */
    NOTE_COLUMNS = (WIDTH - 2 * MARGIN) / LETTER,
};

/* Sockets are in columns, from left to right. */
enum { COLUMNS_MAX = 3 };

struct svg {
    struct picture picture;
    FILE *file;
    unsigned width;  /* of all of it */
    unsigned column; /* the width of a column */
    unsigned x, y;   /* where the next thing goes */
};

static void put_escaped(FILE *file, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '&':
            fputs("&amp;", file);
            break;
        default:
            putc(*text, file);
        }
}

/* `attributes` is a class, and what else there is. */
static void put_text(const struct svg *svg, unsigned x, unsigned y,
                     const char *attributes, const char *text)
{
    fprintf(svg->file, "<text x=\"%u\" y=\"%u\" xml:space=\"preserve\" %s>", x,
            y, attributes);
    put_escaped(svg->file, text);
    fputs("</text>\n", svg->file);
}

/* --- head ----------------------------------------------------------------- */

static const char style[] =
    "<style>\n"
    "text { font-family: \"DejaVu Sans\", Verdana, Arial, "
    "sans-serif; "
    "font-size: 12px; fill: #000 }\n"
    ".title { font-weight: bold }\n"
    ".small { font-family: \"DejaVu Sans Mono\", monospace; "
    "font-size: 10px }\n"
    ".right { text-anchor: end }\n"
    ".middle { text-anchor: middle }\n"
    ".socket { fill: #f4f4f4; stroke: #555 }\n"
    ".part { stroke: #333; stroke-width: 1 }\n"
    ".other { fill: url(#other) }\n"
    ".reserved { fill: url(#reserved) }\n"
    ".free { fill: #fff }\n"
    ".low { fill: url(#low) }\n"
    ".far { fill: #d0d0d0 }\n"
    "</style>\n"
    "<defs>\n"
    "<pattern id=\"other\" width=\"6\" height=\"6\" "
    "patternUnits=\"userSpaceOnUse\">"
    "<rect width=\"6\" height=\"6\" fill=\"#ccc\"/>"
    "<path d=\"M0,6 L6,0\" stroke=\"#777\"/></pattern>\n"
    "<pattern id=\"reserved\" width=\"8\" height=\"8\" "
    "patternUnits=\"userSpaceOnUse\">"
    "<rect width=\"8\" height=\"8\" fill=\"#fff\"/>"
    "<path d=\"M0,0 L8,8\" stroke=\"#333\"/></pattern>\n"
    "<pattern id=\"low\" width=\"6\" height=\"6\" "
    "patternUnits=\"userSpaceOnUse\">"
    "<rect width=\"6\" height=\"6\" fill=\"#fff\"/>"
    "<circle cx=\"3\" cy=\"3\" r=\"1\" fill=\"#777\"/></pattern>\n"
    "</defs>\n";

/* Light, of two levels of grey in turn, apart for colour-blind eyes too. */
static const char *const tints[] = {
    "#a6cee3", "#fff2ae", "#b8d99b", "#fbd5c4",
    "#c3b1d9", "#e6f5c9", "#f2b56b", "#d8ecf7"
};

static const char *class_of(enum part_kind kind)
{
    static const char *const classes[] = { "other", "guest", "reserved", "free",
                                           "low" };

    return classes[kind];
}

/* --- sockets -------------------------------------------------------------- */

static void put_part(struct svg *svg, const struct part *part, unsigned x,
                     unsigned width)
{
    const struct xlnuma__guests *guests = svg->picture.guests;
    char label[PICTURE_LABEL_SIZE], name[PICTURE_LABEL_SIZE], fill[32] = "";
    char amount[32];

    picture_label(&svg->picture, part, width / LETTER, label);
    if (!width)
        return;
    if (part->kind == PART_GUEST) {
        snprintf(fill, sizeof(fill), " fill=\"%s\"",
                 tints[part->guest % (sizeof(tints) / sizeof(*tints))]);
        utf8_clean(guests->guest[part->guest].name, false, name, sizeof(name));
    }
    fprintf(svg->file,
            "<rect class=\"part %s\" x=\"%u\" y=\"%u\" width=\"%u\" "
            "height=\"%d\"%s><title>",
            class_of(part->kind), x, svg->y, width, BAR, fill);
    put_escaped(svg->file, part->kind == PART_GUEST
                               ? name
                               : picture_kind_name(&svg->picture, part->kind));
    fprintf(svg->file, ": %s %s</title></rect>\n",
            units_format(part->kb, amount, sizeof(amount)), units_name());
    if (*label)
        put_text(svg, x + width / 2, svg->y + BAR / 2 + 4,
                 "class=\"small middle\"", label);
}

static void put_node(struct svg *svg, unsigned node)
{
    const unsigned left = svg->x + MARGIN, inside = svg->column - 2 * MARGIN;
    uint64_t size_kb = svg->picture.host->node[node].size_kb, sum_kb = 0;
    unsigned at = 0,
             length =
                 picture_at(size_kb, picture_largest_kb(&svg->picture), inside);
    char text[160], devices[96];

    picture_node_left(&svg->picture, node, inside / 12, text, sizeof(text));
    put_text(svg, left, svg->y + 12, "class=\"node\"", text);
    picture_node_right(&svg->picture, node, text, sizeof(text));
    put_text(svg, left + inside, svg->y + 12, "class=\"right\"", text);
    svg->y += LINE;
    picture_node(&svg->picture, node);
    for (unsigned i = 0; i < svg->picture.nr_parts; i++) {
        unsigned end;

        sum_kb += svg->picture.part[i].kb;
        end = picture_at(sum_kb, size_kb, length);
        put_part(svg, &svg->picture.part[i], left + at, end - at);
        at = end;
    }
    snprintf(text, sizeof(text), "PCI %s",
             devices_format(svg->picture.host, node, devices, sizeof(devices)));
    if (*devices)
        put_text(svg, left, svg->y + BAR + 10, "class=\"small\"", text);
    svg->y += NODE - LINE;
}

static void put_socket(struct svg *svg, xlnuma_nodeset nodes)
{
    char title[32];
    unsigned node;

    snprintf(title, sizeof(title), "Socket %u",
             svg->picture.host->node[xlnuma_nodeset_first(nodes)].socket);
    fprintf(svg->file,
            "<rect class=\"socket\" x=\"%u\" y=\"%u\" width=\"%u\" "
            "height=\"%u\" rx=\"6\"/>\n",
            svg->x, svg->y, svg->column,
            SOCKET_HEAD + NODE * xlnuma_nodeset_count(nodes));
    put_text(svg, svg->x + MARGIN, svg->y + 18, "class=\"title\"", title);
    svg->y += SOCKET_HEAD;
    XLNUMA_FOR_EACH_NODE(node, nodes)
        put_node(svg, node);
    svg->y += SOCKET_PAD;
}

/* Many nodes are side by side: as wide as the matrix of distances is anyway. */
static void put_sockets(struct svg *svg)
{
    const struct xlnuma_host *host = svg->picture.host;
    unsigned nr = xlnuma_nodeset_count(host->nodes), at = 0, node;
    unsigned nr_columns = nr <= 16 ? 1 : nr <= 32 ? 2 : COLUMNS_MAX;
    unsigned y[COLUMNS_MAX] = { svg->y, svg->y, svg->y };
    xlnuma_nodeset drawn = 0;

    svg->column =
        (svg->width - 2 * MARGIN - (nr_columns - 1) * SOCKET_PAD) / nr_columns;
    XLNUMA_FOR_EACH_NODE(node, host->nodes) {
        xlnuma_nodeset nodes =
            xlnuma__host_sockets_of(host, (xlnuma_nodeset)1 << node);

        if (nodes & drawn)
            continue;
        svg->x = MARGIN + at * (svg->column + SOCKET_PAD);
        svg->y = y[at];
        put_socket(svg, nodes);
        y[at] = svg->y;
        at = (at + 1) % nr_columns;
        drawn |= nodes;
    }
    for (unsigned i = 0; i < nr_columns; i++)
        svg->y = y[i] > svg->y ? y[i] : svg->y;
}

/* --- below ---------------------------------------------------------------- */

static void put_legend(struct svg *svg)
{
    unsigned x = MARGIN;

    for (unsigned kind = 0; kind <= PART_LOW; kind++) {
        const char *name = picture_kind_name(&svg->picture, kind);

        if (!svg->picture.kinds[kind])
            continue;
        fprintf(svg->file,
                "<rect class=\"part %s\" x=\"%u\" y=\"%u\" width=\"24\" "
                "height=\"12\"%s/>\n",
                class_of(kind), x, svg->y,
                kind == PART_GUEST ? " fill=\"#a6cee3\"" : "");
        put_text(svg, x + 30, svg->y + 10, "class=\"small\"", name);
        x += 60 + LETTER * utf8_width(name);
    }
    svg->y += LINE;
}

static void put_note(void *context, const char *text)
{
    struct svg *svg = context;

    svg->y += LINE;
    put_text(svg, MARGIN, svg->y - 6, "class=\"small\"", text);
}

/* Farther nodes have darker cells. */
static void put_distance(const struct svg *svg, unsigned x, unsigned y,
                         unsigned distance, unsigned most)
{
    unsigned grey = 255 - 90 * (distance - XLNUMA_DISTANCE_LOCAL) /
                              (most - XLNUMA_DISTANCE_LOCAL + 1);
    char text[16];

    fprintf(svg->file,
            "<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" "
            "fill=\"#%02x%02x%02x\" stroke=\"#999\"/>\n",
            x, y, CELL, LINE, grey, grey, grey);
    snprintf(text, sizeof(text), "%u", distance);
    put_text(svg, x + CELL / 2, y + 13, "class=\"small middle\"", text);
}

static void put_distances(struct svg *svg)
{
    const struct xlnuma_host *host = svg->picture.host;
    unsigned i, j, most = XLNUMA_DISTANCE_LOCAL, x = MARGIN + 2 * CELL;
    char text[16];

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        XLNUMA_FOR_EACH_NODE(j, host->nodes)
            most = host->distance[i][j] > most ? host->distance[i][j] : most;
    svg->y += LINE;
    put_text(svg, MARGIN, svg->y - 5, "class=\"small\"", "Distance");
    XLNUMA_FOR_EACH_NODE(j, host->nodes) {
        snprintf(text, sizeof(text), "%u", j);
        put_text(svg, x + CELL / 2, svg->y - 5, "class=\"small middle\"", text);
        x += CELL;
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        x = MARGIN + 2 * CELL;
        snprintf(text, sizeof(text), "node %u", i);
        put_text(svg, MARGIN, svg->y + 13, "class=\"small\"", text);
        XLNUMA_FOR_EACH_NODE(j, host->nodes) {
            put_distance(svg, x, svg->y, host->distance[i][j], most);
            x += CELL;
        }
        svg->y += LINE;
    }
}

static int put_body(struct svg *svg)
{
    char head[PICTURE_HEAD_SIZE], title[PICTURE_HEAD_SIZE + 32];

    picture_head(&svg->picture, head, sizeof(head));
    snprintf(title, sizeof(title), "NUMA nodes%s%s", *head ? " of " : "", head);
    put_text(svg, MARGIN, svg->y, "class=\"title\"", title);
    svg->y += LINE - 6;
    put_sockets(svg);
    put_legend(svg);
    if (picture_notes(&svg->picture, NOTE_COLUMNS, put_note, svg))
        return XLNUMA_ERR_NOMEM;
    put_distances(svg);
    return 0;
}

static void put_document(const struct svg *svg, const char *body, FILE *file)
{
    unsigned width = svg->width, height = svg->y + MARGIN;

    fprintf(file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
            "height=\"%u\" viewBox=\"0 0 %u %u\">\n"
            "<title>NUMA nodes of a Xen host</title>\n"
            "%s<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/>\n%s</svg>\n",
            width, height, width, height, style, width, height, body);
}

/* How high it gets is known when it is drawn. */
int draw_svg(const struct xlnuma_host *host,
             const struct xlnuma__guests *guests, FILE *file, char *message)
{
    struct svg svg = { .y = MARGIN + 6 };
    char *body = NULL;
    size_t size;
    int rc = picture_init(&svg.picture, host, guests, message);

    if (rc)
        return rc;
    svg.width = 2 * MARGIN + (2 + xlnuma_nodeset_count(host->nodes)) * CELL;
    if (svg.width < WIDTH)
        svg.width = WIDTH;
    svg.file = open_memstream(&body, &size);
    rc = svg.file ? put_body(&svg) : XLNUMA_ERR_NOMEM;
    if (svg.file && fclose(svg.file))
        rc = XLNUMA_ERR_NOMEM;
    if (rc)
        xlnuma__fail(message, rc, "out of memory");
    else
        put_document(&svg, body, file);
    picture_dispose(&svg.picture);
    free(body);
    return rc;
}
