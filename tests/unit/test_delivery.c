/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/delivery.h"

#include "tests/unit/webhook_case.h"

static struct err e;

START_TEST(refs_are_those_that_git_takes)
{
	static const char *const good[] = {"refs/heads/main", "refs/tags/v1.0",
		"refs/heads/feature/\xc3\xbc-\xe2\x9c\x93", "refs/heads/a.b", "refs/heads/@",
		"refs/heads/a@b", "refs/heads/a'b;$(c)"};
	static const char *const bad[] = {"", "main", "refs/heads/", "refs/heads",
		"refs/pull/1/head", "refs/heads/-x", "refs/heads/a b", "refs/heads/a\nb",
		"refs/heads/a..b", "refs/heads/a.", "refs/heads/a/", "refs/heads//a",
		"refs/heads/.a", "refs/heads/a/.b", "refs/heads/a.lock", "refs/heads/a.lock/b",
		"refs/heads/a@{b", "refs/heads/a~", "refs/heads/a^", "refs/heads/a:b",
		"refs/heads/a?", "refs/heads/a*", "refs/heads/[a", "refs/heads/a\\b",
		"refs/heads/a\x7f"};
	char longest[DEPLOY_REF_SIZE + 1] = "refs/heads/";

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(delivery_ref_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!delivery_ref_is_valid(bad[i]), "%s", bad[i]);
	memset(longest + 11, 'a', sizeof(longest) - 12);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert(!delivery_ref_is_valid(longest));
	longest[sizeof(longest) - 2] = '\0';
	ck_assert(delivery_ref_is_valid(longest));
}
END_TEST

START_TEST(commits_are_hashes)
{
	ck_assert(delivery_commit_is_valid(COMMIT_A));
	ck_assert(delivery_commit_is_valid(ZERO_64));
	ck_assert(!delivery_commit_is_valid("DA1560886D4F094C3E6C9EF40349F7D38B5D27D7"));
	ck_assert(!delivery_commit_is_valid("da15608"));
	ck_assert(!delivery_commit_is_valid(COMMIT_A "0"));
	ck_assert(!delivery_commit_is_valid(""));
	ck_assert(delivery_commit_is_zero(ZERO_40));
	ck_assert(delivery_commit_is_zero(ZERO_64));
	ck_assert(!delivery_commit_is_zero(COMMIT_A));
	ck_assert(!delivery_commit_is_zero("0"));
}
END_TEST

static void ck_text(size_t size, const char *from, const char *want)
{
	char to[100];

	delivery_text(to, size, from, strlen(from));
	ck_assert_str_eq(to, want);
}

START_TEST(texts_are_safe_to_show)
{
	ck_text(100, "Fix \xe2\x9c\x93", "Fix \xe2\x9c\x93");
	ck_text(100, "a\tb\x1b[31mc\x7f\r\n", "a b [31mc");
	ck_text(100,
		"a\xc2\x9b"
		"b",
		"a b");
	ck_text(100,
		"a\xff\xc3"
		"b",
		"ab");
	ck_text(5, "abcdef", "abcd");
	ck_text(5, "abc\xc3\xbc", "abc");
	ck_text(6, "abc\xc3\xbc", "abc\xc3\xbc");
	ck_text(1, "a", "");
}
END_TEST

START_TEST(the_daemon_reads_what_was_told)
{
	struct deploy d = {.id = 7};
	json_t *j;

	webhook_recorded(&provider_github, GITHUB, "github/push-4.json");
	(void)str_copy(CHANGE.before, sizeof(CHANGE.before), COMMIT_B);
	j = delivery_change_to_json(&delivery, &CHANGE);
	ck_assert_ptr_null(json_object_get(j, "files"));
	ck_assert_msg(delivery_change_from_json(j, &d, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(d.id, 7);
	ck_assert_str_eq(d.ref, "refs/heads/master");
	ck_assert_str_eq(d.commit, CHANGE.commit);
	ck_assert_str_eq(d.before, COMMIT_B);
	ck_assert_str_eq(d.subject, CHANGE.subject);
	ck_assert_str_eq(d.by, "Codertocat");
	ck_assert_str_eq(d.delivery, delivery.id);
	ck_assert_uint_eq(json_array_size(json_object_get(d.document, "commits")), 1);
	ck_assert(json_is_true(json_object_get(d.document, "new_ref")));
	json_decref(j);
	json_decref(d.document);
}
END_TEST

START_TEST(an_image_is_no_ref)
{
	struct deploy d = {0};
	json_t *j;

	webhook_recorded(&provider_dockerhub, HEADERS("A: b"), "dockerhub/build-notice.json");
	j = delivery_change_to_json(&delivery, &CHANGE);
	ck_assert_int_eq(delivery_change_from_json(j, &d, &e), 0);
	ck_assert_str_eq(d.ref, "");
	ck_assert_str_eq(json_string_value(json_object_get(d.document, "tag")), "latest");
	ck_assert_str_eq(json_string_value(json_object_get(d.document, "repository")),
		"svendowideit/testhook");
	json_decref(j);
	json_decref(d.document);
}
END_TEST

START_TEST(a_web_process_that_was_taken_over_tells_nothing_else)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"kind\":\"deleted\",\"ref\":\"refs/heads/main\"}",
		"{\"kind\":\"push\",\"ref\":\"--upload-pack=sh\"}",
		"{\"kind\":\"push\",\"ref\":\"refs/tags/v1\"}",
		"{\"kind\":\"tag\",\"ref\":\"refs/heads/v1\"}",
		"{\"kind\":\"push\",\"ref\":7}",
		"{\"kind\":\"push\",\"commit\":\"HEAD\"}",
		"{\"kind\":\"push\",\"commit\":\"" ZERO_40 "\"}",
		"{\"kind\":\"push\",\"subject\":\"a\\nb\"}",
		"{\"kind\":\"push\",\"subject\":\"a\\u0000b\"}",
		"{\"kind\":\"push\",\"id\":\"a b\"}",
		"{\"kind\":\"image\",\"ref\":\"\"}",
		"{\"kind\":\"image\",\"ref\":\"x/y:z\"}",
		"{\"kind\":\"image\",\"ref\":\"v1\",\"digest\":\"sha256:1\"}",
		"{\"kind\":\"push\",\"commits\":{}}",
		"{\"kind\":\"push\",\"commits\":[7]}",
		"{\"kind\":\"push\",\"commits\":[{\"id\":\"x\"}]}",
		"{\"kind\":\"push\",\"commits\":[{\"more\":\"x\"}]}",
	};
	struct deploy d = {.ref = "refs/heads/kept"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *j = json_loads(bad[i], JSON_ALLOW_NUL, NULL);

		ck_assert_ptr_nonnull(j);
		ck_assert_msg(delivery_change_from_json(j, &d, &e) == -EBADMSG, "%s", bad[i]);
		ck_assert_str_eq(d.ref, "refs/heads/kept");
		ck_assert_ptr_null(d.document);
		json_decref(j);
	}
}
END_TEST

START_TEST(commits_told_are_the_last)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_adds(&b, "{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT_A "\",\"commits\":[");
	for (unsigned i = 0; i < DELIVERY_COMMITS_MAX + 5; i++)
		buf_addf(&b, "%s{\"id\":\"%040x\",\"message\":\"m%u\"}", i ? "," : "", i + 1, i);
	buf_adds(&b, "]}");
	webhook_accepted(&provider_github, GITHUB, buf_str(&b));
	ck_assert_uint_eq(json_array_size(CHANGE.commits), DELIVERY_COMMITS_MAX);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_array_get(CHANGE.commits, 0), "subject")),
		"m5");
	buf_done(&b);
}
END_TEST

START_TEST(files_are_bounded)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_adds(&b, "{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT_A
		     "\",\"commits\":[{\"added\":[\"a\"");
	for (unsigned i = 1; i < DELIVERY_FILES_MAX; i++)
		buf_adds(&b, ",\"b\"");
	buf_adds(&b, "]}]}");
	webhook_accepted(&provider_github, GITHUB, buf_str(&b));
	ck_assert_uint_eq(CHANGE.n_files, DELIVERY_FILES_MAX);
	ck_assert(CHANGE.files_known);
	b.len -= 4;
	buf_adds(&b, ",\"c\"]}]}");
	webhook_accepted(&provider_github, GITHUB, buf_str(&b));
	ck_assert_uint_eq(CHANGE.n_files, DELIVERY_FILES_MAX);
	ck_assert(!CHANGE.files_known);
	buf_done(&b);
	/* One that cannot be told as it is: git is asked. */
	webhook_accepted(&provider_github, GITHUB,
		"{\"ref\":\"refs/heads/main\",\"after\":\"" COMMIT_A
		"\",\"commits\":[{\"added\":[\"a\",\"b\\nc\"]}]}");
	ck_assert_uint_eq(CHANGE.n_files, 1);
	ck_assert(!CHANGE.files_known);
}
END_TEST

RUN_TESTS("delivery", refs_are_those_that_git_takes, commits_are_hashes, texts_are_safe_to_show,
	the_daemon_reads_what_was_told, an_image_is_no_ref,
	a_web_process_that_was_taken_over_tells_nothing_else, commits_told_are_the_last,
	files_are_bounded)
