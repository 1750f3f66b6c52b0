/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The CPUs of a host: of which core, socket, node and cpupool each is, and which vCPUs
 * may run nowhere else. Changes nothing.
 */
#include "commands/host_cpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json.h"
#include "model/cores.h"
#include "xen/dedicated.h"
#include "xen/host.h"

/* A vCPU that may run on one CPU alone. */
struct host_pin {
    unsigned cpu, vcpu;
    const struct xlnuma__guest *guest; /* borrowed */
};

struct host_cpu {
    const struct host_cpus *all;
    unsigned id, node, socket;
    bool has_core;         /* is known: */
    unsigned core, thread; /* cores are counted from 0 over the host */
    char pool[64];         /* "": not known, or none */
};

/* --- reading -------------------------------------------------------------- */

static void add_node_cpus(struct host_cpus *cpus,
                          const struct xlnuma_host *host, unsigned node)
{
    for (unsigned id = 0; id < XLNUMA_CPUS_MAX; id++) {
        struct host_cpu *cpu = &cpus->cpu[cpus->nr];

        if (!xlnuma_cpuset_has(&host->node[node].cpus, id))
            continue;
        *cpu = (struct host_cpu){ .all = cpus,
                                  .id = id,
                                  .node = node,
                                  .socket = host->node[node].socket,
                                  .has_core = host->node[node].nr_cores };
        cpus->nr++;
    }
}

static int by_id(const void *a, const void *b)
{
    unsigned left = ((const struct host_cpu *)a)->id;
    unsigned right = ((const struct host_cpu *)b)->id;

    return (left > right) - (left < right);
}

/*
 * Cores are counted in the order of their lowest CPUs, as by lscpu. The CPUs are in the
 * order of their ids, so a core's lowest comes first.
 */
static void number_cores(struct host_cpus *cpus, const struct xlnuma_host *host)
{
    static unsigned core[XLNUMA_CPUS_MAX], threads[XLNUMA_CPUS_MAX];
    unsigned nr = 0;

    for (unsigned i = 0; i < cpus->nr; i++) {
        struct host_cpu *cpu = &cpus->cpu[i];
        unsigned first = xlnuma__host_core(host, cpu->id);

        if (first == cpu->id) {
            core[first] = nr++;
            threads[first] = 0;
        }
        cpu->core = core[first];
        cpu->thread = threads[first]++;
    }
}

static int read_pools(struct host_cpus *cpus, libxl_ctx *ctx, char *message)
{
    int nr;
    libxl_cpupoolinfo *pool = xlnuma__pools_list(ctx, &nr, message);

    if (!pool)
        return XLNUMA_ERR_XEN;
    for (int i = 0; i < nr; i++) {
        xlnuma_cpuset has;

        xlnuma__cpuset_from_bitmap(&has, &pool[i].cpumap);
        for (unsigned n = 0; n < cpus->nr; n++)
            if (xlnuma_cpuset_has(&has, cpus->cpu[n].id))
                snprintf(cpus->cpu[n].pool, sizeof(cpus->cpu[n].pool), "%s",
                         pool[i].pool_name ? pool[i].pool_name : "");
    }
    libxl_cpupoolinfo_list_free(pool, nr);
    return 0;
}

/* On a host of one CPU every vCPU is on it, so none counts as pinned. */
static void add_pin(struct host_cpus *cpus, const struct xlnuma__guest *guest,
                    unsigned vcpu)
{
    const char *hard = guest->vcpus.vcpu[vcpu].hard;
    char message[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset set;
    unsigned cpu = 0;

    if (cpus->nr < 2 || xlnuma_cpuset_parse(hard, &set, message) ||
        xlnuma_cpuset_count(&set) != 1)
        return;
    while (!xlnuma_cpuset_has(&set, cpu))
        cpu++;
    cpus->pin[cpus->nr_pins++] = (struct host_pin){ cpu, vcpu, guest };
}

int host_cpus_read(struct host_cpus *cpus_r, const struct xlnuma_host *host,
                   const struct xlnuma__guests *guests, libxl_ctx *ctx,
                   char *message)
{
    unsigned node, nr_cpus = 0, nr_vcpus = 0;

    memset(cpus_r, 0, sizeof(*cpus_r));
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        nr_cpus += xlnuma_cpuset_count(&host->node[node].cpus);
    for (unsigned i = 0; i < guests->nr; i++)
        nr_vcpus += guests->guest[i].vcpus.nr;
    cpus_r->cpu = calloc(nr_cpus + 1, sizeof(*cpus_r->cpu));
    cpus_r->pin = calloc(nr_vcpus + 1, sizeof(*cpus_r->pin));
    if (!cpus_r->cpu || !cpus_r->pin)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    XLNUMA_FOR_EACH_NODE(node, host->nodes)
        add_node_cpus(cpus_r, host, node);
    qsort(cpus_r->cpu, cpus_r->nr, sizeof(*cpus_r->cpu), by_id);
    number_cores(cpus_r, host);
    for (unsigned i = 0; i < guests->nr; i++)
        for (unsigned v = 0; v < guests->guest[i].vcpus.nr; v++)
            add_pin(cpus_r, &guests->guest[i], v);
    return ctx ? read_pools(cpus_r, ctx, message) : 0;
}

void host_cpus_dispose(struct host_cpus *cpus)
{
    free(cpus->cpu);
    free(cpus->pin);
    memset(cpus, 0, sizeof(*cpus));
}

/* --- the table ------------------------------------------------------------ */

#define NUMBER(what)                                                           \
    static void cpu_##what(const void *row, char cell[TABLE_CELL_SIZE])        \
    {                                                                          \
        const struct host_cpu *cpu = row;                                      \
                                                                               \
        snprintf(cell, TABLE_CELL_SIZE, "%u", cpu->what);                      \
    }
NUMBER(id)
NUMBER(socket)
NUMBER(node)
#undef NUMBER

static void cpu_core(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct host_cpu *cpu = row;

    if (cpu->has_core)
        snprintf(cell, TABLE_CELL_SIZE, "%u", cpu->core);
}

static void cpu_thread(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct host_cpu *cpu = row;

    if (cpu->has_core)
        snprintf(cell, TABLE_CELL_SIZE, "%u", cpu->thread);
}

static void cpu_pool(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct host_cpu *cpu = row;

    snprintf(cell, TABLE_CELL_SIZE, "%s", cpu->pool);
}

/* "db1:0,db1:1": the guest and its vCPU. */
static void cpu_pinned(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct host_cpu *cpu = row;
    size_t used = 0;

    for (unsigned i = 0; i < cpu->all->nr_pins; i++) {
        const struct host_pin *pin = &cpu->all->pin[i];

        if (pin->cpu == cpu->id && used < TABLE_CELL_SIZE)
            used += (size_t)snprintf(
                cell + used, TABLE_CELL_SIZE - used, "%s%s:%u", used ? "," : "",
                *pin->guest->name ? pin->guest->name : "-", pin->vcpu);
    }
}

static void cpu_pinned_json(const void *row, yajl_gen gen)
{
    const struct host_cpu *cpu = row;

    yajl_gen_array_open(gen);
    for (unsigned i = 0; i < cpu->all->nr_pins; i++) {
        const struct host_pin *pin = &cpu->all->pin[i];

        if (pin->cpu != cpu->id)
            continue;
        yajl_gen_map_open(gen);
        xlnuma__json_key_number(gen, "id", pin->guest->domid);
        xlnuma__json_key_number(gen, "vcpu", pin->vcpu);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

static const struct table_column columns[] = {
    { .heading = "CPU", .key = "id", .is_number = true, .text = cpu_id },
    { .heading = "Core", .key = "core", .is_number = true, .text = cpu_core },
    { .heading = "Thread",
      .key = "thread",
      .is_number = true,
      .text = cpu_thread },
    { .heading = "Socket",
      .key = "socket",
      .is_number = true,
      .text = cpu_socket },
    { .heading = "Node", .key = "node", .is_number = true, .text = cpu_node },
    { .heading = "Pool", .key = "pool", .text = cpu_pool },
    { .heading = "Pinned",
      .key = "pinned",
      .text = cpu_pinned,
      .json = cpu_pinned_json },
};

struct table host_cpus_table(const struct host_cpus *cpus)
{
    return (struct table){ columns, sizeof(columns) / sizeof(*columns),
                           cpus->cpu, sizeof(*cpus->cpu), cpus->nr };
}
