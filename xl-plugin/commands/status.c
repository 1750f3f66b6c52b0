/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement status: is placement on, for whom, and what to do if it is not.
 * Changes nothing. What is installed and what daemons have is probe.c's.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/command.h"
#include "commands/guests.h"
#include "commands/live.h"
#include "commands/probe.h"
#include "config/settings.h"
#include "formats/json.h"
#include "hook/marker.h"
#include "installed.h"
#include "model/dedicated.h"
#include "model/message.h"
#include "model/request.h"
#include "xen/balancer.h"
#include "xen/dedicated.h"

enum { DAEMONS_MAX = 16, PROBLEMS_MAX = 32 };

struct facts {
    struct probe_file on_path, xl, stock_xl, hook, library, grow;
    char xen[64];         /* the running hypervisor's version; "": not known */
    bool is_built_for_it; /* by its version, the libxl that it goes with */
    bool is_off;          /* by xl-numa.conf */
    bool is_conf_there;
    char conf_wrong[XLNUMA_MESSAGE_SIZE]; /* "": it is right */
    enum xlnuma_policy policy;            /* of guests that say nothing */
    bool has_dedicated;                   /* it names CPUs to be reserved */
    xlnuma_cpuset reserved;               /* those that are; empty: none */
    long balancer;                        /* the process; 0: none */
    struct xlnuma__guest last; /* built, of the guests that are there */
    struct probe_daemon daemon[DAEMONS_MAX];
    unsigned nr_daemons;
    char problem[PROBLEMS_MAX][XLNUMA_MESSAGE_SIZE]; /* and what to do */
    unsigned nr_problems;
};

/* --- facts ---------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
add_problem(struct facts *facts, const char *format, ...)
{
    va_list args;

    if (facts->nr_problems == PROBLEMS_MAX)
        return;
    va_start(args, format);
    vsnprintf(facts->problem[facts->nr_problems++], XLNUMA_MESSAGE_SIZE, format,
              args);
    va_end(args);
}

/* "libxenlight.so.4.17" goes with Xen 4.17. */
static bool goes_with(const char *libxl, int major, int minor)
{
    char version[32];
    const char *found;

    snprintf(version, sizeof(version), ".so.%d.%d", major, minor);
    found = strstr(libxl, version);
    return found && (!found[strlen(version)] || found[strlen(version)] == '.');
}

/* Xen numbers domains as they come. A number that is used again is a long way off. */
static void find_last(struct facts *facts)
{
    char message[XLNUMA_MESSAGE_SIZE];
    struct xlnuma__guests guests;
    struct live live;

    (void)live_or_file_guests(NULL, &live, NULL, &guests, message);
    for (unsigned i = 0; i < guests.nr; i++)
        if (guests.guest[i].has_report && !xlnuma__is_dom0(&guests.guest[i]) &&
            guests.guest[i].domid > facts->last.domid)
            facts->last = guests.guest[i];
    xlnuma__guests_dispose(&guests);
    live_close(&live);
}

static void ask_xen(struct facts *facts)
{
    char message[XLNUMA_MESSAGE_SIZE];
    const libxl_version_info *info = NULL;
    struct live live;
    uint32_t poolid;

    if (!live_open(&live, message))
        info = libxl_get_version_info(live.ctx);
    if (info) {
        snprintf(facts->xen, sizeof(facts->xen), "%d.%d%s",
                 info->xen_version_major, info->xen_version_minor,
                 info->xen_version_extra ? info->xen_version_extra : "");
        facts->is_built_for_it = goes_with(
            installed.libxl, info->xen_version_major, info->xen_version_minor);
        (void)xlnuma__pool_find(live.ctx, XLNUMA__POOL, &poolid,
                                &facts->reserved, message);
    }
    live_close(&live);
    if (info)
        find_last(facts);
}

static void read_conf(struct facts *facts)
{
    struct xlnuma__settings settings;
    struct xlnuma__conf_host host;
    struct xlnuma_request request;

    facts->is_conf_there = !access(xlnuma__conf_path(), F_OK);
    (void)xlnuma__conf_read(&settings, &host, "", facts->conf_wrong);
    facts->is_off = host.is_off;
    facts->has_dedicated = *host.dedicated_cpus;
    xlnuma_request_init(&request);
    xlnuma__settings_apply(&settings, &request);
    facts->policy = request.policy;
}

static void gather(struct facts *facts)
{
    probe_path(&facts->on_path);
    probe_file(&facts->xl, installed.xl, XLNUMA_MARKER_LAUNCHER);
    probe_file(&facts->stock_xl, installed.stock_xl, XLNUMA_MARKER_LAUNCHER);
    probe_file(&facts->hook, installed.hook, XLNUMA_MARKER_HOOK);
    probe_file(&facts->library, installed.library, XLNUMA_MARKER_LIBRARY);
    probe_file(&facts->grow, installed.grow, XLNUMA_MARKER_GROW);
    facts->balancer = xlnuma__balance_pid();
    ask_xen(facts);
    read_conf(facts);
    facts->nr_daemons = probe_daemons(facts->daemon, DAEMONS_MAX);
}

/* --- what is wrong -------------------------------------------------------- */

/* A part of ours, which has to be there in this version. */
static void judge_part(struct facts *facts, const char *what,
                       const struct probe_file *file)
{
    if (!file->is_there)
        add_problem(facts, "%s %s is not there: install xl-numa", what,
                    file->path);
    else if (strcmp(file->version, PACKAGE_VERSION) != 0)
        add_problem(facts, "%s %s is of version %s, not %s: install all of one",
                    what, file->path,
                    *file->version ? file->version : "unknown",
                    PACKAGE_VERSION);
}

static void judge_xl(struct facts *facts)
{
    if (!facts->on_path.is_there)
        add_problem(facts,
                    "there is no xl on PATH: install xl-numa's and Xen's");
    else if (!*facts->on_path.version)
        add_problem(facts,
                    "xl on PATH is stock xl (%s), which places guests as libxl "
                    "does: have xl-numa's launcher before it on PATH",
                    facts->on_path.path);
    else
        judge_part(facts, "xl on PATH", &facts->on_path);
    if (!facts->stock_xl.is_there || *facts->stock_xl.version)
        add_problem(facts,
                    "Xen's own xl is not at %s: install it, or configure "
                    "xl-numa --with-xl=PATH",
                    facts->stock_xl.path);
}

static void judge_xen(struct facts *facts)
{
    if (!*facts->xen)
        add_problem(facts, "Xen does not answer: is this a Xen host, and are "
                           "you root?");
    else if (!facts->is_built_for_it)
        add_problem(facts,
                    "Xen %s is running, but the hook is built for %s: install "
                    "xl-numa for this Xen",
                    facts->xen, *installed.libxl ? installed.libxl : "none");
}

static void judge_daemons(struct facts *facts)
{
    for (unsigned i = 0; i < facts->nr_daemons; i++) {
        const struct probe_daemon *daemon = &facts->daemon[i];

        if (!daemon->has_hook)
            add_problem(facts,
                        "%s (process %d) is without the hook: install the "
                        "package xl-numa-libvirt, or do as "
                        "xl-numa-libvirt(8) says, and restart it",
                        daemon->name, (int)daemon->pid);
        else if (strcmp(daemon->version, PACKAGE_VERSION) != 0)
            add_problem(facts,
                        "%s (process %d) has the hook of version %s, not "
                        "%s: restart it",
                        daemon->name, (int)daemon->pid,
                        *daemon->version ? daemon->version : "unknown",
                        PACKAGE_VERSION);
    }
}

static void judge(struct facts *facts)
{
    judge_part(facts, "the hook", &facts->hook);
    judge_part(facts, "the library", &facts->library);
    judge_part(facts, "the helper of xl mem-set", &facts->grow);
    judge_xl(facts);
    judge_xen(facts);
    if (*facts->conf_wrong)
        add_problem(facts,
                    "%s; the file counts as if it were not there: correct it",
                    facts->conf_wrong);
    if (*facts->xen && facts->has_dedicated &&
        !xlnuma_cpuset_count(&facts->reserved))
        add_problem(facts,
                    "the CPUs that %s reserves (" XLNUMA__CONF_DEDICATED
                    ") are not reserved: run \"xl numa-placement reserve\", "
                    "and enable xl-numa-reserve.service",
                    xlnuma__conf_path());
    judge_daemons(facts);
}

static const char *state_of(const struct facts *facts)
{
    return facts->nr_problems ? "broken" : facts->is_off ? "off" : "on";
}

/* --- text ----------------------------------------------------------------- */

static void __attribute__((format(printf, 2, 3)))
print_fact(const char *what, const char *format, ...)
{
    char label[256];
    va_list args;

    snprintf(label, sizeof(label), "%s:", what);
    printf("%-14s ", label);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void print_xl(const char *what, const struct probe_file *file)
{
    if (!file->is_there)
        print_fact(what, "%s", "not there");
    else if (*file->version)
        print_fact(what, "%s, launcher %s", file->path, file->version);
    else
        print_fact(what, "%s, stock", file->path);
}

static void print_part(const char *what, const struct probe_file *file)
{
    print_fact(what, "%s, %s", file->path,
               !file->is_there  ? "not there"
               : *file->version ? file->version
                                : "not known");
}

static void show_text(const struct facts *facts)
{
    char cpus[XLNUMA__LIST_SIZE];

    print_fact("placement", "%s", state_of(facts));
    print_xl("xl on PATH", &facts->on_path);
    print_xl(installed.xl, &facts->xl);
    print_part("hook", &facts->hook);
    print_part("library", &facts->library);
    print_part("mem-set", &facts->grow);
    print_fact("built for", "%s", *installed.libxl ? installed.libxl : "-");
    print_fact("Xen", "%s", *facts->xen ? facts->xen : "-");
    print_fact("xl-numa.conf", "%s, %s%s%s", xlnuma__conf_path(),
               *facts->conf_wrong      ? "wrong"
               : facts->is_off         ? XLNUMA__CONF_SWITCH " off"
               : !facts->is_conf_there ? "not there"
                                       : "right",
               facts->is_off ? "" : ": policy ",
               facts->is_off ? "" : xlnuma__policies[facts->policy]);
    for (unsigned i = 0; i < facts->nr_daemons; i++)
        print_fact(facts->daemon[i].name, "process %d, %s%s",
                   (int)facts->daemon[i].pid,
                   facts->daemon[i].has_hook ? "hook " : "without the hook",
                   facts->daemon[i].version);
    print_fact("reserved", "%s%s",
               xlnuma_cpuset_count(&facts->reserved) ? "CPUs " : "none",
               xlnuma_cpuset_format(&facts->reserved, cpus, sizeof(cpus)));
    if (facts->balancer)
        print_fact("balanced", "process %ld", facts->balancer);
    else
        print_fact("balanced", "%s", "no");
    if (facts->last.has_report)
        print_fact("last build", "%s (%" PRIu32 "): %s: %s", facts->last.name,
                   facts->last.domid, facts->last.report.status,
                   facts->last.report.reason);
    else
        print_fact("last build", "%s", "no guest that is there");
    for (unsigned i = 0; i < facts->nr_problems; i++)
        print_fact("wrong", "%s", facts->problem[i]);
    if (facts->is_off)
        print_fact("off", "%s",
                   "stock libxl places all guests; \"xl numa-placement "
                   "enable\" ends that");
}

/* --- JSON ----------------------------------------------------------------- */

static void write_text(yajl_gen gen, const char *key, const char *text)
{
    xlnuma__json_key(gen, key);
    if (*text)
        xlnuma__json_string(gen, text);
    else
        yajl_gen_null(gen);
}

static void write_bool(yajl_gen gen, const char *key, bool is_true)
{
    xlnuma__json_key(gen, key);
    yajl_gen_bool(gen, is_true);
}

static void write_file(yajl_gen gen, const char *key,
                       const struct probe_file *file)
{
    xlnuma__json_key_map(gen, key);
    write_text(gen, "path", file->path);
    write_bool(gen, "is_there", file->is_there);
    write_text(gen, "version", file->version);
    yajl_gen_map_close(gen);
}

static void write_conf(yajl_gen gen, const struct facts *facts)
{
    xlnuma__json_key_map(gen, "conf");
    write_text(gen, "path", xlnuma__conf_path());
    write_bool(gen, "is_there", facts->is_conf_there);
    write_text(gen, "error", facts->conf_wrong);
    write_bool(gen, "is_off", facts->is_off);
    write_text(gen, "policy", xlnuma__policies[facts->policy]);
    yajl_gen_map_close(gen);
}

static void write_daemons(yajl_gen gen, const struct facts *facts)
{
    xlnuma__json_key_array(gen, "daemons");
    for (unsigned i = 0; i < facts->nr_daemons; i++) {
        yajl_gen_map_open(gen);
        write_text(gen, "name", facts->daemon[i].name);
        xlnuma__json_key_number(gen, "pid", (uint64_t)facts->daemon[i].pid);
        write_bool(gen, "has_hook", facts->daemon[i].has_hook);
        write_text(gen, "version", facts->daemon[i].version);
        yajl_gen_map_close(gen);
    }
    yajl_gen_array_close(gen);
}

/* null where there is none. */
static void write_last(yajl_gen gen, const struct facts *facts)
{
    xlnuma__json_key(gen, "last_build");
    if (!facts->last.has_report) {
        yajl_gen_null(gen);
        return;
    }
    yajl_gen_map_open(gen);
    write_text(gen, "name", facts->last.name);
    xlnuma__json_key_number(gen, "id", facts->last.domid);
    write_text(gen, "status", facts->last.report.status);
    write_text(gen, "reason", facts->last.report.reason);
    yajl_gen_map_close(gen);
}

static void write_balancer(yajl_gen gen, const struct facts *facts)
{
    xlnuma__json_key(gen, "balancer");
    if (facts->balancer)
        yajl_gen_integer(gen, facts->balancer);
    else
        yajl_gen_null(gen);
}

static int show_json(const struct facts *facts, char *message)
{
    char cpus[XLNUMA__LIST_SIZE];
    yajl_gen gen = xlnuma__json_begin("xlnuma-status", 1);

    if (gen) {
        write_text(gen, "placement", state_of(facts));
        write_text(gen, "xl_numa", PACKAGE_VERSION);
        write_file(gen, "xl_on_path", &facts->on_path);
        write_file(gen, "xl", &facts->xl);
        write_file(gen, "stock_xl", &facts->stock_xl);
        write_file(gen, "hook", &facts->hook);
        write_file(gen, "library", &facts->library);
        write_file(gen, "grow", &facts->grow);
        write_text(gen, "built_for", installed.libxl);
        write_text(gen, "xen", facts->xen);
        write_conf(gen, facts);
        write_daemons(gen, facts);
        write_text(gen, "reserved_cpus",
                   xlnuma_cpuset_format(&facts->reserved, cpus, sizeof(cpus)));
        write_balancer(gen, facts);
        write_last(gen, facts);
        xlnuma__json_key_array(gen, "problems");
        for (unsigned i = 0; i < facts->nr_problems; i++)
            xlnuma__json_string(gen, facts->problem[i]);
        yajl_gen_array_close(gen);
    }
    return xlnuma__json_end(gen, stdout, message);
}

static int run(const struct options *options, int nr, char **operand)
{
    static struct facts facts; /* large */
    char message[XLNUMA_MESSAGE_SIZE];

    if (nr)
        return usage_error("status", "status has no operand \"%s\"",
                           operand[0]);
    gather(&facts);
    judge(&facts);
    if (!options->is_json) {
        show_text(&facts);
    } else if (show_json(&facts, message)) {
        complain("%s", message);
        return STATUS_FAILED;
    }
    return facts.nr_problems || facts.is_off ? STATUS_FAILED : STATUS_DONE;
}

static const struct command_option status_options[] = {
    OPTION_JSON,
    OPTIONS_END,
};

const struct command cmd_status = {
    .name = "status",
    .summary = "is placement on, for xl and for daemons?",
    .operands = "",
    .about =
        "Shows which xl is reached, whether hook and library are installed\n"
        "and go with the running Xen, whether xl-numa.conf is right and what\n"
        "it says, and of each libvirtd and virtxend whether it has the hook;\n"
        "which CPUs are reserved, whether guests are balanced, and what came\n"
        "of the last build; and what is wrong, and what to do.\n",
    .exits = "0 on; 1 off or broken; 2 wrong usage.\n",
    .options = status_options,
    .run = run,
};
