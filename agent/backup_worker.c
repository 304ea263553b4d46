/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/json_view.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "base/wire.h"

enum { NICENESS = 10, DRAIN_MS = 2000, QUEUE_MAX = 4096 };

struct backup_worker {
	struct child *child; /* NULL: it was reaped */
	struct wire *wire;
	bool closed; /* the wire has come to its end */
	struct loop_timer *drain;
	json_t *result;
	char output[BACKUP_OUTPUT_MAX + 1];
	struct backup_outcome outcome;
	backup_says_fn says;
	backup_done_fn done;
	void *user;
};

static void worker_free(struct backup_worker *w)
{
	wire_free(w->wire);
	loop_timer_free(w->drain);
	json_decref(w->result);
	free(w);
}
DEFINE_CLEANUP(struct backup_worker *, worker_free);

static void finish(void *user)
{
	struct backup_worker *w = user;

	w->outcome.result = w->result;
	w->outcome.output = w->output;
	w->done(w->user, &w->outcome);
	worker_free(w);
}

static void on_says(void *user, json_t *says)
{
	struct backup_worker *w = user;

	if (strcmp(json_view_text(says, "type"), "result") == 0) {
		json_decref(w->result);
		w->result = json_incref(says);
	} else if (w->says) {
		w->says(w->user, says);
	}
}

/* What it said last may still be on its way when it is reaped. */
static void on_closed(void *user, const char *why)
{
	struct backup_worker *w = user;

	(void)why;
	w->closed = true;
	if (!w->child)
		loop_timer_after(w->drain, 0);
}

static void on_ended(void *user, const struct child_result *r)
{
	struct backup_worker *w = user;

	w->child = NULL;
	w->outcome.status = r->status;
	w->outcome.timed_out = r->timed_out;
	(void)str_copy(w->output, sizeof(w->output), r->output);
	/* A program it left behind may hold the other end. */
	loop_timer_after(w->drain, w->closed ? 0 : DRAIN_MS);
}

static int open_wire(struct loop *l, struct backup_worker *w, int *theirs, struct err *e)
{
	const struct wire_options o = {.max_line = BACKUP_LINE_MAX,
		.max_queue = QUEUE_MAX,
		.on_message = on_says,
		.on_closed = on_closed,
		.user = w};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "socketpair");
	*theirs = fds[1];
	return wire_new(l, fds[0], &o, &w->wire, e);
}

int backup_worker_start(struct loop *l, const struct backup_worker_options *o,
	struct backup_worker **out, struct err *e)
{
	static const char *const own[] = {"/proc/self/exe", "worker", "backup", NULL};
	_cleanup_(worker_free_p) struct backup_worker *w = calloc(1, sizeof(*w));
	_cleanup_(free_p) char *text = json_dumps(o->order, JSON_COMPACT);
	_cleanup_(close_p) int theirs = -1;
	int r;

	if (!w || !text)
		abort();
	w->says = o->says;
	w->done = o->done;
	w->user = o->user;
	w->drain = loop_timer_new(l, finish, w);
	r = open_wire(l, w, &theirs, e);
	if (r == 0) {
		/* Where its secrets are may be said by the environment: secret.h. */
		const struct child_options c = {.argv = o->argv ? o->argv : own,
			.env = (const char *const *)environ,
			.deadline_ms = o->deadline_ms,
			.grace_ms = BACKUP_GRACE_MS,
			.output_max = BACKUP_OUTPUT_MAX,
			.inherit_output = o->inherit_output,
			.pass_fd = theirs,
			.nice = o->polite ? NICENESS : 0,
			.io_idle = o->polite,
			.input = text,
			.input_len = strlen(text)};

		r = child_start(l, &c, on_ended, w, &w->child, e);
	}
	if (r < 0)
		return r;
	*out = TAKE_PTR(w);
	return 0;
}

void backup_worker_stop(struct backup_worker *w)
{
	if (w->child)
		child_stop(w->child);
}

void backup_worker_abandon(struct backup_worker *w)
{
	if (!w)
		return;
	child_abandon(w->child);
	worker_free(w);
}
