/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * on-node NODE MIB: takes so much memory with a policy that binds it to one node,
 * and prints how many of its pages are in which guest frames: lines "NODE FIRST
 * LAST PAGES", in hexadecimal but the last, a line for each GiB of addresses.
 * Runs in the lab's Linux guests.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GIBS 64
#define GIB_PAGES 0x40000

int main(int argc, char **argv)
{
    unsigned long node = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) << 20 : 0;
    unsigned long mask = 1ul << node, nr[GIBS] = { 0 };
    uint64_t first[GIBS], last[GIBS];
    int fd = open("/proc/self/pagemap", O_RDONLY);
    char *memory;

    if (fd < 0 || !size ||
        syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 8 * sizeof(mask) + 1)) {
        perror("on-node");
        return 1;
    }
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("on-node");
        return 1;
    }
    memset(memory, 1, size);
    for (size_t at = 0; at < size; at += 4096) {
        off_t where = (off_t)((uintptr_t)(memory + at) / 4096 * 8);
        uint64_t entry, frame;
        unsigned gib;

        if (pread(fd, &entry, sizeof(entry), where) != sizeof(entry))
            return 1;
        frame = entry & (((uint64_t)1 << 55) - 1);
        gib = (unsigned)(frame / GIB_PAGES % GIBS);
        if (!nr[gib]++)
            first[gib] = last[gib] = frame;
        first[gib] = frame < first[gib] ? frame : first[gib];
        last[gib] = frame > last[gib] ? frame : last[gib];
    }
    for (unsigned i = 0; i < GIBS; i++)
        if (nr[i])
            printf("%lu %" PRIx64 " %" PRIx64 " %lu\n", node, first[i], last[i],
                   nr[i]);
    return 0;
}
