/* SPDX-License-Identifier: Apache-2.0
 *
 * What people are told about deploys. Each event stands for itself: what became of which commit of whom, where and why it
 * failed, what the hooks said last, what serves now, for how long nothing served, how long each stage took. Pure.
 *
 * Stories: "deploy APP": a failure, ended by the next good deploy. Verdicts have a story of their own ("deploy APP verdict"):
 * a bad one is no failed deploy. A success is told as info; who does not want it has "!deploy.done" in a channel's events.
 * Notes of who did what ("audit.deploy") are listed with the events and sent to no channel that does not name them.
 */
#ifndef AGENT_DEPLOY_EVENTS_H
#define AGENT_DEPLOY_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "agent/deploy_config.h"
#include "deploy-hooks/deploy.h"
#include "notify/event.h"

struct deploy_event_facts {
	const struct deploy
		*serves; /* the deploy whose version serves now; NULL: none, or not known */
	const char *log_tail; /* the end of its log, whole lines; may be "" or NULL */
	int64_t story_ms; /* deploys of the app go badly since; 0: they do not */
	int64_t now_ms;
};

/* Of one that has ended; owned by the caller. NULL: nobody needs to hear (skipped, superseded, cancelled before it began).
 * `a` may be NULL: the app is not configured any more. */
struct event *deploy_event(
	const struct deploy *d, const struct deploy_app *a, const struct deploy_event_facts *f);
/* Since when deploys of the app go badly, before the deploy `id`: from runs as deploy_runs_list() gives them, newest first. The
 * time the oldest of the bad ones in a row ended; 0: the one before was good. Skipped, superseded and cancelled ones say
 * nothing. */
int64_t deploy_event_story_ms(const json_t *runs, int64_t id);
/* "Deploy 12 of shop: started by octocat (webhook)": `what` is "started", "cancelled", "rolled back". `d` NULL: of the app
 * alone, `what` is then "variables DB_URL, TOKEN set": "shop: variables DB_URL, TOKEN set by root". */
struct event *deploy_event_audit(
	const char *app, const struct deploy *d, const char *what, const char *by);

#endif
