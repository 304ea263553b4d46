/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "backup/journal_internal.h"
#include "backup/manifest.h"
#include "base/buf.h"
#include "base/str.h"

static int read_all(int fd, struct buf *out, struct err *e)
{
	for (;;) {
		char *to = buf_reserve(out, 4096);
		ssize_t n = to ? read(fd, to, 4096) : 0;

		if (!to)
			return err_set(e, EBADMSG, "it is larger than %zu bytes", out->max);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return 0;
		buf_grew(out, (size_t)n);
	}
}

static const char *text_of(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static int read_first(const json_t *j, struct journal_file *f, struct err *e)
{
	const char *job = text_of(j, "job"), *id = text_of(j, "id");

	if (!job || !id || !manifest_job_is_valid(job) || !backup_id_is_valid(id))
		return err_set(e, EBADMSG, "its first line names no backup");
	f->job = str_dup(job);
	f->id = str_dup(id);
	return 0;
}

/* A line that makes no sense is as good as none: what lies in the backup's folder is looked for anyway. */
static void read_entry(const json_t *j, struct journal_file *f)
{
	const char *store = text_of(j, "store"), *key = text_of(j, "key");
	const char *token = text_of(j, "token");

	if (!store || (!key && !text_of(j, "manifest")) || (key && !token))
		return;
	f->entries = reallocarray(f->entries, f->n_entries + 1, sizeof(*f->entries));
	if (!f->entries)
		abort();
	f->entries[f->n_entries++] = (struct journal_entry){
		.store = str_dup(store), .key = str_dup(key), .token = str_dup(token)};
}

static int read_lines(struct buf *text, struct journal_file *f, struct err *e)
{
	const char *line = buf_str(text), *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		json_t *j = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		int r = 0;

		if (!f->job)
			r = read_first(j, f, e);
		else
			read_entry(j, f);
		json_decref(j);
		if (r < 0)
			return r;
	}
	return f->job ? 0 : err_set(e, EBADMSG, "it is empty");
}

int journal_file_read(int fd, struct journal_file *out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(JOURNAL_BYTES_MAX);
	struct journal_file f = {.job = NULL};
	int r = read_all(fd, &text, e);

	if (r == 0)
		r = read_lines(&text, &f, e);
	if (r < 0) {
		journal_file_done(&f);
		return r;
	}
	*out = f;
	return 0;
}

void journal_file_done(struct journal_file *f)
{
	free(f->job);
	free(f->id);
	for (size_t i = 0; i < f->n_entries; i++) {
		free(f->entries[i].store);
		free(f->entries[i].key);
		free(f->entries[i].token);
	}
	free(f->entries);
	*f = (struct journal_file){.job = NULL};
}
