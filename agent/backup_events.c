/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/backup_events.h"

#include <string.h>

#include "agent/backup_config.h"
#include "agent/json_view.h"
#include "base/str.h"
#include "notify/message.h"

/* How what is done is called, and the events of its ends. */
static const struct row {
	const char *what;
	const char *noun; /* "Backup of shop" */
	const char *failed, *good;
	const char *done; /* of a good end */
	const char *story; /* behind the job in the key */
	enum severity severity; /* of a failure */
	const char *partial; /* in the title */
} rows[] = {
	{"backup", "Backup", EVENT_BACKUP_FAILED, EVENT_BACKUP_SUCCEEDED, "is done", "",
		SEVERITY_CRITICAL, "did not reach all stores"},
	{"verify", "Verification of a backup", EVENT_BACKUP_VERIFY_FAILED, EVENT_BACKUP_VERIFIED,
		"found it right", " verify", SEVERITY_CRITICAL, "did not reach all stores"},
	{"drill", "Trial restore", EVENT_BACKUP_DRILL_FAILED, EVENT_BACKUP_DRILLED, "went well",
		" drill", SEVERITY_CRITICAL, "is incomplete"},
	{"prune", "Removal of old backups", EVENT_BACKUP_PRUNE_FAILED, "", "is done", " prune",
		SEVERITY_WARNING, "did not reach all stores"},
	{"restore", "Restore", EVENT_BACKUP_RESTORE_FAILED, EVENT_BACKUP_RESTORED, "is done",
		" restore", SEVERITY_WARNING, "is incomplete"},
};

/* Where to look when it failed at that step. */
static const struct {
	const char *stage, *cure;
} cures[] = {
	{"probe", "Does the database run, and are user and password right?"},
	{"pre", "The program in the option pre failed; what it says stands above."},
	{"dump", "The dump tool failed; what it says stands above."},
	{"commit", "Nothing of it was left in the store. Is the store full, or not to be reached?"},
	{"post", "The program in the option post failed; the backup itself is good."},
	{"prune", "The store may not let the agent delete: then set delete = \"lifecycle\"."},
	{"download", "The store could not be read, or what it gave is not what was stored."},
	{"check", "What was read back is not what was stored: make a new backup at once."},
	{"restore", "The target may be incomplete; the message says what state it is in."},
	{"compare", "What was restored is not what was dumped."},
	{"wait", "Another run of the same job did not end."},
};

static const struct row *row_of(const char *what)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].what, what) == 0)
			return &rows[i];
	return &rows[0];
}

static const char *cure_of(const char *stage)
{
	for (size_t i = 0; i < ARRAY_LEN(cures); i++)
		if (strcmp(cures[i].stage, stage) == 0)
			return cures[i].cure;
	return "";
}

static struct event *new_event(
	const char *kind, enum severity severity, const char *job, const char *story)
{
	_cleanup_(free_p) char *key = str_format("backup %s%s", job, story);
	struct event *ev = event_new(kind, severity, key);

	event_set(&ev->class, "backup");
	event_set(&ev->entity, job);
	event_set(&ev->link, "/#/backups");
	event_fact(ev, "Job", "%s", job);
	return ev;
}

static void add_source(struct event *ev, const struct backup_event_facts *f)
{
	if (f->source && *f->source)
		event_fact(ev, "Of", "%s", f->source);
}

/* "21 Nov 03:00 (1.2 GiB, 5h 3m ago)" */
static void describe_last_good(const struct backup_event_facts *f, char *to, size_t size)
{
	int64_t at_ms = json_view_int(f->last_good, "started_ms");
	char when[64], bytes[64], ago[64];

	if (!f->last_good) {
		(void)str_copy(to, size, "none so far");
		return;
	}
	message_time(when, sizeof(when), at_ms, f->now_ms);
	str_human_bytes(bytes, sizeof(bytes), (double)json_view_int(f->last_good, "stored_bytes"));
	str_human_duration(ago, sizeof(ago), (f->now_ms - at_ms) / 1000);
	(void)snprintf(to, size, "%s (%s, %s ago)", when, bytes, ago);
}

static void add_stores(struct event *ev, const json_t *run)
{
	const json_t *list = json_object_get(run, "stores"), *one;
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_FACT_MAX);
	size_t i;

	json_array_foreach(list, i, one)
	{
		bool ok = json_is_true(json_object_get(one, "ok"));

		const char *name = json_view_text(one, "name");

		buf_addf(&text, "%s%s: %s", text.len ? "; " : "", name,
			ok ? "good" : backup_store_error(name, json_view_text(one, "error")));
	}
	if (text.len)
		event_fact(ev, "Stores", "%s", buf_str(&text));
}

static void add_times(struct event *ev, const json_t *run)
{
	char took[64];

	str_human_duration(took, sizeof(took), json_view_int(run, "duration_ms") / 1000);
	if (json_view_int(run, "started_ms"))
		event_fact(ev, "Took", "%s", took);
	event_fact(ev, "Run", "%lld", (long long)json_view_int(run, "run"));
}

/* What the worker printed, unless its error has it already. */
static void add_output(struct buf *text, const char *error, const char *output)
{
	size_t n = strlen(output);

	while (n && strchr(" \n\r\t", output[n - 1]))
		n--;
	if (!n)
		return;
	{
		_cleanup_(free_p) char *end = str_ndup(output, n);

		if (!strstr(error, end))
			buf_addf(text, "It printed: %s\n", end);
	}
}

static void failure_text(
	struct event *ev, const json_t *run, const struct backup_event_facts *f, const char *last)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_TEXT_MAX);
	const char *error = json_view_text(run, "error"), *stage = json_view_text(run, "stage");
	const char *job = json_view_text(run, "job"), *cure = cure_of(stage);

	buf_addf(&text, "%s\n", *error ? error : "It failed without a word.");
	add_output(&text, error, f->output ? f->output : "");
	buf_addf(&text, "Last good backup: %s.\n", last);
	buf_addf(&text,
		"What to do: %s%s\"agent backup doctor %s\" looks for the cause, \"agent backup "
		"now %s\" "
		"tries again.",
		cure, *cure ? " " : "", job, job);
	event_text(ev, "%s", buf_str(&text));
}

struct event *backup_event_failed(const json_t *run, const struct backup_event_facts *f)
{
	const struct row *row = row_of(json_view_text(run, "what"));
	const char *job = json_view_text(run, "job"), *stage = json_view_text(run, "stage");
	const char *member = json_view_text(run, "member"), *state = json_view_text(run, "state");
	bool partial = json_is_true(json_object_get(run, "partial"));
	struct event *ev = new_event(row->failed, row->severity, job, row->story);
	char last[200];

	describe_last_good(f, last, sizeof(last));
	event_title(ev, "%s of %s %s", row->noun, job,
		partial                             ? row->partial
		: strcmp(state, "interrupted") == 0 ? "was interrupted"
		: strcmp(state, "timed_out") == 0   ? "took too long and was ended"
						    : "failed");
	failure_text(ev, run, f, last);
	add_source(ev, f);
	if (*stage)
		event_fact(ev, "Failed at", "%s%s%s", stage, *member ? ", " : "", member);
	event_fact(ev, "Last good", "%s", last);
	add_stores(ev, run);
	add_times(ev, run);
	return ev;
}

static void add_sizes(struct event *ev, const json_t *run)
{
	char plain[64], stored[64];

	str_human_bytes(plain, sizeof(plain), (double)json_view_int(run, "plain_bytes"));
	str_human_bytes(stored, sizeof(stored), (double)json_view_int(run, "stored_bytes"));
	if (json_view_int(run, "stored_bytes"))
		event_fact(ev, "Size", "%s, stored as %s", plain, stored);
	else if (json_view_int(run, "plain_bytes"))
		event_fact(ev, "Size", "%s", plain);
}

struct event *backup_event_good(const json_t *run, const struct backup_event_facts *f)
{
	const struct row *row = row_of(json_view_text(run, "what"));
	const char *job = json_view_text(run, "job"), *id = json_view_text(run, "backup");
	bool is_backup = row == &rows[0], over = f->story_ms != 0;
	struct event *ev = new_event(is_backup && over ? EVENT_BACKUP_RECOVERED : row->good,
		SEVERITY_INFO, job, row->story);
	char lasted[64];

	str_human_duration(lasted, sizeof(lasted), (f->now_ms - f->story_ms) / 1000);
	if (over) {
		event_title(
			ev, "%s of %s %s", row->noun, job, is_backup ? "is good again" : row->done);
		event_text(ev, "It went badly for %s.", lasted);
		ev->is_end = true;
		ev->since_ms = f->story_ms;
		ev->duration_ms = f->now_ms - f->story_ms;
	} else {
		event_title(ev, "%s of %s %s", row->noun, job, row->done);
	}
	add_source(ev, f);
	if (*id)
		event_fact(ev, "Backup", "%s", id);
	add_sizes(ev, run);
	add_stores(ev, run);
	add_times(ev, run);
	return ev;
}

struct event *backup_event_warning(
	const json_t *run, const json_t *warnings, const struct backup_event_facts *f)
{
	const char *job = json_view_text(run, "job");
	struct event *ev = new_event(EVENT_BACKUP_WARNING, SEVERITY_WARNING, job, " warning");
	_cleanup_(buf_done) struct buf text = BUF_INIT(EVENT_TEXT_MAX);
	const json_t *one;
	size_t i;

	json_array_foreach(warnings, i, one)
		buf_addf(&text, "%s%s", i ? "\n" : "", json_string_value(one));
	event_title(ev, "Backup of %s is done, but look at it", job);
	event_text(ev, "%s", buf_str(&text));
	add_source(ev, f);
	add_sizes(ev, run);
	add_times(ev, run);
	return ev;
}

struct event *backup_event_not_removed(const json_t *run)
{
	const char *job = json_view_text(run, "job"), *why = json_view_text(run, "prune_error");
	const json_t *list = json_object_get(run, "not_removed"), *first = json_array_get(list, 0);
	struct event *ev = new_event(EVENT_BACKUP_PRUNE_FAILED, SEVERITY_WARNING, job, " prune");

	event_title(ev, "Old backups of %s could not be removed", job);
	event_text(ev,
		"%s%s%s%s%s\nThe new backup is good, but the store grows. \"agent backup prune %s "
		"--dry-run\" shows what should go.",
		json_view_text(first, "id"), first ? " in " : "", json_view_text(first, "store"),
		first ? ": " : "", first ? json_view_text(first, "error") : why, job);
	if (json_array_size(list) > 1)
		event_fact(ev, "Not removed", "%zu", json_array_size(list));
	add_times(ev, run);
	return ev;
}

struct event *backup_event_overdue(
	const char *job, int64_t due_ms, const struct backup_event_facts *f)
{
	struct event *ev = new_event(EVENT_BACKUP_OVERDUE, SEVERITY_CRITICAL, job, "");
	char last[200], when[64];

	describe_last_good(f, last, sizeof(last));
	message_time(when, sizeof(when), due_ms, f->now_ms);
	event_title(ev, "There is no good backup of %s for too long", job);
	event_text(ev,
		"There should have been one by %s. Last good backup: %s.\nWhat to do: \"agent "
		"backup "
		"list %s\" shows what there is, \"agent backup show %s\" the last runs, \"agent "
		"backup "
		"now %s\" makes one.",
		when, last, job, job, job);
	add_source(ev, f);
	event_fact(ev, "Last good", "%s", last);
	return ev;
}
