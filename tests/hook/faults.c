/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests/hook/every-call: the calls that the hook's two objects make to other
 * libraries, counted, and one of them made to fail. An auditing library (rtld-audit
 * (7)): the dynamic linker asks it about every symbol that it binds, those of
 * dlsym() too, and gets a stub for each that can fail. So what other objects call,
 * the allocator below a library's function, say, is not touched, and the test
 * runs under the sanitizers as well. It has a libc of its own, beside the
 * program's.
 *
 *   LD_AUDIT=libfaults.so FAULT_FILE=FILE [FAULT=FUNCTION:N]
 *
 * FILE is the table below: zeros, before the first process of a build. With
 * FAULT the Nth call of FUNCTION, all its processes together, fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <libxl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum kind {
    RETURN = 1, /* the value, and errno */
    STREAM,     /* the same, and the stream has an error */
    AFTER,      /* it is done, and fails: close() is never to be repeated */
    NO_FILE,    /* the real function, with a name that is not there */
};

/* Every function that the hook may call. */
static const struct function {
    const char *name;
    enum kind kind;
    long value;
    int err;
    int argument; /* of STREAM: which is the stream */
} functions[] = {
    /* Memory. */
    { "malloc", RETURN, 0, ENOMEM, 0 },
    { "calloc", RETURN, 0, ENOMEM, 0 },
    { "realloc", RETURN, 0, ENOMEM, 0 },
    { "reallocarray", RETURN, 0, ENOMEM, 0 },
    { "strdup", RETURN, 0, ENOMEM, 0 },
    { "strndup", RETURN, 0, ENOMEM, 0 },
    { "open_memstream", RETURN, 0, ENOMEM, 0 },
    { "fnmatch", RETURN, -1, ENOMEM, 0 },
    { "__register_atfork", RETURN, ENOMEM, 0, 0 },
    { "sched_getaffinity", RETURN, -1, EINVAL, 0 },
    { "sched_setaffinity", RETURN, -1, EINVAL, 0 },
    /* Locks. */
    { "pthread_mutex_trylock", RETURN, EBUSY, 0, 0 },
    /* Files. */
    { "open", RETURN, -1, EMFILE, 0 },
    { "openat", RETURN, -1, ENFILE, 0 },
    { "mkdir", RETURN, -1, EROFS, 0 },
    { "mkdirat", RETURN, -1, EROFS, 0 },
    { "fstat", RETURN, -1, EIO, 0 },
    { "fcntl", RETURN, -1, ENOLCK, 0 },
    { "pread", RETURN, -1, EIO, 0 },
    { "pwrite", RETURN, -1, ENOSPC, 0 },
    { "renameat", RETURN, -1, ENOSPC, 0 },
    { "unlinkat", RETURN, -1, EROFS, 0 },
    { "close", AFTER, -1, EIO, 0 },
    { "fopen", RETURN, 0, EMFILE, 0 },
    { "fdopen", RETURN, 0, ENOMEM, 0 },
    { "fclose", AFTER, EOF, ENOSPC, 0 },
    { "fflush", STREAM, EOF, ENOSPC, 0 },
    { "fprintf", STREAM, -1, ENOSPC, 0 },
    { "fwrite", STREAM, 0, ENOMEM, 3 },
    { "putc", STREAM, EOF, ENOMEM, 1 },
    { "fread", STREAM, 0, EIO, 3 },
    { "__getdelim", STREAM, -1, EIO, 3 },
    { "__fread_chk", STREAM, 0, EIO, 4 },
    { "__isoc99_fscanf", STREAM, EOF, EIO, 0 },
    { "dlopen", NO_FILE, 0, 0, 0 },
    { "dladdr", RETURN, 0, 0, 0 },
    { "dlclose", AFTER, -1, EINVAL, 0 },
    /* libxl. */
    { "libxl_domain_config_to_json", RETURN, 0, ENOMEM, 0 },
    { "libxl_ctx_alloc", RETURN, ERROR_NOMEM, ENOMEM, 0 },
    { "libxl_domain_create_new", RETURN, ERROR_FAIL, EPERM, 0 },
    { "libxl_domain_create_restore", RETURN, ERROR_FAIL, EPERM, 0 },
    { "libxl_domain_soft_reset", RETURN, ERROR_FAIL, EPERM, 0 },
    { "libxl_domain_get_nodeaffinity", RETURN, ERROR_FAIL, EBUSY, 0 },
    { "libxl_cpu_bitmap_alloc", RETURN, ERROR_FAIL, ENOMEM, 0 },
    { "libxl_node_bitmap_alloc", RETURN, ERROR_FAIL, ENOMEM, 0 },
    { "libxl_cpupool_info", RETURN, ERROR_FAIL, ENOMEM, 0 },
    { "libxl_cpupool_movedomain", RETURN, ERROR_FAIL, EBUSY, 0 },
    { "libxl_list_cpupool", RETURN, 0, ENOMEM, 0 },
    { "libxl_get_scheduler", RETURN, ERROR_FAIL, ENOMEM, 0 },
    { "libxl_device_pci_assignable_list", RETURN, 0, ENOMEM, 0 },
    { "libxl_domain_sched_params_set", RETURN, ERROR_FAIL, EPERM, 0 },
    { "libxl_domain_set_nodeaffinity", RETURN, ERROR_FAIL, EBUSY, 0 },
    { "libxl_set_vcpuaffinity", RETURN, ERROR_FAIL, EBUSY, 0 },
    { "libxl_set_vcpuaffinity_all", RETURN, ERROR_FAIL, EBUSY, 0 },
    { "libxl_get_cpu_topology", RETURN, 0, ENOMEM, 0 },
    { "libxl_get_numainfo", RETURN, 0, ENOMEM, 0 },
    { "libxl_get_pci_topology", RETURN, 0, ENOMEM, 0 },
    { "libxl_get_physinfo", RETURN, ERROR_FAIL, EBUSY, 0 },
    { "libxl_get_version_info", RETURN, 0, ENOMEM, 0 },
    { "libxl_list_vcpu", RETURN, 0, ENOMEM, 0 },
    { "xlu_cfg_init", RETURN, 0, ENOMEM, 0 },
    { "xlu_cfg_readdata", RETURN, ENOMEM, ENOMEM, 0 },
    /* libxc. */
    { "xc_interface_open", RETURN, 0, EACCES, 0 },
    { "xc_interface_close", AFTER, -1, EIO, 0 },
    { "xc_availheap", RETURN, -1, ENOMEM, 0 },
    { "xc_domain_create", RETURN, -1, ENOMEM, 0 },
    { "xc_domain_decrease_reservation_exact", RETURN, -1, EBUSY, 0 },
    { "xc_cpupool_getinfo", RETURN, 0, ENOMEM, 0 },
    { "xc_domain_getinfolist", RETURN, -1, ENOMEM, 0 },
    { "xc_get_machine_memory_map", RETURN, -1, ENOMEM, 0 },
    { "xc_domain_max_vcpus", RETURN, -1, ENOMEM, 0 },
    { "libxl_set_vcpuaffinity", RETURN, ERROR_FAIL, EPERM, 0 },
    { "xc_dom_parse_image", RETURN, -1, EINVAL, 0 },
    { "xc_domain_set_memory_map", RETURN, -1, EPERM, 0 },
    { "xc_domain_populate_physmap", RETURN, -1, ENOMEM, 0 },
    { "xc_domain_populate_physmap_exact", RETURN, -1, ENOMEM, 0 },
    { "xc_domain_restore", RETURN, -1, EIO, 0 },
    { "xc_domain_set_pod_target", RETURN, -1, ENOMEM, 0 },
    { "xc_readconsolering", RETURN, -1, ENOMEM, 0 },
    { "xc_send_debug_keys", RETURN, -1, EBUSY, 0 },
    { "xc_vcpu_getaffinity", RETURN, -1, ENOMEM, 0 },
    { "xc_vcpu_getinfo", RETURN, -1, ENOMEM, 0 },
    /* libxenstore. */
    { "xs_open", RETURN, 0, ECONNREFUSED, 0 },
    { "xs_introduce_domain", RETURN, 0, EIO, 0 },
    { "xs_read", RETURN, 0, EIO, 0 },
    { "xs_directory", RETURN, 0, EIO, 0 },
    { "xs_write", RETURN, 0, ENOSPC, 0 },
    { "xs_rm", RETURN, 0, EIO, 0 },
    { "xs_transaction_start", RETURN, 0, EIO, 0 },
    { "xs_transaction_end", RETURN, 0, EIO, 0 },
};

/*
 * These cannot fail, or not for want of anything: an answer that a key is not
 * there, or that a file is no terminal. dlsym() is for functions that whoever
 * calls the hook was linked to.
 */
static const char never[] =
    " __ctype_b_loc __cxa_finalize __errno_location __isoc99_sscanf"
    " __sched_cpucount __stack_chk_fail"
    " abort"
    " clock_gettime dl_iterate_phdr dlerror dlinfo dlsym ferror free getenv"
    " geteuid getpid ioctl isatty"
    " memchr memcmp memcpy memmem memmove memset nanosleep perror"
    " pthread_mutex_lock pthread_mutex_unlock pthread_once qsort snprintf"
    " sprintf stpcpy strchr strcmp strcpy strcspn strerror strlen strncmp"
    " strnlen strrchr"
    " strspn strstr strtod strtol strtoul strtoull vsnprintf"
    " libxl_bitmap_dispose libxl_bitmap_equal libxl_bitmap_init"
    " libxl_bitmap_is_full"
    " libxl_bitmap_reset libxl_bitmap_set libxl_bitmap_test"
    " libxl_cpupoolinfo_dispose libxl_cpupoolinfo_init"
    " libxl_cpupoolinfo_list_free"
    " libxl_cputopology_list_free libxl_ctx_free libxl_defbool_is_default"
    " libxl_defbool_set libxl_defbool_val"
    " libxl_device_pci_assignable_list_free libxl_numainfo_list_free"
    " libxl_pcitopology_list_free libxl_physinfo_dispose libxl_physinfo_init"
    " libxl_scheduler_to_string"
    " libxl_uuid_compare libxl_uuid_copy libxl_vcpuinfo_list_free"
    " xc_cpupool_infofree xc_get_cpumap_size"
    " xlu_cfg_destroy xlu_cfg_get_list xlu_cfg_get_listitem2"
    " xlu_cfg_get_string xlu_cfg_value_get_list xlu_cfg_value_get_string"
    " xlu_cfg_value_type xs_close xtl_level_to_string xtl_log ";

enum { NR_STUBS = 128 };
enum { NR_FUNCTIONS = sizeof(functions) / sizeof(*functions) };
enum { NR_PLACES = 1024 };
enum { OBJECT_SIZE_MAX = 16 << 20 };

/* The file; all numbers are those of this machine. */
struct table {
    struct {
        char name[56];
        uint32_t nr_calls, nr_failed;
    } function[NR_STUBS];
    uint64_t place[NR_PLACES]; /* function << 48, and where in our objects */
};

static struct table *table;
static void *real[NR_FUNCTIONS];
static const char *wish;
static uintptr_t bases[2]; /* of the hook's objects: cookies point here */
static char fake;          /* the fake Xen's cookie */
static bool is_fake[NR_FUNCTIONS];
static int *(*errno_of_program)(void);

/* The stubs, 16 bytes each: their number, and on to what is common. */
extern const char fault_stubs[];

__asm__(".text\n"
        ".balign 16\n"
        "fault_stubs:\n"
        ".set i, 0\n"
        ".rept 128\n"
        ".balign 16\n"
        "movl $i, %r11d\n"
        "jmp fault_common\n"
        ".set i, i + 1\n"
        ".endr\n"
        /* Arguments are kept; the stack is aligned for a call. */
        "fault_common:\n"
        "pushq %r9\n pushq %r8\n pushq %rcx\n pushq %rdx\n pushq %rsi\n"
        "pushq %rdi\n pushq %rax\n"
        "subq $128, %rsp\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
        "movups %xmm\\n, 16*\\n(%rsp)\n"
        ".endr\n"
        "movl %r11d, %edi\n"
        "leaq 128(%rsp), %rsi\n"
        "call fault_decide\n"
        "movq %rax, %r11\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
        "movups 16*\\n(%rsp), %xmm\\n\n"
        ".endr\n"
        "addq $128, %rsp\n"
        "popq %rax\n popq %rdi\n popq %rsi\n popq %rdx\n popq %rcx\n"
        "popq %r8\n popq %r9\n"
        "testq %r11, %r11\n"
        "jz 1f\n"
        "jmp *%r11\n"
        "1: ret\n");

/* What the assembly above keeps of a call. */
struct saved {
    long result, argument[6];
    uintptr_t caller;
};

static void note_place(unsigned i, uintptr_t caller)
{
    /* Of nowhere if it was jumped to, from a call of another's. */
    uint64_t place = (uint64_t)i << 48;

    for (unsigned o = 0; o < 2; o++)
        if (caller - bases[o] < OBJECT_SIZE_MAX)
            place += (o + 1) * OBJECT_SIZE_MAX + caller - bases[o];
    for (unsigned p = 0; p < NR_PLACES; p++) {
        if (!table->place[p])
            table->place[p] = place;
        if (table->place[p] == place)
            return;
    }
}

/* Is this the call that is to fail? */
static bool is_meant(unsigned i)
{
    size_t length = strlen(functions[i].name);

    return wish && !strncmp(wish, functions[i].name, length) &&
           wish[length] == ':' &&
           strtoul(wish + length + 1, NULL, 10) == table->function[i].nr_calls;
}

/* Returns the function to go on to, or NULL: return saved->result. */
__attribute__((used, visibility("hidden"))) void *
fault_decide(unsigned i, struct saved *saved)
{
    const struct function *function = &functions[i];
    FILE *stream = (FILE *)saved->argument[function->argument];

    table->function[i].nr_calls++;
    note_place(i, saved->caller);
    if (!is_meant(i))
        return real[i];
    table->function[i].nr_failed++;
    if (function->kind == NO_FILE) {
        saved->argument[0] = (long)"/nonexistent";
        return real[i];
    }
    if (function->kind == AFTER)
        ((long (*)(long))real[i])(saved->argument[0]);
    if (function->kind == STREAM)
        stream->_flags |= _IO_ERR_SEEN;
    if (function->err)
        *errno_of_program() = function->err;
    saved->result = function->value;
    return NULL;
}

/* --- what the dynamic linker calls ---------------------------------------- */

unsigned la_version(unsigned version)
{
    const char *name = getenv("FAULT_FILE");
    int fd = name ? open(name, O_RDWR) : -1;

    table =
        mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || table == MAP_FAILED || ftruncate(fd, sizeof(*table)))
        return 0; /* not there: nothing is audited */
    close(fd);
    wish = getenv("FAULT");
    return version < LAV_CURRENT ? version : LAV_CURRENT;
}

unsigned la_objopen(struct link_map *map, Lmid_t lmid, uintptr_t *cookie)
{
    static const char *const ours[] = { "libxlnuma-preload.so",
                                        "libxlnuma.so.0" };
    const char *slash = strrchr(map->l_name, '/');

    (void)lmid;
    *cookie =
        slash && !strcmp(slash + 1, "libfakexen.so") ? (uintptr_t)&fake : 0;
    for (unsigned i = 0; i < 2; i++)
        if (slash && !strcmp(slash + 1, ours[i])) {
            bases[i] = map->l_addr;
            *cookie = (uintptr_t)&bases[i];
        }
    return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}

static bool is_ours(uintptr_t cookie)
{
    return cookie == (uintptr_t)&bases[0] || cookie == (uintptr_t)&bases[1];
}

/* What fortified sources call "__NAME_chk". */
static void plain_name(const char *name, char *buf, size_t size)
{
    size_t length = strlen(name);

    if (length > 6 && !strncmp(name, "__", 2) &&
        !strcmp(name + length - 4, "_chk"))
        snprintf(buf, size, "%.*s", (int)length - 6, name + 2);
    else
        snprintf(buf, size, "%s", name);
}

static unsigned find_function(const char *name)
{
    unsigned i = 0;

    while (i < NR_FUNCTIONS && strcmp(functions[i].name, name))
        i++;
    return i;
}

/* It may fail, for all that we know: the test is to be told. */
static void note_unknown(const char *name)
{
    for (unsigned i = NR_FUNCTIONS; i < NR_STUBS; i++)
        if (!*table->function[i].name) {
            snprintf(table->function[i].name, sizeof(table->function[i].name),
                     "? %s", name);
            return;
        }
}

uintptr_t la_symbind64(Elf64_Sym *symbol, unsigned index, uintptr_t *from,
                       uintptr_t *to, unsigned *flags, const char *name)
{
    char plain[64], word[66];
    unsigned i;

    (void)index;
    (void)flags;
    if (!is_ours(*from) || is_ours(*to)) /* one may stand before another's */
        return symbol->st_value;
    if (!strcmp(name, "__errno_location"))
        errno_of_program = (int *(*)(void))symbol->st_value;
    plain_name(name, plain, sizeof(plain));
    i = find_function(name);
    if (i == NR_FUNCTIONS)
        i = find_function(plain);
    /* Is the true one there, too? That is asked, but it is not called. */
    if (i < NR_FUNCTIONS && is_fake[i] && *to != (uintptr_t)&fake)
        return symbol->st_value;
    if (i < NR_FUNCTIONS) {
        is_fake[i] = *to == (uintptr_t)&fake;
        strcpy(table->function[i].name, functions[i].name);
        real[i] = (void *)symbol->st_value;
        return (uintptr_t)fault_stubs + 16 * i;
    }
    snprintf(word, sizeof(word), " %s ", plain);
    if (!strstr(never, word) && strncmp(name, "yajl_", 5) &&
        strncmp(name, "__asan_", 7) && strncmp(name, "__ubsan_", 8))
        note_unknown(name);
    return symbol->st_value;
}
