/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numa_* keys of guests: from a guest's file, kept with it, handed over by its
 * toolstack, of xl-numa.conf.
 */
#ifndef XLNUMA_SETTINGS_H
#define XLNUMA_SETTINGS_H

#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>

#include "model/request.h"

/*
 * The numa_* keys are one table in config/keys.c; the name of the i-th, NULL
 * behind the last. A value is kept as the text that was given.
 */
#define XLNUMA__KEYS_MAX 16
#define XLNUMA__VALUE_SIZE 256

const char *xlnuma__key_name(unsigned i);

/* What was given, by key; the empty text is never right: not given. */
struct xlnuma__settings {
    char value[XLNUMA__KEYS_MAX][XLNUMA__VALUE_SIZE];
};

/*
 * Does the text have only known keys, of those that begin with `prefix`? `others`
 * (NULL: none; NULL ends them) are known besides. Returns 0, XLNUMA_ERR_INVALID: the
 * message has file, line and the key that was probably meant.
 */
int xlnuma__keys_check(const char *prefix, const char *const *others,
                       const char *source, const char *text, size_t length,
                       char *message);

/* That message without file and line. */
void xlnuma__key_unknown(const char *key, size_t length,
                         const char *const *others,
                         char what[XLNUMA_MESSAGE_SIZE]);

/*
 * Read the keys from a parsed file. `source` is its name and `text` (`length`
 * bytes) its content, for messages that name the line.
 * Returns 0, XLNUMA_ERR_INVALID.
 */
int xlnuma__settings_read(struct xlnuma__settings *settings_r,
                          const XLU_Config *config, const char *source,
                          const char *text, size_t length, char *message);

/*
 * Set one key from its text; a wrong value changes nothing. Returns the values
 * that are right for it (static), NULL when there is no such key.
 */
const char *xlnuma__settings_set(struct xlnuma__settings *settings,
                                 const char *key, const char *value,
                                 bool *is_right_r);

bool xlnuma__settings_has(const struct xlnuma__settings *settings,
                          const char *key);

/* Set what is not set yet. */
void xlnuma__settings_fill(struct xlnuma__settings *settings,
                           const struct xlnuma__settings *from);

void xlnuma__settings_apply(const struct xlnuma__settings *settings,
                            struct xlnuma_request *request);

/*
 * In the environment of a build that restores: a list of nodes that it is not to
 * choose. A guest that moves leaves them to another one, this time.
 */
#define XLNUMA__AVOID "XL_NUMA_AVOID"

/* The assignments of a text in xl's syntax, one after the other. */
struct xlnuma__scan {
    const char *key; /* borrowed from the text, `length` bytes */
    size_t length;
    unsigned line; /* from 1 */
    /* private */
    const char *here, *end;
    unsigned at_line;
    bool is_start; /* of a statement */
};

void xlnuma__scan_init(struct xlnuma__scan *scan, const char *text,
                       size_t length);
bool xlnuma__scan_next(struct xlnuma__scan *scan);

/* The line (from 1) that sets `key` last; 0 when none does. */
unsigned xlnuma__config_line(const char *text, size_t length, const char *key);

/* --- kept.c ---------------------------------------------------------------- */

/*
 * How many texts a list such as c_info.platformdata has: key, value, key, value, ...
 * and NULL at the end.
 */
size_t xlnuma__kept_count(char *const *list);

/* Have c_info.platformdata lose entries, and get one at its end; false: no memory. */
void xlnuma__kept_drop(libxl_domain_config *config,
                       bool (*is_ours)(const char *key));
bool xlnuma__kept_add(libxl_domain_config *config, const char *key,
                      const char *value);

/*
 * Have the configuration keep these settings in its c_info.platformdata, in place
 * of those it has: libxl stores that with the domain, saves and migrates it.
 * Returns 0 or XLNUMA_ERR_NOMEM; then it has none.
 */
int xlnuma__kept_put(libxl_domain_config *config,
                     const struct xlnuma__settings *settings);

/*
 * The settings that a configuration has kept. What this version does not know is
 * left out: returns XLNUMA_ERR_INVALID, and the message names the first.
 */
int xlnuma__kept_get(struct xlnuma__settings *settings_r,
                     const libxl_domain_config *config, char *message);

/* --- kept_nodes.c ---------------------------------------------------------- */

/* The keys of the entries in which a guest's nodes are kept there begin so. */
#define XLNUMA__KEPT_NODE "numa_guest_node_"

/*
 * Have the configuration keep the nodes that the guest sees, in place of those it
 * has. Returns 0 or XLNUMA_ERR_NOMEM; then it has none.
 */
int xlnuma__kept_nodes_put(libxl_domain_config *config,
                           const struct xlnuma__layout *layout);
void xlnuma__kept_nodes_drop(libxl_domain_config *config);

/*
 * The nodes that a configuration has kept; false: none. *why_r (static): they cannot
 * be right, and *layout_r is of no use.
 */
bool xlnuma__kept_nodes_get(struct xlnuma__layout *layout_r,
                            const libxl_domain_config *config,
                            const char **why_r);

/* --- handed.c -------------------------------------------------------------- */

/*
 * What a toolstack that has no guests' files hands over for the builds of a guest:
 * libvirt, by its hook script. `dir` is the host's run directory, `uuid` as text.
 */
#define XLNUMA__UUID_SIZE 37

struct xlnuma__handed {
    struct xlnuma__settings settings;
    bool has_cpus; /* hard affinity of the vCPUs that have none */
    xlnuma_cpuset cpus;
};

/*
 * Returns 1; 0: nothing was handed over; XLNUMA_ERR_IO, XLNUMA_ERR_INVALID.
 */
int xlnuma__handed_read(struct xlnuma__handed *handed_r, int dir,
                        const char *uuid, char *message);

/* As lines KEY=VALUE. Returns 0, or -1 with errno. */
int xlnuma__handed_print(const struct xlnuma__handed *handed, FILE *to);

/* Atomically; in place of what is there. Returns 0 or XLNUMA_ERR_IO. */
int xlnuma__handed_write(const struct xlnuma__handed *handed, int dir,
                         const char *uuid, char *message);
int xlnuma__handed_remove(int dir, const char *uuid, char *message);

bool xlnuma__handed_is_empty(const struct xlnuma__handed *handed);

/* --- conf.c ---------------------------------------------------------------- */

/*
 * What xl-numa.conf says of this guest; the guest's own file takes precedence. The
 * file is the one that XL_NUMA_CONF in the environment names, else that of the
 * configuration folder, which need not be there. Read afresh in each call.
 * *host_r is about the host, whatever a guest's file says.
 *
 * Returns 0, XLNUMA_ERR_IO, XLNUMA_ERR_INVALID, XLNUMA_ERR_NOMEM with file and
 * line in the message; then there are no settings, and placement is not off.
 * Logs: nothing.
 */
struct xlnuma__conf_host {
    bool is_off;                             /* placement is switched off */
    char dedicated_cpus[XLNUMA__VALUE_SIZE]; /* to be reserved; "": none */
    xlnuma_cpuset emulator_vcpus; /* Domain-0's for device models; empty: all */
};

int xlnuma__conf_read(struct xlnuma__settings *settings_r,
                      struct xlnuma__conf_host *host_r, const char *guest,
                      char *message);

/* Which file that is; static, or the environment's. */
const char *xlnuma__conf_path(void);

#define XLNUMA__CONF_DEDICATED "numa_dedicated_cpus"
#define XLNUMA__CONF_EMULATOR "numa_emulator_vcpus"

/* The key of the switch, and why a guest is left to libxl when it is off. */
#define XLNUMA__CONF_SWITCH "numa_placement"
#define XLNUMA__CONF_OFF XLNUMA__CONF_SWITCH " is off in xl-numa.conf"

#endif /* XLNUMA_SETTINGS_H */
