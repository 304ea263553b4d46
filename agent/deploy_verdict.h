/* SPDX-License-Identifier: Apache-2.0
 *
 * Was the new version good for the server? What the app used and how it answered in the ten minutes before the deploy began,
 * against the ten minutes after it was done. Only of what was measured: CPU, memory, processes, disk and network of its
 * container, restarts and OOM kills; error rate and latency where the app is probed (health.path; class `app`). What is
 * not known is said to be so. Pure.
 */
#ifndef AGENT_DEPLOY_VERDICT_H
#define AGENT_DEPLOY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "deploy-hooks/deploy.h"
#include "notify/event.h"

enum {
	DEPLOY_VERDICT_AFTER_MS = 10 * 60 * 1000, /* after the end of the deploy */
	DEPLOY_VERDICT_BEFORE_MS =
		10 * 60 *
		1000, /* before the deploy began: a build slows down what runs beside it */
	DEPLOY_VERDICT_VALUES_MIN = 3, /* known values on each side, or nothing is said of it */
	DEPLOY_VERDICT_LATE_MS =
		24 * 3600 * 1000, /* one that is due for longer is not given any more */
};

/* How a figure is made of the values of a stretch, and compared. One row each (deploy_verdict.c), in the order of the text. */
enum deploy_verdict_figure {
	DEPLOY_VERDICT_CPU,
	DEPLOY_VERDICT_MEMORY,
	DEPLOY_VERDICT_ERRORS, /* share of the probes that failed, percent */
	DEPLOY_VERDICT_LATENCY, /* of the probes, seconds */
	DEPLOY_VERDICT_DISK, /* read and written */
	DEPLOY_VERDICT_NETWORK, /* received and sent */
	DEPLOY_VERDICT_PROCESSES,
	DEPLOY_VERDICT_RESTARTS, /* how many in the stretch */
	DEPLOY_VERDICT_OOM_KILLS,
	DEPLOY_VERDICT_FIGURES
};

/* Values of one stretch, oldest first, NaN unknown. */
struct deploy_verdict_values {
	const double *values;
	size_t n;
	size_t stride; /* numbers from one to the next; 0: 1 */
};
struct deploy_verdict_input {
	struct deploy_verdict_values before[DEPLOY_VERDICT_FIGURES], after[DEPLOY_VERDICT_FIGURES];
	bool is_first; /* there was no version before */
	bool was_cut; /* another deploy began within the ten minutes after */
	/* Greatest increase allowed, percent of before; 0: none. An increase below what counts at all (deploy_verdict.c: a
	 * tenth of a core, 50 MiB) is never too much: an idle app that uses thrice nothing is no harm. */
	double cpu_limit_percent, memory_limit_percent;
};

struct deploy_verdict_number {
	double before, after; /* mean, or sum for counts; NaN: not known */
	double change_percent; /* NaN: before is nothing, or unknown */
	bool worse;
};
enum deploy_verdict_grade { DEPLOY_VERDICT_UNKNOWN, DEPLOY_VERDICT_GOOD, DEPLOY_VERDICT_WORSE };
struct deploy_verdict {
	enum deploy_verdict_grade grade;
	struct deploy_verdict_number numbers[DEPLOY_VERDICT_FIGURES];
	/* "CPU 12.1 % -> 25.3 % (+109 %), memory 210 MiB -> 214 MiB (+2 %). Error rate and latency are not measured: ..." */
	char text[DEPLOY_VERDICT_SIZE];
	char over_limit
		[200]; /* "CPU rose by 109 %, more than rollback_if.cpu_percent = 50 allows"; "": none is */
};

void deploy_verdict_judge(const struct deploy_verdict_input *in, struct deploy_verdict *out);
const char *deploy_verdict_grade_name(enum deploy_verdict_grade g); /* "unknown", "good", "worse" */

/* Wall times of both stretches. `previous_ms`: when the deploy of the app before this one ended; `next_ms`: when the next one
 * began; 0: there was none. */
struct deploy_verdict_times {
	int64_t before_from_ms, before_to_ms, after_from_ms, after_to_ms;
	bool was_cut; /* by the next one */
};
struct deploy_verdict_times deploy_verdict_times(
	const struct deploy *d, int64_t after_ms, int64_t previous_ms, int64_t next_ms);

/* To be told, owned by the caller: what was deployed, the numbers, and whether the old version is put back because of them. NULL:
 * nothing is known, so there is nothing to tell. */
struct event *deploy_verdict_event(
	const struct deploy *d, const struct deploy_verdict *v, bool rolls_back);

#endif
