/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/entity_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool array_has(const json_t *array, const char *text)
{
	size_t i;
	json_t *v;

	json_array_foreach(array, i,
		v) if (json_is_string(v) && strcmp(json_string_value(v), text) == 0) return true;
	return false;
}

bool entity_json_wanted(const json_t *filter, const struct entity_class *class, const char *key)
{
	const json_t *classes = json_object_get(filter, "classes");
	const json_t *entities = json_object_get(filter, "entities");
	char name[32 + ENTITY_KEY_MAX];

	if (json_is_array(classes) && !array_has(classes, class->name))
		return false;
	if (!json_is_array(entities))
		return true;
	(void)snprintf(name, sizeof(name), "%s/%s", class->name, key);
	return array_has(entities, name);
}

static void add_numbers(struct buf *b, const char *name, const double *v, size_t n)
{
	buf_addf(b, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, ',');
		buf_add_json_number(b, v[i]);
	}
	buf_addc(b, ']');
}

static void add_missing(struct buf *b, const struct entity *e)
{
	bool first = true;

	buf_adds(b, ",\"missing\":{");
	for (size_t i = 0; i < e->class->n_metrics; i++) {
		if (!e->missing[i])
			continue;
		buf_addf(b, first ? "\"%s\":" : ",\"%s\":", e->class->metrics[i].name);
		buf_add_json_string(b, e->missing[i]);
		first = false;
	}
	buf_addc(b, '}');
}

static void add_name(
	struct buf *b, const struct entity_class *class, const char *key, const char *live)
{
	buf_addf(b, "{\"class\":\"%s\",\"key\":", class->name);
	buf_add_json_string(b, key);
	buf_addf(b, ",\"live\":%s", live);
}

void entity_json_add(struct buf *b, const struct entity *e, const struct entity_json_options *o)
{
	add_name(b, e->class, e->key, "true");
	buf_adds(b, ",\"labels\":{");
	for (size_t i = 0; i < e->n_labels; i++) {
		buf_addf(b, i ? ",\"%s\":" : "\"%s\":", e->labels[i].name);
		buf_add_json_string(b, e->labels[i].value);
	}
	buf_addc(b, '}');
	add_numbers(b, "values", e->values, e->class->n_metrics);
	if (o->totals)
		add_numbers(b, "totals", e->totals, e->class->n_metrics);
	if (o->missing)
		add_missing(b, e);
	buf_addc(b, '}');
}

struct gone_walk {
	struct buf *b;
	const struct registry *r;
	const json_t *filter;
	bool first;
};

static int add_gone(void *user, const struct entity_class *class, const char *key,
	int64_t first_seen, int64_t last_seen)
{
	struct gone_walk *w = user;

	(void)first_seen;
	if (registry_find(w->r, class, key) || !entity_json_wanted(w->filter, class, key))
		return 0;
	if (!w->first)
		buf_addc(w->b, ',');
	w->first = false;
	add_name(w->b, class, key, "false");
	buf_addf(w->b, ",\"last_seen\":%" PRId64 "}", last_seen);
	return 0;
}

void entity_json_add_all(struct buf *b, const struct registry *r, const json_t *filter,
	const struct entity_json_options *o, struct catalogue *gone)
{
	struct gone_walk walk = {b, r, filter, true};

	buf_adds(b, "\"entities\":[");
	for (const struct entity *e = registry_first(r); e; e = e->next) {
		if (!entity_json_wanted(filter, e->class, e->key))
			continue;
		if (!walk.first)
			buf_addc(b, ',');
		walk.first = false;
		entity_json_add(b, e, o);
	}
	if (gone)
		(void)catalogue_each(gone, add_gone, &walk, NULL);
	buf_addc(b, ']');
}
