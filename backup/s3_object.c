/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_ops.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"

void s3_lock_until(const struct s3 *s, char until[S3_TIME_SIZE])
{
	clock_rfc3339(until, S3_TIME_SIZE, (time_t)(s3_now_s(s) + s->settings.lock_ms / 1000));
}

void s3_object_headers(struct s3_call *c, const struct upload_options *o, char *until)
{
	const struct s3_settings *s = &c->s3->settings;

	if (o->content_type)
		s3_call_header(c, "Content-Type", o->content_type);
	/* Manifests are read often: they stay where reading is quick. */
	if (!o->is_manifest)
		s3_call_header(c, "x-amz-storage-class", s->storage_class);
	s3_call_header(c, "x-amz-server-side-encryption", s->sse);
	s3_call_header(c, "x-amz-server-side-encryption-aws-kms-key-id", s->sse_key_id);
	if (!s->lock_mode || !until)
		return;
	s3_lock_until(c->s3, until);
	s3_call_header(c, "x-amz-object-lock-mode", s->lock_mode);
	s3_call_header(c, "x-amz-object-lock-retain-until-date", until);
}

void s3_checksum_header(struct s3_call *c, const struct s3_payload *p)
{
	switch (c->s3->settings.checksum) {
	case S3_CHECKSUM_NONE:
		return;
	case S3_CHECKSUM_CRC32C:
		s3_call_header(c, "x-amz-checksum-crc32c", p->checksum_base64);
		return;
	case S3_CHECKSUM_SHA256:
		s3_call_header(c, "x-amz-checksum-sha256", p->checksum_base64);
		return;
	}
}

static bool is_md5(const char *etag)
{
	return strlen(etag) == S3_MD5_HEX_SIZE - 1 &&
	       strspn(etag, "0123456789abcdefABCDEF") == S3_MD5_HEX_SIZE - 1;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html: with SSE-C or SSE-KMS it is no MD5. */
static bool is_md5_by_contract(const struct s3_call *c)
{
	char sse[32], customer[32];

	s3_call_answer(c, "x-amz-server-side-encryption", sse, sizeof(sse));
	s3_call_answer(
		c, "x-amz-server-side-encryption-customer-algorithm", customer, sizeof(customer));
	return !*customer && strncmp(sse, "aws:kms", 7) != 0;
}

int s3_check_etag(struct s3_call *c, struct err *e)
{
	char etag[128];

	s3_call_etag(c, etag, sizeof(etag));
	if (!*etag)
		return err_set(e, EAGAIN, "%s %s: the answer has no ETag", c->method, c->key);
	if (!is_md5(etag) || !is_md5_by_contract(c) || strcasecmp(etag, c->payload->md5_hex) == 0)
		return 0;
	return err_set(e, EAGAIN,
		"%s %s: the store got other bytes than were sent (ETag %s, MD5 %s)", c->method,
		c->key, etag, c->payload->md5_hex);
}
