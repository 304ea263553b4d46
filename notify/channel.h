/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract of a channel: one file that turns a message into a request and a provider's answer
 * into a verdict. Both are pure, so a test needs no network; sender.c moves the bytes. To add one:
 * CONTRIBUTING.md.
 */
#ifndef NOTIFY_CHANNEL_H
#define NOTIFY_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "notify/message.h"
#include "notify/quiet.h"
#include "notify/rule.h"
#include "notify/severity.h"

enum { CHANNELS_MAX = 50, CHANNEL_NAME_MAX = 64, CHANNEL_QUIET_MAX = 14, CHANNEL_TO_MAX = 50 };

struct channel_type;

/* One configured channel. Texts borrowed from the configuration; NULL: not set. Secrets are read
 * into `secret` (and `url`, when it is one) when it is loaded; never printed, logged or stored. */
struct channel {
	const char *name;
	const struct channel_type *type;
	const char *origin; /* "/etc/agent/agent.conf:12" */
	/* Where and as whom. */
	const char *url; /* from url or url_file; of email: smtp://host:port or smtps:// */
	const char *secret; /* token, password or key */
	const char *user;
	const char *from;
	const char *to[CHANNEL_TO_MAX]; /* mail addresses, chat id, topic */
	size_t n_to;
	const char *thread; /* Telegram's message_thread_id */
	const char *ca_file;
	const char *security; /* email: "starttls" "tls" "none" */
	const char *server_type; /* dokploy: "Dokploy" "Remote" */
	const char *template; /* webhook: text of the template; NULL: the event as JSON */
	const char *content_type; /* webhook: of the template; NULL: application/json */
	const char *const *command; /* argv, NULL-terminated */
	bool pictures;
	/* What it gets. */
	enum severity min_severity;
	struct rule_patterns events, entities; /* kinds; CLASS/KEY; none: all */
	bool recoveries;
	/* When. */
	struct quiet_span quiet[CHANNEL_QUIET_MAX];
	size_t n_quiet;
	enum severity quiet_below; /* what waits in quiet hours: all below this severity */
	int64_t group_ms;
	unsigned per_minute; /* messages; 0: the type's */
};

/* What the provider told us to remember: a chat that moved. Stored by the sender. */
struct channel_memory {
	char to[64]; /* replaces to[0]; "" for none */
};

enum transport { TRANSPORT_HTTP, TRANSPORT_MAIL, TRANSPORT_COMMAND };

enum { OUTGOING_HEADERS_MAX = 16, OUTGOING_BODY_MAX = 512 * 1024 };

/* A request ready to be made. All owned. */
struct outgoing {
	enum transport transport;
	char *method; /* NULL: POST */
	char *url; /* may hold a secret */
	char *headers[OUTGOING_HEADERS_MAX + 1]; /* "Name: value" */
	size_t n_headers;
	struct buf body; /* HTTP body, the whole mail (CRLF), stdin of the command */
	char *from; /* envelope */
	char *to[CHANNEL_TO_MAX + 1];
	bool require_tls; /* mail: STARTTLS or nothing */
};
void outgoing_init(struct outgoing *o);
void outgoing_done(struct outgoing *o);
void outgoing_header(struct outgoing *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What came back. */
struct answer {
	int error; /* as in struct http_response: nothing whole came */
	const char *message;
	long status; /* HTTP status, SMTP reply code, exit status of the command */
	const char *body; /* the provider's words; never NULL */
	int64_t retry_after_ms; /* -1: not said */
};

enum verdict {
	VERDICT_SENT,
	VERDICT_RETRY, /* passing: network, 5xx, 429 */
	VERDICT_BROKEN, /* the channel is set up wrongly (token, address): all would fail; tried
			 * again every CHANNEL_BACKOFF_MAX_MS, shown as a problem */
	VERDICT_REFUSED, /* this message will never be taken; the next one may */
	VERDICT_PLAIN, /* refused for its form: build it again with `plain`; the same answer to that
			* is VERDICT_REFUSED, which judge() cannot know */
};

struct verdict_of {
	enum verdict verdict;
	int64_t retry_after_ms; /* -1: the usual backoff */
	char why[300]; /* the provider's words, shortened, without secrets */
	bool partly; /* SENT, but not to everybody: `why` says to whom not, and people are told */
	struct channel_memory memory; /* to be stored when not empty; VERDICT_RETRY then sends
				       * again at once */
};

enum {
	CHANNEL_PICTURES = 1, /* takes a PNG */
	CHANNEL_EACH = 2, /* for programs: every event by itself, no grouping, no collapse */
	CHANNEL_BATCH = 4, /* for programs, but several events in one request */
};

struct channel_type {
	const char *name; /* "slack" */
	const char *doc; /* one sentence */
	unsigned flags;
	unsigned per_minute; /* what the provider allows */
	const char *needs; /* options that must be set, with spaces: "url", "secret to" */
	/* More checks of the settings, when it is loaded; may be NULL. */
	int (*check)(const struct channel *c, struct err *e);
	/* Whether such a channel can do anything with that event; NULL: with all. What it cannot use
	 * gets no delivery: part of channel_wants(). */
	bool (*takes)(const struct event *ev);
	/* `plain`: without formatting and picture, the second try. An error means that this message
	 * can never be sent. */
	int (*build)(const struct channel *c, const struct channel_memory *memory,
		const struct message *m, bool plain, struct outgoing *out, struct err *e);
	void (*judge)(const struct channel *c, const struct answer *a, struct verdict_of *out);
};

/* Alphabetical, ended by NULL (channel_types.c). */
extern const struct channel_type *const channel_types[];
const struct channel_type *channel_type_find(const char *name);

/* Names what is missing or wrong: "channel "ops": url is missing". */
int channel_check(const struct channel *c, struct err *e);
/* Whether the channel wants that event at all (its type, severity, kind, entity, recoveries).
 * Notes of who did what ("audit.*") are wanted only where `events` names them. Patterns that only exclude ("!message") let the rest through; an event that is about no entity is
 * not asked for one. */
bool channel_wants(const struct channel *c, const struct event *ev);
/* When quiet hours let that severity through: 0 now, else the Unix time. */
int64_t channel_quiet_until(const struct channel *c, enum severity s, int64_t now_ms);

/* For `check` functions: -EINVAL unless url is not set or is http:// or https:// with a host. */
int channel_check_url(const struct channel *c, struct err *e);

/* For judge functions: error (-EPROTO, a certificate, is BROKEN), 2xx, 429 with Retry-After, 408 and
 * 5xx, 401/403/404/410, other 4xx, as most providers mean them. Fills all of *out; `why` gets the status only, because the provider's
 * words may repeat a secret: channel_judge() adds them, or channel_why(). */
void channel_judge_http(const struct answer *a, struct verdict_of *out);
/* The same with the provider's words in `why`. */
void channel_judge(const struct channel *c, const struct answer *a, struct verdict_of *out);
/* The provider's words into why: one line, cut, with every secret of the channel replaced. */
void channel_why(const struct channel *c, struct verdict_of *out, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for any text that is shown or logged: the secret, the path and query of `url` (a webhook's
 * address is its secret) and a password in it, also in percent, JSON and HTML forms, become "***". */
void channel_redact(const struct channel *c, char *text, size_t size);

#endif
