/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/catalogue_internal.h"
#include "base/clock.h"
#include "base/str.h"

static void note_broken(struct catalogue_list *l, const char *key, const struct err *e)
{
	if (l->broken++ == 0)
		(void)snprintf(l->broken_why, sizeof(l->broken_why), "%.120s: %.120s", key, e->msg);
}

/* Which errors are the object's own; all others are the store's, and end the reading: a list with holes would be taken for
 * the truth. */
static bool is_of_object(int r)
{
	return r == -EBADMSG || r == -EPROTO || r == -EFBIG;
}

/* A store may list late what it has, or leave something out: what a list lacks is asked for by its name. 1: it is missing, or of
 * another length; negative: the store cannot say. */
static int confirm_missing(struct store *s, const struct manifest_segment *want, struct err *e)
{
	_cleanup_(reader_free_p) struct reader *reader = NULL;
	struct err why = {""};
	int r = s->ops->read(s, want->key, 0, want->bytes > 0 ? want->bytes : -1, &reader, &why);
	char byte;

	if (r == 0)
		r = (int)reader_read(reader, &byte, 1, &why);
	if (r >= 0)
		return 0;
	if (r == -ENOENT || is_of_object(r))
		return 1;
	return err_set(e, -r, "%s: %s", want->key, why.msg);
}

/* All data must be there: a removal may have been cut short. */
static int check_data(
	struct store *s, struct manifest *m, const struct listed_keys *keys, struct err *e)
{
	for (size_t i = 0; i < m->n_members; i++)
		for (size_t k = 0; k < m->members[i].n_segments; k++) {
			const struct manifest_segment *want = &m->members[i].segments[k];
			const struct listed_key *have = listed_keys_find(keys, want->key);
			int r;

			if (have && (have->bytes < 0 || have->bytes == want->bytes))
				continue;
			r = confirm_missing(s, want, e);
			if (r < 0)
				return r;
			if (r == 0)
				continue;
			m->is_incomplete = true;
			m->bad_ms = m->ended_ms ? m->ended_ms : 1;
			free(m->bad_why);
			m->bad_why = str_format(
				have ? "%s has another length" : "%s is missing", want->key);
			return 0;
		}
	return 0;
}

static int64_t number(const json_t *j, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(j, name));

	return n > 0 ? n : 0;
}

/* A verdict that cannot be read is none: the backup is as good as unverified. */
static void apply_verified(struct manifest *m, const struct buf *text)
{
	json_t *j = json_loadb(buf_str(text), text->len, JSON_REJECT_DUPLICATES, NULL);
	const char *why = json_string_value(json_object_get(j, "bad_why"));

	if (json_is_object(j)) {
		m->verified_ms = number(j, "verified_ms");
		m->drilled_ms = number(j, "drilled_ms");
		m->bad_ms = number(j, "bad_ms");
		free(m->bad_why);
		m->bad_why = m->bad_ms ? str_dup(why ? why : "") : NULL;
	}
	json_decref(j);
}

/* The newest verdict among the keys of a backup, which stand together. */
static const struct listed_key *find_verified(
	const struct listed_keys *keys, size_t from, const char *job, const char *wanted_id)
{
	const struct listed_key *newest = NULL;
	int64_t newest_ms = -1;

	for (size_t i = from; i < keys->n; i++) {
		char id[BACKUP_ID_SIZE];
		const char *name;
		int64_t ms;

		if (!catalogue_split_key(keys->items[i].key, job, id, &name) ||
			strcmp(id, wanted_id) != 0)
			break;
		ms = catalogue_verified_ms(name);
		if (ms > newest_ms) {
			newest = &keys->items[i];
			newest_ms = ms;
		}
	}
	return newest;
}

struct reading {
	struct store *store;
	const char *state_dir, *job;
	struct listed_keys keys;
	struct catalogue_list list;
};

static int read_one(struct reading *g, const struct listed_key *k, const char *id,
	struct manifest **out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(MANIFEST_BYTES_MAX);
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	int r = catalogue_fetch(g->store, g->state_dir, g->job, k, &text, e);

	if (r < 0)
		return r;
	r = manifest_from_text(buf_str(&text), text.len, &m, e);
	if (r < 0)
		return r;
	if (strcmp(m->job, g->job) != 0 || strcmp(m->id, id) != 0)
		return err_set(e, EBADMSG, "it is of %s/%s", m->job, m->id);
	*out = TAKE_PTR(m);
	return 0;
}

static int read_verified(struct reading *g, size_t at, struct manifest *m, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(VERIFIED_BYTES_MAX);
	const struct listed_key *k = find_verified(&g->keys, at, g->job, m->id);
	int r = k ? catalogue_fetch(g->store, g->state_dir, g->job, k, &text, e) : 0;

	if (r < 0)
		return r == -ENOENT || is_of_object(r) ? 0 : r;
	if (k)
		apply_verified(m, &text);
	return 0;
}

/* The key at `at`, when it is a manifest's. */
static int look_at(struct reading *g, size_t at, struct err *e)
{
	const struct listed_key *k = &g->keys.items[at];
	struct catalogue_list *l = &g->list;
	struct manifest *m = NULL;
	char id[BACKUP_ID_SIZE];
	struct err why = {""};
	const char *name;
	int r;

	if (!catalogue_split_key(k->key, g->job, id, &name) || strcmp(name, MANIFEST_NAME) != 0)
		return 0;
	r = read_one(g, k, id, &m, &why);
	if (r == -ENOENT) /* removed meanwhile */
		return 0;
	if (is_of_object(r)) {
		note_broken(l, k->key, &why);
		return 0;
	}
	if (r < 0)
		return err_set(e, -r, "%s: %s", k->key, why.msg);
	l->items = reallocarray(l->items, l->n + 1, sizeof(*l->items));
	if (!l->items)
		abort();
	l->items[l->n++] = m;
	/* Verdicts stand behind the manifest in the order of keys. */
	r = read_verified(g, at, m, e);
	return r < 0 ? r : check_data(g->store, m, &g->keys, e);
}

static int newest_first(const void *a, const void *b)
{
	const struct manifest *x = *(struct manifest *const *)a, *y = *(struct manifest *const *)b;

	if (x->started_ms != y->started_ms)
		return x->started_ms < y->started_ms ? 1 : -1;
	return -strcmp(x->id, y->id);
}

int catalogue_read(struct store *s, const char *state_dir, const char *job,
	struct catalogue_list *out, struct err *e)
{
	struct reading g = {.store = s, .state_dir = state_dir, .job = job};
	_cleanup_(free_p) char *prefix = str_format("%s/", job);
	int r = listed_keys_read(s, prefix, &g.keys, e);

	for (size_t i = 0; r == 0 && i < g.keys.n; i++)
		r = look_at(&g, i, e);
	if (r == 0)
		catalogue_forget(s, state_dir, job, &g.keys);
	listed_keys_done(&g.keys);
	if (r < 0) {
		catalogue_list_done(&g.list);
		return r;
	}
	if (g.list.n)
		qsort(g.list.items, g.list.n, sizeof(*g.list.items), newest_first);
	*out = g.list;
	return 0;
}

void catalogue_list_done(struct catalogue_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		manifest_free(l->items[i]);
	free(l->items);
	*l = (struct catalogue_list){.n = 0};
}

int catalogue_commit(
	struct store *s, const char *state_dir, const struct manifest *m, struct err *e)
{
	_cleanup_(free_p) char *text = manifest_to_text(m);
	_cleanup_(manifest_free_p) struct manifest *back = NULL;
	const struct upload_options o = {.expected_bytes = (int64_t)strlen(text),
		.content_type = "application/json",
		.is_manifest = true};
	char key[MANIFEST_KEY_MAX];
	int r;

	(void)state_dir;
	/* What we could not read ourselves would be no backup. */
	r = manifest_from_text(text, strlen(text), &back, e);
	if (r < 0)
		return r;
	manifest_key(key, m->job, m->id);
	return err_wrap(e, store_put(s, key, text, strlen(text), &o, e), "%s", key);
}

/* Older verdicts are of no use; should one stay, the newest counts all the same. */
static void remove_verdicts(
	struct store *s, const struct listed_keys *keys, const char *job, int64_t before_ms)
{
	for (size_t i = 0; s->may_delete && i < keys->n; i++) {
		char id[BACKUP_ID_SIZE];
		const char *name;
		struct err why;
		int64_t ms;

		if (!catalogue_split_key(keys->items[i].key, job, id, &name))
			continue;
		ms = catalogue_verified_ms(name);
		if (ms >= 0 && ms < before_ms)
			(void)s->ops->remove(s, keys->items[i].key, &why);
	}
}

int catalogue_mark(struct store *s, const struct manifest *m, struct err *e)
{
	const struct upload_options o = {.content_type = "application/json", .is_manifest = true};
	_cleanup_(listed_keys_done) struct listed_keys keys = {.n = 0};
	_cleanup_(free_p) char *folder = str_format("%s/%s/", m->job, m->id);
	_cleanup_(free_p) char *text = NULL;
	_cleanup_(free_p) char *key = NULL;
	int64_t ms = clock_wall_ms();
	json_t *j;
	int r = listed_keys_read(s, folder, &keys, e);

	if (r < 0)
		return r;
	/* Newer than all there are, also when this server's clock is late. */
	for (size_t i = 0; i < keys.n; i++) {
		int64_t other = catalogue_verified_ms(keys.items[i].key + strlen(folder));

		if (other >= ms)
			ms = other + 1;
	}
	j = json_pack("{s:I, s:I, s:I, s:o}", "verified_ms", (json_int_t)m->verified_ms,
		"drilled_ms", (json_int_t)m->drilled_ms, "bad_ms", (json_int_t)m->bad_ms, "bad_why",
		manifest_text_to_json(m->bad_why));
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (!text)
		abort();
	key = str_format("%s" VERIFIED_PREFIX "%" PRId64 ".json", folder, ms);
	r = store_put(s, key, text, strlen(text), &o, e);
	if (r == 0)
		remove_verdicts(s, &keys, m->job, ms);
	return err_wrap(e, r, "%s", key);
}
