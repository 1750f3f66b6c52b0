/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to look at a large host: time and peak memory of the given
 * program's `list` and `host`, for 500 guests on 64 nodes, in a snapshot and
 * live. Live, xenstore is a process at the end of a socket as it is in dom0, so
 * that each report costs its round trip; libxl is list_xen.c, so Xen costs nothing.
 * Exit status 1 if no run takes less than 100 ms of processor time, or one takes 18
 * MiB.
 */
#include "list.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define RUNS 21
#define MS_MAX 100.0
#define KB_MAX (18 * 1024)

static const char snapshot[] = "host.json", store_path[] = "./store";

static void die(const char *what)
{
    fprintf(stderr, "bench list: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The first node of a guest; the second is the next. */
static unsigned node_of(unsigned domid)
{
    return domid % (NR_NODES / 2) * 2;
}

/* --- xenstore: the report of any guest ------------------------------------ */

/* docs/xenstore.md */
static int write_report(unsigned domid, char *value)
{
    unsigned node = node_of(domid), kb = GUEST_MIB / 2 * 1024;

    return sprintf(
        value,
        "version=2\npolicy=best-effort\nmemory=spread\nstatus=placed\n"
        "reason=no single node has 4016 MiB free (node 3 has most, 3999 MiB); "
        "nodes 0-1 hold it on 1 socket at expected distance 10.50\n"
        "nodes=%u-%u\nsoft_cpus=%u-%u\nexpected_distance=10.50\n"
        "node/%u/planned_kb=%u\nnode/%u/actual_kb=%u\n"
        "node/%u/planned_kb=%u\nnode/%u/actual_kb=%u\n"
        "extents/9=976\nextents/18=2\n",
        node, node + 1, node * 4, node * 4 + 7, node, kb, node, kb, node + 1,
        kb, node + 1, kb);
}

/* The answer to a request for `path`: its length, or -1 for none. */
static int answer(unsigned type, const char *path, char *value)
{
    unsigned domid;
    char key[64];

    if (type != XS_READ)
        return -1;
    if (sscanf(path, "/local/domain/%u/name", &domid) == 1)
        return domid ? sprintf(value, "guest-%03u", domid)
                     : sprintf(value, "Domain-0");
    if (sscanf(path, "/libxl/%u/%63s", &domid, key) == 2 &&
        !strcmp(key, "numa-placement"))
        return write_report(domid, value);
    return -1;
}

static bool read_all(int fd, void *buf, size_t size)
{
    for (ssize_t n; size; size -= (size_t)n, buf = (char *)buf + n)
        if ((n = read(fd, buf, size)) <= 0)
            return false;
    return true;
}

static bool serve(int fd)
{
    struct {
        struct xsd_sockmsg head;
        char body[XENSTORE_PAYLOAD_MAX + 1];
    } message;
    char path[sizeof(message.body)];
    int length;

    if (!read_all(fd, &message.head, sizeof(message.head)) ||
        message.head.len > XENSTORE_PAYLOAD_MAX ||
        !read_all(fd, message.body, message.head.len))
        return false;
    message.body[message.head.len] = '\0';
    strcpy(path, message.body);
    length = answer(message.head.type, path, message.body);
    if (length < 0) {
        message.head.type = XS_ERROR;
        length = (int)sizeof("ENOENT");
        strcpy(message.body, "ENOENT");
    }
    message.head.len = (unsigned)length;
    return write(fd, &message, sizeof(message.head) + (size_t)length) > 0;
}

/* A process for each connection, so that none has to wait. */
static pid_t start_store(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t pid;

    strcpy(address.sun_path, store_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
        listen(fd, 8) || (pid = fork()) < 0)
        die(store_path);
    if (pid)
        return pid;
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int connection = accept(fd, NULL, NULL);

        if (connection >= 0 && !fork()) {
            while (serve(connection))
                continue;
            _exit(0);
        }
        close(connection);
    }
}

/* --- the same host as a snapshot ------------------------------------------ */

static void write_snapshot(void)
{
    FILE *file = fopen(snapshot, "w");

    if (!file)
        die(snapshot);
    fputs("{\"format\":\"xlnuma-host\",\"version\":1,\"nodes\":[", file);
    for (unsigned i = 0; i < NR_NODES; i++)
        fprintf(file,
                "%s{\"id\":%u,\"socket\":%u,\"cpus\":\"%u-%u\","
                "\"size_kb\":%u,\"free_kb\":%u}",
                i ? "," : "", i, i / 2, i * 4, i * 4 + 3, NODE_MIB * 1024,
                NODE_MIB / 2 * 1024);
    fputs("],\"distances\":[", file);
    for (unsigned i = 0; i < NR_NODES; i++)
        for (unsigned j = 0; j < NR_NODES; j++)
            fprintf(file, "%s%d%s",
                    j   ? ","
                    : i ? ",["
                        : "[",
                    i == j           ? 10
                    : i / 2 == j / 2 ? 11
                                     : 21,
                    j == NR_NODES - 1 ? "]" : "");
    fputs("],\"guests\":[", file);
    for (unsigned i = 1; i <= NR_GUESTS; i++)
        fprintf(file,
                "%s{\"name\":\"guest-%03u\",\"id\":%u,\"memory_kb\":%u,"
                "\"vcpus\":%u,\"node_list\":\"%u-%u\",\"nodes\":["
                "{\"id\":%u,\"planned_kb\":%u,\"actual_kb\":%u},"
                "{\"id\":%u,\"planned_kb\":%u,\"actual_kb\":%u}],"
                "\"expected_distance\":10.5,\"policy\":\"best-effort\","
                "\"memory\":\"spread\",\"status\":\"placed\"}",
                i > 1 ? "," : "", i, i, GUEST_MIB * 1024, NR_VCPUS, node_of(i),
                node_of(i) + 1, node_of(i), GUEST_MIB / 2 * 1024,
                GUEST_MIB / 2 * 1024, node_of(i) + 1, GUEST_MIB / 2 * 1024,
                GUEST_MIB / 2 * 1024);
    fputs("]}\n", file);
    if (fclose(file))
        die(snapshot);
}

/* --- measuring ------------------------------------------------------------ */

struct sample {
    double ms, cpu_ms;
    long kb;
};

static double ms_of(const struct timeval *time)
{
    return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

/* Runs the program once with its output in a file. */
static struct sample run_once(char *const argv[], const char *preload,
                              const char *output)
{
    struct timespec begin, end;
    struct rusage usage;
    int status;
    pid_t pid;

    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid = fork();
    if (pid < 0)
        die("fork");
    if (!pid) {
        if (!freopen(output, "w", stdout))
            _exit(127);
        if (preload)
            setenv("LD_PRELOAD", preload, 1);
        execv(argv[0], argv);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) != pid || status) {
        fprintf(stderr, "bench list: %s %s failed\n", argv[0], argv[1]);
        exit(1);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (struct sample){ (double)(end.tv_sec - begin.tv_sec) * 1e3 +
                                (double)(end.tv_nsec - begin.tv_nsec) / 1e6,
                            ms_of(&usage.ru_utime) + ms_of(&usage.ru_stime),
                            usage.ru_maxrss };
}

static int compare(const void *a, const void *b)
{
    const struct sample *left = a, *right = b;

    return (left->ms > right->ms) - (left->ms < right->ms);
}

/* Lines in the output that have a guest's name: so it did what it should. */
static unsigned count_guests(const char *path)
{
    char line[4096];
    unsigned nr = 0;
    FILE *file = fopen(path, "r");

    while (file && fgets(line, sizeof(line), file))
        nr += strstr(line, "guest-") != NULL;
    if (file)
        fclose(file);
    return nr;
}

/* One line of the table. Returns whether it is within the limits. */
static bool measure(const char *what, char *const argv[], const char *preload,
                    unsigned nr_guests)
{
    static const char output[] = "output";
    struct sample sample[RUNS];
    double cpu_ms = MS_MAX;
    long kb = 0;

    for (unsigned i = 0; i < RUNS; i++) {
        sample[i] = run_once(argv, preload, output);
        kb = sample[i].kb > kb ? sample[i].kb : kb;
        cpu_ms = sample[i].cpu_ms < cpu_ms ? sample[i].cpu_ms : cpu_ms;
    }
    if (count_guests(output) != nr_guests) {
        fprintf(stderr, "bench list: %s: %u guests, not %u\n", what,
                count_guests(output), nr_guests);
        exit(1);
    }
    qsort(sample, RUNS, sizeof(*sample), compare);
    printf("%-24s %9.1f %9.1f %9.1f\n", what, sample[0].ms, sample[RUNS / 2].ms,
           (double)kb / 1024);
    return cpu_ms < MS_MAX && kb < KB_MAX;
}

int main(int argc, char **argv)
{
    char *program = argv[1], *preload = argv[2];
    bool is_good = true;
    pid_t store;

    if (argc != 3) {
        fprintf(stderr, "usage: list PROGRAM PRELOAD, in a folder to write\n");
        return 2;
    }
    write_snapshot();
    store = start_store();
    setenv("XENSTORED_PATH", store_path, 1);
    printf("%d guests on %d nodes        least ms median ms  peak MiB\n",
           NR_GUESTS, NR_NODES);
#define RUN(what, nr, preload, ...)                                            \
    is_good &=                                                                 \
        measure(what, (char *[]){ program, __VA_ARGS__, NULL }, preload, nr)
    RUN("list", NR_GUESTS, preload, "list");
    RUN("list --json", NR_GUESTS, preload, "list", "--json");
    RUN("list --host FILE", NR_GUESTS, NULL, "list", "--host",
        (char *)snapshot);
    RUN("list --host FILE --json", NR_GUESTS, NULL, "list", "--json", "--host",
        (char *)snapshot);
    RUN("host --host FILE", 0, NULL, "host", "--host", (char *)snapshot);
    kill(store, SIGTERM);
    return is_good ? 0 : 1;
}
