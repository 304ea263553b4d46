/* SPDX-License-Identifier: Apache-2.0
 *
 * Who sends webhooks, one row and one file each. The provider of an app is fixed in its configuration; headers are only
 * checked against it (Gitea sends GitHub's as well). Formats: the senders' documentation, named in each file; real
 * deliveries of each are in tests/fixtures/webhooks.
 */
#ifndef DEPLOY_HOOKS_PROVIDER_H
#define DEPLOY_HOOKS_PROVIDER_H

#include "deploy-hooks/body.h"
#include "deploy-hooks/delivery.h"

/* Headers of a request by name, case does not matter. NULL: not there; "" and a header given twice are what they are:
 * *twice is set. */
struct headers {
	const char *(*get)(void *user, const char *name, bool *twice);
	void *user;
};
/* NULL: not there, or more than once: whoever signs, and whoever sits between, could each mean another. */
const char *headers_one(const struct headers *h, const char *name);

/* How a delivery proves who sent it. */
enum proof_kind {
	PROOF_NONE, /* no usable header: 401 */
	PROOF_HMAC_SHA256, /* hex of HMAC-SHA256(secret, signed bytes) */
	PROOF_HMAC_SHA1, /* the same with SHA-1: Bitbucket's and Gitea's header of that name carry sha256; only GitHub's old one, refused */
	PROOF_STANDARD, /* Standard Webhooks: base64 HMAC-SHA256(key, id "." timestamp "." body); several, split by spaces */
	PROOF_TOKEN, /* the secret itself */
	PROOF_PATH, /* the secret is the end of the path (Docker Hub signs nothing) */
};

enum { PROOF_SIZE = 1024 };
struct proof {
	enum proof_kind kind;
	char value[PROOF_SIZE];
	char id[256]; /* PROOF_STANDARD */
	int64_t timestamp_s; /* PROOF_STANDARD; 0: none */
	/* What is signed is the value of the form field `payload`, decoded (Gitea), not the body as it came (all others). */
	bool signs_field;
};

struct provider {
	const char *name; /* "github" */
	const char *doc;
	bool (*sent_by)(const struct headers *h); /* whether the headers are this one's */
	/* *out is zeroed before. */
	void (*proof)(const struct headers *h, const char *path_rest, struct proof *out);
	/* The fields; *d is zeroed before, and has nothing to free after a failure. An event that means nothing here, and
	 * a ping, is one change of that kind, its body not read. -EBADMSG: not JSON, a key twice in one object, deeper than 64, a NUL in a text,
	 * a needed field is missing. -E2BIG: beyond DELIVERY_BODY_MAX. Memory does not grow with the body. */
	int (*parse)(const struct headers *h, const struct body_reader *body, struct delivery *d,
		struct err *e);
};

/* Alphabetical, ended by NULL: bitbucket, dockerhub, forgejo, generic, ghcr, gitea, github, gitlab, gogs. */
extern const struct provider *const providers[];
extern const struct provider provider_bitbucket, provider_dockerhub, provider_forgejo,
	provider_generic, provider_ghcr, provider_gitea, provider_github, provider_gitlab,
	provider_gogs;
const struct provider *provider_find(const char *name); /* NULL: none */
/* Of whom the headers look like; for a message when they do not fit. Forgejo sends the headers of Gitea as well, and
 * Gitea those of Gogs and GitHub, so the first in that order. NULL: nobody known. */
const struct provider *provider_guess(const struct headers *h);
/* The sender's id of a delivery from the first of these headers that is there; one that is not an id is none. */
void provider_delivery_id(
	struct delivery *d, const struct headers *h, const char *const *names, size_t n);

#endif
