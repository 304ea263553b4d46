/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/upstream.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/wire.h"

enum {
	LINE_MAX_BYTES = 64 * 1024 * 1024,
	QUEUE_MAX_BYTES = 1024 * 1024,
};

struct question {
	json_int_t id; /* 0: free slot */
	int64_t deadline_ms;
	upstream_answer_fn fn;
	void *user;
};

struct upstream {
	struct loop *loop;
	struct upstream_options options;
	struct wire *wire;
	struct loop_timer *timer; /* runs while something waits */
	json_int_t last_id;
	struct question waiting[UPSTREAM_WAITING_MAX];
	size_t used; /* slots from here on are free */
};

static void trim(struct upstream *u)
{
	while (u->used > 0 && u->waiting[u->used - 1].id == 0)
		u->used--;
}

static void answer(struct upstream *u, struct question *q, const json_t *message)
{
	struct question copy = *q;

	q->id = 0;
	trim(u);
	copy.fn(copy.user, message);
}

static void on_message(void *user, json_t *message)
{
	struct upstream *u = user;
	const char *event = json_string_value(json_object_get(message, "event"));
	json_int_t id = json_integer_value(json_object_get(message, "id"));

	if (event) {
		u->options.on_event(u->options.user, event, message);
		return;
	}
	for (size_t i = 0; id > 0 && i < u->used; i++) {
		if (u->waiting[i].id == id) {
			answer(u, &u->waiting[i], message);
			return;
		}
	}
	log_debug("an answer of the daemon came too late");
}

static void on_closed(void *user, const char *why)
{
	struct upstream *u = user;

	u->options.on_closed(u->options.user, why);
}

static void arm(struct upstream *u)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < u->used; i++)
		if (u->waiting[i].id && u->waiting[i].deadline_ms < first)
			first = u->waiting[i].deadline_ms;
	if (first < INT64_MAX)
		loop_timer_at(u->timer, first);
}

/* A question that was answered leaves the timer as it is, so it may find nothing due. */
static void on_timer(void *user)
{
	struct upstream *u = user;
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < u->used; i++)
		if (u->waiting[i].id && u->waiting[i].deadline_ms <= now)
			answer(u, &u->waiting[i], NULL);
	arm(u);
}

int upstream_new(struct loop *l, int fd, const struct upstream_options *o, struct upstream **out,
	struct err *e)
{
	struct upstream *u = calloc(1, sizeof(*u));
	struct wire_options wo = {LINE_MAX_BYTES, QUEUE_MAX_BYTES, on_message, on_closed, u};
	int r;

	if (!u)
		abort();
	u->loop = l;
	u->options = *o;
	r = wire_new(l, fd, &wo, &u->wire, e);
	if (r < 0) {
		free(u);
		return r;
	}
	u->timer = loop_timer_new(l, on_timer, u);
	*out = u;
	return 0;
}

void upstream_free(struct upstream *u)
{
	if (!u)
		return;
	wire_free(u->wire);
	u->wire = NULL;
	while (u->used > 0)
		answer(u, &u->waiting[u->used - 1], NULL);
	loop_timer_free(u->timer);
	free(u);
}

static struct question *take_slot(struct upstream *u)
{
	for (size_t i = 0; i < u->used; i++)
		if (u->waiting[i].id == 0)
			return &u->waiting[i];
	return u->used < UPSTREAM_WAITING_MAX ? &u->waiting[u->used++] : NULL;
}

void upstream_ask_with(struct upstream *u, json_t *request, int fd, int64_t timeout_ms,
	upstream_answer_fn fn, void *user)
{
	struct question *q = u->wire ? take_slot(u) : NULL;
	_cleanup_(close_p) int owned = fd;

	if (!q || json_object_set_new(request, "id", json_integer(u->last_id + 1)) < 0 ||
		wire_send_fd(u->wire, request, take_fd(&owned)) < 0) {
		trim(u); /* the slot that was taken for it */
		json_decref(request);
		fn(user, NULL);
		return;
	}
	json_decref(request);
	*q = (struct question){++u->last_id, clock_mono_ms() + timeout_ms, fn, user};
	arm(u);
}

void upstream_ask_within(
	struct upstream *u, json_t *request, int64_t timeout_ms, upstream_answer_fn fn, void *user)
{
	upstream_ask_with(u, request, -1, timeout_ms, fn, user);
}

void upstream_ask(struct upstream *u, json_t *request, upstream_answer_fn fn, void *user)
{
	upstream_ask_within(u, request, UPSTREAM_TIMEOUT_MS, fn, user);
}

bool upstream_ok(const json_t *message)
{
	return json_is_true(json_object_get(message, "ok"));
}
