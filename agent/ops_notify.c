/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations events.* and notify.*: what happened, where it was told, messages of one's own.
 */
#include "agent/ops.h"

#include <errno.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/reply.h"
#include "base/clock.h"

enum { LIMIT = 50, LIMIT_MAX = 500, TEXT_MAX = 32 * 1024 * 1024 };

static struct spool *spool_of(const struct control_call *c)
{
	return notify_spool(alerting_notify(c->daemon->alerting));
}

static struct sender *sender_of(const struct control_call *c)
{
	return notify_sender(alerting_notify(c->daemon->alerting));
}

/* NULL for what is absent: all. */
static const char *filter(const struct control_call *c, const char *name)
{
	const char *s = request_text(c, name);

	return *s ? s : NULL;
}

static int query_of(const struct control_call *c, struct spool_query *q, struct err *e)
{
	int64_t limit;
	int r = request_int(c, "limit", 1, LIMIT_MAX, LIMIT, &limit, e);

	if (r == 0)
		r = request_int(c, "before", 1, INT64_MAX, 0, &q->before_id, e);
	if (r < 0)
		return r;
	q->limit = (size_t)limit;
	q->channel = filter(c, "channel");
	q->state = filter(c, "state");
	q->kinds = filter(c, "kinds");
	q->entity = filter(c, "entity");
	return 0;
}

typedef int (*list_fn)(
	struct spool *s, const struct spool_query *q, struct buf *out, struct err *e);

static int list(const struct control_call *c, const char *name, list_fn fn, struct err *e)
{
	_cleanup_(buf_done) struct buf members = BUF_INIT(TEXT_MAX);
	struct spool_query q = {0};
	int r = query_of(c, &q, e);

	if (r == 0)
		r = fn(spool_of(c), &q, &members, e);
	if (r < 0)
		return r;
	reply_open_list(c->reply, name);
	buf_add(c->reply, buf_str(&members), members.len);
	buf_addc(c->reply, ']');
	return 0;
}

int op_events_list(const struct control_call *c, struct err *e)
{
	return list(c, "events", spool_list_events, e);
}

int op_notify_log(const struct control_call *c, struct err *e)
{
	return list(c, "deliveries", spool_list_deliveries, e);
}

static void add_channel(struct buf *b, const struct sender_status *s)
{
	reply_open_object(b);
	reply_text(b, "name", s->channel->name);
	reply_text(b, "type", s->channel->type->name);
	reply_text(b, "doing", s->doing);
	reply_int(b, "next_ms", s->next_ms);
	reply_int(b, "waiting", (int64_t)s->waiting);
	reply_int(b, "oldest_ms", s->oldest_ms);
	reply_int(b, "last_sent_ms", s->state.last_sent_ms);
	reply_int(b, "last_failed_ms", s->state.last_failed_ms);
	reply_text(b, "last_error", s->state.last_error);
	reply_int(b, "failures", s->state.failures);
	reply_text(b, "min_severity", severity_name(s->channel->min_severity));
	reply_text(b, "origin", s->channel->origin ? s->channel->origin : "");
	buf_addc(b, '}');
}

int op_notify_channels(const struct control_call *c, struct err *e)
{
	struct sender_status all[CHANNELS_MAX];
	size_t n = sender_status(sender_of(c), all, CHANNELS_MAX);

	(void)e;
	reply_open_list(c->reply, "channels");
	for (size_t i = 0; i < n; i++)
		add_channel(c->reply, &all[i]);
	buf_addc(c->reply, ']');
	return 0;
}

int op_notify_send(const struct control_call *c, struct err *e)
{
	const char *title = request_text(c, "title"), *level = request_text(c, "severity");
	const char *key = request_text(c, "key");
	enum severity severity = SEVERITY_INFO;
	struct event *ev;
	char by[128];
	int r;

	if (!*title)
		return err_set(e, EINVAL, "title is missing");
	if (*level && !severity_from(level, &severity))
		return err_set(e, EINVAL, "severity must be info, warning or critical");
	if (strlen(key) >= EVENT_KEY_MAX)
		return err_set(e, EINVAL, "key is longer than %d bytes", EVENT_KEY_MAX - 1);
	ev = event_new(EVENT_MESSAGE, severity, key);
	event_title(ev, "%s", title);
	event_text(ev, "%s", request_text(c, "text"));
	request_by(c, by, sizeof(by));
	event_fact(ev, "Sent by", "%s", by);
	ev->is_end = json_is_true(json_object_get(c->request, "end"));
	r = notify_event(alerting_notify(c->daemon->alerting), ev, e);
	if (r < 0)
		return r;
	reply_int(c->reply, "event", alerting_last_event(c->daemon->alerting));
	reply_int(c->reply, "channels", (int64_t)notify_told(alerting_notify(c->daemon->alerting)));
	return 0;
}

static const char *verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_SENT:
		return "sent";
	case VERDICT_RETRY:
		return "retry";
	case VERDICT_BROKEN:
		return "broken";
	case VERDICT_REFUSED:
	case VERDICT_PLAIN:
		return "refused";
	}
	return "";
}

static void on_tested(void *user, const struct sender_test_result *r)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(CONTROL_LINE_MAX * 4);

	reply_bool(&b, "sent", r->sent);
	reply_bool(&b, "partly", r->sent && r->verdict.partly);
	reply_int(&b, "took_ms", r->took_ms);
	reply_int(&b, "status", r->answer.status);
	/* A mail server's and a command's own words come with an error, too. */
	reply_text(&b, "answer", *r->answer.body ? r->answer.body : r->answer.message);
	reply_text(&b, "verdict", verdict_name(r->verdict.verdict));
	reply_text(&b, "why", r->verdict.why);
	control_later_done(user, 0, NULL, &b);
}

/* With a chart, so that pictures are tested too. */
static struct event *test_event(const struct control_call *c)
{
	const struct notify_settings *s = alerting_settings(c->daemon->alerting);
	struct event *ev = event_new(EVENT_TEST, SEVERITY_INFO, "");
	char by[128];

	request_by(c, by, sizeof(by));
	ev->time_ms = clock_wall_ms();
	event_set(&ev->host, s->host);
	event_title(ev, "Test message of %s", s->host);
	event_text(
		ev, "If you can read this, the channel \"%s\" works.", request_text(c, "channel"));
	event_fact(ev, "Asked for by", "%s", by);
	event_fact(ev, "Agent", "%s", AGENT_VERSION);
	event_set(&ev->chart.class, class_host.name);
	event_set(&ev->chart.entity, "host");
	event_set(&ev->chart.metric, class_host.metrics[HOST_cpu_used_percent].name);
	ev->chart.to = ev->time_ms / 1000;
	ev->chart.from = ev->chart.to - 3600;
	event_set(&ev->link, "/");
	return ev;
}

int op_notify_test(const struct control_call *c, struct err *e)
{
	const char *channel = request_text(c, "channel");
	struct control_later *later;
	struct event *ev;
	int r;

	if (!*channel)
		return err_set(e, EINVAL, "channel is missing: its name");
	later = control_later(c, e);
	if (!later)
		return -EAGAIN;
	ev = test_event(c);
	r = sender_test(sender_of(c), channel, ev, on_tested, later, e);
	event_free(ev);
	if (r < 0)
		control_later_drop(later);
	return r < 0 ? r : CONTROL_LATER;
}
