/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/alerting.h"
#include "agent/backup_daemon.h"
#include "agent/daemon_config.h"
#include "agent/daemon_parts.h"
#include "agent/deliveries_daemon.h"
#include "agent/deploy_daemon.h"
#include "agent/listen.h"
#include "agent/schema.h"
#include "agent/service_manager.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "collectors/expire.h"
#include "collectors/rrd_file.h"

enum { DAY_MS = 86400 * 1000, FIRST_EXPIRE_MS = 600 * 1000, FIRST_TRIM_MS = 30 * 1000 };

static void on_problem(void *user, const char *key, const char *text)
{
	(void)user;
	if (text)
		log_warning("%s: %s", key, text);
	else
		log_info("%s: in order again", key);
}

static void on_sample(void *user)
{
	struct daemon *d = user;

	control_push_sample(d->control);
}

static void on_collect(void *user)
{
	struct daemon *d = user;

	deploy_daemon_collect(d->deploys);
}

static void on_regular(void *user)
{
	struct daemon *d = user;

	deploy_daemon_before_sample(d->deploys);
	alerting_sample(d->alerting, d->registry, (int64_t)d->sampling.time * 1000);
	d->sampling.cost.alerts_firing =
		alerts_firing(notify_alerts(alerting_notify(d->alerting)), NULL);
	d->sampling.cost.messages_waiting = alerting_waiting(d->alerting);
}

static void on_gone(void *user, struct entity *e)
{
	struct daemon *d = user;

	alerting_gone(d->alerting, e);
}

/* The service manager ends and restarts a daemon whose loop no longer turns. */
static void on_watchdog(void *user)
{
	struct daemon *d = user;

	service_manager_tell("WATCHDOG=1");
	loop_timer_after(d->watchdog, service_manager_watchdog_ms());
}

static pid_t web_pid(void *user)
{
	const struct daemon *d = user;

	return d->web ? web_child_pid(d->web) : 0;
}

static void on_web_started(void *user, int control_fd)
{
	struct daemon *d = user;
	struct err e;

	if (control_add_web(d->control, control_fd, &e) < 0)
		log_error("web: %s", e.msg);
}

static void on_signal(void *user, int signo)
{
	struct daemon *d = user;
	_cleanup_(buf_done) struct buf changed = BUF_INIT(65536);
	_cleanup_(buf_done) struct buf mistakes = BUF_INIT(65536);

	if (signo != SIGHUP) {
		log_info("stopping");
		service_manager_tell("STOPPING=1");
		loop_stop(d->loop, 0);
		return;
	}
	service_manager_tell("RELOADING=1");
	if (daemon_reload(d, &changed, &mistakes) < 0)
		log_warning(
			"configuration not reloaded, the old one goes on: %s", buf_str(&mistakes));
	else
		log_info("configuration reloaded; changed: %s",
			changed.len ? buf_str(&changed) : "nothing");
	service_manager_tell("READY=1");
}

static void on_trim(void *user)
{
	(void)user;
	memory_trim();
}

static void on_daily(void *user)
{
	struct daemon *d = user;

	history_expire(d->rrd_path, rrd_layout_longest_seconds(&d->layout), d->catalogue,
		d->registry, d->problems, time(NULL));
	loop_timer_after(d->daily, DAY_MS);
}

/* What can be missing is a problem, shown until it is mended; the daemon measures all the same. */
static void open_state(struct daemon *d, struct err *e)
{
	int r;

	if (!d->state.writable)
		problem_set(d->problems, "state",
			"%s: nothing is kept: no history, a new token at each start", e->msg);
	r = tokens_load(&d->tokens, d->state.fd, e);
	if (r < 0)
		problem_set(d->problems, "tokens", "access tokens: %s", e->msg);
}

static int open_database(struct daemon *d, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("%s/state.db", d->state.path);
	int r = db_open(path, schema_migrations, schema_migrations_count, &d->db, e);

	if (r == DB_RECREATED)
		problem_set(d->problems, "database.broken", "%s", e->msg);
	if (r >= 0)
		return 0;
	problem_set(d->problems, "database", "%s: state is kept in memory until the next start",
		e->msg);
	r = db_open(":memory:", schema_migrations, schema_migrations_count, &d->db, e);
	return r < 0 ? r : 0;
}

static int64_t last_stored_wall_ms(const struct daemon *d)
{
	char name[RRD_NAME_MAX];
	_cleanup_(free_p) char *path = NULL;
	time_t last = 0;

	rrd_file_name(name, sizeof(name), &class_host, "host");
	path = str_format("%s/%s", d->rrd_path, name);
	return rrd_file_check(path, &class_host, &d->layout, &last, NULL) >= 0
		       ? (int64_t)last * 1000
		       : 0;
}

static int open_history(struct daemon *d, struct err *e)
{
	int r = catalogue_new(d->db, &d->catalogue, e);

	if (r < 0)
		return r;
	d->rrd_path = str_format("%s/rrd", d->state.path);
	if (store_new(d->rrd_path, &d->layout, d->problems, d->catalogue, &d->sampling.store, e) <
		0)
		problem_set(d->problems, "store.write", "history cannot be written: %s", e->msg);
	/* The web process works below this folder; without history any folder will do. */
	d->rrd_fd = fs_open_dir(AT_FDCWD, d->sampling.store ? d->rrd_path : "/", e);
	if (d->rrd_fd < 0)
		return d->rrd_fd;
	d->charts = charts_new(d->loop, d->rrd_fd, d->state.fd);
	return 0;
}

static int open_collectors(struct daemon *d, struct err *e)
{
	struct sampling *s = &d->sampling;
	int r = sampler_new("/", &d->collect_options, d->registry, d->problems, &s->sampler, e);

	if (r == 0)
		r = http_client_new(d->loop, &d->http, e);
	if (r == 0)
		r = daemon_open_containers(d, e);
	s->loop = d->loop;
	s->registry = d->registry;
	s->problems = d->problems;
	s->on_gone = on_gone;
	s->on_collect = on_collect;
	s->on_regular = on_regular;
	s->on_sample = on_sample;
	s->web_pid = web_pid;
	s->user = d;
	return r;
}

static int open_doors(struct daemon *d, char *address, size_t size, struct err *e)
{
	_cleanup_(free_p) char *path = str_format("%s/control.sock", d->state.path);
	int r = control_new(d->loop, d, &d->control, e);

	if (r < 0)
		return r;
	if (control_listen(d->control, path, e) < 0)
		problem_set(d->problems, "control", "the command line cannot reach the agent: %s",
			e->msg);
	d->listen_fd = listen_tcp(config_string(d->config, "listen"), address, size, e);
	return d->listen_fd < 0 ? d->listen_fd : 0;
}

static int build(
	struct daemon *d, const struct run_options *o, char *address, size_t size, struct err *e)
{
	int r = loop_new(&d->loop, e);

	if (r < 0)
		return r;
	d->problems = problems_new(on_problem, d);
	d->registry = registry_new();
	r = state_dir_open(o->state_dir, &d->state, e);
	if (r < 0)
		return r;
	open_state(d, e);
	host_info_read(&d->host);
	r = open_database(d, e);
	if (r == 0)
		r = open_history(d, e);
	if (r == 0)
		r = open_collectors(d, e);
	if (r == 0)
		r = alerting_new(d, &d->alerting, e);
	if (r == 0)
		r = backup_daemon_new(d, &d->backups, e);
	if (r == 0)
		r = deploy_daemon_new(d, &d->deploys, e);
	if (r == 0)
		r = deliveries_daemon_new(d, &d->deliveries, e);
	if (r == 0)
		r = open_doors(d, address, size, e);
	return r;
}

static void tear_down(struct daemon *d)
{
	web_child_free(d->web);
	d->web = NULL; /* samples are still taken while a run unwinds */
	update_check_free(d->update_check);
	loop_timer_free(d->daily);
	loop_timer_free(d->watchdog);
	loop_timer_free(d->trim);
	if (d->listen_fd >= 0)
		(void)close(d->listen_fd);
	deliveries_free(d->deliveries);
	deploy_daemon_free(d->deploys);
	/* A run that is ended is told, and its answer given. */
	backup_daemon_free(d->backups);
	/* A test that is under way gives its answer. */
	alerting_free(d->alerting);
	control_free(d->control);
	sampling_stop(&d->sampling);
	containers_free(d->sampling.containers);
	http_client_free(d->http);
	sampler_free(d->sampling.sampler);
	store_close(d->sampling.store, d->registry);
	charts_free(d->charts);
	if (d->rrd_fd >= 0)
		(void)close(d->rrd_fd);
	free(d->rrd_path);
	catalogue_free(d->catalogue);
	db_close(d->db);
	state_dir_close(&d->state);
	registry_free(d->registry);
	problems_free(d->problems);
	daemon_config_done(d);
	loop_free(d->loop);
}

/* The link for the first visit: with the token, in the part of the address that is never sent to
 * a server. */
static void print_link(const struct daemon *d, const char *address)
{
	char visible[80];

	listen_visible_address(address, visible, sizeof(visible));
	if (d->tokens.fresh)
		printf("agent " AGENT_VERSION ": open http://%s/#token=%s\n", visible,
			d->tokens.admin);
	else
		printf("agent " AGENT_VERSION
		       ": open http://%s/ (token: agent token show --state %s)\n",
			visible, d->state.path);
	(void)fflush(stdout);
}

static int run(struct daemon *d, const char *address, struct err *e)
{
	int r = web_child_new(
		d->loop, d->listen_fd, d->rrd_fd, d->problems, on_web_started, d, &d->web, e);

	if (r < 0)
		return r;
	loop_on_signal(d->loop, on_signal, d);
	d->update_check = update_check_new(d->loop, &d->updates);
	d->daily = loop_timer_new(d->loop, on_daily, d);
	loop_timer_after(d->daily, FIRST_EXPIRE_MS);
	d->trim = loop_timer_new(d->loop, on_trim, d);
	loop_timer_after(d->trim, FIRST_TRIM_MS);
	d->watchdog = loop_timer_new(d->loop, on_watchdog, d);
	if (service_manager_watchdog_ms() > 0)
		loop_timer_after(d->watchdog, service_manager_watchdog_ms());
	sampling_start(&d->sampling, last_stored_wall_ms(d));
	print_link(d, address);
	service_manager_tell("READY=1");
	return loop_run(d->loop, e);
}

int daemon_run(const struct run_options *o)
{
	struct daemon d = {.config_path = o->config_path,
		.listen = o->listen,
		.listen_fd = -1,
		.rrd_fd = -1,
		.state = {NULL, -1, -1, false}};
	char address[80];
	struct err e;
	int r;

	memory_setup();
	/* The web process, another user, reads the RRD files; what is secret is made with a mode
	 * of its own. */
	(void)umask(022);
	r = daemon_config_load(&d, &e);
	if (r == 0)
		r = build(&d, o, address, sizeof(address), &e);
	if (r == 0)
		r = run(&d, address, &e);
	if (r < 0)
		log_error("%s", e.msg);
	tear_down(&d);
	return r < 0 ? 1 : 0;
}
