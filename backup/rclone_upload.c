/* SPDX-License-Identifier: Apache-2.0
 *
 * One object is the stdin of one `rclone rcat`. The end of its input is what makes it whole, so an upload that is given up ends the
 * program first. Even then some kinds of remotes (a folder, SFTP) hold the part that was sent under the object's own name:
 * it is removed, by the next sweep if need be.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/journal.h"
#include "backup/rclone.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

/* Of rclone's usual limit on S3, 10,000 parts of 5 MiB, so that no object fails after hours. */
#define ROOM_BYTES (INT64_C(32) << 30)

struct rclone_upload {
	struct upload upload;
	struct rclone *rclone;
	char *key;
	struct sink *program;
	EVP_MD_CTX *hash;
	int64_t written;
	bool begun; /* something may be there */
};

static int upload_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct rclone_upload *u = (struct rclone_upload *)sink;
	int r = rclone_translate(sink_write(u->program, data, n, e), e);

	if (r < 0)
		return err_wrap(e, r, "%s", u->key);
	if (u->hash && EVP_DigestUpdate(u->hash, data, n) != 1)
		abort();
	u->written += (int64_t)n;
	u->upload.room -= (int64_t)n;
	return 0;
}

static int upload_finish(struct sink *sink, struct err *e)
{
	(void)sink;
	(void)e;
	return 0;
}

static void hash_hex(struct rclone_upload *u, char to[2 * EVP_MAX_MD_SIZE + 1])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	*to = '\0';
	if (u->hash && EVP_DigestFinal_ex(u->hash, sum, &n) != 1)
		abort();
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(to + (size_t)2 * i, 3, "%02x", sum[i]);
}

/* A remote need not know the hash of what came in as a stream. */
static int compare(struct rclone_upload *u, const struct rclone_object *o, struct err *e)
{
	char sum[2 * EVP_MAX_MD_SIZE + 1];

	if (o->bytes != u->written)
		return err_set(e, EIO,
			"%s has %" PRId64 " bytes in the store, %" PRId64 " were written", u->key,
			o->bytes, u->written);
	hash_hex(u, sum);
	if (*o->hash && *sum && strcmp(o->hash, sum) != 0)
		return err_set(e, EIO, "%s has another %s in the store (%s) than what was written",
			u->key, u->rclone->hash, o->hash);
	return 0;
}

static int upload_commit_it(struct upload *up, struct store_object *out, struct err *e)
{
	struct rclone_upload *u = (struct rclone_upload *)up;
	struct rclone_object o;
	int r = rclone_translate(sink_finish(u->program, e), e);

	if (r < 0)
		return err_wrap(e, r, "%s", u->key);
	r = rclone_stat(u->rclone, u->key, true, &o, e);
	if (r == 0)
		r = compare(u, &o, e);
	if (r < 0)
		return r;
	u->begun = false;
	memset(out, 0, sizeof(*out));
	(void)str_copy(out->key, sizeof(out->key), u->key);
	out->bytes = o.bytes;
	out->modified_ms = o.modified_ms;
	return 0;
}

static void upload_done(struct sink *sink)
{
	struct rclone_upload *u = (struct rclone_upload *)sink;

	sink_free(u->program);
	if (u->begun) {
		stop_hold(true);
		if (rclone_abandon(&u->rclone->store, u->key, "", NULL) < 0)
			u->rclone->store.left_behind = true;
		stop_hold(false);
	}
	EVP_MD_CTX_free(u->hash);
	free(u->key);
	free(u);
}

static int start_program(struct rclone_upload *u, struct err *e)
{
	static const char *const words[] = {"rcat", NULL};
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	struct args argv = {NULL, 0};
	struct place_command command = {.cwd = "/"};
	int r;

	rclone_path(u->rclone, u->key, &path);
	rclone_command(u->rclone, &argv, words);
	args_add(&argv, buf_str(&path));
	command.argv = args_list(&argv);
	r = place_target(u->rclone->place, &command, NULL, &u->program, e);
	args_done(&argv);
	u->begun = r == 0;
	return r;
}

static void start_hash(struct rclone_upload *u)
{
	const EVP_MD *type = u->rclone->hash ? EVP_get_digestbyname(u->rclone->hash) : NULL;

	if (!type)
		return;
	u->hash = EVP_MD_CTX_new();
	if (!u->hash || EVP_DigestInit_ex(u->hash, type, NULL) != 1)
		abort();
}

static int check_new(struct rclone *s, const char *key, struct err *e)
{
	struct rclone_object there;
	struct err why = {""};
	int r = rclone_stat(s, key, false, &there, &why);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		return err_set(e, EEXIST, "%s is there already", key);
	*e = why;
	return r;
}

static int start(struct rclone_upload *u, struct err *e)
{
	struct rclone *s = u->rclone;
	int r = rclone_ask_features(s, e);

	if (r == 0 && !s->takes_streams)
		r = err_set(e, ENOTSUP,
			"remote: this kind takes no object of unknown size: rclone would write all "
			"of it to the local disk first");
	if (r == 0)
		r = check_new(s, u->key, e);
	if (r == 0 && s->journal)
		r = journal_note(s->journal, s->store.name, u->key, "", e);
	if (r < 0)
		return r;
	start_hash(u);
	return start_program(u, e);
}

int rclone_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	static const struct sink_ops ops = {upload_write, upload_finish, upload_done};
	struct rclone_upload *u = calloc(1, sizeof(*u));
	int r;

	(void)o;
	if (!u)
		abort();
	u->upload.sink.ops = &ops;
	u->upload.commit = upload_commit_it;
	u->upload.room = ROOM_BYTES;
	u->rclone = (struct rclone *)s;
	u->key = str_dup(key);
	r = start(u, e);
	if (r < 0)
		upload_done(&u->upload.sink);
	else
		*out = &u->upload;
	return r;
}
