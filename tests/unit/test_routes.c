/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/routes.h"
#include "base/str.h"

static struct route with_path(const char *path)
{
	return (struct route){.path = path};
}

static bool matches(const char *route, const char *path)
{
	struct route r = with_path(route);

	return route_matches(&r, path);
}

START_TEST(a_path_matches_itself)
{
	ck_assert(matches("/", "/"));
	ck_assert(!matches("/", "/x"));
	ck_assert(!matches("/", ""));
	ck_assert(matches("/api/v1/alerts", "/api/v1/alerts"));
	ck_assert(!matches("/api/v1/alerts", "/api/v1/alerts/"));
	ck_assert(!matches("/api/v1/alerts", "/api/v1/alert"));
	ck_assert(!matches("/api/v1/alerts", "/api/v1/alerts/ack"));
}
END_TEST

START_TEST(a_prefix_matches_what_is_below)
{
	ck_assert(matches("/assets/", "/assets/a/b.js"));
	ck_assert(!matches("/assets/", "/assets"));
}
END_TEST

START_TEST(a_name_is_one_segment_that_is_not_empty)
{
	ck_assert(matches("/channels/{name}/test", "/channels/ops/test"));
	ck_assert(matches("/channels/{name}/test", "/channels/%2f/test"));
	ck_assert(!matches("/channels/{name}/test", "/channels//test"));
	ck_assert(!matches("/channels/{name}/test", "/channels/ops/x/test"));
	ck_assert(!matches("/channels/{name}/test", "/channels/ops"));
	ck_assert(!matches("/channels/{name}/test", "/channels/ops/test/"));
	ck_assert(matches("/silences/{id}", "/silences/7"));
	ck_assert(!matches("/silences/{id}", "/silences/"));
	ck_assert(!matches("/silences/{id}", "/silences/7/8"));
}
END_TEST

static void segment_is(const char *route, const char *path, const char *name, const char *wanted)
{
	struct route r = with_path(route);
	size_t len;
	const char *at = route_segment(&r, path, name, &len);

	ck_assert_uint_eq(len, strlen(wanted));
	ck_assert_int_eq(strncmp(at, wanted, len), 0);
}

START_TEST(segments_are_found_by_their_names)
{
	struct route r = with_path("/a/{one}/b/{two}");

	segment_is(r.path, "/a/x/b/yy", "one", "x");
	segment_is(r.path, "/a/x/b/yy", "two", "yy");
	segment_is(r.path, "/a/x/b/yy", "tw", "");
	ck_assert(route_has_segment(&r, "two"));
	ck_assert(!route_has_segment(&r, "tw"));
	ck_assert(!route_has_segment(&r, "twoo"));
}
END_TEST

/* The API's description puts neighbours of one path together. */
START_TEST(rows_of_one_path_stand_together_in_order)
{
	for (const struct route *r = routes; r[0].path && r[1].path; r++) {
		int order = strcmp(r[0].path, r[1].path);

		ck_assert_msg(order <= 0, "%s stands before %s", r[0].path, r[1].path);
		ck_assert_msg(order < 0 || strcmp(r[0].method, r[1].method) != 0,
			"%s %s stands there twice", r[0].method, r[0].path);
	}
}
END_TEST

/* Whoever may only look changes nothing; the secret of an app is the door of /deploy/. */
START_TEST(viewers_only_read)
{
	for (const struct route *r = routes; r->path; r++)
		if (strcmp(r->method, "GET") != 0 && strcmp(r->path, "/api/v1/session") != 0 &&
			!str_starts(r->path, "/deploy/"))
			ck_assert_msg(r->role == ROLE_ADMIN, "%s %s", r->method, r->path);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("routes");
	TCase *t = tcase_create("routes");
	SRunner *sr;
	int failed;

	tcase_add_test(t, a_path_matches_itself);
	tcase_add_test(t, a_prefix_matches_what_is_below);
	tcase_add_test(t, a_name_is_one_segment_that_is_not_empty);
	tcase_add_test(t, segments_are_found_by_their_names);
	tcase_add_test(t, rows_of_one_path_stand_together_in_order);
	tcase_add_test(t, viewers_only_read);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
