/* SPDX-License-Identifier: Apache-2.0
 *
 * Any program that takes a POST: the event as JSON, or a body by a template. What the receiver can
 * rely on (headers, signature) stands in notify/README.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "notify/channel_types.h"
#include "notify/template.h"

static int check(const struct channel *c, struct err *e)
{
	enum template_form form;
	int r = channel_check_url(c, e);

	if (r == 0)
		r = template_form_of(c->content_type, &form, e);
	if (r == 0 && c->content_type && !c->template)
		return err_set(e, EINVAL, "content_type is for a template; the event is JSON");
	if (r == 0 && c->template)
		r = template_check(c->template, form, e);
	return r;
}

static int add_body(
	const struct channel *c, const struct message *m, struct buf *out, struct err *e)
{
	enum template_form form;
	int r;

	if (!c->template) {
		event_to_json(m->events[0], out);
		return 0;
	}
	r = template_form_of(c->content_type, &form, e);
	return r < 0 ? r : template_fill(c->template, form, m, out, e);
}

/* HMAC-SHA256 over "TIMESTAMP.BODY": an old request sent again has an old timestamp. */
static void add_signature(const char *secret, const char *timestamp, struct outgoing *out)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(OUTGOING_BODY_MAX + 32);
	char hex[HASH_SHA256_HEX_SIZE];

	buf_addf(&text, "%s.", timestamp);
	buf_add(&text, out->body.data, out->body.len);
	hash_hmac_sha256_hex(hex, secret, strlen(secret), text.data, text.len);
	outgoing_header(out, "X-Agent-Signature: sha256=%s", hex);
}

static int build(const struct channel *c, const struct channel_memory *memory,
	const struct message *m, bool plain, struct outgoing *out, struct err *e)
{
	const struct event *ev = m->events[0];
	_cleanup_(free_p) char *timestamp = str_format("%" PRId64, m->now_ms / 1000);
	int r = add_body(c, m, &out->body, e);

	(void)memory;
	(void)plain;
	if (r < 0)
		return r;
	out->url = str_dup(c->url);
	outgoing_header(
		out, "Content-Type: %s", c->content_type ? c->content_type : "application/json");
	outgoing_header(out, "X-Agent-Event: %s", ev->kind);
	/* The same when it is sent again, and another one after the database began anew. */
	outgoing_header(out, "X-Agent-Delivery: %" PRId64 "-%" PRId64, m->delivery_id, ev->time_ms);
	outgoing_header(out, "X-Agent-Timestamp: %s", timestamp);
	if (c->secret)
		add_signature(c->secret, timestamp, out);
	return 0;
}

const struct channel_type channel_webhook = {
	.name = "webhook",
	.doc = "Posts each event as JSON, or by a template, to a program of yours.",
	.flags = CHANNEL_EACH,
	.per_minute = 120,
	.needs = "url",
	.check = check,
	.build = build,
	.judge = channel_judge,
};
