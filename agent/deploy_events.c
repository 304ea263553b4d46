/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_events.h"

#include <string.h>

#include "agent/deploy_phrase.h"
#include "agent/json_view.h"
#include "base/str.h"
#include "notify/message.h"

enum { TAIL_LINES = 15, TAIL_BYTES = 2000, STAMP_BYTES = 21 }; /* "2026-11-21T03:00:00Z " */

static struct event *new_event(const char *kind, enum severity severity, const char *app)
{
	_cleanup_(free_p) char *key = str_format("deploy %s", app);
	struct event *ev = event_new(kind, severity, key);

	event_set(&ev->class, "app");
	event_set(&ev->entity, app);
	event_set(&ev->link, "/#/deploys");
	return ev;
}

/* How an end is told; no kind: it is not. */
static const struct row {
	enum deploy_state state;
	const char *kind;
	enum severity severity;
} rows[] = {
	{DEPLOY_DONE, EVENT_DEPLOY_DONE, SEVERITY_INFO},
	{DEPLOY_FAILED, EVENT_DEPLOY_FAILED, SEVERITY_WARNING},
	{DEPLOY_ROLLED_BACK, EVENT_DEPLOY_ROLLED_BACK, SEVERITY_WARNING},
	{DEPLOY_BROKEN, EVENT_DEPLOY_BROKEN, SEVERITY_CRITICAL},
	{DEPLOY_CANCELLED, EVENT_DEPLOY_CANCELLED, SEVERITY_INFO},
};

static const struct row *row_of(const struct deploy *d)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].state == d->state)
			return &rows[i];
	return NULL;
}

static void set_title(struct event *ev, const struct deploy *d, bool over)
{
	const char *stage = deploy_phrase_failed_stage(d);
	const char *in = *stage ? " in " : "";
	_cleanup_(buf_done) struct buf what = BUF_INIT(EVENT_TITLE_MAX);

	deploy_phrase_what(d, &what);
	switch (d->state) {
	case DEPLOY_DONE:
		event_title(ev,
			d->rollback_of ? "%s is back at %s"
			: over         ? "Deploys of %s work again: %s"
				       : "%s is deployed: %s",
			d->app, buf_str(&what));
		break;
	case DEPLOY_FAILED:
		event_title(ev, "Deploy of %s failed%s%s%s", d->app, in, stage,
			deploy_has_old(d) ? ", nothing was changed" : "");
		break;
	case DEPLOY_ROLLED_BACK:
		event_title(
			ev, "Deploy of %s failed%s%s, the old version is back", d->app, in, stage);
		break;
	case DEPLOY_BROKEN:
		event_title(ev, "%s does not work: its deploy failed%s%s, and %s", d->app, in,
			stage,
			deploy_has_old(d) ? "the old version could not be put back"
					  : "there is no version before");
		break;
	default:
		event_title(ev, "Deploy of %s was cancelled", d->app);
	}
}

/* The stamps of the log say little in a message. */
static void add_line(struct buf *text, const char *line, size_t n)
{
	if (n > STAMP_BYTES && line[STAMP_BYTES - 2] == 'Z' && line[STAMP_BYTES - 1] == ' ') {
		line += STAMP_BYTES;
		n -= STAMP_BYTES;
	}
	buf_addf(text, "%.*s\n", (int)n, line);
}

/* The last lines, whole ones. */
static void add_tail(struct buf *text, const char *log)
{
	size_t end = log ? strlen(log) : 0, begin, lines = 0;

	while (end && strchr(" \r\n\t", log[end - 1]))
		end--;
	if (!end)
		return;
	for (begin = end; begin > 0 && end - begin < TAIL_BYTES; begin--)
		if (log[begin - 1] == '\n' && ++lines == TAIL_LINES)
			break;
	if (begin > 0 && log[begin - 1] != '\n')
		begin += strcspn(log + begin, "\n") + 1;
	if (begin >= end)
		begin = end - TAIL_BYTES;
	buf_adds(text, "The end of its log:\n");
	while (begin < end) {
		size_t n = strcspn(log + begin, "\n");

		n = begin + n > end ? end - begin : n;
		add_line(text, log + begin, n);
		begin += n + 1;
	}
}

/* What people have now, whatever became of this deploy. */
static void add_serves(struct buf *text, const struct deploy *d, const struct deploy_event_facts *f)
{
	char when[64];

	if (d->state == DEPLOY_DONE)
		return;
	if (d->state == DEPLOY_BROKEN) {
		buf_adds(text, "Nothing may serve it now: look at it.\n");
		return;
	}
	if (!f->serves) {
		buf_adds(text, deploy_has_old(d) ? "The old version serves.\n"
						 : "No version of it serves yet.\n");
		return;
	}
	message_time(when, sizeof(when), f->serves->ended_ms, f->now_ms);
	buf_addf(text, "What serves is deploy %lld of %s: ", (long long)f->serves->id, when);
	deploy_phrase_what(f->serves, text);
	buf_adds(text, ".\n");
}

static void add_advice(struct buf *text, const struct deploy *d)
{
	long long id = (long long)d->id;

	if (d->state == DEPLOY_DONE || d->state == DEPLOY_CANCELLED)
		return;
	buf_addf(text, "What to do: \"agent deploy log %lld\" shows all of its log", id);
	if (d->state == DEPLOY_BROKEN)
		buf_addf(text,
			", \"agent deploy rollback %s\" or another deploy brings a version back",
			d->app);
	else
		buf_addf(text, ", \"agent deploy now %s\" tries again", d->app);
	buf_adds(text, ".");
}

static void set_text(struct event *ev, const struct deploy *d, const struct deploy_event_facts *f)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_TEXT_MAX);

	if (d->state == DEPLOY_DONE) {
		deploy_phrase_commit(d, &text);
		if (text.len)
			buf_adds(&text, "\n");
		if (*d->error)
			buf_addf(&text, "But: %s\n", d->error);
	} else {
		buf_addf(&text, "%s\n", *d->error ? d->error : "It ended without a reason.");
	}
	add_serves(&text, d, f);
	if (d->state != DEPLOY_DONE && d->state != DEPLOY_CANCELLED)
		add_tail(&text, f->log_tail);
	add_advice(&text, d);
	event_text(ev, "%s", buf_str(&text));
}

static void add_what(struct event *ev, const struct deploy *d)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT(EVENT_FACT_MAX);
	_cleanup_(buf_done) struct buf commit = BUF_INIT(EVENT_FACT_MAX);

	deploy_phrase_what(d, &what);
	deploy_phrase_commit(d, &commit);
	event_fact(ev, "App", "%s", d->app);
	event_fact(ev, "Version", "%s", buf_str(&what));
	if (commit.len)
		event_fact(ev, "Commit", "%s", buf_str(&commit));
	if (*d->by || *d->trigger)
		event_fact(ev, "Asked for by", "%s%s%s%s", *d->by ? d->by : d->trigger,
			*d->by ? " (" : "", *d->by ? d->trigger : "", *d->by ? ")" : "");
}

static void add_course(struct event *ev, const struct deploy *d)
{
	_cleanup_(buf_done) struct buf stages = BUF_INIT(EVENT_FACT_MAX);
	const char *failed = deploy_phrase_failed_stage(d);
	char time[32];

	if (d->state != DEPLOY_DONE && *failed)
		event_fact(ev, "Failed in", "%s", failed);
	if (d->downtime_ms >= 0) {
		deploy_phrase_time(time, sizeof(time), d->downtime_ms);
		event_fact(ev, "Nothing served for", "%s", time);
	}
	deploy_phrase_stages(d, &stages);
	if (d->started_ms && d->ended_ms) {
		deploy_phrase_time(time, sizeof(time), d->ended_ms - d->started_ms);
		event_fact(ev, "Took", "%s%s%s%s", time, stages.len ? " (" : "", buf_str(&stages),
			stages.len ? ")" : "");
	}
	event_fact(ev, "Deploy", "%lld", (long long)d->id);
}

static void add_address(struct event *ev, const struct deploy_app *a)
{
	const char *domain = a ? json_view_text(a->options, "domain") : "";

	if (*domain)
		event_fact(ev, "Domain", "%s", domain);
}

struct event *deploy_event(
	const struct deploy *d, const struct deploy_app *a, const struct deploy_event_facts *f)
{
	const struct row *row = row_of(d);
	bool over = d->state == DEPLOY_DONE && f->story_ms;
	struct event *ev;

	if (!row || (d->state == DEPLOY_CANCELLED && !d->started_ms))
		return NULL;
	ev = new_event(over ? EVENT_DEPLOY_RECOVERED : row->kind, row->severity, d->app);
	if (over) {
		ev->is_end = true;
		ev->since_ms = f->story_ms;
		ev->duration_ms = f->now_ms - f->story_ms;
	}
	set_title(ev, d, over);
	set_text(ev, d, f);
	add_what(ev, d);
	add_course(ev, d);
	add_address(ev, a);
	return ev;
}

int64_t deploy_event_story_ms(const json_t *runs, int64_t id)
{
	int64_t since = 0;
	const json_t *run;
	size_t i;

	json_array_foreach(runs, i, run)
	{
		enum deploy_state s;

		if (json_view_int(run, "id") >= id ||
			deploy_state_find(json_view_text(run, "state"), &s) < 0)
			continue;
		if (s == DEPLOY_DONE)
			break;
		if (s == DEPLOY_FAILED || s == DEPLOY_ROLLED_BACK || s == DEPLOY_BROKEN)
			since = json_view_int(run, "ended_ms");
	}
	return since;
}

struct event *deploy_event_audit(
	const char *app, const struct deploy *d, const char *what, const char *by)
{
	struct event *ev = new_event(EVENT_DEPLOY_AUDIT, SEVERITY_INFO, app);
	_cleanup_(buf_done) struct buf version = BUF_INIT(EVENT_FACT_MAX);

	/* Each is its own story: none stands for another. */
	event_set(&ev->key, "");
	if (!d) {
		event_title(ev, "%s: %s%s%s", app, what, *by ? " by " : "", by);
		return ev;
	}
	deploy_phrase_what(d, &version);
	event_title(ev, "Deploy %lld of %s: %s%s%s%s%s%s", (long long)d->id, app, what,
		*by ? " by " : "", by, *d->trigger ? " (" : "", d->trigger, *d->trigger ? ")" : "");
	event_fact(ev, "Version", "%s", buf_str(&version));
	return ev;
}
