/* SPDX-License-Identifier: Apache-2.0
 *
 * For the doctor: all that a backup, a restore and retention will do, on an object of a few bytes, and what the bucket says about
 * itself. Nothing is left behind.
 */
#include "backup/s3_check.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/s3_cure.h"
#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	CHECK_MS = 5000, /* somebody waits for it */
	CHECK_IDLE_S = 10,
	CLOCK_OFF_MAX_S = 60, /* stores refuse from 15 minutes on */
	TEXT_BYTES = 600,
};

static const char content[] = "A check by agent. This object can be deleted.\n";

void s3_check_say(
	const struct s3_checking *c, const char *what, bool ok, const char *text, const char *cure)
{
	c->fn(c->user, what, ok, text, cure);
}

void s3_check_failed(const struct s3_checking *c, const char *what, int r, const struct err *e,
	const char *right)
{
	_cleanup_(buf_done) struct buf cure = BUF_INIT(TEXT_BYTES);

	s3_cure(&c->s3->settings, r, right, &cure);
	s3_check_say(c, what, false, e->msg, buf_str(&cure));
}

void s3_check_begin(
	const struct s3_checking *c, struct s3_call *call, const char *method, bool of_key)
{
	s3_call_init(call, c->s3, method, of_key ? c->key : NULL);
}

/* As data of a backup, but for a lock: that would keep it. */
static const struct upload_options options = {.content_type = "text/plain"};

/* The object, or a part of it. */
static int put(struct s3_checking *c, const char *upload_id, const char *part, struct err *e)
{
	struct s3_payload p;
	struct s3_call call;
	int r;

	s3_payload_of(&p, c->s3->settings.checksum, content, sizeof(content) - 1);
	s3_check_begin(c, &call, "PUT", true);
	call.payload = &p;
	call.check = s3_check_etag;
	if (upload_id) {
		s3_call_query(&call, "partNumber", part);
		s3_call_query(&call, "uploadId", upload_id);
	} else {
		s3_object_headers(&call, &options, NULL);
	}
	s3_checksum_header(&call, &p);
	r = s3_call_run(&call, false, e);
	c->date_s = call.answer.date_s;
	s3_call_done(&call);
	return r;
}

static int get(const struct s3_checking *c, struct s3_seen *seen, struct err *e)
{
	struct s3_call call;
	int r = s3_head(c->s3, c->key, seen, e);

	if (r < 0)
		return r;
	s3_check_begin(c, &call, "GET", true);
	r = s3_call_run(&call, false, e);
	if (r == 0 && (seen->bytes != (int64_t)call.answer.body.len ||
			      strcmp(buf_str(&call.answer.body), content) != 0))
		r = err_set(e, EBADMSG, "what was read is not what was written");
	s3_call_done(&call);
	return r;
}

static void check_read(const struct s3_checking *c)
{
	struct s3_seen seen = {.bytes = -1};
	struct err e;
	int r = get(c, &seen, &e);

	if (r < 0) {
		s3_check_failed(c, "read", r, &e, "s3:GetObject");
		return;
	}
	s3_check_say(c, "read", true, "it was read back and is the same", NULL);
	if (c->s3->settings.sse && seen.is_encrypted)
		s3_check_say(c, "encryption", true, "the store says that it encrypts", NULL);
	else if (c->s3->settings.sse)
		s3_check_say(c, "encryption", false,
			"`sse` is set, but the store does not say that it encrypts",
			"switch it on there; or leave `sse` out and set `encrypt` for the "
			"backups, then nobody has to be trusted");
}

static void check_clock(const struct s3_checking *c)
{
	int64_t off = c->date_s - clock_wall_ms() / 1000;
	char text[TEXT_BYTES];

	if (!c->date_s)
		return;
	if (off < CLOCK_OFF_MAX_S && off > -CLOCK_OFF_MAX_S) {
		(void)snprintf(
			text, sizeof(text), "%" PRId64 " s off the store's", off < 0 ? -off : off);
		s3_check_say(c, "clock", true, text, NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "this server's clock is %" PRId64 " s %s the store's",
		off < 0 ? -off : off, off < 0 ? "ahead of" : "behind");
	s3_check_say(c, "clock", false, text,
		"let the clock be set: timedatectl set-ntp true. Requests are signed with the "
		"store's time meanwhile");
}

static int create(const struct s3_checking *c, char id[S3_UPLOAD_ID_MAX], struct err *e)
{
	struct s3_call call;
	int r;

	s3_check_begin(c, &call, "POST", true);
	call.root = "InitiateMultipartUploadResult";
	s3_call_query(&call, "uploads", "");
	s3_object_headers(&call, &options, NULL);
	s3_call_header(
		&call, "x-amz-checksum-algorithm", s3_checksum_name(c->s3->settings.checksum));
	r = s3_call_run(&call, false, e);
	if (r == 0)
		r = s3_answer_text(buf_str(&call.answer.body), call.answer.body.len,
			"InitiateMultipartUploadResult/UploadId", id, S3_UPLOAD_ID_MAX, e);
	s3_call_done(&call);
	return r;
}

static int count_parts(const struct s3_checking *c, const char *id, struct err *e)
{
	struct s3_call call;
	size_t n = 0;
	int r;

	s3_check_begin(c, &call, "GET", true);
	call.root = "ListPartsResult";
	s3_call_query(&call, "uploadId", id);
	r = s3_call_run(&call, false, e);
	if (r == 0)
		r = s3_answer_count(buf_str(&call.answer.body), call.answer.body.len,
			"ListPartsResult/Part", &n, e);
	if (r == 0 && n != 2)
		r = err_set(e, EBADMSG, "of two parts that were sent the store has %zu", n);
	s3_call_done(&call);
	return r;
}

static void check_multipart(struct s3_checking *c)
{
	char id[S3_UPLOAD_ID_MAX];
	struct err e, ignored;
	int aborted, r = create(c, id, &e);

	if (r == 0) {
		r = put(c, id, "1", &e);
		if (r == 0)
			r = put(c, id, "2", &e);
		if (r == 0)
			r = count_parts(c, id, &e);
		aborted = s3_abort(c->s3, c->key, id, r ? &ignored : &e);
		r = r ? r : aborted;
	}
	if (r < 0)
		s3_check_failed(c, "multipart upload", r, &e,
			"s3:PutObject, s3:ListMultipartUploadParts and s3:AbortMultipartUpload");
	else
		s3_check_say(c, "multipart upload", true, "two parts sent, seen and aborted", NULL);
}

static void check_delete(const struct s3_checking *c)
{
	bool agent = c->s3->settings.may_delete;
	struct err e;
	int r = s3_remove(c->s3, c->key, false, &e);

	if (r == 0 && agent)
		s3_check_say(c, "delete", true, "the check's object is deleted", NULL);
	else if (r == 0)
		s3_check_say(c, "delete", true,
			"these keys can delete backups, though `delete` is lifecycle",
			"take s3:DeleteObject from them: then nobody who takes over this server "
			"can delete its backups");
	else if (!agent && (r == -EPERM || r == -EBUSY))
		s3_check_say(c, "delete", true, "these keys cannot delete: good", NULL);
	else if (r == -EPERM)
		s3_check_say(c, "delete", false, e.msg,
			"allow these keys s3:DeleteObject; or set delete = \"lifecycle\" and let "
			"rules of the store remove old backups");
	else
		s3_check_failed(c, "delete", r, &e, "s3:DeleteObject");
}

static int ignore(void *user, const struct store_object *o)
{
	(void)user, (void)o;
	return 1;
}

static void check_list(const struct s3_checking *c)
{
	struct err e;
	int r = s3_list(c->s3, c->key, ignore, NULL, &e);

	if (r < 0)
		s3_check_failed(c, "list", r, &e, "s3:ListBucket");
	else
		s3_check_say(c, "list", true, "the bucket can be listed", NULL);
}

static int ignore_upload(void *user, const struct store_object *o, const char *id)
{
	(void)user, (void)o, (void)id;
	return 1;
}

/* What a server that is gone left is found by this alone. */
static void check_unfinished(const struct s3_checking *c)
{
	struct err e;
	int r = s3_list_uploads(c->s3, c->key, false, ignore_upload, NULL, &e);

	if (r < 0)
		s3_check_failed(
			c, "list of unfinished uploads", r, &e, "s3:ListBucketMultipartUploads");
}

/* Without keys, or without a way there, all else would fail alike. */
static void check_all(struct s3_checking *c)
{
	struct err e;
	int r = s3_keys_need(c->s3, &e);

	if (r < 0) {
		s3_check_say(c, "keys", false, e.msg,
			"the file has lines access_key_id = ... and secret_access_key = ..., and "
			"nobody but the agent's user can read it (chmod 0600)");
		return;
	}
	r = put(c, NULL, NULL, &e);
	check_clock(c);
	if (r < 0) {
		s3_check_failed(c, "write", r, &e, "s3:PutObject");
		return;
	}
	s3_check_say(c, "write", true, "an object was written", NULL);
	check_read(c);
	check_list(c);
	check_multipart(c);
	check_unfinished(c);
	check_delete(c);
	s3_check_bucket(c);
}

int s3_check(struct s3 *s, store_check_fn fn, void *user, struct err *e)
{
	struct s3_retry_limits *l = &s->settings.retry, usual = *l;
	struct s3_checking c = {.s3 = s, .fn = fn, .user = user};
	uint32_t random;

	if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
		return err_set(e, EIO, "no random numbers");
	/* Where the keys may not delete, one such object stays, not one for each check. */
	(void)snprintf(c.key, sizeof(c.key), "agent-check-%08" PRIx32,
		s->settings.may_delete ? random : 0);
	l->budget_ms = usual.budget_ms < CHECK_MS ? usual.budget_ms : CHECK_MS;
	l->idle_s = usual.idle_s < CHECK_IDLE_S ? usual.idle_s : CHECK_IDLE_S;
	check_all(&c);
	*l = usual;
	return stop_check(e);
}
