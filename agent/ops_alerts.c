/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations alerts.* but alerts.rules: what fires, who has seen it, what is silenced.
 */
#include "agent/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/reply.h"
#include "base/clock.h"
#include "base/str.h"

enum { BY_MAX = 128, SILENCE_SECONDS_MAX = 366 * 86400, PATTERN_MAX = 300 };

static struct alerts *alerts_of(const struct control_call *c)
{
	return notify_alerts(alerting_notify(c->daemon->alerting));
}

static struct silences *silences_of(const struct control_call *c)
{
	return notify_silences(alerting_notify(c->daemon->alerting));
}

static void add_limit(struct buf *b, const struct alert *a)
{
	_cleanup_(buf_done) struct buf limit = BUF_INIT(4 * LIMIT_TEXT_MAX);

	alert_limit(a, &limit);
	if (limit.len)
		reply_text(b, "limit", buf_str(&limit));
}

static void add_title(struct buf *b, const struct alert *a)
{
	_cleanup_(buf_done) struct buf title = BUF_INIT(EVENT_TITLE_MAX);

	alert_title(a, &title);
	reply_text(b, "title", buf_str(&title));
}

static void add_alert(struct buf *b, const struct alert *a)
{
	const struct alert_life *l = &a->life;
	const struct metric *m = &a->rule->class->metrics[a->rule->metric];

	reply_open_object(b);
	reply_int(b, "id", a->id);
	reply_text(b, "rule", a->rule->name);
	reply_text(b, "class", a->class_name);
	reply_text(b, "entity", a->entity);
	reply_text(b, "metric", m->name);
	reply_text(b, "unit", metric_unit_name(m->unit));
	reply_text(b, "state", alert_state_name(l->state));
	reply_text(b, "level", severity_name(l->level));
	reply_text(b, "worst", severity_name(l->worst));
	reply_int(b, "since_ms", l->since_ms);
	reply_int(b, "fired_ms", l->fired_ms);
	reply_number(b, "value", a->value);
	add_title(b, a);
	add_limit(b, a);
	reply_text(b, "doc", a->rule->doc ? a->rule->doc : "");
	reply_text_if(b, "acknowledged_by", a->acknowledged_by);
	reply_text_if(b, "acknowledged_reason", a->acknowledged_reason);
	reply_text_if(b, "muted", a->muted);
	buf_addc(b, '}');
}

int op_alerts_list(const struct control_call *c, struct err *e)
{
	_cleanup_(free_p) const struct alert **list = NULL;
	size_t n = alerting_list(c->daemon->alerting, &list), pending = 0;

	(void)e;
	reply_open_list(c->reply, "alerts");
	for (size_t i = 0; i < n; i++) {
		add_alert(c->reply, list[i]);
		pending += list[i]->life.state == ALERT_PENDING;
	}
	buf_addc(c->reply, ']');
	reply_int(c->reply, "pending", (int64_t)pending);
	alerting_add_summary(c->daemon->alerting, c->reply);
	return 0;
}

/* The pattern of that name; "*" when it is absent. */
static int pattern(const struct control_call *c, const char *name, const char **out, struct err *e)
{
	const char *s = request_text(c, name);

	if (strlen(s) > PATTERN_MAX)
		return err_set(e, EINVAL, "%s is longer than %d bytes", name, PATTERN_MAX);
	*out = *s ? s : "*";
	return 0;
}

int op_alerts_ack(const struct control_call *c, struct err *e)
{
	const char *rule = NULL, *entity = NULL, *reason = request_text(c, "reason");
	char by[BY_MAX];
	int64_t id;
	int r = request_int(c, "alert", 1, INT64_MAX, 0, &id, e);

	if (r == 0)
		r = pattern(c, "rule", &rule, e);
	if (r == 0)
		r = pattern(c, "entity", &entity, e);
	if (r == 0 && !id && !*request_text(c, "rule") && !*request_text(c, "entity"))
		r = err_set(e, EINVAL, "which alert is missing: alert, or rule and entity");
	if (r < 0)
		return r;
	request_by(c, by, sizeof(by));
	r = alerts_acknowledge(alerts_of(c), id, rule, entity, by, reason, e);
	if (r < 0)
		return r;
	alerting_changed(c->daemon->alerting);
	reply_int(c->reply, "acknowledged", r);
	return 0;
}

int op_alerts_silence(const struct control_call *c, struct err *e)
{
	const char *rule = NULL, *entity = NULL;
	char by[BY_MAX];
	struct silence one = {.from_ms = clock_wall_ms()};
	int64_t seconds, id;
	int r = request_int(c, "seconds", 1, SILENCE_SECONDS_MAX, 0, &seconds, e);

	if (r == 0 && !seconds)
		r = err_set(e, EINVAL, "seconds is missing: how long it is to last");
	if (r == 0)
		r = pattern(c, "rule", &rule, e);
	if (r == 0)
		r = pattern(c, "entity", &entity, e);
	if (r < 0)
		return r;
	request_by(c, by, sizeof(by));
	one.until_ms = one.from_ms + seconds * 1000;
	one.rule = (char *)rule;
	one.entity = (char *)entity;
	one.reason = (char *)request_text(c, "reason");
	one.by = by;
	r = silences_add(silences_of(c), &one, &id, e);
	if (r < 0)
		return r;
	alerting_changed(c->daemon->alerting);
	reply_int(c->reply, "silence", id);
	return 0;
}

static void add_maintenance(const struct control_call *c)
{
	struct maintenance_status list[MAINTENANCE_MAX];
	size_t n = silences_maintenance(silences_of(c), clock_wall_ms(), list, MAINTENANCE_MAX);

	reply_open_list(c->reply, "maintenance");
	for (size_t i = 0; i < n; i++) {
		reply_open_object(c->reply);
		reply_text(c->reply, "name", list[i].name);
		reply_bool(c->reply, "active", list[i].active);
		reply_int(c->reply, "next_ms", list[i].next_ms);
		reply_int(c->reply, "until_ms", list[i].until_ms);
		buf_addc(c->reply, '}');
	}
	buf_addc(c->reply, ']');
}

int op_alerts_silences(const struct control_call *c, struct err *e)
{
	struct silences *s = silences_of(c);

	(void)e;
	(void)silences_expire(s, clock_wall_ms());
	reply_open_list(c->reply, "silences");
	for (size_t i = 0; i < silences_count(s); i++) {
		const struct silence *one = silences_at(s, i);

		reply_open_object(c->reply);
		reply_int(c->reply, "id", one->id);
		reply_text(c->reply, "rule", one->rule);
		reply_text(c->reply, "entity", one->entity);
		reply_int(c->reply, "from_ms", one->from_ms);
		reply_int(c->reply, "until_ms", one->until_ms);
		reply_text(c->reply, "reason", one->reason);
		reply_text(c->reply, "by", one->by);
		buf_addc(c->reply, '}');
	}
	buf_addc(c->reply, ']');
	add_maintenance(c);
	return 0;
}

int op_alerts_unsilence(const struct control_call *c, struct err *e)
{
	int64_t id;
	int r = request_int(c, "silence", 1, INT64_MAX, 0, &id, e);

	if (r == 0 && !id)
		r = err_set(e, EINVAL, "silence is missing: its id");
	if (r == 0)
		r = silences_remove(silences_of(c), id, e);
	if (r < 0)
		return r;
	alerting_changed(c->daemon->alerting);
	return 0;
}
