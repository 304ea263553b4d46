/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/deploy_after.h"
#include "agent/deploy_cgroup_home.h"
#include "agent/deploy_events.h"
#include "agent/deploy_folders.h"
#include "agent/deploy_vitals.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum { LOG_TAIL_BYTES = 4096, LOG_READ_MAX = 512 * 1024, STORY_RUNS = 50 };

struct deploy_daemon {
	struct daemon *daemon;
	struct deploy_config *config;
	struct deploys *deploys;
	struct deploy_after *after;
	char *runtime_dir, *cgroup, *hooks; /* owned */
};

static void tell_change(void *user, const struct deploy *d)
{
	struct deploy_daemon *x = user;
	struct control *c = x->daemon->control;
	json_t *j, *message;

	if (!c)
		return;
	j = deploy_to_json(d);
	(void)json_object_del(j, "document");
	message = json_pack("{s:s, s:o}", "event", "deploy", "deploy", j);
	control_push_web_json(c, message);
	control_push_deploy(c, d->id, message);
	json_decref(message);
}

static void on_change(void *user, const struct deploy *d)
{
	struct deploy_daemon *x = user;

	tell_change(x, d);
	deploy_after_changed(x->after, d);
}

static void on_log(void *user, int64_t deploy, uint64_t size)
{
	struct deploy_daemon *x = user;
	struct control *c = x->daemon->control;
	json_t *message;

	if (!c)
		return;
	message = json_pack("{s:s, s:I, s:I}", "event", "deploy.log", "deploy", (json_int_t)deploy,
		"size", (json_int_t)size);
	control_push_web_json(c, message);
	control_push_deploy_log(c, deploy, message);
	json_decref(message);
}

static void send_event(struct deploy_daemon *x, struct event *ev)
{
	struct err e = {""};

	if (ev && notify_event(alerting_notify(x->daemon->alerting), ev, &e) < 0)
		log_warning("an event of a deploy is told to nobody: %s", e.msg);
}

/* Since when deploys of the app go badly. */
static int64_t story_of(struct deploy_daemon *x, const struct deploy *d)
{
	const struct deploy_runs_query q = {.app = d->app, .limit = STORY_RUNS};
	json_t *list;
	int64_t since_ms;

	if (deploys_list(x->deploys, &q, &list, NULL) < 0)
		return 0;
	since_ms = deploy_event_story_ms(list, d->id);
	json_decref(list);
	return since_ms;
}

/* What people hear of its end. */
static void tell_end(struct deploy_daemon *x, const struct deploy *d)
{
	_cleanup_(deploy_free_p) struct deploy *serves = deploys_serving(x->deploys, d->app);
	_cleanup_(buf_done) struct buf tail = BUF_INIT(LOG_READ_MAX);
	struct deploy_event_facts facts = {
		.serves = serves, .story_ms = story_of(x, d), .now_ms = clock_wall_ms()};

	deploys_log_tail(x->deploys, d, LOG_TAIL_BYTES, &tail);
	facts.log_tail = buf_str(&tail);
	log_info("deploy %" PRId64 " of %s: %s%s%s", d->id, d->app, deploy_state_name(d->state),
		*d->error ? ": " : "", d->error);
	send_event(x, deploy_event(d, deploy_config_app(x->config, d->app), &facts));
	if (d->state == DEPLOY_CANCELLED)
		send_event(x, deploy_event_audit(d->app, d, d->error, ""));
}

static void on_end(void *user, const struct deploy *d)
{
	struct deploy_daemon *x = user;

	/* A thousand pushes in a row are one deploy, and no thousand messages. */
	if (d->state != DEPLOY_SUPERSEDED && d->state != DEPLOY_SKIPPED)
		tell_end(x, d);
	deploy_after_ended(x->after, d);
}

static void read_vitals(
	void *user, const char *app, const char *container, struct deploys_vitals *out)
{
	const struct deploy_daemon *x = user;

	(void)app;
	deploy_vitals_read(x->daemon->sampling.containers, container, out);
}

static void read_room(void *user, int64_t *disk_bytes, int64_t *memory_bytes)
{
	const struct deploy_daemon *x = user;

	deploy_vitals_room(x->daemon->registry, x->daemon->state.path,
		config_string(x->daemon->config, "docker_root"), disk_bytes, memory_bytes);
}

void deploy_daemon_before_sample(struct deploy_daemon *x)
{
	deploy_vitals_silence(
		alerting_notify(x->daemon->alerting), x->deploys, x->config, clock_wall_ms());
}

void deploy_daemon_collect(struct deploy_daemon *x)
{
	deploy_after_collect(x->after);
}

int deploy_daemon_prepare(const struct config *c, struct deploy_config **out, struct mistakes *m)
{
	return deploy_config_new(c, out, m);
}

void deploy_daemon_take(struct deploy_daemon *x, struct deploy_config *c)
{
	deploy_config_use_state(c, x->daemon->state.path);
	deploys_configure(x->deploys, c);
	deploy_after_configure(x->after, c);
	deploy_config_free(x->config);
	x->config = c;
}

static int read_config(struct deploy_daemon *x, struct err *e)
{
	struct mistakes m = {NULL, 0, 0};
	int r = deploy_daemon_prepare(x->daemon->config, &x->config, &m);

	if (r == 0)
		deploy_config_use_state(x->config, x->daemon->state.path);
	for (size_t i = 0; i < m.n; i++)
		log_error("%s", m.list[i]);
	mistakes_done(&m);
	return r < 0 ? err_set(e, EINVAL,
			       "the configuration of apps has mistakes; nothing was started")
		     : 0;
}

/* systemd's RuntimeDirectory=, in memory; else below the state folder, and hooks with secrets get a folder in /dev/shm. */
static char *runtime_dir(const struct daemon *d)
{
	const char *given = getenv("RUNTIME_DIRECTORY");

	if (given && *given == '/' && !strchr(given, ':'))
		return str_format("%s/deploys", given);
	return str_format("%s/deploys/.run", d->state.path);
}

static void find_cgroup(struct deploy_daemon *x)
{
	struct err e = {""};

	if (deploy_cgroup_home(NULL, NULL, &x->cgroup, &e) == 0)
		containers_set_hooks_cgroup(x->daemon->sampling.containers, x->cgroup);
	else if (x->config->n_apps)
		log_info("deploys: hooks run without cgroups of their own, their memory is not "
			 "bounded: %s",
			e.msg);
}

int deploy_daemon_new(struct daemon *d, struct deploy_daemon **out, struct err *e)
{
	struct deploy_daemon *x = calloc(1, sizeof(*x));
	struct deploys_options o = {.loop = d->loop,
		.db = d->db,
		.problems = d->problems,
		.state_dir = d->state.path,
		.on_end = on_end,
		.on_change = on_change,
		.on_log = on_log,
		.vitals = read_vitals,
		.room = read_room,
		.user = x};
	int r;

	if (!x)
		abort();
	x->daemon = d;
	x->runtime_dir = runtime_dir(d);
	x->hooks = deploy_shipped_hooks();
	r = read_config(x, e);
	if (r == 0) {
		find_cgroup(x);
		o.runtime_dir = x->runtime_dir;
		o.shipped_hooks = x->hooks;
		o.cgroup = x->cgroup;
		r = deploys_new(&o, x->config, &x->deploys, e);
	}
	if (r == 0)
		r = deploy_after_new(d, x->deploys, x->config, tell_change, x, &x->after, e);
	if (r < 0) {
		deploy_daemon_free(x);
		return r;
	}
	*out = x;
	return 0;
}

void deploy_daemon_free(struct deploy_daemon *x)
{
	if (!x)
		return;
	deploy_after_free(x->after);
	x->after = NULL; /* hooks that are ended are told */
	deploys_free(x->deploys);
	deploy_config_free(x->config);
	free(x->runtime_dir);
	free(x->cgroup);
	free(x->hooks);
	free(x);
}

struct deploys *deploy_daemon_deploys(struct deploy_daemon *x)
{
	return x->deploys;
}

const struct deploy_config *deploy_daemon_config(const struct deploy_daemon *x)
{
	return x->config;
}
