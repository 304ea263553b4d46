/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/field.h"

#include <errno.h>

static const json_t *member(const json_t *j, const char *name)
{
	const json_t *m = json_object_get(j, name);

	return json_is_null(m) ? NULL : m;
}

int field_text(const json_t *j, const char *name, const char **out, struct err *e)
{
	const json_t *m = member(j, name);

	if (!m)
		return 0;
	if (!json_is_string(m))
		return err_set(e, EINVAL, "%s: must be a text", name);
	if (json_string_length(m))
		*out = json_string_value(m);
	return 0;
}

int field_bool(const json_t *j, const char *name, bool *out, struct err *e)
{
	const json_t *m = member(j, name);

	if (!m)
		return 0;
	if (!json_is_boolean(m))
		return err_set(e, EINVAL, "%s: must be true or false", name);
	*out = json_is_true(m);
	return 0;
}

int field_int(
	const json_t *j, const char *name, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	const json_t *m = member(j, name);

	if (!m)
		return 0;
	if (!json_is_integer(m))
		return err_set(e, EINVAL, "%s: must be a whole number", name);
	if (json_integer_value(m) < min || json_integer_value(m) > max)
		return err_set(e, EINVAL, "%s: %" JSON_INTEGER_FORMAT " is out of range", name,
			json_integer_value(m));
	*out = json_integer_value(m);
	return 0;
}

int fields_read(const json_t *j, const struct field *fields, size_t n, struct err *e)
{
	for (const struct field *f = fields; f < fields + n; f++) {
		int r = f->text   ? field_text(j, f->name, f->text, e)
			: f->flag ? field_bool(j, f->name, f->flag, e)
				  : field_int(j, f->name, 0, f->max ? f->max : INT64_MAX, f->number,
					    e);

		if (r < 0)
			return r;
	}
	return 0;
}
