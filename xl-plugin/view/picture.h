/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in a picture of a host, for the terminal (draw.c) and as SVG (svg.c):
 * the parts that each node's memory is in. Draws nothing.
 */
#ifndef XLNUMA_PICTURE_H
#define XLNUMA_PICTURE_H

#include <stdio.h>

#include "model/guests.h"
#include "model/request.h"

enum part_kind {
    PART_OTHER,    /* Xen, Domain-0, and guests that are not known where */
    PART_GUEST,    /* a guest's */
    PART_RESERVED, /* free, but builds in flight are going to take it */
    PART_FREE,     /* free, and not low */
    PART_LOW,      /* free, below Xen's DMA width */
};

struct part {
    enum part_kind kind;
    unsigned guest; /* its index, of PART_GUEST */
    uint64_t kb;
};

struct picture {
    const struct xlnuma_host *host;      /* borrowed */
    const struct xlnuma__guests *guests; /* borrowed */
    bool is_ascii;                       /* nothing but ASCII in labels */
    struct part *part; /* owned: those of one node, picture_node() */
    unsigned nr_parts;
    bool *is_numbered; /* owned, by guest: a label has its id, not its name */
    bool kinds[PART_LOW + 1]; /* that some node has */
};

/* Returns 0, XLNUMA_ERR_NOMEM. picture_dispose() is safe in any case. */
int picture_init(struct picture *picture_r, const struct xlnuma_host *host,
                 const struct xlnuma__guests *guests, char *message);
void picture_dispose(struct picture *picture);

/*
 * Fill `part` with those of a node, none of them empty; they sum up to its
 * size. Should its guests have had more when they were built than is in use now,
 * each is shown smaller in proportion.
 */
void picture_node(struct picture *picture, unsigned node);

/*
 * The end of a part on a line of `length` for `size_kb`, when what is before it
 * and it are sum_kb.
 */
unsigned picture_at(uint64_t sum_kb, uint64_t size_kb, unsigned length);

#define PICTURE_LABEL_SIZE (4 * XLNUMA_NAME_SIZE)

/*
 * What to write on a part that has room for `columns`: the guest's name, its id,
 * or nothing. Keeps in mind which guests are not named. Returns buf.
 */
char *picture_label(struct picture *picture, const struct part *part,
                    unsigned columns, char buf[PICTURE_LABEL_SIZE]);

/* "host1, Xen 4.17.7, 2026-11-28 12:00 UTC", as far as it is known. */
#define PICTURE_HEAD_SIZE (PICTURE_LABEL_SIZE + 96)
char *picture_head(const struct picture *picture, char *buf, size_t size);

/* "node 0  CPUs 0-1  load 1.25"; cut to fit, the list of CPUs first. */
char *picture_node_left(const struct picture *picture, unsigned node,
                        unsigned columns, char *buf, size_t size);
/* "2651 of 3071 MiB free" */
char *picture_node_right(const struct picture *picture, unsigned node,
                         char *buf, size_t size);

/*
 * Lines of text below the picture, at most `columns` wide, each given to
 * `line`: distances within and between sockets, the names behind the numbers in
 * labels, and the guests that are not known where. Call it when all is drawn.
 * Returns 0, XLNUMA_ERR_NOMEM.
 */
int picture_notes(const struct picture *picture, unsigned columns,
                  void (*line)(void *context, const char *text), void *context);

/* What the legend calls a kind of part. */
const char *picture_kind_name(const struct picture *picture,
                              enum part_kind kind);

/* The largest node's memory. */
uint64_t picture_largest_kb(const struct picture *picture);

/* In the terminal, so many columns wide. */
int draw_text(const struct xlnuma_host *host,
              const struct xlnuma__guests *guests, bool is_ascii,
              unsigned columns, FILE *file, char *message);

/* Returns 0, XLNUMA_ERR_NOMEM. */
int draw_svg(const struct xlnuma_host *host,
             const struct xlnuma__guests *guests, FILE *file, char *message);

#endif /* XLNUMA_PICTURE_H */
