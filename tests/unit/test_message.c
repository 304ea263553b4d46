/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "notify/message.h"

/* 2026-11-21 03:17:00 in Berlin. */
enum { NOW_S = 1795227420, MINUTE_MS = 60 * 1000 };
static const int64_t now_ms = (int64_t)NOW_S * 1000;

static struct event *disk(enum severity severity)
{
	struct event *ev = event_new(EVENT_ALERT_FIRING, severity, "disk filesystem//");

	ev->time_ms = now_ms;
	ev->since_ms = now_ms - 5 * MINUTE_MS;
	event_title(ev, "Disk / is 97.2 %% full");
	event_fact(ev, "Limit", "above 90 %% for 5m");
	event_fact(ev, "Top", "shop-web 12 GiB");
	event_set(&ev->link, "/#/filesystem//");
	return ev;
}

static struct event *memory_end(void)
{
	struct event *ev = event_new(EVENT_ALERT_RECOVERED, SEVERITY_CRITICAL, "memory host/");

	ev->time_ms = now_ms;
	ev->is_end = true;
	ev->duration_ms = 725000;
	event_title(ev, "Memory is back at 60 %%");
	return ev;
}

static struct message message_of(const struct event *a, const struct event *b)
{
	struct message m = {.events = {a, b},
		.n = b ? 2 : 1,
		.host = "web-1",
		.url = "",
		.picture_url = "",
		.now_ms = now_ms};

	return m;
}

typedef void (*print_fn)(const struct message *m, struct buf *out);

static void assert_prints(print_fn print, const struct message *m, const char *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(10000);

	print(m, &b);
	ck_assert_str_eq(buf_str(&b), text);
}

START_TEST(a_title_says_how_bad_where_and_what)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_CRITICAL), *b = disk(SEVERITY_INFO),
					     *end = memory_end(),
					     *none = event_new(
						     "backup.failed", SEVERITY_WARNING, "");
	struct message m = message_of(a, NULL);

	assert_prints(message_title, &m, "CRITICAL web-1: Disk / is 97.2 % full");
	m = message_of(b, NULL);
	assert_prints(message_title, &m, "INFO web-1: Disk / is 97.2 % full");
	m = message_of(end, NULL);
	assert_prints(message_title, &m, "OK web-1: Memory is back at 60 %");
	m = message_of(none, NULL);
	assert_prints(message_title, &m, "WARNING web-1: backup.failed");
}
END_TEST

START_TEST(a_title_of_several_counts_them)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_CRITICAL), *end = memory_end(),
					     *own = event_new(EVENT_MESSAGE, SEVERITY_INFO, "");
	struct message m = message_of(a, end);

	assert_prints(message_title, &m, "web-1: 1 alert, 1 recovery");
	m.events[2] = a;
	m.events[3] = end;
	m.events[4] = own;
	m.n = 5;
	m.n_more = 12;
	assert_prints(message_title, &m, "web-1: 2 alerts, 2 recoveries, 1 message, 12 more");
	m = message_of(a, NULL);
	m.n_more = 3;
	assert_prints(message_title, &m, "web-1: 1 alert, 3 more");
}
END_TEST

START_TEST(the_worst_that_is_not_over_decides)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_WARNING), *end = memory_end();
	struct message m = message_of(end, NULL);

	ck_assert_int_eq(message_severity(&m), SEVERITY_INFO);
	ck_assert(message_is_end(&m));
	m = message_of(end, a);
	ck_assert_int_eq(message_severity(&m), SEVERITY_WARNING);
	ck_assert(!message_is_end(&m));
}
END_TEST

START_TEST(one_event_is_told_in_full)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_CRITICAL);
	struct message m = message_of(a, NULL);

	assert_prints(message_plain, &m, "Limit: above 90 % for 5m\nTop: shop-web 12 GiB");
	m.url = "https://web-1.example.com:4500";
	event_text(a, "Make room, or\nadd a disk.");
	m.n_collapsed = 1;
	assert_prints(message_plain, &m,
		"Make room, or\nadd a disk.\nLimit: above 90 % for 5m\nTop: shop-web 12 GiB\n"
		"https://web-1.example.com:4500/#/filesystem//\n1 earlier change is left out.");
}
END_TEST

START_TEST(several_events_are_a_list)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_CRITICAL), *end = memory_end();
	struct message m = message_of(a, end);

	assert_prints(message_plain, &m,
		"CRITICAL Disk / is 97.2 % full (since 03:12)\n"
		"OK Memory is back at 60 % (03:17)");
	m.url = "https://web-1.example.com:4500";
	m.n_more = 12;
	m.n_collapsed = 4;
	m.held_since_ms = now_ms - 7 * MINUTE_MS;
	assert_prints(message_plain, &m,
		"CRITICAL Disk / is 97.2 % full (since 03:12)\n"
		"OK Memory is back at 60 % (03:17)\n"
		"https://web-1.example.com:4500\n"
		"Waited since 03:10: this channel could not be reached.\n"
		"4 earlier changes are left out.\nAnd 12 more.");
	m.held_why = "quiet hours";
	m.n_more = m.n_collapsed = 0;
	assert_prints(message_notes, &m, "Waited since 03:10: quiet hours.");
}
END_TEST

START_TEST(a_line_without_a_beginning_has_its_time)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_WARNING);
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);

	a->since_ms = 0;
	message_line(a, &b);
	ck_assert_str_eq(buf_str(&b), "WARNING Disk / is 97.2 % full (03:17)");
}
END_TEST

START_TEST(times_are_local_and_have_a_date_when_not_today)
{
	char text[64];

	message_time(text, sizeof(text), now_ms - 5 * MINUTE_MS, now_ms);
	ck_assert_str_eq(text, "03:12");
	message_time(text, sizeof(text), now_ms - 240 * MINUTE_MS, now_ms);
	ck_assert_str_eq(text, "2026-11-20 23:17");
	message_time(text, sizeof(text), now_ms - (int64_t)365 * 1440 * MINUTE_MS, now_ms);
	ck_assert_str_eq(text, "2025-11-21 03:17");
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	tzset();
	message_time(text, sizeof(text), now_ms, now_ms);
	ck_assert_str_eq(text, "02:17");
}
END_TEST

START_TEST(a_link_needs_the_dashboards_address)
{
	_cleanup_(event_free_p) struct event *a = disk(SEVERITY_WARNING), *end = memory_end();
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
	struct message m = message_of(a, NULL);

	message_link(&m, a, &b);
	ck_assert_str_eq(buf_str(&b), "");
	m.url = "https://web-1.example.com";
	message_link(&m, end, &b);
	ck_assert_str_eq(buf_str(&b), "");
	message_link(&m, a, &b);
	ck_assert_str_eq(buf_str(&b), "https://web-1.example.com/#/filesystem//");
}
END_TEST

static void berlin(void)
{
	ck_assert_int_eq(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
}

static Suite *message_suite(void)
{
	Suite *s = suite_create("message");
	TCase *tc = tcase_create("message");

	tcase_add_checked_fixture(tc, berlin, NULL);
	tcase_add_test(tc, a_title_says_how_bad_where_and_what);
	tcase_add_test(tc, a_title_of_several_counts_them);
	tcase_add_test(tc, the_worst_that_is_not_over_decides);
	tcase_add_test(tc, one_event_is_told_in_full);
	tcase_add_test(tc, several_events_are_a_list);
	tcase_add_test(tc, a_line_without_a_beginning_has_its_time);
	tcase_add_test(tc, times_are_local_and_have_a_date_when_not_today);
	tcase_add_test(tc, a_link_needs_the_dashboards_address);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(message_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
