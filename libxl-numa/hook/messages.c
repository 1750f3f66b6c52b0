/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service: lines of log, each of which begins with its domain. */
#include "hook/services.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 5, 0))) static void
to_stderr(xentoollog_logger *logger, xentoollog_level level, int err,
          const char *context, const char *format, va_list args)
{
    char message[XLNUMA_MESSAGE_SIZE];

    (void)logger;
    (void)err;
    if (level < XTL_WARN)
        return;
    vsnprintf(message, sizeof(message), format, args);
    fprintf(stderr, "%s: %s: %s\n", context, xtl_level_to_string(level),
            message);
}

/* One of libxentoollog's needs memory; this one reports that there is none. */
xentoollog_logger *xlnuma__build_logger(void)
{
    static xentoollog_logger logger = { .vmessage = to_stderr };

    return &logger;
}

/* A reason and what helps, and what comes of it. */
#define TEXT_SIZE (3 * XLNUMA_MESSAGE_SIZE)

__attribute__((format(printf, 4, 0))) static void
say(const struct build *build, xentoollog_level level, const char *behind,
    const char *format, va_list args)
{
    char domain[16] = "", text[TEXT_SIZE];

    vsnprintf(text, sizeof(text), format, args);
    if (xlnuma__build_has_domain(build))
        snprintf(domain, sizeof(domain), "%" PRIu32, build->domid);
    xtl_log(build->lg, level, -1, "xl-numa",
            *domain ? "domain %s (%s): %s%s" : "domain %s%s: %s%s", domain,
            build->request.name, text, behind);
}

void xlnuma__build_say(const struct build *build, xentoollog_level level,
                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(build, level, "", format, args);
    va_end(args);
}

void xlnuma__build_say_refused(const struct build *build, const char *format,
                               ...)
{
    char behind[64];
    va_list args;

    if (xlnuma__is_strict(build->request.policy))
        snprintf(behind, sizeof(behind),
                 ": not built, as numa_policy=\"%s\" demands",
                 xlnuma__policies[build->request.policy]);
    else
        snprintf(behind, sizeof(behind),
                 ": not built, as numa_cpus=\"dedicated\" demands");
    va_start(args, format);
    say(build, XTL_ERROR, behind, format, args);
    va_end(args);
}

void xlnuma__say_of(xentoollog_logger *lg, uint32_t domid, const char *format,
                    ...)
{
    char text[TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    xtl_log(lg, XTL_WARN, -1, "xl-numa", "domain %" PRIu32 ": %s", domid, text);
}
