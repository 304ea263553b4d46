/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent alerts test RULE --since 2d`: the stored history through the rules as they are configured
 * now.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/config.h"
#include "agent/notify_config.h"
#include "agent/replay_entities.h"
#include "agent/replay_history.h"
#include "agent/replay_report.h"
#include "base/clock.h"
#include "base/str.h"

static const int64_t hour_ms = 3600000;

struct test {
	struct config *config;
	struct notify_config *notify;
	struct rule_set *rules;
	struct replay_entities entities;
	struct replay_history host; /* when the agent ran; values NULL: not known */
	struct replay_report report;
};

static void test_done(struct test *t)
{
	replay_report_done(&t->report);
	replay_history_done(&t->host);
	replay_entities_done(&t->entities);
	rule_set_free(t->rules);
	notify_config_free(t->notify);
	config_free(t->config);
}

static int load_config(const struct command_call *c, struct test *t)
{
	struct mistakes m = {NULL, 0, 0};
	int r = config_load(c->flags[FLAG_CONFIG], NULL, 0, &t->config, &m);

	if (r == 0)
		r = notify_config_without_secrets(t->config, &t->notify, &m);
	for (size_t i = 0; i < m.n; i++)
		(void)fprintf(stderr, "%s\n", m.list[i]);
	mistakes_done(&m);
	return r < 0 ? COMMAND_FAILED : 0;
}

static bool fits(const char *pattern, const char *name)
{
	return str_matches_any(&pattern, 1, name, false);
}

/* Those of the user and the built-in ones he does not mention; what is asked about is on. */
static struct rule_settings *choose(const struct notify_settings *s, const char *pattern, size_t *n)
{
	struct rule_settings *list = calloc(s->n_rules + rules_builtin_count + 1, sizeof(*list));

	if (!list)
		abort();
	*n = 0;
	for (size_t i = 0; i < s->n_rules; i++) {
		list[*n] = s->rules[i];
		list[(*n)++].enabled = fits(pattern, s->rules[i].name);
	}
	for (size_t i = 0; i < rules_builtin_count; i++) {
		bool mentioned = false;

		for (size_t j = 0; j < s->n_rules; j++)
			mentioned =
				mentioned || strcmp(s->rules[j].name, rules_builtin[i].name) == 0;
		if (mentioned)
			continue;
		rule_settings_init(&list[*n]);
		list[*n].name = rules_builtin[i].name;
		list[(*n)++].enabled = fits(pattern, rules_builtin[i].name);
	}
	return list;
}

static const char *nearest_rule(const struct rule_settings *list, size_t n, const char *name)
{
	size_t best = strlen(name) / 3 + 2;
	const char *near = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = str_distance(list[i].name, name);

		if (d >= best)
			continue;
		best = d;
		near = list[i].name;
	}
	return near;
}

static int load_rules(const char *pattern, struct test *t)
{
	size_t n;
	_cleanup_(free_p) struct rule_settings *list =
		choose(notify_config_settings(t->notify), pattern, &n);
	const char *near;
	struct err e;
	int r = rule_set_new(list, n, &t->rules, &e);

	if (r < 0)
		return cmd_fail(r, &e);
	if (t->rules->n)
		return 0;
	near = nearest_rule(list, n, pattern);
	if (near)
		r = err_set(
			&e, ENOENT, "there is no rule \"%s\"; did you mean \"%s\"?", pattern, near);
	else
		r = err_set(&e, ENOENT, "there is no rule \"%s\"; agent alerts rules lists them",
			pattern);
	return cmd_fail(r, &e);
}

static int parse_since(const struct command_call *c, struct test *t)
{
	const char *text = c->flags[FLAG_SINCE] ? c->flags[FLAG_SINCE] : "2d";
	const struct rrd_layout *layout = config_layout(t->config);
	int64_t since_ms, longest_ms = rrd_layout_longest_seconds(layout) * 1000;
	struct err e;

	if (str_to_duration_ms(text, &since_ms, &e) < 0)
		return cmd_usage(c, "--since: %s", e.msg);
	if (since_ms < t->report.interval_ms)
		return cmd_usage(c, "--since: %s is less than one sample", text);
	/* More than there is costs nothing but time. */
	since_ms = since_ms < longest_ms ? since_ms : longest_ms;
	t->report.to_ms = clock_wall_ms();
	t->report.from_ms = t->report.to_ms - since_ms;
	return 0;
}

/* The history a rule needs before the time it is asked about: to fill its window, and to know what
 * fires already. */
static int64_t lead_ms(const struct rule *r)
{
	return r->window_ms + r->for_ms + r->clear_for_ms + hour_ms;
}

/* A stored metric that is known whenever the entity is measured and runs. */
static size_t presence_metric(const struct entity_class *c)
{
	int memory = metric_find(c, "memory_used_bytes");
	size_t i = 0;

	if (memory >= 0)
		return (size_t)memory;
	while (i + 1 < c->n_metrics && !c->metrics[i].ds)
		i++;
	return i;
}

static enum rrd_consolidation consolidation(const struct rule *r)
{
	bool is_event = r->class->metrics[r->metric].kind == METRIC_DELTA && r->how == WINDOW_LAST;

	return r->how == WINDOW_MAXIMUM || is_event ? RRD_MAXIMUM : RRD_AVERAGE;
}

/* Of the host: where it has no value, there was no agent. */
static void read_host(struct test *t)
{
	const size_t metric = HOST_memory_used_bytes;
	int64_t lead = 0;

	for (size_t i = 0; i < t->rules->n; i++)
		lead = lead_ms(&t->rules->rules[i]) > lead ? lead_ms(&t->rules->rules[i]) : lead;
	for (struct entity *e = registry_first(t->entities.registry); e; e = e->next)
		if (e->class == &class_host && e->owner)
			(void)replay_history_read(e->owner, e->class, &metric, 1, RRD_AVERAGE,
				config_layout(t->config),
				(time_t)((t->report.from_ms - lead) / 1000),
				(time_t)(t->report.to_ms / 1000), &t->host, NULL);
}

static bool agent_ran(const struct test *t, time_t when)
{
	const struct replay_history *h = &t->host;

	if (!h->values || when < h->start)
		return true;
	if ((size_t)((when - h->start) / h->step_seconds) >= h->n)
		return true;
	return !isnan(h->values[(when - h->start) / h->step_seconds]);
}

static void replay_all(struct test *t, const struct replay_history *h, struct replay *p)
{
	for (size_t i = 0; i < h->n; i++) {
		time_t when = h->start + (time_t)i * (time_t)h->step_seconds;
		const double *v = h->values + 2 * i;
		int64_t ms = (int64_t)when * 1000;

		if (!agent_ran(t, when))
			continue;
		if ((!isnan(v[0]) || !isnan(v[1])) && ms >= t->report.from_ms &&
			ms < t->report.first_ms)
			t->report.first_ms = ms;
		replay_sample(p, ms, v[0], !isnan(v[1]));
	}
}

static struct replay_result *add_result(struct replay_report *r)
{
	if (r->n % 64 == 0) {
		r->results = realloc(r->results, (r->n + 64) * sizeof(*r->results));
		if (!r->results)
			abort();
	}
	return &r->results[r->n++];
}

/* 0, also for an entity without a file. */
static int test_entity(
	struct test *t, const struct rule *r, const struct entity *e, struct err *err)
{
	const struct metric *m = &r->class->metrics[r->metric];
	size_t there = presence_metric(r->class);
	const size_t metrics[] = {m->ds ? r->metric : there, there};
	struct replay_result *result;
	struct replay_history h;
	int x;

	if (!e->owner)
		return 0;
	x = replay_history_read(e->owner, e->class, metrics, 2, consolidation(r),
		config_layout(t->config), (time_t)((t->report.from_ms - lead_ms(r)) / 1000),
		(time_t)(t->report.to_ms / 1000), &h, err);
	if (x == -ENOENT)
		return 0;
	if (x < 0)
		return x;
	result = add_result(&t->report);
	*result = (struct replay_result){.rule = r, .entity = e};
	replay_init(&result->replay, r, t->report.interval_ms, t->report.from_ms);
	replay_all(t, &h, &result->replay);
	if (h.coarsest_seconds * 1000 > t->report.coarsest_ms)
		t->report.coarsest_ms = h.coarsest_seconds * 1000;
	if ((int64_t)h.coarse_until * 1000 > t->report.coarse_until_ms)
		t->report.coarse_until_ms = (int64_t)h.coarse_until * 1000;
	replay_history_done(&h);
	return 0;
}

static int test_rule(struct test *t, struct rule *r, struct err *err)
{
	const struct metric *m = &r->class->metrics[r->metric];
	int x = 0;

	if (!m->ds && r->type != RULE_GONE)
		return err_set(err, ENOTSUP, "rule \"%s\": %s.%s has no history", r->name,
			r->class->name, m->name);
	/* Without labels all would seem to have none. */
	if (!t->entities.from_agent && r->n_labels) {
		t->report.labels_unknown = true;
		while (r->n_labels)
			free(r->labels[--r->n_labels]);
	}
	t->report.rules[t->report.n_rules++] = r;
	for (struct entity *e = registry_first(t->entities.registry); e && x == 0; e = e->next)
		if (rule_watches(r, e))
			x = test_entity(t, r, e, err);
	return x;
}

static int test_rules(const struct command_call *c, struct test *t)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	struct err e;
	int r = replay_entities_find(state, &t->entities, &e);

	if (r < 0)
		return cmd_fail(r == -ESRCH ? -EIO : r, &e);
	t->report.rules = calloc(t->rules->n, sizeof(*t->report.rules));
	if (!t->report.rules)
		abort();
	t->report.coarsest_ms = t->report.interval_ms;
	t->report.first_ms = INT64_MAX;
	read_host(t);
	for (size_t i = 0; i < t->rules->n; i++) {
		r = test_rule(t, &t->rules->rules[i], &e);
		if (r < 0 && (r != -ENOTSUP || t->rules->n == 1))
			return cmd_fail(r, &e);
	}
	return 0;
}

int cmd_alerts_test(const struct command_call *c)
{
	_cleanup_(test_done) struct test t = {.config = NULL};
	_cleanup_(buf_done) struct buf out = BUF_INIT(256 << 20);
	struct term term = term_detect();
	int r;

	if (!c->n_args)
		return cmd_usage(c, "which rule? \"agent alerts rules\" lists them");
	r = load_config(c, &t);
	if (r != 0)
		return r;
	t.report.interval_ms = config_layout(t.config)->step_seconds * 1000;
	r = parse_since(c, &t);
	r = r != 0 ? r : load_rules(c->args[0], &t);
	r = r != 0 ? r : test_rules(c, &t);
	if (r != 0)
		return r;
	if (c->flags[FLAG_JSON])
		replay_report_json(&t.report, &out);
	else
		replay_report_print(&t.report, &term, &out);
	return cmd_print(&out);
}
