/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/upstream.h"
#include "agent/web/webhook_internal.h"
#include "base/cleanup.h"

/* Senders that repeat at all do so after a while. */
#define RETRY_AFTER_SECONDS "10"

static void on_noted(void *user, const json_t *answer)
{
	(void)user;
	(void)answer;
}

/* The name in the path; never the rest, which may be a secret. */
static void app_of(const struct http_request *rq, char *to, size_t size)
{
	const char *name = http_path(rq) + strlen("/deploy/");

	delivery_text(to, size, name, strcspn(name, "/"));
}

void webhook_turn_away(
	struct web *w, struct http_request *rq, unsigned status, const char *sentence)
{
	char app[DEPLOY_NAME_SIZE], peer[PEER_TEXT_MAX];

	app_of(rq, app, sizeof(app));
	peer_client_text(
		http_peer(rq), http_get_last_header(rq, "X-Forwarded-For"), peer, sizeof(peer));
	upstream_ask(w->upstream,
		json_pack("{s:s, s:s, s:s, s:i, s:s}", "op", "deploy.turned_away", "app", app,
			"peer", peer, "status", (int)status, "why", sentence),
		on_noted, NULL);
	if (status == 429 || status == 503)
		http_add_header(rq, "Retry-After", RETRY_AFTER_SECONDS);
	http_reply_error(rq, status, sentence);
}

void webhook_answer_refused(struct webhook *w)
{
	http_add_header(w->call->rq, "WWW-Authenticate", "Bearer");
	call_fail(w->call, 401, "the delivery could not be verified");
}

void webhook_answer_busy(struct webhook *w)
{
	http_add_header(w->call->rq, "Retry-After", RETRY_AFTER_SECONDS);
	call_fail(w->call, 503, "the delivery could not be taken now; send it again later");
}

static bool is_outcome(const json_t *deploy, const char *name)
{
	const char *outcome = json_string_value(json_object_get(deploy, "outcome"));

	return outcome && strcmp(outcome, name) == 0;
}

/* The first with that outcome; NULL: none. */
static const json_t *find(const json_t *deploys, const char *outcome)
{
	for (size_t i = 0; i < json_array_size(deploys); i++)
		if (is_outcome(json_array_get(deploys, i), outcome))
			return json_array_get(deploys, i);
	return NULL;
}

/* What was queued counts more than what was not: it need not be sent again. */
static unsigned status_of(const json_t *deploys)
{
	static const struct {
		const char *outcome;
		unsigned status;
	} rows[] = {{"queued", 202}, {"failed", 503}, {"full", 429}, {"refused", 400},
		{"duplicate", 200}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (find(deploys, rows[i].outcome))
			return rows[i].status;
	return 200;
}

static void add_address(struct http_request *rq, json_t *body, const json_t *deploys)
{
	const json_t *one = find(deploys, "queued");
	char url[64];

	if (!one)
		one = find(deploys, "duplicate");
	if (!one)
		return;
	(void)snprintf(url, sizeof(url), "/api/v1/deploys/%" PRId64,
		(int64_t)json_integer_value(json_object_get(one, "deploy")));
	http_add_header(rq, "Location", url);
	json_object_set_new(body, "status_url", json_string(url));
}

static int add_piece(const char *text, size_t n, void *user)
{
	buf_add(user, text, n);
	return 0;
}

void webhook_answer(struct webhook *w, const json_t *answer)
{
	json_t *deploys = json_object_get(answer, "deploys");
	unsigned status = w->status ? w->status : status_of(deploys);
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);
	json_t *body;

	if (status == 429 || status == 503)
		http_add_header(w->call->rq, "Retry-After", RETRY_AFTER_SECONDS);
	if (w->status) {
		call_fail(w->call, status, "%s", w->why.msg);
		return;
	}
	body = json_pack("{s:O, s:O}", "deploys", deploys, "skipped", w->skipped);
	add_address(w->call->rq, body, deploys);
	(void)json_dump_callback(body, add_piece, &b, 0);
	buf_addc(&b, '\n');
	json_decref(body);
	http_reply(w->call->rq, status, "application/json", &b);
}
