/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/webhook.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/web/handlers.h"
#include "agent/web/routes.h"
#include "agent/web/upstream.h"
#include "agent/web/webhook_internal.h"
#include "base/clock.h"
#include "base/str.h"

struct webhooks *webhooks_new(void)
{
	struct webhooks *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	body_spools_init(&s->spools, "/var/tmp");
	s->quick = (struct lane){.max = WEBHOOK_QUICK, .max_waiting = WEBHOOK_QUICK_WAITING};
	s->slow = (struct lane){.max = WEBHOOK_SLOW, .max_waiting = WEBHOOK_SLOW_WAITING};
	s->failures = login_limit_new();
	return s;
}

void webhooks_free(struct webhooks *s)
{
	if (!s)
		return;
	body_spools_done(&s->spools);
	login_limit_free(s->failures);
	free(s);
}

static struct peer_key client(const struct http_request *rq)
{
	return peer_client(http_peer(rq), http_get_last_header(rq, "X-Forwarded-For"));
}

static bool on_piece(void *user, const void *data, size_t n)
{
	return body_spool_add(user, data, n);
}

static void on_end(void *user)
{
	body_spool_free(user);
}

static const struct http_sink sink = {on_piece, on_end};

void webhook_head(void *user, struct http_request *rq)
{
	struct web *w = user;
	const char *length = http_get_header(rq, "Content-Length");
	const char *encoding = http_get_header(rq, "Content-Encoding");
	struct peer_key k = client(rq);
	uint64_t n;

	if (strcmp(http_method(rq), "POST") != 0 || !str_starts(http_path(rq), "/deploy/"))
		return;
	if (encoding && strcasecmp(encoding, "identity") != 0)
		webhook_turn_away(w, rq, 415, "a delivery must not be compressed");
	else if (length && (str_to_u64(length, &n, NULL) < 0 || n > BODY_SPOOL_MAX))
		webhook_turn_away(w, rq, 413, "the delivery is larger than 25 MiB");
	else
		http_set_sink(rq, &sink, body_spool_new(&w->webhooks->spools, &k));
}

static void webhook_free(void *user)
{
	struct webhook *w = user;

	lane_leave(&w->place);
	if (w->secret)
		explicit_bzero(w->secret, strlen(w->secret));
	free(w->secret);
	json_decref(w->target);
	json_decref(w->changes);
	json_decref(w->skipped);
	free(w);
}

static const char *get_header(void *user, const char *name, bool *twice)
{
	return http_get_counted_header(user, name, twice);
}

/* False: the end of the path is no text; it has been answered. */
static bool take_path(struct webhook *w)
{
	const struct call *c = w->call;
	struct err e;
	size_t n;
	const char *at = route_segment(c->route, http_path(c->rq), "app", &n);

	delivery_text(w->app, sizeof(w->app), at, n);
	at = route_segment(c->route, http_path(c->rq), "secret", &n);
	if (n == 0 || query_decode_segment(at, n, &w->secret, &e) == 0)
		return true;
	webhook_turn_away(c->web, c->rq, 400, "the address cannot be read");
	return false;
}

static void on_genuine(void *user, const json_t *answer);
static void on_delivered(void *user, const json_t *answer);

static void deliver(struct webhook *w, upstream_answer_fn fn)
{
	struct err e;
	int fd = body_spool_open(w->spool, &e);

	if (fd < 0)
		fn(w, NULL);
	else
		upstream_ask_with(
			w->call->web->upstream, webhook_request(w), fd, WEBHOOK_TIMEOUT_MS, fn, w);
}

static bool is_refusal(const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	return code && strcmp(code, "forbidden") == 0;
}

/* The last: the request is over, and with it `w` perhaps. */
static void refused(struct webhook *w)
{
	struct peer_key k = client(w->call->rq);

	login_limit_failed(w->all->failures, &k, clock_mono_ms());
	lane_leave(&w->place);
	webhook_answer_refused(w);
}

static void on_delivered(void *user, const json_t *answer)
{
	struct webhook *w = user;

	if (is_refusal(answer)) {
		refused(w);
		return;
	}
	lane_leave(&w->place);
	if (upstream_ok(answer))
		webhook_answer(w, answer);
	else
		webhook_answer_busy(w);
}

/* A large one is worth reading. */
static void on_genuine(void *user, const json_t *answer)
{
	struct webhook *w = user;

	if (!upstream_ok(answer)) {
		on_delivered(w, answer);
		return;
	}
	w->is_genuine = true;
	webhook_read(w);
	deliver(w, on_delivered);
}

static bool is_unknown(const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	return code && strcmp(code, "not_found") == 0;
}

/* What is not there is read and checked all the same, so that nobody can tell. */
static void on_target(void *user, const json_t *answer)
{
	struct webhook *w = user;

	if (upstream_ok(answer)) {
		w->target = json_incref((json_t *)(uintptr_t)answer);
		w->provider = provider_find(json_string_value(json_object_get(answer, "provider")));
	} else if (is_unknown(answer)) {
		w->provider = provider_guess(&w->headers);
		if (!w->provider)
			w->provider = &provider_generic;
	}
	if (!w->provider) {
		lane_leave(&w->place);
		webhook_answer_busy(w);
	} else if (body_spool_is_file(w->spool)) {
		deliver(w, on_genuine);
	} else {
		webhook_read(w);
		deliver(w, on_delivered);
	}
}

static void on_turn(void *user)
{
	struct webhook *w = user;

	upstream_ask(w->call->web->upstream,
		json_pack("{s:s, s:s}", "op", "deploy.target", "app", w->app), on_target, w);
}

static bool body_is_whole(struct webhook *w)
{
	const struct call *c = w->call;

	switch (body_spool_state(w->spool)) {
	case BODY_SPOOL_FINE:
		return true;
	case BODY_SPOOL_TOO_LARGE:
		webhook_turn_away(c->web, c->rq, 413, "the delivery is larger than 25 MiB");
		return false;
	case BODY_SPOOL_BUSY:
		webhook_turn_away(
			c->web, c->rq, 503, "too many large deliveries are being received");
		return false;
	case BODY_SPOOL_FAILED:
		break;
	}
	webhook_turn_away(c->web, c->rq, 503, "the delivery could not be kept");
	return false;
}

void webhook_post(struct call *c)
{
	struct webhook *w = calloc(1, sizeof(*w));
	struct peer_key k = client(c->rq);
	bool is_slow;

	if (!w)
		abort();
	w->call = c;
	w->all = c->web->webhooks;
	w->spool = http_sink_user(c->rq);
	w->headers = (struct headers){get_header, c->rq};
	w->changes = json_array();
	w->skipped = json_array();
	c->state = w;
	c->free_state = webhook_free;
	if (!body_is_whole(w) || !take_path(w))
		return;
	is_slow = login_limit_wait_ms(w->all->failures, &k, clock_mono_ms()) > 0;
	if (!lane_enter(is_slow ? &w->all->slow : &w->all->quick, &w->place, on_turn, w))
		webhook_turn_away(c->web, c->rq, is_slow ? 429 : 503,
			is_slow ? "too many deliveries from your address were not genuine"
				: "too many deliveries wait to be checked");
}
