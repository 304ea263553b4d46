/* SPDX-License-Identifier: Apache-2.0
 *
 * How a provider gets its dozen fields out of a body: a table of paths, each with what is done with the value there,
 * and the changes that are made of them. Of use to provider_*.c only.
 */
#ifndef DEPLOY_HOOKS_READING_H
#define DEPLOY_HOOKS_READING_H

#include "deploy-hooks/json_pull.h"
#include "deploy-hooks/provider.h"

struct reading_commit {
	char id[DEPLOY_COMMIT_SIZE], author[DEPLOY_TEXT_SIZE], subject[DEPLOY_TEXT_SIZE];
	bool skip;
};

struct reading {
	const struct reading_field *fields; /* ended by a NULL path */
	struct delivery *d;
	/* Set by the provider. */
	bool no_form; /* JSON, whatever Content-Type says */
	bool may_be_empty;
	/* A push of so many commits may have had more. 0: the sender does not say whether a push was forced, so that what
	 * it says of files is never all. */
	size_t commits_limit;
	/* Filled by the fields; "" and false where there is nothing. */
	char repository[256], actor[DEPLOY_TEXT_SIZE];
	char ref[DEPLOY_REF_SIZE], old_ref[DEPLOY_REF_SIZE]; /* or a name without refs/heads/ */
	char type[32], old_type[32];
	char before[DEPLOY_COMMIT_SIZE], after[DEPLOY_COMMIT_SIZE];
	char digest[80];
	char owner[128], name[128]; /* where `repository` comes in two */
	bool created, deleted, forced;
	struct reading_commit head; /* of the head commit, as far as it is told apart */
	/* Of the commits in a list: the present one, and those that may be the head. */
	struct reading_commit commit, first, last;
	size_t n_commits;
	json_t *commits; /* the last DELIVERY_COMMITS_MAX; owned */
	char **files; /* owned */
	size_t n_files;
	bool files_lost; /* not all are in `files` */
};

struct reading_field {
	const char *path; /* of json_pull.h */
	int (*take)(struct reading *r, const struct reading_field *f,
		const struct json_pull_value *v, struct err *e);
	size_t offset, size; /* of the member, where it needs one */
};

#define READING(path, take, member)                                                                \
	{                                                                                          \
		path, take, offsetof(struct reading, member),                                      \
			sizeof(((struct reading *)NULL)->member)                                   \
	}
#define READING_CALL(path, take)                                                                   \
	{                                                                                          \
		path, take, 0, 0                                                                   \
	}

typedef int reading_take(struct reading *r, const struct reading_field *f,
	const struct json_pull_value *v, struct err *e);

reading_take
	reading_exact; /* a text, whole: one that does not fit, and what is no text, is -EBADMSG; null: "" */
reading_take reading_shown; /* for people: delivery_text(); what is no text: "" */
reading_take reading_flag;
reading_take reading_message; /* of a commit: subject and skip of a struct reading_commit */
reading_take reading_raw_author; /* "Name <address>", where there is no author yet */
reading_take reading_commit; /* at "commits[]" itself: one begins, one is whole */
reading_take reading_file; /* at "commits[].added[]" */

/* Reads the body by the table into the members. What provider.h says of parse. */
int reading_run(
	struct reading *r, const struct headers *h, const struct body_reader *body, struct err *e);
/* "owner/name" of the delivery. */
void reading_repository(struct reading *r);
/* Frees what is left, and the delivery too when n is negative. Returns n. */
int reading_end(struct reading *r, int n);
void reading_done(struct reading *r);

/* Adds a change of git, if there is room, and forgets all that belongs to it. r->ref must be whole; one that is of
 * neither a branch nor a tag is DELIVERY_OTHER. `after` that is zero, or r->deleted: it is gone. -EBADMSG. */
int reading_push(struct reading *r, struct err *e);
/* The same of an image: ref is its tag; a tag that cannot be one is -EBADMSG, a digest that cannot be is none. */
int reading_image(struct reading *r, struct err *e);
/* A change of nothing but its kind. */
void reading_nothing(struct delivery *d, enum delivery_kind kind);
/* "main" -> "refs/heads/main". False: too long. */
bool reading_full_ref(char ref[DEPLOY_REF_SIZE], bool is_tag);

#endif
