/* SPDX-License-Identifier: Apache-2.0
 *
 * What a webhook said, in one form for all who send them. Filled by provider.h from bytes a stranger sent, so every
 * text is bounded and has no control characters; nothing in it is believed before verify.h has seen the signature.
 */
#ifndef DEPLOY_HOOKS_DELIVERY_H
#define DEPLOY_HOOKS_DELIVERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "deploy-hooks/deploy.h"

enum delivery_kind {
	DELIVERY_OTHER, /* an event that means nothing here: answered with 200 */
	DELIVERY_PING,
	DELIVERY_PUSH, /* of a branch */
	DELIVERY_TAG,
	DELIVERY_DELETED, /* a branch or tag that is gone */
	DELIVERY_IMAGE, /* a registry has a new image */
	DELIVERY_KINDS
};
const char *delivery_kind_name(enum delivery_kind k);

enum {
	DELIVERY_CHANGES_MAX = 20, /* branches and tags in one delivery (Bitbucket) */
	DELIVERY_COMMITS_MAX = 50, /* told to hooks */
	DELIVERY_FILES_MAX = 5000, /* looked at by filters */
	DELIVERY_PATH_MAX = 1024,
	DELIVERY_BODY_MAX = 26214400, /* 25 MiB: GitHub and GitLab send no more */
};

/* One branch, tag or image. */
struct delivery_change {
	enum delivery_kind kind;
	/* Whole: "refs/heads/main"; an image: its tag. "" for a push of which a generic sender says no ref: the
	 * branch that the app deploys. */
	char ref[DEPLOY_REF_SIZE];
	/* The commit that is deployed: of an annotated tag not the tag but what it names, where the sender says so;
	 * fetch peels it. "" when the sender does not say. */
	char commit[DEPLOY_COMMIT_SIZE], before[DEPLOY_COMMIT_SIZE];
	bool is_new, forced; /* before is then no ancestor */
	char author[DEPLOY_TEXT_SIZE], subject[DEPLOY_TEXT_SIZE];
	bool skip; /* the head commit says [skip ci] or one of its kin */
	char digest[80]; /* an image's, where known */
	char **files; /* changed paths, owned */
	size_t n_files;
	bool files_known; /* false: cut short, or the sender does not say: git is asked after the fetch */
	json_t *commits; /* array of {"id","author","subject"}, at most DELIVERY_COMMITS_MAX; owned, may be NULL */
};

struct delivery {
	char id[80]; /* the sender's; the same when sent again. "": none */
	char event[64]; /* as the sender calls it */
	char repository[256]; /* "owner/name"; of an image "library/nginx" */
	char actor[DEPLOY_TEXT_SIZE];
	struct delivery_change changes[DELIVERY_CHANGES_MAX];
	size_t n_changes;
	bool cut; /* there were more changes */
};

void delivery_change_done(struct delivery_change *c);
void delivery_done(struct delivery *d);

/* "refs/heads/..." or "refs/tags/..." by the rules of git-check-ref-format(1), at most DEPLOY_REF_SIZE; never a
 * leading dash in the name. */
bool delivery_ref_is_valid(const char *ref);
/* 40 or 64 hexadecimal digits, lower case. */
bool delivery_commit_is_valid(const char *commit);
bool delivery_commit_is_zero(const char *commit); /* 40 or 64 zeros: none */
bool delivery_tag_is_valid(const char *tag); /* an image's: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127} */
bool delivery_digest_is_valid(const char *digest); /* "sha256:" and 64 digits, lower case */
bool delivery_id_is_valid(const char *id); /* fits, and has nothing that needs quoting */
bool delivery_text_is_clean(const char *text); /* UTF-8 without control characters */
/* The text as far as it fits, control characters as spaces, whole UTF-8 characters only, no spaces
 * at the end. */
void delivery_text(char *to, size_t size, const char *from, size_t n);

/* One change as the daemon is told of it, without its files: {"kind","ref","commit",...}; a new reference. In
 * delivery_json.c, as is the way back. */
json_t *delivery_change_to_json(const struct delivery *d, const struct delivery_change *c);
/* Form and bounds of everything again, by who does not trust the sender of it. Only kinds that are deployed. Fills ref,
 * commit, before, author, subject, by, delivery, new.digest and document ({"kind","repository","tag","new_ref","forced",
 * "files_known","commits"}; "tag" is an image's); on failure `into` is as it was. -EBADMSG. */
int delivery_change_from_json(const json_t *j, struct deploy *into, struct err *e);

#endif
