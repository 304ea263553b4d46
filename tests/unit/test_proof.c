/* SPDX-License-Identifier: Apache-2.0
 *
 * Which header is to be checked, and over which bytes: from the headers to the verdict.
 */
#include "deploy-hooks/proof.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "deploy-hooks/verify.h"
#include "tests/unit/webhook_case.h"

#define HEX_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char *const secrets[] = {"s3cret-of-the-app"};

/* A header with the signature of a text. */
static char *sign(const char *header, const char *prefix, const char *text)
{
	char hex[HASH_SHA256_HEX_SIZE];

	hash_hmac_sha256_hex(hex, secrets[0], strlen(secrets[0]), text, strlen(text));
	return str_format("%s: %s%s", header, prefix, hex);
}

static int verified(const struct proof *p, const char *body)
{
	int fd = memfd_create("body", MFD_CLOEXEC), r;
	struct verify *v = NULL;
	struct err e;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, body, strlen(body)), (int)strlen(body));
	r = verify_new(p, fd, secrets, 1, &v, &e);
	while (r == 0 && (r = verify_step(v, 1795224123, &e)) == 1)
		r = 0;
	verify_free(v);
	return r;
}

/* The daemon hears what the web process has found. */
static void expect_told(const struct proof *p)
{
	json_t *j = proof_to_json(p);
	struct proof told;
	struct err e;

	ck_assert_msg(proof_from_json(j, &told, &e) == 0, "%s", e.msg);
	json_decref(j);
	ck_assert_int_eq(told.kind, p->kind);
	ck_assert_str_eq(told.id, p->id);
	ck_assert_int_eq(told.timestamp_s, p->timestamp_s);
	if (p->kind != PROOF_NONE) {
		ck_assert_str_eq(told.value, p->value);
		ck_assert_int_eq(told.signs_field, p->signs_field);
	}
}

static void ck_proof(const struct provider *p, struct headers h, const char *rest,
	enum proof_kind kind, const char *value)
{
	struct proof got = webhook_proof(p, h, rest);

	ck_assert_int_eq(got.kind, kind);
	ck_assert_str_eq(got.value, value);
	expect_told(&got);
}

START_TEST(each_sender_has_its_header)
{
	ck_proof(&provider_github,
		HEADERS("X-Hub-Signature-256: sha256=" HEX_64, "X-Hub-Signature: sha1=00"), "",
		PROOF_HMAC_SHA256, HEX_64);
	ck_proof(&provider_ghcr, HEADERS("x-hub-signature-256: sha256=" HEX_64), "",
		PROOF_HMAC_SHA256, HEX_64);
	ck_proof(&provider_bitbucket, HEADERS("X-Hub-Signature: sha256=" HEX_64), "",
		PROOF_HMAC_SHA256, HEX_64);
	ck_proof(&provider_gitea, HEADERS("X-Gitea-Signature: " HEX_64), "", PROOF_HMAC_SHA256,
		HEX_64);
	ck_proof(&provider_gitea, HEADERS("X-Hub-Signature-256: sha256=" HEX_64), "",
		PROOF_HMAC_SHA256, HEX_64);
	ck_proof(&provider_forgejo, HEADERS("X-Forgejo-Signature: " HEX_64), "", PROOF_HMAC_SHA256,
		HEX_64);
	ck_proof(&provider_forgejo, HEADERS("X-Gitea-Signature: " HEX_64), "", PROOF_HMAC_SHA256,
		HEX_64);
	ck_proof(&provider_gogs, HEADERS("X-Gogs-Signature: " HEX_64), "", PROOF_HMAC_SHA256,
		HEX_64);
	ck_proof(&provider_generic, HEADERS("Authorization: bearer  t0ken"), "", PROOF_TOKEN,
		"t0ken");
	ck_proof(&provider_generic, HEADERS("X-Hub-Signature-256: sha256=" HEX_64), "",
		PROOF_HMAC_SHA256, HEX_64);
	/* GitHub's old one is told apart, to be refused with the reason. */
	ck_proof(&provider_github, HEADERS("X-Hub-Signature: sha1=00"), "", PROOF_HMAC_SHA1, "");
}
END_TEST

START_TEST(trap_05_of_a_form_each_signs_something_else)
{
	static const char json[] =
		"{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT_A "\",\"x\":\"a b+c&d\"}";
	static const char form[] =
		"payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%2C%22after%22%3A%22" COMMIT_A
		"%22%2C%22x%22%3A%22a+b%2Bc%26d%22%7D";
	static const char type[] = "Content-Type: application/x-www-form-urlencoded; charset=utf-8";
	char *raw = sign("X-Hub-Signature-256", "sha256=", form);
	char *field = sign("X-Gitea-Signature", "", json);
	struct headers github = HEADERS("X-GitHub-Event: push", type, raw);
	struct headers gitea = HEADERS("X-Gitea-Event: push", type, field);
	struct proof p = webhook_proof(&provider_github, github, "");

	ck_assert(!p.signs_field);
	ck_assert_int_eq(verified(&p, form), 0);
	webhook_accepted(&provider_github, github, form);
	ck_assert_str_eq(CHANGE.ref, "refs/heads/main");
	p = webhook_proof(&provider_gitea, gitea, "");
	ck_assert(p.signs_field);
	ck_assert_int_eq(verified(&p, form), 0);
	webhook_accepted(&provider_gitea, gitea, form);
	ck_assert_str_eq(CHANGE.ref, "refs/heads/main");
	/* Byte by byte, as it may come. */
	ck_assert_int_eq(webhook_pieces(&provider_gitea, gitea, form, strlen(form), 1), 0);
	free(raw);
	free(field);
}
END_TEST

START_TEST(trap_05_a_form_that_says_two_things_is_refused)
{
	static const char type[] = "Content-Type: application/x-www-form-urlencoded";
	struct headers h = HEADERS("X-GitHub-Event: push", type);

	webhook_refused(&provider_github, h, "payload=%7B%7D&payload=%7B%7D", "payload");
	webhook_refused(&provider_github, h, "x=%7B%7D", "payload");
	webhook_refused(&provider_github, h, "payload=%7", "payload");
	webhook_refused(&provider_github, h, "payload=%zz", "form");
	webhook_refused(&provider_github, h, "payload=", "not JSON");
	webhook_refused(&provider_github, h, "", "payload");
	webhook_accepted(&provider_github, h,
		"a=1&payload=%7b%22ref%22:%22refs/heads/main%22,%22after%22:%22" COMMIT_A
		"%22%7d&b=2");
	ck_assert_str_eq(CHANGE.ref, "refs/heads/main");
}
END_TEST

START_TEST(trap_08_what_is_no_signature_proves_nothing)
{
	static const char *const github[] = {"A: b", "X-Hub-Signature-256:",
		"X-Hub-Signature-256: sha256=", "X-Hub-Signature-256: " HEX_64,
		"X-Hub-Signature-256: sha1=" HEX_64, "X-Hub-Signature-256: SHA256=" HEX_64,
		"X-Hub-Signature-256: sha256=" HEX_64 "0", "X-Hub-Signature-256: sha256=0" HEX_64,
		"X-Hub-Signature-256: sha256=x123456789abcdef" HEX_64,
		"X-Hub-Signature-256: sha256=" HEX_64 ",sha256=" HEX_64};

	for (size_t i = 0; i < ARRAY_LEN(github); i++)
		ck_proof(&provider_github, HEADERS(github[i]), "", PROOF_NONE, "");
	ck_proof(&provider_github,
		HEADERS("X-Hub-Signature-256: sha256=" HEX_64,
			"X-Hub-Signature-256: sha256=" HEX_64),
		"", PROOF_NONE, "");
	/* Gitea without a secret sends these; the one must not stand in for the other. */
	ck_proof(&provider_gitea,
		HEADERS("X-Gitea-Signature:", "X-Hub-Signature-256: sha256=" HEX_64), "",
		PROOF_NONE, "");
	ck_proof(&provider_gitea, HEADERS("X-Gitea-Signature:", "X-Hub-Signature-256: sha256="), "",
		PROOF_NONE, "");
	ck_proof(&provider_gitea, HEADERS("X-Gitea-Signature: sha256=" HEX_64), "", PROOF_NONE, "");
	ck_proof(&provider_bitbucket, HEADERS("X-Hub-Signature: sha1=" HEX_64), "", PROOF_NONE, "");
	ck_proof(&provider_gitlab, HEADERS("X-Gitlab-Token:"), "", PROOF_NONE, "");
	ck_proof(&provider_gitlab, HEADERS("X-Gitlab-Token: a", "X-Gitlab-Token: a"), "",
		PROOF_NONE, "");
	ck_proof(&provider_generic, HEADERS("Authorization: Bearer "), "x", PROOF_NONE, "");
	ck_proof(&provider_generic, HEADERS("Authorization: Basic eDp5"), "x", PROOF_NONE, "");
	ck_proof(&provider_generic, HEADERS("A: b"), "", PROOF_NONE, "");
}
END_TEST

START_TEST(trap_15_and_16_the_secret_may_be_in_the_path)
{
	ck_proof(&provider_dockerhub, HEADERS("A: b"), "/s3cret", PROOF_PATH, "s3cret");
	ck_proof(&provider_dockerhub, HEADERS("A: b"), "s3cret", PROOF_PATH, "s3cret");
	ck_proof(&provider_dockerhub, HEADERS("A: b"), "", PROOF_NONE, "");
	ck_proof(&provider_dockerhub, HEADERS("A: b"), NULL, PROOF_NONE, "");
	ck_proof(&provider_dockerhub, HEADERS("A: b"), "/", PROOF_NONE, "");
	ck_proof(&provider_dockerhub, HEADERS("A: b"), "/a/b", PROOF_NONE, "");
	ck_proof(&provider_dockerhub, HEADERS("A: b"), "/a\nb", PROOF_NONE, "");
	/* Of who signs it is not asked. */
	ck_proof(&provider_github, HEADERS("A: b"), "s3cret", PROOF_NONE, "");
	ck_proof(&provider_gitlab, HEADERS("A: b"), "s3cret", PROOF_NONE, "");
}
END_TEST

START_TEST(trap_18_gitlab_proves_in_one_of_two_ways)
{
	struct headers signing = HEADERS("X-Gitlab-Token: plain", "webhook-id: msg_1",
		"webhook-timestamp: 1795224123", "webhook-signature: v1,b2xk v1,bmV3");
	struct proof p = webhook_proof(&provider_gitlab, signing, "");

	ck_proof(&provider_gitlab, HEADERS("X-Gitlab-Token: plain"), "", PROOF_TOKEN, "plain");
	ck_assert_int_eq(p.kind, PROOF_STANDARD);
	ck_assert_str_eq(p.value, "v1,b2xk v1,bmV3");
	ck_assert_str_eq(p.id, "msg_1");
	ck_assert_int_eq(p.timestamp_s, 1795224123);
	webhook_recorded(&provider_gitlab,
		HEADERS("X-Gitlab-Event: Push Hook", "webhook-id: msg_1", "Idempotency-Key: k"),
		"gitlab/push.json");
	ck_assert_str_eq(delivery.id, "msg_1");
	/* Half of it is nothing, and the plain token does not stand in for it. */
	ck_proof(&provider_gitlab, HEADERS("X-Gitlab-Token: plain", "webhook-signature: v1,b2xk"),
		"", PROOF_NONE, "");
	ck_proof(&provider_gitlab,
		HEADERS("webhook-id: a", "webhook-timestamp: now", "webhook-signature: v1,b2xk"),
		"", PROOF_NONE, "");
	ck_proof(&provider_gitlab,
		HEADERS("webhook-id: a", "webhook-timestamp: -5", "webhook-signature: v1,b2xk"), "",
		PROOF_NONE, "");
	ck_proof(&provider_gitlab,
		HEADERS("webhook-id: a b", "webhook-timestamp: 5", "webhook-signature: v1,b2xk"),
		"", PROOF_NONE, "");
}
END_TEST

struct zeros {
	size_t left;
};

static ssize_t read_spaces(void *user, void *to, size_t n, struct err *e)
{
	struct zeros *z = user;
	size_t take = z->left < n ? z->left : n;

	(void)e;
	memset(to, ' ', take);
	z->left -= take;
	return (ssize_t)take;
}

START_TEST(trap_11_too_much_is_too_much_however_it_comes)
{
	struct zeros z = {DELIVERY_BODY_MAX + 1};
	struct body_reader reader = {read_spaces, &z};
	struct headers h = GITHUB, generic = HEADERS("A: b");

	ck_assert_int_eq(provider_github.parse(&h, &reader, &delivery, &delivery_error), -E2BIG);
	z.left = DELIVERY_BODY_MAX;
	ck_assert_int_eq(provider_github.parse(&h, &reader, &delivery, &delivery_error), -EBADMSG);
	z.left = 65537;
	ck_assert_int_eq(
		provider_generic.parse(&generic, &reader, &delivery, &delivery_error), -E2BIG);
}
END_TEST

START_TEST(what_is_told_wrongly_is_refused)
{
	static const char *const wrong[] = {"{}", "{\"kind\":\"\"}", "{\"kind\":\"Token\"}",
		"{\"kind\":1}", "{\"kind\":\"token\",\"value\":1}",
		"{\"kind\":\"token\",\"value\":\"a\\u0000b\"}",
		"{\"kind\":\"standard\",\"value\":\"v\",\"id\":[]}"};
	_cleanup_(free_p) char *lengthy =
		str_format("{\"kind\":\"token\",\"value\":\"%01024d\"}", 0);
	struct proof p = {.kind = PROOF_PATH};
	struct err e;

	for (size_t i = 0; i <= ARRAY_LEN(wrong); i++) {
		const char *text = i < ARRAY_LEN(wrong) ? wrong[i] : lengthy;
		json_t *j = json_loads(text, JSON_ALLOW_NUL, NULL);

		ck_assert_ptr_nonnull(j);
		ck_assert_int_eq(proof_from_json(j, &p, &e), -EBADMSG);
		ck_assert_int_eq(p.kind, PROOF_PATH);
		json_decref(j);
	}
	/* What no text can say proves nothing. */
	p = (struct proof){.kind = PROOF_TOKEN, .value = "\xff\xfe"};
	json_t *j = proof_to_json(&p);
	ck_assert_int_eq(proof_from_json(j, &p, &e), 0);
	ck_assert_int_eq(p.kind, PROOF_NONE);
	json_decref(j);
}
END_TEST

RUN_TESTS("proof", what_is_told_wrongly_is_refused, each_sender_has_its_header,
	trap_05_of_a_form_each_signs_something_else, trap_05_a_form_that_says_two_things_is_refused,
	trap_08_what_is_no_signature_proves_nothing, trap_15_and_16_the_secret_may_be_in_the_path,
	trap_18_gitlab_proves_in_one_of_two_ways, trap_11_too_much_is_too_much_however_it_comes)
