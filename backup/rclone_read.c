/* SPDX-License-Identifier: Apache-2.0
 *
 * One `rclone cat` from where reading begins. It ends well for an object that is not there (a folder without objects, to it), so
 * the object is looked at first, and each byte of its length is waited for.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/rclone.h"
#include "backup/stop.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { TRIES = 8 };

struct rclone_reader {
	struct reader reader;
	struct rclone *rclone;
	char *key;
	struct source *program;
	int64_t at, left;
	unsigned tries; /* since the last byte */
};

static int start(struct rclone_reader *r, struct err *e)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT(4096);
	char offset[40], count[40];
	const char *const words[] = {"cat", "--offset", offset, "--count", count, NULL};
	struct args argv = {NULL, 0};
	struct place_command command = {.cwd = "/"};
	int x;

	(void)snprintf(offset, sizeof(offset), "%" PRId64, r->at);
	(void)snprintf(count, sizeof(count), "%" PRId64, r->left);
	rclone_path(r->rclone, r->key, &path);
	rclone_command(r->rclone, &argv, words);
	args_add(&argv, buf_str(&path));
	command.argv = args_list(&argv);
	x = place_source(r->rclone->place, &command, &r->program, e);
	args_done(&argv);
	return x;
}

/* It ended, or broke: from here on again, unless it is no use. */
static int again(struct rclone_reader *r, int why, struct err *e)
{
	struct pollfd p = {.fd = stop_fd(), .events = POLLIN};

	source_free(r->program);
	r->program = NULL;
	if (why == -ENOENT || why == -EPERM || why == -EACCES || why == -EINVAL ||
		why == -ECANCELED || ++r->tries == TRIES)
		return why;
	(void)poll(&p, 1, r->rclone->pause_ms << r->tries);
	why = stop_check(e);
	return why < 0 ? why : start(r, e);
}

static int ended(struct rclone_reader *r, struct err *e)
{
	int x = rclone_translate(source_finish(r->program, e), e);

	if (x == 0)
		x = err_set(e, EBADMSG, "it ended %" PRId64 " bytes early", r->left);
	return x;
}

static ssize_t read_some(struct reader *reader, void *to, size_t n, struct err *e)
{
	struct rclone_reader *r = (struct rclone_reader *)reader;
	ssize_t got = 0;

	if (r->left == 0)
		return 0;
	if ((int64_t)n > r->left)
		n = (size_t)r->left;
	while (got == 0) {
		int x = 0;

		if (!r->program)
			return err_set(e, EIO, "%s: reading it failed before", r->key);
		got = source_read(r->program, to, n, e);
		if (got < 0)
			x = (int)got;
		if (got == 0)
			x = ended(r, e);
		if (x < 0) {
			x = again(r, x, e);
			got = 0;
		}
		if (x < 0)
			return err_wrap(e, x, "%s", r->key);
	}
	r->tries = 0;
	r->at += got;
	r->left -= got;
	return got;
}

static void reader_done(struct reader *reader)
{
	struct rclone_reader *r = (struct rclone_reader *)reader;

	source_free(r->program);
	free(r->key);
	free(r);
}

static int check_range(const char *key, const struct rclone_object *o, int64_t offset,
	int64_t bytes, struct err *e)
{
	if (bytes >= 0 && o->bytes != bytes)
		return err_set(e, EBADMSG,
			"%s has %" PRId64 " bytes, not the %" PRId64 " that were stored", key,
			o->bytes, bytes);
	if (offset < 0 || offset > o->bytes)
		return err_set(e, EINVAL, "%s has no byte %" PRId64, key, offset);
	return 0;
}

int rclone_read(struct store *s, const char *key, int64_t offset, int64_t bytes,
	struct reader **out, struct err *e)
{
	static const struct reader_ops ops = {read_some, reader_done};
	struct rclone *rclone = (struct rclone *)s;
	struct rclone_object o;
	struct rclone_reader *r;
	int x = rclone_ask_features(rclone, e);

	if (x == 0)
		x = rclone_stat(rclone, key, false, &o, e);
	if (x == 0)
		x = check_range(key, &o, offset, bytes, e);
	if (x < 0)
		return x;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->reader.ops = &ops;
	r->rclone = rclone;
	r->key = str_dup(key);
	r->at = offset;
	r->left = o.bytes - offset;
	x = r->left ? start(r, e) : 0;
	if (x < 0)
		reader_done(&r->reader);
	else
		*out = &r->reader;
	return x;
}
