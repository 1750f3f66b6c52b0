/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has Xen dump where the pages of all domains are, and reads it from its console
 * ring. Xen walks every page of each domain, with that domain's memory locked,
 * so this is done on request only. What the text says is formats/dump.c's.
 */
#include "xen/dump.h"
#include "xen/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenctrl.h>

#define PIECE (64 * 1024)
#define TEXT_MAX (64 * 1024 * 1024) /* no ring is nearly as large */
#define WAIT_NS 5000000000
#define POLL_NS 100000000

struct ring {
    xc_interface *xch;
    uint32_t index; /* Xen's: where to read on */
    char *text;     /* owned: what was read, from the key on */
    size_t length;
};

/* Read on to the end of the ring; nothing is kept of it if not wanted. */
static int read_on(struct ring *ring, bool is_wanted, char *message)
{
    unsigned nr;

    do {
        char *larger = ring->length > TEXT_MAX
                           ? NULL
                           : realloc(ring->text, ring->length + PIECE);

        if (!larger)
            return xlnuma__fail(message, XLNUMA_ERR_NOMEM,
                                "out of memory reading Xen's console ring");
        ring->text = larger;
        nr = PIECE;
        if (xc_readconsolering(ring->xch, ring->text + ring->length, &nr, 0, 1,
                               &ring->index))
            return xlnuma__fail(message, XLNUMA_ERR_XEN,
                                "reading Xen's console ring: %s",
                                strerror(errno));
        if (is_wanted)
            ring->length += nr;
    } while (nr);
    return 0;
}

static bool has_all(const struct xlnuma__dump *dump, const uint32_t domid[],
                    unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (!xlnuma__dump_find(dump, domid[i]))
            return false;
    return true;
}

/* Until the dump is there with all the domains, or has had the time for it. */
static int wait_for(struct xlnuma__dump *dump, struct ring *ring,
                    const uint32_t domid[], unsigned nr, char *message)
{
    const struct timespec poll = { .tv_nsec = POLL_NS };
    uint64_t until = xlnuma__now_ns() + WAIT_NS;
    int rc;

    for (;;) {
        rc = read_on(ring, true, message);
        if (rc)
            return rc;
        rc = xlnuma__dump_parse(dump, ring->text, ring->length, message);
        if (rc == XLNUMA_ERR_NOMEM || (!rc && has_all(dump, domid, nr)) ||
            xlnuma__now_ns() > until)
            return rc;
        xlnuma__dump_dispose(dump);
        nanosleep(&poll, NULL);
    }
}

static int press_key(struct ring *ring, uint64_t *ns_r, char *message)
{
    uint64_t before = xlnuma__now_ns();

    if (xc_send_debug_keys(ring->xch, "u"))
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not take debug key u: %s",
                            strerror(errno));
    *ns_r = xlnuma__now_ns() - before;
    return 0;
}

int xlnuma__dump_from_xen(struct xlnuma__dump *dump_r, const uint32_t domid[],
                          unsigned nr, uint64_t *ns_r, char *message)
{
    struct ring ring = { .xch = xc_interface_open(NULL, NULL, 0) };
    char what[XLNUMA_MESSAGE_SIZE];
    int rc;

    *message = '\0';
    memset(dump_r, 0, sizeof(*dump_r));
    if (!ring.xch)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "no access to the hypervisor: %s", strerror(errno));
    rc = read_on(&ring, false, message);
    if (!rc)
        rc = press_key(&ring, ns_r, message);
    if (!rc)
        rc = wait_for(dump_r, &ring, domid, nr, message);
    if (rc == XLNUMA_ERR_INVALID) {
        snprintf(what, sizeof(what), "%s", message);
        xlnuma__fail(message, rc,
                     "%s: is the ring too small for it (Xen's option "
                     "conring_size)?",
                     what);
    }
    free(ring.text);
    xc_interface_close(ring.xch);
    return rc;
}
