/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "backup/run_backup.h"
#include "backup/segments.h"
#include "base/clock.h"
#include "base/str.h"

struct copies_sink {
	struct sink sink;
	struct run *run;
};

/* Does `body` with each store `s` that is well so far. */
#define EACH_COPY(r, s)                                                                            \
	for (struct run_store *s = (r)->stores; s < (r)->stores + (r)->n_stores; s++)              \
		if (!s->failed)

/* After one failed: goes on while another is well. */
static int drop(struct run *r, struct run_store *s, int code, struct err *e)
{
	(void)run_store_fail(r, s, code, e);
	if (code == -ECANCELED)
		return code;
	EACH_COPY(r, other)
	return 0;
	*e = s->error;
	return code;
}

static char *source_text(const struct run *r)
{
	const struct job *j = r->job;

	if (j->volume)
		return str_format(
			"volume %s%s%s", j->volume, j->path ? " " : "", j->path ? j->path : "");
	if (j->path && r->engine->is_files)
		return str_dup(j->path);
	return str_dup(place_title(r->place));
}

static struct manifest *begin_one(const struct run *r, const struct run_store *s)
{
	const struct job *j = r->job;
	struct manifest *m = manifest_new();

	(void)str_copy(m->id, sizeof(m->id), r->id);
	m->job = str_dup(j->name);
	m->host = str_dup(r->o->host);
	m->engine = str_dup(j->engine);
	m->server_version = str_dup("");
	m->tool_version = str_dup("");
	m->agent_version = str_dup(r->o->agent_version);
	m->store = str_dup(s->name);
	m->source = source_text(r);
	m->started_ms = r->started_ms;
	m->codec = j->codec.codec;
	m->passphrase = j->passphrase_file != NULL;
	m->recipients = calloc(j->encrypt.n + 1, sizeof(*m->recipients));
	if (!m->recipients)
		abort();
	for (size_t i = 0; i < j->encrypt.n; i++)
		m->recipients[m->n_recipients++] = str_dup(j->encrypt.items[i]);
	return m;
}

int copies_begin(struct run *r, struct err *e)
{
	(void)e;
	EACH_COPY(r, s)
	s->manifest = begin_one(r, s);
	return 0;
}

void copies_versions(struct run *r, const struct engine_info *info)
{
	EACH_COPY(r, s)
	{
		free(s->manifest->server_version);
		free(s->manifest->tool_version);
		s->manifest->server_version = str_dup(info->server_version);
		s->manifest->tool_version = str_dup(info->tool_version);
	}
}

static int64_t expected(const struct run *r)
{
	return r->o->last.stored_bytes;
}

int copies_open(struct run *r, const char *name, const char *suffix, struct err *e)
{
	const struct upload_options o = {.expected_bytes = expected(r)};
	char key[MANIFEST_KEY_MAX];
	int result = 0;

	manifest_data_key(key, r->job->name, r->id, name, suffix, 1);
	EACH_COPY(r, s)
	{
		result = segments_new(s->store, key, &o, &s->segments, e);
		if (result < 0)
			result = drop(r, s, result, e);
		if (result < 0)
			return result;
	}
	return 0;
}

static int copies_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct run *r = ((struct copies_sink *)sink)->run;

	EACH_COPY(r, s)
	{
		int result = sink_write(s->segments, data, n, e);

		if (result < 0)
			result = drop(r, s, result, e);
		if (result < 0)
			return result;
	}
	return 0;
}

static int copies_finish(struct sink *sink, struct err *e)
{
	struct run *r = ((struct copies_sink *)sink)->run;

	EACH_COPY(r, s)
	{
		int result = sink_finish(s->segments, e);

		if (result < 0)
			result = drop(r, s, result, e);
		if (result < 0)
			return result;
	}
	return 0;
}

static void copies_free(struct sink *sink)
{
	free(sink);
}

struct sink *copies_sink(struct run *r)
{
	static const struct sink_ops ops = {copies_write, copies_finish, copies_free};
	struct copies_sink *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->sink.ops = &ops;
	c->run = r;
	return &c->sink;
}

static int commit_member(struct run_store *s, const struct manifest_member *m, struct err *e)
{
	struct manifest_member *own = manifest_add_member(s->manifest, m->name);
	int result = segments_commit(s->segments, own, e);

	if (result < 0)
		return result;
	sink_free(s->segments);
	s->segments = NULL;
	own->title = str_dup(m->title);
	own->format = str_dup(m->format);
	own->plain_bytes = m->plain_bytes;
	own->stored_bytes = m->stored_bytes;
	(void)str_copy(own->plain_sha256, sizeof(own->plain_sha256), m->plain_sha256);
	(void)str_copy(own->stored_sha256, sizeof(own->stored_sha256), m->stored_sha256);
	own->counts = m->counts;
	return 0;
}

int copies_commit_member(struct run *r, const struct manifest_member *m, struct err *e)
{
	EACH_COPY(r, s)
	{
		int result = commit_member(s, m, e);

		if (result < 0)
			result = drop(r, s, result, e);
		if (result < 0)
			return result;
	}
	return 0;
}

static int commit_one(struct run *r, struct run_store *s, struct err *e)
{
	int result;

	s->manifest->ended_ms = clock_wall_ms();
	if (s->store->lock_ms)
		s->manifest->locked_until_ms = s->manifest->ended_ms + s->store->lock_ms;
	result = journal_note_manifest(r->journal, s->name, r->id, e);
	return result < 0 ? result : catalogue_commit(s->store, r->o->state, s->manifest, e);
}

int copies_commit(struct run *r, struct err *e)
{
	EACH_COPY(r, s)
	{
		int result;

		report_stage(r->report, "commit", NULL, s->name);
		result = commit_one(r, s, e);
		s->committed = result == 0;
		if (result < 0)
			result = drop(r, s, result, e);
		if (result < 0)
			return result;
	}
	return 0;
}

bool copies_any_committed(const struct run *r)
{
	for (size_t i = 0; i < r->n_stores; i++)
		if (r->stores[i].committed)
			return true;
	return false;
}

static int remove_one(struct run *r, struct run_store *s, const char *key)
{
	struct err e = {""};
	int result = s->store->ops->remove(s->store, key, &e);

	if (result < 0)
		report_warning(r->report, "store %s: %s is left behind: %s", s->name, key, e.msg);
	return result;
}

static bool discard_one(struct run *r, struct run_store *s)
{
	char key[MANIFEST_KEY_MAX];
	bool gone = true;

	sink_free(s->segments);
	s->segments = NULL;
	if (!s->store || !s->manifest)
		return true;
	gone = !s->store->left_behind;
	/* A commit that failed may have left the manifest: nobody knows after a lost answer. It goes first, and as long as it may be
	 * there its objects stay. */
	manifest_key(key, r->job->name, r->id);
	if (s->manifest->ended_ms && remove_one(r, s, key) < 0)
		return false;
	for (size_t i = 0; i < s->manifest->n_members; i++)
		for (size_t k = 0; k < s->manifest->members[i].n_segments; k++) {
			int x = remove_one(r, s, s->manifest->members[i].segments[k].key);

			/* It is away: not each object should be waited for. */
			if (x < 0 && x != -EPERM && x != -EBUSY)
				return false;
			gone &= x == 0;
		}
	return gone;
}

bool copies_discard(struct run *r)
{
	bool gone = true;

	for (size_t i = 0; i < r->n_stores; i++)
		if (!r->stores[i].committed)
			gone &= discard_one(r, &r->stores[i]);
	return gone;
}
