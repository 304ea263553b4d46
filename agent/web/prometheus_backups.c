/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/web/prometheus_backups.h"

#include <math.h>
#include <string.h>

#include "agent/web/prometheus_text.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { LABELS_MAX = 1024 };

static double number(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* A time of 0 stands for none. */
static double time_of(const json_t *object, const char *name)
{
	double ms = number(object, name);

	return ms > 0 ? ms / 1000 : NAN;
}

static double of_last_success(const json_t *job, const char *name)
{
	return number(job, "last_success_ms") > 0 ? number(job, name) : NAN;
}

static double span_of_last_success(const json_t *job, const char *name)
{
	return of_last_success(job, name) / 1000;
}

static double is_true(const json_t *job, const char *name)
{
	const json_t *v = json_object_get(job, name);

	return json_is_boolean(v) ? json_is_true(v) : NAN;
}

static double is_there(const json_t *job, const char *name)
{
	return json_is_object(json_object_get(job, name));
}

/* When that run ended; NaN: there was none, or it goes on. */
static double end_of(const json_t *job, const char *name)
{
	return time_of(json_object_get(job, name), "ended_ms");
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
static const struct family {
	const char *name;
	const char *doc;
	double (*value)(const json_t *job, const char *member);
	const char *member;
} families[] = {
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
		"When the last good backup began: what it holds is as old as that.", time_of,
		"last_success_ms"},
	{"agent_backup_last_verify_ok", "Whether the last verification found the backup intact.",
		was_good, "last_verify"},
	{"agent_backup_last_verify_timestamp_seconds", "When the last verification ended.", end_of,
		"last_verify"},
	{"agent_backup_next_run_timestamp_seconds", "When the next backup is due by the schedule.",
		time_of, "next_ms"},
	{"agent_backup_overdue", "Whether a good backup should have been made by now.", is_true,
		"overdue"},
	{"agent_backup_running", "Whether something of the job runs now.", is_there, "running"},
};

static void add_family(struct buf *b, const struct family *f, const json_t *jobs)
{
	bool headed = false;

	for (size_t i = 0; i < json_array_size(jobs); i++) {
		_cleanup_(buf_done) struct buf labels = BUF_INIT(LABELS_MAX);
		const json_t *job = json_array_get(jobs, i);
		const char *name = json_string_value(json_object_get(job, "name"));
		double v = f->value(job, f->member);

		if (!name || isnan(v))
			continue;
		if (!headed)
			prometheus_head(b, f->name, f->doc, "gauge");
		headed = true;
		prometheus_label(&labels, "backup", name);
		buf_addf(b, "%s{%s} ", f->name, buf_str(&labels));
		prometheus_value(b, v);
		buf_addc(b, '\n');
	}
}

void prometheus_backups_write(struct buf *b, const json_t *jobs)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		add_family(b, &families[i], jobs);
}
