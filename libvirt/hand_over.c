/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl-numa-libvirt: what libvirt runs, as a hook script, before it builds a guest and
 * after that is gone. Hands the settings in the guest's XML to the hook in libvirtd, by a
 * file. What it prints when it fails is shown by virsh.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xentoollog.h>

#include "guest_xml.h"
#include "xen/host.h"
#include "xen/reservations.h"

#define EXIT_USAGE 2

static void print_usage(FILE *to)
{
    fputs("Usage: xl-numa-libvirt GUEST OPERATION SUBOPERATION EXTRA <XML\n"
          "       xl-numa-libvirt --show <XML\n"
          "\n"
          "The first is for libvirt, which runs it as a hook script: have a "
          "link\n"
          "to it in /etc/libvirt/hooks/libxl.d. It hands over what the guest's "
          "XML\n"
          "says of its placement on NUMA nodes.\n"
          "\n"
          "  --show         print that\n"
          "  -h, --help     print this text\n"
          "  -V, --version  print the version\n",
          to);
}

static bool read_host(struct xlnuma_host *host)
{
    char message[XLNUMA_MESSAGE_SIZE];
    libxl_ctx *ctx = NULL;
    xentoollog_logger_stdiostream *lg =
        xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    bool is_read;

    if (!lg)
        return false;
    is_read =
        !libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, (xentoollog_logger *)lg) &&
        !xlnuma_host_from_xen(host, ctx, message);
    libxl_ctx_free(ctx);
    xtl_logger_destroy((xentoollog_logger *)lg);
    return is_read;
}

/* Does the host have what is asked for? One that is not known is not asked. */
static int check_host(const struct xlnuma__handed *handed, char *message)
{
    static struct xlnuma_host host;
    struct xlnuma_request request;
    xlnuma_cpuset online;
    char list[64];

    if (!read_host(&host))
        return 0;
    xlnuma_request_init(&request);
    xlnuma__settings_apply(&handed->settings, &request);
    if (!(host.nodes & request.nodes))
        return xlnuma__fail(
            message, XLNUMA_ERR_INVALID,
            "numa_nodes: none of the nodes is there: this host "
            "has %s",
            xlnuma_nodeset_format(host.nodes, list, sizeof(list)));
    xlnuma__host_cpus(&host, host.nodes, &online);
    if (handed->has_cpus && !xlnuma_cpuset_intersects(&online, &handed->cpus))
        return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                            "<vcpu>: none of the CPUs of cpuset is online: "
                            "this host has %s",
                            xlnuma_cpuset_format(&online, list, sizeof(list)));
    return 0;
}

/* It names the file; libvirt writes small letters. */
static int check_uuid(const struct guest_xml *guest, char *message)
{
    const char *text = guest->uuid;
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(form); i++)
        if (form[i] == 'x' ? !text[i] || !strchr("0123456789abcdef", text[i])
                           : text[i] != form[i])
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "<uuid> is \"%s\", not of the form %s", text,
                                form);
    return 0;
}

/* Before a build, which a failure prevents. */
static int hand_over(const struct guest_xml *guest, char *message)
{
    bool is_empty = xlnuma__handed_is_empty(&guest->handed);
    int dir, rc = check_uuid(guest, message);

    if (!rc && !is_empty)
        rc = check_host(&guest->handed, message);
    if (rc)
        return rc;
    dir = xlnuma__run_dir_open(!is_empty, message);
    if (dir < 0)
        return is_empty && errno == ENOENT ? 0 : dir;
    rc = is_empty
             ? xlnuma__handed_remove(dir, guest->uuid, message)
             : xlnuma__handed_write(&guest->handed, dir, guest->uuid, message);
    close(dir);
    return rc;
}

static int take_back(const struct guest_xml *guest, char *message)
{
    int dir, rc = check_uuid(guest, message);

    if (rc)
        return rc;
    dir = xlnuma__run_dir_open(false, message);
    if (dir < 0)
        return errno == ENOENT ? 0 : dir;
    rc = xlnuma__handed_remove(dir, guest->uuid, message);
    close(dir);
    return rc;
}

static int show(const struct guest_xml *guest, char *message)
{
    return xlnuma__handed_print(&guest->handed, stdout) || fflush(stdout)
               ? xlnuma__fail(message, XLNUMA_ERR_IO, "cannot be written")
               : 0;
}

/* What is done at an operation of libvirt's, NULL: nothing. */
static int (*find_action(const char *operation))(const struct guest_xml *guest,
                                                 char *message)
{
    if (!strcmp(operation, "prepare"))
        return hand_over;
    return !strcmp(operation, "release") ? take_back : NULL;
}

static int run(const char *name,
               int (*action)(const struct guest_xml *guest, char *message))
{
    static struct guest_xml guest;
    char message[XLNUMA_MESSAGE_SIZE];
    int rc;

    rc = guest_xml_read(&guest, stdin, message);
    /* A guest that is gone is gone, whatever its XML asked for. */
    if (!rc || action == take_back)
        rc = action(&guest, message);
    if (rc)
        fprintf(stderr, "xl-numa: guest \"%s\": %s\n", name, message);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *option = argc == 2 ? argv[1] : "";

    if (!strcmp(option, "-h") || !strcmp(option, "--help")) {
        print_usage(stdout);
        return EXIT_SUCCESS;
    }
    if (!strcmp(option, "-V") || !strcmp(option, "--version")) {
        puts("xl-numa-libvirt (xl-numa " PACKAGE_VERSION ")");
        return EXIT_SUCCESS;
    }
    if (!strcmp(option, "--show"))
        return run("on standard input", show);
    if (argc != 5) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    return find_action(argv[2]) ? run(argv[1], find_action(argv[2]))
                                : EXIT_SUCCESS;
}
