/* SPDX-License-Identifier: Apache-2.0
 *
 * The operation alerts.rules: built-in ones and the user's with their limits and their state.
 */
#include "agent/ops.h"

#include <stdlib.h>
#include <string.h>

#include "agent/alerting.h"
#include "agent/daemon_parts.h"
#include "agent/reply.h"
#include "base/str.h"

static struct alerts *alerts_of(const struct control_call *c)
{
	return notify_alerts(alerting_notify(c->daemon->alerting));
}

/* What the name stands for: the built-in rule, with the user's on top. */
static void settings_of(
	const struct notify_settings *s, const char *name, struct rule_settings *out)
{
	const struct rule_settings *builtin = rule_builtin_find(name);

	if (builtin)
		*out = *builtin;
	for (size_t i = 0; i < s->n_rules; i++) {
		if (strcmp(s->rules[i].name, name) != 0)
			continue;
		if (builtin)
			rule_settings_overlay(out, &s->rules[i]);
		else
			*out = s->rules[i];
	}
}

/* The first compiled rule of that name; NULL when it is off. */
static const struct rule *compiled(const struct rule_set *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->rules[i].name, name) == 0)
			return &set->rules[i];
	return NULL;
}

static void add_limit_text(struct buf *b, const char *name, const struct limit *l,
	const struct rule *r, const char *written)
{
	char text[LIMIT_TEXT_MAX] = "";

	if (r)
		limit_print(text, sizeof(text), l, r->unit);
	else if (written)
		(void)str_copy(text, sizeof(text), written);
	reply_text(b, name, text);
}

static void add_limits(struct buf *b, const struct rule *r, const struct rule_settings *s)
{
	static const struct limit none;

	add_limit_text(b, "warning", r ? &r->warning : &none, r, s->warning);
	add_limit_text(b, "critical", r ? &r->critical : &none, r, s->critical);
	add_limit_text(b, "clear", r ? &r->warning_clear : &none, r, s->clear);
	add_limit_text(b, "critical_clear", r ? &r->critical_clear : &none, r, s->critical_clear);
}

static void add_patterns(struct buf *b, const char *name, const struct rule_patterns *p)
{
	reply_texts(b, name, p->list, p->n);
}

static int64_t known_ms(int64_t ms)
{
	return ms < 0 ? 0 : ms;
}

static void add_rule(struct buf *b, const struct rule *r, const struct rule_settings *s)
{
	reply_text(b, "name", s->name);
	reply_text(b, "type", s->type ? s->type : "value");
	reply_text(b, "metric", s->metric ? s->metric : "");
	add_patterns(b, "entities", &s->entities);
	add_patterns(b, "labels", &s->labels);
	reply_text(b, "how", s->how ? s->how : "last");
	reply_int(b, "window_ms", r ? r->window_ms : known_ms(s->window_ms));
	add_limits(b, r, s);
	reply_text_if(b, "target", s->target);
	reply_text_if(b, "severity", s->severity);
	reply_int(b, "for_ms", r ? r->for_ms : known_ms(s->for_ms));
	reply_int(b, "clear_for_ms", r ? r->clear_for_ms : known_ms(s->clear_for_ms));
	reply_int(b, "repeat_ms", r ? r->repeat_ms : known_ms(s->repeat_ms));
	reply_bool(b, "enabled", r != NULL);
	reply_bool(b, "builtin", rule_builtin_find(s->name) != NULL);
	reply_text(b, "origin", s->origin ? s->origin : "");
	reply_text(b, "doc", s->doc ? s->doc : "");
	add_patterns(b, "channels", &s->channels);
}

static void add_rule_state(
	const struct control_call *c, const char *name, const struct alert *const *list, size_t n)
{
	size_t pending = 0;

	for (size_t i = 0; i < n; i++)
		pending += list[i]->life.state == ALERT_PENDING &&
			   strcmp(list[i]->rule->name, name) == 0;
	reply_int(c->reply, "watched", (int64_t)alerts_watched(alerts_of(c), name));
	reply_int(c->reply, "firing", (int64_t)alerts_firing(alerts_of(c), name));
	reply_int(c->reply, "pending", (int64_t)pending);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Built-in ones and the user's, each once. */
static size_t rule_names(const struct notify_settings *s, const char ***out)
{
	size_t n = 0;

	*out = calloc(rules_builtin_count + s->n_rules + 1, sizeof(**out));
	if (!*out)
		abort();
	for (size_t i = 0; i < rules_builtin_count; i++)
		(*out)[n++] = rules_builtin[i].name;
	for (size_t i = 0; i < s->n_rules; i++)
		if (!rule_builtin_find(s->rules[i].name))
			(*out)[n++] = s->rules[i].name;
	qsort(*out, n, sizeof(**out), by_name);
	return n;
}

int op_alerts_rules(const struct control_call *c, struct err *e)
{
	const struct notify_settings *settings = alerting_settings(c->daemon->alerting);
	_cleanup_(free_p) const struct alert **list = NULL;
	_cleanup_(free_p) const char **names = NULL;
	size_t n_alerts = alerting_list(c->daemon->alerting, &list),
	       n = rule_names(settings, &names);

	(void)e;
	reply_open_list(c->reply, "rules");
	for (size_t i = 0; i < n; i++) {
		struct rule_settings s;

		rule_settings_init(&s);
		settings_of(settings, names[i], &s);
		reply_open_object(c->reply);
		add_rule(c->reply, compiled(alerts_rules(alerts_of(c)), names[i]), &s);
		add_rule_state(c, names[i], list, n_alerts);
		buf_addc(c->reply, '}');
	}
	buf_addc(c->reply, ']');
	return 0;
}
