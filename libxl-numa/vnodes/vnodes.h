/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nodes that a guest sees, from its plan: vnodes.c; as ACPI tables: acpi.c. */
#ifndef XLNUMA_VNODES_H
#define XLNUMA_VNODES_H

#include "model/layout.h"
#include "model/plan.h"

/* Linux's blocks of memory; a node smaller than one kills it. */
#define XLNUMA__BLOCK_KB ((uint64_t)128 << 10)

/*
 * As xlnuma_plan_make(), or xlnuma__plan_dedicated() for a guest with dedicated CPUs,
 * and then the guest's nodes. With a fixed number N of
 * them the plan takes as few nodes as hold the guest, of the numbers that divide
 * N; when it wants more nodes than the best set has, the nearest others join it.
 * The nodes that a restored guest has keep their memory: they are divided over as
 * few nodes, of those numbers, as have room for them.
 */
int xlnuma__plan_with_vnodes(const struct xlnuma_host *host,
                             const struct xlnuma_request *request,
                             struct xlnuma_plan *plan_r, char *message);

/*
 * The guest's nodes of a plan that is placed. Without any, vnodes_reason says why.
 * The plan's memory_kb follow the nodes' memory.
 */
void xlnuma__vnodes_make(const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         struct xlnuma_plan *plan);

/* It has none, and why. */
void xlnuma__vnodes_drop(struct xlnuma_plan *plan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- assign.c ------------------------------------------------------------- */

/*
 * Each node of a restored guest (request->kept_nodes) to one of these of the host,
 * whose number divides theirs, as many to each, where the distances are most like
 * those that the guest has been told. The guest needs needed_kb with overhead. Returns
 * false when they have no room.
 */
bool xlnuma__kept_assign(const struct xlnuma_host *host,
                         const struct xlnuma_request *request,
                         xlnuma_nodeset nodes, uint64_t needed_kb,
                         unsigned node_r[]);

/* --- pins.c --------------------------------------------------------------- */

/*
 * The CPUs of a guest node, of those that are usable: those of its node of the host,
 * which has also those of the plan's nodes that are no guest node's. Several guest
 * nodes on one node have the same.
 */
void xlnuma__vnodes_cpus(const struct xlnuma_host *host,
                         const struct xlnuma_plan *plan, unsigned vnode,
                         const xlnuma_cpuset *usable, xlnuma_cpuset *cpus_r);

/*
 * A dedicated CPU for each vCPU of a plan that has some, out of those of its guest
 * node. Returns false, and the plan is as it was, when a node has too few.
 */
bool xlnuma__vnodes_pin(const struct xlnuma_host *host,
                        const struct xlnuma_request *request,
                        struct xlnuma_plan *plan);

/* --- acpi.c --------------------------------------------------------------- */

/* What the tables are made of. */
struct xlnuma__tables {
    const struct xlnuma__layout *layout;
    unsigned nr_vcpus;
    const uint8_t *apic_id; /* of each vCPU */
};

/* SRAT and SLIT, at most this large, each from a multiple of 16 on. */
#define XLNUMA__TABLES_SIZE                                                    \
    (64 + 16 * XLNUMA_GUEST_VCPUS_MAX + 40 * XLNUMA__VRANGES_MAX + 64 +        \
     XLNUMA_GUEST_NODES_MAX * XLNUMA_GUEST_NODES_MAX)

/* Write SRAT or SLIT; return its length. What is written to is zero before. */
uint32_t xlnuma__acpi_srat(const struct xlnuma__tables *tables, uint8_t *to);
uint32_t xlnuma__acpi_slit(const struct xlnuma__tables *tables, uint8_t *to);

/* The ACPI tables that libxl made for a PVH guest, before they are copied there. */
struct xlnuma__acpi_area {
    const uint8_t *bytes; /* `length` of them, at guest address `base` */
    uint32_t length;
    uint64_t base;
    uint8_t *rsdp; /* 36 bytes */
};

/*
 * What the area may grow by: two pages in front of the tables, one for the XSDT,
 * the tables, and what rounding up to pages adds.
 */
#define XLNUMA__ACPI_MORE (5 * 4096 + XLNUMA__TABLES_SIZE)

/*
 * Copy the area to `to` (area->length + XLNUMA__ACPI_MORE bytes of zero), with
 * SRAT and SLIT added, and let the RSDP refer to a longer XSDT in it. The tables'
 * APIC ids are those of the MADT; tables->apic_id is not looked at.
 *
 * Returns the new length, whole pages. When anything is not as libxl makes it: 0,
 * *why_r (static) says what, and the RSDP is as it was.
 */
uint32_t xlnuma__acpi_extend(const struct xlnuma__acpi_area *area,
                             const struct xlnuma__tables *tables, uint8_t *to,
                             const char **why_r);

/* --- acpi_read.c ---------------------------------------------------------- */

/* A guest's memory; `read` returns false where there is none. */
struct xlnuma__guest_memory {
    bool (*read)(void *data, uint64_t address, void *to, size_t length);
    void *data;
};

/*
 * The nodes that its tables have. Returns NULL, or (static) what is wrong with them;
 * then *layout_r is of no use.
 */
const char *xlnuma__acpi_read(const struct xlnuma__guest_memory *memory,
                              struct xlnuma__layout *layout_r);

#endif /* XLNUMA_VNODES_H */
