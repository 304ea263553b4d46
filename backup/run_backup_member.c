/* SPDX-License-Identifier: Apache-2.0
 *
 * One member of a backup. The order of the ends is what keeps a bad dump from becoming a backup: the dump ended well,
 * the codec and the encryption wrote their ends, the format is right; only then objects are completed.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backup/age.h"
#include "backup/run_backup.h"
#include "base/cleanup.h"
#include "base/str.h"

/* A dump that need not wait for each 64 KiB to be taken wakes both sides less often; 1 MiB is what anybody may have. */
enum { PROGRESS_MS = 1000, PIPE_BYTES = 1024 * 1024 };

struct member {
	struct run *r;
	const struct engine_member *what;
	struct backup_totals *totals;
	char name[300];
	struct source *source;
	struct sink *checker, *copies, *stored, *age, *codec, *plain;
	struct metered plain_m, stored_m;
};

static void member_done(struct member *m)
{
	/* The dump first: nobody takes its bytes any more. */
	source_free(m->source);
	sink_free(m->plain);
	sink_free(m->codec);
	sink_free(m->age);
	sink_free(m->stored);
	sink_free(m->copies);
	sink_free(m->checker);
}

static bool name_is_used(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->n_stores; i++)
		if (r->stores[i].manifest && manifest_member_find(r->stores[i].manifest, name))
			return true;
	return false;
}

/* A database may be called as another member is. */
static void choose_name(struct member *m)
{
	size_t n;

	manifest_member_name(m->name, sizeof(m->name) - 16, m->what->title);
	n = strlen(m->name);
	for (unsigned i = 2; name_is_used(m->r, m->name); i++)
		(void)snprintf(m->name + n, sizeof(m->name) - n, ".%u", i);
}

static int open_age(struct member *m, struct err *e)
{
	const struct job *j = m->r->job;
	_cleanup_(buf_done) struct buf passphrase = BUF_INIT(RUN_SECRET_MAX);
	struct age_encrypt o = {.recipients = j->encrypt.items, .n_recipients = j->encrypt.n};
	int result = 0;

	if (!j->encrypt.n && !j->passphrase_file)
		return 0;
	if (j->passphrase_file) {
		result = m->r->w->secret_read(j->passphrase_file, &passphrase, e);
		o.passphrase = buf_str(&passphrase);
	}
	if (result == 0)
		result = age_encryptor_new(&o, m->stored, &m->age, e);
	if (passphrase.data)
		explicit_bzero(passphrase.data, passphrase.cap);
	return err_wrap(e, result, "encryption");
}

static int open_stages(struct member *m, struct err *e)
{
	const struct format *f = m->what->format;
	_cleanup_(free_p) char *suffix =
		str_format("%s%s%s", f->suffix, codec_suffix(m->r->job->codec.codec),
			m->r->job->encrypt.n || m->r->job->passphrase_file ? ".age" : "");
	int result;

	result = f->checker ? f->checker(&m->checker, e) : 0;
	if (result == 0)
		result = copies_open(m->r, m->name, suffix, e);
	if (result < 0)
		return result;
	m->copies = copies_sink(m->r);
	m->stored = meter_sink(&m->stored_m, m->r->throttle, NULL, m->copies);
	result = open_age(m, e);
	if (result < 0)
		return result;
	result = codec_encoder_new(&m->r->job->codec, m->age ? m->age : m->stored, &m->codec, e);
	if (result == 0)
		m->plain = meter_sink(&m->plain_m, NULL, m->checker, m->codec);
	return result;
}

static void say_progress(const struct member *m)
{
	const struct backup_totals *t = m->totals;

	report_progress(m->r->report, t->plain_bytes + m->plain_m.bytes,
		t->stored_bytes + m->stored_m.bytes, t->expected_bytes);
}

/* Uploads move on while the dump has nothing to say. */
static int pump(struct member *m, struct err *e)
{
	struct run *r = m->r;
	ssize_t n = 1;

	/* Not every source is a pipe, and it works without. */
	(void)fcntl(source_fd(m->source), F_SETPIPE_SZ, PIPE_BYTES);
	while (n > 0) {
		int result = net_wait(r->net, source_fd(m->source), PROGRESS_MS, e);

		if (result > 0) {
			n = source_read(m->source, r->buffer, RUN_PIECE_BYTES, e);
			result = n > 0 ? sink_write(m->plain, r->buffer, (size_t)n, e) : (int)n;
		}
		if (result < 0)
			return result;
		say_progress(m);
	}
	return 0;
}

static int end_stages(struct member *m, struct err *e)
{
	struct sink *const stages[] = {m->plain, m->codec, m->age, m->stored, m->copies};

	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		int result = stages[i] ? sink_finish(stages[i], e) : 0;

		if (result < 0)
			return result;
	}
	return m->checker ? sink_finish(m->checker, e) : 0;
}

static int check_size(const struct member *m, struct err *e)
{
	const struct format *f = m->what->format;

	if (!m->plain_m.bytes)
		return err_set(e, ENODATA, "the dump is empty: 0 bytes");
	if (m->plain_m.bytes < f->min_bytes)
		return err_set(e, ENODATA,
			"the dump has %" PRId64 " bytes, %s has at least %" PRId64,
			m->plain_m.bytes, f->doc, f->min_bytes);
	return 0;
}

static void count(struct member *m, struct counts *out)
{
	struct err e = {""};
	struct run *r = m->r;

	*out = (struct counts){.n_items = 0};
	if (!r->engine->count || r->engine->count(&r->call, m->what, out, &e) == 0)
		return;
	*out = (struct counts){.n_items = 0};
	report_warning(
		r->report, "%s: what is in it could not be counted: %s", m->what->title, e.msg);
}

/* What changed while the dump ran cannot be compared with what a restore makes of it. */
static void count_again(struct member *m, struct counts *before)
{
	struct counts after;

	if (!before->n_items)
		return;
	count(m, &after);
	for (size_t i = 0; i < before->n_items; i++) {
		struct count *c = &before->items[i];
		int64_t now = counts_get(&after, c->name);
		char text[400];

		if (c->loose || now < 0 || now == c->n)
			continue;
		c->loose = true;
		(void)snprintf(text, sizeof(text),
			"%s: %s changed from %" PRId64 " to %" PRId64 " while the dump ran",
			m->what->title, c->name, c->n, now);
		run_warn(m->r, text);
	}
}

static void add_counts(struct counts *to, const struct counts *from, bool sum)
{
	for (size_t i = 0; i < from->n_items; i++) {
		const struct count *c = &from->items[i];
		int64_t had = sum ? counts_get(to, c->name) : 0;

		counts_set(to, c->name, c->n + (had > 0 ? had : 0), c->loose);
	}
}

static int commit(struct member *m, const struct counts *counts, struct err *e)
{
	struct manifest_member entry = {.name = m->name,
		.title = (char *)m->what->title,
		.format = (char *)m->what->format->name,
		.plain_bytes = m->plain_m.bytes,
		.stored_bytes = m->stored_m.bytes,
		.counts = *counts};

	memcpy(entry.plain_sha256, m->plain_m.sha256, sizeof(entry.plain_sha256));
	memcpy(entry.stored_sha256, m->stored_m.sha256, sizeof(entry.stored_sha256));
	m->totals->plain_bytes += entry.plain_bytes;
	m->totals->stored_bytes += entry.stored_bytes;
	add_counts(&m->totals->counts, counts, true);
	return copies_commit_member(m->r, &entry, e);
}

static int transfer(struct member *m, struct counts *counts, struct err *e)
{
	struct counts of_dump = {.n_items = 0};
	struct run *r = m->r;
	int result = r->engine->dump(&r->call, m->what, &m->source, e);

	if (result == 0)
		result = pump(m, e);
	if (result == 0)
		result = source_finish(m->source, e);
	if (result < 0)
		return result;
	if (r->engine->dumped)
		r->engine->dumped(&r->call, m->source, &of_dump);
	source_free(m->source);
	m->source = NULL;
	result = end_stages(m, e);
	if (result == 0)
		result = check_size(m, e);
	if (result < 0)
		return result;
	count_again(m, counts);
	add_counts(counts, &of_dump, false);
	return 0;
}

int backup_member(
	struct run *r, const struct engine_member *what, struct backup_totals *t, struct err *e)
{
	_cleanup_(member_done) struct member m = {.r = r, .what = what, .totals = t};
	struct counts counts;
	int result;

	assert(what->format);
	choose_name(&m);
	report_stage(r->report, "dump", what->title, NULL);
	count(&m, &counts);
	result = open_stages(&m, e);
	if (result == 0)
		result = transfer(&m, &counts, e);
	if (result == 0)
		result = commit(&m, &counts, e);
	return result == -ECANCELED ? result : err_wrap(e, result, "%s", what->title);
}
