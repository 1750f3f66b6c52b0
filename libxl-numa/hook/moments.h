/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The moments of a build, in order of time: the functions of struct xlnuma__hook, which
 * says what they are, with the build that is meant. None calls another.
 */
#ifndef XLNUMA_MOMENTS_H
#define XLNUMA_MOMENTS_H

#include "hook/build.h"
#include "hook/hook.h"

int xlnuma__on_config_read(const XLU_Config *config, FILE *report,
                           const char *source, const char *text, int length);

int xlnuma__on_begin(libxl_ctx *ctx, xentoollog_logger *lg,
                     libxl_domain_config *config, bool is_restored,
                     bool is_async, uint64_t *id_r);
void xlnuma__on_created(uint64_t id, const libxl_domain_config *config,
                        uint32_t domid);
void xlnuma__on_returned(uint64_t id, bool goes_on);

int xlnuma__on_vcpus(struct build *build, xc_interface *xch, unsigned nr_vcpus);

/*
 * A domain that is in no build has its vCPUs: if it is a guest's stub domain it is
 * planned, and has its affinities. Returns whether it has.
 */
bool xlnuma__on_stubdom(xc_interface *xch, uint32_t domid, unsigned nr_vcpus);

void xlnuma__on_image(struct build *build, struct xc_dom_image *dom);
void xlnuma__on_memory_map(struct build *build, struct e820entry e820[],
                           uint32_t nr);

/* NULL: no build; the call is made as it came. */
int xlnuma__on_memory(struct build *build, const struct xlnuma__next *next,
                      bool is_exact, xc_interface *xch, uint32_t domid,
                      unsigned long nr, unsigned order, unsigned mem_flags,
                      xen_pfn_t *extent);
void xlnuma__on_pod(struct build *build, const struct xlnuma__next *next,
                    xc_interface *xch, uint64_t target_pages);

/* In libxl-save-helper; and then in libxl's process. */
void xlnuma__on_helper_begin(xc_interface *xch, uint32_t domid);
void xlnuma__on_helper_end(uint32_t domid);
int xlnuma__on_restored(const struct build *build);

/* Frees the build, or keeps it until its stub domain is built. */
void xlnuma__on_built(struct build *build, struct xs_handle *xs);

/* libxl is about to store its configuration, a copy of its own. */
void xlnuma__on_stored(libxl_domain_config *config);

/* In a child of libxl's, which is about to become this program. */
void xlnuma__on_exec(char *const argv[]);

/*
 * A soft reset: note affinities and report of a domain that libxl builds again on its
 * memory; when that is done _built puts them back. _end: it failed, or is done.
 */
void xlnuma__on_reset_begin(libxl_ctx *ctx, xentoollog_logger *lg,
                            uint32_t domid);
void xlnuma__on_reset_end(uint32_t domid);
bool xlnuma__reset_is_on(uint32_t domid);
void xlnuma__on_reset_built(struct xs_handle *xs, uint32_t domid);

#endif /* XLNUMA_MOMENTS_H */
