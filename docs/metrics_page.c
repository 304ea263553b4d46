/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints docs/metrics.md from the metric tables: `make docs`. The lint run checks that the page is
 * up to date.
 */
#include <stdio.h>

#include "collectors/metric.h"

static void print_metric(const struct entity_class *c, const struct metric *m)
{
	printf("| `%s.%s` | %s | %s | %s |", c->name, m->name, metric_unit_name(m->unit), m->doc,
		m->ds ? m->ds : "");
	if (m->prom && m->prom_labels)
		printf(" `%s{%s}` |\n", m->prom, m->prom_labels);
	else if (m->prom)
		printf(" `%s` |\n", m->prom);
	else
		printf(" |\n");
}

static void print_class(const struct entity_class *c)
{
	printf("\n## %s\n\n%s\n\n", c->name, c->doc);
	printf("| metric | unit | what | stored as | Prometheus |\n| --- | --- | --- | --- | --- "
	       "|\n");
	for (size_t i = 0; i < c->n_metrics; i++)
		print_metric(c, &c->metrics[i]);
}

int main(void)
{
	printf("<!-- Made by `make docs` from collectors/metrics.def. -->\n"
	       "# Metrics\n\n"
	       "The name is what rules and the API use, with the class before the point. *Stored "
	       "as* is the data source in the\n"
	       "RRD file; what has none is shown and exported live. *Prometheus* is the name at "
	       "`/metrics`: that of node_exporter\n"
	       "or cAdvisor where these measure the same. There rates are exported as the counters "
	       "they come from.\n"
	       "An unknown value is null (API), absent (Prometheus), unknown (RRD): never 0.\n");
	for (size_t i = 0; entity_classes[i]; i++)
		print_class(entity_classes[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}
