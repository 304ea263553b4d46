/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/web.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/privileges.h"
#include "agent/web/auth.h"
#include "agent/web/health.h"
#include "agent/web/http.h"
#include "agent/web/live.h"
#include "agent/web/log_stream.h"
#include "agent/web/login_limit.h"
#include "agent/web/role_cache.h"
#include "agent/web/routes.h"
#include "agent/web/upstream.h"
#include "agent/web/webhook.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"

enum { FD_CONTROL = 3, FD_LISTEN = 4, FD_RRD = 5 };
enum { FIRST_TRIM_MS = 5000, TRIM_MS = 3600 * 1000 };

static void on_new_hello(void *user, const json_t *answer);

static void on_signal(void *user, int signo)
{
	struct web *w = user;

	/* SIGHUP is for the daemon; a terminal sends SIGINT to both, and the daemon then closes
	 * the control socket. */
	if (signo == SIGTERM)
		loop_stop(w->loop, 0);
}

static void on_event(void *user, const char *event, const json_t *message)
{
	struct web *w = user;

	if (strcmp(event, "sample") == 0) {
		live_sample(w->live, message);
	} else if (strcmp(event, "alerts") == 0) {
		live_alerts(w->live, message);
	} else if (strcmp(event, "backup") == 0) {
		kept_list_forget(&w->backup_jobs);
		live_run(w->live, message);
	} else if (strcmp(event, "deploy") == 0) {
		kept_list_forget(&w->apps);
		deploy_counts_put(&w->deploy_counts, message);
		live_run(w->live, message);
		log_streams_changed(w->log_streams, message);
	} else if (strcmp(event, "deploy.log") == 0) {
		log_streams_changed(w->log_streams, message);
	} else if (strcmp(event, "config.changed") == 0) {
		kept_list_forget(&w->backup_jobs);
		kept_list_forget(&w->apps);
		upstream_ask(w->upstream, json_pack("{s:s}", "op", "hello"), on_new_hello, w);
	} else if (strcmp(event, "auth.changed") == 0) {
		role_cache_clear(w->role_cache);
		live_end_all(w->live);
		log_streams_end_all(w->log_streams);
	}
}

static void on_closed(void *user, const char *why)
{
	struct web *w = user;

	if (*why)
		log_warning("control connection: %s", why);
	loop_stop(w->loop, *why ? 1 : 0);
}

static char **take_hosts(const json_t *list)
{
	size_t n = json_array_size(list);
	char **hosts = calloc(n + 1, sizeof(*hosts));
	size_t used = 0;

	if (!hosts)
		abort();
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (name)
			hosts[used++] = str_dup(name);
	}
	return hosts;
}

static void free_names(struct web *w)
{
	for (size_t i = 0; w->hosts && w->hosts[i]; i++)
		free(w->hosts[i]);
	free(w->hosts);
	free(w->hostname);
}

/* What may change while this process runs. */
static void take_names(struct web *w, const json_t *hello)
{
	free_names(w);
	w->hostname = str_dup(json_string_value(json_object_get(hello, "hostname")));
	w->hosts = take_hosts(json_object_get(hello, "hosts"));
}

static void on_new_hello(void *user, const json_t *answer)
{
	if (upstream_ok(answer))
		take_names(user, answer);
}

static void take_archives(struct web *w, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		int64_t span = json_integer_value(json_object_get(a, "span_seconds"));

		if (i == 0) {
			w->row_seconds = json_integer_value(json_object_get(a, "row_seconds"));
			w->row_span_seconds = span;
		}
		if (span > w->span_seconds)
			w->span_seconds = span;
	}
	if (w->span_seconds <= 0)
		w->span_seconds = w->row_span_seconds = 2 * 86400;
	if (w->row_seconds <= 0)
		w->row_seconds = w->interval_ms < 1000 ? 1 : w->interval_ms / 1000;
}

/* What only the start, or a rush of visitors, needed. */
static void on_trim(void *user)
{
	struct web *w = user;

	memory_trim();
	loop_timer_after(w->trim, TRIM_MS);
}

/* The daemon's first answer; everything is ready, so the first request may come. */
static void on_hello(void *user, const json_t *answer)
{
	struct web *w = user;
	json_int_t most = json_integer_value(json_object_get(answer, "max_connections"));
	struct http_options o = {FD_LISTEN, 64, 0, routes_dispatch, w, webhook_head};
	struct err e = {"the daemon does not answer"};

	if (most > 0 && most <= 4096)
		o.max_connections = (unsigned)most;
	/* No single address can take more than half. */
	o.max_per_peer = o.max_connections > 1 ? o.max_connections / 2 : 1;
	w->version = str_dup(json_string_value(json_object_get(answer, "version")));
	take_names(w, answer);
	w->interval_ms = json_integer_value(json_object_get(answer, "interval_ms"));
	if (w->interval_ms <= 0)
		w->interval_ms = 20000;
	take_archives(w, json_object_get(answer, "archives"));
	w->trim = loop_timer_new(w->loop, on_trim, w);
	loop_timer_after(w->trim, FIRST_TRIM_MS);
	if (!upstream_ok(answer) || http_server_new(w->loop, &o, &w->http, &e) < 0) {
		log_error("%s", e.msg);
		loop_stop(w->loop, 1);
	}
}

static void web_done(struct web *w)
{
	upstream_free(w->upstream);
	w->upstream = NULL;
	http_server_free(w->http);
	loop_timer_free(w->trim);
	live_free(w->live);
	log_streams_free(w->log_streams);
	health_free(w->health);
	webhooks_free(w->webhooks);
	kept_list_forget(&w->backup_jobs);
	kept_list_forget(&w->apps);
	deploy_counts_done(&w->deploy_counts);
	login_limit_free(w->login_limit);
	role_cache_free(w->role_cache);
	free_names(w);
	free(w->version);
	loop_free(w->loop);
}

static int start(struct web *w, struct err *e)
{
	struct upstream_options o = {on_event, on_closed, w};
	int r = privileges_drop(FD_RRD, e);

	if (r == 0)
		r = loop_new(&w->loop, e);
	if (r < 0)
		return r;
	loop_on_signal(w->loop, on_signal, w);
	w->login_limit = login_limit_new();
	w->role_cache = role_cache_new();
	w->health = health_new();
	w->webhooks = webhooks_new();
	w->live = live_new(w);
	w->log_streams = log_streams_new(w);
	r = upstream_new(w->loop, FD_CONTROL, &o, &w->upstream, e);
	if (r == 0)
		upstream_ask(w->upstream, json_pack("{s:s}", "op", "hello"), on_hello, w);
	return r;
}

int web_main(void)
{
	struct web w = {0};
	struct err e;
	int r;

	memory_setup();
	log_init(LOG_LEVEL_INFO, "web");
	for (int fd = FD_CONTROL; fd <= FD_RRD; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
			log_error("descriptor %d is missing: this is started by `agent run`", fd);
			return 2;
		}
	}
	r = start(&w, &e);
	if (r == 0)
		r = loop_run(w.loop, &e);
	if (r < 0)
		log_error("%s", e.msg);
	web_done(&w);
	return r == 0 ? 0 : 1;
}
