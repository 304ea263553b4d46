/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/json_view.h"
#include "agent/secret.h"
#include "base/str.h"

enum { ANSWER_MAX = 64 * 1024, SAYS_MAX = 120, FIELD_MAX = 200 };

/* Of one deploy: what is posted now, and what is to be posted after it. */
struct post {
	struct deploy_statuses *statuses;
	int64_t deploy;
	enum deploy_status_kind kind; /* that was told last */
	char *app, *token_file;
	struct deploy_status_call call, after;
	bool has_call, has_after;
	unsigned attempts;
	struct http_request *request; /* NULL: between two attempts, or nothing is to be posted */
	struct loop_timer *timer;
	struct post *next; /* newest first */
};

struct deploy_statuses {
	struct loop *loop;
	struct http_client *http;
	struct problems *problems;
	struct post *list;
	size_t n;
};

struct deploy_statuses *deploy_statuses_new(
	struct loop *l, struct http_client *http, struct problems *problems)
{
	struct deploy_statuses *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	*s = (struct deploy_statuses){.loop = l, .http = http, .problems = problems};
	return s;
}

static void forget_call(struct deploy_status_call *c, bool *has)
{
	if (*has)
		deploy_status_call_done(c);
	*has = false;
}

static void post_free(struct post *p)
{
	struct post **at = &p->statuses->list;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->statuses->n--;
	http_request_cancel(p->request);
	loop_timer_free(p->timer);
	forget_call(&p->call, &p->has_call);
	forget_call(&p->after, &p->has_after);
	free(p->app);
	free(p->token_file);
	free(p);
}

void deploy_statuses_free(struct deploy_statuses *s)
{
	if (!s)
		return;
	while (s->list)
		post_free(s->list);
	free(s);
}

static void set_problem(struct post *p, const char *why)
{
	_cleanup_(free_p) char *key = str_format("deploy.status.%s", p->app);

	if (why)
		problem_set(p->statuses->problems, key,
			"the git host of %s could not be told of a deploy: %s", p->app, why);
	else
		problem_clear(p->statuses->problems, key);
}

/* What is to be posted is done with, well or not: the next one, if there is one. */
static void go_on(struct post *p)
{
	forget_call(&p->call, &p->has_call);
	p->attempts = 0;
	if (!p->has_after)
		return;
	p->call = p->after;
	p->has_call = true;
	p->has_after = false;
	loop_timer_after(p->timer, 0);
}

static void attempt_failed(struct post *p, const char *why)
{
	if (p->has_after) {
		/* The newer state is what people want to see. */
		go_on(p);
		return;
	}
	if (p->attempts < DEPLOY_STATUS_ATTEMPTS) {
		loop_timer_after(
			p->timer, (int64_t)DEPLOY_STATUS_RETRY_MS << (2 * (p->attempts - 1)));
		return;
	}
	set_problem(p, why);
	go_on(p);
}

/* Hosts repeat a state that a job has already as a mistake (GitLab: "Cannot transition status via :run from :running"). */
static bool is_said_already(const struct http_response *r)
{
	return r->status == 400 && r->body && strstr(r->body, "Cannot transition status");
}

/* Of what the host says only the sentence that all of them have. */
static void explain(const struct http_response *r, char *to, size_t size)
{
	json_t *body = r->body ? json_loadb(r->body, r->body_len, 0, NULL) : NULL;
	char says[SAYS_MAX];

	(void)str_copy(says, sizeof(says), json_view_text(body, "message"));
	json_decref(body);
	for (char *c = says; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	(void)snprintf(to, size, "HTTP status %ld%s%s%s", r->status,
		r->status == 401 || r->status == 403 ? ", the token may not do that"
		: r->status == 404 ? ", the token may not see the repository, or there is none"
		: r->status >= 300 && r->status < 400
			? ", the repository has moved: set source anew"
			: "",
		*says ? ": " : "", says);
}

static void on_answer(void *user, const struct http_response *r)
{
	struct post *p = user;
	char why[FIELD_MAX + SAYS_MAX];

	p->request = NULL;
	if (r->error) {
		attempt_failed(p, r->message);
		return;
	}
	if ((r->status >= 200 && r->status < 300) || is_said_already(r)) {
		set_problem(p, NULL);
		go_on(p);
		return;
	}
	explain(r, why, sizeof(why));
	/* What is refused for what it is will be refused again. */
	if (r->status < 500 && r->status != 408 && r->status != 429)
		p->attempts = DEPLOY_STATUS_ATTEMPTS;
	attempt_failed(p, why);
}

static int start(struct post *p, const char *token, struct err *e)
{
	_cleanup_(free_p) char *authorization = str_format("%s%s", p->call.header, token);
	const char *const headers[] = {authorization, "Content-Type: application/json",
		"Accept: application/json", "User-Agent: agent/" AGENT_VERSION, NULL};
	const struct http_request_options o = {
		.method = "POST",
		.url = buf_str(&p->call.url),
		.headers = headers,
		.body = buf_str(&p->call.body),
		.body_len = p->call.body.len,
		.max_body = ANSWER_MAX,
		.timeout_ms = DEPLOY_STATUS_TIMEOUT_MS,
	};
	int r = http_client_start(p->statuses->http, &o, on_answer, p, &p->request, e);

	explicit_bzero(authorization, strlen(authorization));
	return r;
}

static void on_attempt(void *user)
{
	struct post *p = user;
	_cleanup_(buf_done) struct buf token = BUF_INIT(SECRET_MAX);
	struct err e;

	if (!p->has_call || p->request)
		return;
	p->attempts++;
	if (secret_read(p->token_file, &token, &e) < 0 || start(p, buf_str(&token), &e) < 0)
		attempt_failed(p, e.msg);
	if (token.len)
		explicit_bzero(token.data, token.len);
}

static struct post *find(struct deploy_statuses *s, int64_t deploy)
{
	for (struct post *p = s->list; p; p = p->next)
		if (p->deploy == deploy)
			return p;
	return NULL;
}

static struct post *add(struct deploy_statuses *s, const struct deploy *d, const char *token_file)
{
	struct post *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	*p = (struct post){.statuses = s,
		.deploy = d->id,
		.app = str_dup(d->app),
		.token_file = str_dup(token_file),
		.next = s->list};
	p->timer = loop_timer_new(s->loop, on_attempt, p);
	s->list = p;
	s->n++;
	return p;
}

static void make_room(struct deploy_statuses *s)
{
	struct post *last = s->list;

	if (s->n < DEPLOY_STATUSES_MAX)
		return;
	while (last->next)
		last = last->next;
	post_free(last);
}

static void take(struct post *p, struct deploy_status_call *c)
{
	/* One that waits for its next attempt has become old. */
	if (p->has_call && !p->request) {
		forget_call(&p->call, &p->has_call);
		p->attempts = 0;
	}
	if (p->has_call) {
		forget_call(&p->after, &p->has_after);
		p->after = *c;
		p->has_after = true;
		return;
	}
	p->call = *c;
	p->has_call = true;
	loop_timer_after(p->timer, 0);
}

void deploy_statuses_tell(struct deploy_statuses *s, const struct deploy *d,
	const struct deploy_app *a, const char *dashboard)
{
	struct deploy_status_call c;
	struct post *p = find(s, d->id);
	struct err e;
	int r;

	if (!s->http || !a->status_token_file || (p && p->kind == deploy_status_kind(d)))
		return;
	r = deploy_status_call(d, a, dashboard, &c, &e);
	if (r == -ENOENT)
		return;
	if (!p) {
		make_room(s);
		p = add(s, d, a->status_token_file);
	}
	p->kind = deploy_status_kind(d);
	if (r < 0)
		set_problem(p, e.msg);
	else
		take(p, &c);
}
