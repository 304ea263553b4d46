/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/deploy_phrase.h"
#include "base/str.h"

enum unit { OF_A_CORE, BYTES, BYTES_A_SECOND, SHARE, SECONDS, NUMBER };

enum { MIB = 1 << 20 };

static const struct row {
	const char *name;
	enum unit unit;
	/* Worse: more than this many percent more, and at least so much (of counts half a one: sums are not exact). least 0:
	 * never, it says how much it is used. */
	double worse_percent, least;
	bool is_count; /* things that happened: added up, and worse when there are more */
	bool is_minor; /* said only where it moved */
} rows[DEPLOY_VERDICT_FIGURES] = {
	[DEPLOY_VERDICT_CPU] = {"CPU", OF_A_CORE, 50, 10, false, false},
	[DEPLOY_VERDICT_MEMORY] = {"memory", BYTES, 30, 50.0 * MIB, false, false},
	[DEPLOY_VERDICT_ERRORS] = {"error rate", SHARE, 0, 5, false, false},
	[DEPLOY_VERDICT_LATENCY] = {"latency", SECONDS, 50, 0.05, false, false},
	[DEPLOY_VERDICT_DISK] = {"disk", BYTES_A_SECOND, 100, 1.0 * MIB, false, true},
	[DEPLOY_VERDICT_NETWORK] = {"network", BYTES_A_SECOND, 0, 0, false, true},
	[DEPLOY_VERDICT_PROCESSES] = {"processes", NUMBER, 50, 20, false, true},
	[DEPLOY_VERDICT_RESTARTS] = {"restarts", NUMBER, 0, 0.5, true, true},
	[DEPLOY_VERDICT_OOM_KILLS] = {"OOM kills", NUMBER, 0, 0.5, true, true},
};

static const double minor_percent = 20; /* a minor one that moved less is not worth a word */

const char *deploy_verdict_grade_name(enum deploy_verdict_grade g)
{
	static const char *const names[] = {"unknown", "good", "worse"};

	return names[g];
}

/* Mean or sum of what is known; NaN: too little is. */
static double figure(const struct deploy_verdict_values *v, bool is_count)
{
	size_t stride = v->stride ? v->stride : 1, known = 0;
	double sum = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (isnan(v->values[i * stride]))
			continue;
		sum += v->values[i * stride];
		known++;
	}
	if (known < DEPLOY_VERDICT_VALUES_MIN)
		return NAN;
	return is_count ? sum : sum / (double)known;
}

static bool is_worse(const struct row *r, const struct deploy_verdict_number *n)
{
	double before = isnan(n->before) && r->is_count ? 0 : n->before, more = n->after - before;

	if (!(r->least > 0) || !(more >= r->least))
		return false;
	return before <= 0 || more / before * 100 > r->worse_percent;
}

static void compare(const struct row *r, struct deploy_verdict_number *n)
{
	n->change_percent = n->before > 0 ? (n->after - n->before) / n->before * 100 : NAN;
	n->worse = is_worse(r, n);
}

static void print_bytes(char *to, size_t size, double v, const char *per)
{
	char text[32];

	str_human_bytes(text, sizeof(text), v);
	(void)snprintf(to, size, "%s%s", text, per);
}

static void print(char *to, size_t size, enum unit unit, double v)
{
	switch (unit) {
	case OF_A_CORE:
	case SHARE:
		(void)snprintf(to, size, v < 100 && v > 0 ? "%.1f %%" : "%.0f %%", v);
		return;
	case BYTES:
		print_bytes(to, size, v, "");
		return;
	case BYTES_A_SECOND:
		print_bytes(to, size, v, "/s");
		return;
	case SECONDS:
		(void)snprintf(to, size, v < 0.01 ? "%.1f ms" : "%.0f ms", v * 1000);
		return;
	case NUMBER:
		(void)snprintf(to, size, "%.0f", v);
	}
}

static bool is_worth_a_word(const struct row *r, const struct deploy_verdict_number *n)
{
	if (isnan(n->after))
		return false;
	if (!r->is_minor || n->worse)
		return true;
	if (r->is_count)
		return n->after >= 0.5 || n->before >= 0.5;
	return fabs(n->change_percent) >= minor_percent;
}

static void add_number(struct buf *out, const struct row *r, const struct deploy_verdict_number *n)
{
	char before[40], after[40];

	print(before, sizeof(before), r->unit, n->before);
	print(after, sizeof(after), r->unit, n->after);
	buf_addf(out, "%s%s ", out->len ? ", " : "", r->name);
	if (isnan(n->before)) {
		buf_adds(out, after);
		return;
	}
	buf_addf(out, "%s -> %s", before, after);
	/* Of a share it would be the share of a share. */
	if (r->unit != SHARE && !r->is_count && !isnan(n->change_percent))
		buf_addf(out, " (%+.0f %%)", n->change_percent);
}

/* What was not measured, and why there is less than one would expect. */
static void add_notes(
	struct buf *out, const struct deploy_verdict_input *in, const struct deploy_verdict *v)
{
	const struct deploy_verdict_number *n = v->numbers;

	if (!out->len)
		buf_adds(out, "Nothing of it was measured long enough");
	buf_adds(out, ".");
	if (in->is_first)
		buf_adds(out, " There was no version before to compare it with.");
	else if (isnan(n[DEPLOY_VERDICT_CPU].before) && !isnan(n[DEPLOY_VERDICT_CPU].after))
		buf_adds(out, " What it used before was not measured long enough.");
	if (isnan(n[DEPLOY_VERDICT_ERRORS].after))
		buf_adds(out, " Error rate and latency are not measured"
			      " (health.path is what is asked for them).");
	if (in->was_cut)
		buf_adds(out, " It was looked at for less than ten minutes: another deploy began.");
}

static void set_text(const struct deploy_verdict_input *in, struct deploy_verdict *v)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(4096);

	for (size_t i = 0; i < DEPLOY_VERDICT_FIGURES; i++)
		if (is_worth_a_word(&rows[i], &v->numbers[i]))
			add_number(&text, &rows[i], &v->numbers[i]);
	add_notes(&text, in, v);
	(void)str_copy(v->text, sizeof(v->text), buf_str(&text));
}

static void check_limit(
	struct deploy_verdict *v, enum deploy_verdict_figure f, double percent, const char *option)
{
	const struct deploy_verdict_number *n = &v->numbers[f];

	if (!(percent > 0) || *v->over_limit || !(n->change_percent > percent) ||
		n->after - n->before < rows[f].least)
		return;
	(void)snprintf(v->over_limit, sizeof(v->over_limit),
		"%s rose by %.0f %%, more than rollback_if.%s = %.0f allows", rows[f].name,
		n->change_percent, option, percent);
}

static enum deploy_verdict_grade grade(const struct deploy_verdict *v)
{
	const struct deploy_verdict_number *n = v->numbers;

	for (size_t i = 0; i < DEPLOY_VERDICT_FIGURES; i++)
		if (n[i].worse)
			return DEPLOY_VERDICT_WORSE;
	if (*v->over_limit)
		return DEPLOY_VERDICT_WORSE;
	if (isnan(n[DEPLOY_VERDICT_CPU].change_percent) &&
		isnan(n[DEPLOY_VERDICT_MEMORY].change_percent))
		return DEPLOY_VERDICT_UNKNOWN;
	return DEPLOY_VERDICT_GOOD;
}

void deploy_verdict_judge(const struct deploy_verdict_input *in, struct deploy_verdict *out)
{
	*out = (struct deploy_verdict){.grade = DEPLOY_VERDICT_UNKNOWN};
	for (size_t i = 0; i < DEPLOY_VERDICT_FIGURES; i++) {
		struct deploy_verdict_number *n = &out->numbers[i];

		n->before = in->is_first ? NAN : figure(&in->before[i], rows[i].is_count);
		n->after = figure(&in->after[i], rows[i].is_count);
		compare(&rows[i], n);
	}
	check_limit(out, DEPLOY_VERDICT_CPU, in->cpu_limit_percent, "cpu_percent");
	check_limit(out, DEPLOY_VERDICT_MEMORY, in->memory_limit_percent, "memory_percent");
	out->grade = grade(out);
	set_text(in, out);
}

struct deploy_verdict_times deploy_verdict_times(
	const struct deploy *d, int64_t after_ms, int64_t previous_ms, int64_t next_ms)
{
	struct deploy_verdict_times t = {
		.before_from_ms = d->started_ms - DEPLOY_VERDICT_BEFORE_MS,
		.before_to_ms = d->started_ms,
		.after_from_ms = d->ended_ms,
		.after_to_ms = d->ended_ms + after_ms,
	};

	/* What ran before that was another version still. */
	if (t.before_from_ms < previous_ms)
		t.before_from_ms = previous_ms < t.before_to_ms ? previous_ms : t.before_to_ms;
	if (next_ms && next_ms < t.after_to_ms) {
		t.after_to_ms = next_ms > t.after_from_ms ? next_ms : t.after_from_ms;
		t.was_cut = true;
	}
	return t;
}

/* "CPU, restarts" */
static void add_worse(struct buf *out, const struct deploy_verdict *v)
{
	for (size_t i = 0; i < DEPLOY_VERDICT_FIGURES; i++)
		if (v->numbers[i].worse)
			buf_addf(out, "%s%s", out->len ? ", " : "", rows[i].name);
}

static void set_title(
	struct event *ev, const struct deploy *d, const struct deploy_verdict *v, bool rolls_back)
{
	_cleanup_(buf_done) struct buf worse = BUF_INIT(EVENT_TITLE_MAX);
	long long id = (long long)d->id;

	add_worse(&worse, v);
	if (rolls_back)
		event_title(ev, "%s goes back to the version before deploy %lld: %s", d->app, id,
			v->over_limit);
	else if (*v->over_limit)
		event_title(ev, "%s since deploy %lld: %s", d->app, id, v->over_limit);
	else if (worse.len)
		event_title(ev, "%s is worse since deploy %lld: %s", d->app, id, buf_str(&worse));
	else
		event_title(ev, "%s is as good as before deploy %lld", d->app, id);
}

/* CPU of its container, from before the deploy until now. */
static void set_chart(struct event *ev, const struct deploy *d)
{
	if (!*d->new.container || *d->new.container == '/' ||
		str_ends(d->new.container, ".service"))
		return;
	event_set(&ev->chart.class, "container");
	event_set(&ev->chart.entity, d->app);
	event_set(&ev->chart.metric, "cpu_used_percent");
	ev->chart.from = (d->started_ms - DEPLOY_VERDICT_BEFORE_MS) / 1000;
	ev->chart.to = (d->ended_ms + DEPLOY_VERDICT_AFTER_MS) / 1000;
}

struct event *deploy_verdict_event(
	const struct deploy *d, const struct deploy_verdict *v, bool rolls_back)
{
	_cleanup_(free_p) char *key = str_format("deploy %s verdict", d->app);
	_cleanup_(buf_done) struct buf what = BUF_INIT(EVENT_FACT_MAX);
	_cleanup_(buf_done) struct buf commit = BUF_INIT(EVENT_FACT_MAX);
	struct event *ev;

	if (v->grade == DEPLOY_VERDICT_UNKNOWN)
		return NULL;
	ev = event_new(EVENT_DEPLOY_VERDICT,
		v->grade == DEPLOY_VERDICT_WORSE ? SEVERITY_WARNING : SEVERITY_INFO, key);
	event_set(&ev->class, "app");
	event_set(&ev->entity, d->app);
	event_set(&ev->link, "/#/deploys");
	set_title(ev, d, v, rolls_back);
	if (v->grade == DEPLOY_VERDICT_GOOD || rolls_back)
		event_text(ev, "%s", v->text);
	else
		event_text(ev,
			"%s\nWhat to do: \"agent deploy rollback %s\" puts the version before "
			"back.",
			v->text, d->app);
	deploy_phrase_what(d, &what);
	deploy_phrase_commit(d, &commit);
	event_fact(ev, "Version", "%s", buf_str(&what));
	if (commit.len)
		event_fact(ev, "Commit", "%s", buf_str(&commit));
	event_fact(ev, "Deploy", "%lld", (long long)d->id);
	set_chart(ev, d);
	return ev;
}
