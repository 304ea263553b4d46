/* SPDX-License-Identifier: Apache-2.0
 *
 * What people are told about backups. Each event stands for itself: what happened, at which step, what the program said, when
 * the last good one was, what to do. Pure.
 *
 * Stories: "backup JOB" is a failure or an overdue job, ended by the next good backup; verify, drill, prune and warnings
 * have stories of their own ("backup JOB verify"), because one that waits to be sent is replaced by the next of its story,
 * and a good backup makes no bad verification good.
 */
#ifndef AGENT_BACKUP_EVENTS_H
#define AGENT_BACKUP_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "notify/event.h"

struct backup_event_facts {
	const char *source; /* what is backed up, for people */
	const json_t *last_good; /* run of the last good backup before this; NULL: there is none */
	int64_t story_ms; /* it went badly since; 0: it did not */
	const char *output; /* the end of what the worker printed; may be "" */
	int64_t now_ms;
};

/* All take a run that has ended, and return an event the caller owns. */
struct event *backup_event_failed(const json_t *run, const struct backup_event_facts *f);
struct event *backup_event_good(const json_t *run, const struct backup_event_facts *f);
struct event *backup_event_warning(
	const json_t *run, const json_t *warnings, const struct backup_event_facts *f);
/* The backup is good, but old ones stay. */
struct event *backup_event_not_removed(const json_t *run);
struct event *backup_event_overdue(
	const char *job, int64_t due_ms, const struct backup_event_facts *f);

#endif
