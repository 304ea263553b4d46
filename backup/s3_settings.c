/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/str.h"

enum {
	MIB = 1024 * 1024,
	PART_MIN_BYTES = 8 * MIB,
	PART_MAX_BYTES = 512 * MIB,
	MAX_PARTS = 9900, /* of the 10,000 there are, so that the last is never needed in a hurry */
	MOST_PARTS = 10000,
	BUCKET_MAX = 63 + 192, /* old buckets of us-east-1 */
};

static const char *text(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static int64_t number(const json_t *j, const char *name, int64_t otherwise)
{
	const json_t *v = json_object_get(j, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static bool is_aws(const char *host)
{
	return str_ends(host, ".amazonaws.com") || str_ends(host, ".amazonaws.com.cn");
}

static int split_endpoint(struct s3_settings *s, const char *url, struct err *e)
{
	size_t scheme = strncasecmp(url, "https://", 8) == 0  ? 8
			: strncasecmp(url, "http://", 7) == 0 ? 7
							      : 0;
	size_t n = strcspn(url + scheme, "/");
	size_t path = strlen(url + scheme + n);

	if (!scheme || !n || strpbrk(url, "?#@ "))
		return err_set(e, EINVAL,
			"endpoint: \"%s\" is not an address such as https://s3.example.com", url);
	while (path && url[scheme + n + path - 1] == '/')
		path--;
	s->scheme = str_ndup(url, scheme);
	s->host = str_ndup(url + scheme, n);
	s->base_path = str_ndup(url + scheme + n, path);
	return 0;
}

/* The certificates of AWS cover one name before its domain: not one with a dot. */
static int read_address(struct s3_settings *s, const json_t *j, struct err *e)
{
	const char *endpoint = text(j, "endpoint"), *style = text(j, "style");
	int r = 0;

	if (endpoint) {
		r = split_endpoint(s, endpoint, e);
	} else {
		s->scheme = str_dup("https://");
		s->host = str_format("s3.%s.amazonaws.com%s", s->region,
			str_starts(s->region, "cn-") ? ".cn" : "");
		s->base_path = str_dup("");
	}
	if (r < 0)
		return r;
	s->is_virtual =
		style ? strcmp(style, "virtual") == 0 : is_aws(s->host) && !strchr(s->bucket, '.');
	return 0;
}

static int read_words(struct s3_settings *s, const json_t *j, struct err *e)
{
	const char *sse = text(j, "sse"), *lock = text(j, "object_lock"),
		   *checksum = text(j, "checksum"), *delete = text(j, "delete");

	s->storage_class = text(j, "storage_class");
	s->sse = !sse ? NULL : strcmp(sse, "kms") == 0 ? "aws:kms" : "AES256";
	s->sse_key_id = text(j, "sse_key_id");
	if (s->sse_key_id && (!sse || strcmp(sse, "kms") != 0))
		return err_set(e, EINVAL, "sse_key_id: only with sse = \"kms\"");
	s->lock_mode = !lock ? NULL : strcmp(lock, "compliance") == 0 ? "COMPLIANCE" : "GOVERNANCE";
	s->lock_ms = number(j, "object_lock_for", 0);
	if (s->lock_mode && s->lock_ms <= 0)
		return err_set(e, EINVAL, "object_lock_for: needed with object_lock");
	if (!s->lock_mode && s->lock_ms)
		return err_set(e, EINVAL, "object_lock_for: only with object_lock");
	s->checksum = !checksum || strcmp(checksum, "none") == 0 ? S3_CHECKSUM_NONE
		      : strcmp(checksum, "crc32c") == 0          ? S3_CHECKSUM_CRC32C
								 : S3_CHECKSUM_SHA256;
	s->may_delete = !delete || strcmp(delete, "lifecycle") != 0;
	return 0;
}

static int read_sizes(struct s3_settings *s, const json_t *j, struct err *e)
{
	int64_t parts = number(j, "max_parts", MAX_PARTS);

	s->part_bytes = number(j, "part_size", 0);
	if (s->part_bytes < 0 || s->part_bytes > PART_MAX_BYTES)
		return err_set(e, EINVAL, "part_size: at most 512M");
	if (parts < 2 || parts > MOST_PARTS)
		return err_set(e, EINVAL, "max_parts: from 2 to %d", MOST_PARTS);
	s->max_parts = (unsigned)parts;
	s->retry = s3_retry_usual;
	s->retry.base_ms = number(j, "retry_base_ms", s->retry.base_ms);
	s->retry.budget_ms = number(j, "retry_ms", s->retry.budget_ms);
	s->retry.notice_ms = number(j, "notice_ms", s->retry.notice_ms);
	s->retry.idle_s = (int)number(j, "idle_s", s->retry.idle_s);
	return 0;
}

/* Both end up in addresses. */
static int check_names(const struct s3_settings *s, struct err *e)
{
	if (!s->bucket || !*s->bucket)
		return err_set(e, EINVAL, "bucket: is missing");
	if (strlen(s->bucket) > BUCKET_MAX || strpbrk(s->bucket, "/?#%& \t"))
		return err_set(e, EINVAL, "bucket: \"%s\" is not a name of a bucket", s->bucket);
	if (!s->credentials_file)
		return err_set(e, EINVAL, "credentials_file: is missing");
	if (!*s->region || strpbrk(s->region, "/?#%& \t"))
		return err_set(e, EINVAL, "region: \"%s\" is not a name of a region", s->region);
	return 0;
}

int s3_settings_from_json(const json_t *j, struct s3_settings *out, struct err *e)
{
	struct s3_settings s = {.name = text(j, "name"),
		.bucket = text(j, "bucket"),
		.credentials_file = text(j, "credentials_file"),
		.ca_file = text(j, "ca_file"),
		.region = text(j, "region"),
		.prefix = text(j, "prefix")};
	int r;

	s.region = s.region ? s.region : "us-east-1";
	s.prefix = s.prefix ? s.prefix : "";
	r = check_names(&s, e);
	if (r == 0)
		r = read_words(&s, j, e);
	if (r == 0)
		r = read_sizes(&s, j, e);
	if (r == 0)
		r = read_address(&s, j, e);
	if (r < 0)
		s3_settings_done(&s);
	else
		*out = s;
	return r;
}

void s3_settings_done(struct s3_settings *s)
{
	free(s->scheme);
	free(s->host);
	free(s->base_path);
	s->scheme = s->host = s->base_path = NULL;
}

void s3_settings_host(const struct s3_settings *s, struct buf *out)
{
	if (s->is_virtual)
		buf_addf(out, "%s.", s->bucket);
	buf_adds(out, s->host);
}

void s3_settings_path(const struct s3_settings *s, const char *key, struct buf *out)
{
	buf_adds(out, s->base_path);
	if (!s->is_virtual)
		buf_addf(out, "/%s", s->bucket);
	if (key)
		buf_addf(out, "/%s%s", s->prefix, key);
	else if (s->is_virtual)
		buf_addc(out, '/');
}

int64_t s3_part_bytes(const struct s3_settings *s, int64_t expected_bytes)
{
	int64_t parts = (int64_t)s->max_parts * 10 / 11, size;

	if (s->part_bytes)
		return s->part_bytes;
	if (expected_bytes > INT64_MAX / 4)
		return PART_MAX_BYTES;
	size = (expected_bytes + expected_bytes / 2) / (parts ? parts : 1);
	size = (size + MIB - 1) / MIB * MIB;
	return size < PART_MIN_BYTES   ? PART_MIN_BYTES
	       : size > PART_MAX_BYTES ? PART_MAX_BYTES
				       : size;
}
