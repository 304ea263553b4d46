/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_call.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "backup/s3_error.h"
#include "backup/s3_retry.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	/* A page of 1,000 keys, each of at most 1,024 bytes and encoded. */
	ANSWER_MAX_BYTES = 8 * 1024 * 1024,
	TEXT_MAX_BYTES = 64 * 1024,
	/* Somebody waits for the end; what is not done by then is swept later. */
	CLEAN_UP_MS = 20000,
	CLEAN_UP_ATTEMPT_S = 10,
	SIGNED_MAX = S3_HEADERS_MAX + 8,
	SETTLE_MS = 5000,
};

static void attempt(void *user);

void s3_call_init(struct s3_call *c, struct s3 *s, const char *method, const char *key)
{
	*c = (struct s3_call){.s3 = s, .method = method, .key = key};
}

void s3_call_done(struct s3_call *c)
{
	if (!c->s3)
		return;
	net_transfer_cancel(TAKE_PTR(c->transfer));
	net_timer_clear(c->s3->net, &c->timer);
	buf_done(&c->answer.headers);
	buf_done(&c->answer.body);
}

void s3_call_query(struct s3_call *c, const char *name, const char *value)
{
	assert(c->n_query < S3_QUERY_MAX);
	c->query[c->n_query++] = (struct sigv4_pair){name, value};
}

void s3_call_header(struct s3_call *c, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	assert(c->n_headers < S3_HEADERS_MAX);
	c->headers[c->n_headers++] = (struct sigv4_pair){name, value};
}

static void finish(struct s3_call *c, int result)
{
	c->result = result;
	c->done = true;
	if (result < 0 && c->waits) {
		struct err first = c->error;

		(void)err_set(
			&c->error, -result, "%.440s (tried %u times)", first.msg, c->attempts);
	}
}

static double random_share(void)
{
	uint32_t v;

	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		abort();
	return (double)v / (double)UINT32_MAX;
}

/* Half an hour of trying looks like a program that hangs. */
static void tell_who_waits(struct s3_call *c, int64_t budget_ms)
{
	struct s3 *s = c->s3;
	char text[600], left[32];
	int64_t tried_ms = clock_mono_ms() - c->began_ms;

	if (!s->notice || s->is_noticed || tried_ms < s->settings.retry.notice_ms)
		return;
	s->is_noticed = true;
	str_human_duration(left, sizeof(left), (budget_ms - tried_ms) / 1000);
	(void)snprintf(text, sizeof(text), "store %s: %.400s; it is tried again for up to %s",
		s->store->name, c->error.msg, left);
	s->notice(s->notice_user, text);
}

/* c->error and `result` tell why, should it be the last time. */
static void try_later(struct s3_call *c, int result)
{
	const struct s3_retry_limits *l = &c->s3->settings.retry;
	int64_t budget = c->budget_ms ? c->budget_ms : l->budget_ms;
	int64_t wait = s3_retry_wait_ms(l, c->waits, random_share(), c->answer.retry_after_ms);

	c->waits++;
	if (clock_mono_ms() - c->began_ms + wait > budget)
		finish(c, result);
	else {
		tell_who_waits(c, budget);
		net_timer_set(c->s3->net, &c->timer, wait, attempt, c);
	}
}

static void try_now(struct s3_call *c)
{
	net_timer_set(c->s3->net, &c->timer, 0, attempt, c);
}

static int describe(struct s3_call *c)
{
	const struct net_answer *a = &c->answer;
	char region[64];

	if (a->error)
		return err_set(&c->error, -a->error, "%s%s: %s", c->s3->settings.scheme,
			c->s3->settings.host, a->message);
	s3_call_answer(c, "x-amz-bucket-region", region, sizeof(region));
	return s3_refused(&c->s3->settings,
		&(struct s3_refusal){.method = c->method,
			.key = c->key,
			.status = a->status,
			.body_bytes = c->payload ? c->payload->len : 0,
			.said = &c->said,
			.bucket_region = region},
		&c->error);
}

/* An answer of 2xx: is it what was asked for? */
static int look_at(struct s3_call *c)
{
	const struct net_answer *a = &c->answer;

	if (c->root && !s3_answer_is(buf_str(&a->body), a->body.len, c->root))
		return err_set(&c->error, EAGAIN, "%s %s: the answer is no whole %s", c->method,
			c->key ? c->key : c->s3->settings.bucket, c->root);
	return c->check ? c->check(c, &c->error) : 0;
}

static void accept_or_repeat(struct s3_call *c)
{
	int r = look_at(c);

	if (r == -EAGAIN)
		/* Never EBADMSG: what arrives in pieces says nothing about the object. */
		try_later(c, -EIO);
	else
		finish(c, r);
}

static void renew_keys(struct s3_call *c, bool has_expired)
{
	int result = describe(c), r = s3_keys_renew(c->s3, NULL);

	if (r == 1)
		try_now(c);
	else if (has_expired)
		try_later(c, result);
	else
		finish(c, result);
}

static void set_clock(struct s3_call *c)
{
	if (c->has_set_clock) {
		finish(c, describe(c));
		return;
	}
	c->has_set_clock = true;
	s3_learn_clock(c->s3, c->answer.date_s);
	try_now(c);
}

static void act(struct s3_call *c, enum s3_verdict v)
{
	switch (v) {
	case S3_DONE:
		accept_or_repeat(c);
		return;
	case S3_FAILED:
		finish(c, describe(c));
		return;
	case S3_AGAIN:
		try_later(c, describe(c));
		return;
	case S3_CLOCK:
		set_clock(c);
		return;
	case S3_KEYS:
	case S3_EXPIRED:
		renew_keys(c, v == S3_EXPIRED);
		return;
	}
}

static void on_done(void *user, struct net_answer *a)
{
	struct s3_call *c = user;
	struct s3_outcome o = {.error = a->error,
		.can_pass = a->can_pass,
		.status = a->status,
		.code = c->said.code,
		.clock_off_s = a->date_s ? a->date_s - s3_now_s(c->s3) : 0};

	c->transfer = NULL;
	c->answer = *a;
	/* Ours now. */
	a->headers = (struct buf){0};
	a->body = (struct buf){0};
	s3_error_parse(
		buf_str(&c->answer.body), c->answer.error ? 0 : c->answer.body.len, &c->said);
	act(c, s3_judge(&o));
}

/* Everything but what the caller adds. The order does not matter. */
static size_t collect_headers(const struct s3_call *c, const char *host, const char *date,
	struct sigv4_pair to[SIGNED_MAX])
{
	const struct s3_payload *p = c->payload;
	bool has_type = false;
	size_t n = 0;

	to[n++] = (struct sigv4_pair){"Host", host};
	to[n++] = (struct sigv4_pair){"x-amz-date", date};
	to[n++] =
		(struct sigv4_pair){"x-amz-content-sha256", p ? p->sha256_hex : SIGV4_EMPTY_SHA256};
	if (*c->s3->keys.session_token)
		to[n++] = (struct sigv4_pair){"x-amz-security-token", c->s3->keys.session_token};
	if (p)
		to[n++] = (struct sigv4_pair){"Content-MD5", p->md5_base64};
	for (size_t i = 0; i < c->n_headers; i++) {
		to[n++] = c->headers[i];
		has_type = has_type || strcasecmp(c->headers[i].name, "Content-Type") == 0;
	}
	/* curl would name one for a form. */
	if (!has_type && (strcmp(c->method, "PUT") == 0 || strcmp(c->method, "POST") == 0))
		to[n++] = (struct sigv4_pair){"Content-Type", "application/octet-stream"};
	return n;
}

struct lines {
	char *at[SIGNED_MAX + 4];
	size_t n;
};

static void lines_done(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->at[i]);
}

static void sign(const struct s3_call *c, const char *path, const char *host, struct lines *to)
{
	_cleanup_(buf_done) struct buf authorization = BUF_INIT(TEXT_MAX_BYTES);
	struct sigv4_pair headers[SIGNED_MAX];
	char date[SIGV4_DATE_SIZE];
	const struct s3 *s = c->s3;
	struct sigv4_request r = {.method = c->method,
		.path = path,
		.query = c->query,
		.n_query = c->n_query,
		.headers = headers,
		.payload_sha256 = c->payload ? c->payload->sha256_hex : SIGV4_EMPTY_SHA256};

	sigv4_date(date, c->signed_s);
	r.n_headers = collect_headers(c, host, date, headers);
	sigv4_authorization(&authorization, &r,
		&(struct sigv4_keys){s->keys.access_key_id, s->keys.secret_access_key,
			s->settings.region, "s3"});
	for (size_t i = 0; i < r.n_headers; i++)
		to->at[to->n++] = str_format("%s: %s", headers[i].name, headers[i].value);
	to->at[to->n++] = str_format("Authorization: %s", buf_str(&authorization));
	to->at[to->n++] = str_dup("User-Agent: agent/" AGENT_VERSION);
	to->at[to->n] = NULL;
}

static void send_it(struct s3_call *c)
{
	const struct s3 *s = c->s3;
	_cleanup_(buf_done) struct buf path = BUF_INIT(TEXT_MAX_BYTES);
	_cleanup_(buf_done) struct buf host = BUF_INIT(TEXT_MAX_BYTES);
	_cleanup_(buf_done) struct buf url = BUF_INIT(TEXT_MAX_BYTES);
	_cleanup_(lines_done) struct lines headers = {.n = 0};
	struct net_request r = {.method = c->method,
		.body = c->payload ? c->payload->data : NULL,
		.body_len = c->payload ? c->payload->len : 0,
		.ca_file = s->settings.ca_file,
		.send_rate_bytes = s->bandwidth_bytes,
		.receive_rate_bytes = s->bandwidth_bytes,
		.max_body = ANSWER_MAX_BYTES,
		/* On a connection that was used before, curl repeats a request by itself when the server closes it without
		 * an answer: not for what must not be done twice unknown to us. */
		.is_fresh = c->waits > 0 || strcmp(c->method, "POST") == 0,
		.expects = c->expects || c->waits > 0,
		.idle_s = c->timeout_s ? 0 : s->settings.retry.idle_s,
		.timeout_s = c->timeout_s,
		.on_data = c->on_data,
		.on_done = on_done,
		.user = c};

	s3_settings_path(&s->settings, c->key, &path);
	s3_settings_host(&s->settings, &host);
	buf_addf(&url, "%s%s", s->settings.scheme, buf_str(&host));
	sigv4_encode(&url, buf_str(&path), true);
	buf_adds(&url, c->n_query ? "?" : "");
	sigv4_query(&url, c->query, c->n_query);
	c->signed_s = s3_now_s(s);
	sign(c, buf_str(&path), buf_str(&host), &headers);
	r.url = buf_str(&url);
	r.headers = (const char *const *)headers.at;
	c->transfer = net_transfer_start(s->net, &r);
}

static void attempt(void *user)
{
	struct s3_call *c = user;
	int r = s3_keys_need(c->s3, &c->error);

	if (r < 0) {
		finish(c, r);
		return;
	}
	c->attempts++;
	if (c->prepare)
		c->prepare(c);
	buf_done(&c->answer.headers);
	buf_done(&c->answer.body);
	send_it(c);
}

void s3_call_start(struct s3_call *c)
{
	c->began_ms = clock_mono_ms();
	attempt(c);
}

int s3_call_wait(struct s3_call *c, bool cleans_up, struct err *e)
{
	int r = net_run(c->s3->net, &c->done, cleans_up, e);

	if (r < 0)
		return r;
	if (c->result < 0 && e)
		*e = c->error;
	return c->result;
}

static void hurry(struct s3_call *c)
{
	const struct s3_retry_limits *l = &c->s3->settings.retry;

	c->budget_ms = l->budget_ms < CLEAN_UP_MS ? l->budget_ms : CLEAN_UP_MS;
	c->timeout_s = l->idle_s < CLEAN_UP_ATTEMPT_S ? l->idle_s : CLEAN_UP_ATTEMPT_S;
}

/* A request on its way changes the store whether or not we hear of it. */
static bool may_come_to_pass(const struct s3_call *c)
{
	return !c->done && c->transfer &&
	       (strcmp(c->method, "POST") == 0 || strcmp(c->method, "PUT") == 0);
}

static void give_up(void *user)
{
	finish(user, -ECANCELED);
}

/* Stopped. Should it be done after what cleans up has looked, it would stay for ever: so its answer is waited for. */
static int settle(struct s3_call *c, struct err *e)
{
	int r;

	c->budget_ms = 1; /* no further attempt */
	net_timer_set(c->s3->net, &c->timer, SETTLE_MS, give_up, c);
	r = s3_call_wait(c, true, NULL);
	net_timer_clear(c->s3->net, &c->timer);
	return r < 0 ? err_set(e, ECANCELED, "stopped") : 0;
}

int s3_call_run(struct s3_call *c, bool cleans_up, struct err *e)
{
	int r;

	if (cleans_up || stop_is_held())
		hurry(c);
	s3_call_start(c);
	r = s3_call_wait(c, cleans_up, e);
	return r == -ECANCELED && may_come_to_pass(c) ? settle(c, e) : r;
}

void s3_call_answer(const struct s3_call *c, const char *name, char *to, size_t size)
{
	(void)net_header(&c->answer, name, to, size);
}

void s3_call_etag(const struct s3_call *c, char *to, size_t size)
{
	size_t n;

	s3_call_answer(c, "ETag", to, size);
	n = strlen(to);
	if (n >= 2 && *to == '"' && to[n - 1] == '"') {
		memmove(to, to + 1, n - 2);
		to[n - 2] = '\0';
	}
}
