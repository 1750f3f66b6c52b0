/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal of a move. */
#include "move/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xen/reservations.h"

#define FILE_NAME "move"
#define NEW_NAME "move.new"
#define HEADER "xl-numa-move 1"
#define SIZE_MAX_BYTES (1024 * 1024)
#define PATH_SIZE 1024

/* --- the text ------------------------------------------------------------- */

static void put(FILE *text, const char *string)
{
    fwrite(string, 1, strlen(string) + 1, text);
}

/* The string behind this one; NULL behind the last. */
static const char *next(const struct move_journal *journal, const char *string)
{
    const char *behind = string + strlen(string) + 1;

    return behind < journal->text + journal->length ? behind : NULL;
}

/* Points into the text. Returns false if it is no journal. */
static bool parse(struct move_journal *journal)
{
    const char *domid, *vm;

    if (!journal->length || journal->text[journal->length - 1] ||
        strcmp(journal->text, HEADER) ||
        !(journal->uuid = next(journal, journal->text)) ||
        !(domid = next(journal, journal->uuid)) ||
        !(journal->name = next(journal, domid)) ||
        !(journal->file = next(journal, journal->name)))
        return false;
    journal->vm = next(journal, journal->file);
    for (vm = journal->vm; vm; vm = next(journal, vm))
        if (!(vm = next(journal, vm)))
            return false;
    journal->start.is_by_file = *journal->file;
    journal->start.domid = (uint32_t)strtoul(domid, NULL, 10);
    return journal->start.domid;
}

void move_journal_dispose(struct move_journal *journal)
{
    free(journal->text);
    memset(journal, 0, sizeof(*journal));
}

/* --- xenstore ------------------------------------------------------------- */

/* Into full_r; returns false if xenstore would not take such a path. */
static bool join_path(char full_r[PATH_SIZE], const char *uuid,
                      const char *path)
{
    return snprintf(full_r, PATH_SIZE, "/vm/%s%s", uuid, path) < PATH_SIZE;
}

/* What is below /vm/UUID; `path` is "" or begins with a slash. */
static bool put_tree(FILE *text, struct xs_handle *xs, const char *uuid,
                     const char *path)
{
    char full[PATH_SIZE], below[PATH_SIZE], *value, **name;
    bool is_done;
    unsigned nr = 0;

    if (!join_path(full, uuid, path))
        return false;
    value = xs_read(xs, XBT_NULL, full, NULL);
    name = xs_directory(xs, XBT_NULL, full, &nr);
    put(text, path);
    put(text, value ? value : "");
    is_done = value && name;
    for (unsigned i = 0; is_done && i < nr; i++)
        is_done =
            snprintf(below, PATH_SIZE, "%s/%s", path, name[i]) < PATH_SIZE &&
            put_tree(text, xs, uuid, below);
    free(name);
    free(value);
    return is_done;
}

/* Of a guest that was migrated to its own host by hand. */
static bool has_no_tree(struct xs_handle *xs, const char *uuid)
{
    char path[PATH_SIZE];
    char *value =
        join_path(path, uuid, "") ? xs_read(xs, XBT_NULL, path, NULL) : NULL;

    free(value);
    return !value && errno == ENOENT;
}

/* One key, if it is missing or always. Returns an errno value. */
static int put_back(struct xs_handle *xs, xs_transaction_t transaction,
                    const char *uuid, const char *path, const char *value,
                    bool is_always)
{
    char full[PATH_SIZE], *there = NULL;
    int err = 0;

    if (!join_path(full, uuid, path))
        return ENAMETOOLONG;
    if (!is_always)
        there = xs_read(xs, transaction, full, NULL);
    if (!there &&
        !xs_write(xs, transaction, full, value, (unsigned)strlen(value)))
        err = errno;
    free(there);
    return err;
}

/* As libxl gives it: dom0's, and the guest may read it. */
static int let_guest_read(struct xs_handle *xs, xs_transaction_t transaction,
                          const char *uuid, uint32_t domid)
{
    struct xs_permissions perms[] = { { 0, XS_PERM_NONE },
                                      { domid, XS_PERM_READ } };
    char path[64];

    snprintf(path, sizeof(path), "/vm/%s", uuid);
    return xs_set_permissions(xs, transaction, path, perms, 2) ? 0 : errno;
}

static int put_back_all(const struct move_journal *journal,
                        struct xs_handle *xs, xs_transaction_t transaction,
                        uint32_t domid)
{
    int err = 0;

    for (const char *path = journal->vm; path && !err;) {
        const char *value = next(journal, path);

        if (!value)
            break;
        err = put_back(xs, transaction, journal->uuid, path, value,
                       !strcmp(path, "/start_time"));
        if (!err && !*path)
            err = let_guest_read(xs, transaction, journal->uuid, domid);
        path = next(journal, value);
    }
    return err;
}

int move_journal_put_back(const struct move_journal *journal,
                          struct xs_handle *xs, uint32_t domid, char *message)
{
    int err;

    do {
        xs_transaction_t transaction = xs_transaction_start(xs);

        err =
            transaction ? put_back_all(journal, xs, transaction, domid) : errno;
        if (transaction && !xs_transaction_end(xs, transaction, err) && !err)
            err = errno;
    } while (err == EAGAIN);
    if (!err)
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_XEN,
                        "writing /vm/%s to xenstore: %s", journal->uuid,
                        strerror(err));
}

/* --- the file ------------------------------------------------------------- */

static int fail_file(const char *what, char *message)
{
    return xlnuma__fail(message, XLNUMA_ERR_IO,
                        "%s the file %s beside reservations: %s", what,
                        FILE_NAME, strerror(errno));
}

static bool write_file(const struct move_journal *journal, int dir)
{
    int fd =
        openat(dir, NEW_NAME,
               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    bool is_done;

    if (!file)
        return false;
    is_done =
        fwrite(journal->text, 1, journal->length, file) == journal->length;
    is_done = !fclose(file) && is_done;
    return is_done && !renameat(dir, NEW_NAME, dir, FILE_NAME);
}

int move_journal_write(struct move_journal *journal_r, struct xs_handle *xs,
                       uint32_t domid, const char *uuid, const char *name,
                       const char *file, char *message)
{
    bool has_tree;
    int dir, rc = 0;
    FILE *text;

    memset(journal_r, 0, sizeof(*journal_r));
    text = open_memstream(&journal_r->text, &journal_r->length);
    if (!text)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    put(text, HEADER);
    put(text, uuid);
    fprintf(text, "%" PRIu32 "%c", domid, '\0');
    put(text, name);
    put(text, file);
    has_tree = has_no_tree(xs, uuid) || put_tree(text, xs, uuid, "");
    if (fclose(text) || !parse(journal_r))
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    if (!has_tree)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "reading /vm/%s from xenstore: %s", uuid,
                            strerror(errno));
    dir = xlnuma__run_dir_open(true, message);
    if (dir < 0)
        return XLNUMA_ERR_IO;
    if (!write_file(journal_r, dir))
        rc = fail_file("writing", message);
    close(dir);
    return rc;
}

/* Returns 0 or an errno value; ENOENT without a file. */
static int read_file(struct move_journal *journal, int dir)
{
    int fd = openat(dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int err = errno;

    if (!file)
        return err;
    journal->text = malloc(SIZE_MAX_BYTES);
    if (journal->text)
        journal->length = fread(journal->text, 1, SIZE_MAX_BYTES, file);
    err = !journal->text ? ENOMEM : ferror(file) ? EIO : 0;
    fclose(file);
    return err;
}

int move_journal_read(struct move_journal *journal_r, char *message)
{
    int dir, err;

    *message = '\0';
    memset(journal_r, 0, sizeof(*journal_r));
    dir = xlnuma__run_dir_open(true, message);
    if (dir < 0)
        return XLNUMA_ERR_IO;
    err = read_file(journal_r, dir);
    close(dir);
    if (err == ENOENT)
        return 0;
    errno = err;
    if (err)
        return fail_file("reading", message);
    if (parse(journal_r))
        return 0;
    return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                        "the file %s beside reservations, of a move that was "
                        "cut off, is damaged: look at the guests by hand, then "
                        "remove it",
                        FILE_NAME);
}

int move_journal_remove(char *message)
{
    int dir = xlnuma__run_dir_open(true, message), rc = 0;

    if (dir < 0)
        return XLNUMA_ERR_IO;
    if (unlinkat(dir, FILE_NAME, 0) && errno != ENOENT)
        rc = fail_file("removing", message);
    close(dir);
    return rc;
}
