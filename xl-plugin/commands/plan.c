/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement plan: where a guest would go, and why not elsewhere, by the
 * rules of a real build; or several, one after the other. Changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>

#include "commands/command.h"
#include "commands/live.h"
#include "config/settings.h"
#include "formats/json.h"
#include "formats/parts.h"
#include "guest/file.h"
#include "model/dedicated.h"
#include "planner/dedicated.h"
#include "view/plan_words.h"
#include "view/table.h"
#include "vnodes/vnodes.h"
#include "xen/host.h"
#include "xen/request.h"

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

    xlnuma_cpuset cpus = node->host->node[node->node].cpus;

    xlnuma_cpuset_and(&cpus, &node->plan->soft_cpus);
    xlnuma_cpuset_format(&cpus, cell, TABLE_CELL_SIZE);
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

static void alternative_why(const void *row, char cell[TABLE_CELL_SIZE])
{
    plan_words_short(row, cell, TABLE_CELL_SIZE);
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

/* --- the guest's nodes */

struct vnode_row {
    const struct xlnuma_plan *plan;
    unsigned n;
};

static const struct xlnuma_guest_node *vnode_of(const void *row)
{
    const struct vnode_row *vnode = row;

    return &vnode->plan->guest_node[vnode->n];
}

static void vnode_id(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct vnode_row *vnode = row;

    snprintf(cell, TABLE_CELL_SIZE, "%u", vnode->n);
}

static void vnode_node(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%u", vnode_of(row)->node);
}

static void vnode_memory(const void *row, char cell[TABLE_CELL_SIZE])
{
    snprintf(cell, TABLE_CELL_SIZE, "%" PRIu64,
             vnode_of(row)->memory_kb / 1024);
}

static void vnode_vcpus(const void *row, char cell[TABLE_CELL_SIZE])
{
    xlnuma__vcpus_format(vnode_of(row)->vcpus, cell, TABLE_CELL_SIZE);
}

static void vnode_distances(const void *row, char cell[TABLE_CELL_SIZE])
{
    const struct vnode_row *vnode = row;
    size_t used = 0;

    for (unsigned m = 0;
         m < vnode->plan->nr_guest_nodes && used < TABLE_CELL_SIZE; m++)
        used += (size_t)snprintf(cell + used, TABLE_CELL_SIZE - used, "%s%u",
                                 m ? " " : "", vnode_of(row)->distance[m]);
}

static const struct table_column vnode_columns[] = {
    { .heading = "Guest node", .text = vnode_id, .is_number = true },
    { .heading = "Node", .text = vnode_node, .is_number = true },
    { .heading = "Memory MiB", .text = vnode_memory, .is_number = true },
    { .heading = "vCPUs", .text = vnode_vcpus },
    { .heading = "Distances", .text = vnode_distances },
};

static void print_vnodes(const struct xlnuma_plan *plan)
{
    struct vnode_row row[XLNUMA_GUEST_NODES_MAX];
    struct table table = { vnode_columns, NR(vnode_columns), row, sizeof(*row),
                           0 };

    for (unsigned n = 0; n < plan->nr_guest_nodes; n++)
        row[table.nr_rows++] = (struct vnode_row){ plan, n };
    if (!table.nr_rows)
        return;
    putchar('\n');
    table_print(&table, stdout);
}

/* --- the other sets */

static void print_alternatives(const struct xlnuma_plan *plan,
                               bool is_explained)
{
    struct table table = { alternative_columns, NR(alternative_columns),
                           plan->alternative, sizeof(*plan->alternative),
                           plan->nr_alternatives };

    if (!plan->nr_alternatives)
        return;
    putchar('\n');
    if (is_explained) {
        puts("Why not elsewhere:");
        plan_words_print(plan, stdout);
    } else {
        table_print(&table, stdout);
    }
}

/* What the guest may grow to, if that is more than it has. */
static void print_limits(const struct xlnuma_plan *plan)
{
    char limit[32];

    if (!plan->has_limits)
        return;
    printf("may grow to:       %s, %u vCPU%s",
           xlnuma__mib(plan->limit_kb, limit), plan->limit_vcpus,
           xlnuma__plural(plan->limit_vcpus));
    if (plan->status == XLNUMA_STATUS_PLACED)
        printf(" (%s on these nodes)", plan->can_grow ? "room" : "no room");
    putchar('\n');
}

static void print_plan(const struct xlnuma_host *host,
                       const struct xlnuma_plan *plan, bool keeps_affinity,
                       bool is_explained)
{
    static char cpus[XLNUMA__LIST_SIZE];
    char needed[32];

    printf("guest:             %s\n", plan->guest);
    printf("status:            %s\n", xlnuma__statuses[plan->status]);
    printf("policy:            %s, memory %s\n", xlnuma__policies[plan->policy],
           xlnuma__memories[plan->memory]);
    printf("memory needed:     %s\n", xlnuma__mib(plan->needed_kb, needed));
    if (plan->status == XLNUMA_STATUS_PLACED) {
        printf("expected distance: %.2f\n", plan->expected_distance);
        printf("soft CPUs:         %s\n",
               keeps_affinity ? "as the guest's file says"
                              : xlnuma_cpuset_format(&plan->soft_cpus, cpus,
                                                     sizeof(cpus)));
        if (plan->has_hard_cpus)
            printf("hard CPUs:         %s\n",
                   xlnuma_cpuset_format(&plan->hard_cpus, cpus, sizeof(cpus)));
    }
    if (plan->nr_dedicated)
        printf("dedicated CPUs:    %s\n",
               xlnuma__dedicated_format(plan, cpus, sizeof(cpus)));
    if (plan->nr_guest_nodes)
        printf("guest nodes:       %u\n", plan->nr_guest_nodes);
    else if (*plan->vnodes_reason)
        printf("guest nodes:       off: %s\n", plan->vnodes_reason);
    print_limits(plan);
    printf("reason:            %s\n", plan->reason);
    if (plan->status == XLNUMA_STATUS_PLACED) {
        print_nodes(host, plan);
        print_vnodes(plan);
    } else if (!is_explained)
        return; /* the reason has the alternatives, and what they lack */
    print_alternatives(plan, is_explained);
}

/* --- planning ------------------------------------------------------------- */

/* What the command line says of one guest. */
struct guest {
    const char *path; /* its file; NULL when not given */
    unsigned nr_assignments;
    char **assignment; /* owned, the texts are not */
};

struct job {
    const struct options *options;
    struct guest *guest; /* owned */
    unsigned nr_guests;
    char memory[32], vcpus[32]; /* those of --memory and --vcpus */
    struct live live;
    struct xlnuma_host *host; /* what the guests so far leave of it */
    yajl_gen gen;             /* of the plans, when they are several; or NULL */
    bool has_unplaced;
    char message[XLNUMA_MESSAGE_SIZE];

    /* of the guest that is being planned */
    struct guest_file file;
    struct xlnuma_request request;
    struct xlnuma_plan *plan;
};

/* The cpupool that the guest is to be in; only the live host knows them. */
static int find_pool(struct job *job, uint32_t *poolid_r)
{
    const char *pool = job->file.config.c_info.pool_name;

    *poolid_r = 0;
    if (!pool)
        return 0;
    if (!job->live.ctx) {
        complain("warning: %s: pool \"%s\": a snapshot knows no cpupools, so "
                 "every CPU counts",
                 job->file.pool_place, pool);
        return 0;
    }
    if (libxl_cpupool_qualifier_to_cpupoolid(job->live.ctx, pool, poolid_r,
                                             NULL))
        return xlnuma__fail(job->message, XLNUMA_ERR_INVALID,
                            "%s: pool is \"%s\", which this host has not",
                            job->file.pool_place, pool);
    return 0;
}

/*
 * As the hook does with a guest that it leaves to libxl. So far the plan is that of
 * the guest before it.
 */
static void plan_nothing(struct job *job, const char *why)
{
    const struct xlnuma_request *request = &job->request;
    struct xlnuma_plan *plan = job->plan;

    memset(plan, 0, sizeof(*plan));
    snprintf(plan->guest, sizeof(plan->guest), "%s", request->name);
    plan->needed_kb = request->memory_kb;
    plan->memory = request->memory;
    plan->policy = XLNUMA_POLICY_NONE;
    plan->status = XLNUMA_STATUS_OFF;
    snprintf(plan->reason, sizeof(plan->reason), "%s", why);
}

/*
 * Xen has not the memory now, but xl may take it from Domain-0 when the guest is
 * built. On which nodes Domain-0 then gives it up is its kernel's choice.
 */
static void warn_of_dom0(const struct job *job)
{
    xc_interface *xch;
    char hint[XLNUMA_MESSAGE_SIZE];

    if (job->plan->status != XLNUMA_STATUS_UNPLACED || !job->live.ctx ||
        !(xch = xc_interface_open(NULL, NULL, 0)))
        return;
    if (xlnuma__dom0_holds_most(job->live.ctx, xch, hint))
        complain("warning: %s: %s: not known before, so this plan is for the "
                 "memory that is free now",
                 job->file.name, hint);
    xc_interface_close(xch);
}

static int make_plan(struct job *job)
{
    char what[XLNUMA_MESSAGE_SIZE];
    struct xlnuma_request *request = &job->request;
    struct xlnuma__settings many;
    const char *why;
    uint32_t poolid;
    struct xlnuma__conf_host conf;
    int rc;

    rc = find_pool(job, &poolid);
    if (rc)
        return rc;
    xlnuma__request_from_config(request, job->live.ctx, &job->file.config);
    rc = job->live.ctx ? xlnuma__request_add_pool(request, job->live.ctx,
                                                  poolid, job->message)
                       : 0;
    if (rc)
        return rc;
    rc = xlnuma__conf_read(&many, &conf, job->file.config.c_info.name,
                           job->message);
    if (rc)
        return rc;
    xlnuma__settings_apply(&many, request);
    xlnuma__settings_apply(&job->file.settings, request);
    if (request->cpu_policy == XLNUMA_CPUS_DEDICATED && !conf.is_off) {
        why = xlnuma__dedicated_conflict(&job->file.config, request);
        if (why)
            return xlnuma__fail(job->message, XLNUMA_ERR_INVALID,
                                "%s: numa_cpus is \"dedicated\", but %s",
                                job->file.name, why);
    }
    if (!xlnuma__config_wants_placement(&job->file.config, &why) ||
        conf.is_off || request->policy == XLNUMA_POLICY_NONE) {
        if (!why && conf.is_off)
            why = XLNUMA__CONF_OFF;
        plan_nothing(job, why ? why : "numa_policy is none");
        return 0;
    }
    rc = xlnuma__plan_with_vnodes(job->host, request, job->plan, what);
    if (rc)
        xlnuma__fail(job->message, rc, "%s: %s", job->file.name, what);
    return rc;
}

/* The hook leaves an affinity of the user's as it is, and libxl's own rule. */
static bool keeps_affinity(const libxl_domain_config *config)
{
    const libxl_defbool placement = config->b_info.numa_placement;

    return !libxl_defbool_is_default(placement) &&
           !libxl_defbool_val(placement);
}

/* The plan as text, or into the JSON that is written at the end. */
static int show(struct job *job)
{
    if (job->options->is_json && job->nr_guests == 1)
        return xlnuma_plan_write(job->host, job->plan, stdout, job->message);
    if (job->options->is_json) {
        xlnuma__plan_generate(job->host, job->plan, job->gen);
        return 0;
    }
    print_plan(job->host, job->plan, keeps_affinity(&job->file.config),
               job->options->is_explained);
    return 0;
}

/* Its vCPUs are a load on the nodes of its soft affinity, as on a host that runs. */
static void take_cpus(struct job *job)
{
    const struct xlnuma_plan *plan = job->plan;
    unsigned nr = xlnuma_cpuset_count(&plan->soft_cpus), node;

    XLNUMA_FOR_EACH_NODE(node, plan->nodes)
        if (nr)
            job->host->node[node].load_mvcpu +=
                job->request.nr_vcpus *
                (1000 *
                 xlnuma__cpuset_count_common(&job->host->node[node].cpus,
                                             &plan->soft_cpus) /
                 nr);
    for (unsigned i = 0; i < plan->nr_dedicated; i++) {
        xlnuma_cpuset taken;

        xlnuma__dedicated_taken(job->host, plan->threads, plan->cpu[i], &taken);
        xlnuma_cpuset_or(&job->host->dedicated_taken, &taken);
    }
}

/* The next guest finds what this one leaves. */
static void take(struct job *job, const struct guest *guest)
{
    const struct xlnuma_plan *plan = job->plan;
    unsigned node;

    job->has_unplaced |= plan->status == XLNUMA_STATUS_UNPLACED;
    if (guest + 1 == job->guest + job->nr_guests)
        return;
    if (plan->status == XLNUMA_STATUS_PLACED) {
        XLNUMA_FOR_EACH_NODE(node, plan->nodes) {
            job->host->node[node].free_kb -= plan->memory_kb[node];
            job->host->node[node].low_free_kb -= plan->low_kb[node];
        }
        take_cpus(job);
    } else if (!xlnuma__is_strict(plan->policy)) {
        complain("warning: %s: left to libxl, so it is not known where its "
                 "memory will be: the next guests are planned as if it took "
                 "none",
                 job->file.name);
    }
}

static int plan_guest(struct job *job, const struct guest *guest)
{
    int rc;

    libxl_domain_config_init(&job->file.config);
    rc = guest_file_read(&job->file, guest->path, guest->nr_assignments,
                         guest->assignment, job->host, job->message);
    if (!rc)
        rc = make_plan(job);
    if (!rc)
        warn_of_dom0(job);
    if (!rc && guest > job->guest && !job->options->is_json)
        putchar('\n');
    if (!rc)
        rc = show(job);
    if (!rc)
        take(job, guest);
    guest_file_dispose(&job->file);
    return rc;
}

static int begin(struct job *job)
{
    job->host = xlnuma_host_new();
    job->plan = xlnuma_plan_new();
    if (job->options->is_json && job->nr_guests > 1) {
        job->gen = xlnuma__json_begin("xlnuma-plans", 1);
        if (job->gen) {
            xlnuma__json_key_array(job->gen, "plans");
        }
    }
    if (!job->host || !job->plan ||
        (job->options->is_json && job->nr_guests > 1 && !job->gen))
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    return live_or_file_host(job->options->host, &job->live, job->host,
                             job->message);
}

static int do_job(struct job *job)
{
    int rc = begin(job);

    for (unsigned i = 0; !rc && i < job->nr_guests; i++)
        rc = plan_guest(job, &job->guest[i]);
    if (!rc && job->gen) {
        yajl_gen_array_close(job->gen);
        rc = xlnuma__json_end(job->gen, stdout, job->message);
        job->gen = NULL;
    }
    if (rc) {
        complain("%s", job->message);
        return STATUS_FAILED;
    }
    return job->has_unplaced ? STATUS_UNPLACED : STATUS_DONE;
}

/* --- the command line ----------------------------------------------------- */

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

static void assign(struct job *job, char *text)
{
    for (unsigned i = 0; i < job->nr_guests; i++)
        job->guest[i].assignment[job->guest[i].nr_assignments++] = text;
}

/* --memory and --vcpus as if they were the last lines of each guest's file. */
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
        assign(job, job->memory);
    }
    if (options->vcpus) {
        if (strspn(options->vcpus, "0123456789") != strlen(options->vcpus) ||
            (size_t)snprintf(job->vcpus, sizeof(job->vcpus), "vcpus=%s",
                             options->vcpus) >= sizeof(job->vcpus))
            return usage_error("plan", "--vcpus is \"%s\", not a number",
                               options->vcpus);
        assign(job, job->vcpus);
    }
    return 0;
}

/* Room for as many guests as there are files, or one, and all their keys. */
static int make_room(struct job *job, int nr, char **operand)
{
    unsigned nr_files = 0;

    for (int i = 0; i < nr; i++)
        nr_files += !strchr(operand[i], '=');
    job->guest = calloc(nr_files + 1u, sizeof(*job->guest));
    if (!job->guest)
        return XLNUMA_ERR_NOMEM;
    job->nr_guests = nr_files ? nr_files : 1;
    for (unsigned i = 0; i < job->nr_guests; i++) {
        job->guest[i].assignment = calloc((size_t)nr + 3, sizeof(char *));
        if (!job->guest[i].assignment)
            return XLNUMA_ERR_NOMEM;
    }
    return 0;
}

/* Standard input can be read once. */
static int check_stdin(const struct job *job)
{
    const char *host = job->options->host;
    const char *reader = host && !strcmp(host, "-") ? "--input" : NULL;

    for (unsigned i = 0; i < job->nr_guests; i++) {
        if (!job->guest[i].path || strcmp(job->guest[i].path, "-"))
            continue;
        if (reader)
            return usage_error("plan",
                               "GUEST.cfg and %s cannot both be standard input",
                               reader);
        reader = "another";
    }
    return 0;
}

/*
 * As for xl, what has a '=' is KEY=VALUE and what has none is a file. A key is
 * for the file before it; those before all files are for each.
 */
static int read_operands(struct job *job, int nr, char **operand)
{
    static char name[] = "name=\"guest\"";
    struct guest *guest;
    int status, i = 0;

    if (make_room(job, nr, operand)) {
        complain("out of memory");
        return STATUS_FAILED;
    }
    guest = job->guest;
    for (; i < nr && strchr(operand[i], '='); i++)
        assign(job, operand[i]);
    for (; i < nr; i++)
        if (strchr(operand[i], '='))
            guest[-1].assignment[guest[-1].nr_assignments++] = operand[i];
        else
            (guest++)->path = operand[i];
    if (!job->guest->path && !job->options->memory)
        return usage_error("plan", "GUEST.cfg or --memory is missing");
    if (!job->guest->path) { /* the name goes before all keys */
        job->guest->path = "/dev/null";
        memmove(job->guest->assignment + 1, job->guest->assignment,
                job->guest->nr_assignments++ * sizeof(char *));
        job->guest->assignment[0] = name;
    }
    status = check_stdin(job);
    return status ? status : add_options(job);
}

static int run(const struct options *options, int nr, char **operand)
{
    struct job job = { .options = options };
    int status = read_operands(&job, nr, operand);

    if (!status)
        status = do_job(&job);
    for (unsigned i = 0; i < job.nr_guests; i++)
        free(job.guest[i].assignment);
    free(job.guest);
    if (job.gen)
        yajl_gen_free(job.gen);
    live_close(&job.live);
    xlnuma_plan_free(job.plan);
    xlnuma_host_free(job.host);
    return status;
}

static const struct command_option plan_options[] = {
    OPTION_INPUT,
    OPTION("memory", 0, "SIZE", memory,
           "the guest's memory in MiB, or as in \"24G\""),
    OPTION("vcpus", 0, "N", vcpus, "how many vCPUs the guest has"),
    FLAG("explain", 0, is_explained, "why not elsewhere, in sentences"),
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_plan = {
    .name = "plan",
    .summary = "where a guest would go, and why not elsewhere",
    .operands = "GUEST.cfg... [KEY=VALUE]...\n"
                "--memory SIZE [KEY=VALUE]...",
    .about =
        "Says on which NUMA nodes a guest would be placed and why not on\n"
        "others. Changes nothing. GUEST.cfg is the file that \"xl create\"\n"
        "takes (\"-\": standard input); each KEY=VALUE is read behind it as\n"
        "another line. With --memory no file is needed. Several files are\n"
        "planned one after the other, each on what those before leave; a\n"
        "KEY=VALUE is then for the file before it, or for all if it\n"
        "stands before the first.\n",
    .exits =
        "0 placed, or left to stock libxl; 1 something failed;\n"
        "2 wrong usage; 3 no node set that the guest's policy allows can hold\n"
        "it, or too few dedicated CPUs are free.\n",
    .options = plan_options,
    .run = run,
};
