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

/* A library that has functions of ours, by the SONAME that we were built for. */
struct library {
    const char *soname;
    bool is_there;
    char other[64]; /* another version that is there, too */
};

/* One that needs others is before them. */
enum { XLUTIL, XENLIGHT, XENGUEST, XENCTRL, XENSTORE, NR_LIBRARIES };

/* An object's SONAME; "" if it has none. */
static const char *soname_of(const struct dl_phdr_info *object)
{
    const ElfW(Dyn) *entry = NULL;
    ElfW(Addr) strings = 0, name = 0;

    for (unsigned i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const ElfW(Dyn) *)(object->dlpi_addr +
                                        object->dlpi_phdr[i].p_vaddr);
    for (; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_STRTAB)
            strings = entry->d_un.d_ptr;
        else if (entry->d_tag == DT_SONAME)
            name = entry->d_un.d_val;
    if (!strings || !name)
        return "";
    /* The loader has made it an address, but for the kernel's own object. */
    if (strings < object->dlpi_addr)
        strings += object->dlpi_addr;
    return (const char *)strings + name;
}

/* Notes which of the libraries a loaded object is, or is another version of. */
static int note_object(struct dl_phdr_info *object, size_t size, void *data)
{
    struct library *library = data;
    const char *soname = soname_of(object);

    (void)size;
    for (int i = 0; i < NR_LIBRARIES; i++) {
        /* "libxenctrl.so" of "libxenctrl.so.4.17" */
        const char *end = strstr(library[i].soname, ".so") + strlen(".so");
        size_t stem = (size_t)(end - library[i].soname);

        if (!strcmp(soname, library[i].soname))
            library[i].is_there = true;
        else if (!strncmp(soname, library[i].soname, stem))
            snprintf(library[i].other, sizeof(library[i].other), "%s", soname);
    }
    return 0;
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
static bool is_known(const struct library *library, bool is_needed,
                     void *handle, struct doubt *doubt)
{
    const char *soname = library->soname;
    const char *name = library->is_there ? lacking(handle, soname) : NULL;

    doubt->is_other = library->other[0];
    if (doubt->is_other)
        snprintf(doubt->text, sizeof(doubt->text),
                 "%s, but this program uses %s", soname, library->other);
    else if (!library->is_there && is_needed)
        snprintf(doubt->text, sizeof(doubt->text),
                 "%s, which this program does not use", soname);
    else if (name)
        snprintf(doubt->text, sizeof(doubt->text), "a %s with %s", soname,
                 name);
    else
        return true;
    return false;
}

/*
 * Are all? libxl's calls need the whole of it; libxl-save-helper has less. To open a
 * library costs a comparison of all names that it, and what it needs, has with those
 * of all that is there: so one of them is opened.
 */
static bool are_known(bool is_libxl, struct doubt *doubt)
{
    struct library library[NR_LIBRARIES] = {
        [XLUTIL] = { .soname = LIBXLUTIL_SONAME },
        [XENLIGHT] = { .soname = LIBXENLIGHT_SONAME },
        [XENGUEST] = { .soname = LIBXENGUEST_SONAME },
        [XENCTRL] = { .soname = LIBXENCTRL_SONAME },
        [XENSTORE] = { .soname = LIBXENSTORE_SONAME },
    };
    int first = 0;
    void *handle;
    bool is_it;

    (void)dl_iterate_phdr(note_object, library);
    while (first < NR_LIBRARIES - 1 && !library[first].is_there)
        first++;
    handle = dlopen(library[first].soname, RTLD_LAZY | RTLD_NOLOAD);
    is_it = is_known(&library[XENLIGHT], is_libxl, handle, doubt) &&
            is_known(&library[XENCTRL], true, handle, doubt) &&
            is_known(&library[XENGUEST], true, handle, doubt) &&
            is_known(&library[XENSTORE], is_libxl, handle, doubt) &&
            is_known(&library[XLUTIL], false, handle, doubt);
    if (handle)
        dlclose(handle);
    return is_it;
}

/*
 * Said once, when a domain is to be built. In libxl-save-helper a wrong version
 * of a library is not said again: libxl, which started it, has said it.
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
 * and again when libxl is used for the first time. A negative answer is final.
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
