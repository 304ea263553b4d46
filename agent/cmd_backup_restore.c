/* SPDX-License-Identifier: Apache-2.0
 *
 * `agent backup restore`: done by this command itself, so that it works on a bare new server. First it is asked what would
 * be overwritten, then a person, then it is done; a running agent is told.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/backup_bar.h"
#include "agent/backup_local.h"
#include "agent/cmd.h"
#include "agent/json_view.h"
#include "agent/term.h"
#include "backup/manifest.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"

struct restore {
	const struct command_call *c;
	struct backup_local local;
	const struct backup_job *job;
	struct term term;
	FILE *out; /* for people: stderr when the dump goes to stdout */
	bool bar, drawn, json;
	char *plan;
	json_t *run; /* as CONTROL.md has it, for the bar */
	char stage[32];
	int64_t began_ms, mono_ms;
};

static json_t *absolute(const char *path)
{
	_cleanup_(free_p) char *whole = fs_absolute(path);

	return cmd_text(whole);
}

static json_t *wishes(const struct command_call *c, bool yes)
{
	json_t *j = json_pack("{s:b}", "yes", yes);
	const char *to = c->flags[FLAG_TO], *at = c->flags[FLAG_AT];

	cmd_set_text(c, FLAG_ID, j, "id");
	cmd_set_text(c, FLAG_AT, j, at && backup_id_is_valid(at) ? "id" : "at");
	cmd_set_text(c, FLAG_INTO, j, "into");
	cmd_set_text(c, FLAG_MEMBER, j, "member");
	cmd_set_text(c, FLAG_STORE, j, "store");
	if (to)
		(void)json_object_set_new(
			j, "to", strcmp(to, "-") == 0 ? json_string("-") : absolute(to));
	if (c->flags[FLAG_IDENTITY])
		(void)json_object_set_new(j, "identity_file", absolute(c->flags[FLAG_IDENTITY]));
	return j;
}

static void wipe_bar(struct restore *x)
{
	if (x->drawn)
		(void)fputs("\r\033[K", x->out);
	x->drawn = false;
}

static void say(struct restore *x, const struct buf *b)
{
	wipe_bar(x);
	(void)fwrite(buf_str(b), 1, b->len, x->out);
	(void)fflush(x->out);
}

static void draw(struct restore *x)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(4096);

	if (!x->bar) {
		/* Into a pipe: each step once. */
		if (strcmp(x->stage, json_view_text(x->run, "stage")) == 0)
			return;
		(void)str_copy(x->stage, sizeof(x->stage), json_view_text(x->run, "stage"));
		backup_bar_words(x->run, &out);
		buf_addc(&out, '\n');
		say(x, &out);
		return;
	}
	buf_addc(&out, '\r');
	backup_bar(&x->term, x->run, &out);
	buf_adds(&out, "\033[K");
	(void)fwrite(buf_str(&out), 1, out.len, x->out);
	(void)fflush(x->out);
	x->drawn = true;
}

/* The rate since the beginning of the step will do here. */
static void take_progress(struct restore *x, const json_t *says)
{
	int64_t plain = json_view_int(says, "plain_bytes"), took_ms = clock_mono_ms() - x->mono_ms;
	int64_t expected = json_view_int(says, "expected_bytes");
	int64_t rate = took_ms > 1000 ? plain * 1000 / took_ms : 0;

	(void)json_object_set_new(x->run, "plain_bytes", json_integer(plain));
	(void)json_object_set_new(x->run, "expected_bytes", json_integer(expected));
	(void)json_object_set_new(x->run, "rate_bytes", json_integer(rate));
	(void)json_object_set_new(x->run, "left_ms",
		json_integer(rate > 0 && expected > plain ? (expected - plain) * 1000 / rate : -1));
}

static void take_stage(struct restore *x, const json_t *says)
{
	(void)json_object_set(x->run, "stage", json_object_get(says, "stage"));
	(void)json_object_set_new(x->run, "member", json_string(json_view_text(says, "member")));
	(void)json_object_set_new(x->run, "plain_bytes", json_integer(0));
	x->mono_ms = clock_mono_ms();
}

static void print_line(FILE *f, const json_t *j)
{
	_cleanup_(free_p) char *text = json_dumps(j, JSON_COMPACT);

	(void)fprintf(f, "%s\n", text ? text : "{}");
	(void)fflush(f);
}

static void warn(struct restore *x, const char *text)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);

	term_style(&x->term, TERM_YELLOW, &b);
	buf_adds(&b, "warning: ");
	term_style(&x->term, TERM_PLAIN, &b);
	term_add_wrapped(&b, text, x->term.columns > 40 ? x->term.columns - 9 : 31, 9);
	buf_addc(&b, '\n');
	say(x, &b);
}

static void on_says(void *user, json_t *says)
{
	struct restore *x = user;
	const char *type = json_view_text(says, "type");

	if (x->json)
		print_line(x->out, says);
	if (strcmp(type, "plan") == 0) {
		free(x->plan);
		x->plan = str_dup(json_view_text(says, "text"));
	}
	if (x->json)
		return;
	if (strcmp(type, "stage") == 0)
		take_stage(x, says);
	else if (strcmp(type, "progress") == 0)
		take_progress(x, says);
	else if (strcmp(type, "warning") == 0)
		warn(x, json_view_text(says, "text"));
	if (strcmp(type, "stage") == 0 || strcmp(type, "progress") == 0)
		draw(x);
}

static int ask_worker(struct restore *x, bool yes, json_t **result)
{
	const struct backup_local_run run = {.what = "restore",
		.job = x->job,
		.restore = wishes(x->c, yes),
		.inherit_output = true,
		.says = on_says,
		.user = x};
	struct err e;
	int r = backup_local_run(&x->local, &run, result, &e);

	wipe_bar(x);
	return r < 0 ? cmd_fail(r, &e) : 0;
}

/* A line from the terminal, without its end. */
static bool read_line(char *to, size_t size)
{
	if (!fgets(to, (int)size, stdin))
		return false;
	to[strcspn(to, "\n")] = '\0';
	return true;
}

/* 0: go on. */
static int confirm(struct restore *x)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
	char answer[128];

	term_style(&x->term, TERM_BOLD, &b);
	term_add_wrapped(&b, x->plan ? x->plan : "", x->term.columns, 0);
	term_style(&x->term, TERM_PLAIN, &b);
	buf_addc(&b, '\n');
	say(x, &b);
	if (x->json || !isatty(STDIN_FILENO)) {
		(void)fputs("agent: nothing was changed: give --yes to say that this is wanted\n",
			stderr);
		return COMMAND_FAILED;
	}
	(void)fprintf(x->out, "Type the job's name (%s) to go on: ", x->job->name);
	(void)fflush(x->out);
	if (read_line(answer, sizeof(answer)) && strcmp(answer, x->job->name) == 0)
		return 0;
	(void)fputs("agent: nothing was changed\n", stderr);
	return COMMAND_FAILED;
}

/* For the history, and for those who are told. Without a running agent nobody is. */
static void report(struct restore *x, const json_t *result)
{
	_cleanup_(client_close_p) struct client *client = NULL;
	json_t *reply;
	struct err e;

	if (client_open(x->local.state, &client, &e) < 0)
		return;
	if (client_call(client,
		    json_pack("{s:s, s:s, s:s, s:O, s:I}", "op", "backup.report", "job",
			    x->job->name, "what", "restore", "result", (json_t *)(uintptr_t)result,
			    "started_ms", (json_int_t)x->began_ms),
		    &reply, &e) == 0)
		json_decref(reply);
}

static void add_target(const struct restore *x, struct buf *b)
{
	const char *to = x->c->flags[FLAG_TO], *into = x->c->flags[FLAG_INTO];

	if (to)
		buf_addf(b, " to %s", strcmp(to, "-") == 0 ? "stdout" : to);
	else if (into)
		buf_addf(b, " into %s", into);
}

static void print_end(struct restore *x, const json_t *result)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
	bool ok = json_is_true(json_object_get(result, "ok"));
	bool partial = json_is_true(json_object_get(result, "partial"));
	char size[64], took[64];

	str_human_bytes(size, sizeof(size), (double)json_view_int(result, "plain_bytes"));
	str_human_duration(took, sizeof(took), (clock_wall_ms() - x->began_ms) / 1000);
	term_style(&x->term, ok ? TERM_GREEN : TERM_RED, &b);
	buf_adds(&b, ok ? "restored" : partial ? "restored in PART" : "not restored");
	term_style(&x->term, TERM_PLAIN, &b);
	if (ok) {
		buf_addf(&b, " %s of %s from backup %s in %s", size, x->job->name,
			json_view_text(result, "id"), took);
		add_target(x, &b);
	} else {
		buf_adds(&b, ": ");
		term_add_wrapped(&b, json_view_text(result, "error"),
			x->term.columns > 60 ? x->term.columns - 20 : 40, 2);
	}
	buf_addc(&b, '\n');
	say(x, &b);
}

static int finish(struct restore *x, const json_t *result)
{
	bool ok = json_is_true(json_object_get(result, "ok"));

	if (x->json)
		print_line(x->out, result);
	else
		print_end(x, result);
	/* What only made a file is nothing that happened to this server. */
	if (!x->c->flags[FLAG_TO])
		report(x, result);
	return ok ? COMMAND_DONE : COMMAND_FAILED;
}

static int run(struct restore *x)
{
	bool yes = x->c->flags[FLAG_YES] != NULL;
	json_t *result = NULL;
	int r = ask_worker(x, yes, &result);

	if (r == 0 && strcmp(json_view_text(result, "code"), "confirm") == 0) {
		r = confirm(x);
		json_decref(result);
		result = NULL;
		if (r == 0)
			r = ask_worker(x, true, &result);
	}
	if (r == 0)
		r = finish(x, result);
	json_decref(result);
	return r;
}

static int check_flags(const struct command_call *c)
{
	if (c->n_args == 0)
		return cmd_usage(c, "which job? Its name (agent backup)");
	if (c->flags[FLAG_ID] && c->flags[FLAG_AT])
		return cmd_usage(c, "either --id or --at");
	if (c->flags[FLAG_TO] && strcmp(c->flags[FLAG_TO], "-") == 0 && isatty(STDOUT_FILENO))
		return cmd_usage(
			c, "--to -: stdout is a terminal; send it into a file or a program");
	if (c->flags[FLAG_INTO] && c->flags[FLAG_TO])
		return cmd_usage(c, "either --into or --to");
	return 0;
}

int cmd_backup_restore(const struct command_call *c)
{
	bool to_stdout = c->flags[FLAG_TO] && strcmp(c->flags[FLAG_TO], "-") == 0;
	struct restore x = {.c = c,
		.term = term_detect(),
		.out = to_stdout ? stderr : stdout,
		.json = c->flags[FLAG_JSON] != NULL,
		.began_ms = clock_wall_ms(),
		.mono_ms = clock_mono_ms()};
	struct err e;
	int r = check_flags(c);

	if (r == 0)
		r = backup_local_open(c, &x.local);
	if (r != 0)
		return r;
	x.bar = !x.json && isatty(fileno(x.out));
	x.term.colours = x.term.colours && x.bar;
	x.run = json_pack("{s:o, s:s}", "job", cmd_text(c->args[0]), "state", "running");
	if (backup_config_find(x.local.backups, c->args[0], &x.job, &e) < 0)
		r = cmd_fail(-ENOENT, &e);
	else
		r = run(&x);
	json_decref(x.run);
	free(x.plan);
	backup_local_done(&x.local);
	return r;
}
