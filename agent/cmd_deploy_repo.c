/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent deploy repo`: a repository to push an app to.
 */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "agent/cmd.h"
#include "agent/deploy_config.h"
#include "agent/deploy_folders.h"
#include "agent/deploy_repo.h"
#include "agent/json_view.h"
#include "base/str.h"

/* That of the list, borrowed; NULL after the reason was printed. */
static const json_t *app_named(const json_t *apps, const char *name)
{
	const json_t *app;
	size_t i;
	struct err e;

	json_array_foreach(apps, i, app)
	{
		const char *one = json_view_text(app, "name");

		if (one && strcmp(one, name) == 0)
			return app;
	}
	(void)cmd_fail(
		err_set(&e, ENOENT, "there is no app \"%s\" (agent deploy lists them)", name), &e);
	return NULL;
}

/* Who it belongs to is who runs the agent: both write into it. */
static int check_user(const char *state_dir, struct err *e)
{
	const struct passwd *owner;
	struct stat st;

	if (stat(state_dir, &st) < 0)
		return err_sys(e, "%s", state_dir);
	if (st.st_uid == geteuid())
		return 0;
	owner = getpwuid(st.st_uid);
	return err_set(e, EPERM,
		"the repository has to belong to the user %s, who runs the agent: run this as that "
		"user",
		owner ? owner->pw_name : "who owns the state folder");
}

static int check_source(const json_t *app, const char *path, struct err *e)
{
	const char *name = json_view_text(app, "name"), *source = json_view_text(app, "source");

	if (json_is_true(json_object_get(app, "pushed")) || strcmp(source, path) == 0)
		return 0;
	if (*source)
		return err_set(e, EINVAL,
			"%s is deployed from %s; take the option source out of the configuration "
			"to push to this server instead",
			name, source);
	return err_set(e, EINVAL, "%s is deployed from images, not from a source", name);
}

/* "ssh://root@vps1/var/lib/agent/repos/shop.git" */
static char *remote_of(const char *path)
{
	const struct passwd *me = getpwuid(geteuid());
	struct utsname u;

	return str_format("ssh://%s@%s%s", me ? me->pw_name : "root",
		uname(&u) == 0 ? u.nodename : "localhost", path);
}

static int print_words(const struct deploy_repo *r, const char *remote, bool made)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(8192);

	buf_addf(&b,
		"%s %s\n\n"
		"Where the source is:\n\n"
		"  git remote add live %s\n"
		"  git push live HEAD:%s\n\n"
		"The push shows the deploy and fails when it fails. For a key that can push here "
		"and "
		"nothing else,\n"
		"in ~/.ssh/authorized_keys of this server:\n\n"
		"  restrict,command=\"git-receive-pack '%s'\" ssh-ed25519 AAAA...\n",
		made ? "Made" : "It is there already:", r->path, remote, r->branch, r->path);
	return cmd_print(&b);
}

static int print(const struct command_call *c, const struct deploy_repo *r, bool made)
{
	_cleanup_(free_p) char *remote = remote_of(r->path);
	json_t *out;
	int result;

	if (!c->flags[FLAG_JSON])
		return print_words(r, remote, made);
	out = json_pack("{s:s, s:s, s:s, s:s, s:b}", "app", r->app, "branch", r->branch, "path",
		r->path, "remote", remote, "made", made);
	result = cmd_print_json(out);
	json_decref(out);
	return result;
}

static int make(const struct command_call *c, const json_t *app, const char *state_dir)
{
	_cleanup_(free_p) char *path = deploy_config_repository(state_dir, c->args[0]);
	_cleanup_(free_p) char *program = deploy_own_program();
	_cleanup_(free_p) char *hooks = deploy_shipped_hooks();
	const struct deploy_repo r = {.path = path,
		.app = c->args[0],
		.branch = json_view_text(app, "branch"),
		.program = program ? program : "agent",
		.state_dir = state_dir,
		.hooks = hooks};
	bool made = false;
	struct err e;
	int result = check_source(app, path, &e);

	if (result == 0)
		result = check_user(state_dir, &e);
	if (result == 0)
		result = deploy_repo_make(&r, &made, &e);
	return result < 0 ? cmd_fail(result, &e) : print(c, &r, made);
}

int cmd_deploy_repo(const struct command_call *c)
{
	_cleanup_(free_p) char *given = command_state_dir(c);
	_cleanup_(free_p) char *state_dir = NULL;
	const json_t *app;
	json_t *reply;
	int r;

	if (c->n_args == 0)
		return cmd_usage(c, "which app? Its name (agent deploy)");
	r = cmd_ask(c, json_pack("{s:s}", "op", "deploy.apps"), &reply);
	if (r != 0)
		return r;
	state_dir = realpath(given, NULL); /* the agent runs there */
	app = app_named(json_object_get(reply, "apps"), c->args[0]);
	r = app && state_dir ? make(c, app, state_dir) : COMMAND_FAILED;
	json_decref(reply);
	return r;
}
