/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/prometheus_backups.h"

#include <math.h>
#include <string.h>

#include "agent/web/prometheus_list.h"
#include "base/cleanup.h"

static double of_last_success(const json_t *job, const char *name)
{
	return prometheus_number(job, "last_success_ms") > 0 ? prometheus_number(job, name) : NAN;
}

static double span_of_last_success(const json_t *job, const char *name)
{
	return of_last_success(job, name) / 1000;
}

/* When that run ended; NaN: there was none, or it goes on. */
static double end_of(const json_t *job, const char *name)
{
	return prometheus_time(json_object_get(job, name), "ended_ms");
}

/* Good is what was done in full; a backup that one of its stores lacks is not. */
static double was_good(const json_t *job, const char *name)
{
	const json_t *run = json_object_get(job, name);
	const char *state = json_string_value(json_object_get(run, "state"));

	if (!state || isnan(end_of(job, name)))
		return NAN;
	return strcmp(state, "done") == 0 && !json_is_true(json_object_get(run, "partial"));
}

/* In alphabetical order. A value of NaN is left out. */
static const struct prometheus_family families[] = {
	{"agent_backup_last_drill_ok", "Whether the last restore drill found all that was dumped.",
		was_good, "last_drill"},
	{"agent_backup_last_drill_timestamp_seconds", "When the last restore drill ended.", end_of,
		"last_drill"},
	{"agent_backup_last_duration_seconds", "How long the last good backup took.",
		span_of_last_success, "last_duration_ms"},
	{"agent_backup_last_plain_size_bytes",
		"Size of the last good backup before compression and encryption.", of_last_success,
		"last_plain_bytes"},
	{"agent_backup_last_run_ok",
		"Whether the last backup that ended was good and is in all its stores.", was_good,
		"last"},
	{"agent_backup_last_size_bytes", "Size of the last good backup as stored.", of_last_success,
		"last_size_bytes"},
	{"agent_backup_last_success_timestamp_seconds",
		"When the last good backup began: what it holds is as old as that.",
		prometheus_time, "last_success_ms"},
	{"agent_backup_last_verify_ok", "Whether the last verification found the backup intact.",
		was_good, "last_verify"},
	{"agent_backup_last_verify_timestamp_seconds", "When the last verification ended.", end_of,
		"last_verify"},
	{"agent_backup_next_run_timestamp_seconds", "When the next backup is due by the schedule.",
		prometheus_time, "next_ms"},
	{"agent_backup_overdue", "Whether a good backup should have been made by now.",
		prometheus_bool, "overdue"},
	{"agent_backup_running", "Whether something of the job runs now.", prometheus_is_there,
		"running"},
};

void prometheus_backups_write(struct buf *b, const json_t *jobs)
{
	prometheus_list_write(b, families, ARRAY_LEN(families), "backup", jobs);
}
