/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/alerting.h"
#include "agent/backup_daemon.h"
#include "agent/daemon_parts.h"
#include "agent/deploy_daemon.h"
#include "base/log.h"

static int load(const struct daemon *d, struct config **out, struct mistakes *m)
{
	const struct config_override listen = {"listen", d->listen, "--listen"};

	return config_load(d->config_path, &listen, d->listen ? 1 : 0, out, m);
}

static enum log_level log_level_of(const struct config *c)
{
	static const enum log_level levels[] = {
		LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};

	return levels[config_choice(c, "log_level")];
}

/* Takes what can change while running. */
static void apply(struct daemon *d)
{
	const struct config *c = d->config;

	log_init(log_level_of(c), NULL);
	if (config_is_set(c, "timezone")) {
		(void)setenv("TZ", config_string(c, "timezone"), 1);
		tzset();
	}
	d->collect_options = (struct collect_options){
		.filesystems = config_patterns(c, "filesystems"),
		.disks = config_patterns(c, "disks"),
		.interfaces = config_patterns(c, "interfaces"),
		.updates = &d->updates,
		.network_filesystems = config_bool(c, "filesystems.network"),
	};
}

int daemon_config_load(struct daemon *d, struct err *e)
{
	struct mistakes m = {0};
	int r = load(d, &d->config, &m);

	for (size_t i = 0; i < m.n; i++)
		log_error("%s", m.list[i]);
	if (r < 0)
		r = err_set(e, EINVAL, "the configuration has %zu mistake%s; nothing was started",
			mistakes_count(&m), mistakes_count(&m) == 1 ? "" : "s");
	mistakes_done(&m);
	if (r < 0)
		return r;
	apply(d);
	d->layout = *config_layout(d->config);
	d->sampling.interval_ms = config_duration_ms(d->config, "interval");
	return 0;
}

void daemon_config_done(struct daemon *d)
{
	config_free(d->config);
	d->config = NULL;
}

static void container_options(const struct daemon *d, struct containers_options *o)
{
	const struct config *c = d->config;

	o->n_sockets = config_list(c, "container_sockets", &o->sockets);
	o->docker_root = config_string(c, "docker_root");
	o->podman_root = config_string(c, "podman_root");
	o->containers = config_patterns(c, "containers");
	o->services = config_patterns(c, "services");
}

int daemon_open_containers(struct daemon *d, struct err *e)
{
	const struct collect_ctx *x = sampler_context(d->sampling.sampler);
	struct containers_options o = {
		.root_fd = x->root_fd, .proc_fd = x->proc_fd, .sys_fd = x->sys_fd, .live = x->live};

	container_options(d, &o);
	return containers_new(d->loop, d->http, &o, d->problems, &d->sampling.containers, e);
}

struct change {
	struct buf *names;
	bool needs_restart;
	bool web;
};

static void add_change(void *user, const char *name)
{
	const struct option *o = options_find(&options_all, name);
	struct change *x = user;

	if (x->names->len)
		buf_addc(x->names, ',');
	buf_add_json_string(x->names, name);
	if (o && o->flags & OPTION_RESTART)
		x->needs_restart = true;
	/* What the web process asked for at its start. */
	if (strcmp(name, "hosts") == 0 || strcmp(name, "hostname") == 0)
		x->web = true;
}

int daemon_reload(struct daemon *d, struct buf *changed, struct buf *mistakes)
{
	struct change x = {.names = changed};
	struct config *old = d->config, *new = NULL;
	struct backup_config *backups = NULL;
	struct deploy_config *deploys = NULL;
	struct mistakes m = {0};
	int r = load(d, &new, &m);

	if (r == 0)
		r = backup_daemon_prepare(d, new, &backups, &m);
	if (r == 0)
		r = deploy_daemon_prepare(new, &deploys, &m);
	if (r == 0)
		r = alerting_reload(d->alerting, new, &m);
	for (size_t i = 0; i < m.n; i++)
		buf_addf(mistakes, i ? "; %s" : "%s", m.list[i]);
	mistakes_done(&m);
	if (r < 0) {
		backup_config_free(backups);
		deploy_config_free(deploys);
		config_free(new);
		return r;
	}
	(void)config_diff(old, new, add_change, &x);
	d->config = new;
	apply(d);
	backup_daemon_take(d->backups, backups);
	deploy_daemon_take(d->deploys, deploys);
	sampler_set_options(d->sampling.sampler, &d->collect_options);
	containers_set_patterns(d->sampling.containers, config_patterns(new, "containers"),
		config_patterns(new, "services"));
	config_free(old);
	if (x.needs_restart)
		problem_set(d->problems, "config.restart",
			"the configuration was reloaded; some changes need a restart of the agent: "
			"%s",
			buf_str(changed));
	if (x.web)
		control_tell_web(d->control, "config.changed");
	return 0;
}
