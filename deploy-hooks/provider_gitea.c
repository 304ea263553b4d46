/* SPDX-License-Identifier: Apache-2.0
 *
 * Gitea, and Forgejo and Gogs, from which and of which it is: docs.gitea.com, "Webhooks". Whether a push was forced
 * is not said, and few commits are listed. Of a form the decoded field is signed, not the body.
 */
#include <string.h>

#include "deploy-hooks/proof.h"
#include "deploy-hooks/reading.h"

static const struct reading_field fields[] = {
	READING("ref", reading_exact, ref),
	READING("before", reading_exact, before),
	READING("after", reading_exact, after),
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
	READING("pusher.login", reading_shown, actor),
	READING_CALL(NULL, NULL),
};

/* The headers of one family, its own first; ended by NULL. */
struct names {
	const char *events[3], *signatures[3], *ids[3];
};

static const struct names forgejo_names = {
	{"X-Forgejo-Event", "X-Gitea-Event"},
	{"X-Forgejo-Signature", "X-Gitea-Signature"},
	{"X-Forgejo-Delivery", "X-Gitea-Delivery"},
};
static const struct names gitea_names = {
	{"X-Gitea-Event"},
	{"X-Gitea-Signature"},
	{"X-Gitea-Delivery"},
};
static const struct names gogs_names = {
	{"X-Gogs-Event"},
	{"X-Gogs-Signature"},
	{"X-Gogs-Delivery"},
};

static const char *event_of(const struct headers *h, const struct names *names)
{
	for (size_t i = 0; names->events[i]; i++) {
		const char *event = headers_one(h, names->events[i]);

		if (event)
			return event;
	}
	return NULL;
}

static void proof(const struct headers *h, const struct names *names, struct proof *out)
{
	bool twice;

	out->signs_field = body_is_form(headers_one(h, "Content-Type"));
	for (size_t i = 0; names->signatures[i]; i++)
		if (h->get(h->user, names->signatures[i], &twice)) {
			proof_hmac_sha256(h, names->signatures[i], "", out);
			return;
		}
	proof_hmac_sha256(h, "X-Hub-Signature-256", "sha256=", out);
}

static int parse(const struct headers *h, const struct names *names, const struct body_reader *body,
	struct delivery *d, struct err *e)
{
	struct reading r = {.fields = fields, .d = d};
	const char *event = event_of(h, names);
	int n;

	provider_delivery_id(d, h, names->ids, names->ids[1] ? 2 : 1);
	delivery_text(d->event, sizeof(d->event), event ? event : "", event ? strlen(event) : 0);
	if (strcmp(d->event, "push") != 0) {
		reading_nothing(d, DELIVERY_OTHER);
		return 0;
	}
	n = reading_run(&r, h, body, e);
	if (n == 0)
		n = reading_push(&r, e);
	return reading_end(&r, n);
}

#define FAMILY(family, title)                                                                      \
	static bool family##_sent_by(const struct headers *h)                                      \
	{                                                                                          \
		return event_of(h, &family##_names) != NULL;                                       \
	}                                                                                          \
	static void family##_proof(                                                                \
		const struct headers *h, const char *path_rest, struct proof *out)                 \
	{                                                                                          \
		(void)path_rest;                                                                   \
		proof(h, &family##_names, out);                                                    \
	}                                                                                          \
	static int family##_parse(const struct headers *h, const struct body_reader *body,         \
		struct delivery *d, struct err *e)                                                 \
	{                                                                                          \
		return parse(h, &family##_names, body, d, e);                                      \
	}                                                                                          \
	const struct provider provider_##family = {                                                \
		.name = #family,                                                                   \
		.doc = title ": X-" title "-Signature",                                            \
		.sent_by = family##_sent_by,                                                       \
		.proof = family##_proof,                                                           \
		.parse = family##_parse,                                                           \
	}

FAMILY(forgejo, "Forgejo");
FAMILY(gitea, "Gitea");
FAMILY(gogs, "Gogs");
