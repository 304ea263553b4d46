/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks for elements of one BSON document by name (bsonspec.org), as far as mongodump's archives need it: texts, truth values,
 * numbers, at the top only. An element of another type ends the search. Pure; nothing is copied.
 */
#ifndef BACKUP_BSON_H
#define BACKUP_BSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BSON_SIZE_MIN = 5 };

struct bson {
	const unsigned char *p, *end; /* the elements */
};

/* False when the length is not that of the document. */
bool bson_open(struct bson *b, const void *document, size_t n);

struct bson_text {
	const char *p; /* NULL: there is none; not NUL-terminated */
	size_t len;
};
struct bson_text bson_get_text(const struct bson *b, const char *name);
bool bson_get_bool(const struct bson *b, const char *name); /* false when there is none */
bool bson_get_int64(const struct bson *b, const char *name, int64_t *out);

#endif
