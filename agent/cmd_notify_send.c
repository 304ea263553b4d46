/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent notify send` and `agent notify test`.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/cleanup.h"
#include "notify/event.h"

/* A channel may take 60 s, and the daemon a moment to say so. */
enum { TEST_MS = 75 * 1000 };

/* The event cuts its texts; with this much more it sees that there is something to cut, and the
 * request stays within the bound of a line. */
enum { TITLE_MAX = EVENT_TITLE_MAX + 64, TEXT_MAX = EVENT_TEXT_MAX + 64 };

/* Adds what fits. Control characters, a NUL in a log too, become spaces, as in the event. */
static void add_clean(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n && out->len < out->max; i++)
		buf_addc(out, (unsigned char)s[i] < 0x20 && s[i] != '\n' ? ' ' : s[i]);
}

/* To its end, so that who writes it is not killed. */
static int read_stdin(struct buf *out)
{
	for (;;) {
		char part[4096];
		ssize_t n = read(STDIN_FILENO, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			(void)fprintf(stderr, "agent: read stdin: %s\n", err_text(-errno));
			return COMMAND_FAILED;
		}
		if (n == 0)
			return 0;
		add_clean(out, part, (size_t)n);
	}
}

/* It is in the history, and that is all. */
static void add_nobody(json_int_t event, struct buf *out)
{
	buf_addf(out,
		"event %lld is stored, but nobody is told: no channel is set up that takes it. Add "
		"one to the\nconfiguration (channels in agent.conf(5)), then: agent config reload, "
		"agent notify test NAME\n",
		(long long)event);
}

int cmd_notify_send(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(TITLE_MAX);
	_cleanup_(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
	_cleanup_(buf_done) struct buf out = BUF_INIT(512);
	json_t *request, *reply;
	int r = 0;

	if (c->n_args == 0)
		return cmd_usage(c, "what? TITLE is missing");
	if (c->flags[FLAG_END] && !c->flags[FLAG_KEY])
		return cmd_usage(c, "--end needs --key: the end of which story?");
	if (c->n_args > 1 && strcmp(c->args[1], "-") == 0)
		r = read_stdin(&text);
	else if (c->n_args > 1)
		add_clean(&text, c->args[1], strlen(c->args[1]));
	if (r != 0)
		return r;
	add_clean(&title, c->args[0], strlen(c->args[0]));
	request = json_pack("{s:s, s:o, s:o, s:b}", "op", "notify.send", "title",
		cmd_text(buf_str(&title)), "text", cmd_text(buf_str(&text)), "end",
		c->flags[FLAG_END] != NULL);
	cmd_set_text(c, FLAG_SEVERITY, request, "severity");
	cmd_set_text(c, FLAG_KEY, request, "key");
	r = cmd_ask(c, request, &reply);
	if (r != 0)
		return r;
	if (json_view_int(reply, "channels"))
		buf_addf(&out, "event %lld is stored; agent notify log shows what becomes of it\n",
			(long long)json_view_int(reply, "event"));
	else
		add_nobody(json_view_int(reply, "event"), &out);
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : cmd_print(&out);
	json_decref(reply);
	return r;
}

static int ask_for_test(const struct command_call *c, json_t **reply)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	_cleanup_(client_close_p) struct client *client = NULL;
	struct err e;
	int r = client_open(state, &client, &e);

	if (r == 0)
		r = client_call_within(client,
			json_pack(
				"{s:s, s:o}", "op", "notify.test", "channel", cmd_text(c->args[0])),
			TEST_MS, reply, &e);
	return r < 0 ? cmd_fail(r, &e) : 0;
}

static void add_words(const struct term *t, const char *name, const char *words, struct buf *out)
{
	if (!*words)
		return;
	term_style(t, TERM_BOLD, out);
	term_add(out, name, 10);
	term_style(t, TERM_PLAIN, out);
	term_add_wrapped(out, words, t->columns > 40 ? t->columns - 10 : 30, 10);
	buf_addc(out, '\n');
}

/* What the sender would do with a real message. */
static const char *consequence(const char *verdict)
{
	if (strcmp(verdict, "retry") == 0)
		return "a message would be tried again";
	if (strcmp(verdict, "broken") == 0)
		return "the channel is set up wrongly; messages wait until that is mended";
	return "such a message would never be taken";
}

static void add_result(const struct term *t, const char *channel, const json_t *r, struct buf *out)
{
	bool sent = json_is_true(json_object_get(r, "sent"));
	bool partly = json_is_true(json_object_get(r, "partly"));
	const char *answer = json_view_text(r, "answer"), *why = json_view_text(r, "why");
	json_int_t status = json_view_int(r, "status");
	char text[64];

	term_style(t, sent ? TERM_GREEN : TERM_RED, out);
	buf_adds(out, sent ? "sent" : "not sent");
	term_style(t, TERM_PLAIN, out);
	buf_adds(out, " to ");
	term_add(out, channel, 0);
	buf_addf(out, " in %lld ms\n", (long long)json_view_int(r, "took_ms"));
	(void)snprintf(text, sizeof(text), "%lld", (long long)status);
	if (status)
		add_words(t, "status", text, out);
	add_words(t, "answer", answer, out);
	if ((!sent || partly) && strcmp(why, answer) != 0)
		add_words(t, "reason", why, out);
	if (!sent)
		add_words(t, "verdict", consequence(json_view_text(r, "verdict")), out);
}

int cmd_notify_test(const struct command_call *c)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 20);
	struct term t = term_detect();
	json_t *reply;
	int r;
	bool sent;

	if (c->n_args == 0)
		return cmd_usage(c, "which channel? Its name (agent notify channels)");
	r = ask_for_test(c, &reply);
	if (r != 0)
		return r;
	sent = json_is_true(json_object_get(reply, "sent"));
	add_result(&t, c->args[0], reply, &out);
	r = c->flags[FLAG_JSON] ? cmd_print_reply(reply) : cmd_print(&out);
	json_decref(reply);
	return r == 0 && !sent ? COMMAND_FAILED : r;
}
