/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of guests in tables, pictures and for other programs: UTF-8, or not. */
#ifndef XLNUMA_UTF8_H
#define XLNUMA_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The next character, and *text behind it. A byte that begins none, and what no
 * line of text should have in it (control characters), is a question mark.
 */
uint32_t utf8_next(const char **text);

/* How many columns of a terminal (or of fixed-width type) the text takes. */
unsigned utf8_width(const char *text);

/*
 * The text without what utf8_next() does not let through, cut at a character to
 * fit; with is_ascii each other character is a question mark. Returns buf.
 */
char *utf8_clean(const char *text, int is_ascii, char *buf, size_t size);

#endif /* XLNUMA_UTF8_H */
