/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/directory.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "tests/unit/small_disk.h"

#define RUN "shop/20261121T030000Z-3f9a2c/"
#define KEY RUN "shop.sql"

static json_t *settings;

static struct store *open_store(const char *folder, const char *prefix)
{
	const struct store_context c = {.net = NULL};
	struct store *s = NULL;
	struct err e = {""};

	json_decref(settings);
	settings = json_pack("{s:s, s:s, s:s?}", "name", "local", "path",
		*folder == '/' ? folder : scratch_path(folder), "prefix", prefix);
	ck_assert_msg(store_directory.open(settings, &c, &s, &e) == 0, "%s", e.msg);
	return s;
}

static void done(struct store *s)
{
	s->ops->free(s);
	json_decref(settings);
	settings = NULL;
}

static int put(struct store *s, const char *key, const char *text, struct err *e)
{
	return store_put(s, key, text, strlen(text), NULL, e);
}

static int get(struct store *s, const char *key, int64_t offset, int64_t bytes, struct buf *out,
	struct err *e)
{
	struct reader *r = NULL;
	char piece[3];
	ssize_t n = s->ops->read(s, key, offset, bytes, &r, e);

	buf_clear(out);
	if (n < 0)
		return (int)n;
	while ((n = reader_read(r, piece, sizeof(piece), e)) > 0)
		buf_add(out, piece, (size_t)n);
	reader_free(r);
	return (int)n;
}

static int note(void *user, const struct store_object *o)
{
	buf_addf(user, "%s %d\n", o->key, (int)o->bytes);
	return 0;
}

/* The listing is good until the next one. */
static const char *listed(struct store *s, const char *prefix, bool unfinished)
{
	static char text[1000];
	_cleanup_(buf_done) struct buf b = BUF_INIT(sizeof(text) - 1);
	struct err e = {""};
	int r = unfinished ? s->ops->unfinished(s, prefix, note, &b, &e)
			   : s->ops->list(s, prefix, note, &b, &e);

	ck_assert_msg(r == 0, "%s", e.msg);
	(void)str_copy(text, sizeof(text), buf_str(&b));
	return text;
}

START_TEST(what_was_stored_is_read_from_any_byte_on)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("store", NULL);
	struct err e = {""};
	struct stat st;

	ck_assert_msg(put(s, KEY, "0123456789", &e) == 0, "%s", e.msg);
	ck_assert_int_eq(get(s, KEY, 0, 10, &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "0123456789");
	ck_assert_int_eq(get(s, KEY, 7, 10, &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "789");
	ck_assert_int_eq(get(s, KEY, 10, -1, &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_int_eq(get(s, KEY, 11, -1, &b, &e), -EINVAL);
	ck_assert_int_eq(stat(scratch_path("store"), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(scratch_path("store/" RUN), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(scratch_path("store/" KEY), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	done(s);
}
END_TEST

START_TEST(an_object_exists_whole_or_not_at_all)
{
	const struct upload_options o = {.expected_bytes = 0};
	struct store *s = open_store("store", NULL);
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct upload *u = NULL;
	struct err e = {""};

	ck_assert_int_eq(s->ops->upload(s, KEY, &o, &u, &e), 0);
	ck_assert_int_eq(sink_write(&u->sink, "half", 4, &e), 0);
	ck_assert_int_eq(get(s, KEY, 0, -1, &b, &e), -ENOENT);
	ck_assert_str_eq(listed(s, "", false), "");
	ck_assert_str_eq(listed(s, "shop/", true), KEY " 4\n");
	upload_free(u);
	ck_assert_str_eq(listed(s, "", true), "");
	/* And no empty folders either. */
	ck_assert(!scratch_has("store/shop"));
	ck_assert(scratch_has("store"));
	done(s);
}
END_TEST

START_TEST(what_a_kill_left_is_unfinished_until_it_is_abandoned)
{
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, RUN "a.sql", "x", &e), 0);
	scratch_write("store/" KEY ".part", "half", 4);
	ck_assert_str_eq(listed(s, "shop/", true), KEY " 4\n");
	ck_assert_str_eq(listed(s, "blog/", true), "");
	ck_assert_str_eq(listed(s, "", false), RUN "a.sql 1\n");
	ck_assert_int_eq(s->ops->abandon(s, KEY, "", &e), 0);
	ck_assert_int_eq(s->ops->abandon(s, KEY, "", &e), 0);
	ck_assert_int_eq(s->ops->abandon(s, "none/x/y", "", &e), 0);
	ck_assert_str_eq(listed(s, "shop/", true), "");
	ck_assert(scratch_has("store/" RUN "a.sql"));
	done(s);
}
END_TEST

START_TEST(row_25_what_is_there_is_never_overwritten)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, KEY, "first", &e), 0);
	ck_assert_int_eq(put(s, KEY, "second", &e), -EEXIST);
	ck_assert_int_eq(get(s, KEY, 0, -1, &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "first");
	ck_assert_str_eq(listed(s, "", true), "");
	done(s);
}
END_TEST

START_TEST(a_file_of_another_length_is_no_backup)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, KEY, "0123456789", &e), 0);
	ck_assert_int_eq(get(s, KEY, 0, 11, &b, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "has 10 bytes, not the 11 that were stored"));
	done(s);
}
END_TEST

START_TEST(a_file_that_shrinks_while_it_is_read_is_an_error)
{
	struct store *s = open_store("store", NULL);
	struct reader *r = NULL;
	struct err e = {""};
	char piece[4];

	ck_assert_int_eq(put(s, KEY, "0123456789", &e), 0);
	ck_assert_int_eq(s->ops->read(s, KEY, 0, 10, &r, &e), 0);
	ck_assert_int_eq(reader_read(r, piece, 4, &e), 4);
	ck_assert_int_eq(truncate(scratch_path("store/" KEY), 4), 0);
	ck_assert_int_eq(reader_read(r, piece, 4, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "ends 6 bytes early"));
	reader_free(r);
	done(s);
}
END_TEST

START_TEST(a_listing_is_by_key_and_shows_only_objects)
{
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, "shop/b/x.sql", "1", &e), 0);
	ck_assert_int_eq(put(s, "shop/a/x.sql.002", "22", &e), 0);
	ck_assert_int_eq(put(s, "shop/a/x.sql", "1", &e), 0);
	ck_assert_int_eq(put(s, "shop-2/a/x.sql", "1", &e), 0);
	ck_assert_int_eq(put(s, "blog/a/x.sql", "1", &e), 0);
	scratch_write("store/shop/a/notes of mine", "?", 1);
	scratch_write("store/shop/a/.hidden", "?", 1);
	ck_assert_int_eq(symlink("/etc", scratch_path("store/shop/etc")), 0);
	ck_assert_int_eq(symlink("/etc/passwd", scratch_path("store/shop/a/passwd")), 0);
	ck_assert_str_eq(
		listed(s, "shop/", false), "shop/a/x.sql 1\nshop/a/x.sql.002 2\nshop/b/x.sql 1\n");
	ck_assert_str_eq(listed(s, "shop/a/x.sql.", false), "shop/a/x.sql.002 2\n");
	ck_assert_str_eq(listed(s, "sho", false),
		"shop-2/a/x.sql 1\nshop/a/x.sql 1\nshop/a/x.sql.002 2\nshop/b/x.sql 1\n");
	done(s);
}
END_TEST

START_TEST(a_prefix_stands_in_front_of_all_keys)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("store", "vps1/db-");
	struct err e = {""};

	ck_assert_int_eq(put(s, KEY, "x", &e), 0);
	ck_assert(scratch_has("store/vps1/db-" KEY));
	ck_assert_str_eq(listed(s, "shop/", false), KEY " 1\n");
	ck_assert_int_eq(get(s, KEY, 0, 1, &b, &e), 0);
	ck_assert_int_eq(s->ops->remove(s, KEY, &e), 0);
	ck_assert(!scratch_has("store/vps1"));
	ck_assert(scratch_has("store"));
	done(s);
}
END_TEST

static const char *const bad_keys[] = {"", "/etc/passwd", "../x", "a/../../x", "a/./x", "a//x",
	"a/", "a/.x", "a/x y", "a/x\n", "a/x.part"};

START_TEST(no_key_leaves_the_folder)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, bad_keys[_i], "x", &e), -EINVAL);
	ck_assert_int_eq(get(s, bad_keys[_i], 0, -1, &b, &e), -EINVAL);
	ck_assert_int_eq(s->ops->remove(s, bad_keys[_i], &e), -EINVAL);
	ck_assert_int_eq(s->ops->abandon(s, bad_keys[_i], "", &e), -EINVAL);
	done(s);
}
END_TEST

START_TEST(links_below_the_folder_are_not_followed)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(mkdir(scratch_path("store"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch_path("outside"), 0700), 0);
	scratch_write("outside/x", "secret", 6);
	ck_assert_int_eq(symlink(scratch_path("outside"), scratch_path("store/shop")), 0);
	ck_assert_int_eq(get(s, "shop/x", 0, -1, &b, &e), -ENOTDIR);
	ck_assert_int_lt(put(s, "shop/y", "x", &e), 0);
	ck_assert_int_lt(s->ops->remove(s, "shop/x", &e), 0);
	ck_assert(scratch_has("outside/x"));
	ck_assert_int_eq(mkdir(scratch_path("store/blog"), 0700), 0);
	ck_assert_int_eq(symlink(scratch_path("outside/x"), scratch_path("store/blog/x")), 0);
	ck_assert_int_eq(get(s, "blog/x", 0, -1, &b, &e), -ELOOP);
	ck_assert_int_eq(mkfifo(scratch_path("store/blog/pipe"), 0600), 0);
	ck_assert_int_eq(get(s, "blog/pipe", 0, -1, &b, &e), -EBADMSG);
	done(s);
}
END_TEST

START_TEST(removing_ends_with_nothing_left)
{
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, RUN "a.sql", "x", &e), 0);
	ck_assert_int_eq(put(s, RUN "manifest.json", "x", &e), 0);
	ck_assert_int_eq(s->ops->remove(s, RUN "a.sql", &e), 0);
	ck_assert_int_eq(s->ops->remove(s, RUN "a.sql", &e), 0);
	ck_assert_str_eq(listed(s, "", false), RUN "manifest.json 1\n");
	ck_assert_int_eq(s->ops->remove(s, RUN "manifest.json", &e), 0);
	ck_assert(!scratch_has("store/shop"));
	done(s);
}
END_TEST

START_TEST(a_disk_that_is_not_mounted_is_told_from_an_empty_store)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(100);
	struct store *s = open_store("mnt/disk/backups", NULL);
	struct err e = {""};

	ck_assert_int_eq(put(s, KEY, "x", &e), -ENOENT);
	ck_assert_msg(strstr(e.msg, "is its disk mounted?") != NULL, "%s", e.msg);
	ck_assert(!scratch_has("mnt"));
	ck_assert_int_eq(get(s, KEY, 0, -1, &b, &e), -ENOENT);
	done(s);
}
END_TEST

static void on_a_full_disk(void)
{
	const struct upload_options o = {.expected_bytes = 0};
	static const char block[300000];
	struct store *s = open_store("store", NULL);
	struct upload *u = NULL;
	struct err e = {""};

	EXPECT(s->ops->upload(s, KEY, &o, &u, &e) == 0);
	EXPECT(sink_write(&u->sink, block, sizeof(block), &e) == -ENOSPC);
	upload_free(u);
	EXPECT(strstr(e.msg, "No space left"));
	EXPECT(strstr(e.msg, scratch_path("store")));
	EXPECT(strcmp(listed(s, "", true), "") == 0);
	EXPECT(!scratch_has("store/shop"));
	EXPECT(put(s, KEY, "small", &e) == 0);
	done(s);
}

START_TEST(row_08_a_full_disk_leaves_nothing_behind)
{
	with_small_disk("size=200k", on_a_full_disk);
}
END_TEST

static void with_too_little_room(void)
{
	const struct upload_options o = {.expected_bytes = 3 << 20};
	struct store *s = open_store("store", NULL);
	struct upload *u = NULL;
	struct err e = {""};

	EXPECT(s->ops->upload(s, KEY, &o, &u, &e) == -ENOSPC);
	EXPECT(strstr(e.msg, "are free, about 3.0 MiB are needed"));
	EXPECT(!scratch_has("store/shop"));
	done(s);
}

START_TEST(row_08_too_little_room_is_said_before_the_dump)
{
	with_small_disk("size=1m", with_too_little_room);
}
END_TEST

static void on_a_read_only_disk(void)
{
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	EXPECT(put(s, KEY, "x", &e) == 0);
	make_read_only();
	EXPECT(put(s, RUN "b", "x", &e) == -EROFS);
	EXPECT(s->ops->remove(s, KEY, &e) == -EPERM);
	EXPECT(strstr(e.msg, "Read-only file system"));
	done(s);
}

START_TEST(a_store_that_lets_nothing_be_removed_says_so)
{
	with_small_disk("size=1m", on_a_read_only_disk);
}
END_TEST

static const struct {
	const char *path, *prefix, *says;
} bad_settings[] = {
	{NULL, NULL, "path: is missing"},
	{"backups", NULL, "path: must be an absolute path"},
	{"/", NULL, "path: must be an absolute path"},
	{"/srv", "../x", "prefix: "},
	{"/srv", "/x/", "prefix: "},
};

START_TEST(settings_that_make_no_sense_are_refused)
{
	json_t *j = json_pack("{s:s, s:s?, s:s?}", "name", "x", "path", bad_settings[_i].path,
		"prefix", bad_settings[_i].prefix);
	struct err e = {""};

	ck_assert_int_eq(store_directory.check_settings(j, &e), -EINVAL);
	ck_assert_msg(str_starts(e.msg, bad_settings[_i].says), "%s", e.msg);
	json_decref(j);
}
END_TEST

static void checked(void *user, const char *what, bool ok, const char *text, const char *cure)
{
	(void)text;
	buf_addf(user, "%s %s%s\n", what, ok ? "ok" : "bad", ok == (cure == NULL) ? "" : "?");
}

START_TEST(the_doctor_looks_at_the_folder)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
	struct store *s = open_store("store", NULL);
	struct err e = {""};

	ck_assert_int_eq(s->ops->check(s, checked, &b, &e), 0);
	ck_assert_msg(str_starts(buf_str(&b), "writable ok\nclosed to others ok\nfree space "),
		"%s", buf_str(&b));
	ck_assert_int_eq(chmod(scratch_path("store"), 0755), 0);
	buf_clear(&b);
	ck_assert_int_eq(s->ops->check(s, checked, &b, &e), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "closed to others bad\n"));
	ck_assert_str_eq(listed(s, "", false), "");
	done(s);
	s = open_store("none/below", NULL);
	buf_clear(&b);
	ck_assert_int_eq(s->ops->check(s, checked, &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "folder bad\n");
	done(s);
}
END_TEST

static Suite *directory_suite(void)
{
	Suite *s = suite_create("store_directory");
	TCase *tc = tcase_create("store_directory");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, what_was_stored_is_read_from_any_byte_on);
	tcase_add_test(tc, an_object_exists_whole_or_not_at_all);
	tcase_add_test(tc, what_a_kill_left_is_unfinished_until_it_is_abandoned);
	tcase_add_test(tc, row_25_what_is_there_is_never_overwritten);
	tcase_add_test(tc, a_file_of_another_length_is_no_backup);
	tcase_add_test(tc, a_file_that_shrinks_while_it_is_read_is_an_error);
	tcase_add_test(tc, a_listing_is_by_key_and_shows_only_objects);
	tcase_add_test(tc, a_prefix_stands_in_front_of_all_keys);
	tcase_add_loop_test(tc, no_key_leaves_the_folder, 0, (int)ARRAY_LEN(bad_keys));
	tcase_add_test(tc, links_below_the_folder_are_not_followed);
	tcase_add_test(tc, removing_ends_with_nothing_left);
	tcase_add_test(tc, a_disk_that_is_not_mounted_is_told_from_an_empty_store);
	tcase_add_test(tc, row_08_a_full_disk_leaves_nothing_behind);
	tcase_add_test(tc, row_08_too_little_room_is_said_before_the_dump);
	tcase_add_test(tc, a_store_that_lets_nothing_be_removed_says_so);
	tcase_add_loop_test(
		tc, settings_that_make_no_sense_are_refused, 0, (int)ARRAY_LEN(bad_settings));
	tcase_add_test(tc, the_doctor_looks_at_the_folder);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(directory_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
