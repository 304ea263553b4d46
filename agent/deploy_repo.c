/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_repo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

enum { GIT_MS = 60 * 1000, CONFIG_MAX = 16 * 1024 };

struct running {
	struct loop *loop;
	struct err *e;
};

static void on_git(void *user, const struct child_result *res)
{
	const struct running *r = user;
	char how[64];
	int result = 0;

	child_describe(how, sizeof(how), res->status);
	if (res->timed_out || res->status != 0)
		result = err_set(
			r->e, EIO, "git init: %s: %.*s", how, (int)res->output_len, res->output);
	loop_stop(r->loop, result);
}

/* No template: what an administrator puts there is for people's repositories. */
static int init(const char *path, struct err *e)
{
	_cleanup_(loop_free_p) struct loop *loop = NULL;
	const char *const argv[] = {"git", "init", "--quiet", "--bare", "--template=", path, NULL};
	const struct child_options o = {.argv = argv,
		.deadline_ms = GIT_MS,
		.output_max = 400,
		.pass_fd = -1,
		.umask = 077};
	struct running r = {NULL, e};
	struct child *child;
	int result = loop_new(&loop, e);

	if (result < 0)
		return result;
	r.loop = loop;
	result = child_start(loop, &o, on_git, &r, &child, e);
	return result < 0 ? result : loop_run(loop, e);
}

/* A value of a file of git: quoted, as git-config(1) says. */
static void add_setting(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "\t%s = \"", name);
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *p);
	}
	buf_adds(b, "\"\n");
}

static int write_config(const struct deploy_repo *r, struct err *e)
{
	_cleanup_(free_p) char *file = str_format("%s/config", r->path);
	_cleanup_(free_p) char *hooks = str_format("%s/repository", r->hooks);
	_cleanup_(buf_done) struct buf b = BUF_INIT(CONFIG_MAX);

	buf_adds(&b, "# Written by `agent deploy repo`, which writes it anew.\n"
		     "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n");
	add_setting(&b, "hooksPath", hooks);
	/* Old histories have these, and they do no harm. */
	buf_adds(&b, "[receive]\n\tprocReceiveRefs = refs\n\tfsckObjects = true\n"
		     "[receive \"fsck\"]\n\tbadTimezone = warn\n\tmissingSpaceBeforeDate = warn\n"
		     "\tzeroPaddedFilemode = warn\n[agent]\n");
	add_setting(&b, "app", r->app);
	add_setting(&b, "branch", r->branch);
	add_setting(&b, "program", r->program);
	add_setting(&b, "state", r->state_dir);
	if (b.overflow)
		return err_set(e, ENAMETOOLONG, "the paths of %s are too long", r->path);
	return fs_write_atomic(AT_FDCWD, file, buf_str(&b), b.len, 0600, e);
}

/* What a clone checks out. */
static int write_head(const struct deploy_repo *r, struct err *e)
{
	_cleanup_(free_p) char *file = str_format("%s/HEAD", r->path);
	_cleanup_(free_p) char *text = str_format("ref: refs/heads/%s\n", r->branch);

	return fs_write_atomic(AT_FDCWD, file, text, strlen(text), 0600, e);
}

static int check_hook(const struct deploy_repo *r, struct err *e)
{
	_cleanup_(free_p) char *hook = str_format("%s/repository/proc-receive", r->hooks);

	/* Without it git would take every push and nothing would be deployed. */
	if (access(hook, X_OK) < 0)
		return err_sys(e, "the hook of the repository, %s, is not there", hook);
	return 0;
}

int deploy_repo_make(const struct deploy_repo *r, bool *made, struct err *e)
{
	_cleanup_(free_p) char *parent = str_dup(r->path);
	_cleanup_(free_p) char *objects = str_format("%s/objects", r->path);
	bool is_new = access(objects, F_OK) < 0;
	int result = check_hook(r, e);

	*strrchr(parent, '/') = '\0';
	if (result == 0)
		result = fs_mkdirs(parent, 0700, e);
	if (result == 0)
		result = init(r->path, e);
	if (result == 0)
		result = write_config(r, e);
	if (result == 0)
		result = write_head(r, e);
	if (result == 0)
		*made = is_new;
	return result;
}
