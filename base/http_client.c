/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "base/http_request.h"

enum {
	/* Kept open for the next request. */
	IDLE_CONNECTIONS_MAX = 4,
	/* Further requests wait for one to end. */
	CONNECTIONS_MAX = 32,
};

/* A socket curl wants watched. */
struct sock {
	struct http_client *client;
	struct sock *prev, *next;
	struct loop_fd *watch;
};

struct http_client {
	struct loop *loop;
	CURLM *multi; /* made for the first request */
	struct loop_timer *timer;
	struct http_request *requests;
	struct sock *socks;
	/* Inside curl, its handles may not be added or removed: settle() does so afterwards. */
	bool in_curl;
	bool settling;
	bool freed;
};

static void settle(struct http_client *c);

static void on_socket(void *user, int fd, uint32_t events)
{
	struct sock *s = user;
	struct http_client *c = s->client;
	int mask = 0, running;

	if (events & (EPOLLIN | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	c->in_curl = true;
	(void)curl_multi_socket_action(c->multi, fd, mask, &running);
	c->in_curl = false;
	settle(c);
}

static void on_timer(void *user)
{
	struct http_client *c = user;
	int running;

	c->in_curl = true;
	(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	c->in_curl = false;
	settle(c);
}

static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
	struct http_client *c = user;

	(void)multi;
	if (timeout_ms < 0)
		loop_timer_stop(c->timer);
	else
		loop_timer_after(c->timer, timeout_ms);
	return 0;
}

static void sock_free(struct sock *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		s->client->socks = s->next;
	if (s->next)
		s->next->prev = s->prev;
	loop_remove_fd(s->watch);
	free(s);
}

static struct sock *sock_new(struct http_client *c, int fd, uint32_t events)
{
	struct sock *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->client = c;
	if (loop_add_fd(c->loop, fd, events, on_socket, s, &s->watch, NULL) < 0) {
		free(s);
		return NULL;
	}
	s->next = c->socks;
	if (s->next)
		s->next->prev = s;
	c->socks = s;
	return s;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *sock)
{
	struct http_client *c = user;
	struct sock *s = sock;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			sock_free(s);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (s) {
		loop_change_fd(s->watch, events);
		return 0;
	}
	s = sock_new(c, fd, events);
	if (!s)
		return -1;
	(void)curl_multi_assign(c->multi, fd, s);
	return 0;
}

/* A failure to set an option of curl's multi handle means it is not what we compiled for. */
#define MULTI_SET(c, option, value)                                                                \
	do {                                                                                       \
		CURLMcode set_r_ = curl_multi_setopt((c)->multi, option, value);                   \
		assert(set_r_ == CURLM_OK);                                                        \
		(void)set_r_;                                                                      \
	} while (0)

static int make_multi(struct http_client *c, struct err *e)
{
	static bool initialised;

	if (c->multi)
		return 0;
	if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, EIO, "libcurl cannot be initialised");
	initialised = true;
	c->multi = curl_multi_init();
	if (!c->multi)
		abort();
	MULTI_SET(c, CURLMOPT_SOCKETFUNCTION, watch_socket);
	MULTI_SET(c, CURLMOPT_SOCKETDATA, c);
	MULTI_SET(c, CURLMOPT_TIMERFUNCTION, set_timer);
	MULTI_SET(c, CURLMOPT_TIMERDATA, c);
	MULTI_SET(c, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
	MULTI_SET(c, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX);
	return 0;
}

int http_client_new(struct loop *l, struct http_client **out, struct err *e)
{
	struct http_client *c = calloc(1, sizeof(*c));

	(void)e;
	if (!c)
		abort();
	c->loop = l;
	c->timer = loop_timer_new(l, on_timer, c);
	*out = c;
	return 0;
}

static void remove_request(struct http_request *r)
{
	struct http_client *c = r->client;

	if (r->prev)
		r->prev->next = r->next;
	else
		c->requests = r->next;
	if (r->next)
		r->next->prev = r->prev;
	if (r->added)
		(void)curl_multi_remove_handle(c->multi, r->easy);
	http_request_done(r);
}

static void client_free(struct http_client *c)
{
	while (c->requests)
		remove_request(c->requests);
	if (c->multi)
		(void)curl_multi_cleanup(c->multi);
	while (c->socks)
		sock_free(c->socks);
	loop_timer_free(c->timer);
	free(c);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	c->freed = true;
	for (struct http_request *r = c->requests; r; r = r->next)
		r->cancelled = true;
	if (!c->in_curl && !c->settling)
		client_free(c);
}

static int add_to_curl(struct http_request *r)
{
	if (curl_multi_add_handle(r->client->multi, r->easy) != CURLM_OK)
		return -EIO;
	r->added = true;
	return 0;
}

/* What callbacks inside curl asked for. Handles cancelled go, new ones are added. */
static void apply_changes(struct http_client *c)
{
	struct http_request *next;

	for (struct http_request *r = c->requests; r; r = next) {
		next = r->next;
		if (r->cancelled)
			remove_request(r);
		else if (!r->added && add_to_curl(r) < 0)
			abort(); /* only without memory */
	}
}

/* After each call into curl: ends what has ended. Owners may do anything meanwhile, freeing the
 * client included. */
static void settle(struct http_client *c)
{
	CURLMsg *m;
	int left;

	c->settling = true;
	apply_changes(c);
	while (!c->freed && (m = curl_multi_info_read(c->multi, &left))) {
		struct http_request *r = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		http_request_tell(r, m->data.result);
		remove_request(r);
	}
	c->settling = false;
	if (c->freed)
		client_free(c);
}

int http_client_start(struct http_client *c, const struct http_request_options *o,
	http_done_fn done, void *user, struct http_request **out, struct err *e)
{
	struct http_request *r;
	int ret = http_request_check(o, e);

	if (ret == 0)
		ret = make_multi(c, e);
	if (ret < 0)
		return ret;
	r = http_request_new(o, done, user);
	r->client = c;
	r->next = c->requests;
	if (r->next)
		r->next->prev = r;
	c->requests = r;
	if (!c->in_curl && add_to_curl(r) < 0) {
		remove_request(r);
		return err_set(e, EIO, "libcurl takes no further request");
	}
	*out = r;
	return 0;
}

void http_request_cancel(struct http_request *r)
{
	if (!r || r->cancelled)
		return;
	r->cancelled = true;
	if (!r->client->in_curl)
		remove_request(r);
}

const char *http_client_library_version(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}
