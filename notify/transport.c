/* SPDX-License-Identifier: Apache-2.0 */
#include "notify/transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/mail.h"
#include "base/str.h"
#include "notify/sender.h"

enum {
	/* Of an HTTP answer; a longer one is cut off, and what was said at its start counts. */
	READ_MAX = 1024 * 1024,
	INHERITED = 4,
	ENV_MAX = INHERITED + OUTGOING_HEADERS_MAX,
};

struct transport_call {
	/* One of the three. */
	struct http_request *request;
	struct mail_call *mail;
	struct child *child;
	struct buf body;
	size_t received;
	transport_done_fn done;
	void *user;
};

static void call_free(struct transport_call *t)
{
	buf_done(&t->body);
	free(t);
}
DEFINE_CLEANUP(struct transport_call *, call_free);

static void tell(struct transport_call *t, const struct answer *a)
{
	t->done(t->user, a);
	call_free(t);
}

static bool on_http_data(void *user, const char *data, size_t len)
{
	struct transport_call *t = user;
	size_t room = t->body.max - t->body.len;

	buf_add(&t->body, data, len < room ? len : room);
	t->received += len;
	return t->received <= READ_MAX;
}

static void on_http_done(void *user, const struct http_response *r)
{
	struct transport_call *t = user;
	struct answer a = {.error = r->error,
		.message = r->message,
		.status = r->status,
		.body = buf_str(&t->body),
		.retry_after_ms = r->retry_after_ms};

	/* We ended it: enough was read. */
	if (r->error == -ECANCELED) {
		a.error = 0;
		a.message = "";
	}
	tell(t, &a);
}

static int start_http(struct transport_call *t, struct http_client *http, const struct channel *c,
	const struct outgoing *o, struct err *e)
{
	struct http_request_options r = {.method = o->method ? o->method : "POST",
		.url = o->url,
		.headers = (const char *const *)o->headers,
		.timeout_ms = CHANNEL_TIMEOUT_MS,
		.ca_file = c->ca_file,
		.on_data = on_http_data};

	if (o->body.len > 0) {
		r.body = buf_str(&o->body);
		r.body_len = o->body.len;
	}
	return http_client_start(http, &r, on_http_done, t, &t->request, e);
}

static void on_mail_done(void *user, const struct http_response *r)
{
	const struct answer a = {.error = r->error,
		.message = r->message,
		.status = r->status,
		.body = r->body,
		.retry_after_ms = -1};

	tell(user, &a);
}

static int start_mail(struct transport_call *t, struct loop *l, const struct channel *c,
	const struct outgoing *o, struct err *e)
{
	const struct mail_options m = {.url = o->url,
		.user = c->user,
		.password = c->secret,
		.require_tls = o->require_tls,
		.ca_file = c->ca_file,
		.from = o->from,
		.to = (const char *const *)o->to,
		.data = buf_str(&o->body),
		.len = o->body.len,
		.timeout_ms = CHANNEL_TIMEOUT_MS};

	return mail_start(l, &m, on_mail_done, t, &t->mail, e);
}

static void on_child_done(void *user, const struct child_result *r)
{
	struct answer a = {.message = "", .body = r->output, .retry_after_ms = -1};
	char how[100] = "";

	if (r->timed_out) {
		a.error = -ETIMEDOUT;
		(void)snprintf(
			how, sizeof(how), "it did not end within %d s", CHANNEL_COMMAND_MS / 1000);
	} else if (WIFEXITED(r->status)) {
		a.status = WEXITSTATUS(r->status);
	} else {
		a.error = -EIO;
		child_describe(how, sizeof(how), r->status);
	}
	a.message = how;
	tell(user, &a);
}

struct env {
	char *list[ENV_MAX + 1];
};

static void env_done(struct env *env)
{
	for (size_t i = 0; env->list[i]; i++)
		free(env->list[i]);
}

static void make_env(struct env *env, const struct outgoing *o)
{
	static const char *const inherited[] = {"PATH", "HOME", "TZ"};
	size_t n = 0;

	env->list[n++] = str_dup("LANG=C.UTF-8");
	for (size_t i = 0; i < ARRAY_LEN(inherited); i++) {
		const char *value = getenv(inherited[i]);

		if (value)
			env->list[n++] = str_format("%s=%s", inherited[i], value);
	}
	for (size_t i = 0; i < o->n_headers; i++)
		env->list[n++] = str_dup(o->headers[i]);
}

static int start_command(struct transport_call *t, struct loop *l, const struct channel *c,
	const struct outgoing *o, struct err *e)
{
	_cleanup_(env_done) struct env env = {{NULL}};
	struct child_options child = {.argv = c->command,
		.env = (const char *const *)env.list,
		.deadline_ms = CHANNEL_COMMAND_MS,
		.output_max = CHANNEL_ANSWER_MAX,
		.pass_fd = -1,
		.input = buf_str(&o->body),
		.input_len = o->body.len};

	make_env(&env, o);
	return child_start(l, &child, on_child_done, t, &t->child, e);
}

int transport_start(struct loop *l, struct http_client *http, const struct channel *c,
	const struct outgoing *o, transport_done_fn done, void *user, struct transport_call **out,
	struct err *e)
{
	_cleanup_(call_free_p) struct transport_call *t = calloc(1, sizeof(*t));
	int r = -EINVAL;

	if (!t)
		abort();
	t->done = done;
	t->user = user;
	buf_init(&t->body, CHANNEL_ANSWER_MAX);
	switch (o->transport) {
	case TRANSPORT_HTTP:
		r = start_http(t, http, c, o, e);
		break;
	case TRANSPORT_MAIL:
		r = start_mail(t, l, c, o, e);
		break;
	case TRANSPORT_COMMAND:
		r = start_command(t, l, c, o, e);
		break;
	}
	if (r < 0)
		return r;
	*out = TAKE_PTR(t);
	return 0;
}

void transport_cancel(struct transport_call *t)
{
	if (!t)
		return;
	http_request_cancel(t->request);
	mail_cancel(t->mail);
	child_abandon(t->child);
	call_free(t);
}
