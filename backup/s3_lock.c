/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_ops.h"

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html */
int s3_lock(struct s3 *s, const char *key, struct err *e)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(1024);
	struct s3_payload payload;
	char until[S3_TIME_SIZE];
	struct s3_call c;
	int r;

	s3_lock_until(s, until);
	buf_addf(&body,
		"<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>%s</Mode>"
		"<RetainUntilDate>%s</RetainUntilDate></Retention>",
		s->settings.lock_mode, until);
	s3_payload_of(&payload, S3_CHECKSUM_NONE, buf_str(&body), body.len);
	s3_call_init(&c, s, "PUT", key);
	c.payload = &payload;
	s3_call_header(&c, "Content-Type", "application/xml");
	s3_call_query(&c, "retention", "");
	r = s3_call_run(&c, false, e);
	s3_call_done(&c);
	return err_wrap(e, r, "the object is there but cannot be locked");
}
