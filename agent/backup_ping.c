/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_ping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/secret.h"
#include "base/str.h"

enum { BODY_MAX = 4096 };

struct ping {
	struct backup_pings *pings;
	char *url, *problem;
	unsigned attempts;
	struct http_request *request; /* NULL: between two attempts */
	struct loop_timer *retry;
	struct ping *next;
};

struct backup_pings {
	struct loop *loop;
	struct http_client *http;
	struct problems *problems;
	struct ping *list;
	size_t n;
};

struct backup_pings *backup_pings_new(
	struct loop *l, struct http_client *http, struct problems *problems)
{
	struct backup_pings *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	*p = (struct backup_pings){.loop = l, .http = http, .problems = problems};
	return p;
}

static void ping_free(struct ping *g)
{
	struct ping **at = &g->pings->list;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	g->pings->n--;
	http_request_cancel(g->request);
	loop_timer_free(g->retry);
	explicit_bzero(g->url, strlen(g->url));
	free(g->url);
	free(g->problem);
	free(g);
}

void backup_pings_free(struct backup_pings *p)
{
	if (!p)
		return;
	while (p->list)
		ping_free(p->list);
	free(p);
}

/* The address is a secret: it is not in the text. */
static void attempt_failed(struct ping *g, const char *why)
{
	if (g->attempts < PING_ATTEMPTS) {
		loop_timer_after(g->retry, (int64_t)PING_RETRY_MS << (g->attempts - 1));
		return;
	}
	problem_set(g->pings->problems, g->problem,
		"the ping_url of the backup job could not be called: %s", why);
	ping_free(g);
}

static void on_answer(void *user, const struct http_response *r)
{
	struct ping *g = user;
	char why[300];

	g->request = NULL;
	if (r->error) {
		attempt_failed(g, r->message);
	} else if (r->status < 200 || r->status > 299) {
		(void)snprintf(why, sizeof(why), "HTTP status %ld", r->status);
		attempt_failed(g, why);
	} else {
		problem_clear(g->pings->problems, g->problem);
		ping_free(g);
	}
}

static void on_attempt(void *user)
{
	struct ping *g = user;
	const struct http_request_options o = {
		.url = g->url, .max_body = BODY_MAX, .timeout_ms = PING_TIMEOUT_MS};
	struct err e;

	g->attempts++;
	if (http_client_start(g->pings->http, &o, on_answer, g, &g->request, &e) < 0)
		attempt_failed(g, e.msg);
}

static char *address_of(const struct backup_job *j, struct err *e)
{
	_cleanup_(buf_done) struct buf secret = BUF_INIT(SECRET_MAX);

	if (j->ping_url)
		return str_dup(j->ping_url);
	if (secret_read(j->ping_url_file, &secret, e) < 0)
		return NULL;
	return buf_take(&secret);
}

static void start(struct backup_pings *p, char *url, char *problem)
{
	struct ping *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	*g = (struct ping){.pings = p, .url = url, .problem = problem, .next = p->list};
	g->retry = loop_timer_new(p->loop, on_attempt, g);
	p->list = g;
	p->n++;
	loop_timer_after(g->retry, 0);
}

char *backup_ping_address(const char *url, bool good)
{
	size_t path = strcspn(url, "?#"), n = path;

	while (n && url[n - 1] == '/')
		n--;
	return str_format("%.*s%s%s", (int)n, url, good ? "" : "/fail", url + path);
}

void backup_ping(struct backup_pings *p, const struct backup_job *j, bool good)
{
	_cleanup_(free_p) char *problem = str_format("backup.ping.%s", j->name);
	_cleanup_(free_p) char *address = NULL;
	struct err e;

	if (!p->http || (!j->ping_url && !j->ping_url_file) || p->n >= PINGS_MAX)
		return;
	address = address_of(j, &e);
	if (!address) {
		problem_set(p->problems, problem,
			"the ping_url of the backup job cannot be read: %s", e.msg);
		return;
	}
	start(p, backup_ping_address(address, good), TAKE_PTR(problem));
	explicit_bzero(address, strlen(address));
}
