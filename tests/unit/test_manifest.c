/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/manifest_case.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

/* 2026-11-21T03:00:00Z */
static const int64_t start_ms = 1795230000000;

START_TEST(what_was_written_is_read_back)
{
	_cleanup_(manifest_free_p) struct manifest *m = manifest_case("shop", "web-1", start_ms);
	_cleanup_(manifest_free_p) struct manifest *back = NULL;
	_cleanup_(free_p) char *text = manifest_to_text(m);
	_cleanup_(free_p) char *again = NULL;
	struct err e = {""};

	ck_assert_msg(manifest_from_text(text, strlen(text), &back, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(back->id, m->id);
	ck_assert_str_eq(back->members[0].segments[1].key, m->members[0].segments[1].key);
	ck_assert_str_eq(back->members[1].plain_sha256, m->members[1].plain_sha256);
	ck_assert_int_eq(manifest_stored_bytes(back), 2100);
	ck_assert_int_eq(manifest_plain_bytes(back), 3300);
	ck_assert_int_eq(counts_get(&manifest_member_find(back, "shop")->counts, "tables"), 12);
	ck_assert_ptr_null(manifest_member_find(back, "none"));
	again = manifest_to_text(back);
	ck_assert_str_eq(text, again);
}
END_TEST

/* Replaces `from` in a good manifest by `to`, and reads that. */
static int read_changed(const char *from, const char *to, struct err *e)
{
	_cleanup_(manifest_free_p) struct manifest *m = manifest_case("shop", "web-1", start_ms);
	_cleanup_(manifest_free_p) struct manifest *back = NULL;
	_cleanup_(buf_done) struct buf changed = BUF_INIT(100000);
	_cleanup_(free_p) char *text = NULL;
	const char *at;

	(void)str_copy(m->id, sizeof(m->id), "20261121T030000Z-3f9a2c");
	for (size_t i = 0; i < m->n_members; i++)
		for (size_t s = 0; s < m->members[i].n_segments; s++)
			memcpy(strchr(m->members[i].segments[s].key, '/') + 1, m->id, 23);
	text = manifest_to_text(m);
	at = strstr(text, from);
	ck_assert_msg(at != NULL, "%s is not in it", from);
	buf_add(&changed, text, (size_t)(at - text));
	buf_adds(&changed, to);
	buf_adds(&changed, at + strlen(from));
	return manifest_from_text(buf_str(&changed), changed.len, &back, e);
}

#define ID "20261121T030000Z-3f9a2c"

static const struct {
	const char *from, *to, *says;
} changes[] = {
	{"\"job\": \"shop\"", "\"job\": \"shop\", \"job\": \"shop\"", "duplicate"},
	{"\"version\": 1", "\"version\": \"1\"", "version is missing"},
	{"\"id\": \"" ID "\"", "\"id\": \"../../etc\"", "id is no id"},
	{"\"job\": \"shop\"", "\"job\": \"..\"", "job is no name"},
	{"\"job\": \"shop\"", "\"job\": \"blog\"", "is not one of this backup"},
	{"\"codec\": \"zstd\"", "\"codec\": \"brotli\"", "codec brotli is not known"},
	{"\"stored_bytes\": 2000", "\"stored_bytes\": 1999",
		"its segments are 2000 bytes, not 1999"},
	{"\"bytes\": 1000", "\"bytes\": -1000", "bytes is out of range"},
	{"\"bytes\": 1000", "\"bytes\": 9223372036854775807", "bytes is out of range"},
	{"\"bytes\": 1000", "\"bytes\": 1e3", "bytes is missing"},
	{"shop/" ID "/shop.pgdump", "blog/" ID "/shop.pgdump", "is not one of this backup"},
	{"shop/" ID "/shop.pgdump", "shop/" ID "/../shop.pgdump", "is not one of this backup"},
	{"shop/" ID "/shop.pgdump", "shop/" ID "/blog.pgdump", "is not one of this backup"},
	{"shop.pgdump.zst.age\"", "shop./../../x\"", "is not one of this backup"},
	{"shop.pgdump.zst.age.002", "shop.pgdump.zst.age.003", "is no segment of"},
	{"shop.pgdump.zst.age.002", "shop.pgdump.zst.age", "is no segment of"},
	{"shop.pgdump.zst.age\"", "shop.pgdump.part\"", "is not one of this backup"},
	{"\"name\": \"globals\"", "\"name\": \"shop\"", "shop is there twice"},
	{"\"name\": \"globals\"", "\"name\": \"glo/bals\"", "no proper name"},
	{"\"name\": \"globals\"", "\"name\": \"\"", "no proper name"},
	{"\"host\": \"web-1\"", "\"host\": \"web\\u001b[2J\"", "host has control characters"},
	{"\"host\": \"web-1\"", "\"host\": \"web\\u0000\"", ""},
	{"\"host\": \"web-1\"", "\"hosts\": \"web-1\"", "host is missing"},
	{"\"passphrase\": false", "\"passphrase\": 0", "passphrase is missing"},
	{"\"started_ms\": 1795230000000", "\"started_ms\": -5", "started_ms is out of range"},
	{"\"members\": [", "\"members\": 3, \"x\": [", "members are missing"},
	{"\"counts\": {", "\"counts\": [], \"x\": {", "counts are no object"},
	{"\"recipients\": [", "\"recipients\": [7, ", "one of the recipients"},
	{"\n}", "\n}x", "end of file expected"},
	{"{", "", ""},
};

START_TEST(what_contradicts_itself_is_refused)
{
	struct err e = {""};

	ck_assert_int_eq(read_changed(changes[_i].from, changes[_i].to, &e), -EBADMSG);
	ck_assert_msg(strstr(e.msg, changes[_i].says) != NULL, "%s", e.msg);
	ck_assert_msg(str_starts(e.msg, "manifest: "), "%s", e.msg);
}
END_TEST

START_TEST(the_unchanged_one_is_read)
{
	struct err e = {""};

	ck_assert_msg(read_changed(ID, ID, &e) == 0, "%s", e.msg);
}
END_TEST

START_TEST(one_of_a_newer_version_says_so)
{
	struct err e = {""};

	ck_assert_int_eq(read_changed("\"version\": 1", "\"version\": 2", &e), -EPROTO);
	ck_assert_ptr_nonnull(strstr(e.msg, "newer version of the agent"));
}
END_TEST

START_TEST(a_hash_that_is_none_is_refused)
{
	struct err e = {""};

	ck_assert_int_eq(read_changed("sha256\": \"", "sha256\": \"X", &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "is no SHA-256"));
}
END_TEST

START_TEST(without_members_it_is_no_backup)
{
	_cleanup_(manifest_free_p) struct manifest *m =
		manifest_case_empty("shop", "web-1", NULL, start_ms);
	_cleanup_(free_p) char *text = manifest_to_text(m);
	struct manifest *back = NULL;
	struct err e = {""};

	ck_assert_int_eq(manifest_from_text(text, strlen(text), &back, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "there are no members"));
	ck_assert_ptr_null(back);
}
END_TEST

START_TEST(stored_as_it_is_must_be_what_was_dumped)
{
	_cleanup_(manifest_free_p) struct manifest *m =
		manifest_case_empty("shop", "web-1", NULL, start_ms);
	_cleanup_(free_p) char *text = NULL;
	struct manifest *back = NULL;
	struct err e = {""};

	m->codec = CODEC_NONE;
	manifest_case_member(m, "shop", ".pgdump", 1000, 1);
	text = manifest_to_text(m);
	ck_assert_int_eq(manifest_from_text(text, strlen(text), &back, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "not what was dumped"));
}
END_TEST

START_TEST(two_members_never_share_a_key)
{
	_cleanup_(manifest_free_p) struct manifest *m =
		manifest_case_empty("shop", "web-1", NULL, start_ms);
	_cleanup_(free_p) char *text = NULL;
	struct manifest *back = NULL;
	struct err e = {""};

	manifest_case_member(m, "a", ".b.sql", 10, 1);
	manifest_case_member(m, "a.b", ".sql", 10, 1);
	text = manifest_to_text(m);
	ck_assert_int_eq(manifest_from_text(text, strlen(text), &back, &e), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(e.msg, "share the key"));
}
END_TEST

START_TEST(a_stream_without_any_suffix_has_a_key)
{
	_cleanup_(manifest_free_p) struct manifest *m =
		manifest_case_empty("shop", "web-1", NULL, start_ms);
	_cleanup_(manifest_free_p) struct manifest *back = NULL;
	_cleanup_(free_p) char *text = NULL;
	struct err e = {""};

	manifest_case_member(m, "shop", "", 1000, 2);
	manifest_case_member(m, "manifest.json", "", 1000, 1);
	text = manifest_to_text(m);
	ck_assert_msg(manifest_from_text(text, strlen(text), &back, &e) == 0, "%s", e.msg);
}
END_TEST

/* What servers and programs say must never make a manifest that cannot be written or read. */
START_TEST(any_text_of_others_can_be_kept)
{
	_cleanup_(manifest_free_p) struct manifest *m = manifest_case("shop", "web-1", start_ms);
	_cleanup_(manifest_free_p) struct manifest *back = NULL;
	_cleanup_(free_p) char *text = NULL;
	char *huge = str_format("%0*d", 100000, 7);
	struct err e = {""};

	manifest_add_warning(m, "bad \xff\xfe bytes\nand \x1b[2J lines");
	manifest_add_warning(m, huge);
	for (int i = 0; i < 2 * MANIFEST_WARNINGS_MAX; i++)
		manifest_add_warning(m, "again");
	free(m->members[0].title);
	m->members[0].title = str_dup("a\nb");
	free(m->server_version);
	m->server_version = huge;
	text = manifest_to_text(m);
	ck_assert_msg(manifest_from_text(text, strlen(text), &back, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(back->warnings[1], "bad \xef\xbf\xbd\xef\xbf\xbd bytes and  [2J lines");
	ck_assert_uint_le(strlen(back->warnings[2]), MANIFEST_TEXT_MAX);
	ck_assert_uint_eq(back->n_warnings, MANIFEST_WARNINGS_MAX);
	ck_assert_str_eq(back->members[0].title, "a\nb");
}
END_TEST

START_TEST(what_is_not_known_is_empty)
{
	_cleanup_(manifest_free_p) struct manifest *m = manifest_case("shop", "web-1", start_ms);
	_cleanup_(manifest_free_p) struct manifest *back = NULL;
	_cleanup_(free_p) char *text = NULL;
	struct err e = {""};

	free(TAKE_PTR(m->server_version));
	free(TAKE_PTR(m->source));
	free(TAKE_PTR(m->members[0].title));
	free(TAKE_PTR(m->members[0].segments[0].etag));
	text = manifest_to_text(m);
	ck_assert_msg(manifest_from_text(text, strlen(text), &back, &e) == 0, "%s", e.msg);
	ck_assert_str_eq(back->server_version, "");
	ck_assert_str_eq(back->members[0].title, "shop");
}
END_TEST

START_TEST(row_25_no_two_backups_share_an_id)
{
	char a[BACKUP_ID_SIZE], b[BACKUP_ID_SIZE];

	backup_id_new(a, start_ms);
	backup_id_new(b, start_ms);
	ck_assert(str_starts(a, "20261121T030000Z-"));
	ck_assert_str_ne(a, b);
	ck_assert(backup_id_is_valid(a));
}
END_TEST

static const char *const bad_ids[] = {"", "20261121T030000Z", "20261121T030000Z-3F9A2C",
	"20261121T030000Z-3f9a2", "20261121T030000Z-3f9a2cc", "20261121 030000Z-3f9a2c",
	"../../../../../../../et", "2026112xT030000Z-3f9a2c"};

START_TEST(what_is_no_id_is_none)
{
	ck_assert(!backup_id_is_valid(bad_ids[_i]));
}
END_TEST

START_TEST(keys_are_as_the_header_says)
{
	char key[MANIFEST_KEY_MAX];

	manifest_data_key(key, "shop", ID, "shop", ".pgdump.zst.age", 1);
	ck_assert_str_eq(key, "shop/" ID "/shop.pgdump.zst.age");
	manifest_data_key(key, "shop", ID, "shop", ".pgdump.zst.age", 2);
	ck_assert_str_eq(key, "shop/" ID "/shop.pgdump.zst.age.002");
	manifest_data_key(key, "shop", ID, "shop", ".pgdump.zst.age", 1234);
	ck_assert_str_eq(key, "shop/" ID "/shop.pgdump.zst.age.1234");
	manifest_key(key, "shop", ID);
	ck_assert_str_eq(key, "shop/" ID "/manifest.json");
}
END_TEST

static const struct {
	const char *title, *name;
} names[] = {
	{"shop", "shop"},
	{"my shop/2", "my%20shop%2F2"},
	{"..", "%2E."},
	{"a%20b", "a%2520b"},
	{"b\xc3\xbc", "b%C3%BC"},
	{"", "%00"},
	{"manifest.json", "manifest%2Ejson"},
	{"verified-1.json", "verified-1%2Ejson"},
	{"half.part", "half%2Epart"},
};

START_TEST(names_of_databases_become_names_of_files)
{
	char to[64];

	manifest_member_name(to, sizeof(to), names[_i].title);
	ck_assert_str_eq(to, names[_i].name);
}
END_TEST

START_TEST(long_names_stay_different)
{
	char a[256], b[256], title[1000];

	memset(title, '/', sizeof(title));
	title[sizeof(title) - 1] = '\0';
	manifest_member_name(a, sizeof(a), title);
	title[sizeof(title) - 2] = '\0';
	manifest_member_name(b, sizeof(b), title);
	ck_assert_uint_le(strlen(a), 160);
	ck_assert_uint_gt(strlen(a), 100);
	ck_assert_str_ne(a, b);
	manifest_member_name(a, 40, title);
	ck_assert_uint_lt(strlen(a), 40);
	ck_assert(strspn(a, "%2F") == strlen(a) - 13);
}
END_TEST

START_TEST(a_summary_has_what_lists_show)
{
	_cleanup_(manifest_free_p) struct manifest *m = manifest_case("shop", "web-1", start_ms);
	json_t *j, *member;

	m->bad_ms = 5;
	m->bad_why = str_dup("a byte is wrong");
	j = manifest_summary(m);
	ck_assert_ptr_nonnull(j);
	member = json_array_get(json_object_get(j, "members"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(j, "id")), m->id);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "stored_bytes")), 2100);
	ck_assert(json_is_true(json_object_get(j, "encrypted")));
	ck_assert_str_eq(json_string_value(json_object_get(j, "bad_why")), "a byte is wrong");
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(member, "counts"), "tables")),
		12);
	json_decref(j);
}
END_TEST

static Suite *manifest_suite(void)
{
	Suite *s = suite_create("manifest");
	TCase *tc = tcase_create("manifest");

	tcase_add_test(tc, what_was_written_is_read_back);
	tcase_add_loop_test(tc, what_contradicts_itself_is_refused, 0, (int)ARRAY_LEN(changes));
	tcase_add_test(tc, the_unchanged_one_is_read);
	tcase_add_test(tc, one_of_a_newer_version_says_so);
	tcase_add_test(tc, a_hash_that_is_none_is_refused);
	tcase_add_test(tc, without_members_it_is_no_backup);
	tcase_add_test(tc, stored_as_it_is_must_be_what_was_dumped);
	tcase_add_test(tc, two_members_never_share_a_key);
	tcase_add_test(tc, a_stream_without_any_suffix_has_a_key);
	tcase_add_test(tc, any_text_of_others_can_be_kept);
	tcase_add_test(tc, what_is_not_known_is_empty);
	tcase_add_test(tc, row_25_no_two_backups_share_an_id);
	tcase_add_loop_test(tc, what_is_no_id_is_none, 0, (int)ARRAY_LEN(bad_ids));
	tcase_add_test(tc, keys_are_as_the_header_says);
	tcase_add_loop_test(tc, names_of_databases_become_names_of_files, 0, (int)ARRAY_LEN(names));
	tcase_add_test(tc, long_names_stay_different);
	tcase_add_test(tc, a_summary_has_what_lists_show);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(manifest_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
