/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/prometheus.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/handlers.h"
#include "agent/web/latest.h"
#include "agent/web/prometheus_backups.h"
#include "agent/web/prometheus_deploys.h"
#include "agent/web/prometheus_text.h"
#include "agent/web/upstream.h"
#include "base/clock.h"
#include "base/str.h"

/* A metric that is exported. Rows of the same name form one family, written in one piece. */
struct row {
	const struct entity_class *class;
	size_t index; /* in the class's table */
};

/* An entity with its labels as they stand between the braces. */
struct source {
	const json_t *values;
	const json_t *totals;
	char *labels;
};

struct sources {
	struct source *list;
	size_t n;
};

enum { CLASSES_MAX = 32, LABELS_MAX = 8 * 1024 };

static const struct metric *metric_of(const struct row *r)
{
	return &r->class->metrics[r->index];
}

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int d = strcmp(metric_of(x)->prom, metric_of(y)->prom);

	/* The tables are in alphabetical order of their classes; comparing addresses would not be. */
	if (d == 0)
		d = strcmp(x->class->name, y->class->name);
	if (d == 0)
		d = x->index < y->index ? -1 : x->index > y->index;
	return d;
}

/* Fills `rows` when it is not NULL. Returns how many there are. */
static size_t collect_rows(struct row *rows)
{
	size_t n = 0;

	for (size_t k = 0; entity_classes[k]; k++) {
		for (size_t i = 0; i < entity_classes[k]->n_metrics; i++) {
			if (!entity_classes[k]->metrics[i].prom)
				continue;
			if (rows)
				rows[n] = (struct row){entity_classes[k], i};
			n++;
		}
	}
	return n;
}

/* All rows, by name. The tables do not change, so this is made once. */
static const struct row *sorted_rows(size_t *out_n)
{
	static struct row *rows;
	static size_t n;

	if (!rows) {
		n = collect_rows(NULL);
		rows = calloc(n, sizeof(*rows));
		if (!rows)
			abort();
		(void)collect_rows(rows);
		qsort(rows, n, sizeof(*rows), by_name);
	}
	*out_n = n;
	return rows;
}

/* cAdvisor has every cgroup in its container_ families: services too, with an empty name. */
static void add_service_labels(struct buf *b, const json_t *entity)
{
	struct buf id = BUF_INIT(LABELS_MAX);

	if (!latest_label(entity, "id")) {
		buf_addf(&id, "/system.slice/%s.service", latest_key(entity));
		prometheus_label(b, "id", buf_str(&id));
		buf_done(&id);
	}
	prometheus_label(b, "image", "");
	prometheus_label(b, "name", "");
}

static char *labels_of(const struct entity_class *k, const json_t *entity)
{
	struct buf b = BUF_INIT(LABELS_MAX);

	for (size_t i = 0; i < CLASS_MAX_LABELS && k->prom_labels[i][0]; i++) {
		const char *value = latest_label(entity, k->prom_labels[i][0]);

		if (value || k != &class_service)
			prometheus_label(&b, k->prom_labels[i][1], value ? value : "");
	}
	if (k == &class_service)
		add_service_labels(&b, entity);
	return buf_take(&b);
}

static void take_sources(struct sources *s, const struct entity_class *k, const json_t *entities)
{
	size_t most = json_array_size(entities);

	*s = (struct sources){calloc(most ? most : 1, sizeof(*s->list)), 0};
	if (!s->list)
		abort();
	for (size_t i = 0; i < most; i++) {
		const json_t *e = json_array_get(entities, i);

		if (latest_class(e) == k && latest_live(e))
			s->list[s->n++] = (struct source){json_object_get(e, "values"),
				json_object_get(e, "totals"), labels_of(k, e)};
	}
}

static void add_sample(
	struct buf *b, const struct metric *m, const struct source *s, const json_t *value)
{
	buf_adds(b, m->prom);
	if (m->prom_labels || *s->labels) {
		buf_addc(b, '{');
		buf_adds(b, s->labels);
		buf_adds(b, m->prom_labels && *s->labels ? "," : "");
		buf_adds(b, m->prom_labels ? m->prom_labels : "");
		buf_addc(b, '}');
	}
	buf_addc(b, ' ');
	prometheus_value(b, json_number_value(value) * m->prom_scale);
	buf_addc(b, '\n');
}

/* node_exporter has what the kernel does not promise to be a counter as untyped, and names no
 * counter without _total. */
static const char *type_of(const struct metric *m)
{
	if (m->kind == METRIC_GAUGE)
		return "gauge";
	return str_ends(m->prom, "_total") ? "counter" : "untyped";
}

static size_t class_index(const struct entity_class *k)
{
	size_t i = 0;

	while (entity_classes[i] != k)
		i++;
	return i;
}

/* A family without a single value has no head either. */
static void add_family(struct buf *b, const struct row *rows, size_t n, const struct sources *all)
{
	bool headed = false;

	for (size_t i = 0; i < n; i++) {
		const struct metric *m = metric_of(&rows[i]);
		const struct sources *s = &all[class_index(rows[i].class)];

		for (size_t j = 0; j < s->n; j++) {
			const json_t *value = json_array_get(
				m->kind == METRIC_GAUGE ? s->list[j].values : s->list[j].totals,
				rows[i].index);

			if (!json_is_number(value))
				continue;
			if (!headed)
				prometheus_head(b, m->prom, m->doc, type_of(m));
			headed = true;
			add_sample(b, m, &s->list[j], value);
		}
	}
}

static void add_facts(struct buf *b, const struct prometheus_facts *f)
{
	struct buf labels = BUF_INIT(LABELS_MAX);

	prometheus_head(b, "agent_build_info", "Always 1; the version is a label.", "gauge");
	prometheus_label(&labels, "version", f->version ? f->version : "");
	buf_addf(b, "agent_build_info{%s} 1\n", buf_str(&labels));
	buf_clear(&labels);
	prometheus_head(b, "node_time_seconds", "Unix time of this server.", "gauge");
	buf_addf(b, "node_time_seconds %.3f\n", (double)f->now_ms / 1000);
	prometheus_head(
		b, "node_uname_info", "Always 1; what uname(2) says is in the labels.", "gauge");
	prometheus_label(&labels, "domainname", f->uname.domainname);
	prometheus_label(&labels, "machine", f->uname.machine);
	prometheus_label(&labels, "nodename", f->uname.nodename);
	prometheus_label(&labels, "release", f->uname.release);
	prometheus_label(&labels, "sysname", f->uname.sysname);
	prometheus_label(&labels, "version", f->uname.version);
	buf_addf(b, "node_uname_info{%s} 1\n", buf_str(&labels));
	buf_done(&labels);
}

static void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i].labels);
	free(s->list);
}

void prometheus_write(struct buf *b, const json_t *entities, const struct prometheus_facts *facts)
{
	struct sources sources[CLASSES_MAX];
	size_t n, same, n_classes = 0;
	const struct row *rows = sorted_rows(&n);

	for (; entity_classes[n_classes]; n_classes++) {
		assert(n_classes < CLASSES_MAX);
		take_sources(&sources[n_classes], entity_classes[n_classes], entities);
	}
	for (size_t i = 0; i < n; i += same) {
		same = 1;
		while (i + same < n &&
			strcmp(metric_of(&rows[i + same])->prom, metric_of(&rows[i])->prom) == 0)
			same++;
		add_family(b, &rows[i], same, sources);
	}
	add_facts(b, facts);
	for (size_t k = 0; k < n_classes; k++)
		sources_done(&sources[k]);
}

static void on_latest(struct call *c, const json_t *answer)
{
	struct prometheus_facts facts = {.version = c->web->version, .now_ms = clock_wall_ms()};
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	(void)uname(&facts.uname);
	prometheus_write(&b, json_object_get(answer, "entities"), &facts);
	prometheus_backups_write(&b, c->web->backup_jobs.list);
	prometheus_deploys_write(&b, c->web->apps.list, &c->web->deploy_counts);
	http_reply(c->rq, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
}

static void ask_latest(struct call *c)
{
	call_ask(c, json_pack("{s:s, s:b}", "op", "latest", "totals", 1), on_latest);
}

/* Lists that are asked for before, unless they are known. */
static const struct kept {
	size_t offset; /* in struct web */
	const char *op, *member;
} kept[] = {
	{offsetof(struct web, backup_jobs), "backup.jobs", "jobs"},
	{offsetof(struct web, apps), "deploy.apps", "apps"},
};

static struct kept_list *list_of(struct web *w, const struct kept *k)
{
	return (struct kept_list *)((char *)w + k->offset);
}

static void ask_lists(struct call *c, const struct kept *k);

/* Without an answer about the backups, or the deploys, the rest is as good as ever. */
static void on_list(struct call *c, const json_t *answer, const struct kept *k)
{
	struct kept_list *list = list_of(c->web, k);

	if (!answer) {
		call_fail_answer(c, NULL);
		return;
	}
	if (upstream_ok(answer))
		kept_list_take(list, answer, k->member, clock_mono_ms());
	else
		kept_list_forget(list);
	ask_lists(c, k + 1);
}

static void on_backup_jobs(struct call *c, const json_t *answer)
{
	on_list(c, answer, &kept[0]);
}

static void on_apps(struct call *c, const json_t *answer)
{
	on_list(c, answer, &kept[1]);
}

/* From `k` on. */
static void ask_lists(struct call *c, const struct kept *k)
{
	static const call_answer_fn answers[] = {on_backup_jobs, on_apps};

	while (k < kept + ARRAY_LEN(kept) &&
		kept_list_is_fresh(list_of(c->web, k), clock_mono_ms()))
		k++;
	if (k == kept + ARRAY_LEN(kept))
		ask_latest(c);
	else
		call_ask_daemon(c, json_pack("{s:s}", "op", k->op), answers[k - kept]);
}

/* Dokploy asks the same path for JSON; it always sends `limit` and never asks for text. */
static bool is_for_dokploy(const struct call *c)
{
	const char *accept = http_get_header(c->rq, "Accept");

	if (!query_get(&c->query, "limit"))
		return false;
	return !accept || (!strstr(accept, "text/plain") && !strstr(accept, "openmetrics"));
}

void prometheus_get(struct call *c)
{
	if (is_for_dokploy(c))
		dokploy_server_get(c);
	else
		ask_lists(c, kept);
}
