/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "notify/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "123456:s3cretS3cret";

/* Settings that are right for any type. */
static struct channel settings_of(const struct channel_type *t)
{
	static const char *const argv[] = {"/usr/bin/tell", "xyz://s3cretS3cretS3cret", NULL};
	bool is_mail = strcmp(t->name, "email") == 0;
	struct channel c = {.name = "x",
		.type = t,
		.url = is_mail ? "smtp://mail.example.com:587"
			       : "https://example.com/hook/s3cretS3cretS3cret",
		.user = is_mail ? "agent" : NULL,
		.secret = secret,
		.from = "agent@example.com",
		.to = {is_mail ? "you@example.com" : "topic"},
		.n_to = 1,
		.server_type = "Dokploy",
		.command = argv,
		.pictures = true};

	assert(channel_check(&c, NULL) == 0);
	return c;
}

/* What a provider says, whatever it is, gives a verdict and no secret. */
static void judge(const struct channel *c, const char *body, unsigned char status)
{
	struct answer a = {.status = 200 + status * 2, .body = body, .retry_after_ms = -1};
	struct verdict_of v;

	memset(&v, 'x', sizeof(v));
	c->type->judge(c, &a, &v);
	assert(v.verdict <= VERDICT_PLAIN && v.retry_after_ms >= -1);
	assert(memchr(v.why, '\0', sizeof(v.why)) &&
		memchr(v.memory.to, '\0', sizeof(v.memory.to)));
	assert(!strstr(v.why, secret));
	for (const char *p = v.why; *p; p += str_utf8_char(p))
		assert(str_utf8_char(p) > 0);
}

/* Any event can be sent, in full and plain. */
static void build(const struct channel *c, const struct message *m, bool plain)
{
	struct outgoing o;

	outgoing_init(&o);
	if (c->type->build(c, NULL, m, plain, &o, NULL) == 0) {
		assert(!o.body.overflow);
		/* Of a command they are its environment, where lines are lines. */
		for (size_t i = 0; o.transport == TRANSPORT_HTTP && i < o.n_headers; i++)
			assert(!strpbrk(o.headers[i], "\r\n"));
	}
	outgoing_done(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(free_p) char *text = NULL;
	_cleanup_(event_free_p) struct event *ev = NULL;
	struct message m = {.n = 1,
		.host = "web-1",
		.url = "https://web-1.example.com",
		.picture = "png",
		.picture_len = 3,
		.picture_url = "https://x.example/p.png"};

	if (size < 1 || size > 4096)
		return 0;
	text = str_ndup((const char *)data + 1, size - 1);
	ev = event_new(EVENT_ALERT_FIRING, SEVERITY_WARNING, text);
	event_title(ev, "%s", text);
	event_text(ev, "%s", text);
	event_fact(ev, text, "%s", text);
	event_set(&ev->link, "/#/alerts");
	m.events[0] = ev;
	for (size_t i = 0; channel_types[i]; i++) {
		struct channel c = settings_of(channel_types[i]);

		judge(&c, text, data[0]);
		build(&c, &m, false);
		build(&c, &m, true);
		m.events[m.n++] = ev;
		build(&c, &m, false);
		m.n = 1;
	}
	return 0;
}
