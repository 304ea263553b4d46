/* SPDX-License-Identifier: Apache-2.0
 *
 * An object is collected in memory and sent when it is complete, so an upload that is given up has left nothing, unless its
 * answer was lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/journal.h"
#include "backup/libs3.h"
#include "backup/stop.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { MD5_BYTES = 16 };

struct libs3_uploading {
	struct upload upload;
	struct libs3 *s;
	char *key;
	struct buf data;
	bool sent; /* it may be there */
};

static int upload_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct libs3_uploading *u = (struct libs3_uploading *)sink;

	if (u->upload.room < (int64_t)n)
		return err_set(e, EFBIG, "%s: %zu bytes are more than fit into it", u->key, n);
	buf_add(&u->data, data, n);
	u->upload.room -= (int64_t)n;
	return 0;
}

static int upload_finish(struct sink *sink, struct err *e)
{
	(void)sink;
	(void)e;
	return 0;
}

static void md5_of(const struct buf *data, unsigned char sum[MD5_BYTES], char hex[33])
{
	unsigned n = MD5_BYTES;

	if (EVP_Digest(buf_str(data), data->len, sum, &n, EVP_md5(), NULL) != 1)
		abort();
	for (unsigned i = 0; i < MD5_BYTES; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", sum[i]);
}

/* The ETag of an object that was sent whole is its MD5, unless the store encrypts it. */
static int check(const struct libs3_uploading *u, const struct libs3_answer *a, const char *md5,
	struct err *e)
{
	if (a->bytes != (int64_t)u->data.len)
		return err_set(e, EIO, "%s has %" PRId64 " bytes in the store, %zu were written",
			u->key, a->bytes, u->data.len);
	if (strlen(a->etag) == 32 && strspn(a->etag, "0123456789abcdef") == 32 &&
		strcmp(a->etag, md5) != 0)
		return err_set(e, EIO, "%s has another MD5 in the store (%s) than what was written",
			u->key, a->etag);
	return 0;
}

static int commit(struct upload *up, struct store_object *out, struct err *e)
{
	struct libs3_uploading *u = (struct libs3_uploading *)up;
	_cleanup_(buf_done) struct buf md5 = BUF_INIT(100);
	unsigned char sum[MD5_BYTES];
	struct libs3_request put = {.what = LIBS3_PUT, .key = u->key, .data = buf_str(&u->data)};
	const struct libs3_request head = {.what = LIBS3_HEAD, .key = u->key};
	struct libs3_answer a;
	char hex[33];
	int r;

	md5_of(&u->data, sum, hex);
	base64_encode(&md5, sum, sizeof(sum), 0);
	put.n = u->data.len;
	put.md5 = buf_str(&md5);
	u->sent = true;
	r = libs3_do(u->s, &put, &a, e);
	if (r == 0)
		r = libs3_do(u->s, &head, &a, e);
	if (r == 0)
		r = check(u, &a, hex, e);
	if (r < 0)
		return r;
	u->sent = false;
	memset(out, 0, sizeof(*out));
	(void)str_copy(out->key, sizeof(out->key), u->key);
	(void)str_copy(out->etag, sizeof(out->etag), a.etag);
	out->bytes = a.bytes;
	out->modified_ms = a.modified_ms;
	return 0;
}

static void upload_done(struct sink *sink)
{
	struct libs3_uploading *u = (struct libs3_uploading *)sink;

	if (u->sent) {
		stop_hold(true);
		if (libs3_remove(&u->s->store, u->key, NULL) < 0)
			u->s->store.left_behind = true;
		stop_hold(false);
	}
	buf_done(&u->data);
	free(u->key);
	free(u);
}

/* Nobody else's object is written over; and a bucket that is not there, or keys that are wrong, are known before the dump begins. */
static int check_new(struct libs3 *s, const char *key, struct err *e)
{
	struct libs3_answer a;
	struct err why = {""};
	int r = libs3_look(s, key, &a, &why);

	/* Who may only write cannot look. */
	if (r == -ENOENT || r == -EPERM)
		return 0;
	if (r == 0)
		return err_set(e, EEXIST, "%s is there already", key);
	return err_set(e, -r, "%s", why.msg);
}

int libs3_upload(struct store *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	static const struct sink_ops ops = {upload_write, upload_finish, upload_done};
	struct libs3 *l = (struct libs3 *)s;
	struct libs3_uploading *u;
	int r = check_new(l, key, e);

	if (r == 0 && l->journal)
		r = journal_note(l->journal, s->name, key, "", e);
	if (r < 0)
		return r;
	u = calloc(1, sizeof(*u));
	if (!u)
		abort();
	u->upload.sink.ops = &ops;
	u->upload.commit = commit;
	u->upload.room = s3_part_bytes(&l->settings, o->expected_bytes);
	u->s = l;
	u->key = str_dup(key);
	buf_init(&u->data, (size_t)u->upload.room);
	*out = &u->upload;
	return 0;
}
