/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model/host.c, formats/host_json.c */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char message[XLNUMA_MESSAGE_SIZE];
static const uint64_t free_mib[4] = { 2657, 1011, 2250, 2300 };

static void good_host(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);

    CU_ASSERT_EQUAL(xlnuma_host_check(host, message), 0);
    CU_ASSERT_STRING_EQUAL(message, "");
    host->distance[0][3] = XLNUMA_DISTANCE_UNREACHABLE;
    CU_ASSERT_EQUAL(xlnuma_host_check(host, message), 0);
    xlnuma_host_free(host);
}

/* Break one thing, see that it is named, mend it. */
#define BREAKS(field, value, words)                                            \
    do {                                                                       \
        __typeof__(field) before_ = field;                                     \
        field = value;                                                         \
        CU_ASSERT_EQUAL(xlnuma_host_check(host, message), XLNUMA_ERR_INVALID); \
        CU_ASSERT_PTR_NOT_NULL(strstr(message, words));                        \
        field = before_;                                                       \
    } while (0)

static void bad_hosts(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    xlnuma_cpuset none = { { 0 } };

    BREAKS(host->nodes, 0, "no nodes");
    BREAKS(host->node[2].free_kb, 3072 * 1024 + 1, "node 2: free_kb 3145729");
    BREAKS(host->node[1].low_free_kb, 1011 * 1024 + 1,
           "node 1: low_free_kb 1035265 is more than free_kb 1035264");
    BREAKS(host->node[1].reserved_kb, 1011 * 1024 + 1,
           "node 1: reserved_kb 1035265 is more than free_kb 1035264");
    BREAKS(host->node[1].size_kb, INT64_MAX, "node 1: size_kb");
    BREAKS(host->node[3].cpus, host->node[0].cpus, "node 3: CPU 0 is in");
    BREAKS(host->node[3].nr_cores, 3, "node 3: 3 cores but only 2 CPUs");
    BREAKS(host->distance[1][1], 11, "from node 1 to itself is 11");
    BREAKS(host->distance[1][2], 10, "from node 1 to node 2 is 10");
    BREAKS(host->distance[2][1], 256, "from node 2 to node 1 is 256");
    host->nr_devices = 2;
    host->device[0] = (struct xlnuma_device){ 0x3b00, 1 };
    host->device[1] = (struct xlnuma_device){ 0x3b01, 3 };
    BREAKS(host->device[1].node, 4, "device 0000:3b:00.1: there is no node 4");
    BREAKS(host->device[1].bdf, 0x3b00, "device 0000:3b:00.0 is there twice");
    BREAKS(host->nr_devices, XLNUMA_DEVICES_MAX + 1, "8193 devices");
    CU_ASSERT_EQUAL(xlnuma_host_check(host, message), 0);
    for (unsigned i = 0; i < 4; i++)
        host->node[i].cpus = none;
    CU_ASSERT_EQUAL(xlnuma_host_check(host, message), XLNUMA_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(message, "no node has CPUs");
    xlnuma_host_free(host);
}

static void round_trip(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    struct xlnuma_host *read = xlnuma_host_new();
    char text[8192];
    FILE *file = fmemopen(text, sizeof(text), "w");

    host->node[0].nr_cores = 1;
    host->node[0].low_free_kb = 300 * 1024;
    host->node[0].reserved_kb = 400 * 1024;
    host->node[1].load_mvcpu = 2500;
    host->nodes |= (xlnuma_nodeset)1 << 63; /* a gap, no CPUs, no memory */
    for (unsigned i = 0; i < XLNUMA_NODES_MAX; i++)
        host->distance[i][63] = host->distance[63][i] = i == 63 ? 10 : 40;
    host->nr_devices = 2;
    host->device[0] = (struct xlnuma_device){ 0x00003bff, 63 };
    host->device[1] = (struct xlnuma_device){ 0x10023b00, 1 };
    CU_ASSERT_EQUAL(
        xlnuma__snapshot_write(host, NULL, "with \"quotes\"", file, message),
        0);
    fclose(file);
    CU_ASSERT_EQUAL(
        xlnuma__snapshot_parse(read, NULL, "t", text, strlen(text), message),
        0);
    CU_ASSERT_STRING_EQUAL(message, "");
    CU_ASSERT_EQUAL(read->nodes, host->nodes);
    CU_ASSERT_EQUAL(memcmp(read->node, host->node, sizeof(host->node)), 0);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(memcmp(read->distance[i], host->distance[i],
                               4 * sizeof(host->distance[0][0])),
                        0);
    CU_ASSERT_EQUAL(read->distance[63][0], 40);
    CU_ASSERT_EQUAL(read->nr_devices, 2);
    CU_ASSERT_EQUAL(
        memcmp(read->device, host->device, 2 * sizeof(host->device[0])), 0);
    xlnuma_host_free(host);
    xlnuma_host_free(read);
}

/* Devices in any order; their nodes by binary search. */
static void devices(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    char text[XLNUMA_BDF_SIZE];
    xlnuma_bdf bdf = 0;
    unsigned node = 9;

    CU_ASSERT_TRUE(xlnuma_bdf_parse("ABCD:3b:1f.7", &bdf));
    CU_ASSERT_EQUAL(bdf, 0xabcd3bffu);
    CU_ASSERT_STRING_EQUAL(xlnuma_bdf_format(bdf, text), "abcd:3b:1f.7");
    CU_ASSERT_TRUE(xlnuma_bdf_parse("3:2.1", &bdf));
    CU_ASSERT_EQUAL(bdf, 0x0311);
    CU_ASSERT_STRING_EQUAL(xlnuma_bdf_format(bdf, text), "0000:03:02.1");
    CU_ASSERT_FALSE(xlnuma_bdf_parse("", &bdf));
    CU_ASSERT_FALSE(xlnuma_bdf_parse("3b:00", &bdf));
    CU_ASSERT_FALSE(xlnuma_bdf_parse("0:0:3b:00.0", &bdf));
    host->nr_devices = 3;
    host->device[0] = (struct xlnuma_device){ 0x0311, 2 };
    host->device[1] = (struct xlnuma_device){ 0xabcd3bff, 3 };
    host->device[2] = (struct xlnuma_device){ 0x0008, 1 };
    xlnuma__host_sort_devices(host);
    CU_ASSERT_EQUAL(xlnuma_host_check(host, message), 0);
    CU_ASSERT_TRUE(xlnuma__host_find_device(host, 0xabcd3bff, &node));
    CU_ASSERT_EQUAL(node, 3);
    CU_ASSERT_TRUE(xlnuma__host_find_device(host, 0x0008, &node));
    CU_ASSERT_EQUAL(node, 1);
    CU_ASSERT_FALSE(xlnuma__host_find_device(host, 0x0310, &node));
    xlnuma_host_free(host);
}

static void full_disk(void)
{
    struct xlnuma_host *host = unit_host(4, 2, free_mib);
    FILE *file = fopen("/dev/full", "w");

    CU_ASSERT_EQUAL(xlnuma__snapshot_write(host, NULL, NULL, file, message),
                    XLNUMA_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, strerror(ENOSPC)));
    fclose(file);
    xlnuma_host_free(host);
}

static void no_file(void)
{
    struct xlnuma_host *host = xlnuma_host_new();

    CU_ASSERT_EQUAL(xlnuma_host_load(host, "/nonexistent/h.json", message),
                    XLNUMA_ERR_IO);
    CU_ASSERT_STRING_EQUAL(message,
                           "/nonexistent/h.json: No such file or directory");
    CU_ASSERT_EQUAL(xlnuma_host_load(host, "/", message), XLNUMA_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, strerror(EISDIR)));
    xlnuma_host_free(host);
}

static void endless_file(void)
{
    struct xlnuma_host *host = xlnuma_host_new();

    CU_ASSERT_EQUAL(xlnuma_host_load(host, "/dev/zero", message),
                    XLNUMA_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "larger than a snapshot can be"));
    xlnuma_host_free(host);
}

/* --- sizes by the machine's map ------------------------------------------- */

#define GIB_PAGES ((uint64_t)262144)
#define GIB_KB ((uint64_t)1048576)

/* In GiB: spans and free memory of nodes 0 to 3, ranges with memory, and sizes. */
struct sizes {
    uint64_t span[4], free[4];
    struct {
        uint64_t start, end;
    } ram[8];
    uint64_t size[4]; /* all 0: the map does not fit */
};

static void try_sizes(const struct sizes *sizes)
{
    static const uint64_t none[4];
    struct xlnuma_host *host = unit_host(4, 2, none);
    struct xlnuma__ram ram[8];
    unsigned nr = 0;
    bool fits = sizes->size[0];

    for (unsigned i = 0; i < 4; i++) {
        host->node[i].size_kb = sizes->span[i] * GIB_KB;
        host->node[i].free_kb = sizes->free[i] * GIB_KB;
    }
    for (; nr < 8 && sizes->ram[nr].end; nr++)
        ram[nr] =
            (struct xlnuma__ram){ .start_page =
                                      sizes->ram[nr].start * GIB_PAGES,
                                  .end_page = sizes->ram[nr].end * GIB_PAGES };
    CU_ASSERT_EQUAL(xlnuma__host_size_by_map(host, ram, nr), fits);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(host->node[i].size_kb,
                        (fits ? sizes->size[i] : sizes->span[i]) * GIB_KB);
    xlnuma_host_free(host);
}

static void holes(void)
{
    static const struct sizes table[] = {
        /* none */
        { { 64, 64, 64, 64 }, { 0 }, { { 0, 256 } }, { 64, 64, 64, 64 } },
        /* below 4 GiB */
        { { 66, 64, 64, 64 },
          { 64, 64, 64, 64 },
          { { 0, 2 }, { 4, 258 } },
          { 64, 64, 64, 64 } },
        /* on nodes 0 (2 GiB) and 3 (2 TiB), as in the field */
        { { 66, 64, 64, 2112 },
          { 63, 63, 63, 63 },
          { { 0, 2 }, { 4, 206 }, { 2254, 2306 } },
          { 64, 64, 64, 64 } },
        /* 12 GiB below 1 TiB, on node 1 */
        { { 514, 524, 512, 512 },
          { 0 },
          { { 0, 2 }, { 4, 1012 }, { 1024, 2062 } },
          { 512, 512, 512, 512 } },
        /* at the end of a node and at the beginning of the next */
        { { 64, 64, 64, 64 },
          { 0 },
          { { 0, 60 }, { 66, 256 } },
          { 60, 62, 64, 64 } },
        /* one node without memory */
        { { 64, 0, 64, 64 }, { 0 }, { { 0, 192 } }, { 64, 0, 64, 64 } },
        /* between two nodes, in the span of neither: the last one ends too late */
        { { 64, 64, 64, 64 }, { 0 }, { { 0, 128 }, { 160, 288 } }, { 0 } },
        /* nodes in another order: node 0, at the end, has more free than that */
        { { 64, 66, 64, 64 },
          { 63, 0, 0, 0 },
          { { 0, 2 }, { 4, 258 } },
          { 0 } },
        /* no map */
        { { 64, 64, 64, 64 }, { 1, 1, 1, 1 }, { { 0, 0 } }, { 0 } },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        try_sizes(&table[i]);
}

/* A number that no id can have is a name: it does not wrap around. */
static void guest_ids(void)
{
    uint32_t id = 0;

    CU_ASSERT(xlnuma__guest_id("17", &id));
    CU_ASSERT_EQUAL(id, 17);
    CU_ASSERT(xlnuma__guest_id("0", &id));
    CU_ASSERT_FALSE(xlnuma__guest_id("", &id));
    CU_ASSERT_FALSE(xlnuma__guest_id("1a", &id));
    CU_ASSERT_FALSE(xlnuma__guest_id("-1", &id));
    CU_ASSERT_FALSE(xlnuma__guest_id("4294967297", &id));
    CU_ASSERT_FALSE(xlnuma__guest_id("99999999999999999999999", &id));
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "a good host passes", good_host },
        { "each broken rule is named", bad_hosts },
        { "written and read again it is the same", round_trip },
        { "devices: addresses, order, and whose node is which", devices },
        { "a full disk is told", full_disk },
        { "a missing file, a directory", no_file },
        { "a file without end", endless_file },
        { "each hole is taken off its own node", holes },
        { "ids of guests as users write them", guest_ids },
        { NULL, NULL },
    };

    return unit_run("host", tests);
}
