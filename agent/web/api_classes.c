/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/handlers.h"
#include "collectors/metric.h"

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "\"%s\": ", name);
	buf_add_json_string(b, text);
	buf_adds(b, ", ");
}

static void add_metric(struct buf *b, const struct metric *m)
{
	buf_adds(b, "{");
	add_text(b, "name", m->name);
	add_text(b, "unit", metric_unit_name(m->unit));
	add_text(b, "title", m->title);
	add_text(b, "doc", m->doc);
	buf_adds(b, m->ds ? "\"stored\": true}" : "\"stored\": false}");
}

static void add_class(struct buf *b, const struct entity_class *k)
{
	buf_adds(b, "{");
	add_text(b, "name", k->name);
	add_text(b, "plural", k->plural);
	add_text(b, "doc", k->doc);
	buf_adds(b, "\"metrics\": [");
	for (size_t i = 0; i < k->n_metrics; i++) {
		buf_adds(b, i ? ",\n  " : "\n  ");
		add_metric(b, &k->metrics[i]);
	}
	buf_adds(b, "]}");
}

void api_classes_get(struct call *c)
{
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	buf_adds(&b, "{\"classes\": [");
	for (size_t i = 0; entity_classes[i]; i++) {
		buf_adds(&b, i ? ",\n" : "\n");
		add_class(&b, entity_classes[i]);
	}
	buf_adds(&b, "]}\n");
	call_json(c, &b);
}
