/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that a guest sees, by the ACPI tables in its memory, and are they those
 * of its report? Reads that memory page by page; what the tables say is
 * vnodes/acpi_read.c's.
 */
#include "commands/tables.h"

#include <string.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#include "vnodes/vnodes.h"

#define PAGE 4096u

struct guest {
    xenforeignmemory_handle *handle;
    uint32_t domid;
};

static bool read_part(const struct guest *guest, uint64_t address, void *to,
                      size_t length)
{
    xen_pfn_t frame = address / PAGE;
    int error = 0;
    char *page = xenforeignmemory_map(guest->handle, guest->domid, PROT_READ, 1,
                                      &frame, &error);

    if (!page)
        return false;
    if (!error)
        memcpy(to, page + address % PAGE, length);
    xenforeignmemory_unmap(guest->handle, page, 1);
    return !error;
}

static bool read_guest(void *data, uint64_t address, void *to, size_t length)
{
    while (length) {
        size_t part = PAGE - address % PAGE;

        part = part < length ? part : length;
        if (!read_part(data, address, to, part))
            return false;
        to = (char *)to + part;
        address += part;
        length -= part;
    }
    return true;
}

/* Returns NULL, or (static) what is wrong. */
static const char *read_seen(struct xlnuma__layout *layout_r, uint32_t domid)
{
    struct guest guest = { xenforeignmemory_open(NULL, 0), domid };
    const struct xlnuma__guest_memory memory = { read_guest, &guest };
    const char *why;

    if (!guest.handle)
        return "guests' memory cannot be read";
    why = xlnuma__acpi_read(&memory, layout_r);
    xenforeignmemory_close(guest.handle);
    return why;
}

static const char *read_reported(struct xlnuma__layout *layout_r,
                                 const struct xlnuma__report *report)
{
    const char *why = NULL;

    memset(layout_r, 0, sizeof(*layout_r));
    for (unsigned n = 0; !why && n < report->nr_vnodes; n++) {
        const struct xlnuma__layout_text *text = &report->vnode[n].text;

        why = xlnuma__layout_add(layout_r, text->vcpus, text->ranges,
                                 text->distances);
    }
    return why;
}

bool tables_are_as_reported(const struct xlnuma__guest *guest, char *why_r)
{
    struct xlnuma__layout reported, seen;
    const char *what = read_reported(&reported, &guest->report);
    unsigned vnode;

    *why_r = '\0';
    if (what) {
        xlnuma__fail(why_r, 0, "the report of its nodes: %s", what);
        return false;
    }
    what = read_seen(&seen, guest->domid);
    if (what) {
        xlnuma__fail(why_r, 0, "in its memory %s", what);
        return false;
    }
    if (xlnuma__layout_is_same(&reported, &seen, &what, &vnode))
        return true;
    if (reported.nr != seen.nr)
        xlnuma__fail(why_r, 0, "in its memory it has %u nodes, not %u", seen.nr,
                     reported.nr);
    else
        xlnuma__fail(why_r, 0,
                     "in its memory node %u has other %s than reported", vnode,
                     what);
    return false;
}
