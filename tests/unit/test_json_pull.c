/* SPDX-License-Identifier: Apache-2.0
 *
 * Trap 10 and 11 of the study of deploy tools: what a stranger can put into JSON, and how much of it.
 */
#include "deploy-hooks/json_pull.h"

#include <malloc.h>

#include "deploy-hooks/json_gate.h"
#include "tests/unit/webhook_case.h"

static struct err e;
static struct buf told; /* "path=text;" of each value that is no container */
static size_t longest;

static int on_value(void *user, const struct json_pull_value *v, struct err *error)
{
	static const char *const words[] = {NULL, NULL, "true", "false", "null"};

	(void)user;
	(void)error;
	longest = v->n > longest ? v->n : longest;
	ck_assert_uint_eq(strlen(v->text), v->n);
	if (v->kind != JSON_PULL_BEGIN && v->kind != JSON_PULL_END && v->n < 100)
		buf_addf(&told, "%s=%s;", v->path,
			v->kind < JSON_PULL_TRUE ? v->text : words[v->kind]);
	return 0;
}

static int pull_bytes(const char *text, size_t n, size_t piece)
{
	struct webhook_body b = {text, n, piece};
	struct body_reader reader = {webhook_read, &b};

	buf_done(&told);
	buf_init(&told, 100000);
	e.msg[0] = '\0';
	longest = 0;
	return json_pull(&reader, on_value, NULL, &e);
}

static void ck_told(const char *text, const char *want)
{
	ck_assert_msg(pull_bytes(text, strlen(text), 0) == 0, "%s", e.msg);
	ck_assert_str_eq(buf_str(&told), want);
	ck_assert_msg(pull_bytes(text, strlen(text), 1) == 0, "%s", e.msg);
	ck_assert_str_eq(buf_str(&told), want);
}

static void ck_refused(const char *text, const char *why)
{
	ck_assert_msg(pull_bytes(text, strlen(text), 0) == -EBADMSG, "%s", text);
	ck_assert_msg(strstr(e.msg, why), "\"%s\"", e.msg);
	ck_assert_int_eq(pull_bytes(text, strlen(text), 1), -EBADMSG);
}

START_TEST(values_come_with_their_paths)
{
	ck_told("{\"a\":{\"b\":[1,{\"c\":\"x\"},[true,null]],\"d\":false}}",
		"a.b[]=1;a.b[].c=x;a.b[][]=true;a.b[][]=null;a.d=false;");
	ck_told(" [\"x\"]\r\n", "[]=x;");
	ck_told("7", "=7;");
}
END_TEST

START_TEST(no_key_looks_like_a_path)
{
	ck_told("{\"a.b\":1,\"a[]\":2,\"\":3}", "?=1;?=2;?=3;");
}
END_TEST

static int stop_at_once(void *user, const struct json_pull_value *v, struct err *error)
{
	(void)user;
	(void)v;
	return err_set(error, ENOSPC, "enough");
}

START_TEST(who_reads_can_end_it)
{
	struct webhook_body b = {"[1,2]", 5, 0};
	struct body_reader reader = {webhook_read, &b};

	ck_assert_int_eq(json_pull(&reader, stop_at_once, NULL, &e), -ENOSPC);
	ck_assert_str_eq(e.msg, "enough");
}
END_TEST

START_TEST(trap_10_unicode_comes_as_it_is)
{
	ck_told("{\"ref\":\"feature/\xc3\xbc-\xe2\x9c\x93\"}",
		"ref=feature/\xc3\xbc-\xe2\x9c\x93;");
	ck_told("[\"\\u00fc \\ud83d\\ude00 \\uD83D\\uDE00\"]",
		"[]=\xc3\xbc \xf0\x9f\x98\x80 \xf0\x9f\x98\x80;");
	ck_told("[\"a\\r\\nb\\\\u0000\"]", "[]=a\r\nb\\u0000;");
	ck_refused("[\"\xff\"]", "JSON");
	ck_refused("[\"\xc0\x80\"]", "JSON");
	ck_refused("[\"\xed\xa0\x80\"]", "JSON");
	ck_refused("{\"\xc1\xa1\":1}", "JSON");
}
END_TEST

START_TEST(trap_10_half_of_a_pair_is_replaced)
{
	ck_told("[\"a\\ud83d\"]", "[]=a\xef\xbf\xbd;");
	ck_told("[\"\\ud83dx\"]", "[]=\xef\xbf\xbdx;");
	ck_told("[\"\\ude00x\"]", "[]=\xef\xbf\xbdx;");
	ck_told("[\"\\ud83d\\u0041\"]", "[]=\xef\xbf\xbd"
					"A;");
	ck_told("[\"\\ud83d\\ud83d\\ude00\"]", "[]=\xef\xbf\xbd\xf0\x9f\x98\x80;");
	ck_told("[\"\\ud83d\\n\"]", "[]=\xef\xbf\xbd\n;");
}
END_TEST

START_TEST(trap_10_a_nul_is_refused)
{
	ck_refused("{\"ref\":\"a\\u0000b\"}", "NUL");
	ck_refused("{\"a\\u0000\":1}", "NUL");
	ck_refused("{\"ref\":\"\\ud800\\u0000\"}", "NUL");
	ck_assert_int_eq(pull_bytes("[\"a\0b\"]", 7, 0), -EBADMSG);
	ck_assert_int_eq(pull_bytes("[1\0]", 4, 0), -EBADMSG);
}
END_TEST

START_TEST(trap_10_a_key_twice_is_refused)
{
	ck_refused("{\"ref\":1,\"x\":{\"y\":2},\"ref\":3}", "twice");
	ck_refused("{\"a\":{\"b\":1,\"b\":1}}", "twice");
	ck_refused("{\"ref\":1,\"r\\u0065f\":3}", "twice");
	/* Of different objects they are no such thing. */
	ck_told("[{\"a\":{\"a\":1}},{\"a\":2}]", "[].a.a=1;[].a=2;");
}
END_TEST

START_TEST(trap_10_depth_is_bounded)
{
	char text[2 * 70 + 1];

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	ck_assert_int_eq(pull_bytes(text, 128, 0), 0);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	ck_assert_int_eq(pull_bytes(text, 130, 0), -EBADMSG);
	ck_assert_msg(strstr(e.msg, "deep"), "%s", e.msg);
}
END_TEST

START_TEST(trap_10_a_mark_at_the_start_is_no_fault)
{
	ck_told("\xef\xbb\xbf{\"a\":1}", "a=1;");
	ck_told("\"\xc2\xbf\"", "=\xc2\xbf;");
	ck_refused("{\xef\xbb\xbf}", "JSON");
	ck_refused("\xef\xbb\xbf", "JSON");
	/* UTF-16 */
	ck_assert_int_eq(pull_bytes("\xff\xfe{\0}\0", 6, 0), -EBADMSG);
}
END_TEST

START_TEST(trap_10_numbers_stay_texts)
{
	ck_told("[9007199254740993, 1e400, -0.5]", "[]=9007199254740993;[]=1e400;[]=-0.5;");
	ck_refused("[11111111111111111111111111111111111111111111111111111111111111111]", "digits");
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
	static const char *const texts[] = {"", " ", "{", "{\"a\"}", "[1,]", "{} {}", "[1]x",
		"// a\n1", "nul", "['a']", "[\"\\x\"]", "[\"\\u12g4\"]", "[\"a\nb\"]", "[01]", "\"",
		"payload=%7B%7D"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		ck_assert_msg(
			pull_bytes(texts[i], strlen(texts[i]), 0) == -EBADMSG, "%s", texts[i]);
		ck_assert_int_gt((int)strlen(e.msg), 0);
	}
}
END_TEST

START_TEST(keys_are_bounded)
{
	struct buf b = BUF_INIT(1 << 20);

	for (int n = JSON_PULL_KEYS_MAX; n <= JSON_PULL_KEYS_MAX + 1; n++) {
		buf_clear(&b);
		for (int i = 0; i < n; i++)
			buf_addf(&b, "%s\"k%d\":%d", i ? "," : "{", i, i);
		buf_addc(&b, '}');
		ck_assert_int_eq(
			pull_bytes(b.data, b.len, 0), n > JSON_PULL_KEYS_MAX ? -EBADMSG : 0);
	}
	buf_clear(&b);
	buf_adds(&b, "{\"");
	for (int i = 0; i < JSON_PULL_KEY_MAX + 1; i++)
		buf_addc(&b, 'k');
	buf_adds(&b, "\":1}");
	ck_assert_int_eq(pull_bytes(b.data, b.len, 0), -EBADMSG);
	buf_done(&b);
}
END_TEST

/* A body that is made as it is read, and how much memory there was at most meanwhile. */
struct endless {
	const char *head, *unit, *tail;
	size_t left, at; /* units; bytes of the present part */
	int part;
	size_t most;
};

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void copy(struct endless *s, const char *text, char *to, size_t n, size_t *got)
{
	size_t take = strlen(text) - s->at;

	take = take < n - *got ? take : n - *got;
	memcpy(to + *got, text + s->at, take);
	s->at += take;
	*got += take;
}

static ssize_t read_endless(void *user, void *to, size_t n, struct err *error)
{
	struct endless *s = user;
	size_t got = 0, now = in_use();

	(void)error;
	s->most = now > s->most ? now : s->most;
	while (got < n && s->part < 3) {
		const char *text = s->part == 0 ? s->head : s->part == 1 ? s->unit : s->tail;

		copy(s, text, to, n, &got);
		if (text[s->at])
			continue;
		s->at = 0;
		if (s->part != 1 || --s->left == 0)
			s->part++;
	}
	return (ssize_t)got;
}

static int measure(void *user, const struct json_pull_value *v, struct err *error)
{
	(void)user;
	(void)error;
	longest = v->n > longest ? v->n : longest;
	return 0;
}

/* What it needs at most, beyond what there was. */
static size_t memory_for(
	size_t size, const char *head, const char *unit, const char *tail, int want)
{
	struct endless s = {.head = head, .unit = unit, .tail = tail};
	struct body_reader reader = {read_endless, &s};
	size_t before = in_use();

	s.left = size / strlen(unit);
	e.msg[0] = '\0';
	ck_assert_msg(json_pull(&reader, measure, NULL, &e) == want, "%s", e.msg);
	return s.most > before ? s.most - before : 0;
}

START_TEST(trap_11_memory_does_not_grow_with_the_body)
{
	size_t used =
		memory_for(25u << 20, "[0", ",{\"id\":\"0123456789\",\"added\":[\"a/b\"]}", "]", 0);

	ck_assert_uint_lt(used, 1 << 20);
}
END_TEST

START_TEST(trap_11_nor_with_any_part_of_it)
{
	/* One text of all of it, one of nothing but escapes, one key, one number, one run of spaces. */
	static const struct {
		const char *head, *unit, *tail;
		int want;
	} rows[] = {
		{"[\"", "0123456789abcdef", "\"]", 0},
		{"[\"", "\\ud83d\\ude00", "\"]", 0},
		{"[\"", "\\ud83d", "\"]", 0},
		{"{\"", "0123456789abcdef", "\":1}", -EBADMSG},
		{"[", "0123456789abcdef", "]", -EBADMSG},
		{"[", "                ", "]", 0},
		{"", "[[[[[[[[", "", -EBADMSG},
		{"[\"", "\x80\x80\x80\x80", "\"]", -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		longest = 0;
		ck_assert_uint_lt(memory_for(3u << 20, rows[i].head, rows[i].unit, rows[i].tail,
					  rows[i].want),
			1 << 20);
		ck_assert_uint_lt(longest, JSON_GATE_TEXT_MAX + 16);
		ck_assert(i != 0 || longest >= JSON_GATE_TEXT_MAX);
	}
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
	size_t n = JSON_GATE_TEXT_MAX + 10;
	char *text = malloc(n + 2);

	ck_assert_ptr_nonnull(text);
	/* The character of two bytes stands over the bound. */
	for (size_t at = JSON_GATE_TEXT_MAX - 3; at < JSON_GATE_TEXT_MAX + 2; at++) {
		memset(text, 'a', n);
		text[0] = '"';
		memcpy(text + at, "\xc3\xbc", 2);
		text[n - 1] = '"';
		ck_assert_msg(pull_bytes(text, n, 0) == 0, "%s", e.msg);
		ck_assert_uint_ge(longest, JSON_GATE_TEXT_MAX);
		ck_assert_uint_le(longest, JSON_GATE_TEXT_MAX + 1);
	}
	free(text);
}
END_TEST

RUN_TESTS("json_pull", values_come_with_their_paths, no_key_looks_like_a_path, who_reads_can_end_it,
	trap_10_unicode_comes_as_it_is, trap_10_half_of_a_pair_is_replaced,
	trap_10_a_nul_is_refused, trap_10_a_key_twice_is_refused, trap_10_depth_is_bounded,
	trap_10_a_mark_at_the_start_is_no_fault, trap_10_numbers_stay_texts,
	what_is_not_json_is_refused, keys_are_bounded, trap_11_memory_does_not_grow_with_the_body,
	trap_11_nor_with_any_part_of_it, a_long_text_is_cut_between_characters)
