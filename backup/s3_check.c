/* SPDX-License-Identifier: Apache-2.0
 *
 * For the doctor: all that a backup, a restore and retention will do, on an object of a few bytes, and what the bucket says about
 * itself. Nothing is left behind.
 */
#include "backup/s3_ops.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/stop.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	CHECK_MS = 20000, /* somebody waits for it */
	CLOCK_OFF_MAX_S = 60, /* stores refuse from 15 minutes on */
	TEXT_BYTES = 600,
};

struct checking {
	struct s3 *s3;
	store_check_fn fn;
	void *user;
	char key[32];
	int64_t date_s; /* of the server's first answer */
};

static const char content[] = "A check by agent. This object can be deleted.\n";

static void say(
	const struct checking *c, const char *what, bool ok, const char *text, const char *cure)
{
	c->fn(c->user, what, ok, text, cure);
}

static void say_failed(
	const struct checking *c, const char *what, int r, const struct err *e, const char *action)
{
	char cure[TEXT_BYTES];

	switch (-r) {
	case EACCES:
	case EPERM:
		(void)snprintf(cure, sizeof(cure), "allow these keys %s on %s/%s*", action,
			c->s3->settings.bucket, c->s3->settings.prefix);
		break;
	case ENXIO:
		(void)snprintf(cure, sizeof(cure), "make the bucket, or correct `bucket`");
		break;
	case EREMOTE:
		(void)snprintf(
			cure, sizeof(cure), "set `region` and `endpoint` to where the bucket is");
		break;
	case EPROTO:
		(void)snprintf(cure, sizeof(cure),
			"set `ca_file` if the service has a certificate authority of its own");
		break;
	default:
		(void)snprintf(
			cure, sizeof(cure), "look at `endpoint`, the network and the service");
	}
	say(c, what, false, e->msg, cure);
}

static void begin(const struct checking *c, struct s3_call *call, const char *method, bool of_key)
{
	s3_call_init(call, c->s3, method, of_key ? c->key : NULL);
	call->budget_ms = CHECK_MS;
}

static int put(struct checking *c, struct err *e)
{
	struct s3_payload p;
	struct s3_call call;
	int r;

	s3_payload_of(&p, c->s3->settings.checksum, content, sizeof(content) - 1);
	begin(c, &call, "PUT", true);
	call.payload = &p;
	call.check = s3_check_etag;
	s3_call_header(&call, "Content-Type", "text/plain");
	s3_checksum_header(&call, &p);
	r = s3_call_run(&call, false, e);
	c->date_s = call.answer.date_s;
	s3_call_done(&call);
	return r;
}

static int get(const struct checking *c, struct err *e)
{
	struct s3_seen seen;
	struct s3_call call;
	int r = s3_head(c->s3, c->key, &seen, e);

	if (r < 0)
		return r;
	begin(c, &call, "GET", true);
	r = s3_call_run(&call, false, e);
	if (r == 0 && (seen.bytes != (int64_t)call.answer.body.len ||
			      strcmp(buf_str(&call.answer.body), content) != 0))
		r = err_set(e, EBADMSG, "what was read is not what was written");
	s3_call_done(&call);
	return r;
}

static void check_clock(const struct checking *c)
{
	int64_t off = c->date_s - clock_wall_ms() / 1000;
	char text[TEXT_BYTES];

	if (!c->date_s)
		return;
	if (off < CLOCK_OFF_MAX_S && off > -CLOCK_OFF_MAX_S) {
		(void)snprintf(
			text, sizeof(text), "%" PRId64 " s off the store's", off < 0 ? -off : off);
		say(c, "clock", true, text, NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "this server's clock is %" PRId64 " s %s the store's",
		off < 0 ? -off : off, off < 0 ? "ahead of" : "behind");
	say(c, "clock", false, text,
		"let the clock be set: timedatectl set-ntp true. Requests are signed with the "
		"store's time meanwhile");
}

static int create(const struct checking *c, char id[S3_UPLOAD_ID_MAX], struct err *e)
{
	struct s3_call call;
	int r;

	begin(c, &call, "POST", true);
	call.root = "InitiateMultipartUploadResult";
	s3_call_query(&call, "uploads", "");
	s3_call_header(
		&call, "x-amz-checksum-algorithm", s3_checksum_name(c->s3->settings.checksum));
	r = s3_call_run(&call, false, e);
	if (r == 0)
		r = s3_answer_text(buf_str(&call.answer.body), call.answer.body.len,
			"InitiateMultipartUploadResult/UploadId", id, S3_UPLOAD_ID_MAX, e);
	s3_call_done(&call);
	return r;
}

static int put_part(const struct checking *c, const char *id, const char *number, struct err *e)
{
	struct s3_payload p;
	struct s3_call call;
	int r;

	s3_payload_of(&p, c->s3->settings.checksum, content, sizeof(content) - 1);
	begin(c, &call, "PUT", true);
	call.payload = &p;
	call.check = s3_check_etag;
	s3_call_query(&call, "partNumber", number);
	s3_call_query(&call, "uploadId", id);
	s3_checksum_header(&call, &p);
	r = s3_call_run(&call, false, e);
	s3_call_done(&call);
	return r;
}

static int count_parts(const struct checking *c, const char *id, struct err *e)
{
	struct s3_call call;
	size_t n = 0;
	int r;

	begin(c, &call, "GET", true);
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

static void check_multipart(const struct checking *c)
{
	char id[S3_UPLOAD_ID_MAX];
	struct err e, ignored;
	int aborted, r = create(c, id, &e);

	if (r == 0) {
		r = put_part(c, id, "1", &e);
		if (r == 0)
			r = put_part(c, id, "2", &e);
		if (r == 0)
			r = count_parts(c, id, &e);
		aborted = s3_abort(c->s3, c->key, id, r ? &ignored : &e);
		r = r ? r : aborted;
	}
	if (r < 0)
		say_failed(c, "multipart upload", r, &e,
			"s3:PutObject, s3:ListMultipartUploadParts and s3:AbortMultipartUpload");
	else
		say(c, "multipart upload", true, "two parts sent, seen and aborted", NULL);
}

static void check_delete(const struct checking *c)
{
	bool agent = c->s3->settings.may_delete;
	struct err e;
	int r = s3_remove(c->s3, c->key, false, &e);

	if (r == 0 && agent)
		say(c, "delete", true, "the check's object is deleted", NULL);
	else if (r == 0)
		say(c, "delete", true,
			"these keys can delete backups, though `delete` is lifecycle",
			"take s3:DeleteObject from them: then nobody who takes over this server "
			"can delete its backups");
	else if (!agent && (r == -EPERM || r == -EBUSY))
		say(c, "delete", true, "these keys cannot delete: good", NULL);
	else
		say_failed(c, "delete", r, &e,
			"s3:DeleteObject (or set delete = \"lifecycle\" and let rules of the store "
			"remove old backups)");
}

static int ignore(void *user, const struct store_object *o)
{
	(void)user, (void)o;
	return 1;
}

static void check_list(const struct checking *c)
{
	struct err e;
	int r = s3_list(c->s3, c->key, ignore, NULL, &e);

	if (r < 0)
		say_failed(c, "list", r, &e, "s3:ListBucket");
	else
		say(c, "list", true, "the bucket can be listed", NULL);
}

/* One of the bucket's subresources: its body into `out`. */
static int about_bucket(const struct checking *c, const char *what, struct buf *out, struct err *e)
{
	struct s3_call call;
	int r;

	begin(c, &call, "GET", false);
	s3_call_query(&call, what, "");
	r = s3_call_run(&call, false, e);
	if (r == 0)
		buf_add(out, call.answer.body.data, call.answer.body.len);
	s3_call_done(&call);
	return r;
}

static void check_versioning(const struct checking *c)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(65536);
	char status[32] = "";
	struct err e;

	/* Few need the right to ask, and nothing depends on it. */
	if (about_bucket(c, "versioning", &body, &e) < 0 ||
		s3_answer_text(buf_str(&body), body.len, "VersioningConfiguration/Status", status,
			sizeof(status), &e) < 0)
		return;
	if (strcmp(status, "Enabled") == 0)
		say(c, "versioning", true,
			"enabled: what is deleted stays as an old version until a rule of the "
			"bucket "
			"removes it",
			NULL);
	else
		say(c, "versioning", true, "off", NULL);
}

static void check_lock(const struct checking *c)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(65536);
	char enabled[32] = "";
	struct err e;
	int r;

	if (!c->s3->settings.lock_mode)
		return;
	r = about_bucket(c, "object-lock", &body, &e);
	if (r == 0)
		r = s3_answer_text(buf_str(&body), body.len,
			"ObjectLockConfiguration/ObjectLockEnabled", enabled, sizeof(enabled), &e);
	if (r == 0 && strcmp(enabled, "Enabled") == 0)
		say(c, "object lock", true, "the bucket locks objects", NULL);
	else if (r == -EACCES)
		say(c, "object lock", true,
			"these keys may not see whether the bucket locks objects",
			"look there yourself, or allow s3:GetBucketObjectLockConfiguration");
	else
		say(c, "object lock", false, "`object_lock` is set, but the bucket locks nothing",
			"make a bucket with object lock: it cannot be switched on later "
			"everywhere");
}

static void check_lifecycle(const struct checking *c)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(1024 * 1024);
	size_t n = 0;
	struct err e;
	int r = about_bucket(c, "lifecycle", &body, &e);

	if (r == 0)
		r = s3_answer_count(buf_str(&body), body.len,
			"LifecycleConfiguration/Rule/AbortIncompleteMultipartUpload", &n, &e);
	if (r == -EACCES || r == -EOPNOTSUPP)
		return;
	if (n)
		say(c, "lifecycle", true, "incomplete uploads are removed by a rule of the bucket",
			NULL);
	else
		say(c, "lifecycle", true,
			"no rule of the bucket removes incomplete uploads; the agent sweeps its "
			"own, "
			"but not those of a server that is gone",
			"add a lifecycle rule AbortIncompleteMultipartUpload with "
			"DaysAfterInitiation "
			"7");
}

int s3_check(struct s3 *s, store_check_fn fn, void *user, struct err *e)
{
	struct checking c = {.s3 = s, .fn = fn, .user = user};
	struct err why;
	uint32_t random;
	int r;

	if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
		return err_set(e, EIO, "no random numbers");
	/* Where the keys may not delete, one such object stays, not one for each check. */
	(void)snprintf(c.key, sizeof(c.key), "agent-check-%08" PRIx32,
		s->settings.may_delete ? random : 0);
	r = put(&c, &why);
	check_clock(&c);
	if (r < 0) {
		say_failed(&c, "write", r, &why, "s3:PutObject");
		return 0;
	}
	say(&c, "write", true, "an object was written", NULL);
	r = get(&c, &why);
	if (r < 0)
		say_failed(&c, "read", r, &why, "s3:GetObject");
	else
		say(&c, "read", true, "it was read back and is the same", NULL);
	check_list(&c);
	check_multipart(&c);
	check_delete(&c);
	check_versioning(&c);
	check_lock(&c);
	check_lifecycle(&c);
	return stop_check(e);
}
