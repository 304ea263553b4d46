/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus Alertmanager, API v2 (POST /api/v2/alerts), for those who have their routing there.
 * Format: api/v2/openapi.yaml of Alertmanager.
 *
 * Alertmanager knows an alert by its labels alone and ends it by itself when it is not told again
 * in time. So the labels are the same from the first message to the recovery, and `endsAt` lies
 * ALIVE_MS ahead: every message of the story, reminders too, moves it on.
 *
 * The severity is a label, as is usual there: an alert that gets worse is a second one beside the
 * first. The recovery ends all that there can be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/text.h"

static const int64_t ALIVE_MS = 7 * 24 * 3600 * INT64_C(1000);
/* Of what has no end, as a message by hand. */
static const int64_t ONCE_MS = 3600 * INT64_C(1000);

enum { ANNOTATION_MAX = 4000 };

static const char path[] = "/api/v2/alerts";

static void add_member(struct buf *b, const char *name, const char *value)
{
	if (!*value)
		return; /* an empty label is none */
	if (b->data[b->len - 1] != '{')
		buf_addc(b, ',');
	buf_addf(b, "\"%s\":", name);
	buf_add_json_string(b, value);
}

static void add_time(struct buf *b, const char *name, int64_t time_ms)
{
	char text[32];

	clock_rfc3339(text, sizeof(text), (time_t)(time_ms / 1000));
	buf_addf(b, ",\"%s\":\"%s\"", name, text);
}

/* What has no key is a story of its own: the number tells it from the next one. */
static void add_labels(struct buf *b, const struct event *ev, enum severity s)
{
	_cleanup_(free_p) char *id = str_format("%" PRId64, ev->id ? ev->id : ev->time_ms);

	buf_adds(b, "\"labels\":{");
	add_member(b, "alertname", ev->rule[0] ? ev->rule : ev->kind);
	add_member(b, "severity", severity_name(s));
	add_member(b, "instance", ev->host);
	if (ev->class[0]) {
		_cleanup_(free_p) char *entity = str_format("%s/%s", ev->class, ev->entity);

		add_member(b, "entity", entity);
		add_member(b, "class", ev->class);
	}
	add_member(b, "metric", ev->metric);
	if (!ev->rule[0])
		add_member(b, ev->key[0] ? "key" : "event", ev->key[0] ? ev->key : id);
	buf_addc(b, '}');
}

static void add_annotations(struct buf *b, const struct event *ev)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_JSON_MAX);
	_cleanup_(buf_done) struct buf cut = BUF_INIT(ANNOTATION_MAX + 1);

	buf_adds(&text, ev->text);
	for (size_t i = 0; i < ev->n_facts; i++)
		buf_addf(&text, "%s%s: %s", text.len ? "\n" : "", ev->facts[i].name,
			ev->facts[i].value);
	text_cut_bytes(&cut, buf_str(&text), ANNOTATION_MAX);
	buf_adds(b, ",\"annotations\":{");
	add_member(b, "summary", ev->title);
	add_member(b, "description", buf_str(&cut));
	buf_addc(b, '}');
}

static int64_t end_of(const struct message *m, const struct event *ev)
{
	if (ev->is_end)
		return ev->time_ms;
	return m->now_ms + (ev->rule[0] || ev->key[0] ? ALIVE_MS : ONCE_MS);
}

static int64_t start_of(const struct event *ev)
{
	int64_t start = ev->since_ms > 0 ? ev->since_ms : ev->time_ms - ev->duration_ms;

	return start < ev->time_ms ? start : ev->time_ms;
}

static void add_alert(
	struct buf *b, const struct message *m, const struct event *ev, enum severity s)
{
	_cleanup_(buf_done) struct buf link = BUF_INIT(4096);

	buf_adds(b, b->data[b->len - 1] == '[' ? "{" : ",{");
	add_labels(b, ev, s);
	add_annotations(b, ev);
	add_time(b, "startsAt", start_of(ev));
	add_time(b, "endsAt", end_of(m, ev));
	message_link(m, ev, &link);
	if (link.len) {
		buf_adds(b, ",\"generatorURL\":");
		buf_add_json_string(b, link.data);
	}
	buf_addc(b, '}');
}

/* A rule's alert cannot have been worse than its recovery says; a story told by hand can. */
static void add_ends(struct buf *b, const struct message *m, const struct event *ev)
{
	enum severity worst = ev->rule[0] ? ev->severity : SEVERITY_CRITICAL;
	enum severity least = ev->rule[0] ? SEVERITY_WARNING : SEVERITY_INFO;

	for (enum severity s = least; s <= worst; s++)
		add_alert(b, m, ev, s);
}

static char *address(const char *url)
{
	size_t n = strlen(url);

	if (str_ends(url, path))
		return str_dup(url);
	while (n && url[n - 1] == '/')
		n--;
	return str_format("%.*s%s", (int)n, url, path);
}

/* It has no login of its own, but may stand behind a proxy that has one. */
static void add_login(const struct channel *c, struct outgoing *out)
{
	_cleanup_(buf_done) struct buf login = BUF_INIT(OUTGOING_BODY_MAX);
	_cleanup_(buf_done) struct buf coded = BUF_INIT(OUTGOING_BODY_MAX);

	if (!c->secret)
		return;
	if (!c->user) {
		outgoing_header(out, "Authorization: Bearer %s", c->secret);
		return;
	}
	buf_addf(&login, "%s:%s", c->user, c->secret);
	base64_encode(&coded, login.data, login.len, 0);
	outgoing_header(out, "Authorization: Basic %s", buf_str(&coded));
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	struct buf *b = &out->body;

	(void)memory;
	(void)plain;
	buf_addc(b, '[');
	for (size_t i = 0; i < m->n; i++) {
		const struct event *ev = m->events[i];

		if (ev->is_end)
			add_ends(b, m, ev);
		else
			add_alert(b, m, ev, ev->severity);
	}
	buf_addc(b, ']');
	if (b->overflow)
		return err_set(e, EMSGSIZE, "the alerts are too long");
	out->url = address(c->url);
	outgoing_header(out, "Content-Type: application/json");
	add_login(c, out);
	return 0;
}

const struct channel_type channel_alertmanager = {
	.name = "alertmanager",
	.doc = "Hands alerts to Prometheus Alertmanager (API v2).",
	.flags = CHANNEL_BATCH,
	.per_minute = 120,
	.needs = "url",
	.check = channel_check_url,
	.build = build,
	.judge = channel_judge,
};
