/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a file atomically, as its readers see it. Knows nothing of formats. */
#include "view/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/message.h"

static int fail(const char *path, char *message)
{
    return xlnuma__fail(message, XLNUMA_ERR_IO, "%s: %s", path,
                        strerror(errno));
}

/* A new file beside the one that it is to replace: same file system. */
static int open_temp(struct output *output, char *message)
{
    int fd;

    if (asprintf(&output->temp, "%s.XXXXXX", output->real) < 0) {
        output->temp = NULL;
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    }
    fd = mkostemp(output->temp, O_CLOEXEC);
    if (fd < 0)
        return fail(output->path, message);
    if (!fchmod(fd, 0644))
        output->file = fdopen(fd, "w");
    if (!output->file) {
        fail(output->path, message);
        unlink(output->temp);
        close(fd);
        return XLNUMA_ERR_IO;
    }
    return 0;
}

int output_open(struct output *output_r, const char *path, char *message)
{
    struct stat there;
    int rc;

    *message = '\0';
    memset(output_r, 0, sizeof(*output_r));
    output_r->file = stdout;
    if (!path || !strcmp(path, "-"))
        return 0;
    output_r->path = path;
    output_r->file = NULL;
    /* Others' links in /tmp, which Linux does not follow for us, too. */
    if (stat(path, &there)) {
        if (errno != ENOENT)
            return fail(path, message);
    } else if (!S_ISREG(there.st_mode)) {
        output_r->file = fopen(path, "we");
        return output_r->file ? 0 : fail(path, message);
    }
    /* A link stays one: the file that it leads to is replaced. */
    output_r->real = realpath(path, NULL);
    if (!output_r->real)
        output_r->real = strdup(path);
    rc = output_r->real
             ? open_temp(output_r, message)
             : xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    if (rc) {
        free(output_r->temp);
        free(output_r->real);
    }
    return rc;
}

/* On the disk before it has the name, so that no crash leaves an empty file. */
static int finish(struct output *output, char *message)
{
    if (fflush(output->file) || ferror(output->file) ||
        (output->temp && fsync(fileno(output->file))))
        return fail(output->path ? output->path : "writing to standard output",
                    message);
    if (output->temp && rename(output->temp, output->real))
        return fail(output->path, message);
    return 0;
}

int output_close(struct output *output, bool is_good, char *message)
{
    int rc = is_good ? finish(output, message) : XLNUMA_ERR_IO;

    if (rc && output->temp)
        unlink(output->temp);
    if (output->path)
        fclose(output->file);
    free(output->temp);
    free(output->real);
    memset(output, 0, sizeof(*output));
    return rc;
}
