/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes out at once over one channel: one event in full, or several as a list, with a count of
 * those that did not fit. Plain texts for the channels to dress. Pure.
 */
#ifndef NOTIFY_MESSAGE_H
#define NOTIFY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "notify/event.h"

enum { MESSAGE_EVENTS_MAX = 20 };

struct message {
	const struct event *events[MESSAGE_EVENTS_MAX]; /* oldest first; at least one */
	size_t n;
	uint64_t n_more; /* events that are only counted */
	uint64_t n_collapsed; /* earlier states of these same stories that were left out */
	int64_t held_since_ms; /* oldest event, when the message waited for over 5 minutes; else 0 */
	const char *held_why; /* NULL: "this channel could not be reached" */
	const char *host;
	const char
		*url; /* address of the dashboard without a slash at the end; "" when not known */
	const char *picture; /* PNG; NULL: none */
	size_t picture_len;
	const char *picture_url; /* where it can be fetched without a login; "" when nowhere */
	int64_t delivery_id; /* of the first; stable over retries */
	int64_t now_ms;
};

/* Worst of the events; a message of ends only is SEVERITY_INFO. */
enum severity message_severity(const struct message *m);
bool message_is_end(const struct message *m); /* all are ends */

/* One line: "CRITICAL web-1: Disk / is 97.2 % full", "OK web-1: ...", "web-1: 3 alerts, 1 recovery,
 * 12 more". */
void message_title(const struct message *m, struct buf *out);
/* The first word of the above: "CRITICAL", "WARNING", "INFO", of an end "OK". */
const char *message_word(const struct event *ev);
/* The event's text; "" when there is nothing but blanks in it. */
const char *message_text(const struct event *ev);
/* One event as a line of a list: "CRITICAL Disk / is 97.2 % full (since 03:12)", an
 * end "OK ... (03:12)". */
void message_line(const struct event *ev, struct buf *out);
/* "Waited since 03:12: this channel could not be reached.", "4 earlier changes are left out." and
 * "And 12 more." as they apply, one line each without an end at the last; nothing otherwise. */
void message_notes(const struct message *m, struct buf *out);
/* All of it without the title: text, facts ("Name: value"), link for one event; lines for several;
 * then the notes. */
void message_plain(const struct message *m, struct buf *out);
/* The whole address behind the event's link; "" when there is none. */
void message_link(const struct message *m, const struct event *ev, struct buf *out);
/* "03:12", with the date when it is not today; local time. */
void message_time(char *to, size_t size, int64_t time_ms, int64_t now_ms);

#endif
