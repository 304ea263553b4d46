/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "notify/template.h"

static struct event *ev;
static struct message m;
static struct buf out;
static struct err err;

static void setup(void)
{
	ev = event_new("alert.firing", SEVERITY_CRITICAL, "disk filesystem//");
	ev->id = 42;
	ev->time_ms = 1700000000123;
	ev->since_ms = 1699999000000;
	ev->value = 97.25;
	ev->limit = 90;
	event_set(&ev->host, "web-1");
	event_set(&ev->rule, "disk");
	event_set(&ev->class, "filesystem");
	event_set(&ev->entity, "/");
	event_set(&ev->metric, "used_percent");
	event_set(&ev->unit, "%");
	event_set(&ev->link, "/#/host");
	event_title(ev, "Disk \"/\" is full");
	event_text(ev, "one\ntwo\\");
	event_fact(ev, "Limit", "above 90 %%");
	event_fact(ev, "Used", "<all> & more");
	m = (struct message){.events = {ev},
		.n = 1,
		.host = "web-1",
		.url = "https://dash.example.com",
		.now_ms = 1700000001000};
	buf_init(&out, 64 * 1024);
	err.msg[0] = '\0';
}

static void teardown(void)
{
	event_free(ev);
	buf_done(&out);
}

static const char *filled(const char *text, enum template_form form)
{
	buf_clear(&out);
	ck_assert_msg(template_fill(text, form, &m, &out, &err) == 0, "%s", err.msg);
	return buf_str(&out);
}

START_TEST(names_are_replaced_and_the_rest_stays)
{
	ck_assert_str_eq(filled("{\"a\":{\"b\":\"{{host}}-{{ severity }}\"}}", TEMPLATE_JSON),
		"{\"a\":{\"b\":\"web-1-critical\"}}");
	ck_assert_str_eq(
		filled("no names at all }} { }", TEMPLATE_PLAIN), "no names at all }} { }");
	ck_assert_str_eq(filled("", TEMPLATE_PLAIN), "");
	ck_assert_str_eq(filled("{{rule}} {{entity}} {{metric}} {{unit}} {{kind}} {{key}} {{id}}",
				 TEMPLATE_PLAIN),
		"disk filesystem// used_percent % alert.firing disk filesystem// 42");
	ck_assert_str_eq(filled("{{time}} {{time_ms}} {{since_ms}} {{duration_ms}} {{is_end}}",
				 TEMPLATE_PLAIN),
		"2023-11-14T22:13:20Z 1700000000123 1699999000000 0 false");
	ck_assert_str_eq(filled("{{link}}", TEMPLATE_PLAIN), "https://dash.example.com/#/host");
	ck_assert_str_eq(
		filled("{{facts}}", TEMPLATE_PLAIN), "Limit: above 90 %\nUsed: <all> & more");
	ck_assert_ptr_nonnull(strstr(filled("{{summary}}", TEMPLATE_PLAIN), "web-1"));
}
END_TEST

START_TEST(each_form_escapes_in_its_own_way)
{
	const char *text = "{{title}}|{{text}}";

	ck_assert_str_eq(filled(text, TEMPLATE_JSON), "Disk \\\"/\\\" is full|one\\u000atwo\\\\");
	ck_assert_str_eq(filled(text, TEMPLATE_FORM), "Disk%20%22%2F%22%20is%20full|one%0Atwo%5C");
	ck_assert_str_eq(filled(text, TEMPLATE_MARKUP), "Disk &quot;/&quot; is full|one\ntwo\\");
	ck_assert_str_eq(filled(text, TEMPLATE_PLAIN), "Disk \"/\" is full|one\ntwo\\");
	ck_assert_ptr_nonnull(
		strstr(filled("{{facts}}", TEMPLATE_MARKUP), "&lt;all&gt; &amp; more"));
}
END_TEST

/* What an event says cannot bring names of its own: braces in a title stay braces. */
START_TEST(values_are_not_filled_in_again)
{
	event_title(ev, "{{host}} }} {{");
	ck_assert_str_eq(filled("<{{title}}>", TEMPLATE_PLAIN), "<{{host}} }} {{>");
}
END_TEST

START_TEST(numbers_stand_alone_and_unknown_ones_are_null)
{
	const char *text = "{\"v\":{{value}},\"l\":{{limit}},\"e\":{{is_end}}}";

	ck_assert_str_eq(filled(text, TEMPLATE_JSON), "{\"v\":97.25,\"l\":90,\"e\":false}");
	ev->value = ev->limit = NAN;
	ck_assert_str_eq(filled(text, TEMPLATE_JSON), "{\"v\":null,\"l\":null,\"e\":false}");
	ck_assert_str_eq(filled("v={{value}}", TEMPLATE_FORM), "v=");
}
END_TEST

START_TEST(the_whole_event_can_be_put_in)
{
	_cleanup_(buf_done) struct buf json = BUF_INIT(EVENT_JSON_MAX);

	event_to_json(ev, &json);
	ck_assert_str_eq(filled("{{event}}", TEMPLATE_JSON), json.data);
	ck_assert_ptr_nonnull(strstr(filled("payload={{event}}", TEMPLATE_FORM), "%22web-1%22"));
}
END_TEST

START_TEST(the_content_type_decides_the_form)
{
	static const struct {
		const char *type;
		int form;
	} cases[] = {
		{NULL, TEMPLATE_JSON},
		{"application/json", TEMPLATE_JSON},
		{"application/json; charset=utf-8", TEMPLATE_JSON},
		{"application/cloudevents+json", TEMPLATE_JSON},
		{"application/x-www-form-urlencoded", TEMPLATE_FORM},
		{"text/plain;charset=utf-8", TEMPLATE_PLAIN},
		{"text/html", TEMPLATE_MARKUP},
		{"application/xml", TEMPLATE_MARKUP},
		{"application/octet-stream", -1},
		{"json", -1},
		{"", -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum template_form form;
		int r = template_form_of(cases[i].type, &form, &err);

		ck_assert_msg(r == (cases[i].form < 0 ? -EINVAL : 0), "%zu: %s", i, err.msg);
		if (r == 0)
			ck_assert_int_eq(form, cases[i].form);
	}
}
END_TEST

START_TEST(mistakes_are_found_before_anything_is_sent)
{
	static const struct {
		const char *text;
		enum template_form form;
		const char *says; /* NULL: all right */
	} cases[] = {
		{"{\"text\":\"{{title}}\\n{{text}}\",\"v\":{{value}}}", TEMPLATE_JSON, NULL},
		{"{{event}}", TEMPLATE_JSON, NULL},
		{"{{title}} & {{link}}", TEMPLATE_PLAIN, NULL},
		{"\n\n{{titel}}", TEMPLATE_PLAIN,
			"template, line 3: {{titel}} is not known; did you mean {{title}}?"},
		{"{{qqqqqqqqqqqq}}", TEMPLATE_PLAIN,
			"template, line 1: {{qqqqqqqqqqqq}} is not known"},
		{"{{}}", TEMPLATE_PLAIN, "template, line 1: {{}} is not known"},
		{"x\n{{title}", TEMPLATE_PLAIN, "template, line 2: {{ without }}"},
		{"{\n\"text\":{{title}}}", TEMPLATE_JSON,
			"template, line 2: not JSON when filled in"},
		{"{\"a\":\"{{event}}\"}", TEMPLATE_JSON,
			"template, line 1: not JSON when filled in"},
		{"{\"a\":-{{value}}}", TEMPLATE_JSON, /* of an event that has none */
			"template, line 1: not JSON when filled in"},
		{"{\"a\":\"{{unit}}\"\"\"}", TEMPLATE_JSON,
			"template, line 1: not JSON when filled in"},
		{"{\"a\":1,}", TEMPLATE_JSON, "template, line 1: not JSON when filled in"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = template_check(cases[i].text, cases[i].form, &err);

		ck_assert_msg(r == (cases[i].says ? -EINVAL : 0), "%s: %s", cases[i].text, err.msg);
		if (cases[i].says)
			ck_assert_msg(strstr(err.msg, cases[i].says) == err.msg, "%s", err.msg);
	}
}
END_TEST

START_TEST(a_body_past_the_bound_is_an_error)
{
	_cleanup_(buf_done) struct buf small = BUF_INIT(20);

	ck_assert_int_eq(
		template_fill("{{text}}{{text}}{{facts}}", TEMPLATE_JSON, &m, &small, &err),
		-EMSGSIZE);
	ck_assert_uint_le(small.len, 20);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("template");
	TCase *c = tcase_create("template");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, names_are_replaced_and_the_rest_stays);
	tcase_add_test(c, each_form_escapes_in_its_own_way);
	tcase_add_test(c, values_are_not_filled_in_again);
	tcase_add_test(c, numbers_stand_alone_and_unknown_ones_are_null);
	tcase_add_test(c, the_whole_event_can_be_put_in);
	tcase_add_test(c, the_content_type_decides_the_form);
	tcase_add_test(c, mistakes_are_found_before_anything_is_sent);
	tcase_add_test(c, a_body_past_the_bound_is_an_error);
	suite_add_tcase(s, c);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
