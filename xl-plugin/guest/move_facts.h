/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May a guest be moved to its own host? By facts, one of which is enough to refuse. */
#ifndef XLNUMA_PLUGIN_MOVE_FACTS_H
#define XLNUMA_PLUGIN_MOVE_FACTS_H

#include <libxl.h>
#include <stdbool.h>

#include "model/request.h"

struct move_facts {
    bool is_unread; /* its configuration could not be read */
    bool is_libvirts;
    bool is_ending, is_paused;
    bool has_devices; /* of PCI */
    bool is_fixed;    /* nomigrate */
    bool has_vifname;
    bool has_fixed_port; /* VNC or SPICE */
    bool is_on_demand;   /* some of its memory is not there yet */
    bool is_ballooned;   /* below its target */
    bool has_stubdom;
    bool is_dedicated;
    bool is_strict;
    bool is_off;     /* numa_move */
    bool sees_nodes; /* by libxl or by us */
    bool is_left;    /* to libxl: no build of ours would place it */
    bool is_unknown; /* where its memory is */
    bool is_pv;      /* and may not be moved by file */
    bool needs_dom0; /* nor may this: a copy takes more than is free */
};

/* Those that are in its configuration and in what it is built by. */
void move_facts_add(struct move_facts *facts, const libxl_domain_config *config,
                    const struct xlnuma_request *request);

/* Why it is not moved (static), or NULL: it may be. */
const char *move_facts_refuse(const struct move_facts *facts);

#endif /* XLNUMA_PLUGIN_MOVE_FACTS_H */
