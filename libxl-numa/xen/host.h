/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host, from the running Xen. */
#ifndef XLNUMA_XEN_HOST_H
#define XLNUMA_XEN_HOST_H

#include <libxl.h>

#include "model/host.h"

struct xc_interface_core; /* libxenctrl's xc_interface */

/*
 * The running hypervisor's topology, free memory, load and PCI devices, through
 * libxl. Where Xen tells no device's node, there are no devices.
 * Needs a privileged context; changes nothing. `ctx` is borrowed for the call.
 *
 * Returns 0; XLNUMA_ERR_XEN; XLNUMA_ERR_INVALID when what it reports fails the checks;
 * XLNUMA_ERR_NOMEM.
 */
int xlnuma_host_from_xen(struct xlnuma_host *host_r, libxl_ctx *ctx,
                         char *message) XLNUMA_MUST_CHECK;

/*
 * As xlnuma_host_from_xen() but for the devices and the scheduler, with libxl's own
 * access to the hypervisor; and the address bits of low memory, 0: none. `notes`: note
 * the load as well, only for the holder of the turn to plan.
 */
int xlnuma__host_from_xen(struct xlnuma_host *host_r, libxl_ctx *ctx,
                          struct xc_interface_core *xch, bool notes,
                          unsigned *low_width_r, char *message);

/* The devices of a host that has none yet; none, too, when Xen fails. */
void xlnuma__host_add_devices(struct xlnuma_host *host, libxl_ctx *ctx);

/* What a node has free below an address width; 0, too, when Xen fails. */
uint64_t xlnuma__low_free_kb(struct xc_interface_core *xch, unsigned width,
                             unsigned node);

void xlnuma__cpuset_from_bitmap(xlnuma_cpuset *set_r, const libxl_bitmap *map);

/* A scheduler by libxl's number; "" for one that libxl does not know. */
void xlnuma__scheduler_name(char name_r[XLNUMA_SCHEDULER_SIZE], int scheduler);

/* --- dom0.c ---------------------------------------------------------------- */

/*
 * Does Domain-0 hold most of the host's memory? Then the hint says so, and what
 * to do; else it is empty, as when Xen fails.
 */
bool xlnuma__dom0_holds_most(libxl_ctx *ctx, struct xc_interface_core *xch,
                             char hint[XLNUMA_MESSAGE_SIZE]);

/* --- load.c ---------------------------------------------------------------- */

/* Do something with each domain. Returns 0, or -1 with errno. */
struct xen_domctl_getdomaininfo;
typedef void xlnuma__domain_fn(const struct xen_domctl_getdomaininfo *domain,
                               void *data);
int xlnuma__for_each_domain(struct xc_interface_core *xch,
                            xlnuma__domain_fn *do_one, void *data);

/*
 * Fill in the nodes' load, from the domains and from what they were at the last note.
 * `notes`: note for later readings what each ran so far, only for the holder of the
 * turn to plan; a failure of that is none of this.
 * Returns 0, XLNUMA_ERR_XEN, XLNUMA_ERR_NOMEM.
 */
int xlnuma__load_read(struct xlnuma_host *host, struct xc_interface_core *xch,
                      bool notes, char *message);

#endif /* XLNUMA_XEN_HOST_H */
