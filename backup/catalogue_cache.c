/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies in STATE/backup/manifests/STORE/JOB.ID.NAME: a line that says of which object, then its bytes. Whatever is wrong with
 * one, the store is asked instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/catalogue_internal.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"

enum { HEADER_MAX = 2048, PATH_TEXT_MAX = 4096 };

static bool cache_folder(char to[PATH_TEXT_MAX], const struct store *s, const char *state_dir)
{
	char name[200];

	manifest_member_name(name, sizeof(name), s->name ? s->name : "");
	return snprintf(to, PATH_TEXT_MAX, "%s/backup/manifests/%s", state_dir, name) <
	       PATH_TEXT_MAX;
}

static bool cache_path(char to[PATH_TEXT_MAX], const struct store *s, const char *state_dir,
	const char *job, const char *key)
{
	char folder[PATH_TEXT_MAX], id[BACKUP_ID_SIZE];
	const char *name;

	return catalogue_split_key(key, job, id, &name) && cache_folder(folder, s, state_dir) &&
	       snprintf(to, PATH_TEXT_MAX, "%s/%s.%s.%s", folder, job, id, name) < PATH_TEXT_MAX;
}

/* What the copy must begin with. The hash is of what follows: a disk may have lost half of it. */
static void make_header(struct buf *to, const struct listed_key *k, const char *body, size_t n)
{
	char hash[HASH_SHA256_HEX_SIZE];

	hash_sha256_hex(hash, body, n);
	buf_addf(to, "%s %" PRId64 " %" PRId64 " %s %s\n", k->key, k->bytes, k->modified_ms,
		k->etag, hash);
}

static bool read_copy(const char *path, const struct listed_key *k, struct buf *out)
{
	_cleanup_(buf_done) struct buf file = BUF_INIT(HEADER_MAX + out->max);
	_cleanup_(buf_done) struct buf header = BUF_INIT(HEADER_MAX);
	const char *line_end;

	if (fs_read(AT_FDCWD, path, &file, NULL) < 0)
		return false;
	line_end = memchr(buf_str(&file), '\n', file.len);
	if (!line_end)
		return false;
	make_header(&header, k, line_end + 1, file.len - (size_t)(line_end + 1 - file.data));
	if (header.overflow || header.len > file.len ||
		memcmp(header.data, file.data, header.len) != 0)
		return false;
	buf_clear(out);
	buf_add(out, file.data + header.len, file.len - header.len);
	return !out->overflow;
}

static void write_copy(const struct store *s, const char *state_dir, const char *path,
	const struct listed_key *k, const struct buf *body)
{
	_cleanup_(buf_done) struct buf file = BUF_INIT(HEADER_MAX + body->len);
	char folder[PATH_TEXT_MAX];

	make_header(&file, k, buf_str(body), body->len);
	buf_add(&file, buf_str(body), body->len);
	if (file.overflow || !cache_folder(folder, s, state_dir) ||
		fs_mkdirs(folder, 0700, NULL) < 0)
		return;
	(void)fs_write_atomic(AT_FDCWD, path, file.data, file.len, 0600, NULL);
}

int catalogue_fetch(struct store *s, const char *state_dir, const char *job,
	const struct listed_key *k, struct buf *out, struct err *e)
{
	char path[PATH_TEXT_MAX];
	bool has_path = state_dir && cache_path(path, s, state_dir, job, k->key);
	int r;

	if (has_path && read_copy(path, k, out))
		return 0;
	r = store_get(s, k->key, out, e);
	if (r == 0 && has_path)
		write_copy(s, state_dir, path, k, out);
	return r;
}

struct forget {
	const char *job;
	const struct listed_keys *keys;
};

static int forget_one(void *user, int dirfd, const char *name)
{
	const struct forget *f = user;
	size_t n = strlen(f->job);
	_cleanup_(free_p) char *key = NULL;

	/* JOB.ID.NAME; another job's name may begin with this one's. */
	if (strncmp(name, f->job, n) != 0 || strlen(name) < n + BACKUP_ID_SIZE || name[n] != '.' ||
		name[n + 24] != '.')
		return 0;
	key = str_format("%s/%.23s/%s", f->job, name + n + 1, name + n + 25);
	if (!listed_keys_find(f->keys, key))
		(void)unlinkat(dirfd, name, 0);
	return 0;
}

void catalogue_forget(
	struct store *s, const char *state_dir, const char *job, const struct listed_keys *keys)
{
	struct forget f = {job, keys};
	char folder[PATH_TEXT_MAX];

	if (state_dir && cache_folder(folder, s, state_dir))
		(void)fs_list(AT_FDCWD, folder, forget_one, &f, NULL);
}
