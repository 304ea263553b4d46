/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/deploy_cgroup_home.h"
#include "agent/deploy_folders.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

struct deploy_daemon {
	struct daemon *daemon;
	struct deploy_config *config;
	struct deploys *deploys;
	char *runtime_dir, *cgroup, *hooks; /* owned */
};

static void on_change(void *user, const struct deploy *d)
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

static void on_end(void *user, const struct deploy *d)
{
	(void)user;
	log_info("deploy %lld of %s: %s%s%s", (long long)d->id, d->app, deploy_state_name(d->state),
		*d->error ? ": " : "", d->error);
}

int deploy_daemon_prepare(const struct config *c, struct deploy_config **out, struct mistakes *m)
{
	return deploy_config_new(c, out, m);
}

void deploy_daemon_take(struct deploy_daemon *x, struct deploy_config *c)
{
	deploy_config_use_state(c, x->daemon->state.path);
	deploys_configure(x->deploys, c);
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
	return str_format("%s/deploys/run", d->state.path);
}

static void find_cgroup(struct deploy_daemon *x)
{
	struct err e = {""};

	if (deploy_cgroup_home(NULL, NULL, &x->cgroup, &e) < 0 && x->config->n_apps)
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
