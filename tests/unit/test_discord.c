/* SPDX-License-Identifier: Apache-2.0 */
#include "chat_case.h"

static struct channel discord(void)
{
	struct channel c = {.name = "ops",
		.type = &channel_discord,
		.url = "https://discord.com/api/webhooks/223704706495545344/"
		       "3d89bb7572e0fb30d8128367b3b1b44f",
		.pictures = true};

	return c;
}

static size_t check_text(const char *text, size_t min, size_t max)
{
	size_t n = text_utf16_len(text);

	ck_assert(!*text || text[strspn(text, " \n")]); /* blanks are taken for nothing */
	ck_assert_msg(n >= min && n <= max, "%zu: %s", n, text);
	return n;
}

/* As the documentation limits it (Embed Limits). */
static void check_limits(const json_t *j)
{
	const json_t *embed = json_array_get(json_object_get(j, "embeds"), 0);
	const json_t *fields = json_object_get(embed, "fields");
	json_t *field;
	size_t i, sum;

	check_text(case_text(j, "content"), 1, 2000);
	sum = check_text(case_text(embed, "title"), 0, 256);
	sum += check_text(case_text(embed, "description"), 0, 4096);
	sum += check_text(case_text(embed, "footer.text"), 0, 2048);
	ck_assert_uint_le(json_array_size(fields), 25);
	json_array_foreach((json_t *)fields, i, field)
	{
		sum += check_text(case_text(field, "name"), 1, 256);
		sum += check_text(case_text(field, "value"), 1, 1024);
	}
	ck_assert_uint_le(sum, 6000);
	ck_assert_uint_eq(
		json_array_size(json_object_get(json_object_get(j, "allowed_mentions"), "parse")),
		0);
	ck_assert(json_is_array(json_object_get(json_object_get(j, "allowed_mentions"), "parse")));
}

START_TEST(an_alert_is_a_line_and_an_embed)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = discord();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j, *embed;

	m.picture = NULL;
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.url, "https://discord.com/api/webhooks/223704706495545344/"
				"3d89bb7572e0fb30d8128367b3b1b44f?wait=true");
	j = case_json(&o);
	check_limits(j);
	ck_assert_str_eq(
		case_text(j, "content"), "**\U0001f534 CRITICAL web-1: Disk / is 97.2 % full**");
	embed = json_array_get(json_object_get(j, "embeds"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(embed, "color")), 0xd32f2f);
	ck_assert_str_eq(case_text(embed, "timestamp"), "2026-11-21T02:17:00Z");
	ck_assert_str_eq(case_text(embed, "fields.0.name"), "Limit");
	ck_assert_str_eq(case_text(embed, "fields.0.value"), "above 90 % for 5m");
	ck_assert_str_eq(case_text(embed, "fields.1.value"), "shop\\_web 12 GiB");
	ck_assert_str_eq(case_text(embed, "description"),
		"Make room or add a disk.\nhttps://web-1.example.com:4500/#/filesystem//");
	ck_assert_ptr_null(json_object_get(embed, "image"));
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(a_picture_is_attached)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = discord();
	struct message m = case_message(ev);
	struct outgoing o;
	const char *field;
	json_t *j;
	size_t n;

	c.thread = "99";
	case_build(&c, NULL, &m, false, &o);
	ck_assert(str_ends(o.url, "?wait=true&thread_id=99"));
	field = case_field(&o, "files[0]", &n);
	ck_assert_uint_eq(n, m.picture_len);
	ck_assert_mem_eq(field, m.picture, n);
	field = case_field(&o, "payload_json", &n);
	j = json_loadb(field, n, 0, NULL);
	ck_assert_ptr_nonnull(j);
	check_limits(j);
	ck_assert_str_eq(case_text(j, "embeds.0.image.url"), "attachment://chart.png");
	ck_assert_str_eq(case_text(j, "attachments.0.filename"), "chart.png");
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(whatever_comes_is_within_the_limits)
{
	struct channel c = discord();

	c.pictures = false;
	for (size_t i = 0; i < ARRAY_LEN(case_texts); i++) {
		_cleanup_(event_free_p) struct event *ev = case_large(case_texts[i]);
		struct message one = case_message(ev), many = case_list(ev);
		const struct message *all[] = {&one, &many};

		for (size_t k = 0; k < 2 * ARRAY_LEN(all); k++) {
			struct outgoing o;
			json_t *j;

			case_build(&c, NULL, all[k / 2], k % 2, &o);
			j = case_json(&o);
			check_limits(j);
			json_decref(j);
			outgoing_done(&o);
		}
	}
}
END_TEST

START_TEST(markup_and_mentions_are_text)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = discord();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	event_text(ev, "@everyone [x](http://y) **b**\n# head");
	m.picture = NULL;
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	ck_assert(str_starts(case_text(j, "embeds.0.description"),
		"@\u200beveryone \\[x\\](http://y) \\*\\*b\\*\\*\n\\# head\n"));
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
		{200, "{\"id\":\"1\"}", VERDICT_SENT},
		{204, "", VERDICT_SENT},
		{400, "{\"message\":\"Invalid Form Body\",\"code\":50035}", VERDICT_PLAIN},
		{400,
			"{\"message\":\"Webhooks posted to forum channels must have a "
			"thread_name\","
			"\"code\":220001}",
			VERDICT_BROKEN},
		{401, "{\"message\":\"Invalid Webhook Token\",\"code\":50027}", VERDICT_BROKEN},
		{404, "{\"message\":\"Unknown Webhook\",\"code\":10015}", VERDICT_BROKEN},
		{413, "", VERDICT_PLAIN},
		{500, "", VERDICT_RETRY},
	};
	struct channel c = discord();
	struct verdict_of v;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(
			case_judge(&c, cases[i].status, cases[i].body).verdict == cases[i].verdict,
			"%s", cases[i].body);
	v = case_judge(&c, 429, "{\"message\":\"slow\",\"retry_after\":1.3371,\"global\":false}");
	ck_assert_int_eq(v.verdict, VERDICT_RETRY);
	ck_assert_int_eq(v.retry_after_ms, 1338); /* never too early */
	v = case_judge(&c, 429, "{\"retry_after\":1e30}");
	ck_assert_int_eq(v.retry_after_ms, 24 * 3600 * 1000);
	v = case_judge(&c, 429, "{\"retry_after\":\"x\"}");
	ck_assert_int_eq(v.retry_after_ms, -1);
	case_assert_retries(&c);
	v = case_judge(
		&c, 404, "/api/webhooks/223704706495545344/3d89bb7572e0fb30d8128367b3b1b44f");
	ck_assert_str_eq(v.why, "HTTP 404: ***");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_alert_is_a_line_and_an_embed,
		a_picture_is_attached,
		whatever_comes_is_within_the_limits,
		markup_and_mentions_are_text,
		answers_are_told_apart,
	};

	return case_run("discord", tests, ARRAY_LEN(tests));
}
