/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy-hooks/filter.h"

#include <time.h>

#include "tests/unit/webhook_case.h"

#define MATCHES(text, ...)                                                                         \
	filter_matches(                                                                            \
		(const char *[]){__VA_ARGS__}, ARRAY_LEN(((const char *[]){__VA_ARGS__})), text)

START_TEST(a_star_stays_within_one_part)
{
	ck_assert(MATCHES("main", "main"));
	ck_assert(!MATCHES("main2", "main"));
	ck_assert(!MATCHES("amain", "main"));
	ck_assert(MATCHES("release-1.2", "release-*"));
	ck_assert(MATCHES("release-", "release-*"));
	ck_assert(!MATCHES("release-1/x", "release-*"));
	ck_assert(MATCHES("a/b.c", "a/*.c"));
	ck_assert(MATCHES("v1", "v?"));
	ck_assert(!MATCHES("v", "v?"));
	ck_assert(!MATCHES("a/b", "a?b"));
	ck_assert(MATCHES("aXbXc", "a*b*c"));
	ck_assert(!MATCHES("aXbXcX", "a*b*c"));
	/* The other characters of a shell pattern stand for themselves. */
	ck_assert(MATCHES("a[1]", "a[1]"));
	ck_assert(!MATCHES("a1", "a[1]"));
}
END_TEST

START_TEST(two_stars_go_over_parts)
{
	ck_assert(MATCHES("api/x", "api/**"));
	ck_assert(MATCHES("api/x/y/z", "api/**"));
	ck_assert(!MATCHES("api", "api/**"));
	ck_assert(!MATCHES("apix/y", "api/**"));
	ck_assert(MATCHES("x.c", "**/*.c"));
	ck_assert(MATCHES("a/b/x.c", "**/*.c"));
	ck_assert(MATCHES("a/b", "a/**/b"));
	ck_assert(MATCHES("a/x/y/b", "a/**/b"));
	ck_assert(!MATCHES("a/xb", "a/**/b"));
	ck_assert(!MATCHES("ab", "a/**/b"));
	ck_assert(MATCHES("anything/at/all", "**"));
	/* A folder is all that is in it. */
	ck_assert(MATCHES("docs/a/b", "docs/"));
	ck_assert(!MATCHES("docs2/a", "docs/"));
}
END_TEST

START_TEST(trap_10_a_question_mark_is_one_character)
{
	ck_assert(MATCHES("feature/\xc3\xbc-\xe2\x9c\x93", "feature/?-?"));
	ck_assert(MATCHES("\xf0\x9f\x98\x80", "?"));
	ck_assert(MATCHES("\xc3\xbc", "\xc3\xbc"));
	ck_assert(MATCHES("\xff", "?"));
}
END_TEST

START_TEST(the_last_that_matches_decides)
{
	ck_assert(!MATCHES("docs/api/x", "**", "!docs/**"));
	ck_assert(MATCHES("docs/api/x", "!docs/**", "docs/api/**"));
	ck_assert(MATCHES("src/x", "**", "!docs/**"));
	ck_assert(!MATCHES("src/x", "api/**", "!docs/**"));
	/* Nothing but takings-back: all the rest. */
	ck_assert(MATCHES("src/x", "!docs/**"));
	ck_assert(!MATCHES("docs/x", "!docs/**"));
	ck_assert(!filter_matches(NULL, 0, "main"));
}
END_TEST

static enum filter_verdict judge(enum delivery_kind kind, const char *ref, const struct filter *f)
{
	struct delivery_change c = {.kind = kind};

	(void)str_copy(c.ref, sizeof(c.ref), ref);
	return filter_judge(f, &c);
}

START_TEST(only_branches_and_tags_that_were_named)
{
	const char *branches[] = {"main", "release/*"}, *tags[] = {"v*"}, *paths[] = {"api/**"};
	struct filter f = {.branches = branches, .n_branches = 2, .tags = tags, .n_tags = 1};

	ck_assert_int_eq(judge(DELIVERY_PUSH, "refs/heads/main", &f), FILTER_DEPLOY);
	ck_assert_int_eq(judge(DELIVERY_PUSH, "refs/heads/release/1", &f), FILTER_DEPLOY);
	ck_assert_int_eq(judge(DELIVERY_PUSH, "refs/heads/v1", &f), FILTER_REF);
	ck_assert_int_eq(judge(DELIVERY_TAG, "refs/tags/v1", &f), FILTER_DEPLOY);
	ck_assert_int_eq(judge(DELIVERY_TAG, "refs/tags/main", &f), FILTER_REF);
	ck_assert_int_eq(judge(DELIVERY_IMAGE, "v2", &f), FILTER_DEPLOY);
	ck_assert_int_eq(judge(DELIVERY_DELETED, "refs/heads/main", &f), FILTER_NOTHING);
	f.paths = paths;
	f.n_paths = 1;
	ck_assert_int_eq(judge(DELIVERY_PUSH, "refs/heads/main", &f), FILTER_ASK_GIT);
	ck_assert_int_eq(judge(DELIVERY_TAG, "refs/tags/v1", &f), FILTER_DEPLOY);
	f.n_tags = f.n_branches = 0;
	ck_assert_int_eq(judge(DELIVERY_PUSH, "refs/heads/main", &f), FILTER_REF);
	ck_assert_int_eq(judge(DELIVERY_TAG, "refs/tags/v1", &f), FILTER_REF);
	ck_assert_str_eq(filter_verdict_text(FILTER_PATHS), "no changed path matches");
}
END_TEST

START_TEST(a_file_that_matches_is_enough)
{
	const char *branches[] = {"main"}, *paths[] = {"**", "!docs/**"};
	char docs[] = "docs/a", source[] = "src/a";
	char *files[] = {docs, source};
	struct filter f = {.branches = branches, .n_branches = 1, .paths = paths, .n_paths = 2};
	struct delivery_change c = {
		.kind = DELIVERY_PUSH, .ref = "refs/heads/main", .files = files};

	c.n_files = 1;
	ck_assert_int_eq(filter_judge(&f, &c), FILTER_ASK_GIT);
	c.files_known = true;
	ck_assert_int_eq(filter_judge(&f, &c), FILTER_PATHS);
	c.n_files = 2;
	ck_assert_int_eq(filter_judge(&f, &c), FILTER_DEPLOY);
	c.files_known = false;
	ck_assert_int_eq(filter_judge(&f, &c), FILTER_DEPLOY);
}
END_TEST

START_TEST(no_path_makes_it_slow)
{
	char path[DELIVERY_PATH_MAX], pattern[300] = "";
	clock_t begin = clock();

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < 40; i++)
		strcat(pattern, "**a*");
	strcat(pattern, "b");
	for (int i = 0; i < 20; i++)
		ck_assert(!MATCHES(path, pattern));
	ck_assert_int_lt(clock() - begin, 5 * CLOCKS_PER_SEC);
}
END_TEST

RUN_TESTS("filter", a_star_stays_within_one_part, two_stars_go_over_parts,
	trap_10_a_question_mark_is_one_character, the_last_that_matches_decides,
	only_branches_and_tags_that_were_named, a_file_that_matches_is_enough,
	no_path_makes_it_slow)
