/* SPDX-License-Identifier: Apache-2.0
 *
 * The events that alerts make: for a person at 3 am, and for programs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "notify/alerts_parts.h"
#include "notify/consumers.h"
#include "notify/text.h"

enum { CHART_BEFORE_S = 3600, TIME_TEXT_MAX = 64 };

/* Of each action: the kind of its event. */
static const char *const kinds[] = {
	[ALERT_TELL_FIRING] = EVENT_ALERT_FIRING,
	[ALERT_TELL_REMINDER] = EVENT_ALERT_REMINDER,
	[ALERT_TELL_RECOVERED] = EVENT_ALERT_RECOVERED,
	[ALERT_TELL_FLAPPING] = EVENT_ALERT_FLAPPING,
	[ALERT_TELL_GONE] = EVENT_ALERT_RECOVERED,
};

static bool is_end(const struct alert_telling *t)
{
	return t->action == ALERT_TELL_RECOVERED || t->action == ALERT_TELL_GONE;
}

/* An end goes to all who were told how bad it was. */
static enum severity severity_of(const struct alert_telling *t)
{
	const struct alert_life *l = &t->record->pub.life;
	enum severity s = is_end(t) ? t->before.worst : l->level;

	return s == SEVERITY_INFO ? SEVERITY_WARNING : s;
}

static const struct limit *limit_of(const struct rule *r, enum severity s)
{
	if (s == SEVERITY_CRITICAL && r->critical.op != LIMIT_NONE)
		return &r->critical;
	return r->warning.op != LIMIT_NONE ? &r->warning : &r->critical;
}

static bool has_limit(const struct rule *r)
{
	return r->type != RULE_MISSING && r->type != RULE_GONE;
}

/* Whether value and limit say more to a person than the title: those of a yes or no do not. */
static bool shows_limit(const struct rule *r)
{
	return has_limit(r) && r->unit != UNIT_BOOLEAN;
}

static void add_window_words(struct buf *b, const struct rule *r)
{
	static const char *const words[] = {
		[WINDOW_LAST] = NULL,
		[WINDOW_AVERAGE] = "average of %s ",
		[WINDOW_MAXIMUM] = "maximum of %s ",
		[WINDOW_MINIMUM] = "minimum of %s ",
		[WINDOW_SUM] = "sum of %s ",
		[WINDOW_CHANGE] = "change within %s ",
		[WINDOW_LINE] = NULL,
	};
	char length[32];

	if (!words[r->how] || r->window_ms <= 0)
		return;
	str_from_duration_ms(length, sizeof(length), r->window_ms);
	for (const char *s = words[r->how]; *s; s++) {
		if (*s != '%')
			buf_addc(b, *s);
		else if (*++s)
			buf_adds(b, length);
	}
}

static void add_limit(struct buf *b, const struct rule *r, enum severity s)
{
	char text[LIMIT_TEXT_MAX], length[32];

	if (!shows_limit(r))
		return;
	if (r->type == RULE_FORECAST)
		buf_adds(b, "time left ");
	add_window_words(b, r);
	limit_print(text, sizeof(text), limit_of(r, s), r->unit);
	buf_adds(b, text);
	if (r->for_ms <= 0)
		return;
	str_from_duration_ms(length, sizeof(length), r->for_ms);
	buf_addf(b, " for %s", length);
}

void alert_limit(const struct alert *al, struct buf *out)
{
	const struct alert_life *l = &al->life;

	add_limit(out, al->rule, l->worst > l->level ? l->worst : l->level);
}

/* "25m", not "25m 0s". */
static void human_ms(char *to, size_t size, int64_t ms)
{
	char *second;

	str_human_duration(to, size, ms > 0 ? (ms + 500) / 1000 : 0);
	second = strchr(to, ' ');
	if (second && second[1] == '0')
		*second = '\0';
}

static void add_title(struct event *ev, const struct alerts *a, const struct alert_telling *t)
{
	_cleanup_(buf_done) struct buf words = BUF_INIT(4 * EVENT_TITLE_MAX);
	const struct record *rec = t->record;
	bool is_here = rec->watch != NULL;
	char lasted[TIME_TEXT_MAX];

	alert_phrase(&rec->pub, is_here, t->action == ALERT_TELL_RECOVERED, &words);
	human_ms(lasted, sizeof(lasted), a->now_ms - t->before.since_ms);
	switch (t->action) {
	case ALERT_TELL_REMINDER:
		event_title(ev, "Still, for %s: %s", lasted, buf_str(&words));
		break;
	case ALERT_TELL_RECOVERED:
		event_title(ev, "%s after %s", buf_str(&words), lasted);
		break;
	case ALERT_TELL_FLAPPING:
		event_title(ev, "Comes and goes: %s", buf_str(&words));
		break;
	case ALERT_TELL_GONE:
		event_title(ev, "Not watched any more: %s", buf_str(&words));
		break;
	default:
		event_title(ev, "%s", buf_str(&words));
	}
}

static void add_text(struct event *ev, const struct alert_telling *t)
{
	const char *doc = t->record->pub.rule->doc;

	doc = doc ? doc : "";
	switch (t->action) {
	case ALERT_TELL_RECOVERED:
		break;
	case ALERT_TELL_FLAPPING:
		event_text(ev,
			"It went over its limit %d times within an hour. There will be no more "
			"messages about it until it has kept to one side for %d minutes.%s%s",
			(int)ALERT_FLAP_COUNT, ALERT_FLAP_HOLD_MS / 60000, *doc ? "\n" : "", doc);
		break;
	case ALERT_TELL_GONE:
		event_text(ev, "%s",
			t->record->watch ? "There are no values of it any more."
					 : "It is not on this server any more.");
		break;
	default:
		event_text(ev, "%s", doc);
	}
}

static void add_time(struct event *ev, const char *name, int64_t time_ms)
{
	char text[TIME_TEXT_MAX];
	time_t t = (time_t)(time_ms / 1000);
	struct tm tm;

	if (time_ms > 0 && localtime_r(&t, &tm) &&
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm))
		event_fact(ev, name, "%s", text);
}

static void add_value_fact(struct event *ev, const char *name, double v, enum metric_unit unit)
{
	char text[LIMIT_TEXT_MAX];

	if (isnan(v))
		return;
	limit_print_value(text, sizeof(text), v, unit);
	event_fact(ev, name, "%s", text);
}

/* Of a container or service. */
static bool is_oom_kill(const struct rule *r)
{
	return (r->class == &class_container || r->class == &class_service) &&
	       r->metric == CGROUP_oom_kills;
}

/* Of what was killed for lack of it. */
static void add_memory(struct event *ev, const struct record *rec)
{
	const struct watch *w = rec->watch;

	if (!w || !is_oom_kill(rec->pub.rule))
		return;
	add_value_fact(ev, "Memory limit", w->memory_limit_bytes, UNIT_BYTES);
	add_value_fact(ev, "Memory, last known", w->memory_bytes, UNIT_BYTES);
}

static void add_facts(struct event *ev, const struct alerts *a, const struct alert_telling *t)
{
	_cleanup_(buf_done) struct buf limit = BUF_INIT(4 * LIMIT_TEXT_MAX);
	const struct record *rec = t->record;
	const struct rule *r = rec->pub.rule;
	const char *image = rec->watch ? entity_label_get(rec->watch->entity, "image") : NULL;
	char lasted[TIME_TEXT_MAX];

	if (shows_limit(r) && t->action != ALERT_TELL_GONE)
		add_value_fact(ev, "Value", rec->pub.value, r->unit);
	if (shows_limit(r) && rec->pub.worst_value != rec->pub.value)
		add_value_fact(ev, "Worst", rec->pub.worst_value, r->unit);
	add_limit(&limit, r, severity_of(t));
	if (limit.len)
		event_fact(ev, "Limit", "%s", buf_str(&limit));
	add_time(ev, "Since", t->before.since_ms ? t->before.since_ms : rec->pub.life.since_ms);
	human_ms(lasted, sizeof(lasted), a->now_ms - t->before.since_ms);
	if (is_end(t))
		event_fact(ev, "Lasted", "%s", lasted);
	add_memory(ev, rec);
	if (image)
		event_fact(ev, "Image", "%s", image);
	if (a->registry && !is_end(t))
		consumers_add_fact(ev, a->registry, r->class, r->metric);
	event_fact(ev, "Rule", "%s", r->name);
}

/* The limit as a line among the values; that of a forecast is the value it would reach. */
static double line_of(const struct rule *r, enum severity s)
{
	if (r->type == RULE_FORECAST)
		return r->target;
	if (r->type != RULE_VALUE || r->how == WINDOW_SUM)
		return NAN;
	return limit_of(r, s)->value;
}

static void add_chart(struct event *ev, const struct alerts *a, const struct alert_telling *t)
{
	const struct record *rec = t->record;
	const struct alert *al = &rec->pub;
	const struct metric *m = &al->rule->class->metrics[al->rule->metric];
	int64_t since_ms = t->before.since_ms ? t->before.since_ms : al->life.since_ms;

	ev->chart.limit = line_of(al->rule, severity_of(t));
	/* A lonely peak of 1 says less than how it came to that. */
	if (is_oom_kill(al->rule)) {
		m = &al->rule->class->metrics[CGROUP_memory_used_bytes];
		ev->chart.limit = rec->watch ? rec->watch->memory_limit_bytes : NAN;
	}
	if (!m->ds)
		return;
	event_set(&ev->chart.class, al->class_name);
	event_set(&ev->chart.entity, al->entity);
	event_set(&ev->chart.metric, m->name);
	ev->chart.from = (since_ms > 0 ? since_ms : a->now_ms) / 1000 - CHART_BEFORE_S;
	ev->chart.to = a->now_ms / 1000;
}

/* Containers and services have pages of their own. */
static void add_link(struct event *ev, const struct alert *al)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(EVENT_FACT_MAX);
	const struct entity_class *c = al->rule->class;

	buf_addf(&b, "/#/%s%s/", c == &class_container || c == &class_service ? "" : "entity/",
		c->name);
	text_add_percent(&b, al->entity);
	if (!b.overflow)
		event_set(&ev->link, buf_str(&b));
}

static char *key_of(const struct rule *r, const struct alert *al)
{
	return str_format("%s %s/%s%s%s", r->name, al->class_name, al->entity,
		r->is_pattern ? " " : "", r->is_pattern ? r->class->metrics[r->metric].name : "");
}

static void add_numbers(struct event *ev, const struct alerts *a, const struct alert_telling *t)
{
	const struct alert *al = &t->record->pub;
	const struct rule *r = al->rule;

	ev->time_ms = a->now_ms;
	ev->is_end = is_end(t);
	event_set(&ev->host, a->options.host);
	event_set(&ev->rule, r->name);
	event_set(&ev->class, al->class_name);
	event_set(&ev->entity, al->entity);
	event_set(&ev->metric, r->class->metrics[r->metric].name);
	event_set(&ev->unit, metric_unit_name(r->unit));
	ev->value = al->value;
	if (has_limit(r))
		ev->limit = limit_of(r, severity_of(t))->value;
	ev->since_ms = t->before.since_ms ? t->before.since_ms : al->life.since_ms;
	if (ev->is_end && ev->since_ms)
		ev->duration_ms = a->now_ms - ev->since_ms;
}

struct event *alert_event(const struct alerts *a, const struct alert_telling *t)
{
	const struct alert *al = &t->record->pub;
	_cleanup_(free_p) char *key = key_of(al->rule, al);
	struct event *ev = event_new(kinds[t->action], severity_of(t), key);

	add_numbers(ev, a, t);
	add_title(ev, a, t);
	add_text(ev, t);
	add_facts(ev, a, t);
	add_chart(ev, a, t);
	add_link(ev, al);
	return ev;
}
