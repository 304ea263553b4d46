/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void *member(struct reading *r, const struct reading_field *f)
{
	return (char *)r + f->offset;
}

int reading_exact(struct reading *r, const struct reading_field *f, const struct json_pull_value *v,
	struct err *e)
{
	char *to = member(r, f);

	*to = '\0';
	if (v->kind == JSON_PULL_NULL)
		return 0;
	if (v->kind != JSON_PULL_TEXT)
		return err_set(e, EBADMSG, "\"%s\" is not a text", v->path);
	if (!str_copy(to, f->size, v->text)) {
		*to = '\0';
		return err_set(e, EBADMSG, "\"%s\" is longer than %zu bytes", v->path, f->size - 1);
	}
	return 0;
}

int reading_shown(struct reading *r, const struct reading_field *f, const struct json_pull_value *v,
	struct err *e)
{
	(void)e;
	delivery_text(member(r, f), f->size, v->text, v->kind == JSON_PULL_TEXT ? v->n : 0);
	return 0;
}

int reading_flag(struct reading *r, const struct reading_field *f, const struct json_pull_value *v,
	struct err *e)
{
	bool *to = member(r, f);

	(void)e;
	*to = v->kind == JSON_PULL_TRUE;
	return 0;
}

int reading_raw_author(struct reading *r, const struct reading_field *f,
	const struct json_pull_value *v, struct err *e)
{
	struct reading_commit *c = member(r, f);

	(void)e;
	if (v->kind == JSON_PULL_TEXT && !*c->author)
		delivery_text(c->author, sizeof(c->author), v->text, strcspn(v->text, "<"));
	return 0;
}

/* What GitHub, GitLab and others heed, in any case of letters. */
static bool says_skip(const char *message)
{
	static const char *const words[] = {"[skip ci]", "[ci skip]", "[no ci]", "[skip actions]",
		"[actions skip]", "[skip cd]"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasestr(message, words[i]))
			return true;
	return false;
}

int reading_message(struct reading *r, const struct reading_field *f,
	const struct json_pull_value *v, struct err *e)
{
	struct reading_commit *c = member(r, f);
	const char *line = v->text + strspn(v->text, " \t\r\n");

	(void)e;
	if (v->kind != JSON_PULL_TEXT)
		return 0;
	delivery_text(c->subject, sizeof(c->subject), line, strcspn(line, "\r\n"));
	c->skip = says_skip(v->text);
	return 0;
}

static void keep_commit(struct reading *r)
{
	if (!r->commits)
		r->commits = json_array();
	if (json_array_size(r->commits) == DELIVERY_COMMITS_MAX)
		json_array_remove(r->commits, 0);
	json_array_append_new(r->commits, json_pack("{s:s, s:s, s:s}", "id", r->commit.id, "author",
						  r->commit.author, "subject", r->commit.subject));
}

int reading_commit(struct reading *r, const struct reading_field *f,
	const struct json_pull_value *v, struct err *e)
{
	(void)f;
	(void)e;
	if (v->kind == JSON_PULL_BEGIN)
		memset(&r->commit, 0, sizeof(r->commit));
	if (v->kind != JSON_PULL_END)
		return 0;
	if (r->n_commits++ == 0)
		r->first = r->commit;
	r->last = r->commit;
	if (delivery_commit_is_valid(r->commit.id))
		keep_commit(r);
	return 0;
}

int reading_file(struct reading *r, const struct reading_field *f, const struct json_pull_value *v,
	struct err *e)
{
	char **more;

	(void)f;
	/* A path that cannot be told to anybody as it is may still be one that matters: git is asked. */
	if (r->n_files == DELIVERY_FILES_MAX || v->kind != JSON_PULL_TEXT || v->n == 0 ||
		v->n >= DELIVERY_PATH_MAX || !delivery_text_is_clean(v->text)) {
		r->files_lost = true;
		return 0;
	}
	if (!r->files) {
		more = calloc(DELIVERY_FILES_MAX, sizeof(*more));
		if (!more)
			return err_set(e, ENOMEM, "no memory for a list of files");
		r->files = more;
	}
	r->files[r->n_files++] = str_dup(v->text);
	return 0;
}

/* The body, of which too much is an error. */
struct capped {
	const struct body_reader *from;
	size_t total;
};

static ssize_t read_capped(void *user, void *to, size_t n, struct err *e)
{
	struct capped *c = user;
	ssize_t r = c->from->read(c->from->user, to, n, e);

	if (r > 0)
		c->total += (size_t)r;
	if (c->total > DELIVERY_BODY_MAX)
		return err_set(
			e, E2BIG, "a delivery of more than %d bytes", (int)DELIVERY_BODY_MAX);
	return r;
}

static int on_value(void *user, const struct json_pull_value *v, struct err *e)
{
	struct reading *r = user;

	for (const struct reading_field *f = r->fields; f->path; f++)
		if (strcmp(f->path, v->path) == 0)
			return f->take(r, f, v, e);
	return 0;
}

int reading_run(
	struct reading *r, const struct headers *h, const struct body_reader *body, struct err *e)
{
	struct capped capped = {body, 0};
	struct body_reader whole = {read_capped, &capped}, field;
	struct form_reader form;
	bool is_form = !r->no_form && body_is_form(headers_one(h, "Content-Type"));
	int n;

	form_reader_init(&form, &whole);
	field = (struct body_reader){form_reader_read, &form};
	n = json_pull(is_form ? &field : &whole, on_value, r, e);
	form_reader_done(&form);
	if (n == -EBADMSG && capped.total == 0 && r->may_be_empty)
		n = 0;
	if (n < 0)
		return n;
	(void)str_copy(r->d->actor, sizeof(r->d->actor), r->actor);
	(void)str_copy(r->d->repository, sizeof(r->d->repository), r->repository);
	return 0;
}

static void free_files(struct reading *r)
{
	for (size_t i = 0; i < r->n_files; i++)
		free(r->files[i]);
	free(r->files);
	r->files = NULL;
	r->n_files = 0;
}

void reading_done(struct reading *r)
{
	free_files(r);
	json_decref(r->commits);
	r->commits = NULL;
}

void reading_repository(struct reading *r)
{
	(void)snprintf(r->d->repository, sizeof(r->d->repository), "%s%s%s", r->owner,
		*r->owner ? "/" : "", r->name);
}

int reading_end(struct reading *r, int n)
{
	reading_done(r);
	if (n < 0)
		delivery_done(r->d);
	return n;
}
