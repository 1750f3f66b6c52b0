/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From libvirt's XML of a guest to the settings that a build goes by: <numatune>, <vcpu
 * cpuset>, and our own element in <metadata>. Does not know the host.
 */
#include "guest_xml.h"

#include <expat.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define OURS "urn:xl-numa:placement:1"
#define SEPARATOR '|' /* between a namespace and a name */

#define METADATA "<metadata>"
#define NUMATUNE "<numatune>"

#define PATH_SIZE_MAX 256

struct reader {
    struct guest_xml *guest;
    char path[PATH_SIZE_MAX]; /* of the element that is read, "/domain/uuid" */
    unsigned below; /* elements deeper than what the path has room for */
    size_t uuid_length;
    const char *source[XLNUMA__KEYS_MAX]; /* of each setting, static */
    bool has_pins, has_cells;
    int rc;
    char *message;
};

/* The first fault is the one that is told. */
__attribute__((format(printf, 2, 3))) static void bad(struct reader *reader,
                                                      const char *format, ...)
{
    va_list args;

    if (reader->rc)
        return;
    va_start(args, format);
    vsnprintf(reader->message, XLNUMA_MESSAGE_SIZE, format, args);
    va_end(args);
    reader->rc = XLNUMA_ERR_INVALID;
}

/* An attribute's value, or NULL. */
static const char *find(const char *const *attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (!strcmp(*attributes, name))
            return attributes[1];
    return NULL;
}

static void set(struct reader *reader, const char *source, const char *key,
                const char *value)
{
    char what[XLNUMA_MESSAGE_SIZE];
    const char *values;
    bool is_right = false;
    unsigned i = 0;

    values = xlnuma__settings_set(&reader->guest->handed.settings, key, value,
                                  &is_right);
    if (!values) {
        xlnuma__key_unknown(key, strlen(key), NULL, what);
        bad(reader, "%s: %s", source, what);
        return;
    }
    if (!is_right)
        bad(reader, "%s: %s is \"%s\", not %s", source, key, value, values);
    while (strcmp(xlnuma__key_name(i), key))
        i++;
    if (reader->source[i] && reader->source[i] != source)
        bad(reader, "%s and %s both say what %s is", reader->source[i], source,
            key);
    reader->source[i] = source;
}

/* --- elements --------------------------------------------------------------- */

static void read_placement(struct reader *reader, const char *const *attributes)
{
    for (; *attributes; attributes += 2)
        set(reader, METADATA, attributes[0], attributes[1]);
}

/* <memory> of <numatune>; without mode it is strict. */
static void read_numatune(struct reader *reader, const char *const *attributes)
{
    const char *mode = find(attributes, "mode");
    const char *nodes = find(attributes, "nodeset");

    if (nodes)
        set(reader, NUMATUNE, "numa_nodes", nodes);
    if (!mode || !strcmp(mode, "strict") || !strcmp(mode, "restrictive"))
        set(reader, NUMATUNE, "numa_policy", "strict");
    else if (!strcmp(mode, "preferred"))
        set(reader, NUMATUNE, "numa_memory", "pack");
    else if (!strcmp(mode, "interleave"))
        set(reader, NUMATUNE, "numa_memory", "spread");
    else
        bad(reader,
            NUMATUNE ": mode is \"%s\", not strict, restrictive, preferred or "
                     "interleave",
            mode);
}

static void read_vcpu(struct reader *reader, const char *const *attributes)
{
    struct xlnuma__handed *handed = &reader->guest->handed;
    const char *cpus = find(attributes, "cpuset");
    const char *placement = find(attributes, "placement");
    char why[XLNUMA_MESSAGE_SIZE];

    if (!cpus || (placement && !strcmp(placement, "auto")))
        return;
    handed->has_cpus = true;
    if (xlnuma_cpuset_parse(cpus, &handed->cpus, why) ||
        !xlnuma_cpuset_count(&handed->cpus))
        bad(reader, "<vcpu>: cpuset is \"%s\", not CPUs such as \"4-7,12\"",
            cpus);
}

static void read_pin(struct reader *reader, const char *const *attributes)
{
    (void)attributes;
    reader->has_pins = true;
}

static void read_cell(struct reader *reader, const char *const *attributes)
{
    (void)attributes;
    reader->has_cells = true;
}

static const struct {
    const char *path;
    void (*read)(struct reader *reader, const char *const *attributes);
} elements[] = {
    { "/domain/metadata/" OURS "|placement", read_placement },
    { "/domain/numatune/memory", read_numatune },
    { "/domain/vcpu", read_vcpu },
    { "/domain/cputune/vcpupin", read_pin },
    { "/domain/cpu/numa/cell", read_cell },
};

/* --- the parser's calls ------------------------------------------------------- */

static void on_start(void *data, const char *name, const char **attributes)
{
    struct reader *reader = data;
    size_t length = strlen(reader->path);

    if (reader->below ||
        length + strlen(name) + sizeof("/") > sizeof(reader->path)) {
        reader->below++;
        return;
    }
    reader->path[length] = '/';
    memcpy(reader->path + length + 1, name, strlen(name) + 1);
    for (size_t i = 0; i < sizeof(elements) / sizeof(*elements); i++)
        if (!strcmp(elements[i].path, reader->path))
            elements[i].read(reader, (const char *const *)attributes);
    if (!strncmp(name, OURS "|", strlen(OURS "|")) &&
        strcmp(name, OURS "|placement") != 0)
        bad(reader, METADATA ": unknown element \"%s\", not placement",
            name + strlen(OURS "|"));
}

static void on_end(void *data, const char *name)
{
    struct reader *reader = data;

    if (reader->below)
        reader->below--;
    else
        reader->path[strlen(reader->path) - strlen(name) - 1] = '\0';
}

/* It may come in pieces. */
static void on_text(void *data, const char *text, int length)
{
    struct reader *reader = data;

    if (reader->below || strcmp(reader->path, "/domain/uuid") != 0)
        return;
    for (int i = 0; i < length; i++)
        if (reader->uuid_length < XLNUMA__UUID_SIZE - 1)
            reader->guest->uuid[reader->uuid_length++] = text[i];
        else
            bad(reader, "<uuid> is too long");
}

/* --- the whole ---------------------------------------------------------------- */

/* Settings that go against others. */
static void check(struct reader *reader)
{
    const struct xlnuma__handed *handed = &reader->guest->handed;
    struct xlnuma_request request;

    xlnuma_request_init(&request);
    xlnuma__settings_apply(&handed->settings, &request);
    if (request.cpu_policy == XLNUMA_CPUS_DEDICATED &&
        (handed->has_cpus || reader->has_pins))
        bad(reader,
            METADATA ": numa_cpus is \"dedicated\", but %s is given: only one "
                     "of the two can choose its CPUs",
            reader->has_pins ? "<vcpupin>" : "a cpuset of <vcpu>");
    if (request.guest_nodes != XLNUMA_GUEST_NODES_OFF && reader->has_cells)
        bad(reader,
            METADATA ": numa_guest_nodes is given, and <numa> of <cpu>: "
                     "only one of the two can say what the guest sees");
}

static int parse(XML_Parser parser, FILE *from, char *message)
{
    char text[4096];
    bool is_last;

    do {
        size_t length = fread(text, 1, sizeof(text), from);

        if (ferror(from))
            return xlnuma__fail(message, XLNUMA_ERR_IO, "cannot read its XML");
        is_last = feof(from);
        if (XML_Parse(parser, text, (int)length, is_last) != XML_STATUS_OK)
            return xlnuma__fail(message, XLNUMA_ERR_INVALID,
                                "its XML, line %lu: %s",
                                XML_GetCurrentLineNumber(parser),
                                XML_ErrorString(XML_GetErrorCode(parser)));
    } while (!is_last);
    return 0;
}

int guest_xml_read(struct guest_xml *guest_r, FILE *from, char *message)
{
    struct reader reader = { .guest = guest_r, .message = message };
    XML_Parser parser = XML_ParserCreateNS(NULL, SEPARATOR);
    int rc;

    *message = '\0';
    memset(guest_r, 0, sizeof(*guest_r));
    if (!parser)
        return xlnuma__fail(message, XLNUMA_ERR_NOMEM, "out of memory");
    XML_SetUserData(parser, &reader);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    rc = parse(parser, from, message);
    XML_ParserFree(parser);
    if (rc)
        return rc;
    check(&reader);
    return reader.rc;
}
