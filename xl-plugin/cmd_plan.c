/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement plan: where a guest would go, and why not elsewhere, by the
 * rules of a real build (hook/build.c). Changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/core.h"
#include "guest_file.h"
#include "live.h"
#include "table.h"

/* --- text ----------------------------------------------------------------- */

/* A node of the plan, or a set that is not: one line. */
struct node_row {
    const struct xlnuma_host *host;
    const struct xlnuma_plan *plan;
    unsigned node;
};

static void node_id(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *node = row;

    snprintf(cell, TABLE_CELL_SIZE, "%u", node->node);
}

static void node_socket(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *node = row;

    snprintf(cell, TABLE_CELL_SIZE, "%u", node->host->node[node->node].socket);
}

static void node_memory(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *node = row;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64,
             node->plan->memory_kb[node->node] / 1024);
}

static void node_low(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *node = row;

    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64,
             node->plan->low_kb[node->node] / 1024);
}

static void node_cpus(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct node_row *node = row;

    xlnuma_cpuset_format(&node->plan->cpus[node->node], cell, TABLE_CELL_SIZE);
}

static const struct table_column node_columns[] = {
    { .heading = "Node", .text = node_id, .is_number = true },
    { .heading = "Socket", .text = node_socket, .is_number = true },
    { .heading = "Memory MiB", .text = node_memory, .is_number = true },
    { .heading = "CPUs", .text = node_cpus },
    /* the last, as only a plan that takes low memory has it */
    { .heading = "Low MiB", .text = node_low, .is_number = true },
};

static void alternative_nodes(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma_alternative *alternative = row;

    xlnuma_nodeset_format(alternative->nodes, cell, TABLE_CELL_SIZE);
}

static void alternative_distance(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct xlnuma_alternative *alternative = row;

    snprintf(cell, TABLE_CELL_SIZE, "%.2f", alternative->expected_distance);
}

static const char *plural(unsigned nr)
{
    return nr == 1 ? "" : "s";
}

static void alternative_why(const void *row, char cell[TABLE_CELL_SIZE])
{
    static const char *const words[] = {
        [XLNUMA_WHY_NOT_POLICY] = "more nodes than the policy allows",
        [XLNUMA_WHY_NOT_PATH] = "a CPU has no path to its memory",
        [XLNUMA_WHY_NOT_FARTHER] = "farther apart",
        [XLNUMA_WHY_NOT_DEVICES] = "farther from its devices",
        [XLNUMA_WHY_NOT_SOCKETS] = "as near, but on more sockets",
        [XLNUMA_WHY_NOT_LOW] = "as near, but takes more low memory",
        [XLNUMA_WHY_NOT_LOAD] = "as near, but busier",
        [XLNUMA_WHY_NOT_HOLES] = "as near, but leaves no better holes",
    };
    const struct xlnuma_alternative *alternative = row;
    unsigned nr = alternative->short_cpus;

    switch (alternative->why) {
    case XLNUMA_WHY_NOT_MEMORY:
        snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64 " MiB short",
                 (alternative->short_kb + 1023) / 1024);
        break;
    case XLNUMA_WHY_NOT_CPUS:
        snprintf(cell, TABLE_CELL_SIZE, "%u CPU%s short", nr, plural(nr));
        break;
    case XLNUMA_WHY_NOT_CORES:
        snprintf(cell, TABLE_CELL_SIZE, "%u core%s short", nr, plural(nr));
        break;
    default:
        snprintf(cell, TABLE_CELL_SIZE, "%s", words[alternative->why]);
    }
}

static const struct table_column alternative_columns[] = {
    { .heading = "Nodes", .text = alternative_nodes },
    { .heading = "Expected distance",
      .text = alternative_distance,
      .is_number = true },
    { .heading = "Why not", .text = alternative_why },
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

static void print_nodes(const struct xlnuma_host *host,
                        const struct xlnuma_plan *plan)
{
    struct node_row row[XLNUMA_NODES_MAX];
    struct table table = { node_columns, NR(node_columns) - 1, row,
                           sizeof(*row), 0 };
    unsigned node;

    XLNUMA_FOR_EACH_NODE(node, plan->nodes) {
        row[table.nr_rows++] = (struct node_row){ host, plan, node };
        if (plan->low_kb[node])
            table.nr_columns = NR(node_columns);
    }
    putchar('\n');
    table_print(&table, stdout);
}

static void print_alternatives(const struct xlnuma_plan *plan)
{
    struct table table = { alternative_columns, NR(alternative_columns),
                           plan->alternative, sizeof(*plan->alternative),
                           plan->nr_alternatives };

    putchar('\n');
    table_print(&table, stdout);
}

static void print_plan(const struct xlnuma_host *host,
                       const struct xlnuma_plan *plan, bool keeps_affinity)
{
    static char cpus[XLNUMA__LIST_SIZE];
    char needed[32];

    printf("guest:             %s\n", plan->guest);
    printf("status:            %s\n", xlnuma_status_name(plan->status));
    printf("policy:            %s, memory %s\n",
           xlnuma_policy_name(plan->policy), xlnuma_memory_name(plan->memory));
    printf("memory needed:     %s\n", xlnuma__mib(plan->needed_kb, needed));
    if (plan->status == XLNUMA_STATUS_PLACED) {
        printf("expected distance: %.2f\n", plan->expected_distance);
        printf("soft CPUs:         %s\n",
               keeps_affinity ? "as the guest's file says"
                              : xlnuma_cpuset_format(&plan->soft_cpus, cpus,
                                                     sizeof(cpus)));
    }
    printf("reason:            %s\n", plan->reason);
    if (plan->status != XLNUMA_STATUS_PLACED)
        return; /* the reason has the alternatives, and what they lack */
    print_nodes(host, plan);
    if (plan->nr_alternatives)
        print_alternatives(plan);
}

/* --- planning ------------------------------------------------------------- */

struct job {
    const struct options *options;
    const char *path; /* the guest's file; NULL when not given */
    unsigned nr_assignments;
    char **assignment;          /* owned, the texts are not */
    char memory[32], vcpus[32]; /* those of --memory and --vcpus */
    struct live live;
    struct xlnuma_host *host;
    struct guest_file guest;
    struct xlnuma_plan *plan;
    char message[XLNUMA_MESSAGE_SIZE];
};

/* The cpupool that the guest is to be in; only the live host knows them. */
static int find_pool(struct job *job, uint32_t *poolid_r)
{
    const char *pool = job->guest.config.c_info.pool_name;

    *poolid_r = 0;
    if (!pool)
        return 0;
    if (!job->live.ctx) {
        complain("warning: %s: pool \"%s\": a snapshot knows no cpupools, so "
                 "every CPU counts",
                 job->guest.pool_place, pool);
        return 0;
    }
    if (libxl_cpupool_qualifier_to_cpupoolid(job->live.ctx, pool, poolid_r,
                                             NULL))
        return xlnuma__fail(job->message, XLNUMA_ERR_INVALID,
                            "%s: pool is \"%s\", which this host has not",
                            job->guest.pool_place, pool);
    return 0;
}

/* As the hook does with a guest that it leaves to libxl. */
static void plan_nothing(struct job *job, const struct xlnuma_request *request,
                         const char *why)
{
    struct xlnuma_plan *plan = job->plan;

    snprintf(plan->guest, sizeof(plan->guest), "%s", request->name);
    plan->needed_kb = request->memory_kb;
    plan->memory = request->memory;
    plan->policy = XLNUMA_POLICY_NONE;
    plan->status = XLNUMA_STATUS_OFF;
    snprintf(plan->reason, sizeof(plan->reason), "%s", why);
}

static int make_plan(struct job *job)
{
    char what[XLNUMA_MESSAGE_SIZE];
    struct xlnuma_request request;
    struct xlnuma__settings many;
    const char *why;
    uint32_t poolid;
    int rc;

    rc = find_pool(job, &poolid);
    if (rc)
        return rc;
    rc = xlnuma__request_from_config(&request, job->live.ctx, poolid,
                                     &job->guest.config, job->message);
    if (rc)
        return rc;
    rc = xlnuma__conf_read(&many, job->guest.config.c_info.name, job->message);
    if (rc)
        return rc;
    xlnuma__settings_apply(&many, &request);
    xlnuma__settings_apply(&job->guest.settings, &request);
    if (!xlnuma__config_wants_placement(&job->guest.config, &why) ||
        request.policy == XLNUMA_POLICY_NONE) {
        plan_nothing(job, &request, why ? why : "numa_policy is none");
        return 0;
    }
    rc = xlnuma_plan_make(job->host, &request, job->plan, what);
    if (rc)
        xlnuma__fail(job->message, rc, "%s: %s", job->guest.name, what);
    return rc;
}

/* The hook leaves an affinity of the user's as it is, and libxl's own rule. */
static bool keeps_affinity(const libxl_domain_config *config)
{
    const libxl_defbool placement = config->b_info.numa_placement;

    return !libxl_defbool_is_default(placement) &&
           !libxl_defbool_val(placement);
}

static int show(struct job *job)
{
    if (job->options->is_json)
        return xlnuma_plan_write(job->plan, stdout, job->message);
    print_plan(job->host, job->plan, keeps_affinity(&job->guest.config));
    return 0;
}

static int do_job(struct job *job)
{
    int rc = 0;

    job->host = xlnuma_host_new();
    job->plan = xlnuma_plan_new();
    if (!job->host || !job->plan)
        rc = xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    if (!rc)
        rc = live_or_file_host(job->options->host, &job->live, job->host,
                               job->message);
    if (!rc)
        rc = guest_file_read(&job->guest, job->path, job->nr_assignments,
                             job->assignment, job->host, job->message);
    if (!rc)
        rc = make_plan(job);
    if (!rc)
        rc = show(job);
    if (rc) {
        complain("%s", job->message);
        return STATUS_FAILED;
    }
    return job->plan->status == XLNUMA_STATUS_UNPLACED ? STATUS_UNPLACED
                                                       : STATUS_DONE;
}

/* "24G": a number and K, M, G or T; of nothing behind it, MiB. */
static bool size_in_mib(const char *text, uint64_t *mib_r)
{
    static const char units[] = "KMGT";
    size_t nr_digits = strspn(text, "0123456789");
    const char *unit = strchr(units, text[nr_digits] ? text[nr_digits] : 'M');
    uint64_t size;

    errno = 0;
    size = strtoull(text, NULL, 10);
    if (!nr_digits || errno || !unit ||
        (text[nr_digits] && text[nr_digits + 1]))
        return false;
    *mib_r = *unit == 'K' ? size / 1024 : size << (10 * (unit - units - 1));
    return *unit == 'K' ? size % 1024 == 0
                        : *mib_r >> (10 * (unit - units - 1)) == size;
}

/* --memory and --vcpus as if they were the last lines of the guest's file. */
static int add_options(struct job *job)
{
    const struct options *options = job->options;
    uint64_t mib;

    if (options->memory) {
        if (!size_in_mib(options->memory, &mib))
            return usage_error("plan",
                               "--memory is \"%s\", not a size in whole MiB "
                               "(\"512\", \"24G\")",
                               options->memory);
        snprintf(job->memory, sizeof(job->memory), "memory=%" PRIu64, mib);
        job->assignment[job->nr_assignments++] = job->memory;
    }
    if (options->vcpus) {
        if (strspn(options->vcpus, "0123456789") != strlen(options->vcpus) ||
            (size_t)snprintf(job->vcpus, sizeof(job->vcpus), "vcpus=%s",
                             options->vcpus) >= sizeof(job->vcpus))
            return usage_error("plan", "--vcpus is \"%s\", not a number",
                               options->vcpus);
        job->assignment[job->nr_assignments++] = job->vcpus;
    }
    return 0;
}

/* As for xl, what has a '=' is KEY=VALUE and what has none is the file. */
static int read_operands(struct job *job, int nr, char **operand)
{
    static char name[] = "name=\"guest\"";

    job->assignment = calloc((size_t)nr + 3, sizeof(*job->assignment));
    if (!job->assignment) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    for (int i = 0; i < nr; i++) {
        if (strchr(operand[i], '='))
            continue;
        if (job->path)
            return usage_error("plan", "a second GUEST.cfg \"%s\"", operand[i]);
        job->path = operand[i];
    }
    if (!job->path && !job->options->memory)
        return usage_error("plan", "GUEST.cfg or --memory is missing");
    if (!job->path) {
        job->path = "/dev/null";
        job->assignment[job->nr_assignments++] = name;
    }
    for (int i = 0; i < nr; i++)
        if (strchr(operand[i], '='))
            job->assignment[job->nr_assignments++] = operand[i];
    if (job->options->host && !strcmp(job->path, "-") &&
        !strcmp(job->options->host, "-"))
        return usage_error("plan", "GUEST.cfg and --host cannot both be "
                                   "standard input");
    return add_options(job);
}

static int run(const struct options *options, int nr, char **operand)
{
    struct job job = { .options = options };
    int status = read_operands(&job, nr, operand);

    libxl_domain_config_init(&job.guest.config);
    if (!status)
        status = do_job(&job);
    guest_file_dispose(&job.guest);
    free(job.assignment);
    live_close(&job.live);
    xlnuma_plan_free(job.plan);
    xlnuma_host_free(job.host);
    return status;
}

static const struct command_option plan_options[] = {
    OPTION_HOST,
    OPTION("memory", 0, "SIZE", memory,
           "the guest's memory in MiB, or as in \"24G\""),
    OPTION("vcpus", 0, "N", vcpus, "how many vCPUs the guest has"),
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_plan = {
    .name = "plan",
    .summary = "where a guest would go, and why not elsewhere",
    .operands = "GUEST.cfg [KEY=VALUE]...\n"
                "--memory SIZE [KEY=VALUE]...",
    .about =
        "Says on which NUMA nodes a guest would be placed and why not on "
        "others.\n"
        "Changes nothing. GUEST.cfg is the file that \"xl create\" takes "
        "(\"-\":\n"
        "standard input); each KEY=VALUE is read behind it as another line.\n"
        "With --memory no file is needed.\n",
    .exits =
        "0 placed, or left to stock libxl; 1 something failed;\n"
        "2 wrong usage; 3 no node set that the guest's policy allows can hold "
        "it.\n",
    .options = plan_options,
    .run = run,
};
