/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of a JSON object that is an order or a job: read with their type and range checked. What is
 * absent or null leaves the result as it was. -EINVAL: "NAME: what is wrong". Texts are borrowed
 * from the JSON.
 */
#ifndef BACKUP_FIELD_H
#define BACKUP_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

int field_text(const json_t *j, const char *name, const char **out, struct err *e);
int field_bool(const json_t *j, const char *name, bool *out, struct err *e);
int field_int(
	const json_t *j, const char *name, int64_t min, int64_t max, int64_t *out, struct err *e);

/* The kinds above as rows, for objects with many members. */
struct field {
	const char *name;
	const char **text;
	bool *flag;
	int64_t *number; /* 0 to max */
	int64_t max;
};
int fields_read(const json_t *j, const struct field *fields, size_t n, struct err *e);

#endif
