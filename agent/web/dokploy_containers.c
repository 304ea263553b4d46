/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/dokploy_history.h"
#include "agent/web/dokploy_record.h"
#include "agent/web/handlers.h"
#include "agent/web/latest.h"

enum column { CPU, MEMORY, RECEIVED, SENT, READ, WRITTEN, COLUMNS };
static const char *const columns[COLUMNS] = {"cpu_used_percent", "memory_used_bytes",
	"network_received_bytes_per_second", "network_sent_bytes_per_second",
	"disk_read_bytes_per_second", "disk_written_bytes_per_second"};

/* The container that fits the name best; a running one before one that is gone. */
static const json_t *find_container(const json_t *answer, const char *app)
{
	const json_t *list = json_object_get(answer, "entities"), *best = NULL;
	int best_score = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		int score;

		if (latest_class(e) != &class_container)
			continue;
		score = 2 * dokploy_match(app, latest_key(e), latest_label(e, "name"));
		if (score > 0 && latest_live(e))
			score++;
		if (score > best_score) {
			best_score = score;
			best = e;
		}
	}
	return best;
}

static double host_memory(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "entities");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (latest_class(json_array_get(list, i)) == &class_host)
			return latest_number(
				json_array_get(list, i), "values", HOST_memory_total_bytes);
	return NAN;
}

static void accumulate(const struct rrd_series *s, enum column from, double total_now, double *to)
{
	dokploy_accumulate(s->values + from, s->n_points, COLUMNS, (double)s->step_seconds,
		total_now, to, sizeof(struct dokploy_container) / sizeof(double));
}

static struct dokploy_container *take_list(const struct rrd_series *s, const json_t *entity)
{
	struct dokploy_container *list = calloc(s->n_points ? s->n_points : 1, sizeof(*list));

	_Static_assert(sizeof(*list) % sizeof(double) == 0, "the records are walked in doubles");
	if (!list)
		abort();
	for (size_t i = 0; i < s->n_points; i++) {
		list[i].at = s->start + (time_t)i * (time_t)s->step_seconds;
		list[i].cpu_percent = s->values[i * COLUMNS + CPU];
		list[i].memory_used_bytes = s->values[i * COLUMNS + MEMORY];
	}
	accumulate(s, RECEIVED,
		latest_number(entity, "totals", CGROUP_network_received_bytes_per_second),
		&list[0].received_bytes);
	accumulate(s, SENT, latest_number(entity, "totals", CGROUP_network_sent_bytes_per_second),
		&list[0].sent_bytes);
	accumulate(s, READ, latest_number(entity, "totals", CGROUP_disk_read_bytes_per_second),
		&list[0].read_bytes);
	accumulate(s, WRITTEN,
		latest_number(entity, "totals", CGROUP_disk_written_bytes_per_second),
		&list[0].written_bytes);
	return list;
}

/* Moves the newest rows that are known to the front; the agent or the container did not run in
 * the others. */
static size_t keep_known(
	const struct call *c, const struct rrd_series *s, struct dokploy_container *list)
{
	size_t n = 0;

	for (size_t i = dokploy_history_first(c, s); i < s->n_points; i++)
		if (isfinite(list[i].cpu_percent) || isfinite(list[i].memory_used_bytes))
			list[n++] = list[i];
	return n;
}

static void add_records(
	struct buf *b, const struct call *c, const json_t *answer, const json_t *entity)
{
	const char *name = latest_label(entity, "name");
	char id[13];
	struct dokploy_container_facts facts = {
		id, name ? name : latest_key(entity), host_memory(answer)};
	double limit = latest_number(entity, "values", CGROUP_memory_limit_bytes);
	struct dokploy_container *list;
	struct rrd_series s;

	dokploy_short_id(id, latest_label(entity, "id"));
	if (isfinite(limit))
		facts.memory_total_bytes = limit;
	if (dokploy_history(c, &class_container, latest_key(entity), columns, COLUMNS, &s) < 0)
		return;
	list = take_list(&s, entity);
	dokploy_container_records(b, &facts, list, keep_known(c, &s, list));
	free(list);
	rrd_series_done(&s);
}

static void on_latest(struct call *c, const json_t *answer)
{
	const json_t *entity = find_container(answer, query_get(&c->query, "appName"));
	struct buf b = BUF_INIT(CALL_ANSWER_MAX);

	buf_addc(&b, '[');
	if (entity)
		add_records(&b, c, answer, entity);
	buf_addc(&b, ']');
	call_json(c, &b);
}

void dokploy_containers_get(struct call *c)
{
	if (!query_get(&c->query, "appName")) {
		http_reply_static(c->rq, 200, "application/json", "[]", 2);
		return;
	}
	call_ask(c,
		json_pack("{s:s, s:b, s:b, s:[s, s]}", "op", "latest", "totals", 1, "gone", 1,
			"classes", "container", "host"),
		on_latest);
}
