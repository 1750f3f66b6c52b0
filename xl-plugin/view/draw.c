/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The picture of a host for a terminal: a box for each socket, in it a bar for
 * each node, as long as its memory, divided as its memory is. No colours. What
 * the parts are is picture.c's.
 */
#include <stdio.h>
#include <string.h>

#include "view/devices.h"
#include "view/picture.h"
#include "view/screen.h"
#include "view/utf8.h"

/* What a picture is made of: each is one column wide. */
struct glyphs {
    const char *line, *side,
        *corner[4];                    /* top left, right, bottom left, right */
    const char *begin, *end, *between; /* of bars and parts */
    const char *fill[PART_LOW + 1];
};

static const struct glyphs utf8_glyphs = {
    "─", "│", { "┌", "┐", "└", "┘" },      "│",
    "│", "│", { "▒", "█", "╱", " ", "·" },
};
static const struct glyphs ascii_glyphs = {
    "-", "|", { "+", "+", "+", "+" },      "[",
    "]", "|", { "%", "=", "/", " ", "." },
};

struct canvas {
    const struct glyphs *glyphs;
    unsigned columns; /* of the whole picture */
    FILE *file;
};

static void repeat(const struct canvas *canvas, const char *glyph, unsigned nr)
{
    while (nr--)
        fputs(glyph, canvas->file);
}

/* The top or the bottom of a box. */
static void draw_edge(const struct canvas *canvas, const char *title,
                      const char *left, const char *right)
{
    unsigned width = utf8_width(title);

    fputs(left, canvas->file);
    fputs(title, canvas->file);
    repeat(canvas, canvas->glyphs->line, canvas->columns - 2 - width);
    fprintf(canvas->file, "%s\n", right);
}

static void draw_node_text(const struct canvas *canvas,
                           const struct picture *picture, unsigned node)
{
    char left[160], right[64];
    unsigned room = canvas->columns - 4, gap;

    picture_node_right(picture, node, right, sizeof(right));
    picture_node_left(picture, node, room - (unsigned)strlen(right) - 2, left,
                      sizeof(left));
    gap = room - (unsigned)strlen(right) - (unsigned)strlen(left);
    fprintf(canvas->file, "%s %s%*s%s %s\n", canvas->glyphs->side, left,
            (int)gap, "", right, canvas->glyphs->side);
}

/* On a line of their own, where there are some. */
static void draw_devices(const struct canvas *canvas,
                         const struct picture *picture, unsigned node)
{
    char devices[SCREEN_COLUMNS_MAX];
    unsigned room = canvas->columns - (unsigned)strlen("| PCI  |");

    devices_format(picture->host, node, devices, room + 1);
    if (*devices)
        fprintf(canvas->file, "%s PCI %-*s %s\n", canvas->glyphs->side,
                (int)room, devices, canvas->glyphs->side);
}

/* A part, so many columns wide; all but a bar's first begin with a line. */
static void draw_part(const struct canvas *canvas, struct picture *picture,
                      const struct part *part, unsigned width, bool is_first)
{
    char label[PICTURE_LABEL_SIZE];

    if (width > 1 && !is_first) {
        fputs(canvas->glyphs->between, canvas->file);
        width--;
    }
    picture_label(picture, part, width, label);
    fputs(label, canvas->file);
    repeat(canvas, canvas->glyphs->fill[part->kind], width - utf8_width(label));
}

static void draw_bar(const struct canvas *canvas, struct picture *picture,
                     unsigned node)
{
    uint64_t size_kb = picture->host->node[node].size_kb, sum_kb = 0;
    unsigned room = canvas->columns - 6, at = 0;
    unsigned length = picture_at(size_kb, picture_largest_kb(picture), room);

    picture_node(picture, node);
    fprintf(canvas->file, "%s %s", canvas->glyphs->side, canvas->glyphs->begin);
    for (unsigned i = 0; i < picture->nr_parts; i++) {
        unsigned end;

        sum_kb += picture->part[i].kb;
        end = picture_at(sum_kb, size_kb, length);
        draw_part(canvas, picture, &picture->part[i], end - at, at == 0);
        at = end;
    }
    fprintf(canvas->file, "%s%*s %s\n", canvas->glyphs->end,
            (int)(room - length + (length - at)), "", canvas->glyphs->side);
}

static void draw_socket(const struct canvas *canvas, struct picture *picture,
                        xlnuma_nodeset nodes)
{
    const char *const *corner = canvas->glyphs->corner;
    char title[32];
    unsigned node;

    snprintf(title, sizeof(title), " socket %u ",
             picture->host->node[xlnuma_nodeset_first(nodes)].socket);
    draw_edge(canvas, title, corner[0], corner[1]);
    XLNUMA_FOR_EACH_NODE(node, nodes) {
        draw_node_text(canvas, picture, node);
        draw_devices(canvas, picture, node);
        if (picture->host->node[node].size_kb)
            draw_bar(canvas, picture, node);
    }
    draw_edge(canvas, "", corner[2], corner[3]);
}

/* In as many lines as it takes. */
static void draw_legend(const struct canvas *canvas,
                        const struct picture *picture)
{
    unsigned at = 0;

    for (unsigned kind = 0; kind <= PART_LOW; kind++) {
        const char *name = picture_kind_name(picture, kind);
        unsigned width = 2 + utf8_width(name);

        if (!picture->kinds[kind] || kind == PART_FREE)
            continue;
        if (at && at + 3 + width > canvas->columns) {
            putc('\n', canvas->file);
            at = 0;
        }
        fprintf(canvas->file, "%s%s %s", at ? "   " : "",
                canvas->glyphs->fill[kind], name);
        at += (at ? 3 : 0) + width;
    }
    if (at)
        putc('\n', canvas->file);
}

static void draw_line(void *file, const char *text)
{
    fprintf(file, "%s\n", text);
}

int draw_text(const struct xlnuma_host *host,
              const struct xlnuma__guests *guests, bool is_ascii,
              unsigned columns, FILE *file, char *message)
{
    struct canvas canvas = { is_ascii ? &ascii_glyphs : &utf8_glyphs, columns,
                             file };
    xlnuma_nodeset drawn = 0;
    struct picture picture;
    char head[PICTURE_HEAD_SIZE];
    unsigned node;
    int rc = picture_init(&picture, host, guests, message);

    if (rc)
        return rc;
    picture.is_ascii = is_ascii;
    if (*picture_head(&picture, head, sizeof(head)))
        fprintf(file, "%.*s\n", (int)columns, head);
    XLNUMA_FOR_EACH_NODE(node, host->nodes) {
        xlnuma_nodeset nodes =
            xlnuma__host_sockets_of(host, (xlnuma_nodeset)1 << node);

        if (!(nodes & drawn))
            draw_socket(&canvas, &picture, nodes);
        drawn |= nodes;
    }
    draw_legend(&canvas, &picture);
    rc = picture_notes(&picture, columns, draw_line, file);
    picture_dispose(&picture);
    return rc ? xlnuma__fail(message, rc, "out of memory") : 0;
}
