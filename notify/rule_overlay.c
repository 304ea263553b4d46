/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "notify/rule_impl.h"

void rule_settings_init(struct rule_settings *s)
{
	*s = (struct rule_settings){
		.window_ms = -1,
		.for_ms = -1,
		.clear_for_ms = -1,
		.repeat_ms = -1,
		.enabled = -1,
		.recovery = -1,
	};
}

static bool is_other(const char *base, const char *over)
{
	return over && (!base || strcmp(base, over) != 0);
}

static void forget_measure(struct rule_settings *s)
{
	s->how = NULL;
	s->window_ms = -1;
	s->target = NULL;
	s->warning = s->critical = NULL;
	s->clear = s->critical_clear = NULL;
	s->severity = NULL;
	s->doc = NULL;
}

static void set_text(const char **base, const char *over)
{
	if (over)
		*base = over;
}

static void set_time(int64_t *base, int64_t over)
{
	if (over >= 0)
		*base = over;
}

static void set_choice(int *base, int over)
{
	if (over >= 0)
		*base = over;
}

static void set_patterns(struct rule_patterns *base, const struct rule_patterns *over)
{
	if (over->n)
		*base = *over;
}

void rule_settings_overlay(struct rule_settings *base, const struct rule_settings *over)
{
	if (is_other(base->type ? base->type : "value", over->type) ||
		is_other(base->metric, over->metric))
		forget_measure(base);
	set_text(&base->name, over->name);
	set_text(&base->type, over->type);
	set_text(&base->metric, over->metric);
	set_patterns(&base->entities, &over->entities);
	set_patterns(&base->labels, &over->labels);
	set_text(&base->how, over->how);
	set_time(&base->window_ms, over->window_ms);
	set_text(&base->target, over->target);
	set_text(&base->warning, over->warning);
	set_text(&base->critical, over->critical);
	set_text(&base->clear, over->clear);
	set_text(&base->critical_clear, over->critical_clear);
	set_text(&base->severity, over->severity);
	set_time(&base->for_ms, over->for_ms);
	set_time(&base->clear_for_ms, over->clear_for_ms);
	set_time(&base->repeat_ms, over->repeat_ms);
	set_choice(&base->enabled, over->enabled);
	set_choice(&base->recovery, over->recovery);
	set_patterns(&base->channels, &over->channels);
	set_text(&base->doc, over->doc);
	set_text(&base->origin, over->origin);
	base->is_builtin = base->is_builtin || over->is_builtin;
}

void rule_source_init(struct rule_source *src, const struct rule_settings *builtin,
	const struct rule_settings *own)
{
	src->own = own;
	src->builtin = builtin;
	if (builtin) {
		src->s = *builtin;
		src->s.is_builtin = true;
	} else {
		rule_settings_init(&src->s);
	}
	if (own)
		rule_settings_overlay(&src->s, own);
}
