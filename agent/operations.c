/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of the control protocol, as CONTROL.md describes them.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/address.h"
#include "agent/alerting.h"
#include "agent/backup_daemon.h"
#include "agent/config_show.h"
#include "agent/daemon_config.h"
#include "agent/daemon_parts.h"
#include "agent/doctor.h"
#include "agent/entity_json.h"
#include "agent/operation.h"
#include "agent/ops.h"
#include "agent/sessions.h"
#include "base/str.h"

static const char *text_member(const struct control_call *c, const char *name)
{
	const char *s = json_string_value(json_object_get(c->request, name));

	return s ? s : "";
}

static void add_text(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, ",\"%s\":", name);
	buf_add_json_string(b, value);
}

static int op_auth_token(const struct control_call *c, struct err *e)
{
	enum role role = tokens_check(&c->daemon->tokens, text_member(c, "token"));

	if (role == ROLE_NONE)
		return err_set(e, EACCES, "wrong token");
	add_text(c->reply, "role", role_name(role));
	return 0;
}

static int op_config_reload(const struct control_call *c, struct err *e)
{
	_cleanup_(buf_done) struct buf changed = BUF_INIT(CONTROL_LINE_MAX);
	_cleanup_(buf_done) struct buf mistakes = BUF_INIT(CONTROL_LINE_MAX);
	int r = daemon_reload(c->daemon, &changed, &mistakes);

	if (r < 0)
		return err_set(e, EBADMSG, "nothing was changed: %s", buf_str(&mistakes));
	buf_addf(c->reply, ",\"changed\":[%s]", buf_str(&changed));
	return 0;
}

static int op_config_show(const struct control_call *c, struct err *e)
{
	(void)e;
	buf_adds(c->reply, ",\"settings\":");
	config_show_json(c->daemon->config, c->reply);
	return 0;
}

/* What the socket is bound to; what was asked for when it cannot be told. */
static void bound_address(const struct daemon *d, char *to, size_t size)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	if (getsockname(d->listen_fd, (struct sockaddr *)&a, &len) == 0)
		address_format(to, size, &a);
	else
		(void)str_copy(to, size, config_string(d->config, "listen"));
}

static int op_doctor(const struct control_call *c, struct err *e)
{
	const struct daemon *d = c->daemon;
	char address[80];
	const struct doctor_context x = {
		.state_dir = d->state.path,
		.config_path = d->config_path,
		.config = d->config,
		.problems = d->problems,
		.listening = address,
		.sender = notify_sender(alerting_notify(d->alerting)),
		.backups = backup_daemon_backups(d->backups),
	};

	(void)e;
	bound_address(d, address, sizeof(address));
	buf_adds(c->reply, ",\"checks\":");
	doctor_json(&x, c->reply);
	return 0;
}

static void add_archives(struct buf *b, const struct rrd_layout *l)
{
	buf_adds(b, ",\"archives\":[");
	for (size_t i = 0; i < l->n_archives; i++)
		buf_addf(b, "%s{\"row_seconds\":%" PRId64 ",\"span_seconds\":%" PRId64 "}",
			i ? "," : "", l->archives[i].row_seconds, l->archives[i].span_seconds);
	buf_addc(b, ']');
}

static int op_hello(const struct control_call *c, struct err *e)
{
	const struct daemon *d = c->daemon;
	const char *const *hosts;
	size_t n = config_list(d->config, "hosts", &hosts);

	(void)e;
	add_text(c->reply, "version", AGENT_VERSION);
	add_text(c->reply, "hostname", config_string(d->config, "hostname"));
	buf_adds(c->reply, ",\"hosts\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(c->reply, ',');
		buf_add_json_string(c->reply, hosts[i]);
	}
	buf_addf(c->reply, "],\"interval_ms\":%" PRId64, d->sampling.interval_ms);
	add_archives(c->reply, &d->layout);
	buf_addf(c->reply, ",\"max_connections\":%" PRId64,
		config_int(d->config, "max_connections"));
	return 0;
}

static void add_counts(struct buf *b, const struct registry *r)
{
	buf_adds(b, ",\"counts\":{");
	for (size_t i = 0; entity_classes[i]; i++) {
		size_t n = 0;

		for (const struct entity *e = registry_first(r); e; e = e->next)
			n += e->class == entity_classes[i];
		buf_addf(b, "%s\"%s\":%zu", i ? "," : "", entity_classes[i]->name, n);
	}
	buf_addc(b, '}');
}

static void add_problems(struct buf *b, const struct problems *p)
{
	buf_adds(b, ",\"problems\":[");
	for (size_t i = 0; i < problems_count(p); i++) {
		const struct problem *one = problems_at(p, i);

		buf_adds(b, i ? ",{\"key\":" : "{\"key\":");
		buf_add_json_string(b, one->key);
		add_text(b, "text", one->text);
		buf_addf(b, ",\"since\":%lld}", (long long)one->since);
	}
	buf_addc(b, ']');
}

static int op_host(const struct control_call *c, struct err *e)
{
	const struct daemon *d = c->daemon;
	const struct host_info *h = &d->host;
	struct buf *b = c->reply;

	(void)e;
	add_text(b, "hostname", config_string(d->config, "hostname"));
	add_text(b, "version", AGENT_VERSION);
	buf_addf(b, ",\"time\":%lld,\"interval_seconds\":", (long long)d->sampling.time);
	buf_add_json_number(b, (double)d->sampling.interval_ms / 1000);
	add_text(b, "os", h->os);
	add_text(b, "kernel", h->kernel);
	add_text(b, "architecture", h->architecture);
	add_text(b, "cpu_model", h->cpu_model);
	add_text(b, "cpu_vendor", h->cpu_vendor);
	buf_addf(b, ",\"cpu_cores\":%d,\"cpu_physical_cores\":%d,\"cpu_mhz\":", h->cpu_cores,
		h->cpu_physical_cores);
	buf_add_json_number(b, h->cpu_mhz);
	buf_addf(b, ",\"boot_time\":%" PRId64, h->boot_time);
	add_text(b, "cgroup", containers_cgroup_mode(d->sampling.containers));
	add_archives(b, &d->layout);
	add_counts(b, d->registry);
	add_problems(b, d->problems);
	return 0;
}

static bool flag(const struct control_call *c, const char *name)
{
	return json_is_true(json_object_get(c->request, name));
}

static int op_latest(const struct control_call *c, struct err *e)
{
	const struct daemon *d = c->daemon;
	const struct entity_json_options o = {.totals = flag(c, "totals"), .missing = true};

	if (!d->sampling.time)
		return err_set(e, EAGAIN, "the first sample is not complete yet");
	buf_addf(c->reply, ",\"time\":%lld,", (long long)d->sampling.time);
	entity_json_add_all(
		c->reply, d->registry, c->request, &o, flag(c, "gone") ? d->catalogue : NULL);
	return 0;
}

static int op_sample_subscribe(const struct control_call *c, struct err *e)
{
	(void)e;
	control_subscribe(c->peer, c->request);
	return 0;
}

static int op_sample_unsubscribe(const struct control_call *c, struct err *e)
{
	(void)e;
	control_unsubscribe(c->peer);
	return 0;
}

static int op_session_check(const struct control_call *c, struct err *e)
{
	enum role role;
	int r = session_check(c->daemon->db, text_member(c, "session"), time(NULL), &role, e);

	if (r < 0)
		return r;
	if (role == ROLE_NONE)
		return err_set(e, EACCES, "the session has ended");
	add_text(c->reply, "role", role_name(role));
	return 0;
}

static int op_session_end(const struct control_call *c, struct err *e)
{
	int r = session_end(c->daemon->db, text_member(c, "session"), e);

	control_tell_web(c->daemon->control, "auth.changed");
	return r;
}

static int op_session_new(const struct control_call *c, struct err *e)
{
	enum role role = role_from(text_member(c, "role"));
	char id[SESSION_ID_SIZE];
	int64_t now = time(NULL);
	int r;

	if (role == ROLE_NONE)
		return err_set(e, EINVAL, "role must be admin or viewer");
	r = session_new(c->daemon->db, role, now, id, e);
	if (r < 0)
		return r;
	add_text(c->reply, "session", id);
	buf_addf(c->reply, ",\"expires\":%" PRId64, now + SESSION_SECONDS);
	return 0;
}

/* The role named in the request; admin when none is. */
static int token_role(const struct control_call *c, enum role *out, struct err *e)
{
	const char *name = text_member(c, "role");

	*out = *name ? role_from(name) : ROLE_ADMIN;
	return *out == ROLE_NONE ? err_set(e, EINVAL, "role must be admin or viewer") : 0;
}

static int op_token_show(const struct control_call *c, struct err *e)
{
	enum role role;
	int r = token_role(c, &role, e);

	if (r < 0)
		return r;
	/* Whoever owns the state folder may see it; a browser never needs to. */
	if (c->is_web)
		return err_set(e, EACCES, "tokens are shown on the command line only");
	add_text(c->reply, "token", tokens_get(&c->daemon->tokens, role));
	return 0;
}

static int op_token_rotate(const struct control_call *c, struct err *e)
{
	enum role role;
	int r = token_role(c, &role, e);

	if (r == 0 && c->is_web)
		r = err_set(e, EACCES, "tokens are changed on the command line only");
	if (r == 0)
		r = session_end_role(c->daemon->db, role, e);
	if (r == 0)
		r = tokens_rotate(&c->daemon->tokens, role, c->daemon->state.fd, e);
	if (r < 0)
		return r;
	control_tell_web(c->daemon->control, "auth.changed");
	add_text(c->reply, "token", tokens_get(&c->daemon->tokens, role));
	return 0;
}

const struct operation operations[] = {
	{"alerts.ack", ROLE_ADMIN, false, op_alerts_ack},
	{"alerts.list", ROLE_VIEWER, false, op_alerts_list},
	{"alerts.rules", ROLE_VIEWER, false, op_alerts_rules},
	{"alerts.silence", ROLE_ADMIN, false, op_alerts_silence},
	{"alerts.silences", ROLE_VIEWER, false, op_alerts_silences},
	{"alerts.unsilence", ROLE_ADMIN, false, op_alerts_unsilence},
	{"auth.token", ROLE_NONE, true, op_auth_token},
	{"backup.cancel", ROLE_ADMIN, false, op_backup_cancel},
	{"backup.jobs", ROLE_VIEWER, false, op_backup_jobs},
	{"backup.list", ROLE_VIEWER, false, op_backup_list},
	{"backup.report", ROLE_ADMIN, false, op_backup_report},
	{"backup.run", ROLE_VIEWER, false, op_backup_run},
	{"backup.runs", ROLE_VIEWER, false, op_backup_runs},
	{"backup.start", ROLE_ADMIN, false, op_backup_start},
	{"backup.subscribe", ROLE_VIEWER, false, op_backup_subscribe},
	{"backup.unsubscribe", ROLE_VIEWER, false, op_backup_unsubscribe},
	{"chart.render", ROLE_NONE, false, op_chart_render},
	{"config.reload", ROLE_ADMIN, false, op_config_reload},
	{"config.show", ROLE_ADMIN, false, op_config_show},
	{"deploy.apps", ROLE_VIEWER, false, op_deploy_apps},
	{"deploy.cancel", ROLE_ADMIN, false, op_deploy_cancel},
	{"deploy.check", ROLE_ADMIN, false, op_deploy_check},
	{"deploy.deliver", ROLE_NONE, true, op_deploy_deliver},
	{"deploy.env", ROLE_ADMIN, false, op_deploy_env},
	{"deploy.get", ROLE_VIEWER, false, op_deploy_get},
	{"deploy.list", ROLE_VIEWER, false, op_deploy_list},
	{"deploy.log", ROLE_VIEWER, false, op_deploy_log},
	{"deploy.refused", ROLE_ADMIN, false, op_deploy_refused},
	{"deploy.rollback", ROLE_ADMIN, false, op_deploy_rollback},
	{"deploy.start", ROLE_ADMIN, false, op_deploy_start},
	{"deploy.subscribe", ROLE_VIEWER, false, op_deploy_subscribe},
	{"deploy.target", ROLE_NONE, true, op_deploy_target},
	{"deploy.turned_away", ROLE_NONE, true, op_deploy_turned_away},
	{"deploy.unsubscribe", ROLE_VIEWER, false, op_deploy_unsubscribe},
	{"doctor", ROLE_ADMIN, false, op_doctor},
	{"events.list", ROLE_VIEWER, false, op_events_list},
	{"hello", ROLE_NONE, true, op_hello},
	{"host", ROLE_VIEWER, false, op_host},
	{"latest", ROLE_VIEWER, false, op_latest},
	{"notify.channels", ROLE_VIEWER, false, op_notify_channels},
	{"notify.log", ROLE_VIEWER, false, op_notify_log},
	{"notify.send", ROLE_ADMIN, false, op_notify_send},
	{"notify.test", ROLE_ADMIN, false, op_notify_test},
	{"sample.subscribe", ROLE_VIEWER, false, op_sample_subscribe},
	{"sample.unsubscribe", ROLE_VIEWER, false, op_sample_unsubscribe},
	{"session.check", ROLE_NONE, true, op_session_check},
	{"session.end", ROLE_NONE, true, op_session_end},
	{"session.new", ROLE_NONE, true, op_session_new},
	{"token.rotate", ROLE_ADMIN, false, op_token_rotate},
	{"token.show", ROLE_ADMIN, false, op_token_show},
	{NULL, ROLE_NONE, false, NULL},
};
