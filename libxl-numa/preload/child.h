/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of the programs that libxl starts: device models, hotplug
 * scripts, bootloaders. A part of the preloaded object (preload.c).
 */
#ifndef XLNUMA_HOOK_CHILD_H
#define XLNUMA_HOOK_CHILD_H

/*
 * The environment for `program`: this process' without what the launcher put
 * there for us. NULL if the program needs that, or there is nothing of ours, or no
 * memory. Ownership: caller; one block, for free(), its strings are environ's.
 */
char **xlnuma__child_env(const char *program);

#endif /* XLNUMA_HOOK_CHILD_H */
