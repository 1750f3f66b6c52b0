/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Are the libraries in this process those that we were built for? Asked at the
 * first call of each interposed function; if they are not, the function is as if
 * we were not there. Links to libc alone, loads nothing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hook/marker.h"
#include "preload/choose.h"

XLNUMA_MARKER(XLNUMA_MARKER_HOOK);

_Atomic(void *) xlnuma__chosen[NR_FUNCTIONS];

static const struct {
    const char *name;
    const char *soname;
    void *ours;
} functions[NR_FUNCTIONS] = {
#define INTERPOSED(function, library)                                          \
    { #function, library##_SONAME, (void *)interposed_##function },
#include "preload/functions.h"
#undef INTERPOSED
};

/*
 * The next definition of a function. A process that loaded libxl with dlopen()
 * and kept it to itself does not show it to RTLD_NEXT, but by its name.
 */
static void *find_next(enum function nr)
{
    void *next = dlsym(RTLD_NEXT, functions[nr].name);
    void *handle;

    if (!next &&
        (handle = dlopen(functions[nr].soname, RTLD_LAZY | RTLD_NOLOAD))) {
        next = dlsym(handle, functions[nr].name);
        dlclose(handle);
    }
    if (!next) {
        /* Without us the loader would have ended the process here. */
        WARN("no library has %s\n", functions[nr].name);
        abort();
    }
    return next;
}

void *xlnuma__function_behind(enum function nr)
{
    static _Atomic(void *) found[NR_FUNCTIONS];
    void *next = atomic_load(&found[nr]);

    if (!next) {
        next = find_next(nr);
        atomic_store(&found[nr], next);
    }
    return next;
}

/* A library by the SONAME that we were built for, and one like it if any. */
struct library {
    const char *soname;
    ElfW(Addr) at; /* where it is loaded */
    char other[64];
};

/* Notes a loaded object that is the library too, but of another version. */
static int note_other(struct dl_phdr_info *object, size_t size, void *arg)
{
    struct library *library = arg;
    const char *slash = strrchr(object->dlpi_name, '/');
    const char *name = slash ? slash + 1 : object->dlpi_name;
    /* "libxenctrl.so.4.17": without what is behind ".so" */
    size_t stem = (size_t)(strstr(library->soname, ".so") - library->soname);

    (void)size;
    if (object->dlpi_addr == library->at || !strcmp(name, library->soname) ||
        strncmp(name, library->soname, stem + strlen(".so")) != 0)
        return 0;
    snprintf(library->other, sizeof(library->other), "%s", name);
    return 1;
}

/* A handle of the library if it is loaded, else NULL; and what is like it. */
static void *look_at(struct library *library)
{
    void *handle = dlopen(library->soname, RTLD_LAZY | RTLD_NOLOAD);
    struct link_map *map;

    if (handle && !dlinfo(handle, RTLD_DI_LINKMAP, &map))
        library->at = map->l_addr;
    (void)dl_iterate_phdr(note_other, library);
    return handle;
}

/* The name of a function that the library should have and has not, or NULL. */
static const char *lacking(void *handle, const char *soname)
{
    for (int nr = 0; nr < NR_FUNCTIONS; nr++)
        if (!strcmp(functions[nr].soname, soname) &&
            !dlsym(handle, functions[nr].name))
            return functions[nr].name;
    return NULL;
}

/* Why the libraries are not those that we were built for. */
struct doubt {
    bool is_other; /* there is another version */
    char text[160];
};

/* Is this library in the process, complete, and no other version of it? */
static bool is_known(const char *soname, bool is_needed, struct doubt *doubt)
{
    struct library library = { .soname = soname, .at = (ElfW(Addr)) - 1 };
    void *handle = look_at(&library);
    const char *name = handle ? lacking(handle, soname) : NULL;

    if (handle)
        dlclose(handle);
    doubt->is_other = library.other[0];
    if (doubt->is_other)
        snprintf(doubt->text, sizeof(doubt->text),
                 "%s, but this program uses %s", soname, library.other);
    else if (!handle && is_needed)
        snprintf(doubt->text, sizeof(doubt->text),
                 "%s, which this program does not use", soname);
    else if (name)
        snprintf(doubt->text, sizeof(doubt->text), "a %s with %s", soname,
                 name);
    else
        return true;
    return false;
}

/* Are all? libxl's calls need the whole of it; libxl-save-helper has less. */
static bool are_known(bool is_libxl, struct doubt *doubt)
{
    return is_known(LIBXENLIGHT_SONAME, is_libxl, doubt) &&
           is_known(LIBXENCTRL_SONAME, true, doubt) &&
           is_known(LIBXENGUEST_SONAME, true, doubt) &&
           is_known(LIBXENSTORE_SONAME, is_libxl, doubt) &&
           is_known(LIBXLUTIL_SONAME, false, doubt);
}

/*
 * Said once, when a domain is to be built. Another version than libxl-save-helper
 * expects is one that libxl, which started it, did not expect either, and said.
 */
static void say_once(enum function nr, const struct doubt *doubt)
{
    static atomic_flag is_said = ATOMIC_FLAG_INIT;

    if ((nr == NR_libxl_domain_create_new ||
         nr == NR_libxl_domain_create_restore ||
         (nr == NR_xc_domain_restore && !doubt->is_other)) &&
        !atomic_flag_test_and_set(&is_said))
        WARN("built for %s: stock placement\n", doubt->text);
}

/*
 * One answer for the whole process, or half of a build would be ours: asked once,
 * and again when libxl is used for the first time. No stays no.
 */
static bool is_ours(enum function nr)
{
    static _Atomic enum { UNASKED, KNOWN, KNOWN_LIBXL, UNKNOWN } answer;
    bool is_libxl = !strcmp(functions[nr].soname, LIBXENLIGHT_SONAME);
    struct doubt doubt = { .text = "libraries that could not be looked at" };

    if (answer == UNASKED || (answer == KNOWN && is_libxl))
        answer = !are_known(is_libxl, &doubt) ? UNKNOWN
                 : is_libxl                   ? KNOWN_LIBXL
                                              : KNOWN;
    else if (answer == UNKNOWN)
        (void)are_known(is_libxl, &doubt);
    if (answer == UNKNOWN)
        say_once(nr, &doubt);
    return answer != UNKNOWN;
}

void *xlnuma__choose(enum function nr)
{
    int err = errno;
    void *chosen =
        is_ours(nr) ? functions[nr].ours : xlnuma__function_behind(nr);

    atomic_store(&xlnuma__chosen[nr], chosen);
    errno = err;
    return chosen;
}
