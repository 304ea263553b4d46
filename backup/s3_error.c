/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_error.h"

#include <errno.h>
#include <string.h>

#include "backup/s3_retry.h"

/* Where the bucket is, when the answer says so and it is not where we ask. */
static const char *other_region(const struct s3_settings *s, const struct s3_refusal *r)
{
	const char *region = *r->bucket_region ? r->bucket_region : r->said->region;

	return strcmp(region, s->region) == 0 ? "" : region;
}

static bool is_redirect(long status)
{
	return status >= 300 && status < 400;
}

static bool is_misplaced(const struct s3_refusal *r)
{
	return is_redirect(r->status) ||
	       strcmp(r->said->code, "AuthorizationHeaderMalformed") == 0 ||
	       strcmp(r->said->code, "IllegalLocationConstraintException") == 0 ||
	       strcmp(r->said->code, "PermanentRedirect") == 0;
}

static int misplaced(const struct s3_settings *s, const struct s3_refusal *r, struct err *e)
{
	const char *region = other_region(s, r);

	if (*region)
		return err_set(e, EREMOTE,
			"the bucket \"%s\" is in the region \"%s\", not \"%s\": set region = "
			"\"%s\" (and the endpoint of that region)",
			s->bucket, region, s->region, region);
	if (*r->said->endpoint)
		return err_set(e, EREMOTE,
			"the bucket \"%s\" is not at %s but at %s: set endpoint and region",
			s->bucket, s->host, r->said->endpoint);
	return err_set(e, EREMOTE,
		"%s does not answer for the bucket \"%s\" but sends elsewhere (%ld %s): endpoint, "
		"region or style is wrong",
		s->host, s->bucket, r->status, r->said->code);
}

/* The service, or a proxy in front of it, has limits of its own. */
static int of_wrong_size(const struct s3_settings *s, const struct s3_refusal *r, struct err *e)
{
	if (strcmp(r->said->code, "EntityTooSmall") == 0)
		return err_set(e, EINVAL,
			"%s refuses parts this small (EntityTooSmall): set a larger part_size",
			s->host);
	return err_set(e, EFBIG,
		"%s refuses a request of %zu bytes (%ld%s%s): set a smaller part_size", s->host,
		r->body_bytes, r->status, *r->said->code ? " " : "", r->said->code);
}

static bool is_about_size(const struct s3_refusal *r)
{
	return r->status == 413 || strcmp(r->said->code, "EntityTooLarge") == 0 ||
	       strcmp(r->said->code, "EntityTooSmall") == 0;
}

/* S3 gives a code with each refusal, but for those of HEAD. */
static bool is_foreign(const struct s3_refusal *r)
{
	return r->status < 500 && !*r->said->code &&
	       (strcmp(r->method, "GET") == 0 || strcmp(r->method, "PUT") == 0);
}

static int foreign(
	const struct s3_settings *s, const struct s3_refusal *r, int number, struct err *e)
{
	return err_set(e, number == ENOENT ? ENXIO : number,
		"%s %s: %ld, but not as S3 says it: %s%s%s may be another service", r->method,
		r->key ? r->key : s->bucket, r->status, s->scheme, s->host, s->base_path);
}

int s3_refused(const struct s3_settings *s, const struct s3_refusal *r, struct err *e)
{
	const struct s3_error *said = r->said;
	int number = -s3_error_number(r->status, said->code);

	if (is_misplaced(r))
		return misplaced(s, r, e);
	if (is_about_size(r))
		return of_wrong_size(s, r, e);
	if (strcmp(said->code, "NoSuchBucket") == 0)
		return err_set(e, number, "there is no bucket \"%s\" at %s%s", s->bucket, s->scheme,
			s->host);
	if (number == EKEYREJECTED)
		return err_set(e, number,
			"%s does not accept the keys in credentials_file (%s): wrong, revoked, or "
			"of another service",
			s->host, said->code);
	if (number == EKEYEXPIRED)
		return err_set(e, number, "the session token in credentials_file has expired (%s)",
			said->code);
	if (is_foreign(r))
		return foreign(s, r, number, e);
	return err_set(e, number, "%s %s: %ld%s%s%s%s", r->method, r->key ? r->key : s->bucket,
		r->status, *said->code ? " " : "", said->code, *said->message ? ": " : "",
		said->message);
}
