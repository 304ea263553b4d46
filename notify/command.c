/* SPDX-License-Identifier: Apache-2.0
 *
 * Any program: the event as JSON on its stdin, and what a one-line script needs in its environment.
 * README.md, "command", is the contract.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/channel_types.h"

enum {
	STATUS_TRY_AGAIN = 75, /* EX_TEMPFAIL of sysexits.h */
	STATUS_NOT_EXECUTABLE = 126, /* these two are what a shell says */
	STATUS_NOT_FOUND = 127,
};

/* Not outgoing_header(): the lines of a text are kept, nothing here ends at a line end. */
static void add_variable(struct outgoing *out, const char *name, const char *value)
{
	out->headers[out->n_headers++] = str_format("%s=%s", name, value);
}

/* As Apprise and others name them. */
static const char *type_of(const struct event *ev)
{
	static const char *const types[] = {"info", "warning", "failure"};

	return ev->is_end ? "success" : types[ev->severity];
}

static void add_environment(struct outgoing *out, const struct message *m)
{
	const struct event *ev = m->events[0];
	_cleanup_(buf_done) struct buf title = BUF_INIT(OUTGOING_BODY_MAX);
	_cleanup_(buf_done) struct buf text = BUF_INIT(OUTGOING_BODY_MAX);
	_cleanup_(buf_done) struct buf link = BUF_INIT(OUTGOING_BODY_MAX);

	message_title(m, &title);
	message_plain(m, &text);
	message_link(m, ev, &link);
	add_variable(out, "AGENT_TITLE", buf_str(&title));
	/* Programs that send messages refuse an empty one. */
	add_variable(out, "AGENT_TEXT", buf_str(text.len > 0 ? &text : &title));
	add_variable(out, "AGENT_TYPE", type_of(ev));
	add_variable(out, "AGENT_SEVERITY", severity_name(ev->severity));
	add_variable(out, "AGENT_KIND", ev->kind);
	add_variable(out, "AGENT_KEY", ev->key);
	add_variable(out, "AGENT_HOST", m->host);
	add_variable(out, "AGENT_LINK", buf_str(&link));
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	(void)c;
	(void)memory;
	(void)plain;
	out->transport = TRANSPORT_COMMAND;
	add_environment(out, m);
	event_to_json(m->events[0], &out->body);
	buf_addc(&out->body, '\n');
	return out->body.overflow ? err_set(e, EMSGSIZE, "the event is too large") : 0;
}

static enum verdict verdict_of_exit(long status)
{
	switch (status) {
	case 0:
		return VERDICT_SENT;
	case STATUS_TRY_AGAIN:
		return VERDICT_RETRY;
	case STATUS_NOT_EXECUTABLE:
	case STATUS_NOT_FOUND:
		return VERDICT_BROKEN;
	default:
		return VERDICT_REFUSED;
	}
}

/* What a program says last is why it failed. */
static const char *last_line(const char *text)
{
	size_t n = strlen(text);

	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	while (n > 0 && text[n - 1] != '\n')
		n--;
	return text + n;
}

static void judge(const struct channel *c, const struct answer *a, struct verdict_of *out)
{
	const char *words = last_line(a->body);

	memset(out, 0, sizeof(*out));
	out->retry_after_ms = -1;
	if (a->error) {
		out->verdict = VERDICT_RETRY;
		channel_why(c, out, "%s: %s%s%s", c->command[0], a->message ? a->message : "ended",
			*words ? ": " : "", words);
		return;
	}
	out->verdict = verdict_of_exit(a->status);
	if (out->verdict == VERDICT_SENT)
		channel_why(c, out, "%s", words);
	else
		channel_why(c, out, "%s: exit status %ld%s%s", c->command[0], a->status,
			*words ? ": " : "", words);
}

const struct channel_type channel_command = {
	.name = "command",
	.doc = "A program of yours: gets each event as JSON on stdin.",
	.flags = CHANNEL_EACH,
	.per_minute = 60,
	.needs = "command",
	.build = build,
	.judge = judge,
};
