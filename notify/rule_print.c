/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "notify/rule.h"

static void add_one_limit(const struct limit *l, const struct rule *r, struct buf *out)
{
	char text[LIMIT_TEXT_MAX];

	limit_print(text, sizeof(text), l, r->unit);
	if (r->unit == UNIT_BOOLEAN)
		buf_adds(out, r->type == RULE_CHANGE ? "to " : "is ");
	buf_adds(out, text);
}

static void add_span(const char *words, int64_t ms, struct buf *out)
{
	char span[32];

	str_from_duration_ms(span, sizeof(span), ms);
	buf_addf(out, "%s%s", words, span);
}

static void add_subject(const struct rule *r, struct buf *out)
{
	char target[LIMIT_TEXT_MAX];

	if (r->type == RULE_CHANGE)
		buf_adds(out, "change of ");
	if (r->type == RULE_FORECAST) {
		limit_print_value(
			target, sizeof(target), r->target, r->class->metrics[r->metric].unit);
		buf_addf(out, "time until %s of ", target);
	}
	buf_addf(out, "%s.%s ", r->class->name, r->class->metrics[r->metric].name);
}

void rule_print_condition(const struct rule *r, struct buf *out)
{
	static const char *const hows[] = {[WINDOW_AVERAGE] = "average",
		[WINDOW_MAXIMUM] = "maximum",
		[WINDOW_MINIMUM] = "minimum",
		[WINDOW_SUM] = "sum"};
	bool is_plain = r->type != RULE_MISSING && r->type != RULE_GONE;
	bool both = r->warning.op != LIMIT_NONE && r->critical.op != LIMIT_NONE;

	add_subject(r, out);
	if (!is_plain)
		buf_adds(out, r->type == RULE_GONE ? "gone" : "without value");
	else
		add_one_limit(r->warning.op != LIMIT_NONE ? &r->warning : &r->critical, r, out);
	if (both) {
		buf_adds(out, ", critical ");
		add_one_limit(&r->critical, r, out);
	}
	if (r->window_ms && r->type == RULE_VALUE) {
		buf_addf(out, ", %s", hows[r->how]);
		add_span(" of ", r->window_ms, out);
	} else if (r->window_ms) {
		add_span(r->type == RULE_FORECAST ? ", by the last " : ", within ", r->window_ms,
			out);
	}
	if (r->for_ms)
		add_span(both || r->window_ms ? ", for " : " for ", r->for_ms, out);
	if (is_plain ? r->warning.op == LIMIT_NONE : r->severity == SEVERITY_CRITICAL)
		buf_adds(out, " (critical)");
}
