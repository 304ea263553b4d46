/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_follow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backup_bar.h"
#include "agent/cmd.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "base/clock.h"

enum {
	LINE_MS = 10 * 1000, /* between two lines of progress into a pipe */
	CANCEL_MS = 60 * 1000, /* BACKUP_GRACE_MS and a little */
};

struct followed {
	int64_t id;
	json_t *run; /* as it was told last */
	bool ended;
	char stage[32]; /* that was printed last */
	int64_t printed_ms;
	json_t *told; /* the warnings that were printed when they came */
};

struct backup_follow {
	struct client *calls,
		*events; /* what is pushed while one waits for an answer would be lost */
	struct followed *list;
	size_t n;
	struct term term;
	bool json, bar, drawn;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	interrupted = signo;
}

static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal};

	sigemptyset(&a.sa_mask);
	(void)sigaction(SIGINT, &a, NULL);
	(void)sigaction(SIGTERM, &a, NULL);
}

int backup_follow_open(const struct command_call *c, struct backup_follow **out)
{
	_cleanup_(free_p) char *state = command_state_dir(c);
	struct backup_follow *f = calloc(1, sizeof(*f));
	json_t *reply;
	struct err e;
	int r;

	if (!f)
		abort();
	f->term = term_detect();
	f->json = c->flags[FLAG_JSON] != NULL;
	f->bar = !f->json && isatty(STDOUT_FILENO);
	r = client_open(state, &f->calls, &e);
	if (r == 0)
		r = client_open(state, &f->events, &e);
	if (r == 0)
		r = client_call(
			f->events, json_pack("{s:s}", "op", "backup.subscribe"), &reply, &e);
	if (r < 0) {
		backup_follow_free(f);
		return cmd_fail(r, &e);
	}
	json_decref(reply);
	*out = f;
	return 0;
}

void backup_follow_free(struct backup_follow *f)
{
	if (!f)
		return;
	client_close(f->calls);
	client_close(f->events);
	for (size_t i = 0; i < f->n; i++) {
		json_decref(f->list[i].run);
		json_decref(f->list[i].told);
	}
	free(f->list);
	free(f);
}

int backup_follow_ask(struct backup_follow *f, json_t *request, json_t **reply)
{
	struct err e;
	int r = client_call(f->calls, request, reply, &e);

	return r < 0 ? cmd_fail(r, &e) : 0;
}

int backup_follow_start(struct backup_follow *f, json_t *request)
{
	json_t *job = json_incref(json_object_get(request, "job")), *reply;
	int r;

	(void)json_object_set_new(request, "op", json_string("backup.start"));
	r = backup_follow_ask(f, request, &reply);
	if (r == 0) {
		f->list = reallocarray(f->list, f->n + 1, sizeof(*f->list));
		if (!f->list)
			abort();
		f->list[f->n++] = (struct followed){.id = json_view_int(reply, "run"),
			.run = json_pack("{s:O, s:s}", "job", job, "state", "waiting")};
		json_decref(reply);
	}
	json_decref(job);
	return r;
}

const json_t *backup_follow_run(const struct backup_follow *f, size_t i)
{
	return f->list[i].run;
}

int backup_follow_detach(struct backup_follow *f)
{
	for (size_t i = 0; i < f->n && !f->json; i++)
		printf("%s: run %lld is queued; \"agent backup show %s\" tells what becomes of "
		       "it\n",
			json_view_text(f->list[i].run, "job"), (long long)f->list[i].id,
			json_view_text(f->list[i].run, "job"));
	for (size_t i = 0; i < f->n && f->json; i++)
		printf("{\"job\":\"%s\",\"run\":%lld}\n", json_view_text(f->list[i].run, "job"),
			(long long)f->list[i].id);
	return COMMAND_DONE;
}

static void put(const struct buf *b)
{
	(void)fwrite(buf_str(b), 1, b->len, stdout);
	(void)fflush(stdout);
}

static void wipe_bar(struct backup_follow *f)
{
	if (f->drawn)
		(void)fputs("\r\033[K", stdout);
	(void)fflush(stdout);
	f->drawn = false;
}

static bool is_over(const json_t *run)
{
	const char *state = json_view_text(run, "state");

	return strcmp(state, "waiting") != 0 && strcmp(state, "running") != 0;
}

static void print_json_line(const json_t *j)
{
	_cleanup_(free_p) char *text = json_dumps(j, JSON_COMPACT);

	(void)puts(text ? text : "{}");
	(void)fflush(stdout);
}

static void draw_bar(struct backup_follow *f, const json_t *run)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);

	f->term = term_detect();
	buf_adds(&out, "\r");
	backup_bar(&f->term, run, &out);
	buf_adds(&out, "\033[K");
	put(&out);
	f->drawn = true;
}

/* A new step at once, the same one every now and then. */
static void print_words(struct followed *w)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);
	const char *stage = json_view_text(w->run, "stage");
	int64_t now_ms = clock_mono_ms();

	if (strcmp(stage, w->stage) == 0 && now_ms - w->printed_ms < LINE_MS)
		return;
	(void)snprintf(w->stage, sizeof(w->stage), "%s", stage);
	w->printed_ms = now_ms;
	backup_bar_words(w->run, &out);
	buf_addc(&out, '\n');
	put(&out);
}

/* At once, in front of the bar: it may be why nothing moves. */
static void print_warning(struct backup_follow *f, struct followed *w, const json_t *says)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 16);
	const char *text = json_view_text(says, "text");

	if (strcmp(json_view_text(says, "type"), "warning") != 0)
		return;
	if (!w->told)
		w->told = json_object();
	(void)json_object_set_new(w->told, text, json_true());
	wipe_bar(f);
	backup_bar_warning(&f->term, json_view_text(w->run, "job"), text, &out);
	put(&out);
}

/* Without the warnings that were printed. New reference. */
static json_t *still_to_tell(const struct followed *w)
{
	json_t *run = json_copy(w->run), *left = json_array(), *one;
	size_t i;

	json_array_foreach(json_object_get(run, "warnings"), i,
		one) if (!json_object_get(w->told, json_string_value(one)))(void)
		json_array_append(left, one);
	(void)json_object_set_new(run, "warnings", left);
	return run;
}

static void print_end(struct backup_follow *f, const struct followed *w)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1 << 20);
	json_t *run = still_to_tell(w);

	wipe_bar(f);
	backup_bar_end(&f->term, run, &out);
	put(&out);
	json_decref(run);
}

static void take(struct backup_follow *f, const json_t *run, const json_t *message)
{
	for (size_t i = 0; i < f->n; i++) {
		struct followed *w = &f->list[i];

		if (w->id != json_view_int(run, "run") || w->ended)
			continue;
		json_decref(w->run);
		w->run = json_incref((json_t *)(uintptr_t)run);
		w->ended = is_over(run);
		if (f->bar)
			print_warning(f, w, json_object_get(message, "says"));
		if (f->json)
			print_json_line(message);
		else if (w->ended)
			print_end(f, w);
		else if (strcmp(json_view_text(run, "state"), "running") != 0)
			continue;
		else if (f->bar)
			draw_bar(f, run);
		else
			print_words(w);
	}
}

static size_t under_way(const struct backup_follow *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += !f->list[i].ended;
	return n;
}

/* Those that wait first: each that ends makes room for the next. */
static int cancel_all(struct backup_follow *f)
{
	json_t *reply;
	struct err e;
	int r = 0;

	wipe_bar(f);
	if (!f->json)
		(void)fputs("cancelling, and cleaning up ...\n", stderr);
	for (size_t i = f->n; i-- > 0;) {
		if (f->list[i].ended)
			continue;
		r = client_call_within(f->calls,
			json_pack("{s:s, s:I}", "op", "backup.cancel", "run",
				(json_int_t)f->list[i].id),
			CANCEL_MS, &reply, &e);
		if (r == -EREMOTEIO) /* it has just ended */
			continue;
		if (r < 0)
			return cmd_fail(r, &e);
		take(f, json_object_get(reply, "run"), json_object_get(reply, "run"));
		json_decref(reply);
	}
	return COMMAND_FAILED;
}

static int exit_code(const struct backup_follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(json_view_text(f->list[i].run, "state"), "done") != 0 ||
			json_is_true(json_object_get(f->list[i].run, "partial")))
			return COMMAND_FAILED;
	return COMMAND_DONE;
}

int backup_follow_wait(struct backup_follow *f)
{
	catch_signals();
	while (under_way(f)) {
		json_t *message;
		struct err e;
		int r = interrupted ? -EINTR : client_event(f->events, 1000, &message, &e);

		if (r == -EINTR && interrupted)
			return cancel_all(f);
		if (r == -EINTR || r == CLIENT_NOTHING)
			continue;
		if (r < 0) {
			wipe_bar(f);
			return cmd_fail(r, &e);
		}
		take(f, json_object_get(message, "run"), message);
		json_decref(message);
	}
	return exit_code(f);
}
