/* SPDX-License-Identifier: Apache-2.0
 *
 * redis-cli --rdb - is a replica for as long as the first copy takes. A server that sends the copy from memory does not know its
 * length and ends it with a mark of 40 hexadecimal digits (replication.c, RDB_EOF_MARK_SIZE), which the program cuts off a
 * file, but not off its stdout. It cannot be taken for the dump's own end: of that, nine bytes from the last is 0xff, the opcode
 * of the end. Programs before 7.0 print lines about what they do in front.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/engine_redis.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { MARK_LEN = 40, PREFACE_MAX = 1024, PIECE_MAX = 64 * 1024 };

struct dump {
	struct source source;
	struct source *program;
	bool begun; /* the lines in front are over */
	bool ended;
	/* Read and not yet given out: always the last MARK_LEN bytes, until the end. */
	char kept[MARK_LEN + PREFACE_MAX + PIECE_MAX];
	size_t n;
};

static void drop(struct dump *d, size_t n)
{
	memmove(d->kept, d->kept + n, d->n - n);
	d->n -= n;
}

/* True when the dump itself has begun, or nothing can be said any more: the format's check is next. */
static bool skip_preface(struct dump *d)
{
	static const char *const magics[] = {"REDIS0", "VALKEY"};

	for (size_t at = 0; at < d->n;) {
		const char *end = memchr(d->kept + at, '\n', d->n - at);

		for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
			if (d->n - at >= 6 && memcmp(d->kept + at, magics[i], 6) == 0) {
				drop(d, at);
				return true;
			}
		}
		if (!end)
			break;
		at = (size_t)(end - d->kept) + 1;
	}
	return d->n > PREFACE_MAX;
}

static bool ends_with_mark(const struct dump *d)
{
	for (size_t i = 0; i < MARK_LEN; i++) {
		unsigned char c = d->n < MARK_LEN ? 0 : (unsigned char)d->kept[d->n - MARK_LEN + i];

		if (!isdigit(c) && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

/* What may be given out now. */
static size_t ready(const struct dump *d)
{
	if (d->ended)
		return d->n;
	return d->begun && d->n > MARK_LEN ? d->n - MARK_LEN : 0;
}

/* What is kept here makes no descriptor readable, and neither does the end once it was read. */
static int dump_fd(struct source *s)
{
	const struct dump *d = (struct dump *)s;

	return d->ended || ready(d) > 0 ? -1 : source_fd(d->program);
}

static int fill(struct dump *d, struct err *e)
{
	ssize_t n = source_read(d->program, d->kept + d->n, sizeof(d->kept) - d->n, e);

	if (n < 0)
		return (int)n;
	d->n += (size_t)n;
	d->ended = n == 0;
	if (!d->begun)
		d->begun = skip_preface(d);
	if (d->ended && ends_with_mark(d))
		d->n -= MARK_LEN;
	return 0;
}

static ssize_t dump_read(struct source *s, void *to, size_t n, struct err *e)
{
	struct dump *d = (struct dump *)s;

	while (ready(d) == 0 && !d->ended) {
		int r = fill(d, e);

		if (r < 0)
			return r;
	}
	if (n > ready(d))
		n = ready(d);
	memcpy(to, d->kept, n);
	drop(d, n);
	return (ssize_t)n;
}

static int dump_finish(struct source *s, struct err *e)
{
	int r = source_finish(((struct dump *)s)->program, e);
	const char *cure = r < 0 && e ? redis_cure(e->msg) : NULL;
	struct err was;

	if (!cure)
		return r;
	was = *e;
	return err_set(e, -r, "%.*s; %s", (int)(sizeof(was.msg) - strlen(cure) - 3), was.msg, cure);
}

static void dump_free(struct source *s)
{
	source_free(((struct dump *)s)->program);
	free(s);
}

struct source *redis_dump_source(struct source *program)
{
	static const struct source_ops ops = {dump_fd, dump_read, dump_finish, dump_free};
	struct dump *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->source.ops = &ops;
	d->program = program;
	return &d->source;
}

int redis_dump(const struct engine_call *c, const struct engine_member *m, struct source **out,
	struct err *e)
{
	struct args argv = {NULL, 0}, env = {NULL, 0};
	struct place_command command;
	struct source *program;
	int r;

	(void)m;
	args_add(&argv, redis_program(c, "redis-cli", "valkey-cli"));
	redis_connection(c, &argv, &env);
	args_add(&argv, "--rdb");
	args_add(&argv, "-");
	command = (struct place_command){.argv = args_list(&argv),
		.env = args_list(&env),
		.cwd = place_is_host(c->place) ? "/" : NULL};
	r = place_source(c->place, &command, &program, e);
	args_done(&argv);
	args_done(&env);
	if (r == 0)
		*out = redis_dump_source(program);
	return r;
}
