/* SPDX-License-Identifier: Apache-2.0
 *
 * After the agent, or the server, has ended in the middle: first all that hooks left running is ended, then each deploy
 * that was under way is looked at and goes on as recovery.h says, then the router's way to each app is looked at.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/deploys_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum { SWEEP_MS = 500, LOOK_AGAIN_MS = 5000 };

static void judged(struct deploys_work *w, enum recovery_what what)
{
	struct deploys *s = w->deploys;

	if (what == RECOVERY_WAIT) {
		(void)snprintf(w->waits_for, sizeof(w->waits_for),
			"which version serves cannot be seen: the hooks of route and start say so "
			"only when Docker and the router answer");
		loop_timer_after(w->timer, LOOK_AGAIN_MS);
		return;
	}
	w->recovering = w->found = false;
	deploys_say(w, w->d->stage, DEPLOYS_ENDED_HERE " (%s)",
		what == RECOVERY_GO_ON     ? "from where it was"
		: what == RECOVERY_RETURN  ? "back to the old version"
		: what == RECOVERY_REQUEUE ? "from the start"
					   : "from the start, without what was begun");
	deploys_take(w, machine_recover(w->d, what, clock_wall_ms()));
	deploys_kick(s); /* others may begin when all are seen */
}

/* What both say. A router that leads to a version which does not run leads nowhere; where there is no router, who runs
 * serves. */
static enum recovery_seen both(enum recovery_seen route, enum recovery_seen start)
{
	if (route == RECOVERY_UNKNOWN)
		return start;
	if (route == RECOVERY_NEW && start != RECOVERY_NEW)
		return RECOVERY_NEITHER;
	if (route == RECOVERY_OLD && start == RECOVERY_NEITHER)
		return RECOVERY_NEITHER;
	return route;
}

static void on_start_seen(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	enum recovery_seen seen = RECOVERY_UNKNOWN;

	if (v == HOOK_DONE || v == HOOK_SKIP)
		seen = both(w->route_seen, v == HOOK_DONE ? w->hooks.seen : w->route_seen);
	else
		log_warning("deploy %" PRId64 " of %s: %s", w->d->id, w->d->app, why);
	judged(w, recovery_judge(w->d->state, w->d->strategy, seen));
}

static void on_route_seen(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	if (v != HOOK_DONE && v != HOOK_SKIP) {
		log_warning("deploy %" PRId64 " of %s: %s", w->d->id, w->d->app, why);
		judged(w, RECOVERY_WAIT);
		return;
	}
	w->route_seen = v == HOOK_DONE ? w->hooks.seen : RECOVERY_UNKNOWN;
	deploys_run_hooks(w, "start", "status", on_start_seen);
}

void deploys_recover(struct deploys_work *w)
{
	struct err e = {""};

	w->recovering = true;
	if (!w->previous)
		w->previous = deploys_serving(w->deploys, w->d->app);
	if (deploys_make_folders(w, &e) < 0) /* hooks start in there, and it may be gone */
		log_warning("deploy %" PRId64 " of %s: %s", w->d->id, w->d->app, e.msg);
	if (!recovery_must_look(w->d->state))
		judged(w, recovery_judge(w->d->state, w->d->strategy, RECOVERY_UNKNOWN));
	else if (!deploys_app_of(w))
		judged(w, RECOVERY_GO_ON); /* no hooks to ask; the next step says so */
	else
		deploys_run_hooks(w, "route", "status", on_route_seen);
}

static void recover_all(struct deploys *s)
{
	for (struct deploys_work *w = s->works, *next; w; w = next) {
		next = w->next;
		if (w->found)
			deploys_recover(w);
	}
}

static void on_sweep(void *user)
{
	struct deploys *s = user;

	if (deploy_hook_run_sweep(s->o.runtime_dir, s->o.cgroup) > 0) {
		loop_timer_after(s->sweep, SWEEP_MS);
		return;
	}
	s->swept = true;
	deploys_tidy_all(s);
	recover_all(s);
	deploys_restore_begin(s);
	deploys_kick(s);
}

void deploys_recover_begin(struct deploys *s)
{
	s->sweep = loop_timer_new(s->o.loop, on_sweep, s);
	loop_timer_after(s->sweep, 0);
}
