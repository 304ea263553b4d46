/* SPDX-License-Identifier: Apache-2.0
 *
 * The watch window: the new version gets the requests, and must stay healthy, by its probe and by what is measured of
 * its container.
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/deploys_internal.h"
#include "base/clock.h"

enum {
	UNHEALTHY_MAX = 2, /* one answer may get lost on a busy server */
	PROBE_AGAIN_MS = 1000,
	VITALS_MS = 250, /* of a container that dies nobody should see much */
};

/* When its probe is asked again. */
static void probe_later(struct deploys_work *w)
{
	int64_t left_ms = w->d->deadline_ms - clock_wall_ms();
	int64_t wait_ms = w->unhealthy ? PROBE_AGAIN_MS : DEPLOYS_PROBE_MS;

	if (!w->unhealthy && left_ms < wait_ms)
		wait_ms = left_ms > 0 ? left_ms : 0;
	w->probe_at_ms = clock_mono_ms() + wait_ms;
	loop_timer_after(w->timer, wait_ms < VITALS_MS ? wait_ms : VITALS_MS);
}

static struct deploys_vitals vitals_of(const struct deploys_work *w)
{
	const struct deploys_options *o = &w->deploys->o;
	struct deploys_vitals v = {.known = false};

	if (o->vitals && *w->d->new.container)
		o->vitals(o->user, w->d->app, w->d->new.container, &v);
	return v;
}

static bool is_bad(const struct deploys_work *w, char *why, size_t size)
{
	struct deploys_vitals now = vitals_of(w);

	if (!now.known || !w->begun.known)
		return false;
	if (now.oom_kills > w->begun.oom_kills)
		(void)snprintf(why, size, "the new version ran out of memory");
	else if (now.restarts > w->begun.restarts)
		(void)snprintf(why, size, "the new version was restarted (%" PRIu64 " times)",
			now.restarts - w->begun.restarts);
	else if (w->begun.running && !now.running)
		(void)snprintf(why, size, "the new version has stopped");
	else
		return false;
	return true;
}

static void on_probed(struct deploys_work *w, enum hook_verdict v, const char *why)
{
	bool healthy = v == HOOK_DONE || v == HOOK_SKIP;

	if (w->cancelled_by) {
		deploys_event(w, MACHINE_CANCEL, w->cancelled_by);
		return;
	}
	w->unhealthy = healthy ? 0 : w->unhealthy + 1;
	if (w->unhealthy >= UNHEALTHY_MAX)
		deploys_event(w, MACHINE_UNHEALTHY, why);
	else if (healthy && clock_wall_ms() >= w->d->deadline_ms)
		deploys_event(w, MACHINE_WATCH_OVER, NULL);
	else
		probe_later(w);
}

void deploys_watch_look(struct deploys_work *w)
{
	char why[200];

	if (is_bad(w, why, sizeof(why))) {
		deploys_say(w, "watch", "%s", why);
		deploys_event(w, MACHINE_UNHEALTHY, why);
		return;
	}
	if (!w->begun.known)
		w->begun = vitals_of(w); /* it was too young to be measured */
	if (clock_mono_ms() < w->probe_at_ms)
		loop_timer_after(w->timer, VITALS_MS);
	else
		deploys_run_hooks(w, "probe", "status", on_probed);
}

void deploys_watch_begin(struct deploys_work *w)
{
	w->unhealthy = 0;
	w->begun = vitals_of(w);
	probe_later(w);
}
