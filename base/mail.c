/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mail.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/mail_worker.h"
#include "base/str.h"
#include "base/wire.h"

enum {
	/* The worker ends by itself at the caller's timeout, and can then still say why. */
	DEADLINE_MORE_MS = 10000,
	RESULT_MAX = 64 * 1024,
};

struct mail_call {
	struct child *child;
	http_done_fn done;
	void *user;
};

static bool has_control(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

bool mail_is_address(const char *s)
{
	const char *at = s ? strrchr(s, '@') : NULL;

	return at && at > s && at[1] && strlen(s) <= MAIL_ADDRESS_MAX && !has_control(s) &&
	       !strpbrk(s, " <>\",;:\\");
}

static int check_recipients(const struct mail_options *o, struct err *e)
{
	size_t n = 0;

	for (; o->to[n]; n++)
		if (!mail_is_address(o->to[n]))
			return err_set(e, EINVAL, "\"%s\" is not a mail address", o->to[n]);
	if (n == 0)
		return err_set(e, EINVAL, "the mail is for nobody");
	if (n > MAIL_RECIPIENTS_MAX)
		return err_set(e, EINVAL, "the mail is for %zu addresses, at most %d", n,
			MAIL_RECIPIENTS_MAX);
	return 0;
}

static int check(const struct mail_options *o, struct err *e)
{
	if (strncasecmp(o->url, "smtp://", 7) != 0 && strncasecmp(o->url, "smtps://", 8) != 0)
		return err_set(e, EINVAL,
			"the mail server's address does not start with smtp:// or smtps://");
	if (has_control(o->url) || has_control(o->user) || has_control(o->password) ||
		has_control(o->helo))
		return err_set(e, EINVAL,
			"the mail server's address, user, password or name contains a control "
			"character");
	if (!mail_is_address(o->from))
		return err_set(e, EINVAL, "\"%s\" is not a mail address", o->from);
	return check_recipients(o, e);
}

static void add_text(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, ",\"%s\":", name);
	buf_add_json_string(b, value);
}

/* What the worker reads on stdin. */
static void add_input(struct buf *b, const struct mail_options *o)
{
	buf_addf(b, "{\"require_tls\":%s,\"timeout_ms\":%lld", o->require_tls ? "true" : "false",
		(long long)o->timeout_ms);
	add_text(b, "url", o->url);
	add_text(b, "user", o->user);
	add_text(b, "password", o->password);
	add_text(b, "ca_file", o->ca_file);
	add_text(b, "helo", o->helo);
	add_text(b, "from", o->from);
	for (size_t i = 0; o->to[i]; i++) {
		buf_adds(b, i == 0 ? ",\"to\":[" : ",");
		buf_add_json_string(b, o->to[i]);
	}
	buf_adds(b, "]}\n");
	buf_add(b, o->data, o->len);
}

static json_t *parse_result(const char *output)
{
	const char *end = strrchr(output, '\n');
	const char *begin = end;

	while (begin && begin > output && begin[-1] != '\n')
		begin--;
	return begin ? wire_parse(begin, (size_t)(end - begin), NULL) : NULL;
}

/* The worker died, or was ended. */
static void describe_death(const struct child_result *c, struct http_response *r)
{
	char how[100];

	if (c->timed_out) {
		r->error = -ETIMEDOUT;
		(void)snprintf(
			r->message, sizeof(r->message), "the mail server did not answer in time");
		return;
	}
	child_describe(how, sizeof(how), c->status);
	r->error = -EIO;
	(void)snprintf(
		r->message, sizeof(r->message), "the process that sends mail ended: %s", how);
}

static void on_end(void *user, const struct child_result *c)
{
	struct mail_call *m = user;
	struct http_response r = {.body = "", .retry_after_ms = -1};
	json_t *result = parse_result(c->output);
	json_int_t error = 0, status = 0;
	const char *message = "";

	if (result && json_unpack(result, "{s:I, s:s, s:I, s:s}", "error", &error, "message",
			      &message, "status", &status, "reply", &r.body) == 0) {
		r.error = (int)-error;
		r.status = (long)status;
		(void)str_copy(r.message, sizeof(r.message), message);
	} else {
		r.body = "";
		describe_death(c, &r);
	}
	r.body_len = strlen(r.body);
	m->done(m->user, &r);
	json_decref(result);
	free(m);
}

int mail_start(struct loop *l, const struct mail_options *o, http_done_fn done, void *user,
	struct mail_call **out, struct err *e)
{
	static const char *const argv[] = {"agent", MAIL_WORKER_ARGUMENTS, NULL};
	_cleanup_(free_p) struct mail_call *m = calloc(1, sizeof(*m));
	_cleanup_(buf_done) struct buf input = BUF_INIT(CHILD_INPUT_MAX);
	struct child_options child = {.argv = argv,
		.program = "/proc/self/exe",
		.pass_fd = -1,
		.output_max = RESULT_MAX,
		.deadline_ms = o->timeout_ms + DEADLINE_MORE_MS};
	int r = check(o, e);

	if (!m)
		abort();
	if (r < 0)
		return r;
	add_input(&input, o);
	if (input.overflow)
		return err_set(e, EINVAL, "the mail is too large: %zu bytes", o->len);
	child.input = buf_str(&input);
	child.input_len = input.len;
	m->done = done;
	m->user = user;
	r = child_start(l, &child, on_end, m, &m->child, e);
	if (r < 0)
		return err_wrap(e, r, "send mail");
	*out = TAKE_PTR(m);
	return 0;
}

void mail_cancel(struct mail_call *m)
{
	if (!m)
		return;
	child_abandon(m->child);
	free(m);
}
