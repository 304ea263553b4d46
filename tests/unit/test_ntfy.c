/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "chat_case.h"

static struct channel ntfy(void)
{
	struct channel c = {.name = "phone",
		.type = &channel_ntfy,
		.to = {"vps1-alerts"},
		.n_to = 1,
		.pictures = true};

	return c;
}

START_TEST(an_alert_is_published_as_json)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = ntfy();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	m.picture = NULL;
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.url, "https://ntfy.sh/");
	ck_assert_ptr_null(case_header(&o, "Authorization"));
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "topic"), "vps1-alerts");
	ck_assert_str_eq(case_text(j, "title"), "CRITICAL web-1: Disk / is 97.2 % full");
	ck_assert_str_eq(case_text(j, "message"),
		"Make room or add a disk.\nLimit: above 90 % for 5m\nTop: shop_web 12 GiB\n"
		"https://web-1.example.com:4500/#/filesystem//");
	ck_assert_int_eq(json_integer_value(json_object_get(j, "priority")), 5);
	ck_assert_str_eq(case_text(j, "tags.0"), "rotating_light");
	ck_assert_str_eq(case_text(j, "click"), "https://web-1.example.com:4500/#/filesystem//");
	ck_assert(!json_is_true(json_object_get(j, "markdown")));
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

/* RFC 2047 as a reader decodes it. */
static void decode(const char *s, struct buf *out)
{
	while (*s) {
		const char *end;

		s += strspn(s, " ");
		if (!str_starts(s, "=?UTF-8?B?")) {
			buf_adds(out, s);
			return;
		}
		end = strstr(s + 10, "?=");
		ck_assert_int_eq(base64_decode(out, s + 10, (size_t)(end - s - 10), NULL), 0);
		s = end + 2;
	}
}

START_TEST(a_picture_is_the_body_and_the_texts_are_headers)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	_cleanup_(buf_done) struct buf text = BUF_INIT(10000);
	struct channel c = ntfy();
	struct message m = case_message(ev);
	struct outgoing o;

	c.url = "https://ntfy.example.com";
	event_text(ev, "Größe\r\nX-Evil: 1");
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.method, "PUT");
	ck_assert_str_eq(o.url, "https://ntfy.example.com/vps1-alerts");
	ck_assert_uint_eq(o.body.len, m.picture_len);
	ck_assert_mem_eq(o.body.data, m.picture, m.picture_len);
	ck_assert_str_eq(case_header(&o, "X-Title"), "CRITICAL web-1: Disk / is 97.2 % full");
	decode(case_header(&o, "X-Message"), &text);
	ck_assert_str_eq(buf_str(&text),
		"Größe\\nX-Evil: 1\\nLimit: above 90 % for 5m\\nTop: shop_web 12 GiB\\n"
		"https://web-1.example.com:4500/#/filesystem//");
	ck_assert_ptr_null(case_header(&o, "X-Evil"));
	ck_assert_str_eq(case_header(&o, "X-Filename"), "chart.png");
	ck_assert_str_eq(case_header(&o, "X-Priority"), "5");
	outgoing_done(&o);
	case_build(&c, NULL, &m, true, &o);
	ck_assert_str_eq(o.url, "https://ntfy.example.com/");
	outgoing_done(&o);
}
END_TEST

START_TEST(whatever_comes_is_within_the_limits)
{
	struct channel c = ntfy();

	for (size_t i = 0; i < ARRAY_LEN(case_texts); i++) {
		_cleanup_(event_free_p) struct event *ev = case_large(case_texts[i]);
		struct message one = case_message(ev), many = case_list(ev);
		const struct message *all[] = {&one, &many};

		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			struct outgoing o;
			json_t *j;

			case_build(&c, NULL, all[k], true, &o);
			ck_assert_uint_le(o.body.len, 8192);
			j = case_json(&o);
			ck_assert_uint_le(strlen(case_text(j, "message")), 4096);
			ck_assert_uint_gt(strlen(case_text(j, "message")), 0);
			json_decref(j);
			outgoing_done(&o);
			case_build(&c, NULL, all[k], false, &o);
			for (size_t n = 0; n < o.n_headers; n++)
				ck_assert_uint_le(strlen(o.headers[n]), 8000);
			outgoing_done(&o);
		}
	}
}
END_TEST

START_TEST(recoveries_make_no_sound)
{
	_cleanup_(event_free_p) struct event *end = case_end();
	struct channel c = ntfy();
	struct message m = case_message(end);
	struct outgoing o;
	json_t *j;

	m.picture = NULL;
	m.url = "";
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "priority")), 2);
	/* Without anything else to say it says it again: an empty message would be "triggered". */
	ck_assert_str_eq(case_text(j, "message"), "OK Memory is back at 60 % (03:17)");
	ck_assert_ptr_null(json_object_get(j, "click"));
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(a_protected_topic_gets_its_login)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = ntfy();
	struct message m = case_message(ev);
	struct err e = {""};
	struct outgoing o;

	c.secret = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2";
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(
		case_header(&o, "Authorization"), "Bearer tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2");
	outgoing_done(&o);
	c.user = "phil";
	c.secret = "mypass";
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(case_header(&o, "Authorization"), "Basic cGhpbDpteXBhc3M=");
	outgoing_done(&o);
	c.secret = NULL;
	ck_assert_int_eq(channel_check(&c, &e), -EINVAL);
	c.user = NULL;
	c.to[0] = "no/topic";
	ck_assert_int_eq(channel_check(&c, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "\"no/topic\" is no topic"));
}
END_TEST

START_TEST(answers_are_told_apart)
{
	static const struct {
		long status;
		const char *body;
		enum verdict verdict;
	} cases[] = {
		{200, "{\"id\":\"x\",\"event\":\"message\"}", VERDICT_SENT},
		{200, "<html>login", VERDICT_BROKEN},
		{400, "{\"code\":40014,\"http\":400,\"error\":\"attachments not allowed\"}",
			VERDICT_PLAIN},
		{400, "{\"code\":40009,\"http\":400,\"error\":\"topic invalid\"}", VERDICT_BROKEN},
		{401, "{\"code\":40101,\"http\":401,\"error\":\"unauthorized\"}", VERDICT_BROKEN},
		{403, "{\"code\":40301,\"http\":403,\"error\":\"forbidden\"}", VERDICT_BROKEN},
		{413, "{\"code\":41301,\"http\":413,\"error\":\"attachment too large\"}",
			VERDICT_PLAIN},
		{429, "{\"code\":42901,\"http\":429,\"error\":\"too many requests\"}",
			VERDICT_RETRY},
		{429, "{\"code\":42905,\"http\":429,\"error\":\"daily bandwidth\"}", VERDICT_PLAIN},
		{500, "{\"code\":50001,\"http\":500,\"error\":\"internal\"}", VERDICT_RETRY},
	};
	struct channel c = ntfy();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(
			case_judge(&c, cases[i].status, cases[i].body).verdict == cases[i].verdict,
			"%s", cases[i].body);
	ck_assert_str_eq(case_judge(&c, 401, cases[4].body).why, "HTTP 401: unauthorized");
	case_assert_retries(&c);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_alert_is_published_as_json,
		a_picture_is_the_body_and_the_texts_are_headers,
		whatever_comes_is_within_the_limits,
		recoveries_make_no_sound,
		a_protected_topic_gets_its_login,
		answers_are_told_apart,
	};

	return case_run("ntfy", tests, ARRAY_LEN(tests));
}
