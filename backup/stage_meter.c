/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/stage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct meter {
	struct metered *m;
	struct hash_sha256 *hash;
	struct throttle *throttle;
};

struct sink_meter {
	struct sink sink;
	struct meter meter;
	struct sink *check, *next;
};

struct reader_meter {
	struct reader reader;
	struct meter meter;
	struct reader *from;
	struct metered want;
	const char *what;
	bool ended;
};

static void begin(struct meter *meter, struct metered *m, struct throttle *t)
{
	*m = (struct metered){.bytes = 0};
	meter->m = m;
	meter->throttle = t;
	meter->hash = hash_sha256_new();
}

static void add(struct meter *meter, const void *data, size_t n)
{
	hash_sha256_update(meter->hash, data, n);
	meter->m->bytes += (int64_t)n;
}

static int meter_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct sink_meter *m = (struct sink_meter *)s;
	int r = throttle_pass(m->meter.throttle, n, e);

	if (r < 0)
		return r;
	add(&m->meter, data, n);
	if (m->check)
		r = sink_write(m->check, data, n, e);
	return r < 0 ? r : sink_write(m->next, data, n, e);
}

static int meter_finish(struct sink *s, struct err *e)
{
	struct sink_meter *m = (struct sink_meter *)s;

	(void)e;
	hash_sha256_final(m->meter.hash, m->meter.m->sha256);
	return 0;
}

static void meter_free(struct sink *s)
{
	struct sink_meter *m = (struct sink_meter *)s;

	hash_sha256_free(m->meter.hash);
	free(m);
}

struct sink *meter_sink(
	struct metered *m, struct throttle *t, struct sink *check, struct sink *next)
{
	static const struct sink_ops ops = {meter_write, meter_finish, meter_free};
	struct sink_meter *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->sink.ops = &ops;
	begin(&s->meter, m, t);
	s->check = check;
	s->next = next;
	return &s->sink;
}

static int compare(const struct reader_meter *m, struct err *e)
{
	const struct metered *have = m->meter.m;

	if (have->bytes != m->want.bytes)
		return err_set(e, EBADMSG,
			"%s: %" PRId64 " bytes are there, %" PRId64 " were written", m->what,
			have->bytes, m->want.bytes);
	if (strcmp(have->sha256, m->want.sha256) != 0)
		return err_set(e, EBADMSG,
			"%s: SHA-256 is %s, the manifest says %s: the bytes are not those that "
			"were written",
			m->what, have->sha256, m->want.sha256);
	return 0;
}

static ssize_t meter_read(struct reader *reader, void *to, size_t n, struct err *e)
{
	struct reader_meter *m = (struct reader_meter *)reader;
	ssize_t got;
	int r;

	if (m->ended)
		return 0;
	got = reader_read(m->from, to, n, e);
	if (got > 0) {
		add(&m->meter, to, (size_t)got);
		r = throttle_pass(m->meter.throttle, (size_t)got, e);
		return r < 0 ? r : got;
	}
	if (got < 0)
		return got;
	hash_sha256_final(m->meter.hash, m->meter.m->sha256);
	r = compare(m, e);
	m->ended = r == 0;
	return r;
}

static void meter_reader_free(struct reader *reader)
{
	struct reader_meter *m = (struct reader_meter *)reader;

	hash_sha256_free(m->meter.hash);
	free(m);
}

struct reader *meter_reader(struct metered *m, struct throttle *t, struct reader *from,
	const struct metered *want, const char *what)
{
	static const struct reader_ops ops = {meter_read, meter_reader_free};
	struct reader_meter *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->reader.ops = &ops;
	begin(&r->meter, m, t);
	r->from = from;
	r->want = *want;
	r->what = what;
	return &r->reader;
}
