/* SPDX-License-Identifier: Apache-2.0 */
#include "chat_case.h"

static const char token[] = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";

static struct channel telegram(void)
{
	struct channel c = {.name = "ops",
		.type = &channel_telegram,
		.secret = token,
		.to = {"-1001234567890"},
		.n_to = 1,
		.pictures = true};

	return c;
}

/* The part of the text that an entity marks. */
static char *marked(const char *text, const json_t *entity)
{
	json_int_t at = 0, from = json_integer_value(json_object_get(entity, "offset"));
	json_int_t to = from + json_integer_value(json_object_get(entity, "length"));
	struct buf b = BUF_INIT(64 * 1024);

	ck_assert_int_lt(from, to);
	for (const char *p = text; *p; p += str_utf8_char(p)) {
		ck_assert(at >= from || at + (str_utf8_char(p) == 4 ? 2 : 1) <= from);
		if (at >= from && at < to)
			buf_add(&b, p, str_utf8_char(p));
		at += str_utf8_char(p) == 4 ? 2 : 1;
	}
	ck_assert_int_le(to, at);
	return buf_take(&b);
}

static void assert_marked(
	const char *text, const json_t *entities, size_t i, const char *type, const char *expected)
{
	const json_t *one = json_array_get(entities, i);
	_cleanup_(free_p) char *part = marked(text, one);

	ck_assert_str_eq(case_text(one, "type"), type);
	ck_assert_str_eq(part, expected);
}

START_TEST(an_alert_is_text_with_entities)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = telegram();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j, *entities;
	const char *text;

	m.picture = NULL;
	event_text(ev, "log \U0001f525 1\nlog 2");
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.url, "https://api.telegram.org/"
				"bot123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc/sendMessage");
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "chat_id"), "-1001234567890");
	text = case_text(j, "text");
	ck_assert_str_eq(text,
		"\U0001f534 CRITICAL web-1: Disk / is 97.2 % full\nLimit: above 90 % for 5m\n"
		"Top: shop_web 12 GiB\n\nlog \U0001f525 1\nlog 2\n"
		"https://web-1.example.com:4500/#/filesystem//");
	entities = json_object_get(j, "entities");
	ck_assert_uint_eq(json_array_size(entities), 4);
	assert_marked(
		text, entities, 0, "bold", "\U0001f534 CRITICAL web-1: Disk / is 97.2 % full");
	assert_marked(text, entities, 1, "bold", "Limit");
	assert_marked(text, entities, 2, "bold", "Top");
	assert_marked(text, entities, 3, "pre", "log \U0001f525 1\nlog 2");
	ck_assert_ptr_null(json_object_get(j, "parse_mode"));
	ck_assert_ptr_null(json_object_get(j, "message_thread_id"));
	ck_assert(json_is_false(json_object_get(j, "disable_notification")));
	ck_assert(json_is_true(
		json_object_get(json_object_get(j, "link_preview_options"), "is_disabled")));
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(a_picture_has_the_text_as_its_caption)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = telegram();
	struct message m = case_message(ev);
	struct outgoing o;
	const char *field;
	size_t n;

	c.thread = "12";
	case_build(&c, NULL, &m, false, &o);
	ck_assert(str_ends(o.url, "/sendPhoto"));
	field = case_field(&o, "photo", &n);
	ck_assert_uint_eq(n, m.picture_len);
	ck_assert_mem_eq(field, m.picture, n);
	field = case_field(&o, "chat_id", &n);
	ck_assert(strncmp(field, "-1001234567890", n) == 0);
	field = case_field(&o, "message_thread_id", &n);
	ck_assert(n == 2 && strncmp(field, "12", n) == 0);
	field = case_field(&o, "caption", &n);
	ck_assert(strncmp(field, "\U0001f534 CRITICAL web-1: Disk", 20) == 0);
	field = case_field(&o, "caption_entities", &n);
	ck_assert(strncmp(field, "[{\"type\":\"bold\",\"offset\":0,", 27) == 0);
	ck_assert_ptr_null(case_field(&o, "parse_mode", &n));
	outgoing_done(&o);
	case_build(&c, NULL, &m, true, &o); /* the second try has none */
	ck_assert(str_ends(o.url, "/sendMessage"));
	ck_assert_ptr_null(strstr(buf_str(&o.body), "entities"));
	outgoing_done(&o);
	c.pictures = false;
	case_build(&c, NULL, &m, false, &o);
	ck_assert(str_ends(o.url, "/sendMessage"));
	outgoing_done(&o);
}
END_TEST

START_TEST(more_than_a_caption_goes_without_the_picture)
{
	_cleanup_(event_free_p) struct event *ev = case_large("log line ");
	struct channel c = telegram();
	struct message m = case_message(ev);
	struct outgoing o;

	case_build(&c, NULL, &m, false, &o);
	ck_assert(str_ends(o.url, "/sendMessage"));
	outgoing_done(&o);
}
END_TEST

START_TEST(whatever_comes_is_within_the_limits)
{
	struct channel c = telegram();

	for (size_t i = 0; i < ARRAY_LEN(case_texts); i++) {
		_cleanup_(event_free_p) struct event *ev = case_large(case_texts[i]);
		struct message one = case_message(ev), many = case_list(ev);
		const struct message *all[] = {&one, &many};

		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			struct outgoing o;
			const char *text;
			json_t *j, *entity;
			size_t n;

			c.pictures = false;
			case_build(&c, NULL, all[k], false, &o);
			j = case_json(&o);
			text = case_text(j, "text");
			ck_assert_uint_le(text_utf16_len(text), 4096);
			ck_assert_uint_gt(text_utf16_len(text), 0);
			json_array_foreach(json_object_get(j, "entities"), n, entity)
				free(marked(text, entity));
			json_decref(j);
			outgoing_done(&o);
		}
	}
}
END_TEST

START_TEST(a_caption_is_never_too_long)
{
	struct channel c = telegram();
	size_t photos = 0;

	for (int words = 0; words < 250; words++) {
		_cleanup_(event_free_p) struct event *ev = case_disk();
		_cleanup_(buf_done) struct buf b = BUF_INIT(10000);
		struct message m = case_message(ev);
		struct outgoing o;
		size_t n;

		for (int i = 0; i < words; i++)
			buf_adds(&b, "\U0001f525\u20ac é");
		event_text(ev, "%s", buf_str(&b));
		case_build(&c, NULL, &m, false, &o);
		if (str_ends(o.url, "/sendPhoto")) {
			const char *caption = case_field(&o, "caption", &n);
			_cleanup_(free_p) char *copy = str_ndup(caption, n);

			ck_assert_uint_le(text_utf16_len(copy), 1024);
			photos++;
		}
		outgoing_done(&o);
	}
	ck_assert_uint_gt(photos, 100);
	ck_assert_uint_lt(photos, 250);
}
END_TEST

START_TEST(what_is_no_alarm_comes_without_a_sound)
{
	_cleanup_(event_free_p) struct event *end = case_end(), *disk = case_disk();
	struct channel c = telegram();
	struct message m = case_message(end);
	struct outgoing o;

	m.picture = NULL;
	case_build(&c, NULL, &m, false, &o);
	ck_assert_ptr_nonnull(strstr(buf_str(&o.body), "\"disable_notification\":true"));
	outgoing_done(&o);
	m.events[m.n++] = disk;
	case_build(&c, NULL, &m, false, &o);
	ck_assert_ptr_nonnull(strstr(buf_str(&o.body), "\"disable_notification\":false"));
	outgoing_done(&o);
}
END_TEST

START_TEST(a_topic_and_a_server_of_ones_own)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = telegram();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	m.picture = NULL;
	c.thread = "12";
	c.url = "http://127.0.0.1:8081/";
	case_build(&c, NULL, &m, false, &o);
	ck_assert(str_starts(o.url, "http://127.0.0.1:8081/bot123456789:"));
	j = case_json(&o);
	ck_assert_int_eq(json_integer_value(json_object_get(j, "message_thread_id")), 12);
	json_decref(j);
	outgoing_done(&o);
}
END_TEST

START_TEST(a_group_that_moved_is_followed)
{
	static const char body[] =
		"{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was "
		"upgraded to "
		"a supergroup chat\",\"parameters\":{\"migrate_to_chat_id\":-1009876543210123}}";
	_cleanup_(event_free_p) struct event *ev = case_disk();
	struct channel c = telegram();
	struct message m = case_message(ev);
	struct verdict_of v = case_judge(&c, 400, body);
	struct outgoing o;
	size_t n;
	const char *field;

	ck_assert_int_eq(v.verdict, VERDICT_RETRY);
	ck_assert_str_eq(v.memory.to, "-1009876543210123");
	case_build(&c, &v.memory, &m, false, &o);
	field = case_field(&o, "chat_id", &n);
	ck_assert(n == 17 && strncmp(field, "-1009876543210123", n) == 0);
	outgoing_done(&o);
}
END_TEST

START_TEST(answers_are_told_apart)
{
	static const struct {
		long status;
		const char *words;
		enum verdict verdict;
	} cases[] = {
		{400, "Bad Request: chat not found", VERDICT_BROKEN},
		{400, "Bad Request: message thread not found", VERDICT_BROKEN},
		{400, "Bad Request: TOPIC_CLOSED", VERDICT_BROKEN},
		{400, "Bad Request: not enough rights to send text messages to the chat",
			VERDICT_BROKEN},
		{400, "Bad Request: not enough rights to send photos to the chat", VERDICT_PLAIN},
		{400, "Bad Request: can't parse entities: ...", VERDICT_PLAIN},
		{400, "Bad Request: PHOTO_INVALID_DIMENSIONS", VERDICT_PLAIN},
		{400, "Bad Request: message is too long", VERDICT_PLAIN},
		{401, "Unauthorized", VERDICT_BROKEN},
		{403, "Forbidden: bot was kicked from the group chat", VERDICT_BROKEN},
		{404, "Not Found", VERDICT_BROKEN},
		{413, "Request Entity Too Large", VERDICT_PLAIN},
		{500, "Internal Server Error", VERDICT_RETRY},
	};
	struct channel c = telegram();
	struct verdict_of v;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(free_p) char *body =
			str_format("{\"ok\":false,\"error_code\":%ld,\"description\":\"%s\"}",
				cases[i].status, cases[i].words);

		v = case_judge(&c, cases[i].status, body);
		ck_assert_msg(v.verdict == cases[i].verdict, "%s", cases[i].words);
		ck_assert_ptr_nonnull(strstr(v.why, cases[i].words));
		ck_assert_str_eq(v.memory.to, "");
	}
	ck_assert_int_eq(case_judge(&c, 200, "{\"ok\":true,\"result\":{}}").verdict, VERDICT_SENT);
	ck_assert_int_eq(case_judge(&c, 200, "{\"ok\":false}").verdict, VERDICT_BROKEN);
	ck_assert_int_eq(case_judge(&c, 200, "<html>login").verdict, VERDICT_BROKEN);
	v = case_judge(&c, 429,
		"{\"ok\":false,\"description\":\"Too Many Requests: retry after 33\","
		"\"parameters\":{\"retry_after\":33}}");
	ck_assert_int_eq(v.verdict, VERDICT_RETRY);
	ck_assert_int_eq(v.retry_after_ms, 33000);
	case_assert_retries(&c);
}
END_TEST

START_TEST(the_token_is_never_shown)
{
	struct channel c = telegram();
	struct err e = {""};
	struct verdict_of v = case_judge(&c, 404,
		"no /bot123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc/sendMessage, "
		"bot123456789%3AAAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc");

	ck_assert_str_eq(v.why, "HTTP 404: no /bot***/sendMessage, bot***");
	c.secret = "AAEh/../evil";
	ck_assert_int_eq(channel_check(&c, &e), -EINVAL);
	ck_assert_ptr_null(strstr(e.msg, "AAEh"));
	c.secret = token;
	c.thread = "12a";
	ck_assert_int_eq(channel_check(&c, &e), -EINVAL);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_alert_is_text_with_entities,
		a_picture_has_the_text_as_its_caption,
		more_than_a_caption_goes_without_the_picture,
		whatever_comes_is_within_the_limits,
		a_caption_is_never_too_long,
		what_is_no_alarm_comes_without_a_sound,
		a_topic_and_a_server_of_ones_own,
		a_group_that_moved_is_followed,
		answers_are_told_apart,
		the_token_is_never_shown,
	};

	return case_run("telegram", tests, ARRAY_LEN(tests));
}
