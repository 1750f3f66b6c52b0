/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Service: the nodes that a guest sees go into libxl's stored configuration, with which it
 * is saved and migrated. libxl makes that configuration when the guest's devices are
 * there, and the build is over by then: what is kept until then is here.
 */
#include "hook/services.h"

#include <stdlib.h>

struct kept {
    struct kept *next;
    uint64_t id; /* of the build */
    uint32_t domid;
    libxl_uuid uuid;
    xentoollog_logger *lg;
    struct xlnuma__layout layout;
};

static struct kept *kept; /* under the lock of the builds */

/* Unlink the first of this uuid, or of this build; NULL when there is none. */
static struct kept *take(const libxl_uuid *uuid, uint64_t id)
{
    struct kept **link, *found;

    xlnuma__builds_lock();
    for (link = &kept; *link; link = &(*link)->next)
        if (uuid ? !libxl_uuid_compare(&(*link)->uuid, uuid)
                 : (*link)->id == id)
            break;
    found = *link;
    if (found)
        *link = found->next;
    xlnuma__builds_unlock();
    return found;
}

void xlnuma__keep_add(const struct build *build)
{
    struct kept *new;

    if (!build->vnuma || build->source == MEMORY_HELPERS) /* it has it stored */
        return;
    free(take(&build->uuid, 0)); /* of an asynchronous build that failed */
    new = malloc(sizeof(*new));
    if (!new) {
        xlnuma__build_say(build, XTL_WARN,
                          "out of memory: the nodes that it sees will not be "
                          "known when it is restored or migrated");
        return;
    }
    *new = (struct kept){ .id = build->id,
                          .domid = build->domid,
                          .uuid = build->uuid,
                          .lg = build->lg,
                          .layout = build->vnuma->layout };
    xlnuma__builds_lock();
    new->next = kept;
    kept = new;
    xlnuma__builds_unlock();
}

void xlnuma__keep_put(libxl_domain_config *config)
{
    struct kept *found = take(&config->c_info.uuid, 0);

    if (found && xlnuma__kept_nodes_put(config, &found->layout))
        xlnuma__say_of(found->lg, found->domid,
                       "out of memory: the nodes that it sees will not be "
                       "known when it is restored or migrated");
    free(found);
}

void xlnuma__keep_drop(uint64_t id)
{
    free(take(NULL, id));
}
