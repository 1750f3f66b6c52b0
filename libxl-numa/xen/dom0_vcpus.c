/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where Domain-0's vCPUs may run. Reads only. */
#include "xen/dom0_vcpus.h"

#include <stdlib.h>
#include <string.h>

#include "xen/host.h"

/* The online CPUs of Domain-0's cpupool, which it cannot leave. */
static int read_pool_0(libxl_ctx *ctx, xlnuma_cpuset *cpus_r, char *message)
{
    libxl_cpupoolinfo pool;
    int rc = 0;

    libxl_cpupoolinfo_init(&pool);
    if (libxl_cpupool_info(ctx, &pool, 0))
        rc = xlnuma__fail(message, XLNUMA_ERR_XEN,
                          "Xen does not tell the CPUs of Pool-0 "
                          "(libxl_cpupool_info failed)");
    else
        xlnuma__cpuset_from_bitmap(cpus_r, &pool.cpumap);
    libxl_cpupoolinfo_dispose(&pool);
    return rc;
}

int xlnuma__dom0_vcpus_read(struct xlnuma__dom0_vcpus *dom0_r, libxl_ctx *ctx,
                            char *message)
{
    libxl_vcpuinfo *info;
    xlnuma_cpuset pool;
    int nr, nr_cpus, rc;

    *message = '\0';
    memset(dom0_r, 0, sizeof(*dom0_r));
    rc = read_pool_0(ctx, &pool, message);
    if (rc)
        return rc;
    info = libxl_list_vcpu(ctx, 0, &nr, &nr_cpus);
    if (!info)
        return xlnuma__fail(message, XLNUMA_ERR_XEN,
                            "Xen does not tell the vCPUs of Domain-0 "
                            "(libxl_list_vcpu failed)");
    dom0_r->vcpu = calloc((size_t)nr, sizeof(*dom0_r->vcpu));
    if (!dom0_r->vcpu)
        rc = xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    for (int i = 0; !rc && i < nr; i++) {
        struct xlnuma__dom0_vcpu *vcpu = &dom0_r->vcpu[dom0_r->nr];

        if (!info[i].online || info[i].vcpuid >= XLNUMA_CPUS_MAX)
            continue;
        vcpu->id = info[i].vcpuid;
        xlnuma__cpuset_from_bitmap(&vcpu->cpus, &info[i].cpumap);
        xlnuma_cpuset_and(&vcpu->cpus, &pool);
        dom0_r->nr++;
    }
    libxl_vcpuinfo_list_free(info, nr);
    return rc;
}

void xlnuma__dom0_vcpus_dispose(struct xlnuma__dom0_vcpus *dom0)
{
    free(dom0->vcpu);
    memset(dom0, 0, sizeof(*dom0));
}
