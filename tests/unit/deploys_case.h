/* SPDX-License-Identifier: Apache-2.0
 *
 * Deploys of the daemon with hooks of the test: scripts of a few lines that note each call in the file "calls".
 */
#ifndef TESTS_UNIT_DEPLOYS_CASE_H
#define TESTS_UNIT_DEPLOYS_CASE_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/deploys.h"
#include "agent/json_view.h"
#include "agent/schema.h"
#include "base/fs.h"
#include "base/str.h"
#include "tests/unit/config_case.h"
#include "tests/unit/turns.h"

static struct loop *loop;
static struct db *db;
static struct problems *problems;
static struct deploy_config *deploy_config;
static struct deploys *deploys;
static int64_t free_disk, free_memory;
static struct deploys_vitals vitals;
static const char *watch, *apps;

/* The end of the newest that has ended. */
static unsigned n_ended;
static struct deploy ended;
static void (*on_each_change)(const struct deploy *d);

static inline void on_end(void *user, const struct deploy *d)
{
	(void)user;
	ended = *d;
	ended.stages = ended.document = NULL;
	n_ended++;
}

static inline void on_change(void *user, const struct deploy *d)
{
	(void)user;
	if (on_each_change)
		on_each_change(d);
}

static inline void read_vitals(
	void *user, const char *app, const char *container, struct deploys_vitals *out)
{
	(void)user;
	(void)app;
	(void)container;
	*out = vitals;
}

static inline void read_room(void *user, int64_t *disk, int64_t *memory)
{
	(void)user;
	*disk = free_disk;
	*memory = free_memory;
}

/* A hook that notes its call, then does what `body` says. */
static inline void hook(const char *stage, const char *name, const char *body)
{
	_cleanup_(free_p) char *folder = str_format("%s/hooks/%s", scratch, stage);
	_cleanup_(free_p) char *path = str_format("%s/%s", folder, name);
	_cleanup_(free_p) char *text = str_format("#!/bin/sh\n"
						  "say() { echo \"$1=$2\" >>\"$DEPLOY_OUTPUT\"; }\n"
						  "verb=$1\n"
						  "echo \"$DEPLOY_ID %s $1\" >>%s/calls\n%s\n",
		stage, scratch, body);
	int fd;

	ck_assert_int_eq(fs_mkdirs(folder, 0755, NULL), 0);
	(void)unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(fd), 0);
}

static const char start_body[] =
	"runs=${0%/hooks*}/runs\n"
	"case $verb in\n"
	"apply) touch $runs.v$DEPLOY_ID\n"
	"say container v$DEPLOY_ID; say address 127.0.0.1:$((8000 + DEPLOY_ID)) ;;\n"
	"revert) rm -f $runs.v$DEPLOY_ID ;;\n"
	"status) if [ -f $runs.v$DEPLOY_ID ]; then say serves new\n"
	"elif [ -n \"$DEPLOY_OLD_CONTAINER\" ] && [ -f $runs.$DEPLOY_OLD_CONTAINER ]; then "
	"say serves old\n"
	"else say serves neither; fi ;;\n"
	"esac";
static const char route_body[] =
	"routed=${0%/hooks*}/routed\n"
	"put() { echo $1 >$routed.$$; mv $routed.$$ $routed; }\n" /* one step, as the switch */
	"case $verb in\n"
	"apply) put $DEPLOY_CONTAINER ;;\n"
	"revert) put $DEPLOY_OLD_CONTAINER ;;\n"
	"status) now=$(cat $routed 2>/dev/null)\n"
	"case $now in '') say serves neither ;;\n"
	"$DEPLOY_CONTAINER) say serves new ;;\n"
	"$DEPLOY_OLD_CONTAINER) say serves old ;;\n"
	"*) say serves neither ;; esac ;;\n"
	"esac";

/* An app whose versions are names in files: "runs" has those that run, "routed" the one with the requests. */
static inline void hooks_that_work(void)
{
	hook("fetch", "git", "say commit 1111111111111111111111111111111111111111");
	hook("build", "mine", "say image shop:$DEPLOY_ID");
	hook("start", "mine", start_body);
	hook("probe", "tcp", "test -f ${0%/hooks*}/runs.$DEPLOY_CONTAINER");
	hook("route", "mine", route_body);
	hook("stop", "mine",
		"runs=${0%/hooks*}/runs\n"
		"case $verb in\n"
		"apply) rm -f $runs.$DEPLOY_OLD_CONTAINER ;;\n"
		"revert) touch $runs.$DEPLOY_OLD_CONTAINER ;;\n"
		"esac");
	hook("retire", "mine", "");
}

static inline void start_daemon(void)
{
	static char state[300], hooks[300], run[300];
	struct deploys_options o = {.loop = loop,
		.db = db,
		.problems = problems,
		.state_dir = state,
		.runtime_dir = run,
		.shipped_hooks = hooks,
		.on_end = on_end,
		.on_change = on_change,
		.vitals = read_vitals,
		.room = read_room};
	struct err e = {""};

	(void)snprintf(state, sizeof(state), "%s/state", scratch);
	(void)snprintf(hooks, sizeof(hooks), "%s/none", scratch);
	(void)snprintf(run, sizeof(run), "%s/run", scratch);
	ck_assert_msg(deploys_new(&o, deploy_config, &deploys, &e) == 0, "%s", e.msg);
}

/* One app, "shop", with these options beside the usual ones. */
static inline void configure(const char *options)
{
	_cleanup_(free_p) char *text = str_format("hooks_dir = \"%s/hooks\"\n"
						  "apps = { shop = {\n"
						  "source = \"/srv/shop.git\" build = \"mine\"\n"
						  "swap = \"mine\" route = \"mine\"\n"
						  "watch = \"%s\" drain = \"0s\"\n"
						  "%s\n} %s }\n",
		scratch, watch, options, apps);
	struct deploy_config *old = deploy_config;
	struct config *old_config = config;

	config = NULL;
	good(text);
	ck_assert_int_eq(deploy_config_new(config, &deploy_config, &mistakes), 0);
	if (deploys)
		deploys_configure(deploys, deploy_config);
	deploy_config_free(old);
	config_free(old_config);
}

static inline void start_case(void)
{
	setup();
	n_ended = 0;
	watch = "0s";
	apps = "";
	on_each_change = NULL;
	free_disk = free_memory = INT64_MAX;
	memset(&vitals, 0, sizeof(vitals));
	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	ck_assert_int_eq(db_open(scratch_path("state.db"), schema_migrations,
				 schema_migrations_count, &db, NULL),
		0);
	problems = problems_new(NULL, NULL);
	hooks_that_work();
	configure("");
	start_daemon();
}

static inline void finish_case(void)
{
	deploys_free(deploys);
	deploys = NULL;
	deploy_config_free(deploy_config);
	deploy_config = NULL;
	problems_free(problems);
	db_close(db);
	loop_free(loop);
	teardown();
}

static inline int64_t request_of(const char *app)
{
	const struct deploys_request q = {.app = app, .trigger = "command", .by = "root"};
	struct deploys_accepted a;
	struct err e = {""};

	ck_assert_msg(deploys_start(deploys, &q, &a, &e) == 0, "%s", e.msg);
	return a.id;
}

static inline int64_t request(void)
{
	return request_of("shop");
}

/* Until it has ended and nothing of it is left. */
static inline void run_to_the_end(int64_t id)
{
	TURN_UNTIL(loop, n_ended > 0 && ended.id == id && deploys_running(deploys) == 0);
	turn_idle(loop);
}

static inline int64_t deploy_one(void)
{
	int64_t id = request();

	run_to_the_end(id);
	return id;
}

static inline json_t *record(int64_t id)
{
	json_t *j = NULL;

	ck_assert_int_eq(deploys_get(deploys, id, &j, NULL), 0);
	return j;
}

static inline const char *state_of(int64_t id)
{
	static char name[32];
	json_t *j = record(id);

	(void)str_copy(name, sizeof(name), json_view_text(j, "state"));
	json_decref(j);
	return name;
}

/* The file's text, without the last newline; static. */
static inline const char *text_in(const char *name)
{
	static char text[20000];
	struct buf b = BUF_INIT(sizeof(text) - 1);

	(void)fs_read(AT_FDCWD, scratch_path(name), &b, NULL);
	(void)str_copy(text, sizeof(text), buf_str(&b));
	buf_done(&b);
	text[strcspn(text, "\0") - (str_ends(text, "\n") ? 1 : 0)] = '\0';
	return text;
}

static inline bool runs(int64_t id)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "runs.v%lld", (long long)id);
	return access(scratch_path(name), F_OK) == 0;
}

#endif
