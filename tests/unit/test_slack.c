/* SPDX-License-Identifier: Apache-2.0 */
#include "chat_case.h"

static struct channel slack(void)
{
	struct channel c = {.name = "ops",
		.type = &channel_slack,
		.url = "https://hooks.slack.com/services/T0000/B0000/XyzXyzXyzXyzXyzXyz",
		.pictures = true};

	return c;
}

/* Every text object of the blocks as the documentation limits it. Returns the sum of lengths. */
static size_t check_blocks(const json_t *blocks)
{
	size_t i, k, sum = 0;
	json_t *block, *one;

	ck_assert_uint_le(json_array_size(blocks), 50);
	json_array_foreach((json_t *)blocks, i, block)
	{
		const char *type = case_text(block, "type"), *text = case_text(block, "text.text");
		size_t n = text_utf16_len(text);

		sum += n;
		ck_assert_uint_le(n, strcmp(type, "header") == 0 ? 150 : 3000);
		if (strcmp(type, "header") == 0)
			ck_assert_str_eq(case_text(block, "text.type"), "plain_text");
		ck_assert_uint_le(json_array_size(json_object_get(block, "fields")), 10);
		ck_assert_uint_le(json_array_size(json_object_get(block, "elements")), 10);
		json_array_foreach(json_object_get(block, "fields"), k, one)
		{
			n = text_utf16_len(case_text(one, "text"));
			ck_assert(n >= 1 && n <= 2000);
			sum += n;
		}
		json_array_foreach(json_object_get(block, "elements"), k, one)
		{
			n = text_utf16_len(case_text(one, "text"));
			ck_assert(n >= 1 && n <= 3000);
			sum += n;
		}
	}
	return sum;
}

START_TEST(an_alert_is_blocks_with_a_fallback)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = slack();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.url, c.url);
	ck_assert_ptr_null(o.method);
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "text"), "\U0001f534 CRITICAL web-1: Disk / is 97.2 % full");
	ck_assert(json_is_false(json_object_get(j, "mrkdwn")));
	ck_assert_str_eq(case_text(j, "blocks.0.type"), "header");
	ck_assert_str_eq(case_text(j, "blocks.0.text.text"),
		"\U0001f534 CRITICAL web-1: Disk / is 97.2 % full");
	ck_assert_str_eq(case_text(j, "blocks.1.fields.0.text"), "*Limit*\nabove 90 % for 5m");
	ck_assert_str_eq(case_text(j, "blocks.1.fields.1.text"), "*Top*\nshop_web 12 GiB");
	ck_assert_str_eq(case_text(j, "blocks.2.text.text"), "Make room or add a disk.");
	ck_assert_str_eq(case_text(j, "blocks.3.image_url"), m.picture_url);
	ck_assert_str_ne(case_text(j, "blocks.3.alt_text"), "");
	ck_assert_str_eq(case_text(j, "blocks.4.elements.0.text"),
		"<https://web-1.example.com:4500/#/filesystem//|Open the dashboard>");
	ck_assert_str_eq(case_text(j, "blocks.4.elements.1.text"), "03:17");
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(without_an_address_there_is_neither_link_nor_picture)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = slack();
	struct message m = case_message(ev);
	struct outgoing o;

	m.url = m.picture_url = "";
	case_build(&c, NULL, &m, false, &o);
	ck_assert_ptr_null(strstr(buf_str(&o.body), "\"image\""));
	ck_assert_ptr_null(strstr(buf_str(&o.body), "dashboard"));
	outgoing_done(&o);
	m.picture_url = "https://x.example/p.png";
	c.pictures = false;
	case_build(&c, NULL, &m, false, &o);
	ck_assert_ptr_null(strstr(buf_str(&o.body), "\"image\""));
	outgoing_done(&o);
}
END_TEST

START_TEST(markup_is_text)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = slack();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	event_title(ev, "%s", case_markup);
	event_text(ev, "%s", case_markup);
	event_fact(ev, "Log", "%s", case_markup);
	event_fact(ev, "Name", "<!channel> & co");
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	/* No control sequence but our own link. */
	ck_assert_ptr_null(strstr(buf_str(&o.body), "<!"));
	ck_assert_ptr_null(strstr(buf_str(&o.body), "<@"));
	ck_assert_ptr_nonnull(strstr(case_text(j, "text"), "&lt;!channel&gt; &amp; &lt;b&gt;"));
	/* What mrkdwn would read is not given to it. */
	ck_assert_str_eq(case_text(j, "blocks.1.fields.2.type"), "plain_text");
	ck_assert_str_eq(case_text(j, "blocks.1.fields.3.type"), "mrkdwn");
	ck_assert_str_eq(
		case_text(j, "blocks.1.fields.3.text"), "*Name*\n&lt;!channel&gt; &amp; co");
	ck_assert_str_eq(case_text(j, "blocks.2.text.type"), "plain_text");
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(whatever_comes_is_within_the_limits)
{
	struct channel c = slack();

	for (size_t i = 0; i < ARRAY_LEN(case_texts); i++) {
		_cleanup_(event_free_p) struct event *ev = case_large(case_texts[i]);
		struct message one = case_message(ev), many = case_list(ev);
		const struct message *all[] = {&one, &many};

		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			struct outgoing o;
			json_t *j;

			case_build(&c, NULL, all[k], false, &o);
			j = case_json(&o);
			if (k == 0)
				ck_assert_uint_le(
					check_blocks(json_object_get(j, "blocks")), 13000);
			else
				(void)check_blocks(json_object_get(j, "blocks"));
			json_decref(j);
			outgoing_done(&o);
			case_build(&c, NULL, all[k], true, &o);
			j = case_json(&o);
			ck_assert_uint_le(text_utf16_len(case_text(j, "text")), 4000);
			ck_assert_ptr_null(json_object_get(j, "blocks"));
			json_decref(j);
			outgoing_done(&o);
		}
	}
}
END_TEST

START_TEST(several_events_are_a_list_with_what_is_left_out)
{
	_cleanup_(event_free_p) struct event *a = case_disk(), *end = case_end();
	struct channel c = slack();
	struct message m = case_list(a);
	struct outgoing o;
	json_t *j;

	m.events[1] = end;
	m.n = 2;
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "blocks.1.text.text"),
		"\U0001f534 CRITICAL Disk / is 97.2 % full (since 03:12)\n"
		"\U0001f7e2 OK Memory is back at 60 % (03:17)");
	ck_assert_str_eq(case_text(j, "blocks.3.elements.2.text"),
		"Waited since 02:17: quiet hours.\n17 earlier changes are left out.\nAnd 1234 "
		"more.");
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(an_event_with_nothing_in_it_is_sent)
{
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_MESSAGE, SEVERITY_INFO, "");
	struct channel c = slack();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	event_fact(ev, "", "%s", "");
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	(void)check_blocks(json_object_get(j, "blocks"));
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(answers_are_told_apart)
{
	static const struct {
		long status;
		const char *body;
		enum verdict verdict;
	} cases[] = {
		{200, "ok", VERDICT_SENT},
		{200, "<html>login", VERDICT_BROKEN},
		{200, "", VERDICT_BROKEN},
		{400, "invalid_payload", VERDICT_PLAIN},
		{400, "invalid_blocks", VERDICT_PLAIN},
		{400, "no_text", VERDICT_PLAIN},
		{400, "user_not_found", VERDICT_BROKEN},
		{403, "action_prohibited", VERDICT_BROKEN},
		{403, "invalid_token", VERDICT_BROKEN},
		{404, "no_service", VERDICT_BROKEN},
		{404, "channel_not_found", VERDICT_BROKEN},
		{410, "channel_is_archived", VERDICT_BROKEN},
		{413, "", VERDICT_PLAIN},
		{429, "rate_limited", VERDICT_RETRY},
		{500, "rollup_error", VERDICT_RETRY},
	};
	struct channel c = slack();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(
			case_judge(&c, cases[i].status, cases[i].body).verdict == cases[i].verdict,
			"%ld %s", cases[i].status, cases[i].body);
	ck_assert_str_eq(case_judge(&c, 404, "no_service").why, "HTTP 404: no_service");
	case_assert_retries(&c);
}
END_TEST

START_TEST(an_answer_does_not_give_the_address_away)
{
	struct channel c = slack();
	struct verdict_of v =
		case_judge(&c, 404, "no hook /services/T0000/B0000/XyzXyzXyzXyzXyzXyz");

	ck_assert_str_eq(v.why, "HTTP 404: no hook ***");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_alert_is_blocks_with_a_fallback,
		without_an_address_there_is_neither_link_nor_picture,
		markup_is_text,
		whatever_comes_is_within_the_limits,
		several_events_are_a_list_with_what_is_left_out,
		an_event_with_nothing_in_it_is_sent,
		answers_are_told_apart,
		an_answer_does_not_give_the_address_away,
	};

	return case_run("slack", tests, ARRAY_LEN(tests));
}
