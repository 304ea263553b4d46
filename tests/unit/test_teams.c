/* SPDX-License-Identifier: Apache-2.0 */
#include "chat_case.h"

static struct channel teams(void)
{
	struct channel c = {.name = "ops",
		.type = &channel_teams,
		.url = "https://prod-1.logic.azure.com:443/workflows/0123/triggers/manual/paths/"
		       "invoke"
		       "?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=abcDEF%2Bghi",
		.pictures = true};

	return c;
}

/* All texts of the card, a line each. */
static void add_texts(const json_t *j, struct buf *out)
{
	size_t i;
	json_t *one;
	const char *key;

	if (*case_text(j, "text"))
		buf_addf(out, "%s\n", case_text(j, "text"));
	if (strcmp(case_text(j, "type"), "TextRun") == 0)
		ck_assert_str_ne(case_text(j, "text"), "");
	/* Markdown means something in these. */
	ck_assert_str_ne(case_text(j, "type"), "TextBlock");
	ck_assert_str_ne(case_text(j, "type"), "FactSet");
	json_array_foreach((json_t *)j, i, one) add_texts(one, out);
	json_object_foreach((json_t *)j, key, one) add_texts(one, out);
}

START_TEST(an_alert_is_a_card)
{
	_cleanup_(event_free_p) struct event *ev = case_disk();
	_cleanup_(buf_done) struct buf texts = BUF_INIT(100000);
	struct channel c = teams();
	struct message m = case_message(ev);
	struct outgoing o;
	const json_t *card;
	json_t *j;

	event_text(ev, "Make room\n\nor add a disk.");
	case_build(&c, NULL, &m, false, &o);
	ck_assert_str_eq(o.url, c.url);
	j = case_json(&o);
	ck_assert_str_eq(case_text(j, "type"), "message");
	ck_assert_str_eq(case_text(j, "attachments.0.contentType"),
		"application/vnd.microsoft.card.adaptive");
	card = json_object_get(json_array_get(json_object_get(j, "attachments"), 0), "content");
	ck_assert_str_eq(case_text(card, "type"), "AdaptiveCard");
	ck_assert_str_eq(case_text(card, "body.0.style"), "attention");
	ck_assert_str_eq(
		case_text(card, "actions.0.url"), "https://web-1.example.com:4500/#/filesystem//");
	add_texts(card, &texts);
	ck_assert_str_eq(buf_str(&texts),
		"\U0001f534 CRITICAL web-1: Disk / is 97.2 % full\nLimit: \nabove 90 % for 5m\n"
		"Top: \nshop_web 12 GiB\nMake room\nor add a disk.\n");
	ck_assert_ptr_nonnull(strstr(buf_str(&o.body), "\"type\":\"Image\""));
	json_decref(j);
	outgoing_done(&o);
	m.url = m.picture_url = "";
	case_build(&c, NULL, &m, false, &o);
	ck_assert_ptr_null(strstr(buf_str(&o.body), "actions"));
	ck_assert_ptr_null(strstr(buf_str(&o.body), "\"type\":\"Image\""));
	outgoing_done(&o);
}
END_TEST

START_TEST(whatever_comes_is_within_the_limits)
{
	struct channel c = teams();

	for (size_t i = 0; i < ARRAY_LEN(case_texts); i++) {
		_cleanup_(event_free_p) struct event *ev = case_large(case_texts[i]);
		struct message one = case_message(ev), many = case_list(ev);
		const struct message *all[] = {&one, &many};

		for (size_t k = 0; k < 2 * ARRAY_LEN(all); k++) {
			_cleanup_(buf_done) struct buf texts = BUF_INIT(1 << 20);
			struct outgoing o;
			json_t *j;

			case_build(&c, NULL, all[k / 2], k % 2, &o);
			ck_assert_msg(o.body.len <= 21 * 1000, "%zu: %zu", i, o.body.len);
			j = case_json(&o);
			add_texts(j, &texts);
			json_decref(j);
			outgoing_done(&o);
		}
	}
}
END_TEST

START_TEST(hundreds_of_short_lines_are_cut)
{
	_cleanup_(event_free_p) struct event *ev = event_new(EVENT_MESSAGE, SEVERITY_INFO, "");
	_cleanup_(buf_done) struct buf text = BUF_INIT(10000), texts = BUF_INIT(10000);
	struct channel c = teams();
	struct message m = case_message(ev);
	struct outgoing o;
	json_t *j;

	for (int i = 100; i < 400; i++)
		buf_addf(&text, "%d\n", i);
	event_text(ev, "%s", buf_str(&text));
	case_build(&c, NULL, &m, false, &o);
	j = case_json(&o);
	add_texts(j, &texts);
	ck_assert(str_ends(buf_str(&texts), "\n147\n148\n\u2026\n"));
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
		{202, "", VERDICT_SENT},
		{200, "1", VERDICT_SENT},
		{200,
			"Webhook message delivery failed with error: Microsoft Teams endpoint "
			"returned "
			"HTTP error 429 with ContextId x",
			VERDICT_RETRY},
		{200,
			"Webhook message delivery failed with error: Microsoft Teams endpoint "
			"returned "
			"HTTP error 413 with ContextId x",
			VERDICT_PLAIN},
		{200, "... HTTP error 403 ...", VERDICT_BROKEN},
		{200, "<html>login", VERDICT_BROKEN},
		{400, "Summary or Text is required.", VERDICT_PLAIN},
		{400, "{\"error\":{\"code\":\"WorkflowTriggerIsNotEnabled\",\"message\":\"x\"}}",
			VERDICT_BROKEN},
		{401, "{\"error\":{\"code\":\"DirectApiAuthorizationRequired\"}}", VERDICT_BROKEN},
		{404, "{\"error\":{\"code\":\"WorkflowNotFound\"}}", VERDICT_BROKEN},
		{413, "", VERDICT_PLAIN},
		{502, "", VERDICT_RETRY},
	};
	struct channel c = teams();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(
			case_judge(&c, cases[i].status, cases[i].body).verdict == cases[i].verdict,
			"%s", cases[i].body);
	case_assert_retries(&c);
	ck_assert_str_eq(case_judge(&c, 401, "bad sig abcDEF+ghi").why, "HTTP 401: bad sig ***");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_alert_is_a_card,
		whatever_comes_is_within_the_limits,
		hundreds_of_short_lines_are_cut,
		answers_are_told_apart,
	};

	return case_run("teams", tests, ARRAY_LEN(tests));
}
