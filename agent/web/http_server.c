/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/web/http_internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
	/* Request line, headers, parsed parameters and the head of the answer of one connection. */
	POOL_SIZE = 64 * 1024,
	SWEEP_MS = 5000,
};

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* The listening socket is left alone while all connections are taken, and looked at
	 * again only at the beginning of the turn after one was closed. */
	do {
		s->closed_some = false;
		(void)MHD_run(s->daemon);
	} while (s->closed_some);
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES)
		loop_timer_after(s->run_timer, ms < 60000 ? (int64_t)ms : 60000);
	else
		loop_timer_stop(s->run_timer);
}

static void on_ready(void *user, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	run(user);
}

static void on_run_timer(void *user)
{
	run(user);
}

const union MHD_ConnectionInfo *http_info(
	const struct connection *c, enum MHD_ConnectionInfoType what)
{
	return MHD_get_connection_info(c->mhd, what);
}

struct connection *http_connection(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Cuts connections that took longer than they may, so that sending or reading a byte now and
 * then does not keep one for ever. libmicrohttpd finds them closed and cleans up. Runs only
 * while there are connections. */
static void on_sweep(void *user)
{
	struct http_server *s = user;
	int64_t now = clock_mono_ms();

	for (struct connection *c = s->connections; c; c = c->next)
		if (c->deadline_ms && now >= c->deadline_ms)
			(void)shutdown(http_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
				SHUT_RDWR);
	if (s->connections)
		loop_timer_after(s->sweep_timer, SWEEP_MS);
}

void http_set_deadline(struct connection *c, int seconds)
{
	c->deadline_ms = clock_mono_ms() + seconds * 1000;
}

static enum MHD_Result on_accept(void *user, const struct sockaddr *a, socklen_t len)
{
	const struct http_server *s = user;
	struct peer_key k = peer_key(a);

	(void)len;
	if (peer_is_private(&k))
		return MHD_YES;
	return peer_counts_get(&s->peers, &k) < s->options.max_per_peer ? MHD_YES : MHD_NO;
}

static struct connection *connection_new(struct http_server *s, struct MHD_Connection *mhd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->server = s;
	c->mhd = mhd;
	c->key = peer_key(http_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	c->next = s->connections;
	if (c->next)
		c->next->prev = c;
	s->connections = c;
	peer_counts_add(&s->peers, &c->key);
	http_set_deadline(c, HTTP_ARRIVE_S);
	if (!loop_timer_is_running(s->sweep_timer))
		loop_timer_after(s->sweep_timer, SWEEP_MS);
	return c;
}

static void connection_free(struct connection *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->server->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	peer_counts_remove(&c->server->peers, &c->key);
	free(c->uri);
	free(c);
}

static void on_connection(void *user, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = connection_new(user, mhd);
	} else if (*context) {
		((struct http_server *)user)->closed_some = true;
		connection_free(*context);
		*context = NULL;
	}
}

/* Called for each request line, before anything is known to be in order. Only copies it: a
 * request that never becomes whole leaves nothing else behind. */
static void *on_request_line(void *user, const char *uri, struct MHD_Connection *mhd)
{
	struct connection *c = http_connection(mhd);

	(void)user;
	free(c->uri);
	c->uri = str_dup(uri);
	return NULL;
}

__attribute__((format(printf, 2, 0))) static void on_mhd_log(
	void *user, const char *fmt, va_list ap)
{
	char line[256];

	(void)user;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	log_debug("http: %s", line);
}

static struct MHD_Daemon *start(struct http_server *s)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	return MHD_start_daemon(flags, 0, on_accept, s, http_on_access, s,
		MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET,
		s->options.listen_fd, MHD_OPTION_CONNECTION_LIMIT, s->options.max_connections,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_SIZE, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s,
		MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

int http_server_new(
	struct loop *l, const struct http_options *o, struct http_server **out, struct err *e)
{
	struct http_server *s = calloc(1, sizeof(*s));
	const union MHD_DaemonInfo *epoll;
	int r;

	if (!s)
		abort();
	s->loop = l;
	s->options = *o;
	peer_counts_init(&s->peers, o->max_connections);
	s->run_timer = loop_timer_new(l, on_run_timer, s);
	s->sweep_timer = loop_timer_new(l, on_sweep, s);
	s->daemon = start(s);
	epoll = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (epoll)
		r = loop_add_fd(l, epoll->epoll_fd, EPOLLIN, on_ready, s, &s->watch, e);
	else
		r = err_set(e, EIO, "the HTTP server did not start");
	if (r < 0) {
		http_server_free(s);
		return r;
	}
	run(s);
	*out = s;
	return 0;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->closing = true;
	loop_remove_fd(s->watch);
	for (struct connection *c = s->connections; c; c = c->next) {
		if (c->request && c->request->suspended)
			http_give_up(c->request);
	}
	/* It insists on nothing being suspended. */
	if (s->daemon) {
		(void)MHD_run(s->daemon);
		MHD_stop_daemon(s->daemon);
	}
	loop_timer_free(s->run_timer);
	loop_timer_free(s->sweep_timer);
	peer_counts_done(&s->peers);
	free(s);
}

const char *http_library_version(void)
{
	return MHD_get_version();
}
