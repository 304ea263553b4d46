/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/channel_types.h"

static const char *const argv[] = {"/usr/local/bin/tell", "me", NULL};
static struct channel c;
static struct event *ev;
static struct message m;
static struct outgoing out;
static struct err err;

static void setup(void)
{
	c = (struct channel){.name = "own", .type = &channel_command, .command = argv};
	ev = event_new("alert.firing", SEVERITY_CRITICAL, "disk filesystem//");
	event_title(ev, "Disk / is 97.2 %% full");
	event_text(ev, "First line.\nSecond line.");
	event_set(&ev->link, "/#/host/filesystem");
	m = (struct message){.events = {ev},
		.n = 1,
		.host = "web-1",
		.url = "https://web-1.example.com:4500",
		.picture_url = "",
		.now_ms = 1795250030000};
	outgoing_init(&out);
}

static void teardown(void)
{
	event_free(ev);
	outgoing_done(&out);
}

static void build(void)
{
	outgoing_done(&out);
	ck_assert_msg(channel_command.build(&c, NULL, &m, false, &out, &err) == 0, "%s", err.msg);
}

static const char *variable(const char *name)
{
	for (size_t i = 0; i < out.n_headers; i++)
		if (str_starts(out.headers[i], name) && out.headers[i][strlen(name)] == '=')
			return out.headers[i] + strlen(name) + 1;
	return NULL;
}

START_TEST(stdin_is_the_event_as_it_is_stored)
{
	_cleanup_(buf_done) struct buf json = BUF_INIT(EVENT_JSON_MAX);

	build();
	event_to_json(ev, &json);
	buf_addc(&json, '\n');
	ck_assert_int_eq(out.transport, TRANSPORT_COMMAND);
	ck_assert_str_eq(buf_str(&out.body), buf_str(&json));
}
END_TEST

START_TEST(the_environment_is_what_a_script_needs)
{
	build();
	ck_assert_str_eq(variable("AGENT_TITLE"), "CRITICAL web-1: Disk / is 97.2 % full");
	ck_assert_str_eq(variable("AGENT_TEXT"),
		"First line.\nSecond line.\nhttps://web-1.example.com:4500/#/host/filesystem");
	ck_assert_str_eq(variable("AGENT_TYPE"), "failure");
	ck_assert_str_eq(variable("AGENT_SEVERITY"), "critical");
	ck_assert_str_eq(variable("AGENT_KIND"), "alert.firing");
	ck_assert_str_eq(variable("AGENT_KEY"), "disk filesystem//");
	ck_assert_str_eq(variable("AGENT_HOST"), "web-1");
	ck_assert_str_eq(
		variable("AGENT_LINK"), "https://web-1.example.com:4500/#/host/filesystem");
	ev->is_end = true;
	build();
	ck_assert_str_eq(variable("AGENT_TYPE"), "success");
}
END_TEST

START_TEST(the_text_is_never_empty)
{
	event_text(ev, "%s", "");
	m.url = "";
	build();
	ck_assert_str_eq(variable("AGENT_TEXT"), variable("AGENT_TITLE"));
}
END_TEST

static const struct {
	struct answer answer;
	enum verdict verdict;
	const char *why;
} verdicts[] = {
	{{.status = 0, .body = "one\ntwo\n", .message = ""}, VERDICT_SENT, "two"},
	{{.status = 0, .body = "", .message = ""}, VERDICT_SENT, ""},
	{{.status = 75, .body = "no network\n\n", .message = ""}, VERDICT_RETRY,
		"/usr/local/bin/tell: exit status 75: no network"},
	{{.status = 1, .body = "", .message = ""}, VERDICT_REFUSED,
		"/usr/local/bin/tell: exit status 1"},
	{{.status = 127, .body = "sh: 1: apprise: not found", .message = ""}, VERDICT_BROKEN,
		"/usr/local/bin/tell: exit status 127: sh: 1: apprise: not found"},
	{{.error = -ETIMEDOUT, .body = "trying", .message = "it did not end within 60 s"},
		VERDICT_RETRY, "/usr/local/bin/tell: it did not end within 60 s: trying"},
	{{.error = -EIO, .body = "", .message = NULL}, VERDICT_RETRY, "/usr/local/bin/tell: ended"},
};

START_TEST(the_exit_status_decides)
{
	struct verdict_of v;

	memset(&v, 0x55, sizeof(v));
	channel_command.judge(&c, &verdicts[_i].answer, &v);
	ck_assert_int_eq(v.verdict, verdicts[_i].verdict);
	ck_assert_str_eq(v.why, verdicts[_i].why);
	ck_assert_int_eq(v.retry_after_ms, -1);
	ck_assert_str_eq(v.memory.to, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("channel_command");
	TCase *tc = tcase_create("channel_command");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, stdin_is_the_event_as_it_is_stored);
	tcase_add_test(tc, the_environment_is_what_a_script_needs);
	tcase_add_test(tc, the_text_is_never_empty);
	tcase_add_loop_test(tc, the_exit_status_decides, 0, (int)ARRAY_LEN(verdicts));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
