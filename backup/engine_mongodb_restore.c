/* SPDX-License-Identifier: Apache-2.0
 *
 * mongorestore replaces collection by collection: a restore that ends in the middle has replaced some of them, and says so. All
 * of the backup was read and checked before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_mongodb.h"
#include "backup/manifest.h"
#include "backup/mongo_archive.h"
#include "base/str.h"

enum { HELD_MAX = 64 * 1024 * 1024 };

struct target {
	char touched[256]; /* the member that a tool was started for; "" none */
};

static const char *into_of(const struct engine_restore *r)
{
	return r->into && *r->into ? r->into : NULL;
}

static bool is_wanted(const struct engine_restore *r, const struct manifest_member *m)
{
	return !r->member || strcmp(r->member, m->name) == 0 || strcmp(r->member, m->title) == 0;
}

/* Of the whole server: it has databases of many names. */
static bool is_all(const struct manifest_member *m)
{
	return strcmp(m->title, MONGO_ALL) == 0;
}

static int check_into(const struct engine_restore *r, size_t wanted, bool has_all, struct err *e)
{
	if (!into_of(r))
		return 0;
	if (has_all)
		return err_set(
			e, EINVAL, "a backup of the whole server cannot go into one database");
	if (wanted > 1)
		return err_set(e, EINVAL,
			"several databases cannot go into one; name the member that is wanted");
	return 0;
}

int mongo_restore_plan(const struct engine_call *c, const struct engine_restore *r,
	struct buf *text, bool *destructive, struct err *e)
{
	const char *where = place_title(c->place);
	bool has_all = false;
	size_t n = 0;

	for (size_t i = 0; i < r->manifest->n_members; i++) {
		const struct manifest_member *m = &r->manifest->members[i];

		if (!is_wanted(r, m))
			continue;
		has_all = has_all || is_all(m);
		buf_adds(text, n++ ? "; " : "");
		if (is_all(m))
			buf_addf(text, "all collections of the backup will be replaced on %s",
				where);
		else
			buf_addf(text,
				"the collections of the backup will be replaced in database %s on "
				"%s",
				into_of(r) ? into_of(r) : m->title, where);
	}
	*destructive = true;
	return check_into(r, n, has_all, e);
}

int mongo_restore_begin(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, struct err *e)
{
	char version[64];
	int x = mongo_tool_ask(c, "mongorestore", version, e);

	(void)r;
	if (x < 0)
		return x;
	t->state = calloc(1, sizeof(struct target));
	if (!t->state)
		abort();
	return 0;
}

struct load {
	struct sink sink;
	const struct engine_call *call;
	struct target *target;
	const char *into;
	char title[256];
	struct mongo_archive *archive;
	struct buf held; /* until all collections are announced */
	struct sink *program;
};

static int start(struct load *l, struct err *e)
{
	struct place_command command;
	struct mongo_tool t;
	int r;

	mongo_tool_init(&t, l->call, "mongorestore");
	args_add_all(&t.argv, (const char *const[]){"--archive", "--drop", "--stopOnError", NULL});
	if (mongo_archive_has_oplog(l->archive))
		args_add(&t.argv, "--oplogReplay");
	if (l->into) {
		args_addf(&t.argv, "--nsFrom=%s.*", l->title);
		args_addf(&t.argv, "--nsTo=%s.*", l->into);
	}
	command = mongo_tool_command(l->call, &t);
	r = place_target(l->call->place, &command, NULL, &l->program, e);
	mongo_tool_done(&t);
	if (r == 0)
		(void)str_copy(l->target->touched, sizeof(l->target->touched), l->title);
	return r;
}

static int load_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct load *l = (struct load *)s;
	int r;

	if (l->program)
		return mongo_add_cure(e, sink_write(l->program, data, n, e));
	buf_add(&l->held, data, n);
	if (l->held.overflow)
		return err_set(e, EFBIG, "the archive's list of collections is too long");
	r = sink_write(mongo_archive_sink(l->archive), data, n, e);
	if (r < 0 || !mongo_archive_is_announced(l->archive))
		return r;
	r = start(l, e);
	if (r == 0)
		r = sink_write(l->program, buf_str(&l->held), l->held.len, e);
	buf_done(&l->held);
	return mongo_add_cure(e, r);
}

/* The exit status says nothing about documents that were refused one by one. */
static int load_finish(struct sink *s, struct err *e)
{
	struct load *l = (struct load *)s;
	int64_t failed;
	int r;

	if (!l->program)
		return err_set(e, EBADMSG, "the archive ends within its list of collections");
	r = mongo_add_cure(e, sink_finish(l->program, e));
	if (r < 0)
		return r;
	failed = mongo_failed_documents(place_target_stderr(l->program));
	if (failed > 0)
		return err_set(
			e, EREMOTEIO, "mongorestore: %" PRId64 " documents did not go in", failed);
	return 0;
}

static void load_free(struct sink *s)
{
	struct load *l = (struct load *)s;

	sink_free(l->program);
	sink_free(mongo_archive_sink(l->archive));
	buf_done(&l->held);
	free(l);
}

int mongo_restore_member(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, const struct manifest_member *m, struct sink **out, struct err *e)
{
	static const struct sink_ops ops = {load_write, load_finish, load_free};
	struct load *l = calloc(1, sizeof(*l));

	(void)e;
	if (!l)
		abort();
	l->sink.ops = &ops;
	l->call = c;
	l->target = t->state;
	l->into = into_of(r);
	(void)str_copy(l->title, sizeof(l->title), m->title);
	l->archive = mongo_archive_new();
	buf_init(&l->held, HELD_MAX);
	*out = &l->sink;
	return 0;
}

int mongo_restore_end(const struct engine_call *c, const struct engine_restore *r,
	struct engine_target *t, bool ok, struct err *e)
{
	struct target *target = t->state;
	int x = 0;

	(void)c;
	(void)r;
	if (target && !ok && target->touched[0])
		x = err_set(e, EUCLEAN,
			"partial: some collections of %s are restored, others as they were or "
			"missing",
			is_all(&(struct manifest_member){.title = target->touched})
				? "the server"
				: target->touched);
	free(target);
	t->state = NULL;
	return x;
}
