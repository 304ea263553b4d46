/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/health.h"

#include <inttypes.h>
#include <stdlib.h>

#include "agent/web/handlers.h"
#include "agent/web/upstream.h"
#include "base/clock.h"

enum { ASK_AGAIN_MS = 1000, INTERVALS_MAX = 3 };

/* Anybody may ask, so the daemon is asked at most once a second; and not at all while nobody does. */
struct health {
	int64_t started_ms;
	int64_t asked_ms; /* 0: never; monotonic */
	int64_t sample_ms; /* wall time of the last sample known */
};

struct health *health_new(void)
{
	struct health *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->started_ms = clock_wall_ms();
	return h;
}

void health_free(struct health *h)
{
	free(h);
}

static void reply(struct call *c)
{
	const struct health *h = c->web->health;
	int64_t since = h->sample_ms > h->started_ms ? h->sample_ms : h->started_ms;
	int64_t age = clock_wall_ms() - since;
	struct buf b = BUF_INIT(256);

	if (age <= INTERVALS_MAX * c->web->interval_ms)
		buf_adds(&b, "{\"status\": \"ok\"}\n");
	else
		buf_addf(&b, "{\"status\": \"no sample for %" PRId64 " seconds\"}\n", age / 1000);
	http_reply(c->rq, age <= INTERVALS_MAX * c->web->interval_ms ? 200 : 503,
		"application/json", &b);
}

static void on_latest(struct call *c, const json_t *answer)
{
	struct health *h = c->web->health;
	struct buf b = BUF_INIT(256);

	if (upstream_ok(answer)) {
		h->sample_ms = (int64_t)(json_number_value(json_object_get(answer, "time")) * 1000);
		reply(c);
		return;
	}
	h->asked_ms = 0;
	buf_adds(&b, "{\"status\": \"the agent's daemon does not answer\"}\n");
	http_reply(c->rq, 503, "application/json", &b);
}

void health_get(struct call *c)
{
	struct health *h = c->web->health;
	int64_t now = clock_mono_ms();

	if (h->asked_ms && now - h->asked_ms < ASK_AGAIN_MS) {
		reply(c);
		return;
	}
	h->asked_ms = now;
	call_ask_daemon(
		c, json_pack("{s:s, s:[s]}", "op", "latest", "classes", "agent"), on_latest);
}
