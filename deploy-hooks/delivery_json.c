/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/delivery.h"

static void add_text(json_t *j, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(j, key, json_string(text));
}

json_t *delivery_change_to_json(const struct delivery *d, const struct delivery_change *c)
{
	json_t *j = json_object();

	add_text(j, "kind", delivery_kind_name(c->kind));
	add_text(j, "id", d->id);
	add_text(j, "event", d->event);
	add_text(j, "repository", d->repository);
	add_text(j, "actor", d->actor);
	add_text(j, "ref", c->ref);
	add_text(j, "commit", c->commit);
	add_text(j, "before", c->before);
	add_text(j, "author", c->author);
	add_text(j, "subject", c->subject);
	add_text(j, "digest", c->digest);
	json_object_set_new(j, "new_ref", json_boolean(c->is_new));
	json_object_set_new(j, "forced", json_boolean(c->forced));
	json_object_set_new(j, "files_known", json_boolean(c->files_known));
	if (c->commits)
		json_object_set(j, "commits", c->commits);
	return j;
}

struct text {
	const char *key;
	bool (*is_valid)(const char *);
	char *to;
	size_t size;
};

static int read_text(const json_t *j, const struct text *t, struct err *e)
{
	const json_t *v = json_object_get(j, t->key);
	const char *s;

	*t->to = '\0';
	if (!v)
		return 0;
	s = json_string_value(v);
	if (!s || strlen(s) != json_string_length(v) || strlen(s) >= t->size || !t->is_valid(s))
		return err_set(e, EBADMSG, "\"%s\" does not have the form it should", t->key);
	(void)str_copy(t->to, t->size, s);
	return 0;
}

static int read_texts(const json_t *j, const struct text *t, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = read_text(j, &t[i], e);
	return r;
}

static int check_commit(const json_t *j, struct err *e)
{
	char id[DEPLOY_COMMIT_SIZE], author[DEPLOY_TEXT_SIZE], subject[DEPLOY_TEXT_SIZE];
	const struct text texts[] = {
		{"id", delivery_commit_is_valid, id, sizeof(id)},
		{"author", delivery_text_is_clean, author, sizeof(author)},
		{"subject", delivery_text_is_clean, subject, sizeof(subject)},
	};

	size_t known = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		known += json_object_get(j, texts[i].key) != NULL;
	if (!json_is_object(j) || json_object_size(j) != known)
		return err_set(
			e, EBADMSG, "a commit is not an object of \"id\", \"author\", \"subject\"");
	return read_texts(j, texts, ARRAY_LEN(texts), e);
}

static int check_commits(const json_t *commits, struct err *e)
{
	if (commits && (!json_is_array(commits) || json_array_size(commits) > DELIVERY_COMMITS_MAX))
		return err_set(e, EBADMSG, "\"commits\" is not a list of at most %d",
			DELIVERY_COMMITS_MAX);
	for (size_t i = 0; i < json_array_size(commits); i++) {
		int r = check_commit(json_array_get(commits, i), e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int read_kind(const json_t *j, enum delivery_kind *out, struct err *e)
{
	static const enum delivery_kind deployed[] = {DELIVERY_PUSH, DELIVERY_TAG, DELIVERY_IMAGE};
	const char *name = json_string_value(json_object_get(j, "kind"));

	for (size_t i = 0; i < ARRAY_LEN(deployed); i++)
		if (name && strcmp(name, delivery_kind_name(deployed[i])) == 0) {
			*out = deployed[i];
			return 0;
		}
	return err_set(e, EBADMSG, "\"kind\" is none that is deployed");
}

/* The ref and the kind say the same. */
static int check_ref(enum delivery_kind kind, const char *ref, struct err *e)
{
	bool fits = kind == DELIVERY_TAG ? str_starts(ref, "refs/tags/")
					 : !*ref || str_starts(ref, "refs/heads/");

	if (kind == DELIVERY_IMAGE)
		fits = *ref;
	return fits ? 0 : err_set(e, EBADMSG, "\"ref\" does not fit \"kind\"");
}

static json_t *document(
	const json_t *j, enum delivery_kind kind, const char *repository, const char *tag)
{
	static const char *const flags[] = {"new_ref", "forced", "files_known"};
	json_t *d = json_object(), *commits = json_object_get(j, "commits");

	add_text(d, "kind", delivery_kind_name(kind));
	add_text(d, "repository", repository);
	add_text(d, "tag", tag);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		json_object_set_new(
			d, flags[i], json_boolean(json_is_true(json_object_get(j, flags[i]))));
	if (commits)
		json_object_set(d, "commits", commits);
	return d;
}

int delivery_change_from_json(const json_t *j, struct deploy *into, struct err *e)
{
	struct deploy d = *into;
	char repository[sizeof(((struct delivery *)NULL)->repository)], ref[DEPLOY_REF_SIZE];
	enum delivery_kind kind = DELIVERY_OTHER;
	int r = read_kind(j, &kind, e);
	bool is_image = r == 0 && kind == DELIVERY_IMAGE;
	const struct text texts[] = {
		{"ref", is_image ? delivery_tag_is_valid : delivery_ref_is_valid, ref, sizeof(ref)},
		{"commit", delivery_commit_is_valid, d.commit, sizeof(d.commit)},
		{"before", delivery_commit_is_valid, d.before, sizeof(d.before)},
		{"author", delivery_text_is_clean, d.author, sizeof(d.author)},
		{"subject", delivery_text_is_clean, d.subject, sizeof(d.subject)},
		{"actor", delivery_text_is_clean, d.by, sizeof(d.by)},
		{"id", delivery_id_is_valid, d.delivery, sizeof(d.delivery)},
		{"digest", delivery_digest_is_valid, d.new.digest, sizeof(d.new.digest)},
		{"repository", delivery_text_is_clean, repository, sizeof(repository)},
	};

	if (r == 0)
		r = read_texts(j, texts, ARRAY_LEN(texts), e);
	if (r == 0)
		r = check_ref(kind, ref, e);
	if (r == 0)
		r = check_commits(json_object_get(j, "commits"), e);
	if (r == 0 && delivery_commit_is_zero(d.commit))
		r = err_set(e, EBADMSG, "\"commit\" is none");
	if (r < 0)
		return r;
	(void)str_copy(d.ref, sizeof(d.ref), is_image ? "" : ref);
	d.document = document(j, kind, repository, is_image ? ref : "");
	json_decref(into->document);
	*into = d;
	return 0;
}
