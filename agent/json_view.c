/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/json_view.h"

#include "base/buf.h"

const char *json_view_text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

json_int_t json_view_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

void json_view_join(const json_t *object, const char *name, struct buf *out)
{
	const json_t *list = json_object_get(object, name), *one;
	size_t i;

	json_array_foreach(list, i, one)
		buf_addf(out, "%s%s", i ? ", " : "", json_string_value(one));
}
