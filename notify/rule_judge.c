/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "notify/rule.h"

static enum rule_reading as_reading(enum severity s)
{
	return s == SEVERITY_CRITICAL ? READING_CRITICAL : READING_WARNING;
}

enum rule_reading rule_judge(const struct rule *r, double v, enum severity level)
{
	bool has_warning = r->warning.op != LIMIT_NONE;

	if (r->type == RULE_MISSING)
		return isnan(v) ? as_reading(r->severity) : READING_CLEAR;
	if (isnan(v))
		return READING_UNKNOWN;
	if (r->type == RULE_GONE)
		return rule_exceeds(r, v) ? as_reading(r->severity) : READING_CLEAR;
	if (limit_holds(&r->critical, v))
		return READING_CRITICAL;
	if (r->critical.op != LIMIT_NONE && !limit_holds(&r->critical_clear, v)) {
		if (!has_warning)
			return READING_BETWEEN;
		if (level == SEVERITY_CRITICAL)
			return READING_CRITICAL;
	}
	if (limit_holds(&r->warning, v))
		return READING_WARNING;
	return !has_warning || limit_holds(&r->warning_clear, v) ? READING_CLEAR : READING_BETWEEN;
}

/* What no pattern says is left out when some pattern asks for something, else it is in. */
static bool fits(const char *const *patterns, size_t n, const char *text)
{
	bool otherwise = true;

	for (size_t i = 0; i < n; i++)
		otherwise = otherwise && patterns[i][0] == '!';
	return str_matches_any(patterns, n, text, otherwise);
}

/* "image=shop*" or "!project=test". */
static bool has_label(const struct entity *e, const char *text)
{
	bool negative = *text == '!';
	const char *name = text + negative;
	size_t length = strcspn(name, "=");
	const char *pattern = name + length + (name[length] == '=');
	const char *value = "";

	for (size_t i = 0; i < e->n_labels; i++)
		if (strlen(e->labels[i].name) == length &&
			memcmp(e->labels[i].name, name, length) == 0)
			value = e->labels[i].value;
	return fits(&pattern, 1, value) != negative;
}

bool rule_watches(const struct rule *r, const struct entity *e)
{
	if (r->class != e->class || !fits((const char *const *)r->entities, r->n_entities, e->key))
		return false;
	for (size_t i = 0; i < r->n_labels; i++)
		if (!has_label(e, r->labels[i]))
			return false;
	return true;
}
