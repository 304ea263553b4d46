/* SPDX-License-Identifier: Apache-2.0
 *
 * The operation deploy.env: variables of an app that are nobody's business. Names are answered, values never.
 */
#include <errno.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/deploy_daemon.h"
#include "agent/deploy_env.h"
#include "agent/deploy_events.h"
#include "agent/ops.h"
#include "agent/reply.h"
#include "base/log.h"

static void add_name(struct buf *to, const char *before, const char *name)
{
	buf_addf(to, "%s%s", to->len ? ", " : before, name);
}

/* Who changed what, for those who look later. That it cannot be noted undoes nothing. */
static void note(const struct control_call *c, const char *app, const char *what)
{
	char by[DEPLOY_TEXT_SIZE];
	struct err e;

	request_by(c, by, sizeof(by));
	if (notify_event(alerting_notify(c->daemon->alerting),
		    deploy_event_audit(app, NULL, what, by), &e) < 0)
		log_warning("variables of app %s: %s by %s: %s", app, what, by, e.msg);
}

static void note_changes(const struct control_call *c, const char *app)
{
	json_t *set = json_object_get(c->request, "set"), *value, *one;
	_cleanup_(buf_done) struct buf was_set = BUF_INIT(400), was_unset = BUF_INIT(400);
	const char *name;
	size_t i;

	json_object_foreach(set, name, value) add_name(&was_set, "variables set: ", name);
	json_array_foreach(json_object_get(c->request, "unset"), i, one)
		add_name(&was_unset, "variables unset: ", json_string_value(one));
	if (was_set.len)
		note(c, app, buf_str(&was_set));
	if (was_unset.len)
		note(c, app, buf_str(&was_unset));
}

/* What is of another kind would be passed over, and its sender believe it done. */
static int check_kinds(const struct control_call *c, struct err *e)
{
	const json_t *set = json_object_get(c->request, "set");
	const json_t *unset = json_object_get(c->request, "unset");

	if (set && !json_is_object(set))
		return err_set(e, EINVAL, "set must be an object of texts");
	if (unset && !json_is_array(unset))
		return err_set(e, EINVAL, "unset must be an array of names");
	return 0;
}

int op_deploy_env(const struct control_call *c, struct err *e)
{
	const struct deploy_app *app;
	json_t *names;
	int r = deploy_config_find(
		deploy_daemon_config(c->daemon->deploys), request_text(c, "app"), &app, e);

	if (r == 0)
		r = check_kinds(c, e);
	if (r == 0)
		r = deploy_env_change(c->daemon->state.path, app->name,
			json_object_get(c->request, "set"), json_object_get(c->request, "unset"),
			&names, e);
	if (r < 0)
		return r;
	note_changes(c, app->name);
	reply_json(c->reply, "names", names);
	json_decref(names);
	return 0;
}
