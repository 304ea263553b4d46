/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream of unknown length into one object. Two buffers of one part each: one fills while the other is on its way; when the line is
 * slower than the dump both are, so that it never waits for an answer. What fits into one is a single PUT. The last part stays here until commit(): without it nothing can become an object.
 */
#include "backup/s3_ops.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backup/journal.h"
#include "base/clock.h"
#include "base/str.h"

/* So many bytes are taken between two turns of the net: few enough to keep a fast line busy. */
enum { TURN_BYTES = 128 * 1024 };

struct part {
	char *mem; /* NULL until it is needed */
	size_t len;
	struct s3_payload payload;
	struct s3_call call;
	bool is_sending;
	char number[12];
};

struct s3_upload {
	struct upload upload;
	struct s3 *s3;
	char *key, *content_type;
	struct upload_options options;
	size_t part_bytes;
	struct part parts[2];
	unsigned filling; /* which of them */
	struct s3_digest *digest; /* of that one */
	size_t since_turn;
	char *upload_id; /* NULL: not begun */
	size_t started;
	struct s3_parts done; /* in the order they were started in */
	int64_t written;
	/* What may be there at the store, and is to be removed without a commit. */
	bool may_be_lost; /* an upload whose id never reached us */
	bool may_exist; /* the object */
	bool is_committed;
};

static struct s3_upload *of(struct sink *s)
{
	return (struct s3_upload *)s;
}

/* Pages cost memory only once they are written to, and are given back at once. */
static void need_memory(struct s3_upload *u, struct part *p)
{
	if (p->mem)
		return;
	p->mem = mmap(
		NULL, u->part_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->mem == MAP_FAILED)
		abort();
}

static int note(struct s3_upload *u, const char *token, struct err *e)
{
	/* The manifest is noted as such by who writes it. */
	if (!u->s3->journal || u->options.is_manifest)
		return 0;
	return journal_note(u->s3->journal, u->s3->settings.name, u->key, token, e);
}

/* At once and clearly: nothing came of it. */
static bool was_refused(const struct s3_call *c)
{
	return !c->attempts || (c->done && c->attempts == 1 && !c->answer.error &&
				       c->answer.status >= 300 && c->answer.status < 500);
}

static int create(struct s3_upload *u, struct err *e)
{
	char until[S3_TIME_SIZE], id[S3_UPLOAD_ID_MAX];
	struct s3_call c;
	int r;

	s3_call_init(&c, u->s3, "POST", u->key);
	c.root = "InitiateMultipartUploadResult";
	s3_call_query(&c, "uploads", "");
	s3_object_headers(&c, &u->options, until);
	s3_call_header(&c, "x-amz-checksum-algorithm", s3_checksum_name(u->s3->settings.checksum));
	r = s3_call_run(&c, false, e);
	if (r == 0)
		r = s3_answer_text(buf_str(&c.answer.body), c.answer.body.len,
			"InitiateMultipartUploadResult/UploadId", id, sizeof(id), e);
	if (r == 0 && !*id)
		r = err_set(e, EPROTO, "%s: the store gives no id for the upload", u->key);
	if (r == 0)
		u->upload_id = str_dup(id);
	u->may_be_lost = r == 0 ? c.attempts > 1 : !was_refused(&c);
	s3_call_done(&c);
	return r;
}

static int begin(struct s3_upload *u, struct err *e)
{
	int r = note(u, "", e);

	if (r == 0)
		r = create(u, e);
	return r < 0 ? r : note(u, u->upload_id, e);
}

static void keep_etag(struct s3_upload *u, const struct s3_call *c)
{
	struct s3_parts *d = &u->done;

	if (d->n == d->room) {
		d->room = d->room ? 2 * d->room : 64;
		d->at = realloc(d->at, d->room * sizeof(d->at[0]));
		if (!d->at)
			abort();
	}
	(void)net_header(&c->answer, "ETag", d->at[d->n].etag, sizeof(d->at[0].etag));
	(void)str_copy(
		d->at[d->n].checksum, sizeof(d->at[0].checksum), c->payload->checksum_base64);
	d->n++;
}

/* Waits for a part that is on its way. */
static int settle(struct s3_upload *u, struct part *p, struct err *e)
{
	int r;

	if (!p->is_sending)
		return 0;
	r = s3_call_wait(&p->call, false, e);
	if (r == -ECANCELED && !p->call.done)
		return r;
	if (r == 0)
		keep_etag(u, &p->call);
	s3_call_done(&p->call);
	p->is_sending = false;
	if (r == -ENOENT)
		return err_wrap(e, r, "the upload is gone from the store");
	return err_wrap(e, r, "part %s", p->number);
}

/* The one that is being filled is not on its way. */
static int settle_last(struct s3_upload *u, struct err *e)
{
	return settle(u, &u->parts[u->filling ^ 1], e);
}

static void end_digest(struct s3_upload *u, struct part *p)
{
	s3_digest_end(u->digest, &p->payload);
	p->payload.data = p->len ? p->mem : "";
	p->payload.len = p->len;
}

static void start(struct s3_upload *u, struct part *p)
{
	(void)snprintf(p->number, sizeof(p->number), "%zu", ++u->started);
	s3_call_init(&p->call, u->s3, "PUT", u->key);
	p->call.payload = &p->payload;
	p->call.check = s3_check_etag;
	/* The first has shown that the store takes such parts. */
	p->call.expects = u->started == 1;
	s3_call_query(&p->call, "partNumber", p->number);
	s3_call_query(&p->call, "uploadId", u->upload_id);
	s3_checksum_header(&p->call, &p->payload);
	p->is_sending = true;
	s3_call_start(&p->call);
}

/* Sends the buffer that was filled; the other one is free when it returns 0. */
static int send_part(struct s3_upload *u, struct err *e)
{
	struct part *p = &u->parts[u->filling], *other = &u->parts[u->filling ^ 1];
	int r = u->upload_id ? 0 : begin(u, e);

	/* The limit is that of one transfer. */
	if (r == 0 && u->s3->bandwidth_bytes)
		r = settle(u, other, e);
	if (r < 0)
		return r;
	end_digest(u, p);
	start(u, p);
	u->filling ^= 1;
	r = settle(u, other, e);
	other->len = 0;
	return r;
}

/* A part that has failed for good ends it now, not when the next one is full. */
static int turn(struct s3_upload *u, size_t n, struct err *e)
{
	struct part *p;

	u->since_turn += n;
	if (u->since_turn < TURN_BYTES)
		return 0;
	u->since_turn = 0;
	net_turn(u->s3->net);
	p = &u->parts[u->filling ^ 1];
	return p->is_sending && p->call.done && p->call.result < 0 ? settle(u, p, e) : 0;
}

static size_t fill(struct s3_upload *u, const char *data, size_t n)
{
	struct part *p = &u->parts[u->filling];

	need_memory(u, p);
	if (n > u->part_bytes - p->len)
		n = u->part_bytes - p->len;
	if (n > TURN_BYTES)
		n = TURN_BYTES;
	memcpy(p->mem + p->len, data, n);
	s3_digest_add(u->digest, p->mem + p->len, n);
	p->len += n;
	u->written += (int64_t)n;
	u->upload.room -= (int64_t)n;
	return n;
}

static int upload_write(struct sink *sink, const void *data, size_t n, struct err *e)
{
	struct s3_upload *u = of(sink);
	const char *from = data;
	int r = 0;

	if ((uint64_t)n > (uint64_t)u->upload.room)
		return err_set(e, EFBIG, "%s: more than the parts of one object can hold", u->key);
	while (r == 0 && n) {
		size_t taken;

		if (u->parts[u->filling].len == u->part_bytes)
			r = send_part(u, e);
		if (r < 0)
			break;
		taken = fill(u, from, n);
		from += taken;
		n -= taken;
		r = turn(u, taken, e);
	}
	return r;
}

static int upload_finish(struct sink *sink, struct err *e)
{
	return settle_last(of(sink), e);
}

static int put_whole(struct s3_upload *u, struct err *e)
{
	struct part *p = &u->parts[u->filling];
	char until[S3_TIME_SIZE];
	struct s3_call c;
	int r = note(u, "", e);

	if (r < 0)
		return r;
	end_digest(u, p);
	s3_call_init(&c, u->s3, "PUT", u->key);
	c.payload = &p->payload;
	c.check = s3_check_etag;
	c.expects = true;
	s3_object_headers(&c, &u->options, until);
	s3_checksum_header(&c, &p->payload);
	r = s3_call_run(&c, false, e);
	u->may_exist = r == 0 || !was_refused(&c);
	s3_call_done(&c);
	return r;
}

static int complete(struct s3_upload *u, struct err *e)
{
	int r = settle_last(u, e);

	/* Whoever wrote a byte after the last part was full has it here. */
	assert(u->parts[u->filling].len > 0);
	if (r == 0)
		r = send_part(u, e);
	if (r == 0)
		r = settle_last(u, e);
	if (r < 0)
		return r;
	u->may_exist = true;
	return s3_complete(u->s3, u->key, u->upload_id, &u->done, e);
}

/* What cannot be removed now is in the journal; what the store keeps on purpose stays. */
static void note_left(struct s3_upload *u, int r)
{
	if (r < 0 && r != -EPERM && r != -EBUSY)
		u->s3->store->left_behind = true;
}

static int upload_commit_it(struct upload *upload, struct store_object *out, struct err *e)
{
	struct s3_upload *u = of(&upload->sink);
	struct store_object o = {.bytes = u->written, .modified_ms = clock_wall_ms()};
	struct s3_seen seen = {.bytes = -1};
	int r = u->upload_id ? complete(u, e) : put_whole(u, e);

	if (r == 0)
		r = s3_confirm(u->s3, u->key, u->written, &seen, e);
	if (r < 0)
		return r;
	u->is_committed = true;
	if (u->may_be_lost)
		note_left(u, s3_abort_all(u->s3, u->key, NULL));
	(void)str_copy(o.key, sizeof(o.key), u->key);
	(void)str_copy(o.etag, sizeof(o.etag), seen.etag);
	*out = o;
	return 0;
}

static void take_back(struct s3_upload *u)
{
	for (size_t i = 0; i < ARRAY_LEN(u->parts); i++)
		if (u->parts[i].is_sending)
			s3_call_done(&u->parts[i].call);
	if (u->is_committed)
		return;
	if (u->upload_id)
		note_left(u, s3_abort(u->s3, u->key, u->upload_id, NULL));
	if (u->may_be_lost)
		note_left(u, s3_abort_all(u->s3, u->key, NULL));
	if (u->may_exist)
		note_left(u, s3_remove(u->s3, u->key, true, NULL));
}

static void upload_end(struct sink *sink)
{
	struct s3_upload *u = of(sink);

	take_back(u);
	for (size_t i = 0; i < ARRAY_LEN(u->parts); i++)
		if (u->parts[i].mem)
			(void)munmap(u->parts[i].mem, u->part_bytes);
	s3_digest_free(u->digest);
	free(u->done.at);
	free(u->upload_id);
	free(u->content_type);
	free(u->key);
	free(u);
}

int s3_upload_new(struct s3 *s, const char *key, const struct upload_options *o,
	struct upload **out, struct err *e)
{
	static const struct sink_ops ops = {upload_write, upload_finish, upload_end};
	struct s3_upload *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		abort();
	u->upload.sink.ops = &ops;
	u->upload.commit = upload_commit_it;
	u->s3 = s;
	u->key = str_dup(key);
	u->content_type = str_dup(o ? o->content_type : NULL);
	if (o)
		u->options = *o;
	u->options.content_type = u->content_type;
	u->part_bytes = (size_t)s3_part_bytes(&s->settings, u->options.expected_bytes);
	u->upload.room = (int64_t)u->part_bytes * s->settings.max_parts;
	u->digest = s3_digest_new(s->settings.checksum);
	r = s3_keys_need(s, e);
	if (r < 0)
		upload_end(&u->upload.sink);
	else
		*out = &u->upload;
	return r;
}
