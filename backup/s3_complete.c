/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_ops.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

enum {
	/* "Processing of a CompleteMultipartUpload request could take several minutes" (AWS). */
	COMPLETE_S = 600,
	/* 10,000 parts with ETag and checksum. */
	BODY_MAX_BYTES = 4 * 1024 * 1024,
	/* A store that is not consistent at once. */
	LOOKS = 6,
	LOOK_PAUSE_MS = 1000,
};

static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_adds(b, "&amp;");
		else if (*s == '<')
			buf_adds(b, "&lt;");
		else
			buf_addc(b, *s);
	}
}

static void write_body(struct buf *b, enum s3_checksum checksum, const struct s3_parts *parts)
{
	const char *name = s3_checksum_name(checksum);

	buf_adds(b, "<CompleteMultipartUpload "
		    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (size_t i = 0; i < parts->n; i++) {
		buf_addf(b, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
		add_escaped(b, parts->at[i].etag);
		buf_adds(b, "</ETag>");
		if (name)
			buf_addf(b, "<Checksum%s>%s</Checksum%s>", name, parts->at[i].checksum,
				name);
		buf_adds(b, "</Part>");
	}
	buf_adds(b, "</CompleteMultipartUpload>");
}

int s3_head(struct s3 *s, const char *key, struct s3_seen *out, struct err *e)
{
	char mode[16];
	struct s3_call c;
	int r;

	s3_call_init(&c, s, "HEAD", key);
	r = s3_call_run(&c, false, e);
	if (r == 0) {
		out->bytes = c.answer.length;
		s3_call_etag(&c, out->etag, sizeof(out->etag));
		s3_call_answer(&c, "x-amz-object-lock-mode", mode, sizeof(mode));
		out->is_locked = *mode;
		s3_call_answer(&c, "x-amz-server-side-encryption", mode, sizeof(mode));
		out->is_encrypted = *mode;
	}
	s3_call_done(&c);
	return r;
}

static int look(struct s3 *s, const char *key, struct s3_seen *out, struct err *e)
{
	int r = s3_head(s, key, out, e);

	for (int i = 1; i < LOOKS && r == -ENOENT; i++) {
		r = net_pause(s->net, LOOK_PAUSE_MS, false, e);
		if (r == 0)
			r = s3_head(s, key, out, e);
	}
	return err_wrap(e, r, "the new object cannot be looked at");
}

int s3_confirm(struct s3 *s, const char *key, int64_t bytes, struct s3_seen *out, struct err *e)
{
	int r = look(s, key, out, e);

	if (r < 0)
		return r;
	if (out->bytes < 0)
		return err_set(e, EPROTO, "%s: the store does not say how long the object is", key);
	if (out->bytes != bytes)
		return err_set(e, EBADMSG,
			"%s: %" PRId64 " bytes were sent, the object has %" PRId64, key, bytes,
			out->bytes);
	return s->settings.lock_mode && !out->is_locked ? s3_lock(s, key, e) : 0;
}

int s3_complete(struct s3 *s, const char *key, const char *upload_id, const struct s3_parts *parts,
	struct err *e)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX_BYTES);
	struct s3_payload payload;
	struct s3_call c;
	int r;

	write_body(&body, s->settings.checksum, parts);
	s3_payload_of(&payload, S3_CHECKSUM_NONE, buf_str(&body), body.len);
	s3_call_init(&c, s, "POST", key);
	c.payload = &payload;
	c.root = "CompleteMultipartUploadResult";
	c.timeout_s = COMPLETE_S;
	s3_call_header(&c, "Content-Type", "application/xml");
	s3_call_query(&c, "uploadId", upload_id);
	r = s3_call_run(&c, false, e);
	/* An attempt before may have done it, and only its answer was lost: the object tells. */
	if (r == -ENOENT && c.attempts > 1)
		r = 0;
	s3_call_done(&c);
	return r;
}
