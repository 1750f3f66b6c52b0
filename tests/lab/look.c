/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the lab's scenarios ask of Xen most often, from Xen itself and xenstore. An xl
 * takes ten times as long to start: it loads twenty libraries.
 *
 *   look id NAME           the domain's number
 *   look exists DOMAIN     fails if it does not; a number or a name, here and below
 *   look state DOMAIN      what it does, and its processor time in tenths of a second:
 *                          "blocked 123"; running, paused, shutdown, crashed, dying
 *   look nodes             lines "NODE SIZE FREE DISTANCE...", in MiB
 *   look affinity DOMAIN   the nodes of its node affinity: "0,2-3"
 *   look vcpus DOMAIN      lines "HARD / SOFT", the CPUs of each vCPU, or "all"
 *   look key KEY           has Xen take the debug key
 *   look ring              what Xen's console ring has, which is empty then
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>
#include <xenstore.h>

enum { NR_NODES = 64, RING_SIZE = 1 << 22 };

static xc_interface *xc;

static void die(const char *what)
{
    fprintf(stderr, "look: ");
    perror(what);
    exit(2);
}

/* The domain of that name, as xenstore has it; -1 if there is none. */
static long find_name(const char *wanted)
{
    struct xs_handle *xs = xs_open(0);
    unsigned nr = 0;
    char **ids = xs ? xs_directory(xs, XBT_NULL, "/local/domain", &nr) : NULL;
    long id = -1;

    if (!ids)
        die("xenstore");
    for (unsigned i = 0; id < 0 && i < nr; i++) {
        char path[64], *name;

        snprintf(path, sizeof(path), "/local/domain/%.16s/name", ids[i]);
        name = xs_read(xs, XBT_NULL, path, NULL);
        if (name && !strcmp(name, wanted))
            id = atol(ids[i]);
        free(name);
    }
    free(ids);
    xs_close(xs);
    return id;
}

/* By its number or its name; ends with status 1 if there is none. */
static xc_domaininfo_t find(const char *domain)
{
    bool is_number = *domain && strspn(domain, "0123456789") == strlen(domain);
    long id = is_number ? atol(domain) : find_name(domain);
    xc_domaininfo_t info;
    int nr = id < 0 ? 0 : xc_domain_getinfolist(xc, (uint32_t)id, 1, &info);

    if (nr < 0)
        die("domain");
    if (!nr || info.domain != id)
        exit(1);
    return info;
}

static const char *state_of(uint32_t flags)
{
    if (flags & XEN_DOMINF_dying)
        return "dying";
    if (flags & XEN_DOMINF_shutdown)
        return (flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask) ==
                       SHUTDOWN_crash
                   ? "crashed"
                   : "shutdown";
    if (flags & XEN_DOMINF_paused)
        return "paused";
    return flags & XEN_DOMINF_blocked ? "blocked" : "running";
}

static bool has(const unsigned char map[], int bit)
{
    return map[bit / 8] >> bit % 8 & 1;
}

static void print_list(const unsigned char map[], int nr)
{
    const char *before = "";

    for (int i = 0, last; i < nr; i = last + 1) {
        for (last = i; last + 1 < nr && has(map, i) && has(map, last + 1);)
            last++;
        if (!has(map, i))
            continue;
        printf(last > i ? "%s%d-%d" : "%s%d", before, i, last);
        before = ",";
    }
}

static void print_cpus(xc_cpumap_t map)
{
    int nr = xc_get_max_cpus(xc);
    bool is_all = true;

    for (int i = 0; i < nr; i++)
        is_all &= has(map, i);
    if (is_all)
        printf("all");
    else
        print_list(map, nr);
}

static void print_vcpus(const xc_domaininfo_t *info)
{
    for (unsigned vcpu = 0; vcpu <= info->max_vcpu_id; vcpu++) {
        xc_cpumap_t hard = xc_cpumap_alloc(xc), soft = xc_cpumap_alloc(xc);

        if (!hard || !soft ||
            xc_vcpu_getaffinity(xc, (int)info->domain, (int)vcpu, hard, soft,
                                XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT))
            die("vCPU affinity");
        print_cpus(hard);
        printf(" / ");
        print_cpus(soft);
        printf("\n");
        free(hard);
        free(soft);
    }
}

static void print_affinity(const xc_domaininfo_t *info)
{
    xc_nodemap_t map = xc_nodemap_alloc(xc);

    if (!map || xc_domain_node_getaffinity(xc, info->domain, map))
        die("node affinity");
    print_list(map, xc_get_max_nodes(xc));
    printf("\n");
    free(map);
}

static void print_nodes(void)
{
    static uint32_t distance[NR_NODES * NR_NODES];
    static xc_meminfo_t memory[NR_NODES];
    unsigned nr = NR_NODES;

    if (xc_numainfo(xc, &nr, memory, distance))
        die("nodes");
    for (unsigned i = 0; i < nr; i++) {
        if (memory[i].memsize == XEN_INVALID_MEM_SZ)
            continue;
        printf("%u %llu %llu", i, (unsigned long long)memory[i].memsize >> 20,
               (unsigned long long)memory[i].memfree >> 20);
        for (unsigned j = 0; j < nr; j++)
            printf(" %u", distance[i * nr + j]);
        printf("\n");
    }
}

static void print_ring(void)
{
    static char ring[RING_SIZE];
    unsigned nr = sizeof(ring), index = 0;

    if (xc_readconsolering(xc, ring, &nr, 1, 0, &index))
        die("console ring");
    fwrite(ring, 1, nr, stdout);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *of = argc > 2 ? argv[2] : "";
    xc_domaininfo_t info;

    xc = xc_interface_open(NULL, NULL, 0);
    if (!xc)
        die("Xen");
    if (!strcmp(what, "nodes")) {
        print_nodes();
    } else if (!strcmp(what, "ring")) {
        print_ring();
    } else if (!strcmp(what, "key")) {
        if (xc_send_debug_keys(xc, of))
            die("debug key");
    } else {
        info = find(of);
        if (!strcmp(what, "id"))
            printf("%u\n", info.domain);
        else if (!strcmp(what, "affinity"))
            print_affinity(&info);
        else if (!strcmp(what, "vcpus"))
            print_vcpus(&info);
        else if (!strcmp(what, "state"))
            printf("%s %llu\n", state_of(info.flags),
                   (unsigned long long)info.cpu_time / 100000000);
        else if (strcmp(what, "exists"))
            return 2;
    }
    return 0;
}
