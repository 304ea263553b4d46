/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups of the daemon with a shell script in place of the worker: it reads the order and says what the test wants.
 */
#ifndef TESTS_UNIT_BACKUPS_CASE_H
#define TESTS_UNIT_BACKUPS_CASE_H

#include <check.h>
#include <string.h>

#include "agent/backups.h"
#include "agent/json_view.h"
#include "agent/schema.h"
#include "base/str.h"
#include "tests/unit/config_case.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct db *db;
static struct problems *problems;
static struct backup_config *backup_config;
static struct backups *backups;
static const char *worker_argv[4];

/* What was told. */
static struct event *told[32];
static size_t n_told;
static int tell_result; /* what telling returns */
static unsigned says_seen;
static int64_t quiet_until_ms;

static inline int on_event(void *user, struct event *ev, struct err *e)
{
	(void)user;
	ck_assert_uint_lt(n_told, ARRAY_LEN(told));
	told[n_told++] = ev;
	return tell_result < 0 ? err_set(e, -tell_result, "nobody listens") : 0;
}

static inline void on_change(void *user, const json_t *run, const json_t *says)
{
	(void)user;
	(void)run;
	says_seen += says != NULL;
}

static inline void start_case(void)
{
	setup();
	n_told = says_seen = 0;
	tell_result = 0;
	quiet_until_ms = 0;
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(db_open(scratch_path("state.db"), schema_migrations,
				 schema_migrations_count, &db, NULL),
		0);
	problems = problems_new(NULL, NULL);
}

static inline void forget_told(void)
{
	for (size_t i = 0; i < n_told; i++)
		event_free(told[i]);
	n_told = 0;
}

static inline void finish_case(void)
{
	backups_free(backups);
	backups = NULL;
	forget_told();
	backup_config_free(backup_config);
	backup_config = NULL;
	problems_free(problems);
	db_close(db);
	loop_free(loop);
	teardown();
}

/* What the worker does for the order in $order: says lines on descriptor 3. Orders to list or sweep are answered at once. */
static inline void worker_does(const char *script)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text),
		"order=$(cat); say() { echo \"$1\" >&3; }\n"
		"case $order in\n"
		"*'\"do\":\"list\"'*|*'\"do\":\"sweep\"'*) say "
		"'{\"type\":\"result\",\"ok\":true}'; "
		"exit 0 ;;\nesac\n%s\n",
		script);
	worker_argv[0] = "sh";
	worker_argv[1] = "-c";
	worker_argv[2] = text;
}

#define SHOP "databases = { shop = { engine = \"command\"; command = [ \"/bin/true\" ] } }"
#define GOOD_RESULT                                                                                \
	"say '{\"type\":\"result\",\"ok\":true,\"id\":\"20261121T030000Z-3f9a2c\","                \
	"\"plain_bytes\":1000,\"stored_bytes\":300,\"stores\":[{\"name\":\"local\",\"ok\":true}]}" \
	"'"
#define BAD_RESULT                                                                                 \
	"say '{\"type\":\"stage\",\"stage\":\"dump\",\"member\":\"shop\"}'; "                      \
	"say '{\"type\":\"result\",\"ok\":false,\"error\":\"pg_dump: no such database\"}'; exit 1"

static inline void configure(const char *text)
{
	struct backup_config *new = NULL;
	struct config *old = config;

	config = NULL;
	ck_assert_int_eq(
		config_from_memory(&options_all, "a.conf", text, strlen(text), &config, &mistakes),
		0);
	ck_assert_int_eq(backup_config_new(config, scratch, &new, &mistakes), 0);
	if (backups)
		backups_configure(backups, new);
	backup_config_free(backup_config);
	backup_config = new;
	config_free(old);
}

static inline void start_backups(void)
{
	const struct backups_options o = {.loop = loop,
		.db = db,
		.problems = problems,
		.state_dir = scratch,
		.worker_argv = worker_argv,
		.on_event = on_event,
		.on_change = on_change,
		.quiet_until_ms = quiet_until_ms};
	struct err e = {""};

	ck_assert_msg(backups_new(&o, backup_config, &backups, &e) == 0, "%s", e.msg);
}

static inline int64_t ask_for(const char *job, const char *what)
{
	const struct backups_request q = {
		.job = job, .what = what, .trigger = "command", .by = "root"};
	struct err e = {""};
	int64_t run = 0;

	ck_assert_msg(backups_start(backups, &q, &run, &e) == 0, "%s", e.msg);
	return run;
}

/* New reference. */
static inline json_t *run_of(int64_t run)
{
	json_t *j;

	ck_assert_int_eq(backups_run(backups, run, &j, NULL), 0);
	return j;
}

/* Its state; the text is good until the next call. */
static inline const char *state_of(int64_t run)
{
	static char state[32];
	json_t *j;

	ck_assert_int_eq(backups_run(backups, run, &j, NULL), 0);
	(void)str_copy(state, sizeof(state), json_view_text(j, "state"));
	json_decref(j);
	return state;
}

static inline bool is_in(int64_t run, const char *state)
{
	return strcmp(state_of(run), state) == 0;
}

/* To its end. */
static inline void run_to_end(int64_t run)
{
	TURN_UNTIL(loop, !is_in(run, "waiting") && !is_in(run, "running"));
}

#endif
