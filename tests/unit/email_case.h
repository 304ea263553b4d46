/* SPDX-License-Identifier: Apache-2.0
 *
 * An email channel and a message in a test.
 */
#ifndef TESTS_UNIT_EMAIL_CASE_H
#define TESTS_UNIT_EMAIL_CASE_H

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "notify/channel_types.h"

static struct channel c;
static struct event *ev;
static struct message m;
static struct outgoing out;
static struct err err;

static inline void setup(void)
{
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
	tzset();
	c = (struct channel){.name = "mail",
		.type = &channel_email,
		.url = "smtp://mail.example.com:587",
		.security = "starttls",
		.user = "agent",
		.secret = "correct horse",
		.from = "agent@example.com",
		.to = {"ops@example.com", "Ann <ann@example.org>"},
		.n_to = 2,
		.pictures = true};
	ev = event_new("alert.firing", SEVERITY_CRITICAL, "disk filesystem//");
	ev->id = 7;
	ev->time_ms = 1795250000000;
	event_title(ev, "Disk / is 97.2 %% full");
	event_text(ev, "First line.\nSecond line.");
	event_fact(ev, "Limit", "above 97 %%");
	event_set(&ev->link, "/#/host/filesystem");
	m = (struct message){.events = {ev},
		.n = 1,
		.host = "web-1",
		.url = "https://web-1.example.com:4500",
		.picture_url = "",
		.delivery_id = 99,
		.now_ms = 1795250030000};
	outgoing_init(&out);
	err.msg[0] = '\0';
}

static inline void teardown(void)
{
	event_free(ev);
	outgoing_done(&out);
}

#endif
