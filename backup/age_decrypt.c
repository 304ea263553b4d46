/* SPDX-License-Identifier: Apache-2.0 */
#include "backup/age.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup/age_header.h"
#include "backup/age_keys.h"
#include "backup/age_payload.h"
#include "base/buf.h"
#include "base/cleanup.h"

struct decryptor {
	struct reader reader;
	struct reader *from;
	struct age_cipher *cipher;
	uint64_t number; /* of the next chunk */
	size_t in_at, in_end; /* of `in`: read and not decrypted yet */
	bool in_ended; /* `from` has no more */
	size_t at, len; /* of `plain`, not handed out yet */
	bool is_at_end;
	int failed; /* sticks */
	struct err err;
	/* One byte more than a chunk: a chunk that nothing follows is the last one. */
	uint8_t in[AGE_SEALED_BYTES + 1];
	uint8_t plain[AGE_CHUNK_BYTES];
};

static size_t have(const struct decryptor *d)
{
	return d->in_end - d->in_at;
}

/* Reads until n bytes are there or the input has ended. */
static int fill(struct decryptor *d, size_t n, struct err *e)
{
	if (have(d) < n && d->in_at > 0) {
		memmove(d->in, d->in + d->in_at, have(d));
		d->in_end -= d->in_at;
		d->in_at = 0;
	}
	while (have(d) < n && !d->in_ended) {
		ssize_t k = reader_read(d->from, d->in + d->in_end, sizeof(d->in) - d->in_end, e);

		if (k < 0)
			return (int)k;
		d->in_end += (size_t)k;
		d->in_ended = k == 0;
	}
	return 0;
}

static int open_chunk(struct decryptor *d, struct err *e)
{
	uint8_t nonce[AGE_NONCE_BYTES];
	bool is_last;
	size_t n;
	int r = fill(d, sizeof(d->in), e);

	if (r < 0)
		return r;
	is_last = have(d) <= AGE_SEALED_BYTES;
	n = is_last ? have(d) : AGE_SEALED_BYTES;
	/* An empty last chunk is there only when there is nothing else. */
	if (n < AGE_TAG_BYTES || (n == AGE_TAG_BYTES && d->number > 0))
		return err_set(e, EBADMSG, "age: the file ends early");
	age_chunk_nonce(nonce, d->number++, is_last);
	if (age_open(d->cipher, nonce, d->in + d->in_at, n, d->plain) < 0)
		return err_set(e, EBADMSG, "age: the file was changed, or it ends early");
	d->in_at += n;
	d->at = 0;
	d->len = n - AGE_TAG_BYTES;
	d->is_at_end = is_last;
	return 0;
}

static ssize_t decryptor_read(struct reader *r, void *to, size_t n, struct err *e)
{
	struct decryptor *d = (struct decryptor *)r;

	if (d->at == d->len && !d->is_at_end && !d->failed)
		d->failed = open_chunk(d, &d->err);
	if (d->failed) {
		if (e)
			*e = d->err;
		return d->failed;
	}
	if (n > d->len - d->at)
		n = d->len - d->at;
	if (n > 0)
		memcpy(to, d->plain + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

static void decryptor_free(struct reader *r)
{
	struct decryptor *d = (struct decryptor *)r;

	age_cipher_free(d->cipher);
	age_wipe(d->plain, sizeof(d->plain));
	free(d);
}

static const struct reader_ops decryptor_ops = {decryptor_read, decryptor_free};

/* The next line with its end, which stays in `in`; *n 0: there is none that is whole. */
static int read_line(struct decryptor *d, const uint8_t **line, size_t *n, struct err *e)
{
	const uint8_t *end;
	size_t want = 1;
	int r;

	do {
		r = fill(d, want, e);
		if (r < 0)
			return r;
		*line = d->in + d->in_at;
		end = memchr(*line, '\n', have(d));
		want = have(d) + 1;
	} while (!end && !d->in_ended && want <= sizeof(d->in));
	*n = end ? (size_t)(end - *line) + 1 : 0;
	return 0;
}

static int no_age_file(const uint8_t *line, size_t n, struct err *e)
{
	const size_t armor = strlen(AGE_ARMOR);

	if (n >= armor && memcmp(line, AGE_ARMOR, armor) == 0)
		return err_set(e, EBADMSG,
			"this is an age file in armor, which backups do not have: "
			"open it with the program age");
	return err_set(e, EBADMSG, "this is no age file of version 1");
}

/* The header's text, up to the line end of the MAC. */
static int read_header(struct decryptor *d, struct buf *header, struct err *e)
{
	const size_t intro = strlen(AGE_INTRO), mac = strlen(AGE_MAC_LINE);
	bool is_last_line = false;

	while (!is_last_line) {
		const uint8_t *line;
		size_t n;
		int r = read_line(d, &line, &n, e);

		if (r < 0)
			return r;
		if (header->len == 0 && (n != intro || memcmp(line, AGE_INTRO, intro) != 0))
			return no_age_file(line, n, e);
		if (n == 0)
			return err_set(e, EBADMSG, "age header: it ends early");
		is_last_line = n > mac && memcmp(line, AGE_MAC_LINE, mac) == 0;
		buf_add(header, line, n);
		d->in_at += n;
		if (header->overflow)
			return err_set(
				e, EBADMSG, "age header: longer than %d bytes", AGE_HEADER_MAX);
	}
	return 0;
}

static int try_identity(const struct age_stanza *s, const struct age_identity *id,
	uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	uint8_t shared[AGE_KEY_BYTES], key[AGE_KEY_BYTES], salt[2 * AGE_KEY_BYTES];
	int r = age_x25519(shared, id->secret, s->share, e);

	if (r < 0)
		return err_wrap(e, r, "age header");
	memcpy(salt, s->share, AGE_KEY_BYTES);
	memcpy(salt + AGE_KEY_BYTES, id->public, AGE_KEY_BYTES);
	age_hkdf(key, shared, sizeof(shared), salt, sizeof(salt), "age-encryption.org/v1/X25519");
	r = age_unwrap(file_key, key, s->wrapped) < 0;
	age_wipe(shared, sizeof(shared));
	age_wipe(key, sizeof(key));
	return r;
}

/* 0: the key is there; 1: none of these fits. */
static int try_identities(const struct age_header *h, const char *text,
	uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	_cleanup_(age_identities_free_p) struct age_identities *ids = NULL;
	int r = age_identities_parse(text, &ids, e);

	if (r < 0)
		return r;
	r = 1;
	for (size_t i = 0; r == 1 && i < h->n_stanzas; i++)
		for (size_t j = 0; r == 1 && j < ids->n; j++)
			r = try_identity(&h->stanzas[i], &ids->items[j], file_key, e);
	return r;
}

static int try_passphrase(const struct age_stanza *s, const char *passphrase,
	uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	uint8_t key[AGE_KEY_BYTES];
	int r = age_scrypt(key, passphrase, s->salt, s->log_n, e);

	if (r == 0)
		r = age_unwrap(file_key, key, s->wrapped) < 0;
	age_wipe(key, sizeof(key));
	return r;
}

static int find_file_key(const struct age_header *h, const struct age_decrypt *o,
	uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	bool is_scrypt = h->n_stanzas > 0 && h->stanzas[0].kind == AGE_SCRYPT;
	int r;

	if (is_scrypt && !o->passphrase)
		return err_set(e, EKEYREJECTED, "a passphrase is needed to open it");
	if (!is_scrypt && !o->identities)
		return err_set(e, EKEYREJECTED,
			"a private key (AGE-SECRET-KEY-1...) is needed to open it");
	if (is_scrypt)
		r = try_passphrase(&h->stanzas[0], o->passphrase, file_key, e);
	else
		r = try_identities(h, o->identities, file_key, e);
	if (r > 0)
		return err_set(e, EKEYREJECTED,
			is_scrypt ? "the passphrase is wrong"
				  : "none of the private keys can open it: it is for others");
	return r;
}

static int begin_payload(
	struct decryptor *d, const uint8_t file_key[AGE_FILE_KEY_BYTES], struct err *e)
{
	int r = fill(d, AGE_PAYLOAD_NONCE_BYTES, e);

	if (r < 0)
		return r;
	if (have(d) < AGE_PAYLOAD_NONCE_BYTES)
		return err_set(e, EBADMSG, "age: the file ends early");
	d->cipher = age_payload_cipher(file_key, d->in + d->in_at, false);
	d->in_at += AGE_PAYLOAD_NONCE_BYTES;
	return 0;
}

static int begin_file(struct decryptor *d, const struct age_decrypt *o, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(AGE_HEADER_MAX);
	_cleanup_(free_p) struct age_header *h = malloc(sizeof(*h));
	uint8_t file_key[AGE_FILE_KEY_BYTES] = {0};
	int r;

	if (!h)
		abort();
	r = read_header(d, &text, e);
	if (r == 0)
		r = age_header_parse(text.data, text.len, h, e);
	if (r == 0)
		r = find_file_key(h, o, file_key, e);
	if (r == 0)
		r = age_header_check(h, text.data, file_key, e);
	if (r == 0)
		r = begin_payload(d, file_key, e);
	age_wipe(file_key, sizeof(file_key));
	return r;
}

int age_decryptor_new(
	const struct age_decrypt *o, struct reader *from, struct reader **out, struct err *e)
{
	struct decryptor *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		abort();
	d->reader.ops = &decryptor_ops;
	d->from = from;
	r = begin_file(d, o, e);
	if (r < 0) {
		decryptor_free(&d->reader);
		return r;
	}
	*out = &d->reader;
	return 0;
}
