/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between the preloaded object, which links to libc alone, and the library that it
 * loads when a domain build begins. Both are built together and installed side by
 * side; this is no public interface.
 */
#ifndef XLNUMA_HOOK_H
#define XLNUMA_HOOK_H

#include <libxl.h>
#include <libxlutil.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xenstore.h>

/* To be raised with each change of what is declared here. */
#ifndef XLNUMA__HOOK_VERSION
#define XLNUMA__HOOK_VERSION 4
#endif

/* xc_domain_restore()'s last parameter, from Xen 4.22 on, and its argument. */
#if XC_RESTORE_HAS_MEMFLAGS
#define XC_RESTORE_PARAMETER , unsigned memflags
#define XC_RESTORE_ARGUMENT , memflags
#else
#define XC_RESTORE_PARAMETER
#define XC_RESTORE_ARGUMENT
#endif

/* The functions behind the interposed ones. */
struct xlnuma__next {
    int (*populate)(xc_interface *xch, uint32_t domid, unsigned long nr,
                    unsigned order, unsigned mem_flags, xen_pfn_t *extent);
    int (*populate_exact)(xc_interface *xch, uint32_t domid, unsigned long nr,
                          unsigned order, unsigned mem_flags,
                          xen_pfn_t *extent);
    int (*set_pod_target)(xc_interface *xch, uint32_t domid,
                          uint64_t target_pages, uint64_t *tot_pages,
                          uint64_t *pod_cache_pages, uint64_t *pod_entries);
};

struct xlnuma__hook {
    /*
     * A configuration file was read: `text` is its content, `report` where
     * libxlutil reports. Returns 0, or EINVAL after one line on `report`.
     */
    int (*config_read)(const XLU_Config *config, FILE *report,
                       const char *source, const char *text, int length);

    /*
     * A call begins that builds a domain; `config` is valid until it returns. lg
     * may be NULL. Another process populates a domain that is
     * restored; an asynchronous build may go on when the call has returned.
     * Returns 0, or -1 when there is no memory for it and the policy forbids to
     * go on without. *id_r names the build; 0: there is none.
     */
    int (*begin)(libxl_ctx *ctx, xentoollog_logger *lg,
                 libxl_domain_config *config, bool is_restored, bool is_async,
                 uint64_t *id_r);

    /* Xen has made the domain of that call, in the same thread. */
    void (*created)(uint64_t id, const libxl_domain_config *config,
                    uint32_t domid);

    /* The call has returned; the build goes on if it is asynchronous. */
    void (*returned)(uint64_t id, bool goes_on);

    /*
     * A call begins that resets a domain softly, and it has returned: failed or
     * done. lg may be NULL.
     */
    void (*reset_begin)(libxl_ctx *ctx, xentoollog_logger *lg, uint32_t domid);
    void (*reset_end)(uint32_t domid);

    /*
     * The domain has its vCPUs, affinities come next: plan and apply.
     * Returns 0, or -1 with errno when the policy forbids to go on.
     * *owns_affinities_r: libxl is not to place it. *nr_hard_r: nor to set the
     * user's hard affinity for so many vCPUs, as they have a part of it.
     */
    int (*vcpus_set)(xc_interface *xch, uint32_t domid, unsigned nr_vcpus,
                     bool *owns_affinities_r, unsigned *nr_hard_r);

    /*
     * libxenguest knows the guest's kernel and where its memory will be; libxl sets
     * its memory map, having made a PVH guest's ACPI tables.
     */
    void (*image_parsed)(struct xc_dom_image *dom);
    void (*memory_map)(uint32_t domid, struct e820entry e820[], uint32_t nr);

    /* Populate, each extent on its planned node; results as from libxc. */
    int (*populate)(const struct xlnuma__next *next, bool is_exact,
                    xc_interface *xch, uint32_t domid, unsigned long nr,
                    unsigned order, unsigned mem_flags, xen_pfn_t *extent);

    /* Set memory aside for a guest that is populated on demand. */
    int (*set_pod_target)(const struct xlnuma__next *next, xc_interface *xch,
                          uint32_t domid, uint64_t target_pages,
                          uint64_t *tot_pages, uint64_t *pod_cache_pages,
                          uint64_t *pod_entries);

    /*
     * In that other process, libxl-save-helper: before and after it populates
     * the domain. The plan and what came of it pass through xenstore.
     */
    void (*restore_begin)(xc_interface *xch, uint32_t domid);
    void (*restore_end)(uint32_t domid);

    /*
     * Back in libxl's: a restored domain has its memory. Returns 0, or -1 when
     * it is not as planned and the policy forbids to go on.
     */
    int (*restored)(uint32_t domid);

    /* The domain was introduced to xenstore: it is built. */
    void (*built)(struct xs_handle *xs, uint32_t domid);

    /* libxl is about to store a domain's configuration, a copy of its own. */
    void (*stored)(libxl_domain_config *config);

    /*
     * In a child that libxl forked, maybe from a process with threads: it is about to
     * become this program, a device model perhaps.
     */
    void (*executes)(char *const argv[]);
};

/*
 * The library's one entry for the preloaded object; static. A program may have
 * mapped that object long before it loads the library, which was upgraded
 * meanwhile, or gone back to an earlier one. So each says what it was compiled with;
 * NULL: they do not fit. Version 0.1.0 had an entry of another name, which neither
 * calls the other's by.
 */
const struct xlnuma__hook *xlnuma__hook_find(unsigned version, size_t hook_size,
                                             size_t next_size);

#endif /* XLNUMA_HOOK_H */
