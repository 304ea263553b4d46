/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/reading.h"

/* Forgets what was of one change; what is of the whole delivery stays. */
static void next_change(struct reading *r)
{
	struct reading fresh = {.fields = r->fields,
		.d = r->d,
		.no_form = r->no_form,
		.may_be_empty = r->may_be_empty,
		.commits_limit = r->commits_limit};

	(void)str_copy(fresh.repository, sizeof(fresh.repository), r->repository);
	(void)str_copy(fresh.actor, sizeof(fresh.actor), r->actor);
	(void)str_copy(fresh.owner, sizeof(fresh.owner), r->owner);
	(void)str_copy(fresh.name, sizeof(fresh.name), r->name);
	reading_done(r);
	*r = fresh;
}

/* NULL: no more fit. */
static struct delivery_change *add(struct delivery *d, enum delivery_kind kind)
{
	struct delivery_change *c;

	if (d->n_changes == DELIVERY_CHANGES_MAX) {
		d->cut = true;
		return NULL;
	}
	c = &d->changes[d->n_changes++];
	c->kind = kind;
	return c;
}

void reading_nothing(struct delivery *d, enum delivery_kind kind)
{
	(void)add(d, kind);
}

bool reading_full_ref(char ref[DEPLOY_REF_SIZE], bool is_tag)
{
	char full[DEPLOY_REF_SIZE + 16];

	(void)snprintf(full, sizeof(full), "refs/%s/%s", is_tag ? "tags" : "heads", ref);
	return str_copy(ref, DEPLOY_REF_SIZE, full);
}

static int check_commits(const struct reading *r, bool deleted, struct err *e)
{
	if (!deleted && !delivery_commit_is_valid(r->after))
		return err_set(e, EBADMSG, "%s",
			*r->after ? "the commit is not a hash" : "the commit is missing");
	if (*r->before && !delivery_commit_is_valid(r->before))
		return err_set(e, EBADMSG, "the commit before is not a hash");
	if (*r->head.id && !delivery_commit_is_valid(r->head.id))
		return err_set(e, EBADMSG, "the head commit is not a hash");
	return 0;
}

/* The commit that is deployed, with what is said of it. Of an annotated tag `after` is the tag itself. */
static void set_head(struct delivery_change *c, const struct reading *r)
{
	const struct reading_commit *told[] = {&r->head, &r->last, &r->first};
	bool use_head =
		c->kind == DELIVERY_TAG && *r->head.id && !delivery_commit_is_zero(r->head.id);

	(void)str_copy(c->commit, sizeof(c->commit), use_head ? r->head.id : r->after);
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		if (strcmp(told[i]->id, c->commit) != 0)
			continue;
		/* GitLab names the head and tells of it in the list only. */
		if (!*told[i]->subject && i == 0)
			continue;
		(void)str_copy(c->author, sizeof(c->author), told[i]->author);
		(void)str_copy(c->subject, sizeof(c->subject), told[i]->subject);
		c->skip = told[i]->skip;
		return;
	}
}

static void take_lists(struct delivery_change *c, struct reading *r)
{
	c->files_known = r->n_commits > 0 && r->n_commits < r->commits_limit && r->n_files > 0 &&
			 !r->files_lost && !c->is_new && !c->forced;
	c->files = TAKE_PTR(r->files);
	c->n_files = r->n_files;
	r->n_files = 0;
	c->commits = TAKE_PTR(r->commits);
}

int reading_push(struct reading *r, struct err *e)
{
	bool is_tag = str_starts(r->ref, "refs/tags/");
	bool deleted = r->deleted || delivery_commit_is_zero(r->after);
	enum delivery_kind kind = deleted  ? DELIVERY_DELETED
				  : is_tag ? DELIVERY_TAG
					   : DELIVERY_PUSH;
	bool is_ours = is_tag || str_starts(r->ref, "refs/heads/");
	struct delivery_change *c;
	int n = 0;

	if (!*r->ref)
		return err_set(e, EBADMSG, "the ref is missing");
	if (is_ours && !delivery_ref_is_valid(r->ref))
		return err_set(e, EBADMSG, "the ref is not one that git would take");
	if (is_ours)
		n = check_commits(r, deleted, e);
	if (n < 0)
		return n;
	c = add(r->d, is_ours ? kind : DELIVERY_OTHER);
	if (c && is_ours) {
		(void)str_copy(c->ref, sizeof(c->ref), r->ref);
		c->is_new = r->created || delivery_commit_is_zero(r->before);
		c->forced = r->forced;
		if (!delivery_commit_is_zero(r->before))
			(void)str_copy(c->before, sizeof(c->before), r->before);
		if (!deleted)
			set_head(c, r);
		take_lists(c, r);
	}
	next_change(r);
	return 0;
}

int reading_image(struct reading *r, struct err *e)
{
	struct delivery_change *c;

	if (!delivery_tag_is_valid(r->ref))
		return err_set(e, EBADMSG, "%s",
			*r->ref ? "the tag is not one an image can have" : "the tag is missing");
	c = add(r->d, DELIVERY_IMAGE);
	if (c) {
		(void)str_copy(c->ref, sizeof(c->ref), r->ref);
		if (delivery_digest_is_valid(r->digest))
			(void)str_copy(c->digest, sizeof(c->digest), r->digest);
	}
	next_change(r);
	return 0;
}
