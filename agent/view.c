/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/view.h"

#include <math.h>
#include <string.h>

#include "collectors/metric.h"

double view_value(const json_t *entity, size_t metric)
{
	const json_t *v = json_array_get(json_object_get(entity, "values"), metric);

	return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

const char *view_key(const json_t *entity)
{
	return text_of(entity, "key");
}

const char *view_label(const json_t *entity, const char *name)
{
	return text_of(json_object_get(entity, "labels"), name);
}

bool view_is(const json_t *entity, const char *class_name)
{
	return strcmp(text_of(entity, "class"), class_name) == 0;
}

const json_t *view_first(const json_t *entities, const char *class_name)
{
	const json_t *e;
	size_t i;

	json_array_foreach(entities, i, e) if (view_is(e, class_name)) return e;
	return NULL;
}

size_t view_count(const json_t *entities, const char *class_name)
{
	const json_t *e;
	size_t i, n = 0;

	json_array_foreach(entities, i, e) n += view_is(e, class_name);
	return n;
}

/* An array in the order of the table as an object by name. */
static json_t *name_values(const json_t *values, const struct entity_class *c)
{
	json_t *named = json_object(), *v;
	size_t i;

	json_array_foreach(values, i, v) if (i < c->n_metrics)(void)
		json_object_set(named, c->metrics[i].name, v);
	return named;
}

json_t *view_named(const json_t *entities)
{
	json_t *out = json_array(), *e;
	size_t i;

	json_array_foreach(entities, i, e)
	{
		const struct entity_class *c = entity_class_find(text_of(e, "class"));
		json_t *copy = json_copy(e);

		if (c && json_object_get(e, "values"))
			(void)json_object_set_new(
				copy, "values", name_values(json_object_get(e, "values"), c));
		(void)json_array_append_new(out, copy);
	}
	return out;
}
