/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "agent/replay_report.h"

static const char *what_name(const struct replay_event *ev)
{
	if (ev->before)
		return "is_firing";
	switch (ev->what) {
	case ALERT_TELL_FIRING:
		return "firing";
	case ALERT_TELL_REMINDER:
		return "reminder";
	case ALERT_TELL_RECOVERED:
		return "recovered";
	case ALERT_TELL_FLAPPING:
		return "flapping";
	case ALERT_TELL_GONE:
		return "gone";
	case ALERT_TELL_NOTHING:
		break;
	}
	return "";
}

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\":", name);
	buf_add_json_string(b, text);
	buf_addc(b, ',');
}

static void add_names(struct buf *b, const struct rule *r)
{
	add_text(b, "rule", r->name);
	buf_addf(b, "\"metric\":\"%s.%s\",", r->class->name, r->class->metrics[r->metric].name);
}

static void add_value(struct buf *b, const struct rule *r, double v)
{
	buf_addf(b, "\"unit\":\"%s\",\"value\":", metric_unit_name(r->unit));
	buf_add_json_number(b, v);
}

static void add_event(struct buf *b, const struct replay_row *row)
{
	const struct replay_event *ev = row->event;
	const struct rule *r = row->result->rule;

	buf_addf(b, "{\"time_ms\":%lld,", (long long)ev->time_ms);
	add_names(b, r);
	add_text(b, "class", r->class->name);
	add_text(b, "entity", row->result->entity->key);
	add_text(b, "what", what_name(ev));
	add_text(b, "severity", severity_name(ev->severity));
	buf_addf(b, "\"fired_ms\":%lld,", (long long)ev->fired_ms);
	add_value(b, r, ev->value);
	buf_addc(b, '}');
}

static void add_rule(struct buf *b, const struct replay_report *report, const struct rule *r)
{
	struct replay_sum s = replay_sum_up(report, r);

	buf_addc(b, '{');
	add_names(b, r);
	add_text(b, "origin", r->origin);
	buf_addf(b, "\"entities\":%zu,\"messages\":%zu,\"firing\":%zu,\"nearest\":", s.entities,
		s.messages, s.firing);
	if (s.nearest) {
		buf_addc(b, '{');
		add_text(b, "entity", s.nearest->entity->key);
		buf_addf(b, "\"time_ms\":%lld,", (long long)s.nearest->replay.nearest_ms);
		add_value(b, r, s.nearest->replay.nearest);
		buf_addc(b, '}');
	} else {
		buf_adds(b, "null");
	}
	buf_addc(b, '}');
}

void replay_report_json(const struct replay_report *r, struct buf *out)
{
	size_t n;
	_cleanup_(free_p) struct replay_row *rows = replay_rows(r, &n);

	buf_addf(out,
		"{\"from_ms\":%lld,\"to_ms\":%lld,\"history_from_ms\":", (long long)r->from_ms,
		(long long)r->to_ms);
	buf_add_json_number(out, r->first_ms == INT64_MAX ? (double)NAN : (double)r->first_ms);
	buf_addf(out, ",\"coarsest_ms\":%lld,\"rules\":[", (long long)r->coarsest_ms);
	for (size_t i = 0; i < r->n_rules; i++) {
		buf_adds(out, i ? "," : "");
		add_rule(out, r, r->rules[i]);
	}
	buf_adds(out, "],\"events\":[");
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i ? ",\n" : "\n");
		add_event(out, &rows[i]);
	}
	buf_adds(out, "]}\n");
}
