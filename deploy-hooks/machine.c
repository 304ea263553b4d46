/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/deploy_stages.h"
#include "deploy-hooks/machine_path.h"

/* Run when the record is closed; they see how it ended. */
static const char *const observers[DEPLOY_STATES] = {
	[DEPLOY_DONE] = "post-deploy",
	[DEPLOY_FAILED] = "on-failure",
	[DEPLOY_ROLLED_BACK] = "on-rollback",
	[DEPLOY_BROKEN] = "on-failure",
};

static const struct machine_step ignored = {.ignored = true};

/* Puts a sentence behind those that are there; the first says why. */
static void add_error(struct deploy *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_error(struct deploy *d, const char *fmt, ...)
{
	char text[DEPLOY_ERROR_SIZE], whole[2 * DEPLOY_ERROR_SIZE + 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(whole, sizeof(whole), "%s%s%s", d->error, *d->error ? "; " : "", text);
	(void)str_copy(d->error, sizeof(d->error), whole);
}

static struct machine_step enter(struct deploy *d, const struct machine_stop *m, int64_t now_ms)
{
	struct machine_step s = {.state = m->state};

	d->state = m->state;
	(void)str_copy(d->stage, sizeof(d->stage), m->stage);
	d->attempt = 1;
	d->deadline_ms = 0;
	deploy_stages_begin(d, m->stage, m->verb ? m->verb : "", now_ms);
	if (m->verb) {
		s.stage = m->stage;
		s.verb = m->verb;
		return s;
	}
	s.wait_ms = m->state == DEPLOY_WATCHING ? d->watch_ms : d->drain_ms;
	d->deadline_ms = now_ms + s.wait_ms;
	return s;
}

static struct machine_step end(struct deploy *d, enum deploy_state state, int64_t now_ms)
{
	struct machine_step s = {.state = state, .stage = observers[state]};

	deploy_end(d, state, now_ms);
	if (!s.stage)
		return s;
	s.verb = "apply";
	d->attempt = 1;
	(void)str_copy(d->stage, sizeof(d->stage), s.stage);
	deploy_stages_begin(d, s.stage, s.verb, now_ms);
	return s;
}

/* As it was when it was accepted; what was built is found again by who built it. */
static struct machine_step requeue(struct deploy *d)
{
	d->state = DEPLOY_QUEUED;
	d->requeued++;
	d->started_ms = 0;
	d->deadline_ms = 0;
	d->downtime_ms = -1;
	d->attempt = 0;
	d->failed_in = d->after = DEPLOY_QUEUED;
	*d->stage = *d->error = *d->new.address = '\0';
	if (!d->rollback_of) /* that one is given its container */
		*d->new.container = '\0';
	(void)json_array_clear(d->stages);
	return (struct machine_step){.state = DEPLOY_QUEUED};
}

/* The time an app was away: from the stop of what served to now. Twice, when the new version had served in between. A hook
 * that measured knows less: the old version was stopped before it ran. */
static void measure_downtime(struct deploy *d, int64_t now_ms)
{
	bool served = deploy_stages_began_ms(d, "watch", "") != 0;
	int64_t since_ms = served ? deploy_stages_began_ms(d, "start", "revert")
				  : deploy_stages_began_ms(d, "stop", "apply");
	int64_t away_ms = now_ms - since_ms + (served && d->downtime_ms > 0 ? d->downtime_ms : 0);

	if (d->strategy == DEPLOY_RECREATE && since_ms && since_ms <= now_ms &&
		away_ms > d->downtime_ms)
		d->downtime_ms = away_ms;
}

/* The way it was on is at its end. */
static struct machine_step arrive(struct deploy *d, int64_t now_ms)
{
	if (d->state == DEPLOY_RETURNING && deploy_has_old(d))
		measure_downtime(d, now_ms);
	if (d->state != DEPLOY_REMOVING && d->state != DEPLOY_RETURNING)
		return end(d, DEPLOY_DONE, now_ms);
	return d->after == DEPLOY_QUEUED ? requeue(d) : end(d, d->after, now_ms);
}

static struct machine_step advance(
	struct deploy *d, const struct machine_stop *from, int64_t now_ms)
{
	const struct machine_stop *m = machine_path_next(d, from);

	if (from->state == DEPLOY_ROUTING)
		measure_downtime(d, now_ms);
	return m ? enter(d, m, now_ms) : arrive(d, now_ms);
}

static bool has_touched(const struct deploy *d)
{
	if (!deploy_has_old(d) && (d->state == DEPLOY_STARTING || d->state == DEPLOY_PROBING))
		return false;
	return deploy_state_touches(d->state, d->strategy);
}

static struct machine_step go_back(struct deploy *d, enum deploy_state after, int64_t now_ms)
{
	d->after = after;
	if (after == DEPLOY_FAILED && deploy_has_old(d))
		d->after = DEPLOY_ROLLED_BACK;
	return enter(d, machine_path_enter(d, DEPLOY_RETURNING), now_ms);
}

static struct machine_step remove_new(struct deploy *d, enum deploy_state after, int64_t now_ms)
{
	d->after = after;
	return enter(d, machine_path_enter(d, DEPLOY_REMOVING), now_ms);
}

/* From the forward way to `end_state`, failed or cancelled, by whatever has to be undone before. */
static struct machine_step give_up(struct deploy *d, enum deploy_state end_state, int64_t now_ms)
{
	d->failed_in = d->state;
	if (has_touched(d))
		return go_back(d, end_state, now_ms);
	if (d->state == DEPLOY_STARTING || d->state == DEPLOY_PROBING)
		return remove_new(d, end_state, now_ms);
	return end(d, end_state, now_ms);
}

static struct machine_step step_failed(
	struct deploy *d, const struct machine_stop *m, const char *why, int64_t now_ms)
{
	char general[64];

	(void)snprintf(general, sizeof(general), "%s failed", m->stage);
	if (!why || !*why)
		why = general;
	switch (m->state) {
	case DEPLOY_DRAINING:
		add_error(d, "not cleared away: %s", why);
		return advance(d, m, now_ms);
	case DEPLOY_REMOVING:
		add_error(d, "the new version could not be removed: %s", why);
		return advance(d, m, now_ms);
	case DEPLOY_RETURNING:
		if (m->flags & MACHINE_VITAL && deploy_has_old(d)) {
			add_error(d, "the old version could not be put back: %s", why);
			return end(d, DEPLOY_BROKEN, now_ms);
		}
		add_error(d, "the new version could not be taken away: %s", why);
		return advance(d, m, now_ms);
	default:
		add_error(d, "%s", why);
		return give_up(d, DEPLOY_FAILED, now_ms);
	}
}

static bool is_undoing(enum deploy_state s)
{
	return s == DEPLOY_DRAINING || s == DEPLOY_REMOVING || s == DEPLOY_RETURNING;
}

static struct machine_step step_again(
	struct deploy *d, const struct machine_stop *m, const char *why, int64_t now_ms)
{
	unsigned max = is_undoing(m->state) ? MACHINE_UNDO_ATTEMPTS_MAX : DEPLOY_ATTEMPTS_MAX;
	int64_t wait_ms = MACHINE_WAIT_MIN_MS;

	if (d->attempt >= max) {
		deploy_stages_end(d, "failed", now_ms);
		return step_failed(d, m, why, now_ms);
	}
	for (unsigned i = 1; i < d->attempt && wait_ms < MACHINE_WAIT_MAX_MS; i++)
		wait_ms *= 6;
	d->attempt++;
	deploy_stages_again(d);
	return (struct machine_step){.state = m->state,
		.stage = m->stage,
		.verb = m->verb,
		.wait_ms = wait_ms < MACHINE_WAIT_MAX_MS ? wait_ms : MACHINE_WAIT_MAX_MS};
}

static struct machine_step step_skipped(
	struct deploy *d, const struct machine_stop *m, const char *why, int64_t now_ms)
{
	if (!(m->flags & MACHINE_SKIP_ENDS))
		return advance(d, m, now_ms);
	if (has_touched(d))
		return step_failed(d, m, "start had nothing to do, but nothing runs", now_ms);
	if (why)
		add_error(d, "%s", why);
	return end(d, DEPLOY_SKIPPED, now_ms);
}

/* What came of the hook under way. */
static struct machine_step hook_ended(struct deploy *d, const struct machine_stop *m,
	enum machine_event ev, const char *why, int64_t now_ms)
{
	switch (ev) {
	case MACHINE_STEP_DONE:
		deploy_stages_end(d, "done", now_ms);
		return advance(d, m, now_ms);
	case MACHINE_STEP_SKIP:
		deploy_stages_end(d, "skipped", now_ms);
		return step_skipped(d, m, why, now_ms);
	case MACHINE_STEP_FAILED:
		deploy_stages_end(d, "failed", now_ms);
		return step_failed(d, m, why, now_ms);
	case MACHINE_STEP_AGAIN:
		return step_again(d, m, why, now_ms);
	default:
		return ignored;
	}
}

/* What came of the time it waits. */
static struct machine_step wait_ended(struct deploy *d, const struct machine_stop *m,
	enum machine_event ev, const char *why, int64_t now_ms)
{
	if (ev == (m->state == DEPLOY_WATCHING ? MACHINE_WATCH_OVER : MACHINE_DRAIN_OVER)) {
		deploy_stages_end(d, "done", now_ms);
		return advance(d, m, now_ms);
	}
	if (ev == MACHINE_UNHEALTHY && m->state == DEPLOY_WATCHING) {
		deploy_stages_end(d, "failed", now_ms);
		return step_failed(
			d, m, why ? why : "the new version did not stay healthy", now_ms);
	}
	return ignored;
}

/* Observers: how it ended is settled. */
static struct machine_step observers_ended(struct deploy *d, enum machine_event ev, int64_t now_ms)
{
	if (!*d->stage || ev > MACHINE_STEP_FAILED || ev == MACHINE_BEGIN)
		return ignored;
	deploy_stages_end(d,
		ev == MACHINE_STEP_DONE   ? "done"
		: ev == MACHINE_STEP_SKIP ? "skipped"
					  : "failed",
		now_ms);
	*d->stage = '\0';
	d->attempt = 0;
	return (struct machine_step){.state = d->state};
}

bool machine_can_cancel(const struct deploy *d)
{
	return !deploy_state_is_end(d->state) && !is_undoing(d->state);
}

static struct machine_step cancel(struct deploy *d, const char *why, int64_t now_ms)
{
	if (!machine_can_cancel(d))
		return ignored;
	deploy_stages_end(d, "cancelled", now_ms);
	add_error(d, "%s", why ? why : "cancelled");
	return give_up(d, DEPLOY_CANCELLED, now_ms);
}

struct machine_step machine_next(
	struct deploy *d, enum machine_event ev, const char *why, int64_t now_ms)
{
	const struct machine_stop *m;

	if (deploy_state_is_end(d->state))
		return observers_ended(d, ev, now_ms);
	if (ev == MACHINE_CANCEL)
		return cancel(d, why, now_ms);
	if (d->state == DEPLOY_QUEUED) {
		if (ev != MACHINE_BEGIN)
			return ignored;
		d->started_ms = now_ms;
		return enter(d, machine_path_enter(d, DEPLOY_FETCHING), now_ms);
	}
	m = machine_path_find(d);
	assert(m); /* machine_recover() saw to that */
	return m->verb ? hook_ended(d, m, ev, why, now_ms) : wait_ended(d, m, ev, why, now_ms);
}

/* The same step once more; a time to wait goes on. */
static struct machine_step go_on(struct deploy *d, int64_t now_ms)
{
	const struct machine_stop *m = machine_path_find(d);
	int64_t deadline_ms = d->deadline_ms;
	struct machine_step s;

	if (d->state == DEPLOY_QUEUED)
		return (struct machine_step){.state = d->state};
	deploy_stages_end(d, "interrupted", now_ms);
	/* Whoever undoes begins again: what was done may have been undone by what ended the agent. */
	if (!m || d->state == DEPLOY_REMOVING || d->state == DEPLOY_RETURNING)
		m = machine_path_enter(d, d->state);
	s = enter(d, m, now_ms);
	if (!m->verb && deadline_ms && deadline_ms - now_ms < s.wait_ms) {
		d->deadline_ms = deadline_ms;
		s.wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	}
	return s;
}

/* Under way when the agent ended: where to after it was undone. */
static enum deploy_state interrupted(struct deploy *d, bool may_requeue)
{
	if (d->state == DEPLOY_REMOVING || d->state == DEPLOY_RETURNING)
		return d->after == DEPLOY_QUEUED ? DEPLOY_FAILED : d->after;
	d->failed_in = d->state;
	if (may_requeue && d->requeued == 0)
		return DEPLOY_QUEUED;
	add_error(d, "the agent ended while it was %s%s", deploy_state_name(d->state),
		may_requeue ? ", for the second time" : "");
	return DEPLOY_FAILED;
}

struct machine_step machine_recover(struct deploy *d, enum recovery_what what, int64_t now_ms)
{
	enum deploy_state after;

	if (deploy_state_is_end(d->state)) { /* perhaps while its observers ran */
		deploy_stages_end(d, "interrupted", now_ms);
		*d->stage = '\0';
		return (struct machine_step){.state = d->state};
	}
	assert(what != RECOVERY_WAIT && what != RECOVERY_END);
	if (what == RECOVERY_GO_ON)
		return go_on(d, now_ms);
	after = interrupted(d, what != RECOVERY_RETURN);
	deploy_stages_end(d, "interrupted", now_ms);
	if (what == RECOVERY_RETURN)
		return go_back(d, after, now_ms);
	if (what == RECOVERY_REMOVE_AND_REQUEUE)
		return remove_new(d, after, now_ms);
	return after == DEPLOY_QUEUED ? requeue(d) : end(d, after, now_ms);
}
