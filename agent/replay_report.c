/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/replay_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/columns.h"
#include "base/str.h"
#include "notify/message.h"

static int compare_rows(const void *a, const void *b)
{
	const struct replay_event *x = ((const struct replay_row *)a)->event;
	const struct replay_event *y = ((const struct replay_row *)b)->event;

	if (x->time_ms != y->time_ms)
		return x->time_ms < y->time_ms ? -1 : 1;
	return x < y ? -1 : x > y;
}

struct replay_row *replay_rows(const struct replay_report *r, size_t *out_n)
{
	struct replay_row *rows;
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->results[i].replay.n_events;
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		abort();
	*out_n = n;
	n = 0;
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < r->results[i].replay.n_events; j++)
			rows[n++] = (struct replay_row){
				&r->results[i], &r->results[i].replay.events[j]};
	qsort(rows, n, sizeof(*rows), compare_rows);
	return rows;
}

/* "93.1 %", "8h 3m until 100 %", "+5 % within 10m". */
static void add_value(const struct rule *r, double v, struct buf *out)
{
	char text[LIMIT_TEXT_MAX], span[32];

	if (r->type == RULE_MISSING) {
		buf_adds(out, "no value");
		return;
	}
	if (r->type == RULE_GONE) {
		buf_adds(out, v > 0 ? "there" : "gone");
		return;
	}
	limit_print_value(text, sizeof(text), v, r->unit);
	buf_adds(out, text);
	str_from_duration_ms(span, sizeof(span), r->window_ms);
	if (r->type == RULE_FORECAST) {
		limit_print_value(text, sizeof(text), r->target, r->class->metrics[r->metric].unit);
		buf_addf(out, " until %s", text);
	} else if (r->type == RULE_CHANGE) {
		buf_addf(out, " more within %s", span);
	}
}

static void add_lasted(const struct replay_event *ev, struct buf *out)
{
	char text[64];

	str_human_duration(text, sizeof(text), (ev->time_ms - ev->fired_ms) / 1000);
	buf_adds(out, text);
}

static enum term_style describe(const struct replay_row *row, int64_t now_ms, struct buf *out)
{
	const struct replay_event *ev = row->event;
	const struct rule *r = row->result->rule;
	char since[64];

	switch (ev->what) {
	case ALERT_TELL_RECOVERED:
		buf_adds(out, "would recover after ");
		add_lasted(ev, out);
		return TERM_GREEN;
	case ALERT_TELL_GONE:
		buf_adds(out, "would end, without values, after ");
		add_lasted(ev, out);
		return TERM_GREEN;
	case ALERT_TELL_FLAPPING:
		buf_addf(out, "would tell that it comes and goes: %s, ",
			severity_name(ev->severity));
		break;
	case ALERT_TELL_REMINDER:
		buf_addf(out, "would remind: %s, ", severity_name(ev->severity));
		break;
	default:
		buf_addf(out, "would fire: %s, ", severity_name(ev->severity));
	}
	if (ev->before) {
		message_time(since, sizeof(since), ev->fired_ms, now_ms);
		buf_clear(out);
		buf_addf(out, "is firing since %s: %s, ", since, severity_name(ev->severity));
	}
	add_value(r, ev->value, out);
	return ev->severity == SEVERITY_CRITICAL ? TERM_RED : TERM_YELLOW;
}

static void add_table(const struct replay_report *r, const struct term *t, struct buf *out)
{
	static const char *const heads[] = {"WHEN", "RULE", "WHERE", "WHAT", NULL};
	_cleanup_(columns_free_p) struct columns *table = columns_new(heads);
	size_t n;
	_cleanup_(free_p) struct replay_row *rows = replay_rows(r, &n);

	for (size_t i = 0; i < n; i++) {
		const struct replay_result *result = rows[i].result;
		_cleanup_(buf_done) struct buf what = BUF_INIT(1024);
		char when[64];
		enum term_style style = describe(&rows[i], r->to_ms, &what);
		const char *cells[] = {
			when, result->rule->name, result->entity->key, buf_str(&what)};

		message_time(when, sizeof(when), rows[i].event->time_ms, r->to_ms);
		columns_row(table, cells, ARRAY_LEN(cells), 3, style);
	}
	if (!n)
		return;
	columns_print(table, t, out);
	buf_addc(out, '\n');
}

struct replay_sum replay_sum_up(const struct replay_report *r, const struct rule *rule)
{
	struct replay_sum s = {0};

	for (size_t i = 0; i < r->n; i++) {
		const struct replay_result *result = &r->results[i];
		const struct replay *p = &result->replay;

		if (result->rule != rule)
			continue;
		s.entities++;
		s.messages += p->n_events + p->n_more - (p->n_events && p->events[0].before);
		s.more += p->n_more;
		s.fired += p->n_events > 0;
		s.firing += replay_is_firing(p);
		if (isnan(p->nearest))
			continue;
		if (!s.nearest || replay_is_nearer(rule, p->nearest, s.nearest->replay.nearest))
			s.nearest = result;
	}
	return s;
}

static void add_worst(const struct replay_report *r, const struct rule *rule,
	const struct replay_sum *s, struct buf *out)
{
	const struct replay *p;
	char when[64];

	/* That nothing happened needs no time and place. */
	if (!s->nearest || rule->unit == UNIT_BOOLEAN || s->nearest->replay.nearest == 0)
		return;
	p = &s->nearest->replay;
	message_time(when, sizeof(when), p->nearest_ms, r->to_ms);
	buf_adds(out, " Worst: ");
	add_value(rule, p->nearest, out);
	buf_addf(out, ", %s, %s.", s->nearest->entity->key, when);
}

static void add_count(const struct replay_report *r, const struct rule *rule,
	const struct replay_sum *s, struct buf *out)
{
	const char *many = s->entities == 1 ? rule->class->name : rule->class->plural;
	bool judged = s->nearest || rule->type == RULE_MISSING || rule->type == RULE_GONE;
	char span[32];

	str_from_duration_ms(span, sizeof(span), r->to_ms - r->from_ms);
	if (!s->entities) {
		buf_addf(out, "no %s with history to watch.", rule->class->name);
	} else if (!judged) {
		buf_addf(out, "no value to judge in %s of %zu %s.", span, s->entities, many);
	} else if (!s->fired) {
		buf_addf(out, "silent for %s about %zu %s.", span, s->entities, many);
	} else {
		buf_addf(out, "%zu message%s in %s about %zu of %zu %s", s->messages,
			s->messages == 1 ? "" : "s", span, s->fired, s->entities, many);
		if (s->firing)
			buf_addf(out, "; %zu still firing", s->firing);
		buf_addc(out, '.');
	}
}

static void add_sum(const struct replay_report *r, const struct rule *rule, const struct term *t,
	struct buf *out)
{
	struct replay_sum s = replay_sum_up(r, rule);
	_cleanup_(buf_done) struct buf line = BUF_INIT(4096);

	buf_addf(&line, "%s (", rule->name);
	rule_print_condition(rule, &line);
	buf_adds(&line, "): ");
	add_count(r, rule, &s, &line);
	if (s.more)
		buf_addf(&line, " %zu of them are not listed.", s.more);
	add_worst(r, rule, &s, &line);
	term_add_wrapped(out, buf_str(&line), t->columns, 2);
	buf_addc(out, '\n');
}

static void add_note(const struct term *t, const char *text, struct buf *out)
{
	term_style(t, TERM_DIM, out);
	term_add_wrapped(out, text, t->columns, 2);
	term_style(t, TERM_PLAIN, out);
	buf_addc(out, '\n');
}

/* What lies before the samples because of rounding is not worth a word. */
enum { COARSE_IGNORED_MS = 600000 };

/* What keeps the answer from being the whole truth. */
static void add_notes(const struct replay_report *r, const struct term *t, struct buf *out)
{
	char when[64], span[32];
	_cleanup_(free_p) char *text = NULL;

	if (r->first_ms == INT64_MAX && r->n) {
		add_note(t, "There is no history for that time.", out);
	} else if (r->n && r->first_ms > r->from_ms + 2 * r->coarsest_ms) {
		message_time(when, sizeof(when), r->first_ms, r->to_ms);
		text = str_format("History begins %s.", when);
		add_note(t, text, out);
	}
	if (r->coarse_until_ms > r->from_ms + COARSE_IGNORED_MS &&
		r->first_ms < r->coarse_until_ms) {
		_cleanup_(free_p) char *rows = NULL;

		message_time(when, sizeof(when), r->coarse_until_ms, r->to_ms);
		str_from_duration_ms(span, sizeof(span), r->coarsest_ms);
		rows = str_format(
			"Before %s history has one value for up to %s: short peaks may be "
			"missing.",
			when, span);
		add_note(t, rows, out);
	}
	if (r->labels_unknown)
		add_note(t,
			"Without a running agent labels are not known: taken as if all had fitted.",
			out);
}

void replay_report_print(const struct replay_report *r, const struct term *t, struct buf *out)
{
	add_table(r, t, out);
	for (size_t i = 0; i < r->n_rules; i++)
		add_sum(r, r->rules[i], t, out);
	add_notes(r, t, out);
}

void replay_report_done(struct replay_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		replay_done(&r->results[i].replay);
	free(r->results);
	free(r->rules);
	r->rules = NULL;
	r->n_rules = 0;
	r->results = NULL;
	r->n = 0;
}
