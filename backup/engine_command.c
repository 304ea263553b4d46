/* SPDX-License-Identifier: Apache-2.0
 *
 * Any program's stdout is the backup, and another one's stdin the restore. Nothing is known of what is in it: at least one byte,
 * or job->min_bytes, is all that can be asked for.
 */
#include "backup/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

static int check_job(const struct job *j, struct err *e)
{
	if (!j->command.n)
		return err_set(e, EINVAL, "command: engine command needs it");
	if (j->database.n)
		return err_set(e, EINVAL, "database: engine command has none");
	if (j->path || j->volume)
		return err_set(
			e, EINVAL, "%s: engine command has none", j->path ? "path" : "volume");
	return 0;
}

static int probe(const struct engine_call *c, struct engine_info *out, struct err *e)
{
	const char *program = c->job->command.items[0];

	if (!place_has(c->place, program))
		return err_set(
			e, ENOENT, "%s: no such program on %s", program, place_title(c->place));
	out->members = calloc(1, sizeof(*out->members));
	if (!out->members)
		abort();
	(void)str_copy(out->members[0].title, sizeof(out->members[0].title), "output");
	out->members[0].format = &format_raw;
	out->n_members = 1;
	return 0;
}

/* The password of the job, when there is one, is in the environment as BACKUP_PASSWORD. */
static void make_env(const struct engine_call *c, const char *env[2], char **entry)
{
	env[0] = env[1] = NULL;
	if (!c->password)
		return;
	place_hide(c->password);
	*entry = str_format("BACKUP_PASSWORD=%s", c->password);
	env[0] = *entry;
}

static int dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	_cleanup_(free_p) char *entry = NULL;
	const char *env[2];
	struct place_command command = {
		.argv = c->job->command.items, .env = env, .user = c->job->user};

	(void)m;
	make_env(c, env, &entry);
	return place_source(c->place, &command, out, e);
}

static int restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	if (!c->job->restore_command.n)
		return err_set(e, EINVAL,
			"restore_command: it is not set; the backup can be written to a file "
			"(--to)");
	if (r->into)
		return err_set(e, EINVAL, "engine command restores by its restore_command alone");
	buf_addf(text,
		"%s on %s will be given the backup; what it does with what is there is up to it",
		c->job->restore_command.items[0], place_title(c->place));
	*destructive = true;
	return 0;
}

static int restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	struct buf text = BUF_INIT(4096);
	bool destructive;
	int err = restore_plan(c, r, &text, &destructive, e);

	buf_done(&text);
	t->state = NULL;
	if (err == 0 && !place_has(c->place, c->job->restore_command.items[0]))
		err = err_set(e, ENOENT, "%s: no such program on %s",
			c->job->restore_command.items[0], place_title(c->place));
	return err;
}

static int restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	_cleanup_(free_p) char *entry = NULL;
	const char *env[2];
	struct place_command command = {
		.argv = c->job->restore_command.items, .env = env, .user = c->job->user};

	(void)r;
	(void)t;
	(void)m;
	make_env(c, env, &entry);
	return place_target(c->place, &command, NULL, out, e);
}

static int restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	(void)r;
	(void)t;
	if (ok)
		return 0;
	return err_set(e, EUCLEAN,
		"partial: %s was ended before it had everything; look at what it did",
		c->job->restore_command.items[0]);
}

const struct engine engine_command = {
	.name = "command",
	.doc = "What a program of your own writes to its stdout.",
	.tools = "",
	.restore_tools = "",
	.check_job = check_job,
	.probe = probe,
	.dump = dump,
	.restore_plan = restore_plan,
	.restore_begin = restore_begin,
	.restore_member = restore_member,
	.restore_end = restore_end,
};
