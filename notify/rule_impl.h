/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files rule*.c share: from settings to compiled rules. Internal to them.
 */
#ifndef NOTIFY_RULE_IMPL_H
#define NOTIFY_RULE_IMPL_H

#include "notify/rule.h"

/* What is compiled: the settings as they apply, and where they come from. */
struct rule_source {
	struct rule_settings s; /* built-in, then the user's */
	const struct rule_settings *own; /* as the user wrote it; NULL */
	const struct rule_settings *builtin; /* NULL */
};

/* At least one of the two. */
void rule_source_init(struct rule_source *src, const struct rule_settings *builtin,
	const struct rule_settings *own);

/* Adds one rule for each metric that fits. -EINVAL names the setting that is wrong. */
int rule_compile(const struct rule_source *src, struct rule_set *set, struct err *e);

/* The four limits, in r->unit. */
int rule_compile_limits(const struct rule_source *src, struct rule *r, struct err *e);
/* Class and metrics. `out` gets the indices of those that fit. */
enum { RULE_METRICS_MAX = 100 };
int rule_find_metrics(const struct rule_settings *s, enum rule_type type,
	const struct entity_class **out_class, size_t *out, size_t *n, struct err *e);

#endif
