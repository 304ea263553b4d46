/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "notify/rule_impl.h"

static const int64_t minute_ms = 60000, day_ms = 86400000;

static const char name_chars[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* In the order of enum rule_type and enum window_how. */
static const char *const types[] = {"value", "change", "forecast", "missing", "gone", NULL};
static const char *const hows[] = {"last", "average", "maximum", "minimum", "sum", NULL};

/* Index of the word, or -EINVAL that names the nearest. */
static int find_word(const char *field, const char *text, const char *const *words, struct err *e)
{
	const char *near = NULL;
	size_t best = 3;

	for (int i = 0; words[i]; i++) {
		size_t d = str_distance(words[i], text);

		if (d == 0)
			return i;
		if (d < best) {
			best = d;
			near = words[i];
		}
	}
	if (near)
		return err_set(e, EINVAL, "%s: there is no \"%.60s\"; did you mean \"%s\"?", field,
			text, near);
	return err_set(e, EINVAL, "%s: there is no \"%.60s\"; expected %s %s %s %s or %s", field,
		text, words[0], words[1], words[2], words[3], words[4]);
}

static int check_name(const struct rule_settings *s, struct err *e)
{
	if (!s->name || !*s->name)
		return err_set(e, EINVAL, "name: is missing");
	if (strlen(s->name) > RULE_NAME_MAX || s->name[strspn(s->name, name_chars)])
		return err_set(e, EINVAL,
			"name: \"%.80s\" is not of at most %d letters, digits, '_', '-' and '.'",
			s->name, RULE_NAME_MAX);
	return 0;
}

static int compile_window(const struct rule_settings *s, struct rule *r, struct err *e)
{
	int how;

	r->window_ms = s->window_ms > 0 ? s->window_ms : 0;
	if (r->window_ms > 31 * day_ms)
		return err_set(e, EINVAL, "window: is longer than 31 days");
	if (s->how && r->type != RULE_VALUE)
		return err_set(e, EINVAL, "how: only a rule of type \"value\" has it");
	if (r->window_ms && (r->type == RULE_MISSING || r->type == RULE_GONE))
		return err_set(e, EINVAL,
			"window: a rule of type \"%s\" has none; \"for\" says how long it waits",
			types[r->type]);
	if (r->type == RULE_CHANGE || r->type == RULE_FORECAST) {
		r->how = r->type == RULE_CHANGE ? WINDOW_CHANGE : WINDOW_LINE;
		if (!r->window_ms)
			return err_set(e, EINVAL,
				"window: is missing; expected the time to look back on, such as "
				"\"6h\"");
		if (r->type == RULE_FORECAST && r->window_ms < 10 * minute_ms)
			return err_set(e, EINVAL,
				"window: is too short for a forecast; expected at least 10m");
		return 0;
	}
	how = s->how ? find_word("how", s->how, hows, e) : r->window_ms ? WINDOW_AVERAGE : 0;
	if (how < 0)
		return how;
	r->how = (enum window_how)how;
	if (r->how == WINDOW_LAST && r->window_ms)
		return err_set(e, EINVAL,
			"how: \"last\" has no window; expected average maximum minimum or sum");
	if (r->how != WINDOW_LAST && !r->window_ms)
		return err_set(
			e, EINVAL, "window: is missing; expected a duration such as \"10m\"");
	return 0;
}

static int compile_target(const struct rule_settings *s, struct rule *r, struct err *e)
{
	const struct metric *m = &r->class->metrics[r->metric];

	r->unit = r->type == RULE_FORECAST ? UNIT_SECONDS : m->unit;
	if (r->type != RULE_FORECAST)
		return s->target ? err_set(e, EINVAL,
					   "target: only a rule of type \"forecast\" has it")
				 : 0;
	if (!s->target)
		return err_set(e, EINVAL,
			"target: is missing; expected the value that must not be reached, such as "
			"\"100\"");
	return err_wrap(e, limit_parse_value(s->target, m->unit, &r->target, e), "target");
}

static int compile_severity(const struct rule_settings *s, struct rule *r, struct err *e)
{
	r->severity = SEVERITY_WARNING;
	if (!s->severity)
		return 0;
	if (r->type != RULE_MISSING && r->type != RULE_GONE)
		return err_set(e, EINVAL,
			"severity: only rules of type \"missing\" and \"gone\" have it; expected "
			"limits in warning and critical");
	if (!severity_from(s->severity, &r->severity) || r->severity == SEVERITY_INFO)
		return err_set(e, EINVAL,
			"severity: there is no \"%.60s\"; expected warning or critical",
			s->severity);
	return 0;
}

static int check_time(const char *field, int64_t ms, int64_t most_days, int64_t *out, struct err *e)
{
	if (ms > most_days * day_ms)
		return err_set(e, EINVAL, "%s: is longer than %d days", field, (int)most_days);
	*out = ms > 0 ? ms : 0;
	return 0;
}

static int compile_times(const struct rule_settings *s, struct rule *r, struct err *e)
{
	int x = check_time("for", s->for_ms, 31, &r->for_ms, e);

	x = x < 0 ? x : check_time("clear_for", s->clear_for_ms, 31, &r->clear_for_ms, e);
	return x < 0 ? x : check_time("repeat", s->repeat_ms, 366, &r->repeat_ms, e);
}

static int check_patterns(const char *field, const struct rule_patterns *p, struct err *e)
{
	if (p->n > RULE_PATTERNS_MAX)
		return err_set(
			e, EINVAL, "%s: has more than %d patterns", field, (int)RULE_PATTERNS_MAX);
	for (size_t i = 0; i < p->n; i++)
		if (!p->list[i][p->list[i][0] == '!'])
			return err_set(e, EINVAL, "%s: an empty pattern matches nothing", field);
	return 0;
}

static int check_labels(const struct rule_patterns *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *name = p->list[i] + (p->list[i][0] == '!');

		if (*name == '=' || !strchr(name, '='))
			return err_set(e, EINVAL,
				"labels: \"%.80s\" is not of the form NAME=PATTERN, such as "
				"\"image=shop*\"",
				p->list[i]);
	}
	return 0;
}

static char **copy_list(const struct rule_patterns *p)
{
	char **list = calloc(p->n + 1, sizeof(*list));

	if (!list)
		abort();
	for (size_t i = 0; i < p->n; i++)
		list[i] = str_dup(p->list[i]);
	return list;
}

static void copy_texts(const struct rule_settings *s, struct rule *r)
{
	r->name = str_dup(s->name);
	r->doc = str_dup(s->doc ? s->doc : "");
	r->origin = str_dup(s->origin ? s->origin : "");
	r->is_builtin = s->is_builtin;
	r->recovery = s->recovery != 0;
	r->entities = copy_list(&s->entities);
	r->n_entities = s->entities.n;
	r->labels = copy_list(&s->labels);
	r->n_labels = s->labels.n;
	r->channels = copy_list(&s->channels);
	r->n_channels = s->channels.n;
}

static int add(struct rule_set *set, const struct rule_settings *s, struct rule *r, struct err *e)
{
	if (set->n == RULES_MAX)
		return err_set(e, E2BIG, "there are more than %d rules", (int)RULES_MAX);
	if (set->n % 16 == 0) {
		set->rules = realloc(set->rules, (set->n + 16) * sizeof(*set->rules));
		if (!set->rules)
			abort();
	}
	copy_texts(s, r);
	set->rules[set->n++] = *r;
	return 0;
}

static int check_all_patterns(const struct rule_settings *s, struct err *e)
{
	int x = check_patterns("entities", &s->entities, e);

	x = x < 0 ? x : check_patterns("labels", &s->labels, e);
	x = x < 0 ? x : check_labels(&s->labels, e);
	return x < 0 ? x : check_patterns("channels", &s->channels, e);
}

/* What is the same for all metrics. */
static int compile_common(const struct rule_settings *s, struct rule *r, struct err *e)
{
	int x = check_name(s, e);

	if (x < 0)
		return x;
	x = s->type ? find_word("type", s->type, types, e) : RULE_VALUE;
	if (x < 0)
		return x;
	r->type = (enum rule_type)x;
	x = compile_window(s, r, e);
	x = x < 0 ? x : compile_severity(s, r, e);
	x = x < 0 ? x : compile_times(s, r, e);
	return x < 0 ? x : check_all_patterns(s, e);
}

int rule_compile(const struct rule_source *src, struct rule_set *set, struct err *e)
{
	const struct rule_settings *s = &src->s;
	size_t metrics[RULE_METRICS_MAX], n;
	struct rule r = {.name = NULL};
	int x = compile_common(s, &r, e);

	x = x < 0 ? x : rule_find_metrics(s, r.type, &r.class, metrics, &n, e);
	if (x < 0)
		return x;
	r.is_pattern = strpbrk(s->metric, "*?[") != NULL;
	for (size_t i = 0; i < n; i++) {
		r.metric = metrics[i];
		x = compile_target(s, &r, e);
		x = x < 0 ? x : rule_compile_limits(src, &r, e);
		x = x < 0 ? x : add(set, s, &r, e);
		if (x < 0)
			return x;
	}
	return 0;
}
