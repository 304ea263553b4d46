/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "notify/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 11 };

/* The lines of the input, in the order of the configuration's words for a rule; an empty one is
 * not set. */
static void fill(struct rule_settings *s, char *text, const char **entity, const char **label)
{
	const char **const fields[FIELDS] = {&s->name, &s->type, &s->metric, &s->how, &s->target,
		&s->warning, &s->critical, &s->clear, &s->critical_clear, entity, label};
	char *line;

	for (size_t i = 0; i < FIELDS && (line = strsep(&text, "\n")); i++)
		if (*line)
			*fields[i] = line;
}

static void check_rule(const struct rule *r)
{
	static const double values[] = {-1e9, -1, 0, 0.5, 1, 50, 90, 99, 1e12};

	assert(r->class && r->metric < r->class->n_metrics);
	assert(!rule_exceeds(r, (double)NAN));
	if (r->type == RULE_MISSING)
		return;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		enum rule_reading now = rule_judge(r, values[i], SEVERITY_INFO);

		assert(rule_exceeds(r, values[i]) == (now >= READING_WARNING));
		/* What is clear for an alert that fires is clear for one that does not. */
		if (rule_judge(r, values[i], SEVERITY_CRITICAL) == READING_CLEAR)
			assert(now == READING_CLEAR);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1024];
	const char *entity = NULL, *label = NULL;
	struct rule_settings s;
	struct rule_set *set = NULL;
	struct err e = {""};

	if (size >= sizeof(text))
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	rule_settings_init(&s);
	fill(&s, text, &entity, &label);
	s.window_ms = s.how || s.target ? 3600000 : -1;
	s.entities = (struct rule_patterns){&entity, entity != NULL};
	s.labels = (struct rule_patterns){&label, label != NULL};
	if (rule_check(&s, &e) < 0) {
		assert(*e.msg);
		assert(rule_set_new(&s, 1, &set, &e) < 0 && !set);
		return 0;
	}
	assert(rule_set_new(&s, 1, &set, &e) == 0);
	for (size_t i = 0; i < set->n; i++)
		check_rule(&set->rules[i]);
	rule_set_free(set);
	return 0;
}
