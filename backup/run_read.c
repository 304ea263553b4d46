/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/run_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age.h"
#include "backup/stop.h"
#include "base/cleanup.h"

/* The segments of a member, one after the other. */
struct segments_reader {
	struct reader reader;
	struct store *store;
	const struct manifest_member *m;
	size_t next;
	struct reader *one;
};

static ssize_t segments_read(struct reader *reader, void *to, size_t n, struct err *e)
{
	struct segments_reader *s = (struct segments_reader *)reader;

	for (;;) {
		const struct manifest_segment *segment;
		ssize_t got = s->one ? reader_read(s->one, to, n, e) : 0;
		int r;

		if (got != 0)
			return got;
		reader_free(s->one);
		s->one = NULL;
		if (s->next == s->m->n_segments)
			return 0;
		segment = &s->m->segments[s->next++];
		r = s->store->ops->read(s->store, segment->key, 0, segment->bytes, &s->one, e);
		if (r < 0)
			return err_wrap(e, r, "%s", segment->key);
	}
}

static void segments_free(struct reader *reader)
{
	struct segments_reader *s = (struct segments_reader *)reader;

	reader_free(s->one);
	free(s);
}

static struct reader *segments_reader(struct store *store, const struct manifest_member *m)
{
	static const struct reader_ops ops = {segments_read, segments_free};
	struct segments_reader *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->reader.ops = &ops;
	s->store = store;
	s->m = m;
	return &s->reader;
}

bool read_is_encrypted(const struct manifest *m)
{
	return m->n_recipients > 0 || m->passphrase;
}

bool read_can_open(const struct manifest *m, const struct read_keys *k)
{
	return !read_is_encrypted(m) || (m->passphrase ? k->has_passphrase : k->has_identities);
}

int read_keys_open(struct run *r, const struct manifest *m, struct read_keys *k, struct err *e)
{
	const char *identity =
		r->o->restore.identity_file ? r->o->restore.identity_file : r->job->identity_file;
	int result = 0;

	buf_init(&k->identities, RUN_SECRET_MAX);
	buf_init(&k->passphrase, RUN_SECRET_MAX);
	if (m->n_recipients && identity) {
		result = r->w->secret_read(identity, &k->identities, e);
		k->has_identities = result == 0;
	}
	if (m->passphrase && r->job->passphrase_file) {
		result = r->w->secret_read(r->job->passphrase_file, &k->passphrase, e);
		k->has_passphrase = result == 0;
	}
	return err_wrap(e, result, "key of the backup");
}

static void wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

void read_keys_done(struct read_keys *k)
{
	wipe(&k->identities);
	wipe(&k->passphrase);
}

static int open_age(struct read_member *out, const struct manifest *of, const struct read_keys *k,
	struct err *e)
{
	const struct age_decrypt o = {
		.identities = k->has_identities ? buf_str(&k->identities) : NULL,
		.passphrase = k->has_passphrase ? buf_str(&k->passphrase) : NULL};

	if (!read_is_encrypted(of))
		return 0;
	if (!read_can_open(of, k))
		return err_set(e, ENOKEY, "the backup is encrypted and there is no key here: %s",
			of->passphrase ? "set passphrase_file"
				       : "give the private key (identity_file)");
	return age_decryptor_new(&o, out->stored, &out->age, e);
}

static int open_plain(struct read_member *out, const struct manifest *of, const struct read_keys *k,
	struct err *e)
{
	const struct manifest_member *m = out->m;
	struct metered want = {.bytes = m->plain_bytes};
	int result = open_age(out, of, k, e);

	if (result == 0)
		result = codec_decoder_new(
			of->codec, out->age ? out->age : out->stored, &out->codec, e);
	if (result < 0)
		return result;
	memcpy(want.sha256, m->plain_sha256, sizeof(want.sha256));
	(void)snprintf(out->what_plain, sizeof(out->what_plain), "%s, decompressed", m->name);
	out->plain = meter_reader(&out->plain_m, NULL, out->codec, &want, out->what_plain);
	return 0;
}

int read_member_open(struct run *r, struct run_store *s, const struct manifest *of,
	const struct manifest_member *m, const struct read_keys *k, bool plain,
	struct read_member *out, struct err *e)
{
	struct metered want = {.bytes = m->stored_bytes};

	*out = (struct read_member){.r = r, .m = m, .all_bytes = m->stored_bytes};
	memcpy(want.sha256, m->stored_sha256, sizeof(want.sha256));
	(void)snprintf(out->what_stored, sizeof(out->what_stored), "%s",
		m->n_segments ? m->segments[0].key : m->name);
	out->segments = segments_reader(s->store, m);
	out->stored =
		meter_reader(&out->stored_m, r->throttle, out->segments, &want, out->what_stored);
	return plain ? open_plain(out, of, k, e) : 0;
}

static void say_progress(const struct read_member *m)
{
	report_progress(
		m->r->report, m->plain_m.bytes, m->before_bytes + m->stored_m.bytes, m->all_bytes);
}

int read_member_check(struct read_member *m, struct err *e)
{
	struct run *r = m->r;
	ssize_t n;

	while ((n = reader_read(m->stored, r->buffer, RUN_PIECE_BYTES, e)) > 0) {
		int result = stop_check(e);

		if (result < 0)
			return result;
		say_progress(m);
	}
	return (int)n;
}

int read_member_pump(struct read_member *m, struct sink *first, struct sink *second, struct err *e)
{
	struct reader *from = m->plain ? m->plain : m->stored;
	struct run *r = m->r;
	ssize_t n;

	while ((n = reader_read(from, r->buffer, RUN_PIECE_BYTES, e)) > 0) {
		int result = stop_check(e);

		if (result == 0 && first)
			result = sink_write(first, r->buffer, (size_t)n, e);
		if (result == 0 && second)
			result = sink_write(second, r->buffer, (size_t)n, e);
		if (result < 0)
			return result;
		say_progress(m);
	}
	/* The decoder may have seen its end before the object's. */
	return n < 0 ? (int)n : read_member_check(m, e);
}

void read_member_done(struct read_member *m)
{
	reader_free(m->plain);
	reader_free(m->codec);
	reader_free(m->age);
	reader_free(m->stored);
	reader_free(m->segments);
}
