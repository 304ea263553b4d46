/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of deploys (deploys*.c) share.
 */
#ifndef AGENT_DEPLOYS_INTERNAL_H
#define AGENT_DEPLOYS_INTERNAL_H

#include "agent/deploy_hook_run.h"
#include "agent/deploys.h"
#include "deploy-hooks/deploy_log.h"
#include "deploy-hooks/machine.h"

enum { DEPLOYS_WAITS_SIZE = 300 };

struct deploys_work;

/* Hooks of one stage, one after the other; drivers have one. */
struct deploys_hooks {
	struct hook_list list;
	size_t at;
	const struct hook_stage *stage;
	const char *verb; /* static storage */
	struct deploy_hook_run *run; /* NULL: none runs */
	/* Once, from the loop or at once. `why` is a sentence, "" when it is done. Results are in the record then;
	 * of the verb `status` they are in `seen`. */
	void (*done)(struct deploys_work *w, enum hook_verdict v, const char *why);
	enum recovery_seen seen;
};

struct deploys_waiter {
	deploys_done_fn done;
	void *user;
	struct deploys_waiter *next;
};

/* A deploy that has not ended, or whose observers still run. */
struct deploys_work {
	struct deploys *deploys;
	struct deploy *d; /* owned */
	struct deploy *previous; /* the one that serves, for the document; owned, may be NULL */
	struct deploy_log *log;
	struct machine_step step; /* the one that is taken */
	bool uncommitted; /* the step waits until the record can be written */
	bool recovering; /* what its state is must be seen first */
	bool found; /* came from a daemon before, and is not looked at yet */
	struct deploys_hooks hooks;
	struct loop_timer *timer; /* waits, the watch window, the drain, the next try */
	struct loop_timer *news; /* while a hook runs: whether its log has grown */
	uint64_t told_size;
	enum recovery_seen route_seen; /* while recovering */
	struct deploys_vitals begun; /* at the start of the watch window */
	unsigned unhealthy; /* probes in a row */
	int64_t probe_at_ms; /* monotonic, of the watch window: the next one */
	char *cancelled_by; /* owned; NULL: nobody wants that */
	char waits_for[DEPLOYS_WAITS_SIZE]; /* "": nothing */
	struct deploys_waiter *waiters;
	bool told; /* how it ended */
	struct deploys_work *next; /* by id */
};

struct deploys {
	struct deploys_options o;
	const struct deploy_config *config;
	struct deploy_runs *runs;
	struct deploys_work *works;
	struct loop_timer *tick; /* every DEPLOYS_TICK_MS while something waits */
	struct loop_timer *kick; /* looks at the queue from the loop, not from within a caller */
	bool swept; /* hooks of a daemon before have ended */
	struct loop_timer *sweep;
	struct deploys_restore *restore; /* looks after the routes of apps; NULL: not yet */
	struct deploys_removal *removals; /* under way */
	bool closing;
};

static inline const struct deploy_app *deploys_app_of(const struct deploys_work *w)
{
	return deploy_config_app(w->deploys->config, w->d->app);
}

/* deploys.c */
/* Takes the record over; it is in the list by its id. */
struct deploys_work *deploys_work_new(struct deploys *s, struct deploy *d);
struct deploys_work *deploys_work_make(struct deploys *s, struct deploy *d); /* in no list */
void deploys_work_free(struct deploys_work *w); /* out of the list too */
struct deploys_work *deploys_find(const struct deploys *s, int64_t id);
/* Begins what may begin, as soon as the loop turns. */
void deploys_kick(struct deploys *s);
/* Records of all works, oldest first, without those that have ended; free() it. */
const struct deploy **deploys_open_records(const struct deploys *s, size_t *n);

/* deploys_step.c */
void deploys_on_timer(void *work);
/* Something came of the step under way. */
void deploys_event(struct deploys_work *w, enum machine_event ev, const char *why);
/* Commits, then takes the step. */
void deploys_take(struct deploys_work *w, struct machine_step step);
/* Tries again to commit what could not be. */
void deploys_commit_again(struct deploys_work *w);
/* It has ended without machine.h: superseded, cancelled while it waited. The row is written already. Frees it. */
void deploys_ended(struct deploys_work *w);

/* deploys_hooks.c */
void deploys_on_news(void *work);
/* Runs what serves the stage: w->hooks.done is called, perhaps at once. Nothing serves it: HOOK_DONE; for `status`, HOOK_SKIP. */
void deploys_run_hooks(struct deploys_work *w, const char *stage, const char *verb,
	void (*done)(struct deploys_work *w, enum hook_verdict v, const char *why));
void deploys_stop_hooks(struct deploys_work *w); /* TERM; `done` comes when all have ended */
void deploys_abandon_hooks(struct deploys_work *w); /* at once, without `done` */

/* deploys_watch.c */
void deploys_watch_begin(struct deploys_work *w);
void deploys_watch_look(struct deploys_work *w);

/* deploys_recover.c */
void deploys_recover_begin(struct deploys *s);
/* What was under way when the last daemon ended; again until its state is seen. */
void deploys_recover(struct deploys_work *w);
/* Looks at apps without a deploy under way: after a reboot the switch is empty. */
void deploys_restore_begin(struct deploys *s);
void deploys_restore_end(struct deploys *s);
/* Now: no deploy of the app may begin meanwhile, whose route would be undone. */
bool deploys_is_restoring(const struct deploys *s, const char *app);

/* deploys_files.c */
char *deploys_path(
	const struct deploys *s, const char *app, const char *name); /* STATE/deploys/APP/NAME */
char *deploys_work_folder(const struct deploys_work *w);
int deploys_open_log(struct deploys_work *w, struct err *e);
/* An empty folder for the source, and those that stay. */
int deploys_make_folders(struct deploys_work *w, struct err *e);
void deploys_say(struct deploys_work *w, const char *stage, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The last line that the hook of this stage printed; "" without one. */
void deploys_last_line(struct deploys_work *w, const char *stage, char *to, size_t size);
/* Whether what changed is to be deployed, as git says after the fetch. */
bool deploys_paths_match(struct deploys_work *w);

/* deploys_tidy.c */
/* In the background; it has a name that nobody uses at once. None is fine. */
void deploys_remove_tree(struct deploys *s, const char *path);
void deploys_removals_end(struct deploys *s);
/* Sources of deploys that are over, and logs beyond the newest DEPLOYS_LOGS_KEPT. */
void deploys_tidy(struct deploys *s, const char *app);
void deploys_tidy_all(struct deploys *s);

/* deploys_show.c */
json_t *deploys_to_json(const struct deploys *s, const struct deploy *d);

#endif
