/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/latest.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

const struct entity_class *latest_class(const json_t *entity)
{
	const char *name = json_string_value(json_object_get(entity, "class"));

	return name && latest_key(entity) ? entity_class_find(name) : NULL;
}

const struct entity_class *latest_parse_name(const char *text, const char **out_key)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (!slash || !slash[1])
		return NULL;
	*out_key = slash + 1;
	for (size_t i = 0; entity_classes[i]; i++)
		if (strlen(entity_classes[i]->name) == n &&
			strncmp(text, entity_classes[i]->name, n) == 0)
			return entity_classes[i];
	return NULL;
}

const char *latest_key(const json_t *entity)
{
	return json_string_value(json_object_get(entity, "key"));
}

bool latest_live(const json_t *entity)
{
	return !json_is_false(json_object_get(entity, "live"));
}

const char *latest_label(const json_t *entity, const char *name)
{
	return json_string_value(json_object_get(json_object_get(entity, "labels"), name));
}

static double number(const json_t *v)
{
	return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

double latest_number(const json_t *entity, const char *array, size_t i)
{
	return number(json_array_get(json_object_get(entity, array), i));
}

/* An object of texts: labels, missing. */
static void write_texts(struct buf *b, const char *name, const json_t *object)
{
	const char *key;
	json_t *value;
	bool first = true;

	buf_adds(b, ", \"");
	buf_adds(b, name);
	buf_adds(b, "\": {");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *text = json_string_value(value);

		if (!text)
			continue;
		buf_adds(b, first ? "" : ", ");
		buf_add_json_string(b, key);
		buf_adds(b, ": ");
		buf_add_json_string(b, text);
		first = false;
	}
	buf_adds(b, "}");
}

static void write_values(struct buf *b, const struct entity_class *c, const json_t *values)
{
	buf_adds(b, ", \"values\": {");
	for (size_t i = 0; i < c->n_metrics; i++) {
		buf_adds(b, i ? ", \"" : "\"");
		buf_adds(b, c->metrics[i].name);
		buf_adds(b, "\": ");
		buf_add_json_number(b, number(json_array_get(values, i)));
	}
	buf_adds(b, "}");
}

void latest_write(struct buf *b, const json_t *entity, unsigned flags)
{
	const struct entity_class *c = latest_class(entity);
	const json_t *missing = json_object_get(entity, "missing");
	bool live = latest_live(entity);

	if (!c)
		return;
	buf_adds(b, "{\"class\": \"");
	buf_adds(b, c->name);
	buf_adds(b, "\", \"key\": ");
	buf_add_json_string(b, latest_key(entity));
	buf_adds(b, live ? ", \"live\": true" : ", \"live\": false");
	write_texts(b, "labels", json_object_get(entity, "labels"));
	if (live) {
		write_values(b, c, json_object_get(entity, "values"));
	} else {
		buf_adds(b, ", \"last_seen\": ");
		buf_add_json_number(b, number(json_object_get(entity, "last_seen")));
	}
	if (live && (flags & LATEST_MISSING) && json_object_size(missing) > 0)
		write_texts(b, "missing", missing);
	buf_adds(b, "}");
}

void latest_write_message(
	struct buf *b, const json_t *message, unsigned flags, latest_fn wanted, const void *user)
{
	const json_t *entities = json_object_get(message, "entities");
	bool first = true;

	buf_adds(b, "{\"time\": ");
	buf_add_json_number(b, number(json_object_get(message, "time")));
	buf_adds(b, ", \"entities\": [");
	for (size_t i = 0; i < json_array_size(entities); i++) {
		const json_t *entity = json_array_get(entities, i);

		if (!latest_class(entity) || (wanted && !wanted(user, entity)))
			continue;
		buf_adds(b, first ? "" : ",");
		buf_adds(b, flags & LATEST_ONE_LINE ? " " : "\n");
		latest_write(b, entity, flags);
		first = false;
	}
	buf_adds(b, "]}");
}
