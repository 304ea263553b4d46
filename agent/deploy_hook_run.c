/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/deploy_hook_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/deploy_hook_processes.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	NICENESS = 10,
	UMASK = 077,
	OUTPUT_KEPT = 1, /* all of it is in the log */
	LOOK_FIRST_MS = 10, /* then twice as long each time */
	LOOK_MAX_MS = 1000,
};

struct deploy_hook_run {
	struct loop *loop;
	struct child *child; /* NULL: it has ended */
	pid_t group;
	char stage[32];
	unsigned attempt;
	struct deploy_hook_folder folder;
	char *cgroup; /* owned; NULL: none */
	struct deploy_cgroup_limits limits;
	struct deploy_log *log;
	int64_t started_ms, deadline_ms, grace_ms; /* the first: monotonic */
	struct loop_timer *look; /* whether its processes have ended */
	int64_t look_ms; /* how long it waits for the next look */
	int64_t kill_at_ms; /* monotonic; 0: they were not asked to end yet */
	struct deploy_hook_outcome outcome;
	deploy_hook_done_fn done;
	void *user;
};

static void run_free(struct deploy_hook_run *h)
{
	if (!h)
		return;
	loop_timer_free(h->look);
	if (h->cgroup)
		(void)deploy_cgroup_remove(h->cgroup, NULL);
	free(h->cgroup);
	deploy_hook_folder_remove(&h->folder);
	free(h);
}
DEFINE_CLEANUP(struct deploy_hook_run *, run_free);

static void say(struct deploy_hook_run *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct deploy_hook_run *h, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	deploy_log_say(h->log, h->stage, text, clock_wall_ms());
}

static void explain(struct deploy_hook_run *h)
{
	struct deploy_hook_outcome *o = &h->outcome;
	char text[32];

	if (o->verdict == HOOK_DONE || o->verdict == HOOK_SKIP)
		return;
	if (o->stopped) {
		(void)snprintf(o->why, sizeof(o->why), "it was stopped");
	} else if (o->timed_out) {
		str_from_duration_ms(text, sizeof(text), h->deadline_ms);
		(void)snprintf(o->why, sizeof(o->why), "not done after %s", text);
	} else if (WIFSIGNALED(o->status) && h->cgroup && deploy_cgroup_oom_kills(h->cgroup)) {
		str_human_bytes(text, sizeof(text), (double)h->limits.memory_max_bytes);
		(void)snprintf(o->why, sizeof(o->why), "ran out of memory (%s)", text);
	} else {
		child_describe(o->why, sizeof(o->why), o->status);
	}
}

static void finish(struct deploy_hook_run *h)
{
	struct buf results = BUF_INIT(HOOK_OUTPUT_MAX);
	struct deploy_hook_outcome *o = &h->outcome;
	struct err e = {""};

	o->verdict = o->stopped ? HOOK_FAILED : hook_judge(o->status, o->timed_out);
	explain(h);
	if (deploy_hook_folder_results(&h->folder, &results, &e) < 0 && o->verdict == HOOK_DONE) {
		o->verdict = HOOK_FAILED;
		(void)str_copy(o->why, sizeof(o->why), e.msg);
	}
	o->results = buf_str(&results);
	o->results_len = results.len;
	o->duration_ms = clock_mono_ms() - h->started_ms;
	deploy_log_flush(h->log, clock_wall_ms());
	h->done(h->user, o);
	buf_done(&results);
	run_free(h);
}

/* To all its processes; how many there are. */
static size_t signal_all(const struct deploy_hook_run *h, int signo)
{
	size_t n;

	if (!h->cgroup)
		return deploy_hook_processes_signal(h->group, h->folder.path, signo);
	if (!deploy_cgroup_is_populated(h->cgroup))
		return 0;
	n = deploy_cgroup_signal(h->cgroup, signo);
	return n ? n : 1;
}

/* The hook itself has ended. What it left behind gets TERM, after the grace KILL, and is waited for: until the last one has ended it
 * may still change what the next stage needs. */
static void on_look(void *user)
{
	struct deploy_hook_run *h = user;
	int64_t now = clock_mono_ms();
	bool first = h->kill_at_ms == 0;
	size_t n = signal_all(h, first ? SIGTERM : now >= h->kill_at_ms ? SIGKILL : 0);

	if (n == 0) {
		finish(h);
		return;
	}
	if (first) {
		h->outcome.left_behind = n;
		h->kill_at_ms = now + h->grace_ms;
		say(h, "the hook has ended, but not all it started: that is ended now");
	}
	loop_timer_after(h->look, h->look_ms);
	h->look_ms = h->look_ms * 2 < LOOK_MAX_MS ? h->look_ms * 2 : LOOK_MAX_MS;
}

static void on_output(void *user, const char *data, size_t n)
{
	struct deploy_hook_run *h = user;

	deploy_log_add(h->log, h->stage, data, n, clock_wall_ms());
}

static void on_ended(void *user, const struct child_result *r)
{
	struct deploy_hook_run *h = user;

	h->child = NULL;
	h->outcome.status = r->status;
	h->outcome.timed_out = r->timed_out;
	/* They had their grace already. */
	if (r->timed_out || h->outcome.stopped)
		h->kill_at_ms = clock_mono_ms();
	on_look(h);
}

static int make_cgroup(
	struct deploy_hook_run *h, const struct deploy_hook_run_options *o, struct err *e)
{
	char name[160];
	int r;

	if (!o->cgroup)
		return 0;
	(void)snprintf(name, sizeof(name), DEPLOY_HOOK_CGROUP_PREFIX "%d-%" PRId64 "-%s-%u",
		(int)getpid(), o->call.deploy->id, h->stage, h->attempt);
	h->limits = o->limits;
	r = deploy_cgroup_new(o->cgroup, name, &o->limits, &h->cgroup, e);
	if (r > 0)
		say(h, "%s", e->msg);
	return r < 0 ? r : 0;
}

static int make_folder(
	struct deploy_hook_run *h, const struct deploy_hook_run_options *o, struct err *e)
{
	int r;

	for (size_t i = 0; i < o->n_secrets; i++)
		deploy_log_hide(h->log, o->secrets[i].value);
	r = deploy_hook_folder_make(o->runtime_dir, o->secrets, o->n_secrets, &h->folder, e);
	if (r == 0 && h->folder.is_on_disk)
		say(h,
			"%s is not in memory (tmpfs): the secrets of this hook are on a disk until "
			"it has ended",
			o->runtime_dir);
	return r;
}

/* Otherwise it would seem that the hook is missing. */
static int check_workdir(const char *workdir, struct err *e)
{
	struct stat st;

	if (workdir && stat(workdir, &st) < 0)
		return err_sys(e, "working folder %s", workdir);
	if (workdir && !S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "working folder %s is no folder", workdir);
	return 0;
}

static int start(struct deploy_hook_run *h, const struct deploy_hook_run_options *o, struct err *e)
{
	struct hook_call call = o->call;
	const char *const argv[] = {o->path, call.verb, NULL};
	json_t *document;
	char **env;
	_cleanup_(free_p) char *text = NULL;
	int r;

	call.output = h->folder.output;
	call.credentials = h->folder.credentials;
	call.deadline_s = (clock_wall_ms() + h->deadline_ms) / 1000;
	document = hook_document(&call, o->previous);
	text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (!text)
		abort();
	env = hook_env(&call);
	{
		const struct child_options c = {.argv = argv,
			.env = (const char *const *)env,
			.folder = call.workdir ? call.workdir : h->folder.path,
			.cgroup = h->cgroup,
			.umask = UMASK,
			.deadline_ms = h->deadline_ms,
			.grace_ms = h->grace_ms,
			.output_max = OUTPUT_KEPT,
			.output = on_output,
			.pass_fd = -1,
			.nice = call.stage->low_priority ? NICENESS : 0,
			.io_idle = call.stage->low_priority,
			.input = text,
			.input_len = strlen(text)};

		r = child_start(h->loop, &c, on_ended, h, &h->child, e);
	}
	hook_env_free(env);
	if (r == 0)
		h->group = child_pid(h->child);
	return r;
}

int deploy_hook_run_start(struct loop *l, const struct deploy_hook_run_options *o,
	struct deploy_hook_run **out, struct err *e)
{
	_cleanup_(run_free_p) struct deploy_hook_run *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		abort();
	h->loop = l;
	h->log = o->log;
	h->done = o->done;
	h->user = o->user;
	h->attempt = o->call.deploy->attempt;
	h->deadline_ms = o->deadline_ms ? o->deadline_ms : o->call.stage->deadline_ms;
	h->grace_ms = o->grace_ms ? o->grace_ms : DEPLOY_HOOK_GRACE_MS;
	h->look_ms = LOOK_FIRST_MS;
	h->started_ms = clock_mono_ms();
	(void)str_copy(h->stage, sizeof(h->stage), o->call.stage->name);
	h->look = loop_timer_new(l, on_look, h);
	r = check_workdir(o->call.workdir, e);
	if (r == 0)
		r = make_folder(h, o, e);
	if (r == 0)
		r = make_cgroup(h, o, e);
	if (r == 0)
		r = start(h, o, e);
	if (r < 0)
		return r;
	*out = TAKE_PTR(h);
	return 0;
}

void deploy_hook_run_stop(struct deploy_hook_run *h)
{
	h->outcome.stopped = true;
	if (h->child)
		child_stop(h->child);
}

void deploy_hook_run_abandon(struct deploy_hook_run *h)
{
	if (!h)
		return;
	(void)signal_all(h, SIGKILL);
	child_abandon(h->child);
	run_free(h);
}
