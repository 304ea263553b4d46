/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backup_settings.h"
#include "agent/config_block.h"
#include "base/str.h"

const char *backup_what_name(enum backup_what w)
{
	static const char *const names[] = {"backup", "verify", "drill"};

	return names[w];
}

static void *array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

/* The names in a group, at most `max`; free() them. */
static const char **names_in(
	const struct config *c, const char *group, size_t max, size_t *out_n, struct mistakes *m)
{
	size_t n = config_names(c, group, NULL, 0);
	const char **names = array(n, sizeof(*names));

	*out_n = config_names(c, group, names, n);
	if (n > max) {
		mistakes_add(m, config_origin(c, group), 0, "%s: has %zu members; at most %zu",
			group, n, max);
		*out_n = max;
	}
	return names;
}

/* Whether something in the block was wrong already; then the rest of it cannot be judged. */
static bool is_broken(const struct config_block *b, const struct mistakes *m)
{
	_cleanup_(free_p) char *name = str_format("%s.%s", b->group, b->name);

	return mistakes_name(m, name);
}

static void add_local_store(struct backup_config *b, const char *state_dir)
{
	_cleanup_(free_p) char *path = str_format("%s/" BACKUP_LOCAL_FOLDER, state_dir);

	b->stores = array(1, sizeof(*b->stores));
	b->n_stores = 1;
	b->stores[0] = (struct backup_store){
		BACKUP_LOCAL_STORE, json_pack("{s:s, s:s, s:s}", "name", BACKUP_LOCAL_STORE, "type",
					    "directory", "path", path)};
}

static void take_stores(struct backup_config *b, const char *state_dir, struct mistakes *m)
{
	size_t n;
	_cleanup_(free_p) const char **names =
		names_in(b->config, "stores", BACKUP_STORES_MAX, &n, m);

	if (!n) {
		add_local_store(b, state_dir);
		return;
	}
	b->stores = array(n, sizeof(*b->stores));
	b->n_stores = n;
	for (size_t i = 0; i < n; i++) {
		const struct config_block block = {b->config, "stores", names[i]};

		b->stores[i] = (struct backup_store){
			names[i], backup_settings(b->config, "stores", names[i])};
		if (!is_broken(&block, m))
			backup_settings_check_store(&block, b->stores[i].settings, m);
	}
}

static const struct backup_store *find_store(const struct backup_config *b, const char *name)
{
	for (size_t i = 0; i < b->n_stores; i++)
		if (strcmp(b->stores[i].name, name) == 0)
			return &b->stores[i];
	return NULL;
}

static const char *nearest_store(const struct backup_config *b, const char *name)
{
	size_t best = strlen(name) / 3 + 2;
	const char *near = NULL;

	for (size_t i = 0; i < b->n_stores; i++) {
		size_t d = str_distance(b->stores[i].name, name);

		if (d >= best)
			continue;
		best = d;
		near = b->stores[i].name;
	}
	return near;
}

static void unknown_store(const struct backup_config *b, const struct config_block *block,
	const char *name, struct mistakes *m)
{
	const char *near = nearest_store(b, name);
	_cleanup_(free_p) char *text = str_format("stores: there is no store \"%s\"%s%s%s", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");

	config_block_mistake(block, m, text);
}

static void add_store(struct backup_job *j, json_t *names, const struct backup_store *s)
{
	(void)json_array_append_new(names, json_string(s->name));
	(void)json_array_append(j->stores, s->settings);
}

static bool named_before(const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], list[n]) == 0)
			return true;
	return false;
}

/* The stores the job names; without any the only one there is. */
static void choose_stores(const struct backup_config *b, const struct config_block *block,
	struct backup_job *j, struct mistakes *m)
{
	const char *const *list;
	size_t n = config_block_list(block, "stores", &list);
	json_t *names = json_array();

	j->stores = json_array();
	if (n == 0 && b->n_stores == 1)
		add_store(j, names, &b->stores[0]);
	else if (n == 0)
		config_block_mistake(
			block, m, "must say with stores which of the stores it goes to");
	for (size_t i = 0; i < n; i++) {
		const struct backup_store *s = find_store(b, list[i]);

		if (!s)
			unknown_store(b, block, list[i], m);
		else if (named_before(list, i))
			config_block_mistake(block, m, "stores: names the same store twice");
		else
			add_store(j, names, s);
	}
	(void)json_object_set_new(j->settings, "stores", names);
}

static void take_schedules(const struct config_block *block, const char *host, struct backup_job *j)
{
	static const char *const options[] = {"schedule", "verify_schedule", "drill_schedule"};

	j->schedule_key = str_format("%s %s", host ? host : "", j->name);
	for (int w = 0; w < BACKUP_WHATS; w++) {
		const char *text = config_block_string(block, options[w]);

		if (!text || cron_parse(text, &j->schedule[w].cron, NULL) < 0)
			continue;
		j->has_schedule[w] = true;
		j->schedule[w].key = j->schedule_key;
		j->schedule[w].jitter_ms = config_block_duration_ms(block, "jitter");
		/* Reading back what was not read last week needs no haste. */
		j->schedule[w].catch_up = w == BACKUP_RUN && config_block_bool(block, "catch_up");
	}
}

static void take_job(
	const struct backup_config *b, const char *name, struct backup_job *j, struct mistakes *m)
{
	const struct config_block block = {b->config, "databases", name};
	int64_t overdue_ms = config_block_duration_ms(&block, "overdue");
	const char *const *list;

	j->name = name;
	j->origin = config_block_origin(&block, NULL);
	j->engine = config_block_string(&block, "engine");
	j->settings = backup_settings(b->config, "databases", name);
	if (is_broken(&block, m))
		return;
	choose_stores(b, &block, j, m);
	take_schedules(&block, config_string(b->config, "hostname"), j);
	j->overdue_ms = overdue_ms > 0 ? overdue_ms : 0;
	j->deadline_ms = config_block_duration_ms(&block, "deadline");
	j->notify_success = config_block_bool(&block, "notify_success");
	j->encrypted = config_block_list(&block, "encrypt", &list) > 0 ||
		       config_block_has(&block, "passphrase_file");
	j->ping_url = config_block_string(&block, "ping_url");
	j->ping_url_file = config_block_string(&block, "ping_url_file");
	if (j->ping_url && j->ping_url_file)
		config_block_mistake(
			&block, m, "ping_url: only one of ping_url and ping_url_file can be set");
	backup_settings_check_job(&block, j->settings, m);
}

void backup_config_free(struct backup_config *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_jobs; i++) {
		json_decref(b->jobs[i].settings);
		json_decref(b->jobs[i].stores);
		free(b->jobs[i].schedule_key);
	}
	for (size_t i = 0; i < b->n_stores; i++)
		json_decref(b->stores[i].settings);
	free(b->jobs);
	free(b->stores);
	free(b);
}

int backup_config_new(const struct config *c, const char *state_dir, struct backup_config **out,
	struct mistakes *m)
{
	_cleanup_(backup_config_free_p) struct backup_config *b = array(1, sizeof(*b));
	size_t before = mistakes_count(m), n;
	_cleanup_(free_p) const char **names = names_in(c, "databases", BACKUP_JOBS_MAX, &n, m);

	b->config = c;
	take_stores(b, state_dir, m);
	b->jobs = array(n, sizeof(*b->jobs));
	b->n_jobs = n;
	for (size_t i = 0; i < n; i++)
		take_job(b, names[i], &b->jobs[i], m);
	if (mistakes_count(m) > before)
		return -EINVAL;
	*out = TAKE_PTR(b);
	return 0;
}

void backup_config_check(const struct config *c, struct mistakes *m)
{
	_cleanup_(backup_config_free_p) struct backup_config *b = NULL;

	(void)backup_config_new(c, "/var/lib/agent", &b, m);
}

const struct backup_job *backup_config_job(const struct backup_config *b, const char *name)
{
	for (size_t i = 0; i < b->n_jobs; i++)
		if (strcmp(b->jobs[i].name, name) == 0)
			return &b->jobs[i];
	return NULL;
}

int backup_config_find(const struct backup_config *b, const char *name,
	const struct backup_job **out, struct err *e)
{
	const struct backup_job *j = backup_config_job(b, name);
	size_t best = strlen(name) / 3 + 2;
	const char *near = NULL;

	if (j) {
		*out = j;
		return 0;
	}
	for (size_t i = 0; i < b->n_jobs; i++) {
		size_t d = str_distance(b->jobs[i].name, name);

		if (d >= best)
			continue;
		best = d;
		near = b->jobs[i].name;
	}
	if (b->n_jobs == 0)
		return err_set(e, ENOENT,
			"no backups are set up: there is no databases group in the configuration "
			"(an "
			"agent that was started with --config needs the same here)");
	return err_set(e, ENOENT, "there is no backup job \"%s\"%s%s%s", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}
