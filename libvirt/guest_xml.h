/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt's XML of a guest says of its placement. */
#ifndef XLNUMA_GUEST_XML_H
#define XLNUMA_GUEST_XML_H

#include <stdio.h>

#include "config/settings.h"

struct guest_xml {
    char uuid[XLNUMA__UUID_SIZE];
    struct xlnuma__handed handed;
};

/*
 * Returns 0; XLNUMA_ERR_IO, XLNUMA_ERR_NOMEM; XLNUMA_ERR_INVALID when the XML is wrong or
 * asks for what cannot be, with the element in the message.
 */
int guest_xml_read(struct guest_xml *guest_r, FILE *from, char *message);

#endif /* XLNUMA_GUEST_XML_H */
