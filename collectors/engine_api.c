/* SPDX-License-Identifier: Apache-2.0 */
#include "collectors/engine_api.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/str.h"
#include "collectors/runtime.h"

enum {
	LOOK_FOR_SOCKET_MS = 20 * 1000,
	BACKOFF_MIN_MS = 1000,
	BACKOFF_MAX_MS = 60 * 1000,
	LIST_AGAIN_MS = 5 * 60 * 1000,
	/* Podman without a stream: sooner, when there are health checks to follow. */
	LIST_HEALTH_MS = 60 * 1000,
	LIST_MAX_BYTES = 32 << 20,
	INSPECT_MAX_BYTES = 4 << 20,
	EVENT_MAX_BYTES = 64 << 10, /* labels are in it; a longer one is skipped */
	TIMEOUT_MS = 10 * 1000,
};

struct engine_api {
	struct engine_api_options o;
	char *socket;
	const char *engine;
	bool ready, asking;
	struct loop_timer *timer;
	int64_t backoff_ms;
	struct http_request *request; /* version or list */
	struct http_request *events;
	struct http_request *inspect;
	char inspected[CONTAINER_ID_MAX + 1];
	/* Ids to look at, each once. */
	char (*queue)[CONTAINER_ID_MAX + 1];
	size_t n_queue, cap_queue;
	unsigned lists;
	struct buf event; /* the begin of the next one */
	char trouble[400];
};

static void list(struct engine_api *a);
static void inspect_next(struct engine_api *a);

static void cancel_all(struct engine_api *a)
{
	http_request_cancel(a->request);
	http_request_cancel(a->events);
	http_request_cancel(a->inspect);
	a->request = a->events = a->inspect = NULL;
	a->n_queue = 0;
	a->asking = false;
	buf_clear(&a->event);
	a->event.overflow = false;
}

static void pause_before_next(struct engine_api *a)
{
	loop_timer_after(a->timer, a->backoff_ms);
	a->backoff_ms = a->backoff_ms * 2 < BACKOFF_MAX_MS ? a->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void fail(struct engine_api *a, const char *why)
{
	cancel_all(a);
	a->ready = false;
	(void)snprintf(a->trouble, sizeof(a->trouble), "%s does not answer: %s", a->socket, why);
	pause_before_next(a);
}

static int get(struct engine_api *a, const char *path, size_t max_body, http_data_fn on_data,
	http_done_fn done, struct http_request **out)
{
	char url[256];
	const struct http_request_options o = {
		.url = url,
		.unix_socket = a->socket,
		.max_body = max_body,
		.timeout_ms = on_data ? 0 : TIMEOUT_MS,
		.on_data = on_data,
	};
	struct err e;
	int r;

	(void)snprintf(url, sizeof(url), "http://localhost%s", path);
	r = http_client_start(a->o.http, &o, done, a, out, &e);
	if (r < 0)
		fail(a, e.msg);
	return r;
}

/* False, and the connection is given up, when no good answer came. */
static bool is_good(struct engine_api *a, const struct http_response *r)
{
	char why[300];

	if (r->error == 0 && r->status == 200)
		return true;
	if (r->error != 0)
		(void)snprintf(why, sizeof(why), "%s", r->message);
	else
		(void)snprintf(why, sizeof(why), "HTTP status %ld", r->status);
	fail(a, why);
	return false;
}

/* --- single containers --- */

static void inspect_done(void *user, const struct http_response *r)
{
	struct engine_api *a = user;
	const struct container_info *known;
	struct container_info info;
	json_t *object;

	a->inspect = NULL;
	if (r->error == 0 && r->status == 404) {
		known = runtime_store_find(a->o.store, a->inspected);
		if (known && known->source == a->o.source)
			runtime_store_remove(a->o.store, a->inspected);
		inspect_next(a);
		return;
	}
	if (!is_good(a, r))
		return;
	object = json_loadb(r->body, r->body_len, 0, NULL);
	if (container_info_from_inspect(object, &info, NULL) == 0) {
		info.engine = a->engine;
		info.source = a->o.source;
		info.listed = a->lists;
		(void)runtime_store_put(a->o.store, &info);
	}
	json_decref(object);
	inspect_next(a);
}

static void inspect_next(struct engine_api *a)
{
	char path[CONTAINER_ID_MAX + 40];

	if (a->inspect || a->request)
		return;
	a->asking = a->n_queue > 0;
	if (a->n_queue == 0)
		return;
	memcpy(a->inspected, a->queue[0], sizeof(a->inspected));
	a->n_queue--;
	memmove(a->queue, a->queue + 1, a->n_queue * sizeof(*a->queue));
	(void)snprintf(path, sizeof(path), "/containers/%s/json", a->inspected);
	(void)get(a, path, INSPECT_MAX_BYTES, NULL, inspect_done, &a->inspect);
}

static void enqueue(struct engine_api *a, const char *id)
{
	for (size_t i = 0; i < a->n_queue; i++)
		if (strcmp(a->queue[i], id) == 0)
			return;
	if (a->n_queue >= RUNTIME_CONTAINERS_MAX)
		return;
	if (a->n_queue == a->cap_queue) {
		a->cap_queue = a->cap_queue ? a->cap_queue * 2 : 16;
		a->queue = realloc(a->queue, a->cap_queue * sizeof(*a->queue));
		if (!a->queue)
			abort();
	}
	(void)str_copy(a->queue[a->n_queue++], sizeof(*a->queue), id);
}

void engine_api_ask(struct engine_api *a, const char *id)
{
	if (!a->ready)
		return;
	enqueue(a, id);
	inspect_next(a);
}

/* --- events --- */

/* An answer may be under way that is older than the removal: after it, the engine is asked again. */
static void forget(struct engine_api *a, const char *id)
{
	runtime_store_remove(a->o.store, id);
	if (a->inspect && strcmp(a->inspected, id) == 0)
		enqueue(a, id);
}

static void take_event(struct engine_api *a, const char *text, size_t len)
{
	char id[CONTAINER_ID_MAX + 1];
	bool removed;

	if (len == 0 || engine_event_parse(text, len, id, &removed, NULL) < 0 || !*id)
		return;
	if (removed)
		forget(a, id);
	else
		engine_api_ask(a, id);
}

/* One event a line. */
static bool events_data(void *user, const char *data, size_t len)
{
	struct engine_api *a = user;

	while (len > 0 && a->events) {
		const char *eol = memchr(data, '\n', len);
		size_t n = eol ? (size_t)(eol - data) : len;

		buf_add(&a->event, data, n);
		data += n;
		len -= n;
		if (!eol)
			break;
		if (!a->event.overflow)
			take_event(a, buf_str(&a->event), a->event.len);
		buf_clear(&a->event);
		a->event.overflow = false;
		data++;
		len--;
	}
	return true;
}

static void events_done(void *user, const struct http_response *r)
{
	struct engine_api *a = user;

	a->events = NULL;
	fail(a, r->error ? r->message : "the stream of events ended");
}

/* --- all containers --- */

static bool is_followed(const struct engine_api *a)
{
	return strcmp(a->engine, "docker") == 0;
}

static void take_list(struct engine_api *a, const json_t *all)
{
	const json_t *entry;
	size_t i;

	a->lists++;
	json_array_foreach(all, i, entry)
	{
		const struct container_info *known;
		struct container_info info;
		bool changed;

		if (container_info_from_list(entry, &info, NULL) < 0)
			continue;
		known = runtime_store_find(a->o.store, info.id);
		changed = !known || isnan(known->restarts) || known->state != info.state;
		info.engine = a->engine;
		info.source = a->o.source;
		info.listed = a->lists;
		if (changed || !is_followed(a))
			enqueue(a, info.id);
		(void)runtime_store_put(a->o.store, &info);
	}
	runtime_store_sweep(a->o.store, a->o.source, a->engine, a->lists);
}

static bool has_health_checks(const struct engine_api *a)
{
	for (size_t i = 0; i < a->o.store->n; i++) {
		const struct container_info *c = a->o.store->all[i];

		if (c->source == a->o.source && c->health != HEALTH_NONE &&
			c->health != HEALTH_UNKNOWN)
			return true;
	}
	return false;
}

static void list_done(void *user, const struct http_response *r)
{
	struct engine_api *a = user;
	json_t *all;

	a->request = NULL;
	if (!is_good(a, r))
		return;
	all = json_loadb(r->body, r->body_len, 0, NULL);
	if (!json_is_array(all)) {
		json_decref(all);
		fail(a, "its list of containers is no JSON array");
		return;
	}
	take_list(a, all);
	json_decref(all);
	a->ready = true;
	*a->trouble = '\0';
	a->backoff_ms = BACKOFF_MIN_MS;
	loop_timer_after(
		a->timer, !is_followed(a) && has_health_checks(a) ? LIST_HEALTH_MS : LIST_AGAIN_MS);
	inspect_next(a);
}

static void list(struct engine_api *a)
{
	/* One at a time: an older answer must not overwrite a newer one. */
	if (a->inspect) {
		http_request_cancel(a->inspect);
		a->inspect = NULL;
		enqueue(a, a->inspected);
	}
	(void)get(a, "/containers/json?all=1", LIST_MAX_BYTES, NULL, list_done, &a->request);
}

/* --- connecting --- */

static void version_done(void *user, const struct http_response *r)
{
	/* {"type":["container"]} */
	static const char events[] = "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D";
	struct engine_api *a = user;

	a->request = NULL;
	if (!is_good(a, r))
		return;
	a->engine = engine_version_parse(r->body, r->body_len);
	/* The stream first, so that nothing happens unseen between it and the list. */
	if (is_followed(a) && get(a, events, 0, events_data, events_done, &a->events) < 0)
		return;
	list(a);
}

static void connect_now(struct engine_api *a)
{
	struct stat st;

	if (stat(a->socket, &st) < 0 || !S_ISSOCK(st.st_mode) ||
		engine_would_be_started(a->socket, a->o.tree)) {
		*a->trouble = '\0';
		loop_timer_after(a->timer, LOOK_FOR_SOCKET_MS);
		return;
	}
	if (access(a->socket, R_OK | W_OK) < 0) {
		(void)snprintf(a->trouble, sizeof(a->trouble),
			"%s cannot be used: %s. Add the user the agent runs as to the group that "
			"owns "
			"it, or run the agent as root",
			a->socket, strerror(errno));
		loop_timer_after(a->timer, LOOK_FOR_SOCKET_MS);
		return;
	}
	a->asking = true;
	(void)get(a, "/version", 1 << 20, NULL, version_done, &a->request);
}

static void due(void *user)
{
	struct engine_api *a = user;

	if (a->request)
		return;
	if (a->ready)
		list(a);
	else
		connect_now(a);
}

struct engine_api *engine_api_new(const struct engine_api_options *o)
{
	struct engine_api *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->o = *o;
	a->socket = str_dup(o->socket);
	a->engine = "";
	a->backoff_ms = BACKOFF_MIN_MS;
	buf_init(&a->event, EVENT_MAX_BYTES);
	a->timer = loop_timer_new(o->loop, due, a);
	connect_now(a);
	return a;
}

void engine_api_free(struct engine_api *a)
{
	if (!a)
		return;
	cancel_all(a);
	loop_timer_free(a->timer);
	buf_done(&a->event);
	free(a->queue);
	free(a->socket);
	free(a);
}

bool engine_api_is_ready(const struct engine_api *a)
{
	return a->ready;
}

bool engine_api_is_asking(const struct engine_api *a)
{
	return a->asking;
}

const char *engine_api_engine(const struct engine_api *a)
{
	return a->engine;
}

const char *engine_api_trouble(const struct engine_api *a)
{
	return a->trouble;
}
