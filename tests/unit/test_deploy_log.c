/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of a deploy, filled by hooks that print as they please.
 */
#include "deploy-hooks/deploy_log.h"

#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

#define TIME "2026-11-21T03:00:00Z"
static const int64_t now_ms = 1795230000000;

static struct deploy_log *l;
static struct buf out;
static uint64_t next;

static const char *path(void)
{
	return scratch_path("deploys/shop/7.log");
}

static void open_log(void)
{
	struct err e = {""};

	ck_assert_msg(deploy_log_open(path(), &l, &e) == 0, "%s", e.msg);
}

static void make(void)
{
	scratch_make();
	open_log();
	buf_init(&out, 64 << 20);
	next = 0;
}

static void drop(void)
{
	deploy_log_close(l);
	buf_done(&out);
	scratch_remove();
}

static void add(const char *text)
{
	deploy_log_add(l, "build", text, strlen(text), now_ms);
}

/* All from `next` on. */
static const char *rest(void)
{
	buf_clear(&out);
	ck_assert_int_eq(deploy_log_read(path(), next, &out, &next, NULL), 0);
	return buf_str(&out);
}

START_TEST(a_line_says_when_and_where)
{
	struct stat st;

	add("Step 1/3\nStep");
	ck_assert_str_eq(rest(), TIME " build | Step 1/3\n");
	add(" 2/3\n");
	ck_assert_str_eq(rest(), TIME " build | Step 2/3\n");
	ck_assert_str_eq(rest(), "");
	ck_assert_uint_eq(next, deploy_log_size(l));
	ck_assert_int_eq(stat(path(), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(half_a_line_is_one_when_the_hook_has_ended)
{
	add("no line end");
	ck_assert_str_eq(rest(), "");
	deploy_log_flush(l, now_ms);
	ck_assert_str_eq(rest(), TIME " build | no line end\n");
	add("half");
	deploy_log_add(l, "push", "other\n", 6, now_ms);
	ck_assert_str_eq(rest(), TIME " build | half\n" TIME " push | other\n");
	add("half");
	deploy_log_say(l, "agent", "two\nlines", now_ms);
	ck_assert_str_eq(
		rest(), TIME " build | half\n" TIME " agent | two\n" TIME " agent | lines\n");
}
END_TEST

START_TEST(it_goes_on_where_it_ended)
{
	add("one\n");
	(void)rest();
	deploy_log_close(l);
	open_log();
	ck_assert_uint_eq(deploy_log_size(l), next);
	add("two\n");
	ck_assert_str_eq(rest(), TIME " build | two\n");
}
END_TEST

START_TEST(half_a_line_of_a_crash_is_ended)
{
	FILE *f;

	deploy_log_close(l);
	f = fopen(path(), "a");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("torn", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	open_log();
	add("next\n");
	ck_assert_str_eq(rest(), "torn\n" TIME " build | next\n");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_shown)
{
	deploy_log_add(l, "build", "a\0b\x01\x7f\xff\xc3\n", 8, now_ms);
	ck_assert_str_eq(rest(), TIME " build | a\\x00b\\x01\\x7f\\xff\\xc3\n");
	add("\033[31mred\033[0m \xc2\x9b ü \xe2\x9c\x93\t.\n");
	ck_assert_str_eq(rest(), TIME " build | red \\xc2\\x9b ü ✓\t.\n");
}
END_TEST

START_TEST(a_secret_is_masked_whichever_way_it_comes)
{
	deploy_log_hide(l, "hunter2-secret");
	deploy_log_hide(l, "short");
	add("pw hunter2-secret short\n");
	ck_assert_str_eq(rest(), TIME " build | pw *** short\n");
	/* In two writes, at each place. */
	for (size_t i = 1; i < 14; i++) {
		char first[16];

		(void)snprintf(first, sizeof(first), "%.*s", (int)i, "hunter2-secret");
		add(first);
		ck_assert_str_eq(rest(), "");
		add(&"hunter2-secret\n"[i]);
		ck_assert_str_eq(rest(), TIME " build | ***\n");
	}
	add("aHVudGVyMi1zZWNyZXQ=\n"); /* base64 */
	ck_assert_str_eq(rest(), TIME " build | ***Q=\n");
	add("hunter2%2Dsecret hun\033[1mter2-secret\n");
	ck_assert_str_eq(rest(), TIME " build | *** ***\n");
	deploy_log_say(l, "agent", "hunter2-secret", now_ms);
	ck_assert_str_eq(rest(), TIME " agent | ***\n");
}
END_TEST

/* The text of all lines, put together again. */
static void join_lines(struct buf *to)
{
	const char *at = rest();

	while (*at) {
		const char *text = strstr(at, " | ") + 3, *end = strchr(text, '\n');

		ck_assert_int_le(end - text, 4 * DEPLOY_LOG_LINE_MAX);
		buf_add(to, text, (size_t)(end - text));
		at = end + 1;
	}
}

START_TEST(a_secret_across_two_parts_of_an_endless_line_is_masked)
{
	static char filler[2 * DEPLOY_LOG_LINE_MAX];
	struct buf all = BUF_INIT(1 << 20);

	memset(filler, 'x', sizeof(filler));
	deploy_log_hide(l, "hunter2-secret");
	for (size_t before = DEPLOY_LOG_LINE_MAX - 15; before <= DEPLOY_LOG_LINE_MAX + 1;
		before++) {
		buf_clear(&all);
		deploy_log_add(l, "build", filler, before, now_ms);
		add("hunter2-secret");
		for (int i = 0; i < 3; i++)
			deploy_log_add(l, "build", filler, sizeof(filler), now_ms);
		deploy_log_flush(l, now_ms);
		join_lines(&all);
		ck_assert_ptr_null(strstr(all.data, "hunter"));
		ck_assert_ptr_null(strstr(all.data, "secret"));
		ck_assert_ptr_nonnull(strstr(all.data, "***"));
		ck_assert_uint_eq(all.len, before + 3 + 3 * sizeof(filler));
	}
	buf_done(&all);
}
END_TEST

START_TEST(one_endless_line_comes_whole_in_parts)
{
	static char chunk[16384];
	struct buf all = BUF_INIT(4 << 20);

	for (size_t i = 0; i < sizeof(chunk); i += 2)
		memcpy(chunk + i, "ü", 2);
	for (int i = 0; i < 64; i++)
		deploy_log_add(l, "build", chunk, sizeof(chunk), now_ms);
	deploy_log_flush(l, now_ms);
	join_lines(&all);
	ck_assert_uint_eq(all.len, 64 * sizeof(chunk));
	for (size_t i = 0; i < all.len; i += 2) /* no character was cut in two */
		ck_assert_int_eq(memcmp(all.data + i, "ü", 2), 0);
	buf_done(&all);
}
END_TEST

/* Lines that say their number. */
static void fill(uint64_t bytes)
{
	static uint64_t line;
	char text[16384];

	for (uint64_t done = 0; done < bytes;) {
		size_t n = 0;

		while (n < sizeof(text) - 200)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%0100llu\n",
				(unsigned long long)line++);
		deploy_log_add(l, "build", text, n, now_ms);
		done += n;
	}
}

static void expect_bounds(uint64_t most)
{
	struct stat st;

	ck_assert_int_eq(stat(path(), &st), 0);
	ck_assert_uint_le((uint64_t)st.st_blocks * 512, most);
	ck_assert_uint_eq((uint64_t)st.st_size, deploy_log_size(l));
}

enum { KEPT = DEPLOY_LOG_HEAD_BYTES + DEPLOY_LOG_TAIL_BYTES };

static void expect_head_and_tail(void)
{
	const char *all, *gap;

	next = 0;
	all = rest();
	ck_assert_ptr_eq(strstr(all, TIME " build | the first\n"), all);
	gap = strstr(all, " left out ...\n");
	ck_assert_ptr_nonnull(gap);
	ck_assert_ptr_null(strstr(gap + 1, " left out ...\n"));
	ck_assert_uint_ge((size_t)(gap - all), DEPLOY_LOG_HEAD_BYTES);
	ck_assert_uint_ge(strlen(gap), DEPLOY_LOG_TAIL_BYTES - 200);
	ck_assert_uint_le(out.len, KEPT + DEPLOY_LOG_STEP_BYTES + 65536);
	ck_assert_ptr_nonnull(strstr(gap, "build | the last\n"));
	/* Whole lines on both sides. */
	ck_assert_int_eq(strncmp(strchr(gap, '\n') + 1, TIME " build | 0", 30), 0);
	while (*gap != '\n')
		gap--;
	ck_assert_int_eq(gap[-1] >= '0' && gap[-1] <= '9', 1);
	ck_assert_uint_eq(next, deploy_log_size(l));
}

START_TEST(of_too_much_the_head_and_the_tail_stay)
{
	add("the first\n");
	fill(64 << 20);
	add("the last\n");
	expect_bounds(KEPT + DEPLOY_LOG_STEP_BYTES + 131072);
	expect_head_and_tail();
	/* After a restart just so. */
	deploy_log_close(l);
	open_log();
	fill(16 << 20);
	add("the last\n");
	expect_bounds(KEPT + DEPLOY_LOG_STEP_BYTES + 131072);
	expect_head_and_tail();
}
END_TEST

START_TEST(what_fits_is_kept_whole)
{
	fill(6 << 20);
	ck_assert_ptr_null(strstr(rest(), "left out"));
	ck_assert_uint_eq(out.len, deploy_log_size(l));
}
END_TEST

START_TEST(a_follower_gets_each_line_once)
{
	uint64_t got = 0;

	for (int i = 0; i < 50; i++) {
		fill(100000);
		got += strlen(rest());
	}
	ck_assert_uint_eq(got, deploy_log_size(l));
}
END_TEST

START_TEST(a_follower_who_was_away_is_told_what_is_missing)
{
	fill(1 << 20);
	(void)rest();
	next = 5 << 20; /* in what will be left out */
	fill(40 << 20);
	ck_assert_int_eq(strncmp(rest(), "... ", 4), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "MiB left out ...\n"));
	ck_assert_uint_eq(next, deploy_log_size(l));
	next = UINT64_MAX;
	ck_assert_str_eq(rest(), "");
	ck_assert_uint_eq(next, deploy_log_size(l));
}
END_TEST

START_TEST(it_is_read_in_as_small_parts_as_one_likes)
{
	uint64_t got = 0;

	fill(300000);
	buf_done(&out);
	buf_init(&out, 65536);
	while (*rest()) {
		ck_assert_int_eq(out.data[out.len - 1], '\n');
		got += out.len;
	}
	ck_assert_uint_eq(got, deploy_log_size(l));
}
END_TEST

START_TEST(links_and_other_things_are_not_followed)
{
	struct deploy_log *other = NULL;
	struct err e = {""};

	ck_assert_int_eq(symlink("/etc/passwd", scratch_path("link")), 0);
	ck_assert_int_eq(deploy_log_open(scratch_path("link"), &other, &e), -ELOOP);
	ck_assert_int_eq(deploy_log_read(scratch_path("link"), 0, &out, &next, &e), -ELOOP);
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
	ck_assert_int_lt(deploy_log_open(scratch_path("fifo"), &other, &e), 0);
	ck_assert_int_eq(deploy_log_read(scratch_path("none"), 0, &out, &next, &e), -ENOENT);
	deploy_log_close(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("deploy_log");
	TCase *c = tcase_create("deploy_log");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, make, drop);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_line_says_when_and_where);
	tcase_add_test(c, half_a_line_is_one_when_the_hook_has_ended);
	tcase_add_test(c, it_goes_on_where_it_ended);
	tcase_add_test(c, half_a_line_of_a_crash_is_ended);
	tcase_add_test(c, bytes_that_are_no_text_are_shown);
	tcase_add_test(c, a_secret_is_masked_whichever_way_it_comes);
	tcase_add_test(c, a_secret_across_two_parts_of_an_endless_line_is_masked);
	tcase_add_test(c, one_endless_line_comes_whole_in_parts);
	tcase_add_test(c, of_too_much_the_head_and_the_tail_stay);
	tcase_add_test(c, what_fits_is_kept_whole);
	tcase_add_test(c, a_follower_gets_each_line_once);
	tcase_add_test(c, a_follower_who_was_away_is_told_what_is_missing);
	tcase_add_test(c, it_is_read_in_as_small_parts_as_one_likes);
	tcase_add_test(c, links_and_other_things_are_not_followed);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
