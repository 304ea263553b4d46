/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/event.h"

static struct err err;

static char *json_of(const struct event *ev)
{
	struct buf b = BUF_INIT(EVENT_JSON_MAX);

	event_to_json(ev, &b);
	ck_assert(!b.overflow);
	return buf_take(&b);
}

static bool is_utf8(const char *s)
{
	while (*s) {
		size_t n = str_utf8_char(s);

		if (!n)
			return false;
		s += n;
	}
	return true;
}

static char *repeated(const char *what, size_t bytes)
{
	struct buf b = BUF_INIT(1 << 20);

	while (b.len < bytes)
		buf_adds(&b, what);
	return buf_take(&b);
}

static struct event *full_event(void)
{
	struct event *ev = event_new(EVENT_ALERT_RECOVERED, SEVERITY_CRITICAL, "disk filesystem//");

	ev->id = 4711;
	ev->time_ms = 1795237260123;
	event_set(&ev->host, "vps1");
	event_title(ev, "Disk %s is %.1f %% full", "/", 93.1);
	event_text(ev, "first line\nsecond \"line\" \\ with <b>, ä, 日本, 🐢");
	event_fact(ev, "Limit", "above %d %% for 5m", 90);
	event_fact(ev, "", "%s", "");
	event_set(&ev->rule, "disk");
	event_set(&ev->class, "filesystem");
	event_set(&ev->entity, "/var/lib");
	event_set(&ev->metric, "used_percent");
	event_set(&ev->unit, "percent");
	event_set(&ev->link, "/#/entity/filesystem/%2Fvar%2Flib");
	ev->value = 93.1;
	ev->limit = 0.1 + 0.2;
	ev->since_ms = 1795237000000;
	ev->duration_ms = 1500000;
	ev->is_end = true;
	event_set(&ev->chart.class, "filesystem");
	event_set(&ev->chart.entity, "/var/lib");
	event_set(&ev->chart.metric, "used_percent");
	ev->chart.from = 1795230000;
	ev->chart.to = 1795237260;
	ev->chart.limit = 90;
	return ev;
}

START_TEST(everything_survives_the_way_through_json)
{
	struct event *ev = full_event(), *back;
	char *json = json_of(ev), *again;

	ck_assert_msg(event_from_json(json, &back, &err) == 0, "%s", err.msg);
	again = json_of(back);
	ck_assert_str_eq(json, again);
	ck_assert_int_eq(back->id, 4711);
	ck_assert_int_eq(back->time_ms, 1795237260123);
	ck_assert_int_eq(back->severity, SEVERITY_CRITICAL);
	ck_assert_str_eq(back->kind, EVENT_ALERT_RECOVERED);
	ck_assert_str_eq(back->key, "disk filesystem//");
	ck_assert_str_eq(back->host, "vps1");
	ck_assert_str_eq(back->title, "Disk / is 93.1 % full");
	ck_assert_str_eq(back->text, ev->text);
	ck_assert_uint_eq(back->n_facts, 2);
	ck_assert_str_eq(back->facts[0].name, "Limit");
	ck_assert_str_eq(back->facts[0].value, "above 90 % for 5m");
	ck_assert_str_eq(back->facts[1].name, "");
	ck_assert_str_eq(back->rule, "disk");
	ck_assert_str_eq(back->class, "filesystem");
	ck_assert_str_eq(back->entity, "/var/lib");
	ck_assert_str_eq(back->metric, "used_percent");
	ck_assert_str_eq(back->unit, "percent");
	ck_assert_str_eq(back->link, ev->link);
	ck_assert(back->value == 93.1);
	ck_assert(back->limit == 0.1 + 0.2);
	ck_assert_int_eq(back->since_ms, 1795237000000);
	ck_assert_int_eq(back->duration_ms, 1500000);
	ck_assert(back->is_end);
	ck_assert_str_eq(back->chart.class, "filesystem");
	ck_assert_str_eq(back->chart.entity, "/var/lib");
	ck_assert_str_eq(back->chart.metric, "used_percent");
	ck_assert_int_eq(back->chart.from, 1795230000);
	ck_assert_int_eq(back->chart.to, 1795237260);
	ck_assert(back->chart.limit == 90);
	free(again);
	free(json);
	event_free(back);
	event_free(ev);
}
END_TEST

START_TEST(json_is_as_the_header_says)
{
	struct event *ev = full_event();
	char *json = json_of(ev);

	ck_assert_str_eq(json,
		"{\"id\":4711,\"time\":\"2026-11-21T05:01:00Z\",\"time_ms\":1795237260123,"
		"\"severity\":\"critical\",\"kind\":\"alert.recovered\",\"key\":\"disk "
		"filesystem//\",\"host\":\"vps1\",\"title\":\"Disk / is 93.1 % full\","
		"\"text\":\"first line\\u000asecond \\\"line\\\" \\\\ with <b>, ä, 日本, 🐢\","
		"\"rule\":\"disk\",\"metric\":\"used_percent\",\"unit\":\"percent\","
		"\"link\":\"/#/entity/filesystem/%2Fvar%2Flib\","
		"\"facts\":[{\"name\":\"Limit\",\"value\":\"above 90 % for 5m\"},"
		"{\"name\":\"\",\"value\":\"\"}],\"entity\":\"filesystem//var/lib\","
		"\"value\":93.1,\"limit\":0.30000000000000004,\"since_ms\":1795237000000,"
		"\"duration_ms\":1500000,\"is_end\":true,\"chart\":{\"entity\":"
		"\"filesystem//var/lib\",\"metric\":\"used_percent\",\"from\":1795230000,"
		"\"to\":1795237260,\"limit\":90}}");
	free(json);
	event_free(ev);
}
END_TEST

START_TEST(what_is_not_set_is_absent_and_comes_back_unknown)
{
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, ""), *back;
	char *json = json_of(ev);

	ck_assert_str_eq(json,
		"{\"time\":\"1970-01-01T00:00:00Z\",\"severity\":\"info\",\"kind\":\"test\","
		"\"is_end\":false}");
	ck_assert_int_eq(event_from_json(json, &back, &err), 0);
	ck_assert_double_nan(back->value);
	ck_assert_double_nan(back->limit);
	ck_assert_double_nan(back->chart.limit);
	ck_assert_ptr_null(back->chart.class);
	ck_assert_str_eq(back->title, "");
	ck_assert_str_eq(back->entity, "");
	free(json);
	event_free(back);
	event_free(ev);
}
END_TEST

START_TEST(numbers_without_end_are_unknown)
{
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");
	char *json;

	ev->value = INFINITY;
	ev->limit = -0.0;
	json = json_of(ev);
	ck_assert_ptr_null(strstr(json, "value"));
	ck_assert_ptr_nonnull(strstr(json, "\"limit\":0,"));
	free(json);
	event_free(ev);
}
END_TEST

START_TEST(broken_utf8_becomes_the_replacement_character)
{
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "k\xff");

	/* A lone surrogate, an overlong form, a character that was cut off. */
	event_title(ev, "a%sb%sc%s", "\xed\xa0\x80", "\xc0\xaf", "\xe2\x82");
	ck_assert_str_eq(ev->title, "a\uFFFD\uFFFD\uFFFDb\uFFFD\uFFFDc\uFFFD\uFFFD");
	ck_assert_str_eq(ev->key, "k\uFFFD");
	event_free(ev);
}
END_TEST

START_TEST(control_characters_become_spaces)
{
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "a\nb");

	event_title(ev, "%s",
		"one\r\nBcc: all\t\x1b[31m\x7f\xc2\x85"
		"end");
	ck_assert_str_eq(ev->title, "one Bcc: all  [31m  end");
	event_fact(ev, "Na\nme", "%s", "a\nb");
	ck_assert_str_eq(ev->facts[0].name, "Na me");
	ck_assert_str_eq(ev->facts[0].value, "a b");
	ck_assert_str_eq(ev->key, "a b");
	event_set(&ev->host, "h\n\xc2\xa0i");
	ck_assert_str_eq(ev->host, "h \xc2\xa0i");
	event_free(ev);
}
END_TEST

START_TEST(text_keeps_its_lines)
{
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");

	event_text(ev, "one\r\ntwo\rthree\n\n\tfour\v");
	ck_assert_str_eq(ev->text, "one\ntwo\nthree\n\n four ");
	event_free(ev);
}
END_TEST

static void check_cut(const char *s, size_t max)
{
	ck_assert_uint_le(strlen(s), max);
	ck_assert_uint_gt(strlen(s), max - 8);
	ck_assert_msg(str_ends(s, "…"), "not marked as cut");
	ck_assert(is_utf8(s));
}

START_TEST(long_texts_are_cut_and_say_so)
{
	static const char *const kinds[] = {"x", "ä", "日", "🐢", "\xff", "xä日🐢"};
	const char *what = kinds[_i];
	char *huge = repeated(what, 100 * 1024);
	struct event *ev = event_new(huge, SEVERITY_INFO, huge);

	event_title(ev, "%s", huge);
	event_text(ev, "%s", huge);
	event_fact(ev, huge, "%s", huge);
	event_set(&ev->entity, huge);
	check_cut(ev->title, EVENT_TITLE_MAX);
	check_cut(ev->text, EVENT_TEXT_MAX);
	check_cut(ev->facts[0].name, EVENT_FACT_NAME_MAX);
	check_cut(ev->facts[0].value, EVENT_FACT_MAX);
	check_cut(ev->entity, EVENT_FACT_MAX);
	check_cut(ev->key, EVENT_KEY_MAX - 1);
	free(huge);
	event_free(ev);
}
END_TEST

START_TEST(a_text_of_just_the_greatest_length_is_whole)
{
	char exact[EVENT_TITLE_MAX + 2];
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");

	memset(exact, 'x', sizeof(exact));
	exact[EVENT_TITLE_MAX] = '\0';
	event_title(ev, "%s", exact);
	ck_assert_str_eq(ev->title, exact);
	exact[EVENT_TITLE_MAX] = 'x';
	exact[EVENT_TITLE_MAX + 1] = '\0';
	event_title(ev, "%s", exact);
	ck_assert_uint_eq(strlen(ev->title), EVENT_TITLE_MAX);
	ck_assert(str_ends(ev->title, "x…"));
	event_free(ev);
}
END_TEST

/* EVENT_JSON_MAX holds whatever the texts are. */
START_TEST(the_largest_event_fits)
{
	char *quotes = repeated("\"", 100 * 1024);
	struct event *ev = event_new(quotes, SEVERITY_CRITICAL, quotes), *back;
	char **members[] = {&ev->host, &ev->rule, &ev->class, &ev->entity, &ev->metric, &ev->unit,
		&ev->link, &ev->chart.class, &ev->chart.entity, &ev->chart.metric};
	char *json, *again;

	event_title(ev, "%s", quotes);
	event_text(ev, "%s", quotes);
	for (int i = 0; i < EVENT_FACTS_MAX + 3; i++)
		event_fact(ev, quotes, "%s", quotes);
	ck_assert_uint_eq(ev->n_facts, EVENT_FACTS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		event_set(members[i], quotes);
	ev->value = ev->limit = ev->chart.limit = -1.2345678901234567e-300;
	ev->id = ev->time_ms = ev->since_ms = ev->duration_ms = INT64_MIN + 1;
	ev->chart.from = ev->chart.to = INT64_MIN + 1;
	json = json_of(ev);
	ck_assert_msg(event_from_json(json, &back, &err) == 0, "%s", err.msg);
	again = json_of(back);
	ck_assert_str_eq(json, again);
	free(again);
	free(json);
	free(quotes);
	event_free(back);
	event_free(ev);
}
END_TEST

START_TEST(what_no_event_can_be_made_of_is_refused)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{\"kind\":\"test\"}",
		"{\"severity\":\"info\"}",
		"{\"kind\":\"test\",\"severity\":\"awful\"}",
		"{\"kind\":7,\"severity\":\"info\"}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"title\":null}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"title\":\"\\ud800\"}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"facts\":{}}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"facts\":[1]}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"facts\":[{\"name\":\"x\"}]}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"entity\":\"host\"}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"value\":\"1\"}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"time_ms\":1.5}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"id\":99999999999999999999}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"is_end\":1}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"chart\":[]}",
		"{\"kind\":\"test\",\"severity\":\"info\",\"chart\":{\"entity\":\"x\"}}",
	};
	struct event *ev = NULL;

	*err.msg = '\0';
	ck_assert_int_eq(event_from_json(bad[_i], &ev, &err), -EBADMSG);
	ck_assert_ptr_null(ev);
	ck_assert(str_starts(err.msg, "event: "));
}
END_TEST

START_TEST(members_of_a_newer_version_are_passed_over)
{
	struct event *ev;

	ck_assert_int_eq(event_from_json("{\"kind\":\"test\",\"severity\":\"info\",\"new\":[{}],"
					 "\"title\":\"a\\nb\",\"chart\":{}}",
				 &ev, &err),
		0);
	ck_assert_str_eq(ev->title, "a b");
	ck_assert_ptr_null(ev->chart.class);
	event_free(ev);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("event");
	TCase *json = tcase_create("json"), *texts = tcase_create("texts");
	SRunner *sr;
	int failed;

	tcase_add_test(json, everything_survives_the_way_through_json);
	tcase_add_test(json, json_is_as_the_header_says);
	tcase_add_test(json, what_is_not_set_is_absent_and_comes_back_unknown);
	tcase_add_test(json, numbers_without_end_are_unknown);
	tcase_add_test(json, the_largest_event_fits);
	tcase_add_loop_test(json, what_no_event_can_be_made_of_is_refused, 0, 19);
	tcase_add_test(json, members_of_a_newer_version_are_passed_over);
	tcase_add_test(texts, broken_utf8_becomes_the_replacement_character);
	tcase_add_test(texts, control_characters_become_spaces);
	tcase_add_test(texts, text_keeps_its_lines);
	tcase_add_loop_test(texts, long_texts_are_cut_and_say_so, 0, 6);
	tcase_add_test(texts, a_text_of_just_the_greatest_length_is_whole);
	suite_add_tcase(s, json);
	suite_add_tcase(s, texts);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
