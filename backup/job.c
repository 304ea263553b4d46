/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/job.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age.h"
#include "backup/engine.h"
#include "backup/field.h"

enum {
	DEADLINE_MS = 10 * 60 * 1000,
	PAUSE_MAX_MS = 10 * 60 * 1000,
	KEEP_MAX = 1000,
	THREADS_MAX = 16,
	PORT_MAX = 65535,
};

static int read_list(
	const json_t *j, const char *name, size_t max, struct job_list *out, struct err *e)
{
	const json_t *list = json_object_get(j, name);
	size_t n = json_array_size(list);

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || n > max)
		return err_set(e, EINVAL, "%s: must be a list of at most %zu texts", name, max);
	out->items = calloc(n + 1, sizeof(*out->items));
	if (!out->items)
		abort();
	for (size_t i = 0; i < n; i++) {
		out->items[i] = json_string_value(json_array_get(list, i));
		if (!out->items[i])
			return err_set(e, EINVAL, "%s: must be a list of texts", name);
	}
	out->n = n;
	return 0;
}

static int read_lists(const json_t *j, struct job *job, struct err *e)
{
	const struct {
		const char *name;
		size_t max;
		struct job_list *list;
	} lists[] = {
		{"database", JOB_LIST_MAX, &job->database},
		{"exclude", JOB_LIST_MAX, &job->exclude},
		{"command", JOB_LIST_MAX, &job->command},
		{"restore_command", JOB_LIST_MAX, &job->restore_command},
		{"arguments", JOB_LIST_MAX, &job->arguments},
		{"stores", JOB_STORES_MAX, &job->stores},
		{"encrypt", AGE_RECIPIENTS_MAX, &job->encrypt},
		{"pre", JOB_LIST_MAX, &job->pre},
		{"post", JOB_LIST_MAX, &job->post},
		{"on_failure", JOB_LIST_MAX, &job->on_failure},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++)
		r = read_list(j, lists[i].name, lists[i].max, lists[i].list, e);
	return r;
}

static int read_keep(const json_t *j, struct retention_policy *keep, struct err *e)
{
	const json_t *k = json_object_get(j, "keep");
	int64_t last = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0;
	const struct field fields[] = {
		{.name = "last", .number = &last, .max = KEEP_MAX},
		{.name = "daily", .number = &daily, .max = KEEP_MAX},
		{.name = "weekly", .number = &weekly, .max = KEEP_MAX},
		{.name = "monthly", .number = &monthly, .max = KEEP_MAX},
		{.name = "yearly", .number = &yearly, .max = KEEP_MAX},
		{.name = "min_age", .number = &keep->min_age_ms},
	};
	int r;

	if (k && !json_is_object(k))
		return err_set(e, EINVAL, "keep: must be an object");
	r = fields_read(k, fields, ARRAY_LEN(fields), e);
	if (r < 0)
		return err_wrap(e, r, "keep");
	keep->last = (int)last;
	keep->daily = (int)daily;
	keep->weekly = (int)weekly;
	keep->monthly = (int)monthly;
	keep->yearly = (int)yearly;
	return 0;
}

static int read_codec(const json_t *j, struct codec_options *o, struct err *e)
{
	int64_t level = 0, threads = 1;
	const char *name = "zstd";
	int min, max, normal, r;

	r = field_text(j, "compression", &name, e);
	if (r == 0)
		r = field_int(j, "level", 0, INT16_MAX, &level, e);
	if (r == 0)
		r = field_int(j, "threads", 0, THREADS_MAX, &threads, e);
	if (r < 0)
		return r;
	if (codec_find(name, &o->codec) < 0)
		return err_set(e, EINVAL, "compression: there is no codec \"%s\"", name);
	codec_levels(o->codec, &min, &max, &normal);
	if (level && o->codec != CODEC_NONE && (level < min || level > max))
		return err_set(e, EINVAL, "level: %s has %d to %d", name, min, max);
	o->level = (int)level;
	o->threads = threads ? (int)threads : 1;
	return 0;
}

static int read_members(const json_t *j, struct job *job, struct err *e)
{
	int64_t port = 0;
	const struct field fields[] = {
		{.name = "name", .text = &job->name},
		{.name = "engine", .text = &job->engine},
		{.name = "container", .text = &job->container},
		{.name = "host", .text = &job->host},
		{.name = "socket", .text = &job->socket},
		{.name = "port", .number = &port, .max = PORT_MAX},
		{.name = "user", .text = &job->user},
		{.name = "password_file", .text = &job->password_file},
		{.name = "auth_database", .text = &job->auth_database},
		{.name = "path", .text = &job->path},
		{.name = "volume", .text = &job->volume},
		{.name = "pause", .flag = &job->pause},
		{.name = "pause_max", .number = &job->pause_max_ms},
		{.name = "passphrase_file", .text = &job->passphrase_file},
		{.name = "identity_file", .text = &job->identity_file},
		{.name = "bandwidth", .number = &job->bandwidth_bytes},
		{.name = "min_size", .number = &job->min_bytes},
		{.name = "command_deadline", .number = &job->command_deadline_ms},
		{.name = "drill_image", .text = &job->drill_image},
	};
	int r = fields_read(j, fields, ARRAY_LEN(fields), e);

	job->port = (int)port;
	return r;
}

static bool is_name(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && (i == 0 || !strchr("._-", s[i])))
			return false;
	return n > 0 && n < JOB_NAME_MAX;
}

/* A backup nobody can open is worse than none: it looks like one. */
static int check_encryption(const json_t *j, const struct job *job, struct err *e)
{
	bool exported = false;
	int r = field_bool(j, "key_exported", &exported, e);

	if (r == 0 && job->encrypt.n && job->passphrase_file)
		return err_set(e, EINVAL,
			"passphrase_file: either this or encrypt, a backup has one of both");
	for (size_t i = 0; r == 0 && i < job->encrypt.n; i++)
		r = err_wrap(e, age_recipient_check(job->encrypt.items[i], e), "encrypt");
	if (r == 0 && (job->encrypt.n || job->passphrase_file) && !exported)
		return err_set(e, EINVAL,
			"key_exported: keep the %s somewhere else than on this server, without it "
			"no backup can be opened; then set key_exported = true",
			job->encrypt.n ? "private keys of encrypt" : "passphrase");
	return r;
}

static int check(const json_t *j, const struct job *job, struct err *e)
{
	const struct engine *engine;
	int r;

	if (!is_name(job->name))
		return err_set(e, EINVAL, "name: must be of letters, digits and . _ -");
	if (!job->engine)
		return err_set(e, EINVAL, "engine: is missing");
	engine = engine_find(job->engine);
	if (!engine)
		return err_set(e, EINVAL, "engine: there is no \"%s\"", job->engine);
	r = check_encryption(j, job, e);
	if (r == 0 && job->pause && !job->container)
		return err_set(e, EINVAL, "pause: needs container, the one that is paused");
	return r < 0 || !engine->check_job ? r : engine->check_job(job, e);
}

int job_from_json(json_t *j, struct job **out, struct err *e)
{
	_cleanup_(job_free_p) struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		abort();
	job->command_deadline_ms = DEADLINE_MS;
	job->pause_max_ms = PAUSE_MAX_MS;
	job->json = json_incref(j);
	if (!json_is_object(j))
		return err_set(e, EINVAL, "must be an object");
	r = read_members(j, job, e);
	if (r == 0)
		r = read_lists(j, job, e);
	if (r == 0)
		r = read_keep(j, &job->keep, e);
	if (r == 0)
		r = read_codec(j, &job->codec, e);
	if (r == 0)
		r = check(j, job, e);
	if (r == 0)
		*out = TAKE_PTR(job);
	return r;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	free(j->database.items);
	free(j->exclude.items);
	free(j->command.items);
	free(j->restore_command.items);
	free(j->arguments.items);
	free(j->stores.items);
	free(j->encrypt.items);
	free(j->pre.items);
	free(j->post.items);
	free(j->on_failure.items);
	json_decref(j->json);
	free(j);
}
