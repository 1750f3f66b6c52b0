/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A move where each stage fails once, with a fake xl (move-xl), and Xen and xenstore
 * as files of a folder.
 */
#include "installed.h"
#include "move/move.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/sched.h>

#define UUID "00010203-0405-0607-0809-0a0b0c0d0e0f"

static char fake[64];

const struct installed installed = { .stock_xl = MOVE_XL, .launcher = MOVE_XL };

/* --- files -------------------------------------------------------------------- */

static char *path_of(char path[512], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static char *path_of(char path[512], const char *format, ...)
{
    int at = snprintf(path, 512, "%s/", fake);
    va_list args;

    va_start(args, format);
    vsnprintf(path + at, 512 - (size_t)at, format, args);
    va_end(args);
    return path;
}

/* NULL: there is none. Ownership: the caller's. */
static char *get(const char *path)
{
    char *text = calloc(1, 1024);
    FILE *file = fopen(path, "r");

    if (!file || !text) {
        free(text);
        return NULL;
    }
    if (!fread(text, 1, 1023, file))
        *text = '\0';
    fclose(file);
    return text;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static bool is_there(const char *name)
{
    char path[512];

    return !access(path_of(path, "%s", name), F_OK);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
    char command[512];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    CU_ASSERT_EQUAL(system(command), 0);
}

/* --- Xen ---------------------------------------------------------------------- */

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger, (void)dombuild_logger, (void)open_flags;
    return (xc_interface *)fake;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned max,
                          xc_domaininfo_t *info)
{
    unsigned nr = 0;

    (void)xch;
    for (uint32_t domid = first; domid < 16 && nr < max; domid++) {
        char path[512];
        char *text = get(path_of(path, "dom/%" PRIu32, domid));

        if (!text)
            continue;
        memset(&info[nr], 0, sizeof(*info));
        info[nr].domain = (domid_t)domid;
        for (unsigned i = 0; i < 16; i++)
            info[nr].handle[i] = (uint8_t)i;
        info[nr].cpu_time = strchr(text, 'R') ? 1000 : 0;
        info[nr].flags = strchr(text, 'P') ? XEN_DOMINF_paused : 0;
        if (strchr(text, 'S'))
            info[nr].flags |= XEN_DOMINF_shutdown |
                              SHUTDOWN_suspend << XEN_DOMINF_shutdownshift;
        free(text);
        nr++;
    }
    return (int)nr;
}

long long xc_logdirty_control(xc_interface *xch, uint32_t domid, unsigned sop,
                              xc_hypercall_buffer_t *dirty_bitmap,
                              unsigned long pages, unsigned mode,
                              xc_shadow_op_stats_t *stats)
{
    (void)xch, (void)domid, (void)sop, (void)dirty_bitmap, (void)pages;
    (void)mode, (void)stats;
    return 0;
}

static int set_domain(uint32_t domid, const char *text)
{
    char path[512];

    if (access(path_of(path, "dom/%" PRIu32, domid), F_OK))
        return -1;
    put(path, text);
    return 0;
}

int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *how)
{
    (void)ctx, (void)how;
    run("cd %s && rm -r dom/%u xs/local/domain/%u && rm -rf xs/vm/" UUID, fake,
        domid, domid);
    return 0;
}

int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int suspend_cancel,
                        const libxl_asyncop_how *how)
{
    (void)ctx, (void)how;
    CU_ASSERT_EQUAL(suspend_cancel, 1);
    return set_domain(domid, "bR");
}

int libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *how)
{
    (void)ctx, (void)how;
    return set_domain(domid, "bR");
}

int libxl_domain_rename(libxl_ctx *ctx, uint32_t domid, const char *old_name,
                        const char *new_name)
{
    char path[512];

    (void)ctx, (void)old_name;
    put(path_of(path, "xs/local/domain/%" PRIu32 "/name/.v", domid), new_name);
    return 0;
}

/* --- xenstore ----------------------------------------------------------------- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    return (struct xs_handle *)fake;
}

void xs_close(struct xs_handle *xs)
{
    (void)xs;
}

xs_transaction_t xs_transaction_start(struct xs_handle *xs)
{
    (void)xs;
    return 1;
}

bool xs_transaction_end(struct xs_handle *xs, xs_transaction_t transaction,
                        bool abort)
{
    (void)xs, (void)transaction, (void)abort;
    return true;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t transaction,
              const char *path, unsigned *length)
{
    char file[512], *text;

    (void)xs, (void)transaction;
    text = get(path_of(file, "xs%s/.v", path));
    if (!text)
        errno = ENOENT;
    else if (length)
        *length = (unsigned)strlen(text);
    return text;
}

bool xs_write(struct xs_handle *xs, xs_transaction_t transaction,
              const char *path, const void *data, unsigned length)
{
    char file[512];

    (void)xs, (void)transaction, (void)length;
    run("mkdir -p %s/xs%s", fake, path);
    put(path_of(file, "xs%s/.v", path), data);
    return true;
}

/* As in xenstore one block: the names are behind the pointers to them. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t transaction,
                    const char *path, unsigned *nr)
{
    char file[512];
    DIR *dir = opendir(path_of(file, "xs%s", path));
    char **name = dir ? calloc(8, sizeof(*name) + 64) : NULL;
    char *text = (char *)(name + 8);
    struct dirent *entry;

    (void)xs, (void)transaction;
    *nr = 0;
    while (name && (entry = readdir(dir)) && *nr < 8) {
        if (*entry->d_name == '.')
            continue;
        name[*nr] = memcpy(text + *nr * 64, entry->d_name, 63);
        ++*nr;
    }
    if (dir)
        closedir(dir);
    return name;
}

bool xs_set_permissions(struct xs_handle *xs, xs_transaction_t transaction,
                        const char *path, struct xs_permissions *perms,
                        unsigned nr)
{
    char text[64], file[512];

    (void)xs, (void)transaction;
    CU_ASSERT_STRING_EQUAL(path, "/vm/" UUID);
    CU_ASSERT_EQUAL(nr, 2);
    CU_ASSERT_EQUAL(perms[0].perms, XS_PERM_NONE);
    CU_ASSERT_EQUAL(perms[1].perms, XS_PERM_READ);
    snprintf(text, sizeof(text), "%u", perms[1].id);
    put(path_of(file, "reader"), text);
    return true;
}

/* --- the guest ---------------------------------------------------------------- */

static void is_value(const char *path, const char *expected)
{
    char file[512], *text = get(path_of(file, "%s", path));

    CU_ASSERT_STRING_EQUAL(text ? text : "(none)", expected);
    free(text);
}

/* Guest g, domain 5, runs; xl ends at this stage. */
static void begin(const char *stage)
{
    char path[512];

    run("cd %s && rm -rf * && mkdir -p dom run by-file xs/local/domain/5/name "
        "xs/vm/" UUID "/image/ostype xs/vm/" UUID "/start_time xs/vm/" UUID
        "/name && chmod 700 run",
        fake);
    put(path_of(path, "dom/5"), "bR");
    put(path_of(path, "stage"), stage);
    put(path_of(path, "xs/local/domain/5/name/.v"), "g");
    put(path_of(path, "xs/vm/" UUID "/.v"), "");
    put(path_of(path, "xs/vm/" UUID "/name/.v"), "g");
    put(path_of(path, "xs/vm/" UUID "/start_time/.v"), "1000");
    put(path_of(path, "xs/vm/" UUID "/image/.v"), "");
    put(path_of(path, "xs/vm/" UUID "/image/ostype/.v"), "hvm");
}

/* One copy is left: it runs, as this domain, under its name, with its uptime. */
static void is_whole(uint32_t domid)
{
    char path[512], id[16], *text;

    snprintf(id, sizeof(id), "%" PRIu32, domid);
    CU_ASSERT_NOT_EQUAL(is_there("dom/5"), is_there("dom/9"));
    text = get(path_of(path, "dom/%s", id));
    CU_ASSERT_TRUE(text && !strncmp(text, "bR", 2) && !strpbrk(text, "SP"));
    free(text);
    snprintf(path, sizeof(path), "xs/local/domain/%s/name/.v", id);
    is_value(path, "g");
    is_value("xs/vm/" UUID "/start_time/.v", "1000");
    is_value("xs/vm/" UUID "/image/ostype/.v", "hvm");
    is_value("reader", id);
    CU_ASSERT_FALSE(is_there("run/move"));
    CU_ASSERT_FALSE(is_there("has-lock"));
    CU_ASSERT_FALSE(is_there("by-file/" UUID ".moving"));
}

/* Returns what it returns; told and message of XLNUMA_MESSAGE_SIZE bytes. */
static int move_guest(const char *dir, struct guest_moved *moved_r, char *told,
                      char *message)
{
    struct guest_moves moves;
    int rc = guest_moves_begin(&moves, NULL, told, message);

    if (!rc)
        rc = guest_move(&moves, 5, dir, 0, moved_r, message);
    guest_moves_end(&moves);
    return rc;
}

static int finish(char *told, char *message)
{
    struct guest_moves moves;
    int rc = guest_moves_begin(&moves, NULL, told, message);

    guest_moves_end(&moves);
    return rc;
}

/* --- the stages ----------------------------------------------------------------- */

/*
 * Where xl ends, and which domain is the guest then. What is said of why is the first
 * error, or the last line.
 */
static const struct stage {
    const char *name;
    uint32_t domid;
    const char *says;
} stages[] = {
    { "nothing", 9, NULL },
    { "no-receiver", 5,
      "g was not moved and runs on as domain 5: \"xl migrate\" failed" },
    { "no-memory", 5,
      "g was not moved and runs on as domain 5: \"xl migrate\" failed: xl: "
      "error: receiver stream truncated" },
    { "ignores", 5,
      "g was not moved and runs on as domain 5: \"xl migrate\" failed" },
    { "receiver-dies", 5,
      "g was not moved and runs on as domain 5: \"xl migrate\" failed: xl: "
      "error: receiver stream truncated" },
    { "sender-dies", 5,
      "g was not moved and runs on as domain 5, but xl no longer waits for it "
      "to reboot or end: \"xl migrate\" failed" },
    { "before-rename", 5,
      "g was not moved and runs on as domain 5, but xl no longer waits for it "
      "to reboot or end: \"xl migrate\" failed" },
    { "after-rename", 5,
      "g was not moved and runs on as domain 5, but xl no longer waits for it "
      "to reboot or end: \"xl migrate\" failed" },
    { "after-unpause", 9, NULL },
    { "slow-receiver", 9, NULL },
};

static void each_stage(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE];

    for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
        int rc;

        begin(stages[i].name);
        rc = move_guest(NULL, &moved, told, message);
        if (!rc != (stages[i].domid == 9))
            printf("# %s: %s\n", stages[i].name, message);
        CU_ASSERT_EQUAL(rc, stages[i].domid == 9 ? 0 : XLNUMA_ERR_XEN);
        CU_ASSERT_STRING_EQUAL(told, "");
        if (!stages[i].says) {
            CU_ASSERT_EQUAL(moved.report.nodes, 1 << 2);
        } else if (strncmp(message, stages[i].says, strlen(stages[i].says))) {
            printf("# %s: %s\n", stages[i].name, message);
            CU_FAIL();
        }
        is_whole(stages[i].domid);
    }
}

/* The guest's name may be anything: it is on no command line. */
static void arguments(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE];

    begin("nothing");
    CU_ASSERT_EQUAL(move_guest(NULL, &moved, told, message), 0);
    CU_ASSERT_EQUAL(moved.domid, 9);
    CU_ASSERT_TRUE(moved.down_s > 0 && moved.down_s < 60);
    is_value("said", "migrate -s  5 '" MOVE_XL
                     "' migrate-receive 8>&-; exit $?\nmigrate-receive\n");
}

/* --- by file -------------------------------------------------------------------- */

static void by_file(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE], dir[512];

    begin("nothing");
    path_of(dir, "by-file");
    CU_ASSERT_EQUAL(move_guest(dir, &moved, told, message), 0);
    CU_ASSERT_EQUAL(moved.domid, 9);
    is_whole(9);

    begin("save-dies"); /* the guest is suspended, the file may be half one */
    CU_ASSERT_EQUAL(move_guest(dir, &moved, told, message), XLNUMA_ERR_XEN);
    is_whole(5);

    begin("restore-dies"); /* it is in the file, and half a copy is there */
    CU_ASSERT_EQUAL(move_guest(dir, &moved, told, message), XLNUMA_ERR_XEN);
    CU_ASSERT_TRUE(is_there("by-file/" UUID ".moving"));
    put(path_of(dir, "stage"), "nothing");
    CU_ASSERT_EQUAL(finish(told, message), 0);
    CU_ASSERT_STRING_EQUAL(
        told, "g: its move was cut off earlier: it is moved (domain 9)");
    is_whole(9);
}

/* An older state of a guest is not written over, nor ever restored. */
static void old_file(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE], dir[512];

    begin("nothing");
    put(path_of(dir, "by-file/" UUID ".moving"), "memory of yesterday");
    path_of(dir, "by-file");
    CU_ASSERT_EQUAL(move_guest(dir, &moved, told, message), XLNUMA_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, ".moving: File exists"));
    CU_ASSERT_FALSE(is_there("run/move"));
    is_value("by-file/" UUID ".moving", "memory of yesterday");
    is_value("dom/5", "bR");
    path_of(dir, "nowhere");
    CU_ASSERT_EQUAL(move_guest(dir, &moved, told, message), XLNUMA_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "/nowhere: No such file"));
}

/* It was migrated by hand, so that there is nothing to put back. */
static void without_vm(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE];

    begin("nothing");
    run("rm -r %s/xs/vm", fake);
    CU_ASSERT_EQUAL(move_guest(NULL, &moved, told, message), 0);
    CU_ASSERT_EQUAL(moved.domid, 9);
}

/* --- killed ourselves ------------------------------------------------------------- */

/* In a child, which is killed when its xl is amid the copy. */
static void kill_amid(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE], path[512];
    pid_t child;

    put(path_of(path, "amid"), "");
    child = fork();
    if (!child)
        _exit(move_guest(NULL, &moved, told, message) != 0);
    while (!is_there("begun"))
        usleep(10000);
    CU_ASSERT_EQUAL(finish(told, message), XLNUMA_ERR_IO);
    CU_ASSERT_STRING_EQUAL(message, "another process moves guests of this "
                                    "host: wait until it is done");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void killed_amid(void)
{
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE];

    begin("nothing"); /* xl goes on, and is waited for */
    kill_amid();
    CU_ASSERT_EQUAL(finish(told, message), 0);
    CU_ASSERT_STRING_EQUAL(
        told, "g: its move was cut off earlier: it is moved (domain 9)");
    is_whole(9);

    begin("sender-dies"); /* and so does xl */
    kill_amid();
    CU_ASSERT_EQUAL(finish(told, message), 0);
    CU_ASSERT_STRING_EQUAL(told, "g: its move was cut off earlier: it runs on "
                                 "where it was (domain 5)");
    is_whole(5);
    CU_ASSERT_EQUAL(finish(told, message), 0); /* nothing is left to tell */
    CU_ASSERT_STRING_EQUAL(told, "");
}

static void refused(void)
{
    static struct guest_moved moved;
    char told[XLNUMA_MESSAGE_SIZE], message[XLNUMA_MESSAGE_SIZE], path[512];

    begin("nothing");
    put(path_of(path, "dom/5"), "bRP");
    CU_ASSERT_EQUAL(move_guest(NULL, &moved, told, message), XLNUMA_ERR_XEN);
    CU_ASSERT_STRING_EQUAL(message, "domain 5 is not moved: it is paused");
    put(path_of(path, "dom/5"), "bR");
    put(path_of(path, "dom/7"), "bR");
    CU_ASSERT_EQUAL(move_guest(NULL, &moved, told, message), XLNUMA_ERR_XEN);
    CU_ASSERT_STRING_EQUAL(message,
                           "g is not moved: another domain has its uuid");
    CU_ASSERT_FALSE(is_there("run/move"));
    put(path_of(path, "run/move"), "something else");
    CU_ASSERT_EQUAL(finish(told, message), XLNUMA_ERR_INVALID);
    run("rm -r %s", fake);
}

int main(void)
{
    static const struct unit_test tests[] = {
        { "each stage fails: one copy is left, and runs", each_stage },
        { "what is run, and for how long it did not run", arguments },
        { "by file", by_file },
        { "a file that is there, a folder that is not", old_file },
        { "a guest without /vm", without_vm },
        { "the command is killed: the next one finishes", killed_amid },
        { "what is refused", refused },
        { NULL, NULL },
    };

    snprintf(fake, sizeof(fake), "/tmp/test_move.XXXXXX");
    if (!mkdtemp(fake))
        return 99;
    setenv("FAKE", fake, 1);
    char dir[512];
    setenv("XL_NUMA_RUN", path_of(dir, "run"), 1);
    return unit_run("move", tests);
}
