/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/rclone.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct err e;

static void check_path(const char *remote, const char *prefix, const char *key, const char *want)
{
	struct rclone s = {.remote = remote, .prefix = prefix};
	struct buf b = BUF_INIT(1000);

	rclone_path(&s, key, &b);
	ck_assert_str_eq(buf_str(&b), want);
	buf_done(&b);
}

START_TEST(paths_are_joined)
{
	check_path("b2:", "", "shop/x", "b2:shop/x");
	check_path("b2:backups", "", "shop/x", "b2:backups/shop/x");
	check_path("b2:backups/", "vps1/", "shop/x", "b2:backups/vps1/shop/x");
	check_path("b2:/srv/b", "vps1-", "x", "b2:/srv/b/vps1-x");
	check_path("b2:backups", "", "", "b2:backups");
}
END_TEST

START_TEST(row_32_a_remote_is_only_named)
{
	static const char *const good[] = {"b2:", "my drive:backups/vps1", "a_b-c.d+e@f:/srv/x"};
	static const char *const bad[] = {"", "backups", "/srv/backups", ":s3:b",
		":s3,secret_access_key=x:b", "b2,key=x:b", "-v:b", " b2:x", "b2:../x/..",
		"b2:a/../b"};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(rclone_check_remote(good[i], &e) == 0, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(rclone_check_remote(bad[i], &e) == -EINVAL, "%s", bad[i]);
}
END_TEST

static struct rclone features_of(const char *text, int want)
{
	struct rclone s = {.remote = "x:"};

	ck_assert_int_eq(rclone_read_features(text, &s, &e), want);
	return s;
}

START_TEST(what_a_remote_can_is_read)
{
	struct rclone s = features_of(
		"{\"Hashes\":[\"md5\",\"sha1\",7],\"Features\":{\"PutStream\":true}}", 0);

	ck_assert_str_eq(s.hash, "sha1");
	ck_assert(s.is_known && s.takes_streams && !s.has_folders && !s.has_parts);
	s = features_of("{\"Hashes\":null,\"Features\":{\"CanHaveEmptyDirectories\":true,"
			"\"PutStream\":false,\"CleanUp\":true}}",
		0);
	ck_assert_ptr_null(s.hash);
	ck_assert(!s.takes_streams && s.has_folders && s.has_parts);
	s = features_of("{\"Hashes\":[\"quickxor\"],\"Features\":{}}", 0);
	ck_assert_ptr_null(s.hash);
	ck_assert(!features_of("", -EBADMSG).is_known);
	ck_assert(!features_of("[]", -EBADMSG).is_known);
}
END_TEST

static int read_object(const char *text, const char *hash, struct rclone_object *o)
{
	json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
	int r = rclone_read_object(j, hash, o, &e);

	json_decref(j);
	return r;
}

START_TEST(objects_are_read)
{
	struct rclone_object o;

	ck_assert_int_eq(
		read_object("{\"Path\":\"a\",\"Size\":3,\"IsDir\":false,\"ModTime\":"
			    "\"2026-11-21T15:42:09.908462045Z\",\"Hashes\":{\"md5\":\"00ff\"}}",
			"md5", &o),
		0);
	ck_assert_int_eq(o.bytes, 3);
	ck_assert_int_eq(o.modified_ms, 1795275729000);
	ck_assert_str_eq(o.hash, "00ff");
	ck_assert_int_eq(
		read_object("{\"Size\":0,\"ModTime\":\"2026-11-21T16:42:09+01:00\"}", "md5", &o),
		0);
	ck_assert_int_eq(o.modified_ms, 1795275729000);
	ck_assert_str_eq(o.hash, "");
	ck_assert_int_eq(read_object("{\"Size\":1,\"ModTime\":\"yesterday\"}", NULL, &o), 0);
	ck_assert_int_eq(o.modified_ms, 0);
}
END_TEST

/* Some remotes say nothing of what is not there, others that it is a folder, or that its size is -1. */
START_TEST(what_is_no_object_is_none)
{
	struct rclone_object o;

	ck_assert_int_eq(read_object("null", NULL, &o), -ENOENT);
	ck_assert_int_eq(read_object("{\"Size\":-1,\"IsDir\":true}", NULL, &o), -ENOENT);
	ck_assert_int_eq(read_object("{\"Size\":-1,\"IsDir\":false}", NULL, &o), -EBADMSG);
	ck_assert_int_eq(rclone_read_object(NULL, NULL, &o, &e), -ENOENT);
}
END_TEST

static void check_translated(int r, const char *msg, int want, const char *words)
{
	(void)err_set(&e, 1, "%s", msg);
	ck_assert_int_eq(rclone_translate(r, &e), want);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s", e.msg);
}

START_TEST(exit_statuses_and_words_are_translated)
{
	check_translated(0, "", 0, "");
	check_translated(-ECANCELED, "stopped", -ECANCELED, "stopped");
	check_translated(
		-EREMOTEIO, "rclone: exit status 3: directory not found", -ENOENT, "not found");
	check_translated(-EREMOTEIO, "rclone: exit status 4: x", -ENOENT, "x");
	check_translated(-EREMOTEIO, "rclone: exit status 1: AccessDenied: x", -EPERM,
		"; the remote does not let us");
	check_translated(-EREMOTEIO, "rclone: exit status 1: didn't find section in config file",
		-EINVAL, "no remote of that name");
	check_translated(
		-EREMOTEIO, "rclone: exit status 5: a hiccup", -EREMOTEIO, "exit status 5");
	ck_assert_int_eq(rclone_translate(-EREMOTEIO, NULL), -EREMOTEIO);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rclone");
	TCase *t = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_test(t, paths_are_joined);
	tcase_add_test(t, row_32_a_remote_is_only_named);
	tcase_add_test(t, what_a_remote_can_is_read);
	tcase_add_test(t, objects_are_read);
	tcase_add_test(t, what_is_no_object_is_none);
	tcase_add_test(t, exit_statuses_and_words_are_translated);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
