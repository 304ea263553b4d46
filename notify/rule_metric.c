/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "notify/rule_impl.h"

enum { CLASS_NAME_MAX = 32, FULL_NAME_MAX = 160 };

static const char form[] = "CLASS.METRIC, such as \"filesystem.used_percent\"";

/* The metric whose full name is nearest to what was written; false when none is near. */
static bool nearest(const char *class_name, const char *metric, char *to, size_t size)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; entity_classes[i]; i++) {
		const struct entity_class *c = entity_classes[i];
		size_t of_class = str_distance(c->name, class_name);

		for (size_t j = 0; of_class <= 2 && j < c->n_metrics; j++) {
			size_t d = str_distance(c->metrics[j].name, metric);

			if (d > strlen(metric) / 3 + 1 || d + of_class >= best)
				continue;
			best = d + of_class;
			(void)snprintf(to, size, "%s.%s", c->name, c->metrics[j].name);
		}
	}
	return best != SIZE_MAX;
}

static int unknown(const char *text, const char *class_name, const char *metric, struct err *e)
{
	char near[FULL_NAME_MAX];

	if (nearest(class_name, metric, near, sizeof(near)))
		return err_set(e, EINVAL, "there is no metric \"%.80s\"; did you mean \"%s\"?",
			text, near);
	return err_set(
		e, EINVAL, "there is no metric \"%.80s\"; docs/metrics.md lists them all", text);
}

static size_t matching(const struct entity_class *c, const char *pattern, size_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_metrics && n < RULE_METRICS_MAX; i++)
		if (str_matches_any(&pattern, 1, c->metrics[i].name, false))
			out[n++] = i;
	return n;
}

static int find(const char *text, const struct entity_class **out_class, size_t *out, size_t *n,
	struct err *e)
{
	const char *dot = strchr(text, '.');
	char class_name[CLASS_NAME_MAX];
	const struct entity_class *c;
	size_t found;

	if (!dot || !dot[1] || (size_t)(dot - text) >= sizeof(class_name))
		return err_set(e, EINVAL, "\"%.80s\" is not of the form %s", text, form);
	memcpy(class_name, text, (size_t)(dot - text));
	class_name[dot - text] = '\0';
	c = entity_class_find(class_name);
	found = c ? matching(c, dot + 1, out) : 0;
	if (!found)
		return unknown(text, class_name, dot + 1, e);
	*out_class = c;
	*n = found;
	return 0;
}

int rule_check_metric(const char *text, struct err *e)
{
	const struct entity_class *c;
	size_t metrics[RULE_METRICS_MAX], n;

	return find(text, &c, metrics, &n, e);
}

int rule_find_metrics(const struct rule_settings *s, enum rule_type type,
	const struct entity_class **out_class, size_t *out, size_t *n, struct err *e)
{
	int running, r;

	if (!s->metric)
		return err_set(e, EINVAL, "metric: is missing; expected %s", form);
	r = find(s->metric, out_class, out, n, e);
	if (r < 0)
		return err_wrap(e, r, "metric");
	if (type == RULE_GONE) {
		running = metric_find(*out_class, "running");
		out[0] = running >= 0 ? (size_t)running : out[0];
		*n = 1;
	}
	return 0;
}
