/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/call.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/upstream.h"

/* When the daemon could not answer just now. */
#define RETRY_AFTER_SECONDS "5"

static void call_free(void *user)
{
	struct call *c = user;

	if (c->free_state)
		c->free_state(c->state);
	query_done(&c->query);
	free(c);
}

struct call *call_new(struct web *w, struct http_request *rq)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->web = w;
	c->rq = rq;
	http_set_data(rq, c, call_free);
	return c;
}

void call_fail(struct call *c, unsigned status, const char *fmt, ...)
{
	struct buf b = BUF_INIT(8 * 1024);
	char sentence[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	buf_adds(&b, "{\"error\": ");
	buf_add_json_string(&b, sentence);
	buf_adds(&b, "}\n");
	http_reply(c->rq, status, "application/json", &b);
}

void call_fail_answer(struct call *c, const json_t *answer)
{
	static const struct {
		const char *code;
		unsigned status;
	} codes[] = {{"bad_request", 400}, {"forbidden", 403}, {"not_found", 404},
		{"conflict", 409}, {"unavailable", 503}};
	const char *code = json_string_value(json_object_get(answer, "code"));
	const char *sentence = json_string_value(json_object_get(answer, "error"));
	unsigned status = 500;

	if (!answer) {
		http_add_header(c->rq, "Retry-After", RETRY_AFTER_SECONDS);
		call_fail(c, 503, "the agent's daemon does not answer");
		return;
	}
	for (size_t i = 0; code && i < ARRAY_LEN(codes); i++)
		if (strcmp(code, codes[i].code) == 0)
			status = codes[i].status;
	if (status == 503)
		http_add_header(c->rq, "Retry-After", RETRY_AFTER_SECONDS);
	call_fail(c, status, "%s", sentence ? sentence : "the daemon could not answer");
}

void call_json(struct call *c, struct buf *body)
{
	http_reply(c->rq, 200, "application/json", body);
}

static void on_daemon_answer(void *user, const json_t *answer)
{
	struct call *c = user;

	c->on_answer(c, answer);
}

static void on_caller_answer(void *user, const json_t *answer)
{
	struct call *c = user;

	if (upstream_ok(answer))
		c->on_answer(c, answer);
	else
		call_fail_answer(c, answer);
}

json_t *call_as(const struct call *c, json_t *request)
{
	char from[PEER_TEXT_MAX];

	peer_text(http_peer(c->rq), from, sizeof(from));
	(void)json_object_set_new(
		request, "as", json_pack("{s:s, s:s}", "role", role_name(c->role), "from", from));
	return request;
}

void call_ask_within(struct call *c, json_t *request, int64_t timeout_ms, call_answer_fn fn)
{
	c->on_answer = fn;
	upstream_ask_within(c->web->upstream, call_as(c, request), timeout_ms, on_caller_answer, c);
}

void call_ask(struct call *c, json_t *request, call_answer_fn fn)
{
	call_ask_within(c, request, UPSTREAM_TIMEOUT_MS, fn);
}

void call_ask_daemon(struct call *c, json_t *request, call_answer_fn fn)
{
	c->on_answer = fn;
	upstream_ask(c->web->upstream, request, on_daemon_answer, c);
}
