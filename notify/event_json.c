/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON form of event.h.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wire.h"
#include "notify/event.h"

/* Every text member but those that need more than a copy. */
static const struct text_member {
	const char *name;
	size_t at;
} texts[] = {
	{"kind", offsetof(struct event, kind)},
	{"key", offsetof(struct event, key)},
	{"host", offsetof(struct event, host)},
	{"title", offsetof(struct event, title)},
	{"text", offsetof(struct event, text)},
	{"rule", offsetof(struct event, rule)},
	{"metric", offsetof(struct event, metric)},
	{"unit", offsetof(struct event, unit)},
	{"link", offsetof(struct event, link)},
};

static const char *text_at(const struct event *ev, size_t at)
{
	return *(char *const *)((const char *)ev + at);
}

static void add_name(struct buf *b, const char *name)
{
	if (b->len && b->data[b->len - 1] != '{')
		buf_addc(b, ',');
	buf_addf(b, "\"%s\":", name);
}

static void add_text(struct buf *b, const char *name, const char *text)
{
	if (!*text)
		return;
	add_name(b, name);
	buf_add_json_string(b, text);
}

static void add_int(struct buf *b, const char *name, int64_t v)
{
	if (!v)
		return;
	add_name(b, name);
	buf_addf(b, "%lld", (long long)v);
}

/* The shortest text that reads back as the same number. */
static void add_number(struct buf *b, const char *name, double v)
{
	char text[40] = "0"; /* also for -0 */

	if (!isfinite(v))
		return;
	for (int digits = 15; v != 0 && digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	add_name(b, name);
	buf_adds(b, text);
}

static void add_entity(struct buf *b, const char *class, const char *entity)
{
	_cleanup_(buf_done) struct buf both = BUF_INIT(2 * EVENT_FACT_MAX + 1);

	if (!*class && !*entity)
		return;
	buf_addf(&both, "%s/%s", class, entity);
	add_text(b, "entity", buf_str(&both));
}

static void add_facts(struct buf *b, const struct event *ev)
{
	if (!ev->n_facts)
		return;
	add_name(b, "facts");
	for (size_t i = 0; i < ev->n_facts; i++) {
		buf_adds(b, i ? ",{\"name\":" : "[{\"name\":");
		buf_add_json_string(b, ev->facts[i].name);
		buf_adds(b, ",\"value\":");
		buf_add_json_string(b, ev->facts[i].value);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

static void add_chart(struct buf *b, const struct event_chart *c)
{
	if (!c->class)
		return;
	add_name(b, "chart");
	buf_addc(b, '{');
	add_entity(b, c->class, c->entity ? c->entity : "");
	add_text(b, "metric", c->metric ? c->metric : "");
	add_int(b, "from", c->from);
	add_int(b, "to", c->to);
	add_number(b, "limit", c->limit);
	buf_addc(b, '}');
}

void event_to_json(const struct event *ev, struct buf *out)
{
	char time[32];

	clock_rfc3339(time, sizeof(time), (time_t)(ev->time_ms / 1000));
	buf_addc(out, '{');
	add_int(out, "id", ev->id);
	add_text(out, "time", time);
	add_int(out, "time_ms", ev->time_ms);
	add_text(out, "severity", severity_name(ev->severity));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_text(out, texts[i].name, text_at(ev, texts[i].at));
	add_facts(out, ev);
	add_entity(out, ev->class, ev->entity);
	add_number(out, "value", ev->value);
	add_number(out, "limit", ev->limit);
	add_int(out, "since_ms", ev->since_ms);
	add_int(out, "duration_ms", ev->duration_ms);
	add_name(out, "is_end");
	buf_adds(out, ev->is_end ? "true" : "false");
	add_chart(out, &ev->chart);
	buf_addc(out, '}');
}

/* Readers: an absent member leaves what is there; another type is -EBADMSG. */
static int wrong_type(struct err *e, const char *name)
{
	return err_set(e, EBADMSG, "event: \"%s\" is of a wrong type", name);
}

static int get_text(const json_t *j, const char *name, const char **out, struct err *e)
{
	const json_t *v = json_object_get(j, name);

	if (!v)
		return 0;
	if (!json_is_string(v))
		return wrong_type(e, name);
	*out = json_string_value(v);
	return 0;
}

static int get_int(const json_t *j, const char *name, int64_t *out, struct err *e)
{
	const json_t *v = json_object_get(j, name);

	if (!v)
		return 0;
	if (!json_is_integer(v))
		return wrong_type(e, name);
	*out = json_integer_value(v);
	return 0;
}

static int get_number(const json_t *j, const char *name, double *out, struct err *e)
{
	const json_t *v = json_object_get(j, name);

	if (!v)
		return 0;
	if (!json_is_number(v))
		return wrong_type(e, name);
	*out = json_number_value(v);
	return 0;
}

/* "CLASS/KEY"; the key may have slashes of its own. */
static int get_entity(const json_t *j, char **class, char **entity, struct err *e)
{
	_cleanup_(free_p) char *copy = NULL;
	const char *text = NULL, *slash;
	int r = get_text(j, "entity", &text, e);

	if (r < 0 || !text)
		return r;
	slash = strchr(text, '/');
	if (!slash)
		return err_set(e, EBADMSG, "event: \"entity\" is not CLASS/KEY");
	copy = strndup(text, (size_t)(slash - text));
	if (!copy)
		abort();
	event_set(class, copy);
	event_set(entity, slash + 1);
	return 0;
}

static int get_facts(const json_t *j, struct event *ev, struct err *e)
{
	const json_t *list = json_object_get(j, "facts"), *fact;
	size_t i;

	if (list && !json_is_array(list))
		return wrong_type(e, "facts");
	json_array_foreach(list, i, fact)
	{
		const char *name = NULL, *value = NULL;

		if (get_text(fact, "name", &name, e) < 0 || get_text(fact, "value", &value, e) < 0)
			return -EBADMSG;
		if (!name || !value)
			return wrong_type(e, "facts");
		event_fact(ev, name, "%s", value);
	}
	return 0;
}

static int get_chart(const json_t *j, struct event_chart *c, struct err *e)
{
	const json_t *o = json_object_get(j, "chart");
	const char *metric = "";

	if (!o)
		return 0;
	if (!json_is_object(o))
		return wrong_type(e, "chart");
	if (!json_object_get(o, "entity"))
		return 0;
	event_set(&c->class, "");
	event_set(&c->entity, "");
	if (get_entity(o, &c->class, &c->entity, e) < 0 || get_text(o, "metric", &metric, e) < 0 ||
		get_int(o, "from", &c->from, e) < 0 || get_int(o, "to", &c->to, e) < 0 ||
		get_number(o, "limit", &c->limit, e) < 0)
		return -EBADMSG;
	event_set(&c->metric, metric);
	return 0;
}

/* Kind, severity and key: what event_new() wants. */
static int get_head(const json_t *j, struct event **out, struct err *e)
{
	const char *kind = "", *key = "", *name = "";
	enum severity severity;

	if (get_text(j, "kind", &kind, e) < 0 || get_text(j, "key", &key, e) < 0 ||
		get_text(j, "severity", &name, e) < 0)
		return -EBADMSG;
	if (!*kind)
		return err_set(e, EBADMSG, "event: no kind");
	if (!severity_from(name, &severity))
		return err_set(e, EBADMSG, "event: no severity of that name");
	*out = event_new(kind, severity, key);
	return 0;
}

static int get_texts(const json_t *j, struct event *ev, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = NULL;
		size_t at = texts[i].at;

		if (get_text(j, texts[i].name, &text, e) < 0)
			return -EBADMSG;
		if (!text || at == offsetof(struct event, key))
			continue;
		if (at == offsetof(struct event, title))
			event_title(ev, "%s", text);
		else if (at == offsetof(struct event, text))
			event_text(ev, "%s", text);
		else
			event_set((char **)((char *)ev + at), text);
	}
	return 0;
}

int event_from_json(const char *text, struct event **out, struct err *e)
{
	_cleanup_(event_free_p) struct event *ev = NULL;
	json_t *j = wire_parse(text, strlen(text), e);
	const json_t *end = json_object_get(j, "is_end");
	int r = -EBADMSG;

	if (!j)
		return err_wrap(e, -EBADMSG, "event");
	if (get_head(j, &ev, e) == 0 && get_texts(j, ev, e) == 0 && get_facts(j, ev, e) == 0 &&
		get_entity(j, &ev->class, &ev->entity, e) == 0 &&
		get_int(j, "id", &ev->id, e) == 0 && get_int(j, "time_ms", &ev->time_ms, e) == 0 &&
		get_number(j, "value", &ev->value, e) == 0 &&
		get_number(j, "limit", &ev->limit, e) == 0 &&
		get_int(j, "since_ms", &ev->since_ms, e) == 0 &&
		get_int(j, "duration_ms", &ev->duration_ms, e) == 0 &&
		get_chart(j, &ev->chart, e) == 0)
		r = end && !json_is_boolean(end) ? wrong_type(e, "is_end") : 0;
	if (r == 0) {
		ev->is_end = json_is_true(end);
		*out = TAKE_PTR(ev);
	}
	json_decref(j);
	return r;
}
