/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's configuration file to libxl's configuration: the keys that
 * placement depends on, by the rules of xl (tools/xl/xl_parse.c) and with the
 * defaults that libxl would give them (tools/libs/light/libxl_create.c). Keys
 * that do not matter here are not even checked. Does not plan.
 */
#include "guest/file.h"

#include <errno.h>
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>

#include "config/settings.h"
#include "guest/cpus.h"
#include "guest/text.h"

#define MIB_MAX (INT64_MAX / 1024 / 1024)
#define VCPUS_MAX 8192 /* Xen's limit for any type of guest */

/* What libxl takes where nothing is said (libxl_create.c). */
#define DEFAULT_MEMORY_MIB 32
#define LINUX_STUBDOM_MIB 128
#define MINIOS_STUBDOM_MIB 28

/* Reads some keys; returns 0 or an error with the message filled. */
struct reader {
    struct guest_text text;
    struct guest_file *guest;
    const struct xlnuma_host *host;
};

static int out_of_memory(struct reader *reader)
{
    return xlnuma__fail(reader->text.file.message, XLNUMA_ERR_NOMEM,
                        "%s: out of memory", reader->text.file.name);
}

/* xl takes any beginning of a name for the name. */
static bool is_beginning(const char *value, const char *name)
{
    return *value && !strncmp(value, name, strlen(value));
}

/* Key `builder` is the older way to say it. */
static int read_builder(struct reader *reader, libxl_domain_type *type_io)
{
    libxl_domain_type type = LIBXL_DOMAIN_TYPE_INVALID;
    const char *value = NULL;
    int rc = guest_text_string(&reader->text, "builder", &value);

    if (rc || !value)
        return rc;
    if (is_beginning(value, "hvm"))
        type = LIBXL_DOMAIN_TYPE_HVM;
    else if (is_beginning(value, "generic"))
        type = LIBXL_DOMAIN_TYPE_PV;
    else
        return guest_text_bad(&reader->text, "builder",
                              "builder is \"%s\", not hvm or generic", value);
    if (*type_io != LIBXL_DOMAIN_TYPE_INVALID && *type_io != type)
        return guest_text_bad(&reader->text, "builder",
                              "builder and type contradict each other");
    *type_io = type;
    return 0;
}

static int read_type(struct reader *reader)
{
    libxl_domain_config *config = &reader->guest->config;
    libxl_domain_type type = LIBXL_DOMAIN_TYPE_INVALID;
    const char *value = NULL;
    int rc = guest_text_string(&reader->text, "type", &value);

    if (rc)
        return rc;
    if (value && is_beginning(value, "hvm"))
        type = LIBXL_DOMAIN_TYPE_HVM;
    else if (value && is_beginning(value, "pv"))
        type = LIBXL_DOMAIN_TYPE_PV;
    else if (value && is_beginning(value, "pvh"))
        type = LIBXL_DOMAIN_TYPE_PVH;
    else if (value)
        return guest_text_bad(&reader->text, "type",
                              "type is \"%s\", not pv, pvh or hvm", value);
    rc = read_builder(reader, &type);
    if (rc)
        return rc;
    if (type == LIBXL_DOMAIN_TYPE_INVALID)
        type = LIBXL_DOMAIN_TYPE_PV;
    config->c_info.type = type;
    libxl_domain_build_info_init_type(&config->b_info, type);
    return 0;
}

static int read_name(struct reader *reader)
{
    libxl_domain_create_info *info = &reader->guest->config.c_info;
    const char *name = NULL, *pool = NULL;
    int rc = guest_text_string(&reader->text, "name", &name);

    if (!rc)
        rc = guest_text_string(&reader->text, "pool", &pool);
    if (rc)
        return rc;
    if (!name)
        return xlnuma__fail(reader->text.file.message, XLNUMA_ERR_INVALID,
                            "%s: key name is missing", reader->text.file.name);
    info->name = strdup(name);
    if (!info->name)
        return out_of_memory(reader);
    if (!pool)
        return 0;
    guest_text_place(&reader->text, "pool", reader->guest->pool_place);
    info->pool_name = strdup(pool);
    return info->pool_name ? 0 : out_of_memory(reader);
}

/* The first `nr` vCPUs are there when the guest starts. */
static int online_vcpus(struct reader *reader, unsigned nr)
{
    libxl_bitmap *map = &reader->guest->config.b_info.avail_vcpus;

    map->size = (nr + 7) / 8;
    map->map = calloc(1, map->size);
    if (!map->map)
        return out_of_memory(reader);
    for (unsigned i = 0; i < nr; i++)
        libxl_bitmap_set(map, (int)i);
    return 0;
}

static int read_vcpus(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    int64_t vcpus = 1, max_vcpus = 0;
    int rc = guest_text_number(&reader->text, "vcpus", 1, VCPUS_MAX, &vcpus);

    if (!rc)
        rc = guest_text_number(&reader->text, "maxvcpus", 1, VCPUS_MAX,
                               &max_vcpus);
    if (rc)
        return rc;
    if (max_vcpus && max_vcpus < vcpus)
        return guest_text_bad(&reader->text, "maxvcpus",
                              "maxvcpus is less than vcpus");
    info->max_vcpus = (int)(max_vcpus ? max_vcpus : vcpus);
    return online_vcpus(reader, (unsigned)vcpus);
}

/* A virtual topology is left to libxl: that there is one is all that counts. */
static int read_vnuma(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    XLU_ConfigList *list;
    int nr,
        r = xlu_cfg_get_list(reader->text.file.config, "vnuma", &list, &nr, 1);

    if (r == ESRCH || (!r && !nr))
        return 0;
    if (r)
        return guest_text_bad(&reader->text, "vnuma", "vnuma is not a list");
    info->vnuma_nodes = calloc((size_t)nr, sizeof(*info->vnuma_nodes));
    if (!info->vnuma_nodes)
        return out_of_memory(reader);
    info->num_vnuma_nodes = nr;
    for (int i = 0; i < nr; i++)
        libxl_vnode_info_init(&info->vnuma_nodes[i]);
    return 0;
}

/* --- CPUs ----------------------------------------------------------------- */

/* Key `cpus` or `cpus_soft`, and where its bitmaps go. */
struct affinity {
    const char *key;
    bool is_hard;
    libxl_bitmap **map;
    int *nr;
};

/*
 * Xen refuses a hard affinity without any CPU, which fails the build; a soft one
 * it takes for none.
 */
static int add_cpus(struct reader *reader, const struct affinity *affinity,
                    const char *list)
{
    char what[XLNUMA_MESSAGE_SIZE];
    xlnuma_cpuset cpus;
    int rc = guest_cpus_parse(list, reader->host, &cpus, what);

    if (rc)
        return guest_text_bad(&reader->text, affinity->key, "%s: %s",
                              affinity->key, what);
    if (!xlnuma__host_nodes_of(reader->host, &cpus)) {
        if (affinity->is_hard)
            return guest_text_bad(&reader->text, affinity->key,
                                  "%s: \"%s\": none of these CPUs is online",
                                  affinity->key, list);
        memset(&cpus, 0xff, sizeof(cpus));
    }
    rc = guest_cpus_to_bitmap(&cpus, &(*affinity->map)[*affinity->nr]);
    if (rc)
        return out_of_memory(reader);
    ++*affinity->nr;
    return 0;
}

static int read_affinity(struct reader *reader, const struct affinity *affinity)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    XLU_ConfigList *list = NULL;
    const char *value = NULL;
    int nr = info->max_vcpus, nr_items, rc = 0;

    if (!xlu_cfg_get_list(reader->text.file.config, affinity->key, &list,
                          &nr_items, 1))
        nr = nr_items < nr ? nr_items : nr; /* of vCPUs that it has */
    else if (xlu_cfg_get_string(reader->text.file.config, affinity->key, &value,
                                1))
        return 0;
    if (list || !affinity->is_hard)
        libxl_defbool_set(&info->numa_placement, false);
    *affinity->map = calloc((size_t)nr + 1, sizeof(**affinity->map));
    if (!*affinity->map)
        return out_of_memory(reader);
    for (int i = 0; i < nr && !rc; i++) {
        const char *item = list ? xlu_cfg_get_listitem(list, i) : value;

        rc = item ? add_cpus(reader, affinity, item)
                  : guest_text_bad(&reader->text, affinity->key,
                                   "%s: element %d is a list", affinity->key,
                                   i + 1);
    }
    return rc;
}

static int read_cpus(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    const struct affinity affinity[] = {
        { "cpus", true, &info->vcpu_hard_affinity,
          &info->num_vcpu_hard_affinity },
        { "cpus_soft", false, &info->vcpu_soft_affinity,
          &info->num_vcpu_soft_affinity },
    };
    int rc = read_affinity(reader, &affinity[0]);

    return rc ? rc : read_affinity(reader, &affinity[1]);
}

/* --- memory --------------------------------------------------------------- */

/* A key in MiB into KiB; one that is not given changes nothing. */
static int read_mib(struct reader *reader, const char *key, int64_t min,
                    uint64_t *kb_io)
{
    int64_t mib = -1;
    int rc = guest_text_number(&reader->text, key, min, MIB_MAX, &mib);

    if (!rc && mib >= 0)
        *kb_io = (uint64_t)mib * 1024;
    return rc;
}

static int read_memory(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    int rc = read_mib(reader, "memory", 1, &info->target_memkb);

    if (!rc)
        rc = read_mib(reader, "maxmem", 1, &info->max_memkb);
    if (info->max_memkb == LIBXL_MEMKB_DEFAULT)
        info->max_memkb = info->target_memkb;
    if (info->max_memkb == LIBXL_MEMKB_DEFAULT)
        info->max_memkb = DEFAULT_MEMORY_MIB * 1024;
    if (info->target_memkb == LIBXL_MEMKB_DEFAULT)
        info->target_memkb = info->max_memkb;
    return rc;
}

/* Without hardware-assisted paging the default is larger (libxl_utils.c). */
static int read_shadow(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    int64_t has_hap = 1;
    int rc = read_mib(reader, "shadow_memory", 0, &info->shadow_memkb);

    if (!rc)
        rc = guest_text_number(&reader->text, "hap", 0, INT32_MAX, &has_hap);
    if (info->shadow_memkb == LIBXL_MEMKB_DEFAULT && !has_hap &&
        info->type != LIBXL_DOMAIN_TYPE_PV)
        info->shadow_memkb = 4 * (256 * (uint64_t)info->max_vcpus +
                                  2 * (info->max_memkb / 1024));
    return rc;
}

static bool has_devices(const struct reader *reader)
{
    int nr_pci = 0, nr_dt = 0;

    xlu_cfg_get_list(reader->text.file.config, "pci", NULL, &nr_pci, 1);
    xlu_cfg_get_list(reader->text.file.config, "dtdev", NULL, &nr_dt, 1);
    return nr_pci || nr_dt;
}

/*
 * Nothing, or a device with its function: of one without, libxlutil goes on with
 * what is at an offset that it never set.
 */
static bool has_function(const char *bdf)
{
    size_t length = strspn(bdf, "0123456789abcdefABCDEF:");

    return !memchr(bdf, ':', length) || bdf[length] == '.';
}

static bool is_parsable(const char *spec)
{
    static const char key[] = "bdf=";

    if (!has_function(spec))
        return false;
    while ((spec = strstr(spec, key))) {
        spec += strlen(key);
        if (!has_function(spec))
            return false;
    }
    return true;
}

/* As xl does: "SEGMENT:BUS:DEVICE.FUNCTION", options behind it, or name=NAME. */
static int read_devices(struct reader *reader)
{
    libxl_domain_config *config = &reader->guest->config;
    XLU_ConfigList *list;
    const char *spec;
    int nr;

    if (xlu_cfg_get_list(reader->text.file.config, "pci", &list, &nr, 1))
        return 0;
    config->pcidevs = calloc((size_t)nr + 1, sizeof(*config->pcidevs));
    if (!config->pcidevs)
        return out_of_memory(reader);
    for (int i = 0; (spec = xlu_cfg_get_listitem(list, i)); i++) {
        libxl_device_pci *pci = &config->pcidevs[config->num_pcidevs++];

        libxl_device_pci_init(pci);
        if (!is_parsable(spec) ||
            xlu_pci_parse_spec_string(reader->text.file.config, pci, spec))
            return guest_text_bad(&reader->text, "pci",
                                  "pci: \"%s\" is no PCI device", spec);
    }
    return 0;
}

/*
 * Page tables of its own for the IOMMU: four levels of 512 entries. A PV guest
 * with devices needs them; others share their own unless they say "sync_pt".
 */
static int read_passthrough(struct reader *reader)
{
    libxl_domain_config *config = &reader->guest->config;
    libxl_passthrough *mode = &config->c_info.passthrough;
    uint64_t entries = config->b_info.max_memkb / 4, tables = 0;
    const char *value = NULL;
    int rc = guest_text_string(&reader->text, "passthrough", &value);

    if (rc)
        return rc;
    if (value && libxl_passthrough_from_string(value, mode))
        return guest_text_bad(&reader->text, "passthrough",
                              "passthrough is \"%s\", which xl does not know",
                              value);
    if (*mode == LIBXL_PASSTHROUGH_DEFAULT && has_devices(reader))
        *mode = LIBXL_PASSTHROUGH_ENABLED;
    if (*mode == LIBXL_PASSTHROUGH_ENABLED &&
        config->c_info.type == LIBXL_DOMAIN_TYPE_PV)
        *mode = LIBXL_PASSTHROUGH_SYNC_PT;
    for (unsigned level = 0; level < 4; level++) {
        entries = (entries + 511) / 512;
        tables += entries;
    }
    config->b_info.iommu_memkb =
        *mode == LIBXL_PASSTHROUGH_SYNC_PT ? tables * 4 : 0;
    return 0;
}

/* libxl's smallest video memory for each kind of card, in MiB. */
static uint64_t default_video_mib(const char *vga, bool is_linux)
{
    if (!strcmp(vga, "none"))
        return 0;
    if (!strcmp(vga, "qxl"))
        return 128;
    if (!strcmp(vga, "stdvga"))
        return is_linux ? 16 : 8;
    return is_linux ? 8 : 4;
}

/* Memory of the guest's that is its video card's, and which device model it has. */
static int read_video(struct reader *reader, bool is_stubdomain,
                      bool *is_linux_r)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    const char *version = is_stubdomain ? "qemu-xen-traditional" : "qemu-xen";
    const char *vga = NULL;
    int64_t is_stdvga = 0;
    int rc = read_mib(reader, "videoram", 0, &info->video_memkb);

    if (!rc)
        rc = guest_text_string(&reader->text, "device_model_version", &version);
    if (!rc)
        rc = guest_text_string(&reader->text, "vga", &vga);
    if (!rc)
        rc = guest_text_number(&reader->text, "stdvga", 0, INT32_MAX,
                               &is_stdvga);
    if (!vga)
        vga = is_stdvga ? "stdvga" : "cirrus";
    *is_linux_r = !strcmp(version, "qemu-xen");
    if (info->video_memkb == LIBXL_MEMKB_DEFAULT)
        info->video_memkb = 1024 * default_video_mib(vga, *is_linux_r);
    return rc;
}

/* A stub domain's memory, and the video memory, which is in it if there is one. */
static int read_stubdomain(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    int64_t is_stubdomain = 0;
    bool is_linux;
    int rc;

    rc = guest_text_number(&reader->text, "device_model_stubdomain_override", 0,
                           INT32_MAX, &is_stubdomain);
    if (rc || info->type != LIBXL_DOMAIN_TYPE_HVM)
        return rc;
    rc = read_video(reader, is_stubdomain, &is_linux);
    if (rc || !is_stubdomain)
        return rc;
    libxl_defbool_set(&info->device_model_stubdomain, true);
    rc = read_mib(reader, "stubdomain_memory", 0, &info->stubdomain_memkb);
    if (info->stubdomain_memkb == LIBXL_MEMKB_DEFAULT)
        info->stubdomain_memkb =
            1024 * (is_linux ? LINUX_STUBDOM_MIB : MINIOS_STUBDOM_MIB);
    return rc;
}

/* What keeps a guest from seeing several nodes, and where its hole begins. */
static int read_platform(struct reader *reader)
{
    libxl_domain_build_info *info = &reader->guest->config.b_info;
    int64_t acpi = 1, apic = 1, pvshim = 0;
    int rc = guest_text_number(&reader->text, "acpi", 0, INT32_MAX, &acpi);

    if (!rc)
        rc = guest_text_number(&reader->text, "apic", 0, INT32_MAX, &apic);
    if (!rc)
        rc = guest_text_number(&reader->text, "pvshim", 0, INT32_MAX, &pvshim);
    libxl_defbool_set(&info->acpi, acpi);
    libxl_defbool_set(&info->apic, apic);
    if (info->type == LIBXL_DOMAIN_TYPE_PVH)
        libxl_defbool_set(&info->u.pvh.pvshim, pvshim);
    if (rc || info->type != LIBXL_DOMAIN_TYPE_HVM)
        return rc;
    return read_mib(reader, "mmio_hole", 0, &info->u.hvm.mmio_hole_memkb);
}

static int read_settings(struct reader *reader)
{
    const struct guest_text *text = &reader->text;
    int rc = xlnuma__keys_check("numa_", NULL, text->file.name, text->file.text,
                                text->file.length, text->file.message);

    if (!rc)
        rc = xlnuma__settings_read(&reader->guest->settings, text->file.config,
                                   text->file.name, text->file.text,
                                   text->file.length, text->file.message);
    if (rc)
        guest_text_name_assignment(text);
    return rc;
}

/* In this order: later ones build on what earlier ones have read. */
static int (*const readers[])(struct reader *reader) = {
    read_settings,    read_name,    read_type,       read_vcpus,
    read_vnuma,       read_cpus,    read_memory,     read_shadow,
    read_passthrough, read_devices, read_stubdomain, read_platform,
};

int guest_file_read(struct guest_file *guest_r, const char *path, unsigned nr,
                    char *const assignment[], const struct xlnuma_host *host,
                    char *message)
{
    struct reader reader = { .guest = guest_r, .host = host };
    int rc;

    memset(guest_r, 0, sizeof(*guest_r));
    libxl_domain_config_init(&guest_r->config);
    rc = guest_text_read(&reader.text, path, nr, assignment, message);
    guest_r->name = reader.text.file.name;
    for (size_t i = 0; i < sizeof(readers) / sizeof(*readers) && !rc; i++)
        rc = readers[i](&reader);
    xlnuma__text_dispose(&reader.text.file);
    return rc;
}

void guest_file_dispose(struct guest_file *guest)
{
    libxl_domain_config_dispose(&guest->config);
    memset(guest, 0, sizeof(*guest));
    libxl_domain_config_init(&guest->config);
}
