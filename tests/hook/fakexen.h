/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fake Xen of tests/hook remembers of its domains. */
#ifndef FAKEXEN_H
#define FAKEXEN_H

#include <libxl.h>

/* In an extent array: this one was populated. */
#define FAKE_DONE ((xen_pfn_t)1 << 40)

#define FAKE_VCPUS 2

/* Where xc_domain_restore() has that argument. */
#define FAKE_MEMFLAGS 0x5a000000u

struct fake_domain {
    uint32_t domid;
    libxl_uuid uuid;
    uint64_t nodes, soft_cpus;
    uint64_t hard_cpus[FAKE_VCPUS];
    unsigned nr_affinities; /* times that a vCPU's were set */
    unsigned long pages[4], low_pages[4];
    unsigned long extents[19]; /* by order */
    unsigned long nr_exact;
    unsigned long pod_pages;      /* set aside for population on demand */
    unsigned long restored_pages; /* that a helper is to populate */
    bool is_stock_placed, is_there, is_pv;
    uint64_t vcpu_soft[FAKE_VCPUS];
    uint32_t pool;
    uint8_t block[128];   /* which nodes have pages of each 128 MiB, a mask */
    unsigned nr_acpi;     /* tables that it finds by its RSDP */
    char acpi[16][5];     /* their signatures; "bad!" if the checksum is */
    uint64_t acpi_at[2];  /* the E820's area that they are in */
    uint32_t nr_firmware; /* bytes of acpi_firmware */
    uint8_t firmware[8];  /* the first of them */
    uint8_t tables[4096], rsdp[64], info[4096]; /* that libxl makes for it */
    char kept[8192]; /* what libxl's stored configuration has of it, lines */
};

/* The one that this thread built last, NULL before. */
extern _Thread_local struct fake_domain *fake_domain;

/* The one that anybody built last. */
struct fake_domain *fake_last_domain(void);

/* Returns 0, or 1 when there is no such domain. */
int fake_destroy(unsigned domid);

void fake_print_store(void);

/*
 * For FAKE_CHILD: what its child does, an exit status; and that status, -1 if
 * there was none or it was killed, when it has ended.
 */
extern int (*fake_child)(void);
int fake_wait_child(void);

#endif /* FAKEXEN_H */
