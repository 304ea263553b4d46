/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "notify/rule_impl.h"

static const struct limit none = {LIMIT_NONE, 0};

static int parse(
	const char *field, const char *text, const struct rule *r, struct limit *out, struct err *e)
{
	*out = none;
	if (!text)
		return 0;
	return err_wrap(e, limit_parse(text, r->unit, out, e), "%s", field);
}

static bool is_two_sided(const struct limit *l)
{
	return l->op == LIMIT_BEYOND || l->op == LIMIT_WITHIN;
}

static bool are_opposed(const struct limit *a, const struct limit *b)
{
	return limit_is_upwards(a) != limit_is_upwards(b) && is_two_sided(a) == is_two_sided(b);
}

static bool both_hold(const struct limit *a, const struct limit *b, double v)
{
	return limit_holds(a, v) && limit_holds(b, v);
}

/* For a limit and its clear limit: whether some value is over the one and clear of it as well. */
static bool overlap(const struct limit *a, const struct limit *b)
{
	return both_hold(a, b, a->value) || both_hold(a, b, b->value) ||
	       both_hold(a, b, a->value + (b->value - a->value) / 2);
}

static int bad_clear(const char *field, const struct limit *limit, const struct limit *clear,
	const struct rule *r, struct err *e)
{
	char l[LIMIT_TEXT_MAX], c[LIMIT_TEXT_MAX];

	limit_print(l, sizeof(l), limit, r->unit);
	limit_print(c, sizeof(c), clear, r->unit);
	if (!are_opposed(limit, clear))
		return err_set(e, EINVAL,
			"%s: %s is the same direction as the limit, %s; expected the other one, "
			"such as \"%s\"",
			field, c, l, limit_is_upwards(limit) ? "< 80" : "> 20");
	return err_set(e, EINVAL,
		"%s: %s and the limit, %s, overlap: a value could be both; expected room between "
		"them or none",
		field, c, l);
}

/* A limit of the user's own on a built-in rule: the built-in clear limit moves in proportion. */
static struct limit moved(const struct limit *limit, const char *old_limit, const char *old_clear,
	const struct rule *r)
{
	struct limit was, clear;

	if (limit_parse(old_limit, r->unit, &was, NULL) < 0 ||
		limit_parse(old_clear, r->unit, &clear, NULL) < 0 || was.value <= 0 ||
		limit->value <= 0 || !are_opposed(limit, &clear))
		return limit_opposite(limit);
	clear.value *= limit->value / was.value;
	return clear;
}

struct pair {
	const char *limit_field, *clear_field;
	const char *clear_text; /* as it applies; NULL */
	/* What the built-in rule says where the user changed the limit alone; NULL. */
	const char *old_limit, *old_clear;
};

static int compile_clear(const struct pair *p, const struct limit *limit, const struct rule *r,
	struct limit *clear, struct err *e)
{
	int x;

	*clear = none;
	if (limit->op == LIMIT_NONE)
		return 0;
	*clear = limit_opposite(limit);
	if (!p->clear_text)
		return 0;
	if (p->old_limit) {
		*clear = moved(limit, p->old_limit, p->old_clear, r);
		return 0;
	}
	x = parse(p->clear_field, p->clear_text, r, clear, e);
	if (x < 0)
		return x;
	if (clear->op == LIMIT_NONE)
		*clear = limit_opposite(limit);
	if (!are_opposed(limit, clear) || overlap(limit, clear))
		return bad_clear(p->clear_field, limit, clear, r, e);
	return 0;
}

/* Whether the clear limit in force is that of the built-in rule, for another limit. */
static bool is_left_behind(const struct rule_source *src, const char *own_limit,
	const char *own_clear, const char *old_limit, const char *clear)
{
	return src->own && src->builtin && own_limit && !own_clear && old_limit && clear;
}

static int compile_clears(const struct rule_source *src, struct rule *r, struct err *e)
{
	const struct rule_settings *s = &src->s, *own = src->own, *old = src->builtin;
	struct pair warning = {"warning", "clear", s->clear, NULL, NULL};
	struct pair critical = {"critical", "critical_clear", s->critical_clear, NULL, NULL};
	int x;

	if (own && old && is_left_behind(src, own->warning, own->clear, old->warning, s->clear)) {
		warning.old_limit = old->warning;
		warning.old_clear = s->clear;
	}
	if (own && old &&
		is_left_behind(src, own->critical, own->critical_clear, old->critical,
			s->critical_clear)) {
		critical.old_limit = old->critical;
		critical.old_clear = s->critical_clear;
	}
	if (r->warning.op == LIMIT_NONE && !critical.clear_text) {
		critical.clear_field = "clear";
		critical.clear_text = s->clear;
	}
	x = compile_clear(&warning, &r->warning, r, &r->warning_clear, e);
	if (x < 0)
		return x;
	return compile_clear(&critical, &r->critical, r, &r->critical_clear, e);
}

static int check_order(const struct rule_source *src, const struct rule *r, struct err *e)
{
	const struct limit *w = &r->warning, *c = &r->critical;
	char wt[LIMIT_TEXT_MAX], ct[LIMIT_TEXT_MAX];
	bool up = limit_is_upwards(w), same;

	if (w->op == LIMIT_NONE || c->op == LIMIT_NONE)
		return 0;
	same = up == limit_is_upwards(c) && is_two_sided(w) == is_two_sided(c);
	if (same && (up ? c->value >= w->value : c->value <= w->value))
		return 0;
	limit_print(wt, sizeof(wt), w, r->unit);
	limit_print(ct, sizeof(ct), c, r->unit);
	if (src->own && !src->own->critical)
		return err_set(e, EINVAL,
			"warning: %s is further out than the built-in critical limit, %s; set "
			"critical too, or to \"\" for none",
			wt, ct);
	return err_set(e, EINVAL, "critical: %s is not further out than warning, %s", ct, wt);
}

static int check_forecast(const struct rule *r, struct err *e)
{
	if (limit_is_upwards(&r->warning) || limit_is_upwards(&r->critical) ||
		is_two_sided(&r->warning) || is_two_sided(&r->critical))
		return err_set(e, EINVAL,
			"%s: the limit of a forecast is the time that is left; expected < and a "
			"duration, such as \"< 24h\"",
			limit_is_upwards(&r->warning) || is_two_sided(&r->warning) ? "warning"
										   : "critical");
	return 0;
}

static void add_exceeds(struct rule *r, const struct limit *l)
{
	double above = INFINITY, below = -INFINITY;

	switch (l->op) {
	case LIMIT_ABOVE:
		above = l->value;
		break;
	case LIMIT_AT_LEAST:
		above = nextafter(l->value, -INFINITY);
		break;
	case LIMIT_BELOW:
		below = l->value;
		break;
	case LIMIT_AT_MOST:
		below = nextafter(l->value, INFINITY);
		break;
	case LIMIT_BEYOND:
		above = l->value;
		below = -l->value;
		break;
	case LIMIT_WITHIN:
	case LIMIT_NONE:
		break;
	}
	r->exceeds_above = fmin(r->exceeds_above, above);
	r->exceeds_below = fmax(r->exceeds_below, below);
}

static int refuse_limits(const struct rule_settings *s, const struct rule *r, struct err *e)
{
	const char *field = s->warning          ? "warning"
			    : s->critical       ? "critical"
			    : s->clear          ? "clear"
			    : s->critical_clear ? "critical_clear"
						: NULL;

	if (!field)
		return 0;
	return err_set(e, EINVAL, "%s: a rule of type \"%s\" has no limits, just a severity", field,
		r->type == RULE_GONE ? "gone" : "missing");
}

int rule_compile_limits(const struct rule_source *src, struct rule *r, struct err *e)
{
	const struct rule_settings *s = &src->s;
	int x;

	r->exceeds_above = INFINITY;
	r->exceeds_below = r->type == RULE_GONE ? 0.5 : -INFINITY;
	r->warning = r->critical = r->warning_clear = r->critical_clear = none;
	if (r->type == RULE_GONE || r->type == RULE_MISSING)
		return refuse_limits(s, r, e);
	x = parse("warning", s->warning, r, &r->warning, e);
	x = x < 0 ? x : parse("critical", s->critical, r, &r->critical, e);
	if (x < 0)
		return x;
	if (r->warning.op == LIMIT_NONE && r->critical.op == LIMIT_NONE)
		return err_set(e, EINVAL,
			"warning: is missing; expected a limit such as \"> 90\", here "
			"or in critical");
	if (r->warning.op == LIMIT_WITHIN || r->critical.op == LIMIT_WITHIN)
		return err_set(e, EINVAL,
			"%s: +- is for limits with >; below a limit either way is "
			"what clear is for",
			r->warning.op == LIMIT_WITHIN ? "warning" : "critical");
	x = r->type == RULE_FORECAST ? check_forecast(r, e) : 0;
	x = x < 0 ? x : check_order(src, r, e);
	x = x < 0 ? x : compile_clears(src, r, e);
	if (x < 0)
		return x;
	add_exceeds(r, &r->warning);
	add_exceeds(r, &r->critical);
	return 0;
}
