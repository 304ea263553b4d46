/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/deploy_line.h"
#include "agent/deploy_story.h"
#include "agent/deploy_words.h"
#include "agent/json_view.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum { RETRY_MS = 200, OUT_MAX = 64 << 20 };

struct follow {
	const struct command_call *c;
	int64_t id, offset;
	enum deploy_follow_how how;
	struct client *calls,
		*events; /* what is pushed while one waits for an answer would be lost */
	json_t *deploy; /* as it was told last; NULL: not yet */
	json_t *fresh; /* asked for after the last piece of the log */
	struct deploy_story story;
	struct buf out;
	bool json, over;
	bool told; /* as a story, to a person */
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

static void put(struct follow *f)
{
	(void)fwrite(buf_str(&f->out), 1, f->out.len, stdout);
	(void)fflush(stdout);
	buf_clear(&f->out);
}

static void hang_up(struct follow *f)
{
	client_close(f->calls);
	client_close(f->events);
	f->calls = f->events = NULL;
}

static int reach(struct follow *f, struct err *e)
{
	_cleanup_(free_p) char *state = command_state_dir(f->c);
	json_t *reply;
	int r = client_open(state, &f->calls, e);

	if (r == 0)
		r = client_open(state, &f->events, e);
	if (r == 0)
		r = client_call(f->events,
			json_pack("{s:s, s:I}", "op", "deploy.subscribe", "deploy",
				(json_int_t)f->id),
			&reply, e);
	if (r < 0) {
		hang_up(f);
		return r;
	}
	json_decref(reply);
	return 0;
}

static int ask_record(struct follow *f, json_t **out, struct err *e)
{
	json_t *reply;
	int r = client_call(f->calls,
		json_pack("{s:s, s:I}", "op", "deploy.get", "deploy", (json_int_t)f->id), &reply,
		e);

	if (r < 0)
		return r;
	json_decref(*out);
	*out = json_incref(json_object_get(reply, "deploy"));
	/* Commits and files: thousands, and always the same. */
	(void)json_object_del(*out, "document");
	json_decref(reply);
	return 0;
}

static int print_log(struct follow *f, const char *text, struct err *e)
{
	int r;

	if (!f->told) {
		deploy_line_print(text, f->json, clock_wall_ms() / 1000, &f->out);
		return 0;
	}
	r = ask_record(f, &f->fresh, e);
	if (r == 0)
		deploy_story_log(&f->story, text, f->fresh, &f->out);
	return r;
}

/* All there is of it now. */
static int take_log(struct follow *f, struct err *e)
{
	for (bool more = true; more;) {
		json_t *reply;
		const char *text;
		int r = client_call(f->calls,
			json_pack("{s:s, s:I, s:I}", "op", "deploy.log", "deploy",
				(json_int_t)f->id, "offset", (json_int_t)f->offset),
			&reply, e);

		if (r < 0)
			return r;
		text = json_view_text(reply, "text");
		more = *text != '\0';
		f->over = json_is_true(json_object_get(reply, "ended"));
		if (more)
			r = print_log(f, text, e);
		if (r == 0)
			f->offset = json_view_int(reply, "next");
		json_decref(reply);
		if (r < 0)
			return r;
		put(f);
	}
	return 0;
}

static void print_record(struct follow *f)
{
	_cleanup_(free_p) char *text = json_dumps(f->deploy, JSON_COMPACT);

	buf_addf(&f->out, "{\"deploy\":%s}\n", text ? text : "{}");
}

static void take_record(struct follow *f, json_t *deploy)
{
	bool same = json_equal(f->deploy, deploy);

	if (f->told && !f->deploy)
		deploy_story_begin(&f->story, deploy, &f->out);
	json_decref(f->deploy);
	f->deploy = json_incref(deploy);
	if (f->json && f->how == DEPLOY_FOLLOW_STORY && !same)
		print_record(f);
}

/* Once around: the record, then what the log has by then, so that what has ended in the record prints nothing more. */
static int look(struct follow *f, struct err *e)
{
	json_t *deploy = NULL;
	int r = ask_record(f, &deploy, e);

	if (r < 0)
		return r;
	take_record(f, deploy);
	r = take_log(f, e);
	if (r == 0 && f->told)
		deploy_story_take(&f->story, deploy, clock_wall_ms(), &f->out);
	put(f);
	json_decref(deploy);
	return r;
}

/* Waits for news of it, or for the next second; all that came counts once. */
static int wait_for_news(struct follow *f, struct err *e)
{
	json_t *message;
	int r = client_event(f->events, DEPLOY_FOLLOW_TICK_MS, &message, e);

	while (r == CLIENT_EVENT) {
		json_decref(message);
		r = client_event(f->events, 0, &message, e);
	}
	return r == -EINTR ? 0 : r;
}

static void say(struct follow *f, const char *text)
{
	deploy_story_wipe(&f->story, &f->out);
	put(f);
	(void)fprintf(stderr, "%s\n", text);
}

/* The agent ended: it is restarted, or updated. */
static int reach_again(struct follow *f, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + DEPLOY_FOLLOW_BACK_MS;
	int r;

	hang_up(f);
	say(f, "agent: the agent was stopped; waiting for it to come back ...");
	do {
		(void)poll(NULL, 0, RETRY_MS);
		r = interrupted ? 0 : reach(f, e);
	} while (r < 0 && clock_mono_ms() < until_ms);
	return r;
}

/* What broke is the connection, and not what was asked. */
static bool is_lost(int r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ESRCH;
}

static int watch(struct follow *f, struct err *e)
{
	int r = reach(f, e);

	while (r == 0 && !interrupted) {
		r = look(f, e);
		if (r == 0 && (f->over || f->how == DEPLOY_FOLLOW_LOG_ONCE))
			return 0;
		if (r == 0)
			r = wait_for_news(f, e);
		if (is_lost(r))
			r = reach_again(f, e);
	}
	return r;
}

/* What serves its app now; NULL: none, or it cannot be asked. A new reference. */
static json_t *serves(struct follow *f)
{
	json_t *reply, *found = NULL, *app;
	struct err e;
	size_t i;

	if (client_call(f->calls, json_pack("{s:s}", "op", "deploy.apps"), &reply, &e) < 0)
		return NULL;
	json_array_foreach(json_object_get(reply, "apps"), i,
		app) if (strcmp(json_view_text(app, "name"), json_view_text(f->deploy, "app")) == 0)
		found = json_incref(json_object_get(app, "serves"));
	json_decref(reply);
	return found;
}

static int finish(struct follow *f)
{
	json_t *now;
	struct err e;

	if (f->how != DEPLOY_FOLLOW_STORY)
		return COMMAND_DONE;
	/* As it ended: the log may have gone on after the record was read. */
	(void)ask_record(f, &f->deploy, &e);
	if (f->told) {
		now = serves(f);
		deploy_story_take(&f->story, f->deploy, clock_wall_ms(), &f->out);
		deploy_story_wipe(&f->story, &f->out);
		deploy_words_end(&f->story.term, f->deploy, now, &f->out);
		json_decref(now);
	} else {
		print_record(f);
	}
	put(f);
	return deploy_words_exit(f->deploy);
}

static int leave(struct follow *f)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		"agent: deploy %lld goes on. \"agent deploy follow %lld\" shows it again, "
		"\"agent deploy cancel %lld\" ends it.",
		(long long)f->id, (long long)f->id, (long long)f->id);
	say(f, text);
	return 128 + interrupted;
}

int deploy_follow(const struct command_call *c, int64_t deploy, enum deploy_follow_how how)
{
	struct follow f = {.c = c, .id = deploy, .how = how, .json = c->flags[FLAG_JSON] != NULL};
	struct err e;
	int r;

	buf_init(&f.out, OUT_MAX);
	f.told = !f.json && how == DEPLOY_FOLLOW_STORY;
	f.story.term = term_detect();
	f.story.live = f.told && isatty(STDOUT_FILENO);
	if (how != DEPLOY_FOLLOW_LOG_ONCE)
		catch_signals();
	r = watch(&f, &e);
	deploy_story_wipe(&f.story, &f.out);
	put(&f);
	r = r < 0 ? cmd_fail(r, &e) : interrupted ? leave(&f) : finish(&f);
	hang_up(&f);
	json_decref(f.deploy);
	json_decref(f.fresh);
	buf_done(&f.out);
	return r;
}
