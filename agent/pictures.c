/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct picture {
	struct chart_job *job;
	picture_done_fn done;
	void *user;
};

static void on_drawn(void *user, const struct chart_spec *spec, const char *data, size_t len,
	const struct err *e)
{
	struct picture *p = user;

	(void)spec;
	(void)e; /* the message goes without; its text says all that matters */
	p->done(p->user, data, len);
	free(p);
}

static bool spec_of(const struct event_chart *chart, struct chart_spec *s)
{
	int metric;

	*s = (struct chart_spec){.class = entity_class_find(chart->class),
		.from = (time_t)chart->from,
		.to = (time_t)chart->to,
		.limit = chart->limit,
		.width = CHARTS_WIDTH,
		.height = CHARTS_HEIGHT};
	metric = s->class ? metric_find(s->class, chart->metric) : -1;
	s->metric = metric < 0 ? 0 : (size_t)metric;
	return metric >= 0 && str_copy(s->entity, sizeof(s->entity), chart->entity);
}

static void *start(void *self, const struct event_chart *chart, picture_done_fn done, void *user)
{
	const struct pictures *source = self;
	struct chart_spec spec;
	struct picture *p;

	if (!spec_of(chart, &spec))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->done = done;
	p->user = user;
	if (charts_draw(source->charts, &spec, on_drawn, p, &p->job, NULL) == 0)
		return p;
	free(p);
	return NULL;
}

static void cancel(void *handle)
{
	struct picture *p = handle;

	charts_cancel(p->job);
	free(p);
}

static void url(void *self, const struct event_chart *chart, char *to, size_t size)
{
	const struct pictures *source = self;
	char path[CHARTS_LINK_SIZE];
	struct chart_spec spec;

	*to = '\0';
	if (!*source->url || !spec_of(chart, &spec))
		return;
	charts_link(source->charts, &spec, path, sizeof(path));
	if (*path && (size_t)snprintf(to, size, "%s%s", source->url, path) >= size)
		*to = '\0';
}

void pictures_init(struct pictures *p, struct charts *charts, const char *address)
{
	p->charts = charts;
	p->url = address;
	p->source = (struct picture_source){start, cancel, url, p};
}
