/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/segments.h"

#include <check.h>
#include <signal.h>
#include <sys/wait.h>

#include "backup/stop.h"
#include "tests/unit/fake_store.h"
#include "tests/unit/fork.h"

#define KEY "shop/20261121T030000Z-3f9a2c/shop.sql"

static const struct upload_options any = {.expected_bytes = 0};

static void member_done(struct manifest_member *m)
{
	for (size_t i = 0; i < m->n_segments; i++) {
		free(m->segments[i].key);
		free(m->segments[i].etag);
	}
	free(m->segments);
}

static int write_text(struct fake_store *f, const char *text, size_t piece,
	struct manifest_member *m, struct err *e)
{
	_cleanup_(sink_free_p) struct sink *g = NULL;
	int r = segments_new(&f->store, KEY, &any, &g, e);

	for (size_t at = 0; r == 0 && text[at];) {
		size_t n = strnlen(text + at, piece);

		r = sink_write(g, text + at, n, e);
		at += n;
	}
	if (r == 0)
		r = sink_finish(g, e);
	return r < 0 ? r : segments_commit(g, m, e);
}

START_TEST(row_20_a_stream_past_the_limit_goes_on_in_further_objects)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
	struct manifest_member m = {.n_segments = 0};
	struct err e = {""};

	f->room = 10;
	ck_assert_int_eq(write_text(f, "0123456789abcdefghijxyz", (size_t)_i, &m, &e), 0);
	ck_assert_uint_eq(m.n_segments, 3);
	ck_assert_str_eq(m.segments[0].key, KEY);
	ck_assert_str_eq(m.segments[1].key, KEY ".002");
	ck_assert_str_eq(m.segments[2].key, KEY ".003");
	ck_assert_int_eq(m.segments[1].bytes, 10);
	ck_assert_int_eq(m.segments[2].bytes, 3);
	ck_assert_str_eq(m.segments[2].etag, "\"tag\"");
	ck_assert_uint_eq(f->n_objects, 3);
	ck_assert_str_eq(buf_str(&fake_find(f->objects, 3, KEY ".002")->data), "abcdefghij");
	ck_assert_ptr_null(strstr(buf_str(&f->log), "remove"));
	member_done(&m);
}
END_TEST

START_TEST(a_stream_that_just_fits_is_one_object)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
	struct manifest_member m = {.n_segments = 0};
	struct err e = {""};

	f->room = 10;
	ck_assert_int_eq(write_text(f, "0123456789", 3, &m, &e), 0);
	ck_assert_uint_eq(m.n_segments, 1);
	ck_assert_str_eq(buf_str(&f->log), "upload " KEY "\ncommit " KEY "\n");
	member_done(&m);
}
END_TEST

START_TEST(an_empty_stream_is_an_empty_object)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
	struct manifest_member m = {.n_segments = 0};
	struct err e = {""};

	ck_assert_int_eq(write_text(f, "", 1, &m, &e), 0);
	ck_assert_uint_eq(m.n_segments, 1);
	ck_assert_int_eq(m.segments[0].bytes, 0);
	member_done(&m);
}
END_TEST

/* The dump may still turn out to be bad after its last byte. */
START_TEST(the_last_object_does_not_exist_before_commit)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
	struct sink *g = NULL;
	struct err e = {""};

	f->room = 10;
	ck_assert_int_eq(segments_new(&f->store, KEY, &any, &g, &e), 0);
	ck_assert_int_eq(sink_write(g, "0123456789abc", 13, &e), 0);
	ck_assert_int_eq(sink_finish(g, &e), 0);
	ck_assert_uint_eq(f->n_objects, 1);
	sink_free(g);
	ck_assert_uint_eq(f->n_objects, 0);
	ck_assert_str_eq(buf_str(&f->log), "upload " KEY "\ncommit " KEY "\nupload " KEY
					   ".002\nabort " KEY ".002\nremove " KEY "\n");
}
END_TEST

START_TEST(without_the_right_to_delete_nothing_is_asked_to_be_deleted)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
	struct sink *g = NULL;
	struct err e = {""};

	f->room = 10;
	f->store.may_delete = false;
	ck_assert_int_eq(segments_new(&f->store, KEY, &any, &g, &e), 0);
	ck_assert_int_eq(sink_write(g, "0123456789abc", 13, &e), 0);
	sink_free(g);
	ck_assert_ptr_null(strstr(buf_str(&f->log), "remove"));
}
END_TEST

START_TEST(a_store_that_fails_at_any_call_leaves_nothing)
{
	int fail_at = 1;

	for (;; fail_at++) {
		_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
		struct manifest_member m = {.n_segments = 0};
		struct err e = {""};

		f->room = 10;
		f->fail_at = fail_at;
		if (write_text(f, "0123456789abcdefghijxyz", 7, &m, &e) == 0) {
			ck_assert_uint_eq(m.n_segments, 3);
			member_done(&m);
			break;
		}
		ck_assert_ptr_nonnull(strstr(e.msg, "the fake store fails"));
		ck_assert_uint_eq(m.n_segments, 0);
		ck_assert_uint_eq(f->n_objects, 0);
	}
	ck_assert_int_gt(fail_at, 10);
}
END_TEST

/* In a copy of the test, as a stop cannot be taken back. Returns the objects that are left. */
static int left_after_a_stop(void)
{
	pid_t pid = fork_in_test();
	int status = -1;

	if (pid == 0) {
		struct fake_store *f = fake_store_new("s");
		struct sink *g = NULL;

		f->room = 10;
		stop_install();
		if (segments_new(&f->store, KEY, &any, &g, NULL) < 0 ||
			sink_write(g, "0123456789abcdefghijxyz", 23, NULL) < 0 || f->n_objects != 2)
			_exit(99);
		(void)raise(SIGTERM);
		if (sink_write(g, "0123456789", 10, NULL) != -ECANCELED)
			_exit(98);
		sink_free(g);
		_exit((int)f->n_objects);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(a_stop_in_the_middle_of_an_object_leaves_nothing)
{
	ck_assert_int_eq(left_after_a_stop(), 0);
}
END_TEST

START_TEST(an_object_of_another_length_is_an_error)
{
	_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
	struct manifest_member m = {.n_segments = 0};
	struct sink *g = NULL;
	struct err e = {""};

	ck_assert_int_eq(segments_new(&f->store, KEY, &any, &g, &e), 0);
	ck_assert_int_eq(sink_write(g, "0123456789", 10, &e), 0);
	f->lose_bytes = 1;
	ck_assert_int_eq(sink_finish(g, &e), 0);
	ck_assert_int_eq(segments_commit(g, &m, &e), -EIO);
	ck_assert_ptr_nonnull(strstr(e.msg, "the store has 9 bytes, 10 were written"));
	sink_free(g);
	ck_assert_uint_eq(f->n_objects, 0);
}
END_TEST

/* Else its journal would go, and nobody would ever know of it. */
START_TEST(a_segment_that_cannot_be_removed_now_is_left_behind)
{
	for (int way = 0; way < 3; way++) {
		_cleanup_(fake_store_free_p) struct fake_store *f = fake_store_new("s");
		struct sink *g = NULL;
		struct err e = {""};

		f->room = 10;
		ck_assert_int_eq(segments_new(&f->store, KEY, &any, &g, &e), 0);
		ck_assert_int_eq(sink_write(g, "0123456789abc", 13, &e), 0);
		/* It fails; it is forbidden, and will be; it works. */
		f->fail_at = way == 0 ? f->calls + 1 : 0;
		f->forbid_removal = way == 1;
		sink_free(g);
		ck_assert_uint_eq(f->n_objects, way == 2 ? 0 : 1);
		ck_assert(f->store.left_behind == (way == 0));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("segments");
	TCase *tc = tcase_create("segments");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, row_20_a_stream_past_the_limit_goes_on_in_further_objects, 1, 30);
	tcase_add_test(tc, a_stream_that_just_fits_is_one_object);
	tcase_add_test(tc, an_empty_stream_is_an_empty_object);
	tcase_add_test(tc, the_last_object_does_not_exist_before_commit);
	tcase_add_test(tc, without_the_right_to_delete_nothing_is_asked_to_be_deleted);
	tcase_add_test(tc, a_store_that_fails_at_any_call_leaves_nothing);
	tcase_add_test(tc, a_segment_that_cannot_be_removed_now_is_left_behind);
	tcase_add_test(tc, a_stop_in_the_middle_of_an_object_leaves_nothing);
	tcase_add_test(tc, an_object_of_another_length_is_an_error);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
