/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of everything the agent needs, each with its state and, when something is wrong, the cure.
 * One table, used by the operation `doctor` of the running agent and by `agent doctor` without one.
 * No check blocks for long: nothing is asked over a network.
 */
#ifndef AGENT_DOCTOR_H
#define AGENT_DOCTOR_H

#include "agent/config.h"
#include "base/buf.h"
#include "base/problem.h"
#include "notify/sender.h"

struct backups;

enum doctor_state { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED };

struct doctor_finding {
	enum doctor_state state;
	char text[512];
	char cure[512]; /* "" when the state is ok */
};

struct doctor_context {
	const char *state_dir;
	const char *config_path; /* NULL: the default places */
	const struct config *config; /* in force; defaults when the files have mistakes */
	/* Of the running agent; NULL without one. */
	const struct problems *problems;
	const char *listening; /* address and port */
	struct sender *sender; /* how the channels are doing */
	struct backups *backups;
};

struct doctor_check {
	const char *name;
	const char *doc; /* what it looks at, for the manual */
	void (*run)(const struct doctor_context *c, struct doctor_finding *out);
};

/* Alphabetical, ended by a NULL name. */
extern const struct doctor_check doctor_checks[];

/* Fill a finding; texts that are too long are cut. */
void doctor_ok(struct doctor_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void doctor_fault(struct doctor_finding *f, enum doctor_state state, const char *cure,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "ok", "warning", "failed". */
const char *doctor_state_name(enum doctor_state s);

/* Runs all: a JSON array of {"name", "state", "text", "cure"}. */
void doctor_json(const struct doctor_context *c, struct buf *out);

#endif
