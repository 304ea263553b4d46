/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/s3_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

enum {
	ABORT_MS = 20000, /* as s3_call_run() */
	ABORT_PAUSE_MS = 300,
	UPLOADS_MAX = 1000, /* of one key; there is hardly ever one */
};

static int send_abort(struct s3 *s, const char *key, const char *upload_id, struct err *e)
{
	struct s3_call c;
	int r;

	s3_call_init(&c, s, "DELETE", key);
	s3_call_query(&c, "uploadId", upload_id);
	r = s3_call_run(&c, true, e);
	s3_call_done(&c);
	return r == -ENOENT ? 0 : r;
}

/* 1: it is still there. */
static int is_there(struct s3 *s, const char *key, const char *upload_id, struct err *e)
{
	struct s3_call c;
	int r;

	s3_call_init(&c, s, "GET", key);
	c.root = "ListPartsResult";
	s3_call_query(&c, "uploadId", upload_id);
	r = s3_call_run(&c, true, e);
	s3_call_done(&c);
	/* Where one may not look, the answer to the abort must do. */
	if (r == -ENOENT || r == -EACCES || r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? r : 1;
}

/* A part that was on its way when the upload was aborted may have come in after it. */
int s3_abort(struct s3 *s, const char *key, const char *upload_id, struct err *e)
{
	int64_t deadline = clock_mono_ms() + ABORT_MS;
	int r;

	for (;;) {
		r = send_abort(s, key, upload_id, e);
		if (r < 0)
			return r;
		r = is_there(s, key, upload_id, e);
		if (r <= 0)
			return r;
		if (clock_mono_ms() > deadline)
			return err_set(e, ETIMEDOUT, "%s: the upload cannot be aborted", key);
		(void)net_pause(s->net, ABORT_PAUSE_MS, true, NULL);
	}
}

struct ids {
	const char *key;
	char **at;
	size_t n;
};

static int collect(void *user, const struct store_object *o, const char *id)
{
	struct ids *ids = user;
	char **more;

	if (strcmp(o->key, ids->key) != 0 || ids->n == UPLOADS_MAX)
		return 0;
	more = realloc(ids->at, (ids->n + 1) * sizeof(*more));
	if (!more)
		abort();
	ids->at = more;
	ids->at[ids->n++] = str_dup(id);
	return 0;
}

int s3_abort_all(struct s3 *s, const char *key, struct err *e)
{
	struct ids ids = {.key = key};
	int r = s3_list_uploads(s, key, true, collect, &ids, e);

	for (size_t i = 0; i < ids.n; i++) {
		if (r == 0)
			r = s3_abort(s, key, ids.at[i], e);
		free(ids.at[i]);
	}
	free(ids.at);
	return r;
}

/* Retention or a legal hold, as far as HEAD tells. */
static bool is_locked(struct s3 *s, const char *key, bool cleans_up)
{
	char until[S3_TIME_SIZE], hold[8];
	struct s3_call c;
	bool locked = false;

	s3_call_init(&c, s, "HEAD", key);
	if (s3_call_run(&c, cleans_up, NULL) == 0) {
		s3_call_answer(&c, "x-amz-object-lock-retain-until-date", until, sizeof(until));
		s3_call_answer(&c, "x-amz-object-lock-legal-hold", hold, sizeof(hold));
		locked = s3_time_ms(until) / 1000 > s3_now_s(s) || strcmp(hold, "ON") == 0;
	}
	s3_call_done(&c);
	return locked;
}

static int refused(struct s3 *s, const char *key, bool cleans_up, struct err *e)
{
	if (is_locked(s, key, cleans_up))
		return err_set(e, EBUSY, "%s: locked by the store", key);
	return err_set(e, EPERM, "%s: the keys are not allowed to delete", key);
}

int s3_remove(struct s3 *s, const char *key, bool cleans_up, struct err *e)
{
	struct s3_call c;
	int r;

	s3_call_init(&c, s, "DELETE", key);
	r = s3_call_run(&c, cleans_up, e);
	if (r == -EACCES && strcmp(c.said.code, "AccessDenied") == 0)
		r = refused(s, key, cleans_up, e);
	s3_call_done(&c);
	return r == -ENOENT ? 0 : r;
}
