/* SPDX-License-Identifier: Apache-2.0
 *
 * The XML of S3's answers, as text by path. Small and hostile-proof: no document type, no entities but the five of XML, no
 * network, bounded depth and text. The one file that knows libxml2. Pure.
 */
#ifndef BACKUP_S3_XML_H
#define BACKUP_S3_XML_H

#include <stddef.h>

#include "base/err.h"

enum { S3_XML_DEPTH_MAX = 12, S3_XML_TEXT_MAX = 16 * 1024 };

/* At the end of each element: "ListBucketResult/Contents/Key" and its own text, "" for one that has only elements.
 * Namespaces are left out. Non-zero ends the parsing and is returned. */
typedef int (*s3_xml_fn)(void *user, const char *path, const char *text);

/* 0, what fn returned, or -EBADMSG for what is not one whole document. */
int s3_xml_parse(const char *data, size_t n, s3_xml_fn fn, void *user, struct err *e);

const char *s3_xml_library_version(void); /* "2.9.14" */

#endif
