/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/message.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/str.h"

enum severity message_severity(const struct message *m)
{
	enum severity worst = SEVERITY_INFO;

	for (size_t i = 0; i < m->n; i++)
		if (!m->events[i]->is_end && m->events[i]->severity > worst)
			worst = m->events[i]->severity;
	return worst;
}

bool message_is_end(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->events[i]->is_end)
			return false;
	return true;
}

const char *message_word(const struct event *ev)
{
	static const char *const words[] = {"INFO", "WARNING", "CRITICAL"};

	return ev->is_end ? "OK" : words[ev->severity];
}

/* Whoever made an event without a title gets its kind. */
static const char *title_of(const struct event *ev)
{
	return ev->title[0] ? ev->title : ev->kind;
}

const char *message_text(const struct event *ev)
{
	return ev->text[strspn(ev->text, " \t\n")] ? ev->text : "";
}

/* "3 alerts", after ", " when it is not the first; nothing for none. */
static void add_count(struct buf *out, uint64_t n, const char *one, const char *many, bool *first)
{
	if (!n)
		return;
	buf_addf(out, "%s%" PRIu64 " %s", *first ? "" : ", ", n, n == 1 ? one : many);
	*first = false;
}

void message_title(const struct message *m, struct buf *out)
{
	uint64_t alerts = 0, ends = 0, others = 0;
	bool first = true;

	if (m->n == 1 && !m->n_more) {
		const struct event *ev = m->events[0];

		buf_addf(out, "%s %s: %s", message_word(ev), m->host, title_of(ev));
		return;
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct event *ev = m->events[i];

		ends += ev->is_end;
		alerts += !ev->is_end && str_starts(ev->kind, "alert.");
		others += !ev->is_end && !str_starts(ev->kind, "alert.");
	}
	buf_addf(out, "%s: ", m->host);
	add_count(out, alerts, "alert", "alerts", &first);
	add_count(out, ends, "recovery", "recoveries", &first);
	add_count(out, others, "message", "messages", &first);
	add_count(out, m->n_more, "more", "more", &first);
}

void message_time(char *to, size_t size, int64_t time_ms, int64_t now_ms)
{
	time_t then = (time_t)(time_ms / 1000), now = (time_t)(now_ms / 1000);
	struct tm a, b;
	bool today;

	to[0] = '\0';
	if (!localtime_r(&then, &a) || !localtime_r(&now, &b))
		return;
	today = a.tm_year == b.tm_year && a.tm_yday == b.tm_yday;
	(void)strftime(to, size, today ? "%H:%M" : "%Y-%m-%d %H:%M", &a);
}

void message_line(const struct event *ev, struct buf *out)
{
	char text[64];

	buf_addf(out, "%s %s ", message_word(ev), title_of(ev));
	if (!ev->is_end && ev->since_ms > 0) {
		message_time(text, sizeof(text), ev->since_ms, ev->time_ms);
		buf_addf(out, "(since %s)", text);
	} else {
		message_time(text, sizeof(text), ev->time_ms, ev->time_ms);
		buf_addf(out, "(%s)", text);
	}
}

static void add_line_end(struct buf *out)
{
	if (out->len > 0)
		buf_addc(out, '\n');
}

void message_notes(const struct message *m, struct buf *out)
{
	const char *between = "";

	if (m->held_since_ms) {
		char text[64];

		message_time(text, sizeof(text), m->held_since_ms, m->now_ms);
		buf_addf(out, "Waited since %s: %s.", text,
			m->held_why ? m->held_why : "this channel could not be reached");
		between = "\n";
	}
	if (m->n_collapsed) {
		bool first = true;

		buf_adds(out, between);
		add_count(out, m->n_collapsed, "earlier change is", "earlier changes are", &first);
		buf_adds(out, " left out.");
		between = "\n";
	}
	if (m->n_more)
		buf_addf(out, "%sAnd %" PRIu64 " more.", between, m->n_more);
}

void message_link(const struct message *m, const struct event *ev, struct buf *out)
{
	if (m->url && m->url[0] && ev->link[0])
		buf_addf(out, "%s%s", m->url, ev->link);
}

static void add_one(const struct message *m, struct buf *out)
{
	const struct event *ev = m->events[0];

	buf_adds(out, message_text(ev));
	for (size_t i = 0; i < ev->n_facts; i++) {
		add_line_end(out);
		buf_addf(out, "%s: %s", ev->facts[i].name, ev->facts[i].value);
	}
}

void message_plain(const struct message *m, struct buf *out)
{
	_cleanup_(buf_done) struct buf link = BUF_INIT(out->max), notes = BUF_INIT(out->max);

	if (m->n == 1)
		add_one(m, out);
	for (size_t i = 0; m->n > 1 && i < m->n; i++) {
		add_line_end(out);
		message_line(m->events[i], out);
	}
	if (m->n == 1)
		message_link(m, m->events[0], &link);
	else if (m->url)
		buf_adds(&link, m->url);
	message_notes(m, &notes);
	if (link.len) {
		add_line_end(out);
		buf_adds(out, buf_str(&link));
	}
	if (notes.len) {
		add_line_end(out);
		buf_adds(out, buf_str(&notes));
	}
}
