/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan's alternatives in words: in a cell, and as a sentence. Decides nothing. */
#include "view/plan_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/plan.h"

#define LINE_WIDTH 78
#define SENTENCE_SIZE 1024

/* In a cell, and as a sentence behind "Nodes 0-1, at distance 10.50: ". */
static const struct {
    const char *cell, *sentence; /* NULL: with numbers */
} words[] = {
    [XLNUMA_WHY_NOT_MEMORY] = { NULL, NULL },
    [XLNUMA_WHY_NOT_CPUS] = { NULL, NULL },
    [XLNUMA_WHY_NOT_CORES] = { NULL, NULL },
    [XLNUMA_WHY_NOT_POLICY] = { "more nodes than the policy allows",
                                "more nodes than the policy allows." },
    [XLNUMA_WHY_NOT_FARTHER] = { "farther apart", NULL },
    [XLNUMA_WHY_NOT_DEVICES] = { "farther from its devices",
                                 "could hold the guest, but farther from its "
                                 "PCI devices." },
    [XLNUMA_WHY_NOT_SOCKETS] = { "equally near, but on more sockets",
                                 "equally near, but on more sockets." },
    [XLNUMA_WHY_NOT_GROWTH] = { "equally near, but has no room for maxmem or "
                                "maxvcpus",
                                "equally near, but has no room for its maxmem "
                                "or "
                                "maxvcpus." },
    [XLNUMA_WHY_NOT_LOW] = { "equally near, but takes more low memory",
                             "equally near, but with more memory that Xen "
                             "keeps "
                             "for DMA." },
    [XLNUMA_WHY_NOT_LOAD] = { "equally near, but busier",
                              "equally near, but its CPUs are busier." },
    [XLNUMA_WHY_NOT_HOLES] = { "equally near, but leaves free memory more "
                               "fragmented",
                               "equally near, but what would be left is no "
                               "better for guests to come; of equals the "
                               "lowest "
                               "numbers win." },
    [XLNUMA_WHY_NOT_NODES] = { "excluded by numa_nodes",
                               "could hold the guest, but numa_nodes excludes "
                               "it." },
    [XLNUMA_WHY_NOT_AFFINITY] = { "excluded by cpus or pool",
                                  "could hold the guest, but its CPUs are "
                                  "excluded by cpus or pool." },
};

void plan_words_short(const struct xlnuma_alternative *alternative, char *text,
                      size_t size)
{
    unsigned nr = alternative->short_cpus;

    if (words[alternative->why].cell)
        snprintf(text, size, "%s", words[alternative->why].cell);
    else if (alternative->why == XLNUMA_WHY_NOT_MEMORY)
        snprintf(text, size, "%" PRIu64 " MiB short",
                 (alternative->short_kb + 1023) / 1024);
    else
        snprintf(text, size, "%u %s%s short", nr,
                 alternative->why == XLNUMA_WHY_NOT_CPUS ? "CPU" : "core",
                 xlnuma__plural(nr));
}

static void say_why(const struct xlnuma_alternative *alternative,
                    const struct xlnuma_plan *plan, char *text, size_t size)
{
    unsigned nr = alternative->short_cpus;
    uint64_t has_kb = plan->needed_kb - alternative->short_kb;

    if (words[alternative->why].sentence)
        snprintf(text, size, "%s", words[alternative->why].sentence);
    else if (alternative->why == XLNUMA_WHY_NOT_FARTHER)
        snprintf(text, size,
                 "could hold the guest, but memory would be %.2f farther.",
                 alternative->expected_distance - plan->expected_distance);
    else if (alternative->why == XLNUMA_WHY_NOT_MEMORY)
        snprintf(text, size,
                 "can give %" PRIu64 " MiB, %" PRIu64 " MiB less than needed.",
                 has_kb / 1024, (alternative->short_kb + 1023) / 1024);
    else if (alternative->why == XLNUMA_WHY_NOT_CPUS)
        snprintf(text, size, "%u CPU%s short of one for each vCPU.", nr,
                 xlnuma__plural(nr));
    else
        snprintf(text, size,
                 "%u core%s short of one for each vCPU: vCPUs would share.", nr,
                 xlnuma__plural(nr));
}

/* Break lines at blanks; all but the first are indented. */
static void print_wrapped(const char *text, FILE *file)
{
    const char *indent = "";

    while (*text) {
        size_t most = LINE_WIDTH - strlen(indent), length = strlen(text);

        if (length > most) {
            length = most;
            while (length && text[length] != ' ')
                length--;
            if (!length) /* one word that is longer than a line */
                length = strcspn(text, " ");
        }
        fprintf(file, "%s%.*s\n", indent, (int)length, text);
        text += length + (text[length] == ' ');
        indent = "  ";
    }
}

void plan_words_print(const struct xlnuma_plan *plan, FILE *file)
{
    for (unsigned i = 0; i < plan->nr_alternatives; i++) {
        const struct xlnuma_alternative *alternative = &plan->alternative[i];
        char nodes[256], why[SENTENCE_SIZE / 2], sentence[SENTENCE_SIZE];

        say_why(alternative, plan, why, sizeof(why));
        snprintf(
            sentence, sizeof(sentence), "- Node%s %s, at distance %.2f: %s",
            xlnuma__plural(xlnuma_nodeset_count(alternative->nodes)),
            xlnuma_nodeset_format(alternative->nodes, nodes, sizeof(nodes)),
            alternative->expected_distance, why);
        print_wrapped(sentence, file);
    }
}
