/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The builds in flight in this process: a list, and who works on which.
 *
 * Threads: libvirt's driver builds several domains at once. A lock guards the
 * list; a build itself is worked on by one thread at a time, as in libxl.
 */
#include "hook/services.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct build *builds;

void xlnuma__builds_lock(void)
{
    pthread_mutex_lock(&lock);
}

void xlnuma__builds_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* --- the list ------------------------------------------------------------- */

struct build *xlnuma__build_new(libxl_ctx *ctx, xentoollog_logger *lg)
{
    struct build *build = calloc(1, sizeof(*build));

    if (!build)
        return NULL;
    build->ctx = ctx;
    build->lg = lg ? lg : xlnuma__build_logger();
    build->domid = INVALID_DOMID;
    xlnuma_request_init(&build->request);
    return build;
}

void xlnuma__build_free(struct build *build)
{
    xlnuma__build_progress_end(build);
    xlnuma__reservation_drop(&build->reservation);
    xlnuma_plan_free(build->plan);
    xlnuma_plan_free(build->actual);
    xlnuma__vnuma_free(build->vnuma);
    free(build);
}

void xlnuma__build_add(struct build *build)
{
    pthread_mutex_lock(&lock);
    build->next = builds;
    builds = build;
    pthread_mutex_unlock(&lock);
}

typedef bool is_meant_fn(const struct build *, const void *);

static bool has_id(const struct build *build, const void *id)
{
    return build->id == *(const uint64_t *)id;
}

static bool has_domid(const struct build *build, const void *domid)
{
    return build->domid == *(const uint32_t *)domid;
}

static bool waits_as(const struct build *build, const void *name)
{
    return build->phase == PHASE_WAITING && !strcmp(build->request.name, name);
}

/* With the lock held: where the list has the first that is meant, or NULL. */
static struct build **find(is_meant_fn *is_meant, const void *what)
{
    struct build **link = &builds;

    while (*link && !is_meant(*link, what))
        link = &(*link)->next;
    return link;
}

/* Unlink a build from the list; NULL when none is meant. */
static struct build *take(is_meant_fn *is_meant, const void *what)
{
    struct build **link, *build;

    pthread_mutex_lock(&lock);
    link = find(is_meant, what);
    build = *link;
    if (build)
        *link = build->next;
    pthread_mutex_unlock(&lock);
    return build;
}

static void drop_all(is_meant_fn *is_meant, const void *what)
{
    struct build *build;

    while ((build = take(is_meant, what)))
        xlnuma__build_free(build);
}

struct build *xlnuma__build_take(uint32_t domid)
{
    return take(has_domid, &domid);
}

struct build *xlnuma__build_take_waiting(const char *name)
{
    return take(waits_as, name);
}

static bool waits(const struct build *build, const void *unused)
{
    (void)unused;
    return build->phase == PHASE_WAITING;
}

bool xlnuma__build_is_waiting(void)
{
    bool is_there;

    pthread_mutex_lock(&lock);
    is_there = *find(waits, NULL);
    pthread_mutex_unlock(&lock);
    return is_there;
}

static bool is_in_flight(const struct build *build, const void *domid)
{
    return has_domid(build, domid) && build->phase != PHASE_WAITING;
}

struct build *xlnuma__build_enter(uint32_t domid)
{
    struct build *build;

    pthread_mutex_lock(&lock);
    build = *find(is_in_flight, &domid);
    if (build)
        build->nr_users++;
    pthread_mutex_unlock(&lock);
    return build;
}

void xlnuma__build_leave(struct build *build)
{
    if (!build)
        return;
    pthread_mutex_lock(&lock);
    build->nr_users--;
    pthread_mutex_unlock(&lock);
}

static bool is_dead(const struct build *build, const void *xch)
{
    uint64_t pages;

    return build->is_async && !build->nr_users &&
           xlnuma__build_has_domain(build) &&
           !xlnuma__domain_lives((xc_interface *)xch, build->domid,
                                 build->uuid.uuid, &pages);
}

void xlnuma__build_drop_dead(xc_interface *xch)
{
    drop_all(is_dead, xch);
}

struct build *xlnuma__build_enter_new(uint64_t id, uint32_t domid)
{
    struct build *build;

    pthread_mutex_lock(&lock);
    build = *find(has_id, &id);
    if (build) {
        build->domid = INVALID_DOMID;
        build->nr_users++;
    }
    pthread_mutex_unlock(&lock);
    if (!build)
        return NULL;
    drop_all(has_domid, &domid); /* of an earlier domain of that number */
    pthread_mutex_lock(&lock);
    build->domid = domid;
    pthread_mutex_unlock(&lock);
    return build;
}

static bool has_no_domain(const struct build *build, const void *id)
{
    return has_id(build, id) && !xlnuma__build_has_domain(build);
}

void xlnuma__build_drop(uint64_t id, bool goes_on)
{
    drop_all(goes_on ? has_no_domain : has_id, &id);
}
