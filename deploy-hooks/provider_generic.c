/* SPDX-License-Identifier: Apache-2.0
 *
 * Anybody with a secret: a CI job, a script, `curl -X POST -H "Authorization: Bearer ..."`. The body is empty, or a JSON object, whatever
 * its Content-Type says (curl's is a form's):
 *
 *   {"ref": "main", "commit": "...", "before": "...", "message": "...", "author": "...", "files": ["..."],
 *    "repository": "me/shop", "actor": "ci"}            all optional; a ref without refs/ is a branch
 *   {"tag": "v1", "digest": "sha256:...", "repository": "me/shop"}          an image
 *
 * Proof, the first that is there: webhook-signature (Standard Webhooks), X-Hub-Signature-256 as GitHub's, Authorization,
 * the end of the path.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/proof.h"
#include "deploy-hooks/reading.h"

enum { BODY_MAX = 65536 };

static const struct reading_field fields[] = {
	READING("ref", reading_exact, ref),
	READING("commit", reading_exact, after),
	READING("before", reading_exact, before),
	READING("message", reading_message, head),
	READING("author", reading_shown, head.author),
	READING_CALL("files[]", reading_file),
	READING("tag", reading_exact, old_ref),
	READING("digest", reading_exact, digest),
	READING("repository", reading_shown, repository),
	READING("actor", reading_shown, actor),
	READING_CALL(NULL, NULL),
};

static bool sent_by(const struct headers *h)
{
	(void)h;
	return true;
}

static void proof(const struct headers *h, const char *path_rest, struct proof *out)
{
	bool twice;

	if (h->get(h->user, "webhook-signature", &twice))
		proof_standard(h, out);
	else if (h->get(h->user, "X-Hub-Signature-256", &twice))
		proof_hmac_sha256(h, "X-Hub-Signature-256", "sha256=", out);
	else if (h->get(h->user, "Authorization", &twice))
		proof_token(h, "Authorization", "Bearer ", out);
	else
		proof_path(path_rest, out);
}

struct small {
	const struct body_reader *from;
	size_t total;
};

static ssize_t read_small(void *user, void *to, size_t n, struct err *e)
{
	struct small *s = user;
	ssize_t r = s->from->read(s->from->user, to, n, e);

	if (r > 0)
		s->total += (size_t)r;
	return s->total > BODY_MAX ? err_set(e, E2BIG, "a body of more than %d bytes", BODY_MAX)
				   : r;
}

/* The head of the app's branch, as far as nothing else is said. */
static void push_of_whatever(struct reading *r)
{
	struct delivery_change *c = &r->d->changes[0];

	c->kind = DELIVERY_PUSH;
	(void)str_copy(c->author, sizeof(c->author), r->head.author);
	(void)str_copy(c->subject, sizeof(c->subject), r->head.subject);
	c->skip = r->head.skip;
	r->d->n_changes = 1;
}

static int push(struct reading *r, struct err *e)
{
	if (*r->ref && !str_starts(r->ref, "refs/") && !reading_full_ref(r->ref, false))
		return err_set(e, EBADMSG, "the ref is too long");
	if (*r->after && *r->ref) {
		(void)str_copy(r->head.id, sizeof(r->head.id), r->after);
		return reading_push(r, e);
	}
	if (*r->ref && !delivery_ref_is_valid(r->ref))
		return err_set(e, EBADMSG, "the ref is not one that git would take");
	if (*r->after && (!delivery_commit_is_valid(r->after) || delivery_commit_is_zero(r->after)))
		return err_set(e, EBADMSG, "the commit is not a hash");
	push_of_whatever(r);
	if (str_starts(r->ref, "refs/tags/"))
		r->d->changes[0].kind = DELIVERY_TAG;
	(void)str_copy(r->d->changes[0].ref, DEPLOY_REF_SIZE, r->ref);
	(void)str_copy(r->d->changes[0].commit, DEPLOY_COMMIT_SIZE, r->after);
	return 0;
}

static int parse(
	const struct headers *h, const struct body_reader *body, struct delivery *d, struct err *e)
{
	static const char *const ids[] = {"webhook-id", "Idempotency-Key"};
	struct reading r = {.fields = fields, .d = d, .no_form = true, .may_be_empty = true};
	struct small small = {body, 0};
	const struct body_reader reader = {read_small, &small};
	int n;

	provider_delivery_id(d, h, ids, ARRAY_LEN(ids));
	n = reading_run(&r, h, &reader, e);
	if (n == 0 && *r.old_ref) {
		(void)str_copy(r.ref, sizeof(r.ref), r.old_ref);
		n = reading_image(&r, e);
	} else if (n == 0) {
		n = push(&r, e);
	}
	return reading_end(&r, n);
}

const struct provider provider_generic = {
	.name = "generic",
	.doc = "anybody: Authorization: Bearer, X-Hub-Signature-256, Standard Webhooks, or the "
	       "secret at the end of the address",
	.sent_by = sent_by,
	.proof = proof,
	.parse = parse,
};
