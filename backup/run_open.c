/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run needs before it begins: the lock, the stores, the engine with its place and password.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/lock.h"
#include "backup/run.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

static void say_wait(void *user)
{
	struct run *r = user;

	report_stage(r->report, "wait", NULL, NULL);
}

int run_lock(struct run *r, struct err *e)
{
	int fd = lock_job(r->o->state, r->job->name, say_wait, r, e);

	if (fd >= 0)
		r->lock = fd;
	return fd < 0 ? fd : 0;
}

static const json_t *settings_of(const struct run *r, const char *name)
{
	const json_t *settings;
	size_t i;

	json_array_foreach((json_t *)r->o->stores, i, settings)
	{
		const char *n = json_string_value(json_object_get(settings, "name"));

		if (n && strcmp(n, name) == 0)
			return settings;
	}
	return NULL;
}

static void on_notice(void *user, const char *text)
{
	const struct run *r = user;

	report_warning(r->report, "%s", text);
}

static void open_one(struct run *r, const char *name, const json_t *settings)
{
	const struct store_context context = {.net = r->net,
		.secret_read = r->w->secret_read,
		.journal = r->journal,
		.bandwidth_bytes = r->job ? r->job->bandwidth_bytes : 0,
		.notice = on_notice,
		.notice_user = r};
	struct run_store *s = &r->stores[r->n_stores++];
	struct err e = {""};
	int result;

	*s = (struct run_store){.name = name};
	result = settings ? (r->w->store_open ? r->w->store_open : store_open)(
				    settings, &context, &s->store, &e)
			  : err_set(&e, ENOENT, "there is no such store in the configuration");
	if (result < 0)
		(void)run_store_fail(r, s, result, &e);
}

static void open_all(struct run *r, const char *only)
{
	const json_t *settings;
	size_t i;

	json_array_foreach((json_t *)r->o->stores, i, settings)
	{
		const char *name = json_string_value(json_object_get(settings, "name"));

		if (name && r->n_stores < RUN_STORES_MAX && (!only || strcmp(name, only) == 0))
			open_one(r, name, settings);
	}
}

static int check_opened(const struct run *r, const char *only, struct err *e)
{
	if (!r->n_stores && only)
		return err_set(e, ENOENT, "the job has no store \"%s\"", only);
	if (!r->n_stores)
		return err_set(e, ENOENT, "there is no store to work with");
	for (size_t i = 0; i < r->n_stores; i++)
		if (!r->stores[i].failed)
			return 0;
	*e = r->stores[0].error;
	return r->stores[0].failed;
}

int run_open_stores(struct run *r, struct err *e)
{
	const struct job_list *of_job = &r->job->stores;

	for (size_t i = 0; i < of_job->n; i++)
		open_one(r, of_job->items[i], settings_of(r, of_job->items[i]));
	return check_opened(r, NULL, e);
}

int run_open_any_stores(struct run *r, const char *only, struct err *e)
{
	open_all(r, only);
	return check_opened(r, only, e);
}

/* With the store's name in front, once: the store may have put it there itself. */
static void set_store_error(struct run_store *s, int code, const struct err *e)
{
	_cleanup_(free_p) char *prefix = str_format("store %s: ", s->name);
	bool has = str_starts(e->msg, prefix);

	(void)err_set(&s->error, -code, "%s%s", has ? "" : prefix, e->msg);
}

int run_store_fail(struct run *r, struct run_store *s, int code, const struct err *e)
{
	if (s->failed)
		return code;
	s->failed = code;
	set_store_error(s, code, e);
	sink_free(s->segments);
	s->segments = NULL;
	/* Who asked for the end knows it. */
	if (!stop_requested())
		report_warning(r->report, "%s", s->error.msg);
	return code;
}

int run_stores_result(struct run *r, struct err *e)
{
	json_t *list = json_array();
	size_t failed = 0;
	int first = 0;

	for (size_t i = 0; i < r->n_stores; i++) {
		const struct run_store *s = &r->stores[i];

		json_array_append_new(
			list, json_pack("{s:s, s:b, s:o}", "name", s->name, "ok", s->failed == 0,
				      "error", report_text(s->error.msg)));
		if (!s->failed)
			continue;
		if (!failed++)
			*e = s->error;
		first = first ? first : s->failed;
	}
	json_object_set_new(r->result, "stores", list);
	json_object_set_new(r->result, "partial", json_boolean(failed > 0 && failed < r->n_stores));
	return first;
}

void run_warn(void *user, const char *text)
{
	struct run *r = user;

	report_warning(r->report, "%s", text);
	for (size_t i = 0; i < r->n_stores; i++)
		if (r->stores[i].manifest)
			manifest_add_warning(r->stores[i].manifest, text);
}

static int read_password(struct run *r, struct err *e)
{
	int result;

	if (!r->job->password_file)
		return 0;
	result = r->w->secret_read(r->job->password_file, &r->password, e);
	if (result < 0)
		return err_wrap(e, result, "password_file");
	if (strpbrk(buf_str(&r->password), "\r\n"))
		return err_set(e, EINVAL, "password_file: a password is one line");
	place_hide(buf_str(&r->password));
	r->call.password = buf_str(&r->password);
	return 0;
}

int run_open_engine(struct run *r, struct err *e)
{
	int result;

	r->engine = engine_find(r->job->engine);
	if (!r->engine)
		return err_set(e, ENOENT, "there is no engine \"%s\"", r->job->engine);
	result = read_password(r, e);
	if (result < 0)
		return result;
	result = r->job->container && !r->engine->is_files
			 ? place_container(r->o->container_socket, r->job->container, &r->place, e)
			 : place_host(&r->place, e);
	if (result < 0)
		return result;
	r->call.job = r->job;
	r->call.place = r->place;
	r->call.container_socket = r->o->container_socket;
	r->call.state_dir = r->o->state;
	r->call.warn = run_warn;
	r->call.user = r;
	return 0;
}

static void clear(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

void run_done(struct run *r)
{
	for (size_t i = 0; i < r->n_stores; i++) {
		sink_free(r->stores[i].segments);
		manifest_free(r->stores[i].manifest);
		store_free(r->stores[i].store);
	}
	place_free(r->place);
	journal_free(r->journal);
	throttle_free(r->throttle);
	net_free(r->net);
	clear(&r->password);
	free(r->buffer);
	close_p(&r->lock);
	json_decref(r->result);
}
