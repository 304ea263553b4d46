/* SPDX-License-Identifier: Apache-2.0
 *
 * GitLab: docs.gitlab.com, "Webhook events". At most 20 commits are listed, and whether a push was forced is not said. A
 * signing token (Standard Webhooks) is worth more than the plain one, so it is looked at first.
 */
#include <string.h>

#include "deploy-hooks/proof.h"
#include "deploy-hooks/reading.h"

static const struct reading_field fields[] = {
	READING("object_kind", reading_shown, type),
	READING("event_name", reading_shown, type),
	READING("ref", reading_exact, ref),
	READING("before", reading_exact, before),
	READING("after", reading_exact, after),
	READING("checkout_sha", reading_exact, head.id),
	READING_CALL("commits[]", reading_commit),
	READING("commits[].id", reading_exact, commit.id),
	READING("commits[].message", reading_message, commit),
	READING("commits[].author.name", reading_shown, commit.author),
	READING_CALL("commits[].added[]", reading_file),
	READING_CALL("commits[].modified[]", reading_file),
	READING_CALL("commits[].removed[]", reading_file),
	READING("project.path_with_namespace", reading_shown, repository),
	READING("user_username", reading_shown, actor),
	READING("user_name", reading_shown, name),
	READING_CALL(NULL, NULL),
};

static bool sent_by(const struct headers *h)
{
	return headers_one(h, "X-Gitlab-Event") != NULL;
}

static void proof(const struct headers *h, const char *path_rest, struct proof *out)
{
	bool twice;

	(void)path_rest;
	if (h->get(h->user, "webhook-signature", &twice))
		proof_standard(h, out);
	else
		proof_token(h, "X-Gitlab-Token", "", out);
}

/* Those of a whole server say in the body what they are. */
static bool may_be_push(const char *event)
{
	return strcmp(event, "Push Hook") == 0 || strcmp(event, "Tag Push Hook") == 0 ||
	       strcmp(event, "System Hook") == 0;
}

static int parse(
	const struct headers *h, const struct body_reader *body, struct delivery *d, struct err *e)
{
	/* The first two stay the same when it is sent again. */
	static const char *const ids[] = {"webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID"};
	struct reading r = {.fields = fields, .d = d};
	const char *event = headers_one(h, "X-Gitlab-Event");
	int n;

	provider_delivery_id(d, h, ids, ARRAY_LEN(ids));
	delivery_text(d->event, sizeof(d->event), event ? event : "", event ? strlen(event) : 0);
	if (!may_be_push(d->event)) {
		reading_nothing(d, DELIVERY_OTHER);
		return 0;
	}
	n = reading_run(&r, h, body, e);
	if (n < 0)
		return reading_end(&r, n);
	if (!*d->actor)
		delivery_text(d->actor, sizeof(d->actor), r.name, strlen(r.name));
	if (strcmp(r.type, "push") == 0 || strcmp(r.type, "tag_push") == 0)
		n = reading_push(&r, e);
	else
		reading_nothing(d, DELIVERY_OTHER);
	return reading_end(&r, n);
}

const struct provider provider_gitlab = {
	.name = "gitlab",
	.doc = "GitLab: signing token, or X-Gitlab-Token",
	.sent_by = sent_by,
	.proof = proof,
	.parse = parse,
};
