/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_retry.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

/* Requests are refused from 15 minutes on; a clock that is further off than this is worth a second try. */
enum { CLOCK_OFF_S = 60, RETRY_AFTER_MAX_MS = 15 * 60000 };

const struct s3_retry_limits s3_retry_usual = {
	.base_ms = 500, .cap_ms = 300000, .budget_ms = 1800000, .notice_ms = 20000, .idle_s = 60};

static bool is_one_of(const char *code, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(code, list[i]) == 0)
			return true;
	return false;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what others add. Damage on the way (BadDigest and its like) is
 * worth another try; so is a request that was under way until its signature was too old, while the clocks agree. */
static bool passes(const char *code)
{
	static const char *const codes[] = {"BadDigest", "IncompleteBody", "InternalError",
		"OperationAborted", "RequestLimitExceeded", "RequestTimeTooSkewed",
		"RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling",
		"ThrottlingException", "TooManyRequests", "XAmzContentSHA256Mismatch",
		"XAmzContentChecksumMismatch"};

	return is_one_of(code, codes, ARRAY_LEN(codes));
}

static bool is_expired(const char *code)
{
	static const char *const codes[] = {
		"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"};

	return is_one_of(code, codes, ARRAY_LEN(codes));
}

static bool is_clock(const struct s3_outcome *o)
{
	int64_t off = o->clock_off_s < 0 ? -o->clock_off_s : o->clock_off_s;

	return off >= CLOCK_OFF_S &&
	       (o->status == 403 || strcmp(o->code, "RequestTimeTooSkewed") == 0);
}

enum s3_verdict s3_judge(const struct s3_outcome *o)
{
	if (o->error)
		return o->can_pass ? S3_AGAIN : S3_FAILED;
	if (is_expired(o->code))
		return S3_EXPIRED;
	if (is_clock(o))
		return S3_CLOCK;
	if (passes(o->code))
		return S3_AGAIN;
	if (o->status >= 200 && o->status < 300)
		return *o->code ? S3_FAILED : S3_DONE;
	if (o->status == 408 || o->status == 429 || o->status == 499)
		return S3_AGAIN;
	if (o->status >= 500)
		return o->status == 501 ? S3_FAILED : S3_AGAIN;
	return o->status == 401 || o->status == 403 ? S3_KEYS : S3_FAILED;
}

int64_t s3_retry_wait_ms(
	const struct s3_retry_limits *l, unsigned n, double random, int64_t retry_after_ms)
{
	int64_t longest = l->base_ms, wait;

	while (n-- && longest < l->cap_ms)
		longest *= 2;
	if (longest > l->cap_ms)
		longest = l->cap_ms;
	wait = (int64_t)((double)longest * random);
	if (retry_after_ms > RETRY_AFTER_MAX_MS)
		retry_after_ms = RETRY_AFTER_MAX_MS;
	return wait > retry_after_ms ? wait : retry_after_ms;
}

int s3_error_number(long status, const char *code)
{
	static const struct {
		const char *code;
		int number;
	} codes[] = {{"AccessDenied", EACCES}, {"EntityTooLarge", EFBIG},
		{"ExpiredToken", EKEYEXPIRED}, {"InvalidAccessKeyId", EKEYREJECTED},
		{"InvalidSecurity", EKEYREJECTED}, {"InvalidToken", EKEYREJECTED},
		{"SignatureDoesNotMatch", EKEYREJECTED}, {"TokenRefreshRequired", EKEYEXPIRED},
		{"NoSuchBucket", ENXIO}, {"NoSuchKey", ENOENT}, {"NoSuchUpload", ENOENT},
		{"NotImplemented", EOPNOTSUPP}, {"QuotaExceeded", EDQUOT},
		{"InvalidObjectState", EAGAIN}, {"MethodNotAllowed", EOPNOTSUPP}};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return -codes[i].number;
	if (status >= 500 && status != 501 && status != 507)
		return -EREMOTEIO;
	switch (status) {
	case 400:
		return -EINVAL;
	case 401:
	case 403:
		return -EACCES;
	case 404:
		return *code ? -ENXIO : -ENOENT;
	case 405:
	case 501:
		return -EOPNOTSUPP;
	case 413:
		return -EFBIG;
	case 412:
		return -ESTALE;
	case 507:
		return -ENOSPC;
	default:
		return -EIO;
	}
}
