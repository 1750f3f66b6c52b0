/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl numa-placement reserve and release: the CPUs that xl-numa.conf sets aside for
 * guests that ask for CPUs of their own, as a cpupool. Guests are not touched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xenctrl.h>

#include "commands/command.h"
#include "commands/live.h"
#include "config/settings.h"
#include "model/dedicated.h"
#include "xen/dedicated.h"
#include "xen/host.h"

struct job {
    struct live live;
    xc_interface *xch;
    struct xlnuma_host *host; /* owned */
    struct xlnuma__conf_host conf;
    xlnuma_cpuset configured;
    char message[XLNUMA_MESSAGE_SIZE];
};

/* The CPUs that xl-numa.conf says; none, too. */
static int read_conf(struct job *job)
{
    struct xlnuma__settings settings;
    char what[XLNUMA_MESSAGE_SIZE];
    int rc = xlnuma__conf_read(&settings, &job->conf, "", job->message);

    if (rc || !*job->conf.dedicated_cpus)
        return rc;
    rc = xlnuma__dedicated_parse(job->conf.dedicated_cpus, job->host,
                                 &job->configured, what);
    return rc ? xlnuma__fail(job->message, rc,
                             "%s: " XLNUMA__CONF_DEDICATED " is \"%s\": %s",
                             xlnuma__conf_path(), job->conf.dedicated_cpus,
                             what)
              : 0;
}

static int begin(struct job *job)
{
    int rc = live_open(&job->live, job->message);

    if (rc)
        return rc;
    job->xch = xc_interface_open(NULL, NULL, 0);
    if (!job->xch)
        return xlnuma__fail(job->message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    job->host = xlnuma_host_new();
    if (!job->host)
        return xlnuma__fail(job->message, XLNUMA_ERR_NOMEM, "out of memory");
    rc = xlnuma_host_from_xen(job->host, job->live.ctx, job->message);
    return rc ? rc : read_conf(job);
}

static int end(struct job *job, int rc)
{
    if (rc)
        complain("%s", job->message);
    if (job->xch)
        xc_interface_close(job->xch);
    xlnuma_host_free(job->host);
    live_close(&job->live);
    if (rc == XLNUMA_ERR_REFUSED)
        return STATUS_UNPLACED;
    return rc ? STATUS_FAILED : STATUS_DONE;
}

static int run_reserve(const struct options *options, int nr, char **operand)
{
    struct job job = { .xch = NULL };
    char cpus[XLNUMA__LIST_SIZE];
    bool was_done;
    int rc;

    if (nr)
        return usage_error("reserve", "reserve has no operand \"%s\"",
                           operand[0]);
    rc = begin(&job);
    if (!rc && !*job.conf.dedicated_cpus) {
        printf("nothing to reserve: %s has no " XLNUMA__CONF_DEDICATED "\n",
               xlnuma__conf_path());
        return end(&job, 0);
    }
    if (!rc)
        rc = xlnuma__reserve(job.live.ctx, job.xch, &job.configured,
                             options->is_dry, &was_done, job.message);
    if (!rc)
        printf("%s CPUs %s (cpupool " XLNUMA__POOL ")\n",
               was_done          ? "already reserved:"
               : options->is_dry ? "would reserve"
                                 : "reserved",
               xlnuma_cpuset_format(&job.configured, cpus, sizeof(cpus)));
    return end(&job, rc);
}

static int run_release(const struct options *options, int nr, char **operand)
{
    struct job job = { .xch = NULL };
    char list[XLNUMA__LIST_SIZE];
    xlnuma_cpuset cpus;
    int rc;

    (void)options;
    if (nr)
        return usage_error("release", "release has no operand \"%s\"",
                           operand[0]);
    rc = begin(&job);
    if (!rc)
        rc = xlnuma__release(job.live.ctx, job.xch, &job.configured, &cpus,
                             job.message);
    if (!rc && xlnuma_cpuset_count(&cpus))
        printf("released CPUs %s\n",
               xlnuma_cpuset_format(&cpus, list, sizeof(list)));
    else if (!rc)
        puts("nothing is reserved");
    return end(&job, rc);
}

static const struct command_option reserve_options[] = {
    FLAG("dry-run", 0, is_dry, "say what would be done, and change nothing"),
    OPTIONS_END,
};

static const struct command_option release_options[] = { OPTIONS_END };

const struct command cmd_reserve = {
    .name = "reserve",
    .summary = "set CPUs aside for guests that ask for their own",
    .operands = "",
    .about =
        "Takes the CPUs that numa_dedicated_cpus in xl-numa.conf names out of\n"
        "Pool-0, into a cpupool of their own. Guests with\n"
        "numa_cpus=\"dedicated\" get them, others do not run there. Nothing "
        "is\n"
        "done if they are reserved already. Refused if a vCPU may run on no\n"
        "other CPU.\n",
    .exits = "0 done, or nothing to do; 1 something failed; 2 wrong usage;\n"
             "3 refused, and why.\n",
    .options = reserve_options,
    .run = run_reserve,
};

const struct command cmd_release = {
    .name = "release",
    .summary = "give reserved CPUs back",
    .operands = "",
    .about = "Undoes \"reserve\": the CPUs go back to Pool-0. Refused while a\n"
             "domain is in that cpupool.\n",
    .exits = "0 done, or nothing to do; 1 something failed; 2 wrong usage;\n"
             "3 refused, and why.\n",
    .options = release_options,
    .run = run_release,
};
