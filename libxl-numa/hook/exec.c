/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moment: in a child, which becomes another program. A device model gets its vCPUs of
 * Domain-0, and so do all threads that it will have. The child may be of a process
 * with threads: nothing is locked or allocated here.
 */
#include "hook/moments.h"
#include "hook/services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The domain that a program is a device model of; INVALID_DOMID: it is none. */
static uint32_t domid_of(char *const argv[])
{
    for (int i = 0; argv[i] && argv[i + 1]; i++)
        if (!strcmp(argv[i], "-xen-domid"))
            return (uint32_t)strtoul(argv[i + 1], NULL, 10);
    return INVALID_DOMID;
}

void xlnuma__on_exec(char *const argv[])
{
    const cpu_set_t *vcpus = xlnuma__emulator_find(domid_of(argv));

    /* Its stderr is the device model's log. */
    if (vcpus && sched_setaffinity(0, sizeof(*vcpus), vcpus))
        perror("xl-numa: the device model's vCPUs of Domain-0");
}
