/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/prometheus_list.h"

#include <math.h>

#include "agent/web/prometheus_text.h"
#include "base/cleanup.h"

enum { LABELS_MAX = 1024 };

double prometheus_number(const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

double prometheus_time(const json_t *object, const char *member)
{
	double ms = prometheus_number(object, member);

	return ms > 0 ? ms / 1000 : NAN;
}

double prometheus_bool(const json_t *object, const char *member)
{
	const json_t *v = json_object_get(object, member);

	return json_is_boolean(v) ? json_is_true(v) : NAN;
}

double prometheus_is_there(const json_t *object, const char *member)
{
	return json_is_object(json_object_get(object, member));
}

static void add_family(
	struct buf *b, const struct prometheus_family *f, const char *label, const json_t *list)
{
	bool headed = false;

	for (size_t i = 0; i < json_array_size(list); i++) {
		_cleanup_(buf_done) struct buf labels = BUF_INIT(LABELS_MAX);
		const json_t *one = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(one, "name"));
		double v = f->value(one, f->member);

		if (!name || isnan(v))
			continue;
		if (!headed)
			prometheus_head(b, f->name, f->doc, "gauge");
		headed = true;
		prometheus_label(&labels, label, name);
		buf_addf(b, "%s{%s} ", f->name, buf_str(&labels));
		prometheus_value(b, v);
		buf_addc(b, '\n');
	}
}

void prometheus_list_write(struct buf *b, const struct prometheus_family *families, size_t n,
	const char *label, const json_t *list)
{
	for (size_t i = 0; i < n; i++)
		add_family(b, &families[i], label, list);
}
