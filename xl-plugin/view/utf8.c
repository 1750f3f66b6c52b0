/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8, strictly: what is not is shown as a question mark. */
#include "view/utf8.h"

#include <string.h>
#include <wchar.h>

/* How many bytes the character has that begins with this one; 0: none does. */
static unsigned length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Longer than need be, half of a pair, beyond the end, or not for lines. */
static int is_bad(uint32_t c, unsigned length)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    return c < least[length] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff ||
           c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           (c & 0xfffe) == 0xfffe;
}

uint32_t utf8_next(const char **text)
{
    const unsigned char *here = (const unsigned char *)*text;
    unsigned length = length_of(*here), i = 1;
    uint32_t c = length > 1 ? *here & (0x7fu >> length) : *here;

    for (; i < length && (here[i] & 0xc0) == 0x80; i++)
        c = c << 6 | (here[i] & 0x3f);
    *text += length && i == length ? length : 1;
    return !length || i < length || is_bad(c, length) ? '?' : c;
}

unsigned utf8_width(const char *text)
{
    unsigned width = 0;

    while (*text) {
        uint32_t c = utf8_next(&text);
        int columns = wcwidth((wchar_t)c);

        if (columns < 0) /* the locale does not know it: East Asian is wide */
            columns = c < 0x1100 ? 1 : 2;
        width += (unsigned)columns;
    }
    return width;
}

char *utf8_clean(const char *text, int is_ascii, char *buf, size_t size)
{
    size_t used = 0;

    while (*text) {
        const char *start = text;
        uint32_t c = utf8_next(&text);
        int is_mark = c == '?' || (is_ascii && c > 0x7f);
        size_t length = is_mark ? 1 : (size_t)(text - start);

        if (used + length >= size)
            break;
        memcpy(buf + used, is_mark ? "?" : start, length);
        used += length;
    }
    buf[used] = '\0';
    return buf;
}
