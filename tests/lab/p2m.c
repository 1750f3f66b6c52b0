/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's pages in the tables that the hardware walks, by Xen's own trace of each
 * change of them (xentrace, event SET_P2M_ENTRY):
 *
 *   p2m DOMID FILE
 *
 * prints how many pages of memory the domain has in entries of 2 MiB or more, and
 * how many in all.
 *
 *   p2m DOMID FILE START-END NODE...
 *
 * prints how many of its pages at these guest addresses are on each node, whose
 * memory ends before machine frame NODE. Fails when the trace lacks records. Knows HVM and PVH guests
 * below 4 GiB; a PV guest has no such tables.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NR_PAGES (1ul << 20)
#define LOST_RECORDS 0x0001f001u
#define SET_P2M_ENTRY 0x0010f004u

/* Of Xen's p2m_type_t: memory, and memory whose changes are logged. */
#define RAM_RW 0
#define RAM_LOGDIRTY 2

struct entry {
    uint64_t gfn, mfn;
    uint32_t type;
    uint16_t domid, order;
};

/* 0: the guest has no such page; else one more than its entry's order. */
static uint8_t order_of[NR_PAGES];
static uint64_t mfn_of[NR_PAGES];

/* A large entry of which a part changes becomes small ones. */
static void split(uint64_t gfn, unsigned order)
{
    unsigned was = order_of[gfn] ? order_of[gfn] - 1u : 0;
    uint64_t first = gfn >> was << was;

    if (was > order)
        for (uint64_t i = first; i < first + (1ull << was); i++)
            order_of[i] = (uint8_t)(order + 1);
}

static void set(const struct entry *entry)
{
    bool is_ram =
        (entry->type == RAM_RW || entry->type == RAM_LOGDIRTY) && ~entry->mfn;
    uint64_t nr = 1ull << entry->order;

    if (entry->gfn + nr > NR_PAGES)
        return;
    split(entry->gfn, entry->order);
    for (uint64_t i = entry->gfn; i < entry->gfn + nr; i++) {
        order_of[i] = (uint8_t)(is_ram ? entry->order + 1 : 0);
        mfn_of[i] = entry->mfn + (i - entry->gfn);
    }
}

/* A record's head is the event, 28 bits, its words, 3, and: has it a time? */
static bool read_trace(FILE *file, unsigned domid)
{
    _Alignas(struct entry) uint32_t words[9];
    uint32_t head;

    while (fread(&head, sizeof(head), 1, file) == 1) {
        unsigned nr = (head >> 28 & 7) + (head >> 31 ? 2 : 0);
        uint32_t event = head & 0xfffffff;
        const struct entry *entry = (const struct entry *)words;

        if (fread(words, sizeof(*words), nr, file) != nr ||
            event == LOST_RECORDS)
            return false;
        if (event == SET_P2M_ENTRY && nr * sizeof(*words) == sizeof(*entry) &&
            entry->domid == domid)
            set(entry);
    }
    return !ferror(file);
}

static void print_nodes(const char *addresses, int nr_nodes, char **end)
{
    unsigned long nr[64] = { 0 };
    char *dash;
    uint64_t start = strtoull(addresses, &dash, 16) >> 12;
    uint64_t last = strtoull(dash + 1, NULL, 16) >> 12;

    for (uint64_t i = start; i < last && i < NR_PAGES; i++)
        for (int n = 0; order_of[i] && n < nr_nodes; n++)
            if (mfn_of[i] < strtoull(end[n], NULL, 10)) {
                nr[n]++;
                break;
            }
    for (int n = 0; n < nr_nodes; n++)
        printf("%lu%c", nr[n], n + 1 < nr_nodes ? ' ' : '\n');
}

int main(int argc, char **argv)
{
    FILE *file = argc >= 3 ? fopen(argv[2], "r") : NULL;
    unsigned long large = 0, all = 0;

    if (!file || !read_trace(file, (unsigned)atoi(argv[1]))) {
        fprintf(stderr, "p2m: no complete trace\n");
        return 1;
    }
    if (argc > 3) {
        print_nodes(argv[3], argc - 4, argv + 4);
        return 0;
    }
    for (unsigned long i = 0; i < NR_PAGES; i++) {
        all += order_of[i] > 0;
        large += order_of[i] > 9;
    }
    printf("%lu %lu\n", large, all);
    return 0;
}
