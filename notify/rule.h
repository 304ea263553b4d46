/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules: what people write (struct rule_settings, texts), the built-in ones in the same form, and
 * what is evaluated (struct rule, compiled). A rule of the user with the name of a built-in one
 * changes just what it sets. Pure.
 */
#ifndef NOTIFY_RULE_H
#define NOTIFY_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collectors/entity.h"
#include "collectors/metric.h"
#include "notify/limit.h"
#include "notify/severity.h"
#include "notify/window.h"

enum rule_type {
	RULE_VALUE, /* the value, or its window, against the limits */
	RULE_CHANGE, /* how far it moved within `window` */
	RULE_FORECAST, /* time until it reaches `target` on the line through `window`; limits are
			* durations: "< 24h" */
	RULE_MISSING, /* the entity is there, or was, and the value is unknown */
	/* The entity disappeared, or is there and not running (a container that left). Its metric just
	 * names the class: it is `running` where the class has it. */
	RULE_GONE,
};

enum { RULE_NAME_MAX = 64, RULES_MAX = 1000, RULE_PATTERNS_MAX = 100 };

struct rule_patterns {
	const char *const *list; /* as for str_matches_any() */
	size_t n;
};

/* As written; NULL and negative durations: not set. All texts borrowed. */
struct rule_settings {
	const char *name;
	const char *type; /* "value" "change" "forecast" "missing" "gone" */
	const char *metric; /* "filesystem.used_percent"; the part after the dot may have * and ? */
	struct rule_patterns entities; /* by key; none: all */
	struct rule_patterns labels; /* "image=shop*", "!project=test"; none: all; each text must
				      * be met by the label of that name (absent counts as "") */
	const char *how; /* "last" "average" "maximum" "minimum" "sum" */
	int64_t window_ms;
	const char *target; /* of a forecast */
	const char *warning, *critical; /* limits */
	/* Default: the opposite of the limit. `clear` is that of critical where there is no warning.
	 * Of a built-in rule whose limit was changed, it moves along in proportion. */
	const char *clear, *critical_clear;
	const char *severity; /* of missing and gone; default "warning" */
	int64_t for_ms; /* default 0 */
	int64_t clear_for_ms; /* default 0; built-in rules set it */
	int64_t repeat_ms; /* default 0: no reminders */
	int enabled; /* 1, 0; -1: not set, which is on */
	int recovery; /* whether its end is told; -1: not set, which is yes */
	struct rule_patterns channels; /* only these, by name; none: as the channels say */
	const char *doc; /* one sentence: what it means and what to do */
	const char *origin; /* "built in", "/etc/agent/agent.conf:12" */
	bool is_builtin; /* also when the user changed it */
};

/* The built-in rules, alphabetical. */
extern const struct rule_settings rules_builtin[];
extern const size_t rules_builtin_count;
const struct rule_settings *rule_builtin_find(const char *name);

/* An empty one: all not set. */
void rule_settings_init(struct rule_settings *s);
/* What `over` sets wins over `base`; the origin is that of `over`. With another type or metric the
 * limits, the window and the documentation of `base` are no use and forgotten. */
void rule_settings_overlay(struct rule_settings *base, const struct rule_settings *over);

/* One rule for one metric of one class. A pattern for the metric makes several. */
struct rule {
	char *name;
	unsigned number; /* index in its set */
	enum rule_type type;
	const struct entity_class *class;
	size_t metric;
	bool is_pattern; /* the name alone does not say which metric */
	enum window_how how;
	int64_t window_ms; /* 0: none */
	double target;
	struct limit warning, critical, warning_clear, critical_clear;
	enum metric_unit unit; /* of the limits: the metric's, seconds for a forecast */
	enum severity severity; /* of missing and gone */
	int64_t for_ms, clear_for_ms, repeat_ms;
	bool recovery;
	char *doc;
	char *origin;
	bool is_builtin;
	/* Copies, owned. */
	char **entities, **labels, **channels;
	size_t n_entities, n_labels, n_channels;
	/* For rule_exceeds(): a value above or below is over a limit. */
	double exceeds_above, exceeds_below;
};

/* An immutable set of compiled rules, sorted by class, then metric. */
struct rule_set {
	struct rule *rules;
	size_t n;
	/* Names of built-in and own rules that are switched off. */
	char **off;
	size_t n_off;
};

/* Says what is wrong with one rule as it was written ("warning: ..."), on top of the built-in one of
 * that name, if there is one; as a configuration check reports it. */
int rule_check(const struct rule_settings *s, struct err *e);
/* The same for the name of a metric, or a pattern for some of one class, alone. */
int rule_check_metric(const char *text, struct err *e);
/* Compiles the built-in rules with the user's on top. A rule with a mistake is an error: -EINVAL
 * with its name and origin. Everything is copied. */
int rule_set_new(const struct rule_settings *own, size_t n, struct rule_set **out, struct err *e);
void rule_set_free(struct rule_set *s); /* NULL is fine */
DEFINE_CLEANUP(struct rule_set *, rule_set_free);

/* What it waits for, in words: "filesystem.used_percent above 90 %, critical above 97 %, for 2m". */
void rule_print_condition(const struct rule *r, struct buf *out);

/* Whether the rule watches that entity (class, patterns, labels). */
bool rule_watches(const struct rule *r, const struct entity *e);

/* How bad a value is. UNKNOWN for NaN. */
enum rule_reading {
	READING_UNKNOWN,
	READING_CLEAR, /* all clear limits are met */
	READING_BETWEEN, /* below the limits, not yet clear of warning */
	READING_WARNING, /* over the warning limit; also under critical, not yet clear of it, when
			  * `level` is critical: then READING_CRITICAL */
	READING_CRITICAL,
	READINGS,
};
/* `level` is what the alert has now (SEVERITY_INFO: none): limits are left at their clear limits.
 * Without a warning limit, BETWEEN is the room between critical and its clear limit.
 * `v` is what `how` and `type` make of the metric: its window, its change, the seconds of a
 * forecast. Of RULE_MISSING it is the value itself: NaN is as bad as `severity` says, all else is
 * clear. Of RULE_GONE it is 1 while the entity is there and runs, else 0. */
enum rule_reading rule_judge(const struct rule *r, double v, enum severity level);
/* The quick question of the hot path: over any limit? False for NaN, so RULE_MISSING asks
 * rule_judge(). */
static inline bool rule_exceeds(const struct rule *r, double v)
{
	return v > r->exceeds_above || v < r->exceeds_below;
}

#endif
