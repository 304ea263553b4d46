/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of backups (backups*.c) share.
 */
#ifndef AGENT_BACKUPS_INTERNAL_H
#define AGENT_BACKUPS_INTERNAL_H

#include "agent/backup_ping.h"
#include "agent/backup_worker.h"
#include "agent/backups.h"

/* The worker of the run under way, and how fast it goes. */
struct backups_active {
	json_t *run;
	struct backup_worker *worker;
	char cancelled_by[128]; /* "": nobody did */
	bool shutting_down;
	int64_t rate_ms, rate_from_bytes; /* of the last look, monotonic */
	double rate_bytes; /* a second, smoothed; 0: not known */
};

struct backups_waiter {
	int64_t run;
	backups_run_fn done;
	void *user;
	struct backups_waiter *next;
};

/* A catalogue being read. */
struct backups_reading {
	struct backups *backups;
	struct backup_worker *worker;
	char *job;
	json_t *backups_list, *errors;
	backups_list_fn done; /* NULL: nobody waits */
	void *user;
	struct backups_reading *next;
};

struct backups {
	struct backups_options o;
	const struct backup_config *config;
	struct backup_runs *runs;
	struct backup_pings *pings;
	json_t *queue; /* runs that wait, oldest first */
	json_t *unsaved; /* runs that are newer than their rows */
	struct backups_active active; /* run NULL: none */
	struct backups_waiter *waiters;
	struct backups_reading *readings;
	size_t n_readings;
	struct backup_worker *sweeper;
	int64_t swept_ms; /* wall; 0: not since the start */
	json_t *catalogues; /* job -> what was read last */
	struct loop_timer *tick, *kick;
	bool closing; /* nothing is begun any more */
};

/* backups.c */
int backups_enqueue(struct backups *b, json_t *run, struct err *e);
void backups_changed(struct backups *b, const json_t *run, const json_t *says);
/* The story of (job, what): since when it goes badly, wall clock; 0: it goes well. */
int64_t backups_story(struct backups *b, const char *job, const char *what);
void backups_set_story(struct backups *b, const char *job, const char *what, int64_t since_ms);
/* When the last good backup began; 0: never. */
int64_t backups_last_good_ms(struct backups *b, const char *job);
/* The overdue time of a job; 0: never. */
int64_t backups_overdue_ms(struct backups *b, const struct backup_job *j, int64_t now_ms);

/* backups_unsaved.c */
/* Writes its row; what cannot be written is a problem, and tried again. */
void backups_store(struct backups *b, json_t *run);
void backups_store_again(struct backups *b);
/* The run as it is, when its row is older; else NULL. */
const json_t *backups_unsaved(const struct backups *b, int64_t id);

/* backups_run.c: a run as JSON */
/* Whether that can be asked of the job: as backups_start(). */
int backups_check_request(
	const struct backup_job *j, const struct backups_request *q, struct err *e);
bool backups_can_drill(const struct backup_job *j);
json_t *backups_run_new(const struct backups_request *q, int64_t now_ms);
void backups_run_says(struct backups_active *a, const json_t *says, int64_t mono_ms);
/* `cancelled_by`: who cancelled it; NULL: nobody. */
void backups_run_end(json_t *run, const struct backup_outcome *o, const char *cancelled_by,
	bool shutting_down, int64_t now_ms);

/* backups_end.c: what follows from the end of a run */
void backups_ended(struct backups *b, json_t *run, const char *output);
void backups_tell_overdue(struct backups *b, const struct backup_job *j, int64_t due_ms);

/* backups_tick.c */
void backups_tick(void *user);

/* backups_list.c */
void backups_read_again(struct backups *b, const char *job);
void backups_readings_free(struct backups *b);
void backups_sweep(struct backups *b);

#endif
