/* SPDX-License-Identifier: Apache-2.0
 *
 * Bitbucket Cloud: support.atlassian.com, "Event payloads", `repo:push`; and Data Center: confluence.atlassian.com,
 * "Event payload", `repo:refs_changed`. One delivery may have several branches and tags; changed paths are never told.
 * X-Hub-Signature carries sha256 here.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "deploy-hooks/proof.h"
#include "deploy-hooks/reading.h"

/* One of Cloud's is whole: what is new, or what there was when it is gone. */
static int on_change(struct reading *r, const struct reading_field *f,
	const struct json_pull_value *v, struct err *e)
{
	const char *type;

	(void)f;
	if (v->kind != JSON_PULL_END)
		return 0;
	r->deleted = !*r->type;
	type = r->deleted ? r->old_type : r->type;
	if (r->deleted)
		(void)str_copy(r->ref, sizeof(r->ref), r->old_ref);
	/* Without a name: reading_push() says that it is missing. */
	if (*r->ref && !reading_full_ref(r->ref, strcmp(type, "tag") == 0))
		return err_set(e, EBADMSG, "the name of a branch or tag is too long");
	(void)str_copy(r->head.id, sizeof(r->head.id), r->after);
	return reading_push(r, e);
}

static const struct reading_field cloud_fields[] = {
	READING("actor.display_name", reading_shown, actor),
	READING("repository.full_name", reading_shown, repository),
	READING_CALL("push.changes[]", on_change),
	READING("push.changes[].new.type", reading_exact, type),
	READING("push.changes[].new.name", reading_exact, ref),
	READING("push.changes[].new.target.hash", reading_exact, after),
	READING("push.changes[].new.target.message", reading_message, head),
	READING("push.changes[].new.target.author.user.display_name", reading_shown, head.author),
	READING("push.changes[].new.target.author.raw", reading_raw_author, head),
	READING("push.changes[].old.type", reading_exact, old_type),
	READING("push.changes[].old.name", reading_exact, old_ref),
	READING("push.changes[].old.target.hash", reading_exact, before),
	READING("push.changes[].created", reading_flag, created),
	READING("push.changes[].forced", reading_flag, forced),
	READING_CALL("push.changes[].commits[]", reading_commit),
	READING("push.changes[].commits[].hash", reading_exact, commit.id),
	READING("push.changes[].commits[].message", reading_message, commit),
	READING("push.changes[].commits[].author.user.display_name", reading_shown, commit.author),
	READING("push.changes[].commits[].author.raw", reading_raw_author, commit),
	READING_CALL(NULL, NULL),
};

static int on_server_change(struct reading *r, const struct reading_field *f,
	const struct json_pull_value *v, struct err *e)
{
	(void)f;
	if (v->kind != JSON_PULL_END)
		return 0;
	r->deleted = strcmp(r->type, "DELETE") == 0;
	r->created = strcmp(r->type, "ADD") == 0;
	return reading_push(r, e);
}

static const struct reading_field server_fields[] = {
	READING("actor.displayName", reading_shown, actor),
	READING("repository.project.key", reading_shown, owner),
	READING("repository.slug", reading_shown, name),
	READING_CALL("changes[]", on_server_change),
	READING("changes[].ref.id", reading_exact, ref),
	READING("changes[].fromHash", reading_exact, before),
	READING("changes[].toHash", reading_exact, after),
	READING("changes[].type", reading_exact, type),
	READING_CALL(NULL, NULL),
};

static bool sent_by(const struct headers *h)
{
	return headers_one(h, "X-Event-Key") != NULL;
}

static void proof(const struct headers *h, const char *path_rest, struct proof *out)
{
	(void)path_rest;
	proof_hmac_sha256(h, "X-Hub-Signature", "sha256=", out);
}

static int parse(
	const struct headers *h, const struct body_reader *body, struct delivery *d, struct err *e)
{
	static const char *const ids[] = {"X-Request-UUID", "X-Request-Id"};
	struct reading r = {.d = d};
	const char *event = headers_one(h, "X-Event-Key");
	int n;

	provider_delivery_id(d, h, ids, ARRAY_LEN(ids));
	delivery_text(d->event, sizeof(d->event), event ? event : "", event ? strlen(event) : 0);
	if (strcmp(d->event, "repo:push") == 0)
		r.fields = cloud_fields;
	else if (strcmp(d->event, "repo:refs_changed") == 0)
		r.fields = server_fields;
	if (!r.fields) {
		bool is_ping = strcmp(d->event, "diagnostics:ping") == 0;

		reading_nothing(d, is_ping ? DELIVERY_PING : DELIVERY_OTHER);
		return 0;
	}
	n = reading_run(&r, h, body, e);
	if (n == 0 && r.fields == server_fields)
		reading_repository(&r);
	if (n == 0 && d->n_changes == 0)
		n = err_set(e, EBADMSG, "a push without a change");
	return reading_end(&r, n);
}

const struct provider provider_bitbucket = {
	.name = "bitbucket",
	.doc = "Bitbucket Cloud and Data Center: X-Hub-Signature",
	.sent_by = sent_by,
	.proof = proof,
	.parse = parse,
};
