/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends what waits in the spool: for each channel one message at a time, oldest first, so that the
 * order within a story is kept. Never blocks: HTTP and SMTP by curl on the loop, commands as
 * children.
 *
 * A message is made when it is sent: the first waiting event opens a group, and after `group` what
 * has come is merged: per story only the newest state (its earlier ones are COLLAPSED; a firing and
 * its recovery that both waited become one line), at most MESSAGE_EVENTS_MAX in full, the rest
 * COUNTED. Failures double a wait from 5 s to 15 min (CHANNEL_BACKOFF_*), unless the provider says
 * when; after 24 h what is left is given up, and said so. A rate limit per channel makes larger
 * groups, not losses.
 */
#ifndef NOTIFY_SENDER_H
#define NOTIFY_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http_client.h"
#include "base/loop.h"
#include "base/problem.h"
#include "notify/channel.h"
#include "notify/spool.h"

enum {
	CHANNEL_BACKOFF_MIN_MS = 5 * 1000,
	CHANNEL_BACKOFF_MAX_MS = 15 * 60 * 1000,
	CHANNEL_TIMEOUT_MS = 30 * 1000, /* one request, connecting included */
	CHANNEL_COMMAND_MS = 60 * 1000,
	CHANNEL_PICTURE_MS = 20 * 1000, /* then it goes without */
	/* Bytes of an answer that are looked at: several providers send the whole message back, with
	 * six bytes for a letter (JSON), and it must be read to its end to be known for theirs. */
	CHANNEL_ANSWER_MAX = 64 * 1024,
	CHANNEL_SHOWN_MAX = 16 * 1024, /* of those, to the person who tests a channel */
};

struct sender;

/* Draws the chart of an event: calls done(user, png, len) once, later, from the loop, NULL when there is
 * none. Returns a handle for `cancel`, which ends with `done`; NULL: there will be no picture, and
 * `done` is not called. */
typedef void (*picture_done_fn)(void *user, const char *png, size_t len);
struct picture_source {
	void *(*start)(
		void *self, const struct event_chart *chart, picture_done_fn done, void *user);
	void (*cancel)(void *handle); /* `done` is not called */
	/* Where it can be fetched without a login, for channels that take a link; "" nowhere. */
	void (*url)(void *self, const struct event_chart *chart, char *to, size_t size);
	void *self;
};

struct sender_options {
	struct loop *loop;
	struct http_client *http;
	struct spool *spool;
	struct problems *problems;
	const char *host; /* borrowed */
	const char *url; /* of the dashboard; borrowed */
	const struct picture_source *pictures; /* may be NULL */
	/* Something changed that a page shows. May be NULL. */
	void (*on_change)(void *user);
	void *user;
	/* The wall clock in ms; NULL: clock_wall_ms. For tests. */
	int64_t (*now_ms)(void);
};

int sender_new(const struct sender_options *o, struct sender **out, struct err *e);
/* Ends what is under way without waiting: it is sent again after the next start. */
void sender_free(struct sender *s);

/* The channels from now on; copies the structs, borrows their texts until the next call. What is
 * under way is ended and sent again. Other host or url: also here. */
void sender_set_channels(
	struct sender *s, const struct channel *list, size_t n, const char *host, const char *url);
/* New deliveries were committed. */
void sender_wake(struct sender *s);

/* Gives up what could not be delivered for too long, and says so; lets go of problems that have been
 * shown for long enough. Every few minutes. */
void sender_expire(struct sender *s);

/* What a channel does now, for the API: "idle", "grouping", "sending", "waiting" (backoff), "rate",
 * "quiet", "broken". */
struct sender_status {
	const struct channel *channel;
	const char *doing;
	int64_t next_ms; /* 0: nothing planned */
	struct channel_state state;
	uint64_t waiting;
	int64_t oldest_ms;
};
size_t sender_status(struct sender *s, struct sender_status *out, size_t max);

/* Sends one event at once, past the spool, with the provider's real answer. `done` is called once,
 * later. -ENOENT: no such channel. For `agent notify test`. */
struct sender_test_result {
	bool sent;
	int64_t took_ms;
	struct answer answer;
	struct verdict_of verdict;
};
typedef void (*sender_test_fn)(void *user, const struct sender_test_result *r);
int sender_test(struct sender *s, const char *channel, const struct event *ev, sender_test_fn done,
	void *user, struct err *e);

#endif
