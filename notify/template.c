/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/template.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "notify/text.h"

/* What a name stands for, as plain text. */
typedef void (*value_fn)(const struct message *m, const struct event *ev, struct buf *out);

static void add_number(struct buf *out, double v)
{
	if (isfinite(v))
		buf_addf(out, "%.15g", v);
}

static void add_entity(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	if (ev->class[0])
		buf_addf(out, "%s/%s", ev->class, ev->entity);
}

static void add_event(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	event_to_json(ev, out);
}

static void add_facts(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	for (size_t i = 0; i < ev->n_facts; i++)
		buf_addf(out, "%s%s: %s", i ? "\n" : "", ev->facts[i].name, ev->facts[i].value);
}

static void add_severity(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	buf_adds(out, severity_name(ev->severity));
}

static void add_summary(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)ev;
	message_title(m, out);
}

static void add_time(const struct message *m, const struct event *ev, struct buf *out)
{
	char time[32];

	(void)m;
	clock_rfc3339(time, sizeof(time), (time_t)(ev->time_ms / 1000));
	buf_adds(out, time);
}

static void add_value(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	add_number(out, ev->value);
}

static void add_limit(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	add_number(out, ev->limit);
}

static void add_is_end(const struct message *m, const struct event *ev, struct buf *out)
{
	(void)m;
	buf_adds(out, ev->is_end ? "true" : "false");
}

enum kind {
	TEXT,
	BARE, /* a JSON value by itself: a number, true, the whole event */
	WHOLE, /* an int64_t of the event, BARE */
};

/* Alphabetical. Those of the event's JSON have its names and meanings. */
static const struct name {
	const char *name;
	enum kind kind;
	size_t at; /* of a text or a whole number in struct event, when there is no function */
	value_fn fn;
} names[] = {
	{"duration_ms", WHOLE, offsetof(struct event, duration_ms), NULL},
	{"entity", TEXT, 0, add_entity},
	{"event", BARE, 0, add_event},
	{"facts", TEXT, 0, add_facts},
	{"host", TEXT, offsetof(struct event, host), NULL},
	{"id", WHOLE, offsetof(struct event, id), NULL},
	{"is_end", BARE, 0, add_is_end},
	{"key", TEXT, offsetof(struct event, key), NULL},
	{"kind", TEXT, offsetof(struct event, kind), NULL},
	{"limit", BARE, 0, add_limit},
	{"link", TEXT, 0, message_link},
	{"metric", TEXT, offsetof(struct event, metric), NULL},
	{"rule", TEXT, offsetof(struct event, rule), NULL},
	{"severity", TEXT, 0, add_severity},
	{"since_ms", WHOLE, offsetof(struct event, since_ms), NULL},
	{"summary", TEXT, 0, add_summary},
	{"text", TEXT, offsetof(struct event, text), NULL},
	{"time", TEXT, 0, add_time},
	{"time_ms", WHOLE, offsetof(struct event, time_ms), NULL},
	{"title", TEXT, offsetof(struct event, title), NULL},
	{"unit", TEXT, offsetof(struct event, unit), NULL},
	{"value", BARE, 0, add_value},
};

int template_form_of(const char *content_type, enum template_form *out, struct err *e)
{
	static const struct {
		const char *type;
		enum template_form form;
	} types[] = {
		{"application/json", TEMPLATE_JSON},
		{"application/x-www-form-urlencoded", TEMPLATE_FORM},
		{"application/xml", TEMPLATE_MARKUP},
		{"text/html", TEMPLATE_MARKUP},
		{"text/markdown", TEMPLATE_PLAIN},
		{"text/plain", TEMPLATE_PLAIN},
		{"text/xml", TEMPLATE_MARKUP},
	};
	const char *t = content_type ? content_type : types[0].type;
	size_t n = strcspn(t, "; ");

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strlen(types[i].type) == n && strncmp(types[i].type, t, n) == 0) {
			*out = types[i].form;
			return 0;
		}
	}
	if (n > 5 && strncmp(t + n - 5, "+json", 5) == 0) { /* RFC 6839 */
		*out = TEMPLATE_JSON;
		return 0;
	}
	return err_set(e, EINVAL,
		"content_type \"%s\" is not known; expected one of application/json, text/plain, "
		"text/html, text/xml, application/x-www-form-urlencoded",
		t);
}

static const struct name *find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i].name) == n && strncmp(names[i].name, name, n) == 0)
			return &names[i];
	return NULL;
}

static int unknown(const char *name, size_t n, int line, struct err *e)
{
	char text[64];
	const char *nearest = NULL;
	size_t best = 4; /* further away it is no misspelling */

	(void)snprintf(text, sizeof(text), "%.*s", (int)(n < 40 ? n : 40), name);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t d = str_distance(text, names[i].name);

		/* Of two as near, letters that changed places are likelier than a missing one. */
		if (d < best || (d == best && nearest && strlen(names[i].name) == n)) {
			best = d;
			nearest = names[i].name;
		}
	}
	if (!nearest)
		return err_set(e, EINVAL, "template, line %d: {{%s}} is not known", line, text);
	return err_set(e, EINVAL, "template, line %d: {{%s}} is not known; did you mean {{%s}}?",
		line, text, nearest);
}

static void add_escaped(struct buf *out, enum template_form form, const char *s)
{
	_cleanup_(buf_done) struct buf quoted = BUF_INIT(out->max);

	switch (form) {
	case TEMPLATE_JSON: /* the quotes are the template's */
		buf_add_json_string(&quoted, s);
		if (quoted.len >= 2)
			buf_add(out, quoted.data + 1, quoted.len - 2);
		out->overflow |= quoted.overflow;
		break;
	case TEMPLATE_FORM:
		text_add_percent(out, s);
		break;
	case TEMPLATE_MARKUP:
		text_add_html(out, s);
		break;
	case TEMPLATE_PLAIN:
		buf_adds(out, s);
		break;
	}
}

static void add_name(
	struct buf *out, enum template_form form, const struct name *n, const struct message *m)
{
	const struct event *ev = m->events[0];
	const char *member = (const char *)ev + n->at;
	_cleanup_(buf_done) struct buf value = BUF_INIT(out->max);

	if (n->fn)
		n->fn(m, ev, &value);
	else if (n->kind == WHOLE)
		buf_addf(&value, "%" PRId64, *(const int64_t *)member);
	else
		buf_adds(&value, *(char *const *)member);
	out->overflow |= value.overflow;
	if (n->kind == TEXT || form != TEMPLATE_JSON)
		add_escaped(out, form, buf_str(&value));
	else
		buf_adds(out, value.len ? value.data : "null");
}

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

int template_fill(const char *text, enum template_form form, const struct message *m,
	struct buf *out, struct err *e)
{
	const char *p = text, *open;

	while ((open = strstr(p, "{{"))) {
		const char *name = open + 2 + strspn(open + 2, " \t");
		const char *close = strstr(name, "}}");
		const struct name *n;
		size_t len;

		if (!close)
			return err_set(
				e, EINVAL, "template, line %d: {{ without }}", line_of(text, open));
		len = (size_t)(close - name);
		while (len && (name[len - 1] == ' ' || name[len - 1] == '\t'))
			len--;
		n = find(name, len);
		if (!n)
			return unknown(name, len, line_of(text, open), e);
		buf_add(out, p, (size_t)(open - p));
		add_name(out, form, n, m);
		p = close + 2;
	}
	buf_adds(out, p);
	if (out->overflow)
		return err_set(
			e, EMSGSIZE, "template: larger than %zu bytes when filled in", out->max);
	return 0;
}

/* What would break a template that forgot its quotes; nothing in it is empty. */
static struct event *example_event(void)
{
	struct event *ev = event_new(EVENT_TEST, SEVERITY_WARNING, "example");

	event_set(&ev->host, "web-1");
	event_title(ev, "A \"title\"");
	event_text(ev, "one\ntwo\\");
	event_fact(ev, "Limit", "above \"90 %%\"");
	event_set(&ev->rule, "disk");
	event_set(&ev->class, "filesystem");
	event_set(&ev->entity, "/");
	event_set(&ev->metric, "used_percent");
	event_set(&ev->unit, "%");
	event_set(&ev->link, "/#/host");
	return ev;
}

static int check_filled(
	const char *text, enum template_form form, const struct event *ev, struct err *e)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(4 * TEMPLATE_MAX);
	struct message m = {
		.events = {ev}, .n = 1, .host = "web-1", .url = "http://127.0.0.1:4500"};
	json_error_t error;
	json_t *j;
	int r = template_fill(text, form, &m, &body, e);

	if (r < 0 || form != TEMPLATE_JSON)
		return r;
	j = json_loadb(buf_str(&body), body.len, JSON_DECODE_ANY, &error);
	if (!j)
		return err_set(e, EINVAL, "template, line %d: not JSON when filled in: %s",
			error.line, error.text);
	json_decref(j);
	return 0;
}

int template_check(const char *text, enum template_form form, struct err *e)
{
	_cleanup_(event_free_p) struct event *ev = example_event();
	int r;

	if (strlen(text) > TEMPLATE_MAX)
		return err_set(e, EINVAL, "template is larger than %d bytes", TEMPLATE_MAX);
	/* With values that are not known, and with some. */
	r = check_filled(text, form, ev, e);
	ev->value = ev->limit = 90.5;
	return r < 0 ? r : check_filled(text, form, ev, e);
}
