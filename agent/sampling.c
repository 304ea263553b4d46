/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sampling.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"

/* A timer may fire a moment before the wall clock reaches the multiple it aimed at. */
enum { EARLY_MS = 100, PREVIEW_MS = 1000 };

static void arm(struct sampling *s)
{
	int64_t wall = clock_wall_ms();
	int64_t wait = s->interval_ms - wall % s->interval_ms;

	if (wait < EARLY_MS)
		wait += s->interval_ms;
	loop_timer_after(s->timer, wait);
}

static void gone(void *user, struct entity *e)
{
	struct sampling *s = user;

	s->on_gone(s->user, e);
	if (s->store)
		store_gone(s->store, e, s->time);
}

static bool clock_is_synchronized(const struct registry *r)
{
	const struct entity *host = registry_find(r, &class_host, "host");

	return host && host->values[HOST_clock_synchronized] > 0;
}

static bool clock_allows(struct sampling *s, int64_t wall_ms)
{
	int64_t jump_ms;
	char text[64];

	if (clock_guard_check(&s->guard, wall_ms, clock_boot_ms(),
		    clock_is_synchronized(s->registry), &jump_ms)) {
		problem_clear(s->problems, "clock.jump");
		return true;
	}
	str_human_duration(text, sizeof(text), (jump_ms < 0 ? -jump_ms : jump_ms) / 1000);
	problem_set(s->problems, "clock.jump",
		"the clock jumped %s by %s: history is held until the clock is synchronized or has "
		"been"
		" steady for 5 minutes",
		jump_ms < 0 ? "back" : "forward", text);
	return false;
}

static void collect(struct sampling *s, int64_t wall_ms)
{
	const struct collect_ctx *ctx = sampler_collect(s->sampler, wall_ms);
	struct err e;

	if (s->containers && containers_sample(s->containers, ctx, &e) < 0)
		problem_set(s->problems, "containers", "%s", e.msg);
	else
		problem_clear(s->problems, "containers");
}

static void do_work(void *user)
{
	struct sampling *s = user;

	if (s->store && store_work(s->store))
		loop_timer_after(s->work, 0);
}

static void use_sample(struct sampling *s, int64_t wall_ms)
{
	if (!clock_allows(s, wall_ms))
		return;
	if (s->store) {
		store_sample(s->store, s->registry, s->time);
		loop_timer_after(s->work, 0);
	}
	s->on_regular(s->user);
}

/* One sample under the time `stamp`; regular when that is a whole multiple of the interval. */
static void take_sample(struct sampling *s, int64_t wall_ms, time_t stamp, bool regular)
{
	int64_t begin_ns = clock_mono_ns();

	collect(s, wall_ms);
	s->time = stamp;
	s->cost.web_pid = s->web_pid(s->user);
	s->cost.delay_ms = wall_ms > (int64_t)stamp * 1000 ? wall_ms - (int64_t)stamp * 1000 : 0;
	own_cost_report(&s->cost, s->registry);
	if (s->on_collect)
		s->on_collect(s->user);
	registry_sweep(s->registry, gone, s);
	if (regular)
		use_sample(s, wall_ms);
	s->last_mono_ms = clock_mono_ms();
	s->cost.sample_ns = clock_mono_ns() - begin_ns;
	s->on_sample(s->user);
}

static void tick(void *user)
{
	struct sampling *s = user;
	int64_t wall_ms = clock_wall_ms();
	time_t stamp = (time_t)((wall_ms + EARLY_MS) / s->interval_ms * s->interval_ms / 1000);

	if (stamp != s->time)
		take_sample(s, wall_ms, stamp, true);
	arm(s);
}

/* Nobody wants to look at an empty page for a whole interval after the start. */
static void preview(void *user)
{
	struct sampling *s = user;
	int64_t wall_ms = clock_wall_ms();

	take_sample(s, wall_ms, (time_t)(wall_ms / 1000), false);
	s->cost.sample_ns = 0;
	arm(s);
}

void sampling_start(struct sampling *s, int64_t last_stored_wall_ms)
{
	int64_t wall_ms = clock_wall_ms();
	int64_t left_ms = s->interval_ms - wall_ms % s->interval_ms;

	clock_guard_init(&s->guard, last_stored_wall_ms, wall_ms, clock_boot_ms());
	s->timer = loop_timer_new(s->loop, tick, s);
	s->first = loop_timer_new(s->loop, preview, s);
	s->work = loop_timer_new(s->loop, do_work, s);
	s->last_mono_ms = clock_mono_ms();
	collect(s, wall_ms);
	if (left_ms > PREVIEW_MS * 2)
		loop_timer_after(s->first, PREVIEW_MS);
	else
		arm(s);
}

void sampling_stop(struct sampling *s)
{
	loop_timer_free(s->first);
	loop_timer_free(s->timer);
	loop_timer_free(s->work);
	s->first = s->timer = s->work = NULL;
}
