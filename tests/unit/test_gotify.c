/* SPDX-License-Identifier: Apache-2.0 */
#include "chat_case.h"

static struct channel gotify(void)
{
	struct channel c = {.name = "push",
		.type = &channel_gotify,
		.url = "https://push.example.com/gotify/",
		.secret = "AxYzSecretToken",
		.pictures = true};

	return c;
}

START_TEST(an_alert_has_a_title_a_text_and_a_link)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = gotify();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.url, "https://push.example.com/gotify/message");
	ck_assert_str_eq(case_header(&o, "X-Gotify-Key"), "AxYzSecretToken");
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "title"), "\U0001f534 CRITICAL web-1: Disk / is 97.2 % full");
	ck_assert_str_eq(case_text(j, "message"),
		"Make room or add a disk.\nLimit: above 90 % for 5m\nTop: shop_web 12 GiB\n"
		"https://web-1.example.com:4500/#/filesystem//");
	ck_assert_int_eq(json_integer_value(json_object_get(j, "priority")), 9);
	ck_assert_str_eq(case_text(j, "extras.client::display.contentType"), "text/plain");
	ck_assert_str_eq(case_text(j, "extras.client::notification.click.url"),
		"https://web-1.example.com:4500/#/filesystem//");
	ck_assert_str_eq(case_text(j, "extras.client::notification.bigImageUrl"), m.picture_url);
	json_decref(j);
	outgoing_done(&o);
	case_build(&c, NULL, &m, true, &o);
	ck_assert_ptr_null(strstr(buf_str(&o.body), "extras"));
	outgoing_done(&o);
}
END_TEST

START_TEST(whatever_comes_is_readable)
{
	struct channel c = gotify();

	for (size_t i = 0; i < ARRAY_LEN(case_texts); i++) {
		_cleanup_(event_free_p) struct event *ev = case_large(case_texts[i]);
		struct message one = case_message(ev), many = case_list(ev);
		const struct message *all[] = {&one, &many};

		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			struct outgoing o;
			json_t *j;

			case_build(&c, NULL, all[k], false, &o);
			j = case_json(&o);
			ck_assert_uint_le(text_utf16_len(case_text(j, "message")), 8000);
			ck_assert_uint_gt(strlen(case_text(j, "message")), 0);
			json_decref(j);
			outgoing_done(&o);
		}
	}
}
END_TEST

START_TEST(what_has_no_text_is_sent_all_the_same)
{
	_cleanup_(event_free_p) struct event *end = case_end();
	struct channel c = gotify();
	struct message m = case_message(end);
	struct outgoing o;
	json_t *j;

	m.url = m.picture_url = "";
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "message"), "OK Memory is back at 60 % (03:17)");
	ck_assert_ptr_null(json_object_get(json_object_get(j, "extras"), "client::notification"));
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(answers_are_told_apart)
{
	static const char unauthorized[] =
		"{\"error\":\"Unauthorized\",\"errorCode\":401,\"errorDescription\":\"you need to "
		"provide a valid access token or user credentials\"}";
	struct channel c = gotify();

	ck_assert_int_eq(case_judge(&c, 200, "{\"id\":5,\"appid\":1}").verdict, VERDICT_SENT);
	ck_assert_int_eq(case_judge(&c, 200, "<html>").verdict, VERDICT_BROKEN);
	ck_assert_int_eq(case_judge(&c, 400, "{}").verdict, VERDICT_PLAIN);
	ck_assert_int_eq(case_judge(&c, 401, unauthorized).verdict, VERDICT_BROKEN);
	ck_assert_int_eq(case_judge(&c, 403, "{}").verdict, VERDICT_BROKEN);
	ck_assert_int_eq(case_judge(&c, 404, "").verdict, VERDICT_BROKEN);
	ck_assert_str_eq(case_judge(&c, 401, unauthorized).why,
		"HTTP 401: you need to provide a valid access token or user credentials");
	ck_assert_str_eq(case_judge(&c, 401, "no AxYzSecretToken").why, "HTTP 401: no ***");
	case_assert_retries(&c);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_alert_has_a_title_a_text_and_a_link,
		whatever_comes_is_readable,
		what_has_no_text_is_sent_all_the_same,
		answers_are_told_apart,
	};

	return case_run("gotify", tests, ARRAY_LEN(tests));
}
