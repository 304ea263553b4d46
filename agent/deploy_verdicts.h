/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives each deploy its verdict when it is due: ten minutes after its end, by the wall clock, so that a restart of the agent in
 * between changes nothing. Reads stored history (some milliseconds), writes the record, tells, and where a limit of the app is
 * exceeded and nothing newer is under way, has the old version put back.
 */
#ifndef AGENT_DEPLOY_VERDICTS_H
#define AGENT_DEPLOY_VERDICTS_H

#include "agent/deploy_config.h"
#include "agent/deploy_runs.h"
#include "base/err.h"
#include "base/loop.h"
#include "collectors/metric.h"
#include "collectors/rrd_series.h"
#include "deploy-hooks/deploy.h"
#include "notify/event.h"

struct deploy_verdicts;

struct deploy_verdicts_options {
	struct loop *loop;
	struct deploy_runs *runs;
	/* Stored values (rrd_file_fetch(), averages of all rows between the two times, seconds). -ENOENT: nothing is stored. May
	 * be NULL: nothing is known. */
	int (*history)(void *user, const struct entity_class *c, const char *key,
		const size_t *metrics, size_t n_metrics, int64_t from_s, int64_t to_s,
		struct rrd_series *out, struct err *e);
	/* Takes the event over. */
	int (*on_event)(void *user, struct event *ev, struct err *e);
	/* The record has its verdict; written already. */
	void (*on_change)(void *user, const struct deploy *d);
	/* deploys_rollback(app, 0, by, "rollback"). */
	int (*rollback)(void *user, const char *app, const char *by, struct err *e);
	void *user;
	int64_t after_ms; /* 0: DEPLOY_VERDICT_AFTER_MS; for tests */
};

/* The configuration is borrowed until the next deploy_verdicts_configure(). What is due from before a restart is looked for
 * once the loop turns. */
struct deploy_verdicts *deploy_verdicts_new(
	const struct deploy_verdicts_options *o, const struct deploy_config *c);
void deploy_verdicts_free(struct deploy_verdicts *v); /* NULL is fine */
void deploy_verdicts_configure(struct deploy_verdicts *v, const struct deploy_config *c);
/* It has ended, in whatever way. */
void deploy_verdicts_ended(struct deploy_verdicts *v, const struct deploy *d);

#endif
