/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How busy each node is: the vCPUs that are there, by what they lately ran
 * (docs/design.md). Xen tells what a domain ran since it began, so a file keeps
 * what that was at the last build. Without the file every vCPU counts as busy.
 */
#include "xen/clock.h"
#include "xen/host.h"
#include "xen/reservations.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

#define FILE_NAME "load"
#define NEW_FILE_NAME "load.new" /* until it is whole */
#define HEADER "xl-numa-load 1 "

/* Thousandths: a vCPU that always runs, and one that never did. */
#define BUSY 1000
#define IDLE 250

/* What was before counts as much as this time that is seen. */
#define MEMORY_NS 60e9

/*
 * So many fit into a page: libxenctrl keeps a buffer of one, and maps and unmaps
 * larger ones in each call.
 */
enum { BATCH = 4096 / sizeof(xc_domaininfo_t) };

/* A domain at the last build. */
struct past {
    uint32_t domid;
    char uuid[33];
    uint64_t cpu_ns;
    unsigned busy; /* thousandths of its vCPUs' time */
};

struct pasts {
    uint64_t now_ns, at_ns;
    unsigned nr;
    struct past *past; /* owned; ascending domid */
};

/* --- the file ------------------------------------------------------------- */

static bool add_past(struct pasts *pasts, const struct past *past)
{
    struct past *larger = pasts->past;

    if (pasts->nr % BATCH == 0)
        larger = realloc(larger, (pasts->nr + BATCH) * sizeof(*larger));
    if (!larger)
        return false;
    pasts->past = larger;
    pasts->past[pasts->nr++] = *past;
    return true;
}

/* Up to what cannot be read: unlisted domains count as busy. */
static void read_file(struct pasts *pasts, FILE *file)
{
    struct past past;

    if (fscanf(file, HEADER "%" SCNu64, &pasts->at_ns) != 1)
        return;
    while (fscanf(file, "%" SCNu32 " %32[0-9a-f] %" SCNu64 " %u", &past.domid,
                  past.uuid, &past.cpu_ns, &past.busy) == 4)
        if (past.busy > BUSY ||
            (pasts->nr && past.domid <= pasts->past[pasts->nr - 1].domid) ||
            !add_past(pasts, &past))
            return;
}

static void read_pasts(struct pasts *pasts_r, int dir)
{
    int fd = dir < 0 ? -1
                     : openat(dir, FILE_NAME,
                              O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

    memset(pasts_r, 0, sizeof(*pasts_r));
    pasts_r->now_ns = xlnuma__clock_ns(CLOCK_BOOTTIME);
    if (file)
        read_file(pasts_r, file);
    if (file)
        fclose(file);
    else if (fd >= 0)
        close(fd);
}

/* --- how busy -------------------------------------------------------------- */

static void format_uuid(const xc_domaininfo_t *domain, char uuid[33])
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < 16; i++) {
        uuid[2 * i] = digits[domain->handle[i] >> 4];
        uuid[2 * i + 1] = digits[domain->handle[i] & 15];
    }
    uuid[32] = '\0';
}

static const struct past *find_past(const struct pasts *pasts,
                                    const xc_domaininfo_t *domain,
                                    const char uuid[33])
{
    unsigned from = 0, to = pasts->nr;

    while (from < to) {
        unsigned middle = (from + to) / 2;

        if (pasts->past[middle].domid < domain->domain)
            from = middle + 1;
        else
            to = middle;
    }
    return from < pasts->nr && pasts->past[from].domid == domain->domain &&
                   !strcmp(pasts->past[from].uuid, uuid)
               ? &pasts->past[from]
               : NULL;
}

/* As under the number that the guest had before it was moved, or rebooted. */
static unsigned busy_before(const struct pasts *pasts, const char uuid[33])
{
    for (unsigned i = pasts->nr; i--;)
        if (!strcmp(pasts->past[i].uuid, uuid))
            return pasts->past[i].busy;
    return BUSY; /* new */
}

/* What was and what was seen since then, by their times. */
static unsigned busy_of(const struct pasts *pasts,
                        const xc_domaininfo_t *domain)
{
    const struct past *past;
    double seen_ns, ran;
    char uuid[33];

    format_uuid(domain, uuid);
    past = find_past(pasts, domain, uuid);
    if (!past)
        return busy_before(pasts, uuid);
    if (domain->cpu_time < past->cpu_ns || pasts->now_ns <= pasts->at_ns ||
        !domain->nr_online_vcpus)
        return BUSY;
    seen_ns = (double)(pasts->now_ns - pasts->at_ns);
    ran = BUSY * (double)(domain->cpu_time - past->cpu_ns) /
          domain->nr_online_vcpus;
    if (ran > BUSY * seen_ns)
        ran = BUSY * seen_ns;
    return (unsigned)((past->busy * MEMORY_NS + ran) / (MEMORY_NS + seen_ns));
}

/* --- the domains ----------------------------------------------------------- */

int xlnuma__for_each_domain(xc_interface *xch, xlnuma__domain_fn *do_one,
                            void *data)
{
    xc_domaininfo_t domain[BATCH];
    uint32_t first = 0;
    int nr;

    do {
        nr = xc_domain_getinfolist(xch, first, BATCH, domain);
        if (nr < 0)
            return -1;
        for (int d = 0; d < nr; d++)
            do_one(&domain[d], data);
        if (nr)
            first = domain[nr - 1].domain + 1u;
    } while (nr == BATCH);
    return 0;
}

struct loading {
    struct xlnuma_host *host;
    xc_interface *xch;
    struct pasts pasts;
    xc_domaininfo_t *domain; /* owned */
    unsigned nr;
    bool is_out_of_memory;
    unsigned nr_words; /* of a set of CPUs, that some node has */
};

static void keep_domain(const xc_domaininfo_t *domain, void *data)
{
    struct loading *loading = data;
    xc_domaininfo_t *larger = loading->domain;

    if (loading->is_out_of_memory)
        return;
    if (loading->nr % BATCH == 0)
        larger = realloc(larger, (loading->nr + BATCH) * sizeof(*larger));
    loading->is_out_of_memory = !larger;
    if (!larger)
        return;
    loading->domain = larger;
    loading->domain[loading->nr++] = *domain;
}

/* Those of one uuid follow each other, and the one that ran least comes first. */
static int compare_domains(const void *a, const void *b)
{
    const xc_domaininfo_t *x = a, *y = b;
    int order = memcmp(x->handle, y->handle, sizeof(x->handle));

    return order ? order
                 : (x->cpu_time > y->cpu_time) - (x->cpu_time < y->cpu_time);
}

static bool is_same_guest(const xc_domaininfo_t *a, const xc_domaininfo_t *b)
{
    static const xen_domain_handle_t none;

    return !memcmp(a->handle, b->handle, sizeof(a->handle)) &&
           memcmp(a->handle, none, sizeof(none)) != 0;
}

/* A vCPU's weight, divided over the nodes in proportion to its CPUs. */
static void add_vcpu(struct loading *loading, unsigned weight,
                     const xlnuma_cpuset *hard, const xlnuma_cpuset *soft)
{
    struct xlnuma_host *host = loading->host;
    unsigned i, word, nr_all = 0, nr[XLNUMA_NODES_MAX] = { 0 };
    bool has_both = false;

    for (word = 0; word < loading->nr_words; word++)
        has_both |= (hard->word[word] & soft->word[word]) != 0;
    XLNUMA_FOR_EACH_NODE(i, host->nodes) {
        for (word = 0; word < loading->nr_words; word++) {
            uint64_t cpus = host->node[i].cpus.word[word] & hard->word[word];

            if (has_both)
                cpus &= soft->word[word];
            nr[i] += (unsigned)__builtin_popcountll(cpus);
        }
        nr_all += nr[i];
    }
    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        if (nr_all)
            host->node[i].load_mvcpu += weight * nr[i] / nr_all;
}

/*
 * A domain that dies while we look has no load. libxl's libxl_list_vcpu() takes
 * three hypercalls for each vCPU; on a host with many guests that would be most
 * of a build's delay.
 */
static void add_domain(struct loading *loading, const xc_domaininfo_t *domain)
{
    bool are_all_online = domain->nr_online_vcpus == domain->max_vcpu_id + 1;
    unsigned weight =
        IDLE + busy_of(&loading->pasts, domain) * (BUSY - IDLE) / BUSY;

    if (!domain->nr_online_vcpus)
        return;
    for (unsigned i = 0; i <= domain->max_vcpu_id; i++) {
        xlnuma_cpuset hard = { { 0 } }, soft = { { 0 } };
        xc_vcpuinfo_t info;

        if (!are_all_online &&
            (xc_vcpu_getinfo(loading->xch, domain->domain, i, &info) ||
             !info.online))
            continue;
        if (!xc_vcpu_getaffinity(loading->xch, domain->domain, (int)i,
                                 (xc_cpumap_t)hard.word, (xc_cpumap_t)soft.word,
                                 XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT))
            add_vcpu(loading, weight, &hard, &soft);
    }
}

/*
 * Of two domains of one uuid the one that ran more is about to go: the guest is on its
 * way to its own host, and its vCPUs will be where the other one's are.
 */
static void add_domains(struct loading *loading)
{
    const xc_domaininfo_t *first = loading->domain;

    if (loading->nr)
        qsort(loading->domain, loading->nr, sizeof(*loading->domain),
              compare_domains);
    for (unsigned n = 0; n < loading->nr; n++) {
        const xc_domaininfo_t *domain = &loading->domain[n];

        if (!is_same_guest(first, domain))
            first = domain;
        if (domain->cpu_time == first->cpu_time)
            add_domain(loading, domain);
    }
}

/* --- noting ---------------------------------------------------------------- */

static void write_notes(const struct loading *loading, FILE *file)
{
    char uuid[33];

    fprintf(file, HEADER "%" PRIu64 "\n", loading->pasts.now_ns);
    for (unsigned n = 0; n < loading->nr; n++) {
        const xc_domaininfo_t *domain = &loading->domain[n];

        format_uuid(domain, uuid);
        fprintf(file, "%u %s %" PRIu64 " %u\n", domain->domain, uuid,
                (uint64_t)domain->cpu_time, busy_of(&loading->pasts, domain));
    }
}

/* For the next build. Fails silently: until it is noted they count as busy. */
static void note_domains(const struct loading *loading, int dir)
{
    bool is_whole;
    FILE *file;
    int fd;

    (void)unlinkat(dir, NEW_FILE_NAME, 0); /* of one that was killed */
    fd = openat(dir, NEW_FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                0600);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file) {
        write_notes(loading, file);
        is_whole = !fflush(file) && !ferror(file);
        fclose(file);
        if (!is_whole || renameat(dir, NEW_FILE_NAME, dir, FILE_NAME))
            unlinkat(dir, NEW_FILE_NAME, 0);
    } else if (fd >= 0) {
        close(fd);
    }
}

/* --- all of it ------------------------------------------------------------- */

/* The words of a set of CPUs that some node of the host has. */
static unsigned count_words(const struct xlnuma_host *host)
{
    unsigned i, nr = 0;

    XLNUMA_FOR_EACH_NODE(i, host->nodes)
        for (unsigned word = nr; word < XLNUMA_CPUS_MAX / 64; word++)
            if (host->node[i].cpus.word[word])
                nr = word + 1;
    return nr;
}

int xlnuma__load_read(struct xlnuma_host *host, xc_interface *xch, bool notes,
                      char *message)
{
    struct loading loading = { .host = host,
                               .xch = xch,
                               .nr_words = count_words(host) };
    char why[XLNUMA_MESSAGE_SIZE];
    int dir = xlnuma__run_dir_open(notes, why), rc = 0;

    read_pasts(&loading.pasts, dir);
    if (xlnuma__for_each_domain(xch, keep_domain, &loading))
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "Xen does not list its domains: %s", strerror(errno));
    else if (loading.is_out_of_memory)
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    if (!rc && notes && dir >= 0)
        note_domains(&loading, dir);
    if (!rc)
        add_domains(&loading);
    if (dir >= 0)
        close(dir);
    free(loading.domain);
    free(loading.pasts.past);
    return rc;
}
