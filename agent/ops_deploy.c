/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations deploy.*, but for what webhooks bring: apps, deploys, their logs.
 */
#include <errno.h>
#include <string.h>

#include "agent/control.h"
#include "agent/daemon_parts.h"
#include "agent/deploy_daemon.h"
#include "agent/json_view.h"
#include "agent/ops.h"
#include "agent/reply.h"
#include "deploy-hooks/deploy_log.h"

enum {
	LIMIT = 50,
	TEXT_MAX = 16 * 1024 * 1024,
	LOG_TEXT_MAX = 256 * 1024, /* of one answer */
};

static struct deploys *deploys_of(const struct control_call *c)
{
	return deploy_daemon_deploys(c->daemon->deploys);
}

static const struct deploy_config *config_of(const struct control_call *c)
{
	return deploy_daemon_config(c->daemon->deploys);
}

/* NULL for what is absent. What is there and no text, or an empty one, is a mistake and not the default: it decides what is
 * deployed. */
static int optional(const struct control_call *c, const char *name, const char **out, struct err *e)
{
	const json_t *v = json_object_get(c->request, name);
	const char *s = json_string_value(v);

	if (v && !json_is_null(v) && (!s || !*s))
		return err_set(e, EINVAL, "%s is %s", name, s ? "empty" : "no text");
	*out = s;
	return 0;
}

static int app_named(const struct control_call *c, const char **out, struct err *e)
{
	*out = request_text(c, "app");
	return **out ? 0 : err_set(e, EINVAL, "app is missing: its name");
}

static int number_of(const struct control_call *c, int64_t *out, struct err *e)
{
	int r = request_int(c, "deploy", 1, INT64_MAX, 0, out, e);

	return r == 0 && !*out ? err_set(e, EINVAL, "deploy is missing: its number") : r;
}

/* Takes the value over. */
static void add_json(struct buf *b, const char *name, json_t *value)
{
	reply_json(b, name, value);
	json_decref(value);
}

int op_deploy_apps(const struct control_call *c, struct err *e)
{
	(void)e;
	add_json(c->reply, "apps", deploys_apps(deploys_of(c)));
	reply_int(c->reply, "running", (int64_t)deploys_running(deploys_of(c)));
	reply_int(c->reply, "max_builds", (int64_t)config_of(c)->max_builds);
	return 0;
}

int op_deploy_list(const struct control_call *c, struct err *e)
{
	struct deploy_runs_query q = {.app = NULL};
	const struct deploy_app *app;
	int64_t limit;
	json_t *list;
	int r = request_int(c, "limit", 1, DEPLOY_RUNS_LISTED_MAX, LIMIT, &limit, e);

	if (r == 0)
		r = request_int(c, "before", 1, INT64_MAX, 0, &q.before, e);
	if (r == 0)
		r = optional(c, "app", &q.app, e);
	if (r < 0)
		return r;
	q.limit = (size_t)limit;
	r = deploys_list(deploys_of(c), &q, &list, e);
	if (r < 0)
		return r;
	/* An app that was taken out of the configuration still has its history. */
	if (q.app && !json_array_size(list) &&
		deploy_config_find(config_of(c), q.app, &app, e) < 0) {
		json_decref(list);
		return -ENOENT;
	}
	add_json(c->reply, "deploys", list);
	return 0;
}

int op_deploy_get(const struct control_call *c, struct err *e)
{
	json_t *deploy;
	int64_t id;
	int r = number_of(c, &id, e);

	if (r == 0)
		r = deploys_get(deploys_of(c), id, &deploy, e);
	if (r == 0)
		add_json(c->reply, "deploy", deploy);
	return r;
}

static void add_accepted(const struct control_call *c, const struct deploys_accepted *a)
{
	reply_int(c->reply, "deploy", a->id);
	reply_int(c->reply, "superseded", a->superseded);
	reply_bool(c->reply, "duplicate", a->what == DEPLOYS_DUPLICATE);
}

/* The hook of a repository of ours says that it was a push. */
static int trigger_of(const struct control_call *c, const char **out, struct err *e)
{
	const char *asked = request_text(c, "trigger");

	*out = c->is_web ? "api" : "command";
	if (!*asked || strcmp(asked, *out) == 0)
		return 0;
	if (c->is_web || strcmp(asked, "push") != 0)
		return err_set(e, EINVAL, "trigger may be command or push");
	*out = "push";
	return 0;
}

int op_deploy_start(const struct control_call *c, struct err *e)
{
	char by[DEPLOY_TEXT_SIZE];
	struct deploys_request q = {.by = by};
	struct deploys_accepted accepted;
	int r = app_named(c, &q.app, e);

	if (r == 0)
		r = optional(c, "ref", &q.ref, e);
	if (r == 0)
		r = optional(c, "commit", &q.commit, e);
	if (r == 0)
		r = optional(c, "image", &q.image, e);
	if (r == 0)
		r = trigger_of(c, &q.trigger, e);
	if (r < 0)
		return r;
	request_by(c, by, sizeof(by));
	r = deploys_start(deploys_of(c), &q, &accepted, e);
	if (r == 0)
		add_accepted(c, &accepted);
	return r;
}

int op_deploy_rollback(const struct control_call *c, struct err *e)
{
	struct deploys_accepted accepted;
	char by[DEPLOY_TEXT_SIZE];
	const char *app;
	int64_t to;
	int r = app_named(c, &app, e);

	if (r == 0)
		r = request_int(c, "to", 1, INT64_MAX, 0, &to, e);
	if (r < 0)
		return r;
	request_by(c, by, sizeof(by));
	r = deploys_rollback(
		deploys_of(c), app, to, by, c->is_web ? "api" : "command", &accepted, e);
	if (r == 0)
		add_accepted(c, &accepted);
	return r;
}

static void on_cancelled(void *user, const struct deploy *d)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(TEXT_MAX);

	add_json(&b, "deploy", deploy_to_json(d));
	control_later_done(user, 0, NULL, &b);
}

int op_deploy_cancel(const struct control_call *c, struct err *e)
{
	struct control_later *later;
	char by[DEPLOY_TEXT_SIZE];
	int64_t id;
	int r = number_of(c, &id, e);

	if (r < 0)
		return r;
	later = control_later(c, e);
	if (!later)
		return -EAGAIN;
	request_by(c, by, sizeof(by));
	r = deploys_cancel(deploys_of(c), id, by, on_cancelled, later, e);
	if (r != 0)
		control_later_drop(later);
	if (r == DEPLOYS_CANCELLED)
		return op_deploy_get(c, e);
	return r < 0 ? r : CONTROL_LATER;
}

/* Nothing is logged any more: it has ended, and so have its observers. */
static bool is_over(const json_t *deploy)
{
	enum deploy_state s;

	return deploy_state_find(json_view_text(deploy, "state"), &s) == 0 &&
	       deploy_state_is_end(s) && !*json_view_text(deploy, "stage");
}

static int read_log(const struct control_call *c, const json_t *deploy, uint64_t offset,
	struct buf *text, struct err *e)
{
	_cleanup_(free_p) char *path = deploys_log_path(
		deploys_of(c), json_view_text(deploy, "app"), json_view_int(deploy, "id"));
	uint64_t next = offset;
	int r = deploy_log_read(path, offset, text, &next, e);

	/* It waits, or it is so old that its log is gone. */
	if (r < 0 && r != -ENOENT)
		return r;
	reply_text(c->reply, "text", buf_str(text));
	reply_int(c->reply, "next", (int64_t)next);
	return 0;
}

int op_deploy_log(const struct control_call *c, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LOG_TEXT_MAX);
	int64_t id, offset;
	json_t *deploy;
	int r = number_of(c, &id, e);

	if (r == 0)
		r = request_int(c, "offset", 0, INT64_MAX, 0, &offset, e);
	if (r == 0)
		r = deploys_get(deploys_of(c), id, &deploy, e);
	if (r < 0)
		return r;
	r = read_log(c, deploy, (uint64_t)offset, &text, e);
	if (r == 0)
		reply_bool(c->reply, "ended", !text.len && is_over(deploy));
	json_decref(deploy);
	return r;
}

int op_deploy_subscribe(const struct control_call *c, struct err *e)
{
	int64_t id;
	int r = request_int(c, "deploy", 1, INT64_MAX, 0, &id, e);

	if (r == 0)
		control_subscribe_deploy(c->peer, id);
	return r;
}

int op_deploy_unsubscribe(const struct control_call *c, struct err *e)
{
	(void)e;
	control_unsubscribe_deploy(c->peer);
	return 0;
}

int op_deploy_check(const struct control_call *c, struct err *e)
{
	int64_t problems = 0;
	json_t *stages, *one;
	const char *app;
	size_t i;
	int r = app_named(c, &app, e);

	if (r == 0)
		r = deploys_check(deploys_of(c), app, &stages, e);
	if (r < 0)
		return r;
	json_array_foreach(stages, i, one) problems += *json_view_text(one, "problem") != '\0';
	add_json(c->reply, "stages", stages);
	reply_int(c->reply, "problems", problems);
	return 0;
}
