/* SPDX-License-Identifier: Apache-2.0
 *
 * GitHub: docs.github.com, "Webhook events and payloads", "Validating webhook deliveries". What is signed is the body as it
 * came, a form too.
 */
#include "deploy-hooks/provider_github.h"

#include <string.h>

#include "deploy-hooks/proof.h"
#include "deploy-hooks/reading.h"

/* "commits: at most 2048" */
enum { COMMITS_LIMIT = 2048 };

static const struct reading_field fields[] = {
	READING("ref", reading_exact, ref),
	READING("before", reading_exact, before),
	READING("after", reading_exact, after),
	READING("created", reading_flag, created),
	READING("deleted", reading_flag, deleted),
	READING("forced", reading_flag, forced),
	READING("head_commit.id", reading_exact, head.id),
	READING("head_commit.message", reading_message, head),
	READING("head_commit.author.name", reading_shown, head.author),
	READING_CALL("commits[]", reading_commit),
	READING("commits[].id", reading_exact, commit.id),
	READING("commits[].message", reading_message, commit),
	READING("commits[].author.name", reading_shown, commit.author),
	READING_CALL("commits[].added[]", reading_file),
	READING_CALL("commits[].modified[]", reading_file),
	READING_CALL("commits[].removed[]", reading_file),
	READING("repository.full_name", reading_shown, repository),
	READING("pusher.name", reading_shown, actor),
	READING_CALL(NULL, NULL),
};

bool github_sent_by(const struct headers *h)
{
	return provider_guess(h) == &provider_github;
}

void github_proof(const struct headers *h, const char *path_rest, struct proof *out)
{
	bool twice;

	(void)path_rest;
	proof_hmac_sha256(h, "X-Hub-Signature-256", "sha256=", out);
	/* Said apart, so that the answer can say what is missing. */
	if (!h->get(h->user, "X-Hub-Signature-256", &twice) && headers_one(h, "X-Hub-Signature"))
		out->kind = PROOF_HMAC_SHA1;
}

const char *github_event(const struct headers *h, struct delivery *d)
{
	static const char *const ids[] = {"X-GitHub-Delivery"};
	const char *event = headers_one(h, "X-GitHub-Event");

	provider_delivery_id(d, h, ids, 1);
	delivery_text(d->event, sizeof(d->event), event ? event : "", event ? strlen(event) : 0);
	return d->event;
}

static int parse(
	const struct headers *h, const struct body_reader *body, struct delivery *d, struct err *e)
{
	struct reading r = {.fields = fields, .d = d, .commits_limit = COMMITS_LIMIT};
	const char *event = github_event(h, d);
	int n;

	if (strcmp(event, "push") != 0) {
		reading_nothing(d, strcmp(event, "ping") == 0 ? DELIVERY_PING : DELIVERY_OTHER);
		return 0;
	}
	n = reading_run(&r, h, body, e);
	if (n == 0)
		n = reading_push(&r, e);
	return reading_end(&r, n);
}

const struct provider provider_github = {
	.name = "github",
	.doc = "GitHub: X-Hub-Signature-256",
	.sent_by = github_sent_by,
	.proof = github_proof,
	.parse = parse,
};
