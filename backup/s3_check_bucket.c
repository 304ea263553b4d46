/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "backup/s3_check.h"

enum { BODY_MAX_BYTES = 1024 * 1024 };

/* One of the bucket's subresources: its body into `out`. */
static int ask(const struct s3_checking *c, const char *what, struct buf *out, struct err *e)
{
	struct s3_call call;
	int r;

	s3_check_begin(c, &call, "GET", false);
	s3_call_query(&call, what, "");
	r = s3_call_run(&call, false, e);
	if (r == 0)
		buf_add(out, call.answer.body.data, call.answer.body.len);
	s3_call_done(&call);
	return r;
}

/* Few have the right to ask, and nothing depends on it. */
static bool keeps_versions(const struct s3_checking *c)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX_BYTES);
	char status[32] = "";
	struct err e;

	if (ask(c, "versioning", &body, &e) == 0)
		(void)s3_answer_text(buf_str(&body), body.len, "VersioningConfiguration/Status",
			status, sizeof(status), &e);
	return strcmp(status, "Enabled") == 0;
}

static void check_lock(const struct s3_checking *c)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(BODY_MAX_BYTES);
	char enabled[32] = "";
	struct err e;
	int r;

	if (!c->s3->settings.lock_mode)
		return;
	r = ask(c, "object-lock", &body, &e);
	if (r == 0)
		r = s3_answer_text(buf_str(&body), body.len,
			"ObjectLockConfiguration/ObjectLockEnabled", enabled, sizeof(enabled), &e);
	if (r == 0 && strcmp(enabled, "Enabled") == 0)
		s3_check_say(c, "object lock", true, "the bucket locks objects", NULL);
	else if (r == -EACCES)
		s3_check_say(c, "object lock", true,
			"these keys may not see whether the bucket locks objects",
			"look there yourself, or allow s3:GetBucketObjectLockConfiguration");
	else
		s3_check_say(c, "object lock", false,
			"`object_lock` is set, but the bucket locks nothing",
			"make a bucket with object lock: it cannot be switched on later "
			"everywhere");
}

static size_t count_rules(const struct buf *body, const char *kind)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(200);
	struct err e;
	size_t n = 0;

	buf_addf(&path, "LifecycleConfiguration/Rule/%s", kind);
	return s3_answer_count(buf_str(body), body->len, buf_str(&path), &n, &e) < 0 ? 0 : n;
}

static void check_uploads_rule(const struct s3_checking *c, const struct buf *rules)
{
	if (count_rules(rules, "AbortIncompleteMultipartUpload"))
		s3_check_say(c, "lifecycle", true,
			"incomplete uploads are removed by a rule of the bucket", NULL);
	else
		s3_check_say(c, "lifecycle", true,
			"no rule of the bucket removes incomplete uploads; the agent sweeps its "
			"own, but not those of a server that is gone",
			"add a lifecycle rule AbortIncompleteMultipartUpload with "
			"DaysAfterInitiation 7");
}

static void check_versions_rule(const struct s3_checking *c, const struct buf *rules)
{
	if (count_rules(rules, "NoncurrentVersionExpiration"))
		s3_check_say(c, "versioning", true,
			"enabled; old versions are removed by a rule of the bucket", NULL);
	else
		s3_check_say(c, "versioning", true,
			"enabled: backups that the agent deletes stay, and are paid for, as old "
			"versions",
			"add a lifecycle rule NoncurrentVersionExpiration, with as many days as "
			"deleted backups should stay");
}

void s3_check_bucket(const struct s3_checking *c)
{
	_cleanup_(buf_done) struct buf rules = BUF_INIT(BODY_MAX_BYTES);
	struct err e;
	int r;

	check_lock(c);
	/* -ENXIO: there are no rules. */
	r = ask(c, "lifecycle", &rules, &e);
	if (r == -EACCES || r == -EOPNOTSUPP)
		return;
	check_uploads_rule(c, &rules);
	if (keeps_versions(c))
		check_versions_rule(c, &rules);
}
